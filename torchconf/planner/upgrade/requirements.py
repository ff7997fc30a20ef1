"""Draft what an upgrade does to requirements, constraints and triton packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from torchconf.errors import REFRESH, ProjectError, RequestError
from torchconf.model.backends import PYPI
from torchconf.model.markers import holds
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.ranges import exclusions, is_exact, lowest_named, overlaps, public
from torchconf.model.requirements import (
    next_minor,
    parse_requirement,
    torch_specifier,
    with_specifier,
    with_upper_bound,
)
from torchconf.model.toml_path import CONSTRAINTS, SOURCES
from torchconf.planner.bounds import Bounds, lowest_companion
from torchconf.planner.draft_tables import add_pins
from torchconf.planner.respecify import relabel, respecify

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from torchconf.catalog import Catalog, Triton
    from torchconf.edits.draft import Draft
    from torchconf.layout.configuration import Configuration
    from torchconf.model.project import Project, Requirement
    from torchconf.planner.upgrade.destination import Destination

__all__ = ["CUDA_TRITON", "PlacedRequirement", "respecify_requirements"]

CUDA_TRITON = "triton"
"""What the CUDA builds of torch require on Linux, in one version."""

_REASON = "the release that all targets have"


class PlacedRequirement(NamedTuple):
    """A requirement of the family, and where it stands."""

    draft: Draft
    requirement: Requirement
    project: Project
    is_base: bool = False
    """Whatever else is installed, this counts."""
    is_promise: bool = False
    """It is published, and builds are chosen elsewhere: kept while it admits the release."""
    holds: bool = False
    """A constraint or an override: it installs nothing by itself."""


def respecify_requirements(
    lines: Sequence[PlacedRequirement],
    project: Project,
    catalog: Catalog,
    before: Configuration,
    destination: Destination,
    asked: str | None,
    own: Bounds | None,
) -> tuple[str, ...]:
    """Move every line to the release that was found.

    Args:
        lines: All of the family: the project's, those of members that it routes for, constraints.
        project: As it is.
        catalog: What fits.
        before: What the project has.
        destination: Where it goes.
        asked: What `--torch` says.
        own: The bounds that torchconf would have written before, if that is known.

    Returns:
        Sentences on what was left alone.

    Raises:
        RequestError: Nothing in the project could hold what is asked for.
    """
    return _Respecifying(lines, project, catalog, before, destination, asked, own).move()


class _Respecifying:
    def __init__(
        self,
        lines: Sequence[PlacedRequirement],
        project: Project,
        catalog: Catalog,
        before: Configuration,
        destination: Destination,
        asked: str | None,
        own: Bounds | None,
    ) -> None:
        self.lines = lines
        self.project = project
        self.catalog = catalog
        self.before = before
        self.destination = destination
        self.asked = asked
        self.specifier = torch_specifier(asked)
        self.is_bare = asked is not None and asked.strip()[:1] in set("0123456789v")
        self.own = own
        self.main = catalog.main_package
        self.release = destination.choice.release
        self.held = {
            line.requirement.name for line in lines if line.holds and _is_exact(line.requirement)
        }
        self.pinned = self.main in self.held
        self.texts: dict[int, str] = {}
        self.notes: list[str] = []

    def move(self) -> tuple[str, ...]:
        self._move_torch()
        bounds = self._bounds(self._range())
        tritons = self._tritons(bounds)
        for number, line in enumerate(self.lines):
            name = line.requirement.name
            if name == self.main:
                self._write(line, self.texts[number])
            elif name == CUDA_TRITON:
                self._move_cuda_triton(line)
            elif name in tritons:
                self._move_triton(line, tritons[name], bounds)
            elif name not in self.catalog.triton_packages:
                self._move_companion(line, bounds)
        self._drop_pins(tritons)
        if self.pinned:
            self._pin_tritons(tritons)
        self._rename_sources(tritons)
        return tuple(self.notes)

    def _bounds(self, within: SpecifierSet) -> Bounds:
        return Bounds(
            self.destination.choice,
            within,
            self.catalog,
            settled=False,
            held=self.held,
            pin=False,
            tied=self.destination.tied,
        )

    def _write(self, line: PlacedRequirement, text: str) -> None:
        line.draft.replace(line.requirement.path, text, _REASON)

    def _label(self, line: PlacedRequirement) -> str:
        return relabel(line.requirement.raw, self.destination.backends)

    # Torch.

    def _move_torch(self) -> None:
        """Find the new text of each line on torch; first of those that others lean on."""
        upper = self._bounds(SpecifierSet(self.specifier)).torch
        if upper is None and self.is_bare and self.asked is not None:
            upper = next_minor(Version(self.asked.strip()))
        ours = [
            (n, line) for n, line in enumerate(self.lines) if line.requirement.name == self.main
        ]
        held = self.pinned
        for number, line in sorted(ours, key=lambda pair: not pair[1].is_base):
            bare = not line.requirement.specifier
            if bare and (upper is not None or self.asked) and not held and not line.holds:
                self.texts[number] = self._replaced(self._label(line), line, upper)
            else:
                self.texts[number] = self._torch(line, upper)
            text = self.texts[number]
            if line.is_base and not line.requirement.marker:
                limited = upper is None or with_upper_bound(text, upper) == text
                held = held or (bool(parse_requirement(text).specifier) and limited)
        if self.asked and not ours:
            raise RequestError(
                f"the project has no requirement on {self.main}",
                at=self.project.at,
                help=f"add one: `torchconf init --torch '{self.asked}'`",
            )

    def _torch(self, line: PlacedRequirement, upper: str | None) -> str:
        text = self._label(line)
        if self.release is None:
            return self._torch_of_unknown_release(line, text) if self.asked else text
        if line.is_promise and line.requirement.specifier.contains(self.release, prereleases=True):
            return text
        open_below = lowest_named(line.requirement.specifier) is None
        if open_below and not self.asked and self.release in public(line.requirement.specifier):
            # It admits the release, and perhaps newer ones, which is no reason to narrow it.
            return text
        if _is_exact(line.requirement):
            return respecify(text, self.release, None)
        if self.asked and not self.is_bare and not line.holds:
            return self._replaced(text, line, upper)
        own = self.own.torch if self.own and upper is None else None
        lower = Version(self.asked.strip()) if self.asked and self.is_bare else self.release
        return respecify(text, lower, None if line.is_promise else upper, own)

    def _replaced(self, text: str, line: PlacedRequirement, upper: str | None) -> str:
        """Write what is asked for, or else what keeps the targets together."""
        specifier = self.specifier or f">={self.release}"
        excluded = [str(one) for one in exclusions(line.requirement.specifier)]
        specifier = ",".join([specifier, *(one for one in excluded if one not in specifier)])
        text = with_specifier(text, specifier)
        return text if upper is None else with_upper_bound(text, upper)

    def _torch_of_unknown_release(self, line: PlacedRequirement, text: str) -> str:
        """Ask for a release that the catalog is too old to know."""
        if _is_exact(line.requirement):
            raise ProjectError(
                f"`{line.requirement.raw}` is an exact pin, and the catalog of "
                f"{self.catalog.as_of_index(PYPI)} has no release that matches {self.specifier}",
                at=line.project.place(line.requirement.at),
                help=f"run {REFRESH} to read the live indexes",
            )
        return text if line.is_promise or line.holds else with_specifier(text, self.specifier)

    def _range(self, *, held: bool = True) -> SpecifierSet:
        """Return what uv will choose torch from, as far as the lines say; or without the pins."""
        joined = SpecifierSet()
        for number, text in self.texts.items():
            if held or not self.lines[number].holds:
                joined &= public(parse_requirement(text).specifier)
        return joined

    # Companions.

    def _move_companion(self, line: PlacedRequirement, bounds: Bounds) -> None:
        one = line.requirement
        text = self._label(line)
        version = self.destination.choice.companions.get(one.name) or self._declared(one)
        if version is None:
            if one.specifier:
                self.notes.append(f"no {one.name} is known to match this torch: kept `{one.raw}`")
            self._write(line, text)
            return
        if not _is_exact(one):
            version = self._lowest(one.name) or version
        if not (line.is_promise and one.specifier.contains(version, prereleases=True)):
            upper = bounds.by_package.get(one.name)
            own = self.own.by_package.get(one.name) if self.own and upper is None else None
            if one.specifier:
                text = respecify(text, version, None if _is_exact(one) else upper, own)
            elif upper and self._torch_moves() and not line.is_promise and not line.holds:
                text = with_upper_bound(text, upper)
        self._write(line, text)

    def _declared(self, one: Requirement) -> Version | None:
        """Return the release of an exact pin, or the one that declares this torch instead.

        The catalog may not know its wheels, but uv never installs beside this torch what declares
        another.
        """
        pairs = [each for each in self.catalog.pairs(one.name) if each[2]]
        kept = [each for each in pairs if each[0] in public(one.specifier)]
        if self.release is None or not _is_exact(one) or len(kept) != 1:
            return None
        return next((each[0] for each in (*kept, *pairs) if self.release in each[1]), None)

    def _lowest(self, name: str) -> Version | None:
        """Return the companion of the lowest torch that the project means to admit."""
        within = self._range(held=False)
        return (
            None if lowest_named(within) is None else lowest_companion(name, within, self.catalog)
        )

    # Triton: torch requires one version of it.

    def _move_cuda_triton(self, line: PlacedRequirement) -> None:
        """Let a requirement admit the triton that torch requires; what admits it stays."""
        one = line.requirement
        if not one.specifier or self.release is None or not self._torch_moves():
            return
        backends = {
            None if target.backend == PYPI else target.backend
            for target in self.destination.choice.targets
            if target.platform.os == "linux"
            and (target.backend == PYPI or target.backend.accelerator == "cuda")
            and (one.marker is None or holds(one.marker, target.platform))
        }
        needed = [self.catalog.triton_range(self.release, backend) for backend in backends]
        if None in needed:
            self.notes.append(
                f"the triton that torch {self.release} needs is not known: kept `{one.raw}`, "
                f"at {line.project.place(one.at)}"
            )
            return
        ranges = [each for each in needed if each is not None]
        lowest = max((v for each in ranges if (v := lowest_named(each))), default=None)
        if lowest is not None and not all(overlaps(one.specifier, str(each)) for each in ranges):
            self._write(line, respecify(one.raw, lowest, None))

    def _torch_moves(self) -> bool:
        return any(text != self.lines[n].requirement.raw for n, text in self.texts.items())

    # Triton packages: their names depend on the release.

    def _tritons(self, bounds: Bounds) -> dict[str, Triton]:
        """Return each triton package that the project may have, with the one to take instead."""
        found: dict[str, Triton] = {}
        if self.release is None:
            return found
        for target in self.destination.choice.targets:
            needed = bounds.triton(target.backend) if target.backend != PYPI else None
            for known in self.catalog.releases if needed is not None else ():
                old = self.catalog.triton(target.backend, known)
                if old is not None and needed is not None:
                    found[old.name] = needed
        return found

    def _move_triton(self, line: PlacedRequirement, triton: Triton, bounds: Bounds) -> None:
        one = line.requirement
        if one.name != triton.name and any(
            other.requirement.name == triton.name and other.requirement.path[:-1] == one.path[:-1]
            for other in self.lines
        ):
            return  # Both names are there: the old one serves older releases.
        if _is_exact(one):
            specifier = f"=={triton.pin}" if triton.pin else ""
        else:
            specifier = bounds.triton_specifier(triton) if one.specifier else ""
        text = with_specifier(one.raw, specifier)
        head = text[: len(text) - len(text.lstrip())]
        rest = text.lstrip()
        written = next(
            (n for n, c in enumerate(rest) if not (c.isalnum() or c in "-_.")), len(rest)
        )
        name = rest[:written] if canonicalize_name(rest[:written]) == triton.name else triton.name
        self._write(line, f"{head}{name}{rest[written:]}")

    def _drop_pins(self, tritons: Mapping[str, Triton]) -> None:
        """Take away constraints on triton that hold nothing: torch itself pins it."""
        for line in {id(line.draft): line for line in self.lines if line.holds}.values():
            pins = line.draft.get(CONSTRAINTS) or []
            names = {triton.name for triton in tritons.values()}
            for number in reversed(range(len(pins))):
                pin = parse_requirement(pins[number])
                if canonicalize_name(pin.name) in names and not pin.specifier:
                    line.draft.remove((*CONSTRAINTS, number), "torch itself pins it")

    def _pin_tritons(self, tritons: Mapping[str, Triton]) -> None:
        """Hold the triton of the release too, where the family is held."""
        draft = next(line.draft for line in self.lines if line.holds)
        required = {line.requirement.name for line in self.lines if not line.holds}
        add_pins(
            draft, {t.name: t.pin for name, t in tritons.items() if name in required and t.pin}
        )

    def _rename_sources(self, tritons: Mapping[str, Triton]) -> None:
        for draft in self._drafts():
            sources = draft.get(SOURCES) or {}
            for key in list(sources):
                triton = tritons.get(canonicalize_name(key))
                if (
                    triton is not None
                    and canonicalize_name(key) != triton.name
                    and triton.name not in sources
                ):
                    draft.rename(
                        (*SOURCES, key), triton.name, "the triton package that this torch requires"
                    )

    def _drafts(self) -> Iterable[Draft]:
        return {id(line.draft): line.draft for line in self.lines}.values()


def _is_exact(requirement: Requirement) -> bool:
    """Tell a requirement that names one version: `==2.13.0`, not `==2.13.*`."""
    return any(map(is_exact, requirement.specifier))
