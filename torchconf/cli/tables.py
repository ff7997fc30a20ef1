"""The tables of everything in a folder that says which build is installed, for comparing them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from torchconf.cli.rows import rows_of
from torchconf.errors import TorchconfError
from torchconf.files.reading import PYTHON
from torchconf.model.named_tuple import NamedTuple
from torchconf.resolve.locked_versions import with_locked
from torchconf.rules.rule_selection import RuleSelection
from torchconf.workspace.borrowed import borrow
from torchconf.workspace.discovery import Gatherer
from torchconf.workspace.opened import open_project

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torchconf.layout.selection import Selection
    from torchconf.resolve.table import Row
    from torchconf.workspace.opened import OpenProject

__all__ = ["Table", "Tree", "read_tables"]


def read_tables(tree: Tree, folder: str) -> list[Table]:
    """Read what is in and below a folder of a tree.

    Args:
        tree: The tree.
        folder: From its top; empty for all of it.
    """
    start = os.path.join(tree.top, folder)
    if not os.path.isdir(start):
        return []
    found = Gatherer(RuleSelection(), ()).projects(start)
    return [Table(tree, path) for path in found]


class Tree(NamedTuple):
    """A folder that stands for a state of a repository."""

    top: str
    """Where its files are."""
    shown: str
    """Where people know them: the repository's own folder."""
    base: str | None
    """The temporary folder of a snapshot; None for the files themselves."""

    def told(self, text: str) -> str:
        """Return a message in which files are where people know them."""
        if self.base is None:
            return text
        here = _relative(self.shown)
        for place in (self.top, _relative(self.top)):
            text = text.replace(place + os.sep, "" if here == os.curdir else here + os.sep)
        return text


def _relative(path: str) -> str:
    try:
        return os.path.relpath(path)
    except ValueError:  # another drive on Windows
        return path


class Table:
    """One project or script of a tree: its table, or why it has none."""

    def __init__(self, tree: Tree, path: str) -> None:
        """Read a project.

        Args:
            tree: The tree.
            path: Of the file, in the tree.
        """
        self.place = os.path.relpath(path, tree.top).replace(os.sep, "/")
        self.error: TorchconfError | None = None
        self.rows: tuple[Row, ...] = ()
        self._tree = tree
        self._context: OpenProject | None = None
        try:
            self._context = _open(path, tree)
            self.rows = self._told(rows_of(self._context))
        except TorchconfError as error:
            self.error = error
            error.message = tree.told(error.message)
            error.at = error.at and tree.told(error.at)

    @property
    def is_script(self) -> bool:
        """Whether it is a script."""
        return self.place.endswith(PYTHON)

    @property
    def name(self) -> str | None:
        """The name of the project."""
        return self._context.project.written_name if self._context else None

    @property
    def selections(self) -> tuple[Selection, ...]:
        """The choices that it has."""
        return tuple(dict.fromkeys(row.selection for row in self.rows))

    @property
    def platforms(self) -> tuple[str, ...]:
        """The platforms that it has."""
        return tuple(dict.fromkeys(row.platform for row in self.rows))

    def members(self) -> dict[str, str]:
        """Return the names of its workspace's members by their folders."""
        if self._context is None:
            return {}
        projects = (self._context.project, *self._context.workspace().members)
        return {
            os.path.relpath(os.path.dirname(os.path.abspath(one.at)), self._tree.top): name
            for one in projects
            if (name := one.written_name)
        }

    def answers(self, other: Table, names: Mapping[str, str]) -> tuple[Row, ...]:
        """Return the rows for all choices and platforms that this table or another has.

        Args:
            other: The other side of the comparison.
            names: What members are called here, by what they are called there.
        """
        context = self._context
        if context is None or self.error is not None:
            return ()
        also: list[Selection] = []
        if not self.is_script:
            own = set(self.selections)
            theirs = (
                one._replace(package=names.get(one.package or "", one.package))
                for one in other.selections
            )
            also = [one for one in theirs if one not in own]
        rows = self.rows
        if also or {*other.platforms} - {*self.platforms}:
            rows = self._told(rows_of(context, also=also, on=other.platforms))
        around = context.workspace()
        text = context.lockfile()
        return with_locked(rows, text, context.project, around.members, context.catalog.pythons)

    def _told(self, rows: Iterable[Row]) -> tuple[Row, ...]:
        told = self._tree.told
        return tuple(
            row._replace(
                reason=row.reason and told(row.reason),
                selection=row.selection._replace(
                    script=row.selection.script and told(row.selection.script)
                ),
            )
            for row in rows
        )


def _open(path: str, tree: Tree) -> OpenProject:
    if path.endswith(PYTHON):
        context = open_project(None, script=path)
    else:
        context = open_project(os.path.dirname(path))
    if tree.base is not None:
        root = [context.project.root] if context.project.root else []
        projects = (context.project, *root, *context.workspace().members)
        borrow(projects, tree.top, tree.shown, tree.base)
    return context
