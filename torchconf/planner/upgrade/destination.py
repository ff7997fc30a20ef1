"""Which backends and which release an upgrade leads to."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from torchconf.catalog import Answer
from torchconf.errors import RequestError
from torchconf.layout.configuration import index_backends
from torchconf.model.backends import PYPI
from torchconf.model.markers import may_hold
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.ranges import admits_from, exclusions, lowest_named, public
from torchconf.model.requirements import exact_version, next_minor, torch_specifier
from torchconf.model.target_spec import TargetSpec, parse_target_spec
from torchconf.model.targets import SHOWN_PLATFORMS, Target
from torchconf.planner.admitted_ranges import admitted_range, declared_range
from torchconf.planner.assess import UNKNOWN, Needs, ReleaseChoice
from torchconf.planner.releases import choose_release
from torchconf.planner.upgrade.parts import find_parts, required_platforms

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

    from torchconf.catalog import Catalog
    from torchconf.layout.configuration import Configuration
    from torchconf.model.backends import Backend
    from torchconf.model.project import Project
    from torchconf.planner.upgrade.parts import Part

__all__ = ["Destination", "UpgradeRequest", "find_destination"]


class UpgradeRequest(NamedTuple):
    """What a user asks for: one field a flag of `upgrade`."""

    torch: str | None = None
    """A specifier, or a bare version, which means that release."""
    backends: tuple[tuple[str, str], ...] = ()
    """Old backend to new one, as typed."""
    everything: bool = False
    """Move each backend to the newest that all its targets share."""
    rename: bool = False
    """Whether extras and groups named after a backend get its new name."""
    record: bool = False
    """List the targets in a file that has no list yet."""
    within: str = ""
    """The line of torch for which there are wheels of what is built against it: `==2.12.*`."""


class Destination(NamedTuple):
    """Where a project can go."""

    choice: ReleaseChoice
    """The release, with the targets that the project has afterwards."""
    backends: Mapping[str, Backend]
    """Old backend to new one, of those that change."""
    given_up: tuple[Target, ...]
    """Targets that no one asked for by name, and that cannot follow."""
    notes: tuple[str, ...]
    parts: Mapping[Part, ReleaseChoice] = {}
    """What each extra or group gets, where they go their own ways."""
    is_settled: bool = False
    """Nothing moves: uv takes the newest of each index as it is."""
    tied: bool = False
    """Torch stays in its line: something is built against it."""

    def new(self, target: Target) -> Target:
        """Return what becomes of a target."""
        return target._replace(backend=self.backends.get(target.backend.name, target.backend))


def find_destination(
    request: UpgradeRequest,
    project: Project,
    before: Configuration,
    catalog: Catalog,
    locked: Version | None,
    owners: Sequence[Project] = (),
) -> Destination:
    """Find the release and the backends that all targets can have.

    Args:
        request: What is asked for. Without a release, there is no way back: neither below what
            the project requires, nor below what it has locked.
        project: As it is.
        before: What the project has.
        catalog: What is available.
        locked: The release in uv.lock.
        owners: The projects whose requirements it has, if it stands for several.

    Raises:
        RequestError: A target cannot follow; the newest release that all can have is named.
    """
    together = _Search(request, project, before, catalog, locked, owners)
    asked = together.asked()
    parts = find_parts(project, before, catalog, bare=request.torch is not None)
    joint = public(declared_range(project, catalog.main_package))
    disjoint = bool(parts) and not any(release in joint for release in catalog.releases)
    # The markers of one that serves no target hold nowhere.
    live = [part for part in parts if part.backend in together.there]
    if any(part.held for part in parts) or (
        request.torch is None and (disjoint or _are_apart(live, asked, catalog))
    ):
        return _find_apart(together, parts, asked)
    try:
        joined = together.find(asked)
        # What nobody has seen moves nothing, and each part stays where it is itself.
        if not parts or joined.choice.certainty != UNKNOWN or request.torch or locked:
            return joined
    except RequestError:
        if together.is_settled():
            return together.nothing()
        if not parts or (request.torch is not None and not disjoint):
            raise
    return _find_apart(together, parts, asked)


def _are_apart(
    parts: Sequence[Part], asked: Mapping[str, Backend | None], catalog: Catalog
) -> bool:
    """Tell whether uv takes a newer torch for one than another one's line will ever have."""

    def end(part: Part) -> Version | None:
        old = catalog.backend(part.backend)
        new = asked.get(part.backend, old) or catalog.newest_first(old.accelerator)[0]
        last = catalog.ended(new)
        return Version(last) if last else None

    ends = {part: end(part) for part in parts}
    first = min((last for last in ends.values() if last), default=None)
    return first is not None and any(
        admits_from(part.declared, next_minor(first)) and (last is None or last > first)
        for part, last in ends.items()
    )


