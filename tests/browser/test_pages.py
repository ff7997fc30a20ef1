"""Pages of the site in a browser: they ask no other host, fit a phone, and axe finds nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from docs.tools.llms import pages
from docs.tools.places import SITE
from docs.tools.try_page import NODE_MODULES

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

PLACES = [page.file.removesuffix("index.md").replace(".md", "/") for page in pages()]
"""Addresses of the pages in the navigation, below the site."""
SOME = ["", "howto/existing-project/", "concepts/layouts/", "reference/rules/TC405/"]
"""Pages with a table of links, code of each language, pictures, lists."""


class Handler(SimpleHTTPRequestHandler):
    """A server that says nothing: the theme has scripts in its pages, and so no policy."""

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def home() -> Iterator[str]:
    if not (SITE / "index.html").is_file():
        pytest.skip("the site is not built: run `python -m docs.tools build`")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(SITE))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_no_page_asks_another_host_or_is_wider_than_a_phone(browser: Browser, home: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 800})
    page = context.new_page()
    wrong: list[str] = []
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    for place in PLACES:
        page.goto(home + place)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wrong.append(f"{place} is wider than the page")
    page.wait_for_load_state("networkidle")
    context.close()
    assert len(asked) > len(PLACES)
    assert [url for url in asked if not url.startswith((home, "data:", "blob:"))] == []
    assert wrong == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("place", SOME)
def test_axe_finds_nothing(place: str, scheme: str, browser: Browser, home: str) -> None:
    axe = NODE_MODULES / "axe-core/axe.min.js"
    if not axe.exists():
        pytest.skip("axe is not installed: the build does that, with npm")
    context = browser.new_context(
        viewport={"width": 1280, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(home + place, wait_until="networkidle")
    page.evaluate(axe.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run({ resultTypes: ['violations'] })")
    context.close()
    assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []
