"""The published schemas say what `--format json` really prints: no key less, and none more."""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from jsonschema import (  # type: ignore[import-untyped]  # its stubs are a package of their own
    Draft7Validator,
    Draft202012Validator,
)

import torchconf.machine
from docs.tools.schemas import RESULTS, SETTINGS, schema_of, schema_pages
from tests.support.made_files import others
from tests.support.projects import EXAMPLES, PROJECTS, THREE_SYSTEMS, run_in
from tests.support.recorded_machines import record
from tests.support.replica import Replica
from tests.support.schemas import Seen, closed, mistakes
from torchconf.catalog import load_catalog
from torchconf.cli import COMMANDS
from torchconf.cli.parser import command_parser
from torchconf.errors import TorchconfError
from torchconf.machine import read_machine
from torchconf.model.intent import listed_targets, read_intent
from torchconf.model.project import Project
from torchconf.model.read_project import read_project
from torchconf.rules import RULES
from torchconf.rules.rule_selection import RENAMED, settings_of


class Case(NamedTuple):
    """A command in a project."""

    name: str
    project: str
    """A file below `tests/projects`; a command that makes it; or "", for none."""
    words: str
    fails: bool = False
    machine: str = "nvidia-pascal"


TWO = f"init {THREE_SYSTEMS}"
CASES_OF = (
    Case("show", "examples/extras.toml", ""),
    Case("show", "examples/machine.toml", ""),
    Case("show", "examples/cpu-or-pypi.toml", ""),
    Case("show", "from git", ""),
    Case("show", "bare.toml", ""),
    Case("show", "", "", fails=True),
    Case("check", "examples/groups.toml", ""),
    Case("check", "examples/groups.toml", "--select ALL --statistics"),
    Case("check", "unordered", "--statistics"),
    Case("check", "unordered", "--fix"),
    Case("check", "broken", "", fails=True),
    Case("check", "", "", fails=True),
    Case("explain", "", ""),
    Case("explain", "", "TC101"),
    Case("explain", "examples/extras.toml", "torch"),
    Case("explain", "examples/extras.toml", "linux-cu130"),
    Case("explain", "examples/extras.toml", "cuda"),
    Case("explain", "examples/groups.toml", "cuda"),
    Case("explain", "no release known", "cuda"),
    Case("explain", "", "variants"),
    Case("explain", "", "variants", machine="rocm"),
    Case("explain", "examples/extras.toml", "nothing", fails=True),
    Case("doctor", "", ""),
    Case("doctor", "examples/extras.toml", ""),
    Case("doctor", "examples/extras.toml", "", machine="another-system"),
    Case("doctor", "bare.toml", "", machine="nvidia-slow"),
    Case("doctor", "", "", machine="amd-without-rocm"),
    Case("doctor", "", "", machine="rocm"),
    Case("doctor", "", "", machine="apple-silicon"),
    Case("catalog-list", "", ""),
    Case("catalog-show", "", "torchvision"),
    Case("catalog-show", "", "2.13"),
    Case("catalog-show", "", "nothing", fails=True),
    Case("use", "examples/machine.toml", "linux-cpu --shell bash"),
    Case("use", "examples/extras.toml", "linux-cpu"),
    Case("init", "bare.toml", "-t linux-cu130 -t macos-cpu --dry-run"),
    Case("init", "app.toml", f"{THREE_SYSTEMS} --pin"),
    Case("init", "app.toml", "-t linux-cu90", fails=True),
    Case("add-target", "examples/extras.toml", "windows-cuda --check"),
    Case("add-target", "examples/extras.toml", "linux-cu130"),
    Case("add-target", "newer", "windows-cpu --dry-run"),
    Case("remove-target", "examples/extras.toml", "linux-cu130"),
    Case(
        "remove-target",
        "examples/markers.toml",
        "linux-cu130 linux-aarch64-cu130 windows-cu130 macos-cpu",
    ),
    Case("upgrade", "init -t linux-cu126 -t linux-cpu --torch 2.11", "--backend cu126=cu130"),
    Case("upgrade", "newer", "--all"),
    Case("upgrade", "examples/extras.toml", "--torch 1.0", fails=True),
    Case("migrate", "old", ""),
    Case("migrate", "old without torch", ""),
    Case("migrate", "bare.toml", "", fails=True),
    Case("new", "", "--list"),
    Case("new", "", "app here -t linux-cpu"),
    Case("new", "", "app here -t linux-cu90", fails=True),
)


