"""Reading what people had before uv: requirements files, Poetry, conda, Pipenv, PDM, pixi.

Each format has a reader: the text of one file in, an `OldFile` out, every line accounted for. No
reader opens a file, follows an include, or decides what becomes of a line.
"""
