"""What a change means: two tables of one project, compared row by row. Values in, values out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from torchconf.catalog import Answer
from torchconf.errors import without_secrets
from torchconf.model.named_tuple import NamedTuple
from torchconf.resolve.table import undefined_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from torchconf.layout.selection import Selection
    from torchconf.resolve.table import Row

__all__ = ["Change", "Kind", "renamed", "table_changes"]

Kind = Literal[
    "build", "index", "bounds", "wheel", "locked", "refused", "accepted", "added", "removed"
]
"""What is different:

- `build`: another backend, installed or not, known or not.
- `index`: the same backend from another URL.
- `bounds`: other releases are admitted.
- `wheel`: a wheel is there that was not, or the other way round.
- `locked`: uv.lock has another version, or has it from elsewhere.
- `refused`, `accepted`: uv refuses the choice, or no longer does.
- `added`, `removed`: the choice is defined, or no longer is.
"""


class Change(NamedTuple):
    """A row that is not what it was."""

    kinds: tuple[Kind, ...]
    before: Row
    after: Row

    @property
    def package(self) -> str:
        """The package."""
        return self.after.package

    @property
    def platform(self) -> str:
        """The platform, by its key."""
        return self.after.platform

    @property
    def selection(self) -> Selection:
        """The choice, in the names of today."""
        return self.after.selection


def table_changes(before: Iterable[Row], after: Iterable[Row]) -> tuple[Change, ...]:
    """Return the rows that differ, in the order of the second table; what is gone comes last.

    Both tables answer for the choices and platforms of both. A package that only one of them has is
    not installed in the other.
    """
    old, new = _Table(before), _Table(after)
    found = []
    for key in dict.fromkeys((*new.rows, *old.rows)):
        one = old.rows.get(key) or old.without(new.rows[key])
        two = new.rows.get(key) or new.without(old.rows[key])
        if kinds := tuple(_kinds(one, two)):
            found.append(Change(kinds, one, two))
    return tuple(found)


def renamed(rows: Iterable[Row], members: Mapping[str, str]) -> tuple[Row, ...]:
    """Return rows in which members have other names: new ones by old ones."""
    return tuple(
        row._replace(
            selection=row.selection._replace(
                package=members.get(row.selection.package or "", row.selection.package)
            )
        )
        for row in rows
    )


class _Table:
    """The rows of one side, and what this side says of a package that it does not have."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = {(row.selection, row.package, row.platform): row for row in rows}
        self._choices = {(row.selection, row.platform): row for row in self.rows.values()}
        self._is_locked = any(row.locked is not None for row in self.rows.values())

    def without(self, row: Row) -> Row:
        """Return the row that this side has in the place of the other side's."""
        beside = self._choices.get((row.selection, row.platform))
        if beside is not None and not beside.is_defined:
            return undefined_row(row.package, row.platform, row.selection)
        absent = row._replace(
            index_name=None, backend=None, available=Answer.NO, reason=None, provisional=False,
            origin=None, lines=(), locked=() if self._is_locked else None, is_defined=True,
        )  # fmt: skip
        if beside is not None and beside.is_refused:
            return absent._replace(reason=beside.reason)
        return absent


def _kinds(before: Row, after: Row) -> Iterator[Kind]:
    if before.is_refused and after.is_refused:
        return
    if before.is_refused:
        if before.is_defined or _is_there(after):
            yield "accepted" if before.is_defined else "added"
        return
    if after.is_refused:
        if after.is_defined or _is_there(before):
            yield "refused" if after.is_defined else "removed"
        return
    is_other = before.backend != after.backend or _is_there(before) != _is_there(after)
    if is_other or _unknown(before) != _unknown(after):
        yield "build"
    elif _public(before.origin) != _public(after.origin):
        yield "index"
    if _is_there(before) and _is_there(after):
        if before.bounds != after.bounds:
            yield "bounds"
        if not is_other and before.available is not after.available:
            yield "wheel"
    if None not in (before.locked, after.locked) and before.locked != after.locked:
        yield "locked"


def _public(url: str | None) -> str | None:
    """Return a URL without what is secret in it: a new token is no other place."""
    return url and without_secrets(url)


def _is_there(row: Row) -> bool:
    """Tell whether a package is installed, or may be."""
    return row.backend is not None or (row.available is not Answer.NO and not row.provisional)


def _unknown(row: Row) -> str | None:
    """Return why nobody knows which build a row has."""
    if row.backend is not None or row.provisional or row.reason is None:
        return None
    return without_secrets(row.reason)
