"""Indexes: which of them serve PyTorch, to whom they are open, and where they lead."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.rules.builds import is_judged, source_entries
from torchconf.rules.mending import (
    INDEXES,
    UV,
    add_index,
    add_sources,
    draft_of,
    index_name,
    put_at,
    servable,
)
from torchconf.rules.rule import Finding, Fix, Rule, Severity
from torchconf.rules.subject import path_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchconf.backends import Backend
    from torchconf.drafting import Draft
    from torchconf.project import Index, Project, Source
    from torchconf.rules.subject import Subject

__all__ = ["RULES", "named_backend"]

_LEGACY = ("index-url", "extra-index-url", "find-links")


def _projects(subject: Subject) -> tuple[Project, ...]:
    """Return the projects that an index of this file may serve: its own, and a root's members."""
    if subject.project is subject.whole.root:
        return (subject.project, *subject.whole.members)
    return (subject.project,)


def _needed(subject: Subject) -> tuple[str, ...]:
    """Return the family packages that the projects of an index ask for, in the family's order."""
    names = {one.name for project in _projects(subject) for one in project.requirements()}
    return tuple(package for package in subject.catalog.family if package in names)


def _users(subject: Subject, index: Index) -> list[Source]:
    """Return the source entries that name an index, members' included."""
    return [
        source
        for project in _projects(subject)
        for sources in project.sources.values()
        for source in sources
        if source.index is not None and project.index_named(source.index) is index
    ]


def _is_routed(subject: Subject) -> bool:
    """Tell whether some source leads torch to an index."""
    main = subject.catalog.main_package
    return any(
        source.index is not None
        for project in _projects(subject)
        for package, sources in project.sources.items()
        for source in sources
        if package == main
    )


def _opened(subject: Subject, index: Index) -> tuple[str, ...] | None:
    """Return the packages that would leave an open index if it became explicit.

    None where nobody can say: it serves what no requirement names.
    """
    bare = [package for package in _needed(subject) if not source_entries(subject, package)]
    first = next((one for one in subject.pytorch_indexes if not one.explicit), None)
    if first is not index or (not bare and _is_routed(subject)):
        return ()
    if not _needed(subject):
        return None
    found = servable(subject, index.url, bare)
    return found if len(found) == len(bare) or _is_routed(subject) else None


def _close(subject: Subject, index: Index) -> Draft | None:
    """Draft an index that only serves what has a source; None where that can not be said."""
    packages = _opened(subject, index)
    if packages is None:
        return None
    draft = draft_of(subject)
    path = path_of(index.at)
    name = index.name or index_name(subject, index.url)
    draft.put((*path, "name"), name, "sources need a name")
    draft.put((*path, "explicit"), True, "only what names it comes from this index")  # noqa: FBT003 - a value
    add_sources(draft, subject, name, index.url, packages)
    return draft


class IndexNotExplicit(Rule):
    """One of PyTorch's indexes is open: it has no `explicit = true`.

    uv asks an open index before PyPI, for every package. PyTorch's indexes carry old and incomplete
    copies of numpy, jinja2, requests and many more, and what they lack depends on the day.

    Bad:
        [project]
        dependencies = ["torch"]

        [tool.uv.sources]
        torch = { index = "pytorch-cpu" }

        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"

    Good:
        [project]
        dependencies = ["torch"]

        [tool.uv.sources]
        torch = { index = "pytorch-cpu" }

        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"
        explicit = true
    """

    code = "TC101"
    name = "index-not-explicit"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/concepts/indexes/#pinning-a-package-to-an-index"
    fixes = "unsafe"

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Report open indexes of PyTorch."""
        for index in subject.pytorch_indexes:
            if index.explicit or index.default:
                continue
            draft = _close(subject, index)
            fix = None
            if draft is not None:
                title = "make the index explicit, with a source for each package that it serves"
                fix = Fix(title, tuple(draft.steps), safe=False)
            name = f"index `{index.name}`" if index.name else "an index of PyTorch"
            yield self.finding(
                index.at,
                f"{name} is open: uv looks for every package there before PyPI",
                help="add `explicit = true`, and a source for torch and each package beside it",
                fix=fix,
            )


class PytorchDefaultIndex(Rule):
    """One of PyTorch's indexes is the default one, in the place of PyPI.

    Everything that is not PyTorch's is then looked for where it is not.

    Bad:
        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"
        default = true

    Good:
        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"
        explicit = true
    """

    code = "TC102"
    name = "pytorch-default-index"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/concepts/indexes/#defining-an-index"
    fixes = "unsafe"

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Report default indexes of PyTorch."""
        for index in subject.pytorch_indexes:
            if not index.default:
                continue
            draft = draft_of(subject)
            path = path_of(index.at)
            name = index.name or index_name(subject, index.url)
            draft.put((*path, "name"), name, "sources need a name")
            draft.remove((*path, "default"), "PyPI serves what is not PyTorch's")
            draft.put((*path, "explicit"), True, "only what names it comes from this index")  # noqa: FBT003 - a value
            bare = [p for p in _needed(subject) if not source_entries(subject, p)]
            add_sources(draft, subject, name, index.url, servable(subject, index.url, bare))
            yield self.finding(
                f"{index.at}.default",
                f"index `{index.name or index.url}` takes the place of PyPI, and has only "
                "PyTorch's packages",
                help="write `explicit = true` instead, and a source for each package",
                fix=Fix("make it explicit, with sources", tuple(draft.steps), safe=False),
            )


