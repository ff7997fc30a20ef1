"""Reading a parsed `pyproject.toml` into a `Project`.

`read_project` takes what a TOML parser returned, so that every spelling of a table is the same
table here. It touches no disk. Names are normalised once, here. Keys that `Project` does not know
are ignored.

Whatever the data looks like, the outcome is a `Project` or a `ProjectError` that names the place.
What has a sound shape but no meaning to uv is not an error here.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal, cast

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name

from torchconf.errors import ProjectError
from torchconf.model.project import (
    Conflict,
    DependencyChange,
    EnvironmentEntry,
    Include,
    Index,
    Item,
    Project,
    Requirement,
    Section,
    Source,
)
from torchconf.model.requirements import parse_requirement
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
    from typing import TypeAlias

    from torchconf.model.project import SourceKind
    from torchconf.model.toml_path import Path

    Element: TypeAlias = tuple[object, Path]
    """What stands in an array, and its place."""

__all__ = ["read_again", "read_project"]


def read_project(
    data: Mapping[str, object],
    *,
    root: Project | None = None,
    at: str = "pyproject.toml",
    problems: list[ProjectError] | None = None,
    is_script: bool = False,
) -> Project:
    """Read one parsed pyproject.toml.

    Args:
        data: What `tomllib.loads` returned.
        root: The workspace root's view, if the project is a member of a workspace.
        at: How messages name the file.
        problems: Where to put what is malformed. With a list here, nothing is raised: the malformed
            parts are left out of the answer, and `check` can report them all.
        is_script: Whether the data are those of a script, as `as_project` gives them.

    Returns:
        The view. A file without `[project]` has `has_project` false and `name` None.

    Raises:
        ProjectError: Something is malformed, and no list was given for it. Further problems are in
            its `others`.
    """
    found: list[ProjectError] = []
    project = _Reader(at, found).project(data, root)
    if is_script:
        project = _without_groups(project).changed(is_script=True)
        for problem in found:
            problem.at = project.place(render_path(problem.path))
    if problems is not None:
        problems.extend(found)
    elif found:
        found[0].others = tuple(found[1:])
        raise found[0]
    return project


def _without_groups(script: Project) -> Project:
    """Return a script with the sources that uv sees: it has no groups, and heeds none there."""
    if not any(source.group for sources in script.sources.values() for source in sources):
        return script
    return script.changed(
        sources={
            name: tuple(source.changed(group=None) for source in sources)
            for name, sources in script.sources.items()
        }
    )


def read_again(
    project: Project, data: Mapping[str, object], *, root: Project | None = None
) -> Project:
    """Read a file that has changed, as what it was before.

    Raises:
        ProjectError: As `read_project` does.
    """
    return read_project(data, root=root, at=project.at, is_script=project.is_script)


# Markers and requirement strings repeat, in one file and over many, and parsing one
# costs more than all else that is done with it.


@lru_cache(maxsize=4096)
def _parse_requirement(text: str) -> tuple[dict[str, object] | None, str]:
    """Return the fields of a requirement, or None and what is wrong with it."""
    try:
        parsed = parse_requirement(text)
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

    def plain_and_scoped(self, value: object, path: Path) -> tuple[object, list[Element]]:
        """Part the entries of a setting that may be about a package alone, such as `{package = }`.

        What is left of the array keeps the numbers of its entries: others stand there as None.
        """
        if not isinstance(value, list):
            return value, []
        scoped = [(one, (*path, number)) for number, one in enumerate(value) if _is_scoped(one)]
        return [None if _is_scoped(one) else one for one in value], scoped

    def dependency_change(self, value: object, path: Path) -> DependencyChange | None:
        table = self.table(value, path)
        about = self.table(table.get("package"), (*path, "package"))
        package = self.name(about.get("name"), (*path, "package", "name"))
        place = (*path, "dependencies")
        listed = table.get("dependencies")
        if path[-2] == "exclude-dependencies":
            names = self.names(listed, place)
        else:
            names = tuple(one.name for one in self.requirements(listed, place))
        if package is None:
            return None
        return DependencyChange(package=package, setting=str(path[-2]), names=names, path=path)

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
        at = (*UV, "override-dependencies")
        overrides, scoped = self.plain_and_scoped(uv.get("override-dependencies"), at)
        before = (*UV, "exclude-dependencies")
        excludes, more = self.plain_and_scoped(uv.get("exclude-dependencies"), before)
        changes = (self.dependency_change(*element) for element in (*scoped, *more))
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
            override_dependencies=self.requirements(overrides, at),
            exclude_dependencies=self.names(excludes, before),
            dependency_changes=tuple(change for change in changes if change is not None),
            workspace_members=self.texts(workspace.get("members"), (*UV, "workspace", "members")),
            workspace_exclude=self.texts(workspace.get("exclude"), (*UV, "workspace", "exclude")),
            is_workspace_root="workspace" in uv,
            has_build_system="build-system" in data,
            package=self.flag(uv.get("package"), (*UV, "package")),
        )


_KINDS: tuple[SourceKind, ...] = ("index", "path", "git", "url", "workspace")


def _is_scoped(value: object) -> bool:
    return isinstance(value, dict) and "package" in value


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
