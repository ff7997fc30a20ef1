"""Help texts: their examples work, their width fits, and a typo gets a guess."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import torchconf.machine
from tests.support.recorded_machines import record
from tests.support.repositories import Repo, git
from torchconf.cli import COMMANDS, main
from torchconf.machine import read_machine

START = "-t linux-cuda12.6 -t windows-cuda12.6 -t macos-cpu"
STARTS = {
    "init": (None, START),
    "add-target": ("-t linux-cuda -t macos-cpu", "-t windows-cuda -t macos-cpu"),
    "remove-target": (START,),
    "migrate": (None,),
}
"""What a project may have for a command's examples: targets, or no file at all."""

OLD_FILES = {
    "requirements.txt": "numpy\n",
    "requirements-cpu.txt": "-r requirements.txt\ntorch==2.5.1+cpu\n",
    "requirements-gpu.txt": "-r requirements.txt\ntorch==2.5.1+cu124\n",
}
"""What `migrate` reads."""


ASKS_UV = {"verify", "export"}
"""Commands that lock, and so need indexes."""


def help_of(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert main([*words, "--help"]) == 0
    return capsys.readouterr().out


def examples(text: str) -> list[str]:
    """Return the lines of a help text that are commands."""
    return re.findall(r"^  (torchconf .*)$", text.partition("\nexamples:\n")[2], re.MULTILINE)


def make(folder: Path, targets: str | None) -> None:
    folder.mkdir()
    if targets is not None:
        assert main(["init", *targets.split(), "--project", str(folder)]) == 0


# The language server does not end by itself: tests/editor has sessions with it.
@pytest.mark.parametrize("command", ["", *(name for name in COMMANDS if name != "lsp")])
def test_every_example_works(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> None:
    replica = request.getfixturevalue("inside_replica") if command in {"", *ASKS_UV} else None
    # Where git and uv would look for settings, and where the shells keep their scripts.
    monkeypatch.setenv("HOME", str(tmp_path))
    machine = read_machine(record("nvidia-hopper-nodes")[0])
    monkeypatch.setattr(torchconf.machine, "this_machine", lambda: machine)
    found = examples(help_of([command] if command else [], capsys))
    assert found, "help teaches by examples"
    failed = {}
    for number, example in enumerate(found):
        words = shlex.split(example.partition(" >")[0])[1:]
        assert words[0] in COMMANDS
        assert not command or words[0] == command
        outcomes = []
        for start, targets in enumerate(STARTS.get(words[0], (START,))):
            parent = tmp_path / f"{number} {start}"
            parent.mkdir()
            make(parent / "demo", targets)
            make(parent / "here", targets)
            monkeypatch.chdir(parent / "here")
            for name, text in OLD_FILES.items() if words[0] == "migrate" else ():
                Path(name).write_text(text)
            if words[0] == "diff":
                repo = Repo.make(parent / "here", {"README.md": ""})
                git(repo.folder, "tag", "v1.0")
                repo.commit()
                git(repo.folder, "tag", "v1.1")
            if replica is not None and words[0] == "export":
                replica.lock(parent / "here")
            capsys.readouterr()
            status = main(words)
            outcomes.append((status, capsys.readouterr().err))
        if not any(status == 0 for status, _ in outcomes):
            failed[example] = outcomes
    assert not failed


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_eighty_columns(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = help_of([command] if command else [], capsys).splitlines()
    wide = [line for line in lines if len(line) > 100 or (len(line) > 80 and line[:1] == "-")]
    assert not wide


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["inti"], "init"),
        (["add-targt"], "add-target"),
        (["complete"], "completion"),
        (["init", "--layuot", "groups"], "--layout"),
        (["add-target", "linux-cu13O"], None),
        (["add-target", "linx-cuda"], "linux-cuda"),
        (["init", "-t", "windws-cpu"], "windows-cpu"),
    ],
)
def test_a_typo_gets_a_guess(
    words: list[str],
    meant: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "demo"\nversion = "0"\n')
    assert main(words) == 2
    error = capsys.readouterr().err
    assert meant is None or f"did you mean `{meant}`?" in error
    assert " help: " in error


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["help"], "run `torchconf --help`"),
        (["help", "init"], "run `torchconf init --help`"),
        (["help", "nothing"], "run `torchconf --help`"),
        (["init", "-t", "linux-cuda,macos-cpu"], "separately: `-t linux-cuda -t macos-cpu`"),
        (["init", "-t", "a,b"], "separately: `-t a -t b`"),
        (["init", "-t", ","], "such as `linux-cuda`"),
        (["init", "-t", "ubuntu-cuda"], "did you mean `linux-cuda`?"),
        (["init", "-t", "Ubuntu-22.04-cuda"], "did you mean `linux-cuda`?"),
        (["init", "-t", "ubuntu24.04-aarch64-cuda13.0"], "did you mean `linux-aarch64-cu130`?"),
        (["init", "-t", "wsl2-pypi"], "did you mean `linux-pypi`?"),
        (["init", "-t", "debian"], "say which build: `linux-cpu`, `linux-cuda`"),
        (["init", "-t", "fedora-gpu"], "say which: `linux-cpu`, `linux-cuda`"),
        (["init", "-t", "m1-mps"], "did you mean `macos-cpu`?"),
        (["init", "-t", "arch-nothing"], "write `linux` instead of `arch`"),
        (["init", "-t", "archive-cuda"], "such as `linux-cuda`"),
    ],
)
def test_other_words_for_the_same_get_a_hint(
    words: list[str],
    hint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    assert hint in capsys.readouterr().err.partition(" help: ")[2]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", ["init", "add-target", "remove-target"])
@pytest.mark.parametrize("flags", [[], ["--yes"], ["--check"], ["--dry-run"]])
def test_without_a_terminal_nobody_is_asked(
    command: str,
    flags: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    text = '[project]\nname = "demo"\nversion = "0"\n'
    (tmp_path / "pyproject.toml").write_text(text)
    assert main([command, *flags]) == 2
    error = capsys.readouterr().err
    assert "no target given" in error
    assert ("-t linux-cuda" if command == "init" else "torchconf ") in error
    assert (tmp_path / "pyproject.toml").read_text() == text