class LegacyIndexSetting(Rule):
    """One of PyTorch's indexes is given as `extra-index-url`, `index-url` or `find-links`.

    What stands under `[tool.uv.pip]` is not read by `uv lock`, `uv sync` and `uv run`; what stands
    under `[tool.uv]` is open to every package, and no source can name it.

    Bad:
        [project]
        dependencies = ["torch"]

        [tool.uv]
        extra-index-url = ["https://download.pytorch.org/whl/cpu"]

    Good:
        [project]
        dependencies = ["torch"]

        [tool.uv.sources]
        torch = { index = "pytorch-cpu" }

        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"
        explicit = true
    """

    code = "TC103"
    name = "legacy-index-setting"
    severity = Severity.WARNING
    reference = "https://docs.astral.sh/uv/concepts/indexes/"
    fixes = "unsafe"

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Report PyTorch's URLs in the settings that came before `[[tool.uv.index]]`."""
        for at, url in _legacy_urls(subject):
            where = "`uv sync` does not read it" if ".pip." in at else "it is open to every package"
            key = path_of(at)[-1] if isinstance(path_of(at)[-1], str) else path_of(at)[-2]
            yield self.finding(
                at,
                f"an index of PyTorch in `{key}`: {where}",
                help="declare it as `[[tool.uv.index]]` with `explicit = true`, and add sources",
                fix=self._moved(subject, at, url) if key != "find-links" else None,
            )

    def _moved(self, subject: Subject, at: str, url: str) -> Fix | None:
        draft = draft_of(subject)
        path = path_of(at)
        draft.remove(path, "an index of its own takes its place")
        if isinstance(path[-1], int) and not draft.get(path[:-1]):
            draft.remove(path[:-1], "it is empty")
        for table in ((*UV, "pip"),):
            if draft.get(table) == {}:
                draft.remove(table, "it is empty")
        known = next(
            (i for i in subject.project.indexes if i.url.rstrip("/") == url.rstrip("/")), None
        )
        name = known.name if known and known.name else index_name(subject, url)
        if known is None:
            add_index(draft, name, url)
        bare = [p for p in _needed(subject) if not source_entries(subject, p)]
        add_sources(draft, subject, name, url, servable(subject, url, bare))
        return Fix("make it an explicit index, with sources", tuple(draft.steps), safe=False)


def _legacy_urls(subject: Subject) -> Iterator[tuple[str, str]]:
    """Yield PyTorch's URLs in old settings, each with its place."""
    uv = subject.project.uv
    pip = uv.get("pip")
    for prefix, table in (("tool.uv", uv), ("tool.uv.pip", pip if isinstance(pip, dict) else {})):
        for key in _LEGACY:
            value = table.get(key)
            if isinstance(value, str) and subject.is_pytorch(value):
                yield f"{prefix}.{key}", value
            for number, url in enumerate(value if isinstance(value, list) else ()):
                if isinstance(url, str) and subject.is_pytorch(url):
                    yield f"{prefix}.{key}[{number}]", url


