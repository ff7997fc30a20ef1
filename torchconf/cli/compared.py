"""Two states of a repository, read and compared: the tables of every project and script."""

from __future__ import annotations

import os
import posixpath
import tempfile
from contextlib import ExitStack
from typing import TYPE_CHECKING

from torchconf.cli.tables import Tree, read_tables
from torchconf.files import spoken_path
from torchconf.history.moves import moved, other_names
from torchconf.history.snapshot import take_snapshot
from torchconf.interrupts import orderly
from torchconf.model.named_tuple import NamedTuple
from torchconf.report.changes import Compared, Comparison
from torchconf.resolve.table import undefined_row
from torchconf.resolve.table_changes import renamed, table_changes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torchconf.cli.tables import Table
    from torchconf.errors import TorchconfError
    from torchconf.history.git import Repository
    from torchconf.history.revisions import Revision
    from torchconf.resolve.table import Row

__all__ = ["compare"]


_DEEPEST = 20


class State(NamedTuple):
    """What one revision has."""

    tables: Mapping[str, Table]
    """By place."""
    missing: tuple[str, ...]
    """The submodules that could not be read."""


@orderly()
def compare(repository: Repository, folder: str, before: Revision, after: Revision) -> Comparison:
    """Compare two revisions.

    Args:
        repository: Which has them.
        folder: What is compared, from the top of the repository; empty for all of it.
        before: The older one.
        after: The newer one.

    Raises:
        GitError: git cannot give their files.
    """
    with ExitStack() as stack:
        one, two = (_read(repository, each, folder, stack) for each in (before, after))
        missing = tuple(dict.fromkeys((*one.missing, *two.missing)))
        left, right = (_without(state.tables, missing) for state in (one, two))
        places = moved(_names(left), _names(right))
        still = {*places.values()}
        pairs: list[tuple[Table | None, Table | None]] = [
            *((left.get(old or ""), right[new]) for new, old in places.items()),
            *((left[old], None) for old in left if old not in still),
        ]
        errors: list[TorchconfError] = []
        notes = [
            f"submodule `{place}` is not compared: it is not checked out, or lacks the commit"
            for place in missing
        ]
        found = []
        for old, new in pairs:
            was_readable = old is None or old.error is None
            if new is not None and new.error is not None:
                if was_readable:
                    errors.append(new.error)
                else:
                    notes.append(f"{_shown(repository, new)} cannot be read on either side")
                continue
            if old is not None and old.error is not None:
                reason = f"cannot be read at {before}: {old.error.message}"
                notes.append(f"{_shown(repository, old)} {reason}")
            # What could not be read counts as not there.
            if compared := _compared(repository, old if was_readable else None, new):
                found.append(compared)
    return Comparison(before, after, tuple(found), tuple(notes), tuple(errors))


def _shown(repository: Repository, table: Table) -> str:
    return spoken_path(os.path.join(repository.top, table.place))


def _read(repository: Repository, revision: Revision, folder: str, stack: ExitStack) -> State:
    if revision.commit is None:
        tree = Tree(repository.top, repository.top, None)
        return State({one.place: one for one in read_tables(tree, folder)}, ())
    # ignore_cleanup_errors: on Windows, a scanner may have a file open.
    folders = tempfile.TemporaryDirectory(prefix="torchconf-", ignore_cleanup_errors=True)
    base = os.path.realpath(stack.enter_context(folders))
    # As deep as the repository: what lies beside it has a place here, too.
    deep = min(repository.top.count(os.sep), _DEEPEST)
    top = os.path.join(base, *("a" for _ in range(deep)))
    missing = take_snapshot(repository, revision.commit, top)
    tree = Tree(top, repository.top, base)
    return State({one.place: one for one in read_tables(tree, folder)}, tuple(missing))


def _without(tables: Mapping[str, Table], missing: Iterable[str]) -> dict[str, Table]:
    starts = tuple(f"{place}/" for place in missing)
    return {place: table for place, table in tables.items() if not place.startswith(starts)}


def _names(tables: Mapping[str, Table]) -> dict[str, str | None]:
    return {
        place: posixpath.basename(place) if table.is_script else table.name
        for place, table in tables.items()
    }


def _compared(repository: Repository, old: Table | None, new: Table | None) -> Compared | None:
    """Compare the tables of one project; None where nothing is different."""
    table = new or old
    if table is None:
        return None
    if old is None or new is None:
        there = table.answers(table, {})
        nowhere = [undefined_row(row.package, row.platform, row.selection) for row in there]
        changes = table_changes(nowhere, there) if old is None else table_changes(there, nowhere)
    else:
        names = other_names(old.members(), new.members())
        back = {name: before for before, name in names.items()}
        rows = renamed(old.answers(new, back), names)
        if new.is_script:
            rows = _of_script(rows, new.rows)
        changes = table_changes(rows, new.answers(old, names))
    if not changes:
        return None
    return Compared(
        path=_shown(repository, table),
        was=_shown(repository, old) if old and old.place != table.place else None,
        is_new=old is None,
        is_gone=new is None,
        changes=changes,
    )


def _of_script(rows: Iterable[Row], others: Iterable[Row]) -> tuple[Row, ...]:
    """Return the rows of a script under the path that it has now."""
    selection = next((row.selection for row in others), None)
    return tuple(row._replace(selection=selection or row.selection) for row in rows)
