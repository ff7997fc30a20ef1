"""Upper bounds: what keeps all targets at one torch release, and companions at one that fits."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from torchconf.model.backends import PYPI
from torchconf.model.ranges import admits_from
from torchconf.model.requirements import next_minor, with_higher_bound, with_upper_bound
from torchconf.planner.assess import leaves_platform

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from torchconf.catalog import Catalog, Triton
    from torchconf.model.backends import Backend
    from torchconf.model.targets import Target
    from torchconf.planner.assess import ReleaseChoice


class Bounds:
    """The bounds of one plan. uv takes the newest release in a range; these keep that in reach.

    Attributes:
        torch: The release that torch must stay below, `2.12`, or None.
        tie: The release in whose line torch stays because something is built against it, or None.
        ceiling: The range of torch that uv will choose from.
        by_package: What each package must stay below, torch included.
    """

    def __init__(
        self,
        choice: ReleaseChoice,
        torch: SpecifierSet,
        catalog: Catalog,
        *,
        settled: bool,
        held: Collection[str],
        pin: bool,
        tied: bool = False,
        there: Iterable[Target] = (),
        routed: Collection[str] = (),
        ranges: Mapping[Backend, SpecifierSet] = MappingProxyType({}),
    ) -> None:
        """Find the bounds.

        Args:
            choice: The release that was chosen, with its targets and companions.
            torch: The range that is asked for, required and pinned.
            catalog: Which lines have ended.
            settled: The project has all these targets already; a bound that they need is there.
            held: Packages of which a constraint holds one version.
            pin: This plan holds exact versions of all.
            tied: Something is built against this line of torch: all targets stay in it.
            there: The targets that the project has. If these part from each other as it is, that
                is how its author wants them; a new target of the same indexes changes nothing.
            routed: Companions that have sources. Where torch needs no new bound, they need none.
            ranges: What is said of torch for the platforms of one backend alone.
        """
        self.choice = choice
        self.catalog = catalog
        self._tritons: dict[Backend, Triton | None] = {}
        there = tuple(there)
        known = {target.backend for target in choice.targets} <= {t.backend for t in there}
        self.parted = known and len({_last_line(target, catalog) for target in there}) > 1
        self.tie = choice.release if tied else None
        free = None if settled or self.tie else self._find_torch(torch)
        self.torch = next_minor(self.tie) if self.tie else free
        bound = SpecifierSet(f"<{self.torch}" if self.torch else "")
        if pin and choice.release is not None:
            bound &= SpecifierSet(f"=={choice.release}")
        self.ceiling = torch & bound
        self.ranges = {backend: own & bound for backend, own in ranges.items()}
        self.by_package = {} if self.torch is None else {catalog.main_package: self.torch}
        if not pin and not self.is_open:
            stay = frozenset(held).union(() if self.torch else routed)
            self.by_package |= {n: b for n, b in self._companions() if n not in stay}

    @property
    def is_open(self) -> bool:
        """Whether torch can go to whatever release comes next."""
        return self._admits_new(self.ceiling)

    def _admits_new(self, within: SpecifierSet) -> bool:
        return admits_from(within, next_minor(max(self.catalog.releases)))

    def triton(self, backend: Backend) -> Triton | None:
        """Return the triton package of the torch that uv will install: the newest in range."""
        if backend not in self._tritons:
            self._tritons[backend] = self._find_triton(backend)
        return self._tritons[backend]

    def _find_triton(self, backend: Backend) -> Triton | None:
        within = self.ranges.get(backend, self.ceiling)
        # None is reached where only an old release will do, or one newer than the catalog.
        reached = self._reached(backend, within) or (
            [self.choice.release] if self.choice.release else self.catalog.releases
        )
        newest = self.catalog.triton(backend, reached[0])
        lowest = self.catalog.triton(backend, self.choice.release or reached[0])
        # Some Python may be held back to the release that was chosen.
        if newest and lowest and newest.name == lowest.name:
            return newest._replace(bound=lowest.bound)
        return newest

    def triton_specifier(self, triton: Triton, backend: Backend | None = None) -> str:
        """Return the range of a triton package that a project requires directly."""
        parts = [f">={triton.bound}"] if triton.bound else []
        within = self.ranges.get(backend, self.ceiling) if backend else self.ceiling
        if triton.pin and not self._admits_new(within):
            # A newer triton could pull in an older torch, one that needs none.
            parts.append(f"<={triton.pin}")
        return ",".join(parts)

    def keep_within(self, text: str, name: str) -> str:
        """Return a requirement with the upper bound that its package needs, if it needs one."""
        bound = self.by_package.get(name)
        if name == self.catalog.main_package and self.tie is not None:
            # Its wheels for older torches may be newer themselves, and draw one platform back.
            text = with_higher_bound(text, f"{self.tie.major}.{self.tie.minor}")
        return text if bound is None else with_upper_bound(text, bound)

    def _find_torch(self, within: SpecifierSet) -> str | None:
        """Return what torch must stay below, if targets would part otherwise."""
        release, targets = self.choice.release, self.choice.targets
        if release is None or any(_is_unknown(target, self.catalog) for target in targets):
            return None
        lines = {_last_line(target, self.catalog) for target in targets}
        parts = (len(lines) > 1 and not self.parted) or any(
            leaves_platform(target, release, within, self.catalog) for target in targets
        )
        backends = {target.backend for target in targets}
        if parts or any(self._triton_changes(backend, within) for backend in backends):
            return next_minor(release)
        return None

    def _triton_changes(self, backend: Backend, within: SpecifierSet) -> bool:
        """Tell whether some Python is held back to releases whose triton has another name."""
        python = self.choice.python
        reached = self._reached(backend, within)
        served = [r for r in reached if python in self.catalog.release_pythons(r)]
        found = (self.catalog.triton(backend, r) for r in (*reached[:1], *served[:1]))
        return len({triton.name for triton in found if triton}) > 1

    def _reached(self, backend: Backend, within: SpecifierSet) -> list[Version]:
        """Return the releases in a range that a backend may have, newest first."""
        last = self.catalog.ended(backend)
        return [
            release
            for release in self.catalog.releases
            if release in within and (last is None or release <= Version(last))
        ]

    def _companions(self) -> Iterable[tuple[str, str]]:
        """Bound each companion of which a newer release states no torch, and would not fit."""
        for name, chosen in self.choice.companions.items():
            fitting = [
                version
                for release in self.catalog.releases
                if release in self.ceiling
                for version in self.catalog.companions(name, release) or ()
            ]
            highest = max(fitting, default=chosen)
            if self.catalog.leaves_torch_open(name, highest):
                yield name, next_minor(highest)


def _last_line(target: Target, catalog: Catalog) -> tuple[int, ...]:
    """Return the newest release line, such as `(2, 13)`, that a target is known to reach.

    Lines that go on reach as far as any of the PyTorch indexes does, seen or not: only one that
    has ended, or PyPI, whose listing is newer, parts from them, and what others publish.
    """
    backend = target.backend
    ends = [end for end in (catalog.ended(backend), catalog.platform_end(target.platform)) if end]
    if ends:
        return min(map(Version, ends)).release[:2]
    if backend == PYPI or catalog.publisher_of(backend):
        newest = catalog.last_seen(catalog.main_package, backend)
    else:
        newest = catalog.newest_indexed
    return newest.release[:2] if newest else ()


def _is_unknown(target: Target, catalog: Catalog) -> bool:
    """Tell whether nobody knows any release of torch that the index of others has."""
    backend = target.backend
    is_foreign = bool(catalog.publisher_of(backend))
    return is_foreign and catalog.last_seen(catalog.main_package, backend) is None


def lowest_companion(name: str, torch: SpecifierSet, catalog: Catalog) -> Version | None:
    """Return the newest companion of the lowest torch in a range, if the catalog knows one.

    One that PyTorch's indexes have comes first: a bound must not ask for what is on PyPI alone.
    """
    admitted = [release for release in catalog.releases if release in torch]
    fitting = (catalog.companions(name, min(admitted)) if admitted else None) or ()
    indexed = [version for version in fitting if catalog.is_indexed(name, version)]
    return max(indexed or fitting, default=None)
