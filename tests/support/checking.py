"""Checking texts and folders in tests, without the command line."""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.support.paths import CASES
from torchconf.catalog import load_catalog
from torchconf.edits import edit_text
from torchconf.errors import ProjectError
from torchconf.model.project import Project
from torchconf.model.read_project import read_project
from torchconf.model.scripts import as_project, find_block
from torchconf.model.targets import PLATFORMS
from torchconf.rules import RULES, Context, Finding, Severity, Workspace, find
from torchconf.rules.engine import CheckedFile, Unit
from torchconf.rules.rule_selection import RuleSelection

CATALOG = load_catalog()
OPTIONAL = tuple(rule.code for rule in RULES if rule.is_optional)


def check_text(text: str, *, lockfile: str = "", targets: tuple[str, ...] = ()) -> list[Finding]:
    """Return the findings of one document, those of optional rules included.

    Args:
        text: The pyproject.toml.
        lockfile: The text of its uv.lock.
        targets: Keys of platforms that the project is said to be for: `macos-x86_64`. A comment
            `# check -t macos-x86_64` says it, too.
    """
    problems: list[ProjectError] = []
    project = read_project(tomllib.loads(text), problems=problems)
    workspace = Workspace(project, catalog=CATALOG.for_project(project), lockfile=lockfile)
    targets = (*targets, *re.findall(r"^# check -t (\S+)$", text, re.MULTILINE))
    platforms = [platform for platform in PLATFORMS if platform.key in targets]
    context = Context(project, workspace, problems=problems, targets=platforms, text=text)
    return list(find(context, OPTIONAL))


def check_script(text: str) -> list[Finding]:
    """Return the findings of a script (PEP 723)."""
    block = find_block(text, "script.py")
    assert block is not None
    problems: list[ProjectError] = []
    data = as_project(tomllib.loads(block.toml))
    project = read_project(data, problems=problems, is_script=True)
    workspace = Workspace(project, catalog=CATALOG)
    return list(find(Context(project, workspace, problems=problems)))


def check_path(path: Path) -> dict[str, list[Finding]]:
    """Return the findings of a file, or of all files of a folder, by relative path.

    In a folder, `pyproject.toml` is the workspace root or the project; what its members and its
    path sources name is read too. `uv.lock`, or `lockfile.toml`, is the lockfile.
    """
    if path.suffix == ".py":
        return {path.name: check_script(path.read_text(encoding="utf-8"))}
    if path.is_file():
        return {path.name: check_text(path.read_text(encoding="utf-8"))}
    if not (path / "pyproject.toml").is_file():
        return {
            one.name: check_script(one.read_text(encoding="utf-8")) for one in path.glob("*.py")
        }
    problems: dict[str, list[ProjectError]] = {}

    def read(folder: Path, root: Project | None = None) -> Project:
        name = (folder / "pyproject.toml").relative_to(path).as_posix()
        data = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
        return read_project(data, root=root, at=name, problems=problems.setdefault(name, []))

    root = read(path)
    folders = [found for pattern in root.workspace_members for found in sorted(path.glob(pattern))]
    members = [read(folder, root) for folder in folders]
    libraries = {
        os.path.normpath(source.value): read(path / source.value)
        for sources in root.sources.values()
        for source in sources
        if source.kind == "path" and (path / source.value / "pyproject.toml").is_file()
    }
    lockfiles = [path / name for name in ("uv.lock", "lockfile.toml") if (path / name).is_file()]
    lockfile = lockfiles[0].read_text(encoding="utf-8") if lockfiles else ""
    workspace = Workspace(root, members, libraries, catalog=CATALOG, lockfile=lockfile)
    return {
        project.at: list(find(Context(project, workspace, problems=problems[project.at])))
        for project in (root, *members)
    }


def alarms(text: str) -> list[str]:
    """Return errors and warnings; what a right file may be told is information."""
    found = [f for f in check_text(text) if f.severity is not Severity.INFO]
    return [f"{f.code} {f.at}: {f.message}" for f in found]


def fixed_text(text: str, code: str) -> str:
    """Return a document after the fixes of one rule, taken one after the other."""
    for _ in range(50):
        fixes = [f.fix for f in check_text(text) if f.code == code and f.fix is not None]
        if not fixes:
            return text
        text = edit_text(text, fixes[0].steps)
    raise AssertionError(f"the fixes of {code} come to no end")


def fixed_script(text: str, code: str) -> str:
    """Return a script after the fixes of one rule."""
    selection = RuleSelection(select=(code,))
    script = CheckedFile("script.py", text, is_script=True)
    (fixed,) = Unit(script, catalog=CATALOG, selection=selection).fix(unsafe=True)
    assert not fixed.outcome.findings
    return fixed.text


def case_folders(case: Path) -> Iterator[tuple[Path, set[str], set[str]]]:
    """Yield the folders of a case: each with the codes that must and that may be reported."""
    told = tomllib.loads((case / "case.toml").read_text(encoding="utf-8"))
    yield case, set(told["expect"]), set(told["expect"]) | set(told["allowed"])
    if told["fixed"]:
        yield (case / told["fixed"]).parent, set(), set()


def main(prefix: str) -> None:
    """Print, for each case, what is found with codes of this prefix, and what differs."""
    for case in sorted(CASES.glob("[0-9]*")):
        for folder, expected, allowed in case_folders(case):
            found = [f for each in check_path(folder).values() for f in each]
            found = [f for f in found if f.code.startswith(prefix) and f.code not in OPTIONAL]
            codes = {f.code for f in found}
            missing = {code for code in expected if code.startswith(prefix)} - codes
            wrong = {f.code for f in found if f.severity is not Severity.INFO} - allowed
            if found or missing or wrong:
                name = folder.relative_to(CASES)
                print(f"{name}: missing {missing or '-'}, wrong {wrong or '-'}")
                for f in found:
                    print(f"    {f.severity.value} {f.code} {f.at}: {f.message}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "TC")
