"""What the site generator reads: the pages written by hand, and those that the build writes."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Mapping

from docs.tools.places import PAGES, ROOT, STAGED
from docs.tools.reference import filled, rule_pages
from docs.tools.schemas import schema_pages

ROW = re.compile(r"^\|.*\|$", re.MULTILINE)
CODE = re.compile(r"`[^`]+`")

Made = Callable[[], Mapping[str, str]]


def changelog() -> dict[str, str]:
    """Return the page of changes: the file at the top of the repository, as it is."""
    return {"changelog.md": (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")}


MAKERS: tuple[Made, ...] = (changelog, rule_pages, schema_pages)
"""Each returns pages, by their paths below the site: Markdown, or JSON that is served as it is."""


def made() -> Iterator[tuple[str, str]]:
    """Yield each page that is not written by hand."""
    for maker in MAKERS:
        yield from maker().items()


def with_plain_bars(text: str) -> str:
    r"""Return a page with `a|b` for `a\|b` in the code of its tables.

    GitHub splits cells at any bar without a backslash and hides the backslash. Python-Markdown
    splits at no bar in code, and shows the backslash.
    """
    return ROW.sub(lambda row: CODE.sub(lambda code: code[0].replace("\\|", "|"), row[0]), text)


def stage() -> None:
    """Write what the site generator reads, anew."""
    shutil.rmtree(STAGED, ignore_errors=True)
    shutil.copytree(PAGES, STAGED)
    for path in PAGES.rglob("*.md"):
        text = filled(path.read_text(encoding="utf-8"))
        target = STAGED / path.relative_to(PAGES)
        target.write_text(with_plain_bars(text), encoding="utf-8", newline="\n")
    for name, text in made():
        path = STAGED / name
        if path.exists():
            raise SystemExit(f"docs: {name} is written by hand and by the build")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(with_plain_bars(text), encoding="utf-8", newline="\n")
