"""The table of `show` as a page: one file that asks for nothing else.

It is a table to a screen reader, too: with titles of columns and lines, and in words what the
signs mean. Whatever a project says is text.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from torchconf.errors.shown import shown
from torchconf.report.code_spans import code_spans
from torchconf.report.grid import grid_of, notes_of
from torchconf.report.marks import LOOKS, marks_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torchconf.report.grid import Cell, Grid
    from torchconf.report.marks import Mark
    from torchconf.resolve.table import Row

__all__ = ["builds_html", "stylesheet"]

_LAYOUT = """\
:root { color-scheme: light dark; --page: #ffffff; --line: #d1d9e0; --text: #1f2328; }
body { margin: 1.5rem; background: var(--page); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; }
th, td { padding: .3rem .8rem; text-align: left; vertical-align: top; white-space: nowrap;
  border-bottom: 1px solid var(--line); }
th { font-weight: 600; }
td, code, tbody th { font-family: ui-monospace, monospace; }
th[scope="rowgroup"] { white-space: normal; min-width: 9rem; }
.sign { display: inline-block; width: 1.4em; }
.words { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
.wrong { font-weight: 700; }
li { overflow-wrap: anywhere; }
"""
_DARK = ":root { --page: #0d1117; --line: #3d444d; --text: #e6edf3; }"


def stylesheet() -> str:
    """Return the page's styles: the colours of all marks, on a light page and on a dark one."""
    light = "".join(f".{look.name} {{ color: {look.light}; }}\n" for look in LOOKS)
    dark = " ".join([_DARK, *(f".{look.name} {{ color: {look.dark}; }}" for look in LOOKS)])
    return f"{_LAYOUT}{light}@media (prefers-color-scheme: dark) {{ {dark} }}\n"


def builds_html(rows: Sequence[Row], name: str | None) -> str:
    """Return the page; empty without rows.

    Args:
        rows: The rows.
        name: What the project is called.
    """
    return "".join(_page(rows, name)) if rows else ""


def _page(rows: Sequence[Row], name: str | None) -> Iterator[str]:
    grid = grid_of(rows)
    style = stylesheet()
    title = f"PyTorch builds of {_text(name)}" if name else "PyTorch builds"
    yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_policy(style)}">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield f"<title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n<main>\n"
    yield f"<h1>{title}</h1>\n"
    yield '<div class="wide" role="region" aria-label="Builds" tabindex="0">\n<table>\n'
    yield from _table(grid)
    yield "</table>\n</div>\n"
    notes = "".join(f"<li>{_message(note)}</li>\n" for note in notes_of(rows))
    if notes:
        yield f"<h2>Notes</h2>\n<ul>\n{notes}</ul>\n"
    yield "</main>\n</body>\n</html>\n"


def _policy(style: str) -> str:
    """Return the policy under which a browser loads nothing, and styles as they are here."""
    from base64 import b64encode
    from hashlib import sha256

    found = b64encode(sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{found}'"


def _table(grid: Grid) -> Iterator[str]:
    marks = marks_of(grid)
    titles = "".join(f'<th scope="col">{_text(title)}</th>' for title in grid.head)
    yield f"<thead>\n<tr>{titles}</tr>\n</thead>\n"
    for command in dict.fromkeys(line.command for line in grid.lines):
        lines = [line for line in grid.lines if line.command == command]
        first = f'<th scope="rowgroup" rowspan="{len(lines)}">{_text(command)}</th>'
        yield "<tbody>\n"
        for line in lines:
            cells = "".join(_cell(cell, marks[cell]) for cell in line.cells)
            yield f'<tr>{first}<th scope="row">{_text(line.package)}</th>{cells}</tr>\n'
            first = ""
        yield "</tbody>\n"


def _cell(cell: Cell, mark: Mark) -> str:
    sign = f'<span class="sign" aria-hidden="true">{mark.sign}</span>'
    found = _text(cell.text)
    if cell.spoken != cell.text:
        words = f'<span class="words">{_text(cell.spoken)}</span>'
        found = f'<span aria-hidden="true">{found}</span>{words}'
    return f'<td class="{mark.look.name}">{sign}{found}</td>'


def _message(line: str) -> str:
    return "".join(
        f"<code>{_text(part)}</code>" if is_code else _text(part)
        for part, is_code in code_spans(line)
    )


def _text(text: str) -> str:
    return escape(shown(text))
