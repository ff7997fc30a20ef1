"""The page under /try/ in a browser."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from docs.tools.places import SITE
from docs.tools.try_page import NODE_MODULES
from tests.support.built_site import Errors, Handler
from torchconf.cli import main

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

FILE = "[data-testid=file]"
LISTING = "[data-testid=listing]"
BROKEN = """\
[project]
name = "a"
version = "1"
requires-python = ">=3.11"
dependencies = ["torch>=2.8"]

[tool.uv.sources]
torch = [{ index = "cu", marker = "platform_system == 'linux'" }]

[[tool.uv.index]]
name = "cu"
url = "https://download.pytorch.org/whl/cu128"
explicit = true
"""


def ready(page: Page) -> None:
    page.locator("html[data-engine=ready]").wait_for(state="attached")


def answered(page: Page) -> str:
    """Wait for the answer to what the address says, and return the file."""
    hash_ = page.evaluate("location.hash")
    page.locator(f'#result[data-answers="{hash_}"]').wait_for()
    return page.locator(FILE).text_content() or ""


def check(page: Page, text: str) -> None:
    page.locator("#tab-check").click()
    page.locator("#text").fill(text)


def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    """Return what the command line writes."""
    folder = tmp_path / "my-project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert main(["init", *words, "-q"]) == 0
    return Path("pyproject.toml").read_text(encoding="utf-8")


def test_common_answers_are_there_without_python(
    page: Page, site: str, errors: Errors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.route("**/engine/**", lambda route: route.abort())
    page.goto(f"{site}#t=linux-cuda")
    page.locator("#b-linux-cpu").click()
    page.locator("#b-windows-cuda").click()
    page.locator("#b-macos-cpu").click()
    page.locator("#with-torchvision").click()
    words = ["linux-cpu", "linux-cuda", "windows-cuda", "macos-cpu"]
    targets = [word for target in words for word in ("-t", target)]
    expected = written(tmp_path, monkeypatch, *targets, "--with", "torchvision")
    assert answered(page) == expected
    # What was not rendered by the build says why it cannot be answered.
    page.locator("#b-linux-pypi").click()
    page.locator("#result .error").wait_for()
    assert "Python cannot run in this browser" in page.inner_text("#result")
    errors.clear()


def test_selecting_gives_the_file_the_commands_and_the_table(page: Page, site: str) -> None:
    page.goto(f"{site}#t=linux-cuda")
    ready(page)
    page.locator("#b-linux-rocm").click()
    page.locator("#layout").select_option("groups")
    answered(page)
    page.locator("#default option[value=machine]").wait_for(state="attached")
    page.locator("#default").select_option("machine")
    page.locator("#name").fill("trainer")
    text = answered(page)
    assert text.startswith('[project]\nname = "trainer"\n')
    assert "--layout groups --default machine" in page.inner_text("[data-testid=command]")
    assert 'UV_NO_GROUP="cu132" uv sync' in page.inner_text(".commands")
    assert "rocm7.2" in page.inner_text("table.builds")
    page.get_by_role("button", name="Copy the file").click()
    page.locator("button", has_text="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == text
    with page.expect_download() as started:
        page.get_by_role("button", name="Download").click()
    assert Path(started.value.path()).read_text(encoding="utf-8") == text
    assert started.value.suggested_filename == "pyproject.toml"


def test_a_link_leads_to_its_answer(page: Page, site: str) -> None:
    page.goto(f"{site}#t=linux-cu130,linux-cpu&with=torchaudio&python=3.12&pin=1&name=x")
    first = answered(page)
    assert 'requires-python = ">=3.12"' in first
    assert page.locator("#b-linux-cu130").get_attribute("aria-pressed") == "true"
    page.locator("#b-linux-cpu").click()
    second = answered(page)
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    assert answered(page) == second != first


def test_what_is_impossible_says_why_and_cannot_be_chosen(page: Page, site: str) -> None:
    page.goto(f"{site}#t=macos-cpu")
    before = answered(page)
    toggle = page.locator("#b-macos-cuda")
    assert toggle.get_attribute("aria-disabled") == "true"
    toggle.focus()
    reason = "CUDA: PyTorch has no CUDA build for macOS"
    assert page.inner_text("#why-macos") == reason
    page.keyboard.press("Space")
    assert answered(page) == before
    page.goto("about:blank")
    page.goto(f"{site}#t=linux-cu92")
    page.locator("#b-linux-xpu[aria-disabled=true]").wait_for()
    assert "linux-cu92" in (page.locator("#b-linux-xpu").text_content() or "")


def test_an_impossible_address_says_what_the_command_line_says(page: Page, site: str) -> None:
    page.goto(f"{site}#t=macos-cuda")
    page.locator("#result .error").wait_for()
    assert "PyTorch publishes no CUDA build for macos-arm64" in page.inner_text("#result")


def test_a_pasted_file_shows_findings_at_their_lines_and_is_fixed(page: Page, site: str) -> None:
    page.goto(site)
    check(page, BROKEN)
    line = page.locator(f"{LISTING} > li", has_text="platform_system == 'linux'")
    line.locator(".finding").wait_for()
    assert "TC402" in line.inner_text()
    line.get_by_role("button", name=re.compile("^Fix")).click()
    page.locator("[data-testid=changed]").wait_for()
    assert "+torch = [" in page.inner_text(".diff")
    assert "'Linux'" in page.input_value("#text")
    assert "TC402" not in page.inner_text(LISTING)
    page.get_by_role("button", name="Undo").click()
    assert page.input_value("#text") == BROKEN
    page.locator(f"{LISTING} .finding", has_text="TC402").wait_for()
    page.get_by_role("button", name=re.compile("About TC402")).click()
    page.get_by_text("platform-system-value: an error").wait_for()


def test_a_cell_is_explained(page: Page, site: str) -> None:
    page.goto(f"{site}#t=linux-cuda,macos-cpu")
    answered(page)
    page.get_by_role("button", name="Open in the checker").click()
    page.get_by_role("button", name=re.compile("explain torch on macos-arm64 with uv sync")).click()
    page.locator(".explanation .outcome").wait_for()
    assert "CPU, from index `pytorch-cpu`".replace("`", "") in page.inner_text(".explanation")


def test_a_target_is_added_by_a_click(page: Page, site: str) -> None:
    page.goto(f"{site}#t=linux-cuda")
    answered(page)
    page.get_by_role("button", name="Open in the checker").click()
    page.get_by_role("button", name="Add windows-cuda").click()
    page.get_by_role("button", name="Remove windows-cu132").wait_for()
    assert "windows-cu132" in page.input_value("#text")
    # A second build for a platform needs another layout: that is said, and offered.
    page.get_by_role("button", name="Add linux-rocm").click()
    page.get_by_role("button", name="Add it, with an extra for each build").click()
    page.get_by_role("button", name="Remove linux-rocm7.2").wait_for()


def test_a_requirements_file_is_migrated(page: Page, site: str) -> None:
    page.goto(site)
    check(page, "--extra-index-url https://download.pytorch.org/whl/cu128\ntorch==2.9.1\nnumpy\n")
    page.locator("[data-testid=migrated]").wait_for()
    assert page.input_value("#kind") == "requirements.txt"
    assert "pytorch-cu128" in page.inner_text("[data-testid=migrated]")
    assert page.locator("table.lines tbody tr").count() == 3
    page.get_by_role("button", name="Check the result").click()
    page.locator(LISTING).wait_for()


HOSTILE = """\
# <img src=x onerror="window.hacked = 1"> </code></pre><script>window.hacked = 1</script>
[project]
name = "<b onmouseover=window.hacked=1>x</b>"
version = "1"
dependencies = ["torch", "<svg/onload=window.hacked=1>"]
[tool.uv.sources]
torch = { index = "<img src=x onerror=window.hacked=1>", marker = "sys_platform == '<i>'" }
[[tool.uv.index]]
name = "<img src=x onerror=window.hacked=1>"
url = "javascript:window.hacked=1//download.pytorch.org/whl/cu128"
[tool.torchconf]
targets = ["<img src=x onerror=window.hacked=1>"]
"""


def test_a_hostile_file_stays_text(page: Page, site: str) -> None:
    page.goto(site)
    elements = "document.querySelectorAll('main img, main script, main svg, main b, main i').length"
    for text in [HOSTILE, HOSTILE + "[broken", f'x = "{HOSTILE!r}', HOSTILE * 40]:
        check(page, text)
        page.wait_for_timeout(400)
        page.locator(f"#found:has(.error), #found:has({LISTING})").wait_for()
        assert page.evaluate(elements) == 0
    sound = HOSTILE.partition("[tool.torchconf]")[0]
    for word in ("<b onmouseover=window.hacked=1>x</b>", "<svg/onload=window.hacked=1>"):
        sound = sound.replace(word, "x")
    check(page, sound)
    page.locator(LISTING).wait_for()
    assert "onerror" in page.inner_text(LISTING)
    page.locator("#kind").select_option("requirements.txt")
    page.wait_for_timeout(400)
    page.goto(
        f"{site}#t=linux-%3Cimg%20src%3Dx%3E,linux-cuda&name=%3Cimg%20src%3Dx%20onerror%3D1%3E"
    )
    page.locator("#result h2").first.wait_for()
    assert page.evaluate(elements) == 0
    assert page.evaluate("window.hacked") is None


def test_a_text_of_a_megabyte_is_refused_or_answered(page: Page, site: str) -> None:
    page.goto(site)
    page.locator("#tab-check").click()
    change = "(area, text) => { area.value = text; area.dispatchEvent(new Event('input')); }"
    page.locator("#text").evaluate(change, f"# {'x' * 97}\n" * 9_900 + BROKEN)
    page.locator(f"{LISTING} .finding", has_text="TC402").wait_for()
    assert page.locator(f"{LISTING} > li").count() < 50
    page.locator("#text").evaluate(change, "x" * 1_000_001)
    page.get_by_text("longer than a million characters").wait_for()


@pytest.mark.parametrize(
    "text",
    [
        "\n" * 60_000 + "!",
        "a" * 190_000,
        "a." * 95_000,
        "a = " * 45_000,
        '"""' * 60_000 + "\\",
        "[[" * 90_000,
        " " * 900_000 + "[",
        "[project]\ndependencies = [" + '"torch", ' * 20_000 + "]\n",
    ],
    ids=["lines", "word", "dots", "keys", "quotes", "brackets", "blanks", "needs"],
)
def test_no_text_makes_the_page_wait(page: Page, site: str, text: str) -> None:
    page.goto(site)
    ready(page)
    page.locator("#tab-check").click()
    taken = page.evaluate(
        """(text) => {
            const area = document.querySelector("#text");
            area.value = text;
            const start = performance.now();
            area.dispatchEvent(new Event("input"));
            const past = () => performance.now() - start;
            return new Promise((resolve) => setTimeout(() => resolve(past()), 200));
        }""",
        text,
    )
    assert taken < 10_000
    page.locator(f"#found:has(.error), #found:has({LISTING})").wait_for(timeout=60_000)


