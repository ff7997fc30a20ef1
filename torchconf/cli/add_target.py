"""`torchconf add-target`: add builds to a project that somebody has configured, or nobody yet."""

from __future__ import annotations

from torchconf.cli.parser import add_format, add_script, add_writing
from torchconf.errors import RequestError
from torchconf.model.record import Record

TYPE_CHECKING = False  # `typing` is not needed to print help
if TYPE_CHECKING:
    from torchconf.cli.options import CommonOptions, Layout, WritingOptions
    from torchconf.cli.parser import Parser

EPILOG = """\
Existing targets stay as they are, except for what the new ones require. If torch comes from PyPI
now, platforms without a target keep using PyPI.

examples:
  torchconf add-target windows-cuda
  torchconf add-target linux-rocm --dry-run
  torchconf add-target linux-cpu --layout extras
"""


class AddTargetOptions(Record):
    """What `add-target` is told."""

    target: tuple[str, ...]
    layout: Layout
    gpus: tuple[str, ...]
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
        "--layout", choices=("auto", "markers", "extras", "groups"), default="auto",
        help="how a build is chosen at install time (default: as the project does)",
    )  # fmt: skip
    parser.add_argument(
        "--gpu", dest="gpus", action="append", default=[], metavar="GPU",
        help="install ROCm's packages for this GPU only, such as gfx1100 (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--record", action="store_true",
        help="list the targets in `[tool.torchconf]` if the file has no list yet",
    )  # fmt: skip
    add_script(parser)
    add_writing(parser)
    add_format(parser)


def run(options: AddTargetOptions) -> int:
    """Plan, show or write, and say how to install."""
    if not options.target:
        if options.writing.can_ask:
            # Imported here, so that only the questions pay for it.
            from torchconf.cli.run_wizard import ask_addition

            return ask_addition(options)
        raise RequestError(
            "no target given", help="name one, as in `torchconf add-target windows-cuda`"
        )
    # Imported here: `--help` needs none of these.
    from torchconf.cli.carry_out import carry_out
    from torchconf.cli.init import old_files_beside
    from torchconf.model.target_spec import parse_target_spec
    from torchconf.planner import Request
    from torchconf.workspace.opened import open_project

    context = open_project(options.common.project, script=options.script)
    vocabulary = context.catalog.vocabulary
    adding = tuple(parse_target_spec(text, vocabulary) for text in options.target)
    request = Request(
        add=adding,
        layout=options.layout,
        gpus=tuple(gpu.lower() for gpu in options.gpus),
        force=options.force,
        record=options.record,
    )
    return carry_out(context, request, options.writing, options.common, old_files_beside(context))