class UnsafeIndexStrategy(Rule):
    """`index-strategy` lets every index answer for every package.

    With another strategy than `first-index`, a package may come from any index that has it: an old
    numpy from one of PyTorch's, or somebody's package that has the name of yours.

    Bad:
        [project]
        dependencies = ["torch"]

        [tool.uv]
        index-strategy = "unsafe-best-match"

        [[tool.uv.index]]
        url = "https://download.pytorch.org/whl/cu130"

    Good:
        [project]
        dependencies = ["torch"]

        [tool.uv.sources]
        torch = { index = "pytorch-cu130", marker = "sys_platform != 'darwin'" }

        [[tool.uv.index]]
        name = "pytorch-cu130"
        url = "https://download.pytorch.org/whl/cu130"
        explicit = true
    """

    code = "TC104"
    name = "unsafe-index-strategy"
    severity = Severity.WARNING
    reference = "https://docs.astral.sh/uv/concepts/indexes/#searching-across-multiple-indexes"
    fixes = "unsafe"

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Report a strategy next to an index of PyTorch; as information if none is open."""
        opened = any(not index.explicit for index in subject.pytorch_indexes)
        legacy = next(_legacy_urls(subject), None) is not None
        if not subject.pytorch_indexes and not legacy:
            return
        uv = subject.project.uv
        pip = uv.get("pip")
        for path, table in ((UV, uv), ((*UV, "pip"), pip if isinstance(pip, dict) else {})):
            strategy = table.get("index-strategy")
            if not isinstance(strategy, str) or strategy == "first-index":
                continue
            draft = draft_of(subject)
            draft.remove((*path, "index-strategy"), "each package has one index")
            if len(path) > len(UV) and not draft.get(path):
                draft.remove(path, "it is empty")
            yield self.finding(
                ".".join((*path, "index-strategy")),  # type: ignore[arg-type]  # names only
                f"with `{strategy}` any package may come from any index that has it",
                help="take it out: explicit indexes and sources need none",
                severity=None if opened or legacy else Severity.INFO,
                fix=Fix("take it out", tuple(draft.steps), safe=False),
            )


class UndefinedIndex(Rule):
    """A source names an index that the project does not declare.

    uv refuses to lock. Indexes of `uv.toml`, of the environment and of the command line can not be
    named by a source; upper and lower case differ.

    Bad:
        [project]
        dependencies = ["torch"]

        [tool.uv.sources]
        torch = { index = "PyTorch-CPU" }

        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"
        explicit = true

    Good:
        [project]
        dependencies = ["torch"]

        [tool.uv.sources]
        torch = { index = "pytorch-cpu" }

        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"
        explicit = true
    """

    code = "TC105"
    name = "undefined-index"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/concepts/indexes/#pinning-a-package-to-an-index"
    fixes = "unsafe"

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Report index names that lead nowhere."""
        project = subject.project
        for package, sources in project.sources.items():
            for source in sources:
                if source.index is None or project.index_named(source.index) is not None:
                    continue
                yield self.finding(
                    f"{source.at}.index",
                    f"`{package}` is routed to index `{source.index}`, which is not declared",
                    help="declare it as `[[tool.uv.index]]` in this file, or in the workspace root",
                    fix=self._declared(subject, source),
                )

    def _declared(self, subject: Subject, source: Source) -> Fix | None:
        names = [
            index.name
            for project in (subject.project, subject.project.root)
            for index in (project.indexes if project else ())
            if index.name is not None
        ]
        same = [name for name in names if name.lower() == source.value.lower()]
        if len(same) == 1:
            step = put_at(f"{source.at}.index", same[0], "it is declared by this name")
            return Fix(f"name `{same[0]}`", (step,), safe=False)
        backend = named_backend(subject, source.value)
        known = backend and backend.name in subject.catalog.backends
        if backend is None or not known or not _is_plain(source.value):
            return None
        draft = draft_of(subject)
        add_index(draft, source.value, f"{subject.catalog.base_url}/{backend.name}")
        return Fix(f"declare the index of {backend.title}", tuple(draft.steps), safe=False)


def _is_plain(name: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9._-]+", name) is not None


def named_backend(subject: Subject, name: str) -> Backend | None:
    """Tell which backend a name ends in, if it is one that was ever published."""
    known = subject.catalog.normalised
    parts = canonicalize_name(name).split("-")
    for count in (1, 2, 3):
        found = known.get("-".join(parts[-count:]))
        if found is not None and count <= len(parts):
            return subject.catalog.backend(found)
    return None


