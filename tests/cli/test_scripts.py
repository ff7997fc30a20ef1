"""`--script`: commands that edit the metadata block of a script, and what the real uv makes of it.

A folder under `scripts` has `before.txt`, `command.txt` and `after.txt`, as `changes` has for
projects.
"""

from __future__ import annotations

import json
import shlex
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.paths import TESTS
from tests.support.replica import Replica
from tests.support.replica.export import Build
from torchconf.cli import main

FOLDER = TESTS / "cli" / "scripts"
CASES = sorted(path.parent for path in FOLDER.glob("*/command.txt"))
SCRIPT = """\
#!/usr/bin/env -S uv run --script
# /// script
# requires-python = ">=3.11,<3.15"
# dependencies = [
#     "torch>=2.12.0",
# ]
#
# [tool.uv.sources]
# torch = [
#     { index = "pytorch-cu130", marker = "sys_platform == 'linux'" },
# ]
#
# [[tool.uv.index]]
# name = "pytorch-cu130"
# url = "https://download.pytorch.org/whl/cu130"
# explicit = true
# ///
import torch
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(command: str) -> int:
    """Run a command in the current folder."""
    return main(shlex.split(command.removeprefix("torchconf ")))


# Nothing changes.


@pytest.mark.parametrize(
    ("command", "message", "help_"),
    [
        ("init -y", "no target given", "name targets with `-t`"),
        (
            "init -t linux-cpu -t linux-cu130",
            "a script has one build for each platform, but linux would have cpu and cu130",
            "make a project instead",
        ),
        ("add-target linux-cpu", "but linux would have cu130 and cpu", "make a project instead"),
        (
            "add-target linux-cpu --layout extras",
            "a script cannot have `--layout extras`: uv refuses `conflicts`",
            "omit it, or run `torchconf init`",
        ),
        ("init -t linux-cu130 --layout groups", "`--layout groups`: uv refuses `conflicts`", ""),
        ("init -t linux-cu130 --default cu130", "uv refuses `default-groups` in the block", "omit"),
        ("init -t linux-cu130 --default machine", "uv refuses `default-groups`", "omit it"),
        ("init -t linux-cu130 --name cu130=gpu", "`--name`: uv refuses `conflicts`", "omit it"),
        (
            "init -t linux-cu130 --required-environments",
            "uv refuses `required-environments` in the block of a script",
            "omit it",
        ),
        ("remove-target windows-cpu", "the project has no target `windows-cpu`", "linux-cu130"),
        ("upgrade --backend cu126=cu130", "cu126", "cu130"),
        ("show --project .", "`--script` and `--project` name two files", "omit one of them"),
    ],
)  # fmt: skip
def test_refused(
    command: str, message: str, help_: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = here / "train.py"
    script.write_bytes(SCRIPT.encode())

    assert run(f"{command} --script train.py") == 2
    said = capsys.readouterr().err
    assert message in said
    assert help_ in said
    assert script.read_bytes() == SCRIPT.encode()
    assert [path.name for path in here.iterdir()] == ["train.py"]


@pytest.mark.parametrize(
    ("command", "help_"),
    [
        ("show train.py", "name a script with `--script train.py`"),
        ("init -t linux-cpu train.py", "name a script with `--script train.py`"),
        ("show --project train.py", "commands that read scripts take one with `--script`"),
        ("show --script pyproject.toml", "name its folder with `--project`"),
    ],
)
def test_a_file_named_another_way_is_told_how(
    command: str, help_: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "train.py").write_bytes(SCRIPT.encode())

    assert run(command) == 2
    assert help_ in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "command", "message", "at"),
    [
        (None, "show", "no such file", "train.py"),
        ("print()\n", "show", "no `# /// script` block", "train.py"),
        ("print()\n", "add-target linux-cpu", "no `# /// script` block", "train.py"),
        ("# /// script\n# x = \n# ///\n", "show", "not valid TOML", "train.py, line 2"),
        ("\n# /// script\n# x = 1\n", "init -t linux-cpu", "not closed", "train.py, line 2"),
        (
            "# /// script\n# dependencies = [1]\n# ///\n",
            "show",
            "expected a string, found a number",
            "train.py, dependencies[0]",
        ),
        (
            SCRIPT.replace("# ///\n", "#\n# [tool.uv]\n# conflicts = []\n# ///\n"),
            "add-target windows-cpu",
            "uv refuses a script with `conflicts`",
            "train.py, tool.uv.conflicts",
        ),
        ("\ufeff# /// script\n# ///\n", "init -t linux-cpu", "byte order mark", "train.py, line 1"),
    ],
)
def test_a_file_that_cannot_be_used(
    text: str | None,
    command: str,
    message: str,
    at: str,
    here: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    script = here / "train.py"
    if text is not None:
        script.write_bytes(text.encode())

    assert run(f"{command} --script train.py") == 2
    said = capsys.readouterr().err
    assert message in said
    assert f"   at: {at}\n" in said
    assert text is None or script.read_bytes() == text.encode()


# Something does.


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_command_turns_before_into_after(case: Path, here: Path) -> None:
    script = here / "train.py"
    script.write_bytes((case / "before.txt").read_bytes())
    command = (case / "command.txt").read_text(encoding="utf-8")
    after = (case / "after.txt").read_bytes()

    assert run(command) == 0
    assert script.read_bytes() == after

    # Neither a target that was removed nor a build that was left is there once more.
    again = 2 if "remove-target" in command or "--backend" in command else 0
    assert run(command) == again
    assert script.read_bytes() == after, "a second run changes nothing"
    assert [path.name for path in here.iterdir()] == ["train.py"]
    assert run("check train.py --strict") == 0


SHAPES = {
    "LF": lambda text: text,
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "a byte order mark": lambda text: f"\ufeff{text}",
    "spaces in empty lines": lambda text: text.replace("#\n", "# \n"),
    "in the middle": lambda text: f"import os\n\n\n{text}",
    "no final line end": lambda text: text.removesuffix("import torch\n").removesuffix("\n"),
    "a text that looks like a block": lambda text: f'{text}x = """\n# /// script\n# y = 1\n"""\n',
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("target", ["windows-cu130", "macos-cpu"])
def test_add_and_remove_give_the_bytes_back(
    shape: Callable[[str], str], target: str, here: Path
) -> None:
    script = here / "train.py"
    text = shape(SCRIPT).encode()
    script.write_bytes(text)

    assert run(f"add-target {target} --script train.py") == 0
    assert script.read_bytes() != text
    assert run(f"remove-target {target} --script train.py") == 0
    assert script.read_bytes() == text


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such bit")
def test_an_executable_stays_one(here: Path) -> None:
    script = here / "train.py"
    script.write_text(SCRIPT)
    script.chmod(0o755)

    assert run("add-target windows-cu130 --script train.py") == 0
    assert stat.S_IMODE(script.stat().st_mode) == 0o755


