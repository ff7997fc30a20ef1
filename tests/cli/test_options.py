"""Options: each one that a parser knows arrives in the frozen value of its command."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.paths import PACKAGE
from tests.support.syntax import nodes_of
from torchconf.cli import COMMANDS
from torchconf.cli.parser import GROUPS, REST, command_parser, options_type, read_options
from torchconf.model.record import Record

NEEDED = {"catalog": ["show"], "completion": ["zsh"]}
"""Words without which a command makes no sense."""


def leaves(kind: type[Record]) -> Iterator[str]:
    """Yield the fields of an options type; of a group, the fields inside."""
    for name in kind.__annotations__:
        yield from leaves(GROUPS[name]) if name in GROUPS else (name,)


def flat(options: Record) -> dict[str, object]:
    """Return each field with its value."""
    found: dict[str, object] = {}
    for name in type(options).__annotations__:
        value = getattr(options, name)
        found |= flat(value) if name in GROUPS else {name: value}
    return found


def actions(command: str) -> list[argparse.Action]:
    """Return what a command's parser takes, except for `--help`."""
    known: list[Any] = command_parser(command)._actions
    return [action for action in known if action.dest != "help"]


def said(action: argparse.Action) -> tuple[list[str], object]:
    """Return words that set something to other than its default, and the value that they mean."""
    flag = [*action.option_strings[-1:]]
    if action.nargs == 0:
        return flag, True
    word = "7" if action.type is float else "some"
    if action.choices is not None:
        word = next(str(choice) for choice in action.choices if choice != action.default)
    value: object = float(word) if action.type is float else word
    repeats = isinstance(action.default, list) or action.nargs == "*"
    return [*flag, word], (value,) if repeats else value


@pytest.mark.parametrize("command", COMMANDS)
def test_value_has_each_option_of_the_parser_and_no_other(command: str) -> None:
    fields = {*leaves(options_type(command))} - {REST}
    assert sorted(fields) == sorted(action.dest for action in actions(command))


@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_said_arrives_and_the_rest_keeps_its_default(command: str) -> None:
    needed = NEEDED.get(command, [])
    before = flat(read_options(command, needed))
    for action in actions(command):
        words, value = said(action)
        required = [] if action.required and not action.option_strings else needed
        # Of the two places of `new`, the second is filled only after the first.
        first = ["some"] if action.dest == "folder" and command == "new" else []
        after = flat(read_options(command, [*required, *first, *words]))
        assert after[action.dest] == value, words
        changed = {name for name in before if before[name] != after[name]}
        assert changed - {"template" if first else ""} == {action.dest}, words


@pytest.mark.parametrize("command", COMMANDS)
def test_options_are_frozen(command: str) -> None:
    options = read_options(command, NEEDED.get(command, []))
    for value in (options, options.common):
        for name in type(value).__annotations__:
            with pytest.raises(AttributeError):
                setattr(value, name, None)
    assert hash(options) == hash(read_options(command, NEEDED.get(command, [])))


def test_only_the_module_that_makes_parsers_knows_argparse() -> None:
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in nodes_of(path):
            names = [alias.name for alias in getattr(node, "names", ()) if hasattr(alias, "name")]
            if "argparse" in [*names, getattr(node, "module", None)]:
                found.add(path.relative_to(PACKAGE).as_posix())
    assert found == {"cli/parser.py"}
