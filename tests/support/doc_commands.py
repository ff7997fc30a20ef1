"""Commands that a page only shows: whether their programs would understand them."""

from __future__ import annotations

import re
import shlex
import subprocess
from functools import cache

from tests.support.replica.uv import find_uv
from torchconf.cli.parser import parse


def readable(command: str) -> None:
    """Refuse a command that its program would not understand."""
    for part in re.split(r" (?:&&|\|) ", command):
        words = shlex.split(part)
        while words and "=" in words[0]:
            words.pop(0)
        if words[:1] == ["uvx"]:
            words = words[1:]
            words = words[2:] if words[:1] == ["--from"] else words
        match words:
            case [program, *rest] if program.rpartition("/")[2] == "torchconf":
                parse([word.replace("...", "linux-cpu") for word in rest if word != ">"])
            case ["uv", verb, *rest]:
                flags = {word.partition("=")[0] for word in rest if word.startswith("--")}
                mine = rest.index("--") if "--" in rest else len(rest)
                sub = [rest[0]] if verb in {"pip", "tool"} else []
                known = uv_flags(verb, *sub)
                assert {flag for flag in flags & {*rest[:mine]} if flag not in known} == set()
            case _:
                pass  # another program's


@cache
def uv_flags(*command: str) -> frozenset[str]:
    """Return the flags of one of uv's commands."""
    words = [str(find_uv()), "help", "--no-pager", *command]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return frozenset(re.findall(r"--[a-z][a-z-]+", done.stdout))
