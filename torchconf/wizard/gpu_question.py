"""For which GPUs to install, where a build comes in packages for single ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.wizard.question import Option, Question

if TYPE_CHECKING:
    from torchconf.wizard.answers import InitAnswers
    from torchconf.wizard.question import Answers


def ask_gpus(asked: InitAnswers, answers: Answers) -> Question | None:
    """Ask for GPUs; none of them means all."""
    named: dict[str, list[str]] = {}
    for backend in asked.backends(answers):
        closure = asked.catalog.closure(backend)
        for gpu in closure.by_gpu if closure else ():
            named.setdefault(gpu, []).append(backend.title)
    if not named:
        return None
    choices = [
        Option(gpu, gpu, ", ".join(titles))
        for gpu, titles in sorted(named.items(), key=lambda pair: (len(pair[0]), pair[0]))
    ]
    return Question(
        "gpus", "many", "For which GPUs should packages be installed? None means all of them",
        "GPUs", (), tuple(choices), asked.judge(answers, "gpus"),
    )  # fmt: skip
