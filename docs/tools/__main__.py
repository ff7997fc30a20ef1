"""The commands: build, serve, check, stage."""

from __future__ import annotations

import argparse

from docs.tools.build import build
from docs.tools.check import problems
from docs.tools.serve import serve
from docs.tools.stage import stage


def check() -> None:
    """End with status 1 if anything is wrong with the built site.

    Raises:
        SystemExit: Something is; the message has a line for each.
    """
    found = problems()
    if found:
        raise SystemExit("\n".join(["docs:", *found]))


def main() -> None:
    """Run the command that the first word names."""
    parser = argparse.ArgumentParser(prog="python -m docs.tools", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="build docs/site and check it")
    commands.add_parser("check", help="check docs/site as it is")
    commands.add_parser("stage", help="only write what a site generator reads")
    commands.add_parser("serve", help="serve docs/site").add_argument(
        "--port", type=int, default=8000
    )
    options = parser.parse_args()
    match options.command:
        case "build":
            build()
            check()
        case "check":
            check()
        case "stage":
            stage()
        case _:
            serve(options.port)


if __name__ == "__main__":
    main()
