"""What an editor shows of a file while it is edited: text and place in, values out.

Places are offsets: characters from the beginning of the text as the editor has it. Only `server`
knows the protocol, its lines and its columns; everything else is a function of an `Analysis`.
"""
