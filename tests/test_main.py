"""Modules that a start puts off: whoever asks something of one gets the real one."""

from __future__ import annotations

import subprocess
import sys

import pytest

START = """\
import sys
from torchconf.__main__ import LATER
for module in LATER:
    assert module.__name__ not in sys.modules, module
    sys.modules[module.__name__] = module
def is_real(name):
    return type(sys.modules[name]).__name__ == "module"
"""


CASES = {
    "only the one that is asked": """
import platform, subprocess
assert not is_real("platform") and not is_real("subprocess")
assert platform.system() and is_real("platform") and not is_real("subprocess")
""",
    "what is taken from it": """
from subprocess import run
assert is_real("subprocess") and run.__name__ == "run"
""",
    "a logger of packaging": """
import packaging.tags
assert not is_real("logging")
packaging.tags.logger.warning("said")
assert is_real("logging")
""",
    "a logger that was made before": """
import logging
logger = logging.getLogger("a")
assert not is_real("logging")
logging.basicConfig(format="%(name)s %(message)s")
assert is_real("logging")
logger.error("said")
""",
    "a module below it": """
import logging.handlers
assert is_real("logging")
logging.getLogger("a").error("said")
""",
    "two loggers of one name are one": """
import logging
first, second = logging.getLogger("a"), logging.getLogger("a")
class Own(logging.Handler):
    def emit(self, record):
        sys.stderr.write(record.getMessage())
first.addHandler(Own())
second.error("said")
""",
    "libraries that log": """
import asyncio, concurrent.futures, rich.logging
asyncio.run(asyncio.sleep(0))
""",
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_the_real_one(name: str) -> None:
    code = CASES[name]
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"{START}{code}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert ("said" in code) == ("said" in done.stderr)
