"""`torchconf use`: the lines for each place, what shells make of them, and when there are none."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import torchconf.machine
from tests.support.projects import Demo
from tests.support.recorded_machines import record
from torchconf.cli import use
from torchconf.layout.assignments import PLACES, assignment
from torchconf.machine import read_machine

MACHINE = "-t linux-cu132 -t linux-cu126 -t linux-cpu -t macos-cpu --default machine"


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = read_machine(record("nvidia-pascal")[0])
    monkeypatch.setattr(torchconf.machine, "this_machine", lambda: machine)
    for name in ("TORCHCONF_TARGET", "UV_NO_GROUP"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """A project in which each machine says which build it is; no test changes it."""
    made = Demo(tmp_path_factory.mktemp("use"))
    made.init(MACHINE)
    return made


# The lines.


@pytest.mark.parametrize(
    ("place", "lines"),
    [
        ("bash", "export UV_NO_GROUP='cpu cu132'\n"),
        ("zsh", "export UV_NO_GROUP='cpu cu132'\n"),
        ("fish", "set -gx UV_NO_GROUP 'cpu cu132'\n"),
        ("powershell", "$env:UV_NO_GROUP = 'cpu cu132'\n"),
        ("direnv", "export UV_NO_GROUP='cpu cu132'\n"),
        ("mise", '[env]\nUV_NO_GROUP = "cpu cu132"\n'),
        ("github", "UV_NO_GROUP=cpu cu132\n"),
        ("docker", 'ENV UV_NO_GROUP="cpu cu132"\n'),
    ],
)
def test_lines_of_each_place(place: str, lines: str, demo: Demo) -> None:
    result = demo(f"use --shell {place}")
    assert (result.status, result.out) == (0, lines)
    assert result.err.startswith("target linux-cu126: driver 550.54.14, Pascal 6.1\n")
    assert "not for a shell profile: any other uv project fails with UV_NO_GROUP set" in result.err


def test_target_is_chosen_as_by_sync(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    assert demo("use linux-cpu --shell bash").out == "export UV_NO_GROUP='cu126 cu132'\n"
    monkeypatch.setenv("TORCHCONF_TARGET", "linux-cu132")
    assert demo("use --shell bash").out == "export UV_NO_GROUP='cpu cu126'\n"
    assert demo("use linux-rocm --shell bash").status == 2


def test_json(demo: Demo) -> None:
    result = demo("use --shell fish --format json")
    assert result.err == ""
    assert result.json == {
        "schema_version": 1,
        "target": "linux-cu126",
        "reason": "driver 550.54.14, Pascal 6.1",
        "shell": "fish",
        "variables": {"UV_NO_GROUP": "cpu cu132"},
        "lines": ["set -gx UV_NO_GROUP 'cpu cu132'"],
    }


@pytest.mark.parametrize("word", ["markers", "extras", "groups", "bare", "default"])
def test_where_no_variable_is_needed_or_helps(word: str, tmp_path: Path) -> None:
    flags = {
        "markers": "-t linux-cu126 -t macos-cpu",
        "extras": "-t linux-cu126 -t linux-cpu",
        "groups": "-t linux-cu126 -t linux-cpu --default cpu",
        "bare": "-t linux-cu126 -t linux-cpu --layout groups --default none",
        "default": "-t linux-cu126 -t linux-cpu --default cu126",
    }
    demo = Demo(tmp_path)
    demo.init(flags[word])
    result, data = demo("use"), demo("use --format json")
    assert result.out == ""
    if word in {"markers", "default"}:
        assert (result.status, data.status, data.json["variables"]) == (0, 0, {})
        assert "nothing to set: plain `uv sync` and `uv run` install linux-cu126" in result.err
    else:
        assert (result.status, data.status, data.json["variables"]) == (1, 1, None)
        assert "install it with `torchconf sync`" in result.err
        (words,) = re.findall(r"each machine say which build it is: `torchconf (.*)`", result.err)
        assert demo(f"{words} -y").status == 0
        assert demo("use --shell bash").out == "export UV_NO_GROUP='cpu'\n"


def test_name_that_uv_refuses_becomes_no_line(demo: Demo, tmp_path: Path) -> None:
    """It would be executed by whoever trusts the output."""
    other = Demo(tmp_path, demo.text.replace("cu132", "x'; touch owned; '"))
    other.path.write_text(demo.text.replace("cu132 = [", '"x\'\\ny" = [').replace(
        '"cu132"', '"x\'\\ny"'
    ))  # fmt: skip
    result = other("use cu126 --shell github")
    assert (result.status, result.out) == (2, "")


# What shells make of them.

HOSTILE = [
    "cpu cu132",
    "a'b",
    'a"b',
    "$HOME `id` $(id)",
    "a\\b",
    "a\\",
    "\\'",
    "!x",
    "%PATH% {x} ~",
]
SAY = {
    "bash": 'printf %s "$X"', "zsh": 'printf %s "$X"', "direnv": 'printf %s "$X"',
    "fish": 'printf %s "$X"', "powershell": "[Console]::Write($env:X)",
}  # fmt: skip
PROGRAMS = {
    "bash": ["bash", "-c"], "zsh": ["zsh", "-f", "-c"], "direnv": ["bash", "-c"],
    "fish": ["fish", "--no-config", "-c"],
    "powershell": ["pwsh", "-NoProfile", "-NonInteractive", "-Command"],
}  # fmt: skip


@pytest.mark.parametrize("place", [one for one in PROGRAMS if shutil.which(PROGRAMS[one][0])])
def test_shell_gets_the_very_value(place: str) -> None:
    for value in HOSTILE:
        code = f"{assignment(place, 'X', value)}\n{SAY[place]}"
        done = subprocess.run(
            [*PROGRAMS[place], code], capture_output=True, text=True, check=True, encoding="utf-8"
        )
        assert done.stdout == value


def test_mise_gets_the_very_value() -> None:
    for value in HOSTILE:
        assert tomllib.loads(assignment("mise", "X", value)) == {"env": {"X": value}}


def test_dockerfile_expands_nothing() -> None:
    assert assignment("docker", "X", '$a\\b"c') == 'ENV X="\\$a\\\\b\\"c"'


@pytest.mark.skipif(sys.platform == "win32", reason="eval is of POSIX shells")
def test_eval_in_a_shell(demo: Demo) -> None:
    """Only code is on stdout; the shell is the one that runs this, whatever SHELL says."""
    code = f'eval "$({sys.executable} -m torchconf use linux-cu126)" && printf %s "$UV_NO_GROUP"'
    done = subprocess.run(
        ["bash", "-c", code], cwd=demo.folder, env={**os.environ, "SHELL": "/usr/bin/fish"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "cpu cu132"


@pytest.mark.parametrize(
    ("ancestors", "usual", "shell"),
    [
        (["fish", "bash"], "/bin/bash", "fish"),
        (["uvx", "zsh"], "/bin/bash", "zsh"),
        (["python3", "make", "-bash"], "", "bash"),
        (["pwsh"], "", "powershell"),
        (["make"], "/usr/local/bin/fish", "fish"),
        ([], "/bin/dash", "bash"),
        ([], "/opt/bin/nu", "powershell" if sys.platform == "win32" else "bash"),
    ],
)
def test_shell_is_told(
    ancestors: list[str], usual: str, shell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(use, "_ancestors", lambda: iter(ancestors))
    monkeypatch.setenv("SHELL", usual)
    assert use._this_shell() == shell
    assert shell in PLACES
