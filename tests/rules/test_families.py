"""The families of rules: a module of rules knows the subject, and no other module of rules."""

from __future__ import annotations

import ast

import pytest

from tests.support.paths import PACKAGE

ROOM = PACKAGE / "rules"
FAMILIES = {
    path.stem
    for path in ROOM.glob("*.py")
    if "\nRULES: tuple[type[Rule]" in path.read_text("utf-8")
}


def imported(name: str) -> set[str]:
    """Return the modules of the room that one of them imports."""
    tree = ast.parse((ROOM / f"{name}.py").read_text(encoding="utf-8"))
    return {
        node.module.removeprefix("torchconf.rules.")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
    }


def test_the_families_are_found() -> None:
    assert (
        {"indexes", "tritons", "conflicts"} <= FAMILIES < {path.stem for path in ROOM.glob("*.py")}
    )


@pytest.mark.parametrize("name", sorted({path.stem for path in ROOM.glob("*.py")} - {"__init__"}))
def test_what_rules_share_lies_outside_the_families(name: str) -> None:
    assert not imported(name) & FAMILIES
