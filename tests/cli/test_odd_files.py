"""Files that are none, numbers without end, streams that are closed: a clear error, or an end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import NoReturn

import pytest

from tests.support.few import every, few
from tests.support.paths import ROOT
from tests.support.projects import Demo, Result, run_in

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")

PATIENCE = 60
PROJECT = """\
[project]
name = "demo"
version = "1"
requires-python = ">=3.11"
dependencies = ["torch"]

[tool.uv.workspace]
members = ["member"]
"""
COMMANDS = (
    "show",
    "show --format json",
    "check",
    "check .",
    "check . --fix",
    "check --format json",
    "check train.py",
    "explain linux",
    "init -t macos-cpu --dry-run",
    "add-target linux-cu130 --dry-run",
    "upgrade --dry-run",
    "catalog list",
    "catalog show 2.13",
    "doctor",
    "completion bash",
)
PLACES = (
    "pyproject.toml",
    "uv.lock",
    ".gitignore",
    ".python-version",
    "member/pyproject.toml",
    "member/.gitignore",
    "train.py",
    "catalog.json",
    "cache/torchconf/catalog.json",
)
KINDS = ("pipe", "device", "endless", "folder", "huge", "loop", "nowhere", "bytes", "nothing")


def put(path: Path, kind: str) -> None:
    """Put something odd where a file is expected."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "huge":
        with path.open("wb") as file:
            file.truncate(8 << 30)
    elif kind in {"bytes", "nothing"}:
        path.write_bytes(b"\xff\xfe\x00\x80" * 100 if kind == "bytes" else b"")
    else:
        targets = {"device": "/dev/full", "endless": "/dev/zero", "loop": path.name}
        path.symlink_to(targets.get(kind, "nowhere"))


@pytest.fixture
def patience() -> Iterator[None]:
    """Fail a test that waits for ever."""

    def fail(*_: object) -> NoReturn:
        pytest.fail("it hangs")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(PATIENCE)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def is_clear(result: Result) -> bool:
    """Tell whether a command ended as commands do."""
    said = result.out + result.err
    return (
        result.status in {0, 1, 2}
        and "torchconf failed" not in said
        and "Traceback" not in said
        and (result.status < 2 or "error" in said)
    )


