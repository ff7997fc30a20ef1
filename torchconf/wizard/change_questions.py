"""The questions of `add-target` and `remove-target`, and the requests that the answers make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.errors import RequestError
from torchconf.model.targets import PLATFORMS
from torchconf.wizard.answers import NO, YES
from torchconf.wizard.build_choices import (
    OLDER,
    PRERELEASE,
    build_choices,
    judge_request,
    older_choice,
)
from torchconf.wizard.descriptions import backend_about, platform_about, platform_title
from torchconf.wizard.prerelease_choices import prerelease_choice, prerelease_choices
from torchconf.wizard.question import Option, Question, words_of

if TYPE_CHECKING:
    from torchconf.model.targets import Target
    from torchconf.planner import Request
    from torchconf.wizard.question import Answers, Value
    from torchconf.wizard.session import Session

_LEADS = {OLDER, PRERELEASE}
"""Answers that lead to another question."""
SEE = "run `torchconf show` to see what is configured"


class AddTargetQuestions:
    """What to ask for `add-target`."""

    def __init__(self, session: Session) -> None:
        """Keep what the questions are about."""
        self.session = session

    def request(self, answers: Answers) -> Request:
        """Return what the answers so far ask for."""
        platform = str(answers.get("platform", ""))
        keys = ("builds", "older", PRERELEASE)
        builds = (build for key in keys for build in words_of(answers.get(key)))
        given = self.session.given
        return given._replace(
            add=self.session.wishes(f"{platform}-{b}" for b in builds if b not in _LEADS),
            layout=str(answers.get("layout", given.layout)),
            record=given.record or answers.get("record") == YES,
        )

    def next_question(self, answers: Answers) -> Question | None:
        """Return the next question."""
        if "platform" not in answers:
            return self._ask_platform()
        if "builds" not in answers:
            return self._ask_builds(answers, "builds")
        if "older" not in answers and OLDER in words_of(answers["builds"]):
            return self._ask_builds(answers, "older")
        if PRERELEASE not in answers and PRERELEASE in words_of(answers["builds"]):
            return self._ask_builds(answers, PRERELEASE)
        layout = None if "layout" in answers else self._ask_layout(answers)
        return layout or ask_record(self.session, answers)

    def _ask_platform(self) -> Question:
        session = self.session
        choices = []
        for platform in PLATFORMS:
            has = [t.backend.name for t in session.present if t.platform == platform]
            about = f"has {', '.join(has)}" if has else platform_about(platform, session.catalog)
            if platform == session.machine.platform:
                about = f"this machine; {about}"
            choices.append(Option(platform.short, platform_title(platform), about))
        own = session.machine.platform or PLATFORMS[0]
        return Question(
            "platform", "one", "Where should the new build run?", "Platform", own.short,
            tuple(choices),
        )  # fmt: skip

    def _ask_builds(self, answers: Answers, key: str) -> Question:
        session = self.session
        platform = next(p for p in PLATFORMS if p.short == answers["platform"])
        present = {t.backend.name for t in session.present if t.platform == platform}
        choices = [
            choice._replace(disabled="already in the project", about="")
            if choice.value in present
            else choice
            for choice in (
                prerelease_choices(session, platform, self.request(answers))
                if key == PRERELEASE
                else build_choices(session, platform, self.request(answers), recent=key == "builds")
            )
        ]
        if key == "builds":
            choices += older_choice(session, platform)
            choices += prerelease_choice(session, platform)

        def judge(value: Value) -> str | None:
            request = self.request({**answers, key: value})
            if not request.add:
                missing = "select at least one build with space"
                return None if _LEADS.intersection(words_of(value)) else missing
            error = judge_request(session, request)
            if error and any(
                session.complaint(request._replace(layout=layout)) is None
                for layout in ("extras", "groups")
            ):
                return None  # the next question is about that
            return error

        title = platform_title(platform)
        kind = "" if key == "builds" else key
        return Question(
            key, "many", f"Which {kind + ' ' if kind else ''}torch builds for {title}?",
            f"{title}, {kind}" if kind else title, (), tuple(choices), judge,
        )  # fmt: skip

    def _ask_layout(self, answers: Answers) -> Question | None:
        """Ask only where people would have to install in another way."""
        session, request = self.session, self.request(answers)
        if session.complaint(request) is None:
            return None
        abouts = {
            "extras": "`uv sync --extra ...`; no default; published with the package",
            "groups": "`uv sync --group ...`; plain `uv sync` installs the default; not published",
        }
        choices = []
        for layout, about in abouts.items():
            complaint = session.complaint(request._replace(layout=layout))
            choices.append(Option(layout, layout, about, complaint.message if complaint else ""))
        return Question(
            "layout", "one",
            "One platform has several builds. How should one be selected?", "Layout",
            next(choice.value for choice in choices if not choice.disabled), tuple(choices),
        )  # fmt: skip


class RemoveTargetQuestions:
    """What to ask for `remove-target`."""

    def __init__(self, session: Session) -> None:
        """Keep what the question is about.

        Raises:
            RequestError: There is nothing to remove.
        """
        self.session = session
        if session.before.layout is None:
            raise RequestError(
                "the project has no targets to remove",
                at=session.project.place("tool.uv.sources"),
                help=SEE,
            )

    def request(self, answers: Answers) -> Request:
        """Return what the answers so far ask for."""
        given = self.session.given
        return given._replace(
            remove=self.session.wishes(words_of(answers.get("targets"))),
            record=given.record or answers.get("record") == YES,
        )

    def next_question(self, answers: Answers) -> Question | None:
        """Return the next question."""
        if "targets" in answers:
            return ask_record(self.session, answers)
        session = self.session
        choices = [
            Option(str(target), str(target), _about(target, session), self._why_not(str(target)))
            for target in session.present
        ]
        if all(choice.disabled for choice in choices):
            raise RequestError(choices[0].disabled, help=SEE)

        def judge(value: Value) -> str | None:
            if not value:
                return "select at least one target with space"
            request = self.request({"targets": value})
            error = judge_request(session, request)
            if error is None:
                plan = session.plan(request).plan
                if not plan.steps and not plan.root_steps:
                    return "nothing would change: also select the targets that use the same tables"
            return error

        return Question(
            "targets", "many", "Which targets should be removed?", "Remove", (), tuple(choices),
            judge,
        )  # fmt: skip

    def _why_not(self, name: str) -> str:
        return judge_request(self.session, self.request({"targets": (name,)})) or ""


def ask_record(session: Session, answers: Answers) -> Question | None:
    """Ask whether a file without a list of targets is to have one."""
    if "record" in answers or session.listed is not None or session.given.record:
        return None
    choices = (
        Option(NO, "no", "the targets are read back from uv's tables"),
        Option(YES, "yes", "`[tool.torchconf] targets`, which people and CI can read"),
    )
    return Question(
        "record", "one", "List the targets in pyproject.toml?", "List of targets", NO, choices
    )


def _about(target: Target, session: Session) -> str:
    return backend_about(target.backend, target.platform, session.catalog)