def test_it_works_without_a_network_once_it_is_loaded(page: Page, site: str) -> None:
    page.goto(f"{site}#t=linux-cuda")
    ready(page)
    page.context.set_offline(True)
    page.locator("#b-linux-xpu").click()
    assert "xpu" in answered(page)
    check(page, BROKEN)
    page.locator(f"{LISTING} .finding").first.wait_for()
    check(page, "torch==2.9.1\n")
    page.locator("[data-testid=migrated]").wait_for()


def test_everything_is_reached_with_the_keyboard(page: Page, site: str) -> None:
    page.goto(f"{site}#t=linux-cuda")
    answered(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    seen = []
    for _ in range(14):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.id"))
    assert "b-linux-cpu" in seen
    page.locator("#b-linux-cpu").focus()
    page.keyboard.press("Space")
    assert "[project.optional-dependencies]" in answered(page)
    assert page.evaluate("document.activeElement.id") == "b-linux-cpu"
    page.locator("#tab-select").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") == "tab-check"
    assert page.locator("#view-check").is_visible()


def test_on_a_phone_the_file_is_a_touch_away(page: Page, site: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{site}#t=linux-cuda")
    answered(page)
    address = page.url
    page.get_by_role("button", name="Show the file").click()
    assert page.evaluate("document.activeElement.id") == "result"
    assert page.evaluate("document.querySelector('#result').getBoundingClientRect().top") < 200
    assert page.url == address


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_page(
    browser: Browser, site: str, scheme: str, width: int
) -> None:
    axe = (NODE_MODULES / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    context = browser.new_context(
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": width, "height": 844},
        bypass_csp=True,  # axe comes from outside
    )
    page = context.new_page()
    page.goto(f"{site}#t=linux-cpu,linux-cuda,linux-aarch64-cpu,windows-cuda&layout=groups")
    ready(page)
    answered(page)
    page.wait_for_timeout(500)
    for view in ("select", "check", "migrate"):
        if view == "check":
            check(page, BROKEN)
            page.locator(f"{LISTING} .finding").first.wait_for()
            page.get_by_role("button", name=re.compile("^Fix")).first.click()
            page.locator("[data-testid=changed]").wait_for()
            page.locator("button.plain").first.click()
            page.locator(".explanation").wait_for()
        elif view == "migrate":
            check(page, "torch==2.9.1\n-e .\n???\n")
            page.locator("[data-testid=migrated], #found .error").first.wait_for()
        page.evaluate(axe)
        found = page.evaluate("axe.run({ resultTypes: ['violations'] })")
        assert [
            (one["id"], [node["target"] for node in one["nodes"]]) for one in found["violations"]
        ] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_where_webassembly_is_refused_the_page_says_so(
    page: Page, site: str, errors: Errors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Handler, "policy", Handler.policy.replace("'wasm-unsafe-eval'", ""))
    page.goto(f"{site}#t=linux-cuda")
    page.locator(".engine.failed").wait_for()
    assert "Python cannot run in this browser" in page.inner_text("#engine")
    assert "cu132" in answered(page)
    errors.clear()


def test_the_page_is_small() -> None:
    folder = SITE / "try"
    if not folder.is_dir():
        pytest.skip("the site is not built")
    own = [path for path in folder.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in own) < 300_000
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert sum(len(gzip.compress(path.read_bytes(), 9)) for path in files) < 5_500_000
