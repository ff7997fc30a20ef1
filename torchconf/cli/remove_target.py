"""`torchconf remove-target`: remove targets, and what only they need."""

from __future__ import annotations

from torchconf.cli.parser import add_format, add_script, add_writing
from torchconf.errors import RequestError
from torchconf.model.record import Record

TYPE_CHECKING = False  # `typing` is not needed to print help
if TYPE_CHECKING:
    from torchconf.cli.options import CommonOptions, WritingOptions
    from torchconf.cli.parser import Parser

EPILOG = """\
Sources, extras or groups, conflicts and indexes that no other target needs are removed as well.
Comments stay.

examples:
  torchconf remove-target windows-cuda
  torchconf remove-target linux-cuda12.6 --dry-run
"""


class RemoveTargetOptions(Record):
    """What `remove-target` is told."""

    target: tuple[str, ...]
    force: bool
    record: bool
    script: str | None
    writing: WritingOptions
    common: CommonOptions


def add_arguments(parser: Parser) -> None:
    """Add the options of this command."""
    parser.epilog = EPILOG
    parser.add_argument(
        "target", nargs="*", metavar="TARGET", help="platform and build, such as windows-cuda"
    )
    parser.add_argument(
        "--record", action="store_true",
        help="list the targets in `[tool.torchconf]` if the file has no list yet",
    )  # fmt: skip
    add_script(parser)
    add_writing(parser)
    add_format(parser)


def run(options: RemoveTargetOptions) -> int:
    """Plan, show or write, and say how to install what is left."""
    if not options.target:
        if options.writing.can_ask:
            # Imported here, so that only the questions pay for it.
            from torchconf.cli.run_wizard import ask_removal

            return ask_removal(options)
        raise RequestError(
            "no target given", help="run `torchconf show` to see what the project has"
        )
    # Imported here: `--help` needs none of these.
    from torchconf.cli.carry_out import carry_out
    from torchconf.model.target_spec import parse_target_spec
    from torchconf.planner import Request
    from torchconf.workspace.opened import open_project

    context = open_project(options.common.project, script=options.script)
    vocabulary = context.catalog.vocabulary
    removing = tuple(parse_target_spec(text, vocabulary) for text in options.target)
    request = Request(remove=removing, force=options.force, record=options.record)
    return carry_out(context, request, options.writing, options.common)
