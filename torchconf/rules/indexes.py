"""Indexes: which of them serve PyTorch, to whom they are open, and where they lead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.model.toml_path import INDEXES, UV
from torchconf.rules.fixes import add_index, add_sources, draft_of, index_name, servable
from torchconf.rules.installed_builds import BASE, source_entries
from torchconf.rules.rule import Finding, Fix, Premise, Rule, Severity
from torchconf.rules.wording import list_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchconf.edits.draft import Draft
    from torchconf.model.project import Index
    from torchconf.model.toml_path import Path
    from torchconf.rules.context import Context

__all__ = ["RULES"]

_EXPLICIT = "only packages whose source names it come from this index"
_LEGACY = ("index-url", "extra-index-url", "find-links")


def _needed(context: Context) -> tuple[str, ...]:
    """Return the family packages that the projects of an index ask for, in the family's order."""
    names = {one.name for project in context.readers for one in project.requirements()}
    return tuple(package for package in context.catalog.family if package in names)


def _without_source(context: Context) -> tuple[str, ...]:
    """Return the family packages that some reader of this file asks for, and nobody routes."""
    bare = {
        one.name
        for project in context.readers
        for one in context.overridden(project.requirements())
        if one.url is None and not project.sources_for(one.name) and context.platforms(one.marker)
    }
    return tuple(package for package in context.catalog.family if package in bare)


def _is_routed(context: Context) -> bool:
    """Tell whether some source leads torch to an index."""
    main = context.catalog.main_package
    return any(
        source.index is not None
        for project in context.readers
        for package, sources in project.sources.items()
        for source in sources
        if package == main
    )


def _serves_the_base(context: Context) -> bool:
    """Tell whether an open index serves torch to the base, as all sources are for other choices."""
    main = canonicalize_name(context.catalog.main_package)
    sources = context.project.sources_for(main)
    scoped = all(source.extra or source.group for source in sources)
    return scoped and context.first_requirement(BASE, main) is not None


def _opened(context: Context, index: Index) -> tuple[str, ...] | None:
    """Return the packages that would leave an open index if it became explicit.

    None where nobody can say: it serves what no requirement names.
    """
    bare = [package for package in _needed(context) if not source_entries(context, package)]
    first = next((one for one in context.pytorch_indexes if not one.explicit), None)
    if first is not index or (not bare and _is_routed(context)):
        return ()
    if not _needed(context):
        return None
    found = servable(context, index.url, bare)
    return found if len(found) == len(bare) or _is_routed(context) else None


def _close(context: Context, index: Index) -> Draft | None:
    """Draft an index that only serves what has a source; None where that is unknown."""
    packages = _opened(context, index)
    if packages is None:
        return None
    draft = draft_of(context)
    path = index.path
    name = index.name or index_name(context, index.url)
    draft.put((*path, "name"), name, "sources need a name")
    draft.put((*path, "explicit"), True, _EXPLICIT)  # noqa: FBT003 - a value
    add_sources(draft, context, name, index.url, packages)
    return draft


class IndexNotExplicit(Rule):
    """A PyTorch index is open: it lacks `explicit = true`."""

    code = "TC101"
    name = "index-not-explicit"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/concepts/indexes/#pinning-a-package-to-an-index"
    fixes = "unsafe"

    def check(self, context: Context) -> Iterator[Finding]:
        """Report open indexes of PyTorch, but in members: only the root's are searched."""
        if context.project.root is not None:
            return
        for index in context.pytorch_indexes:
            if index.explicit or index.default:
                continue
            draft = _close(context, index)
            fix = None
            if draft is not None:
                title = "make the index explicit and add a source for each package that it serves"
                fix = Fix(title, tuple(draft.steps), safe=False)
            name = f"index `{index.name}`" if index.name else "a PyTorch index"
            yield self.finding(
                index.path,
                f"{name} is open: uv searches it for every package",
                help="add `explicit = true`, and sources for torch and related packages",
                fix=fix,
            )


class PytorchDefaultIndex(Rule):
    """A PyTorch index is the default index and replaces PyPI."""

    code = "TC102"
    name = "pytorch-default-index"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/concepts/indexes/#defining-an-index"
    fixes = "unsafe"

    def check(self, context: Context) -> Iterator[Finding]:
        """Report default indexes of PyTorch."""
        for index in context.pytorch_indexes:
            if not index.default:
                continue
            draft = draft_of(context)
            path = index.path
            name = index.name or index_name(context, index.url)
            draft.put((*path, "name"), name, "sources need a name")
            draft.remove((*path, "default"), "PyPI serves all other packages")
            draft.put((*path, "explicit"), True, _EXPLICIT)  # noqa: FBT003 - a value
            bare = [p for p in _needed(context) if not source_entries(context, p)]
            add_sources(draft, context, name, index.url, servable(context, index.url, bare))
            yield self.finding(
                (*index.path, "default"),
                f"index `{index.name or index.url}` replaces PyPI but only has PyTorch's packages",
                help="use `explicit = true` instead, and add a source for each package",
                fix=Fix("make it explicit and add sources", tuple(draft.steps), safe=False),
            )


