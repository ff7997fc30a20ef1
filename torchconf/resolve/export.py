"""Requirements for one machine, from a lock: what each target installs, and nothing to decide.

The index of each package of PyTorch is given as a page of links, `--find-links .../cu130/torch/`.
An `--extra-index-url` would open the whole index: pip takes whatever is newest of all, and uv asks
it before PyPI, for every package.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from torchconf.errors import UvError, hide_secrets
from torchconf.model.markers import platform_marker

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torchconf.catalog import Catalog
    from torchconf.model.pylock import Build, Export
    from torchconf.model.targets import Target

__all__ = [
    "Wanted",
    "as_pylock",
    "as_requirements",
    "builds_of",
    "differing_package",
    "served",
]


class Wanted(NamedTuple):
    """One file to write."""

    target: Target
    export: Export
    pythons: tuple[str, ...]
    """Those that the file is for; they install the same."""
    command: str
    """The command that repeats it."""


def builds_of(export: Export, target: Target, python: str) -> dict[str, Build]:
    """Return what a target installs on one Python: package to build.

    Raises:
        UvError: The lock has nothing for it.
    """
    refusal = export.refusal(target.platform, python)
    if refusal is not None:
        raise UvError(f"the lockfile does not support `{target}` on Python {python}: {refusal}")
    found: dict[str, Build] = {}
    for name in export.names():
        build = export.build(name, target.platform, python)
        if build is None:
            continue
        if build.is_missing:
            raise UvError(
                f"no wheel of {name} {build.version or ''} for `{target}` on Python {python}",
                help="`torchconf verify` shows what each platform gets",
            )
        found[name] = build
    return found


def served(export: Export, target: Target, pythons: Sequence[str]) -> tuple[str, ...]:
    """Leave out the newest Pythons for which some package has no wheel yet."""
    left = list(pythons)
    while len(left) > 1:
        try:
            builds_of(export, target, left[-1])
        except UvError:
            left.pop()
        else:
            break
    return tuple(left)


def differing_package(export: Export, target: Target, pythons: Sequence[str]) -> str | None:
    """Name a package of which some Pythons install another version than others, if there is one."""
    found = [builds_of(export, target, python) for python in pythons]
    for name in sorted({name for each in found for name in each}):
        if len({each[name].version if name in each else None for each in found}) > 1:
            return name
    return None


def as_requirements(wanted: Wanted, catalog: Catalog, *, hashes: bool) -> str:
    """Return a requirements.txt for one target.

    Raises:
        UvError: A package has no hash that could be written.
    """
    every = [builds_of(wanted.export, wanted.target, python) for python in wanted.pythons]
    builds: Mapping[str, Build] = every[0]
    pages = sorted(
        {
            f"--find-links {hide_secrets(build.registry).rstrip('/')}/{name}/"
            for name, build in builds.items()
            if build.registry is not None and _is_pytorch(build.registry, catalog)
        }
    )
    lines = [*_header(wanted), *pages, ""]
    for name, build in sorted(builds.items()):
        place = hide_secrets(build.direct or "")
        line = f"{name} @ {place}" if place else f"{name}=={build.version}"
        if hashes:
            known = sorted({each for found in every for each in found[name].hashes})
            if not known:
                raise UvError(
                    f"{name} has no hash: it comes from {place or 'a folder'}",
                    help="pass `--no-hashes`",
                )
            line = " \\\n".join([line, *(f"    --hash={each}" for each in known)])
        lines.append(line)
    return "\n".join(lines) + "\n"


def as_pylock(wanted: Wanted, text: str) -> str:
    """Return uv's pylock.toml with just what one target installs, for its platform only."""
    head, *blocks = text.split("\n[[packages]]\n")
    kept = {
        (name, build.version)
        for python in wanted.pythons
        for name, build in builds_of(wanted.export, wanted.target, python).items()
    }
    # The comment names uv's command; ours is the one that repeats the file.
    lines = [line for line in head.splitlines() if not line.startswith("#")]
    place = next((n + 1 for n, line in enumerate(lines) if line.startswith("lock-version")), 0)
    marker = platform_marker(wanted.target.platform)
    lines = [line for line in lines if not line.startswith("environments")]
    lines.insert(place, f'environments = ["{marker}"]')
    chosen = [
        block for block in blocks if (_field(block, "name"), _field(block, "version")) in kept
    ]
    whole = ["\n".join([*_header(wanted), *lines]).rstrip("\n") + "\n", *chosen]
    return hide_secrets("\n[[packages]]\n".join(whole)).rstrip("\n") + "\n"


def _field(block: str, key: str) -> str | None:
    match = re.search(rf'(?m)^{key} = "([^"]+)"$', block)
    return match[1] if match else None


def _header(wanted: Wanted) -> list[str]:
    pythons = wanted.pythons
    spoken = pythons[0] if len(pythons) == 1 else f"{pythons[0]} to {pythons[-1]}"
    platform = wanted.target.platform.key
    return [
        f"# Requirements of `{wanted.target}`: only for {platform} with Python {spoken}.",
        "# Generated from uv.lock by:",
        f"#     {wanted.command}",
    ]


def _is_pytorch(url: str, catalog: Catalog) -> bool:
    return catalog.backend_of_url(url) is not None or url.startswith(catalog.base_url)
