"""Findings as text for people, as JSON, and as annotations of a pull request on GitHub."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from torchconf.errors.shown import harmless, hide_secrets, shown
from torchconf.report.streams import TAB
from torchconf.rules import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from torchconf.rules import Rule
    from torchconf.rules.engine import CheckResult, Placed

__all__ = ["data", "lines_of", "one_line", "statistics", "summary", "text", "workflow_commands"]

_COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.INFO: "36"}
_WORDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "info"}
_MOST_LINES = 4
"""Lines of a long place that are shown from its beginning."""
_MOST_COLUMNS = 200
"""Signs of a long line that are shown."""
_BEFORE = 40
"""Signs of it before the place."""


def placed(outcomes: Iterable[CheckResult]) -> Iterator[Placed]:
    """Yield all findings."""
    for outcome in outcomes:
        yield from outcome.findings


def fix_of(one: Placed) -> str | None:
    """Return `safe` or `unsafe` if a finding can be fixed."""
    fix = one.finding.fix
    return None if fix is None else "safe" if fix.safe else "unsafe"


def data(outcomes: Iterable[CheckResult]) -> list[dict[str, Any]]:
    """Return the findings as JSON data, with their keys in their order."""
    return [
        {
            "code": one.finding.code,
            "name": one.finding.name,
            "severity": one.finding.severity.value,
            "message": one.finding.message,
            "path": one.file,
            "at": one.finding.at,
            "line": one.span.line,
            "column": one.span.column,
            "end_line": one.span.end_line,
            "end_column": one.span.end_column,
            "help": one.finding.help,
            "fix": fix_of(one),
            "not_taken": one.not_taken,
        }
        for one in placed(outcomes)
    ]


def one_line(one: Placed) -> str:
    """Return a finding as one line that an editor can follow."""
    finding, span = one.finding, one.span
    word = _WORDS[finding.severity]
    place = f"{one.file}:{span.line}:{span.column}"
    return shown(f"{place}: {word} {finding.code} {finding.message} ({finding.name})") + "\n"


def text(outcome: CheckResult, *, colour: bool) -> Iterator[str]:
    """Yield each finding of a file with the lines concerned, and what helps."""
    lines = lines_of(outcome.document.text)
    for one in outcome.findings:
        finding = one.finding
        word = _paint(_WORDS[finding.severity], _COLOURS[finding.severity], colour)
        name = _paint(f"{finding.code} {finding.name}", "1", colour)
        yield f"{word}: {shown(finding.message)} [{name}]\n"
        yield from _excerpt(one, lines, colour=colour)
        if finding.help:
            yield f"   = help: {shown(finding.help)}\n"
        if finding.fix and one.not_taken:
            yield f"   = fix: {shown(f'{finding.fix.title} (not taken: {one.not_taken})')}\n"
        elif finding.fix:
            flag = "--fix" if finding.fix.safe else "--fix --unsafe-fixes"
            yield f"   = fix: {shown(finding.fix.title)} (`{flag}`)\n"
        yield "\n"


def _excerpt(one: Placed, lines: Sequence[str], *, colour: bool) -> Iterator[str]:
    span = one.span
    last = min(span.end_line, span.line + _MOST_LINES - 1, len(lines))
    width = max(len(str(last)), 3)
    bar = _paint("|", "34", colour)
    gutter = " " * width
    yield f"{gutter[:-1]}--> {shown(one.file)}:{span.line}:{span.column}\n"
    yield f"{gutter} {bar}\n"
    for number in range(span.line, last + 1):
        line = lines[number - 1]
        # The guard of the stream hides what is secret, and has it said.
        text = harmless(line.replace("\t", TAB))
        start = end = 0
        if span.line == span.end_line:
            # The marks stand below what is shown, which may be longer or shorter than the line.
            start = _width(line[: span.column - 1])
            end = max(_width(line[: span.end_column - 1]), start + 1)
        if len(text) > _MOST_COLUMNS:
            text, start, end = _shortened(line, start, end)
        yield f"{_paint(f'{number:{width}}', '34', colour)} {bar} {text}".rstrip() + "\n"
        if end:
            marks = _paint("^" * (end - start), _COLOURS[one.finding.severity], colour)
            yield f"{gutter} {bar} {' ' * start}{marks}\n"
    if last < span.end_line:
        yield f"{gutter} {bar} ...\n"
    yield f"{gutter} {bar}\n"


def _shortened(line: str, start: int, end: int) -> tuple[str, int, int]:
    """Return the part of a long line in which the marks begin, and where they are in it.

    What is secret is hidden first: of a URL that is cut, nobody could tell what is its password.
    """
    text = harmless(hide_secrets(line).replace("\t", TAB))
    first = max(min(start - _BEFORE, len(text) - _MOST_COLUMNS), 0)
    last = first + _MOST_COLUMNS
    left, right = ("... " if first else ""), (" ..." if last < len(text) else "")
    moved = len(left) - first
    return f"{left}{text[first:last]}{right}", start + moved, min(end, last) + moved


def _width(text: str) -> int:
    return len(harmless(hide_secrets(text).replace("\t", TAB)))


def _paint(text: str, code: str, colour: bool) -> str:  # noqa: FBT001 - a switch, as everywhere here
    return f"\033[{code}m{text}\033[0m" if colour else text


def lines_of(text: str) -> list[str]:
    """Return the lines of a text, as TOML ends them."""
    return [line.removesuffix("\r") for line in text.split("\n")]


def statistics(outcomes: Iterable[CheckResult]) -> list[list[str]]:
    """Return how often each rule reports, the most frequent first: count, code, name, severity."""
    count = Counter((o.finding.code, o.finding.name, o.finding.severity) for o in placed(outcomes))
    ranked = sorted(count.items(), key=lambda item: (-item[1], item[0][0]))
    return [[str(n), code, name, severity.value] for (code, name, severity), n in ranked]


def summary(outcomes: Sequence[CheckResult], *, fixed: int = 0) -> str:
    """Return how many findings there are, and how many can be fixed."""
    found = [*placed(outcomes)]
    files = _count(len(outcomes), "file")
    done = f"fixed {_count(fixed, 'finding')}; " if fixed else ""
    if not found:
        left = "nothing else" if fixed else "nothing"
        return f"{done}{left} found in {files}\n"
    by_severity = Counter(one.finding.severity for one in found)
    parts = [_count(by_severity[s], _NOUNS[s]) for s in Severity if by_severity[s]]
    kinds = Counter(fix_of(one) for one in found if one.not_taken is None)
    ways = []
    if kinds["safe"]:
        ways.append(f"{kinds['safe']} can be fixed with `--fix`")
    if kinds["unsafe"]:
        more = "more " if ways else ""
        ways.append(f"{kinds['unsafe']} {more}can be fixed with `--fix --unsafe-fixes`")
    return f"{done}found {', '.join(parts)} in {files}" + "".join(f"; {w}" for w in ways) + "\n"


_NOUNS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


_GITHUB = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def workflow_commands(outcomes: Iterable[CheckResult]) -> Iterator[str]:
    """Yield each finding as an annotation of the lines that it is about."""
    # Imported here: only GitHub reads them.
    from torchconf.report.annotations import workflow_command

    for one in placed(outcomes):
        finding, span = one.finding, one.span
        properties: dict[str, object] = {
            "file": one.file.replace("\\", "/"),
            "line": span.line,
            "endLine": span.end_line,
        }
        # GitHub takes columns only where they are on one line.
        if span.line == span.end_line:
            properties |= {"col": span.column, "endColumn": span.end_column}
        properties["title"] = f"torchconf {finding.code} {finding.name}"
        lines = [shown(finding.message)]
        lines += [f"help: {shown(finding.help)}"] if finding.help else []
        yield workflow_command(_GITHUB[finding.severity], properties, *lines)


def summary_of_rules(rules: Iterable[Rule]) -> list[list[str]]:
    """Return each rule as a row: code, name, severity, fix, what is wrong."""
    return [
        [rule.code, rule.name, rule.severity.value, rule.fixes, headline(rule)] for rule in rules
    ]


def headline(rule: Rule) -> str:
    """Return the first line of a rule's page."""
    # Imported here: a finding does not need it.
    from torchconf.rules.page import load_page

    return load_page(rule).summary