def _find_apart(
    together: _Search, parts: Sequence[Part], asked: Mapping[str, Backend | None]
) -> Destination:
    """Find a release for each extra or group: the newest goes on, others keep to their range.

    Raises:
        RequestError: None of them can have what is asked for.
    """
    request = together.request
    named = dict(request.backends)
    moving = [part for part in parts if part.held is None and part.backend in together.there]
    newest = max((lowest_named(p.declared) or Version("0") for p in moving), default=Version("0"))
    notes = [f"{p.spoken} stays as it is: {p.held.why}, at {p.held.at}" for p in parts if p.held]
    notes += together.notes
    found: dict[Part, ReleaseChoice] = {}
    backends: dict[str, Backend] = {}
    refused: list[RequestError] = []
    for part in moving:
        moves = {old: new for old, new in asked.items() if old == part.backend}
        lowest = lowest_named(part.declared)
        leads = (lowest or newest) == newest
        if part.is_exact and not leads and request.torch is None and part.backend not in named:
            notes.append(f"{part.spoken} stays at torch {lowest}, which it pins")
            continue
        free = leads and part.is_exact
        # Those that share a build go to one, which has what each of them needs.
        beside = {name for p in moving if p.backend == part.backend for name in p.packages}
        search = together.part(part, beside, within=None if free else part.declared)
        try:
            destination = search.find({**search.there, **moves})
        except RequestError as error:
            if part.backend in named:
                raise
            refused.append(error)
            notes.append(f"{part.spoken} stays as it is: {error.message}")
            continue
        release = destination.choice.release
        found[part] = destination.choice
        stays = lowest is None or release == lowest
        if stays and not destination.backends and request.torch is None:
            # Where nothing moves, nothing is to be written: a new bound would hold it back.
            found[part] = destination.choice._replace(release=None, companions={})
        backends |= destination.backends
        if release is not None:
            notes.append(f"{part.spoken}: torch {release}")
        notes += destination.notes
    if not found and refused:
        raise refused[0]
    if not found:
        return together.nothing(*notes)
    together.refuse_two_in_one(
        {name: backends.get(name, backend) for name, backend in together.there.items()}
    )
    highest = max(found.values(), key=lambda choice: choice.release or Version("0"))
    targets = (
        target._replace(backend=backends.get(target.backend.name, target.backend))
        for target in together.before.targets
    )
    return Destination(
        choice=highest._replace(targets=tuple(dict.fromkeys(targets))),
        backends=backends,
        given_up=(),
        notes=tuple(notes),
        parts=found,
    )


