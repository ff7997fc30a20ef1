"""What the site generator reads: the pages written by hand, and those that the build writes."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping

from docs.tools.places import PAGES, ROOT, STAGED
from docs.tools.schemas import schema_pages

Made = Callable[[], Mapping[str, str]]


def changelog() -> dict[str, str]:
    """Return the page of changes: the file at the top of the repository, as it is."""
    return {"changelog.md": (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")}


MAKERS: tuple[Made, ...] = (changelog, schema_pages)
"""Each returns pages, by their paths below the site: Markdown, or JSON that is served as it is."""


def made() -> Iterator[tuple[str, str]]:
    """Yield each page that is not written by hand."""
    for maker in MAKERS:
        yield from maker().items()


def stage() -> None:
    """Write what the site generator reads, anew."""
    shutil.rmtree(STAGED, ignore_errors=True)
    shutil.copytree(PAGES, STAGED)
    for name, text in made():
        path = STAGED / name
        if path.exists():
            raise SystemExit(f"docs: {name} is written by hand and by the build")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
