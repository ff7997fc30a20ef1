"""Which rules count: what is selected and ignored, on the command line, in the file, on a line."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from torchconf.errors import ProjectError, RequestError
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.toml_path import render_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from torchconf.rules import Finding, Rule

__all__ = [
    "RENAMED",
    "SETTINGS",
    "IgnoreComments",
    "RuleSelection",
    "is_ignored",
    "is_named",
    "notes_on_old_names",
    "old_names",
    "read_ignore_comments",
    "read_selection",
    "select_rules",
    "settings_of",
]

RENAMED = {
    "gate-void": "ineffective-marker",
    "hidden-variant": "hidden-build",
    "incompatible-variants": "incompatible-choices",
    "one-variant-wins": "one-choice-wins",
    "unrouted-variant": "unrouted-choice",
}
"""Names that rules once had, and those that they have now. Both are understood."""

EVERYTHING = "ALL"
_KEYS = ("ignore", "select")
SETTINGS = (*_KEYS, "targets", "indexes")
"""The keys of `[tool.torchconf]`."""


class RuleSelection(NamedTuple):
    """Words that select and ignore rules: codes, names, beginnings of codes, or `ALL`."""

    select: tuple[str, ...] = ()
    """Empty: every rule that is not optional."""
    ignore: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """All of them."""
        return self.select + self.ignore


def old_names(words: Iterable[str]) -> tuple[str, ...]:
    """Return those words that are names which rules no longer have, each once."""
    return tuple(dict.fromkeys(word for word in words if word in RENAMED))


def notes_on_old_names(words: Iterable[str]) -> tuple[str, ...]:
    """Return a note for each word that is a name which a rule no longer has."""
    return tuple(f"note: rule `{old}` is now `{RENAMED[old]}`" for old in old_names(words))


def is_named(rule: Rule, word: str) -> bool:
    """Tell whether a word is the code of a rule, its name, or a name that it once had."""
    return word.upper() == rule.code or RENAMED.get(word.lower(), word.lower()) == rule.name


def read_selection(words: Sequence[str], rules: Iterable[Rule], flag: str) -> tuple[str, ...]:
    """Return the words of one flag, commas taken apart.

    Raises:
        RequestError: A word selects nothing.
    """
    found = [word.strip() for text in words for word in text.split(",") if word.strip()]
    for word in found:
        if not any(_match(word, rule.code, rule.name) for rule in rules):
            raise RequestError(f"unknown rule `{word}` in `{flag}`", help=_hint(word, rules))
    return tuple(found)


def settings_of(data: Mapping[str, object], rules: Iterable[Rule], file: str) -> RuleSelection:
    """Return what `[tool.torchconf]` says.

    Raises:
        ProjectError: It says something that there is no setting for.
    """
    tool = data.get("tool")
    table = tool.get("torchconf") if isinstance(tool, dict) else None
    if table is None:
        return RuleSelection()
    if not isinstance(table, dict):
        raise _misread("expected a table", file)
    for key in table:
        if key not in SETTINGS:
            message = f"unknown setting `{key}`"
            known = f"known settings: {', '.join(SETTINGS)}"
            raise _misread(message, file, key, help=known)
    lists: dict[str, tuple[str, ...]] = {}
    for key in _KEYS:
        words = table.get(key, [])
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise _misread("expected an array of rule codes or names", file, key)
        for number, word in enumerate(words):
            if not any(_match(word, rule.code, rule.name) for rule in rules):
                hint = _hint(word, rules)
                raise _misread(f"unknown rule `{word}`", file, key, number, help=hint)
        lists[key] = tuple(words)
    return RuleSelection(lists["select"], lists["ignore"])


def _misread(message: str, file: str, *below: str | int, help: str | None = None) -> ProjectError:
    path = ("tool", "torchconf", *below)
    return ProjectError(message, at=f"{file}, {render_path(path)}", path=path, help=help)


@lru_cache(maxsize=64)
def select_rules(rules: tuple[Rule, ...], *selections: RuleSelection) -> frozenset[str]:
    """Return the codes that count.

    Args:
        rules: All of them.
        selections: The first one that selects anything does so alone; all of them ignore. Where a
            rule is both selected and ignored, the longer word decides, and `ignore` a tie.
    """
    select = next((one.select for one in selections if one.select), ())
    ignore = [word for one in selections for word in one.ignore]
    found = set()
    for rule in rules:
        wanted = (
            max((_match(word, rule.code, rule.name) for word in select), default=0) if select else 1
        )
        exact = any(is_named(rule, word) for word in select)
        if rule.is_optional and not (exact or EVERYTHING in select):
            continue
        if wanted and wanted > max(
            (_match(word, rule.code, rule.name) for word in ignore), default=0
        ):
            found.add(rule.code)
    return frozenset(found)


def _match(word: str, code: str, name: str) -> int:
    """Return how closely a word names a rule; 0 if it does not."""
    if RENAMED.get(word, word) == name:
        return len(code) + 1
    if word.upper() == EVERYTHING:
        return 1
    return len(word) + 1 if word and code.startswith(word.upper()) else 0


def _hint(word: str, rules: Iterable[Rule]) -> str:
    # Imported here: only a typo needs it.
    from difflib import get_close_matches

    known = [name for rule in rules for name in (rule.code, rule.name)]
    close = get_close_matches(word.lower(), known, n=1) or get_close_matches(word, known, n=1)
    return f"did you mean `{close[0]}`?" if close else "run `torchconf explain` for a list of rules"


_COMMENT = r"\btorchconf:[ \t]*ignore\b(\[[^\]]*\])?(.*)"
_MISTYPED = r"\s*[\[(:=,]|\s+TC[0-9]"


class IgnoreComments(NamedTuple):
    """The comments `# torchconf: ignore[TC405]` of one file."""

    lines: Mapping[int, tuple[str, ...]]
    """The words of each line that has one; without brackets, the words are just `ALL`."""
    mistakes: tuple[tuple[int, str], ...]
    """What hides nothing: the line, and what is wrong with it."""


def read_ignore_comments(
    toml: str, rules: Iterable[Rule], first_line: int = 1
) -> IgnoreComments | None:
    """Read the comments of a TOML text that ignore findings; None if there are none.

    Args:
        toml: A whole file, or the block of a script. What stands in a string is no comment.
        rules: All of them.
        first_line: The number of its first line.
    """
    if "torchconf:" not in toml:
        return None
    # Imported here: few files have such a comment.
    from torchconf.edits.tokens import tokens

    lines: dict[int, tuple[str, ...]] = {}
    mistakes: list[tuple[int, str]] = []
    for token in tokens(toml):
        match = re.search(_COMMENT, token[0]) if token[0][0] == "#" else None
        if match is None:
            continue
        number = first_line + toml.count("\n", 0, token.start())
        brackets, rest = match.groups()
        if brackets is None:
            if re.match(_MISTYPED, rest):
                mistakes.append((number, "this comment hides nothing: write `ignore[TC405]`"))
            else:
                lines[number] = (EVERYTHING,)
            continue
        words = tuple(word.strip() for word in brackets[1:-1].split(","))
        lines[number] = words
        for word in words:
            if not any(_match(word, rule.code, rule.name) for rule in rules):
                hint = _hint(word, rules)
                mistakes.append((number, f"unknown rule `{word}` in this comment: {hint}"))
    return IgnoreComments(lines, tuple(mistakes))


def is_ignored(
    finding: Finding, lines: Iterable[int], ignored: Mapping[int, Sequence[str]]
) -> bool:
    """Tell whether a comment on one of these lines is about a finding."""
    return any(
        _match(word, finding.code, finding.name) for line in lines for word in ignored.get(line, ())
    )