class UnusedIndex(Rule):
    """No source names an index of PyTorch.

    An explicit index without a source serves nothing; an open one next to routed packages only
    serves what should not come from it.

    Bad:
        [project]
        dependencies = ["torch"]

        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"
        explicit = true

    Good:
        [project]
        dependencies = ["torch"]

        [tool.uv.sources]
        torch = { index = "pytorch-cpu" }

        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"
        explicit = true
    """

    code = "TC106"
    name = "unused-index"
    severity = Severity.INFO
    reference = "https://docs.astral.sh/uv/concepts/indexes/#pinning-a-package-to-an-index"
    fixes = "unsafe"

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Report explicit indexes without a source, and open ones next to routed packages."""
        for index in subject.pytorch_indexes:
            idle = index.explicit or (not index.default and _is_routed(subject))
            if not idle or _users(subject, index):
                continue
            draft = draft_of(subject)
            draft.remove(path_of(index.at), "no source names it")
            if not draft.get(INDEXES):
                draft.remove(INDEXES, "it is empty")
            yield self.finding(
                index.at,
                f"no source names index `{index.name or index.url}`",
                help="add the sources that shall lead to it, or take it away",
                fix=Fix("take it away", tuple(draft.steps), safe=False),
            )


class NameMismatch(Rule):
    """A name says one backend, and the URL behind it another.

    Whoever chooses `cu124` for an old driver and gets CUDA 12.6 has a build that does not start.

    Bad:
        [[tool.uv.index]]
        name = "pytorch-cu124"
        url = "https://download.pytorch.org/whl/cu126"
        explicit = true

    Good:
        [[tool.uv.index]]
        name = "pytorch-cu126"
        url = "https://download.pytorch.org/whl/cu126"
        explicit = true
    """

    code = "TC107"
    name = "name-mismatch"
    severity = Severity.WARNING
    reference = "https://docs.astral.sh/uv/guides/integration/pytorch/"

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Compare the names of indexes, extras and groups with the URLs."""
        wrong = set()
        for index in subject.pytorch_indexes:
            backend = subject.backend(index)
            named = named_backend(subject, index.name or "")
            if backend is not None and named is not None and named != backend:
                wrong.add(index.name)
                message = f"index `{index.name}` is named after {named.title}, and serves "
                yield self.finding(f"{index.at}.name", message + backend.title)
        told = set()
        for source in subject.family_sources:
            scope = source.extra or source.group
            backend = subject.source_backend(source)
            named = named_backend(subject, scope or "")
            if scope is None or backend is None or named is None or scope in told:
                continue
            if named == backend or _has_entry(subject, source, named):
                continue
            # The CPU build is what platforms without the accelerator get.
            if backend == subject.catalog.fallback and source.marker is not None:
                continue
            told.add(scope)
            kind = "extra" if source.extra else "group"
            message = f"{kind} `{scope}` is named after {named.title}, and gets "
            yield self.finding(f"{source.at}.{kind}", message + backend.title)


def _has_entry(subject: Subject, source: Source, backend: Backend) -> bool:
    """Tell whether the same extra or group gets a backend, too, on another platform."""
    return any(
        (one.extra, one.group) == (source.extra, source.group)
        and subject.source_backend(one) == backend
        for one in subject.project.sources_for(source.package)
    )


class BadIndexUrl(Rule):
    """The URL of one of PyTorch's indexes is none that PyTorch has.

    Bad:
        [[tool.uv.index]]
        name = "pytorch-cu130"
        url = "https://download.pytorch.org/whl/cu130/torch"
        explicit = true

    Good:
        [[tool.uv.index]]
        name = "pytorch-cu130"
        url = "https://download.pytorch.org/whl/cu130"
        explicit = true
    """

    code = "TC108"
    name = "bad-index-url"
    severity = Severity.WARNING
    reference = "https://pytorch.org/get-started/locally/"
    fixes = "unsafe"

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Look at the paths of URLs on PyTorch's own host."""
        host = "/".join(subject.catalog.base_url.split("/")[:3])
        raw = subject.project.uv.get("index")
        for index in subject.pytorch_indexes:
            if not index.url.startswith(f"{host}/"):
                continue
            entry = raw[int(path_of(index.at)[-1])] if isinstance(raw, list) else {}
            if isinstance(entry, dict) and entry.get("format") == "flat":
                continue
            segments = [part for part in index.url[len(host) :].split("/") if part]
            found = _wrong_path(subject, segments)
            if found is None:
                continue
            message, better = found
            fix = None
            if better is not None:
                step = put_at(f"{index.at}.url", f"{host}/{better}", "as PyTorch has it")
                fix = Fix(f"write `{host}/{better}`", (step,), safe=False)
            yield self.finding(f"{index.at}.url", message, fix=fix)