def test_dry_run_and_check_write_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = here / "train.py"
    script.write_text(SCRIPT)

    assert run("add-target windows-cu130 --script train.py --dry-run") == 0
    assert "+#     { index = " in capsys.readouterr().out
    assert run("add-target windows-cu130 --script train.py --check") == 1
    assert script.read_text() == SCRIPT


# Reading.


def test_show_and_explain_name_the_command_and_the_places(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "my train.py").write_text(SCRIPT)
    # A project beside it has no say.
    (here / "pyproject.toml").write_text('[project]\nname = "a"\nversion = "0"\n')

    assert run("show --script 'my train.py' --format json") == 0
    rows = json.loads(capsys.readouterr().out)["routes"]
    assert {row["platform"]: row["backend"] for row in rows} == {
        "linux-x86_64": "cu130",
        "linux-aarch64": "cu130",
        "windows-x86_64": "pypi",
        "macos-arm64": "pypi",
    }
    assert {row["command"] for row in rows} == {"uv run --script 'my train.py'"}

    assert run("explain linux --script 'my train.py'") == 0
    assert "required by `torch>=2.12.0`, at dependencies[0]" in capsys.readouterr().out


def test_a_script_without_torch_is_no_error(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "train.py").write_text("# /// script\n# dependencies = []\n# ///\n")
    (here / "requirements.txt").write_text("torch\n")

    assert run("show --script train.py") == 0
    assert capsys.readouterr().err == "no PyTorch packages found in this script\n"


# What a script does not have.

SCOPED = """\
# /// script
# requires-python = ">=3.11"
# dependencies = ["torch"]
#
# [tool.uv.sources]
# torch = { index = "pytorch-cpu", SCOPE = "cpu" }
#
# [[tool.uv.index]]
# name = "pytorch-cpu"
# url = "https://download.pytorch.org/whl/cpu"
# explicit = true
# ///
"""


