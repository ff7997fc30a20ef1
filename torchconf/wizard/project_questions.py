"""The questions that only a new project has: its name, its package, its Python, its license."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchconf.errors import TorchconfError
from torchconf.wizard.question import Option, Question

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torchconf.wizard.question import Answers, Judge, Value

__all__ = ["first", "package_of", "starting"]


def package_of(name: str) -> str:
    """Return the package that a project of this name would have."""
    return re.sub(r"[-.]+", "_", name.lower())


def first(
    templates: Mapping[str, str],
    template: str | None,
    folder: str | None,
    judge: Callable[[str], object],
) -> Callable[[Answers], Question | None]:
    """Return what asks for the template and the folder, as far as they are not given.

    Args:
        templates: Their names, each with what it is.
        template: The one that is given.
        folder: The one that is given.
        judge: What raises `TorchconfError` at a folder that cannot be taken.
    """

    def next_question(answers: Answers) -> Question | None:
        if template is None and "template" not in answers:
            choices = tuple(Option(name, name, about) for name, about in templates.items())
            return Question(
                "template", "one", "Which template?", "Template", next(iter(templates)), choices
            )
        if folder is None and "folder" not in answers:
            return Question(
                "folder", "text", "Folder of the project?", "Folder", "my-project",
                judge=_judge(judge),
            )  # fmt: skip
        return None

    return next_question


def starting(
    given: Mapping[str, str | None], folder: str, judges: Mapping[str, Callable[[str], object]]
) -> Callable[[Answers], Question | None]:
    """Return what gives the next question for the answers so far.

    Args:
        given: What flags say: `name`, `package`, `python`, `license`. What is given is not asked.
        folder: The name of the new folder.
        judges: For each, what raises `RequestError` at a wrong answer.
    """

    def next_question(answers: Answers) -> Question | None:
        name = given["name"] or str(answers.get("name", folder))
        for key, message, label, default in (
            ("name", "Name of the project?", "Name", folder),
            ("package", "Name of the package to import?", "Package", package_of(name)),
            ("python", "Lowest Python version?", "Python", "3.12"),
            ("license", "License, as an SPDX identifier?", "License", "MIT"),
        ):
            if given[key] is None and key not in answers:
                judge = _judge(judges[key])
                return Question(key, "text", message, label, default, judge=judge)
        return None

    return next_question


def _judge(check: Callable[[str], object]) -> Judge:
    def judge(value: Value) -> str | None:
        try:
            check(str(value))
        except TorchconfError as error:
            return error.message
        return None

    return judge
