"""What uv refuses to lock, and no other rule explains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.rules.rule import Finding, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchconf.rules.context import Context

__all__ = ["RULES"]


class LockRefused(Rule):
    """uv refuses to lock the project."""

    code = "TC314"
    name = "lock-refused"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/concepts/projects/config/#conflicting-dependencies"
    is_last_resort = True

    def check(self, context: Context) -> Iterator[Finding]:
        """Report why the routes come to no end, in the file that the error is about."""
        error = context.routes.error
        if error is None:
            return
        names = {project.at for project in (context.workspace.root, *context.workspace.members)}
        file = (error.at or "").partition(", ")[0]
        here = context.project.at
        if here != (file if file in names else context.workspace.root.at):
            return
        path = error.path if here == file else ()
        yield self.finding(path, f"`uv lock` fails: {error.message}", help=error.help)


RULES: tuple[type[Rule], ...] = (LockRefused,)
"""The rules of this family, by code."""
