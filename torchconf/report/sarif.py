"""Findings as SARIF 2.1.0, which code scanning services read.

Source: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from torchconf import __version__
from torchconf.report.findings import headline, placed
from torchconf.rules import RULES, Severity
from torchconf.rules.page import load_page

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchconf.rules.engine import CheckResult, Placed

__all__ = ["sarif"]

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def sarif(outcomes: Iterable[CheckResult]) -> dict[str, Any]:
    """Return a log with one run: the rules that report, and their results."""
    found = [*placed(outcomes)]
    codes = sorted({one.finding.code for one in found})
    rules = [rule for rule in RULES if rule.code in codes]
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "torchconf",
                        "version": __version__,
                        "rules": [
                            {
                                "id": rule.code,
                                "name": rule.name,
                                "shortDescription": {"text": headline(rule)},
                                "fullDescription": {"text": load_page(rule).text()},
                                "defaultConfiguration": {"level": _LEVELS[rule.severity]},
                                "helpUri": rule.reference,
                            }
                            for rule in rules
                        ],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(one, codes) for one in found],
            }
        ],
    }


def _result(one: Placed, codes: list[str]) -> dict[str, Any]:
    finding, span = one.finding, one.span
    text = f"{finding.message}\n{finding.help}" if finding.help else finding.message
    return {
        "ruleId": finding.code,
        "ruleIndex": codes.index(finding.code),
        "level": _LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(one.file)},
                    "region": {
                        "startLine": span.line,
                        "startColumn": span.column,
                        "endLine": span.end_line,
                        "endColumn": span.end_column,
                    },
                },
                "logicalLocations": [{"fullyQualifiedName": finding.at}],
            }
        ],
    }


def _uri(path: str) -> str:
    # Imported here: only this format needs it.
    from urllib.parse import quote

    # As bytes: on some systems, a name need not be Unicode.
    return quote(os.fsencode(path.replace(os.sep, "/")))
