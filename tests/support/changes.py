"""The folders under `changes`, and a reading of lines that shares nothing with `torchconf.edits`.

A value ends where it parses.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

from tests.support.paths import TESTS

FOLDER = TESTS / "changes"


CASES = sorted(path.parent for path in FOLDER.glob("*/command.txt"))


CHANGES = [case for case in CASES if (case / "after.toml").exists()]


REFUSALS = [case for case in CASES if (case / "error.txt").exists()]


# Where PyTorch is configured: the tables that a command may write to.
TORCH_TABLES = (
    ("project", "dependencies"),
    ("project", "optional-dependencies"),
    ("project", "requires-python"),
    ("dependency-groups",),
    ("tool", "torchconf", "targets"),
    ("tool", "uv", "conflicts"),
    ("tool", "uv", "constraint-dependencies"),
    ("tool", "uv", "default-groups"),
    ("tool", "uv", "environments"),
    ("tool", "uv", "index"),
    ("tool", "uv", "override-dependencies"),
    ("tool", "uv", "required-environments"),
    ("tool", "uv", "required-version"),
    ("tool", "uv", "sources"),
)


def lines_outside(text: str) -> Iterator[str]:
    """Yield every header and every key, with its lines, that no torch table holds."""
    above: tuple[str, ...] = ()
    lines = iter(text.splitlines())
    for line in lines:
        if header := re.fullmatch(r"\s*\[\[?(.*?)\]\]?\s*(?:#.*)?", line):
            above = key_of(header[1])
            # The header of a table whose parts come and go may come and go with them.
            if not is_torch(above) and not any(t[: len(above)] == above for t in TORCH_TABLES):
                yield line
        elif re.match(r"\s*(?:#.*)?$", line) is None:
            value = line
            while not _parses(value):
                value += "\n" + next(lines)
            if not is_torch((*above, *key_of(value.partition("=")[0]))):
                yield value


def key_of(text: str) -> tuple[str, ...]:
    """Return the parts of a key."""
    found: list[str] = []
    data = tomllib.loads(f"{text} = 0")
    while data:
        ((name, data),) = data.items()
        found.append(name)
    return tuple(found)


def is_torch(key: tuple[str, ...]) -> bool:
    """Tell whether a key is one that a command may write to, or stands below one."""
    return any(key[: len(table)] == table for table in TORCH_TABLES)


def comments(text: str) -> Iterator[str]:
    """Yield the comments; a hash inside a string of these files is none."""
    for line in re.sub(r'"""[\s\S]*?"""', "", text).splitlines():
        bare = re.sub(r'"[^"]*"|\'[^\']*\'', "", line)
        if "#" in bare:
            yield bare[bare.index("#") :].strip()


def _parses(text: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True
