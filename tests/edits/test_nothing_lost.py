"""Nothing is lost: whatever a file looks like, whatever is asked for, and whenever it is killed."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import textwrap
import time
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.edit_cases import load_cases
from tests.support.edit_spellings import documents, plans
from tests.support.few import every
from tests.support.paths import TESTS
from torchconf import edits
from torchconf.edits import edit_text
from torchconf.edits.document import Document
from torchconf.edits.plan import Put, Remove, Step, meaning
from torchconf.edits.read_toml import read_toml
from torchconf.edits.tokens import comments_of
from torchconf.errors import ProjectError
from torchconf.files import read_file, replace, unified_diff

QUICK = settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
THOROUGH = settings(QUICK, max_examples=2000)

WRITTEN = [
    # A byte order mark is the business of `files`.
    *(
        path.read_bytes().decode("utf-8-sig")
        for path in sorted(TESTS.rglob("*.toml"))
        # What is refused need not be TOML.
        if not (path.parent / "error.txt").exists()
    ),
    *(case.before for case in load_cases()),
]


def check_edit(text: str, steps: list[Step]) -> str:
    """Edit a text and check what came out, without the help of the code that wrote it."""
    data = tomllib.loads(text, parse_float=str)
    new = edit_text(text, steps)

    found = tomllib.loads(new, parse_float=str)
    assert forget_empty(found) == forget_empty(meaning(data, steps))
    assert not Counter(comments(text)) - Counter(comments(new)), "comments stay"
    if "\n" in text and "\r\n" not in text:
        assert "\r" not in new
    if "\r\n" in text and not re.search(r"(?<!\r)\n", text):
        assert not re.search(r"(?<!\r)\n", new)
    if text and new:
        assert text.endswith("\n") == new.endswith("\n")
    return new


def forget_empty(data: Any) -> Any:
    """Leave empty tables and arrays out: what a removal has emptied may be gone."""
    if isinstance(data, dict):
        pairs = {key: forget_empty(value) for key, value in data.items()}
        return {key: value for key, value in pairs.items() if value not in ({}, [])}
    return [forget_empty(value) for value in data] if isinstance(data, list) else data


def comments(text: str) -> list[str]:
    """Find comments with a scanner of our own: character by character, slow and plain."""
    found = []
    at = 0
    while at < len(text):
        if text[at] == "#":
            end = min([n for n in (text.find("\n", at), len(text)) if n >= 0])
            found.append(text[at:end].strip())
            at = end
        elif text[at] in "\"'":
            quote = text[at] * 3 if text.startswith(text[at] * 3, at) else text[at]
            at += len(quote)
            while not text.startswith(quote, at):
                at += 2 if text[at] == "\\" and quote[0] == '"' else 1
            at += len(quote)
            while len(quote) == 3 and text.startswith(quote[0], at):
                at += 1
        else:
            at += 1
    return found


def edit_any(data: st.DataObject) -> None:
    text = data.draw(documents())
    assert str(Document(text)) == text
    assert comments_of(text) == comments(text)
    check_edit(text, data.draw(plans(tomllib.loads(text))))


def put_and_take_away(data: st.DataObject) -> None:
    text = data.draw(documents())
    before = tomllib.loads(text)
    path = data.draw(
        st.sampled_from(
            [
                ("tool", "uv", "sources", "new"),
                ("tool", "uv", "required-environments"),
                ("project", "optional-dependencies", "new"),
                ("dependency-groups", "new"),
            ]
        )
    )
    value: Any = data.draw(st.sampled_from([["x"], "x", [["x"], ["y"]]]))
    put = Put(path, value, "")
    there = check_edit(text, [put])
    assert edit_text(there, [put]) == there, "adding twice is adding once"
    back = check_edit(there, [Remove(path, "")])
    assert forget_empty(tomllib.loads(back)) == forget_empty(before)


def edit_mutated(data: st.DataObject) -> None:
    text = mutate(data.draw(st.sampled_from(WRITTEN)), data.draw(st.randoms(use_true_random=False)))
    try:
        old = read_toml(text)
    except ProjectError:
        with pytest.raises(ProjectError):
            edit_text(text, [Put(("a",), "b", "")])
        return
    check_edit(text, data.draw(plans(old)))


def mutate(text: str, source: random.Random) -> str:
    """Do to a file what fingers and merge tools do to files."""
    lines = text.split("\n")
    for _ in range(source.randint(1, 3)):
        at, other = (source.randrange(len(lines)) for _ in range(2))
        line = lines[at]
        spot = source.randint(0, len(line))
        match source.randrange(8):
            case 0:
                lines.insert(other, line)
            case 1:
                del lines[at]
                lines = lines or [""]
            case 2:
                lines[at], lines[other] = lines[other], line
            case 3:
                lines[at] = line[:spot] + source.choice("\"'#[]{},.= \t\\\r\x00é") + line[spot:]
            case 4:
                lines[at] = line[:spot] + line[spot + 1 :]
            case 5:
                lines[at] = line + source.choice(["\r", "  # note", " ", ","])
            case 6:
                lines[at] = "  " + line
            case _:
                lines.insert(at, source.choice(["", "# note", "\t"]))
    return "\n".join(lines)


PROPERTIES = [edit_any, put_and_take_away, edit_mutated]


@pytest.mark.parametrize("holds", PROPERTIES, ids=lambda holds: str(holds.__name__))
def test_property(holds: Any) -> None:
    QUICK(given(st.data())(holds))()


@pytest.mark.slow
@pytest.mark.parametrize("holds", PROPERTIES, ids=lambda holds: str(holds.__name__))
def test_property_thoroughly(holds: Any) -> None:
    THOROUGH(given(st.data())(holds))()


@pytest.mark.parametrize("text", every(WRITTEN, 6), ids=range(len(WRITTEN)))
def test_every_file_of_the_tests_is_taken_apart_without_loss(text: str) -> None:
    assert str(Document(text)) == text
    assert comments_of(text) == comments(text)
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    for path in (("tool", "uv", "sources", "x"), ("project", "optional-dependencies", "x")):
        new = check_edit(text, [Put(path, [{"index": "y"}], "")])
        gone = [line for line in unified_diff(text, new).split("\n")[2:] if line[:1] == "-"]
        assert len(gone) <= 1, "all lines are still there, but an inline table that grew"


# What takes too long to be in every run is in the slow one; both do the same.

WRITER = textwrap.dedent(
    """
    import os, sys
    from torchconf.files import read_file, replace, replace_all
    old, new = (name * 100_000 + "\\n" for name in "on")
    print("ready", flush=True)
    while True:
        for text in (new, old):
            replace(read_file("one"), text)
            replace_all([(read_file("two"), text), (read_file("link"), text)])
            replace(read_file("made", may_be_missing=True), text)
            os.unlink("made")
    """
)


def kill_while_it_writes(folder: Path, kills: int) -> None:
    whole = {(name * 100_000 + "\n").encode() for name in "on"}
    for name in ("one", "two", "target"):
        (folder / name).write_bytes(min(whole))
    (folder / "link").symlink_to("target")
    moments = random.Random(0)
    litter = 0
    seen = set()
    for _ in range(kills):
        command = [sys.executable, "-c", WRITER]
        root = str(Path(edits.__file__).parents[2])
        environment = {**os.environ, "PYTHONPATH": root}
        with subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, env=environment
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(moments.uniform(0, 0.03))
            process.kill()
        for name in ("one", "two", "target", "made"):
            path = folder / name
            if name != "made" or path.exists():
                content = path.read_bytes()
                assert content in whole, f"{name} is neither old nor new"
                seen.add(content)
        assert (folder / "link").is_symlink()
        litter += len(list(folder.glob(".*.torchconf")))
        (folder / "made").unlink(missing_ok=True)
    assert seen == whole, "the kills fell into the writing"
    for name in ("one", "two", "link", "made"):
        file = read_file(folder / name, may_be_missing=True)
        replace(file, "end\n")
    assert sorted(path.name for path in folder.iterdir()) == [
        "link",
        "made",
        "one",
        "target",
        "two",
    ]
    assert litter, "and some of them left something to sweep up"


@pytest.mark.skipif(os.name == "nt", reason="makes a symbolic link, which Windows may forbid")
def test_a_kill_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    kill_while_it_writes(tmp_path, 15)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="makes a symbolic link, which Windows may forbid")
def test_two_hundred_kills_leave_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    kill_while_it_writes(tmp_path, 200)
