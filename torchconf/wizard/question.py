"""A question as data, and the walk through questions, forth and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from torchconf.errors import shown
from torchconf.model.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Value: TypeAlias = "str | tuple[str, ...]"
"""Of one choice or a text: a word; of several choices: words, in the order of the choices."""
Answers: TypeAlias = "Mapping[str, Value]"
Judge: TypeAlias = "Callable[[Value], str | None]"
"""Returns what is wrong with an answer, in the words that the flag would be refused with."""

BACK = "<"
"""What one types to go back a question."""


class GoBack(Exception):
    """The user wants to go back to the previous question."""


class Option(NamedTuple):
    """One choice, or why it is disabled."""

    value: str
    title: str
    about: str = ""
    """In a few words, what it is."""
    disabled: str = ""
    """Why it cannot be chosen; empty if it can."""


def words_of(value: Value | None) -> tuple[str, ...]:
    """Return the words of an answer, whatever the question was."""
    return () if not value else (value,) if isinstance(value, str) else value


def accept(_: Value) -> str | None:
    """Find nothing wrong with an answer."""
    return None


class Question(NamedTuple):
    """What is asked, and how an answer is judged."""

    key: str
    kind: Literal["many", "one", "text"]
    message: str
    label: str
    """What stands before the answer afterwards."""
    default: Value
    choices: tuple[Option, ...] = ()
    judge: Judge = accept
    show: Callable[[], None] | None = None
    """Shows what there is to decide about, before the question."""

    def open_choices(self) -> tuple[Option, ...]:
        """Return what can be chosen."""
        return tuple(choice for choice in self.choices if not choice.disabled)

    def suggesting(self, value: Value | None) -> Question:
        """Return the question with another default, as far as that can still be chosen."""
        if value is None:
            return self
        if self.kind == "text":
            return self._replace(default=value)
        values = [choice.value for choice in self.open_choices()]
        if isinstance(value, str):
            return self._replace(default=value) if value in values else self
        kept = tuple(one for one in values if one in value)
        return self._replace(default=kept) if kept or not value else self

    def spoken(self, value: Value) -> str:
        """Return an answer as it is shown afterwards."""
        if self.kind == "text":
            return shown(str(value))
        chosen = (value,) if isinstance(value, str) else value
        titles = [choice.title for choice in self.choices if choice.value in chosen]
        return ", ".join(titles) or "none"

    def harmless(self) -> Question:
        """Return the question with texts that may be shown: some are from the project's files."""
        return self._replace(
            message=shown(self.message),
            label=shown(self.label),
            choices=tuple(
                choice._replace(
                    title=shown(choice.title),
                    about=shown(choice.about),
                    disabled=shown(choice.disabled),
                )
                for choice in self.choices
            ),
            judge=lambda value: _shown_complaint(self.judge(value)),
        )


def _shown_complaint(complaint: str | None) -> str | None:
    return complaint and shown(complaint)


class Ask(Protocol):
    """Asks a question: with prompts, as plain lines, or from the answers of a test."""

    def __call__(self, question: Question, *, back: bool) -> Value:
        """Return an answer that the question's judge accepts.

        Args:
            question: What to ask.
            back: Whether there is a question before this one.

        Raises:
            GoBack: The user wants the previous question again.
            KeyboardInterrupt: The user quits.
        """


def ask_all(next_question: Callable[[Answers], Question | None], ask: Ask) -> Answers:
    """Ask questions until there are none left.

    Args:
        next_question: Returns the next question for the answers so far, None at the end.
        ask: Puts it.

    Returns:
        Each answer by the key of its question. Answers to questions that were gone back over, and
        did not come up again, are not among them.
    """
    answers: dict[str, Value] = {}
    earlier: dict[str, Value] = {}
    while (question := next_question(answers)) is not None:
        try:
            asked = question.suggesting(earlier.get(question.key)).harmless()
            answer = ask(asked, back=bool(answers))
        except GoBack:
            key, answer = answers.popitem()
        else:
            key = question.key
            answers[key] = answer
        earlier[key] = answer
    return answers
