"""Draft constraints, and the lists that requirements go to: each is written once, as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.migrate.requirement_text import Wording, pinned, spelled
from torchconf.model.toml_path import CONSTRAINTS, render_path

if TYPE_CHECKING:
    from torchconf.edits.draft import Draft
    from torchconf.edits.plan import Value
    from torchconf.migrate.account import Ledger
    from torchconf.migrate.old import Bound, Need
    from torchconf.model.project import Project
    from torchconf.model.toml_path import Path

__all__ = ["BoundDraft", "Lists"]


class Lists:
    """What is added to the lists of a draft.

    A step for each line would have the editor take the list apart as often.
    """

    def __init__(self, draft: Draft) -> None:
        """Start with nothing."""
        self.draft = draft
        self._added: dict[Path, dict[str, str]] = {}

    def add(self, path: Path, text: str, reason: str) -> None:
        """Add a line to a list, unless it is there."""
        self._added.setdefault(path, {}).setdefault(text, reason)

    def write(self) -> None:
        """Draft the lists: a new one as a whole, at the end of one that is there line by line."""
        for path, lines in self._added.items():
            there = self.draft.get(path)
            if there:
                known = set(map(str, there))
                for text, reason in lines.items():
                    if text not in known:
                        self.draft.insert(path, text, reason)
            else:
                value: list[Value] = [*lines]
                self.draft.put(path, value, next(iter(lines.values())))


class BoundDraft:
    """The constraints of a draft."""

    def __init__(self, project: Project, lists: Lists, ledger: Ledger) -> None:
        """Look where uv reads constraints: in the root of a workspace only."""
        self.lists = lists
        self.ledger = ledger
        self.is_member = project.root is not None

    def keep(self, item: Need) -> str:
        """Make the version of a pin a constraint; return where it stands, or nothing."""
        version = pinned(item.specifier)
        if not version or item.url or item.path:
            return ""
        marker = f" ; {item.marker}" if item.marker else ""
        text = f"{item.name}=={version}{marker}"
        self.lists.add(CONSTRAINTS, text, "a version that the old files hold")
        return f"{render_path(CONSTRAINTS)}: {text}"

    def constrain(self, item: Need | Bound) -> None:
        """Make a line of a constraints file a constraint, and account for it."""
        wording = Wording(item.name, (), item.specifier, item.marker, "")
        text = spelled(wording)
        if text is None or not item.specifier:
            self.ledger.note(item, "unclear", why="it is not a valid constraint")
            return
        if self.is_member:
            why = "uv reads constraints from the workspace root only: add it there"
            self.ledger.note(item, "unclear", why=why)
            return
        self.lists.add(CONSTRAINTS, text, "a version that the old files hold")
        same = text.replace(" ", "") == item.text.replace(" ", "")
        why = "the label is a build, which its index chooses" if item.label and not same else ""
        into = f"{render_path(CONSTRAINTS)}: {text}"
        self.ledger.note(item, "taken" if same else "changed", into, why)
