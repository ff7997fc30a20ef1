"""Files that somebody wrote, and what a command makes of them: the folders under `changes`.

A folder has `before.toml` and `command.txt`. With `after.toml`, that is the file afterwards; with
`error.txt`, the command is refused, its first lines are these, and the file stays as it was.
"""

from __future__ import annotations

import re
import shlex
import shutil
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import TESTS
from torchconf.cli import main

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
    ("tool", "uv", "conflicts"),
    ("tool", "uv", "constraint-dependencies"),
    ("tool", "uv", "default-groups"),
    ("tool", "uv", "environments"),
    ("tool", "uv", "index"),
    ("tool", "uv", "required-environments"),
    ("tool", "uv", "sources"),
)


def run(case: Path) -> int:
    """Run the command of a case in the current folder."""
    command = shlex.split((case / "command.txt").read_text(encoding="utf-8"))
    assert command[0] == "torchconf"
    return main(command[1:])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "demo"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


# Nothing changes.


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case.name)
def test_what_is_refused_names_the_place_and_leaves_the_file(
    case: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = here / "pyproject.toml"
    shutil.copy(case / "before.toml", file)
    before = file.read_bytes()

    assert run(case) == 2
    assert file.read_bytes() == before
    assert sorted(path.name for path in here.iterdir()) == ["pyproject.toml"]
    told = capsys.readouterr().err.splitlines()
    expected = (case / "error.txt").read_text(encoding="utf-8").splitlines()
    assert told[: len(expected)] == expected
    assert any(line.startswith("   at: pyproject.toml") for line in told), "the place"


# Something does.


@pytest.mark.parametrize("case", CHANGES, ids=lambda case: case.name)
def test_command_turns_before_into_after(case: Path, here: Path) -> None:
    file = here / "pyproject.toml"
    shutil.copy(case / "before.toml", file)
    after = (case / "after.toml").read_bytes()

    assert run(case) == 0
    assert file.read_bytes() == after

    # A target that was removed can not be removed again.
    assert run(case) == (2 if "remove-target" in _command(case) else 0)
    assert file.read_bytes() == after, "a second run changes nothing"


@pytest.mark.parametrize("case", CHANGES, ids=lambda case: case.name)
def test_lines_outside_the_torch_tables_stay(case: Path) -> None:
    before = (case / "before.toml").read_bytes().removeprefix(b"\xef\xbb\xbf").decode()
    after = (case / "after.toml").read_bytes().removeprefix(b"\xef\xbb\xbf").decode()

    assert list(lines_outside(after)) == list(lines_outside(before))
    assert not Counter(comments(before)) - Counter(comments(after)), "comments stay"


def test_every_folder_is_a_case() -> None:
    assert {path.parent for path in FOLDER.glob("*/*")} == set(CASES)
    assert len(CHANGES) + len(REFUSALS) == len(CASES)
    assert len(CHANGES) >= 80


def _command(case: Path) -> str:
    return (case / "command.txt").read_text(encoding="utf-8")


# A reading of lines that shares nothing with `torchconf.edits`: a value ends where it parses.


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
