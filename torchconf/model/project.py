"""A typed, read-only view of one `pyproject.toml`, and of what it inherits from its workspace.

Names are normalised; a name as its author wrote it is kept where people will read it. Keys that
this view does not know stay reachable through `Project.uv` and `Project.data`. What has no meaning
to uv, such as a source that names an undeclared index, is in here as it stands:
`torchconf.resolve.routes` tells what uv says to it.

The values are plain classes: a `NamedTuple` or a dataclass costs ten times as much to define,
and this module is loaded by every command.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Literal

from torchconf.errors import ProjectError
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.record import Record
from torchconf.model.toml_path import render_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from packaging.markers import Marker
    from packaging.specifiers import SpecifierSet
    from packaging.utils import NormalizedName

    from torchconf.model.toml_path import Path

__all__ = [
    "Conflict",
    "DependencyChange",
    "EnvironmentEntry",
    "Include",
    "Index",
    "Item",
    "Project",
    "Record",
    "Requirement",
    "Section",
    "Source",
    "flatten_group",
]


_FEW = 8
"""Sources of one package that are looked through faster than they are indexed."""


class Located(Record):
    """What stands at one place of the file."""

    path: Path

    @property
    def at(self) -> str:
        """The place as people write it: `tool.uv.sources.torch[1]`."""
        return render_path(self.path)


class Requirement(Located):
    """One requirement string, and where it stands. `name` and `extras` are normalised."""

    name: NormalizedName
    extras: tuple[NormalizedName, ...]
    specifier: SpecifierSet
    marker: Marker | None
    url: str | None
    raw: str


class Include(Located):
    """An `{include-group = ...}` entry of a dependency group."""

    group: NormalizedName


class Section(Located):
    """One extra or one dependency group: its name as written, and its entries in order."""

    name: NormalizedName
    written: str
    entries: tuple[Requirement | Include, ...]

    @cached_property
    def requirements(self) -> tuple[Requirement, ...]:
        """The requirements that stand here, without those of included groups."""
        return tuple(entry for entry in self.entries if isinstance(entry, Requirement))

    @cached_property
    def includes(self) -> tuple[Include, ...]:
        """The groups that this group includes by itself."""
        return tuple(entry for entry in self.entries if isinstance(entry, Include))


SourceKind = Literal["index", "path", "git", "url", "workspace", "mixed", "none"]


class Source(Located):
    """One entry under `tool.uv.sources`.

    `kind` says what `value` is: an index name, a path, a git or a plain URL. `workspace` has no
    value. `mixed` means that the entry names two kinds, `none` that it names no kind at all.
    `raw_marker` is the marker as it is written, valid or not.
    """

    package: NormalizedName
    kind: SourceKind
    value: str
    marker: Marker | None
    raw_marker: str | None
    extra: NormalizedName | None
    group: NormalizedName | None

    @property
    def index(self) -> str | None:
        """The name of the index, as written, if this entry names one."""
        return self.value if self.kind == "index" else None


class Index(Located):
    """One `[[tool.uv.index]]` entry. The URL is kept as written: uv compares it that way."""

    name: str | None
    url: str
    explicit: bool
    default: bool
    is_flat: bool = False
    """Whether it is one page, or a folder, with the files of all packages."""


class Item(NamedTuple):
    """What a conflict can name: an extra, a group, or the project itself (`kind` "project")."""

    package: NormalizedName
    kind: Literal["extra", "group", "project"]
    name: NormalizedName | None = None


class Conflict(Located):
    """One set of `tool.uv.conflicts`."""

    items: tuple[Item, ...]


class EnvironmentEntry(Located):
    """One entry of `environments` or `required-environments`."""

    marker: Marker
    raw: str


class DependencyChange(Located):
    """An entry of `override-dependencies` or `exclude-dependencies` about one package alone."""

    package: NormalizedName
    """Whose dependencies are others than it says."""
    setting: str
    names: tuple[NormalizedName, ...]
    """Those that it has another way, or not at all."""


class Project(Record):
    """One pyproject.toml.

    `at` names the file in messages. `root` is the workspace root, or None where the project is its
    own. `default_groups` is None where the file does not say; what it means is told by
    `is_default_group` and `installed_groups`, and nowhere else. `data` and `uv` are the whole file
    and its `[tool.uv]` table, for whoever needs a key that has no field here.
    """

    at: str
    data: Mapping[str, object]
    uv: Mapping[str, object]
    root: Project | None
    has_project: bool
    name: NormalizedName | None
    written_name: str | None
    version: str | None
    dynamic: frozenset[str]
    requires_python: SpecifierSet | None
    dependencies: tuple[Requirement, ...]
    extras: Mapping[NormalizedName, Section]
    groups: Mapping[NormalizedName, Section]
    sources: Mapping[NormalizedName, tuple[Source, ...]]
    indexes: tuple[Index, ...]
    index_url: str | None
    extra_index_url: tuple[str, ...]
    conflicts: tuple[Conflict, ...]
    environments: tuple[EnvironmentEntry, ...]
    required_environments: tuple[EnvironmentEntry, ...]
    default_groups: tuple[NormalizedName, ...] | Literal["all"] | None
    constraint_dependencies: tuple[Requirement, ...]
    override_dependencies: tuple[Requirement, ...]
    exclude_dependencies: tuple[NormalizedName, ...]
    dependency_changes: tuple[DependencyChange, ...]
    workspace_members: tuple[str, ...]
    workspace_exclude: tuple[str, ...]
    is_workspace_root: bool
    has_build_system: bool
    package: bool | None
    is_script: bool = False
    """Whether it is the metadata block of a script, read as a project."""

    @property
    def workspace(self) -> Project:
        """The project whose settings uv reads: the workspace root, or this one."""
        return self.root or self

    def sources_for(self, package: NormalizedName) -> tuple[Source, ...]:
        """Return the source entries for one package: this project's, else its root's."""
        own = self.sources.get(package)
        if own is None and self.root is not None:
            own = self.root.sources.get(package)
        return own or ()

    def sources_within(
        self,
        package: NormalizedName,
        *,
        extra: NormalizedName | None = None,
        group: NormalizedName | None = None,
    ) -> tuple[Source, ...]:
        """Return the source entries that count for a requirement in an extra or a group."""
        sources = self.sources_for(package)
        if len(sources) <= _FEW:
            return tuple(
                source
                for source in sources
                if source.extra in (None, extra) and source.group in (None, group)
            )
        by_scope = self._by_scope.get(package)
        if by_scope is None:
            by_scope = self._by_scope[package] = {}
            for number, source in enumerate(sources):
                by_scope.setdefault((source.extra, source.group), []).append(number)
        scopes = {(None, None), (extra, None), (None, group), (extra, group)}
        numbers = sorted(number for scope in scopes for number in by_scope.get(scope, ()))
        return tuple(sources[number] for number in numbers)

    @cached_property
    def _by_scope(
        self,
    ) -> dict[NormalizedName, dict[tuple[NormalizedName | None, NormalizedName | None], list[int]]]:
        """The numbers of the sources of a package by their scopes: one extra may have each."""
        return {}

    def index_named(self, name: str) -> Index | None:
        """Find an index that a source may name: this project's, else its root's."""
        own = self._first_indexes.get(name)
        return self.root.index_named(name) if own is None and self.root else own

    @cached_property
    def _first_indexes(self) -> Mapping[str | None, Index]:
        """The indexes by name, of each name the first."""
        return {index.name: index for index in reversed(self.indexes)}

    def is_default_group(self, name: str) -> bool:
        """Tell whether plain `uv sync` installs a group of this normalised name.

        uv's own default is `dev`, defined or not; `"all"` means the groups that there are.
        """
        return name in self.default_names

    @cached_property
    def default_names(self) -> frozenset[str]:
        """The names of default groups, defined or not."""
        if self.default_groups == "all":
            return frozenset(self.groups)
        return frozenset(("dev",) if self.default_groups is None else self.default_groups)

    def installed_groups(self) -> tuple[NormalizedName, ...]:
        """Return the groups that plain `uv sync` installs, in the order of the file."""
        return self._installed_groups

    @cached_property
    def _installed_groups(self) -> tuple[NormalizedName, ...]:
        return tuple(name for name in self.groups if self.is_default_group(name))

    def place(self, at: str) -> str:
        """Say where something is, file included: `pyproject.toml, tool.uv.sources.torch[1]`."""
        return f"{self.at}, {self.spoken(at)}"

    def spoken(self, at: str) -> str:
        """Return a place as it is called in this file: a script has no table `project`."""
        return at.removeprefix("project.") if self.is_script else at

    @cached_property
    def flat_groups(self) -> Mapping[NormalizedName, tuple[Requirement, ...]]:
        """What each group asks for, included groups in their place, and each requirement once.

        Each group is flattened after those that it includes, so that every group is looked at once,
        however many ways lead to it. One that leads to itself, or to an undefined one, is left out.
        """
        waiting = {name: {one.group for one in each.includes} for name, each in self.groups.items()}
        including: dict[NormalizedName, list[NormalizedName]] = {}
        for name, included in waiting.items():
            for one in included:
                including.setdefault(one, []).append(name)
        ready = [name for name, included in waiting.items() if not included]
        flat: dict[NormalizedName, tuple[Requirement, ...]] = {}
        for name in ready:
            found: dict[int, Requirement] = {}
            for entry in self.groups[name].entries:
                lines = (entry,) if isinstance(entry, Requirement) else flat[entry.group]
                found.update((id(line), line) for line in lines)
            flat[name] = tuple(found.values())
            for one in including.get(name, ()):
                waiting[one].discard(name)
                if not waiting[one]:
                    ready.append(one)
        return flat

    def requirements(self) -> Iterator[Requirement]:
        """Yield every requirement string that installs something, wherever it stands."""
        yield from self.dependencies
        for section in (*self.extras.values(), *self.groups.values()):
            yield from section.requirements


def flatten_group(project: Project, group: NormalizedName) -> tuple[Requirement, ...]:
    """Return the requirements of a group, those of the groups it includes in their place, once.

    Raises:
        ProjectError: An included group is not defined, or a group includes itself.
    """
    flat = project.flat_groups.get(group)
    if flat is None:
        raise _unsound(project, group)
    return flat


def _unsound(project: Project, group: NormalizedName) -> ProjectError:
    """Say what is wrong with a group that cannot be flattened."""
    above: dict[NormalizedName, None] = {}
    while True:
        above[group] = None
        entry = next(
            one for one in project.groups[group].includes if one.group not in project.flat_groups
        )
        if entry.group in above:
            message = f"dependency group `{entry.group}` includes itself: {' -> '.join(above)}"
            return ProjectError(message, at=project.place(entry.at))
        if entry.group not in project.groups:
            message = f"dependency group `{group}` includes `{entry.group}`, which is not defined"
            return ProjectError(
                message, at=project.place(entry.at), help="define the group, or remove the include"
            )
        group = entry.group
