"""The search for the backends and the release that all targets can have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from torchconf.errors import RequestError
from torchconf.layout.configuration import index_backends
from torchconf.model.backends import PYPI
from torchconf.model.markers import may_hold
from torchconf.model.targets import SHOWN_PLATFORMS, Target
from torchconf.planner.assess import UNKNOWN, ReleaseChoice
from torchconf.planner.upgrade.attempts import Attempts
from torchconf.planner.upgrade.destination import Destination

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    from torchconf.model.backends import Backend
    from torchconf.planner.upgrade.parts import Part


class Search(Attempts):
    """A search for a whole project, or for one of its extras or groups."""

    def part(self, part: Part, packages: Container[str], within: SpecifierSet | None) -> Search:
        """Return the search for one extra or group, whose build must have some packages."""
        own = [t for t in self.before.targets if t.backend.name == part.backend]
        if part.backend == PYPI.name:
            own += self._beside_pypi(part)
        targets = tuple(dict.fromkeys(own))
        request = self.request._replace(backends=(), everything=False)
        before = self.before._replace(targets=targets, layout="markers")
        search = Search(request, self.project, before, self.catalog, self.locked, self.owners)
        search.is_part = True
        search.declared = part.declared
        search.within = None if self.request.torch is not None else within
        base = {r.name: r.specifier for r in self.project.dependencies}
        search.packages = {
            name: base.get(canonicalize_name(name), allowed)
            for name, allowed in self.packages.items()
            if name in packages
        }
        return search

    def _beside_pypi(self, part: Part) -> Iterator[Target]:
        """Yield what other platforms get with a choice of PyPI's build, whose listing is newer."""
        known = index_backends(self.project, self.catalog)
        scope = canonicalize_name(part.name)
        for source in self.project.sources_for(canonicalize_name(self.main)):
            if (source.extra or source.group) == scope and source.value in known:
                for platform in SHOWN_PLATFORMS:
                    if may_hold(source.marker, platform):
                        yield Target(platform, known[source.value][1])

    def find(self, moves: Mapping[str, Backend | None]) -> Destination:
        """Find it; `moves` says what each backend becomes: None is the newest."""
        asked = dict(moves)
        choice, targets = self._choose(asked)
        backends = self._backends(asked, choice)
        backwards = {
            old: self.there[old]
            for old, new in backends.items()
            if asked[old] is None and new.version < self.there[old].version
        }
        if backwards:
            asked |= backwards
            choice, targets = self._choose(asked)
            backends = self._backends(asked, choice)
        self.refuse_two_in_one(backends)
        if self.request.torch is None and not (self.request.everything or self.is_part):
            self._say_what_holds_back(asked, choice)
        changed = {old: new for old, new in backends.items() if new.name != old}
        after = dict.fromkeys(Target(t.platform, backends[t.backend.name]) for t in targets)
        return Destination(
            choice=choice._replace(targets=tuple(after)),
            backends=changed,
            given_up=tuple(
                t
                for t in self.before.targets
                if t not in targets and t.backend != PYPI and self._was_served(t)
            ),
            notes=tuple(self.notes),
        )

    def is_settled(self) -> bool:
        """Tell whether each build has a release of its own, and nothing else is asked for.

        Where no requirement names more than a lower bound, uv takes the newest of each index.
        """
        request = self.request
        if request.torch or request.backends or request.everything or self.before.layout is None:
            return False
        if self.before.layout == "markers" or any(part.operator != ">=" for part in self.declared):
            return False
        for backend in self.there.values():
            named = [t for t in self.before.targets if t.backend == backend]
            named = [t for t in named if not self._is_implied(t)] or named
            try:
                self._try(named, self.there, self.declared)
            except RequestError:
                return False
        return True

    def nothing(self, *notes: str) -> Destination:
        """Return a destination to which nothing moves, and what says why."""
        choice = ReleaseChoice(None, self.before.targets, {}, None, UNKNOWN, ())
        newest = f"each build has the newest {self.main} of its index: nothing to upgrade"
        notes = notes or (*self.notes, newest)
        return Destination(choice, {}, (), notes, is_settled=True)

    def _say_what_holds_back(
        self, asked: Mapping[str, Backend | None], choice: ReleaseChoice
    ) -> None:
        """Say that there is a newer release, which needs other backends."""
        free = {old: None if self.there[old].version else new for old, new in asked.items()}
        ends = {
            backend.name: Version(last)
            for backend in (asked[old] or self.there[old] for old in asked)
            if (last := self.catalog.ended(backend)) is not None
        }
        if not ends or choice.release is None:
            return
        try:
            further = self._try(self.before.targets, free, SpecifierSet(f">{choice.release}"))
        except RequestError:
            return
        newer = further.release
        if newer is None or newer <= choice.release or not self.catalog.covered(newer):
            return
        ended = [f"{name} ended with torch {last}" for name, last in ends.items() if last < newer]
        if ended:
            self.notes.append(
                f"torch {newer} needs another build: {', '.join(ended)}; `--all` or "
                "`--backend OLD=NEW` upgrades it"
            )
