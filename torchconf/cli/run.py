"""`torchconf run`: `uv run` with the choice that is right for this machine."""

from __future__ import annotations

from torchconf.cli.sync import SyncOptions, add_choice

TYPE_CHECKING = False  # `typing` is not needed to print help
if TYPE_CHECKING:
    from torchconf.cli.parser import Parser

EPILOG = """\
Chooses the build as `torchconf sync` does, and runs COMMAND in the environment of the project.
What follows `--` is passed on to `uv run`, whose own options may stand there too. A script with
inline metadata has an environment of its own, in which the choice has no effect.

examples:
  torchconf run --dry-run -- python train.py
  torchconf run linux-cuda --dry-run -- --with rich python -m train
"""


RunOptions = SyncOptions


def add_arguments(parser: Parser) -> None:
    """Add the options of this command."""
    parser.usage = "torchconf run [options] [TARGET] -- COMMAND"
    parser.epilog = EPILOG
    add_choice(parser)


def run(options: RunOptions) -> int:
    """Choose the build, and become `uv run`."""
    # Imported here: `--help` needs none of these.
    from torchconf.cli.handover import chosen_words, hand_over
    from torchconf.errors import RequestError
    from torchconf.report.messages import print_notes

    if not options.rest:
        word = options.target or "python train.py"
        raise RequestError("no command given", help=f"put it after `--`: `torchconf run -- {word}`")
    script = _script(options.rest)
    if script is None:
        return hand_over(options, "run", chosen_words(options, "run"), options.rest)
    print_notes(
        [f"note: {script} has inline metadata: uv ignores the project and its targets for it"]
    )
    return hand_over(options, "run", (), options.rest)


def _script(words: tuple[str, ...]) -> str | None:
    """Return the script with inline metadata that uv would run in an environment of its own.

    Only where it is certain: after an option of uv may stand its value, and what is run by a
    Python of the project is of the project.
    """
    from torchconf import files
    from torchconf.errors import TorchconfError
    from torchconf.model.scripts import find_block

    first = words[1] if words[0] in {"-s", "--script"} and len(words) > 1 else words[0]
    try:
        return first if find_block(files.read_if_there(first), first) else None
    except TorchconfError:
        return None
