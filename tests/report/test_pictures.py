"""The table of `show` as a page and as a picture: complete, readable, and nobody else's code."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shlex
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.support.hostile import written
from tests.support.projects import Demo
from torchconf.report.builds_html import stylesheet
from torchconf.report.marks import LOOKS, Look

TAGS = {
    "html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "div", "table", "thead",
    "tbody", "tr", "th", "td", "span", "ul", "li", "code",
}  # fmt: skip
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = ["a|b`c<b>&lt;", "</td></svg><script>x</script>", "]]><!--", "'\"onload=x", "&amp;#60;"]


class Page(HTMLParser):
    """What a browser finds in a page: its tags, and the text of each."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open, "every tag is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self._open[-1] if self._open else "", data))

    def of(self, tag: str) -> list[str]:
        return [text for name, text in self.texts if name == tag]


def svg_texts(text: str) -> list[str]:
    return ["".join(one.itertext()) for one in ET.fromstring(text).iter(f"{SVG}text")]


def test_a_page_is_a_table_for_those_who_do_not_see_it(tmp_path: Path) -> None:
    page = Page(Demo.of(tmp_path, "examples/extras")("show --format html").out)
    heads = [attributes for tag, attributes in page.tags if tag == "th"]
    assert [head["scope"] for head in heads] == ["col"] * 6 + ["rowgroup", "row"] * 3
    assert page.of("h1") == page.of("title") == ["PyTorch builds of demo"]
    assert page.of("th")[6:8] == ["uv sync", "torch"]
    cells = [attributes["class"] for tag, attributes in page.tags if tag == "td"]
    assert cells == ["absent"] * 4 + ["cpu"] * 4 + ["build1"] * 2 + ["cpu"] * 2
    assert page.of("span").count("not installed") == 4
    assert page.of("td") == ["cpu"] * 4 + ["cu130"] * 2 + ["cpu"] * 2
    assert page.tags[0] == ("html", {"lang": "en"})


def test_a_page_asks_for_nothing(tmp_path: Path) -> None:
    text = Demo.of(tmp_path, "examples/machine")("show --format html").out
    page = Page(text)
    assert {tag for tag, _ in page.tags} <= TAGS
    assert not {"src", "href", "style"} & {name for _, found in page.tags for name in found}
    assert "//" not in text.replace("<!DOCTYPE", "")
    (style,) = page.of("style")
    hashed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{hashed}'" in str(page.tags)
    assert page.of("code") == ["UV_NO_GROUP", "cpu", "cu126"]


def test_a_picture_says_what_the_table_says(tmp_path: Path) -> None:
    demo = Demo.of(tmp_path, "examples/extras")
    text = demo("show --format svg").out
    found = [cell.strip() for cell in svg_texts(text)]
    assert [cell.removeprefix("○ ").removeprefix("▲ ") for cell in found] == [
        cell for line in demo("show").out.splitlines() for cell in re.split(r"\s{2,}", line)
    ]
    assert "href" not in text
    assert "url(" not in text
    (spoken,) = ET.fromstring(text).iter(f"{SVG}desc")
    assert spoken.text == (
        "uv sync: torch linux not installed, linux-aarch64 not installed, windows not installed, "
        "macos not installed. uv sync --extra cpu: torch linux cpu, linux-aarch64 cpu, windows "
        "cpu, macos cpu. uv sync --extra cu130: torch linux cu130, linux-aarch64 cu130, windows "
        "cpu, macos cpu."
    )


def test_texts_of_a_picture_do_not_touch(tmp_path: Path) -> None:
    text = Demo.of(tmp_path, "examples/machine")("show --format svg").out
    root = ET.fromstring(text)
    lines: dict[str, list[tuple[float, int]]] = {}
    for one in root.iter(f"{SVG}text"):
        lines.setdefault(one.attrib["y"], []).append(
            (float(one.attrib["x"]), len("".join(one.itertext())))
        )
    assert len(lines) == 9
    for places in lines.values():
        ends = [x + 8.6 * length for x, length in places]
        starts = [x for x, _ in places[1:]]
        assert all(end + 8 < start for end, start in zip(ends, starts, strict=False))
        assert ends[-1] < float(root.attrib["width"])


@pytest.mark.parametrize("place", ["index name", "index URL", "index of a source", "extra"])
@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_file_says_is_text(place: str, text: str, tmp_path: Path) -> None:
    demo = Demo(tmp_path, written(place, text))
    page, picture = demo("show --format html"), demo("show --format svg")
    assert page.status == picture.status == (2 if place == "extra" else 0)
    if place != "extra":
        assert {tag for tag, _ in Page(page.out).tags} <= TAGS
        assert any("cu130" in cell for cell in svg_texts(picture.out))


@pytest.mark.skipif(os.name == "nt", reason="file names there have no such signs")
@pytest.mark.parametrize("text", HOSTILE)
def test_the_name_of_a_script_is_text(text: str, tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    name = f"{text.replace('/', '')}.py"
    (demo.folder / name).write_text("print()\n", encoding="utf-8")
    script = f"--script {shlex.quote(name)}"
    assert demo(f"init {script} -t linux-cu130").status == 0
    page = Page(demo(f"show {script} --format html").out)
    assert page.of("h1") == [f"PyTorch builds of {name}"]
    command = f"uv run {script}"
    assert page.of("th")[6] == command
    assert command in svg_texts(demo(f"show {script} --format svg").out)


def contrast(one: str, two: str) -> float:
    """Return the contrast of two colours.

    Source: <https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio>.
    """

    def luminance(colour: str) -> float:
        parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted(map(luminance, (one, two)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
def test_every_colour_can_be_read(look: Look) -> None:
    assert contrast(look.light, "#ffffff") > 4.5
    assert contrast(look.dark, "#0d1117") > 4.5


def test_no_two_builds_look_alike() -> None:
    assert len({look.light for look in LOOKS}) == len({look.dark for look in LOOKS}) == len(LOOKS)
    assert all(stylesheet().count(f".{look.name} {{ color") == 2 for look in LOOKS)


def test_without_rows_there_is_no_page(tmp_path: Path) -> None:
    demo = Demo.of(tmp_path, "bare")
    for format_ in ("html", "svg"):
        assert demo(f"show --format {format_}").out == ""
