"""What the name of a requirements file says, and which names are found."""

from __future__ import annotations

import pytest

from torchconf.catalog import load_catalog
from torchconf.files.old_names import format_of
from torchconf.migrate.roles import Role, is_lock, role_of


@pytest.mark.parametrize(
    ("path", "kind", "name"),
    [
        ("requirements.txt", "base", ""),
        ("requirements-gpu.txt", "build", "cuda"),
        ("requirements/cu121.txt", "build", "cu121"),
        ("requirements_intel.txt", "build", "xpu"),
        # Its processor, not a GPU.
        ("requirements_apple_intel.txt", "platform", "macos-x86_64"),
        ("requirements_apple_silicon.txt", "platform", "macos-arm64"),
        ("requirements-ubuntu.txt", "platform", "linux-x86_64"),
        ("requirements-dev.txt", "group", "dev"),
        ("requirements-eval.txt", "extra", "eval"),
        # As people type.
        ("requirments_cu118_py312.txt", "build", "cu118"),
    ],
)
def test_the_name_of_a_file_says_what_it_is_for(path: str, kind: str, name: str) -> None:
    role = role_of(path, load_catalog().vocabulary)
    assert role == Role(role.kind, name, role.word)
    assert role.kind == kind
    assert format_of(path) == "pip"


@pytest.mark.parametrize(
    "path", ["retirements.txt", "requires.txt", "requirements.md", "notes.txt"]
)
def test_other_files_are_no_requirements(path: str) -> None:
    assert format_of(path) is None


def test_a_lock_is_named_like_one() -> None:
    assert is_lock("requirements-lock.txt")
    assert is_lock("deps/requirements.gpu_frozen.txt")
    assert not is_lock("requirements-locksmith.txt")
