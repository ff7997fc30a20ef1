"""`torchconf remove-target`: take builds away, and what nothing needs any more."""

from __future__ import annotations

from torchconf.cli.parser import add_format, add_writing, can_ask
from torchconf.errors import RequestError

TYPE_CHECKING = False  # `typing` is not needed to print help
if TYPE_CHECKING:
    import argparse

EPILOG = """\
Source, extra or group, conflict and index go where no target needs them any more. Comments stay.

examples:
  torchconf remove-target windows-cuda
  torchconf remove-target linux-cuda12.6 --dry-run
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.epilog = EPILOG
    parser.add_argument("target", nargs="*", metavar="TARGET", help="a build on a platform")
    add_writing(parser)
    add_format(parser)


def run(options: argparse.Namespace) -> int:
    """Plan, show or write, and say how to install what is left."""
    if not options.target:
        if can_ask(options):
            # Imported here: only whoever is asked waits for it.
            from torchconf.cli.run_wizard import ask_removal

            return ask_removal(options)
        raise RequestError("no target is given", help="`torchconf show` tells what there is")
    # Imported here: `--help` needs none of these.
    from torchconf.cli.carry_out import carry_out
    from torchconf.model.target_spec import parse_target_spec
    from torchconf.planner import Request
    from torchconf.workspace.opened import open_project

    context = open_project(options)
    vocabulary = context.catalog.vocabulary
    removing = tuple(parse_target_spec(text, vocabulary) for text in options.target)
    return carry_out(options, context, Request(remove=removing, force=options.force))
