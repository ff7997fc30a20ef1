"""The reference of a command, from its parser: what it does, its options, and examples."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator

from docs.tools.reference.table import as_markdown, markdown_table
from torchconf.cli import COMMANDS
from torchconf.cli.parser import command_parser

COMMON = {"--help", "--project", "--color", "--quiet", "--verbose"}
"""What every command takes: the page says it once."""


def command_reference(name: str) -> str:
    """Return what stands below the heading of a command: Markdown."""
    parser = command_parser(name)
    about, _, examples = (parser.epilog or "").partition("examples:\n")
    parts = [
        f"{COMMANDS[name][0].upper()}{COMMANDS[name][1:]}.",
        f"```text\n{_usage(parser)}\n```",
        _options(parser),
        *_paragraphs(about),
        *_examples(examples),
    ]
    return "\n\n".join(part.rstrip("\n") for part in parts if part) + "\n"


def common_options() -> str:
    """Return the table of the options that every command takes."""
    parser = command_parser("show")
    return markdown_table(
        ["option", "meaning"],
        [_row(action) for action in parser._actions if COMMON & {*action.option_strings}],  # noqa: SLF001 - argparse has no public list
    )


def _usage(parser: argparse.ArgumentParser) -> str:
    """Return the usage without the options, which a table tells."""
    if parser.usage is not None:
        return parser.usage
    words = [parser.prog, "[options]"]
    own = [action for action in parser._actions if not action.option_strings]  # noqa: SLF001 - as above
    return " ".join([*words, *map(_argument, own)])


def _argument(action: argparse.Action) -> str:
    """Return an argument as a usage has it: `[PATH...]`."""
    word = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if action.choices and action.metavar is None:
        word = "|".join(map(str, action.choices))
    many = {"*": f"[{word}...]", "+": f"{word}...", "?": f"[{word}]"}
    return many.get(str(action.nargs), word)


def _options(parser: argparse.ArgumentParser) -> str:
    """Return the table of arguments and options, without those that every command takes."""
    own = [
        action
        for action in parser._actions  # noqa: SLF001 - as above
        if not COMMON & {*action.option_strings} and action.help != argparse.SUPPRESS
    ]
    return markdown_table(["option", "meaning"], map(_row, own)) if own else ""


def _row(action: argparse.Action) -> list[str]:
    """Return the line of an option: how it is spelled, and what it means."""
    value = ""
    if action.nargs != 0:
        value = _argument(action).strip("[]").removesuffix("...")
    *others, last = action.option_strings or [""]
    names = [*others, f"{last} {value}".strip()]
    help_ = (action.help or "") % {"default": action.default, "prog": "torchconf"}
    return [", ".join(f"`{name}`" for name in names), as_markdown(help_)]


def _paragraphs(about: str) -> Iterator[str]:
    """Yield the paragraphs of a command's help."""
    for part in re.split(r"\n\s*\n", about.strip("\n")):
        if part:
            yield as_markdown(" ".join(part.split()))


def _examples(lines: str) -> Iterator[str]:
    """Yield the examples as a block, and what is said below them."""
    found = [line.strip() for line in lines.splitlines() if line.startswith("  torchconf ")]
    if found:
        yield "\n".join(["```sh", *found, "```"])
    others = [line for line in lines.splitlines() if not line.startswith("  torchconf ")]
    yield from _paragraphs("\n".join(others))
