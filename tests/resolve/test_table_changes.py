"""Two tables compared: which difference is of which kind, and what is none."""

from __future__ import annotations

from typing import Any

import pytest
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from torchconf.catalog import Answer
from torchconf.layout.selection import Selection
from torchconf.model.lock_graph import Installed
from torchconf.model.project import Requirement
from torchconf.resolve.table import Row, undefined_row
from torchconf.resolve.table_changes import renamed, table_changes

ROW = Row(
    "torch", "linux-x86_64", Selection(), (), "pytorch", "cu130", Answer.YES, None,
    origin="https://download.pytorch.org/whl/cu130",
)  # fmt: skip
ABSENT = ROW._replace(index_name=None, backend=None, available=Answer.NO, origin=None)
REFUSED = ABSENT._replace(reason="extras conflict")
UNKNOWN = ABSENT._replace(available=Answer.UNKNOWN, reason="it comes from a path, Git or a URL")
UNDEFINED = undefined_row("torch", "linux-x86_64", Selection())


def bound(*ranges: str) -> Row:
    lines = tuple(
        Requirement(
            path=(), name=canonicalize_name("torch"), extras=(), specifier=SpecifierSet(text),
            marker=None, url=None, raw="",
        )
        for text in ranges
    )  # fmt: skip
    return ROW._replace(lines=(lines,))


def locked(*versions: str, registry: str = "x") -> Row:
    return ROW._replace(locked=tuple(Installed(version, registry) for version in versions))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (ROW, ROW),
        (ABSENT, ABSENT),
        (REFUSED, REFUSED._replace(reason="another reason")),
        (UNDEFINED, REFUSED),
        (UNDEFINED, ABSENT),
        (UNKNOWN, UNKNOWN),
        # Only the index has another name; or a lockfile makes an answer sure.
        (ROW, ROW._replace(index_name="torch")),
        (ROW, ROW._replace(provisional=True, reason="not read")),
        (ABSENT, ABSENT._replace(provisional=True, reason="not read")),
        (
            ROW._replace(origin="https://user:old@mirror.example/cu130"),
            ROW._replace(origin="https://user:new@mirror.example/cu130"),
        ),
        # The same range in other words.
        (bound(">=2.1", "<3"), bound("<3", ">=2.1", ">=2.1")),
        # Only one side has a lockfile.
        (ROW, locked("2.13.0")),
        (locked("2.13.0"), ROW),
    ],
)
def test_no_difference(before: Row, after: Row) -> None:
    assert table_changes([before], [after]) == ()


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        (ROW, ROW._replace(backend="cpu"), ["build"]),
        (ROW, ABSENT, ["build"]),
        (ABSENT, ROW, ["build"]),
        (ROW, UNKNOWN, ["build"]),
        (UNKNOWN, UNKNOWN._replace(reason="supported Pythons differ"), ["build"]),
        (ROW, ROW._replace(origin="https://mirror.example/cu130"), ["index"]),
        (UNKNOWN, UNKNOWN._replace(origin="git+https://example.org/torch"), ["index"]),
        (bound(">=2.1"), bound(">=2.2"), ["bounds"]),
        (bound(), bound(">=2.2"), ["bounds"]),
        (ROW, ROW._replace(available=Answer.NO), ["wheel"]),
        (ROW._replace(available=Answer.NO), ROW, ["wheel"]),
        (ROW, ROW._replace(available=Answer.UNKNOWN), ["wheel"]),
        (ROW, REFUSED, ["refused"]),
        (REFUSED, ROW, ["accepted"]),
        (UNDEFINED, ROW, ["added"]),
        (ROW, UNDEFINED, ["removed"]),
        (locked("2.12.0"), locked("2.13.0"), ["locked"]),
        (locked("2.12.0"), locked("2.12.0", registry="y"), ["locked"]),
        (locked("2.12.0"), locked(), ["locked"]),
        (locked("1"), locked("2")._replace(backend="cpu"), ["build", "locked"]),
    ],
)
def test_kinds(before: Row, after: Row, kinds: list[str]) -> None:
    (change,) = table_changes([before], [after])
    assert [*change.kinds] == kinds
    assert (change.before, change.after) == (before, after)


@pytest.mark.parametrize(
    ("others", "kind", "field"),
    [
        # The other packages of the choice say what the project makes of it.
        ([ROW._replace(package="numpy")], "build", {"is_defined": True}),
        ([REFUSED._replace(package="numpy")], "refused", {"reason": REFUSED.reason}),
        ([UNDEFINED._replace(package="numpy")], "removed", {"is_defined": False}),
        ([], "build", {"is_defined": True}),
    ],
)
def test_a_package_that_one_side_does_not_have(
    others: list[Row], kind: str, field: dict[str, Any]
) -> None:
    (change,) = (one for one in table_changes([ROW], others) if one.package == "torch")
    assert change.kinds == (kind,)
    for name, value in field.items():
        assert getattr(change.after, name) == value


def test_a_member_with_another_name_is_the_same_member() -> None:
    before = ROW._replace(selection=Selection(package="core"))
    after = ROW._replace(selection=Selection(package="engine"), backend="cpu")
    (change,) = table_changes(renamed([before], {"core": "engine"}), [after])
    assert change.kinds == ("build",)
    assert change.selection.package == "engine"
    assert renamed([ROW], {"core": "engine"}) == (ROW,)
