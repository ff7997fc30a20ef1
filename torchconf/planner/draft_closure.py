"""Draft what torch needs from its own index beside triton: PyPI has others under these names.

uv applies a source to what is required directly, or held by a constraint with a range. Nobody
wants dozens of direct requirements, so each package gets a constraint and a source; those of GPUs
that nobody has are taken out of the lock, or not asked for where torch has an extra for each GPU.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from torchconf.errors import RequestError
from torchconf.model.markers import same_platforms, spell
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.requirements import required_name
from torchconf.model.toml_path import CONSTRAINTS, EXCLUDES, INDEXES, SOURCES
from torchconf.planner.draft_devices import device_gpus, draft_devices, draft_lines, drop_devices

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from torchconf.catalog import Catalog
    from torchconf.catalog.families import Closure
    from torchconf.edits.draft import Draft
    from torchconf.edits.plan import Value
    from torchconf.model.backends import Backend
    from torchconf.model.toml_path import Path

_COMMENT = "torch needs these from its own index; PyPI has other packages under the same names"
_SOURCE = "torch needs it from this index"


class _Wanted(NamedTuple):
    """What comes with one backend of a plan."""

    closure: Closure
    name: str
    """Of the index."""
    torch: list[dict[str, Any]]
    """The sources of torch that name the index."""
    is_alone: bool
    """No other build of the plan needs packages of the same names."""
    is_foreign: bool
    """The index is another publisher's."""

    def entries(self, package: str) -> list[Value]:
        """Return the sources of a package: it comes from the index wherever torch does.

        Beside other builds, one that these need from elsewhere has a source for its own choice, and
        only where this one needs it for sure: uv would apply any other source to these, too.
        """
        if self.is_alone and not self.is_foreign:
            return [{"index": self.name}]
        where = self.closure.common.get(package)
        found: list[Value] = []
        for entry in self.torch:
            scope: dict[str, Value] = {k: entry[k] for k in ("extra", "group") if k in entry}
            marker = entry.get("marker")
            if scope and where is not None:
                inside = _inside(marker, where)
                found += [{"index": self.name, **scope, "marker": inside}] if inside else []
            else:
                found.append({"index": self.name, **({"marker": marker} if marker else {})})
        return [one for number, one in enumerate(found) if one not in found[:number]]

    def lines(self, entry: Mapping[str, Any]) -> Iterator[str]:
        """Yield what a choice requires directly, so that its own sources apply."""
        if "extra" in entry or "group" in entry:
            for package, where in self.closure.common.items():
                if inside := _inside(entry.get("marker"), where):
                    yield f"{package} ; {inside}"


def _inside(marker: str | None, where: str) -> str | None:
    """Return the part of a marker inside of another one; None for an empty one."""
    inside = same_platforms(marker) & same_platforms(where)
    return spell(inside) if inside else None


def draft_closures(
    draft: Draft,
    root: Draft,
    catalog: Catalog,
    before: Iterable[Backend],
    after: Iterable[Backend],
    gpus: Collection[str],
    name_of: Callable[[Backend], str],
    asked: Collection[Backend] = (),
) -> tuple[str, ...]:
    """Draft the packages that come with the backends of a plan, and take others away.

    Args:
        draft: Of the file with the sources.
        root: Of the file with the constraints.
        catalog: Which backend needs what.
        before: The backends that the project has.
        after: Those that it is to have.
        gpus: The only ones for which to install; empty for those that the file has, or all.
        name_of: The name of a backend's index.
        asked: Those of which the request is about. Of others that the project has, nothing is
            brought where its author routes nothing of the kind.

    Returns:
        What to say.

    Raises:
        RequestError: There is no package for a GPU, or no target whose index has any.
    """
    after = dict.fromkeys(after)
    closures = {b: closure for b in after if (closure := catalog.closure(b)) is not None}
    refuse_gpus(gpus, closures.values())
    wanted = [
        _Wanted(
            closure,
            name,
            _torch_sources(draft, catalog, name),
            len(closures) == 1,
            bool(catalog.publisher_of(backend)),
        )
        for backend, closure in closures.items()
        for name in [name_of(backend)]
    ]
    refuse_shared_names(wanted)
    gone = {
        backend: closure
        for backend in before
        if backend not in after and (closure := catalog.closure(backend))
    }
    left = {name for closure in gone.values() for name in closure.packages}
    left = left.difference(*(c.packages for c in closures.values()))
    common = {name for closure in gone.values() for name in closure.common}
    _take(draft, root, left - common)
    _take_from(draft, root, common & left, _names(draft, root, catalog, gone))
    _drop(root, EXCLUDES, left)
    if gone and not any(closure.device for closure in closures.values()):
        drop_devices(draft, catalog)
    said: list[str] = []
    had = dict.fromkeys(before)
    for one in wanted:
        is_new = one.closure.backend not in had or one.closure.backend in asked
        if gpus or is_new or _is_routed(draft, one):
            others = {name for each in wanted if each is not one for name in each.closure.shared}
            said += _bring(draft, root, one, gpus, catalog, others)
    return tuple(said)


