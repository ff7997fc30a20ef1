"""What the page under /try/ asks torchconf: JSON in, JSON out, in a worker of the browser.

The same functions run in CPython: there, the site's build renders the common answers with them, and
the tests compare them with the command line. Nothing here reads or writes a file of the user's.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from torchconf.errors import TorchconfError, of_endless_number, shown

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["METHODS", "call"]


def _answer(state: dict[str, Any]) -> dict[str, Any]:
    from docs.engine.selector import answer

    return answer(state)


def _choices(state: dict[str, Any], platform: str) -> dict[str, Any]:
    from docs.engine.selector_choices import builds

    return builds(state, platform)


def _exact(state: dict[str, Any], platform: str, start: int = 0) -> dict[str, Any]:
    from docs.engine.selector_choices import exact_builds

    return exact_builds(state, platform, start)


def _rest(state: dict[str, Any]) -> dict[str, Any]:
    from docs.engine.selector_choices import rest

    return rest(state)


def _inspect(text: str, *, script: bool = False) -> dict[str, Any]:
    from docs.engine.playground import Pasted, inspect

    return inspect(Pasted(text, script))


def _fix(
    text: str, place: list[Any] | None = None, *, unsafe: bool = False, script: bool = False
) -> dict[str, Any]:
    from docs.engine.playground import Pasted, fix

    return fix(Pasted(text, script), place, unsafe=unsafe)


def _explain(
    text: str, platform: str, package: str, command: str, *, script: bool = False
) -> dict[str, Any]:
    from docs.engine.playground import Pasted, explain

    return explain(Pasted(text, script), platform, package, command)


def _rule(code: str) -> dict[str, Any]:
    from docs.engine.playground import rule

    return rule(code)


def _change(
    text: str,
    add: list[str] | None = None,
    remove: list[str] | None = None,
    layout: str = "auto",
    *,
    script: bool = False,
) -> dict[str, Any]:
    from docs.engine.playground import Pasted, change

    return change(Pasted(text, script), add or (), remove or (), layout)


def _migrate(name: str, text: str, project: str = "") -> dict[str, Any]:
    from docs.engine.old_files import migrate

    return migrate(name, text, project)


METHODS: dict[str, Callable[..., dict[str, Any]]] = {
    "answer": _answer,
    "choices": _choices,
    "exact": _exact,
    "rest": _rest,
    "inspect": _inspect,
    "fix": _fix,
    "explain": _explain,
    "rule": _rule,
    "change": _change,
    "migrate": _migrate,
}
"""What the page can ask. Each imports its module when it is first asked: the selector, which most
visitors want, does not wait for the rules."""


def call(method: str, arguments: str) -> str:
    """Answer one question.

    Args:
        method: A name of `METHODS`.
        arguments: Its keyword arguments, as a JSON object.

    Returns:
        A JSON object; with the key `error` if torchconf refuses. It never raises: what is pasted
        can be anything.
    """
    try:
        found = METHODS[method](**json.loads(arguments))
    except TorchconfError as error:
        found = {"error": {"message": error.message, "at": error.at, "help": error.help}}
    except Exception as error:  # noqa: BLE001 - a page must say it, whatever it is
        found = {"error": _unforeseen(error)}
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))


def _unforeseen(error: Exception) -> dict[str, Any]:
    if isinstance(error, ValueError) and (endless := of_endless_number(error)):
        return {"message": endless.message, "at": endless.at, "help": endless.help}
    message = shown(f"torchconf failed: {type(error).__name__}: {error}")
    return {"message": message, "at": None, "help": "this is a bug in torchconf; please report it"}
