"""Choose the release and the builds that targets get, and say why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from torchconf.errors import RequestError
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.ranges import admits_python
from torchconf.model.target_spec import spec_of
from torchconf.model.targets import Target
from torchconf.planner.assess import UNKNOWN, Needs, ReleaseChoice
from torchconf.planner.limits import Limits
from torchconf.planner.reasons import reasons, split_reasons
from torchconf.planner.releases import choose_release

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from packaging.version import Version

    from torchconf.catalog import Catalog
    from torchconf.model.target_spec import TargetSpec
    from torchconf.model.targets import Platform
    from torchconf.planner.inputs import Inputs

__all__ = ["Chosen", "choose_builds", "why_chosen"]


class Chosen(NamedTuple):
    """A release, for all targets or for those that may have one of their own."""

    choice: ReleaseChoice
    """With all targets of the project."""
    part: ReleaseChoice
    """With those for which the release was chosen."""
    torch: SpecifierSet
    """The range of these."""
    specs: tuple[TargetSpec, ...] = ()
    """What is asked for them."""


def _succeeds(
    choose: Callable[[Sequence[TargetSpec]], object], specs: Sequence[TargetSpec]
) -> bool:
    try:
        choose(specs)
    except RequestError:
        return False
    return True


def _finder(
    python: SpecifierSet | None, catalog: Catalog
) -> Callable[[Sequence[TargetSpec], SpecifierSet], Version | None]:
    """Return what finds the release that a range would give, whatever the companions need."""

    def find(specs: Sequence[TargetSpec], torch: SpecifierSet) -> Version | None:
        try:
            return choose_release(specs, Needs(torch, {}, python), catalog).release
        except RequestError:
            return None

    return find


def choose_builds(
    inputs: Inputs,
    specs: Sequence[TargetSpec],
    python: SpecifierSet | None,
    where: Mapping[str, frozenset[Platform]],
) -> Chosen:
    """Choose a release for all targets, or for those that are added, where they may differ.

    What is there, or only taken away, need not be possible as it was.

    Args:
        inputs: The request and the project.
        specs: What is to be served.
        python: The Pythons that the project runs on.
        where: The companions, each with the platforms on which it has to be had.
    """
    limits = Limits(
        inputs.project,
        inputs.before,
        inputs.main,
        inputs.request.torch,
        pin=inputs.request.pin,
        around=inputs.facts.around,
    )

    def choose(some: Sequence[TargetSpec]) -> Chosen:
        torch = limits.admitted(inputs.main, some) & SpecifierSet(inputs.request.within)
        # In a channel the torch of a day names its companion, whatever older ones were required.
        free = inputs.request.renew or inputs.catalog.is_apart
        packages = {name: SpecifierSet() if free else limits.admitted(name, some) for name in where}
        needs = Needs(torch, packages, python, where)
        part = choose_release(some, needs, inputs.catalog, inputs.facts.locked)
        rest = [Target(s.platform, s.backend) for s in specs if s not in some and s.backend]
        targets = tuple(dict.fromkeys((*rest, *part.targets)))
        whole = part if len(some) == len(specs) else part._replace(targets=targets)
        return Chosen(whole, part, torch, tuple(some))

    try:
        return choose(specs)
    except RequestError as error:
        refused = error
    there = tuple(Target(spec.platform, spec.backend) for spec in specs if spec.backend)
    if inputs.request.remove:
        nothing = ReleaseChoice(None, there, {}, None, UNKNOWN, ())
        return Chosen(nothing, nothing, limits.admitted(inputs.main, specs))
    asked = _asked(inputs, specs)
    there_before = set(inputs.before.targets)
    if inputs.request.add:
        # A machine that its system brings along need not have what nobody asked for there.
        served = [s for s in specs if s in asked or s.platform.is_usual or _succeeds(choose, [s])]
        joined = limits.admitted(inputs.main, specs)
        there_only = [s for s in specs if s not in asked]
        own = {s.backend for s in asked}
        beside = [s for s in specs if s in asked or s.backend in own]
        apart = inputs.before.layout != "markers" and not _succeeds(choose, there_only)
        for some, fewer in (
            (served, len(served) < len(specs)),
            (asked, False),
            # Extras or groups that cannot share a release as it is hold one each.
            (beside, bool(there_only) and apart),
        ):
            if fewer or limits.admitted(inputs.main, some) != joined:
                try:
                    return choose(some)
                except RequestError:
                    continue
        if all(s.backend and Target(s.platform, s.backend) in there_before for s in asked):
            _refuse_without_wheels(inputs, asked, limits)
            nothing = ReleaseChoice(None, there, {}, None, UNKNOWN, ())
            return Chosen(nothing, nothing, limits.admitted(inputs.main, specs))
    if chosen := _choose_by_python(inputs, specs, python, limits, where):
        return chosen
    limits.refuse_labels(specs)
    _refuse_by_companion(inputs, specs, python, limits, where)
    if inputs.request.torch is None:
        find = _finder(python, inputs.catalog)
        if _is_for_later_pythons(inputs, specs, limits.admitted(inputs.main, specs), python):
            refused.at = inputs.project.place("project.requires-python")
            raise refused
        parts = limits.by_python(specs, _pythons(inputs, python))
        impossible = (p for p in parts if find(specs, p.admitted(inputs.main, specs)) is None)
        next(impossible, limits).blame(specs, refused, find)
    raise refused


def _is_for_later_pythons(
    inputs: Inputs, specs: Sequence[TargetSpec], torch: SpecifierSet, python: SpecifierSet | None
) -> bool:
    """Tell whether there would be a release if the project admitted later Pythons only."""
    if python is None or inputs.request.python is not None:
        return False
    if _finder(python, inputs.catalog)(specs, torch) is not None:
        return False
    try:
        first = choose_release(specs, Needs(torch, {}, None), inputs.catalog).python
    except RequestError:
        return False
    return first is not None and admits_python(python, first)


def _refuse_by_companion(
    inputs: Inputs,
    specs: Sequence[TargetSpec],
    python: SpecifierSet | None,
    limits: Limits,
    where: Mapping[str, frozenset[Platform]],
) -> None:
    """Refuse the requirement of a companion without which there is a release for all targets."""
    torch = limits.admitted(inputs.main, specs)
    ranges = {name: limits.admitted(name, specs) for name in where}
    limited = [name for name, own in ranges.items() if str(own)]
    for name in limited:
        others = {**ranges, name: SpecifierSet()}
        try:
            choice = choose_release(specs, Needs(torch, others, python, where), inputs.catalog)
        except RequestError:
            continue
        line = next((one for one in limits.of(name, specs) if one.specifier), None)
        if line is None or name not in choice.companions:
            continue
        newest = (each for each in inputs.catalog.pairs(name) if each[0] in ranges[name])
        names = ", ".join(f"`{spec.text}`" for spec in _asked(inputs, specs))
        reason = next(
            (f": {name} {version} needs torch {needs}" for version, needs, _ in newest), ""
        )
        raise RequestError(
            f"`{line.raw}` excludes {names}{reason}",
            at=inputs.project.place(line.at),
            help=f"change the requirement: {name} {choice.companions[name]} fits torch "
            f"{choice.release}, which supports {names}",
        )


def _choose_by_python(
    inputs: Inputs,
    specs: Sequence[TargetSpec],
    python: SpecifierSet | None,
    limits: Limits,
    where: Mapping[str, frozenset[Platform]],
) -> Chosen | None:
    """Choose the builds where each range of Pythons has a torch of its own.

    There is no one release then, and a bare accelerator is the newest that all ranges have.
    """
    inside = _pythons(inputs, python)
    parts = limits.by_python(specs, inside)

    def choose(part: Limits, some: Sequence[TargetSpec]) -> ReleaseChoice:
        pythons = part.pythons or ()
        own = SpecifierSet(",".join(f"!={p}.*" for p in inside if p not in pythons))
        needs = Needs(
            part.admitted(inputs.main, some),
            {name: part.admitted(name, some) for name in where},
            own if python is None else own & python,
            where,
        )
        return choose_release(some, needs, inputs.catalog, inputs.facts.locked)

    for first in parts:
        try:
            targets = choose(first, specs).targets
            fixed = [*map(spec_of, targets)]
            found = [choose(part, fixed) for part in parts]
        except RequestError:
            continue
        doubts = tuple(dict.fromkeys(doubt for one in found for doubt in one.doubts))
        choice = found[-1]._replace(
            release=None,
            doubts=doubts,
            held_back=split_reasons(parts, found, specs, choose(parts[-1], specs), inputs.main),
        )
        return Chosen(choice, choice, parts[-1].admitted(inputs.main, fixed))
    return None


def _pythons(inputs: Inputs, python: SpecifierSet | None) -> list[str]:
    return [p for p in inputs.catalog.pythons if python is None or admits_python(python, p)]


def why_chosen(inputs: Inputs, chosen: Chosen, python: SpecifierSet | None) -> tuple[str, ...]:
    """Say why it is this release, and why these builds."""
    limits = Limits(
        inputs.project, inputs.before, inputs.main, inputs.request.torch, pin=inputs.request.pin
    )
    return (
        *reasons(
            chosen.part,
            chosen.choice,
            chosen.specs,
            limits,
            python,
            inputs.catalog,
            inputs.facts.locked,
        ),
        *_of_project(inputs, chosen.choice.targets),
    )


def _of_project(inputs: Inputs, targets: Sequence[Target]) -> Iterator[str]:
    """Say where a bare accelerator means an older build because the project has that one."""
    there = {target.backend for target in inputs.before.targets}
    for spec in (*inputs.request.specs, *inputs.request.add):
        own = [
            target.backend
            for target in targets
            if target.platform == spec.platform
            and target.backend.accelerator == spec.accelerator
            and target.backend in there
        ]
        newest = inputs.catalog.newest_first(spec.accelerator)
        if spec.backend is None and own and newest[0] not in own:
            yield f"`{spec.text}` means {own[-1].name}, which the project has"


def _asked(inputs: Inputs, specs: Sequence[TargetSpec]) -> list[TargetSpec]:
    """Return the targets that are new; if none is, those that are named."""
    new = [
        spec
        for spec in specs
        if spec.backend is None or Target(spec.platform, spec.backend) not in inputs.before.targets
    ]
    named = {spec.text for spec in inputs.request.add}
    return new or [spec for spec in specs if spec.text in named]


def _refuse_without_wheels(inputs: Inputs, asked: Sequence[TargetSpec], limits: Limits) -> None:
    """Refuse a target that is there by its source only: its index has no wheel for it."""
    for spec in asked:
        torch = limits.admitted(inputs.main, [spec])
        if any(torch.contains(r, prereleases=True) for r in inputs.catalog.releases):
            choose_release([spec], Needs(torch, {}, None), inputs.catalog)
