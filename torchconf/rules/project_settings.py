"""What else goes wrong in projects with PyTorch: publishing, lockfiles, settings, builds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from torchconf.errors import without_secrets
from torchconf.model.backends import is_nightly
from torchconf.model.intent import init_command
from torchconf.model.ranges import overlaps, uv_range
from torchconf.model.toml_path import CONFLICTS, UV
from torchconf.model.uv_lock import locked_builds
from torchconf.model.uv_versions import ASKS_MEMBERS_SINCE, LOCKS_RIGHT_SINCE
from torchconf.rules.fixes import draft_of
from torchconf.rules.installed_builds import served_requirements
from torchconf.rules.rule import Finding, Fix, Premise, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchconf.model.project import Project
    from torchconf.rules.context import Context

__all__ = ["RULES"]


class StaleLock(Rule):
    """The lockfile and the sources disagree about where a package comes from."""

    code = "TC503"
    name = "stale-lock"
    severity = Severity.WARNING
    reference = "https://docs.astral.sh/uv/concepts/projects/sync/"

    def check(self, context: Context) -> Iterator[Finding]:
        """Look for the index of each source among the registries of the lockfile."""
        text = context.workspace.lockfile
        if not text:
            return
        name, command = _lock_words(context.project)
        reported: set[str] = set()
        for source in context.family_sources:
            index = context.index_of(source)
            if index is None or source.package in reported:
                continue
            builds = locked_builds(text, source.package)
            asked = list(served_requirements(context, source))
            if (
                not builds
                or not asked
                or not any(
                    context.platforms(source.marker, one.marker) & context.locked for one in asked
                )
            ):
                continue
            registries = {_bare(build.registry) for build in builds}
            if _bare(index.url) in registries:
                continue
            reported.add(source.package)
            yield self.finding(
                source.path,
                f"{name} takes `{source.package}` from {', '.join(sorted(registries))}, "
                f"not from index `{source.value}`",
                help=f"run `{command}`, and install with `--locked`",
            )


def _lock_words(project: Project) -> tuple[str, str]:
    """Return the name of the lockfile, and the command that writes it."""
    if not project.is_script:
        return "uv.lock", "uv lock"
    # Imported here: most projects are no scripts.
    from shlex import quote

    return f"{project.at}.lock", f"uv lock --script {quote(project.at)}"


def _bare(url: str) -> str:
    """Return a URL without credentials and without a slash at its end."""
    return without_secrets(url).rstrip("/")


class UvTooOld(Rule):
    """`required-version` allows a uv version that is too old for these tables."""

    code = "TC505"
    name = "uv-too-old"
    severity = Severity.INFO
    reference = "https://docs.astral.sh/uv/reference/settings/#required-version"
    fixes = "unsafe"

    def check(self, context: Context) -> Iterator[Finding]:
        """Hold the range against the first release that will do."""
        text = context.project.uv.get("required-version")
        asking = _asks_members(context)
        scoped = any(source.extra or source.group for source in context.family_sources)
        if asking:
            since, harm = ASKS_MEMBERS_SINCE, "installs nothing for extras that ask for a member's"
        else:
            since, harm = LOCKS_RIGHT_SINCE, "does not lock these tables correctly"
        if not (asking and text is None) and not (isinstance(text, str) and (scoped or asking)):
            return
        specifier = uv_range(text) if isinstance(text, str) else SpecifierSet()
        if specifier is None or not overlaps(specifier, f"<{since}"):
            return
        path = (*UV, "required-version")
        draft = draft_of(context)
        draft.put(path, f">={since}", "the first version that locks these tables correctly")
        start = f"`{text}` allows uv before {since}, which" if text else f"uv before {since}"
        yield self.finding(
            path if text is not None else CONFLICTS,
            f"{start} {harm}",
            fix=Fix(f"require `>={since}`", tuple(draft.steps), safe=False),
        )


def _asks_members(context: Context) -> bool:
    """Tell whether an extra of a workspace root asks for one of a member that it keeps apart."""
    root = context.project
    apart = {
        (item.package, item.name)
        for conflict in (root.conflicts if root.is_workspace_root else ())
        for item in conflict.items
        if item.kind == "extra" and item.package != root.name
    }
    return bool(apart) and any(
        (line.name, extra) in apart
        for section in root.extras.values()
        for line in section.requirements
        for extra in line.extras
    )


class TorchBackendIdle(Rule):
    """`uv lock`, `uv sync` and `uv run` ignore `torch-backend` under `[tool.uv]`."""

    code = "TC506"
    name = "torch-backend-idle"
    severity = Severity.WARNING
    reference = "https://docs.astral.sh/uv/guides/integration/pytorch/#automatic-backend-selection"
    fixes = "unsafe"

    def check(self, context: Context) -> Iterator[Finding]:
        """Report the setting."""
        value = context.project.uv.get("torch-backend")
        if not isinstance(value, str):
            return
        draft = draft_of(context)
        draft.remove((*UV, "torch-backend"), "only `uv pip` uses it")
        if context.is_script:
            yield self.finding(
                (*UV, "torch-backend"),
                "`uv lock` and `uv run` ignore `torch-backend` in a script",
                help=f"select builds with sources; `{init_command(context.project)}` writes them",
                fix=Fix("remove it", tuple(draft.steps), safe=False),
            )
            return
        pip = draft.get((*UV, "pip"))
        if pip is None or (isinstance(pip, dict) and "torch-backend" not in pip):
            draft.put((*UV, "pip", "torch-backend"), value, "only `uv pip` uses it")
        yield self.finding(
            (*UV, "torch-backend"),
            "`uv lock`, `uv sync` and `uv run` ignore `torch-backend`; only `uv pip` uses it",
            help="select builds with sources; `torchconf init` writes them",
            fix=Fix("move it to `[tool.uv.pip]`", tuple(draft.steps), safe=False),
        )


class Nightly(Rule):
    """A nightly index is used without allowing pre-releases."""

    code = "TC507"
    name = "nightly"
    severity = Severity.INFO
    reference = "https://docs.astral.sh/uv/concepts/resolution/#pre-release-handling"
    fixes = "unsafe"

    def check(self, context: Context) -> Iterator[Finding]:
        """Look at packages that a nightly index serves, and at `prerelease`."""
        mode = context.project.workspace.uv.get("prerelease")
        nightly = [
            index
            for index in context.pytorch_indexes
            if is_nightly(context.catalog.real(index.url))
        ]
        if nightly and mode == "if-necessary-or-explicit" and context.project.root is None:
            draft = draft_of(context)
            draft.put((*UV, "prerelease"), "if-necessary", "its current name")
            yield self.finding(
                (*UV, "prerelease"),
                "`if-necessary-or-explicit` is deprecated; use `if-necessary`",
                fix=Fix("use `if-necessary`", tuple(draft.steps), safe=False),
            )
        if isinstance(mode, str):
            return
        for source in context.family_sources:
            # Triton is no pre-release there: a hash follows the version.
            is_triton = source.package in context.catalog.triton_packages
            if is_triton or context.index_of(source) not in nightly:
                continue
            for one in served_requirements(context, source):
                if not any(re.search(r"dev|a|b|rc", part.version) for part in one.specifier):
                    yield self.finding(
                        one.path,
                        f"`{one.name}` comes from a nightly index, but its range does not allow "
                        "pre-releases",
                        help="add a lower bound with `.dev`, such as `>=2.15.0.dev0`",
                    )
                    return


class IgnoredInMember(Rule):
    """A workspace member has a setting that uv reads only in the workspace root."""

    code = "TC512"
    name = "ignored-in-member"
    severity = Severity.WARNING
    reference = "https://docs.astral.sh/uv/concepts/projects/workspaces/"
    breaks = Premise.SETTING

    def check(self, context: Context) -> Iterator[Finding]:
        """Report the three settings in a member."""
        project = context.project
        if project.root is None:
            return
        for key in ("environments", "required-environments", "constraint-dependencies"):
            if key in project.uv:
                yield self.finding(
                    (*UV, key),
                    f"uv ignores `{key}` in a workspace member",
                    help=f"move it to {project.root.at}",
                )


class VariantsNotLocked(Rule):
    """The project turns on uv's preview of wheel variants, which lockfiles cannot hold."""

    code = "TC515"
    name = "wheel-variants-not-locked"
    severity = Severity.INFO
    reference = "https://docs.astral.sh/uv/concepts/preview/"

    def check(self, context: Context) -> Iterator[Finding]:
        """Report the feature in the list of previews, where the project has PyTorch's packages."""
        listed = context.project.uv.get("preview-features")
        if not isinstance(listed, list) or not context.needed:
            return
        for number, feature in enumerate(listed):
            if feature == "wheel-variants":
                yield self.finding(
                    (*UV, "preview-features", number),
                    "uv.lock cannot hold wheel variants: `uv lock` and `uv sync` ignore them",
                    help="choose builds with indexes and sources; the preview works in `uv pip`, "
                    "and `torchconf explain variants` shows what it chooses on this machine",
                )


RULES: tuple[type[Rule], ...] = (
    StaleLock,
    UvTooOld,
    TorchBackendIdle,
    Nightly,
    IgnoredInMember,
    VariantsNotLocked,
)
"""The rules of this family, by code."""
