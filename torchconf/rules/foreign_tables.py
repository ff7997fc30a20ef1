"""Tables of other tools that uv does not read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.rules.rule import Finding, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchconf.rules.context import Context

__all__ = ["RULES"]

_TOOLS = {"poetry": "Poetry", "pdm": "PDM"}


class OtherToolIndex(Rule):
    """PyTorch's indexes are configured only for Poetry or PDM, in tables that uv ignores."""

    code = "TC514"
    name = "other-tool-index"
    severity = Severity.WARNING
    reference = "https://docs.astral.sh/uv/concepts/indexes/"

    def check(self, context: Context) -> Iterator[Finding]:
        """Report the first such index of each tool that the project does not define for uv, too."""
        project = context.project
        tools = project.data.get("tool")
        ours = {
            context.catalog.backend_of_url(index.url, index.name)
            for one in (project, *([project.root] if project.root else ()))
            for index in one.indexes
        }
        for tool, title in _TOOLS.items():
            table = tools.get(tool) if isinstance(tools, dict) else None
            sources = table.get("source") if isinstance(table, dict) else None
            for number, source in enumerate(sources if isinstance(sources, list) else ()):
                url = source.get("url") if isinstance(source, dict) else None
                if not isinstance(url, str) or not context.is_pytorch(url):
                    continue
                if context.catalog.backend_of_url(url) in ours:
                    continue
                yield self.finding(
                    ("tool", tool, "source", number),
                    f"uv does not read {title}'s sources: with uv, torch comes from PyPI",
                    help="run `torchconf migrate` to move them to `[[tool.uv.index]]` and sources, "
                    "if the project is to be used with uv",
                )
                break


RULES: tuple[type[Rule], ...] = (OtherToolIndex,)
"""The rules of this family, by code."""
