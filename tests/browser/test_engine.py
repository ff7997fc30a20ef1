"""What the page asks of torchconf, asked in CPython: the same as the command line says."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from docs.engine import METHODS, call
from docs.tools.try_page import COMMON, finish, known
from torchconf.cli import main

SAMPLES = json.loads(
    (Path(__file__).parents[2] / "docs/tools/engine_samples.json").read_text(encoding="utf-8")
)


def ask(method: str, **arguments: object) -> Any:
    return json.loads(call(method, json.dumps(arguments)))


@pytest.mark.parametrize(
    "words",
    [
        ["-t", "linux-cuda"],
        ["-t", "linux-cuda", "-t", "windows-cuda", "-t", "macos-cpu", "--with", "torchvision"],
        ["-t", "linux-cu130", "-t", "linux-cpu", "--layout", "groups", "--default", "machine"],
        ["-t", "linux-rocm", "-t", "windows-xpu", "--torch", ">=2.11,<2.14", "--python", "3.12"],
        ["-t", "linux-pypi", "-t", "linux-cpu", "--pin", "--required-environments"],
    ],
)
def test_the_answer_is_what_init_writes(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "trainer"
    folder.mkdir()
    monkeypatch.chdir(folder)
    flags = dict(zip(words[::2], words[1::2], strict=False))
    state = {
        "targets": [word for flag, word in pairwise(words) if flag == "-t"],
        "with": ["torchvision"] if "--with" in words else [],
        "torch": flags.get("--torch", ""),
        "python": flags.get("--python", ""),
        "layout": flags.get("--layout", "auto"),
        "default": flags.get("--default", ""),
        "pin": "--pin" in words,
        "required": "--required-environments" in words,
        "name": "trainer",
    }

    found = ask("answer", state=state)

    # The line that the page shows is run as it stands.
    assert main([*found["words"], "-q"]) == 0
    assert found["text"] == Path("pyproject.toml").read_text(encoding="utf-8")


def test_a_build_that_cannot_be_had_comes_with_the_reason() -> None:
    found = ask("choices", state={"targets": ["macos-cpu"]}, platform="macos")["builds"]
    assert {name: reason for name, _, _, reason in found if reason} == {
        "cuda": "PyTorch has no CUDA build for macOS",
        "rocm": "PyTorch has no ROCm build for macOS",
        "xpu": "PyTorch has no Intel XPU build for macOS",
    }


def every_exact_build(state: dict[str, Any], platform: str) -> list[list[str]]:
    found: list[list[str]] = []
    more = True
    while more:
        said = ask("exact", state=state, platform=platform, start=len(found))
        found += said["builds"]
        more = said["more"]
    return found


def test_builds_of_different_years_shut_each_other_out_but_can_be_taken_back() -> None:
    state = {"targets": ["linux-cu92"]}
    kinds = ask("choices", state=state, platform="linux")["builds"]
    exact = every_exact_build(state, "linux")
    (xpu,) = [reason for name, _, _, reason in kinds if name == "xpu"]
    (own,) = [reason for name, _, _, reason in exact if name == "cu92"]
    assert "linux-cu92" in xpu
    assert own == ""


def test_exact_builds_are_listed_once_and_beside_the_words_for_the_newest() -> None:
    for platform in known()["platforms"]:
        names = [name for name, *_ in every_exact_build({}, platform["platform"])]
        words = [name for name, *_ in platform["builds"]]
        assert bool(names) is platform["exact"]
        assert len({*names, *words}) == len(names) + len(words)


def test_a_build_of_another_publisher_is_offered_under_the_usual_word() -> None:
    titles = {
        name: title for name, title, _, _ in ask("choices", state={}, platform="windows")["builds"]
    }
    assert titles["rocm"] == "AMD's ROCm"
    assert "torch" in ask("answer", state={"targets": ["windows-rocm"]})["text"]


def test_a_choice_of_builds_brings_the_questions_about_it() -> None:
    one = ask("rest", state={"targets": ["linux-cuda"]})["questions"]
    two = ask("rest", state={"targets": ["linux-cuda", "linux-cpu"], "layout": "groups"})
    assert {*one} == {"packages", "torch"}
    assert {*two["questions"]} == {"packages", "torch", "layout", "default"}
    assert "machine" in [value for value, *_ in two["questions"]["default"]["choices"]]


BROKEN = """\
[project]
name = "a"
version = "1"
requires-python = ">=3.11"
dependencies = ["torch>=2.8"]

[tool.uv.sources]
torch = [{ index = "cu", marker = "platform_system == 'linux'" }]

