"""The words of the command line, read by argparse; its errors are worded as all of torchconf's."""

from __future__ import annotations

import argparse
import os
from importlib import import_module

from torchconf import __version__
from torchconf.cli import COMMANDS
from torchconf.cli.options import CommonOptions, WritingOptions
from torchconf.errors import RequestError

TYPE_CHECKING = False  # `typing` is not needed to print help
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import ModuleType
    from typing import Any, NoReturn

    from torchconf.model.record import Record

EPILOG = """\
examples:
  torchconf init -t linux-cuda -t windows-cuda -t macos-cpu
  torchconf init -t linux-cuda -t linux-cpu --with torchvision --dry-run
  torchconf add-target windows-cuda
  torchconf show

Run `torchconf COMMAND --help` for the options of a command.
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

    def _format_action_invocation(self, action: argparse.Action) -> str:
        # As Python 3.13 does: the value once, however many names an option has.
        if not action.option_strings or action.nargs == 0:
            return super()._format_action_invocation(action)
        value = self._format_args(action, self._get_default_metavar_for_optional(action))
        return f"{', '.join(action.option_strings)} {value}"


class Parser(argparse.ArgumentParser):
    """A parser whose errors are torchconf's, with a guess at what was meant."""

    def error(self, message: str) -> NoReturn:
        """Raise, where argparse would print its usage and leave."""
        raise RequestError(message, help=f"run `{self.prog} --help` for its options")


def parse(words: Sequence[str]) -> tuple[Callable[[Any], int], Any]:
    """Return the function that carries the command out, and its options.

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
        raise RequestError(f"unknown command `{name}`", help=_command_hint(words[place:]))
    return _module(name).run, read_options(name, [*words[:place], *words[place + 1 :]])


def _command_hint(words: Sequence[str]) -> str:
    if words[0] == "help":
        about = [word for word in words[1:2] if word in COMMANDS]
        return f"run `{' '.join(['torchconf', *about, '--help'])}`"
    hint = _close(words[0], COMMANDS)
    return f"did you mean `{hint}`?" if hint else f"the commands are {', '.join(COMMANDS)}"


def read_options(name: str, words: Sequence[str]) -> Any:  # noqa: ANN401 - each command has its own type
    """Return the options of one command: what its `run` takes.

    Raises:
        RequestError: The words make no sense.
    """
    parser = command_parser(name)
    kind = options_type(name)
    rest: list[str] | None = None
    if REST in kind.__annotations__ and "--" in words:
        # Cut here: what argparse makes of `--` depends on the version of Python.
        place = words.index("--")
        words, rest = words[:place], [*words[place + 1 :]]
    namespace, unknown = parser.parse_known_args(words)
    if unknown:
        _refuse_unknown(unknown, parser)
    setattr(namespace, REST, rest)
    return _as_value(kind, namespace)


def options_type(name: str) -> type[Record]:
    """Return the type of a command's options: `AddTargetOptions` of `add-target`."""
    found: type[Record] = getattr(_module(name), f"{name.title().replace('-', '')}Options")
    return found


REST = "rest"
"""The field for the words after `--`, which are another program's; None without `--`."""

GROUPS: dict[str, type[Record]] = {"common": CommonOptions, "writing": WritingOptions}
"""Fields whose values are made of several options."""


def _as_value(kind: type[Record], namespace: argparse.Namespace) -> Record:
    """Return a value with what argparse found for each of its fields; lists become tuples."""
    fields: dict[str, object] = {}
    for name in kind.__annotations__:
        found = _as_value(GROUPS[name], namespace) if name in GROUPS else getattr(namespace, name)
        fields[name] = tuple(found) if isinstance(found, list) else found
    return kind(**fields)


def _command_place(words: Sequence[str]) -> int | None:
    """Return where the command stands: the first word that is no option, nor the value of one."""
    value = False
    for place, word in enumerate(words):
        if not value and not word.startswith("-"):
            return place
        value = word in {"--project", "--script", "--color"}
    return None


def main_parser() -> Parser:
    """Return the parser of `torchconf` without a command: for its help."""
    listed = "\n".join(f"  {name:14}{summary}" for name, summary in COMMANDS.items())
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


def add_common(parser: Parser) -> None:
    """Add what every command takes, before or after its name."""
    group = parser.add_argument_group("common options")
    group.add_argument(
        "--project", metavar="DIR",
        help="project folder (default: the nearest parent with a pyproject.toml)",
    )  # fmt: skip
    group.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto",
        help="when to colour the output (default: auto, which honours NO_COLOR)",
    )  # fmt: skip
    group.add_argument("-q", "--quiet", action="store_true", help="print less")
    group.add_argument("-v", "--verbose", action="store_true", help="print more")


