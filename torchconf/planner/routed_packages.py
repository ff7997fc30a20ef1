"""Which packages get the index of torch's build: torch, what is named, and what comes along."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.errors import ProjectError, RequestError
from torchconf.model.backends import PYPI
from torchconf.model.markers import may_hold

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from packaging.version import Version

    from torchconf.catalog.families import Family
    from torchconf.model.targets import Target
    from torchconf.planner.assess import ReleaseChoice
    from torchconf.planner.companion_places import Places
    from torchconf.planner.inputs import Inputs

__all__ = ["named_companions", "routable_packages", "routed_packages"]


def named_companions(inputs: Inputs) -> frozenset[str]:
    """Return the companions that are asked for by name."""
    named: set[str] = set()
    companions = _companions(inputs)
    for text in inputs.request.packages:
        name = canonicalize_name(text)
        if name in inputs.catalog.cuda_words:
            continue
        if name not in {inputs.main, *companions}:
            if name in inputs.catalog.built_names:
                continue
            # Imported here: most names are right.
            from torchconf.planner.draft_cuda import refuse_cuda_name

            refuse_cuda_name(text, inputs.catalog)
            raise RequestError(
                f"`{text}` is not a torch companion on the PyTorch indexes",
                help=f"choose from {', '.join(companions)}, or from what is built against torch, "
                "such as flash-attn; for other packages run `uv add`",
            )
        named.add(name)
    return frozenset(named)


def _companions(inputs: Inputs) -> list[str]:
    return [
        name
        for name in inputs.catalog.family
        if name != inputs.main and name not in inputs.catalog.triton_packages
    ]


def routed_packages(inputs: Inputs, named: frozenset[str]) -> tuple[str, ...]:
    """Return torch, what is named, and what must come along with it."""
    there = {*inputs.facts.needed, *inputs.facts.elsewhere, *inputs.before.packages}
    return (
        inputs.main,
        *(
            n
            for n in _companions(inputs)
            if n in named or (n in there and _follows(inputs, n) and _is_concerned(inputs, n))
        ),
    )


def _follows(inputs: Inputs, name: str) -> bool:
    """Tell whether a companion that nobody named goes where torch goes.

    One that is routed beside torch does, and one that is not routed yet but built against one
    torch. What its author routes elsewhere, or leaves to PyPI on purpose, stays; and where a
    target goes, nothing comes.
    """
    sources = inputs.sources_for(canonicalize_name(name))
    if not sources and inputs.request.remove:
        return False
    if not sources:
        return inputs.catalog.is_bound(name)
    beside = {s.value for s in inputs.sources_for(canonicalize_name(inputs.main))}
    return all(s.kind == "index" and (not beside or s.value in beside) for s in sources)


def _is_concerned(inputs: Inputs, name: str) -> bool:
    """Tell whether a companion is required, or may be, on a platform that gets a target."""
    brought = {*inputs.facts.needed, *inputs.facts.elsewhere}
    lines = [one for one in inputs.project.requirements() if one.name == name]
    if not inputs.request.add or name in brought or not lines:
        return True
    platforms = {spec.platform for spec in inputs.request.add}
    return any(may_hold(one.marker, platform) for one in lines for platform in platforms)


def routable_packages(
    inputs: Inputs,
    packages: Iterable[str],
    named: Collection[str],
    choice: ReleaseChoice,
    places: Places,
) -> tuple[str, ...]:
    """Return those of the packages that are asked for by name, or that each index may serve.

    Raises:
        RequestError: A publisher is not known to have what is asked for by name.
        ProjectError: Nor what the project routes beside torch.
    """
    found = tuple(p for p in packages if p in named or _is_routable(inputs, p, choice, places))
    _refuse_unknown(inputs, found[1:], named, choice.targets, places)
    return found


def _is_routable(inputs: Inputs, name: str, choice: ReleaseChoice, places: Places) -> bool:
    """Tell whether a package is routed already, or is on the index of every target that has it."""
    if name == inputs.main or inputs.sources_for(canonicalize_name(name)):
        return True
    version = choice.companions.get(name)
    if version is None and (choice.release is None or not _is_open(inputs, name, choice.release)):
        return False
    targets = [target for target in choice.targets if target.platform in places.served[name]]
    return bool(targets) and all(
        inputs.catalog.goes_along(name, target.backend)
        or (
            version is not None
            and (
                inputs.catalog.seen(name, version, target.backend, target.platform)
                or inputs.catalog.carries(name, version, target.backend)
            )
        )
        for target in targets
        if target.backend != PYPI
    )


def _refuse_unknown(
    inputs: Inputs,
    packages: Collection[str],
    named: Collection[str],
    targets: Sequence[Target],
    places: Places,
) -> None:
    """Refuse what is to come from the index of a publisher that is not known to have it.

    uv would not lock it if the index lacks it, and PyPI's wheels are for other builds of torch.
    What the project has for such a build stays: its author has seen it.
    """
    for name in packages:
        served = [target for target in targets if target.platform in places.served.get(name, ())]
        # Where no target has a known wheel of it, there is no other one to require it for.
        for target in served or targets:
            family = inputs.catalog.family_named(inputs.catalog.publisher_of(target.backend))
            if family is None or family.has(name) or _is_taken_from(inputs, name, target):
                continue
            if name in named or (target in served and target not in inputs.before.targets):
                raise _unknown_companion(inputs, name, target, family, is_named=name in named)


def _is_taken_from(inputs: Inputs, name: str, target: Target) -> bool:
    """Tell whether the project takes a companion from the index of a build already."""
    index = inputs.before.indexes.get(target.backend.name)
    sources = inputs.sources_for(canonicalize_name(name))
    return index is not None and any(source.value == index.name for source in sources)


def _unknown_companion(
    inputs: Inputs, name: str, target: Target, family: Family, *, is_named: bool
) -> RequestError | ProjectError:
    known = [one for one in _companions(inputs) if family.has(one)]
    message = f"it is not known whether {family.by} has {name} for `{target}`"
    only = f"beside that torch, {family.by} is known to have {' and '.join(known)} only"
    if is_named:
        return RequestError(message, help=f"omit `--with {name}`, or the target: {only}")
    sources = inputs.sources_for(canonicalize_name(name))
    return ProjectError(
        message,
        at=inputs.project.place(sources[0].at) if sources else None,
        help=f"remove the sources of {name} first, so that it comes from PyPI everywhere: {only}",
    )


def _is_open(inputs: Inputs, name: str, release: Version) -> bool:
    """Tell whether it was not recorded which companion belongs to an old torch."""
    return inputs.catalog.companions(name, release) is None
