"""Marker text for sets of platforms, as short as it can be and total where it must be.

A region is what one index serves: some platforms by name, or everything that is left.
"""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from typing import TYPE_CHECKING

from packaging.markers import Marker

from torchconf.model.named_tuple import NamedTuple
from torchconf.model.targets import PLATFORMS, SYS_PLATFORMS, Platform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from collections.abc import Set as AbstractSet


class Area(NamedTuple):
    """All of one OS, one machine of it, or all its machines but some."""

    os: str
    machine: str | None = None
    """Value of `platform_machine`; None for all."""
    without: tuple[str, ...] = ()
    """Values of `platform_machine` that are left out, if no machine is named."""
    only: str = ""
    """A marker of the machines that are in here, of these; empty for all."""
    unless: tuple[str, ...] = ()
    """Such markers of those that are left out."""

    def holds(self, os: str, machine: str | None) -> bool:
        """Tell whether one machine of a system is in here; None is one that nobody names.

        It is a usual one, which no further marker tells from the others.
        """
        if self.only:
            return False
        if os != self.os or (machine is not None and machine in self.without):
            return False
        return self.machine is None or self.machine == machine


def platform_marker(platform: Platform) -> str:
    """Return the marker of one platform: OS and machine."""
    only = f"'{platform.release}' in platform_release" if platform.release else ""
    return _holds(Area(platform.os, platform.platform_machine, only=only))


def areas(platforms: Iterable[Platform], *, apart: Iterable[Platform]) -> tuple[Area, ...]:
    """Describe platforms by whole systems, except where another machine of one must stay apart.

    Args:
        platforms: What to describe.
        apart: Platforms that the description must not include.

    Returns:
        In the order of `PLATFORMS`.
    """
    named = set(platforms)
    split = {platform.os for platform in apart}
    found: dict[Area, None] = {}
    for platform in PLATFORMS:
        if platform in named:
            machine = platform.platform_machine if platform.os in split else None
            found[Area(platform.os, machine)] = None
    return tuple(found)


def render_areas(named: Sequence[Area]) -> str:
    """Return a marker that holds in any of these areas; there must be at least one."""
    parts = [_holds(area) for area in named]
    if len(parts) == 1:
        return parts[0]
    return " or ".join(f"({part})" if " and " in part else part for part in parts)


def render_rest(named: Sequence[Area]) -> str:
    """Return a marker that holds everywhere but in these areas; there must be at least one."""
    parts = [_fails(area) for area in _joined(named)]
    if len(parts) == 1:
        return parts[0]
    return " and ".join(f"({part})" if " or " in part else part for part in parts)


def _joined(named: Sequence[Area]) -> list[Area]:
    """Join the machines that a marker tells apart where both kinds of them are named."""
    whole = {area._replace(unless=()) for area in named if area.unless}
    return (
        [
            area._replace(unless=())
            for area in named
            if not (area.only and any(each.holds(area.os, area.machine) for each in whole))
        ]
        if all(_is_named(area, named) for area in named if area.unless)
        else list(named)
    )


def _is_named(area: Area, named: Sequence[Area]) -> bool:
    """Tell whether the machines that an area leaves out are all named."""
    return all(
        any(each.only == marker and area.holds(each.os, each.machine) for each in named)
        for marker in area.unless
    )


def closed_cells(
    markers: Iterable[str], lacks: Callable[[Platform], bool] | None = None
) -> tuple[str, ...]:
    """Cut the known systems so that each piece lies wholly inside or outside of every marker.

    Every piece names its system: from 0.12 on, uv refuses an open one, such as all that is not
    Linux, where the marker of some other package splits it further. uv also refuses a piece for
    which some source has no wheel at all: that one goes together with the others of its kind.

    Args:
        markers: Of sources.
        lacks: Tells whether a source is known to have no wheel for a platform.

    Returns:
        One marker a system, or one for each machine that a marker tells from the others, and one
        for the others. Nothing if the markers tell no two platforms apart.
    """
    held = [Marker(marker) for marker in dict.fromkeys(markers)]

    def answers(os: str, machine: str) -> tuple[bool, ...]:
        here = {**Platform(os, "other").environment(), **_USUAL, "platform_machine": machine}
        return tuple(marker.evaluate_prepared(here) for marker in held)

    known = [platform.platform_machine for platform in PLATFORMS]
    named = [pair[1] for marker in held for pair in _comparison.findall(str(marker))]
    machines = tuple(dict.fromkeys([*known, *named]))
    if len({answers(os, each) for os in (*SYS_PLATFORMS, "other") for each in machines}) == 1:
        return ()
    found: dict[Area, tuple[bool, ...]] = {}
    for os in ("linux", "macos", "windows"):
        others = answers(os, "other")
        told = tuple(each for each in machines if answers(os, each) != others)
        found |= {Area(os, machine): answers(os, machine) for machine in told}
        found[Area(os, without=told)] = others
    bare = {kind for area, kind in found.items() if lacks and _is_bare(area, lacks)}
    cells: dict[object, list[Area]] = {}
    for area, kind in found.items():
        cells.setdefault(kind if kind in bare else area, []).append(area)
    return tuple(map(render_areas, cells.values()))


