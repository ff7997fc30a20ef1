"""The pages for contributors: every file that they name is there, and says what they say of it."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.support.paths import PACKAGE, ROOT

PAGES = ("ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md")
TEXT = {name: (ROOT / name).read_text(encoding="utf-8") for name in PAGES}
NAMED = re.compile(r"`([A-Za-z_][\w.]*)`(?: and(?: then)? `(\w+)`)? in\s+`([\w./]+\.py)`")
PATH = re.compile(
    r"`([\w.-]+(?:/[\w.-]+)*\.(?:py|json|jsonl|md|toml|yml|yaml)|[\w.-]+(?:/[\w.-]+)+)`"
)


@cache
def defined(file: str) -> frozenset[str]:
    """Return what a module defines: functions, classes, `Class.method`, and constants."""
    top = PACKAGE if (PACKAGE / file).exists() else ROOT
    found: set[str] = set()
    for node in ast.parse((top / file).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
        if isinstance(node, ast.ClassDef):
            inside = (inner for inner in node.body if isinstance(inner, ast.FunctionDef))
            found |= {f"{node.name}.{inner.name}" for inner in inside}
    return frozenset(found)


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_is_there(page: str) -> None:
    paths = set(PATH.findall(TEXT[page]))
    missing = {path for path in paths if not any((top / path).exists() for top in (PACKAGE, ROOT))}
    assert not missing


@pytest.mark.parametrize("page", PAGES)
def test_every_name_is_defined_where_a_page_says(page: str) -> None:
    wrong = {
        f"`{name}` in `{file}`"
        for *names, file in NAMED.findall(TEXT[page])
        for name in names
        if name and name not in defined(file)
    }
    assert not wrong


def test_the_architecture_names_enough_to_be_held_to() -> None:
    page = TEXT["ARCHITECTURE.md"]
    assert len(NAMED.findall(page)) > 50
    questions = page.partition("## Ten questions")[2].count("\n| ") - 2
    assert questions == 10
