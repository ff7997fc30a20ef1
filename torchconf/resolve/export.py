"""Requirements for one machine, from a lock: what each target installs, and nothing to decide.

Each package stays at the index that uv locked it from. Nothing in a requirements file binds a name
to an index, and an `--extra-index-url` would open the whole index: pip takes whatever is newest of
all, and uv asks it before PyPI, for every package. So a file says it in three ways:

- A build of PyTorch is on a page of links, `--find-links .../cu130/torch/`. Its version has a label
  that nobody can publish on PyPI.
- The index that stands for PyPI is the `--index-url`.
- A package of any other index is the URL of its file. A name that is only used inside a company is
  then asked of no index at all, where somebody else may have registered it.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from torchconf.errors import UvError, without_secrets
from torchconf.model.backends import is_pypi
from torchconf.model.markers import platform_marker
from torchconf.model.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torchconf.catalog import Catalog
    from torchconf.model.project import Project
    from torchconf.model.pylock import Build, Export
    from torchconf.model.targets import Target

__all__ = [
    "Places",
    "Wanted",
    "as_pylock",
    "as_requirements",
    "as_universal",
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
    lockfile: str = "uv.lock"
    """The name of what it is made from."""


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


class Places:
    """Where the packages of one lock come from, as pip and uv are told."""

    def __init__(self, project: Project, catalog: Catalog, export: Export, folder: str) -> None:
        """Take a lock.

        Args:
            project: Whose indexes uv knew.
            catalog: Which tells PyTorch's indexes.
            export: The lock.
            folder: Where the file will be used from: that of the lockfile.
        """
        self.catalog = catalog
        self.folder = folder
        self.default = self._default(project, export)

    def _default(self, project: Project, export: Export) -> str | None:
        """Return the index that stands for PyPI; None if PyPI itself does."""
        for each in (project, project.workspace):
            for index in each.indexes:
                if index.default and not index.is_flat and not self._is_pytorch(index.url):
                    return _same(index.url)
        found = [
            _same(package.index)
            for package in export.pylock.packages
            if package.index is not None and not self._is_pytorch(package.index)
        ]
        if any(map(is_pypi, found)):
            return None
        # Nothing in the project names it: it comes from uv's own configuration, or a variable.
        links = project.workspace.uv.get("find-links")
        named = {_same(index.url) for index in (*project.indexes, *project.workspace.indexes)}
        named |= {_same(str(link)) for link in links} if isinstance(links, list) else set()
        left = [url for url in found if url.startswith("http") and url not in named]
        return max(left, key=left.count, default=None)

    def options(self, found: Mapping[str, str | None]) -> list[str]:
        """Return the lines at the top of a file for packages and their indexes."""
        registries = {_same(registry or "") for registry in found.values()}
        first = [f"--index-url {self.default}"] if self.default in registries else []
        return first + sorted(
            f"--find-links {_same(registry)}/{name}/"
            for name, registry in found.items()
            if registry is not None and self._is_linked(name, registry)
        )

    def is_named(self, name: str, registry: str | None) -> bool:
        """Tell whether the name is enough, because it can only come from the right index."""
        if registry is None or self._is_linked(name, registry):
            return True
        if self.default is None:
            return is_pypi(registry)
        return _same(registry) == self.default

    def requirement(self, name: str, place: str) -> str:
        """Return the line for a URL, or for a path: from the folder of the lockfile, as uv does."""
        if place.startswith("file:"):
            # Imported here: few files have such a line, and it takes long to load.
            from urllib.request import url2pathname

            place = url2pathname(place.removeprefix("file:").removeprefix("//"))
        elif "://" in place:
            return f"{name} @ {without_secrets(place)}"
        path = os.path.relpath(place, self.folder) if os.path.isabs(place) else place
        path = path.replace(os.sep, "/")
        return path if path.startswith("../") else f"./{path.removeprefix('./')}"

    def _is_linked(self, name: str, registry: str) -> bool:
        """Tell whether PyTorch's pages have a package, or a mirror of one."""
        if self.catalog.is_own(registry):
            return True
        return name in self.catalog.family and self._is_pytorch(registry)

    def _is_pytorch(self, url: str) -> bool:
        catalog = self.catalog
        return catalog.backend_of_url(url) is not None or catalog.is_own(url)


