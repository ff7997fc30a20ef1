"""The questions of `torchconf init`, each a flag of it, and the request that the answers make."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from packaging.version import Version

from torchconf.errors import RequestError, TorchconfError
from torchconf.layouts import ordered
from torchconf.planner.decide import declared_range, pinned_range
from torchconf.releases import COVERED, MISSING, Needs, examine
from torchconf.requirements import next_minor, torch_specifier
from torchconf.targets import PLATFORMS, Platform, Target
from torchconf.wizard.builds import (
    build_choices,
    judge_request,
    offered,
    spread,
    suggestion,
    why_not,
)
from torchconf.wizard.question import Choice, Question, words_of
from torchconf.wizard.words import line, platform_about, platform_title

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torchconf.backends import Backend
    from torchconf.planner import Outcome, Request
    from torchconf.wishes import Wish
    from torchconf.wizard.question import Answers, Judge, Value
    from torchconf.wizard.session import Session

OLDER, OTHER, NEWEST, NONE, YES, NO, KEEP = "older", "other", "", "none", "yes", "no", "keep"
LINES_SHOWN = 8


class Setup:
    """The questions for one project, in their order."""

    def __init__(self, session: Session) -> None:
        """Keep what the questions are about."""
        self.session = session
        self.catalog = session.catalog
        self.before = session.before
        self.has = session.before.layout is not None

    def following(self, answers: Answers) -> Question | None:
        """Return the first question that is to be asked and has no answer yet."""
        for key, make in self._steps(answers):
            if key not in answers:
                question = make()
                if question is not None:
                    return question
        return None

    def request(self, answers: Answers) -> Request:
        """Return what the answers so far ask for; `--force` only where targets are taken away."""
        names = tuple(
            (key.partition(" ")[2], str(value))
            for key, value in answers.items()
            if key.startswith("name ") and value != self._name(key.partition(" ")[2])
        )
        torch = answers.get("range", answers.get("torch"))
        given = self.session.given
        request = given._replace(
            wishes=self._wishes(answers),
            packages=tuple(dict.fromkeys([*given.packages, *words_of(answers.get("packages"))])),
            torch=str(torch) if torch else given.torch,
            layout=str(answers.get("layout", given.layout)),
            default=str(answers["default"]) if "default" in answers else given.default,
            names=names or given.names,
            required_environments=given.required_environments or answers.get("required") == YES,
        )
        return request._replace(force=given.force or self._takes_away(request))

    def _takes_away(self, request: Request) -> bool:
        """Tell whether something that the project has, and that was not chosen, is to go."""
        chosen = {Target(wish.platform, wish.backend) for wish in request.wishes if wish.backend}
        if not self.has or set(self.before.targets) <= chosen:
            return False
        if self.session.complaint(request._replace(force=True)):
            return False
        if self.session.complaint(request):
            return True
        return self._steps_of(request) != self._steps_of(request._replace(force=True))

    def _steps_of(self, request: Request) -> object:
        plan = self.session.plan(request).plan
        return plan.steps, plan.root_steps

    # What was answered.

    def _platforms(self, answers: Answers) -> list[Platform]:
        chosen = words_of(answers.get("platforms"))
        return [platform for platform in PLATFORMS if platform.short in chosen]

    def _chosen(self, answers: Answers, platform: Platform) -> list[str]:
        names = (
            *words_of(answers.get(f"builds {platform.short}")),
            *words_of(answers.get(f"older {platform.short}")),
        )
        return [name for name in names if name != OLDER]

    def _wishes(self, answers: Answers, but: Platform | None = None) -> tuple[Wish, ...]:
        return self.session.wishes(
            f"{platform.short}-{name}"
            for platform in self._platforms(answers)
            for name in self._chosen(answers, platform)
            if platform != but
        )

    def _others(self, answers: Answers, platform: Platform) -> Request:
        """Return the request without one platform; those not asked about yet count as CPU."""
        wishes = list(self._wishes(answers, but=platform))
        known = {wish.platform for wish in wishes} | {platform}
        wishes += self.session.wishes(
            f"{later.short}-{self.catalog.fallback.name}"
            for later in self._platforms(answers)
            if later not in known
        )
        return self.session.given._replace(wishes=tuple(wishes))

    def _outcome(self, answers: Answers) -> Outcome:
        """Plan what was answered, with whatever layout has room for it."""
        request = self.request(answers)
        auto = request._replace(force=True)
        return self.session.plan(spread(request) if self.session.complaint(auto) else auto)

    # The questions.

    def _steps(self, answers: Answers) -> Iterator[tuple[str, Callable[[], Question | None]]]:
        yield "platforms", self._ask_platforms
        for platform in self._platforms(answers):
            key = f"builds {platform.short}"
            yield key, partial(self._ask_builds, answers, platform)
            if OLDER in words_of(answers.get(key)):
                yield f"older {platform.short}", partial(self._ask_older, answers, platform)
        yield "packages", partial(self._ask_packages, answers)
        yield "torch", partial(self._ask_torch, answers)
        if answers.get("torch") == OTHER:
            yield "range", partial(self._ask_range, answers)
        yield "layout", partial(self._ask_layout, answers)
        yield "default", partial(self._ask_default, answers)
        yield "names", partial(self._ask_names, answers)
        if answers.get("names") == OTHER:
            for backend in self._backends(answers):
                yield f"name {backend.name}", partial(self._ask_name, answers, backend)
        yield "required", partial(self._ask_required, answers)

    def _judge(self, answers: Answers, key: str, *, final: bool = False) -> Judge:
        """Return a judge that holds an answer, together with those before it, against the planner.

        Args:
            answers: Those before it.
            key: Of the question.
            final: Whether the layout is settled, so that nothing is assumed any more.
        """

        def judge(value: Value) -> str | None:
            request = self.request({**answers, key: value})
            return judge_request(
                self.session, request._replace(force=True) if final else spread(request)
            )

        return judge

    def _ask_platforms(self) -> Question:
        session, fallback = self.session, self.catalog.fallback.name
        choices = []
        for platform in PLATFORMS:
            about = platform_about(platform, self.catalog)
            if platform == session.machine.platform:
                about = f"this machine; {about}" if about else "this machine"
            reason = why_not(session, session.wish(f"{platform.short}-{fallback}"), session.given)
            title = platform_title(platform)
            choices.append(Choice(platform.short, title, "" if reason else about, reason))
        if all(choice.disabled for choice in choices):
            raise RequestError(
                f"no build can be had on any platform: {choices[0].disabled}",
                help="see what the project requires of torch and Python",
            )
        if self.has:
            present = {target.platform.short for target in self.before.targets}
            default = tuple(choice.value for choice in choices if choice.value in present)
        else:
            own = session.machine.platform
            default = (own.short,) if own is not None else ()

        def judge(value: Value) -> str | None:
            if not value:
                return "choose at least one platform: space marks it"
            wishes = session.wishes(f"{name}-{fallback}" for name in words_of(value))
            return judge_request(session, spread(session.given._replace(wishes=wishes)))

        return Question(
            "platforms", "many", "Which platforms shall the project run on?", "Platforms",
            default, tuple(choices), judge,
        )  # fmt: skip

    def _ask_builds(self, answers: Answers, platform: Platform) -> Question:
        session, others = self.session, self._others(answers, platform)
        key, title = f"builds {platform.short}", platform_title(platform)
        chosen = self._wishes(answers, but=platform)
        choices = build_choices(session, platform, others, recent=True)
        default = suggestion(session, platform, choices, chosen)
        older = [b.title for _, b in offered(session, platform, recent=False) if b is not None]
        if older:
            about = f"{len(older)} that have ended: {older[0]} ... {older[-1]}"
            choices.append(Choice(OLDER, "older builds", about))
        return Question(
            key, "many", f"Which builds of torch on {title}?", title,
            default, tuple(choices), self._judge_builds(answers, platform, key),
        )  # fmt: skip

    def _ask_older(self, answers: Answers, platform: Platform) -> Question:
        others = self._others(answers, platform)
        own = self._wishes({**answers}, but=None)
        others = others._replace(
            wishes=(*others.wishes, *(wish for wish in own if wish.platform == platform))
        )
        choices = build_choices(self.session, platform, others, recent=False)
        title = platform_title(platform)
        return Question(
            f"older {platform.short}", "many", f"Which older builds of torch on {title}?",
            f"{title}, older", (), tuple(choices),
            self._judge_builds(answers, platform, f"older {platform.short}"),
        )  # fmt: skip

    def _judge_builds(self, answers: Answers, platform: Platform, key: str) -> Judge:
        def judge(value: Value) -> str | None:
            given = {**answers, key: value}
            own = self._chosen(given, platform)
            if not own:
                return (
                    None
                    if OLDER in words_of(value)
                    else ("choose at least one build: space marks it")
                )
            rest = self._others(answers, platform)
            wishes = self.session.wishes(f"{platform.short}-{name}" for name in own)
            return judge_request(
                self.session, spread(rest._replace(wishes=(*rest.wishes, *wishes)))
            )

        return judge

    def _ask_packages(self, answers: Answers) -> Question | None:
        session = self.session
        request = spread(self.request(answers))
        base = session.plan(request).choice.release
        facts = session.facts
        present = {*self.before.packages, *facts.needed, *facts.elsewhere, *request.packages}
        choices = []
        for name in self.catalog.family:
            if name == self.catalog.main_package or name in self.catalog.triton_packages:
                continue
            if name in present:
                choices.append(Choice(name, name, disabled="the project has it"))
                continue
            try:
                choice = session.plan(request._replace(packages=(*request.packages, name))).choice
            except TorchconfError as error:
                choices.append(Choice(name, name, disabled=error.message))
                continue
            version = choice.companions.get(name)
            about = str(version or "")
            if choice.release != base:
                about += f"{', ' if about else ''}takes torch back to {choice.release}"
            elif choice.doubts and any(name in doubt for doubt in choice.doubts):
                about += f"{', ' if about else ''}not known for all targets"
            choices.append(Choice(name, name, about))
        if all(choice.disabled for choice in choices):
            return None
        return Question(
            "packages", "many", "Which packages along with torch?", "Packages", (), tuple(choices),
            self._judge(answers, "packages"),
        )  # fmt: skip

    def _ask_torch(self, answers: Answers) -> Question:
        project, main = self.session.project, self.catalog.main_package
        outcome = self._outcome(answers)
        release = outcome.choice.release
        declared = declared_range(project, main)
        newest = "as the project requires" if str(declared) else "newest"
        about = f"torch {declared}; " if str(declared) else ""
        about += f"{release}, the newest that serves all" if release else "newer than the catalog"
        if release is not None and release == self.session.facts.locked:
            about = f"{release}, as uv.lock has it"
        choices = [Choice(NEWEST, newest, about), *self._lines(answers)]
        choices.append(Choice(OTHER, "a range of your own", "such as >=2.11,<2.14"))
        return Question(
            "torch", "one", "Which torch?", "Torch", NEWEST, tuple(choices),
            self._judge(answers, "torch"),
        )  # fmt: skip

    def _lines(self, answers: Answers) -> Iterator[Choice]:
        """Yield the lines of torch that serve all targets, the newest first."""
        session, catalog = self.session, self.catalog
        request = self.request(answers)
        packages = {*self.before.packages, *session.facts.needed, *session.facts.elsewhere}
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
                examine(release, request.wishes, needs, catalog).choice
                for release in catalog.releases
                if line(release) == number and needs.torch.contains(release, prereleases=True)
            ]
            best = min(served, key=lambda choice: choice.certainty, default=None)
            if best is None or best.certainty >= MISSING:
                continue
            doubt = "" if best.certainty <= COVERED else ", not known for all targets"
            held = f"{best.release}{doubt}; stays below {next_line(number)}"
            yield Choice(number, number, held)
            shown += 1
            if shown == LINES_SHOWN:
                return

    def _ask_range(self, answers: Answers) -> Question:
        return Question(
            "range", "text", "Which range of torch, such as 2.12 or >=2.11,<2.14?", "Range", "", (),
            self._judge_range(answers),
        )  # fmt: skip

    def _judge_range(self, answers: Answers) -> Judge:
        judge = self._judge(answers, "range")

        def judge_text(value: Value) -> str | None:
            if not value:
                return "write a version or a range"
            try:
                torch_specifier(str(value))
            except RequestError as error:
                return f"{error.message}; {error.help}"
            return judge(value)

        return judge_text

    def _backends(self, answers: Answers) -> Sequence[Backend]:
        wishes = self._wishes(answers)
        return ordered({wish.backend for wish in wishes if wish.backend}, self.catalog)

    def _ask_layout(self, answers: Answers) -> Question | None:
        wishes = self._wishes(answers)
        several = len({wish.platform for wish in wishes}) < len(wishes)
        if not several and self.before.layout in {None, "markers"}:
            return None
        request = self.request(answers)._replace(force=True)
        error = self.session.complaint(request)
        auto = "" if error else self.session.plan(request).layout
        name = self._backends(answers)[0].extra
        abouts = {
            "markers": "one build per platform, plain `uv sync`",
            "extras": f"`uv sync --extra {name}`; no default; published with the package",
            "groups": f"`uv sync --group {name}`; one may be the default; not published",
        }
        choices = []
        for layout, about in abouts.items():
            if layout == "markers" and several:
                continue
            complaint = self.session.complaint(request._replace(layout=layout))
            note = f"{about} [{'as it is' if layout == self.before.layout else 'usual here'}]"
            reason = complaint.message if complaint else ""
            shown = note if layout in {auto, self.before.layout} else about
            choices.append(Choice(layout, layout, "" if reason else shown, reason))
        open_ = [choice.value for choice in choices if not choice.disabled]
        default = auto if auto in open_ else (open_ or [""])[0]
        return Question(
            "layout", "one", "How is a build chosen when installing?", "Layout",
            default, tuple(choices), self._judge(answers, "layout", final=True),
        )  # fmt: skip

    def _layout(self, answers: Answers) -> str:
        return str(answers.get("layout", "markers"))

    def _ask_default(self, answers: Answers) -> Question | None:
        if self._layout(answers) != "groups":
            return None
        backends = self._backends(answers)
        choices = [
            Choice(backend.name, backend.title, f"plain `uv sync` installs `{backend.name}`")
            for backend in backends
        ]
        choices.append(Choice(NONE, "none", "plain `uv sync` installs no torch from a group"))
        if self.before.layout == "groups":
            default = self.before.default or NONE
        else:
            fallback = self.catalog.fallback
            default = (fallback if fallback in backends else backends[0]).name
        if default not in {choice.value for choice in choices}:
            default = NONE
        return Question(
            "default", "one", "Which build does plain `uv sync` install?", "Default",
            default, tuple(choices), self._judge(answers, "default", final=True),
        )  # fmt: skip

    def _name(self, backend: str) -> str:
        """Return the name of an extra or group as it is, or as it would be."""
        return self.before.names.get(backend) or self.catalog.backend(backend).extra

    def _ask_names(self, answers: Answers) -> Question | None:
        layout = self._layout(answers)
        if layout == "markers":
            return None
        names = ", ".join(self._name(backend.name) for backend in self._backends(answers))
        choices = (
            Choice(KEEP, names, f"the names of the {layout}, as one types them"),
            Choice(OTHER, "other names", "such as `gpu`"),
        )
        return Question("names", "one", f"Names of the {layout}?", "Names", KEEP, choices)

    def _ask_name(self, answers: Answers, backend: Backend) -> Question:
        return Question(
            f"name {backend.name}", "text", f"Name for {backend.title}?", backend.title,
            self._name(backend.name), (), self._judge(answers, f"name {backend.name}", final=True),
        )  # fmt: skip

    def _ask_required(self, answers: Answers) -> Question | None:
        if self.before.required or self.session.given.required_environments:
            return None
        choices = (
            Choice(NO, "no", "a package may then fail to install on a platform"),
            Choice(YES, "yes", "for every package, not only torch: required-environments"),
        )
        return Question(
            "required", "one",
            "Refuse to lock what a target platform has no wheel for?",
            "Required environments", NO, choices, self._judge(answers, "required", final=True),
        )  # fmt: skip


def next_line(number: str) -> str:
    """Return the line after one: `2.14` for `2.13`."""
    return next_minor(Version(number))
