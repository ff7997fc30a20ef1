"""What a `.gitignore` names is what git says, and no pattern takes longer than its length."""

import random
import subprocess
import time
from pathlib import Path

import pytest
from pathspec import GitIgnoreSpec

from torchconf.files.ignore_patterns import read_patterns

LETTERS = "ab"
PARTS = [
    "a",
    "b",
    "ab",
    "*",
    "?",
    "a*",
    "*b",
    "*a*b",
    "a*b*",
    "*a*b*a*",
    "**",
    "?*b*",
    "*a?*",
    "[ab]*b*a",
]


def some_pattern(chance: random.Random) -> str:
    parts = chance.choices(PARTS, k=chance.randint(1, 5))
    text = chance.choice(["", "", "/"]) + "/".join(parts) + chance.choice(["", "", "/"])
    # What pathspec makes of a last `**/` includes files.
    return text.removesuffix("/") if text.endswith("**/") else text


def some_paths(chance: random.Random) -> list[str]:
    return [
        "/".join(
            "".join(chance.choices(LETTERS, k=chance.randint(1, 5)))
            for _ in range(chance.randint(1, 6))
        )
        for _ in range(40)
    ]


def said_by_git(folder: Path, pattern: str, paths: list[str]) -> list[bool]:
    (folder / ".gitignore").write_text(f"{pattern}\n", encoding="utf-8")
    command = ["git", "check-ignore", "--no-index", "--stdin", "--verbose", "--non-matching", "-z"]
    text = "".join(f"{path}\0" for path in paths)
    done = subprocess.run(
        command, cwd=folder, input=text, capture_output=True, text=True, check=False
    )
    # Four fields a path: the file, the line and the pattern, all empty if none matches, the path.
    fields = done.stdout.split("\0")[:-1]
    return [bool(fields[number]) for number in range(0, len(fields), 4)]


@pytest.mark.parametrize("seed", range(20))
def test_patterns_match_what_git_matches(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    pattern, paths = some_pattern(chance), some_paths(chance)

    spec = read_patterns([pattern])

    assert [spec.match_file(path) for path in paths] == said_by_git(tmp_path, pattern, paths), (
        pattern
    )


@pytest.mark.parametrize("seed", range(100))
def test_patterns_match_what_they_match_when_every_way_is_tried(seed: int) -> None:
    chance = random.Random(seed)
    lines = [chance.choice(["", "", "!"]) + some_pattern(chance) for _ in range(3)]

    ours, theirs = read_patterns(lines), GitIgnoreSpec.from_lines(lines)

    for path in some_paths(chance):
        for each in (path, f"{path}/"):
            assert ours.check_file(each).include == theirs.check_file(each).include, (lines, each)


@pytest.mark.parametrize(
    "pattern",
    ["a*" * 40 + "b", "*a" * 100 + "*b", "*?" * 100 + "b", "a/**/" * 40 + "b", "**/a/" * 40 + "b"],
)
def test_forty_stars_take_no_time(pattern: str) -> None:
    spec = read_patterns([pattern])
    started = time.process_time()

    assert not spec.match_file("a" * 250)
    assert not spec.match_file("/".join("a" * 250))

    assert time.process_time() - started < 2, "every way to share out the name is tried"
