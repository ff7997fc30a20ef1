"""What is installed by the commands of a target: each layout, each target, with the real uv.

A project is locked on the replica. For each target a recorded machine of its platform is asked for
the command, which then runs; uv stands in for another system with `--python-platform`. Which build
came is read from the metadata in the environment, as `importlib.metadata` finds it.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

import torchconf.machine
from tests.support.paths import PAGES
from tests.support.projects import Demo, run_in
from tests.support.recorded_machines import record
from tests.support.replica import Replica
from torchconf.machine import read_machine

pytestmark = pytest.mark.slow

HEAD = '[project]\nname = "{name}"\nversion = "0.1.0"\nrequires-python = ">=3.11,<3.14"\n'
PLAIN = HEAD + 'dependencies = ["torch>=2.13,<2.14"]\n\n[dependency-groups]\ndocs = []\n'
MEMBERS = '\n[tool.uv.workspace]\nmembers = ["a", "b"]\n'
SEVERAL = "-t linux-cu130 -t linux-cpu -t linux-aarch64-cu130 -t windows-cu130 -t macos-cpu"
FOUR = f"{SEVERAL} -t linux-cu126 -t linux-rocm7.2 -t windows-cpu"


class Shape(NamedTuple):
    """How a project is made, and from where its builds are asked for."""

    flags: str
    """Of `init`."""
    places: tuple[str, ...] = (".",)
    """Folders, or `--package NAME`."""
    is_workspace: bool = False


SHAPES = {
    "markers": Shape("-t linux-cu130 -t linux-aarch64-cu130 -t windows-cu126 -t macos-cpu"),
    "extras": Shape(f"{FOUR} --layout extras"),
    "groups": Shape(f"{FOUR} --default cpu"),
    "groups of another default": Shape(f"{FOUR} --default cu130"),
    "groups without a default": Shape(f"{SEVERAL} --layout groups --default none"),
    "machine": Shape(f"{FOUR} --default machine"),
    "machine with two builds": Shape("-t linux-cu130 -t linux-cpu --default machine"),
    "cpu or pypi": Shape("-t linux-cpu -t linux-pypi -t macos-cpu --default machine"),
    "groups of the root": Shape(SEVERAL, ("--package a", "a", "b"), is_workspace=True),
    "machine in every member": Shape(
        f"{SEVERAL} --default machine", (".", "--package a", "a", "b"), is_workspace=True
    ),
}
MACHINES = {
    "linux-x86_64": ("nvidia-blackwell", "x86_64-unknown-linux-gnu"),
    "linux-aarch64": ("nvidia-grace-hopper", "aarch64-unknown-linux-gnu"),
    "windows-x86_64": ("nvidia-on-windows", "x86_64-pc-windows-msvc"),
    "macos-arm64": ("apple-silicon", "aarch64-apple-darwin"),
}
"""A recorded machine of each platform, and what uv calls the platform."""
SHORT = {"linux": "linux-x86_64", "windows": "windows-x86_64", "macos": "macos-arm64"}
VERSION = "from importlib.metadata import version; print(version('torch'))"


@pytest.fixture(scope="module", params=SHAPES)
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, replica: Replica
) -> tuple[Shape, Demo]:
    """Make a project and lock it; no test changes it but for its environment."""
    shape = SHAPES[request.param]
    demo = Demo(tmp_path_factory.mktemp("made"), PLAIN.format(name="root"))
    if shape.is_workspace:
        demo.path.write_text(HEAD.format(name="root") + MEMBERS)
        for name in ("a", "b"):
            (demo.folder / name).mkdir()
            text = PLAIN.format(name=name).partition("\n[dep")[0]
            (demo.folder / name / "pyproject.toml").write_text(text)
    demo.init(f"{shape.flags} -y")
    replica.lock(demo.folder)
    return shape, demo


class Asked(NamedTuple):
    """One target, asked for from one place."""

    target: str
    platform: str
    build: str
    """What its version ends with: `+cu130`; empty for PyPI's, and on a Mac."""
    command: str
    """As `init` prints it."""
    folder: Path
    package: str


def asked(shape: Shape, demo: Demo) -> Iterator[Asked]:
    """Yield every target of a project, from every place."""
    targets = demo("init -y --format json").json["targets"]
    assert len(targets) == shape.flags.count("-t ")
    for one in targets:
        short, _, backend = one["target"].rpartition("-")
        platform = SHORT.get(short, short)
        plain = backend == "pypi" or short == "macos"
        for place in shape.places:
            package = place if place.startswith("--") else ""
            yield Asked(
                one["target"],
                platform,
                "" if plain else f"+{backend}",
                one["command"],
                demo.folder if package else demo.folder / place,
                package,
            )


def installed(replica: Replica, words: list[str], one: Asked, variables: Mapping[str, str]) -> str:
    """Run a command of uv for the platform of a target, and return which torch is there then."""
    _, platform = MACHINES[one.platform]
    verb, *rest = words
    command = [str(replica.executable), verb, "--python-platform", platform, "--frozen", *rest]
    env = replica.environment() | {**variables}
    run = replica.run(*command, cwd=one.folder, env=env)
    assert run.returncode == 0, f"{one.target}: {shlex.join(command)} {variables}\n{run.stderr}"
    if verb == "run":
        return run.stdout.strip()
    root = one.folder if (one.folder / "uv.lock").exists() else one.folder.parent
    return replica.python(root, VERSION).strip()


