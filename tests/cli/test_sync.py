"""`torchconf sync` and `run`: which build a machine gets, by which command, and what uv is told."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import torchconf.machine
from tests.support.projects import Demo, Result, run_in
from tests.support.recorded_machines import program, record
from torchconf.machine import read_machine

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="programs are shell scripts")
On = Callable[[str], None]

PROJECTS = {
    "markers": "-t linux-cu130 -t windows-cu126 -t macos-cpu",
    "extras": "-t linux-cu132 -t linux-cu126 -t linux-cpu -t windows-cu126 -t windows-cpu"
    " -t macos-cpu",
    "groups": "-t linux-cu126 -t linux-cpu -t windows-cpu -t macos-cpu --default cpu",
    "bare groups": "-t linux-cu126 -t linux-cpu -t macos-cpu --layout groups --default none",
    "machine": "-t linux-cu132 -t linux-cu126 -t linux-cpu -t macos-cpu --default machine",
    "servers": "-t linux-rocm7.2 -t linux-cpu -t macos-cpu",
    "library": "-t linux-cu126 -t windows-cu126 -t macos-cpu --layout groups --default cpu",
    "gaming": "-t linux-cu126 -t linux-xpu -t windows-xpu",
}
"""The flags of `init` for each."""

TABLE = {
    ("no-gpu", "markers"): None,
    ("no-gpu", "extras"): "uv sync --extra cpu",
    ("no-gpu", "groups"): "uv sync",
    ("no-gpu", "bare groups"): "uv sync --group cpu",
    ("no-gpu", "machine"): "uv sync --no-group cu126 --no-group cu132",
    ("no-gpu", "servers"): "uv sync --extra cpu",
    ("no-gpu", "gaming"): None,
    # Nobody listed the CPU's build for Linux, but its group is there for macOS.
    ("no-gpu", "library"): "uv sync",
    ("nvidia-pascal", "library"): "uv sync --no-group cpu --group cu126",
    ("nvidia-blackwell", "markers"): "uv sync",
    ("nvidia-blackwell", "extras"): "uv sync --extra cu132",
    ("nvidia-blackwell", "machine"): "uv sync --no-group cpu --no-group cu126",
    ("nvidia-blackwell", "servers"): "uv sync --extra cpu",
    ("nvidia-pascal", "markers"): None,
    ("nvidia-pascal", "extras"): "uv sync --extra cu126",
    ("nvidia-pascal", "groups"): "uv sync --no-group cpu --group cu126",
    ("nvidia-pascal", "bare groups"): "uv sync --group cu126",
    ("nvidia-pascal", "machine"): "uv sync --no-group cpu --no-group cu132",
    ("nvidia-old-driver", "extras"): "uv sync --extra cpu",
    ("nvidia-hopper-nodes", "extras"): "uv sync --extra cu126",
    ("nvidia-broken-driver", "extras"): "uv sync --extra cpu",
    ("nvidia-on-windows", "markers"): "uv sync",
    ("nvidia-on-windows", "extras"): "uv sync --extra cu126",
    ("nvidia-on-windows", "groups"): "uv sync",
    ("wsl", "extras"): "uv sync --extra cpu",
    ("rocm", "servers"): "uv sync --extra rocm7-2",
    ("rocm", "extras"): "uv sync --extra cpu",
    ("intel-arc", "gaming"): "uv sync --extra xpu",
    ("intel-on-windows", "gaming"): "uv sync --extra xpu",
    ("apple-silicon", "markers"): "uv sync",
    ("apple-silicon", "extras"): "uv sync --extra cpu",
    ("apple-silicon", "groups"): "uv sync",
    ("apple-silicon", "machine"): "uv sync --no-group cu126 --no-group cu132",
}
"""What each machine gets of each project; None: nothing of it runs there, so that it is refused."""


@pytest.fixture(autouse=True)
def on(monkeypatch: pytest.MonkeyPatch) -> On:
    """Put the command on a recorded machine; without a call, on one without a GPU."""

    def put(name: str) -> None:
        machine = read_machine(record(name)[0])
        monkeypatch.setattr(torchconf.machine, "this_machine", lambda: machine)

    for name in ("TORCHCONF_TARGET", "UV", "UV_NO_GROUP", "UV_PROJECT_ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)
    put("no-gpu")
    return put


class Made(dict[str, Path]):
    """The folder of each project, made when it is asked for; no test changes it."""

    def __init__(self, factory: pytest.TempPathFactory) -> None:
        self.factory = factory

    def __missing__(self, name: str) -> Path:
        demo = Demo(self.factory.mktemp(name.replace(" ", "-")))
        demo.init(PROJECTS[name])
        self[name] = demo.folder
        return demo.folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory)


def printed(result: Result) -> str:
    """Return the command that was printed; uv by its name, wherever it is."""
    assert result.status == 0, result.err
    first, *words = shlex.split(result.out)
    assert Path(first).name.removesuffix(".exe") == "uv"
    return shlex.join(["uv", *words])


# Which build.


@pytest.mark.parametrize(("machine", "project"), TABLE)
def test_each_machine_gets_its_build(machine: str, project: str, made: Made, on: On) -> None:
    on(machine)
    result = run_in(made[project], "sync --dry-run")
    expected = TABLE[machine, project]
    if expected is None:
        assert result.status == 2
        assert "no target of this project runs on this machine" in result.err
        assert "to use it anyway: `torchconf sync " in result.err
        assert "to add one that runs: `torchconf add-target " in result.err
    else:
        assert printed(result) == expected
        assert len(result.err.splitlines()) == 1


def test_one_line_says_which_and_why(made: Made, on: On) -> None:
    on("nvidia-pascal")
    err = run_in(made["extras"], "sync --dry-run").err
    assert err == "target linux-cu126: driver 550.54.14, Pascal 6.1\n"
    assert run_in(made["extras"], "sync --dry-run --quiet").err == ""


def test_what_is_named_is_not_refused(made: Made) -> None:
    result = run_in(made["extras"], "sync linux-cu126 --dry-run")
    assert printed(result) == "uv sync --extra cu126"
    assert result.err == (
        "target linux-cu126: as requested, but it does not run on this machine: "
        "no NVIDIA GPU found\n"
    )


@pytest.mark.parametrize(
    ("word", "variable", "command", "reason"),
    [
        ("", "linux-cu126", "uv sync --extra cu126", "set by TORCHCONF_TARGET"),
        ("linux-cpu", "linux-cu126", "uv sync --extra cpu", "as requested"),
        ("cu126", "", "uv sync --extra cu126", "as requested"),
        ("", "", "uv sync --extra cu132", "driver 580.65.06, Blackwell 12.0"),
        ("linux-cuda", "", "uv sync --extra cu132", "as requested"),
    ],
)
def test_argument_wins_over_the_variable_and_that_over_what_is_found(
    word: str,
    variable: str,
    command: str,
    reason: str,
    made: Made,
    on: On,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on("nvidia-blackwell")
    monkeypatch.setenv("TORCHCONF_TARGET", variable)
    result = run_in(made["extras"], f"sync {word} --dry-run")
    assert printed(result) == command
    assert reason in result.err


@pytest.mark.parametrize(
    ("word", "error"),
    [
        ("macos-cpu", "target `macos-cpu` is for macos-arm64; this machine is linux-x86_64"),
        ("linux-cu130", "`linux-cu130` is not a target of this project"),
        ("linux-cuad", "`linux-cuad` is not a target"),
        ("gpu", "; the targets of this project here: linux-cu132, linux-cu126, linux-cpu\n"),
    ],
)
def test_what_cannot_be_is_refused(
    word: str, error: str, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run_in(made["extras"], f"sync {word} --dry-run")
    assert (result.status, result.out) == (2, "")
    assert error in result.err
    monkeypatch.setenv("TORCHCONF_TARGET", word)
    result = run_in(made["extras"], "sync --dry-run")
    assert error in result.err
    assert "   at: TORCHCONF_TARGET\n" in result.err


def test_no_target_for_the_platform(tmp_path: Path, on: On) -> None:
    demo = Demo(tmp_path)
    demo.init("-t linux-cu130 -t linux-cpu")
    on("apple-silicon")
    # The CPU index takes a Mac, too, though nobody listed it.
    assert printed(demo("sync --dry-run")) == "uv sync --extra cpu"
    demo.path.write_text(
        demo.text.replace("sys_platform != 'linux'", "sys_platform == 'win32'").replace(
            '{ index = "pytorch-cpu", extra = "cpu" }',
            '{ index = "pytorch-cpu", extra = "cpu", marker = "sys_platform == \'linux\'" }',
        )
    )
    on("another-system")
    assert demo("sync --dry-run").status == 2


def test_project_without_torch(tmp_path: Path) -> None:
    result = Demo.of(tmp_path, "bare")("sync --dry-run")
    assert (result.status, result.out) == (2, "")
    assert "this project has no targets" in result.err


def test_build_of_pypi_is_judged(tmp_path: Path, on: On) -> None:
    """On Linux it is one for CUDA, which needs a GPU; on a Mac it is for every Mac."""
    demo = Demo.of(tmp_path, "app")
    assert "linux-pypi: no NVIDIA GPU found" in demo("sync --dry-run").err
    for machine in ("nvidia-blackwell", "apple-silicon"):
        on(machine)
        assert printed(demo("sync --dry-run")) == "uv sync"


# What uv is told.


@pytest.mark.parametrize(
    ("project", "word", "left_out", "command"),
    [
        ("machine", "cpu", "cu132 cu126", "uv sync --no-group cu126 --no-group cu132"),
        ("machine", "cpu", "docs", "uv sync --no-group cu126 --no-group cu132 --no-group docs"),
        ("machine", "cpu", "cpu", "uv sync --no-group cu126 --no-group cu132"),
        ("groups", "cu126", "docs", "uv sync --no-group cpu --no-group docs --group cu126"),
        ("groups", "cu126", "cu126", "uv sync --no-group cpu --group cu126"),
        ("groups", "cpu", "docs", "uv sync"),
        ("groups", "cpu", "cpu docs", "uv sync --no-group cu126 --no-group docs"),
        ("extras", "cpu", "docs", "uv sync --extra cpu"),
    ],
)
def test_what_the_variable_leaves_out_is_left_out(
    project: str,
    word: str,
    left_out: str,
    command: str,
    made: Made,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("UV_NO_GROUP", left_out)
    assert printed(run_in(made[project], f"sync {word} --dry-run")) == command


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("sync --dry-run -- --no-dev --python 3.12", "uv sync --extra cpu --no-dev --python 3.12"),
        ("sync --locked --dry-run", "uv sync --extra cpu --locked"),
        ("sync --frozen --dry-run --", "uv sync --extra cpu --frozen"),
        ("sync --dry-run -- -- x --", "uv sync --extra cpu -- x --"),
        ("run --dry-run -- python -m train --lr 1", "uv run --extra cpu python -m train --lr 1"),
        ("run cpu --dry-run -- --with rich -m train", "uv run --extra cpu --with rich -m train"),
        (
            "run --dry-run -- echo 'a b' '$HOME' -- -h",
            "uv run --extra cpu echo 'a b' '$HOME' -- -h",
        ),
        ("run --dry-run -- tool --format json", "uv run --extra cpu tool --format json"),
        ("run --dry-run -- echo \"a'b\" '\n'", "uv run --extra cpu echo 'a'\"'\"'b' '\n'"),
    ],
)
def test_what_follows_is_passed_on(words: str, command: str, made: Made) -> None:
    assert printed(run_in(made["extras"], words)) == command


def test_project_elsewhere_is_named(made: Made, tmp_path: Path) -> None:
    """As with uv, the command runs in the current folder."""
    place = shlex.quote(str(made["extras"]))
    for verb, rest in (("sync", ""), ("run", " -- python")):
        result = run_in(tmp_path, f"{verb} --dry-run --project {place}{rest}")
        end = rest.replace(" --", "", 1)
        assert printed(result) == f"uv {verb} --project {place} --extra cpu{end}"


@pytest.mark.parametrize(
    ("words", "help_"),
    [
        ("sync --no-dev", "follows `--`: `torchconf sync [options] [TARGET] [-- ARGS]`"),
        ("run python train.py", "follows `--`: `torchconf run [options] [TARGET] -- COMMAND`"),
        ("run train.py", "put it after `--`: `torchconf run -- train.py`"),
        ("run --", "put it after `--`: `torchconf run -- python train.py`"),
        ("sync --dry-rnu", "did you mean `--dry-run`?"),
    ],
)
def test_what_is_for_uv_stands_after_two_dashes(words: str, help_: str, made: Made) -> None:
    result = run_in(made["extras"], words)
    assert result.status == 2
    assert help_ in result.err


def test_scripts_ignore_the_choice(made: Made, tmp_path: Path) -> None:
    (tmp_path / "s.py").write_text("# /// script\n# dependencies = []\n# ///\n")
    result = run_in(tmp_path, "run --dry-run -- s.py --fast")
    assert printed(result) == "uv run s.py --fast"
    assert "s.py has inline metadata: uv ignores the project" in result.err
    (made["extras"] / "s.py").write_text("print()\n")
    assert printed(run_in(made["extras"], "run --dry-run -- s.py")) == "uv run --extra cpu s.py"


# Workspaces.

ROOT = """\
[project]
name = "root"
version = "0"
requires-python = ">=3.11"

