"""A rule says of indexes at mirrors what it says of PyTorch's own, and of those of others."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.support.checking import check_text
from tests.support.few import every
from tests.support.paths import TESTS
from tests.support.projects import WHL

# Nothing in these URLs says what they are mirrors of.
MIRRORS = {
    WHL: ("pytorch", "https://nexus.example.org/x"),
    "https://data.pyg.org/whl": ("pyg", "https://nexus.example.org/y"),
    "https://wheels.astral.sh/simple": ("astral", "https://nexus.example.org/z"),
}
TABLE = "\n[tool.torchconf.indexes]\n" + "".join(
    f'{family} = "{mirror}"\n' for family, mirror in MIRRORS.values()
)


def is_meant(path: Path) -> bool:
    """Leave out what has settings, and how URLs on PyTorch's own host are misspelt."""
    text = path.read_text(encoding="utf-8")
    named = any(url in text for url in MIRRORS)
    return named and "tool.torchconf" not in text and path.parent.name != "TC108"


FILES = [path for path in sorted((TESTS / "rules").glob("TC*/*.toml")) if is_meant(path)]


@pytest.mark.parametrize(
    "path", every(FILES, 40), ids=lambda path: f"{path.parent.name} {path.stem}"
)
def test_same_codes_as_without_a_mirror(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    mirrored = text + TABLE
    for url, (_, mirror) in MIRRORS.items():
        mirrored = mirrored.replace(url, mirror)
    assert Counter(one.code for one in check_text(mirrored)) == Counter(
        one.code for one in check_text(text)
    )


def test_the_files_have_something_to_say() -> None:
    found = {one.code for path in FILES[::5] for one in check_text(path.read_text("utf-8"))}
    assert len(found) > 20
