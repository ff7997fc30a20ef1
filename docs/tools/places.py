"""Where the site's parts lie."""

from pathlib import Path

DOCS = Path(__file__).parents[1]
ROOT = DOCS.parent
CONFIG = DOCS / "mkdocs.yml"
PAGES = DOCS / "pages"
"""What is written by hand, and what tests keep as programs print it."""
STAGED = DOCS / "staged"
"""What the site generator reads: the pages, and those that are written here; not committed."""
SITE = DOCS / "site"
"""What is published; not committed."""
URL = "https://torchconf.github.io/torchconf/"
