"""Migrating a pasted file of another tool, with the command itself in a folder of its own."""

from __future__ import annotations

import io
import json
import os
import shutil
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

from docs.engine.state import DEFAULT_FOLDER

__all__ = ["migrate"]

_PROJECT = "pyproject.toml"


def migrate(name: str, text: str, project: str = "") -> dict[str, Any]:
    """Read an old file and return the pyproject.toml that it becomes.

    Args:
        name: Its name, which tells what it is: `requirements-gpu.txt`, `environment.yml`.
        text: Its text.
        project: The pyproject.toml beside it, if there is one.
    """
    # Imported here: few visitors have an old file.
    from torchconf.cli import main

    name = os.path.basename(name) or "requirements.txt"
    parent = tempfile.mkdtemp()
    before = os.getcwd()
    folder = os.path.join(parent, DEFAULT_FOLDER)
    try:
        os.mkdir(folder)
        os.chdir(folder)
        if project:
            _write(_PROJECT, project)
        _write(name, text)
        said, complaints = io.StringIO(), io.StringIO()
        with redirect_stdout(said), redirect_stderr(complaints):
            words = [] if name == _PROJECT else [name]
            main(["migrate", *words, "-y", "--format", "json", "--project", "."])
        data: dict[str, Any] = json.loads(said.getvalue())
        if "error" in data:
            return data
        with open(_PROJECT, encoding="utf-8", newline="") as file:
            data["text"] = file.read()
        return data
    finally:
        os.chdir(before)
        shutil.rmtree(parent, ignore_errors=True)


def _write(name: str, text: str) -> None:
    with open(name, "w", encoding="utf-8", newline="") as file:
        file.write(text)
