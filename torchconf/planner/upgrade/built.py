"""What is built against torch goes along where torch goes, or holds it where it has wheels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import Version

from torchconf.catalog.built import Page
from torchconf.errors import REFRESH, ProjectError, RequestError
from torchconf.model.backends import PYPI
from torchconf.model.markers import may_hold
from torchconf.model.toml_path import INDEXES
from torchconf.planner.built_packages import BuiltWheels, home_of, line_of
from torchconf.planner.draft_indexes import source_entries
from torchconf.planner.respecify import rename_backend

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torchconf.catalog import Catalog
    from torchconf.edits.draft import Draft
    from torchconf.layout.configuration import Configuration
    from torchconf.model.backends import Backend
    from torchconf.model.project import Index, Project
    from torchconf.model.targets import Platform
    from torchconf.planner.upgrade.destination import Destination

__all__ = ["Along", "held", "lines_of"]


def lines_of(packages: Sequence[str], catalog: Catalog) -> tuple[str, ...]:
    """Return the lines of torch for which all packages have wheels, newest first."""
    known = [set(catalog.built.lines(package)) for package in packages]
    shared = set.intersection(*known) if known else set()
    return tuple(sorted(shared, key=Version, reverse=True))


class Along:
    """The packages of a project that are built against torch, on the way to another torch."""

    def __init__(
        self,
        project: Project,
        catalog: Catalog,
        before: Configuration,
        packages: Sequence[str],
    ) -> None:
        """Look at packages that come from indexes which are known to have them."""
        self.project = project
        self.catalog = catalog
        self.before = before
        self.packages = packages

    def doubts(self, destination: Destination) -> list[str]:
        """Return what would have no wheels, or might have none."""
        return self.lost(destination) or self.unknown(destination)

    def lost(self, destination: Destination) -> list[str]:
        """Return what has wheels now, as far as anybody knows, and would have none."""
        release = destination.choice.release
        if release is None:
            return []
        wheels = BuiltWheels(self.catalog, line_of(release), destination.choice.targets)
        found: list[str] = []
        for package, platform, backend in self._needed():
            new = destination.backends.get(backend.name, backend)
            if wheels.at(package, new, platform) is None:
                found.append(f"{package} for torch {wheels.line} with {new.name} on {platform.key}")
        return found

    def unknown(self, destination: Destination) -> list[str]:
        """Return what nobody knows whether it has wheels."""
        release = destination.choice.release
        if release is None:
            return []
        wheels = BuiltWheels(self.catalog, line_of(release), destination.choice.targets)
        found: dict[str, None] = {}
        for package, platform, backend in self._needed():
            new = destination.backends.get(backend.name, backend)
            wheel = wheels.at(package, new, platform)
            if wheel is not None and not wheel.sure:
                text = f"{wheel.family.by} has {package} for torch {wheels.line} and {wheel.build}"
                found[f"it is not known whether {text}"] = None
        return [*found]

    def _needed(self) -> Iterator[tuple[str, Platform, Backend]]:
        """Yield the packages that have a source for a target, with its platform and build."""
        for package in self.packages:
            for source in self.project.sources[canonicalize_name(package)]:
                scope = source.extra or source.group
                for target in self.before.targets:
                    own = scope is None or scope in self._scopes(target.backend)
                    required = any(
                        one.name == package and may_hold(one.marker, target.platform)
                        for one in self.project.requirements()
                    )
                    if own and required and may_hold(source.marker, target.platform):
                        yield package, target.platform, target.backend

    def _scopes(self, backend: Backend) -> set[str]:
        name = self.before.names.get(backend.name)
        names = ([name] if name else []) + [*self.before.aliases.get(backend.name, ())]
        return set(map(canonicalize_name, names))

    # Indexes.

    def move(self, draft: Draft, destination: Destination) -> Iterator[str]:
        """Move the indexes to the new build and the page of the new torch; yield what to say.

        Raises:
            ProjectError: The name that one would have is taken.
            RequestError: An index is known to lack a package.
        """
        release = destination.choice.release
        if release is None:
            return
        if lost := self.lost(destination):
            raise RequestError(
                f"there are no wheels of {lost[0]}",
                at=self.project.place("tool.uv.sources"),
                help="choose a torch and builds that it has wheels for: "
                f"`torchconf explain {lost[0].partition(' ')[0]}` lists them",
            )
        line = line_of(release)
        for page, index in dict.fromkeys(self._homes()):
            build = self._build(page, destination.backends, line)
            new = Page(page.family, build, line if page.line else "")
            if new != page:
                yield from self._move(draft, page, index, new)

    def _homes(self) -> Iterator[tuple[Page, Index]]:
        for package in self.packages:
            for source in self.project.sources[canonicalize_name(package)]:
                home = home_of(source, self.project, self.catalog)
                if home is not None:
                    yield home

    def _build(self, page: Page, backends: Mapping[str, Backend], line: str) -> str:
        """Return what becomes of the build of an index: what becomes of the torch beside it."""
        if page.build in backends:
            return backends[page.build].name
        if any(target.backend.name == page.build for target in self.before.targets):
            return page.build
        wheels = BuiltWheels(self.catalog, line, ())
        builds = {
            wheels.build(PYPI, target.platform)
            for target in self.before.targets
            if target.backend == PYPI and target.platform.os != "macos"
        } - {None, self.catalog.fallback.name}
        is_cpu = page.build == self.catalog.fallback.name
        return str(builds.pop()) if len(builds) == 1 and not is_cpu else page.build

    def _move(self, draft: Draft, page: Page, index: Index, new: Page) -> Iterator[str]:
        listed = draft.get(INDEXES) or []
        numbers = [n for n, entry in enumerate(listed) if entry.get("name") == index.name]
        if not numbers:
            raise ProjectError(
                f"index `{index.name}` is for torch {page.line or 'of another build'}",
                at=self.project.place(index.at),
                help="run the command in the workspace root, which defines it",
            )
        name = rename_backend(str(index.name), page.build, new.build)
        taken = self.project.index_named(name) if name != index.name else None
        url = self.catalog.placed(page.family.index_url(new.build, new.line))
        if taken is not None and self.catalog.built.page(taken.url) != new:
            raise ProjectError(
                f"index name `{name}` is taken by {taken.url}",
                at=self.project.place(taken.at),
                help="rename that index, or correct its URL",
            )
        reason = "the wheels for this torch"
        same = (e for e in listed if self.catalog.built.page(str(e.get("url", ""))) == new)
        there = next((str(entry["name"]) for entry in same if "name" in entry), None)
        if there is not None:
            name = there
        if taken is None and there is None:
            draft.put((*INDEXES, numbers[0], "name"), name, reason)
            draft.put((*INDEXES, numbers[0], "url"), _like(index.url, url), reason)
        else:
            draft.remove((*INDEXES, numbers[0]), reason)
        for _, path, source in source_entries(draft):
            if source.get("index") == index.name:
                draft.put((*path, "index"), name, reason)
        said = f"torch {new.line}" if new.line != page.line else f"{new.build}"
        yield f"index `{name}` has the wheels for {said} now: {url}"


def _like(old: str, new: str) -> str:
    """Return a URL with `+` spelled as the old one has it, and its slash at the end."""
    new = new.replace("+", "%2B") if "%2B" in old else new
    return f"{new.rstrip('/')}/" if old.endswith("/") else new.rstrip("/")


def held(packages: Sequence[str], line: str) -> str:
    """Say why torch stays in its line."""
    return (
        f"torch stays at {line}: no newer one is known for which there are wheels of "
        f"{' and '.join(packages)}; run {REFRESH}, or pass `--torch` to upgrade nevertheless"
    )