def prepare(folder: Path, project: str) -> None:
    """Make the folder that a case starts from."""
    match project:
        case "":
            pass
        case "old":
            (folder / "requirements.txt").write_text(
                "-f x\ntorch==2.5.1+cu124\nnumpy\n  -e .\n", encoding="utf-8"
            )
        case "old without torch":
            (folder / "requirements.txt").write_text("numpy\n", encoding="utf-8")
        case "newer":
            text = (EXAMPLES / "extras.toml").read_text(encoding="utf-8")
            text = text.replace("torch>=2.13.0", "torch>=99")
            (folder / "pyproject.toml").write_text(text, encoding="utf-8")
        case "no release known":
            text = (PROJECTS / "app.toml").read_text(encoding="utf-8")
            (folder / "pyproject.toml").write_text(
                text.replace('"torch', '"torch>=99", "torch', 1), encoding="utf-8"
            )
        case "broken":
            (folder / "pyproject.toml").write_text("[project\n", encoding="utf-8")
        case "from git":
            text = (PROJECTS / "app.toml").read_text(encoding="utf-8")
            text += '\n[tool.uv.sources]\nnumpy = { git = "https://example.org/numpy" }\n'
            (folder / "pyproject.toml").write_text(text, encoding="utf-8")
        case "unordered":
            text = (EXAMPLES / "extras.toml").read_text(encoding="utf-8")
            text = text.replace("explicit = true\n", "", 1)
            (folder / "pyproject.toml").write_text(text, encoding="utf-8")
        case _ if project.endswith(".toml"):
            shutil.copy(PROJECTS / project, folder / "pyproject.toml")
        case _:
            assert run_in(folder, project).status == 0
    # What `upgrade` and `migrate` leave alone.
    (folder / "Dockerfile").write_text("RUN pip install torch==2.5.1+cu126\n", encoding="utf-8")


def answer(case: Case, folder: Path) -> Any:
    """Return what a command prints."""
    prepare(folder, case.project)
    command = case.name.replace("catalog-", "catalog ")
    result = run_in(folder, f"{command} {case.words} --format json")
    assert (result.status == 2) == case.fails, result.out + result.err
    return result.json


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[Case, Any]:
    found = {}
    for case in CASES_OF:
        with pytest.MonkeyPatch.context() as patch:
            machine = read_machine(record(case.machine)[0])
            patch.setattr(torchconf.machine, "this_machine", partial(lambda it: it, machine))
            found[case] = answer(case, tmp_path_factory.mktemp(case.name))
    return found


@pytest.mark.parametrize("case", CASES_OF, ids=lambda case: " ".join((*case[:3], case.machine)))
def test_output_is_as_its_schema_says(case: Case, answers: dict[Case, Any]) -> None:
    assert mistakes(case.name, answers[case]) == []
    assert ("error" in answers[case]) == case.fails


ELSEWHERE = {
    "catalog-list": (".backends[].first: null", ".backends[].last: null"),
    "check": (
        ".findings[].not_taken: value",
        ".error.at: null",
        ".errors[].at: null",
        ".error.help: null",
        ".errors[].help: null",
    ),
    "doctor": (".environment", ".preinstalled"),
}
"""What cannot be had here, by its beginning: the tests of `doctor` look at their outputs, too."""


@pytest.mark.parametrize("command", sorted({case.name for case in CASES_OF}))
def test_schema_says_nothing_that_no_output_has(command: str, answers: dict[Case, Any]) -> None:
    seen = Seen(RESULTS[command])
    for case, data in answers.items():
        if case.name == command and set(data) != {"schema_version", "error"}:
            seen.take(data)
    beginnings = ELSEWHERE.get(command, ())
    missing = {one for one in seen.missing() if not one.startswith(beginnings)}
    # `init` and its like have one schema.
    assert missing <= ({".torch: null"} if command in {"init", "remove-target", "new"} else set())


def test_every_command_that_prints_json_has_a_schema() -> None:
    found = {
        name
        for name in COMMANDS
        for action in command_parser(name)._actions
        if "--format" in action.option_strings and "json" in (action.choices or ())
    }
    assert found == {name.partition("-")[0] if "catalog" in name else name for name in RESULTS}


@pytest.mark.parametrize("name", schema_pages())
def test_schemas_are_schemas(name: str) -> None:
    schema = json.loads(schema_pages()[name])
    (Draft7Validator if name.endswith(SETTINGS) else Draft202012Validator).check_schema(schema)
    assert name == f"schemas/{schema['$id'].rpartition('/')[2]}"


@pytest.mark.parametrize("command", sorted({case.name for case in CASES_OF}))
def test_published_schema_admits_keys_of_later_versions(
    command: str, answers: dict[Case, Any]
) -> None:
    published = Draft202012Validator(schema_of(command))
    for case, data in answers.items():
        if case.name == command:
            assert published.is_valid({**data, "later": 1})
            assert not published.is_valid({**data, "schema_version": 2})
            assert not published.is_valid({"schema_version": 1})
            key = next(key for key in data if key != "schema_version")
            assert mistakes(command, {**data, key: 1})
            assert mistakes(command, {**data, "later": 1})


