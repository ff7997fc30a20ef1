"""Files of other people, and files that nobody would write: made by changing real ones."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from typing import Any

import tomlkit

from tests.support.changes import CASES as CHANGES
from tests.support.paths import CASES


@cache
def others() -> dict[str, bytes]:
    """Return the files of other people by name, each once: of the cases, and of the changes."""
    root = CASES
    real = [*root.glob("*/pyproject.toml"), *root.glob("*/fixed/pyproject.toml")]
    found = {path.parent.relative_to(root).as_posix(): path.read_bytes() for path in real}
    for case in CHANGES:
        text = (case / "before.toml").read_bytes()
        if not case.name.startswith(("our-", "guide-")) and text not in found.values():
            found[case.name] = text
    return dict(sorted(found.items()))


ODD = (
    "", " ", "torch", "torch>=2", "torch ; x", "[", "{", "é", "\t", "a\nb", "'", '"', "\\", "#",
    "pytorch-cpu", "cu130", "https://download.pytorch.org/whl/cu130", "sys_platform == 'linux'",
    "sys_platform == ''", "extra == 'cpu'", "'x' in extras", "python_version < '3'", "..", "a.b",
    "torch==2.8.0+cu128", "torch @ https://example.org/torch.whl", "demo[cpu]", "all", "dev",
)  # fmt: skip


VALUES: tuple[Any, ...] = (True, 0, -1, 1.5, [], {}, [[]], [{}], {"index": "x"}, ["torch"], *ODD)


def places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every container and key, top down."""
    keys = data.keys() if isinstance(data, dict) else range(len(data))
    for key in list(keys):
        yield data, key
        if isinstance(data[key], dict | list):
            yield from places(data[key])


def mutated(data: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """Drop, double, move or replace something."""
    found = [pair for pair in places(data) if rng.random() < 0.5] or list(places(data))
    if not found:
        return data
    inside, key = rng.choice(found)
    match rng.randrange(5):
        case 0:
            del inside[key]
        case 1 if isinstance(inside, list):
            inside.insert(rng.randrange(len(inside) + 1), inside[key])
        case 2 if isinstance(inside, dict):
            inside[rng.choice(ODD) or "x"] = inside[key]
        case 3 if isinstance(inside[key], str):
            inside[key] = rng.choice([inside[key] + rng.choice(ODD), rng.choice(ODD)])
        case _:
            inside[key] = deepcopy(rng.choice(VALUES))
    return data


def scrambled(text: str, rng: random.Random) -> str:
    """Drop, double or swap lines, or put something odd into one."""
    lines = text.splitlines(keepends=True)
    for _ in range(rng.choice([1, 1, 2, 4])):
        at = rng.randrange(len(lines)) if lines else 0
        match rng.randrange(4):
            case 0:
                del lines[at : at + 1]
            case 1:
                lines[at:at] = lines[at : at + 2]
            case 2:
                lines[at : at + 2] = reversed(lines[at : at + 2])
            case _:
                line = lines[at] if lines else "\n"
                cut = rng.randrange(len(line))
                lines[at : at + 1] = [line[:cut] + rng.choice(ODD) + line[cut:]]
    return "".join(lines)


def make_file(seed: int) -> bytes:
    """Return a file that may or may not be one."""
    rng = random.Random(seed)
    text = rng.choice(list(others().values())).decode("utf-8-sig")
    if rng.random() < 0.4:
        return scrambled(text, rng).encode()
    try:
        data = tomllib.loads(text)
        for _ in range(rng.choice([1, 1, 1, 2, 3])):
            data = mutated(data, rng)
        return tomlkit.dumps(data).encode()
    except (tomllib.TOMLDecodeError, ValueError, TypeError):
        return scrambled(text, rng).encode()
