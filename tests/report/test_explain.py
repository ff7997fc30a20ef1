"""The sentences of `explain`: which source counts, which does not, and what comes of it."""

from __future__ import annotations

import tomllib

import pytest

from tests.support.checking import CATALOG
from tests.support.projects import WHL
from tests.support.pylocks import ARM, LINUX, MAC, WINDOWS
from torchconf.model.read_project import read_project
from torchconf.model.targets import Platform
from torchconf.report.explain import Explanation, explain_routes, page
from torchconf.resolve.routes import routes
from torchconf.rules import RULES, Severity

HEAD = '[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.11"\n'
INDEXES = "".join(
    f'[[tool.uv.index]]\nname = "pytorch-{name}"\nurl = "{WHL}/{name}"\nexplicit = true\n'
    for name in ("cpu", "cu130")
)
MARKERS = f"""{HEAD}dependencies = ["torch>=2.9"]
[tool.uv.sources]
torch = [
    {{ index = "pytorch-cu130", marker = "sys_platform == 'linux'" }},
    {{ index = "pytorch-cpu", marker = "sys_platform != 'linux'" }},
]
{INDEXES}"""
EXTRAS = f"""{HEAD}
[project.optional-dependencies]
cpu = ["torch>=2.9"]
gpu = ["torch>=2.9"]
[tool.uv]
conflicts = [[{{ extra = "cpu" }}, {{ extra = "gpu" }}]]
[tool.uv.sources]
torch = [
    {{ index = "pytorch-cpu", extra = "cpu" }},
    {{ index = "pytorch-cu130", extra = "gpu" }},
]
{INDEXES}"""
GROUPS = f"""{HEAD}
[dependency-groups]
cpu = ["torch>=2.9"]
gpu = ["torch>=2.9"]
[tool.uv]
default-groups = ["cpu"]
conflicts = [[{{ group = "cpu" }}, {{ group = "gpu" }}]]
[tool.uv.sources]
torch = [
    {{ index = "pytorch-cpu", group = "cpu" }},
    {{ index = "pytorch-cu130", group = "gpu" }},
]
{INDEXES}"""


def explained(
    text: str, platform: Platform = LINUX, command: str | None = None, package: str = "torch"
) -> Explanation:
    """Return the explanation for one choice; without a command, there must be only one."""
    project = read_project(tomllib.loads(text))
    found = routes(
        project,
        needs=CATALOG.dependents,
        carries=lambda index, name: CATALOG.serves(index.url, name),
    )
    every = [*explain_routes(project, found, CATALOG, platforms=[platform], packages=[package])]
    (one,) = [one for one in every if command in (None, one.command)]
    return one


def step(found: Explanation, *words: str) -> str:
    """Return the one step that has all these words."""
    (one,) = [one for one in found.steps if all(word in one for word in words)]
    return one


# What brings it.


def test_the_requirement_is_named_with_its_place() -> None:
    first = explained(MARKERS).steps[0]
    assert "`torch>=2.9`" in first
    assert "project.dependencies[0]" in first


def test_the_packages_that_bring_it_are_named() -> None:
    text = f'{HEAD}dependencies = ["torchmetrics", "accelerate"]\n'
    first = explained(text).steps[0]
    assert "`accelerate`, `torchmetrics`" in first
    assert "torchvision" not in first


def test_what_nothing_asks_for_is_not_installed() -> None:
    found = explained(f"{HEAD}dependencies = []\n")
    assert found.backend is None
    assert "`torch`" in found.steps[0]
    assert "not installed" in found.steps[-1]
    assert step(found, "`torch`", "no source")


# Which source counts.


