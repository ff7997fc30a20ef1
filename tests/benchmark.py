"""How long commands take, as multiples of an empty Python: `python -m tests.benchmark [RUNS]`.

Whole processes, their output piped, taken in turn so that a slow moment of the machine hits all of
them; the median of each, divided by the median of `python -I -c pass` of the same run.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CASES = Path(__file__).parent / "cases"
GUIDE = CASES / "038-guide-extras-cpu-cu130"
TORCHCONF = [sys.executable, "-m", "torchconf"]
EMPTY = [sys.executable, "-I", "-c", "pass"]


def commands(folder: Path) -> dict[str, tuple[list[str], float | None]]:
    """Return each command with the multiple that is promised for it."""
    init = ["init", "--dry-run", "--project", str(folder)]
    imports = "import argparse, tomllib, packaging.markers"
    return {
        "python -I -c pass": (EMPTY, None),
        imports: ([sys.executable, "-I", "-c", imports], None),
        "--version": ([*TORCHCONF, "--version"], 2.0),
        "show": ([*TORCHCONF, "show", "--project", str(GUIDE)], 5.5),
        "init -t": ([*TORCHCONF, *init, "-t", "linux-cuda", "-t", "macos-cpu"], 7.5),
    }


def measure(runs: int) -> dict[str, tuple[float, float | None]]:
    """Return the median of each command, in seconds, and the multiple that is promised."""
    # Without bytecode files every start compiles the whole program again.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as folder:
        known = commands(Path(folder))
        times: dict[str, list[float]] = {name: [] for name in known}
        for run in range(runs + 1):
            for name, (command, _) in known.items():
                started = time.perf_counter()
                subprocess.run(command, env=env, capture_output=True, check=True)
                if run:
                    times[name].append(time.perf_counter() - started)
    return {name: (statistics.median(times[name]), known[name][1]) for name in known}


def main() -> None:
    """Print a line per command."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 25
    found = measure(runs)
    base = found["python -I -c pass"][0]
    for name, (seconds, promised) in found.items():
        limit = "" if promised is None else f"  (promised: {promised})"
        print(f"{name:50} {seconds * 1000:6.1f} ms  {seconds / base:5.2f}{limit}")


if __name__ == "__main__":
    main()
