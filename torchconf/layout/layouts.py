"""How a target is chosen when installing: the layout, its scopes, and what each index serves.

A scope is what holds sources: the whole project (layout `markers`), one extra or one group. In
each scope every platform has exactly one index: the areas of its own backends are named, and one
index, the CPU's, takes what is left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from torchconf.errors import RequestError
from torchconf.model.backends import PYPI, Backend
from torchconf.model.markers import Area, areas, render_areas, render_rest
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.targets import SHOWN_PLATFORMS, SYS_PLATFORMS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from torchconf.catalog import Catalog
    from torchconf.model.targets import Platform, Target

Layout = Literal["markers", "extras", "groups"]
LAYOUTS: tuple[Layout, ...] = ("markers", "extras", "groups")
Kind = Literal["", "extra", "group"]
KINDS: dict[Layout, Kind] = {"markers": "", "extras": "extra", "groups": "group"}


Served: TypeAlias = "tuple[tuple[Area, Backend], ...]"
"""Which areas which backend serves, in the order of the sources."""


class Scope(NamedTuple):
    """One place that chooses builds: the project, an extra, or a group."""

    kind: Kind
    name: str
    """Of the extra or group; empty for the project."""
    backend: Backend
    """What the extra or group is for; for the project, what takes the rest."""
    served: Served
    rest: Backend
    """What everything else gets: the fallback's index, or `PYPI` (no source)."""

    def backends(self) -> tuple[Backend, ...]:
        """Return the backends that need an index here, each once."""
        found = dict.fromkeys([*(backend for _, backend in self.served), self.rest])
        return tuple(backend for backend in found if backend != PYPI)

    def marker(self, backend: Backend) -> str | None:
        """Return the marker of one backend's source; None if it serves everything."""
        own = [area for area, served in self.served if served == backend]
        if own:
            return render_areas(own)
        others = [area for area, _ in self.served]
        return render_rest(others) if others else None

    def at(self, platform: Platform) -> Backend:
        """Tell which backend a platform gets here."""
        for area, backend in self.served:
            if area.holds(platform.os, platform.platform_machine):
                return backend
        return self.rest


def choose_layout(
    asked: str,
    targets: Iterable[Target],
    *,
    default: str | None,
    keep_base: bool,
    where: Callable[[Backend], str] = lambda _: "",
) -> tuple[Layout, str]:
    """Return the layout, and why it is that one.

    Args:
        asked: `auto`, or a layout.
        targets: All of them.
        default: What `--default` names: a backend, `machine` or `none`; None without it.
        keep_base: The project publishes torch, or needs it without any extra.
        where: The marker that tells the machines of a build from others of the same platform.

    Raises:
        RequestError: The targets do not fit the layout that was asked for.
    """
    targets = tuple(targets)
    several = _several(targets, where)
    told = next((target for target in targets if where(target.backend)), None)
    if asked == "auto":
        layout: Layout = "markers"
        reason = "each platform has one backend"
        if several or told:
            layout = "groups" if keep_base or default is not None else "extras"
            reason = (
                f"{several[0]} has several backends ({', '.join(several[1])})"
                if several
                else f"not every {told.platform.key} machine can use {told.backend.name}"
                if told
                else ""
            ) + (", and torch stays in the base dependencies" if keep_base else "")
    else:
        layout = next(known for known in LAYOUTS if known == asked)
        reason = "as requested"
    if layout == "markers" and several:
        platform, names = several
        raise RequestError(
            f"layout `markers` gives each platform one backend, but {platform} has "
            f"{' and '.join(names)}",
            help="omit one of them, or pass `--layout extras` or `--layout groups`",
        )
    if layout != "groups" and default is not None:
        why = (
            "uv has no default extras"
            if layout == "extras"
            else ("with `markers` each platform has one backend")
        )
        raise RequestError(
            f"`--default` requires the layout `groups`: {why}",
            help="pass `--layout groups`, or omit `--default`",
        )
    return layout, reason


def _several(
    targets: Iterable[Target], where: Callable[[Backend], str]
) -> tuple[str, list[str]] | None:
    """Return the first platform of which machines have several backends, and their names."""
    found: dict[tuple[Platform, str], list[str]] = {}
    for target in targets:
        names = found.setdefault((target.platform, where(target.backend)), [])
        if target.backend.name not in names:
            names.append(target.backend.name)
    return next(
        ((platform.short, names) for (platform, _), names in found.items() if len(names) > 1), None
    )


def make_scopes(
    layout: Layout,
    targets: Iterable[Target],
    catalog: Catalog,
    names: Mapping[str, str],
    lacks: Callable[[Backend, Platform], bool],
    rest: Backend | None = None,
) -> tuple[Scope, ...]:
    """Return the scopes of a layout, in the order in which they are written.

    Args:
        layout: One of `LAYOUTS`.
        targets: All of them.
        catalog: For the fallback and the order of accelerators.
        names: Names of extras or groups that differ from `Backend.extra`, by backend name.
        lacks: Tells whether an index is known to have no wheels for a platform.
        rest: What the layout `markers` gives to platforms that no target names; None for the
            fallback, if that is a target somewhere.
    """
    targets = tuple(targets)
    # Where no target has an index, a CPU index for the other platforms would be a surprise.
    scoped_rest = PYPI if all(t.backend == PYPI for t in targets) else catalog.fallback
    if layout == "markers":
        systems = {t.platform.os for t in targets if t.backend == catalog.fallback}
        # On every system, it needs no marker at all; where no target has it, it serves nothing.
        if not systems:
            rest = catalog.fallback if catalog.is_apart else PYPI
        elif rest != PYPI or systems == set(SYS_PLATFORMS):
            rest = catalog.fallback
        served = _served(targets, targets, rest, lacks, catalog.where)
        return (Scope("", "", rest, _told_apart(served, targets, catalog.where), rest),)
    scopes: list[Scope] = []
    for backend in ordered({target.backend for target in targets}, catalog):
        own = [target for target in targets if target.backend == backend]
        served = _served(own, targets, scoped_rest, lacks, catalog.where)
        rest = scoped_rest
        if backend == PYPI != rest and any(area == Area("macos") for area, _ in served):
            served, rest = _turned(served, rest), PYPI
        name = names.get(backend.name, backend.extra)
        scopes.append(Scope(KINDS[layout], name, backend, served, rest))
    return tuple(scopes)


