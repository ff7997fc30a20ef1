"""The folders beside this file: before, steps, after."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from tests.support.paths import TESTS
from torchconf.edits.plan import Insert, Put, Remove, Rename, Replace, Step


class Case(NamedTuple):
    """One folder; its name is a sentence."""

    name: str
    before: str
    steps: tuple[Step, ...]
    after: str


def load_cases() -> list[Case]:
    """Read every folder, with the line endings that are there."""
    return [
        Case(
            folder.name,
            (folder / "before.toml").read_bytes().decode(),
            tuple(_step(*each) for each in json.loads((folder / "steps.json").read_bytes())),
            (folder / "after.toml").read_bytes().decode(),
        )
        for folder in sorted((TESTS / "edits").iterdir())
        if (folder / "before.toml").is_file()
    ]


def _step(kind: str, path: list[str | int], *rest: Any) -> Step:
    at = tuple(path)
    match kind, rest:
        case "put", (value, *comment):
            return Put(at, value, "asked for", *comment)
        case "insert", (position, value):
            return Insert(at, position, value, "asked for")
        case "replace", (value,):
            return Replace(at, value, "asked for")
        case "rename", (name,):
            return Rename(at, name, "asked for")
        case "remove", ():
            return Remove(at, "asked for")
        case _:
            raise AssertionError(f"not a step: {kind} {path} {rest}")
