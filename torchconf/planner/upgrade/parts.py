"""What of a project goes its own way: extras and groups with a torch of their own, and markers."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from torchconf.layout.layouts import KINDS
from torchconf.model.markers import holds
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.ranges import admits_python, is_exact, public
from torchconf.model.targets import PLATFORMS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.markers import Marker
    from packaging.utils import NormalizedName

    from torchconf.catalog import Catalog
    from torchconf.layout.configuration import Configuration, Foreign
    from torchconf.model.project import Project, Requirement, Section
    from torchconf.model.targets import Platform
    from torchconf.model.toml_path import Path

__all__ = ["Part", "find_parts", "idle_sections", "required_platforms", "unknown_sources"]


class Part(NamedTuple):
    """An extra or a group that holds a torch of its own: it conflicts with all others."""

    kind: str
    name: str
    """As written."""
    backend: str
    sections: frozenset[Path]
    """The tables that it alone brings."""
    declared: SpecifierSet
    """What it says of torch, together with the base dependencies."""
    packages: tuple[str, ...]
    held: Foreign | None = None
    """What keeps it as it is: a source of which nobody knows what it has."""

    @property
    def spoken(self) -> str:
        """The part in words."""
        return f"{self.kind} `{self.name}`"

    @property
    def is_exact(self) -> bool:
        """Whether it holds one version of torch."""
        return any(is_exact(part) for part in self.declared)


def unknown_sources(before: Configuration, catalog: Catalog) -> tuple[Foreign, ...]:
    """Return the sources that keep a release where it is.

    A companion that states no torch, from wherever it comes, goes with any.
    """
    return tuple(
        one
        for one in before.foreign
        if one.backend is None
        and (one.source.package == catalog.main_package or catalog.is_bound(one.source.package))
    )


def idle_sections(project: Project, before: Configuration) -> frozenset[Path]:
    """Return the extras or groups whose sources serve no target: their markers hold nowhere."""
    kind = KINDS.get(before.layout) if before.layout else None
    tables = project.extras if kind == "extra" else project.groups
    served = {target.backend.name for target in before.targets}
    idle = {
        canonicalize_name(name)
        for backend, first in before.names.items()
        if kind and backend not in served
        for name in (first, *before.aliases.get(backend, ()))
    }
    return frozenset(section.path for name, section in tables.items() if name in idle)


def find_parts(
    project: Project, before: Configuration, catalog: Catalog, *, bare: bool = False
) -> tuple[Part, ...]:
    """Return the extras or groups that may hold different releases.

    One that states no version goes with any; it is a part only beside one that must stay.

    Args:
        project: As it is.
        before: What its tables say.
        catalog: What is available.
        bare: Whether one that states no version is a part, too: a release is asked for.

    Returns:
        Nothing where a constraint holds torch for all of them, or where two of them may be
        installed together. uv puts the requirements of an extra into each other one that asks for
        it, whatever is chosen.
    """
    kind = KINDS.get(before.layout) if before.layout else None
    workspace = project.workspace
    shared = (*workspace.constraint_dependencies, *workspace.override_dependencies)
    if not kind or any(one.name == catalog.main_package and one.specifier for one in shared):
        return ()
    tables = project.extras if kind == "extra" else project.groups
    chosen = {
        canonicalize_name(name): backend
        for backend, first in before.names.items()
        for name in (first, *before.aliases.get(backend, ()))
    }
    held = {one.source.extra or one.source.group: one for one in unknown_sources(before, catalog)}
    scopes = dict.fromkeys((*chosen, *(name for name in held if name)))
    sections = {name: _reached(name, tables) for name in scopes if name in tables}
    shared_by = Counter(path for own in sections.values() for path in own)
    base = project.dependencies
    parts: list[Part] = []
    for name, reached in sections.items():
        own = [section for path, section in reached.items() if shared_by[path] == 1]
        lines = [one for section in own for one in section.requirements]
        if name in held or any(
            r.name == catalog.main_package and (r.specifier or any(held) or bare) for r in lines
        ):
            parts.append(
                Part(
                    kind=kind,
                    name=tables[name].written,
                    backend=chosen.get(name, ""),
                    sections=frozenset(section.path for section in own),
                    declared=_joined((*base, *lines), catalog.main_package),
                    packages=tuple({one.name for one in (*base, *lines)}),
                    held=held.get(name),
                )
            )
    apart = {
        frozenset(pair)
        for conflict in project.conflicts
        for pair in combinations([i.name for i in conflict.items if i.kind == kind], 2)
    }
    bringing = {
        canonicalize_name(part.name): _bringing(project, part) if kind == "extra" else ()
        for part in parts
    }
    pairs = (
        frozenset((mine, theirs))
        for one, other in combinations(bringing, 2)
        for mine in (one, *bringing[one])
        for theirs in (other, *bringing[other])
    )
    return tuple(parts) if len(parts) > 1 and all(pair in apart for pair in pairs) else ()


def _bringing(project: Project, part: Part) -> tuple[NormalizedName, ...]:
    """Return the other extras that ask for an extra, or for one that does so."""
    found = [canonicalize_name(part.name)]
    for name in found:  # which grows
        found += [
            other
            for other, section in project.extras.items()
            if other not in found
            and any(r.name == project.name and name in r.extras for r in section.requirements)
        ]
    return tuple(found[1:])


def _reached(name: NormalizedName, tables: Mapping[NormalizedName, Section]) -> dict[Path, Section]:
    """Return a section, and those that it includes, by their places."""
    found: dict[Path, Section] = {}
    waiting = [name]
    while waiting:
        section = tables.get(waiting.pop())
        if section is not None and section.path not in found:
            found[section.path] = section
            waiting += [include.group for include in section.includes]
    return found


def _joined(lines: tuple[Requirement, ...], package: str) -> SpecifierSet:
    joined = SpecifierSet()
    for one in lines:
        if one.name == package:
            joined &= public(one.specifier)
    return joined


def required_platforms(project: Project, catalog: Catalog) -> dict[str, frozenset[Platform]]:
    """Return where the packages of the family are required, of those that have markers alone."""
    python = project.requires_python
    pythons = [p for p in catalog.pythons if python is None or admits_python(python, p)]
    lines: dict[str, list[Marker | None]] = {}
    for one in project.requirements():
        if one.name in catalog.family:
            lines.setdefault(one.name, []).append(one.marker)
    found = {
        name: frozenset(
            platform
            for platform in PLATFORMS
            if any(holds(each, platform, python) for each in markers if each for python in pythons)
        )
        for name, markers in lines.items()
        if None not in markers and not any("extra" in str(each) for each in markers)
    }
    if catalog.main_package in found:
        # A companion brings torch wherever it is.
        if lines.keys() - found.keys():
            del found[catalog.main_package]
        else:
            found[catalog.main_package] = frozenset().union(*found.values())
    return found
