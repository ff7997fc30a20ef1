"""A browser at the built site: Debian's chromium, headless, and a server on loopback.

`python -m docs.tools build` builds the site first. Without it, chromium, node or Playwright the
tests are skipped, and say why.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from docs.tools.places import SITE
from tests.support.built_site import CHROMIUM, Errors, Handler

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    if not (SITE / "try" / "engine").is_dir():
        pytest.skip("the site is not built, or without node: run `python -m docs.tools build`")
    handler = partial(Handler, directory=str(SITE))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/try/"
        server.shutdown()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed: `apt-get install chromium`")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def errors() -> Errors:
    return Errors()


@pytest.fixture
def page(browser: Browser, site: str, errors: Errors) -> Iterator[Page]:
    """Open an empty page; whatever it asks of another host, or complains of, is an error."""
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.set_default_timeout(20_000)
    host = site.partition("/try/")[0]
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    context.on(
        "request",
        lambda asked: (
            None
            if asked.url.startswith((host, "blob:", "data:"))
            else errors.append(f"outside request: {asked.url}")
        ),
    )
    yield page
    context.close()
    assert errors == []
