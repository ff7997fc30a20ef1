"""Which torch: the question, and the lines that serve all targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import Version

from torchconf.errors import RequestError
from torchconf.model.requirements import next_minor, torch_specifier
from torchconf.planner.admitted_ranges import declared_range, pinned_range
from torchconf.planner.assess import COVERED, MISSING, Needs, assess
from torchconf.wizard.answers import NEWEST, OTHER
from torchconf.wizard.descriptions import line
from torchconf.wizard.prerelease_choices import are_prereleases
from torchconf.wizard.question import Option, Question

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchconf.wizard.answers import InitAnswers
    from torchconf.wizard.question import Answers, Judge, Value

LINES_SHOWN = 8


def ask_torch(asked: InitAnswers, answers: Answers) -> Question | None:
    """Ask for a line of torch, or for a range; pre-release builds have no releases to choose."""
    if are_prereleases(asked.session, asked.wishes(answers)):
        return None
    project, main = asked.session.project, asked.catalog.main_package
    outcome = asked.outcome(answers)
    release = outcome.choice.release
    declared = declared_range(project, main)
    newest = "as the project requires" if str(declared) else "newest"
    about = f"torch {declared}; " if str(declared) else ""
    about += f"{release} for all targets" if release else "newer than the catalog"
    if release is not None and release == asked.session.facts.locked:
        about = f"{release}, as in uv.lock"
    choices = [Option(NEWEST, newest, about), *_lines(asked, answers)]
    choices.append(Option(OTHER, "another version or range", "such as >=2.11,<2.14"))
    return Question(
        "torch", "one", "Which version of torch?", "Torch", NEWEST, tuple(choices),
        asked.judge(answers, "torch"),
    )  # fmt: skip


def _lines(asked: InitAnswers, answers: Answers) -> Iterator[Option]:
    """Yield the lines of torch that serve all targets, the newest first."""
    session, catalog = asked.session, asked.catalog
    request = asked.request(answers)
    packages = {*asked.before.packages, *session.facts.needed, *session.facts.elsewhere}
    needs = Needs(
        pinned_range(session.project, catalog.main_package),
        {
            name: declared_range(session.project, name) & pinned_range(session.project, name)
            for name in catalog.family
            if name != catalog.main_package
            and name in {*packages, *request.packages}
            and name not in catalog.triton_packages
        },
        session.project.requires_python,
    )
    shown = 0
    for number in dict.fromkeys(map(line, catalog.releases)):
        served = [
            assess(release, request.specs, needs, catalog).choice
            for release in catalog.releases
            if line(release) == number and needs.torch.contains(release, prereleases=True)
        ]
        best = min(served, key=lambda choice: choice.certainty, default=None)
        if best is None or best.certainty >= MISSING:
            continue
        doubt = "" if best.certainty <= COVERED else ", not confirmed for all targets"
        held = f"{best.release}{doubt}, below {next_line(number)}"
        yield Option(number, number, held)
        shown += 1
        if shown == LINES_SHOWN:
            return


def ask_range(asked: InitAnswers, answers: Answers) -> Question:
    """Ask for a version or range that is not among the choices."""
    return Question(
        "range", "text", "Which version or range of torch, such as 2.12 or >=2.11,<2.14?", "Range",
        "", (), _judge_range(asked, answers),
    )  # fmt: skip


def _judge_range(asked: InitAnswers, answers: Answers) -> Judge:
    judge = asked.judge(answers, "range")

    def judge_text(value: Value) -> str | None:
        if not value:
            return "enter a version or a range"
        try:
            torch_specifier(str(value))
        except RequestError as error:
            return f"{error.message}; {error.help}"
        return judge(value)

    return judge_text


def next_line(number: str) -> str:
    """Return the line after one: `2.14` for `2.13`."""
    return next_minor(Version(number))
