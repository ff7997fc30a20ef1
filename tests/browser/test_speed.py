"""How fast the page is: measured, printed, and held to limits that a busy machine keeps, too.

On a machine of two idle cores: usable after 0.3 s, Python ready after 1.3 s, a toggle in 40 ms.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

WATCH = """
new MutationObserver(() => {
  const found = document.querySelector("[data-testid=file]");
  if (found && !window.usable) window.usable = performance.now();
  if (document.documentElement.dataset.engine && !window.ready) window.ready = performance.now();
}).observe(document, { subtree: true, childList: true, attributes: true });
"""
CLICK = """async (toggle) => {
  const start = performance.now();
  document.querySelector(toggle).click();
  while (document.querySelector("#result").dataset.answers !== location.hash) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return performance.now() - start;
}"""
TOGGLES = ("#b-linux-pypi", "#b-windows-xpu", "#b-macos-cpu", "#with-torchaudio", "#pin")


def test_the_page_is_usable_at_once_and_answers_a_click_before_one_notices(
    browser: Browser, site: str
) -> None:
    usable, ready, clicks = [], [], []
    for _ in range(3):
        context = browser.new_context()
        context.add_init_script(WATCH)
        page = context.new_page()
        page.goto(f"{site}#t=linux-cuda")
        page.locator("html[data-engine=ready]").wait_for(state="attached")
        usable.append(page.evaluate("usable"))
        ready.append(page.evaluate("ready"))
        for number, toggle in enumerate(TOGGLES * 2):
            page.wait_for_timeout(400)
            taken = page.evaluate(CLICK, toggle)
            if number >= len(TOGGLES):  # the first time it loads what it needs
                clicks.append(taken)
        context.close()
    said = [round(median(one)) for one in (usable, ready, clicks)]
    print("usable after {} ms, Python ready after {} ms, a click takes {} ms".format(*said))
    assert said[0] < 3_000
    assert said[1] < 10_000
    assert said[2] < 300
