"""The page of a rule, a Markdown file in `pages`: what is wrong, why it hurts, bad and good TOML.

Pages are read where somebody asks for one. They are no docstrings, which `python -OO` leaves out.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from torchconf.model.named_tuple import NamedTuple

if TYPE_CHECKING:
    from torchconf.rules.rule import Rule

__all__ = ["Page", "load_page"]

_FOLDER = os.path.join(os.path.dirname(__file__), "pages")


class Page(NamedTuple):
    """What `explain` says about a rule, and what the tests of a rule begin with."""

    summary: str
    """One line: what is wrong."""
    reason: str
    """Why it hurts; may be empty."""
    bad: tuple[str, ...]
    """TOML documents in which the rule reports."""
    good: tuple[str, ...]
    """TOML documents in which it does not."""

    def text(self) -> str:
        """Return the page for a terminal, without the signs of Markdown."""
        parts = [self.summary, self.reason]
        for word, examples in (("Bad", self.bad), ("Good", self.good)):
            parts += [f"{word}:\n{_indented(example)}" for example in examples]
        return "\n\n".join(part for part in parts if part)


def load_page(rule: Rule) -> Page:
    """Read the page of a rule."""
    head, *examples = _read(f"{rule.code}.md").split("\n```toml\n")
    summary, _, reason = head.removeprefix("# ").partition("\n")
    found: dict[str, list[str]] = {"Bad:": [], "Good:": []}
    word = reason.rpartition("\n\n")[2].strip()
    for example in examples:
        toml, _, after = example.partition("```\n")
        found[word].append(toml)
        word = after.strip() or word
    return Page(
        summary, reason.rpartition("Bad:")[0].strip(), tuple(found["Bad:"]), tuple(found["Good:"])
    )


def _read(name: str) -> str:
    """Return the text of a page, which may be in a zip file."""
    try:
        with open(os.path.join(_FOLDER, name), encoding="utf-8") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        # Imported here: it takes longer to load than all pages.
        from importlib.resources import files

        return (files(__package__) / "pages" / name).read_text(encoding="utf-8")


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.splitlines())
