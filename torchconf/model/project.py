"""A typed, read-only view of one `pyproject.toml`, and of what it inherits from its workspace.

`read_project` takes what a TOML parser returned, so that every spelling of a table is the same
table here. It touches no disk. Names are normalised once, here; a name as its author wrote it is
kept where people will read it. Keys that this view does not know are ignored, and stay reachable
through `Project.uv` and `Project.data`.

Whatever the data looks like, the outcome is a `Project` or a `ProjectError` that names the place.
What has a sound shape but no meaning to uv, such as a source that names an undeclared index, is not
an error here: `torchconf.resolve.routes` tells what uv says to it.

The values are plain classes: a `NamedTuple` or a dataclass costs ten times as much to define,
and this module is loaded by every command.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as ParsedRequirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name

from torchconf.errors import ProjectError
from torchconf.model.record import Record
from torchconf.model.toml_path import (
    CONFLICTS,
    CONSTRAINTS,
    DEFAULT_GROUPS,
    ENVIRONMENTS,
    INDEXES,
    REQUIRED_ENVIRONMENTS,
    SOURCES,
    UV,
    render_path,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torchconf.model.toml_path import Path

__all__ = [
    "Conflict",
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
    "read_project",
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
    workspace_members: tuple[str, ...]
    workspace_exclude: tuple[str, ...]
    is_workspace_root: bool
    has_build_system: bool
    package: bool | None

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
        return f"{self.at}, {at}"

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


def read_project(
    data: Mapping[str, object],
    *,
    root: Project | None = None,
    at: str = "pyproject.toml",
    problems: list[ProjectError] | None = None,
) -> Project:
    """Read one parsed pyproject.toml.

    Args:
        data: What `tomllib.loads` returned.
        root: The workspace root's view, if the project is a member of a workspace.
        at: How messages name the file.
        problems: Where to put what is malformed. With a list here, nothing is raised: the malformed
            parts are left out of the answer, and `check` can report them all.

    Returns:
        The view. A file without `[project]` has `has_project` false and `name` None.

    Raises:
        ProjectError: Something is malformed, and no list was given for it. Further problems are in
            its `others`.
    """
    found: list[ProjectError] = []
    project = _Reader(at, found).project(data, root)
    if problems is not None:
        problems.extend(found)
    elif found:
        found[0].others = tuple(found[1:])
        raise found[0]
    return project


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


# The reading. Markers and requirement strings repeat, in one file and over many, and parsing one
# costs more than all else that is done with it.


@lru_cache(maxsize=4096)
def _parse_requirement(text: str) -> tuple[dict[str, object] | None, str]:
    """Return the fields of a requirement, or None and what is wrong with it."""
    try:
        # uv ends a URL at `; `, where the standard wants a space before it.
        head, end, tail = text.partition("; ") if "://" in text else (text, "", "")
        parsed = ParsedRequirement(f"{head} ; {tail}" if end else text)
    except InvalidRequirement as error:
        return None, str(error).partition("\n")[0]
    return {
        "name": canonicalize_name(parsed.name),
        "extras": tuple(sorted(map(canonicalize_name, parsed.extras))),
        "specifier": parsed.specifier,
        "marker": parsed.marker,
        "url": parsed.url,
        "raw": text,
    }, ""


@lru_cache(maxsize=4096)
def _parse_marker(text: str) -> tuple[Marker | None, str]:
    """Return a marker, or None and what is wrong with it."""
    try:
        return Marker(text), ""
    except InvalidMarker as error:
        return None, str(error).partition("\n")[0]


class _Reader:
    """One reading of one file.

    Each method takes a value and its TOML path. What is malformed is noted in `problems` and left
    out of the answer, so that one reading finds all of it.
    """

    def __init__(self, file: str, problems: list[ProjectError]) -> None:
        self.file = file
        self.problems = problems

    def note(self, path: Path, message: str, *, help: str | None = None) -> None:
        place = f"{self.file}, {render_path(path)}"
        self.problems.append(ProjectError(message, at=place, path=path, help=help))

    # Shapes.

    def shape(self, value: object, path: Path, kind: type, expected: str) -> bool:
        """Tell whether a value is there and has the right shape; note it if the shape is wrong."""
        if value is None:
            return False
        if isinstance(value, kind):
            return True
        self.note(path, f"expected {expected}, found {_spoken(value)}")
        return False

    def table(self, value: object, path: Path) -> Mapping[str, object]:
        return cast("dict[str, object]", value) if self.shape(value, path, dict, "a table") else {}

    def array(self, value: object, path: Path, of: str) -> list[tuple[object, Path]]:
        """Return the elements of an array, each with its path."""
        if not self.shape(value, path, list, f"an array of {of}"):
            return []
        return [(element, (*path, n)) for n, element in enumerate(cast("list[object]", value))]

    def text(self, value: object, path: Path) -> str | None:
        return cast("str", value) if self.shape(value, path, str, "a string") else None

    def flag(self, value: object, path: Path) -> bool | None:
        return cast("bool", value) if self.shape(value, path, bool, "true or false") else None

    def texts(self, value: object, path: Path) -> tuple[str, ...]:
        read = (self.text(element, place) for element, place in self.array(value, path, "strings"))
        return tuple(text for text in read if text is not None)

    def name(self, value: object, path: Path) -> NormalizedName | None:
        text = self.text(value, path)
        if text is None:
            return None
        name = canonicalize_name(text)
        # The characters of PEP 508, which `canonicalize_name` does not look at.
        inner = name.replace("-", "")
        if not (inner.isalnum() and inner.isascii()) or "-" in (name[0], name[-1]):
            self.note(path, f"`{text}` is not a valid name")
            return None
        return name

    def names(self, value: object, path: Path) -> tuple[NormalizedName, ...]:
        read = (self.name(element, place) for element, place in self.array(value, path, "names"))
        return tuple(name for name in read if name is not None)

    def named(
        self, table: Mapping[str, object], path: Path
    ) -> Iterator[tuple[NormalizedName, str]]:
        """Yield the keys of a table, normalised and as written, each name once."""
        seen: dict[NormalizedName, str] = {}
        for written in table:
            name = self.name(written, (*path, written))
            if name in seen:
                self.note((*path, written), f"`{written}` and `{seen[name]}` are the same name")
            elif name is not None:
                seen[name] = written
                yield name, written

    # Standard tables.

    def requirement(self, value: object, path: Path) -> Requirement | None:
        text = self.text(value, path)
        if text is None:
            return None
        fields, wrong = _parse_requirement(text)
        if fields is None:
            self.note(path, f"`{text}` is not a valid requirement: {wrong}")
            return None
        return Requirement(**fields, path=path)  # type: ignore[arg-type]  # the fields come from a cache

    def requirements(self, value: object, path: Path) -> tuple[Requirement, ...]:
        elements = self.array(value, path, "requirement strings")
        read = (self.requirement(element, place) for element, place in elements)
        return tuple(requirement for requirement in read if requirement is not None)

    def marker(self, value: object, path: Path) -> Marker | None:
        text = self.text(value, path)
        if text is None:
            return None
        marker, wrong = _parse_marker(text)
        if marker is None:
            self.note(path, f"`{text}` is not a valid environment marker: {wrong}")
        return marker

    def extras(self, value: object, path: Path) -> dict[NormalizedName, Section]:
        table = self.table(value, path)
        return {
            name: Section(
                name=name,
                written=written,
                entries=self.requirements(table[written], (*path, written)),
                path=(*path, written),
            )
            for name, written in self.named(table, path)
        }

    def groups(
        self, data: Mapping[str, object], uv: Mapping[str, object]
    ) -> dict[NormalizedName, Section]:
        path = ("dependency-groups",)
        table = self.table(data.get("dependency-groups"), path)
        groups = {}
        for name, written in self.named(table, path):
            place = (*path, written)
            entries = (
                self.group_entry(*element)
                for element in self.array(table[written], place, "requirements")
            )
            kept = tuple(entry for entry in entries if entry is not None)
            groups[name] = Section(name=name, written=written, entries=kept, path=place)
        # uv's older spelling of the group `dev`; what stands there is added to the group.
        older = self.requirements(uv.get("dev-dependencies"), (*UV, "dev-dependencies"))
        if "dev-dependencies" in uv:
            dev = canonicalize_name("dev")
            first = groups.get(dev)
            groups[dev] = Section(
                name=dev,
                written=first.written if first else "dev",
                entries=(*(first.entries if first else ()), *older),
                path=first.path if first else (*UV, "dev-dependencies"),
            )
        return groups

    def group_entry(self, value: object, path: Path) -> Requirement | Include | None:
        if not isinstance(value, dict):
            return self.requirement(value, path)
        if list(value) != ["include-group"]:
            self.note(path, "expected a requirement string or `{include-group = ...}`")
            return None
        group = self.name(value["include-group"], (*path, "include-group"))
        return Include(group=group, path=path) if group else None

    def requires_python(self, value: object, path: Path) -> SpecifierSet | None:
        text = self.text(value, path)
        if text is None:
            return None
        try:
            return SpecifierSet(text)
        except InvalidSpecifier:
            self.note(path, f"`{text}` is not a valid version specifier")
            return None

    # uv's tables.

    def sources(self, value: object, path: Path) -> dict[NormalizedName, tuple[Source, ...]]:
        table = self.table(value, path)
        sources = {}
        for package, written in self.named(table, path):
            place = (*path, written)
            entries = table[written]
            if isinstance(entries, dict):
                elements: list[tuple[object, Path]] = [(entries, place)]
            else:
                elements = self.array(entries, place, "tables")
            read = (self.source(package, *element) for element in elements)
            sources[package] = tuple(source for source in read if source is not None)
        return sources

    def source(self, package: NormalizedName, value: object, path: Path) -> Source | None:
        table = self.table(value, path)
        if not table:
            if value == {}:
                self.note(path, "an empty table is not a source")
            return None
        # A git source may name a path: the one inside the repository.
        kinds: list[SourceKind] = [kind for kind in _KINDS if kind in table]
        if set(kinds) == {"git", "path"}:
            kinds.remove("path")
        kind: SourceKind = kinds[0] if len(kinds) == 1 else "mixed" if kinds else "none"
        text = None
        if kind == "workspace":
            # Since uv 0.12 this may be the path of another workspace.
            if not isinstance(table["workspace"], str):
                self.flag(table["workspace"], (*path, "workspace"))
        elif len(kinds) == 1:
            text = self.text(table[kind], (*path, kind))
            if text is None:
                return None
        return Source(
            package=package,
            kind=kind,
            value=text or "",
            marker=self.marker(table.get("marker"), (*path, "marker")),
            raw_marker=raw if isinstance(raw := table.get("marker"), str) else None,
            extra=self.name(table.get("extra"), (*path, "extra")),
            group=self.name(table.get("group"), (*path, "group")),
            path=path,
        )

    def index(self, value: object, path: Path) -> Index | None:
        table = self.table(value, path)
        url = self.text(table.get("url"), (*path, "url"))
        if url is None:
            if isinstance(value, dict) and "url" not in value:
                self.note(path, "an index needs a `url`")
            return None
        return Index(
            name=self.text(table.get("name"), (*path, "name")),
            url=url,
            explicit=bool(self.flag(table.get("explicit"), (*path, "explicit"))),
            default=bool(self.flag(table.get("default"), (*path, "default"))),
            is_flat=table.get("format") == "flat",
            path=path,
        )

    def indexes(self, value: object, path: Path) -> tuple[Index, ...]:
        read = (self.index(element, place) for element, place in self.array(value, path, "tables"))
        return tuple(index for index in read if index is not None)

    def conflict(self, value: object, path: Path, project: NormalizedName | None) -> Conflict:
        elements = self.array(value, path, "tables")
        read = (self.item(element, place, project) for element, place in elements)
        return Conflict(items=tuple(item for item in read if item is not None), path=path)

    def item(self, value: object, path: Path, project: NormalizedName | None) -> Item | None:
        table = self.table(value, path)
        if not isinstance(value, dict):
            return None
        package = self.name(table.get("package"), (*path, "package")) or project
        extra = self.name(table.get("extra"), (*path, "extra"))
        group = self.name(table.get("group"), (*path, "group"))
        if package is None:
            self.note(path, "without `[project]`, a conflict must name its `package`")
        elif extra and group:
            self.note(path, "a conflict names an extra or a group, not both")
        elif extra:
            return Item(package, "extra", extra)
        elif group:
            return Item(package, "group", group)
        elif "package" in table:
            return Item(package, "project")
        else:
            self.note(path, "a conflict names an `extra`, a `group` or a `package`")
        return None

    def environments(self, value: object, path: Path) -> tuple[EnvironmentEntry, ...]:
        elements = [(value, path)] if isinstance(value, str) else self.array(value, path, "markers")
        read = ((element, self.marker(element, place), place) for element, place in elements)
        return tuple(
            EnvironmentEntry(marker=marker, raw=cast("str", element), path=place)
            for element, marker, place in read
            if marker is not None
        )

    def default_groups(
        self, value: object, path: Path
    ) -> tuple[NormalizedName, ...] | Literal["all"] | None:
        if value is None:
            return None
        if isinstance(value, str):
            if value == "all":
                return "all"
            self.note(path, f"expected an array of names or `all`, found `{value}`")
            return None
        return self.names(value, path)

    def project(self, data: Mapping[str, object], root: Project | None) -> Project:
        project = self.table(data.get("project"), ("project",))
        has_project = isinstance(data.get("project"), dict)
        uv = self.table(self.table(data.get("tool"), ("tool",)).get("uv"), UV)
        workspace = self.table(uv.get("workspace"), (*UV, "workspace"))
        name = self.name(project.get("name"), ("project", "name"))
        if has_project and "name" not in project:
            self.note(("project",), "the project has no `name`")
        conflicts = self.array(uv.get("conflicts"), CONFLICTS, "arrays of tables")
        return Project(
            at=self.file,
            data=data,
            uv=uv,
            root=root,
            has_project=has_project,
            name=name,
            written_name=self.text(project.get("name"), ("project", "name")) if name else None,
            version=self.text(project.get("version"), ("project", "version")),
            dynamic=frozenset(self.texts(project.get("dynamic"), ("project", "dynamic"))),
            requires_python=self.requires_python(
                project.get("requires-python"), ("project", "requires-python")
            ),
            dependencies=self.requirements(
                project.get("dependencies"), ("project", "dependencies")
            ),
            extras=self.extras(
                project.get("optional-dependencies"), ("project", "optional-dependencies")
            ),
            groups=self.groups(data, uv),
            sources=self.sources(uv.get("sources"), SOURCES),
            indexes=self.indexes(uv.get("index"), INDEXES),
            index_url=self.text(uv.get("index-url"), (*UV, "index-url")),
            extra_index_url=self.texts(uv.get("extra-index-url"), (*UV, "extra-index-url")),
            conflicts=tuple(self.conflict(value, path, name) for value, path in conflicts),
            environments=self.environments(uv.get("environments"), ENVIRONMENTS),
            required_environments=self.environments(
                uv.get("required-environments"), REQUIRED_ENVIRONMENTS
            ),
            default_groups=self.default_groups(uv.get("default-groups"), DEFAULT_GROUPS),
            constraint_dependencies=self.requirements(
                uv.get("constraint-dependencies"), CONSTRAINTS
            ),
            override_dependencies=self.requirements(
                uv.get("override-dependencies"), (*UV, "override-dependencies")
            ),
            exclude_dependencies=self.names(
                uv.get("exclude-dependencies"), (*UV, "exclude-dependencies")
            ),
            workspace_members=self.texts(workspace.get("members"), (*UV, "workspace", "members")),
            workspace_exclude=self.texts(workspace.get("exclude"), (*UV, "workspace", "exclude")),
            is_workspace_root="workspace" in uv,
            has_build_system="build-system" in data,
            package=self.flag(uv.get("package"), (*UV, "package")),
        )


_KINDS: tuple[SourceKind, ...] = ("index", "path", "git", "url", "workspace")


def _spoken(value: object) -> str:
    """Name the TOML type of a value, for a message."""
    for kind, words in _TYPES:
        if isinstance(value, kind):
            return words
    return "a date or time"


_TYPES = (
    (dict, "a table"),
    (list, "an array"),
    (str, "a string"),
    (bool, "a boolean"),
    (int, "a number"),
    (float, "a number"),
)
