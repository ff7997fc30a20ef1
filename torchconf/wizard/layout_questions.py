"""How a build is chosen when installing: layout, default, names, required environments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.layout.machine_choice import MACHINE
from torchconf.wizard.answers import KEEP, NO, OTHER, YES
from torchconf.wizard.question import Option, Question

if TYPE_CHECKING:
    from torchconf.model.backends import Backend
    from torchconf.wizard.answers import InitAnswers
    from torchconf.wizard.question import Answers

NONE = "none"


def ask_layout(asked: InitAnswers, answers: Answers) -> Question | None:
    """Ask for the layout where there is a choice of builds, or was one."""
    wishes = asked.wishes(answers)
    several = len({wish.platform for wish in wishes}) < len(wishes)
    if not several and asked.before.layout in {None, "markers"}:
        return None
    request = asked.request(answers)._replace(force=True)
    # The default is asked about next: that the one there is now may go is no obstacle.
    open_default = NONE if asked.before.layout == "groups" else request.default
    usual = request._replace(default=open_default)
    auto = "" if asked.session.complaint(usual) else asked.session.plan(usual).layout
    name = asked.backends(answers)[0].extra
    abouts = {
        "markers": "one build per platform; plain `uv sync` installs it",
        "extras": f"`uv sync --extra {name}`; no default; published with the package",
        "groups": f"`uv sync --group {name}`; can have a default; not published",
    }
    choices = []
    for layout, about in abouts.items():
        if layout == "markers" and several:
            continue
        default = NONE if layout == "groups" else request.default
        complaint = asked.session.complaint(request._replace(layout=layout, default=default))
        note = f"{about} [{'current' if layout == asked.before.layout else 'recommended'}]"
        reason = complaint.message if complaint else ""
        shown = note if layout in {auto, asked.before.layout} else about
        choices.append(Option(layout, layout, "" if reason else shown, reason))
        if complaint and all(choice.disabled for choice in choices) and layout == "groups":
            raise complaint
    open_ = [choice.value for choice in choices if not choice.disabled]
    return Question(
        "layout", "one", "How should a build be selected when installing?", "Layout",
        auto if auto in open_ else open_[0], tuple(choices),
    )  # fmt: skip


def ask_default(asked: InitAnswers, answers: Answers) -> Question | None:
    """Ask which group is a default group."""
    if answers.get("layout") != "groups":
        return None
    backends = asked.backends(answers)
    choices = [
        Option(backend.name, backend.title, f"plain `uv sync` installs `{backend.name}`")
        for backend in backends
    ]
    if len(backends) > 1:
        request = asked.request(answers)._replace(default=MACHINE, force=True)
        complaint = asked.session.complaint(request)
        choices.append(
            Option(
                MACHINE,
                "each machine its own",
                "" if complaint else "each machine says once which build it is (`UV_NO_GROUP`)",
                complaint.message if complaint else "",
            )
        )
    choices.append(Option(NONE, "none", "plain `uv sync` installs no torch build"))
    if asked.before.layout == "groups":
        default = asked.before.default or NONE
    else:
        fallback = asked.catalog.fallback
        default = (fallback if fallback in backends else backends[0]).name
    if default not in {choice.value for choice in choices if not choice.disabled}:
        default = NONE
    return Question(
        "default", "one", "Which build should plain `uv sync` install?", "Default",
        default, tuple(choices), asked.judge(answers, "default", final=True),
    )  # fmt: skip


def ask_names(asked: InitAnswers, answers: Answers) -> Question | None:
    """Ask whether to keep the names of extras or groups."""
    layout = answers.get("layout")
    if layout is None or layout == "markers":
        return None
    names = ", ".join(asked.name(backend.name) for backend in asked.backends(answers))
    choices = (
        Option(KEEP, names, "the names to type in commands"),
        Option(OTHER, "other names", "choose them, such as `gpu`"),
    )
    return Question("names", "one", f"What should the {layout} be called?", "Names", KEEP, choices)


def ask_name(asked: InitAnswers, answers: Answers, backend: Backend) -> Question:
    """Ask for the name of one extra or group."""
    return Question(
        f"name {backend.name}", "text", f"Name for {backend.title}?", backend.title,
        asked.name(backend.name), (), asked.judge(answers, f"name {backend.name}", final=True),
    )  # fmt: skip


def ask_required(asked: InitAnswers, answers: Answers) -> Question | None:
    """Ask whether uv should require wheels for every target platform."""
    if asked.session.given.required_environments or asked.session.project.is_script:
        return None
    has = asked.before.required
    no = "keep the project's entries" if has else "a package may then fail to install on a platform"
    choices = (
        Option(NO, "no", no),
        Option(YES, "yes", "for every package, not only torch (`required-environments`)"),
    )
    return Question(
        "required", "one", "Should `uv lock` fail if a target platform has no wheel for a package?",
        "Required environments", YES if has else NO, choices,
        asked.judge(answers, "required", final=True),
    )  # fmt: skip
