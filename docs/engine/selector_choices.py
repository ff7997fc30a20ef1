"""What else can be chosen, and why the rest cannot: judged by the wizard's questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docs.engine.state import catalog, empty_project, facts_of, request_of
from torchconf.errors import TorchconfError
from torchconf.model.backends import PYPI
from torchconf.model.targets import PLATFORMS
from torchconf.wizard import InitQuestions, MachineFacts, Session, open_session
from torchconf.wizard.build_choices import build_choices, why_not
from torchconf.wizard.descriptions import backend_about, platform_about, platform_title

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torchconf.model.targets import Platform, Target
    from torchconf.planner import Request
    from torchconf.wizard.question import Option, Question

__all__ = ["builds", "platforms", "rest"]


def platforms() -> list[dict[str, Any]]:
    """Return every platform with the builds that PyTorch publishes for it, nothing chosen yet.

    The page has them before Python is loaded.
    """
    return [
        {
            "platform": platform.short,
            "title": platform_title(platform),
            "about": platform_about(platform, catalog()),
            **builds({}, platform.short),
        }
        for platform in PLATFORMS
    ]


def builds(state: dict[str, Any], platform: str, *, exact: bool = False) -> dict[str, Any]:
    """Return the builds of one platform: what each is, or why it cannot join the others.

    Args:
        state: As in `request_of`.
        platform: The short name, such as `linux`.
        exact: Whether to list each version (`cu130`) rather than each accelerator (`cuda`).
    """
    where = next(one for one in PLATFORMS if one.short == platform)
    session, request = _session(state)
    others = request._replace(specs=tuple(s for s in request.specs if s.platform != where))
    # What was chosen for this platform stays possible, or it could not be taken back.
    own = {spec.text for spec in request.specs}
    options = _exact(session, where, others) if exact else _kinds(session, where, request, own)
    return {
        "builds": [
            [o.value, o.title, o.about, "" if f"{platform}-{o.value}" in own else o.disabled]
            for o in options
        ]
    }


def _session(state: dict[str, Any]) -> tuple[Session, Request]:
    request = request_of(state)
    project = empty_project()
    given = request._replace(specs=(), packages=(), layout="auto", default=None)
    return open_session(project, catalog(), facts_of(project), MachineFacts(), given), request


def _exact(session: Session, platform: Platform, others: Request) -> Iterator[Option]:
    for recent in (True, False):
        for option in build_choices(session, platform, others, recent=recent):
            backend = catalog().backend(option.value) if option.value != PYPI.name else PYPI
            if backend not in {catalog().fallback, PYPI} and option.value not in _accelerators():
                yield option


def _accelerators() -> set[str]:
    return {one.name for one in catalog().accelerators}


def _kinds(
    session: Session, platform: Platform, request: Request, own: set[str]
) -> Iterator[Option]:
    """Yield the accelerators, each meaning its newest build, and PyPI."""
    # Imported here: the module's users need the value's shape only.
    from torchconf.wizard.question import Option

    known = catalog()
    for kind in known.accelerators:
        if platform.key not in kind.platforms:
            reason = f"PyTorch has no {kind.title} build for {platform_title(platform)}"
            yield Option(kind.name, kind.title, disabled=reason)
            continue
        wish = session.wish(f"{platform.short}-{kind.name}")
        reason = "" if wish.text in own else why_not(session, wish, request)
        newest = next(iter(known.newest_first(kind.name)), None)
        about = backend_about(newest, platform, known) if newest is not None else ""
        yield Option(kind.name, kind.title, "" if reason else about, reason)
    wish = session.wish(f"{platform.short}-{PYPI.name}")
    reason = "" if wish.text in own else why_not(session, wish, request)
    about = "" if reason else backend_about(PYPI, platform, known)
    yield Option(PYPI.name, "PyPI", about, reason)


def rest(state: dict[str, Any]) -> dict[str, Any]:
    """Return the questions that remain once the builds are chosen: the wizard's own.

    Returns:
        `questions`: by key (`packages`, `torch`, `layout`, `default`), each with the choices and
        what is suggested. A question that makes no sense for these builds is not there.
    """
    session, request = _session(state)
    asked = InitQuestions(session)
    answers = _builds_as_answers((spec.platform, spec.text) for spec in request.specs)
    chosen = {
        "packages": request.packages,
        "torch": "",
        "layout": request.layout,
        "default": request.default,
    }
    found: dict[str, Any] = {}
    try:
        while (question := asked.next_question(answers)) is not None and question.key in chosen:
            found[question.key] = _shown(question)
            answer = chosen[question.key]
            values = {choice.value for choice in question.open_choices()}
            is_one = isinstance(answer, tuple) or answer in values
            answers[question.key] = answer if is_one else question.default
            if question.key == "torch":
                # From here on builds have names, and a `cuda` is the one that it comes to.
                targets = _resolved(session, request)
                answers |= _builds_as_answers((one.platform, str(one)) for one in targets)
    except TorchconfError as error:
        return {"questions": found, "doubt": error.message}
    return {"questions": found}


def _builds_as_answers(targets: Iterable[tuple[Platform, str]]) -> dict[str, Any]:
    """Return targets as the wizard's first answers."""
    answers: dict[str, Any] = {"platforms": ()}
    for platform, text in targets:
        key = f"builds {platform.short}"
        answers["platforms"] = (*answers["platforms"], platform.short)
        answers[key] = (*answers.get(key, ()), text.removeprefix(f"{platform.short}-"))
    return answers


def _resolved(session: Session, request: Request) -> tuple[Target, ...]:
    """Return the targets with the builds that they come to: the wizard knows no `linux-cuda`."""
    return session.plan(session.spread(request._replace(layout="auto", default=None))).targets


def _shown(question: Question) -> dict[str, Any]:
    return {
        "default": question.default,
        "choices": [[o.value, o.title, o.about, o.disabled] for o in question.choices],
    }