@pytest.mark.parametrize(
    ("platform", "backend", "right", "wrong"),
    [
        (LINUX, "cu130", "pytorch-cu130", "pytorch-cpu"),
        (ARM, "cu130", "pytorch-cu130", "pytorch-cpu"),
        (WINDOWS, "cpu", "pytorch-cpu", "pytorch-cu130"),
        (MAC, "cpu", "pytorch-cpu", "pytorch-cu130"),
    ],
)
def test_a_marker_holds_or_does_not_hold(
    platform: Platform, backend: str, right: str, wrong: str
) -> None:
    found = explained(MARKERS, platform)
    holds, fails = step(found, "source tool", right), step(found, "source tool", wrong)
    assert found.backend == backend
    assert "does not hold" in fails
    assert " holds" in holds
    assert "not" not in holds.partition("its marker")[0].replace("counts", "")
    assert "does not hold" not in holds
    assert "still applies" not in holds + fails
    assert right in found.steps[-1]
    assert f"{WHL}/{backend}" in found.steps[-1]


@pytest.mark.parametrize(
    ("text", "command", "backend", "kind"),
    [
        (EXTRAS, "uv sync --extra cpu", "cpu", "extra"),
        (EXTRAS, "uv sync --extra gpu", "cu130", "extra"),
        (GROUPS, "uv sync", "cpu", "group"),
        (GROUPS, "uv sync --no-group cpu --group gpu", "cu130", "group"),
    ],
)
def test_a_source_of_a_choice_counts_for_it_alone(
    text: str, command: str, backend: str, kind: str
) -> None:
    found = explained(text, command=command)
    chosen, other = ("gpu", "cpu") if backend == "cu130" else ("cpu", "gpu")
    own = step(found, "source tool", f"{kind} `{chosen}`")
    left = step(found, "source tool", f"{kind} `{other}`")
    assert "not selected" in left
    assert "not selected" not in own
    assert found.backend == backend
    assert f"index `pytorch-{backend}`" in own
    conflict = step(found, "tool.uv.conflicts")
    assert conflict.index(f"`{chosen}`") < conflict.index(f"`{other}`"), "the other is left out"


def test_nothing_chosen_means_nothing_installed_and_no_source_at_work() -> None:
    found = explained(EXTRAS, command="uv sync")
    assert found.backend is None
    assert found.steps[-1] == "not installed"
    assert "excludes extra `cpu`, extra `gpu`" in step(found, "tool.uv.conflicts")


def test_a_source_without_a_scope_counts_for_every_choice() -> None:
    text = f"""{HEAD}dependencies = ["torch"]
[tool.uv.sources]
torch = {{ index = "pytorch-cpu" }}
{INDEXES}"""
    own = step(explained(text), "pytorch-cpu", "source tool")
    assert "any extra or group" in own
    assert "marker" not in own


def test_a_source_of_an_extra_that_no_conflict_parts_counts_without_being_chosen() -> None:
    text = f"""{HEAD}dependencies = ["torch"]
[project.optional-dependencies]
gpu = ["torch"]
[tool.uv.sources]
torch = {{ index = "pytorch-cu130", extra = "gpu" }}
{INDEXES}"""
    own = step(explained(text, command="uv sync"), "source tool", "extra `gpu`")
    assert "not selected" in own
    assert "still applies" in own
    chosen = step(explained(text, command="uv sync --extra gpu"), "source tool", "extra `gpu`")
    assert "still applies" not in chosen
    assert "not selected" not in chosen


def test_a_marker_beside_a_requirement_without_one_can_come_too_late() -> None:
    text = f"""{HEAD}dependencies = ["torch"]
[project.optional-dependencies]
gpu = ["torch"]
[tool.uv]
conflicts = [[{{ extra = "gpu" }}, {{ extra = "cpu" }}]]
[tool.uv.sources]
torch = {{ index = "pytorch-cu130", extra = "gpu", marker = "sys_platform == 'linux'" }}
{INDEXES}"""
    text = text.replace('gpu = ["torch"]', 'gpu = ["torch"]\ncpu = ["torch"]')
    found = explained(text, MAC, command="uv sync --extra gpu")
    late = step(found, "source tool", "does not hold")
    assert ("still applies" in late) == (found.backend == "cu130")


