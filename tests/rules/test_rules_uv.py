"""What the fixes of rules lead to, judged by the real uv.

A file in `tests/rules` that is mended says what its author wanted, in lines near its top:
`# after: --extra cu130 windows torch cu130` means that `uv sync --extra cu130` on Windows installs
torch from the index of `cu130`; `pypi`, `absent` and `no-wheel` are answers too. The fixed file is
locked on the replica and each such line is held against the lock. `# after: no lock` and a reason
stands in files that uv refuses for something else, which no fix can decide.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.checking import CATALOG
from tests.support.few import one_each
from tests.support.replica import Replica
from tests.support.replica.export import Build, Choice, Export
from tests.support.rule_files import FIXED, label, rule_of
from torchconf.model.targets import PLATFORMS

PYTHON = "3.12"
PROJECTS = [path for path in FIXED if path.suffix == ".toml"]
KEYS = {platform.short: platform.key for platform in PLATFORMS}


def wanted(text: str) -> list[str]:
    return re.findall(r"^# after: (.*)$", text, re.MULTILINE)


def backend(choice: Choice) -> str:
    """Return what a machine gets, in the words of the files."""
    if not isinstance(choice, Build):
        return choice.replace(" ", "-")
    known = CATALOG.backend_of_url(choice.index or "")
    return known.name if known else "pypi"


@pytest.mark.parametrize("path", one_each(PROJECTS, rule_of), ids=label)
def test_a_fixed_file_says_what_was_wanted(path: Path) -> None:
    lines = wanted(path.read_text(encoding="utf-8"))
    assert lines
    for line in lines:
        words = line.split()
        assert line.startswith("no lock") or words[-3] in KEYS, line


@pytest.mark.parametrize("path", one_each(PROJECTS, lambda path: rule_of(path)[:3]), ids=label)
def test_uv_routes_a_fixed_file_as_was_wanted(path: Path, replica: Replica, tmp_path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    lines = wanted(text)
    if lines[0].startswith("no lock"):
        assert replica.uv("lock", cwd=tmp_path).returncode != 0, "it locks: say what it gives"
        return
    replica.lock(tmp_path)
    exports: dict[tuple[str, ...], Export] = {}
    got = []
    for line in lines:
        *flags, platform, package, _ = line.split()
        key = tuple(flags)
        if key not in exports:
            exports[key] = replica.export(tmp_path, *flags)
        choice = exports[key].select(KEYS[platform], PYTHON)[package]
        got.append(" ".join([*flags, platform, package, backend(choice)]))
    assert got == lines
