"""The wizard: questions in, a request out.

A question is data, and one judge, the planner, decides on an answer and on a flag. How a question
is put is another matter: with questionary, as plain lines, or from the list of a test. questionary
is imported only by whoever asks for prompts.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from torchconf.wizard.change_questions import Addition, Removal
from torchconf.wizard.confirm import KEY, LOCK, NO, WRITE, closing, refused
from torchconf.wizard.equivalent_command import command_words, quoted
from torchconf.wizard.init_questions import Setup
from torchconf.wizard.question import BACK, Answers, Ask, GoBack, Option, Question, Value, walk
from torchconf.wizard.session import MachineFacts, Session, open_session

if TYPE_CHECKING:
    from typing import TextIO

__all__ = [
    "BACK",
    "KEY",
    "LOCK",
    "NO",
    "WRITE",
    "Addition",
    "Answers",
    "Ask",
    "GoBack",
    "MachineFacts",
    "Option",
    "Question",
    "Removal",
    "Session",
    "Setup",
    "Value",
    "choose_asker",
    "closing",
    "command_words",
    "open_session",
    "quoted",
    "refused",
    "walk",
]


def choose_asker(*, colour: bool) -> Ask:
    """Return what puts the questions at this terminal."""
    if os.environ.get("TERM", "").lower() in {"dumb", "unknown"} or not _can_show(sys.stdout):
        from torchconf.wizard.plain_prompts import Plain

        return Plain()
    # Imported here: questionary costs five times what tomlkit does to load.
    from torchconf.wizard.prompts import Prompts

    return Prompts(colour=colour)


def _can_show(stream: TextIO) -> bool:
    """Tell whether the signs before the choices exist in the terminal's encoding."""
    try:
        "●○»".encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