@pytest.mark.parametrize(("scope", "build"), [("extra", "pypi"), ("group", "cpu")])
def test_a_source_with_a_scope_is_read_as_uv_reads_it(
    scope: str, build: str, here: Path, replica: Replica, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "train.py").write_text(SCOPED.replace("SCOPE", scope))

    assert run("show --script train.py --format json") == 0
    rows = json.loads(capsys.readouterr().out)["routes"]
    assert {row["backend"] for row in rows} == {build}
    replica.lock(here, "--script", "train.py")
    torch = replica.export(here, "--script", "train.py").select("linux-x86_64", "3.13")["torch"]
    assert isinstance(torch, Build)
    assert ("pytorch.org/whl/cpu" in (torch.index or "")) == (build == "cpu")

    assert run("check train.py --format json --strict") == 1
    found = json.loads(capsys.readouterr().out)["findings"]
    assert [(one["code"], one["at"]) for one in found] == [
        ("TC003", f"tool.uv.sources.torch.{scope}")
    ]
    assert run("init --script train.py -t linux-cpu -t windows-cpu --force") == 0
    text = (here / "train.py").read_text()
    assert '# torch = { index = "pytorch-cpu" }' in text
    assert "optional-dependencies" not in text


def test_check_reads_what_uv_reads_with_a_script(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "tools").mkdir()
    (here / "lib").mkdir()
    (here / "lib" / "pyproject.toml").write_text(
        '[project]\nname = "lib"\nversion = "0"\ndependencies = ["torch"]\n'
    )
    text = SCOPED.replace(', SCOPE = "cpu"', "").replace('"torch"', '"lib"')
    text = text.replace("# torch =", '# lib = { path = "../lib" }\n# torch =')
    (here / "tools" / "train.py").write_text(text)
    assert run("check tools/train.py --strict") == 1
    assert "TC201" in capsys.readouterr().out, "the library brings torch, past the source"

    (here / "tools" / "train.py").write_text(text.replace('"lib"', '"lib", "torch"'))
    assert run("check tools/train.py --strict") == 0
    lock = here / "tools" / "train.py.lock"
    lock.write_text(
        'version = 1\n[[package]]\nname = "torch"\nversion = "2.13.0"\n'
        'source = { registry = "https://packages.example.org/simple" }\n'
    )
    capsys.readouterr()
    assert run("check tools/train.py --strict") == 1
    out = capsys.readouterr().out
    assert "train.py.lock takes `torch` from https://packages.example.org/simple" in out
    assert "uv lock --script" in out