def _is_routed(draft: Draft, wanted: _Wanted) -> bool:
    """Tell whether a package of a closure has a source already."""
    return any(
        entry.get("index") == wanted.name
        for name, listed in (draft.get(SOURCES) or {}).items()
        if canonicalize_name(name) in wanted.closure.packages
        for entry in _listed(listed)
    )


def refuse_gpus(gpus: Iterable[str], closures: Iterable[Closure]) -> None:
    """Refuse GPUs for which no target has a package.

    Raises:
        RequestError: There is one.
    """
    known = {gpu for closure in closures for gpu in closure.by_gpu}
    for gpu in gpus:
        if not known:
            raise RequestError(
                f"`--gpu {gpu}`: no target has packages for single GPUs",
                help="omit `--gpu`; it is for ROCm builds that come in parts",
            )
        if gpu not in known:
            raise RequestError(
                f"`--gpu {gpu}`: no package for that GPU is known",
                help=f"there are packages for {', '.join(sorted(known, key=_number))}",
            )


def refuse_shared_names(wanted: Sequence[_Wanted]) -> None:
    """Refuse two builds on one platform whose packages have the same names.

    Raises:
        RequestError: There are two.
    """
    for one, other in combinations(wanted, 2):
        if not set(one.closure.packages).isdisjoint(other.closure.packages) and any(
            same_platforms(here.get("marker")) & same_platforms(there.get("marker"))
            for here in one.torch
            for there in other.torch
        ):
            names = [each.closure.backend.name for each in (one, other)]
            raise RequestError(
                f"{names[0]} and {names[1]} need packages of the same names from their own "
                "indexes, so one project cannot have both on one platform",
                help="omit one of them",
            )


def _number(gpu: str) -> tuple[int, str]:
    return len(gpu), gpu


def _torch_sources(draft: Draft, catalog: Catalog, index: str) -> list[dict[str, Any]]:
    key = draft.key(SOURCES, catalog.main_package, canonicalize_name)
    return [one for one in _listed(draft.get((*SOURCES, key))) if one.get("index") == index]


