"""The replica by hand: run a command inside it, or see what a project's lock gives everybody."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import time
from itertools import groupby
from pathlib import Path
from typing import NoReturn

from packaging.pylock import PylockSelectError

from tests.support.replica.content import Content
from tests.support.replica.export import Build
from tests.support.replica.gpu_wheels import gpu_wheels
from tests.support.replica.machines import MACHINES
from tests.support.replica.uv import LOCKING, Replica, UvError

EXAMPLES = """\
commands:
  uv lock                   any command, uv or another, inside the replica's environment
  shell                     your shell, inside it
  env                       print the environment as exports, and serve until Ctrl-C
  table [SELECTION...]      lock the project, and print what each platform and Python gets

examples:
  python -m tests.support.replica --closed --project ~/demo uv lock
  python -m tests.support.replica --project ~/demo table --extra cu130
"""

PYTHONS = ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14", "3.15")
FAMILY = ("torch", "xformers", "triton", "pytorch-triton")


def main() -> int:
    """Run the command line, and return its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.support.replica",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--closed", action="store_true", help="no network: PyPI is stood in for")
    parser.add_argument("--project", type=Path, default=Path(), help="default: this folder")
    parser.add_argument("--newest", default="2.13.0", help="newest torch there (%(default)s)")
    parser.add_argument("--mirror", help="another place of the indexes: URL with {backend}")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="see below")
    options = parser.parse_args()
    if not options.project.is_dir():
        parser.error(f"there is no folder {options.project}")
    if not options.command:
        parser.error("name a command: uv lock, shell, env or table")
    content = Content.from_facts(newest=options.newest).merged(gpu_wheels())
    if options.mirror:
        content = content.mirrored(options.mirror)
    command, *arguments = options.command
    with Replica(content, closed=options.closed) as replica:
        if command == "table":
            return _table(replica, options.project, arguments)
        if command == "env":
            _serve(replica, options.project)
        if command == "shell":
            command = os.environ.get("COMSPEC" if os.name == "nt" else "SHELL", "sh")
        return _call(replica, options.project, command, arguments)


def _call(replica: Replica, project: Path, command: str, arguments: list[str]) -> int:
    locking = command == "uv" and bool(LOCKING.intersection(arguments[:1]))
    program = str(replica.executable) if command == "uv" else shutil.which(command)
    if program is None:
        print(f"error: there is no command `{command}`", file=sys.stderr)
        return 2
    return subprocess.call(
        [program, *arguments], cwd=project, env=replica.environment(project if locking else None)
    )


def _serve(replica: Replica, project: Path) -> NoReturn:
    for name, value in replica.environment(project).items():
        if os.environ.get(name) != value:
            print(f"export {name}={shlex.quote(value)}")
    sys.stdout.flush()
    print("serving until Ctrl-C", file=sys.stderr)
    while True:
        time.sleep(3600)


def _table(replica: Replica, project: Path, selection: list[str]) -> int:
    run = replica.lock(project)
    export = replica.export(project, *selection)
    print(f"locked in {run.seconds:.2f} s", file=sys.stderr)
    for platform in MACHINES:
        cells = []
        for python in PYTHONS:
            try:
                selected = export.select(platform, python)
            except PylockSelectError:
                # The project leaves this Python or this platform out.
                continue
            cells += [
                (package, _text(choice), python)
                for package, choice in selected.items()
                if package.startswith(FAMILY)
            ]
        cells.sort(key=lambda cell: (cell[0], PYTHONS.index(cell[2])))
        for (package, text), group in groupby(cells, key=lambda cell: cell[:2]):
            pythons = [python for _, _, python in group]
            span = pythons[0] if len(pythons) == 1 else f"{pythons[0]}-{pythons[-1]}"
            print(f"{platform:15} {span:10} {package:20} {text}")
    return 0


def _text(choice: Build | str) -> str:
    if isinstance(choice, str):
        return choice
    return f"{choice.version or '':20} {choice.index or 'from its own source'}"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The reader has seen enough; nothing may be flushed to it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (UvError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
