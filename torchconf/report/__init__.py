"""Plans and tables as text and as JSON; colour only where it is wanted."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from torchconf.catalog import Answer
from torchconf.layout.selection import Selection, hints, selection_of
from torchconf.model.backends import PYPI
from torchconf.model.targets import PLATFORMS, SHOWN_PLATFORMS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence
    from typing import TextIO

    from torchconf.catalog import Catalog
    from torchconf.model.targets import Target
    from torchconf.planner import Outcome
    from torchconf.resolve.table import Row

_COLOURS = {"+": "32", "-": "31", "@": "36"}


def wants_colour(options: argparse.Namespace, stream: TextIO) -> bool:
    """Tell whether to colour what goes to a stream."""
    if options.color != "auto":
        return bool(options.color == "always")
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return stream.isatty() and not plain


def notes(lines: Iterable[str]) -> None:
    """Print what was chosen and why, on stderr."""
    sys.stderr.writelines(f"{line}\n" for line in lines)


def warnings(lines: Iterable[str], options: argparse.Namespace) -> None:
    """Print what could not be known, on stderr."""
    coloured = wants_colour(options, sys.stderr)
    word = "\033[33mwarning\033[0m" if coloured else "warning"
    sys.stderr.writelines(f"{word}: {line}\n" for line in lines)


def diff(text: str, options: argparse.Namespace) -> None:
    """Print a unified diff on stdout."""
    if not wants_colour(options, sys.stdout):
        sys.stdout.write(text)
        return
    for line in text.splitlines(keepends=True):
        code = _COLOURS.get(line[:1])
        body, end = line.rstrip("\r\n"), line[len(line.rstrip("\r\n")) :]
        sys.stdout.write(f"\033[{code}m{body}\033[0m{end}" if code else line)


def commands(outcome: Outcome) -> list[tuple[Target, str]]:
    """Return each target with the command that installs its build."""
    found: list[tuple[Target, str]] = []
    for target in outcome.targets:
        for scope in outcome.scopes:
            if scope.kind == "":
                kind, name = outcome.carrier
                selection = Selection(
                    extras=(name,) if kind == "extra" else (),
                    groups=(name,) if kind == "group" else (),
                    package=outcome.member,
                )
            elif scope.backend == target.backend:
                selection = selection_of(scope, outcome.scopes, outcome.default, outcome.member)
            else:
                continue
            found.append((target, selection.command()))
            break
    return found


def commands_table(outcome: Outcome) -> str:
    """Return the commands as aligned lines, and what else one should know to install."""
    rows = commands(outcome)
    if not rows:
        return ""
    width = max(len(str(target)) for target, _ in rows)
    lines = [f"{target!s:{width}}  {command}" for target, command in rows]
    return "\n".join([*lines, *hints(outcome.scopes, outcome.default, outcome.member), ""])


def others(outcome: Outcome, catalog: Catalog) -> tuple[str, ...]:
    """Say what platforms get that are no target, in each scope."""
    targeted = {target.platform for target in outcome.targets}
    found: dict[str, list[str]] = {}
    for platform in SHOWN_PLATFORMS:
        if platform in targeted:
            continue
        for scope in outcome.scopes:
            backend = scope.at(platform)
            build = (
                catalog.pypi_build(outcome.choice.release, platform)
                if (backend == PYPI and outcome.choice.release)
                else None
            )
            gets = backend.title + (f" ({build.title})" if build else "")
            by = f" by `{scope.name}`" if scope.kind else ""
            found.setdefault(f"{gets}{by}", []).append(platform.key)
    return tuple(
        f"no target, gets {gets}: {', '.join(platforms)}" for gets, platforms in found.items()
    )


def outcome_data(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as JSON data."""
    return {
        "layout": outcome.layout,
        "torch": str(outcome.choice.release) if outcome.choice.release else None,
        "targets": [
            {"target": str(target), "command": command} for target, command in commands(outcome)
        ],
        "notes": list(outcome.plan.notes),
        "warnings": list(outcome.plan.warnings),
    }


def plain_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows as aligned columns, for a pipe."""
    widths = [max(len(row[n]) for row in (head, *rows)) for n in range(len(head))]
    lines = [
        "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    ]
    return "\n".join(lines) + "\n"


def grid(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Turn rows into a table: a line per command and package, a column per platform."""
    platforms = list(dict.fromkeys(row.platform for row in rows))
    lines: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        lines.setdefault((row.command, row.package), {})[row.platform] = _cell(row)
    order = {
        command: number for number, command in enumerate(dict.fromkeys(r.command for r in rows))
    }
    found = sorted(lines.items(), key=lambda item: order[item[0][0]])
    short = {platform.key: platform.short for platform in PLATFORMS}
    return ["command", "package", *(short[platform] for platform in platforms)], [
        [command, package, *(cells[platform] for platform in platforms)]
        for (command, package), cells in found
    ]


def _cell(row: Row) -> str:
    if row.backend is None:
        return "-" if row.reason is None else "error" if row.available is Answer.NO else "?"
    if row.available is Answer.NO:
        return f"{row.backend}: no wheel"
    return f"{row.backend} ?" if row.available is Answer.UNKNOWN else row.backend


def print_rows(rows: Sequence[Row], options: argparse.Namespace) -> None:
    """Print the table with rich: for a terminal."""
    # Imported here: rich costs more than all else that `show` does.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    head, lines = grid(rows)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in head:
        table.add_column(title, overflow="fold")
    before = ""
    for line in lines:
        command = "" if line[0] == before else line[0]
        before = line[0]
        cells = [Text(cell, style=_style(cell)) for cell in line[2:]]
        table.add_row(Text(command, style="cyan"), line[1], *cells)
    coloured = wants_colour(options, sys.stdout)
    Console(no_color=not coloured, force_terminal=coloured or None, highlight=False).print(table)


def _style(cell: str) -> str:
    if cell.endswith("no wheel") or cell == "error":
        return "red"
    return "yellow" if cell.endswith("?") else "dim" if cell == "-" else "green"