def with_aliases(
    scopes: Iterable[Scope], aliases: Mapping[str, Iterable[str]]
) -> tuple[Scope, ...]:
    """Add the extras or groups that are for the same backend as another one.

    Args:
        scopes: One for each backend.
        aliases: Backend name to further names.
    """
    return tuple(
        scope._replace(name=name)
        for scope in scopes
        for name in (scope.name, *aliases.get(scope.backend.name, ()))
    )


def left_to_base(scopes: Iterable[Scope]) -> tuple[Scope, ...]:
    """Let the group of PyPI's build have no source anywhere: it is what the base brings."""
    return tuple(
        scope._replace(served=(), rest=PYPI) if scope.backend == PYPI else scope for scope in scopes
    )


def _turned(served: Served, rest: Backend) -> Served:
    """Return the areas of the fallback, in a choice of PyPI's build that serves macOS.

    PyPI becomes the rest of that choice, and the systems and machines that it does not serve are
    named instead. As the rest, they would include systems without any wheel, and uv refuses to lock
    for an entry of `environments` that has none.
    """
    found: list[tuple[Area, Backend]] = []
    for platform in SHOWN_PLATFORMS:
        own = [area for area, _ in served if area.os == platform.os]
        without = tuple(area.machine for area in own if area.machine is not None)
        if len(without) == len(own) and platform.os not in {area.os for area, _ in found}:
            found.append((Area(platform.os, without=without), rest))
    return tuple(found)


def widened(scopes: Iterable[Scope]) -> tuple[Scope, ...]:
    """Let the unusual machine of a system stand for all but the usual one, where scopes name both.

    The other machines of it would otherwise be a cell of `environments` by themselves, and uv
    refuses to lock where a package has no wheel for any machine of a cell.
    """
    scopes = tuple(scopes)
    named: dict[str, set[str]] = {}
    for scope in scopes:
        for area, _ in scope.served:
            machines = named.setdefault(area.os, set())
            machines.update(area.without if area.machine is None else (area.machine,))
    split = {os for os, machines in named.items() if len(machines) > 1}

    def widen(area: Area) -> Area:
        if area.os not in split or area == Area(area.os):
            return area
        usual = next(p.platform_machine for p in SHOWN_PLATFORMS if p.os == area.os)
        whole = Area(area.os, without=(usual,))
        return Area(area.os, usual) if area.holds(area.os, usual) else whole

    return tuple(
        scope._replace(served=tuple((widen(area), backend) for area, backend in scope.served))
        for scope in scopes
    )


def uncut(scopes: Iterable[Scope]) -> tuple[Scope, ...]:
    """Let each scope take its own build everywhere, so that no source needs a marker."""
    return tuple(scope._replace(served=(), rest=scope.backend) for scope in scopes)


def ordered(backends: Iterable[Backend], catalog: Catalog) -> tuple[Backend, ...]:
    """Sort backends as they are written: by accelerator, then version; PyPI's build last."""
    order = [accelerator.name for accelerator in catalog.accelerators]
    return tuple(
        sorted(
            backends,
            key=lambda backend: (
                order.index(backend.accelerator) if backend != PYPI else len(order),
                backend.version,
            ),
        )
    )


def _told_apart(
    served: Served, targets: Iterable[Target], where: Callable[[Backend], str]
) -> Served:
    """Tell by a further marker whose machines are not all of their platform."""
    told = [(t.platform, where(t.backend)) for t in targets if where(t.backend)]

    def apart(area: Area) -> tuple[str, ...]:
        inside = [w for p, w in told if area.holds(p.os, p.platform_machine)]
        return tuple(dict.fromkeys(inside))

    return tuple(
        (
            area._replace(only=where(backend))
            if where(backend)
            else area._replace(unless=apart(area)),
            backend,
        )
        for area, backend in served
    )


def _served(
    own: Iterable[Target],
    everything: Iterable[Target],
    rest: Backend,
    lacks: Callable[[Backend, Platform], bool],
    where: Callable[[Backend], str],
) -> Served:
    """Say which areas the targets of one scope take; what the rest serves is not named."""
    wanted: dict[Backend, list[Platform]] = {}
    for target in own:
        if target.backend != rest:
            wanted.setdefault(target.backend, []).append(target.platform)
    # Other machines of the same platform may have what their system has.
    targeted = {target.platform for target in everything if not where(target.backend)}
    found: list[tuple[Area, Backend]] = []
    for backend, platforms in wanted.items():
        apart = [
            platform
            for platform in {*SHOWN_PLATFORMS, *targeted}
            if platform not in platforms and (platform in targeted or lacks(backend, platform))
        ]
        found += [(area, backend) for area in areas(platforms, apart=apart)]
    systems = [platform.os for platform in SHOWN_PLATFORMS]
    return tuple(sorted(found, key=lambda pair: (systems.index(pair[0].os), pair[0].machine or "")))
