"""The reference of the rules: a table, and a page for each with the case that taught it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from typing import Any

from docs.tools.places import ROOT
from docs.tools.reference.table import as_markdown, markdown_table
from torchconf.rules import RULES
from torchconf.rules.page import load_page
from torchconf.rules.rule import Rule

CASES = ROOT / "tests/cases"
"""What went wrong in public: a folder for each case."""
PAGES = ROOT / "torchconf/rules/pages"
SHOWN = 3
"""Cases of one rule that its page names."""
_FIXES = {
    "safe": "`torchconf check --fix`",
    "unsafe": "`torchconf check --fix --unsafe-fixes`, where the case has one; review the result",
    "no": "none; edit the file by hand",
}


def rules_table() -> str:
    """Return the table of all rules, each with the first line of its page."""
    return markdown_table(
        ["code", "name", "severity", "fix", "what is wrong"],
        [
            [
                f"[`{rule.code}`](rules/{rule.code}.md)",
                f"`{rule.name}`",
                rule.severity.value + (", off by default" if rule.is_optional else ""),
                "" if rule.fixes == "no" else rule.fixes,
                as_markdown(load_page(rule).summary),
            ]
            for rule in RULES
        ],
    )


def rule_pages() -> dict[str, str]:
    """Return a page for each rule, by its path below the site."""
    return {f"reference/rules/{rule.code}.md": _page(rule) for rule in RULES}


def _page(rule: Rule) -> str:
    """Return what `explain` says of a rule, and where it was seen."""
    summary, _, text = (PAGES / f"{rule.code}.md").read_text(encoding="utf-8").partition("\n")
    optional = "; off by default" if rule.is_optional else ""
    facts = (
        f"- Severity: {rule.severity.value}{optional}\n"
        f"- Fix: {_FIXES[rule.fixes]}\n"
        f"- Read on: <{rule.reference}>\n"
    )
    head = f"# {rule.code} {rule.name}\n\n{as_markdown(summary.removeprefix('# '))}\n\n{facts}"
    cases = "\n".join(_case(case) for case in _cases().get(rule.code, ())[:SHOWN])
    seen = f"\n## Where it was seen\n\n{cases}" if cases else ""
    return f"{head}{text}{seen}"


@cache
def _cases() -> dict[str, list[dict[str, Any]]]:
    """Return the cases of each rule, those first that are about little else."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(CASES.glob("*/case.toml")):
        case = tomllib.loads(path.read_text(encoding="utf-8"))
        for code in case["expect"]:
            found.setdefault(code, []).append(case)
    for cases in found.values():
        cases.sort(key=lambda case: len(case["expect"]))
    return found


def _case(case: dict[str, Any]) -> str:
    """Return what is known of one case, with links to where it comes from."""
    links = ", ".join(f"[{name}]({url})" if url else name for name, url in _sources(case))
    what = re.sub(r"\s+", " ", case.get("symptom", ""))
    symptom = f" What its users saw: {as_markdown(what).rstrip('.')}." if what else ""
    return f"- **{as_markdown(case['title'])}** ({links}).{symptom}\n"


def _sources(case: dict[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Yield where a case comes from; without a URL, nobody has reported it."""
    for source in case["source"]:
        repository = f"https://github.com/{source['repo']}"
        if "/" not in source["repo"]:
            yield source["repo"].strip("()"), None
        elif "thread" in source:
            yield f"{source['repo']}#{source['thread']}", f"{repository}/issues/{source['thread']}"
        elif "commit" in source:
            place = f"{source['commit']}/{source['path']}"
            yield f"{source['repo']}, {source['path']}", f"{repository}/blob/{place}"
        else:
            yield source["repo"], repository