@pytest.mark.usefixtures("patience")
@pytest.mark.parametrize("odd", every(product(PLACES, KINDS), 11), ids="-".join)
def test_whatever_lies_where_a_file_is_expected(
    odd: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, kind = odd
    (tmp_path / ".git").mkdir()
    (tmp_path / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    (tmp_path / "member").mkdir()
    (tmp_path / "member/pyproject.toml").write_text('[project]\nname = "m"\nversion = "1"\n')
    (tmp_path / "train.py").write_text('# /// script\n# dependencies = ["torch"]\n# ///\n')
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    if place == "catalog.json":
        monkeypatch.setenv("TORCHCONF_CATALOG", str(tmp_path / place))
    put(tmp_path / place, kind)
    for command in COMMANDS:
        result = run_in(tmp_path, command)
        assert is_clear(result), (command, result)


def test_a_gitignore_that_is_a_link_is_not_read(tmp_path: Path) -> None:
    demo = Demo.of(tmp_path, "app")
    (demo.folder / ".git").mkdir()
    inside = demo.folder / "inside"
    inside.mkdir()
    (inside / "pyproject.toml").write_text(demo.text, encoding="utf-8")
    (tmp_path / "elsewhere").write_text("inside\n")
    (demo.folder / ".gitignore").write_text("inside\n")
    assert "in 1 file" in demo("check .").err
    (demo.folder / ".gitignore").unlink()
    (demo.folder / ".gitignore").symlink_to(tmp_path / "elsewhere")
    assert "in 2 files" in demo("check .").err


# Numbers.

DIGITS = "9" * 5000
HEAD = '[project]\nname = "a"\nversion = "1"\n'
TORCH = f'{HEAD}dependencies = ["torch"]\n\n[tool.uv'
INDEX = 'name = "p"\nurl = "https://download.pytorch.org/whl/cu{}"\nexplicit = true\n'
NUMBERS = (
    "x = {}\n",
    '[project]\nname = "a"\nversion = "{}"\n',
    HEAD + 'requires-python = ">={}"\n',
    HEAD + 'dependencies = ["torch>={}"]\n',
    HEAD + 'dependencies = ["torch==2.{}.*"]\n',
    HEAD + "dependencies = [\"torch; python_version > '{}'\"]\n",
    TORCH + ']\nconstraint-dependencies = ["torch<{}"]\n',
    TORCH + '.sources]\ntorch = {{ index = "p" }}\n\n[[tool.uv.index]]\n' + INDEX,
    TORCH + ']\nrequired-version = ">={}"\n',
)


def test_one_endless_number_keeps_no_other_project_from_being_checked(tmp_path: Path) -> None:
    for name, text in (("a", NUMBERS[2].format(DIGITS)), ("b", NUMBERS[7].format(130))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pyproject.toml").write_text(text, encoding="utf-8")
    for command in ("check .", "check . --fix", "check . --format json"):
        result = run_in(tmp_path, command)
        assert result.status == 2
        assert "more than 4,300 digits" in result.out + result.err
        assert "a/pyproject.toml" in result.out + result.err
        assert "b/pyproject.toml" in result.out + (tmp_path / "b/pyproject.toml").read_text() or (
            "sys_platform" in (tmp_path / "b/pyproject.toml").read_text()
        )


LOCKED = (
    'version = 1\n\n[[package]]\nname = "torch"\nversion = "{}"\n'
    'source = {{ registry = "https://download.pytorch.org/whl/cu{}" }}\n'
)


@pytest.mark.parametrize("number", range(len(NUMBERS)))
def test_numbers_with_thousands_of_digits(number: int, tmp_path: Path) -> None:
    demo = Demo(tmp_path, NUMBERS[number].format(DIGITS))
    for command in (*COMMANDS, f"init -t linux-cu{DIGITS}", f"init -t macos-cpu --torch {DIGITS}"):
        result = demo(command)
        assert is_clear(result), (command[:80], result)


@pytest.mark.parametrize("lock", ["version = {}\n", LOCKED])
def test_numbers_in_a_lockfile(lock: str, tmp_path: Path) -> None:
    demo = Demo.of(tmp_path, "app")
    (demo.folder / "uv.lock").write_text(lock.format(DIGITS, DIGITS), encoding="utf-8")
    for command in COMMANDS:
        result = demo(command)
        assert is_clear(result), (command, result)


@pytest.mark.parametrize(
    "text", [DIGITS, "[" * 100_000, '{"schema_version": ' + DIGITS + "}", "[]", '{"wheels": []}']
)
def test_a_catalog_that_is_none(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    demo = Demo.of(tmp_path, "app")
    (tmp_path / "catalog.json").write_text(text, encoding="utf-8")
    monkeypatch.setenv("TORCHCONF_CATALOG", str(tmp_path / "catalog.json"))
    result = demo("show")
    assert result.status == 2
    assert is_clear(result)
    assert "catalog" in result.err


# Folders.


@pytest.mark.parametrize("levels", few([1100, 3000], {1100}.__contains__))
def test_a_walk_survives_thousands_of_levels(levels: int, tmp_path: Path) -> None:
    demo = Demo.of(tmp_path, "app")
    here = os.getcwd()
    try:
        os.chdir(demo.folder)
        for level in range(levels):
            os.mkdir("d")
            os.chdir("d")
            if level in {1050, 2999}:
                Path("pyproject.toml").write_text(demo.text, encoding="utf-8")
    finally:
        os.chdir(here)
    result = demo("check .")
    assert is_clear(result)
    assert "in 2 files" in result.err, "the deepest is beyond what the system can name"
    deep = demo.folder.joinpath(*["d"] * 1060)
    assert is_clear(run_in(deep, "show"))
    assert is_clear(run_in(deep, "check"))
    subprocess.run(["rm", "-rf", str(demo.folder / "d")], check=True)


def test_a_folder_that_is_deleted_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo = Demo.of(tmp_path, "app")
    for name in ("a", "b"):
        (demo.folder / name).mkdir()
        (demo.folder / name / "pyproject.toml").write_text(demo.text, encoding="utf-8")
    real = os.scandir

    def scandir(path: str) -> Iterator[os.DirEntry[str]]:
        found = list(real(path))
        if path == ".":
            subprocess.run(["rm", "-rf", str(demo.folder / "b")], check=True)
        return iter(found)

    monkeypatch.setattr(os, "scandir", scandir)
    result = demo("check .")
    assert is_clear(result)
    assert "in 2 files" in result.err


def test_a_current_folder_that_is_gone(tmp_path: Path) -> None:
    script = f"mkdir {tmp_path}/gone; cd {tmp_path}/gone; rmdir ../gone; exec {sys.executable}"
    for command in ("show", "init -t macos-cpu"):
        done = subprocess.run(
            ["sh", "-c", f"{script} -m torchconf {command}"],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert is_clear(Result(done.returncode, done.stdout, done.stderr)), (command, done)


# Streams.

STREAMS = (">&-", "2>&-", "<&-", ">&- 2>&- <&-", ">/dev/full", "2>/dev/full", ">/dev/full 2>&1")
SAID = ("show", "check", "--version", "--help", "show --format json", "nonsense", "explain TC101",
        "init -t macos-cpu --dry-run", "init -t macos-cpu", "check -", "check --fix -")  # fmt: skip


@pytest.mark.parametrize("said", every(product(SAID, STREAMS), 16), ids=" ".join)
def test_streams_that_are_closed_or_full(said: tuple[str, str], tmp_path: Path) -> None:
    command, streams = said
    demo = Demo.of(tmp_path, "app")
    source = "" if "<" in streams else "</dev/null"
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m torchconf {command} {source} {streams}"],
        cwd=demo.folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {0, 1, 2}
    assert "torchconf failed" not in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    assert demo.names() == ["pyproject.toml"]
    if done.returncode == 0:
        assert command in {"--help", "check", "init -t macos-cpu", "check -", "check --fix -"} or (
            ">&-" not in streams.replace("2>&-", "") and not streams.startswith(">/dev/full")
        )
