"""Findings as GitLab's code quality report, which it shows in merge requests.

Source: <https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from torchconf.report.findings import placed
from torchconf.rules import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchconf.rules.engine import CheckResult, Placed

__all__ = ["code_quality"]

_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.INFO: "info"}


def code_quality(outcomes: Iterable[CheckResult]) -> list[dict[str, Any]]:
    """Return an entry for each finding.

    GitLab compares the fingerprints of two reports to tell what a merge request has changed, so
    that one must outlive a new line above its finding, and no two may be the same.
    """
    # Imported here: only this format needs it.
    from hashlib import sha256

    found: list[dict[str, Any]] = []
    seen: dict[tuple[str, ...], int] = {}
    for one in placed(outcomes):
        finding, path = one.finding, one.file.replace(os.sep, "/")
        key = (path, finding.code, finding.at, finding.message)
        seen[key] = number = seen.get(key, 0) + 1
        text = "\0".join((*key, str(number)))
        found.append(
            {
                "description": _description(one),
                "check_name": f"{finding.code} {finding.name}",
                "fingerprint": sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
                "severity": _SEVERITIES[finding.severity],
                "location": {
                    "path": path,
                    "lines": {"begin": one.span.line, "end": one.span.end_line},
                },
            }
        )
    return found


def _description(one: Placed) -> str:
    finding = one.finding
    return f"{finding.message}; {finding.help}" if finding.help else finding.message
