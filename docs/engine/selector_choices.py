"""What else can be chosen, and why the rest cannot: judged by the wizard's questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docs.engine.kinds import kinds
from docs.engine.state import catalog, empty_project, facts_of, request_of
from torchconf.errors import TorchconfError
from torchconf.model.backends import PYPI
from torchconf.model.targets import PLATFORMS
from torchconf.wizard import InitQuestions, MachineFacts, Session, open_session
from torchconf.wizard.build_choices import offered, why_not
from torchconf.wizard.descriptions import backend_about, platform_about, platform_title
from torchconf.wizard.question import Option

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torchconf.model.backends import Backend
    from torchconf.model.targets import Platform, Target
    from torchconf.planner import Request
    from torchconf.wizard.question import Question

__all__ = ["builds", "exact_builds", "platforms", "rest"]

_AT_ONCE = 5


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
            "exact": bool(exact_builds({}, platform.short)["builds"]),
        }
        for platform in PLATFORMS
    ]


def builds(state: dict[str, Any], platform: str) -> dict[str, Any]:
    """Return the builds of one platform: what each is, or why it cannot join the others.

    Args:
        state: As in `request_of`.
        platform: The short name, such as `linux`.
    """
    session, request, where = _asked(state, platform)
    own = {spec.text for spec in request.specs}
    return {"builds": [_shown_option(one) for one in _kinds(session, where, request, own)]}


def exact_builds(state: dict[str, Any], platform: str, start: int = 0) -> dict[str, Any]:
    """Return some of the exact builds of one platform (`cu130`), the newest first, likewise.

    To judge all of them takes as long as several answers; the page asks for a few at a time.

    Args:
        state: As in `request_of`.
        platform: The short name, such as `linux`.
        start: How many it has already.

    Returns:
        `builds`, and whether there are `more`.
    """
    session, request, where = _asked(state, platform)
    own = {spec.text for spec in request.specs}
    others = request._replace(specs=tuple(s for s in request.specs if s.platform != where))
    every = _named(session, where)
    found = []
    for backend in every[start : start + _AT_ONCE]:
        # What was chosen stays possible, or it could not be taken back.
        text = f"{platform}-{backend.name}"
        reason = "" if text in own else why_not(session, session.wish(text), others)
        about = backend_about(backend, where, catalog()) if not reason else ""
        found.append(_shown_option(Option(backend.name, backend.title, about, reason)))
    return {"builds": found, "more": start + _AT_ONCE < len(every)}


def _named(session: Session, platform: Platform) -> list[Backend]:
    """Return the builds that are asked for by their own name."""
    words = {kind.word for kind in kinds(platform)}
    return [
        backend
        for recent in (True, False)
        for _, backend in offered(session, platform, recent=recent)
        if backend is not None and backend.name not in words
    ]


def _asked(state: dict[str, Any], platform: str) -> tuple[Session, Request, Platform]:
    where = next(one for one in PLATFORMS if one.short == platform)
    return *_session(state), where


def _session(state: dict[str, Any]) -> tuple[Session, Request]:
    request = request_of(state)
    project = empty_project()
    given = request._replace(specs=(), packages=(), layout="auto", default=None)
    return open_session(project, catalog(), facts_of(project), MachineFacts(), given), request


def _kinds(
    session: Session, platform: Platform, request: Request, own: set[str]
) -> Iterator[Option]:
    """Yield the accelerators, each meaning its newest build, and PyPI."""
    known = catalog()
    for kind in kinds(platform):
        text = f"{platform.short}-{kind.word}"
        reason = kind.reason
        if not reason and text not in own:
            reason = why_not(session, session.wish(text), request)
        name = kind.accelerator.name if kind.accelerator else ""
        newest = next(iter(known.newest_first(name)), None) if name else PYPI
        about = backend_about(newest, platform, known) if newest and not reason else ""
        yield Option(kind.word, kind.title, about, reason)


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
        "choices": [_shown_option(choice) for choice in question.choices],
    }


def _shown_option(option: Option) -> list[str]:
    return [option.value, option.title, option.about, option.disabled]