[tool.uv.workspace]
members = ["a", "b"]
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace of which one member needs torch, in extras."""
    folder = tmp_path / "ws"
    for name in ("a", "b"):
        (folder / name).mkdir(parents=True)
        text = f'[project]\nname = "{name}"\nversion = "0"\nrequires-python = ">=3.11"\n'
        (folder / name / "pyproject.toml").write_text(text)
    (folder / "pyproject.toml").write_text(ROOT)
    assert run_in(folder / "a", "init -t linux-cu126 -t linux-cpu -t macos-cpu").status == 0
    return folder


def test_member_is_named_by_its_folder_or_by_its_name(workspace: Path) -> None:
    expected = "uv sync --package a --extra cpu"
    assert printed(run_in(workspace / "a", "sync --dry-run")) == expected
    assert printed(run_in(workspace, "sync --dry-run --package a")) == expected
    assert printed(run_in(workspace / "b", "sync --dry-run --package A")) == expected
    result = run_in(workspace, "sync --dry-run --package c")
    assert result.status == 2
    assert "its packages: root, a, b" in result.err


def test_root_without_torch_says_which_member_has_it(workspace: Path) -> None:
    result = run_in(workspace, "sync --dry-run")
    assert result.status == 2
    assert "choose one: `--package a`" in result.err


# uv takes over.

FAKE = """\
printf '%s\\n' "$0" "$@"
echo "cwd $PWD"
case "$*" in
  *kill*) kill -TERM $$ ;;
  *pipe*) yes | head -1; exit 3 ;;
