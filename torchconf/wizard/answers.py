"""The answers to `init` so far: the targets, and the request that they make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.layout.layouts import ordered
from torchconf.model.targets import PLATFORMS, Platform, Target
from torchconf.wizard.build_choices import OLDER, PRERELEASE, judge_request
from torchconf.wizard.question import words_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchconf.model.backends import Backend
    from torchconf.model.target_spec import TargetSpec
    from torchconf.planner import Outcome, Request
    from torchconf.wizard.question import Answers, Judge, Value
    from torchconf.wizard.session import Session

# Answers that are no word of a flag.
OTHER, NEWEST, YES, NO, KEEP = "other", "", "yes", "no", "keep"


class InitAnswers:
    """Interprets the answers so far, for the questions that follow."""

    def __init__(self, session: Session) -> None:
        """Keep what the questions are about."""
        self.session = session
        self.catalog = session.catalog
        self.before = session.before
        self.has = bool(session.present)

    def request(self, answers: Answers) -> Request:
        """Return what the answers so far ask for; `--force` only where targets are taken away."""
        names = tuple(
            (key.partition(" ")[2], str(value))
            for key, value in answers.items()
            if key.startswith("name ") and value != self.name(key.partition(" ")[2])
        )
        torch = answers.get("torch")
        torch = answers.get("range") if torch == OTHER else torch
        given = self.session.given
        request = given._replace(
            specs=self.wishes(answers),
            packages=tuple(dict.fromkeys([*given.packages, *words_of(answers.get("packages"))])),
            gpus=words_of(answers.get("gpus")) or given.gpus,
            torch=str(torch) if torch else given.torch,
            layout=str(answers.get("layout", given.layout)),
            default=str(answers["default"]) if "default" in answers else given.default,
            names=names or given.names,
            required_environments=given.required_environments or answers.get("required") == YES,
        )
        return request._replace(force=given.force or self._takes_away(request))

    def _takes_away(self, request: Request) -> bool:
        """Tell whether a target of the project that was not chosen must be removed."""
        chosen = {Target(wish.platform, wish.backend) for wish in request.specs if wish.backend}
        if not self.has or set(self.before.targets) <= chosen:
            return False
        if self.session.complaint(request._replace(force=True)):
            return False
        if self.session.complaint(request):
            return True
        return self._steps_of(request) != self._steps_of(request._replace(force=True))

    def _steps_of(self, request: Request) -> object:
        plan = self.session.plan(request).plan
        return plan.steps, plan.root_steps, plan.member_steps

    # What was answered.

    def platforms(self, answers: Answers) -> list[Platform]:
        """Return the platforms, in the order in which they are shown."""
        chosen = words_of(answers.get("platforms"))
        return [platform for platform in PLATFORMS if platform.short in chosen]

    def chosen(self, answers: Answers, platform: Platform) -> list[str]:
        """Return the names of the builds for one platform."""
        names = (
            *words_of(answers.get(f"builds {platform.short}")),
            *words_of(answers.get(f"older {platform.short}")),
            *words_of(answers.get(f"pre-release {platform.short}")),
        )
        return [name for name in names if name not in {OLDER, PRERELEASE}]

    def wishes(self, answers: Answers, but: Platform | None = None) -> tuple[TargetSpec, ...]:
        """Return all targets, or those of all platforms but one."""
        return self.session.wishes(
            f"{platform.short}-{name}"
            for platform in self.platforms(answers)
            for name in self.chosen(answers, platform)
            if platform != but
        )

    def others(self, answers: Answers, platform: Platform) -> Request:
        """Return what was answered so far, without one platform."""
        return self.session.given._replace(specs=self.wishes(answers, but=platform))

    def later(self, answers: Answers, platform: Platform) -> list[Platform]:
        """Return the platforms whose builds are asked about after those of one platform."""
        known = {wish.platform for wish in self.wishes(answers)} | {platform}
        return [later for later in self.platforms(answers) if later not in known]

    def outcome(self, answers: Answers) -> Outcome:
        """Plan what was answered, with whatever layout has room for it."""
        request = self.request(answers)
        auto = request._replace(force=True)
        return self.session.plan(
            self.session.spread(request) if self.session.complaint(auto) else auto
        )

    def judge(self, answers: Answers, key: str, *, final: bool = False) -> Judge:
        """Return a judge that holds an answer, together with those before it, against the planner.

        Args:
            answers: Those before it.
            key: Of the question.
            final: Whether the layout is settled, so that nothing is assumed any more.
        """

        def judge(value: Value) -> str | None:
            request = self.request({**answers, key: value})
            return judge_request(
                self.session,
                request._replace(force=True) if final else self.session.spread(request),
            )

        return judge

    def backends(self, answers: Answers) -> Sequence[Backend]:
        """Return the builds of all targets, in the order in which they are written."""
        wishes = self.wishes(answers)
        channels = sorted({self.catalog.channel_of(wish.accelerator) for wish in wishes})
        # A channel's catalog knows the names of stable builds, too.
        catalog = self.catalog.view(channels[-1]) if any(channels) else self.catalog
        return ordered({wish.backend for wish in wishes if wish.backend}, catalog)

    def name(self, backend: str) -> str:
        """Return the name of an extra or group as it is, or as it would be."""
        return self.before.names.get(backend) or self.catalog.backend(backend).extra
