"""What a strict build does not see, in the pages and in the built site."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from markdown_it import MarkdownIt

from docs.tools.llms import FRONT_MATTER
from docs.tools.places import CONFIG, PAGES, SITE, STAGED, URL
from docs.tools.reference import filled
from docs.tools.stage import CODE, ROW

PARTS = {"tr": ["tr_open"], "li": ["list_item_open"], "pre": ["fence", "code_block"]}
"""Elements that the site and GitHub could see differently, and what markdown-it calls them."""
BAR = re.compile(r"(?<!\\)\|")
LOADED = (("img", "src"), ("script", "src"), ("link", "href"), ("source", "src"))


class Page(HTMLParser):
    """What a built page has and refers to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take an element's name and what it refers to."""
        found = {name: value or "" for name, value in attrs}
        if "id" in found:
            self.ids.add(found["id"])
        if tag == "link" and found.get("rel") in {"canonical", "prev", "next"}:
            return
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        self.loads += [found[name] for element, name in LOADED if tag == element and name in found]


def broken(site: Path) -> Iterator[str]:
    """Yield each link of a built page that leads nowhere, and each request to elsewhere."""
    files = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    pages = {
        name: Page((site / name).read_text(encoding="utf-8"))
        for name in sorted(files)
        if name.endswith(".html")
    }
    for name, page in pages.items():
        for link in page.loads:
            if not urljoin(URL + name, link).startswith((URL, "data:")):
                yield f"{name}: loads {link} from elsewhere"
        for link in [*page.links, *page.loads]:
            whole, anchor = urldefrag(urljoin(URL + name, link))
            if not whole.startswith(URL):
                continue
            target = unquote(urlsplit(whole).path).removeprefix(urlsplit(URL).path)
            if target not in files:
                target = f"{target}/index.html".replace("//", "/").lstrip("/")
            if target not in files:
                yield f"{name}: {link} leads nowhere"
            elif anchor and target in pages and unquote(anchor) not in pages[target].ids:
                yield f"{name}: {link} has no such heading"


def not_in_navigation(staged: Path, config: str) -> Iterator[str]:
    """Yield each page that the navigation does not name, unless its folder is to stay outside."""
    named = set(re.findall(r"[\w./-]+\.md", config.partition("\nnav:")[2]))
    outside = tuple(re.findall(r"^  /(\S+/)$", config, re.MULTILINE))
    for path in sorted(staged.rglob("*.md")):
        name = path.relative_to(staged).as_posix()
        if name not in named and not name.startswith(outside):
            yield f"{name}: not in the navigation"


def seen_differently(pages: Path, site: Path) -> Iterator[str]:
    """Yield each page whose tables, lists or code the site and GitHub show differently.

    A bar in code splits a cell on GitHub only; without an empty line above, a table or a list is
    none on the site only. markdown-it reads as GitHub does.
    """
    github = MarkdownIt("commonmark").enable("table")
    for path in sorted(pages.rglob("*.md")):
        name = path.relative_to(pages)
        folder = name.parent if name.stem == "index" else name.with_suffix("")
        built = (site / folder / "index.html").read_text(encoding="utf-8")
        text = filled(FRONT_MATTER.sub("", path.read_text(encoding="utf-8")))
        for row in ROW.findall(text):
            if any(BAR.search(code) for code in CODE.findall(row)):
                yield f"{name.as_posix()}: write \\| for the bar in {row}"
        article = built.partition("<article")[2].partition("</article>")[0]
        types = [token.type for token in github.parse(text)]
        for tag, kinds in PARTS.items():
            ours = sum(types.count(kind) for kind in kinds)
            theirs = len(re.findall(rf"<{tag}[ >]", article))
            if ours != theirs:
                yield f"{name.as_posix()}: {theirs} times <{tag}> on the site, {ours} on GitHub"


def problems() -> list[str]:
    """Return what is wrong with the built site, one line each."""
    return [
        *not_in_navigation(STAGED, CONFIG.read_text(encoding="utf-8")),
        *seen_differently(PAGES, SITE),
        *broken(SITE),
    ]