class LegacyIndexSetting(Rule):
    """A PyTorch index is configured with `index-url`, `extra-index-url` or `find-links`."""

    code = "TC103"
    name = "legacy-index-setting"
    severity = Severity.WARNING
    reference = "https://docs.astral.sh/uv/concepts/indexes/"
    fixes = "unsafe"

    def check(self, context: Context) -> Iterator[Finding]:
        """Report PyTorch's URLs in the settings that came before `[[tool.uv.index]]`."""
        for path, url in _legacy_urls(context):
            where = "`uv sync` does not read it" if "pip" in path else "it applies to every package"
            key = next(part for part in reversed(path) if isinstance(part, str))
            yield self.finding(
                path,
                f"PyTorch index in `{key}`: {where}",
                help="define it as `[[tool.uv.index]]` with `explicit = true`, and add sources",
                fix=self._fix(context, path, url) if key != "find-links" else None,
            )

    def _fix(self, context: Context, path: Path, url: str) -> Fix | None:
        draft = draft_of(context)
        draft.remove(path, "replaced by an explicit index")
        if isinstance(path[-1], int) and not draft.get(path[:-1]):
            draft.remove(path[:-1], "it is empty")
        for table in ((*UV, "pip"),):
            if draft.get(table) == {}:
                draft.remove(table, "it is empty")
        known = next(
            (i for i in context.project.indexes if i.url.rstrip("/") == url.rstrip("/")), None
        )
        name = known.name if known and known.name else index_name(context, url)
        if known is None:
            add_index(draft, name, url)
        bare = [p for p in _needed(context) if not source_entries(context, p)]
        add_sources(draft, context, name, url, servable(context, url, bare))
        return Fix("define an explicit index with sources", tuple(draft.steps), safe=False)


def _legacy_urls(context: Context) -> Iterator[tuple[Path, str]]:
    """Yield PyTorch's URLs in old settings, each with its place."""
    uv = context.project.uv
    pip = uv.get("pip")
    for prefix, table in ((UV, uv), ((*UV, "pip"), pip if isinstance(pip, dict) else {})):
        for key in _LEGACY:
            value = table.get(key)
            if isinstance(value, str) and context.is_pytorch(value):
                yield (*prefix, key), value
            for number, url in enumerate(value if isinstance(value, list) else ()):
                if isinstance(url, str) and context.is_pytorch(url):
                    yield (*prefix, key, number), url


class UnsafeIndexStrategy(Rule):
    """`index-strategy` lets any index provide any package."""

    code = "TC104"
    name = "unsafe-index-strategy"
    severity = Severity.WARNING
    reference = "https://docs.astral.sh/uv/concepts/indexes/#searching-across-multiple-indexes"
    fixes = "unsafe"

    def check(self, context: Context) -> Iterator[Finding]:
        """Report a strategy next to an index of PyTorch; as information if none is open."""
        opened = any(not index.explicit for index in context.pytorch_indexes)
        legacy = next(_legacy_urls(context), None) is not None
        if not context.pytorch_indexes and not legacy:
            return
        uv = context.project.uv
        pip = uv.get("pip")
        for path, table in ((UV, uv), ((*UV, "pip"), pip if isinstance(pip, dict) else {})):
            strategy = table.get("index-strategy")
            if not isinstance(strategy, str) or strategy == "first-index":
                continue
            draft = draft_of(context)
            draft.remove((*path, "index-strategy"), "each package comes from one index")
            if len(path) > len(UV) and not draft.get(path):
                draft.remove(path, "it is empty")
            yield self.finding(
                (*path, "index-strategy"),
                f"with `{strategy}`, any package may come from any index that has it",
                help="remove it: explicit indexes with sources do not need it",
                severity=None if opened or legacy else Severity.INFO,
                fix=Fix("remove it", tuple(draft.steps), safe=False),
            )


class UnusedIndex(Rule):
    """No source uses a PyTorch index."""

    code = "TC106"
    name = "unused-index"
    severity = Severity.INFO
    reference = "https://docs.astral.sh/uv/concepts/indexes/#pinning-a-package-to-an-index"
    fixes = "unsafe"
    breaks = Premise.USED_INDEX

    def check(self, context: Context) -> Iterator[Finding]:
        """Report explicit indexes without a source, and open ones next to routed packages.

        It is a warning where a package that the index serves has no source at all: people believe
        that an explicit index is enough.
        """
        idle = [i for i in context.pytorch_indexes if self._is_idle(context, i)]
        if not idle:
            return
        bare = _without_source(context)
        waiting = [index for index in idle if servable(context, index.url, bare)]
        for index in idle:
            packages = servable(context, index.url, bare)
            said = f"no source names index `{index.name or index.url}`"
            if not packages:
                help_ = "add sources that use it, or remove it"
                fix = self._removal(context, index)
                yield self.finding(index.path, said, help=help_, fix=fix)
                continue
            yield self.finding(
                index.path,
                f"{said}, so PyPI serves {list_names(packages)}",
                help="add sources that use it: an explicit index serves nothing without them",
                severity=Severity.WARNING,
                fix=self._use(context, index, packages) if waiting == [index] else None,
            )

    def _is_idle(self, context: Context, index: Index) -> bool:
        searched = not index.explicit and context.project.root is None
        unused = not index.default and (
            not searched or (_is_routed(context) and not _serves_the_base(context))
        )
        return unused and not context.users_of(index)

    def _use(self, context: Context, index: Index, packages: tuple[str, ...]) -> Fix:
        draft = draft_of(context)
        name = index.name or index_name(context, index.url)
        draft.put((*index.path, "name"), name, "sources need a name")
        add_sources(draft, context, name, index.url, packages)
        return Fix(f"add sources for {list_names(packages)}", tuple(draft.steps), safe=False)

    def _removal(self, context: Context, index: Index) -> Fix:
        draft = draft_of(context)
        draft.remove(index.path, "no source names it")
        if not draft.get(INDEXES):
            draft.remove(INDEXES, "it is empty")
        return Fix("remove it", tuple(draft.steps), safe=False)


RULES: tuple[type[Rule], ...] = (
    IndexNotExplicit,
    PytorchDefaultIndex,
    LegacyIndexSetting,
    UnsafeIndexStrategy,
    UnusedIndex,
)
"""The rules of this family, by code."""
