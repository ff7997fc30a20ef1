"""The words of the command line, read by argparse; its errors are worded as all of torchconf's."""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module

from torchconf import __version__
from torchconf.cli import COMMANDS
from torchconf.errors import RequestError

TYPE_CHECKING = False  # `typing` is not needed to print help
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import ModuleType
    from typing import NoReturn

EPILOG = """\
examples:
  torchconf init -t linux-cuda -t windows-cuda -t macos-cpu
  torchconf init -t linux-cuda -t linux-cpu --with torchvision --dry-run
  torchconf add-target windows-cuda
  torchconf show

`torchconf COMMAND --help` says more.
"""


# torchconf has one language. For translations of its own few words argparse would import `locale`
# and search the disk, which takes 2 ms of every command.
argparse._ = str  # type: ignore[attr-defined]  # the name under which it imports gettext


class Formatter(argparse.RawDescriptionHelpFormatter):
    """The layout of help texts.

    argparse makes one for every option it is told of, and would import `shutil`, compression and
    all, to learn the width of the terminal.
    """

    def __init__(self, prog: str) -> None:
        """Measure the terminal."""
        try:
            columns = int(os.environ.get("COLUMNS", "0")) or os.get_terminal_size().columns
        except (OSError, ValueError):
            columns = 80
        super().__init__(prog, width=max(columns - 2, 40))


class Parser(argparse.ArgumentParser):
    """A parser whose errors are torchconf's, with a guess at what was meant."""

    def error(self, message: str) -> NoReturn:
        """Raise, where argparse would print its usage and leave."""
        raise RequestError(message, help=f"`{self.prog} --help` shows what it takes")


def parse(words: Sequence[str]) -> tuple[Callable[[argparse.Namespace], int], argparse.Namespace]:
    """Return the command to run and its options.

    Only the module of the command that is named is imported, and only its parser is made.

    Raises:
        RequestError: The words make no sense.
    """
    place = _command_place(words)
    if place is None:
        parser = main_parser()
        _, unknown = parser.parse_known_args(words)
        if unknown:
            _refuse_unknown(unknown, parser)
        parser.print_help()
        parser.exit(2 if words else 0)
    name = words[place]
    if name not in COMMANDS:
        hint = _close(name, COMMANDS)
        raise RequestError(
            f"`{name}` is not a command",
            help=f"did you mean `{hint}`?" if hint else f"there are {', '.join(COMMANDS)}",
        )
    parser = command_parser(name)
    options, unknown = parser.parse_known_args([*words[:place], *words[place + 1 :]])
    if unknown:
        _refuse_unknown(unknown, parser)
    run: Callable[[argparse.Namespace], int] = _module(name).run
    return run, options


def _command_place(words: Sequence[str]) -> int | None:
    """Return where the command stands: the first word that is no option, nor the value of one."""
    value = False
    for place, word in enumerate(words):
        if not value and not word.startswith("-"):
            return place
        value = word in {"--project", "--color"}
    return None


def main_parser() -> Parser:
    """Return the parser of `torchconf` without a command: for its help."""
    listed = "\n".join(f"  {name:15}{summary}" for name, summary in COMMANDS.items())
    parser = Parser(
        prog="torchconf",
        usage="torchconf [-h] [-V] COMMAND ...",
        description="Write, check and explain the uv configuration that PyTorch needs."
        f"\n\ncommands:\n{listed}",
        epilog=EPILOG,
        formatter_class=Formatter,
        allow_abbrev=False,
    )
    parser.add_argument("-V", "--version", action="version", version=f"torchconf {__version__}")
    add_common(parser)
    return parser


def command_parser(name: str) -> Parser:
    """Return the parser of one command."""
    summary = COMMANDS[name]
    parser = Parser(
        prog=f"torchconf {name}",
        description=f"{summary[0].upper()}{summary[1:]}.",
        formatter_class=Formatter,
        allow_abbrev=False,
    )
    _module(name).add_arguments(parser)
    add_common(parser)
    return parser


def _module(command: str) -> ModuleType:
    return import_module(f"torchconf.cli.{command.replace('-', '_')}")


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add what every command takes, before or after its name."""
    group = parser.add_argument_group("common options")
    group.add_argument(
        "--project", metavar="DIR",
        help="the project (default: the nearest folder above with a pyproject.toml)",
    )  # fmt: skip
    group.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto",
        help="colour the output (default: auto; NO_COLOR is heeded)",
    )  # fmt: skip
    group.add_argument("-q", "--quiet", action="count", default=0, help="say less")
    group.add_argument("-v", "--verbose", action="count", default=0, help="say more")


def add_format(parser: argparse.ArgumentParser) -> None:
    """Add the option of commands that report."""
    parser.add_argument(
        "--format", "--output-format", dest="format", choices=("text", "json"), default="text",
        help="how to report (default: text)",
    )  # fmt: skip


def add_writing(parser: argparse.ArgumentParser, *, force: bool = True) -> None:
    """Add the options of commands that write; `force` if one may replace what it does not know."""
    group = parser.add_argument_group("writing")
    group.add_argument("--dry-run", action="store_true", help="print a diff, write nothing")
    group.add_argument("--check", action="store_true", help="exit 1 if something would change")
    group.add_argument("--lock", action="store_true", help="run `uv lock`; undo all if it fails")
    if force:
        group.add_argument(
            "--force", action="store_true", help="replace PyTorch tables that are not understood"
        )
    group.add_argument("-y", "--yes", action="store_true", help="ask nothing")


def can_ask(options: argparse.Namespace) -> bool:
    """Tell whether there is somebody to ask: a terminal, and no wish to be left alone."""
    silent = options.yes or options.check or options.format == "json"
    return not silent and sys.stdin.isatty() and sys.stdout.isatty()


def _refuse_unknown(unknown: Sequence[str], parser: argparse.ArgumentParser) -> NoReturn:
    word = unknown[0].partition("=")[0]
    options = [text for action in parser._actions for text in action.option_strings]  # noqa: SLF001 - argparse has no public list
    hint = _close(word, options) if word.startswith("-") else None
    if hint is None and not word.startswith("-") and "--target" in options:
        raise RequestError(
            f"`{word}` stands by itself", help=f"each target takes its own flag: `-t {word}`"
        )
    raise RequestError(
        f"`{parser.prog}` does not take `{word}`",
        help=f"did you mean `{hint}`?" if hint else f"`{parser.prog} --help` shows what it takes",
    )


def _close(word: str, known: Iterable[str]) -> str | None:
    # Imported here: only a typo needs it.
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, list(known), n=1)), None)


def add_lock_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which lock is meant."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--frozen", action="store_true", help="read uv.lock as it is, without locking"
    )
    group.add_argument(
        "--locked", action="store_true", help="read uv.lock, and fail if it is out of date"
    )
