"""How long commands take, as multiples of what they cannot do without: `python -m tests.benchmark`.

Whole processes, their output piped, taken in turn so that a slow moment of the machine hits all of
them. What counts is the processor's time, as other programs take none of that: the mean of the
fastest quarter of the runs, divided by that of the imports which every command needs. `--version`
is measured by an empty Python. A number after the command says how often each is run.
"""

from __future__ import annotations

import contextlib
import io
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.paths import CASES
from torchconf.cli import main as main_of_torchconf
from torchconf.edits import edit_text
from torchconf.edits.plan import Put

GUIDE = CASES / "038-guide-extras-cpu-cu130"
PLAIN = CASES / "045-plain-pypi-torch"
TABLE = """\
# The settings of one tool of many; a comment as people write them.
[tool.other-{:06}]
line-length = 100  # columns
select = ["ALL", "everything"]
targets = [
    {{ name = "a", marker = "sys_platform == 'linux'" }},
]

"""
TORCHCONF = [sys.executable, "-m", "torchconf"]
EMPTY = [sys.executable, "-I", "-c", "pass"]
IMPORTS = [sys.executable, "-I", "-c", "import argparse, tomllib, packaging.markers"]


def commands(folder: Path) -> dict[str, tuple[list[str], float | None]]:
    """Return each command with the multiple that is its limit."""
    init = ["init", "--dry-run", "--project", str(folder)]
    target = ["--dry-run", "--project", str(PLAIN)]
    return {
        "python -I -c pass": (EMPTY, None),
        IMPORTS[-1]: (IMPORTS, None),
        "--version": ([*TORCHCONF, "--version"], 2.0),
        "show": ([*TORCHCONF, "show", "--project", str(GUIDE)], 1.10),
        "check": ([*TORCHCONF, "check", "--project", str(GUIDE)], 1.20),
        "init -t": ([*TORCHCONF, *init, "-t", "linux-cuda", "-t", "macos-cpu"], 1.35),
        "add-target": ([*TORCHCONF, "add-target", "windows-cuda", *target], 1.40),
        "sync": ([*TORCHCONF, "sync", "cpu", "--dry-run", "--project", str(GUIDE)], None),
    }


def growth() -> list[tuple[int, float]]:
    """Return how long one edit takes, in seconds, for files of 1 kB to 1 MB."""
    steps = [Put(("tool", "uv", "package"), True, "measured")]
    found = []
    for kilobytes in (1, 10, 100, 1000):
        tables = 1000 * kilobytes // len(TABLE)
        text = "".join(TABLE.format(number) for number in range(tables))
        started = time.perf_counter()
        edit_text(text, steps)
        found.append((len(text), time.perf_counter() - started))
    return found


def checked(count: int, folder: Path) -> float:
    """Return how many projects one process checks in a second: the cases, each under many names."""
    # The fixed files too: as many that are right as that are wrong.
    texts = [path.read_text(encoding="utf-8") for path in sorted(CASES.rglob("pyproject.toml"))]
    for number in range(count):
        project = folder / f"{number:04}"
        project.mkdir()
        text = texts[number % len(texts)].replace('name = "demo"', f'name = "demo-{number}"')
        (project / "pyproject.toml").write_text(text, encoding="utf-8")
    started = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        main_of_torchconf(["check", str(folder), "--format", "json"])
    return count / (time.perf_counter() - started)


def spent() -> float:
    """Return the seconds that this process's commands have taken of the processor."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(runs: int) -> dict[str, tuple[float, float | None]]:
    """Return the time of each command, in seconds, and the multiple that is its limit."""
    # Without bytecode files every start compiles the whole program again.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as folder:
        known = commands(Path(folder))
        times: dict[str, list[float]] = {name: [] for name in known}
        for run in range(runs + 1):
            for name, (command, _) in known.items():
                before = spent()
                subprocess.run(command, env=env, capture_output=True, check=True)
                if run:
                    times[name].append(spent() - before)
    quarter = max(1, runs // 4)
    fastest = {name: statistics.mean(sorted(found)[:quarter]) for name, found in times.items()}
    return {name: (fastest[name], known[name][1]) for name in known}


def main() -> None:
    """Print a line per command."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 25
    found = measure(runs)
    for name, (seconds, most) in found.items():
        by = "python -I -c pass" if name == "--version" else IMPORTS[-1]
        limit = "" if most is None else f"  (limit: {most:.2f})"
        print(f"{name:50} {seconds * 1000:6.1f} ms  {seconds / found[by][0]:5.2f}{limit}")
    with tempfile.TemporaryDirectory() as folder:
        rate = checked(1000, Path(folder))
        print(f"check of 1,000 projects in one process: {rate:.0f} a second  (promised: 150)")
    for size, seconds in growth():
        rate = seconds / size * 1e9
        print(f"one edit of {size:9,} bytes {seconds * 1000:28.1f} ms  {rate:5.0f} ns a byte")


if __name__ == "__main__":
    main()
