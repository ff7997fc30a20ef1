"""Small projects as people have them: what is typed, and what must be true afterwards.

A case is a folder with the project's files, in which `{PYPI}` stands for the URL of PyPI's own
index, and `case.toml`:

    title, why, source (where the public report is)
    [[step]]  run = "add-target windows-cuda"   in = "member"   env = { NAME = "..." }
              exit = 0 | 1 | 2 | "refused" (1 or 2) | "any"; by default 0
              out_has, out_lacks: texts of stdout and stderr; case does not matter
              file: which file the next two are about; has, lacks: texts, white space folded
              unchanged: no file differs from what it was before the step
              deps, deps_has, deps_lacks: names in the base dependencies
              rows = [{ package, platform, select, backend }] of `show` after the step; `-` is
              not installed, and `?` not known
              check_has, check_lacks: codes of `check` after the step; `TC106i` is information
              idempotent: the same command again changes nothing
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.paths import TESTS
from tests.support.projects import Result
from torchconf.cli import main
from torchconf.model.backends import PYPI_HOSTS

PYPI = f"https://{'.'.join(PYPI_HOSTS[0])}/simple"
CASES = sorted(case.parent for case in (TESTS / "wild").glob("*/case.toml"))

OPEN: dict[str, str] = {}
"""Cases that do not hold yet, with the part of the work that will mend each."""


class Project:
    """A copy of a case's files, in which steps are taken."""

    def __init__(self, case: Path, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(case, folder, ignore=shutil.ignore_patterns("case.toml"))
        for path in [*folder.rglob("*.toml"), *folder.rglob("Pipfile")]:
            path.write_bytes(path.read_bytes().replace(b"{PYPI}", PYPI.encode()))

    def run(self, command: str, at: str = ".", env: dict[str, str] | None = None) -> Result:
        """Run one command line in a folder of the project, in this process."""
        out, err = io.StringIO(), io.StringIO()
        with (
            pytest.MonkeyPatch.context() as patch,
            contextlib.chdir(self.folder / at),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            for name in [name for name in os.environ if name.startswith(("UV_", "TORCHCONF_"))]:
                patch.delenv(name)
            for name, value in {"NO_COLOR": "1", "COLUMNS": "200", **(env or {})}.items():
                patch.setenv(name, value)
            status = main(shlex.split(command))
        return Result(status, out.getvalue(), err.getvalue())

    def files(self) -> dict[str, bytes]:
        """Return every file with what is in it."""
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        }

    def rows(self, at: str) -> dict[tuple[str, str, str], str]:
        """Return what `show` says: package, platform and choice to backend."""
        found = {}
        for row in self.run("show --format json", at).json.get("routes", []):
            members = re.findall(r"--package (\S+)", row.get("command") or "")
            choice = [
                *(f"--package {name}" for name in members),
                *(f"--extra {name}" for name in row["extras"]),
                *(f"--group {name}" for name in row["groups"]),
            ]
            unknown = row.get("reason") or (row["available"] == "unknown" and row["index"])
            backend = row["backend"] or ("?" if unknown else "-")
            found[row["package"], row["platform"], " ".join(choice)] = backend
        return found

    def codes(self, at: str) -> set[str]:
        """Return the codes that `check` reports; those of information end in `i`."""
        findings = self.run("check --format json", at).json.get("findings", [])
        return {f["code"] + ("i" if f["severity"] == "info" else "") for f in findings}


def fold(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def problems(project: Project, step: dict[str, Any]) -> Iterator[str]:
    """Take a step, and yield what is not as it must be."""
    at = step.get("in", ".")
    before = project.files()
    result = project.run(step["run"], at, step.get("env"))
    yield from _of_output(result, step)
    if step.get("unchanged") and project.files() != before:
        yield "a file changed"
    yield from _of_file(project, step)
    rows = project.rows(at) if "rows" in step else {}
    for row in step.get("rows", []):
        key = (row.get("package", "torch"), row["platform"], row.get("select", ""))
        if rows.get(key) != row["backend"]:
            yield f"show says {rows.get(key, 'no row')} for {key}, must be {row['backend']}"
    codes = project.codes(at) if {"check_has", "check_lacks"} & step.keys() else set()
    for code in step.get("check_has", []):
        if not {code, f"{code}i"} & codes:
            yield f"check lacks {code}, has {sorted(codes)}"
    for code in step.get("check_lacks", []):
        if code in codes:
            yield f"check has {code}"
    if step.get("idempotent"):
        once = project.files()
        project.run(step["run"], at, step.get("env"))
        if project.files() != once:
            yield "a second run changed something"


def _of_output(result: Result, step: dict[str, Any]) -> Iterator[str]:
    output = fold(result.out + result.err)
    if "this is a bug" in output:
        yield f"a crash: {output[-160:]}"
    wanted = step.get("exit", 0)
    fits = {"any": True, "refused": result.status in {1, 2}}.get(wanted, result.status == wanted)
    if not fits:
        yield f"exit {result.status}, not {wanted}: {fold(result.err)[:160]}"
    for text in step.get("out_has", []):
        if fold(text).lower() not in output.lower():
            yield f"output lacks {text!r}"
    for text in step.get("out_lacks", []):
        if fold(text).lower() in output.lower():
            yield f"output has {text!r}"


def _of_file(project: Project, step: dict[str, Any]) -> Iterator[str]:
    default = Path(step.get("in", "."), "pyproject.toml")
    path = project.folder / step.get("file", default)
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    for wanted in step.get("has", []):
        if fold(wanted) not in fold(text):
            yield f"{path.name} lacks {wanted!r}"
    for unwanted in step.get("lacks", []):
        if fold(unwanted) in fold(text):
            yield f"{path.name} has {unwanted!r}"
    if not {"deps", "deps_has", "deps_lacks"} & step.keys():
        return
    lines = tomllib.loads(text)["project"].get("dependencies", [])
    names = sorted(re.split(r"[^\w.-]", line, maxsplit=1)[0].lower() for line in lines)
    if "deps" in step and names != sorted(step["deps"]):
        yield f"dependencies are {names}"
    for name in step.get("deps_has", []):
        if name not in names:
            yield f"dependencies lack {name}"
    for name in step.get("deps_lacks", []):
        if name in names:
            yield f"dependencies have {name}"


def _parameter(case: Path) -> Any:
    marks = []
    if part := OPEN.get(case.name):
        marks.append(pytest.mark.xfail(strict=True, reason=part, raises=AssertionError))
    return pytest.param(case, id=case.name, marks=marks)


@pytest.mark.parametrize("case", [_parameter(case) for case in CASES])
def test_real_project(case: Path, tmp_path: Path) -> None:
    told = tomllib.loads((case / "case.toml").read_text(encoding="utf-8"))
    project = Project(case, tmp_path / "demo")
    found = [
        f"step {number} `{step['run']}`: {problem}"
        for number, step in enumerate(told["step"], start=1)
        for problem in problems(project, step)
    ]
    assert not found, "\n".join([told["title"], *found])


def test_open_cases_exist() -> None:
    assert OPEN.keys() <= {case.name for case in CASES}
