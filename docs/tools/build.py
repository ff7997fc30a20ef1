"""The whole site, from its pages to `docs/site`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from docs.tools import try_page
from docs.tools.llms import write_llms
from docs.tools.places import CONFIG, SITE
from docs.tools.stage import stage

FINISHERS: tuple[Callable[[Path], None], ...] = (write_llms, try_page.finish)
"""Each adds to the built site what is no page of the generator."""


def build() -> None:
    """Build the site anew; end with its message if the generator has one.

    Raises:
        SystemExit: The generator warned or failed.
    """
    stage()
    shutil.rmtree(SITE, ignore_errors=True)
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean", "-f", str(CONFIG)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or "No issues found" not in done.stdout + done.stderr:
        raise SystemExit(f"docs: the site was not built\n{done.stdout}{done.stderr}")
    for finish in FINISHERS:
        finish(SITE)