def uv_words(text: str) -> tuple[list[str], dict[str, str]]:
    """Return a printed command as what follows `uv`, and the variables before it."""
    words = shlex.split(text)
    start = next(number for number, word in enumerate(words) if Path(word).stem == "uv")
    return words[start + 1 :], dict(word.split("=", 1) for word in words[:start])


def put_on(machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    here = read_machine(record(machine)[0])
    monkeypatch.setattr(torchconf.machine, "this_machine", lambda: here)
    for name in ("TORCHCONF_TARGET", "UV", "UV_NO_GROUP"):
        monkeypatch.delenv(name, raising=False)


def test_printed_commands_install_the_build_of_their_target(
    made: tuple[Shape, Demo], replica: Replica
) -> None:
    shape, demo = made
    for one in asked(shape, demo):
        words, variables = uv_words(one.command)
        assert installed(replica, words, one, variables) == f"2.13.0{one.build}"


def left_out(demo: Demo) -> list[str]:
    """Return values of UV_NO_GROUP that a machine may have: none, each group, all but one."""
    groups = [name for name in demo.data.get("dependency-groups", {}) if name != "dev"]
    others = [" ".join(name for name in groups if name != own) for own in groups]
    return list(dict.fromkeys(["", *groups, *filter(None, others)]))


def test_sync_and_run_install_it_whatever_the_variable_says(
    made: tuple[Shape, Demo], replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape, demo = made
    for one in asked(shape, demo):
        put_on(MACHINES[one.platform][0], monkeypatch)
        for number, value in enumerate(left_out(demo)):
            variables = {"UV_NO_GROUP": value} if value else {}
            if value:
                monkeypatch.setenv("UV_NO_GROUP", value)
            # In turn, so that each finds what the one before left behind.
            verb = ("sync", "run")[number % 2]
            rest = f" -- python -c {shlex.quote(VERSION)}" if verb == "run" else ""
            result = run_in(one.folder, f"{verb} {one.target} {one.package} --dry-run{rest}")
            assert result.status == 0, result.err
            words, before = uv_words(result.out)
            assert not before, "flags are enough"
            found = installed(replica, words, one, variables)
            assert found == f"2.13.0{one.build}", (result.out, value)


@pytest.mark.skipif(sys.platform != "linux", reason="the targets are those of Linux")
def test_the_program_itself_installs_them(made: tuple[Shape, Demo], replica: Replica) -> None:
    """By argument and by variable; and what it runs finds them."""
    shape, demo = made
    here = torchconf.machine.this_machine().platform
    assert here is not None
    program = [sys.executable, "-m", "torchconf"]
    for one in asked(shape, demo):
        if one.platform != here.key:
            continue
        env = replica.environment() | {"TORCHCONF_TARGET": one.target}
        package = one.package.split()
        synced = replica.run(*program, "sync", *package, cwd=one.folder, env=env)
        assert synced.returncode == 0, synced.stderr
        root = one.folder if (one.folder / "uv.lock").exists() else one.folder.parent
        assert replica.python(root, VERSION).strip() == f"2.13.0{one.build}"
        words = ["run", *package, "cpu" if one.build == "+cpu" else one.target]
        env["TORCHCONF_TARGET"] = "nothing"
        ran = replica.run(*program, *words, "--", "python", "-c", VERSION, cwd=one.folder, env=env)
        assert ran.stdout.strip() == f"2.13.0{one.build}", ran.stderr


@pytest.mark.parametrize("flags", ["", "--layout groups", "--default cpu", "--default machine"])
def test_the_two_commands_of_the_site(
    flags: str, tmp_path: Path, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a newcomer types in a fresh clone, on a machine with a GPU and on one without."""
    demo = Demo(tmp_path, PLAIN.format(name="demo"))
    demo.init(f"-t linux-cu130 -t linux-cpu -t macos-cpu {flags} -y")
    replica.lock(demo.folder)
    text = (PAGES / "howto/any-machine.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```console\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    with_gpu, without = (block for block in blocks if "torchconf sync" in block)
    for machine, block in (("nvidia-blackwell", with_gpu), ("no-gpu", without)):
        put_on(machine, monkeypatch)
        first, told, second, again, version = block.splitlines()
        target = told.split()[1].rstrip(":")
        one = Asked(target, "linux-x86_64", "", "", demo.folder, "")
        for typed, said in ((first, told), (second, again)):
            verb, *rest = shlex.split(typed.removeprefix("$ uvx torchconf "))
            rest = [
                word.replace("import torch; print(torch.__version__)", VERSION) for word in rest
            ]
            result = run_in(demo.folder, shlex.join([verb, "--dry-run", *rest]))
            assert result.err == f"{said}\n"
            assert installed(replica, uv_words(result.out)[0], one, {}) == version
