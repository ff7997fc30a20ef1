"""How the cost of a command grows with its file: `python -m tests.growth [SHAPE...]`.

For each shape of `tests.support.growing` and each command, the CPU seconds of whole processes at
each size, and the exponent of the line through what the size adds, both in logarithms: 1 is linear.
"""

from __future__ import annotations

import argparse
import math
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.support.growing import FIXABLE, SHAPES, Files

SIZES = (10, 100, 300, 1000)
COMMANDS = {
    "check": ["check", "."],
    "show": ["show"],
    "add-target": ["add-target", "windows-cu130", "--dry-run"],
    "fix": ["check", "--diff", "--unsafe-fixes"],
}
PROMISED = 1.3
QUICK = 0.5
"""Seconds of CPU below which nobody notices how something grows."""


def cost(files: Files, words: Sequence[str], seconds: int) -> float:
    """Return the CPU seconds of one command; infinite if it takes longer than that."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, "-m", "torchconf", *words],
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds)),
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode < 0:
        return math.inf
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def exponent(sizes: Sequence[int], costs: Sequence[float]) -> float:
    """Fit a line to the logarithms of what each size costs more than the smallest."""
    points = [
        (math.log(size), math.log(max(seconds - costs[0], 0.01)))
        for size, seconds in zip(sizes[1:], costs[1:], strict=True)
    ]
    x_mean = sum(x for x, _ in points) / len(points)
    y_mean = sum(y for _, y in points) / len(points)
    above = sum((x - x_mean) * (y - y_mean) for x, y in points)
    return above / sum((x - x_mean) ** 2 for x, _ in points)


def measure(
    shape: Callable[[int], Files], words: Sequence[str], sizes: Sequence[int], seconds: int
) -> tuple[list[float], float]:
    """Return what each size costs, and the exponent: infinite if a size takes too long."""
    costs: list[float] = []
    for size in sizes:
        costs.append(cost(shape(size), words, seconds))
        if costs[-1] == math.inf:
            return costs, math.inf
    return costs, exponent(sizes, costs)


def main() -> None:
    """Print a line per shape and command."""
    parser = argparse.ArgumentParser()
    parser.add_argument("shapes", nargs="*")
    parser.add_argument("--commands", default="check,show,add-target")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--seconds", type=int, default=60)
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    for shape in dict.fromkeys((*SHAPES, *FIXABLE)):
        if options.shapes and shape.__name__ not in options.shapes:
            continue
        for name in options.commands.split(","):
            costs, power = measure(shape, COMMANDS[name], sizes, options.seconds)
            line = " ".join(f"{seconds:7.2f}" for seconds in costs)
            slow = costs[-1] >= QUICK and power > PROMISED
            mark = f"  over {PROMISED}" if slow else ""
            print(f"{shape.__name__:18} {name:10} {line}  exponent {power:4.2f}{mark}", flush=True)


if __name__ == "__main__":
    main()
