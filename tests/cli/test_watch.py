"""`check --watch`: what is watched, what makes it check again, and how it ends."""

from __future__ import annotations

import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.projects import EXAMPLES, run_in
from torchconf.cli.watching import folders_of, matters
from torchconf.rules.rule_selection import RuleSelection
from torchconf.workspace.discovery import Gatherer, Look

GOOD = (EXAMPLES / "extras.toml").read_text(encoding="utf-8")
BAD = GOOD.replace("== 'linux'", "== 'Linux'")
SCRIPT = """\
# /// script
# dependencies = ['torch']
# [tool.uv.sources]
# torch = { index = 'x' }
# ///
"""
MEMBER = "[project]\nname = 'a'\nversion = '1'\n"


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("files", "path", "folders"),
    [
        ({"pyproject.toml": GOOD, "src/a.py": ""}, "pyproject.toml", ["."]),
        (
            {
                "pyproject.toml": "[tool.uv.workspace]\nmembers = ['packages/*', 'apps/web']\n",
                "packages/deep/pyproject.toml": MEMBER,
                "apps/web/pyproject.toml": MEMBER.replace("'a'", "'b'"),
                "other/pyproject.toml": MEMBER,
            },
            "pyproject.toml",
            [".", "apps", "apps/web", "packages", "packages/deep"],
        ),
        # No member yet: one may come.
        (
            {"pyproject.toml": "[tool.uv.workspace]\nmembers = ['packages/*']\n", "packages/x": ""},
            "pyproject.toml",
            [".", "packages"],
        ),
        # Of a folder, all that git does not ignore.
        (
            {
                "pyproject.toml": GOOD, ".gitignore": "out/\n", "a/b/c.py": "", "out/d.py": "",
                ".git/x": "",
            },
            ".",
            [".", "a", "a/b"],
        ),
        ({"scripts/train.py": SCRIPT}, "scripts/train.py", ["scripts"]),
    ],
)  # fmt: skip
def test_folders_that_are_watched(
    files: dict[str, str], path: str, folders: list[str], tmp_path: Path
) -> None:
    where = written(tmp_path, files) / path
    gatherer = Gatherer(RuleSelection(), ())
    if path == "pyproject.toml":
        units = [gatherer.project(str(where))]
    else:
        units = [*gatherer.gather([str(where)])]
    found = folders_of(Look(gatherer, units), [str(where)] if where.is_dir() else [])
    assert sorted(os.path.relpath(each, tmp_path) for each in found) == folders


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pyproject.toml", True),
        ("uv.lock", True),
        ("train.py", True),
        ("train.py.lock", True),
        (".gitignore", True),
        ("notes.txt", False),
        (".pyproject.toml.swp", False),
        ("4913", False),  # vim asks by such a file whether it may write
        ("new", True),  # a folder that has come
        ("gone", True),  # one that was watched
    ],
)
def test_changes_that_matter(name: str, expected: bool, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    watched = frozenset({str(tmp_path), str(tmp_path / "gone")})
    assert matters(str(tmp_path / name), watched) is expected


@pytest.mark.parametrize("others", ["--fix", "--diff", "--format json", "--format sarif", "-"])
def test_what_cannot_be_repeated_is_refused(others: str, tmp_path: Path) -> None:
    result = run_in(written(tmp_path, {"pyproject.toml": GOOD}), f"check --watch {others}")
    assert result.status == 2
    assert f"`--watch` and `{others}` cannot be combined" in result.err + result.out


def test_without_its_extra_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    result = run_in(written(tmp_path, {"pyproject.toml": GOOD}), "check --watch")
    assert result.status == 2
    assert "help: run `uv tool install 'torchconf[watch]'`" in result.err


def test_where_there_is_no_project_nothing_is_watched(tmp_path: Path) -> None:
    result = run_in(tmp_path, "check --watch")
    assert result.status == 2
    assert "no `pyproject.toml`" in result.err


class Watching:
    """A run in a pipe: what it prints, part by part."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self._lines: queue.Queue[str] = queue.Queue()
        self.everything = ""
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.decode())

    def next(self) -> str:
        """Return what is printed until it waits again."""
        part = ""
        while "watching for changes" not in part:
            part += self._lines.get(timeout=60)
        self.everything += part
        return part

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=30)


@contextmanager
def watching(folder: Path, *words: str) -> Iterator[Watching]:
    command = [sys.executable, "-m", "torchconf", "check", "--watch", *words]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            yield Watching(process)
        finally:
            process.kill()


def replaced(path: Path, text: str) -> None:
    """Write a file as most editors do: another one takes its name."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


signals = pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent otherwise there")


@signals
@pytest.mark.slow
def test_each_change_is_checked_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    path = written(tmp_path, {"pyproject.toml": GOOD}) / "pyproject.toml"
    with watching(tmp_path) as it:
        assert "nothing found" in it.next()
        replaced(path, BAD)
        assert "TC401" in it.next()
        path.write_text("a = [", encoding="utf-8")
        assert "not valid TOML" in it.next()
        path.unlink()
        assert "no `pyproject.toml`" in it.next()
        replaced(path, GOOD)
        assert "nothing found" in it.next()
        (tmp_path / "notes.txt").write_text("", encoding="utf-8")
        assert it.stop() == 130
    assert "\033" not in it.everything, "nothing clears a pipe"


@signals
@pytest.mark.slow
def test_members_that_change_come_and_go_are_checked(tmp_path: Path) -> None:
    root = "[tool.uv.workspace]\nmembers = ['packages/*']\n"
    written(tmp_path, {"pyproject.toml": root, "packages/a/pyproject.toml": MEMBER})
    broken = f"{MEMBER}dependencies = ['torch']\n[tool.uv.sources]\ntorch = {{ index = 'x' }}\n"
    with watching(tmp_path) as it:
        assert "nothing found in 2 files" in it.next()
        replaced(tmp_path / "packages/a/pyproject.toml", broken)
        assert "TC105" in it.next()
        replaced(tmp_path / "packages/a/pyproject.toml", MEMBER)
        assert "nothing found in 2 files" in it.next()
        # A folder that is filled before it has its name.
        written(tmp_path, {"made/pyproject.toml": broken.replace("'a'", "'b'")})
        (tmp_path / "made").rename(tmp_path / "packages" / "b")
        assert "TC105" in next(part for part in iter(it.next, "") if "3 files" in part)
        shutil.rmtree(tmp_path / "packages" / "b")
        assert next(part for part in iter(it.next, "") if "nothing found in 2 files" in part)
        assert it.stop() == 130


@signals
@pytest.mark.slow
def test_a_new_script_in_a_folder_is_checked(tmp_path: Path) -> None:
    written(tmp_path, {"pyproject.toml": GOOD, "scripts/readme.md": ""})
    with watching(tmp_path, ".") as it:
        assert "nothing found in 1 file" in it.next()
        replaced(tmp_path / "scripts" / "train.py", SCRIPT)
        assert "TC105" in it.next()
        assert it.stop() == 130


@signals
@pytest.mark.slow
def test_a_terminal_is_cleared_before_each_check(tmp_path: Path) -> None:
    import pexpect  # type: ignore[import-untyped] # it has no stubs

    path = written(tmp_path, {"pyproject.toml": GOOD}) / "pyproject.toml"
    words = ["-m", "torchconf", "check", "--watch", "--color", "never"]
    child = pexpect.spawn(sys.executable, words, cwd=str(tmp_path), timeout=60, encoding="utf-8")
    child.expect_exact("\033[2J")
    child.expect_exact("watching for changes; press Ctrl-C to stop")
    assert "nothing found" in child.before
    replaced(path, BAD)
    child.expect_exact("\033[2J")
    child.expect_exact("watching for changes")
    assert "TC401" in child.before
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
