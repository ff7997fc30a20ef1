"""The wizard: questions in, a request out.

A question is data, and one judge, the planner, decides on an answer and on a flag. How a question
is put is another matter: with questionary, as plain lines, or from the list of a test. questionary
is imported only if prompts are needed.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from torchconf.wizard.change_questions import AddTargetQuestions, RemoveTargetQuestions
from torchconf.wizard.confirm import KEY, LOCK, NO, WRITE, refusal_question, write_question
from torchconf.wizard.equivalent_command import command_words, quoted
from torchconf.wizard.init_questions import InitQuestions
from torchconf.wizard.question import BACK, Answers, Ask, GoBack, Option, Question, Value, ask_all
from torchconf.wizard.session import MachineFacts, Session, open_session

if TYPE_CHECKING:
    from typing import TextIO

__all__ = [
    "BACK",
    "KEY",
    "LOCK",
    "NO",
    "WRITE",
    "AddTargetQuestions",
    "Answers",
    "Ask",
    "GoBack",
    "InitQuestions",
    "MachineFacts",
    "Option",
    "Question",
    "RemoveTargetQuestions",
    "Session",
    "Value",
    "ask_all",
    "choose_asker",
    "command_words",
    "open_session",
    "quoted",
    "refusal_question",
    "write_question",
]


def choose_asker(*, colour: bool) -> Ask:
    """Return the prompts that this terminal can show."""
    if os.environ.get("TERM", "").lower() in {"dumb", "unknown"} or not _can_show(sys.stdout):
        from torchconf.wizard.plain_prompts import PlainPrompts

        return PlainPrompts()
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