def add_format(parser: Parser, *more: str) -> None:
    """Add the option of commands that report, with `more` formats than all of them have."""
    parser.add_argument(
        "--format", "--output-format", dest="format", choices=("text", "json", *more),
        default="text",
        help="output format (default: text)",
    )  # fmt: skip


def add_script(parser: Parser) -> None:
    """Add the option of commands that know the metadata block of a script."""
    parser.add_argument(
        "--script", metavar="FILE",
        help="a script with a `# /// script` block (PEP 723), in place of a project",
    )  # fmt: skip


def add_arrangement(parser: Parser) -> None:
    """Add the options that say how the tables are to be: what `init` and `migrate` share."""
    parser.add_argument(
        "--layout", choices=("auto", "markers", "extras", "groups"), default="auto",
        help="how a build is chosen at install time (default: auto)",
    )  # fmt: skip
    parser.add_argument(
        "--default", metavar="BACKEND",
        help="build that plain `uv sync` installs, `machine` to let each machine say it, or `none` "
        "(layout groups only)",
    )  # fmt: skip
    parser.add_argument(
        "--name", dest="names", action="append", default=[], metavar="BACKEND=NAME",
        help="name of the extra or group of a backend (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--python", metavar="SPEC", help="set requires-python; `3.12` means `>=3.12`"
    )
    parser.add_argument(
        "--index-base", action="append", default=[], metavar="URL",
        help="use a mirror: a URL prefix, or a pattern with {backend}; FAMILY=URL for another "
        "family of indexes (repeatable)",
    )  # fmt: skip


def add_writing(parser: Parser, *, force: bool = True) -> None:
    """Add the options of commands that write; `force` if one may replace what it does not know."""
    group = parser.add_argument_group("writing")
    group.add_argument("--dry-run", action="store_true", help="print a diff and write nothing")
    group.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 if anything would change"
    )
    group.add_argument(
        "--lock",
        action="store_true",
        help="run `uv lock` afterwards; restore all files if it fails",
    )
    if force:
        group.add_argument(
            "--force",
            action="store_true",
            help="replace PyTorch configuration that torchconf cannot read",
        )
    group.add_argument("-y", "--yes", action="store_true", help="never prompt")


_WITHOUT_SCRIPTS = frozenset(f"torchconf {name}" for name in ("sync", "run", "use", "doctor"))
"""The commands that choose a build, or look at an installed one: of a script neither is needed."""


def _refuse_unknown(unknown: Sequence[str], parser: Parser) -> NoReturn:
    word = unknown[0].partition("=")[0]
    if word == "--script" and parser.prog in _WITHOUT_SCRIPTS:
        raise RequestError(
            f"`{parser.prog}` takes no script: a script has one build for each platform",
            help="install and run it with `uv run --script FILE`; `torchconf show --script FILE` "
            "shows its builds",
        )
    options = [text for action in parser._actions for text in action.option_strings]  # noqa: SLF001 - argparse has no public list
    hint = _close(word, options) if word.startswith("-") else None
    if hint is None and parser.usage is not None:
        raise RequestError(
            f"unexpected argument `{word}` for `{parser.prog}`",
            help=f"what is meant for uv follows `--`: `{parser.usage}`",
        )
    if "--script" in options and word.endswith(".py"):
        raise RequestError(
            f"unexpected argument `{word}`", help=f"name a script with `--script {word}`"
        )
    if hint is None and not word.startswith("-") and "--target" in options:
        raise RequestError(
            f"unexpected argument `{word}`", help=f"give each target its own flag: `-t {word}`"
        )
    raise RequestError(
        f"unexpected argument `{word}` for `{parser.prog}`",
        help=f"did you mean `{hint}`?" if hint else f"run `{parser.prog} --help` for its options",
    )


def _close(word: str, known: Iterable[str]) -> str | None:
    # Imported here: only a typo needs it.
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, list(known), n=1)), None)


def add_lock_options(parser: Parser) -> None:
    """Add the options that say which lock is meant."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--frozen", action="store_true", help="use uv.lock as it is, even if it is out of date"
    )
    group.add_argument(
        "--locked", action="store_true", help="use uv.lock; fail if it is out of date"
    )
