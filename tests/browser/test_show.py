"""What `show --format html` and `svg` write, opened from the disk: complete, asking for nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from docs.tools.try_page import NODE_MODULES
from tests.support.projects import Demo

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

pytestmark = pytest.mark.browser


@pytest.fixture(params=["light", "dark"])
def context(request: pytest.FixtureRequest, browser: Browser) -> BrowserContext:
    # axe comes from outside, past the page's policy; the styles are held to it below.
    return browser.new_context(
        viewport={"width": 390, "height": 700}, color_scheme=request.param, bypass_csp=True
    )


def test_axe_finds_nothing_in_a_page(context: BrowserContext, tmp_path: Path) -> None:
    axe = NODE_MODULES / "axe-core/axe.min.js"
    if not axe.exists():
        pytest.skip("axe is not installed: the build does that, with npm")
    file = written(tmp_path, "html")
    page = context.new_page()
    page.goto(file.as_uri())
    page.evaluate(axe.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run({ resultTypes: ['violations'] })")
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    context.close()
    assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []
    assert not wide


@pytest.mark.parametrize("format_", ["html", "svg"])
def test_it_asks_for_nothing_and_has_its_colours(
    format_: str, browser: Browser, tmp_path: Path
) -> None:
    file = written(tmp_path, format_)
    context = browser.new_context()
    page = context.new_page()
    asked: list[str] = []
    wrong: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda said: wrong.append(said.text))
    page.goto(file.as_uri())
    key = "fill" if format_ == "svg" else "color"
    colour = page.locator(".build1").first.evaluate(f"one => getComputedStyle(one).{key}")
    context.close()
    assert asked == [file.as_uri()]
    assert wrong == []
    assert colour == "rgb(17, 99, 41)"


def written(folder: Path, format_: str) -> Path:
    """Write the table of a project with cells of several kinds, and a note."""
    file = folder / f"builds.{format_}"
    demo = Demo.of(folder, "examples/machine")
    file.write_text(demo(f"show --format {format_}").out, encoding="utf-8")
    return file