def _is_bare(area: Area, lacks: Callable[[Platform], bool]) -> bool:
    """Tell whether some source has no wheel for any machine here."""
    return all(lacks(p) for p in PLATFORMS if area.holds(p.os, p.platform_machine))


def split_by(entries: Sequence[str], cells: Sequence[str]) -> tuple[str, ...]:
    """Split entries of `environments` by cells, and widen none of them.

    Entries that leave nothing of the cells out may cut them further, to no avail but that a piece
    may be one for which there is no wheel.
    """
    world = frozenset().union(*map(same_platforms, cells))
    if all(map(names_platforms, entries)) and (
        not entries or world <= frozenset().union(*map(same_platforms, entries))
    ):
        return tuple(sorted(cells, key=lambda cell: [not overlap(e, cell) for e in entries]))
    found: dict[str, None] = {}
    for entry in entries:
        parts = [cell for cell in cells if overlap(entry, cell)]
        is_cut = len(parts) > 1 or (bool(parts) and names_platforms(entry))
        found |= dict.fromkeys([meet(entry, cell) for cell in parts] if is_cut else [entry])
    return tuple(found)


def _holds(area: Area) -> str:
    parts = [f"sys_platform == '{SYS_PLATFORMS[area.os]}'"]
    if area.machine is not None:
        parts.append(f"platform_machine == '{area.machine}'")
    else:
        parts += (f"platform_machine != '{machine}'" for machine in area.without)
    parts += [area.only] if area.only else []
    return " and ".join([*parts, *map(opposite, area.unless)])


def _fails(area: Area) -> str:
    parts = [f"sys_platform != '{SYS_PLATFORMS[area.os]}'"]
    if area.machine is not None:
        parts.append(f"platform_machine != '{area.machine}'")
    else:
        parts += (f"platform_machine == '{machine}'" for machine in area.without)
    parts += [opposite(area.only)] if area.only else []
    return " or ".join([*parts, *area.unless])


def opposite(marker: str) -> str:
    """Return the marker that fails where `'tegra' in platform_release` holds."""
    value, word, variable = marker.rpartition(" in ")
    return f"{value} not{word}{variable}"


def told(platform: Platform, marker: str) -> Platform:
    """Return the machines of a platform for which `'tegra' in platform_release` holds."""
    return platform._replace(release=marker.partition(" in ")[0].strip("'\""))


_comparison = re.compile(r'(sys_platform|platform_machine|platform_system|os_name) [!=]= "([^"]*)"')

_RUNNING = ".".join(map(str, sys.version_info[:3]))

# What a marker may ask besides the platform: no extra and no group is chosen here, and the machine
# is a usual one. What runs this program says nothing about the machines of a project, and to find
# it out takes longer than most commands; so every variable is named.
_USUAL: dict[str, str | frozenset[str]] = {
    "python_version": _RUNNING.rpartition(".")[0], "python_full_version": _RUNNING,
    "implementation_version": _RUNNING,
    "extra": "", "extras": frozenset(), "dependency_groups": frozenset(),
    "platform_release": "usual", "platform_version": "usual",
    "implementation_name": "cpython", "platform_python_implementation": "CPython",
}  # fmt: skip

_PYTHONS = tuple(
    {"python_version": f"3.{minor}", "python_full_version": f"3.{minor}.5"}
    for minor in range(9, 17)
)

# Enough machines to tell markers apart that name systems and machines: the known ones, another
# machine of each system, and another system.
_WORLD = (
    *PLATFORMS,
    *(Platform(os, "other") for os in SYS_PLATFORMS),
    *(Platform("other", machine) for machine in ("x86_64", "arm64", "other")),
)


def holds(
    marker: Marker | str,
    platform: Platform,
    python: str | None = None,
) -> bool:
    """Tell whether a marker holds on a usual machine of a platform, without any extra.

    Args:
        marker: The marker.
        platform: The platform.
        python: `3.12`; None for the Python that runs.
    """
    parsed = Marker(marker) if isinstance(marker, str) else marker
    environment = {**_USUAL, **platform.environment()}
    if python is not None:
        environment |= {"python_version": python, "python_full_version": f"{python}.5"}
    return parsed.evaluate_prepared(environment)


def may_hold(marker: Marker | None, platform: Platform) -> bool:
    """Tell whether a marker holds on a usual machine of a platform with any Python."""
    if marker is None:
        return True
    if "python" not in str(marker):
        return holds(marker, platform)
    return any(holds(marker, platform, each["python_version"]) for each in _PYTHONS)