class _Search:
    def __init__(
        self,
        request: UpgradeRequest,
        project: Project,
        before: Configuration,
        catalog: Catalog,
        locked: Version | None,
        owners: Sequence[Project] = (),
    ) -> None:
        self.request = request
        self.project = project
        self.owners = owners or (project,)
        self.before = before
        self.catalog = catalog
        self.locked = locked
        self.main = catalog.main_package
        self.there = {target.backend.name: target.backend for target in before.targets}
        self.declared = public(admitted_range(project, self.main))
        self.within: SpecifierSet | None = None
        """What a part of a project keeps to."""
        self.is_part = False
        self.platforms = required_platforms(project, catalog)
        self.packages = {
            str(name): exclusions(declared_range(project, name))
            for name in before.packages
            if name != self.main and catalog.companions(name, catalog.releases[0]) is not None
        }
        self.notes: list[str] = []

    def part(self, part: Part, packages: Container[str], within: SpecifierSet | None) -> _Search:
        """Return the search for one extra or group, whose build must have some packages."""
        own = [t for t in self.before.targets if t.backend.name == part.backend]
        if part.backend == PYPI.name:
            own += self._beside_pypi(part)
        targets = tuple(dict.fromkeys(own))
        request = self.request._replace(backends=(), everything=False)
        before = self.before._replace(targets=targets, layout="markers")
        search = _Search(request, self.project, before, self.catalog, self.locked, self.owners)
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

    # Backends.

    def asked(self) -> dict[str, Backend | None]:
        """Return what each backend of the project becomes; None for the newest."""
        asked: dict[str, Backend | None] = dict(self.there)
        named = dict(self.request.backends)
        for old, new in named.items():
            known = self.there.get(old)
            if known is None:
                raise RequestError(
                    f"no target has the backend `{old}`",
                    help=f"the project has {', '.join(self.there)}",
                )
            asked[old] = self._asked_for(known, new)
        if self.request.everything:
            for old in self._movable([name for name in self.there if name not in named]):
                asked[old] = None
        return asked

    def _asked_for(self, old: Backend, word: str) -> Backend | None:
        """Read a new backend as in a target of each platform that has the old one."""
        flag = f"`--backend {old.name}={word}`"
        if not old.version:
            raise RequestError(
                f"{flag}: {old.title} has only one build",
                help="for another build run `torchconf add-target`",
            )
        vocabulary = self.catalog.vocabulary
        meant = vocabulary.backends.get(word)
        accelerators = {known.name for known in vocabulary.accelerators}
        if (meant.accelerator if meant else word) in accelerators - {old.accelerator}:
            raise RequestError(
                f"{flag}: {old.title} and `{word}` are different accelerators",
                help="for another accelerator run `torchconf add-target` and "
                "`torchconf remove-target`",
            )
        found = [
            parse_target_spec(f"{target.platform.short}-{word}", vocabulary)
            for target in self.before.targets
            if target.backend == old
        ]
        return found[0].backend

    def _movable(self, names: Iterable[str]) -> Iterator[str]:
        """Yield the backends that `--all` moves: of several extras or groups only the newest.

        The others are there for older machines.
        """
        with_version = [self.there[name] for name in names if self.there[name].version]
        for accelerator in dict.fromkeys(backend.accelerator for backend in with_version):
            own = sorted(
                (b for b in with_version if b.accelerator == accelerator),
                key=lambda backend: backend.version,
            )
            for backend in own:
                if backend == own[-1] or self.before.layout == "markers":
                    yield backend.name
                else:
                    self.notes.append(
                        f"{backend.name} stays: {own[-1].name} is newer; "
                        f"`--backend {backend.name}=...` upgrades it"
                    )

    def _backends(
        self, asked: Mapping[str, Backend | None], choice: ReleaseChoice
    ) -> dict[str, Backend]:
        """Return the new backend of each old one."""
        named = {
            self._spec(target, asked)[:3]
            for target in self.before.targets
            if asked[target.backend.name] is not None
        }
        resolved = [
            t for t in choice.targets if (t.platform, t.backend.accelerator, t.backend) not in named
        ]
        found: dict[str, Backend] = {}
        for old, new in asked.items():
            accelerator = self.there[old].accelerator
            platforms = {t.platform for t in self.before.targets if t.backend.name == old}
            candidates = [
                target.backend
                for target in (*resolved, *choice.targets)
                if target.platform in platforms and target.backend.accelerator == accelerator
            ]
            found[old] = new or next(iter(candidates), self.there[old])
        return found

    def refuse_two_in_one(self, backends: Mapping[str, Backend]) -> None:
        """Refuse to make two extras, or two groups, bring the same build."""
        if self.before.layout == "markers":
            return
        taken: dict[str, str] = {}
        for old, new in backends.items():
            other = taken.setdefault(new.name, old)
            if other != old:
                raise RequestError(
                    f"`{other}` and `{old}` would both become {new.title}",
                    at=self.project.place("tool.uv.sources"),
                    help="remove one of them first with `torchconf remove-target`",
                )

    # The release.

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

    def _spec(self, target: Target, asked: Mapping[str, Backend | None]) -> TargetSpec:
        new = asked[target.backend.name]
        accelerator = target.backend.accelerator
        text = f"{target.platform.short}-{new.name if new else accelerator}"
        return TargetSpec(target.platform, accelerator, new, text)

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