esac
exit 7
"""


def start(folder: Path, words: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the program in a process of its own, with the fake uv on PATH."""
    fake = folder.parent / "bin" / "uv"
    program(fake, FAKE)
    path = os.pathsep.join([str(fake.parent), os.environ["PATH"]])
    return subprocess.run(
        [sys.executable, "-m", "torchconf", *words],
        cwd=folder, env={**os.environ, "PATH": path, **variables}, text=True, capture_output=True,
        check=False,
    )  # fmt: skip


@pytest.fixture
def demo(tmp_path: Path) -> Demo:
    made = Demo(tmp_path / "pläce with 'quotes'" if sys.platform != "win32" else tmp_path)
    made.init(PROJECTS["extras"])
    return made


@pytest.fixture(autouse=True)
def _folders(tmp_path: Path) -> None:
    (tmp_path / "pläce with 'quotes'").mkdir()


@POSIX
def test_arguments_and_exit_status_are_those_of_uv(demo: Demo) -> None:
    words = ["run", "linux-cpu", "--", "--with", "a b", "-m", "x;y", "$(z)", "--", ""]
    done = start(demo.folder, words)
    assert done.returncode == 7
    lines = done.stdout.split("\n")
    uv = str(demo.folder.parent / "bin" / "uv")
    assert lines[:4] == [uv, "run", "--extra", "cpu"]
    assert lines[4:-2] == ["--with", "a b", "-m", "x;y", "$(z)", "--", ""]
    assert lines[-2] == f"cwd {demo.folder}"
    assert done.stderr == "target linux-cpu: as requested\n"


