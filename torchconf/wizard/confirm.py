"""The last question: whether to write the result."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from torchconf.errors import shown
from torchconf.wizard.question import Option, Question

if TYPE_CHECKING:
    from collections.abc import Callable

    from torchconf.errors import TorchconfError

KEY = "write"
WRITE, LOCK, NO = "write", "lock", "no"


def write_question(show: Callable[[], None], file: str, *, lock: str | None) -> Question:
    """Return the last question.

    Args:
        show: Shows what would change.
        file: Its name, for the question.
        lock: Why uv cannot lock; None if it can, empty if that was asked for by a flag.
    """
    choices = [Option(WRITE, "yes", "" if lock != "" else "write the file and run `uv lock`")]
    if lock != "":
        about = "restore the files if uv fails"
        choices.append(Option(LOCK, "yes, and run `uv lock`", "" if lock else about, lock or ""))
    choices.append(Option(NO, "no", "change nothing"))
    message = f"Write these changes to {file}?"
    return Question(KEY, "one", message, "Write", WRITE, tuple(choices), show=show)


def refusal_question(error: TorchconfError) -> Question:
    """Return the last question if the answers cannot be written: go back or quit."""

    def show() -> None:
        sys.stdout.write(f"\nerror: {shown(error.message)}\n")
        sys.stdout.write(f" help: {shown(error.help)}\n" if error.help else "")

    choices = (Option(NO, "quit", "change nothing"),)
    return Question(KEY, "one", "These answers cannot be written.", "Write", NO, choices, show=show)
