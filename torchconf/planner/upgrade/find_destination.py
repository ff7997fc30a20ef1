"""Which backends and which release an upgrade leads to: one for all, or one for each part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import Version

from torchconf.errors import RequestError
from torchconf.model.ranges import admits_from, lowest_named, public
from torchconf.model.requirements import next_minor
from torchconf.planner.admitted_ranges import declared_range
from torchconf.planner.assess import UNKNOWN, ReleaseChoice
from torchconf.planner.upgrade.destination import Destination
from torchconf.planner.upgrade.parts import find_parts
from torchconf.planner.upgrade.search import Search

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torchconf.catalog import Catalog
    from torchconf.layout.configuration import Configuration
    from torchconf.model.backends import Backend
    from torchconf.model.project import Project
    from torchconf.planner.upgrade.destination import UpgradeRequest
    from torchconf.planner.upgrade.parts import Part

__all__ = ["find_destination"]


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
    together = Search(request, project, before, catalog, locked, owners)
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
    together: Search, parts: Sequence[Part], asked: Mapping[str, Backend | None]
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
