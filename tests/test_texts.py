"""The texts that a user can see: one list of them all, and the words that do not occur in it."""

from __future__ import annotations

import re

import pytest

from tests.support.paths import PAGES as SITE
from tests.support.paths import README, ROOT
from tests.support.texts import LIST, Text, rendered, texts

NOT = {
    r"can not": "cannot",
    r"heed(?:s|ed)?": "honours",
    r"(?<!there )is no (?!such|longer)\w+": "unknown rule `X`, or: is not a target",
    r"to nothing": "broken symlink",
    r"mend(?:s|ed|ing)?": "fix",
    r"void": "has no effect",
    r"anew": "again",
    r"be had": "is available",
    r"left alone": "no changes needed",
    # Wheel variants are what PEP 825 calls so.
    r"(?<!wheel )(?<!wheel-)(?<!explain )(?<![`\n])(?<!\A)variants?": "build, or choice",
    r"in silence": "silently",
    r"without a word": "silently",
    r"whatever (?:it|PyPI) \w+": "the thing itself",
    r"are to go|shall": "should, or an imperative",
    r"stands? above": "see above",
}
"""Words that are avoided, and what is written instead. STYLE: as uv, ruff and cargo write."""


PAGES = [
    Text(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
    for path in (README, ROOT / "CHANGELOG.md", *sorted(SITE.rglob("*.md")))
]
"""What users read that is a list of its own."""


def test_the_list_is_up_to_date() -> None:
    assert LIST.read_text(encoding="utf-8") == rendered(), (
        "texts have changed: `python -m tests.support.texts` rewrites tests/texts.txt; "
        "read the difference as a user would"
    )


@pytest.mark.parametrize("word", NOT)
def test_no_text_has_a_word_to_avoid(word: str) -> None:
    pattern = re.compile(rf"\b(?:{word})\b", re.IGNORECASE)
    wrong = [f"{file}: {text}" for file, text in (*texts(), *PAGES) if pattern.search(text)]
    assert not wrong, f"write instead: {NOT[word]}"
