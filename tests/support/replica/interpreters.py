"""An interpreter for every requires-python, on a machine that has only one.

`uv lock` refuses a project whose requires-python excludes the interpreter, although the lock is
universal and depends on it in nothing (0.13.9: 'The requested interpreter resolved to Python
3.11.7, which is incompatible with the project's Python requirement'). `--python` does not help
but by naming another interpreter. uv believes what an interpreter says of itself, so: a virtual
environment in which Python gives another version. That is good for `lock`; `export --frozen` does
not ask, and nothing can be installed into it.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import sysconfig
import tempfile
import tomllib
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

MINORS = range(15, 6, -1)
LATE_PATCH = 9

PRETEND = (
    "import platform, sys; "
    "sys.version_info = type('version_info', (tuple,), "
    "dict(major=3, minor={minor}, micro={patch}, releaselevel='final', serial=0))"
    "((3, {minor}, {patch}, 'final', 0)); "
    "platform.python_version = lambda: '3.{minor}.{patch}'\n"
)
"""A line for a .pth file, which `site` runs even under `python -I`, as uv calls it."""

DISTUTILS = """\
class Distribution:
    def __init__(self, options):
        self.options = options

    def parse_config_files(self):
        pass

    def get_option_dict(self, command):
        return {}

    def get_command_obj(self, command, create):
        return Install()


class Install:
    prefix = ""
    install_purelib = install_platlib = install_headers = install_scripts = install_data = "lib"

    def finalize_options(self):
        pass
"""
"""What uv asks a Python before 3.12 for its folders with, which a later one has no more.

Nothing is installed into an interpreter that pretends: any folder will do.
"""
NO_DISTUTILS = 12
"""The first minor release of Python without distutils."""


def interpreter_for(project: Path, folder: Path) -> Path:
    """Return an interpreter that a project's requires-python allows: the running one if it can.

    Args:
        project: Folder of a pyproject.toml.
        folder: Where interpreters that pretend are kept for the next time.
    """
    allowed = requires_python(project)
    if allowed.contains(platform.python_version(), prereleases=True):
        return Path(sys.executable)
    for minor in MINORS:
        if allowed.contains(f"3.{minor}.{LATE_PATCH}"):
            return _pretending(minor, folder)
    return Path(sys.executable)


def requires_python(project: Path) -> SpecifierSet:
    """Return the Pythons that uv will ask for: all members of a workspace must agree."""
    specifiers = SpecifierSet()
    for data in _workspace(project):
        try:
            specifiers &= SpecifierSet(data.get("project", {}).get("requires-python", ""))
        except InvalidSpecifier:
            # uv will say so, better than we could.
            continue
    return specifiers


def _workspace(project: Path) -> Iterator[dict[str, Any]]:
    for root in (project, *project.absolute().parents):
        data = _read(root)
        workspace = data.get("tool", {}).get("uv", {}).get("workspace")
        if workspace is not None:
            yield data
            for pattern in workspace.get("members", []):
                yield from (_read(member) for member in root.glob(pattern))
            return
    yield _read(project)


def _read(folder: Path) -> dict[str, Any]:
    try:
        return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        # Not there, or TOML that uv reads and this Python does not.
        return {}


def _pretending(minor: int, folder: Path) -> Path:
    home = folder / f"python3.{minor}-on-{platform.python_version()}"
    if not home.exists():
        folder.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=folder))
        venv.create(made, symlinks=os.name != "nt")
        base = {"base": str(made), "platbase": str(made)}
        site = Path(sysconfig.get_path("purelib", "venv", base))
        line = PRETEND.format(minor=minor, patch=LATE_PATCH)
        (site / "pretend.pth").write_text(line, encoding="utf-8")
        if minor < NO_DISTUTILS <= sys.version_info.minor:
            (site / "distutils" / "command").mkdir(parents=True)
            (site / "distutils" / "dist.py").write_text(DISTUTILS, encoding="utf-8")
            keys = 'SCHEME_KEYS = ("purelib", "platlib", "headers", "scripts", "data")\n'
            (site / "distutils" / "command" / "install.py").write_text(keys, encoding="utf-8")
        try:
            made.rename(home)
        except OSError:
            # Another test run was faster.
            shutil.rmtree(made)
    return home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
