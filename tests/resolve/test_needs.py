"""Which packages bring torch, at the releases that a project admits."""

from __future__ import annotations

import tomllib

import pytest

from tests.support.checking import CATALOG
from torchconf.model.read_project import read_project
from torchconf.resolve.needs import needs_of

SOURCE = '[tool.uv.sources]\ntorchaudio = { index = "pytorch-cu130" }\n'


@pytest.mark.parametrize(
    ("requirement", "source", "brings"),
    [
        ("torchaudio>=2.6", SOURCE, False),  # 2.11.0, the newest on an index, states no torch
        ("torchaudio>=2.6", "", True),  # PyPI has 2.11.1, which does again
        ("torchaudio>=2.6,<2.11.1", "", False),
        ("torchaudio>=2.6,<2.11", SOURCE, True),
    ],
)
def test_torchaudio_brings_torch_where_its_release_says_so(
    requirement: str, source: str, brings: bool
) -> None:
    head = f'[project]\nname = "demo"\nversion = "0"\ndependencies = ["{requirement}"]\n'
    project = read_project(tomllib.loads(head + source), at="pyproject.toml")
    assert ("torch" in needs_of([project], CATALOG).get("torchaudio", ())) is brings
