"""Shapes that uv refuses, and keys that it does not know."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from torchconf.model.toml_path import CONFLICTS, INDEXES, UV
from torchconf.rules.fixes import draft_of, index_name
from torchconf.rules.rule import Finding, Fix, Premise, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchconf.model.project import Source
    from torchconf.model.toml_path import Path
    from torchconf.rules.context import Context

__all__ = ["RULES"]

_GROUP_MARKER = r"\bgroup\b"
_PAIR = 2


class BadShape(Rule):
    """A table or a value has a shape that uv rejects."""

    code = "TC001"
    name = "bad-shape"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/reference/settings/"
    fixes = "safe"
    stops_lock = True

    def check(self, context: Context) -> Iterator[Finding]:
        """Report what the reader could not take, and what uv's own parser refuses."""
        flat = self._flat_conflicts(context)
        if flat is not None:
            yield flat
        yield from self._unread(context, conflicts_too=flat is None)
        yield from self._small_sets(context)
        yield from self._sources(context)
        yield from self._indexes(context)

    def _unread(self, context: Context, *, conflicts_too: bool) -> Iterator[Finding]:
        for problem in context.problems:
            if not conflicts_too and problem.path[:3] == CONFLICTS:
                continue
            if problem.path[-1:] == ("marker",) and re.search(_GROUP_MARKER, problem.message):
                continue  # TC206 has more to say.
            yield self.finding(problem.path, problem.message, help=problem.help)

    def _flat_conflicts(self, context: Context) -> Finding | None:
        value = context.project.uv.get("conflicts")
        if not isinstance(value, list) or not any(isinstance(entry, dict) for entry in value):
            return None
        message = (
            "`conflicts` must be an array of arrays: the entries need another pair of brackets"
        )
        fix = None
        if all(isinstance(entry, dict) for entry in value) and len(value) >= _PAIR:
            draft = draft_of(context)
            draft.put(CONFLICTS, [list(value)], "one set of all entries")
            fix = Fix("put the entries into one set", tuple(draft.steps), safe=True)
        return self.finding(CONFLICTS, message, fix=fix)

    def _small_sets(self, context: Context) -> Iterator[Finding]:
        table = context.project.uv.get("conflicts")
        for conflict in context.project.conflicts:
            written = table[int(conflict.path[-1])] if isinstance(table, list) else None
            if not isinstance(written, list) or len(set(conflict.items)) >= _PAIR:
                continue
            if any(p.path[: len(conflict.path)] == conflict.path for p in context.problems):
                continue
            count = "nothing" if not written else "one item"
            message = f"a conflict set needs two different items, but this one has {count}"
            draft = draft_of(context)
            draft.remove(conflict.path, "a single item conflicts with nothing")
            fix = Fix("remove the set", tuple(draft.steps), safe=False)
            yield self.finding(conflict.path, message, fix=fix)

    def _sources(self, context: Context) -> Iterator[Finding]:
        for package, sources in context.project.sources.items():
            for source in sources:
                if source.extra and source.group:
                    message = f"the source of `{package}` has both an `extra` and a `group`"
                    help_ = "split it into two entries, and add both names to one conflict set"
                    yield self.finding(source.path, message, help=help_)
                if source.kind in ("mixed", "none"):
                    message = (
                        f"the source of `{package}` must have exactly one of `index`, `path`, "
                        "`git`, `url`, `workspace`"
                    )
                    yield self.finding(source.path, message)
            for one, after in itertools.pairwise(sources):
                alike = (one.extra, one.group) == (after.extra, after.group)
                bare = next((each for each in (one, after) if each.marker is None), None)
                if alike and bare is not None and not (one.extra and one.group):
                    message = f"`{package}` has several sources, but this one has no marker"
                    help_ = "add markers so that only one source applies on each platform"
                    yield self.finding(bare.path, message, help=help_)
                    break

    def _indexes(self, context: Context) -> Iterator[Finding]:
        names: set[str] = set()
        default = False
        for index in context.project.indexes:
            if index.name is None:
                if index.explicit:
                    yield self._nameless(context, index.path, index.url)
            elif not re.fullmatch(r"[A-Za-z0-9._-]+", index.name):
                message = (
                    f"invalid index name `{index.name}`: use letters, digits, `-`, `_` and `.`"
                )
                yield self.finding((*index.path, "name"), message)
            elif index.name in names:
                yield self.finding(
                    (*index.path, "name"), f"another index is already named `{index.name}`"
                )
            else:
                names.add(index.name)
            if index.default and default:
                yield self.finding((*index.path, "default"), "this is a second default index")
            default = default or index.default

    def _nameless(self, context: Context, path: Path, url: str) -> Finding:
        draft = draft_of(context)
        name = index_name(context, url)
        draft.put((*path, "name"), name, "sources need a name")
        fix = Fix(f"name it `{name}`", tuple(draft.steps), safe=False)
        message = "an explicit index needs a `name`, because only sources can refer to it"
        return self.finding(path, message, fix=fix)


