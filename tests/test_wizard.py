"""The wizard in a real pseudo-terminal: keys in, a screen and a file out."""

from __future__ import annotations

import shlex
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest

from torchconf.cli import main

if sys.platform == "win32":
    pytest.skip("there are no pseudo-terminals", allow_module_level=True)

from tests.terminal import Terminal

APP = """\
[project]
name = "demo"
version = "0.1.0"
requires-python = ">=3.11"  # as the servers have it
dependencies = ["numpy"]
"""
LIBRARY = APP.replace('["numpy"]', '["torch>=2.9"]') + (
    '\n[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
)
GPU = {"cu130": "driver 580.65.06, Ada"}

# Questions as they are asked, each with keys that answer it: all that `init` can ask.
PLATFORMS = ("Which platforms shall the project run on?", "enter")
EVERYTHING = (
    ("Which platforms shall", "down", "down", "down", "down", "space", "enter"),
    ("torch on Linux?", "space", *["down"] * 10, "space", "enter"),
    ("Which older builds of torch on Linux?", "enter"),
    ("torch on macOS?", "enter"),
    ("Which packages along with torch?", "space", "enter"),
    ("Which torch?", "up", "up", "enter"),
    ("Which range of torch", ">=2.11,<2.14", "enter"),
    ("How is a build chosen", "enter"),
    ("Which build does plain", "enter"),
    ("Names of the groups?", "down", "enter"),
    ("Name for CPU?", "enter"),
    ("Name for CUDA 13.0?", "gpu", "enter"),
    ("Refuse to lock what", "enter"),
    ("Write this to pyproject.toml?", "enter"),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "demo"
    made.mkdir()
    return made


def start(folder: Path, text: str) -> Path:
    path = folder / "pyproject.toml"
    path.write_text(text, encoding="utf-8")
    return path


def go(terminal: Terminal, *questions: Sequence[str]) -> None:
    for question, *keys in questions:
        terminal.answer(question, *keys)


def shown_command(terminal: Terminal, head: str = "the same without questions:") -> list[str]:
    """Return the words of the command that the wizard ends with."""
    after = terminal.screen.joined.partition(head)[2].strip()
    assert after.startswith("torchconf "), terminal.screen.text
    return shlex.split(after)[1:]


def equal_by_flags(words: list[str], text: str | None, tmp_path: Path) -> bytes:
    """Return what the printed command writes, in another folder of the same name."""
    folder = tmp_path / "by flags" / "demo"
    folder.mkdir(parents=True)
    if text is not None:
        start(folder, text)
    assert main([*words, "--project", str(folder)]) == 0
    return (folder / "pyproject.toml").read_bytes()


# Each layout, from the keys to the file, and the command that means the same.


@pytest.mark.parametrize("columns", [80, 120, 60])
def test_one_build_a_platform_is_four_times_enter(
    folder: Path, tmp_path: Path, columns: int
) -> None:
    with Terminal(["init"], folder, columns=columns, fits=GPU) as terminal:
        go(
            terminal,
            ("Which platforms shall", "down", "down", "space", "enter"),
            ("torch on Linux?", "enter"),
            ("torch on Windows?", "enter"),
            ("Which packages", "enter"),
            ("Which torch?", "enter"),
            ("Refuse to lock", "enter"),
            ("Write this", "enter"),
        )
        assert terminal.finish() == 0
        words = shown_command(terminal)
        assert words == ["init", "-t", "linux-cu130", "-t", "windows-cu130"]
        assert "- Linux: CUDA 13.0" in terminal.screen.text
        assert "wrote pyproject.toml" in terminal.screen.text
        assert "linux-cu130 uv sync" in terminal.screen.joined
    written = (folder / "pyproject.toml").read_bytes()
    assert written == equal_by_flags(words, None, tmp_path)


def test_extras(folder: Path, tmp_path: Path) -> None:
    path = start(folder, APP)
    with Terminal(["init"], folder, fits=GPU) as terminal:
        go(
            terminal,
            PLATFORMS,
            ("torch on Linux?", "space", "enter"),
            ("Which packages", "space", "enter"),
            ("Which torch?", "down", "down", "down", "enter"),
            ("How is a build chosen", "enter"),
            ("Names of the extras?", "enter"),
            ("Refuse to lock", "down", "enter"),
            ("Write this", "enter"),
        )
        assert terminal.finish() == 0
        words = shown_command(terminal)
    assert words == shlex.split(
        "init -t linux-cpu -t linux-cu130 --with torchvision --torch 2.13 --layout extras "
        "--required-environments"
    )
    assert path.read_bytes() == equal_by_flags(words, APP, tmp_path)
    assert path.read_text().startswith(APP.rpartition("dependencies")[0]), "the comment stays"


def test_groups_with_everything_that_can_be_asked(folder: Path, tmp_path: Path) -> None:
    path = start(folder, LIBRARY)
    with Terminal(["init"], folder, columns=120, fits=GPU) as terminal:
        go(terminal, *EVERYTHING)
        assert terminal.finish() == 0
        words = shown_command(terminal)
    assert words == shlex.split(
        "init -t linux-cpu -t linux-cu130 -t macos-cpu --with torchvision --torch '>=2.11,<2.14' "
        "--layout groups --default cpu --name cu130=gpu"
    )
    assert path.read_bytes() == equal_by_flags(words, LIBRARY, tmp_path)
    data = tomllib.loads(path.read_text())
    assert set(data["dependency-groups"]) >= {"cpu", "gpu"}
    assert "cpu" in data["tool"]["uv"]["default-groups"]


# Leaving: at any question, nothing has happened.


def leaves(terminal: Terminal, key: str) -> None:
    terminal.press(key)
    assert terminal.finish() == 130
    assert "interrupted" in terminal.screen.text
    assert "Traceback" not in terminal.screen.text


@pytest.mark.parametrize("key", ["ctrl-c", "ctrl-d"])
@pytest.mark.parametrize("number", range(len(EVERYTHING)), ids=[q for q, *_ in EVERYTHING])
def test_leaving_at_any_question_of_init(folder: Path, number: int, key: str) -> None:
    path = start(folder, LIBRARY)
    with Terminal(["init"], folder, columns=(60, 80, 120)[number % 3], fits=GPU) as terminal:
        go(terminal, *EVERYTHING[:number])
        terminal.wait(EVERYTHING[number][0])
        leaves(terminal, key)
    assert path.read_text() == LIBRARY
    assert [entry.name for entry in folder.iterdir()] == ["pyproject.toml"]


@pytest.mark.parametrize("key", ["ctrl-c", "ctrl-d"])
def test_leaving_makes_no_file(folder: Path, key: str) -> None:
    with Terminal(["init"], folder) as terminal:
        terminal.wait("Which platforms")
        leaves(terminal, key)
    assert not list(folder.iterdir())


def test_ctrl_d_leaves_a_text_that_was_begun(folder: Path) -> None:
    with Terminal(["init"], folder, fits=GPU) as terminal:
        go(terminal, PLATFORMS, ("torch on Linux?", "enter"), ("Which packages", "enter"))
        go(terminal, ("Which torch?", "up", "up", "enter"), ("Which range", "2.1"))
        terminal.wait("2.1")
        leaves(terminal, "ctrl-d")


# Going back.


def test_going_back_through_every_question_and_on_again(folder: Path, tmp_path: Path) -> None:
    path = start(folder, LIBRARY)
    with Terminal(["init"], folder, fits=GPU) as terminal:
        go(terminal, *EVERYTHING[:-1])
        terminal.wait(EVERYTHING[-1][0])
        texts = False
        for question, *_ in reversed(EVERYTHING[:-1]):
            # A text is typed before it is sent.
            terminal.press("<", *(["enter"] if texts else []))
            terminal.wait(question)
            texts = question.startswith(("Name for", "Which range"))
        assert "Platforms:" in terminal.screen.text, "what was answered is still to be read"
        # Every answer is remembered: enter is enough.
        for question, *_ in EVERYTHING[:-1]:
            terminal.answer(question, "enter")
        terminal.answer("Write this", "enter")
        assert terminal.finish() == 0
        words = shown_command(terminal)
    assert path.read_bytes() == equal_by_flags(words, LIBRARY, tmp_path)
    assert words == shlex.split(
        "init -t linux-cpu -t linux-cu130 -t macos-cpu --with torchvision --torch '>=2.11,<2.14' "
        "--layout groups --default cpu --name cu130=gpu"
    )
