"""Findings in Markdown: for a pull request or a job's summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.report.findings import placed, summary
from torchconf.report.markdown import as_code, as_message, as_text, markdown_list, markdown_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchconf.errors import TorchconfError
    from torchconf.rules.engine import CheckResult

__all__ = ["findings_markdown"]


def findings_markdown(
    outcomes: Sequence[CheckResult], errors: Sequence[TorchconfError] = ()
) -> str:
    """Return a table of the findings, and below it what could not be read."""
    rows = [
        [
            as_text(one.finding.severity.value),
            as_code(f"{one.file}:{one.span.line}"),
            f"{as_code(one.finding.code)} {as_text(one.finding.name)}",
            "; ".join(as_message(line) for line in (one.finding.message, one.finding.help) if line),
        ]
        for one in placed(outcomes)
    ]
    parts = [markdown_table(["severity", "place", "rule", "finding"], rows)] if rows else []
    if outcomes:
        parts.append(f"{as_text(summary(outcomes).strip())}\n")
    if errors:
        parts.append(markdown_list(str(error) for error in errors))
    return "\n".join(parts)
