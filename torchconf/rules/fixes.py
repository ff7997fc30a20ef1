"""Steps that fixes share: changing one text, and routing packages to an index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.model.targets import PLATFORMS, SHOWN_PLATFORMS
from torchconf.model.toml_path import INDEXES, SOURCES
from torchconf.rules.installed_builds import own_sources, source_entries

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from packaging.markers import Marker

    from torchconf.edits.draft import Draft
    from torchconf.edits.plan import Step, Value
    from torchconf.model.backends import Backend
    from torchconf.model.targets import Platform
    from torchconf.model.toml_path import Path
    from torchconf.rules.context import Context

__all__ = [
    "add_index",
    "add_sources",
    "draft_of",
    "index_name",
    "limited_to_wheels",
    "put_at",
    "put_entries",
    "same_name",
    "servable",
    "wheel_marker",
    "without_wheels",
]


def draft_of(context: Context) -> Draft:
    """Return a draft on the file of a context, without steps where one makes no sense."""
    # Imported here, as all that only a finding needs.
    from torchconf.edits.draft import CarefulDraft

    return CarefulDraft(context.project.data)


def put_at(path: Path, value: Value, reason: str) -> Step:
    """Return the step that sets what stands at a TOML path: a key, or an entry of an array."""
    from torchconf.edits.plan import Put, Replace

    return Put(path, value, reason) if isinstance(path[-1], str) else Replace(path, value, reason)


def put_entries(draft: Draft, context: Context, package: str, entries: Sequence[Value]) -> None:
    """Give a package these sources, under the key that the file has for it."""
    found = own_sources(context, package)
    key = found[0] if found else package
    value: Value = entries[0] if len(entries) == 1 else list(entries)
    draft.put((*SOURCES, key), value, "PyTorch packages must come from the same index")


def without_wheels(context: Context, backend: Backend) -> frozenset[Platform]:
    """Return the platforms for which PyTorch never published an accelerator, not even once."""
    if backend == context.catalog.fallback:
        return frozenset()
    known = context.catalog.accelerator(backend).platforms
    return frozenset(platform for platform in PLATFORMS if platform.key not in known)


def wheel_marker(context: Context, backend: Backend | None) -> str | None:
    """Return the marker that keeps a backend off platforms without its wheels; None: no need.

    A machine that hardly anybody has (Windows on ARM) is not told apart.
    """
    if backend is None:
        return None
    lacking = without_wheels(context, backend)
    shown = [p for p in SHOWN_PLATFORMS if p.machine != "aarch64" or backend.accelerator == "rocm"]
    if lacking.issuperset(shown):
        shown = [*PLATFORMS]
    there = [platform for platform in shown if platform not in lacking]
    missing = [platform for platform in shown if platform in lacking]
    if not missing or not there:
        return None
    from torchconf.model.markers import areas, render_areas, render_rest

    if {platform.os for platform in missing} == {"macos"}:
        return render_rest(areas(missing, apart=()))
    return render_areas(areas(there, apart=missing))


def limited_to_wheels(
    context: Context, marker: Marker | None, raw: str | None, backend: Backend
) -> str:
    """Return a marker that holds where one does and the backend has wheels."""
    from torchconf.model.markers import meet

    wanted = wheel_marker(context, backend) or ""
    return wanted if marker is None or raw is None else meet(raw, wanted)


def servable(context: Context, url: str, packages: Iterable[str]) -> tuple[str, ...]:
    """Return the packages that an index, or the index that it mirrors, is known to carry."""
    catalog = context.catalog
    backend = catalog.backend_of_url(url)
    if backend is None:
        return ()
    own = f"{catalog.base_url}/{backend.name}"
    return tuple(package for package in packages if catalog.serves(own, package))


def index_name(context: Context, url: str) -> str:
    """Return a name for an index that has none, and that nothing else has."""
    backend = context.catalog.backend_of_url(url)
    name = f"pytorch-{backend.name}" if backend else "pytorch"
    taken = {index.name for index in context.project.indexes}
    while name in taken:
        name += "-2"
    return name


def add_sources(
    draft: Draft, context: Context, name: str, url: str, packages: Iterable[str]
) -> None:
    """Route packages that have no source yet to an index, where it has wheels."""
    marker = wheel_marker(context, context.catalog.backend_of_url(url))
    for package in packages:
        if not source_entries(context, package):
            entry: dict[str, Value] = {"index": name}
            if marker is not None:
                entry["marker"] = marker
            value: Value = [entry] if marker is not None else entry
            draft.put((*SOURCES, package), value, f"`{package}` comes only from this index")


def add_index(draft: Draft, name: str, url: str) -> None:
    """Declare an explicit index."""
    entry: Value = {"name": name, "url": url, "explicit": True}
    draft.insert(INDEXES, entry, "only packages whose source names it come from this index")


def same_name(one: str, other: str) -> bool:
    """Tell whether two names are one, normalised."""
    return canonicalize_name(one) == canonicalize_name(other)
