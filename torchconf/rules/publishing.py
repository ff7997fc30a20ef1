"""Projects that others use: what reaches them, and what cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.model.source_trees import place_of_source
from torchconf.rules.rule import Finding, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchconf.model.project import Project, Source
    from torchconf.rules.context import Context

__all__ = ["RULES"]


def _open_sources(project: Project, family: set[str]) -> Iterator[Source]:
    """Yield the index sources of the family that are for no extra and no group."""
    for package, sources in project.sources.items():
        for source in sources:
            if package in family and source.index and not (source.extra or source.group):
                yield source


class LeakingSource(Rule):
    """A library routes torch for every project that uses its source tree."""

    code = "TC501"
    name = "leaking-source"
    severity = Severity.INFO
    reference = "https://docs.astral.sh/uv/concepts/projects/dependencies/#dependency-sources"
    stops_lock = True

    def check(self, context: Context) -> Iterator[Finding]:
        """Look at the library itself, and at libraries that this project uses by path."""
        project = context.project
        family = set(context.catalog.family)
        if context.is_published and not project.default_groups:
            base = {one.name for one in project.dependencies}
            for source in _open_sources(project, family):
                if source.package in base:
                    yield self.finding(
                        source.path,
                        "projects that use this one by path or git get this source of "
                        f"`{source.package}` too",
                        help="limit it to a dependency group, which users never install",
                    )
                    break
        yield from self._from_libraries(context, family)

    def _from_libraries(self, context: Context, family: set[str]) -> Iterator[Finding]:
        project = context.project
        for sources in project.sources.values():
            for source in sources:
                library = context.workspace.libraries.get(place_of_source(project, source) or "")
                if source.kind not in ("path", "git") or library is None:
                    continue
                for theirs in _open_sources(library, family):
                    there = library.index_named(theirs.value)
                    ours = [
                        index
                        for one in project.sources_for(theirs.package)
                        if (index := context.index_of(one)) is not None
                    ]
                    if there is None or not ours or any(one.url == there.url for one in ours):
                        continue
                    yield self.finding(
                        source.path,
                        f"`{source.package}` routes `{theirs.package}` to {there.url}, but this "
                        "project uses another index",
                        help="limit the source in the library to a dependency group",
                        severity=Severity.ERROR if context.routes.error else Severity.WARNING,
                    )
                    return


class PublishedPromise(Rule):
    """A published package promises a build that its metadata cannot express."""

    code = "TC502"
    name = "published-promise"
    severity = Severity.INFO
    reference = "https://docs.astral.sh/uv/concepts/projects/dependencies/#dependency-sources"

    def check(self, context: Context) -> Iterator[Finding]:
        """Report extras named after a backend that bring torch, or a pinned label."""
        if not context.is_published:
            return
        main = context.catalog.main_package
        family = set(context.catalog.family)
        for section in context.project.extras.values():
            backend = context.named_backend(section.name)
            if backend is not None and any(one.name == main for one in section.requirements):
                yield self.finding(
                    section.path,
                    f"extra `{section.written}` is published without its index: users get "
                    f"PyPI's build, not {backend.title}",
                    help="document the `--index` to use, or use dependency groups",
                )
                return
        for one in context.project.dependencies:
            if one.name in family and any("+" in part.version for part in one.specifier):
                yield self.finding(
                    one.path,
                    f"`{one.raw}` is published, but PyPI has no such version",
                    help="publish the public version; a source selects the build during "
                    "development",
                )
                return


RULES: tuple[type[Rule], ...] = (
    LeakingSource,
    PublishedPromise,
)
"""The rules of this family, by code."""
