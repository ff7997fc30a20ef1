"""The command line that means the same as the answers."""

from __future__ import annotations

import re
import shlex
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchconf.planner import Request


def command_words(command: str, request: Request) -> list[str]:
    """Return the words after `torchconf` that ask for the same without a question."""
    words = [command]
    if command == "init":
        for wish in request.specs:
            words += ["-t", wish.text]
    else:
        words += [wish.text for wish in (*request.add, *request.remove)]
    for name in request.packages:
        words += ["--with", name]
    for gpu in request.gpus:
        words += ["--gpu", gpu]
    for flag, value in (
        ("--torch", request.torch),
        ("--layout", request.layout if request.layout != "auto" else None),
        ("--default", request.default),
        *(("--name", f"{backend}={name}") for backend, name in request.names),
        ("--python", request.python),
        ("--index-base", request.index_base),
        *(("--index-base", f"{one.family}={one.url}") for one in request.mirrors),
    ):
        words += [] if value is None else [flag, value]
    for flag, given in (
        ("--pin", request.pin),
        ("--required-environments", request.required_environments),
        ("--record", request.record),
        ("--force", request.force),
    ):
        words += [flag] if given else []
    return words


def quoted(words: Iterable[str]) -> str:
    """Join words as this system's shells take them."""
    if sys.platform != "win32":
        return shlex.join(words)
    # Both cmd and PowerShell take double quotes; no word holds one.
    return " ".join(
        word if re.fullmatch(r"[\w@%+=:./\\-]+", word) else f'"{word}"' for word in words
    )
