"""The words of the command line, read by argparse; its errors are worded as all of torchconf's."""

from __future__ import annotations

import argparse
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
  torchconf init -t linux-cu130 -t linux-cpu --with torchvision --dry-run
  torchconf show

`torchconf COMMAND --help` says more.
"""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are torchconf's, with a guess at what was meant."""

    def error(self, message: str) -> NoReturn:
        """Raise, where argparse would print its usage and leave."""
        raise RequestError(message, help=f"`{self.prog} --help` shows what it takes")


def parse(words: Sequence[str]) -> tuple[Callable[[argparse.Namespace], int], argparse.Namespace]:
    """Return the command to run and its options.

    Only the module of the command that is named is imported.

    Raises:
        RequestError: The words make no sense.
    """
    name = next((word for word in words if word in COMMANDS), None)
    parser = _main_parser()
    commands = parser.add_subparsers(metavar="COMMAND", dest="command", parser_class=Parser)
    for command, summary in COMMANDS.items():
        own = commands.add_parser(
            command,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        add_common(own)
        if command == name:
            _module(command).add_arguments(own)
    if name is None:
        _guess_command(words)
    options, unknown = parser.parse_known_args(words)
    if options.command is None:
        parser.print_help()
        parser.exit(2 if words else 0)
    if unknown:
        known = commands.choices[options.command]
        _refuse_unknown(unknown, known)
    run: Callable[[argparse.Namespace], int] = _module(options.command).run
    return run, options


def _module(command: str) -> ModuleType:
    return import_module(f"torchconf.cli.{command.replace('-', '_')}")


def _main_parser() -> Parser:
    parser = Parser(
        prog="torchconf",
        description="Write, check and explain the uv configuration that PyTorch needs.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("-V", "--version", action="version", version=f"torchconf {__version__}")
    parser.set_defaults(project=None, color="auto", quiet=0, verbose=0)
    add_common(parser)
    return parser


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add what every command takes, before or after its name."""
    group = parser.add_argument_group("common options")
    hidden = argparse.SUPPRESS
    group.add_argument(
        "--project", metavar="DIR", default=hidden,
        help="the project (default: the nearest folder above with a pyproject.toml)",
    )  # fmt: skip
    group.add_argument(
        "--color", choices=("auto", "always", "never"), default=hidden,
        help="colour the output (default: auto; NO_COLOR is heeded)",
    )  # fmt: skip
    group.add_argument("-q", "--quiet", action="count", default=hidden, help="say less")
    group.add_argument("-v", "--verbose", action="count", default=hidden, help="say more")


def add_format(parser: argparse.ArgumentParser) -> None:
    """Add the option of commands that report."""
    parser.add_argument(
        "--format", "--output-format", dest="format", choices=("text", "json"), default="text",
        help="how to report (default: text)",
    )  # fmt: skip


def add_writing(parser: argparse.ArgumentParser) -> None:
    """Add the options of commands that write."""
    group = parser.add_argument_group("writing")
    group.add_argument("--dry-run", action="store_true", help="print a diff, write nothing")
    group.add_argument("--check", action="store_true", help="exit 1 if something would change")
    group.add_argument("-y", "--yes", action="store_true", help="ask nothing")


def _guess_command(words: Sequence[str]) -> None:
    """Refuse a word that stands where a command should."""
    word = next((word for word in words if not word.startswith("-")), None)
    if word is None or "-h" in words or "--help" in words:
        return
    at = list(words).index(word)
    if at and words[at - 1] in {"--project", "--color"}:
        return
    hint = _close(word, COMMANDS)
    raise RequestError(
        f"`{word}` is not a command",
        help=f"did you mean `{hint}`?" if hint else f"there are {', '.join(COMMANDS)}",
    )


def _refuse_unknown(unknown: Sequence[str], parser: argparse.ArgumentParser) -> NoReturn:
    word = unknown[0].partition("=")[0]
    options = [text for action in parser._actions for text in action.option_strings]  # noqa: SLF001 - argparse has no public list
    hint = _close(word, options) if word.startswith("-") else None
    raise RequestError(
        f"`{parser.prog}` does not take `{word}`",
        help=f"did you mean `{hint}`?" if hint else f"`{parser.prog} --help` shows what it takes",
    )


def _close(word: str, known: Iterable[str]) -> str | None:
    # Imported here: only a typo needs it.
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, list(known), n=1)), None)