# The fields of `[tool.uv]`, of an index and of `[tool.uv.pip]`, as uv 0.13.9 lists them.
_UV_KEYS = frozenset(
    [
        "required-version",
        "system-certs",
        "native-tls",
        "offline",
        "no-cache",
        "cache-dir",
        "preview",
        "preview-features",
        "python-preference",
        "python-downloads",
        "concurrent-downloads",
        "concurrent-builds",
        "concurrent-installs",
        "index",
        "index-url",
        "extra-index-url",
        "no-index",
        "find-links",
        "index-strategy",
        "keyring-provider",
        "http-proxy",
        "https-proxy",
        "no-proxy",
        "allow-insecure-host",
        "resolution",
        "prerelease",
        "prerelease-package",
        "fork-strategy",
        "dependency-metadata",
        "config-settings",
        "config-settings-package",
        "no-build-isolation",
        "require-build-hashes",
        "no-build-isolation-package",
        "extra-build-dependencies",
        "extra-build-variables",
        "exclude-newer",
        "exclude-newer-package",
        "link-mode",
        "compile-bytecode",
        "no-sources",
        "no-sources-package",
        "upgrade",
        "upgrade-package",
        "reinstall",
        "reinstall-package",
        "no-build",
        "no-build-package",
        "no-binary",
        "no-binary-package",
        "torch-backend",
        "python-install-mirror",
        "pypy-install-mirror",
        "graalpy-install-mirror",
        "pyodide-install-mirror",
        "python-downloads-json-url",
        "publish-url",
        "trusted-publishing",
        "check-url",
        "add-bounds",
        "audit",
        "pip",
        "cache-keys",
        "override-dependencies",
        "exclude-dependencies",
        "constraint-dependencies",
        "build-constraint-dependencies",
        "environments",
        "required-environments",
        "minimum-libc-version",
        "conflicts",
        "workspace",
        "sources",
        "managed",
        "package",
        "default-groups",
        "dependency-groups",
        "dev-dependencies",
        "build-backend",
    ]
)
_INDEX_KEYS = frozenset(
    [
        "name",
        "url",
        "explicit",
        "default",
        "format",
        "publish-url",
        "authenticate",
        "ignore-error-codes",
        "cache-control",
        "exclude-newer",
    ]
)


class UnknownKey(Rule):
    """A key of `[tool.uv]` or of an index is unknown to uv."""

    code = "TC002"
    name = "unknown-key"
    severity = Severity.WARNING
    reference = "https://docs.astral.sh/uv/reference/settings/"
    fixes = "unsafe"

    def check(self, context: Context) -> Iterator[Finding]:
        """Report keys near a known one in `[tool.uv]`, and all unknown ones of an index."""
        uv = context.project.uv
        for key in uv.keys() - _UV_KEYS:
            near = _nearest(key, _UV_KEYS)
            if near is not None:
                message = f"unknown key `{key}` in `[tool.uv]`"
                yield self._renaming(context, (*UV, key), near, message)
        indexes = uv.get("index")
        for number, index in enumerate(indexes if isinstance(indexes, list) else ()):
            for key in sorted(index.keys() - _INDEX_KEYS) if isinstance(index, dict) else ():
                near = _nearest(key, _INDEX_KEYS)
                message = f"unknown key `{key}` in an index: uv silently ignores it"
                yield self._renaming(context, (*INDEXES, number, key), near, message)

    def _renaming(
        self, context: Context, path: tuple[str | int, ...], near: str | None, message: str
    ) -> Finding:
        draft = draft_of(context)
        *above, key = path
        fix = None
        if near is None:
            draft.remove(path, "uv ignores it")
            fix = Fix(f"remove `{key}`", tuple(draft.steps), safe=False)
        elif draft.get((*above, near)) is None:
            value = draft.get(path)
            draft.remove(path, "it is misspelled")
            draft.put((*above, near), value, "uv's spelling")
            fix = Fix(f"rename it to `{near}`", tuple(draft.steps), safe=False)
        help_ = f"did you mean `{near}`?" if near else None
        return self.finding(path, message, help=help_, fix=fix)


def _nearest(key: str, known: frozenset[str]) -> str | None:
    # Imported here: most files have no such key.
    from difflib import get_close_matches

    same = key.lower().replace("_", "-")
    return next(iter(get_close_matches(same, known, n=1, cutoff=0.75)), None)


class NotInScript(Rule):
    """A script has a setting that only a project may have."""

    code = "TC003"
    name = "not-in-script"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/guides/scripts/"
    fixes = "unsafe"
    breaks = Premise.SETTING
    stops_lock = True

    def check(self, context: Context) -> Iterator[Finding]:
        """Report the keys that uv does not know, and sources of what a script does not have."""
        if not context.is_script:
            return
        # Imported here: most files are no scripts.
        from torchconf.model.scripts import PROJECT_ONLY

        for key in PROJECT_ONLY:
            if key not in context.project.uv:
                continue
            draft = draft_of(context)
            draft.remove((*UV, key), "uv refuses it in a script")
            yield self.finding(
                (*UV, key),
                f"uv refuses a script with `{key}` in `[tool.uv]`",
                help="remove it, or turn the script into a project",
                fix=Fix(f"remove `{key}`", tuple(draft.steps), safe=False),
            )
        for source in context.sources:
            if source.kind == "workspace":
                yield self.finding(
                    (*source.path, "workspace"),
                    "uv refuses a script with a `workspace` source",
                    help="name an index, a path or a Git repository",
                )
            else:
                yield from self._scopes(context, source)

    def _scopes(self, context: Context, source: Source) -> Iterator[Finding]:
        draft = draft_of(context)
        entry = draft.get(source.path)
        for key, effect in (
            ("extra", "a script has no extras, so uv never applies this source"),
            ("group", "a script has no groups, so uv always applies this source"),
        ):
            if key in entry:
                draft.remove((*source.path, key), "a script has none")
                yield self.finding(
                    (*source.path, key),
                    effect,
                    severity=Severity.WARNING,
                    help=f"remove `{key}`, or turn the script into a project",
                    fix=Fix(f"remove `{key}`", tuple(draft.steps), safe=False),
                )


RULES: tuple[type[Rule], ...] = (BadShape, UnknownKey, NotInScript)
"""The rules of this family, by code."""
