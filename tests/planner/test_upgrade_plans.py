"""Plans of `upgrade`, from text to text: what moves, what is left alone; no command is run."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from packaging.version import Version

from tests.support.checking import CATALOG
from tests.support.projects import WHL
from torchconf.edits import edit_text
from torchconf.errors import ProjectError, RequestError, TorchconfError
from torchconf.model.read_project import read_project
from torchconf.planner.request import Facts
from torchconf.planner.respecify import rename_backend
from torchconf.planner.upgrade import Upgrade, UpgradeRequest, plan_upgrade
from torchconf.planner.upgrade.mentions import mention_pattern, mentions

HEAD = '[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.11"\n'


def index(name: str, folder: str, more: str = "explicit = true") -> str:
    return f'\n[[tool.uv.index]]\nname = "{name}"\nurl = "{WHL}/{folder}"\n{more}\n'


def linux_only(torch: str, backend: str = "cu130", *more: str) -> str:
    """Return a project that has one build on Linux."""
    return (
        f'{HEAD}dependencies = ["{torch}"]\n\n[tool.uv.sources]\n'
        f'torch = {{ index = "pytorch-{backend}", marker = "sys_platform == \'linux\'" }}\n'
        + "\n".join(more)
        + index(f"pytorch-{backend}", backend)
    )


def plan(text: str, locked: str | None = None, **asked: Any) -> Upgrade:
    facts = Facts("demo", Version(locked) if locked else None)
    return plan_upgrade(UpgradeRequest(**asked), read_project(tomllib.loads(text)), CATALOG, facts)


def upgraded(text: str, locked: str | None = None, **asked: Any) -> str:
    return edit_text(text, plan(text, locked, **asked).steps)


# Nothing moves.


@pytest.mark.parametrize(
    "text",
    [
        linux_only("torch>=2.13.0"),
        linux_only("torch==2.13.0"),
        linux_only("torch>=2.13.0", "cu132"),
    ],
)
def test_what_is_new_enough_stays_byte_for_byte(text: str) -> None:
    assert plan(text).steps == ()
    assert upgraded(text) == text


# Releases.


@pytest.mark.parametrize(
    ("before", "asked", "after"),
    [
        ("torch>=2.9.0", "2.12.0", "torch>=2.12.0"),
        ("torch==2.9.1", "2.12.0", "torch==2.12.0"),
        ("torch==2.9.1", "2.12", "torch==2.12.1"),
        ("torch~=2.9.0", "2.12.0", "torch~=2.12.0"),
        ("torch>=2.9,<2.10", "2.12", "torch>=2.12,<2.13"),
        ("torch>=2.9,<3", "2.12", "torch>=2.12,<2.13"),
        ("torch>=2.9.0", ">=2.11,<2.13", "torch>=2.11,<2.13"),
    ],
)
def test_torch_goes_where_it_is_told(before: str, asked: str, after: str) -> None:
    found = tomllib.loads(upgraded(linux_only(before), torch=asked))
    (line,) = found["project"]["dependencies"]
    assert line.partition(",")[0] == after.partition(",")[0]
    assert read_project(found).dependencies[0].specifier.contains("2.12.1") or "==" in after
    if "," in after:
        assert line == after


def test_there_is_no_way_back_below_what_is_locked_or_required() -> None:
    chosen = plan(linux_only("torch>=2.9.0"), locked="2.12.1").choice.release
    assert chosen is not None
    assert chosen >= Version("2.12.1")
    required = plan(linux_only("torch>=2.12.0")).choice.release
    assert required is not None
    assert required >= Version("2.12.0")


def test_a_backend_that_has_ended_says_what_holds_back() -> None:
    found = plan(linux_only("torch>=2.9.0", "cu128"))
    assert str(found.choice.release) == "2.11.0"
    (note,) = [note for note in found.notes if "--all" in note]
    assert "cu128" in note
    assert "2.11.0" in note
    assert not found.backends


def test_a_release_that_the_backend_never_had_is_refused_with_the_newest_that_it_has() -> None:
    with pytest.raises(RequestError) as caught:
        plan(linux_only("torch>=2.9.0", "cu128"), torch="2.13.0")
    assert "2.11.0" in str(caught.value.help)


# Backends.


def test_index_and_source_move_together() -> None:
    text = linux_only("torch>=2.13.0")
    after = upgraded(text, backends=(("cu130", "cu132"),))
    assert after == text.replace("cu130", "cu132")
    assert "cu132" in plan(text, backends=(("cu130", "cu132"),)).backends["cu130"].name


def test_extras_that_state_no_version_and_share_no_release_stay() -> None:
    names = ("cpu", "cu118", "cu128", "cu130")
    text = (
        f"{HEAD}dependencies = []\n\n[project.optional-dependencies]\n"
        + "".join(f'{name} = ["torch", "torchvision>=0.20.0"]\n' for name in names)
        + "\n[tool.uv]\nconflicts = [["
        + ", ".join(f'{{ extra = "{name}" }}' for name in names)
        + "]]\n\n[tool.uv.sources]\n"
        + "".join(
            f"{package} = ["
            + ", ".join(f'{{ index = "pytorch-{name}", extra = "{name}" }}' for name in names)
            + "]\n"
            for package in ("torch", "torchvision")
        )
        + "".join(index(f"pytorch-{name}", name) for name in names)
    )
    done = plan(text)
    assert done.steps == ()
    assert "each build has the newest torch of its index: nothing to upgrade" in done.notes


def test_the_list_of_targets_moves_along() -> None:
    listed = '\n[tool.torchconf]\ntargets = ["linux-cu126", "macos-mps", "windows-cuda"]\n'
    text = linux_only("torch>=2.11.0", "cu126") + listed
    moved = tomllib.loads(upgraded(text, backends=(("cu126", "cu130"),)))
    assert moved["tool"]["torchconf"]["targets"] == ["linux-cu130", "macos-mps", "windows-cuda"]
    recorded = tomllib.loads(upgraded(linux_only("torch>=2.13.0"), record=True))
    assert recorded["tool"]["torchconf"]["targets"] == ["linux-cu130"]


def test_sources_outside_the_family_stay_with_an_index_that_stays() -> None:
    """An index that others use and the root keeps is left to them."""
    kept = 'flash-attn = { index = "gpu" }\n'
    text = (
        f'{HEAD}dependencies = ["torch>=2.13.0", "flash-attn"]\n\n[tool.uv.sources]\n'
        f'torch = {{ index = "pytorch-cu130" }}\n{kept}'
        + index("pytorch-cu130", "cu130")
        + '\n[[tool.uv.index]]\nname = "gpu"\nurl = "https://h.example.org/gpu"\nexplicit = true\n'
    )
    after = upgraded(text, backends=(("cu130", "cu132"),))
    assert kept in after
    assert after == text.replace("cu130", "cu132")


def test_sources_of_others_are_not_taken_to_an_index_that_was_there_already() -> None:
    """Two indexes become one for the family; whatever else used the old one stays with it."""
    text = (
        f"{HEAD}"
        '\n[project.optional-dependencies]\nold = ["torch>=2.13.0"]\n'
        '\n[tool.uv.sources]\ntorch = [{ index = "pytorch-cu130", extra = "old" }]\n'
        'other = { index = "pytorch-cu130" }\nthird = { index = "pytorch-cu132" }\n'
        + index("pytorch-cu130", "cu130")
        + index("pytorch-cu132", "cu132")
    )
    data = tomllib.loads(upgraded(text, backends=(("cu130", "cu132"),)))
    sources = data["tool"]["uv"]["sources"]
    assert sources["torch"][0]["index"] == "pytorch-cu132"
    assert sources["other"] == {"index": "pytorch-cu130"}
    assert [entry["name"] for entry in data["tool"]["uv"]["index"]] == [
        "pytorch-cu130",
        "pytorch-cu132",
    ]


@pytest.mark.parametrize(
    ("backends", "word"),
    [
        ((("cu126", "cu132"),), "cu126"),
        ((("cu130", "rocm7.2"),), "rocm7.2"),
    ],
)
def test_a_backend_that_cannot_move_is_refused(
    backends: tuple[tuple[str, str], ...], word: str
) -> None:
    with pytest.raises(RequestError, match=word):
        plan(linux_only("torch>=2.13.0"), backends=backends)


def test_two_extras_do_not_become_one_build() -> None:
    text = (
        f"{HEAD}\n[project.optional-dependencies]\n"
        'a = ["torch>=2.13.0"]\nb = ["torch>=2.13.0"]\n'
        '\n[tool.uv]\nconflicts = [[{ extra = "a" }, { extra = "b" }]]\n'
        '\n[tool.uv.sources]\ntorch = [\n    { index = "pytorch-cu130", extra = "a" },\n'
        '    { index = "pytorch-cu132", extra = "b" },\n]\n'
        + index("pytorch-cu130", "cu130")
        + index("pytorch-cu132", "cu132")
    )
    with pytest.raises(RequestError) as caught:
        plan(text, backends=(("cu130", "cu132"),))
    assert "cu130" in caught.value.message
    assert "cu132" in caught.value.message


# An index that nobody named.


@pytest.mark.parametrize(
    ("more", "is_open"),
    [
        (index("i", "cu130", "explicit = true"), False),
        (index("i", "cu130", ""), True),
        (index("i", "cu130", "explicit = false"), True),
        (index("i", "cu130", "default = true"), True),
        (f'[tool.uv]\nextra-index-url = ["{WHL}/cu130"]\n', True),
        (f'[tool.uv]\nindex-url = "{WHL}/cu130"\n', True),
        ('[tool.uv]\nindex-url = "https://packages.example.org/simple"\n', False),
        ("", False),
    ],
)
def test_torch_from_an_index_that_no_source_names_is_refused(more: str, *, is_open: bool) -> None:
    text = f'{HEAD}dependencies = ["torch>=2.9"]\n{more}'
    if is_open:
        with pytest.raises(ProjectError, match="source") as caught:
            plan(text)
        assert str(caught.value.at).startswith("pyproject.toml, tool.uv.")
    else:
        assert plan(text).targets


def test_a_project_without_torch_has_nothing_to_upgrade() -> None:
    with pytest.raises(TorchconfError):
        plan(f"{HEAD}dependencies = []\n")


# What else names a backend.


@pytest.mark.parametrize(
    ("backend", "line", "found"),
    [
        ("rocm7.2", "FROM rocm7.2", True),
        ("rocm7.2", "pytorch-rocm7-2", True),
        ("rocm7.2", "url = .../whl/rocm7.2/torch", True),
        ("rocm7.2", "FROM rocm7.2.4", False),
        ("rocm7.2", "rocm7.20", False),
        ("rocm7.2", "rocm17.2", False),
        ("rocm7.2", "xrocm7.2", False),
        ("rocm7.2", "rocm/dev-ubuntu:7.2-complete", False),
        ("rocm7.2", "image rocm:7.2-complete", True),
        ("rocm7.2", "rocm 7.2", True),
        ("rocm7.2", "image rocm:7.2.4", True),
        ("rocm7.2", "rocm7.2.", True),
        ("cu130", "cuda13.0", True),
        ("rocm7.2", "rocm 7.25", False),
        ("cu130", "--extra cu130", True),
        ("cu130", "CU130", True),
        ("cu130", "cu1301", False),
        ("cu130", "xcu130", False),
        ("cu130", "nvidia/cuda:13.0.1-base", True),
        ("cu130", "cuda-13.0", True),
        ("cu130", "cuda v13.0", True),
        ("cu130", "cuda 13.01", False),
        ("cu130", "barracuda 13.0", False),
        ("cu130", "https://download.pytorch.org/whl/nightly/cu130", False),
        ("cu130", "pytorch-nightly-cu130, linux-cu130-nightly", False),
        ("cpu", "--extra cpu", True),
        ("cpu", "cpus: 2", False),
    ],
)
def test_a_mention_of_a_backend_is_a_word_of_its_own(
    backend: str, line: str, *, found: bool
) -> None:
    pattern = mention_pattern([CATALOG.backend(backend)])
    assert [*mentions(f"first\n  {line}\n", pattern)] == ([(2, line)] if found else [])


def test_beside_a_name_that_stays_only_comments_and_urls_are_mentions() -> None:
    pattern = mention_pattern([CATALOG.backend("cu130")])
    text = 'cu130 = ["torch"]\nx = 1  # for cu130\nurl = "https://h/cu130"\n'
    assert [number for number, _ in mentions(text, pattern, beside_names=True)] == [2, 3]
    assert [number for number, _ in mentions(text, pattern)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("pytorch-rocm7.2", "pytorch-rocm7.3"),
        ("pytorch-rocm7-2", "pytorch-rocm7-3"),
        ("rocm7.2.4", "rocm7.2.4"),
        ("rocm7.2/rocm7.2.4", "rocm7.3/rocm7.2.4"),
        ("rocm7.20", "rocm7.20"),
        ("https://h/rocm7.2/simple/rocm7.2", "https://h/rocm7.2/simple/rocm7.3"),
    ],
)
def test_a_name_is_renamed_as_a_word_of_its_own(text: str, after: str) -> None:
    assert rename_backend(text, "rocm7.2", "rocm7.3") == after
