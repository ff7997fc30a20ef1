"""The reference is what the program says of itself: every command, option, rule and variable."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from docs.tools.reference import filled, rule_pages
from tests.support.paths import PACKAGE, PAGES
from torchconf.cli import COMMANDS
from torchconf.cli.parser import command_parser
from torchconf.rules import RULES
from torchconf.rules.page import load_page
from torchconf.rules.rule import Rule
from torchconf.rules.rule_selection import SETTINGS

GITHUB = MarkdownIt("commonmark").enable("table")


RULE_PAGES = rule_pages()


@cache
def page(name: str) -> str:
    return filled((PAGES / "reference" / f"{name}.md").read_text(encoding="utf-8"))


@cache
def tables(text: str) -> list[list[str]]:
    """Return the lines of all tables, each cell as a reader sees it."""
    rows: list[list[str]] = []
    tokens = GITHUB.parse(text)
    for before, token in pairwise(tokens):
        if before.type == "tr_open":
            rows.append([])
        if before.type in {"td_open", "th_open"}:
            rows[-1].append(seen(token.children or []))
    return rows


def seen(parts: list[Token]) -> str:
    return "".join(part.content for part in parts if part.type != "html_inline")


def section(command: str) -> str:
    return page("commands").partition(f"{{#{command}}}\n")[2].partition("\n## ")[0]


def test_commands_are_in_the_order_of_the_help() -> None:
    assert re.findall(r"^## `([\w-]+)`", page("commands"), re.MULTILINE) == list(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_there_with_its_help(command: str) -> None:
    text = section(command) + page("commands").partition("\n## ")[0]
    rows = tables(text)
    for action in command_parser(command)._actions:
        word = str(action.metavar or "|".join(action.choices or ()))
        names = set(action.option_strings)
        (row,) = (
            row
            for row in rows
            if (names <= set(row[0].replace(",", "").split()) if names else row[0] == word)
        )
        assert row[1]


def test_what_is_written_between_backticks_stays_code() -> None:
    assert "`requirements/<target>.txt`" not in page("commands")
    assert "requirements/&lt;target>.txt" in page("commands")
    assert "or a pattern with &#123;backend}" in page("commands")


def test_a_page_that_asks_for_what_nobody_makes_is_an_error() -> None:
    with pytest.raises(KeyError, match="command nothing"):
        filled("<!-- made: command nothing -->\n")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_every_rule_has_a_page_with_its_examples(rule: Rule) -> None:
    text = RULE_PAGES[f"reference/rules/{rule.code}.md"]
    assert text.startswith(f"# {rule.code} {rule.name}\n")
    assert text.count("```toml\n") == len(load_page(rule).bad) + len(load_page(rule).good)
    (row,) = (row for row in tables(page("rules")) if rule.name in row)
    assert row[0] == rule.code
    assert f"(rules/{rule.code}.md)" in page("rules")


def test_pages_name_the_cases_that_taught_the_rule() -> None:
    text = RULE_PAGES["reference/rules/TC101.md"]
    assert "https://github.com/astral-sh/uv/issues/" in text
    taught = [text for text in RULE_PAGES.values() if "## Where it was seen" in text]
    assert len(taught) > 40
    assert sum("](https://github.com/" in text for text in taught) > 40


def test_settings_are_those_that_check_knows() -> None:
    found = [row[0] for row in tables(page("configuration")) if row[1].endswith(" of strings")]
    assert sorted(found) == sorted(SETTINGS)


def test_every_variable_that_the_program_reads_is_told() -> None:
    words = re.compile(r"[\"'`]((?:UV|TORCHCONF)(?:_[A-Z]+)*|NO_COLOR)[\"'`]")
    texts = (path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    read = {name for text in texts for name in words.findall(text)}
    assert len(read) > 5
    told = {word for row in tables(page("configuration")) for word in row[0].split(", ")}
    assert read - told == set()
