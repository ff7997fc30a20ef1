"""The questions of `torchconf init`, each a flag of it, and the request that the answers make."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from torchconf.errors import RequestError, TorchconfError
from torchconf.model.target_spec import spec_of
from torchconf.model.targets import PLATFORMS, Platform
from torchconf.wizard.answers import OTHER, InitAnswers
from torchconf.wizard.build_choices import (
    OLDER,
    PRERELEASE,
    build_choices,
    judge_request,
    older_choice,
    possible_build,
    shut_out,
    suggestion,
    why_not,
)
from torchconf.wizard.descriptions import listed, platform_about, platform_title
from torchconf.wizard.gpu_question import ask_gpus
from torchconf.wizard.layout_questions import (
    ask_default,
    ask_layout,
    ask_name,
    ask_names,
    ask_required,
)
from torchconf.wizard.prerelease_choices import (
    are_prereleases,
    prerelease_choice,
    prerelease_choices,
    suggested,
)
from torchconf.wizard.question import Option, Question, words_of
from torchconf.wizard.torch_question import ask_range, ask_torch

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from packaging.version import Version

    from torchconf.model.targets import Target
    from torchconf.planner.assess import ReleaseChoice
    from torchconf.wizard.question import Answers, Judge, Value


class InitQuestions(InitAnswers):
    """The questions for one project, in their order."""

    def next_question(self, answers: Answers) -> Question | None:
        """Return the first question that is to be asked and has no answer yet."""
        for key, make in self._steps(answers):
            if key not in answers:
                question = make()
                if question is not None:
                    return question
        return None

    # The questions.

    def _steps(self, answers: Answers) -> Iterator[tuple[str, Callable[[], Question | None]]]:
        yield "platforms", self._ask_platforms
        for platform in self.platforms(answers):
            key = f"builds {platform.short}"
            yield key, partial(self._ask_builds, answers, platform)
            if OLDER in words_of(answers.get(key)):
                yield f"older {platform.short}", partial(self._ask_older, answers, platform)
            if PRERELEASE in words_of(answers.get(key)):
                key = f"pre-release {platform.short}"
                yield key, partial(self._ask_prereleases, answers, platform)
        yield "gpus", partial(ask_gpus, self, answers)
        yield "packages", partial(self._ask_packages, answers)
        yield "torch", partial(ask_torch, self, answers)
        if answers.get("torch") == OTHER:
            yield "range", partial(ask_range, self, answers)
        yield "layout", partial(ask_layout, self, answers)
        yield "default", partial(ask_default, self, answers)
        yield "names", partial(ask_names, self, answers)
        if answers.get("names") == OTHER:
            for backend in self.backends(answers):
                yield f"name {backend.name}", partial(ask_name, self, answers, backend)
        yield "required", partial(ask_required, self, answers)

    def _ask_platforms(self) -> Question:
        session = self.session
        choices = []
        for platform in PLATFORMS:
            about = platform_about(platform, self.catalog)
            if platform == session.machine.platform:
                about = f"this machine; {about}" if about else "this machine"
            wish = possible_build(session, platform, session.given)
            reason = why_not(session, wish, session.given)
            title = platform_title(platform)
            choices.append(Option(platform.short, title, "" if reason else about, reason))
        if all(choice.disabled for choice in choices):
            raise RequestError(
                f"no build is available on any platform: {choices[0].disabled}",
                help="check which torch and Python the project requires",
            )
        if self.has:
            present = {target.platform.short for target in self.session.present}
            default = tuple(choice.value for choice in choices if choice.value in present)
        else:
            own = session.machine.platform
            default = (own.short,) if own is not None else ()

        def judge(value: Value) -> str | None:
            if not value:
                return "select at least one platform with space"
            names, given = words_of(value), session.given
            wishes = [possible_build(session, p, given) for p in PLATFORMS if p.short in names]
            return judge_request(session, session.spread(given._replace(specs=tuple(wishes))))

        return Question(
            "platforms", "many", "Which platforms should the project support?", "Platforms",
            default, tuple(choices), judge,
        )  # fmt: skip

    def _ask_builds(self, answers: Answers, platform: Platform) -> Question:
        session, others = self.session, self.others(answers, platform)
        key, title = f"builds {platform.short}", platform_title(platform)
        chosen = self.wishes(answers, but=platform)
        choices = build_choices(
            session, platform, others, self.later(answers, platform), recent=True
        )
        default = suggestion(session, platform, choices, chosen)
        choices += older_choice(session, platform)
        choices += prerelease_choice(session, platform)
        there = [spec_of(target) for target in session.present if target.platform == platform]
        if are_prereleases(session, chosen or there):
            default = (PRERELEASE,)
        return Question(
            key, "many", f"Which torch builds for {title}?", title,
            default, tuple(choices), self._judge_builds(answers, platform, key),
        )  # fmt: skip

    def _ask_older(self, answers: Answers, platform: Platform) -> Question:
        others = self.others(answers, platform)
        own = self.wishes({**answers}, but=None)
        others = others._replace(
            specs=(*others.specs, *(wish for wish in own if wish.platform == platform))
        )
        choices = build_choices(
            self.session, platform, others, self.later(answers, platform), recent=False
        )
        title = platform_title(platform)
        return Question(
            f"older {platform.short}", "many", f"Which older torch builds for {title}?",
            f"{title}, older", (), tuple(choices),
            self._judge_builds(answers, platform, f"older {platform.short}"),
        )  # fmt: skip

    def _ask_prereleases(self, answers: Answers, platform: Platform) -> Question:
        session, key = self.session, f"pre-release {platform.short}"
        choices = prerelease_choices(session, platform, self.others(answers, platform))
        title = platform_title(platform)
        return Question(
            key, "many", f"Which pre-release torch builds for {title}?", f"{title}, pre-release",
            suggested(session, platform, choices), tuple(choices),
            self._judge_builds(answers, platform, key),
        )  # fmt: skip

    def _judge_builds(self, answers: Answers, platform: Platform, key: str) -> Judge:
        def judge(value: Value) -> str | None:
            given = {**answers, key: value}
            own = self.chosen(given, platform)
            wishes = self.session.wishes(f"{platform.short}-{name}" for name in own)
            apart = PRERELEASE in words_of(given.get(f"builds {platform.short}"))
            if apart and not all(are_prereleases(self.session, [wish]) for wish in wishes):
                return "pre-release builds have their own torch releases: select only these"
            if not own:
                leads = {OLDER, PRERELEASE}.intersection(words_of(value))
                return None if leads else "select at least one build with space"
            rest = self.others(answers, platform)
            every = (*rest.specs, *wishes)
            without = shut_out(self.session, every, self.later(answers, platform))
            if without:
                names = listed(map(platform_title, without))
                return f"no build for {names} has a torch release in common with these"
            return judge_request(self.session, self.session.spread(rest._replace(specs=every)))

        return judge

    def _was_seen(self, name: str, version: Version, choice: ReleaseChoice) -> bool:
        """Tell whether each target's index is known to have some wheel of a companion.

        Which Pythons were seen is a matter of chance, and PyTorch builds for all of them.
        """
        return all(
            self.catalog.seen(name, version, target.backend, target.platform)
            for target in choice.targets
        )

    def _built_packages(
        self, targets: Sequence[Target], present: Collection[str]
    ) -> Iterator[Option]:
        """Yield what is built against torch and has wheels for a target; each holds torch."""
        # Imported here: the other questions do without.
        from torchconf.planner.built_packages import count_possible

        declared = {requirement.name for requirement in self.session.project.requirements()}
        for name in sorted(self.catalog.built.packages - declared.union(present)):
            if count_possible([name], targets, self.catalog):
                newest = self.catalog.built.lines(name)[0]
                yield Option(name, name, f"wheels known for torch {newest} and older")

    def _ask_packages(self, answers: Answers) -> Question | None:
        session = self.session
        request = self.session.spread(self.request(answers))
        base = session.plan(request).choice.release
        facts = session.facts
        present = {*self.before.packages, *facts.needed, *facts.elsewhere, *request.packages}
        choices = []
        for name in self.catalog.family:
            if name == self.catalog.main_package or name in self.catalog.triton_packages:
                continue
            if name in present:
                choices.append(Option(name, name, disabled="already in the project"))
                continue
            try:
                choice = session.plan(request._replace(packages=(*request.packages, name))).choice
            except TorchconfError as error:
                choices.append(Option(name, name, disabled=error.message))
                continue
            version = choice.companions.get(name)
            about = str(version or "")
            if choice.release != base:
                about += f"{', ' if about else ''}lowers torch to {choice.release}"
            elif are_prereleases(session, request.specs):
                about = "of the same day"
            elif version is not None and not self._was_seen(name, version, choice):
                about += ", not confirmed for all targets"
            choices.append(Option(name, name, about))
        choices += self._built_packages(session.plan(request).targets, present)
        if all(choice.disabled for choice in choices):
            return None
        return Question(
            "packages", "many", "Which packages besides torch?", "Packages", (), tuple(choices),
            self.judge(answers, "packages"),
        )  # fmt: skip