[[tool.uv.index]]
name = "cu"
url = "https://download.pytorch.org/whl/cu128"
explicit = true
"""


def test_a_fix_is_taken_alone_and_the_finding_is_gone() -> None:
    (finding,) = [f for f in ask("inspect", text=BROKEN)["findings"] if f["code"] == "TC402"]
    fixed = ask("fix", text=BROKEN, place=finding["place"])
    assert '+torch = [{ index = "cu", marker = "platform_system == \'Linux\'" }]' in fixed["diff"]
    assert "TC402" not in [f["code"] for f in ask("inspect", text=fixed["text"])["findings"]]


SCRIPT = """\
# /// script
# dependencies = ["torch"]
#
# [tool.uv.sources]
# torch = { index = "cpu" }
#
# [[tool.uv.index]]
# name = "cpu"
# url = "https://download.pytorch.org/whl/cpu"
# ///
import torch
"""


def test_a_script_is_checked_fixed_and_shown_as_a_script() -> None:
    found = ask("inspect", text=SCRIPT, script=True)
    (finding,) = found["findings"]
    assert (finding["code"], finding["line"]) == ("TC101", 7)
    assert found["table"]["rows"][0][:2] == ["uv run --script script.py", "torch"]
    fixed = ask("fix", text=SCRIPT, place=finding["place"], script=True)
    assert fixed["text"] == SCRIPT.replace('/cpu"\n', '/cpu"\n# explicit = true\n')
    more = ask("change", text=fixed["text"], add=["windows-cuda"], script=True)
    assert more["text"].endswith("# ///\nimport torch\n")


def test_a_fix_that_is_not_there_any_more_is_refused() -> None:
    found = ask("fix", text=BROKEN, place=["TC101", "tool.uv.index[0]", "something else"])
    assert "this fix is not taken" in found["error"]["message"]


def test_a_target_is_added_and_removed_again() -> None:
    text = ask("answer", state={"targets": ["linux-cuda"]})["text"]
    more = ask("change", text=text, add=["windows-cpu"])
    assert ask("inspect", text=more["text"])["targets"]["present"] == ["linux-cu132", "windows-cpu"]
    assert ask("change", text=more["text"], remove=["windows-cpu"])["text"] == text


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("requirements.txt", "torch==2.9.1\nnumpy\n", "numpy"),
        ("environment.yml", "name: a\ndependencies:\n  - pytorch\n  - numpy\n", "numpy"),
        ("pyproject.toml", '[tool.poetry.dependencies]\nnumpy = "*"\n', "numpy"),
    ],
)  # fmt: skip
def test_an_old_file_is_migrated_and_leaves_nothing(
    name: str, text: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    found = ask("migrate", name=name, text=text)
    assert line in found["text"]
    assert found["lines"]
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[project\n",
        "\x00\x1b[31m",
        "[" * 5_000,
        "a = " + "[" * 3_000 + "]" * 3_000,
        "n = " + "9" * 5_000,
        "[tool.uv]\nsources = 3\nindex = 'x'\n[project]\ndependencies = [1, {}]\n",
        '[project]\nname = "<script>alert(1)</script>"\ndependencies = ["<img src=x>"]\n',
        "\ufeff[project]\nname = 'a'\n",
    ],
)
def test_any_text_has_an_answer(text: str) -> None:
    questions: list[tuple[str, dict[str, Any]]] = [
        ("inspect", {"text": text}),
        ("fix", {"text": text, "unsafe": True}),
        ("change", {"text": text, "add": ["linux-cuda"]}),
        ("explain", {"text": text, "platform": "linux-x86_64", "package": "torch", "command": "x"}),
        ("migrate", {"name": "../../etc/requirements.txt", "text": text}),
    ]
    for method, arguments in questions:
        found = ask(method, **arguments)
        assert "torchconf failed" not in json.dumps(found.get("error"))


def test_every_question_has_a_sample_by_which_the_library_is_trimmed() -> None:
    assert {method for method, _ in SAMPLES} == {*METHODS}


def test_without_node_the_page_is_built_with_the_common_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    finish(tmp_path)
    assert "node or npm is missing" in capsys.readouterr().err
    names = {path.name for path in (tmp_path / "try").iterdir()}
    assert {"index.html", "main.js", "style.css", "worker.js", "answers.json"} <= names
    assert not names & {"engine", "package.json"}


def test_the_common_answers_are_what_the_page_asks_first() -> None:
    found = known()
    combinations = len(COMMON[0]) * len(COMMON[1]) * len(COMMON[2]) - 1
    assert len(found["answers"]) == 2 * combinations
    assert "error" not in {key for answer in found["answers"].values() for key in answer}
    state = {"targets": ["linux-cpu", "linux-cuda", "macos-cpu"], "with": ["torchvision"]}
    kept = found["answers"]["linux-cpu,linux-cuda,macos-cpu|torchvision"]
    assert json.loads(json.dumps(kept)) == ask("answer", state=state)
