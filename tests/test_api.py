"""What other programs call: text in, value out, and nothing of the machine is touched."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import torchconf
from tests.support.paths import PACKAGE, PAGES
from tests.support.projects import PROJECTS, Demo
from torchconf.rules import Severity

BARE = (PROJECTS / "bare.toml").read_text(encoding="utf-8")
OPEN = """\
[project]
name = "demo"
version = "0"
requires-python = ">=3.11"
dependencies = ["torch>=2.9"]

[tool.uv.sources]
torch = { index = "pytorch-cu130" }

[[tool.uv.index]]
name = "pytorch-cu130"
url = "https://download.pytorch.org/whl/cu130"
"""


# The same answers as the command line gives.


@pytest.mark.parametrize("start", ["bare", "app", "library"])
def test_configure_writes_what_init_writes(start: str, tmp_path: Path) -> None:
    demo = Demo.of(tmp_path, start)
    before = demo.path.read_text(encoding="utf-8")
    words = ["linux-cu130", "linux-cpu", "macos-cpu"]
    flags = "--layout groups --default cpu --name cu130=gpu --with torchvision --pin"
    assert demo(f"init -t {' -t '.join(words)} {flags} --required-environments").status == 0
    after = torchconf.configure(
        before,
        words,
        layout="groups",
        default="cpu",
        names={"cu130": "gpu"},
        with_=["torchvision"],
        pin=True,
        required_environments=True,
    )
    assert after == demo.path.read_bytes().decode()


def test_configure_makes_a_new_project() -> None:
    text = torchconf.configure("", "linux-cuda", python="3.12", torch="2.13", folder="fresh")
    project = tomllib.loads(text)["project"]
    assert project["name"] == "fresh"
    assert project["requires-python"] == ">=3.12"
    assert project["dependencies"] == ["torch>=2.13,<2.14"]


def test_configure_a_second_time_changes_nothing() -> None:
    once = torchconf.configure(BARE, ["linux-cuda", "macos-cpu"])
    assert torchconf.configure(once, ["linux-cuda", "macos-cpu"]) == once
    assert torchconf.configure(once, with_="torchvision") != once


def test_bytes_that_nobody_asked_about_stay() -> None:
    text = "\ufeff" + BARE.replace("\n", "\r\n")
    after = torchconf.configure(text, ["linux-cuda", "macos-cpu"])
    assert after.startswith(text.rstrip("\r\n").partition("dependencies")[0])
    assert after.count("\n") == after.count("\r\n")


def test_check_finds_what_the_command_finds(tmp_path: Path) -> None:
    found = torchconf.check(OPEN)
    reported = Demo(tmp_path, OPEN)("check --format json").json["findings"]
    assert [(f.code, f.name, f.at, f.message) for f in found] == [
        (f["code"], f["name"], f["at"], f["message"]) for f in reported
    ]
    assert any(f.severity is Severity.ERROR for f in found)


def test_check_is_content_with_what_configure_writes() -> None:
    assert torchconf.check(torchconf.configure(BARE, ["linux-cuda", "macos-cpu"])) == []


def test_table_has_the_rows_of_show(tmp_path: Path) -> None:
    rows = torchconf.table("\ufeff" + OPEN)
    shown = Demo(tmp_path, OPEN)("show --format json").json["routes"]
    assert [{**row.data(), "extras": [], "groups": []} for row in rows] == shown


@pytest.mark.parametrize("text", ["[", "[project]\nname = 1"])
def test_what_cannot_be_read_is_an_error_with_its_place(text: str) -> None:
    for call in (torchconf.configure, torchconf.check, torchconf.table):
        if call is torchconf.check and text != "[":
            assert [f.code for f in torchconf.check(text)][:1] == ["TC001"]
            continue
        with pytest.raises(torchconf.TorchconfError) as raised:
            call(text)
        assert "pyproject.toml" in (raised.value.at or "")


def test_a_target_that_is_none_is_an_error_with_a_way_on() -> None:
    with pytest.raises(torchconf.TorchconfError, match="linux-cu999") as raised:
        torchconf.configure(BARE, ["linux-cu999"])
    assert raised.value.help


# Where it runs.

ISOLATED = """
import _thread, sys, types

def refuse(*_, **__):
    raise RuntimeError("this is not for a browser")

# `packaging` imports it and asks nothing of it.
sys.modules["subprocess"] = type("Stub", (types.ModuleType,), {"__getattr__": refuse})("subprocess")
for name in (
    "_posixsubprocess", "_signal", "_socket", "_ssl", "asyncio", "concurrent.futures", "fcntl",
    "grp", "multiprocessing", "pwd", "resource", "select", "signal", "socket", "ssl", "termios",
):
    sys.modules[name] = None
_thread.start_new_thread = refuse

import torchconf

def calls(text):
    new = torchconf.configure(text, ["linux-cuda", "linux-cpu", "macos-cpu"], with_=["torchvision"])
    again = torchconf.configure(new, layout="groups", default="cpu", pin=True)
    return new, again, torchconf.check(again), torchconf.table(again)

first = calls("")

# Everything is loaded: from here on, nothing of the machine is needed.
def hook(event, _):
    if event.split(".")[0] in {"open", "os", "socket", "subprocess", "import"}:
        refuse()

sys.addaudithook(hook)
assert calls("") == first
sys.stdout.write(str(len(first[3])))
"""


def run(code: str, *arguments: str) -> str:
    """Run a program in a Python of its own; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_runs_without_processes_threads_signals_sockets_and_disk() -> None:
    assert int(run(ISOLATED)) > 0


def test_it_runs_from_a_zip_file(tmp_path: Path) -> None:
    file = tmp_path / "torchconf.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for path in PACKAGE.rglob("*"):
            if path.suffix in {".py", ".json"}:
                archive.write(path, path.relative_to(PACKAGE.parent))
    code = (
        "import sys\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "import torchconf\n"
        "sys.stdout.write(torchconf.__file__ + '\\n')\n"
        "sys.stdout.write(torchconf.configure('', ['linux-cuda', 'macos-cpu']))\n"
    )
    place, _, text = run(code, str(file)).partition("\n")
    assert place.startswith(str(file))
    assert text == torchconf.configure("", ["linux-cuda", "macos-cpu"])


def test_the_command_line_does_not_load_it() -> None:
    code = (
        "import sys\n"
        "import torchconf\n"
        "sys.stdout.write(str('torchconf.api' in sys.modules or 'typing' in sys.modules))\n"
    )
    assert run(code) == "False"


def test_names_are_those_that_are_announced() -> None:
    assert all(getattr(torchconf, name) is not None for name in torchconf.__all__)
    with pytest.raises(AttributeError, match="nothing"):
        _ = torchconf.nothing


def test_the_example_of_the_site_runs() -> None:
    text = (PAGES / "reference/library.md").read_text(encoding="utf-8")
    (code,) = (
        block.partition("\n```")[0]
        for block in text.split("```python\n")[1:]
        if "torchconf.configure(" in block
    )
    assert "linux-x86_64" in run(code)
