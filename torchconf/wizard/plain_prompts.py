"""Questions as numbered lines: for `TERM=dumb`, and if the encoding lacks the symbols."""

from __future__ import annotations

import shutil
import sys
import textwrap
from typing import TYPE_CHECKING

from torchconf.wizard.question import BACK, GoBack, Question, words_of

if TYPE_CHECKING:
    from torchconf.wizard.question import Value


class PlainPrompts:
    """Asks questions line by line, without moving the cursor."""

    def __call__(self, question: Question, *, back: bool) -> Value:
        """Return an answer that the judge accepts.

        Raises:
            GoBack: The user wants the previous question again.
            KeyboardInterrupt: Ctrl-C or Ctrl-D.
        """
        if question.show is not None:
            question.show()
        open_ = question.open_choices()
        while True:
            self._show(question)
            text = self._read(question, back=back)
            if text == BACK and back:
                raise GoBack
            value: Value | str | None
            if question.kind == "text":
                value, complaint = text or question.default, None
            else:
                value, complaint = _numbered(text, question)
            complaint = complaint or question.judge(value)
            if complaint is None:
                if open_:
                    sys.stdout.write(f"- {question.label}: {question.spoken(value)}\n")
                return value
            _write(complaint)

    @staticmethod
    def _show(question: Question) -> None:
        sys.stdout.write("\n")
        _write(question.message)
        numbers = iter(range(1, len(question.choices) + 1))
        chosen = words_of(question.default)
        one = (question.default,) if isinstance(question.default, str) else chosen
        for choice in question.choices:
            if choice.disabled:
                _write(f"   -  {choice.title} ({choice.disabled})")
                continue
            mark = "*" if choice.value in one else " "
            about = f": {choice.about}" if choice.about else ""
            _write(f" {mark}{next(numbers):2}  {choice.title}{about}")

    @staticmethod
    def _read(question: Question, *, back: bool) -> str:
        way = {
            "many": "numbers, 0 for none, enter for those marked *",
            "one": "a number, enter for the one marked *",
            "text": f"enter for {question.default!r}" if question.default else "a value",
        }[question.kind]
        sys.stdout.write(f"({way}{f', {BACK} to go back' if back else ''}) > ")
        sys.stdout.flush()
        try:
            line = sys.stdin.readline()
        except (EOFError, UnicodeDecodeError):
            line = ""
        if not line:
            sys.stdout.write("\n")
            raise KeyboardInterrupt
        return line.strip()


def _write(text: str) -> None:
    """Print a line, broken between words."""
    columns = shutil.get_terminal_size().columns
    lines = textwrap.wrap(
        text, max(columns - 1, 20), subsequent_indent="      ", break_on_hyphens=False,
        drop_whitespace=False,
    )  # fmt: skip
    sys.stdout.write("\n".join(line.rstrip() for line in lines) + "\n")


def _numbered(text: str, question: Question) -> tuple[Value, str | None]:
    """Read numbers of choices; nothing stands for the default."""
    open_ = question.open_choices()
    words = text.replace(",", " ").split()
    if not words:
        return question.default, None
    if question.kind == "many" and words == ["0"]:
        return (), None
    if not all(word.isdecimal() and 0 < int(word) <= len(open_) for word in words):
        return question.default, f"enter numbers from 1 to {len(open_)}"
    if question.kind == "one":
        if len(words) > 1:
            return question.default, "enter one number"
        return open_[int(words[0]) - 1].value, None
    chosen = {int(word) - 1 for word in words}
    return tuple(choice.value for number, choice in enumerate(open_) if number in chosen), None