@POSIX
def test_signal_is_that_of_uv(demo: Demo) -> None:
    assert start(demo.folder, ["sync", "linux-cpu", "--", "kill"]).returncode == -signal.SIGTERM


@POSIX
def test_closed_pipes_end_what_runs_below(demo: Demo) -> None:
    """Python ignores SIGPIPE, and what replaces it would too: `yes` would complain."""
    done = start(demo.folder, ["sync", "linux-cpu", "--", "pipe"])
    assert (done.returncode, done.stderr.count("\n")) == (3, 1)


@POSIX
def test_uv_that_started_this_is_used_unless_it_lies_in_a_project(demo: Demo) -> None:
    other = demo.folder.parent / "other" / "uv"
    program(other, "echo other")
    assert start(demo.folder, ["sync", "cpu"], UV=str(other)).stdout == "other\n"
    inside = demo.folder / "uv"
    program(inside, "echo inside")
    for told in (str(inside), "uv", "./uv", str(other.parent / "none"), ""):
        assert start(demo.folder, ["sync", "cpu"], UV=told).returncode == 7


@POSIX
def test_without_uv(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr("sys.executable", "/nonexistent/python")
    result = demo("sync")
    assert result.status == 2
    assert "uv was not found" in result.err
    assert demo("sync --dry-run").out == "uv sync --extra cpu\n"


@POSIX
@pytest.mark.parametrize(
    ("script", "status"),
    [("exit 9", 9), ("trap 'exit 5' INT; sleep 1; kill -INT $PPID; sleep 1; kill -INT $$", 5)],
)
def test_where_no_process_can_be_replaced_the_status_is_passed_on(
    script: str, status: int, tmp_path: Path
) -> None:
    """As on Windows. Ctrl-C reaches both, and what was started decides what it means."""
    program(tmp_path / "uv", script)
    code = (
        "import os, sys; from torchconf.resolve.become_uv import run_and_wait\n"
        "sys.exit(run_and_wait(sys.argv[1:], os.environ))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "uv")]
    assert subprocess.run(command, check=False).returncode == status
