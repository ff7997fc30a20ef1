"""What readers of old files return, as short lines; and which lines they say nothing of."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator

from hypothesis import strategies as st

from torchconf.migrate.old import Item, LeftOut, OldFile, Section

KEYS = (
    "torch", "name", "version", "markers", "python", "source", "url", "git", "path", "extras",
    "optional", "dependencies", "priority", "a.b", "", "#", "extra",
)  # fmt: skip
_WORDS = (
    "", "*", "^2.4", ">=2,<3", "2.4.0+cu124", "cu124", "linux", "torch", "torch>=2", "\n#", "[",
    "\u202e", "extra == 'a'", "sys_platform == 'linux'", "explicit", "git@h:a/b", "../x",
    "https://h/cu124", "{x",
)  # fmt: skip


def tables(
    keys: Iterable[str], values: st.SearchStrategy[object]
) -> st.SearchStrategy[dict[str, object]]:
    """Make tables of some of these keys, and of other ones."""
    return st.dictionaries(st.sampled_from([*keys]) | st.text(max_size=3), values, max_size=4)


ODD: st.SearchStrategy[object] = st.recursive(
    st.booleans()
    | st.integers(-1, 3)
    | st.floats()
    | st.dates()
    | st.sampled_from(_WORDS)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | tables(KEYS, inner),
    max_leaves=8,
)
"""Values that TOML can have, most of them in the wrong place."""


def spoken(item: Item) -> str:
    """Return an item as one line: its own line, its kind, and whatever is not as usual."""
    at = f"{item.at.line}-{item.at.last}" if item.at.last else f"{item.at.line}"
    words = [at, type(item).__name__]
    usual = item._field_defaults
    for key, value in zip(item._fields, item, strict=True):
        if key in ("at", "text") or (key in usual and value == usual[key]):
            continue
        if isinstance(value, Section):
            words.append(f"{value.kind}:{value.name}{'?' if value.optional else ''}")
        elif isinstance(value, tuple):
            words.append(f"{key}={','.join(value)}")
        elif value is True:
            words.append(key)
        elif key == "understood":
            words.append("!")
        elif key in ("why", "name", "specifier", "key") or isinstance(item, LeftOut):
            words.append(str(value) or '""')
        else:
            words.append(f"{key}={value}")
    return " ".join(words)


def unsaid(text: str, scopes: Iterable[str], old: OldFile) -> list[str]:
    """Return the statements of a TOML text, in tables of these names, that no item is about.

    What is a statement, tomllib tells: as many lines as make a document together.
    """
    items = [(item.at.line, max(item.at.last, item.at.line)) for item in old.items]
    lines = text.split("\n")
    table = ""
    found: list[str] = []
    for first, last in _statements(lines):
        said = "\n".join(lines[first - 1 : last])
        if said.lstrip().startswith("["):
            table = said.strip()
            continue
        inside = not scopes or any(scope in f"{table}.{said}" for scope in scopes)
        if inside and not any(start <= last and end >= first for start, end in items):
            found.append(said)
    return found


def unsaid_yaml(text: str, old: OldFile) -> list[str]:
    """Return the lines of a YAML text that no item is about, and that do not only open a list."""
    said = {
        n for item in old.items for n in range(item.at.line, max(item.at.last, item.at.line) + 1)
    }
    return [
        line
        for number, line in enumerate(text.split("\n"), 1)
        if number not in said and not re.fullmatch(r"\s*(?:(?:- )?[\w-]+:\s*)?(?:#.*)?", line)
    ]


def _statements(lines: list[str]) -> Iterator[tuple[int, int]]:
    at = 0
    while at < len(lines):
        if not lines[at].strip() or lines[at].lstrip().startswith("#"):
            at += 1
            continue
        for end in range(at + 1, len(lines) + 1):
            try:
                tomllib.loads("\n".join(lines[at:end]))
            except tomllib.TOMLDecodeError:
                continue
            yield at + 1, end
            at = end
            break
        else:
            return