def _same(url: str) -> str:
    """Return a URL as it can be written and compared."""
    return without_secrets(url).rstrip("/")


def as_requirements(wanted: Wanted, places: Places, *, hashes: bool) -> str:
    """Return a requirements.txt for one target.

    Raises:
        UvError: A package has no hash that could be written.
    """
    every = [builds_of(wanted.export, wanted.target, python) for python in wanted.pythons]
    options = places.options({name: build.registry for name, build in every[0].items()})
    lines = [*_header(wanted), *options, ""]
    for name in sorted(every[0]):
        by_python = dict(zip(wanted.pythons, [found[name] for found in every], strict=True))
        for line, builds in _lines(name, by_python, places):
            known = sorted({each for build in builds for each in build.hashes})
            if hashes and not known:
                origin = builds[0].direct or builds[0].file or "a folder"
                raise UvError(f"{name} has no hash: it comes from {origin}", help=_NO_HASHES)
            shown = known if hashes else []
            lines.append(" \\\n".join([line, *(f"    --hash={each}" for each in shown)]))
    return "\n".join(lines) + "\n"


_NO_HASHES = "pass `--no-hashes`"


def _lines(
    name: str, by_python: Mapping[str, Build], places: Places
) -> Iterator[tuple[str, list[Build]]]:
    """Yield the lines of one package, each with the builds it is for.

    A URL is of one file. Where Pythons need different files, each has a line of its own.
    """
    builds = list(by_python.values())
    (first, *_) = builds
    if first.direct is not None:
        yield places.requirement(name, first.direct), builds
        return
    if places.is_named(name, first.registry) or first.file is None:
        yield f"{name}=={first.version}", builds
        return
    files = list(dict.fromkeys(build.file for build in builds))
    for file in files:
        pythons = [python for python, build in by_python.items() if build.file == file]
        line = places.requirement(name, file or "")
        if len(files) > 1:
            line += " ; " + " or ".join(f"python_version == '{python}'" for python in pythons)
        yield line, [by_python[python] for python in pythons]


def as_universal(text: str, export: Export, places: Places) -> tuple[list[str], str]:
    """Return the options and the text of a requirements.txt with markers.

    Args:
        text: As uv exports it, without the indexes.
        export: The same lock as a pylock.toml, which has them.
        places: What they are to pip.

    Raises:
        UvError: A package of another index has several files, and no line can say which.
    """
    options: set[str] = set()
    for package in export.pylock.packages:
        registry, version = package.index, package.version
        options.update(places.options({package.name: registry}))
        if registry is None or version is None or places.is_named(package.name, registry):
            continue
        files = package.wheels or (() if package.sdist is None else (package.sdist,))
        found = [file.url or file.path for file in files]
        if len(found) != 1:
            raise UvError(
                f"`{package.name}` has a wheel for each platform on {_same(registry)}, and a file "
                f"for all platforms cannot name that index for it",
                help="omit `--universal`, or pass `--format pylock.toml`",
            )
        line = places.requirement(package.name, found[0] or "")
        spelled = re.escape(f"{package.name}=={version}")
        text = re.sub(rf"(?m)^{spelled}(?=\s|$)", line.replace("\\", r"\\"), text)
    return sorted(options, key=lambda option: (option.startswith("--find"), option)), text


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
    return without_secrets("\n[[packages]]\n".join(whole)).rstrip("\n") + "\n"


def _field(block: str, key: str) -> str | None:
    match = re.search(rf'(?m)^{key} = "([^"]+)"$', block)
    return match[1] if match else None


def _header(wanted: Wanted) -> list[str]:
    pythons = wanted.pythons
    spoken = pythons[0] if len(pythons) == 1 else f"{pythons[0]} to {pythons[-1]}"
    platform = wanted.target.platform.key
    return [
        f"# Requirements of `{wanted.target}`: only for {platform} with Python {spoken}.",
        f"# Generated from {wanted.lockfile} by:",
        f"#     {wanted.command}",
    ]
