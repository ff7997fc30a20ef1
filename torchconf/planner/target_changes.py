"""The targets that a project is to have, from those that it has and what is added or removed.

A file does not say which targets somebody asked for: a marker for a whole system brings its other
machines along, and the CPU index takes what is left. So a target for a system stands for its other
machines wherever nothing tells them apart, and plain CPU gives way to a build that is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.errors import RequestError
from torchconf.layout.intent import served
from torchconf.layout.machine_choice import MACHINE
from torchconf.model.backends import PYPI
from torchconf.model.target_spec import overlap, spec_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from packaging.version import Version

    from torchconf.catalog import Catalog
    from torchconf.layout.configuration import Configuration
    from torchconf.model.backends import Backend
    from torchconf.model.target_spec import TargetSpec
    from torchconf.model.targets import Platform, Target
    from torchconf.planner.request import Request


def wanted_specs(
    before: Configuration,
    request: Request,
    catalog: Catalog,
    at: str,
    listed: Sequence[TargetSpec] | None = None,
) -> tuple[TargetSpec, ...]:
    """Return all targets that the project has after the request, not only the new ones.

    Args:
        before: What the project has.
        request: Its `specs` are all the targets; otherwise `add` and `remove` change those there.
        catalog: Which builds PyPI serves, and what is plain CPU.
        at: The place of the project's sources, for errors.
        listed: The targets that the file lists, if it does: no others can be removed.

    Raises:
        RequestError: Nothing is asked for, or what is to be removed is not there.
    """
    named = {spec.backend for spec in (*request.specs, *request.add)}
    if request.specs:
        bare = [spec for spec in request.specs if spec.backend is None]
        there = [found for spec in bare if (found := _present(spec, before, named)).backend]
        return tuple(_shared(_present(spec, before, named), there) for spec in request.specs)
    if request.add:
        return _with_added(before, request, catalog, named, listed or ())
    if request.remove:
        return _without_removed(before, request.remove, catalog, at, listed)
    if not before.targets:
        raise RequestError(
            "no targets given, and the project has none",
            help="name some: `-t linux-cuda -t macos-cpu`",
        )
    return tuple(map(spec_of, before.targets))


def _present(spec: TargetSpec, before: Configuration, named: set[Backend | None]) -> TargetSpec:
    """Let a bare accelerator mean the backend that the project has on that platform already."""
    present = [
        target.backend
        for target in before.targets
        if target.platform == spec.platform and target.backend.accelerator == spec.accelerator
    ]
    if spec.backend is not None or not present:
        return spec
    present.sort(key=lambda backend: (backend not in named, backend.version), reverse=True)
    return spec._replace(backend=present[0])


def _shared(spec: TargetSpec, there: Sequence[TargetSpec]) -> TargetSpec:
    """Let a bare accelerator mean the backend that it means on another platform already."""
    if spec.backend is not None:
        return spec
    same = [
        other.backend for other in there if other.backend and other.accelerator == spec.accelerator
    ]
    return spec._replace(backend=max(same, key=lambda backend: backend.version, default=None))


def _with_added(
    before: Configuration,
    request: Request,
    catalog: Catalog,
    named: set[Backend | None],
    listed: Sequence[TargetSpec],
) -> tuple[TargetSpec, ...]:
    """Add to what is there; in the layout `markers` a build takes the place of plain CPU."""
    # Without a source, everything is PyPI's, which no one asked for by platform.
    kept = list(before.targets) if before.layout is not None else []
    adding = [_familiar(_present(spec, before, named), before, catalog) for spec in request.add]
    if before.layout == "markers" and request.layout in {"auto", "markers"}:
        told = {one.name for one in catalog.accelerators if one.where}
        usual = [t for t in before.targets if t.backend.accelerator not in told]
        for spec in adding:
            if spec.accelerator in told:
                continue  # Other machines of its platform have their own.
            alike = _alike(spec, usual)
            plain = {catalog.fallback, PYPI}
            if spec.accelerator == catalog.fallback.accelerator:
                plain = {PYPI}
            if spec.backend is not None:
                plain.discard(spec.backend)
            kept = [t for t in kept if t.platform not in alike or t.backend not in plain]
            is_listed = any(each.platform == spec.platform for each in listed)
            if not is_listed and _is_brought_along(spec, usual):
                kept = [t for t in kept if t.platform != spec.platform or t not in usual]
    return tuple(dict.fromkeys([*map(spec_of, kept), *adding]))


def _familiar(spec: TargetSpec, before: Configuration, catalog: Catalog) -> TargetSpec:
    """Let a bare accelerator mean the backend that the project has on other platforms.

    Not one that was given up on the new platform first: it would hold torch back everywhere.
    """
    if spec.backend is not None:
        return spec

    def newest(backend: Backend, platform: Platform) -> Version | None:
        # Of a release that is not covered, single wheels were seen: they compare to nothing.
        seen = (
            release
            for release in catalog.releases
            if catalog.covered(release)
            and catalog.seen(catalog.main_package, release, backend, platform)
        )
        return max(seen, default=None)

    present = {
        target.backend
        for target in before.targets
        if target.backend.accelerator == spec.accelerator
        and newest(target.backend, target.platform) == newest(target.backend, spec.platform)
    }
    return spec._replace(backend=max(present, key=lambda backend: backend.version, default=None))


def is_left_alone(
    before: Configuration, targets: Iterable[Target], backend: Backend, platform: Platform
) -> bool:
    """Tell whether a build must not spread to a machine only because its system has it elsewhere.

    Somebody gave it to another machine and not to this one, or takes it from this one, or asks for
    it on the unusual one.
    """
    there = before.targets if before.layout is not None else ()
    has = {target.platform for target in there if target.backend == backend}
    wants = {target.platform for target in targets if target.backend == backend}
    others = {other for other in (*has, *wants) if other.os == platform.os}
    if platform in wants or not others:
        return False
    return bool(others & has) or not any(other.is_usual for other in others)


def _alike(spec: TargetSpec | Target, targets: Sequence[Target]) -> frozenset[object]:
    """Return the platform of a spec, and the machines of its system that nothing tells apart."""
    backends: dict[object, set[Backend]] = {}
    for target in targets:
        if target.platform.os == spec.platform.os:
            backends.setdefault(target.platform, set()).add(target.backend)
    own = backends.get(spec.platform)
    same = {platform for platform, found in backends.items() if found == own}
    return frozenset(same | {spec.platform} if spec.platform.is_usual else {spec.platform})


def _is_brought_along(spec: TargetSpec, targets: Sequence[Target]) -> bool:
    """Tell whether an unusual machine has its builds only because its system has them.

    It can be given one of its own: that of the other machines stays.
    """
    own = {target.backend for target in targets if target.platform == spec.platform}
    usual = {
        target.backend
        for target in targets
        if target.platform.os == spec.platform.os and target.platform.is_usual
    }
    return not spec.platform.is_usual and spec.backend not in own and own == usual


def _without_removed(
    before: Configuration,
    removing: Sequence[TargetSpec],
    catalog: Catalog,
    at: str,
    listed: Sequence[TargetSpec] | None,
) -> tuple[TargetSpec, ...]:
    left = list(before.targets)
    for spec in removing:
        named = None if listed is None else [each for each in listed if overlap(spec, each)]
        if named and not any(served(each, before) for each in named):
            continue  # Only the list has it.
        if before.layout in {None, "markers"} and spec.backend == PYPI:
            raise RequestError(
                f"`{spec.text}` is what platforms without a source get: there is nothing to remove",
                at=at,
                help="run `torchconf add-target` to give it another build",
            )
        gone = [
            target
            for target in before.targets
            if target.platform == spec.platform
            and target.backend.accelerator == spec.accelerator
            and spec.backend in {None, target.backend}
        ]
        if not gone or before.layout is None or named == []:
            there = ", ".join(map(str, before.targets)) if before.layout else "no PyTorch index"
            there = ", ".join(each.text for each in listed) if listed else there
            raise RequestError(
                f"the project has no target `{spec.text}`", at=at, help=f"it has {there}"
            )
        others = [each for each in listed or () if named is None or each not in named]
        for target in gone:
            if any(_brings(each, target, before) for each in others):
                continue  # Its system has the build; only the list names the machine.
            alike = _alike(target, before.targets)
            if listed is not None:
                left = [t for t in left if not _goes_along(t, target, others, before)]
            else:
                left = [t for t in left if t.backend != target.backend or t.platform not in alike]
            if target.backend == PYPI and before.default == MACHINE:
                still = any(each.backend == PYPI for each in others)
                left = [t for t in left if still or t.backend != PYPI or _is_another(t, catalog)]
            is_named = before.layout == "markers" and (
                before.rest != catalog.fallback
                or any(each.backend == catalog.fallback for each in others)
            )
            if target.backend != catalog.fallback or is_named:
                continue
            if not _is_needed(left, before, catalog):
                left = [t for t in left if t.backend != catalog.fallback]
    if not left and before.layout != "markers":
        raise RequestError(
            "without its last target the project would no longer require torch",
            at=at,
            help="add another target first, or remove the extras or groups by hand",
        )
    return tuple(map(spec_of, left))


def _goes_along(
    one: Target, target: Target, others: Sequence[TargetSpec], before: Configuration
) -> bool:
    """Tell whether what nobody lists goes with a target that is removed.

    That is the build on other machines of the system, and an extra or group as a whole where no
    target of it is left.
    """
    if one.backend != target.backend:
        return False
    still = {there for each in others if (there := served(each, before))}
    if one in still or any(_brings(each, one, before) for each in others):
        return False
    whole = before.layout != "markers" and target.backend not in {each.backend for each in still}
    return whole or one.platform.os == target.platform.os


def _brings(spec: TargetSpec, target: Target, before: Configuration) -> bool:
    """Tell whether a machine has its build because another target brings it to the whole system."""
    other = served(spec, before)
    if other is None or other.backend != target.backend:
        return False
    return target.platform in _alike(other, before.targets)


def _is_another(target: Target, catalog: Catalog) -> bool:
    """Tell whether PyPI's build is not the CPU's there: the same one is nobody's choice."""
    return catalog.pypi_build(catalog.releases[0], target.platform) != catalog.fallback


def _is_needed(left: Sequence[Target], before: Configuration, catalog: Catalog) -> bool:
    """Tell whether some platform that is left needs the CPU index for its CPU build.

    With sources by marker, one where PyPI's build is another; with extras or groups, one that has
    a choice. Any other platform gets the same build without it.
    """
    fallback = [target for target in left if target.backend == catalog.fallback]
    if before.layout == "markers":
        newest = catalog.releases[0]
        return any(catalog.pypi_build(newest, t.platform) != catalog.fallback for t in fallback)
    other = {target.platform for target in left if target.backend != catalog.fallback}
    return any(target.platform in other for target in fallback)