@lru_cache(maxsize=4096)
def same_platforms(marker: str | None) -> frozenset[Platform]:
    """Return where a marker holds: equal for two markers that mean the same platforms."""
    if marker is None:
        return frozenset(_WORLD)
    parsed = Marker(marker)
    return frozenset(platform for platform in _WORLD if holds(parsed, platform))


@lru_cache(maxsize=4096)
def possible_platforms(marker: str | None) -> frozenset[Platform]:
    """Return where a marker holds with some Python, on a usual machine."""
    if marker is None or "python" not in marker:
        return same_platforms(marker)
    parsed = Marker(marker)
    return frozenset(platform for platform in _WORLD if may_hold(parsed, platform))


def overlap(one: str, other: str) -> bool:
    """Tell whether two markers hold together anywhere, on whichever Python."""
    markers = Marker(one), Marker(other)
    pythons = _PYTHONS if "python" in f"{one}{other}" else _PYTHONS[:1]
    return any(
        all(marker.evaluate_prepared({**platform.environment(), **python}) for marker in markers)
        for python in ({**_USUAL, **each} for each in pythons)
        for platform in _WORLD
    )


def overlap_for_uv(*markers: Marker | str | None) -> bool:
    """Tell whether markers hold together on any system with any machine.

    uv knows no more of `platform_machine` than its text: for uv, Windows may be `aarch64`.
    """
    parsed = [Marker(str(marker)) for marker in markers if marker is not None]
    systems = {p.os: p for p in _WORLD}.values()
    machines = {p.platform_machine for p in _WORLD}
    return any(
        all(
            marker.evaluate_prepared(
                {**system.environment(), **_USUAL, "platform_machine": machine}
            )
            for marker in parsed
        )
        for system in systems
        for machine in machines
    )


def meet(one: str, other: str) -> str:
    """Return a marker that holds where both do: just one of them where it lies in the other."""
    if names_platforms(one) and names_platforms(other):
        here, there = same_platforms(one), same_platforms(other)
        if there <= here:
            return other
        if here <= there:
            return one
        if text := spell(here & there):
            return text
    return " and ".join(f"({part})" if " or " in part else part for part in (one, other))


def spell(platforms: AbstractSet[Platform]) -> str | None:
    """Return the marker of a part of the world; None for one that has no such marker."""
    unnamed = {platform for platform in _WORLD if platform.os not in SYS_PLATFORMS}
    inside = unnamed & platforms
    named = set(_WORLD) - platforms if inside else platforms
    found: list[Area] = []
    for os in SYS_PLATFORMS:
        own = [platform for platform in PLATFORMS if platform.os == os]
        if Platform(os, "other") in named:
            left = [platform.platform_machine for platform in own if platform not in named]
            found.append(Area(os, without=tuple(left)))
        else:
            found += [Area(os, p.platform_machine) for p in own if p in named]
    if not found or (inside and inside != unnamed):
        return None
    return render_rest(found) if inside else render_areas(found)


def is_cut_by(environments: Iterable[str], markers: Iterable[str]) -> bool:
    """Tell whether these are the pieces into which markers cut the whole world, each piece once."""
    held = [same_platforms(marker) for marker in dict.fromkeys(markers)]
    pieces: dict[tuple[bool, ...], set[Platform]] = {}
    for platform in _WORLD:
        pieces.setdefault(tuple(platform in each for each in held), set()).add(platform)
    return _are_pieces(environments, map(frozenset, pieces.values()))


def are_closed_cells(environments: Iterable[str], markers: Iterable[str]) -> bool:
    """Tell whether these are the closed cells of markers, in whichever spelling and order.

    Those of one kind may go together, as where a source had no wheel for one of them.
    """
    environments, markers = tuple(environments), tuple(markers)
    cells = set(map(same_platforms, closed_cells(markers)))
    kinds = set(map(same_platforms, closed_cells(markers, lambda _: True)))
    held: list[frozenset[Platform]] = []
    for written in environments if all(map(names_platforms, environments)) else ():
        here = same_platforms(written)
        own = {cell for cell in cells if cell <= here and bool(cell) == bool(here)}
        if frozenset().union(*own) != here or not any(here <= kind for kind in kinds):
            return False
        held += own
    return bool(held) and len(held) == len(cells) and set(held) == cells


def _are_pieces(environments: Iterable[str], wanted: Iterable[AbstractSet[Platform]]) -> bool:
    environments, pieces = tuple(environments), set(wanted)
    return (
        len(environments) == len(pieces)
        and all(map(names_platforms, environments))
        and {same_platforms(marker) for marker in environments} == pieces
    )


@lru_cache(maxsize=4096)
def names_platforms(marker: str) -> bool:
    """Tell whether a marker speaks of nothing but the platforms known here."""
    text = str(Marker(marker))
    named = {value for p in _WORLD for value in p.environment().values()}
    others = [pair for pair in _comparison.findall(text) if pair[1] not in named]
    return not others and not re.sub(r"[() ]|\band\b|\bor\b", "", _comparison.sub("", text))
