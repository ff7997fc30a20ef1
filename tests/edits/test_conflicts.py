"""Conflict sets: one mechanism for all that edit them."""

from __future__ import annotations

from typing import Any

import pytest

from torchconf.edits.conflicts import drop_members, keep_apart, rename_member
from torchconf.edits.draft import Draft

CPU, CU130, CU132, DOCS = ({"extra": name} for name in ("cpu", "cu130", "cu132", "docs"))
OTHERS = {"package": "other", "extra": "cu130"}


def draft_of(*sets: Any, name: str = "demo") -> Draft:
    return Draft({"project": {"name": name}, "tool": {"uv": {"conflicts": list(sets)}}})


def sets_of(draft: Draft) -> Any:
    return draft.get(("tool", "uv", "conflicts"))


@pytest.mark.parametrize(
    ("before", "names", "after"),
    [
        ([[CPU, CU130]], ["cpu", "CU130"], [[CPU, CU130]]),
        ([[CPU]], ["cpu"], [[CPU]]),
        ([], ["cpu", "cu130"], [[CPU, CU130]]),
        ([[CPU, CU130]], ["cpu", "cu132", "cu130"], [[CPU, CU130, CU132]]),
        ([[CPU]], ["cpu", "cu130"], [[CPU, CU130]]),
        ([[CPU, DOCS]], ["cpu", "cu130"], [[CPU, DOCS], [CPU, CU130]]),
        ([[CPU, DOCS], [CPU, CU130]], ["cpu", "cu130"], [[CPU, DOCS], [CPU, CU130]]),
        ([[CPU, CU130, DOCS]], ["cpu", "cu130", "cu132"], [[CPU, CU130, DOCS, CU132]]),
        ([[CPU, OTHERS]], ["cpu", "cu130"], [[CPU, OTHERS], [CPU, CU130]]),
        ([[{"group": "cpu"}, {"group": "cu130"}]], ["cpu", "cu130"],
         [[{"group": "cpu"}, {"group": "cu130"}], [CPU, CU130]]),
        ([[{"package": "Demo", "extra": "cpu"}, CU130]], ["cpu", "cu130"],
         [[{"package": "Demo", "extra": "cpu"}, CU130]]),
    ],
)  # fmt: skip
def test_one_set_holds_all(before: list[Any], names: list[str], after: list[Any]) -> None:
    draft = draft_of(*before)
    keep_apart(draft, [("extra", name) for name in names], "a test")
    assert sets_of(draft) == after
    steps = len(draft.steps)
    keep_apart(draft, [("extra", name) for name in names], "a test")
    assert len(draft.steps) == steps, "a second time changes nothing"


@pytest.mark.parametrize(
    ("before", "gone", "after"),
    [
        ([[CPU, CU130]], [], [[CPU, CU130]]),
        ([[CPU, OTHERS]], ["cu130"], [[CPU, OTHERS]]),
        ([[CPU, CU130]], ["cu130"], []),
        ([[CPU, CU130, CU132]], ["Cu130"], [[CPU, CU132]]),
        ([[CPU, CU130], [CPU, CU130, DOCS]], ["cu130"], [[CPU, DOCS]]),
    ],
)
def test_members_leave_all_sets(before: list[Any], gone: list[str], after: list[Any]) -> None:
    draft = draft_of(*before)
    drop_members(draft, "extra", gone, "a test")
    assert sets_of(draft) == after


def test_a_member_is_renamed_where_it_is_meant() -> None:
    draft = draft_of([CPU, CU130], [{"group": "cu130"}, OTHERS])
    rename_member(draft, "extra", "CU130", "cu132", "a test")
    assert sets_of(draft) == [[CPU, CU132], [{"group": "cu130"}, OTHERS]]
    rename_member(draft, "extra", "cu130", "cu132", "a test", package="Other")
    assert sets_of(draft)[1][1] == {"package": "other", "extra": "cu132"}


@pytest.mark.parametrize("table", [{}, "cpu", [CPU], [[1, "cpu"]]])
def test_what_is_malformed_is_left_alone(table: Any) -> None:
    draft = Draft({"tool": {"uv": {"conflicts": table}}})
    drop_members(draft, "extra", ["cpu"], "a test")
    rename_member(draft, "extra", "cpu", "gpu", "a test")
    assert sets_of(draft) == table
