"""The commands that give a tool its build: only those that uv takes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.checking import CATALOG
from tests.support.paths import ROOT
from tests.support.replica import Replica
from torchconf.cli import main
from torchconf.model.backends import PYPI
from torchconf.model.target_spec import parse_target_spec
from torchconf.model.targets import Target
from torchconf.report.tools import tool_commands, tool_lines

FACTS = ROOT / "torchconf" / "catalog" / "facts" / "backends.json"


@pytest.mark.parametrize("name", ["rocm4.5.2", "rocm3.7", "cu999"])
def test_uv_does_not_take_every_build(name: str) -> None:
    assert tool_commands(CATALOG.backend(name), CATALOG) == []


def test_what_pypi_serves_needs_no_flag() -> None:
    assert tool_commands(PYPI, CATALOG) == []


def test_a_line_for_each_build_with_its_targets() -> None:
    found = []
    for word in ("linux-cu130", "windows-cu130", "linux-pypi", "macos-mps"):
        spec = parse_target_spec(word, CATALOG.vocabulary)
        assert spec.backend is not None
        found.append(Target(spec.platform, spec.backend))
    assert [*tool_lines(found, CATALOG)] == [
        f"a tool on {targets}: `uvx --torch-backend {build} TOOL` or "
        f"`uv tool install --torch-backend {build} TOOL`"
        for targets, build in (("linux-cu130, windows-cu130", "cu130"), ("macos-cpu", "cpu"))
    ]


def test_explain_says_it_of_a_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text("print()\n", encoding="utf-8")
    assert main(["init", "--script", "train.py", "-t", "linux-cu126", "-t", "macos-cpu"]) == 0
    out = capsys.readouterr().out
    assert "a tool on linux-cu126: `uvx --torch-backend cu126 TOOL`" in out
    assert "a tool on macos-cpu: `uvx --torch-backend cpu TOOL`" in out

    assert main(["explain", "linux-cu126", "--script", "train.py"]) == 0
    assert capsys.readouterr().out.endswith("`uv tool install --torch-backend cu126 TOOL`\n")
    assert main(["explain", "linux", "--script", "train.py"]) == 0
    assert "a tool on" not in capsys.readouterr().out
    assert main(["explain", "cu126", "--script", "train.py", "--format", "json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["tools"]) == 1


@pytest.mark.uv
def test_uv_takes_what_the_facts_say(replica: Replica, tmp_path: Path) -> None:
    run = replica.uv("tool", "install", "--torch-backend", "none-of-them", "x", cwd=tmp_path)
    values = re.search(r"possible values: ([^\]]+)\]", run.stderr)
    assert values is not None, run.stderr
    taken = {*values[1].split(", ")} - {"auto"}
    facts = json.loads(FACTS.read_text(encoding="utf-8"))["torch_backends"]["names"]
    assert {*facts.split()} == taken


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cpu", "cu130", "rocm7.2", "xpu"])
def test_a_tool_gets_its_build(name: str, replica: Replica, tmp_path: Path) -> None:
    # The torch of the replica has no program of its own: the one of Python stands for it.
    command, _ = tool_commands(CATALOG.backend(name), CATALOG)
    words = command.removeprefix("uvx ").removesuffix(" TOOL").split()
    code = "import torch; print(torch.__version__)"
    run = replica.uv("tool", "run", *words, "--with", "torch", "python", "-c", code, cwd=tmp_path)
    assert run.stdout.strip().endswith(f"+{name}"), run.stderr
