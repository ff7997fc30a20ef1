"""The values of lowering: sourced requirements, pins, doubts, and the lines of lists."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.model.project import Index, Item, Record, Requirement, Source
from torchconf.resolve.environments import scope_extra
from torchconf.resolve.overlaps import Overlaps

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

    from torchconf.model.project import Project
    from torchconf.resolve.environments import Environments

__all__ = [
    "Doubt",
    "Lines",
    "ListEntry",
    "Pin",
    "Sourced",
    "dynamic",
    "entry_of",
    "extra_of",
    "unread",
]


class Sourced(Record):
    """One requirement with one of its sources, or the rest that no source covers.

    `beside` are the entries that count for it; the rest is where none of them holds. `section` is
    the extra in which the requirement string stands; it is None for base, groups and constraints.
    `tree` is the place of the source tree that it comes from, as `torchconf.model.source_trees`
    names it.
    """

    requirement: Requirement
    source: Source | None
    index: Index | None
    beside: tuple[Source, ...]
    section: NormalizedName | None
    tree: str | None = None

    @property
    def name(self) -> NormalizedName:
        """The package."""
        return self.requirement.name

    @property
    def is_direct(self) -> bool:
        """Whether the package comes from a path, a repository or a URL, and from no index."""
        if self.source is not None:
            return self.index is None
        return self.requirement.url is not None


class Pin(Record):
    """One row of the pin table: in these environments, `package` comes from `index`.

    `item` is the extra or group written in the source entry, `requirement` the string through which
    uv found the entry, and `at` the entry's place, file included.
    """

    package: NormalizedName
    index: Index
    environments: Environments
    item: Item | None
    source: Source
    requirement: Requirement
    at: str


class Doubt(Record):
    """A source tree of which not everything was read.

    Attributes:
        name: The package that it holds.
        reason: One sentence.
        pins: The packages that its own sources may route; None for any.
    """

    name: NormalizedName | None
    reason: str
    pins: frozenset[NormalizedName] | None = None

    def may_pin(self, package: NormalizedName) -> bool:
        """Tell whether it may say from which index a package comes."""
        return self.pins is None or package in self.pins


class ListEntry(Record):
    """One line of a list: a package asked for in some environments.

    `sourced` is None for what a package known to need it brings.
    """

    name: NormalizedName
    environments: Environments
    sourced: Sourced | None
    extras: tuple[NormalizedName, ...]


class Lines(tuple[ListEntry, ...]):  # noqa: SLOT001 - what is derived from it is kept in it
    """A list. Most of its lines may hold in few environments, and few lines in most of these."""

    @cached_property
    def _overlaps(self) -> Overlaps:
        return Overlaps(line.environments for line in self)

    def within(self, environments: Environments) -> list[ListEntry]:
        """Return the lines that hold in some of these environments, in their order."""
        return [self[number] for number in self._overlaps.numbers(environments)]


def dynamic(project: Project) -> Doubt:
    """Say that nobody but its build backend knows what a project depends on."""
    return Doubt(
        name=project.name,
        reason=f"the build backend of `{project.name}` computes its dependencies",
        pins=frozenset(project.sources),
    )


def unread(sourced: Sourced) -> Doubt:
    """Say that a source tree was not read, and why it could not be."""
    kind = sourced.source.kind if sourced.source else "url"
    if kind == "git" or (sourced.tree or "").startswith("git+"):
        where = "comes from a git repository"
    elif kind == "workspace":
        where = "is not a member of this workspace"
    else:
        where = f"comes from `{sourced.tree}`"
    return Doubt(
        name=sourced.name,
        reason=f"`{sourced.name}` {where}, and its `tool.uv.sources` were not read",
    )


def extra_of(
    requirement: Requirement, section: NormalizedName | None = None
) -> NormalizedName | None:
    """Return the extra in which uv takes a requirement to stand.

    A published requirement is one string with a marker: `extra == 'x'` in `dependencies` is as
    good as standing in x.
    """
    named = scope_extra(requirement.marker)
    if named is None:
        return section
    return min(canonicalize_name(named), section or canonicalize_name(named))


def entry_of(piece: Sourced, environments: Environments) -> ListEntry:
    """Return the line of a list that asks for a sourced requirement."""
    return ListEntry(
        name=piece.name,
        environments=environments,
        sourced=piece,
        extras=piece.requirement.extras,
    )
