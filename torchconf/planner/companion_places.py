"""Where a companion is required, and where there are wheels of it at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from torchconf.model.markers import areas, may_hold, meet, overlap, render_areas
from torchconf.model.targets import PLATFORMS, SHOWN_PLATFORMS
from torchconf.planner.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from torchconf.model.project import Requirement
    from torchconf.model.target_spec import TargetSpec
    from torchconf.model.targets import Platform
    from torchconf.planner.inputs import Inputs

__all__ = ["Places"]


class Places:
    """Which platforms get the companions of a plan."""

    def __init__(
        self, inputs: Inputs, specs: Sequence[TargetSpec], packages: Iterable[str]
    ) -> None:
        """Look at the companions of a plan, for its targets."""
        targeted = {spec.platform for spec in specs}
        others = {one.name for one in inputs.catalog.accelerators if one.family}
        # What other publishers have, nobody has read whole.
        is_known = not any(spec.accelerator in others for spec in specs)
        self.served: dict[str, frozenset[Platform]] = {}
        """Where each is required, and not known to have no wheel."""
        self.asked: dict[str, frozenset[Platform]] = {}
        """Where it has to be had: an old requirement is not cut down to where there are wheels."""
        self.gates: dict[str, str] = {}
        """The marker of those that are required anew, where a target has no wheel of them."""
        self.notes: dict[str, str] = {}
        """What to say of these."""
        self.nowhere: dict[str, str] = {}
        """Those that are required anew, and have no wheel for any target: where they have some."""
        for name in packages:
            stated, lost = _stated(inputs, name), _without_wheels(inputs, name, specs)
            is_new = name in inputs.facts.fresh or not _lines(inputs, name)
            self.served[name] = stated - lost
            self.asked[name] = stated - lost if is_new else stated
            gone = [each for each in PLATFORMS if each in lost & stated & targeted]
            if is_new and is_known and targeted and targeted <= lost:
                self.nowhere[name] = _spoken(stated - lost, lost) if stated - lost else ""
            if is_new and gone and targeted & self.served[name]:
                near = lost & targeted.union(SHOWN_PLATFORMS)
                self.gates[name] = render_areas(areas(stated - lost, apart=near))
                left = _spoken(stated - lost, near)
                self.notes[name] = (
                    f"{name} has no wheels for {_spoken(gone, stated - lost)}: "
                    f"required on {left} only"
                )

    def gated(self, text: str, name: str) -> str:
        """Return a requirement with the marker that a new one gets, if it gets one."""
        gate = self.gates.get(name)
        if gate is None:
            return text
        head, _, own = (part.strip() for part in text.partition(";"))
        if own and not overlap(own, gate):
            return text
        return f"{head} ; {meet(own, gate) if own else gate}"


def _lines(inputs: Inputs, name: str) -> list[Requirement]:
    whole = (inputs.project, *inputs.facts.around)
    return [line for one in whole for line in one.requirements() if line.name == name]


def _stated(inputs: Inputs, name: str) -> frozenset[Platform]:
    """Return where a project requires a companion: everywhere, if no line of it says otherwise."""
    lines = _lines(inputs, name)
    if not lines or name in inputs.facts.needed:
        return frozenset(PLATFORMS)
    return frozenset(p for p in PLATFORMS if any(may_hold(line.marker, p) for line in lines))


def _without_wheels(inputs: Inputs, name: str, specs: Sequence[TargetSpec]) -> frozenset[Platform]:
    """Return the platforms for which no release that may be chosen is known to have a wheel."""
    request, catalog = inputs.request, inputs.catalog
    if not catalog.pairs(name) or catalog.is_apart:
        return frozenset()
    limits = Limits(inputs.project, inputs.before, inputs.main, request.torch, pin=request.pin)
    torch = limits.admitted(inputs.main, specs) & SpecifierSet(request.within)
    own = SpecifierSet() if request.renew else limits.admitted(name, specs)
    releases = [r for r in catalog.releases if torch.contains(r, prereleases=True)]
    versions = [
        version
        for version, needs, _ in catalog.pairs(name)
        if own.contains(version, prereleases=True)
        and any(needs.contains(release, prereleases=True) for release in releases)
    ]
    lost = frozenset(
        platform
        for platform in PLATFORMS
        if versions and all(catalog.has_no_wheel(name, v, platform) for v in versions)
    )
    is_old = not any(needs.contains(r) for _, needs, _ in catalog.pairs(name) for r in releases[:1])
    # What old releases lack says too little where nothing else is left.
    return frozenset() if is_old and {spec.platform for spec in specs} <= lost else lost


def _spoken(platforms: Collection[Platform], others: Collection[Platform]) -> str:
    """Name systems, each with its machine where another one of it counts among the others."""
    titles = {"linux": "Linux", "windows": "Windows", "macos": "macOS"}
    split = {platform.os for platform in others}
    names = dict.fromkeys(
        f"{titles[each.os]} {each.machine}" if each.os in split else titles[each.os]
        for each in PLATFORMS
        if each in platforms
    )
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
