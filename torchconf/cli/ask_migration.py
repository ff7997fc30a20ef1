"""What `migrate` asks at a terminal, and `init` where it finds the files of other tools."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from torchconf.errors import UvError
from torchconf.report.colour import wants_colour
from torchconf.resolve.uv import find_uv
from torchconf.wizard import KEY, LOCK, NO, Option, Question, ask_all, choose_asker, write_question

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torchconf.report.colour import When
    from torchconf.wizard import Answers

__all__ = ["ask_to_read", "ask_to_write"]

_YES = "yes"


def ask_to_write(
    unclear: Sequence[str], file: str, show: Callable[[], None], color: When, *, lock: bool
) -> bool | None:
    """Ask whether to leave out what is not understood, and whether to write.

    Args:
        unclear: The lines that nobody understands, each with its place.
        file: What would be written.
        show: Shows what would change.
        color: When to use colour.
        lock: Whether `uv lock` runs in any case.

    Returns:
        Whether to lock, too; None to write nothing.
    """
    trouble: str | None = "" if lock else None
    if not lock:
        try:
            find_uv()
        except UvError as error:
            trouble = error.message

    def next_question(answers: Answers) -> Question | None:
        if unclear and "unclear" not in answers:
            return _unclear_question(unclear)
        if answers.get("unclear") == NO or KEY in answers:
            return None
        return write_question(show, file, lock=trouble)

    answers = ask_all(next_question, choose_asker(colour=wants_colour(color, sys.stdout)))
    if NO in {answers.get("unclear"), answers.get(KEY)}:
        return None
    return lock or answers.get(KEY) == LOCK


def _unclear_question(unclear: Sequence[str]) -> Question:
    def show() -> None:
        sys.stdout.write("These lines cannot be migrated:\n")
        sys.stdout.writelines(f"  {line}\n" for line in unclear)

    choices = (
        Option(_YES, "yes", "go on without them"),
        Option(NO, "no", "change nothing"),
    )
    return Question("unclear", "one", "Leave these lines out?", "Leave out", NO, choices, show=show)


def ask_to_read(found: str, color: When) -> bool:
    """Ask whether to start from the files of another tool; the first question of `init`.

    Args:
        found: What there is: `requirements.txt and Pipfile`.
        color: When to use colour.
    """
    choices = (
        Option(_YES, "yes", "run `torchconf migrate`, which reads packages and builds"),
        Option(NO, "no", "start with the questions of `init`"),
    )
    message = f"Found {found}. Start from there?"
    question = Question("old", "one", message, "Migrate", _YES, choices)

    def next_question(answers: Answers) -> Question | None:
        return None if "old" in answers else question

    answers = ask_all(next_question, choose_asker(colour=wants_colour(color, sys.stdout)))
    return answers["old"] == _YES
