"""The site for programs: each page as Markdown, a list of them, and all of them in one file.

The form of `llms.txt` is that of llmstxt.org: a title, a summary, and links with a line about each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

from docs.tools.places import CONFIG, STAGED, URL

COMMENT = re.compile(r"^[ ]*<!-- .* -->\n", re.MULTILINE)
FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n+", re.DOTALL)
BLOCK = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
PARAGRAPH = re.compile(r"^[A-Za-z`].*?(?=\n\n|\Z)", re.DOTALL | re.MULTILINE)


def markdown(file: str) -> str:
    """Return a page as it was staged, without what only its tests read."""
    return COMMENT.sub("", (STAGED / file).read_text(encoding="utf-8"))


class Page(NamedTuple):
    """A page of the navigation."""

    section: str
    title: str
    file: str

    @property
    def text(self) -> str:
        """What it says."""
        return FRONT_MATTER.sub("", markdown(self.file))

    @property
    def about(self) -> str:
        """Its first sentence."""
        first = PARAGRAPH.search(BLOCK.sub("", self.text.partition("\n")[2]))
        words = " ".join(re.sub(r"\[(.*?)\]\(.*?\)", r"\1", first[0]).split()) if first else ""
        return re.split(r"(?<=[.:]) (?=[A-Z`])", words)[0].rstrip(":")


def pages() -> Iterator[Page]:
    """Yield the pages in the order of the navigation."""
    for entry in yaml.safe_load(CONFIG.read_text(encoding="utf-8"))["nav"]:
        for section, found in entry.items():
            for page in found if isinstance(found, list) else [{section: found}]:
                ((title, file),) = page.items() if isinstance(page, dict) else [(section, page)]
                yield Page(section, title, file)


def write_llms(site: Path) -> None:
    """Add the Markdown of the pages to the built site, with `llms.txt` and `llms-full.txt`."""
    front = next(pages())
    lines = [f"# {front.text.partition(chr(10))[0].lstrip('# ')}", "", f"> {front.about}", ""]
    section = ""
    for page in pages():
        if page.section != section:
            lines += [*([""] if section else []), f"## {page.section}", ""]
            section = page.section
        lines.append(f"- [{page.title}]({URL}{page.file}): {page.about}")
    for path in STAGED.rglob("*.md"):
        file = path.relative_to(STAGED).as_posix()
        (site / file).write_text(markdown(file), encoding="utf-8", newline="\n")
    (site / "llms.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    whole = [f"{page.text.strip()}\n\nSource: {URL}{page.file}\n" for page in pages()]
    (site / "llms-full.txt").write_text("\n---\n\n".join(whole), encoding="utf-8")
