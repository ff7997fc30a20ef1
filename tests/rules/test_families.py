"""The families of rules: a module of rules knows the subject, and no other module of rules."""

from __future__ import annotations

import ast

import pytest

from tests.support.paths import PACKAGE
from torchconf.rules import RULES
from torchconf.rules.rule import Premise

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


@pytest.mark.parametrize("premise", Premise, ids=lambda premise: premise.name)
def test_each_premise_is_broken_by_a_rule_and_required_by_another(premise: Premise) -> None:
    breaking = {rule.code for rule in RULES if rule.breaks is premise}
    relying = {rule.code for rule in RULES if premise in rule.requires}
    assert breaking
    assert relying
    assert not breaking & relying
