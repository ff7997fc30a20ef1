"""Which release an upgrade can have: for the targets that count, one range after the other."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from torchconf.catalog import Answer
from torchconf.errors import RequestError
from torchconf.model.backends import PYPI
from torchconf.model.markers import may_hold
from torchconf.model.ranges import exclusions, lowest_named
from torchconf.model.requirements import exact_version, torch_specifier
from torchconf.planner.assess import UNKNOWN, Needs, ReleaseChoice
from torchconf.planner.releases import choose_release
from torchconf.planner.upgrade.asked_backends import AskedBackends

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from packaging.version import Version

    from torchconf.model.backends import Backend
    from torchconf.model.targets import Target


class Attempts(AskedBackends):
    """Releases that are tried, and the targets that hold others back."""

    def _choose(
        self, asked: Mapping[str, Backend | None]
    ) -> tuple[ReleaseChoice, tuple[Target, ...]]:
        """Return the choice, and the old targets that it serves."""
        every = self._served() if self.before.layout is None else self._required()
        named = tuple(target for target in every if self._is_meant(target))
        every = tuple(t for t in every if t in named or self._was_served(t))
        refused: RequestError | None = None
        for within in self._ranges():
            for targets in dict.fromkeys((every, named)):
                try:
                    return self._try(targets, asked, within), targets
                except RequestError as error:
                    refused = refused or error
        if refused is None:  # there is at least one range
            raise AssertionError
        refused.at = refused.at or self._place_of_exclusion()
        for targets in dict.fromkeys((every, named)):
            try:
                best = self._try(targets, asked, SpecifierSet()).release
            except RequestError:
                continue
            if best is None:
                continue
            say = "" if self.request.torch else f"; request it with `--torch {best}`"
            raise RequestError(
                refused.message,
                at=refused.at,
                help=f"the newest torch available for all targets is {best}{say}",
            ) from None
        raise refused

    def _place_of_exclusion(self) -> str | None:
        """Return where a release is excluded, which could be what stands in the way."""
        for project in self.owners:
            for one in project.requirements():
                if one.name == self.main and exclusions(one.specifier):
                    return project.place(one.at)
        return None

    def _required(self) -> tuple[Target, ...]:
        """Return the targets for which torch is required, as far as markers tell."""
        where = self.platforms.get(self.main)
        asked = [t for t in self.before.targets if where is None or t.platform in where]
        return tuple(asked) or self.before.targets

    def _served(self) -> tuple[Target, ...]:
        """Return the platforms of a project without sources, which names none of them.

        One for which its packages have no wheels at all is none of its platforms.
        """
        served: list[Target] = []
        for target in self.before.targets:
            try:
                self._try((target,), self.there, SpecifierSet())
            except RequestError:
                continue
            served.append(target)
        return tuple(served) or self.before.targets

    def _try(
        self,
        targets: Iterable[Target],
        asked: Mapping[str, Backend | None],
        within: SpecifierSet,
    ) -> ReleaseChoice:
        specs = [self._spec(target, asked) for target in targets]
        needs = Needs(within, self.packages, self.project.requires_python, self.platforms)
        choice = choose_release(specs, needs, self.catalog)
        if choice.certainty == UNKNOWN and self.request.torch is None:
            # Nobody asked for a release that no one has seen: all stays at what there is.
            floor = lowest_named(within)
            if floor is None:
                return choice._replace(release=None, companions={})
            choice = choose_release(
                specs, Needs(SpecifierSet(f"=={floor}"), {}, needs.python), self.catalog
            )
        return choice

    def _ranges(self) -> Iterator[SpecifierSet]:
        """Yield what the release must be in: as is asked for, else not below what there is.

        A release that the project excludes is never taken.
        """
        excluded = exclusions(self.declared) & SpecifierSet(self.request.within)
        if self.request.torch is not None:
            exact = exact_version(self.request.torch)
            holds_one = any(part.operator in {"==", "==="} for part in self.declared)
            asked = f"=={exact}" if exact and holds_one else torch_specifier(self.request.torch)
            yield SpecifierSet(asked) & excluded
            return
        if self.within is not None:
            yield self.within & SpecifierSet(self.request.within)
            return
        floor = lowest_named(self.declared)
        if self.locked is not None and self.declared.contains(self.locked, prereleases=True):
            yield SpecifierSet(f">={self.locked}") & excluded
        yield SpecifierSet(f">={floor}" if floor else "") & excluded

    def _is_meant(self, target: Target) -> bool:
        """Tell a target that holds others back.

        An unusual machine that nothing here ever served does not, whatever a marker says of it.
        """
        if self._is_implied(target):
            return False
        if target.platform.is_usual or target.backend == PYPI:
            return True
        try:
            self._try((target,), self.there, self.declared)
        except RequestError:
            return False
        return True

    def _is_implied(self, target: Target) -> bool:
        """Tell a target that nobody asked for: an unusual machine, which no marker tells apart."""
        if target.platform.is_usual or target.backend in {self.catalog.fallback, PYPI}:
            return False
        required = self.project.workspace.required_environments
        if any(may_hold(entry.marker, target.platform) for entry in required):
            return False
        markers = (
            str(source.marker)
            for package, sources in self.project.sources.items()
            if package in self.catalog.family
            for source in sources
        )
        return not any("platform_machine" in marker for marker in markers)

    def _was_served(self, target: Target) -> bool:
        """Tell whether a target has wheels as things are: only then has it something to lose.

        Where no wheel was ever seen, there is none.
        """
        now, catalog = self._now, self.catalog
        own = catalog.seen_releases(self.main, target.backend, target.platform, catalog.pythons)
        if now is not None and target.backend != catalog.fallback and next(own, None) is None:
            return False
        pythons = self.catalog.supported_pythons(now, self.project.requires_python) if now else ()
        return now is None or any(
            self.catalog.available(self.main, now, target.backend, target.platform, python)
            is not Answer.NO
            for python in pythons
        )

    @cached_property
    def _now(self) -> Version | None:
        """The newest release that the project admits for the targets that somebody named."""
        named = [target for target in self.before.targets if self._is_meant(target)]
        try:
            return self._try(named, self.there, self.declared).release
        except RequestError:
            return None
