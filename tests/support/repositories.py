"""Git repositories to be compared: made by git itself, with nobody's settings."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.paths import ROOT

_NOBODY = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.org",
}


def git(folder: Path, *words: str) -> str:
    """Run git, which must succeed; return what it prints."""
    done = subprocess.run(
        ["git", "-c", "protocol.file.allow=always", *words],
        cwd=folder,
        env={**os.environ, **_NOBODY},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class Repo(NamedTuple):
    """A repository, and where it is."""

    folder: Path

    @classmethod
    def make(cls, folder: Path, files: Mapping[str, str] | None = None) -> Repo:
        """Make one, with a first commit if there are files."""
        folder.mkdir(parents=True, exist_ok=True)
        git(folder, "init", "--quiet", "--initial-branch=main")
        repo = cls(folder)
        if files:
            repo.commit(files)
        return repo

    def write(self, files: Mapping[str, str]) -> None:
        """Write files, and commit nothing."""
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def commit(self, files: Mapping[str, str] | None = None) -> str:
        """Commit everything that is there, and what is given; return the name of the commit."""
        self.write(files or {})
        git(self.folder, "add", "--all")
        git(self.folder, "commit", "--quiet", "--allow-empty", "--message=x")
        return git(self.folder, "rev-parse", "HEAD")

    def checkout(self, revision: str, into: Path) -> Path:
        """Return a folder of its own with the files of a revision."""
        git(self.folder, "worktree", "add", "--quiet", "--detach", str(into), revision)
        return into


SHIPPED = (
    "pyproject.toml", "README.md", "LICENSE", "torchconf", "templates", ".pre-commit-hooks.yaml",
    "action.yml",
)  # fmt: skip
"""What a clone has of that which an installation needs."""


def clone_of_this_repository(factory: pytest.TempPathFactory) -> Path:
    """Return a repository with this project as it is now, committed or not."""
    folder = factory.mktemp("clone") / "torchconf"
    folder.mkdir()
    for name in SHIPPED:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, folder / name, ignore=ignored)
        elif source.exists():
            shutil.copy(source, folder / name)
    Repo.make(folder).commit()
    return folder