# What comes of it.


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ('torch = { index = "nowhere" }\n', ("uv fails",)),
        ('torch = { git = "https://h/torch" }\n', ("unknown",)),
        ("", ("no index",)),
    ],
)
def test_the_last_step_is_the_outcome(source: str, words: tuple[str, ...]) -> None:
    text = f'{HEAD}dependencies = ["torch"]\n[tool.uv.sources]\n{source}'
    for word in words:
        assert word in explained(text).steps[-1]


@pytest.mark.parametrize(
    ("torch", "platform", "word"),
    [
        ("torch==2.9.1", LINUX, None),
        ("torch==2.9.1", MAC, "no wheel for this platform"),
        ("torch==99.0", LINUX, "not known"),
    ],
)
def test_a_wheel_that_is_not_there_is_told(
    torch: str, platform: Platform, word: str | None
) -> None:
    text = f"""{HEAD}dependencies = ["{torch}"]
[tool.uv.sources]
torch = {{ index = "pytorch-cu130" }}
{INDEXES}"""
    last = explained(text, platform).steps[-1]
    assert "pytorch-cu130" in last
    for one in ("no wheel for this platform", "not known"):
        assert (one in last) is (one == word)


def test_a_source_without_a_requirement_has_nothing_to_work_on() -> None:
    source = '[tool.uv.sources]\ntorch = { index = "pytorch-cpu" }\n'
    found = explained(f"{HEAD}dependencies = []\n{source}{INDEXES}")
    assert "requirement" in step(found, "source tool", "pytorch-cpu")
    with_it = explained(f'{HEAD}dependencies = ["torch"]\n{source}{INDEXES}')
    assert "requirement" not in step(with_it, "source tool", "pytorch-cpu")


# Which are explained.


@pytest.mark.parametrize(
    ("dependencies", "package"),
    [("[]", "torch"), ('["torchvision"]', "torch"), ('["torchcodec"]', "torchcodec")],
)
def test_without_a_name_torch_is_explained_or_what_there_is_instead(
    dependencies: str, package: str
) -> None:
    project = read_project(tomllib.loads(f"{HEAD}dependencies = {dependencies}\n"))
    found = routes(project, needs={})
    (one,) = explain_routes(project, found, CATALOG, platforms=[LINUX])
    assert one.package == package


def test_only_choices_that_give_a_wanted_build_are_explained() -> None:
    project = read_project(tomllib.loads(EXTRAS))
    found = routes(project, needs=CATALOG.dependents)
    every = [*explain_routes(project, found, CATALOG, platforms=[LINUX, MAC])]
    assert len(every) == 6
    cpu = [CATALOG.backend("cpu")]
    some = [*explain_routes(project, found, CATALOG, platforms=[LINUX, MAC], backends=cpu)]
    assert [(one.platform, one.command) for one in some] == [
        ("linux-x86_64", "uv sync --extra cpu"),
        ("macos-arm64", "uv sync --extra cpu"),
    ]


def test_text_numbers_the_steps_and_sets_the_outcome_apart() -> None:
    found = Explanation("torch", "linux-x86_64", "uv sync", "cpu", ("one", "two", "three"))
    lines = found.text().splitlines()
    assert lines == ["torch on linux-x86_64, uv sync", "  1. one", "  2. two", "  => three"]
    assert found.data()["steps"] == ["one", "two", "three"]


@pytest.mark.parametrize("rule", RULES, ids=[rule.code for rule in RULES])
def test_the_page_of_a_rule_says_how_severe_it_is_and_what_fixes_it(rule: object) -> None:
    (known,) = [one for one in RULES if one is rule]
    text = page(known)
    head, last = text.partition("\n")[0], text.rpartition("Fix:")[2]
    assert head.startswith(f"{known.code} {known.name}: ")
    words = {
        Severity.ERROR: "an error",
        Severity.WARNING: "a warning",
        Severity.INFO: "information",
    }
    assert words[known.severity] in head
    assert ("off by default" in head) is known.is_optional
    assert ("--fix`" in last) is (known.fixes == "safe")
    assert ("--unsafe-fixes" in last) is (known.fixes == "unsafe")
    assert known.reference in last
