"""The last question: whether to write what the answers come to."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from torchconf.wizard.question import Option, Question

if TYPE_CHECKING:
    from collections.abc import Callable

    from torchconf.errors import TorchconfError

KEY = "write"
WRITE, LOCK, NO = "write", "lock", "no"


def closing(show: Callable[[], None], file: str, *, lock: str | None) -> Question:
    """Return the last question.

    Args:
        show: Shows what would change.
        file: Its name, for the question.
        lock: Why uv can not lock; None if it can, empty if that was asked for by a flag.
    """
    choices = [Option(WRITE, "yes", "write it" if lock != "" else "write it and run `uv lock`")]
    if lock != "":
        about = "put everything back if uv fails"
        choices.append(Option(LOCK, "yes, and run `uv lock`", "" if lock else about, lock or ""))
    choices.append(Option(NO, "no", "leave everything as it is"))
    return Question(KEY, "one", f"Write this to {file}?", "Write", WRITE, tuple(choices), show=show)


def refused(error: TorchconfError) -> Question:
    """Return the last question where the answers can not be written: one can only go back."""

    def show() -> None:
        sys.stdout.write(f"\nerror: {error.message}\n")
        sys.stdout.write(f" help: {error.help}\n" if error.help else "")

    choices = (Option(NO, "give up", "leave everything as it is"),)
    return Question(KEY, "one", "This can not be written.", "Write", NO, choices, show=show)
