"""Documents that `check` judges: wrong in the usual way, right, and with a warning."""

from __future__ import annotations

WRONG = """\
[project]
name = "demo"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = [
    "torch>=2.13.0",  # the newest
]

[tool.uv.sources]
torch = { index = "pytorch-cu130" }

[[tool.uv.index]]
name = "pytorch-cu130"
url = "https://download.pytorch.org/whl/cu130"
explicit = true
"""
"""TC405: a CUDA index for macOS as well; a safe fix."""


RIGHT = WRONG.replace(
    '"pytorch-cu130" }', '"pytorch-cu130", marker = "sys_platform != \'darwin\'" }'
)


WARNED = RIGHT.replace(
    "[tool.uv.sources]", '[tool.uv]\ntorch-backend = "auto"\n\n[tool.uv.sources]'
)
"""TC506: a setting that lock and sync do not read."""
