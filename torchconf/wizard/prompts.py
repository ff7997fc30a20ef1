"""Prompts made with questionary, for terminals that can move the cursor."""

from __future__ import annotations

import shutil
import sys
import textwrap
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import questionary
from prompt_toolkit import print_formatted_text
from prompt_toolkit.application import get_app_session
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.key_binding import KeyBindings, merge_key_bindings
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.styles import Style

from torchconf.interrupts import orderly
from torchconf.wizard.question import BACK, GoBack, Option, Question

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prompt_toolkit.application import Application
    from prompt_toolkit.key_binding import KeyPressEvent

    from torchconf.wizard.question import Value

_STYLE = Style(
    [
        ("qmark", "fg:ansicyan bold"),
        ("question", "bold"),
        ("instruction", "fg:ansibrightblack"),
        ("pointer", "fg:ansicyan bold"),
        ("selected", "noreverse fg:ansigreen"),
        ("highlighted", "fg:ansicyan"),
        ("disabled", "fg:ansibrightblack"),
        ("answer", "fg:ansicyan"),
        ("error", "fg:ansired"),
        ("validation-toolbar", "fg:ansired bold noreverse"),
        ("bottom-toolbar", "noreverse"),
    ]
)
_INDENT = 5
"""Columns that questionary puts before a choice."""


@contextmanager
def _mode_kept() -> Iterator[None]:
    """Give the terminal back the mode that it had, however a question ends.

    A signal may come at any line, also at those with which prompt_toolkit does this itself.
    """
    try:
        import termios

        number = sys.stdin.fileno()
    except (ImportError, OSError, ValueError):  # Windows; no file at all
        yield
        return
    mode = None
    with suppress(termios.error):  # not a terminal
        mode = termios.tcgetattr(number)
    try:
        yield
    finally:
        if mode is not None:
            with suppress(termios.error):  # it is gone
                termios.tcsetattr(number, termios.TCSADRAIN, mode)