def _listed(sources: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - a parsed TOML value
    return [sources] if isinstance(sources, dict) else list(sources or ())


def _bring(
    draft: Draft,
    root: Draft,
    wanted: _Wanted,
    gpus: Collection[str],
    catalog: Catalog,
    others: Collection[str],
) -> Iterator[str]:
    """Bring the packages of a build, and say which; `others` are those that another build needs."""
    closure = wanted.closure
    excluded = {canonicalize_name(str(line)) for line in root.get(EXCLUDES) or ()}
    asked = gpus or device_gpus(draft, catalog, closure)
    kept = [
        gpu
        for gpu, own in closure.by_gpu.items()
        if (gpu in asked if asked else closure.device or not excluded.issuperset(own))
        # What is excluded is excluded for every build.
        or (not closure.device and not set(own).isdisjoint(others))
    ]
    needed = closure.of(kept)
    packages = [name for name in needed if wanted.entries(name)]
    left = [name for name in closure.packages if name not in needed and name not in others]
    new = [name for name in packages if draft.get((*SOURCES, name)) is None]
    _take(draft, root, left)
    _drop(root, EXCLUDES, packages)
    # Several builds have versions of their own under the same names.
    _hold(root, packages, closure.bound if wanted.is_alone else ">=0")
    for name in needed:
        _route(draft, name, wanted)
    for entry in wanted.torch:
        draft_lines(draft, entry, wanted.lines(entry))
    if closure.device:
        extras = closure.extras(kept if asked else ())
        draft_devices(draft, catalog, closure, wanted.name, extras, anew=bool(gpus))
    else:
        _exclude(root, [name for name in left if name not in excluded])
    if new:
        which = ", ".join(kept) if left else "all GPUs" if kept else closure.backend.title
        yield (
            f"{closure.backend.name}: torch needs {len(packages)} more packages of its index, "
            f"for {which}; they get sources and constraints"
        )
        if kept and not left:
            yield "to install the packages of some GPUs only, pass `--gpu`, as in `--gpu gfx1100`"


def _route(draft: Draft, name: str, wanted: _Wanted) -> None:
    """Let a package come from the index wherever torch does; other indexes keep theirs."""
    key = draft.key(SOURCES, name, canonicalize_name)
    current = draft.get((*SOURCES, key))
    entries = wanted.entries(name)
    if current is None and not entries:
        return
    if current is None:
        draft.put((*SOURCES, key), entries[0] if len(entries) == 1 else entries, _SOURCE)
        return
    there = _listed(current)
    others = [one for one in there if one.get("index") != wanted.name]
    if [one for one in there if one.get("index") == wanted.name] != entries:
        both = [*others, *entries]
        if not both:
            draft.remove((*SOURCES, key), "no target needs it")
            return
        draft.put((*SOURCES, key), both[0] if len(both) == 1 else both, _SOURCE)


def _exclude(root: Draft, packages: Iterable[str]) -> None:
    """Take packages out of the lock that torch requires for GPUs that nobody has."""
    for name in packages:
        reason = "for another GPU"
        if root.get(EXCLUDES) is None:
            root.put(EXCLUDES, [name], reason, "packages of GPUs that this project is not for")
        else:
            root.insert(EXCLUDES, name, reason)


def _hold(root: Draft, packages: Iterable[str], bound: str) -> None:
    """Add the constraints that are missing."""
    there = {required_name(str(line)) for line in root.get(CONSTRAINTS) or ()}
    lines = [f"{name}{bound}" for name in packages if name not in there]
    if root.get(CONSTRAINTS) is None and lines:
        root.put(CONSTRAINTS, list(lines), "so that the sources apply", _COMMENT)
        return
    for line in lines:
        root.insert(CONSTRAINTS, line, "so that its source applies")


def _take(draft: Draft, root: Draft, packages: Collection[str]) -> None:
    """Take packages out of sources and constraints."""
    for name in list(draft.get(SOURCES) or {}) if packages else ():
        if canonicalize_name(name) in packages:
            draft.remove((*SOURCES, name), "no target needs it")
    _drop(root, CONSTRAINTS, packages)


def _take_from(
    draft: Draft, root: Draft, packages: Collection[str], indexes: Collection[str]
) -> None:
    """Take packages away from some indexes only: from others, other builds need them."""
    for name, listed in list((draft.get(SOURCES) or {}).items()):
        if canonicalize_name(name) in packages:
            entries = _listed(listed)
            kept = [one for one in entries if one.get("index") not in indexes]
            if not kept:
                _take(draft, root, {canonicalize_name(name)})
            elif kept != entries:
                draft.put((*SOURCES, name), list(kept), "no target needs the others")


def _names(
    draft: Draft, root: Draft, catalog: Catalog, backends: Collection[Backend]
) -> frozenset[str]:
    """Return the names of the indexes that serve some builds."""
    indexes = [*(draft.get(INDEXES) or ()), *(root.get(INDEXES) or ())]
    return frozenset(
        one["name"]
        for one in indexes
        if "url" in one and "name" in one and catalog.backend_of_url(one["url"]) in backends
    )


def _drop(root: Draft, path: Path, packages: Collection[str]) -> None:
    lines = root.get(path) or []
    for number in reversed(range(len(lines))):
        if required_name(str(lines[number])) in packages:
            root.remove((*path, number), "no target needs it")
    if root.get(path) == []:
        root.remove(path, "it is empty")
