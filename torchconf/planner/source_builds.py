"""Packages that are built against torch and of which nobody has wheels: uv builds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.errors import RequestError
from torchconf.model.toml_path import UV

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torchconf.catalog import Catalog
    from torchconf.catalog.built import SourceBuild
    from torchconf.edits.draft import Draft
    from torchconf.edits.plan import Value
    from torchconf.model.targets import Target
    from torchconf.planner.built_packages import BuiltWheels

__all__ = ["buildable", "draft_build", "no_wheels"]


def buildable(wheels: BuiltWheels) -> list[Target]:
    """Return the targets for which one may be built: on Linux, for an accelerator."""
    plain = {None, wheels.catalog.fallback.name}
    return [
        target
        for target in wheels.targets
        if target.platform.os == "linux"
        and wheels.build(target.backend, target.platform) not in plain
    ]


def draft_build(draft: Draft, package: str, built: SourceBuild, main: str) -> None:
    """Draft what uv must know to build a package: its build imports torch without saying so.

    Args:
        draft: Of the project's file.
        package: Canonical name.
        built: What is known of its build.
        main: Torch.
    """
    # uv refuses to match the torch at runtime where only a build tells what is required then.
    matches = built.needs is not None or built.metadata is not None
    entry: Value = {"requirement": main, "match-runtime": True} if matches else main
    path = (*UV, "extra-build-dependencies", package)
    if draft.get(path) is None:
        draft.put(path, [entry], "the build imports torch")
    described = draft.get((*UV, "dependency-metadata")) or []
    names = {canonicalize_name(str(one.get("name", ""))) for one in described}
    if built.needs is not None and package not in names:
        metadata: dict[str, Value] = {"name": package, "requires-dist": list(built.needs)}
        reason = "uv must know the metadata before the build"
        draft.insert((*UV, "dependency-metadata"), metadata, reason)


def no_wheels(package: str, wheels: BuiltWheels, catalog: Catalog) -> RequestError:
    """Return the refusal of a package that no target can have."""
    built = catalog.built
    known = [
        f"torch {line} on {' and '.join(builds)} with {_joined(builds.values())} ({family.by})"
        for line in built.lines(package)[:1]
        for family in built.homes(package)
        if (builds := built.builds(package, family, line))
    ]
    targets = ", ".join(f"`{target}`" for target in wheels.targets)
    return RequestError(
        f"`{package}` has no wheels for torch {wheels.line} with {targets}",
        help=f"there are wheels for {'; '.join(known)}"
        if known
        else "no publisher of its wheels is known; add it by hand with `uv add`",
    )


def _joined(builds: Iterable[Sequence[str]]) -> str:
    return ", ".join(dict.fromkeys(build for own in builds for build in own))
