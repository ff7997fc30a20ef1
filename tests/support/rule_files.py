"""The files in `tests/rules`: where a rule must report, where it must not, and what it fixes."""

from __future__ import annotations

from pathlib import Path

from tests.support.paths import TESTS

FOLDER = TESTS / "rules"


BAD = sorted(FOLDER.glob("TC*/bad-*"))


GOOD = sorted(FOLDER.glob("TC*/good-*"))


FIXED = sorted(FOLDER.glob("TC*/fixed-*"))


def label(path: Path) -> str:
    return f"{path.parent.name}-{path.stem}"


def rule_of(path: Path) -> str:
    """Return the code of the rule that a file is an example of."""
    return path.parent.name
