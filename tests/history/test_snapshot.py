"""The files of a commit as a folder: what is in it, and what a hostile tree cannot do."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.repositories import Repo, git
from torchconf.history.git import open_repository
from torchconf.history.snapshot import take_snapshot


def snapshot(repo: Repo, revision: str, into: Path) -> dict[str, str]:
    """Return what is written: each file with its text."""
    into.mkdir()
    repository = open_repository(str(repo.folder))
    assert take_snapshot(repository, repository.commit(revision), str(into)) == []
    assert not [path for path in into.rglob("*") if path.is_symlink()]
    return {
        path.relative_to(into).as_posix(): path.read_text(encoding="utf-8")
        for path in into.rglob("*")
        if path.is_file()
    }


def test_what_says_nothing_of_builds_is_left_out(tmp_path: Path) -> None:
    script = "# /// script\n# ///\n"
    repo = Repo.make(
        tmp_path / "repo",
        {
            "pyproject.toml": "a", "uv.lock": "b", ".gitignore": "c", "README.md": "d",
            "src/plain.py": "e", "src/train.py": script, "train.py.lock": "f",
            "wheels/torch-2.12.0-cp312-cp312-win_amd64.whl": "not read", "data/x.bin": "g",
        },
    )  # fmt: skip
    repo.write({"pyproject.toml": "of now"})
    assert snapshot(repo, "HEAD", tmp_path / "into") == {
        "pyproject.toml": "a",
        "uv.lock": "b",
        ".gitignore": "c",
        "src/train.py": script,
        "train.py.lock": "f",
        "wheels/torch-2.12.0-cp312-cp312-win_amd64.whl": "",
    }
    assert (tmp_path / "into/data").is_dir(), "it may be a library without a pyproject.toml"


@pytest.mark.parametrize(
    ("link", "target", "found"),
    [
        ("b/pyproject.toml", "../a/pyproject.toml", {"b/pyproject.toml": "a"}),
        ("b", "a", {"b/pyproject.toml": "a"}),
        ("b", "c", {"b/pyproject.toml": "a"}),
        ("b", "../a", {}),
        ("b", "/etc", {}),
        ("b", "nowhere", {}),
        ("b", "b", {}),
        ("a/up", "..", {}),
    ],
)
def test_links_are_followed_within_the_commit(
    link: str, target: str, found: dict[str, str], tmp_path: Path
) -> None:
    repo = Repo.make(tmp_path / "repo")
    repo.write({"a/pyproject.toml": "a"})
    (repo.folder / "c").symlink_to("a")
    place = repo.folder / link
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(target)
    repo.commit()
    always = {"a/pyproject.toml": "a", "c/pyproject.toml": "a"}
    assert snapshot(repo, "HEAD", tmp_path / "into") == always | found


@pytest.mark.parametrize("name", ["..", ".git", ".GIT", "."])
def test_a_tree_cannot_write_outside_of_its_folder(name: str, tmp_path: Path) -> None:
    """Git itself refuses to check such a tree out, and stores it all the same."""
    repo = Repo.make(tmp_path / "repo", {"pyproject.toml": "a"})
    blob = git(repo.folder, "hash-object", "-w", "pyproject.toml")
    inner = tree(repo.folder, "100644", "pyproject.toml", blob)
    outer = tree(repo.folder, "40000", name, inner)
    commit = git(repo.folder, "commit-tree", outer, "-m", "x")
    assert snapshot(repo, commit, tmp_path / "deep") == {}
    assert {path.name for path in tmp_path.iterdir()} == {"repo", "deep"}


def tree(folder: Path, mode: str, name: str, child: str) -> str:
    """Store a tree with one entry, whatever its name."""
    content = f"{mode} {name}\0".encode() + bytes.fromhex(child)
    done = subprocess.run(
        ["git", "hash-object", "-w", "-t", "tree", "--literally", "--stdin"],
        cwd=folder, input=content, capture_output=True, check=True,
    )  # fmt: skip
    return done.stdout.decode().strip()
