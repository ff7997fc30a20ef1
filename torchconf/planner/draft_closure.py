"""Draft what torch needs from its own index beside triton: PyPI has others under these names.

uv applies a source to what is required directly, or held by a constraint with a range. Nobody
wants dozens of direct requirements, so each package gets a constraint and a source; those of GPUs
that nobody has are taken out of the lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.errors import RequestError
from torchconf.model.requirements import required_name
from torchconf.model.toml_path import CONSTRAINTS, EXCLUDES, SOURCES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from torchconf.catalog import Catalog
    from torchconf.catalog.families import Closure
    from torchconf.edits.draft import Draft
    from torchconf.model.backends import Backend
    from torchconf.model.toml_path import Path

_COMMENT = "torch needs these from its own index; PyPI has other packages under the same names"


def draft_closures(
    draft: Draft,
    root: Draft,
    catalog: Catalog,
    before: Iterable[Backend],
    after: Iterable[Backend],
    gpus: Collection[str],
    name_of: Callable[[Backend], str],
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

    Returns:
        What to say.

    Raises:
        RequestError: There is no package for a GPU, or no target whose index has any.
    """
    after = dict.fromkeys(after)
    wanted = {b: closure for b in after if (closure := catalog.closure(b)) is not None}
    refuse_gpus(gpus, wanted.values())
    gone = {
        package
        for backend in before
        if backend not in after and (closure := catalog.closure(backend))
        for package in closure.packages
    }
    left = gone.difference(*(c.packages for c in wanted.values()))
    _take(draft, root, left)
    _drop(root, EXCLUDES, left)
    said: list[str] = []
    for backend, closure in wanted.items():
        said += _bring(draft, root, closure, gpus, name_of(backend))
    return tuple(said)


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


def _number(gpu: str) -> tuple[int, str]:
    return len(gpu), gpu


def _bring(
    draft: Draft, root: Draft, closure: Closure, gpus: Collection[str], index: str
) -> Iterator[str]:
    excluded = {canonicalize_name(str(line)) for line in root.get(EXCLUDES) or ()}
    kept = [
        package
        for gpu, package in closure.by_gpu.items()
        if (gpu in gpus if gpus else package not in excluded)
    ]
    packages = (*closure.shared, *kept)
    left = [package for package in closure.by_gpu.values() if package not in kept]
    new = [name for name in packages if draft.get((*SOURCES, name)) is None]
    _take(draft, root, left)
    _drop(root, EXCLUDES, packages)
    _hold(root, packages, closure.bound)
    for name in new:
        draft.put((*SOURCES, name), {"index": index}, "torch needs it from this index")
    for name in left:
        if name not in excluded:
            reason = "for another GPU"
            if root.get(EXCLUDES) is None:
                root.put(EXCLUDES, [name], reason, "packages of GPUs that this project is not for")
            else:
                root.insert(EXCLUDES, name, reason)
    if new:
        own = (gpu for gpu, package in closure.by_gpu.items() if package in kept)
        which = ", ".join(own) if left else "all GPUs"
        yield (
            f"{closure.backend.name}: torch needs {len(packages)} more packages of its index, "
            f"for {which}; they get sources and constraints"
        )
        if not left:
            yield "to install the packages of some GPUs only, pass `--gpu`, as in `--gpu gfx1100`"


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


def _drop(root: Draft, path: Path, packages: Collection[str]) -> None:
    lines = root.get(path) or []
    for number in reversed(range(len(lines))):
        if required_name(str(lines[number])) in packages:
            root.remove((*path, number), "no target needs it")
    if root.get(path) == []:
        root.remove(path, "it is empty")