def test_help_names_the_script(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = """#
# [tool.torchconf]
# targets = ["linux-cu130"]
#
# [tool.uv]
# torch-backend = "cpu"
# ///
"""
    text = SCOPED.replace(', SCOPE = "cpu"', "").removesuffix("# ///\n") + more
    (here / "train.py").write_text(text)

    assert run("check train.py") == 1
    out = capsys.readouterr().out
    assert "run `torchconf init --script train.py -y` to bring the tables in line" in out
    assert run("check train.py --fix --unsafe-fixes --select TC506") == 0
    assert "torch-backend" not in (here / "train.py").read_text()
    assert "[tool.uv.pip]" not in (here / "train.py").read_text()


# The real uv.

PLATFORMS = {
    "linux": "linux-x86_64",
    "linux-aarch64": "linux-aarch64",
    "windows": "windows-x86_64",
    "macos": "macos-arm64",
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "targets",
    [
        "linux-cu130 windows-cu126 macos-cpu",
        "linux-rocm7.2 windows-cpu macos-cpu",
        "linux-cpu windows-cpu macos-cpu",
        "linux-xpu windows-xpu",
        "linux-pypi windows-cu130",
        "linux-cu126 linux-aarch64-cpu macos-mps",
    ],
)
def test_each_target_gets_its_build(targets: str, replica: Replica, here: Path) -> None:
    script = here / "train.py"
    script.write_text("print()\n")
    words = " ".join(f"-t {target}" for target in targets.split())
    assert run(f"init --script train.py {words} --with torchvision --torch 2.13") == 0

    replica.lock(here, "--script", "train.py")
    export = replica.export(here, "--script", "train.py")
    for target in targets.split():
        platform, _, build = target.rpartition("-")
        found = export.select(PLATFORMS[platform], "3.13")
        for package in ("torch", "torchvision"):
            one = found[package]
            assert isinstance(one, Build), target
            if build == "pypi":
                assert "pytorch.org" not in (one.index or "")
            else:
                assert (one.index or "").endswith(build.replace("mps", "cpu")), target
        torch = found["torch"]
        assert isinstance(torch, Build)
        assert (torch.version or "").startswith("2.13.0")


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_uv_locks_what_was_written(case: Path, replica: Replica, here: Path) -> None:
    (here / "train.py").write_bytes((case / "after.txt").read_bytes())
    replica.lock(here, "--script", "train.py")
    export = replica.export(here, "--script", "train.py")
    torch = export.select("linux-x86_64", "3.13")["torch"]
    assert isinstance(torch, Build), "uv has seen the block"


@pytest.mark.slow
def test_uv_runs_the_script_and_lock_keeps_its_lockfile(
    replica: Replica,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    script = here / "train.py"
    script.write_text("import torch\nprint(torch.__version__)\n")
    for name, value in replica.environment().items():
        monkeypatch.setenv(name, value)

    command = "init --script train.py -t linux-cpu -t windows-cpu -t macos-cpu --torch 2.12"
    assert run(f"{command} --lock") == 0
    lock = here / "train.py.lock"
    assert 'version = "2.12.1+cpu"' in lock.read_text()
    ran = replica.uv("run", "--script", "train.py", cwd=here)
    assert ran.stdout.startswith("2.12.1"), ran.stderr

    monkeypatch.chdir(here.parent)
    capsys.readouterr()
    at = shlex.quote(str(Path(here.name, "train.py")))
    assert run(f"upgrade --script {at} --torch 2.13") == 0
    hint = f"run `uv lock --upgrade-package torch --script {at}` to update train.py.lock\n"
    assert hint in capsys.readouterr().err
    words = shlex.split(hint.partition("`")[2].partition("`")[0])
    assert replica.uv(*words[1:], cwd=here.parent).returncode == 0
    assert 'version = "2.13.0+cpu"' in lock.read_text()

    monkeypatch.chdir(here)
    assert run("upgrade --script train.py --torch 2.12 --lock") == 0
    assert 'version = "2.12.1+cpu"' in lock.read_text()
    assert sorted(path.name for path in here.iterdir()) == ["train.py", "train.py.lock"]


@pytest.mark.uv
def test_a_failed_lock_restores_the_script_and_its_lockfile(
    replica: Replica, here: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    text = SCRIPT.replace("# ]\n#\n", '#     "nothing-has-this-name",\n# ]\n#\n', 1)
    (here / "train.py").write_text(text)
    (here / "train.py.lock").write_text("version = 1\n")
    for name, value in replica.environment().items():
        monkeypatch.setenv(name, value)

    assert run("add-target windows-cu130 --script train.py --lock") == 2
    assert "`uv lock --script train.py` failed; all files restored" in capfd.readouterr().err
    assert (here / "train.py").read_text() == text
    assert (here / "train.py.lock").read_text() == "version = 1\n"


@pytest.mark.parametrize("command", ["sync", "run", "use", "doctor"])
def test_what_has_nothing_to_choose_says_what_installs_a_script(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(f"{command} --script train.py") == 2
    error = capsys.readouterr().err
    assert f"`torchconf {command}` takes no script" in error
    assert "help: install and run it with `uv run --script FILE`" in error


@pytest.mark.uv
def test_verify_and_export_know_scripts(
    inside_replica: Replica, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "scripts").mkdir()
    script = here / "scripts" / "train.py"
    script.write_text("print()\n")
    (here / "scripts" / "other.txt").write_text("not copied")
    at = "--script scripts/train.py"
    assert run(f"init {at} -t linux-cu130 -t macos-cpu --torch 2.13 --python 3.12") == 0
    capsys.readouterr()

    assert run(f"verify {at} --python 3.12 --format json") == 0
    rows = json.loads(capsys.readouterr().out)["routes"]
    found = {row["platform"]: (row["backend"], row["version"], row["problem"]) for row in rows}
    assert found["linux-x86_64"] == ("cu130", "2.13.0+cu130", None)
    assert found["macos-arm64"][0] == "cpu"
    assert not (here / "scripts" / "train.py.lock").exists(), "a copy was locked"

    for words in ("verify --frozen", "verify --locked", "export --dry-run"):
        assert run(f"{words} {at}") == 2
        error = capsys.readouterr().err
        assert "train.py.lock not found" in error
        assert "help: run `uv lock --script train.py`" in error
    inside_replica.lock(here / "scripts", "--script", "train.py")
    assert run(f"verify {at} --locked --python 3.12") == 0
    capsys.readouterr()
    assert run(f"export linux-cu130 {at} --python 3.12 --dry-run") == 0
    text = capsys.readouterr().out
    assert "torch==2.13.0+cu130" in text
    assert "# Generated from train.py.lock by:" in text
    assert "torchconf export linux-cu130 --script scripts/train.py --python 3.12" in text
    assert run(f"export {at} --format pylock.toml --check --python 3.12") == 1
    assert run(f"export {at} --group dev") == 2
    assert "a script has no dependency groups" in capsys.readouterr().err
