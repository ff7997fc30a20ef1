"""Names and URLs of indexes: whether they lead where they say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchconf.rules.fixes import add_index, draft_of, put_at
from torchconf.rules.installed_builds import routes_are_known
from torchconf.rules.rule import Finding, Fix, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchconf.model.backends import Backend
    from torchconf.model.project import Index, Source
    from torchconf.rules.context import Context

__all__ = ["RULES"]


class UndefinedIndex(Rule):
    """A source names an index that the project does not define."""

    code = "TC105"
    name = "undefined-index"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/concepts/indexes/#pinning-a-package-to-an-index"
    fixes = "unsafe"
    stops_lock = True

    def check(self, context: Context) -> Iterator[Finding]:
        """Report index names that lead nowhere."""
        project = context.project
        for package, sources in project.sources.items():
            for source in sources:
                if source.index is None or project.index_named(source.index) is not None:
                    continue
                yield self.finding(
                    (*source.path, "index"),
                    f"`{package}` is routed to index `{source.index}`, which is not defined",
                    help="define it as `[[tool.uv.index]]` in this file or in the workspace root",
                    fix=self._fix(context, source),
                )

    def _fix(self, context: Context, source: Source) -> Fix | None:
        names = [
            index.name
            for project in (context.project, context.project.root)
            for index in (project.indexes if project else ())
            if index.name is not None
        ]
        same = [name for name in names if name.lower() == source.value.lower()]
        if len(same) == 1:
            step = put_at((*source.path, "index"), same[0], "this is its defined name")
            return Fix(f"use `{same[0]}`", (step,), safe=False)
        backend = context.named_backend(source.value)
        known = backend and context.catalog.is_known(backend.name)
        if backend is None or not known or not _is_plain(source.value):
            return None
        draft = draft_of(context)
        add_index(draft, source.value, context.catalog.index_url(backend))
        return Fix(f"define the index for {backend.title}", tuple(draft.steps), safe=False)


def _is_plain(name: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9._-]+", name) is not None


class NameMismatch(Rule):
    """A name and the URL behind it are for different backends."""

    code = "TC107"
    name = "name-mismatch"
    severity = Severity.WARNING
    reference = "https://docs.astral.sh/uv/guides/integration/pytorch/"

    def check(self, context: Context) -> Iterator[Finding]:
        """Compare the names of indexes, extras and groups with the URLs."""
        wrong = set()
        for index in context.pytorch_indexes:
            backend = context.backend(index)
            named = context.named_backend(index.name or "")
            if backend is not None and named is not None and named != backend:
                wrong.add(index.name)
                message = f"index `{index.name}` is named after {named.title} but serves "
                yield self.finding((*index.path, "name"), message + backend.title)
        reported = set()
        for source in context.family_sources:
            scope = source.extra or source.group
            backend = context.source_backend(source)
            named = context.named_backend(scope or "")
            if scope is None or backend is None or named is None or scope in reported:
                continue
            if named == backend or _has_entry(context, source, named):
                continue
            # The CPU build is what platforms without the accelerator get.
            if backend == context.catalog.fallback and source.marker is not None:
                continue
            reported.add(scope)
            kind = "extra" if source.extra else "group"
            message = f"{kind} `{scope}` is named after {named.title} but gets "
            yield self.finding((*source.path, kind), message + backend.title)


def _has_entry(context: Context, source: Source, backend: Backend) -> bool:
    """Tell whether the same extra or group gets a backend, too, on another platform."""
    return any(
        (one.extra, one.group) == (source.extra, source.group)
        and context.source_backend(one) == backend
        for one in context.project.sources_for(source.package)
    )


class BadIndexUrl(Rule):
    """The URL of a PyTorch index does not exist."""

    code = "TC108"
    name = "bad-index-url"
    severity = Severity.WARNING
    reference = "https://pytorch.org/get-started/locally/"
    fixes = "unsafe"

    def check(self, context: Context) -> Iterator[Finding]:
        """Look at the paths of URLs on PyTorch's own host."""
        host = "/".join(context.catalog.base_url.split("/")[:3])
        raw = context.project.uv.get("index")
        for index in context.pytorch_indexes:
            if not index.url.startswith(f"{host}/"):
                continue
            entry = raw[int(index.path[-1])] if isinstance(raw, list) else {}
            if isinstance(entry, dict) and entry.get("format") == "flat":
                continue
            segments = [part for part in index.url[len(host) :].split("/") if part]
            found = _wrong_path(context, segments)
            if found is None:
                continue
            message, better = found
            fix = None
            if better is not None:
                step = put_at((*index.path, "url"), f"{host}/{better}", "PyTorch's own URL")
                fix = Fix(f"use `{host}/{better}`", (step,), safe=False)
            yield self.finding((*index.path, "url"), message, fix=fix)


