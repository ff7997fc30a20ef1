"""Which requirements speak of which targets, and what they admit.

A requirement with a marker is for its platforms only, and one in an extra or group for its builds;
so are the labels of versions: `==2.11.0+cu128` is no obstacle where the build is that of cu128.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, NoReturn

from packaging.specifiers import Specifier, SpecifierSet
from packaging.utils import canonicalize_name

from torchconf.errors import ProjectError, RequestError
from torchconf.model.markers import holds, may_hold
from torchconf.model.requirements import exact_version, torch_specifier
from torchconf.model.targets import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from packaging.version import Version

    from torchconf.layout.configuration import Configuration
    from torchconf.model.project import Project, Requirement
    from torchconf.model.target_spec import TargetSpec

__all__ = ["Limits"]


class Limits:
    """What a project says of versions, target by target."""

    def __init__(
        self,
        project: Project,
        before: Configuration,
        main: str,
        torch: str | None,
        *,
        pin: bool,
        around: Sequence[Project] = (),
    ) -> None:
        """Look at a project.

        Args:
            project: As it is.
            before: What its tables say.
            main: Torch.
            torch: What is asked for in place of its requirements of torch.
            pin: Whether a full version that is asked for means that version only.
            around: The other members of the workspace: one lock holds what all of them say.
        """
        self.project = project
        self.around = around
        self.whole = project.workspace
        self.main = main
        self.torch = torch
        self.pin = pin
        self.pythons: tuple[str, ...] | None = None
        """The only Pythons that count; None for any."""
        # What conflicts with an extra or group that chooses a build is a choice of its own.
        self.scopes = before.scopes.union(
            item.name
            for conflict in project.conflicts
            if any(item.name in before.scopes for item in conflict.items)
            for item in conflict.items
            if item.name is not None
        )
        self.names = {
            backend: {
                canonicalize_name(name),
                *map(canonicalize_name, before.aliases.get(backend, ())),
            }
            for backend, name in before.names.items()
        }

    def admitted(self, package: str, specs: Sequence[TargetSpec]) -> SpecifierSet:
        """Return all that is said of a package for some targets, joined."""
        joined = SpecifierSet()
        asked = self.torch if package == self.main else None
        exact = exact_version(asked)
        if asked is not None:
            joined &= SpecifierSet(
                f"=={exact}" if self.pin and exact is not None else torch_specifier(asked)
            )
        else:
            for one in self.of(package, specs):
                joined &= self._specifier(one, specs)
        for one in self._of_members(package, specs):
            joined &= self._specifier(one, specs)
        for one in self.whole.constraint_dependencies:
            if one.name == package and self._speaks_of(one, specs):
                joined &= self._specifier(one, specs)
        return joined

    def by_python(self, specs: Sequence[TargetSpec], pythons: Sequence[str]) -> list[Limits]:
        """Return the limits of each range of Pythons, where markers tell Pythons apart.

        Returns:
            The lowest Pythons first; nothing where the same requirements of torch hold on all.
        """
        lines = [one for one in self.of(self.main, specs) if "python" in str(one.marker)]
        found: dict[tuple[bool, ...], list[str]] = {}
        for python in pythons if lines and self.torch is None else ():
            here = self._on((python,))
            there = here.of(self.main, specs)
            key = tuple(one in there for one in lines)
            found.setdefault(key, []).append(python)
        return [self._on(tuple(some)) for some in found.values()] if len(found) > 1 else []

    def _on(self, pythons: tuple[str, ...]) -> Limits:
        limits = copy(self)
        limits.pythons = pythons
        return limits

    def of(self, package: str, specs: Sequence[TargetSpec]) -> list[Requirement]:
        """Return the requirements of a package that speak of some targets; overrides come first."""
        overrides = [one for one in self.whole.override_dependencies if one.name == package]
        return [
            one
            for one in overrides or self.project.requirements()
            if one.name == package and self._speaks_of(one, specs)
        ]

    def _of_members(self, package: str, specs: Sequence[TargetSpec]) -> list[Requirement]:
        """Return what the other members require of a package: always, or with the same builds."""
        if any(one.name == package for one in self.whole.override_dependencies):
            return []
        asked = self.torch is not None and package == self.main
        return [
            one
            for member in self.around
            for one in (member.dependencies if asked else member.requirements())
            if one.name == package
            and (one in member.dependencies or self._is_scoped(one))
            and self._speaks_of(one, specs)
        ]

    def _is_scoped(self, one: Requirement) -> bool:
        """Tell whether a requirement stands in an extra or group that chooses a build."""
        return one.path[0] != "tool" and canonicalize_name(str(one.path[-2])) in self.scopes

    def _place(self, one: Requirement) -> str:
        """Return the place of a requirement of any member."""
        for member in self.around:
            if any(one is own for own in member.requirements()):
                return member.place(one.at)
        return self.project.place(one.at)

    def leaves_out(self, spec: TargetSpec) -> bool:
        """Tell whether torch is required for a target, and not on its platform."""
        own = [one for one in self.project.requirements() if one.name == self.main]
        own = [one for one in own if self.is_in_scope(one, spec)]
        return bool(own) and not any(may_hold(one.marker, spec.platform) for one in own)

    def labels(self, spec: TargetSpec) -> set[str]:
        """Return the builds that requirements of torch name for a target."""
        parts = (part for one in self.of(self.main, [spec]) for part in one.specifier)
        found = {part.version.partition("+")[2] for part in parts if part.operator == "=="}
        return found - {""}

    def refuse_labels(self, specs: Sequence[TargetSpec]) -> None:
        """Refuse a requirement that names one build, where targets need another.

        Raises:
            ProjectError: There is one.
        """
        for one in self.of(self.main, specs) if self.torch is None else ():
            for part in one.specifier:
                _, plus, local = part.version.partition("+")
                if plus and not self._is_label(one, part, specs):
                    others = dict.fromkeys(
                        f"`{Target(spec.platform, spec.backend) if spec.backend else spec.text}`"
                        for spec in specs
                        if self._is_for(one, spec) and not self._is_label(one, part, [spec])
                    )
                    raise ProjectError(
                        f"`{one.raw}` requires the build {local}, which cannot serve "
                        f"{', '.join(others)}",
                        at=self.project.place(one.at),
                        help=f"leave out `+{local}`: the index of each target selects its build",
                    )

    def blame(
        self,
        specs: Sequence[TargetSpec],
        refused: RequestError,
        find: Callable[[Sequence[TargetSpec], SpecifierSet], Version | None],
    ) -> NoReturn:
        """Raise a refusal again, with the requirement that is its cause, if one is.

        Args:
            specs: The targets.
            refused: The refusal.
            find: Which release a range would give to some targets.
        """
        every = (*self.of(self.main, specs), *self._of_members(self.main, specs))
        limits = [one for one in every if one.specifier]
        whole = self.admitted(self.main, specs)
        for limit in limits if find(specs, whole) is None else ():
            joined = SpecifierSet()
            for other in limits:
                joined &= SpecifierSet() if other is limit else self._specifier(other, specs)
            best = find(specs, joined)
            if best is not None:
                alone = [
                    one for one in specs if find([one], self.admitted(self.main, [one])) is None
                ]
                names = ", ".join(f"`{spec.text}`" for spec in alone or specs)
                raise RequestError(
                    f"`{limit.raw}` excludes {names}{_reason(refused)}",
                    at=self._place(limit),
                    help=f"change the requirement: torch {best} supports {names}",
                )
        if limits:
            refused.at = refused.at or self._place(limits[0])
        raise refused

    def _speaks_of(self, one: Requirement, specs: Sequence[TargetSpec]) -> bool:
        return any(self._is_for(one, spec) for spec in specs)

    def _is_for(self, one: Requirement, spec: TargetSpec) -> bool:
        return self.is_in_scope(one, spec) and self._may_hold(one, spec)

    def _may_hold(self, one: Requirement, spec: TargetSpec) -> bool:
        if one.marker is None or self.pythons is None:
            return may_hold(one.marker, spec.platform)
        return any(holds(one.marker, spec.platform, python) for python in self.pythons)

    def is_in_scope(self, one: Requirement, spec: TargetSpec) -> bool:
        """Tell whether a requirement stands where it counts for a target's build."""
        table, section = one.path[0], canonicalize_name(str(one.path[-2]))
        if table == "tool" or section not in self.scopes:
            return True
        return section in self.names.get(spec.backend.name if spec.backend else "", ())

    def _specifier(self, one: Requirement, specs: Sequence[TargetSpec]) -> SpecifierSet:
        parts = [
            f"=={part.version.partition('+')[0]}" if self._is_label(one, part, specs) else str(part)
            for part in one.specifier
        ]
        return SpecifierSet(",".join(parts))

    def _is_label(self, one: Requirement, part: Specifier, specs: Sequence[TargetSpec]) -> bool:
        """Tell whether a version names the very build of all targets that it is for."""
        _, plus, local = part.version.partition("+")
        own = [spec for spec in specs if self._is_for(one, spec)]
        return (
            part.operator == "=="
            and bool(plus)
            # The wheels for macOS have no label.
            and all(s.backend and s.backend.name == local and s.platform.os != "macos" for s in own)
        )


def _reason(refused: RequestError) -> str:
    """Return what a refusal says after its first colon: what one release lacks."""
    _, colon, reason = refused.message.partition(": ")
    return colon + reason
