"""What the wizard is told of the machine, and what it says of ordinary companions."""

from __future__ import annotations

from pathlib import Path

import pytest

import torchconf.machine
from tests.support.projects import Demo
from tests.support.recorded_machines import record
from torchconf.catalog import load_catalog
from torchconf.cli.run_wizard import find_machine
from torchconf.machine import read_machine
from torchconf.planner import Request
from torchconf.wizard import InitQuestions, MachineFacts, open_session
from torchconf.workspace.facts import read_facts
from torchconf.workspace.opened import open_project


@pytest.fixture
def facts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> MachineFacts:
    machine = read_machine(record(request.param)[0])
    monkeypatch.setattr(torchconf.machine, "this_machine", lambda: machine)
    return find_machine(load_catalog())


@pytest.mark.parametrize(
    ("facts", "names"),
    [
        ("rocm", "AMD gfx"),
        ("told-amd", "AMD gfx"),
        ("told-cuda", "NVIDIA GPU"),
        ("nvidia-blackwell", "NVIDIA GeForce RTX 5090"),
        ("no-gpu", "no GPU found"),
    ],
    indirect=["facts"],
)
def test_gpus_are_named_where_a_build_fits_them(facts: MachineFacts, names: str) -> None:
    assert names in facts.words
    assert ("no GPU found" in facts.words) is (names == "no GPU found")


@pytest.mark.parametrize("facts", ["nvidia-blackwell", "nvidia-pascal"], indirect=True)
def test_reasons_do_not_repeat_the_name_of_the_gpu(facts: MachineFacts) -> None:
    assert "NVIDIA" in facts.words
    assert facts.unfit
    assert not [reason for reason in facts.unfit.values() if "NVIDIA" in reason]


@pytest.mark.parametrize(
    "targets",
    [
        ("linux-cu130", "macos-cpu"),
        ("linux-cu130", "linux-cpu", "windows-cu130", "macos-cpu"),
    ],
)
def test_ordinary_companions_are_not_in_doubt(targets: tuple[str, ...], tmp_path: Path) -> None:
    demo = Demo.of(tmp_path, "bare")
    context = open_project(str(demo.folder))
    catalog = context.catalog
    session = open_session(context.project, catalog, read_facts(context), MachineFacts(), Request())
    answers: dict[str, tuple[str, ...]] = {}
    for target in targets:
        platform, _, build = target.partition("-")
        answers.setdefault("platforms", ())
        answers["platforms"] = (*answers["platforms"], platform)
        key = f"builds {platform}"
        answers[key] = (*answers.get(key, ()), build)
        answers[f"older {platform}"] = ()
    question = InitQuestions(session).next_question(answers)
    assert question is not None
    assert question.key == "packages"
    about = {choice.value: choice.about for choice in question.choices}
    assert "not confirmed" not in about["torchvision"]