_CHANNELS = ("nightly", "test", "lts", "preview")


def _wrong_path(  # noqa: PLR0911 - one return a mistake
    context: Context, segments: list[str]
) -> tuple[str, str | None] | None:
    """Return what is wrong with a path on PyTorch's host, and a better one; None if nothing is."""
    if segments[-1:] and segments[-1].endswith((".html", ".htm")):
        return "this is a web page, not an index: uv finds no packages there", None
    if segments[:1] != ["whl"]:
        known = segments and _is_published(context, segments[0])
        return "PyTorch's indexes are under `/whl`", f"whl/{segments[0]}" if known else None
    below = segments[2:] and context.catalog.backend_of_url(f"x/{segments[2]}") is not None
    rest = segments[2:] if segments[1:2] and (segments[1] in _CHANNELS or below) else segments[1:]
    head = segments[: len(segments) - len(rest)]
    if not rest or segments[1:2] == ["lts"]:
        return None
    if len(rest) > 1 and rest[-1].replace("_", "-") in {*context.catalog.family, "triton"}:
        return f"`{rest[-1]}` is a package, not part of the URL of an index", "/".join(
            (*head, *rest[:-1])
        )
    if context.catalog.backend_of_url(f"x/{rest[0]}") is None:
        near = re.sub(r"[-_.]|cuda(?=[0-9])", lambda m: "cu" if m[0] == "cuda" else "", rest[0])
        better = "/".join((*head, near)) if _is_published(context, near) else None
        return f"`{rest[0]}` is not a PyTorch backend", better
    if not _is_published(context, rest[0]) and _is_between(context, rest[0]):
        return f"PyTorch never published `{rest[0]}`", None
    return None


def _is_published(context: Context, name: str) -> bool:
    return context.catalog.is_known(name)


def _is_between(context: Context, name: str) -> bool:
    """Tell whether a version lies between two of its line: newer ones may well be there."""
    backend = context.catalog.backend(name)
    if not re.fullmatch(r"[a-z]+[0-9]+", name):
        return False
    line = [one.version for one in context.catalog.newest_first(backend.accelerator)]
    return bool(line) and min(line) < backend.version < max(line)


class DuplicateIndex(Rule):
    """Two indexes have the same URL, apart from a trailing slash."""

    code = "TC109"
    name = "duplicate-index"
    severity = Severity.INFO
    reference = "https://docs.astral.sh/uv/concepts/indexes/"
    fixes = "unsafe"
    stops_lock = True

    def check(self, context: Context) -> Iterator[Finding]:
        """Report the second of two indexes with one URL."""
        seen: dict[str, Index] = {}
        for index in context.project.indexes:
            first = seen.setdefault(index.url.rstrip("/"), index)
            if first is index:
                continue
            packages = {source.package for source in context.users_of(index)}
            both = packages & {source.package for source in context.users_of(first)}
            harm = bool(both) and first.url != index.url and not routes_are_known(context)
            same = "" if first.url == index.url else ", apart from a trailing slash"
            names = (index.name or index.url, first.name or first.url)
            yield self.finding(
                (*index.path, "url"),
                f"indexes `{names[0]}` and `{names[1]}` have the same URL{same}",
                help="keep one of them",
                severity=Severity.ERROR if harm else None,
                fix=self._fix(context, first, index),
            )

    def _fix(self, context: Context, first: Index, second: Index) -> Fix | None:
        users = context.users_of(second)
        own = [one for sources in context.project.sources.values() for one in sources]
        if first.name is None or second.name is None or any(user not in own for user in users):
            return None
        draft = draft_of(context)
        for source in users:
            draft.put((*source.path, "index"), first.name, "it is the same index")
        draft.remove(second.path, "it is the same index")
        return Fix(f"use `{first.name}` for both", tuple(draft.steps), safe=False)


RULES: tuple[type[Rule], ...] = (
    UndefinedIndex,
    NameMismatch,
    BadIndexUrl,
    DuplicateIndex,
)
"""The rules of this family, by code."""