@pytest.mark.parametrize("words", ["show", "export", "sync", "nothing", "show --no"])
def test_every_failure_is_as_the_schema_of_failures_says(words: str, tmp_path: Path) -> None:
    schema = json.loads(schema_pages()["schemas/failure.json"])
    result = run_in(tmp_path, f"{words} --format json")
    assert result.status == 2
    Draft202012Validator(closed(schema)).validate(result.json)


def test_matrix_is_as_its_schema_says(tmp_path: Path) -> None:
    prepare(tmp_path, "examples/extras.toml")
    schema = json.loads(schema_pages()["schemas/matrix.json"])
    data = run_in(tmp_path, "show --matrix").json
    assert data["include"]
    Draft202012Validator(closed(schema)).validate(data)


OF_STRANGERS = [
    "show", "check --select ALL --statistics", "check --unsafe-fixes --diff", "explain torch",
    "add-target windows-cuda --dry-run", "upgrade --dry-run --all", "migrate --dry-run",
    "remove-target linux-cpu --dry-run", "init -t linux-cpu -t macos-cpu --force --dry-run",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("words", OF_STRANGERS)
def test_output_for_files_of_strangers_is_as_its_schema_says(words: str, tmp_path: Path) -> None:
    for text in others().values():
        (tmp_path / "pyproject.toml").write_bytes(text)
        result = run_in(tmp_path, f"{words} --format json")
        assert mistakes(words.split(maxsplit=1)[0], result.json) == [], text.decode()


@pytest.mark.uv
def test_verify_is_as_its_schema_says(tmp_path: Path, inside_replica: Replica) -> None:
    assert run_in(tmp_path, "init -t linux-cu130 -t linux-cpu -t macos-cpu").status == 0
    text = (tmp_path / "pyproject.toml").read_text(encoding="utf-8")
    text = text.replace("cpu = [\n", 'cpu = [\n    "xformers",\n')
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    inside_replica.lock(tmp_path)
    data = run_in(tmp_path, "verify --frozen --format json").json
    assert mistakes("verify", data) == []
    seen = Seen(RESULTS["verify"])
    seen.take(data)
    assert seen.missing() == set()


SOUND = [
    {},
    {"targets": []},
    {"targets": ["linux-cu130", "WIN-cuda13.0", "macos_arm64-mps", "linux-cuda-nightly"]},
    {"ignore": ["ALL", "all", "TC1", "tc405", "T", "index-not-explicit"], "select": ["TC"]},
    *({"ignore": [rule.code], "select": [rule.name]} for rule in RULES),
    *({"ignore": [old]} for old in RENAMED),
]
UNSOUND: list[Any] = [
    [], "linux-cu130", {"target": []}, {"ignore": "TC101"}, {"ignore": [1]}, {"select": {}},
    {"ignore": ["TC1O1"]}, {"select": ["Index-Not-Explicit"]}, {"ignore": [""]}, {"select": ["U"]},
]  # fmt: skip
NO_TARGETS: list[Any] = ["linux-cu130", {}, [1], ["gpu"], ["linux"], [""], ["linux-cu130"] * 2]


def settings_are_sound(table: Any) -> bool:
    return bool(Draft7Validator(json.loads(schema_pages()[f"schemas/{SETTINGS}"])).is_valid(table))


@pytest.mark.parametrize("table", SOUND, ids=str)
def test_settings_that_torchconf_takes_are_sound(table: Any) -> None:
    settings_of({"tool": {"torchconf": table}}, RULES, "pyproject.toml")
    listed = listed_targets(project_with(table), load_catalog().vocabulary)
    assert all(one.error is None for one in listed or ())
    assert settings_are_sound(table)


@pytest.mark.parametrize("table", UNSOUND, ids=str)
def test_settings_that_torchconf_refuses_are_not(table: Any) -> None:
    with pytest.raises(TorchconfError):
        settings_of({"tool": {"torchconf": table}}, RULES, "pyproject.toml")
    assert not settings_are_sound(table)


@pytest.mark.parametrize("targets", NO_TARGETS, ids=str)
def test_targets_that_torchconf_refuses_are_not(targets: Any) -> None:
    table = {"targets": targets}
    with pytest.raises(TorchconfError):
        read_intent(project_with(table), load_catalog().vocabulary)
    assert not settings_are_sound(table)


def project_with(table: Any) -> Project:
    return read_project({"project": {"name": "x"}, "tool": {"torchconf": table}})