_CHANNELS = ("nightly", "test", "lts", "preview")


def _wrong_path(  # noqa: PLR0911 - one return a mistake
    subject: Subject, segments: list[str]
) -> tuple[str, str | None] | None:
    """Return what is wrong with a path on PyTorch's host, and a better one; None if nothing is."""
    if segments[-1:] and segments[-1].endswith((".html", ".htm")):
        return "this is a page, not an index: uv finds nothing there", None
    if segments[:1] != ["whl"]:
        known = segments and _is_published(subject, segments[0])
        return "PyTorch's indexes are below `/whl`", f"whl/{segments[0]}" if known else None
    below = segments[2:] and subject.catalog.backend_of_url(f"x/{segments[2]}") is not None
    rest = segments[2:] if segments[1:2] and (segments[1] in _CHANNELS or below) else segments[1:]
    head = segments[: len(segments) - len(rest)]
    if not rest or segments[1:2] == ["lts"]:
        return None
    if len(rest) > 1 and rest[-1].replace("_", "-") in {*subject.catalog.family, "triton"}:
        return f"`{rest[-1]}` is a package: an index ends before it", "/".join((*head, *rest[:-1]))
    if subject.catalog.backend_of_url(f"x/{rest[0]}") is None:
        near = re.sub(r"[-_.]|cuda(?=[0-9])", lambda m: "cu" if m[0] == "cuda" else "", rest[0])
        better = "/".join((*head, near)) if _is_published(subject, near) else None
        return f"`{rest[0]}` is no backend of PyTorch", better
    if not _is_published(subject, rest[0]) and _is_between(subject, rest[0]):
        return f"PyTorch never published `{rest[0]}`", None
    return None


def _is_published(subject: Subject, name: str) -> bool:
    return name in subject.catalog.backends


def _is_between(subject: Subject, name: str) -> bool:
    """Tell whether a version lies between two of its line: newer ones may well be there."""
    backend = subject.catalog.backend(name)
    if not re.fullmatch(r"[a-z]+[0-9]+", name):
        return False
    line = [one.version for one in subject.catalog.newest_first(backend.accelerator)]
    return bool(line) and min(line) < backend.version < max(line)


class DuplicateIndex(Rule):
    """Two indexes have one URL, perhaps but for a slash at its end.

    uv compares URLs as they are written: a slash makes two indexes of one, and a package that is
    routed to both can not be locked.

    Bad:
        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"
        explicit = true

        [[tool.uv.index]]
        name = "torch-cpu"
        url = "https://download.pytorch.org/whl/cpu/"
        explicit = true

    Good:
        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"
        explicit = true
    """

    code = "TC109"
    name = "duplicate-index"
    severity = Severity.INFO
    reference = "https://docs.astral.sh/uv/concepts/indexes/"
    fixes = "unsafe"

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Report the second of two indexes with one URL."""
        seen: dict[str, Index] = {}
        for index in subject.project.indexes:
            first = seen.setdefault(index.url.rstrip("/"), index)
            if first is index:
                continue
            packages = {source.package for source in _users(subject, index)}
            both = packages & {source.package for source in _users(subject, first)}
            harm = bool(both) and first.url != index.url and not is_judged(subject)
            same = "" if first.url == index.url else ", but for a slash"
            names = (index.name or index.url, first.name or first.url)
            yield self.finding(
                f"{index.at}.url",
                f"index `{names[0]}` has the URL of `{names[1]}`{same}",
                help="keep one of them",
                severity=Severity.ERROR if harm else None,
                fix=self._joined(subject, first, index),
            )

    def _joined(self, subject: Subject, first: Index, second: Index) -> Fix | None:
        users = _users(subject, second)
        own = [one for sources in subject.project.sources.values() for one in sources]
        if first.name is None or second.name is None or any(user not in own for user in users):
            return None
        draft = draft_of(subject)
        for source in users:
            draft.put((*path_of(source.at), "index"), first.name, "it is the same index")
        draft.remove(path_of(second.at), "it is the same index")
        return Fix(f"use `{first.name}` for both", tuple(draft.steps), safe=False)


RULES: tuple[type[Rule], ...] = (
    IndexNotExplicit,
    PytorchDefaultIndex,
    LegacyIndexSetting,
    UnsafeIndexStrategy,
    UndefinedIndex,
    UnusedIndex,
    NameMismatch,
    BadIndexUrl,
    DuplicateIndex,
)
"""The rules of this family, by code."""
