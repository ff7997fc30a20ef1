"""Where the repository keeps what tests read."""

from pathlib import Path

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
PACKAGE = ROOT / "torchconf"
README = ROOT / "README.md"
PAGES = ROOT / "docs/pages"
CASES = TESTS / "cases"
