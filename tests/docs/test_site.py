"""The whole site: it builds without a warning, twice alike, and asks no other host for anything."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.tools.build import build
from docs.tools.check import problems
from docs.tools.llms import pages
from docs.tools.places import SITE, URL

pytestmark = pytest.mark.browser  # which needs the dependency group `docs`, too


@pytest.fixture(scope="module")
def site() -> Path:
    """Build the site, which is no file of the repository."""
    build()
    return SITE


def contents(site: Path) -> dict[str, bytes]:
    """Return every file, the map of the site apart: it has the day."""
    files = (path for path in site.rglob("*") if path.is_file() and path.name != "sitemap.xml")
    return {path.relative_to(site).as_posix(): path.read_bytes() for path in files}


def test_nothing_is_wrong_with_it(site: Path) -> None:
    assert problems() == []
    assert (site / "index.html").is_file()


def test_it_is_the_same_when_built_again(site: Path) -> None:
    before = contents(site)
    build()
    assert contents(site) == before


def test_llms_txt_lists_each_page_with_a_sentence(site: Path) -> None:
    text = (site / "llms.txt").read_text(encoding="utf-8")
    links = re.findall(rf"^- \[.+?\]\({URL}(\S+)\): \S.+", text, re.MULTILINE)
    assert links == [page.file for page in pages()]
    assert all((site / link).is_file() for link in links)
    whole = (site / "llms-full.txt").read_text(encoding="utf-8")
    assert whole.count(f"\nSource: {URL}") == len(links)
    assert "<!--" not in whole
    assert not any("<!--" in (site / link).read_text(encoding="utf-8") for link in links)


def test_the_skill_is_served_as_it_is(site: Path) -> None:
    text = (site / "SKILL.md").read_text(encoding="utf-8")
    assert text.startswith("---\nname: torchconf\ndescription: ")
