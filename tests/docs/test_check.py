"""What the check of the site finds that a strict build does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.tools.check import broken, not_in_navigation, seen_differently
from docs.tools.places import URL
from docs.tools.stage import with_plain_bars

GOOD = f"""\
<h1 id="top">x</h1><a href="other/">1</a><a href="other/index.html#here">2</a><a href="#top">3</a>
<a href="{URL}other/">4</a><a href="https://example.org/">5</a><img src="a.png" alt="a">
"""
OTHER = '<h1 id="here">x</h1><a href="..">back</a><img src="../a.png" alt="a">'


def site(folder: Path, front: str) -> Path:
    """Make a site of two pages and a picture."""
    (folder / "other").mkdir()
    (folder / "index.html").write_text(front, encoding="utf-8")
    (folder / "other/index.html").write_text(OTHER, encoding="utf-8")
    (folder / "a.png").touch()
    return folder


def test_a_good_site_has_no_findings(tmp_path: Path) -> None:
    assert list(broken(site(tmp_path, GOOD))) == []


@pytest.mark.parametrize(
    ("front", "finding"),
    [
        ('<a href="no/">x</a>', "index.html: no/ leads nowhere"),
        ('<a href="other/#no">x</a>', "index.html: other/#no has no such heading"),
        ('<img src="b.png" alt="b">', "index.html: b.png leads nowhere"),
        (
            '<script src="https://example.org/x.js"></script>',
            "index.html: loads https://example.org/x.js from elsewhere",
        ),
    ],
)
def test_a_bad_link_is_found(front: str, finding: str, tmp_path: Path) -> None:
    assert list(broken(site(tmp_path, front))) == [finding]


def test_a_page_outside_of_the_navigation_is_found(tmp_path: Path) -> None:
    for name in ("index.md", "lost.md"):
        (tmp_path / name).touch()
    found = list(not_in_navigation(tmp_path, "docs_dir: lost.md\nnav:\n  - Start: index.md\n"))
    assert found == ["lost.md: not in the navigation"]


@pytest.mark.parametrize(
    ("text", "html", "finding"),
    [
        ("| a |\n| --- |\n| `x\\|y` |\n", "<tr><th>a</th></tr><tr><td>x|y</td></tr>", None),
        (
            "| a |\n| --- |\n| `x|y` |\n",
            "<tr><th>a</th></tr><tr><td>x|y</td></tr>",
            "index.md: write \\| for the bar in | `x|y` |",
        ),
        (
            "text\n| a |\n| --- |\n| x |\n",
            "<p>text | a | | --- | | x |</p>",
            "index.md: 0 times <tr> on the site, 2 on GitHub",
        ),
        (
            "text\n- a\n- b\n",
            "<p>text - a - b</p>",
            "index.md: 0 times <li> on the site, 2 on GitHub",
        ),
    ],
)
def test_what_is_seen_differently_somewhere_is_found(
    text: str, html: str, finding: str | None, tmp_path: Path
) -> None:
    (tmp_path / "index.md").write_text(text, encoding="utf-8")
    page = f"<article>{html}</article>"
    (tmp_path / "index.html").write_text(page, encoding="utf-8")
    assert list(seen_differently(tmp_path, tmp_path)) == ([finding] if finding else [])


def test_bars_in_the_code_of_a_table_are_plain_for_the_site() -> None:
    text = "a `x\\|y`\n\n| `x\\|y` | b\\|c |\n"
    assert with_plain_bars(text) == "a `x\\|y`\n\n| `x|y` | b\\|c |\n"


def test_a_folder_can_be_left_out_of_the_navigation(tmp_path: Path) -> None:
    for name in ("index.md", "rules.md", "rules/a.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    config = "not_in_nav: |\n  /rules/\nnav:\n  - Start: index.md\n"
    assert list(not_in_navigation(tmp_path, config)) == ["rules.md: not in the navigation"]
