"""The syntax of the program's modules, which several tests look through."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """Return all nodes of a module, each after the one that holds it."""
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
