"""`torchconf sync`: `uv sync` with the choice that is right for this machine."""

from __future__ import annotations

from torchconf.cli.parser import add_lock_options
from torchconf.model.record import Record

TYPE_CHECKING = False  # `typing` is not needed to print help
if TYPE_CHECKING:
    from torchconf.cli.options import CommonOptions
    from torchconf.cli.parser import Parser

EPILOG = """\
Installs TARGET; without it the target that TORCHCONF_TARGET names; without that the best target
of the project that this machine fits. What follows `--` is passed on to uv. A script (PEP 723)
has one build for each platform, so there is nothing to choose: `uv run --script FILE` installs it.

examples:
  torchconf sync --dry-run
  torchconf sync linux-cuda --dry-run
  torchconf sync --dry-run -- --no-dev
"""


class SyncOptions(Record):
    """What `sync` is told, and `run`."""

    target: str | None
    package: str | None
    locked: bool
    frozen: bool
    force: bool
    dry_run: bool
    rest: tuple[str, ...] | None
    common: CommonOptions


def add_arguments(parser: Parser) -> None:
    """Add the options of this command."""
    parser.usage = "torchconf sync [options] [TARGET] [-- ARGS]"
    parser.epilog = EPILOG
    add_choice(parser)


def add_choice(parser: Parser) -> None:
    """Add what says which build is meant, and how uv goes about it."""
    parser.add_argument(
        "target", nargs="?", metavar="TARGET",
        help="target of the project (default: $TORCHCONF_TARGET, else the best for this machine)",
    )  # fmt: skip
    parser.add_argument("--package", metavar="NAME", help="package of the workspace")
    add_lock_options(parser)
    parser.add_argument(
        "--force", action="store_true", help="install beside a torch that the container came with"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="print the uv command and do nothing"
    )


def run(options: SyncOptions) -> int:
    """Choose the build, and become `uv sync`."""
    # Imported here: `--help` needs none of these.
    from torchconf.cli.handover import chosen_words, hand_over

    return hand_over(options, "sync", chosen_words(options, "sync"), options.rest or ())