class Prompts:
    """Asks questions with questionary."""

    def __init__(self, *, colour: bool) -> None:
        """Choose the colours."""
        depth = None if colour else ColorDepth.DEPTH_1_BIT
        self.options: dict[str, Any] = {"color_depth": depth} if depth else {}
        self._trail: list[int] = []
        """How many rows each answer that is still shown takes, complaints before it included."""
        self._rows = 0
        """How many rows stand below the last answer."""

    def __call__(self, question: Question, *, back: bool) -> Value:
        """Return an answer that the judge accepts.

        Raises:
            GoBack: The user wants the previous question again.
            KeyboardInterrupt: Ctrl-C or Ctrl-D.
        """
        if question.show is not None:
            question.show()
            # Nobody knows how many rows that took: what is above it stays.
            self._trail.clear()
            self._rows = 0
        while True:
            try:
                with _mode_kept(), orderly():
                    answer: Value | list[str] = self._application(question, back=back).run()
            except EOFError as error:  # the terminal is gone
                raise KeyboardInterrupt from error
            value = answer.strip() if isinstance(answer, str) else tuple(answer)
            if value == BACK and back:
                self._take_back()
                raise GoBack
            if question.kind == "many" and isinstance(value, str):
                value = ()
            if question.kind == "text" and not value:
                value = question.default
            # questionary itself judges while several are chosen, and shows one line at most.
            judged = question.kind == "many" and question.open_choices()
            complaint = None if judged else question.judge(value)
            if complaint is None:
                self._note(question, value)
                return value
            if question.kind == "one":
                question = question._replace(default=value)
            self._print([("class:error", _folded(complaint)), ("", "\n")])

    def _note(self, question: Question, answer: Value) -> None:
        """Replace the question by one line with the answer."""
        self._print(
            [
                ("class:qmark", "- "),
                ("", f"{question.label}: "),
                ("class:answer", question.spoken(answer)),
                ("", "\n"),
            ]
        )

        self._trail.append(self._rows)
        self._rows = 0

    def _take_back(self) -> None:
        """Take the answer before from the screen: its question is asked again."""
        if not self._trail:
            return
        output = get_app_session().output
        output.cursor_up(self._rows + self._trail.pop())
        output.erase_down()
        output.flush()
        self._rows = 0

    def _print(self, text: list[tuple[str, str]]) -> None:
        print_formatted_text(FormattedText(text), end="", style=_STYLE, **self.options)
        lines = "".join(part for _, part in text).removesuffix("\n").split("\n")
        self._rows += sum(max(-(-len(line) // _columns()), 1) for line in lines)

    def _application(self, question: Question, *, back: bool) -> Application[Any]:
        width = max((len(choice.title) for choice in question.choices), default=0)
        if question.kind == "many" and question.open_choices():
            built = questionary.checkbox(
                question.message,
                [
                    _choice(choice, width, checked=choice.value in question.default)
                    for choice in question.choices
                ],
                validate=lambda values: _verdict(question, tuple(values)),
                instruction=_instruction(question, "space to select, enter to continue", back=back),
                style=_STYLE,
                **self.options,
            )
        elif question.kind != "text":
            choices = [_choice(choice, width) for choice in question.choices]
            # questionary cannot show a list of which nothing can be chosen.
            choices += [questionary.Choice("continue", "")] if question.kind == "many" else []
            choices += [questionary.Choice(f"{BACK} back", BACK)] if back else []
            built = questionary.select(
                question.message,
                choices,
                default=question.default if isinstance(question.default, str) else "",
                instruction=_instruction(question, "arrow keys, then enter", back=back),
                style=_STYLE,
                **self.options,
            )
        else:
            text = f"enter for {question.default}" if question.default else "then enter"
            built = questionary.text(
                question.message,
                instruction=_instruction(question, text, back=back) + " ",
                style=_STYLE,
                **self.options,
            )
        application = built.application
        application.erase_when_done = True
        own = _bindings(back=question.kind != "text" and back)
        theirs = application.key_bindings
        application.key_bindings = merge_key_bindings([theirs, own] if theirs else [own])
        return application


def _bindings(*, back: bool) -> KeyBindings:
    """Return keys that questionary lacks: Ctrl-D leaves as Ctrl-C does, `<` goes back."""
    bindings = KeyBindings()

    @bindings.add("c-d", eager=True)
    def leave(event: KeyPressEvent) -> None:
        event.app.exit(exception=KeyboardInterrupt)

    if back:

        @bindings.add(BACK, eager=True)
        def go_back(event: KeyPressEvent) -> None:
            event.app.exit(result=BACK)

    return bindings


def _choice(choice: Option, width: int, *, checked: bool = False) -> questionary.Choice:
    """Return a choice as lines that fit; one that is disabled is never checked.

    questionary would return a choice that is both as an answer.
    """
    room = max(_columns() - _INDENT - 1, 20)
    text = f"{choice.title:{width}}  {choice.about}".rstrip()
    if choice.disabled:
        head = f"{choice.title:{width + 1}}"
        text = _wrapped(f"{head} ({choice.disabled})", room, width)
        # questionary puts the reason into parentheses itself.
        return questionary.Choice(head, choice.value, disabled=text[len(head) + 2 : -1])
    return questionary.Choice(_wrapped(text, room, width), choice.value, checked=checked)


def _wrapped(text: str, room: int, width: int) -> str:
    """Break a line; what follows stands below the second column, if there is room for it."""
    indent = width + 2 if width + 2 < room // 2 else 2
    return ("\n" + " " * (_INDENT + indent)).join(
        [
            part if number == 0 else part.strip()
            for number, part in enumerate(
                textwrap.wrap(
                    text,
                    room,
                    subsequent_indent=" " * indent,
                    drop_whitespace=True,
                    break_on_hyphens=False,
                )
            )
        ]
    )


def _columns() -> int:
    return shutil.get_terminal_size().columns


def _instruction(question: Question, text: str, *, back: bool) -> str:
    """Say which keys there are, on a line of their own if they would be broken over two."""
    text = f"({text}, {BACK} to go back)" if back else f"({text})"
    fits = len(f"? {question.message} {text} ") <= _columns()
    return text if fits else f"\n  {text}"


def _verdict(question: Question, value: Value) -> bool | str:
    complaint = question.judge(value)
    return True if complaint is None else _folded(complaint)


def _folded(text: str) -> str:
    return textwrap.fill(text, max(_columns() - 1, 20), break_on_hyphens=False)
