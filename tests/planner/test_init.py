"""`torchconf init`, from the command line to the file and to what the real uv makes of it."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet

import torchconf
from tests.support.few import every, few
from tests.support.paths import CASES
from tests.support.projects import EXAMPLES, PROJECTS, THREE_SYSTEMS, WHL, Demo, example_commands
from tests.support.replica import Build, Content, Release, Replica
from tests.support.replica.machines import MACHINES
from torchconf.cli import lock_after_edit, main

if TYPE_CHECKING:
    from tests.support.replica import ReplicaOf

BOM = b"\xef\xbb\xbf"
LINUX_ONLY = "sys_platform == 'linux'"
ELSEWHERE = "sys_platform != 'linux'"
MACOS_ONLY = "sys_platform == 'darwin'"
WINDOWS_ONLY = "sys_platform == 'win32'"
X86 = "sys_platform == 'linux' and platform_machine == 'x86_64'"
NOT_X86 = "sys_platform != 'linux' or platform_machine != 'x86_64'"

# What every kind of project is asked for; each is written once, and again.
REQUESTS = {
    "an empty folder, one build for each system": (None, "-t linux-cu130 -t macos-cpu"),
    "an empty folder, extras": (None, THREE_SYSTEMS),
    "an empty folder, groups": (None, f"{THREE_SYSTEMS} --layout groups"),
    "no torch yet": ("bare", THREE_SYSTEMS),
    "an application with torch, markers": ("app", "-t linux-cu130 -t macos-cpu"),
    "an application with torch, extras": ("app", THREE_SYSTEMS),
    "an application with torch, groups": ("app", f"{THREE_SYSTEMS} --layout groups"),
    "a library with torch": ("library", THREE_SYSTEMS),
    "a library with torch and ROCm": ("library", f"{THREE_SYSTEMS} -t linux-rocm7.2"),
    "a dependency that needs torch": ("accelerate", THREE_SYSTEMS),
    "companions": (None, f"{THREE_SYSTEMS} --with torchvision --with torchaudio"),
    "pins": (None, f"{THREE_SYSTEMS} --pin --with torchvision"),
    "a line that has ended": (None, "-t linux-cu118 -t linux-cpu -t macos-cpu"),
    "ROCm": (None, "-t linux-rocm7.2 -t macos-cpu --with torchvision"),
    "XPU": (None, "-t linux-xpu -t windows-xpu -t macos-cpu"),
    "four backends": (None, "-t linux-cpu -t linux-cu130 -t linux-rocm7.2 -t linux-xpu"),
    "names": (None, f"{THREE_SYSTEMS} --name cu130=gpu --name cpu=laptop"),
    "a mirror": (None, f"{THREE_SYSTEMS} --index-base https://mirror.example.org/pt/{{backend}}"),
    "required environments": (None, f"{THREE_SYSTEMS} --required-environments"),
    "another default": ("library", f"{THREE_SYSTEMS} --default cu130"),
    "no default": ("library", f"{THREE_SYSTEMS} --default none"),
    "PyPI's own build": (None, "-t linux-cu126 -t linux-pypi -t macos-pypi"),
    "ARM": (None, "-t linux-aarch64-cu130 -t linux-cpu -t windows-arm64-cpu --python 3.12"),
}


@pytest.fixture
def empty(tmp_path: Path) -> Demo:
    return Demo(tmp_path)


def start(parent: Path, project: str | None) -> Demo:
    return Demo(parent) if project is None else Demo.of(parent, project)


def packages(requirements: list[str]) -> list[str]:
    return [re.split(r"[^A-Za-z0-9_-]", text)[0] for text in requirements]


# Nothing changes.


@pytest.mark.parametrize("name", every(REQUESTS, 3))
def test_second_run_changes_nothing(name: str, tmp_path: Path) -> None:
    project, flags = REQUESTS[name]
    demo = start(tmp_path, project)
    first = demo.init(flags)
    os.utime(demo.path, ns=(0, 0))
    written = demo.path.read_bytes()

    second = demo.init(flags)

    assert demo.path.read_bytes() == written
    assert demo.path.stat().st_mtime_ns == 0, "not even written again"
    assert second.out == first.out, "the same commands"
    assert second.err.endswith("pyproject.toml: no changes needed\n")
    assert demo(f"init {flags} --check").status == 0
    assert demo(f"init {flags} --dry-run").out == ""


@pytest.mark.parametrize("flag", ["--dry-run", "--check", "--dry-run --check"])
@pytest.mark.parametrize("project", [None, "app"])
def test_asking_what_would_change_writes_nothing(
    flag: str, project: str | None, tmp_path: Path
) -> None:
    demo = start(tmp_path, project)
    before = demo.names(), demo.path.read_bytes() if project else None
    result = demo(f"init {THREE_SYSTEMS} {flag}")
    assert result.status == (1 if "--check" in flag else 0)
    assert (demo.names(), demo.path.read_bytes() if project else None) == before


def test_bytes_outside_the_request_stay(tmp_path: Path) -> None:
    demo = Demo.of(tmp_path, "app")
    before = demo.text.splitlines()
    demo.init("-t linux-cu130 -t macos-cpu")
    assert demo.text.splitlines()[: len(before)] == before


# What is written, to the letter.


@pytest.mark.parametrize("name", example_commands())
def test_example_is_written_byte_for_byte(name: str, tmp_path: Path) -> None:
    first = EXAMPLES / f"{name}.before.toml"
    demo = Demo(tmp_path, first.read_bytes() if first.exists() else None)
    assert demo(example_commands()[name]).status == 0
    told, _, listed = demo.path.read_text(encoding="utf-8").partition("\n[tool.torchconf]\n")
    assert told == (EXAMPLES / f"{name}.toml").read_text(encoding="utf-8")
    asked = re.findall(r"-t (\S+)", example_commands()[name])
    assert listed == f"targets = {json.dumps(asked)}\n", "what was asked for, on one line"


def test_every_example_has_a_command() -> None:
    names = {path.name.split(".")[0] for path in EXAMPLES.glob("*.toml")}
    machine = {"machine", "machine-base-torch", "cpu-or-pypi"}
    assert names == set(example_commands()) == {"markers", "extras", "groups", *machine}


def test_empty_folder_gets_a_minimal_project(empty: Demo) -> None:
    empty.init("-t linux-cu130 -t macos-cpu")
    assert empty.names() == ["pyproject.toml"]
    assert empty.project == {
        "name": "demo",
        "version": "0.1.0",
        "requires-python": ">=3.10",
        "dependencies": ["torch>=2.13.0"],
    }


def test_new_project_is_named_after_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "My_Demo (2)"
    folder.mkdir()
    demo = Demo(tmp_path)
    assert demo(f"--project '{folder}' init -t linux-cpu").status == 0
    text = (folder / "pyproject.toml").read_text(encoding="utf-8")
    assert text.startswith('[project]\nname = "my-demo-2"\n')
    assert demo.names() == []


def test_project_without_torch_only_gains_lines(tmp_path: Path) -> None:
    demo = Demo.of(tmp_path, "bare")
    diff = demo(f"init {THREE_SYSTEMS} --dry-run").out
    assert not [line for line in diff.splitlines()[2:] if line.startswith("-")]
    demo.init(THREE_SYSTEMS)
    assert demo.project["dependencies"] == ["numpy"]
    assert demo.project["optional-dependencies"] == {
        "cpu": ["torch>=2.13.0"],
        "cu130": ["torch>=2.13.0"],
    }


def test_application_moves_torch_from_its_base_into_each_extra(tmp_path: Path) -> None:
    demo = Demo.of(tmp_path, "app")
    demo.init(THREE_SYSTEMS)
    assert demo.project["dependencies"] == ["numpy", "rich"]
    assert demo.project["optional-dependencies"] == {"cpu": ["torch>=2.4"], "cu130": ["torch>=2.4"]}
    assert "# as the paper says" in demo.text, "comments stay, whatever they stood beside"


def test_library_keeps_what_it_publishes(tmp_path: Path) -> None:
    demo = Demo.of(tmp_path, "library")
    published = demo.project
    demo.init(THREE_SYSTEMS)
    assert demo.project == published
    assert demo.data["dependency-groups"] == {
        "dev": ["pytest"],
        "cpu": ["torch"],
        "cu130": ["torch"],
    }
    assert demo.uv["default-groups"] == ["dev", "cpu"]
    assert demo.uv["environments"] == [LINUX_ONLY, MACOS_ONLY, WINDOWS_ONLY]


def test_parent_folder_with_a_project_is_the_one_that_is_edited(tmp_path: Path) -> None:
    demo = Demo.of(tmp_path, "bare")
    (demo.folder / "src").mkdir()
    inside = Demo.__new__(Demo)
    inside.folder = demo.folder / "src"
    result = inside("init -t linux-cpu")
    assert result.status == 0
    assert result.err.endswith(f"wrote {Path('..') / 'pyproject.toml'}\n")
    assert "pytorch-cpu" in demo.text
    assert inside.names() == []


# Adding a companion.


@pytest.mark.parametrize(
    ("flags", "lists"),
    [
        ("-t linux-cu130 -t macos-cpu", [("project", "dependencies")]),
        (
            THREE_SYSTEMS,
            [("project", "optional-dependencies", extra) for extra in ("cpu", "cu130")],
        ),
        (
            f"{THREE_SYSTEMS} --layout groups",
            [("dependency-groups", group) for group in ("cpu", "cu130")],
        ),
    ],
    ids=["markers", "extras", "groups"],
)
def test_with_adds_the_package_and_nothing_else(
    flags: str, lists: list[tuple[str, ...]], empty: Demo
) -> None:
    empty.init(flags)
    before = empty.data

    assert empty("init --with TorchVision").status == 0

    after = empty.data
    assert (
        after["tool"]["uv"]["sources"].pop("torchvision")
        == before["tool"]["uv"]["sources"]["torch"]
    )
    for path in lists:
        here: Any = after
        for key in path:
            here = here[key]
        assert here.pop() == "torchvision>=0.28.0"
    assert after == before


GUIDE = f"""\
[project]
name = "demo"
version = "0.1.0"
requires-python = ">=3.12,<3.14"
dependencies = ["torch"]

[project.optional-dependencies]
cpu = ["torch"]
cu128 = ["torch"]

[tool.uv]
conflicts = [[{{ extra = "cpu" }}, {{ extra = "cu128" }}]]

[tool.uv.sources]
torch = [
    {{ index = "pytorch-cpu", extra = "cpu" }},
    {{ index = "pytorch-cu128", extra = "cu128"MARKER }},
]

[[tool.uv.index]]
name = "pytorch-cpu"
url = "{WHL}/cpu"
explicit = true

[[tool.uv.index]]
name = "pytorch-cu128"
url = "{WHL}/cu128"
explicit = true
"""


@pytest.mark.parametrize("marker", ["", ", marker = \"platform_system != 'Darwin'\""])
def test_with_routes_the_package_as_torch_is_and_leaves_torch_where_it_is(
    marker: str, tmp_path: Path
) -> None:
    demo = Demo(tmp_path, GUIDE.replace("MARKER", marker))
    before = demo.data
    demo.init("--with torchvision")
    after = demo.data
    extras = after["project"]["optional-dependencies"]
    assert [packages(extra) for extra in extras.values()] == [["torch", "torchvision"]] * 2
    sources = after["tool"]["uv"]["sources"]
    assert sources.pop("torchvision") == sources["torch"]
    after["project"]["optional-dependencies"] = before["project"]["optional-dependencies"]
    assert after == before, "and nothing else"


TWO_EXTRAS = "-t linux-cpu -t linux-cu130 -t macos-cpu --layout extras"
PYPI_EXTRA = "-t linux-cu130 -t linux-pypi --layout extras"


@pytest.mark.parametrize(
    ("first", "second", "dropped"),
    [
        ("-t macos-cpu -t windows-cpu", "-t linux-cu132", "`windows-cpu`, `macos-cpu`"),
        ("-t linux-cu132", "-t macos-cpu -t windows-cpu", "`linux-cu132`"),
        (TWO_EXTRAS, "-t linux-cu130 -t linux-cu126", "`linux-cpu`"),
        (PYPI_EXTRA, "-t linux-cu130", "`linux-pypi`"),
    ],
)
def test_targets_that_a_request_leaves_out_are_dropped_by_force_only(
    first: str, second: str, dropped: str, empty: Demo
) -> None:
    empty.init(first)
    before = empty.text
    result = empty(f"init {second}")
    assert (result.status, empty.text) == (2, before)
    assert dropped.partition(",")[0] in result.err
    assert "--force" in result.err
    assert empty(f"init {second} --force").status == 0
    assert empty.text != before


def test_with_matches_the_torch_that_the_project_admits(tmp_path: Path) -> None:
    demo = Demo.of(tmp_path, "app")
    demo.init("-t linux-cu130 -t macos-cpu --with torchvision")
    assert demo.project["dependencies"][-1] == "torchvision>=0.19.0", "torch>=2.4 came with it"


def test_torchaudio_is_the_one_that_fits_and_not_the_one_of_the_same_number(empty: Demo) -> None:
    empty.init("-t linux-cu130 -t macos-cpu --with torchaudio --torch '>=2.13'")
    assert empty.project["dependencies"] == ["torch>=2.13", "torchaudio>=2.11.0"]


# Asking first.


def test_dry_run_prints_a_unified_diff_that_patch_would_take(empty: Demo) -> None:
    empty.init("-t linux-cu130 -t macos-cpu")
    diff = empty("init --with torchvision --dry-run").out
    before = empty.text
    empty.init("--with torchvision")
    assert patched(before, diff) == empty.text
    assert [line for line in diff.splitlines() if not line.startswith((" ", "@"))] == [
        "--- pyproject.toml",
        "+++ pyproject.toml",
        '+    "torchvision>=0.28.0",',
        *("+" + line for line in ROUTED),
    ]


ROUTED = [
    '    { index = "pytorch-cu130", marker = "sys_platform == \'linux\'" },',
    '    { index = "pytorch-cpu", marker = "sys_platform != \'linux\'" },',
    "]",
    "torchvision = [",
]


def patched(text: str, diff: str) -> str:
    """Apply a unified diff, checking every line of it."""
    lines, result, at = text.splitlines(keepends=True), [], 0
    for line in diff.splitlines(keepends=True)[2:]:
        if hunk := re.match(r"@@ -(\d+)", line):
            result += lines[at : int(hunk[1]) - 1]
            at = int(hunk[1]) - 1
        elif line.startswith("+"):
            result.append(line[1:])
        else:
            assert lines[at] == line[1:]
            result += [line[1:]] if line.startswith(" ") else []
            at += 1
    return "".join(result + lines[at:])


def test_check_answers_with_the_exit_status_and_says_it_on_stderr(empty: Demo) -> None:
    before = empty("init -t linux-cpu --check")
    assert (before.status, before.out) == (1, "")
    assert before.err.endswith("pyproject.toml would change\n")
    empty.init("-t linux-cpu")
    after = empty("init -t linux-cpu --check")
    assert (after.status, after.out) == (0, "")
    assert after.err.endswith("pyproject.toml: no changes needed\n")


# JSON.


@pytest.mark.parametrize("flag", ["--format json", "--format=json", "--output-format json"])
def test_json_says_what_was_done_on_stdout_alone(flag: str, empty: Demo) -> None:
    result = empty(f"init -t linux-cu130 -t linux-cpu {flag}")
    assert (result.status, result.err) == (0, "")
    data = result.json
    assert patched("", data.pop("diff")) == empty.text
    assert data == {
        "schema_version": 1,
        "path": str(empty.path),
        "changed": True,
        "written": True,
        "layout": "extras",
        "torch": "2.13.0",
        "targets": [
            {"target": "linux-cu130", "command": "uv sync --extra cu130"},
            {"target": "linux-cpu", "command": "uv sync --extra cpu"},
        ],
        "notes": [
            "layout extras: linux has several backends (cu130, cpu)",
            "torch 2.13.0: newest with wheels for every target and Python",
        ],
        "warnings": [],
    }


@pytest.mark.parametrize("flag", ["--dry-run", "--check"])
def test_json_of_a_rehearsal_says_that_nothing_was_written(flag: str, empty: Demo) -> None:
    data = empty(f"init -t linux-cpu {flag} --format json").json
    assert (data["changed"], data["written"]) == (True, False)


@pytest.mark.parametrize(
    ("words", "message", "help_"),
    [
        (
            "init -t macos-cuda",
            (
                "target `macos-cuda` is not available: PyTorch publishes no CUDA build for "
                "macos-arm64, only for linux-x86_64, linux-aarch64, windows-x86_64"
            ),
            "available for this platform: `macos-cpu`",
        ),
        (
            "init --tagret linux-cpu",
            "unexpected argument `--tagret` for `torchconf init`",
            "did you mean `--target`?",
        ),
    ],
)
def test_failure_is_json_where_json_was_asked_for(
    words: str, message: str, help_: str, empty: Demo
) -> None:
    result = empty(f"{words} --format json")
    assert (result.status, result.err) == (2, "")
    assert result.json == {
        "schema_version": 1,
        "error": {"message": message, "at": None, "help": help_},
    }


# Streams and colour.


def test_commands_go_to_stdout_and_everything_else_to_stderr(tmp_path: Path) -> None:
    demo = Demo.of(tmp_path, "library")
    result = demo.init(f"{THREE_SYSTEMS} --with torchvision")
    assert result.out == (
        "linux-cu130  uv sync --no-group cpu --group cu130\n"
        "linux-cpu    uv sync\n"
        "windows-cpu  uv sync\n"
        "macos-cpu    uv sync\n"
        "plain `uv run`, `uv add` and `uv remove` reinstall the group `cpu`\n"
        "to keep your choice: set `UV_NO_SYNC=1`, or run "
        "`uv run --no-group cpu --group cu130 ...`\n"
    )
    assert result.err == (
        "layout groups: linux has several backends (cu130, cpu), and torch stays in the base "
        "dependencies\n"
        "torch 2.13.0: newest with wheels for every target and Python\n"
        "`environments` limits uv.lock to Linux, macOS and Windows: uv refuses other systems\n"
        "not targeted: linux-aarch64 gets CPU with group `cpu`\n"
        "not targeted: linux-aarch64 gets CUDA 13.0 with group `cu130`\n"
        "wrote pyproject.toml\n"
    )


def test_what_other_platforms_get_is_said_in_every_layout(empty: Demo) -> None:
    assert [
        line for line in empty.init("-t linux-rocm7.2").err.splitlines() if "not targeted" in line
    ] == [
        "not targeted: linux-aarch64 gets PyPI's build (CUDA 13.0)",
        "not targeted: windows-x86_64, macos-arm64 get PyPI's build (CPU)",
    ]


def test_quiet_says_only_how_to_install(empty: Demo) -> None:
    result = empty.init("-t linux-cpu -q")
    assert (result.out, result.err) == ("linux-cpu  uv sync\n", "")
    again = empty.init("-t linux-cpu -q")
    assert (again.out, again.err) == ("linux-cpu  uv sync\n", "")


def test_quiet_does_not_hide_what_is_not_known(empty: Demo) -> None:
    result = empty.init("-t linux-cpu --torch 2.14 -q")
    assert result.err.startswith("warning: the catalog of 2026-11-22 has no information on torch")


def test_diff_is_coloured_only_where_colour_is_wanted(
    empty: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "\033" not in empty("init -t linux-cpu --dry-run").out, "a pipe is plain"
    coloured = empty("--color always init -t linux-cpu --dry-run").out
    assert '\033[32m+name = "demo"\033[0m\n' in coloured
    assert re.sub(r"\033\[\d*m", "", coloured) == empty("init -t linux-cpu --dry-run").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\033" not in empty("init -t linux-cpu --dry-run").out
    assert "\033" not in empty("init --color never -t linux-cpu --dry-run").out


# Flags.


def test_pin_holds_the_family_and_names_the_command_that_moves_it(empty: Demo) -> None:
    empty.init(f"{THREE_SYSTEMS} --pin --with torchvision --with torchaudio")
    assert (
        "# `torchconf upgrade` moves these pins together\n"
        "constraint-dependencies = [\n"
        '    "torch==2.13.0",\n'
        '    "torchvision==0.28.0",\n'
        '    "torchaudio==2.11.0",\n'
        "]\n"
    ) in empty.text
    assert empty.project["optional-dependencies"]["cpu"] == [
        "torch>=2.13.0",
        "torchvision>=0.28.0",
        "torchaudio>=2.11.0",
    ], "what is published stays a lower bound"


def test_pin_of_a_configured_project_adds_only_the_pins(empty: Demo) -> None:
    empty.init(THREE_SYSTEMS)
    before = empty.data
    empty.init("--pin")
    after = empty.data
    assert after["tool"]["uv"].pop("constraint-dependencies") == ["torch==2.13.0"]
    assert after == before


def test_required_environments_lists_the_platforms_of_the_targets(empty: Demo) -> None:
    empty.init(f"{THREE_SYSTEMS} --required-environments")
    assert empty.uv["required-environments"] == [
        "sys_platform == 'linux' and platform_machine == 'x86_64'",
        "sys_platform == 'win32' and platform_machine == 'AMD64'",
        "sys_platform == 'darwin' and platform_machine == 'arm64'",
    ]


def test_required_environments_are_off_unless_asked_for(empty: Demo) -> None:
    empty.init(THREE_SYSTEMS)
    assert "required-environments" not in empty.uv


@pytest.mark.parametrize(
    ("layout", "table", "key"),
    [
        ("extras", ("project", "optional-dependencies"), "extra"),
        ("groups", ("dependency-groups",), "group"),
    ],
)
def test_name_changes_the_word_that_people_type_and_not_the_index(
    layout: str, table: tuple[str, ...], key: str, empty: Demo
) -> None:
    result = empty.init(f"{THREE_SYSTEMS} --layout {layout} --name cu130=gpu --name cpu=laptop")
    here: Any = empty.data
    for part in table:
        here = here[part]
    assert set(here) - {"dev"} == {"laptop", "gpu"}
    assert empty.uv["conflicts"] == [[{key: "laptop"}, {key: "gpu"}]]
    assert {source[key]: source["index"] for source in empty.uv["sources"]["torch"][:2]} == {
        "laptop": "pytorch-cpu",
        "gpu": "pytorch-cu130",
    }
    assert "gpu" in result.commands()["linux-cu130"]


def test_names_of_extras_are_normalised_backends(empty: Demo) -> None:
    result = empty.init("-t linux-rocm7.2 -t linux-cpu")
    assert list(empty.project["optional-dependencies"]) == ["cpu", "rocm7-2"]
    assert result.commands()["linux-rocm7.2"] == ["uv", "sync", "--extra", "rocm7-2"]


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://mirror.example.org/pytorch", "https://mirror.example.org/pytorch/{}"),
        ("https://mirror.example.org/pytorch/", "https://mirror.example.org/pytorch/{}"),
        (
            "https://mirror.example.org/api/pypi/pytorch-{backend}/simple",
            "https://mirror.example.org/api/pypi/pytorch-{}/simple",
        ),
        (
            "https://mirror.example.org/{backend}/whl/{backend}",
            "https://mirror.example.org/{0}/whl/{0}",
        ),
    ],
)
def test_index_base_is_a_prefix_or_a_pattern(base: str, url: str, empty: Demo) -> None:
    empty.init(f"-t linux-rocm7.2 -t linux-cpu --index-base {base}")
    assert [(index["name"], index["url"]) for index in empty.uv["index"]] == [
        ("pytorch-cpu", url.format("cpu")),
        ("pytorch-rocm7.2", url.format("rocm7.2")),
    ]


def test_mirror_in_use_serves_what_is_added_later(empty: Demo) -> None:
    empty.init(
        "-t linux-cu130 -t linux-cpu --index-base https://mirror.example.org/p-{backend}/simple"
    )
    empty.init("-t linux-cu130 -t linux-cpu -t linux-cu126")
    assert empty.uv["index"][-1] == {
        "name": "pytorch-cu126",
        "url": "https://mirror.example.org/p-cu126/simple",
        "explicit": True,
    }


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("3.12", ">=3.12"),
        (">=3.11,<3.14", ">=3.11,<3.14"),
        ("'>= 3.11, < 3.14'", ">=3.11,<3.14"),
        ("3.11.4", ">=3.11.4"),
        ("~=3.12", "~=3.12"),
    ],
)
@pytest.mark.parametrize("project", [None, "app"])
def test_python_sets_the_range_of_the_project(
    asked: str, written: str, project: str | None, tmp_path: Path
) -> None:
    demo = start(tmp_path, project)
    demo.init(f"-t linux-cu130 --python {asked}")
    assert demo.project["requires-python"] == written


def test_python_of_the_project_is_left_alone_unless_asked_for(tmp_path: Path) -> None:
    demo = Demo.of(tmp_path, "app")
    demo.init("-t linux-cu130")
    assert demo.project["requires-python"] == ">=3.11"


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("2.12", "torch>=2.12,<2.13"),
        (">=2.11", "torch>=2.11"),
        ("'>=2.11, <2.13'", "torch>=2.11,<2.13"),
        ("==2.12.1", "torch==2.12.1"),
    ],
)
def test_torch_is_written_as_asked_for(asked: str, written: str, empty: Demo) -> None:
    empty.init(f"-t linux-cu130 -t macos-cpu --torch {asked} --python 3.12")
    assert empty.project["dependencies"] == [written]


@pytest.mark.parametrize(
    ("asked", "groups", "command"),
    [
        ("", ["dev", "cpu"], ["--no-group", "cpu", "--group", "cu130"]),
        ("--default cpu", ["dev", "cpu"], ["--no-group", "cpu", "--group", "cu130"]),
        ("--default cu130", ["dev", "cu130"], []),
        ("--default none", None, ["--group", "cu130"]),
    ],
)
def test_default_is_what_plain_sync_installs(
    asked: str, groups: list[str] | None, command: list[str], tmp_path: Path
) -> None:
    demo = Demo.of(tmp_path, "library")
    result = demo.init(f"{THREE_SYSTEMS} {asked}")
    assert demo.uv.get("default-groups") == groups
    assert result.commands()["linux-cu130"] == ["uv", "sync", *command]


def test_default_asks_for_groups_where_nothing_else_does(empty: Demo) -> None:
    empty.init(f"{THREE_SYSTEMS} --default cu130")
    assert list(empty.data["dependency-groups"]) == ["dev", "cpu", "cu130"]
    assert empty.uv["default-groups"] == ["dev", "cu130"]


def test_undefined_dev_is_created_empty_because_default_groups_names_it(tmp_path: Path) -> None:
    demo = Demo.of(tmp_path, "bare")
    demo.init(f"{THREE_SYSTEMS} --layout groups")
    assert demo.data["dependency-groups"]["dev"] == []


@pytest.mark.parametrize(
    ("layout", "source"),
    [
        ("markers", {"index": "pytorch-cu130", "marker": LINUX_ONLY}),
        ("extras", {"index": "pytorch-cu130", "extra": "cu130", "marker": LINUX_ONLY}),
        ("groups", {"index": "pytorch-cu130", "group": "cu130", "marker": LINUX_ONLY}),
    ],
)
def test_layout_can_be_asked_for(layout: str, source: dict[str, str], empty: Demo) -> None:
    result = empty.init(f"-t linux-cu130 -t macos-cpu --layout {layout}")
    assert source in empty.uv["sources"]["torch"]
    assert result.err.startswith(f"layout {layout}: as requested\n")


# Triton, and lines that have ended.


def test_rocm_brings_its_triton_as_a_routed_requirement(empty: Demo) -> None:
    empty.init("-t linux-rocm7.2 -t macos-cpu")
    assert empty.project["dependencies"] == [
        "torch>=2.13.0",
        f"triton-rocm>=3.6.0 ; {X86}",
    ]
    assert empty.uv["sources"] == {
        "torch": [
            {"index": "pytorch-rocm7.2", "marker": X86},
            {"index": "pytorch-cpu", "marker": NOT_X86},
        ],
        "triton-rocm": [{"index": "pytorch-rocm7.2", "marker": X86}],
    }


@pytest.mark.parametrize(
    ("target", "torch", "triton"),
    [
        ("linux-rocm6.4", "2.9", "pytorch-triton-rocm"),
        ("linux-rocm7.1", "2.10", "triton-rocm"),
        ("linux-xpu", "2.9", "pytorch-triton-xpu"),
        ("linux-xpu", "2.10", "triton-xpu"),
    ],
)
def test_name_of_triton_depends_on_the_torch(
    target: str, torch: str, triton: str, empty: Demo
) -> None:
    empty.init(f"-t {target} --torch {torch}")
    assert packages(empty.project["dependencies"]) == ["torch", triton]
    assert list(empty.uv["sources"]) == ["torch", triton]


def test_cuda_and_cpu_need_no_triton_of_their_own(empty: Demo) -> None:
    empty.init(THREE_SYSTEMS)
    assert list(empty.uv["sources"]) == ["torch"]


@pytest.mark.parametrize(
    ("backend", "written"),
    [
        ("cu118", "torch>=2.7.1,<2.8"),
        ("cu124", "torch>=2.6.0,<2.7"),
        ("cu128", "torch>=2.11.0,<2.12"),
        ("cu130", "torch>=2.13.0"),
    ],
)
def test_line_that_has_ended_bounds_the_torch_of_all(
    backend: str, written: str, empty: Demo
) -> None:
    empty.init(f"-t linux-{backend} -t linux-cpu -t macos-cpu")
    assert empty.project["optional-dependencies"] == {"cpu": [written], backend: [written]}


def test_line_that_has_ended_by_itself_needs_no_bound(empty: Demo) -> None:
    empty.init("-t linux-cu128 -t windows-cu128")
    assert empty.project["dependencies"] == ["torch>=2.11.0"]


def test_requirement_of_the_project_is_kept_and_only_bounded(tmp_path: Path) -> None:
    demo = Demo.of(tmp_path, "app")
    demo.init("-t linux-cu128 -t macos-cpu")
    assert demo.project["dependencies"] == ["numpy", "torch>=2.4,<2.12", "rich"]
    assert '    "torch>=2.4,<2.12",  # as the paper says\n' in demo.text


# Another dependency needs torch.


def test_torch_that_another_dependency_needs_becomes_a_bare_requirement(tmp_path: Path) -> None:
    demo = Demo.of(tmp_path, "accelerate")
    demo.init("-t linux-cu130 -t macos-cpu")
    assert demo.project["dependencies"] == ["accelerate>=1.0", "torch"]


def test_torch_that_another_dependency_needs_is_chosen_by_groups(tmp_path: Path) -> None:
    demo = Demo.of(tmp_path, "accelerate")
    demo.init(THREE_SYSTEMS)
    assert demo.project["dependencies"] == ["accelerate>=1.0"]
    assert demo.data["dependency-groups"] == {"dev": [], "cpu": ["torch"], "cu130": ["torch"]}


def test_companion_that_the_lockfile_knows_somebody_needs_is_routed_too(tmp_path: Path) -> None:
    demo = Demo(tmp_path, '[project]\nname = "demo"\nversion = "1"\ndependencies = ["studio"]\n')
    (demo.folder / "uv.lock").write_text(
        'version = 1\n\n[[package]]\nname = "studio"\nversion = "1.0"\n'
        'dependencies = [\n    { name = "torch" },\n    { name = "torchvision" },\n]\n',
        encoding="utf-8",
    )
    demo.init("-t linux-cu130 -t macos-cpu --python 3.11")
    assert demo.project["dependencies"] == ["studio", "torch", "torchvision"]
    assert list(demo.uv["sources"]) == ["torch", "torchvision"]


def test_locked_release_is_kept_if_it_serves_all_targets(tmp_path: Path) -> None:
    demo = Demo.of(tmp_path, "app")
    (demo.folder / "uv.lock").write_text(
        'version = 1\n\n[[package]]\nname = "torch"\nversion = "2.12.0"\n', encoding="utf-8"
    )
    result = demo.init("-t linux-cu130 -t macos-cpu --pin")
    assert "torch 2.12.0: the locked release, available for all targets\n" in result.err
    assert demo.uv["constraint-dependencies"] == ["torch==2.12.0"]


# What is there already.


def library_with(extra: str, tmp_path: Path) -> Demo:
    return Demo(tmp_path, (PROJECTS / "library.toml").read_text(encoding="utf-8") + extra)


def test_environments_that_are_there_are_split_and_never_widened(tmp_path: Path) -> None:
    environments = f'\n[tool.uv]\nenvironments = ["{LINUX_ONLY}", "sys_platform == \'darwin\'"]\n'
    demo = library_with(environments, tmp_path)
    demo.init("-t linux-cu130 -t linux-rocm7.2 -t linux-cpu -t macos-cpu")
    assert [places(marker) for marker in demo.uv["environments"]] == [
        {"linux-x86_64"},
        {"linux-aarch64"},
        {"macos-arm64", "macos-x86_64"},
    ]


def places(marker: str) -> set[str]:
    """Return the platforms on which a marker holds."""
    return {
        name for name, machine in MACHINES.items() if Marker(marker).evaluate(machine._asdict())
    }


def test_environments_that_are_cut_well_already_stay(tmp_path: Path) -> None:
    cells = [WINDOWS_ONLY, "platform_system == 'Linux'", MACOS_ONLY]
    listed = ", ".join(f'"{cell}"' for cell in cells)
    demo = library_with(f"\n[tool.uv]\nenvironments = [{listed}]\n", tmp_path)
    demo.init(THREE_SYSTEMS)
    assert demo.uv["environments"] == cells


def test_open_cell_is_split_into_closed_ones(tmp_path: Path) -> None:
    environments = f'\n[tool.uv]\nenvironments = ["{ELSEWHERE}", "{LINUX_ONLY}"]\n'
    demo = library_with(environments, tmp_path)
    demo.init(THREE_SYSTEMS)
    assert sorted(demo.uv["environments"]) == [MACOS_ONLY, LINUX_ONLY, WINDOWS_ONLY]


def test_all_groups_by_default_become_all_but_the_other_backends(tmp_path: Path) -> None:
    demo = library_with('docs = ["sphinx"]\n\n[tool.uv]\ndefault-groups = "all"\n', tmp_path)
    demo.init(f"{THREE_SYSTEMS} -t linux-cu126")
    assert demo.uv["default-groups"] == ["dev", "docs", "cpu"]


def test_default_groups_that_are_there_are_kept(tmp_path: Path) -> None:
    demo = library_with('docs = ["sphinx"]\n\n[tool.uv]\ndefault-groups = ["docs"]\n', tmp_path)
    demo.init(THREE_SYSTEMS)
    assert demo.uv["default-groups"] == ["docs", "cpu"]


def test_groups_of_those_names_are_added_to(tmp_path: Path) -> None:
    demo = library_with('CPU = ["ninja"]  # builds extensions\n', tmp_path)
    result = demo.init(THREE_SYSTEMS)
    assert demo.data["dependency-groups"] == {
        "dev": ["pytest"],
        "CPU": ["ninja", "torch"],
        "cu130": ["torch"],
    }
    assert "# builds extensions" in demo.text
    assert result.commands()["linux-cpu"] == ["uv", "sync"]


def test_extras_of_those_names_are_added_to(tmp_path: Path) -> None:
    extras = '\n[project.optional-dependencies]\ncpu = ["torch>=2.6", "ninja"]\ncu130 = ["rich"]\n'
    demo = Demo(tmp_path, (PROJECTS / "bare.toml").read_text(encoding="utf-8") + extras)
    demo.init(THREE_SYSTEMS)
    assert demo.project["optional-dependencies"]["cpu"] == ["torch>=2.6", "ninja"]
    cu130 = demo.project["optional-dependencies"]["cu130"]
    assert cu130[0] == "rich"
    assert packages(cu130) == ["rich", "torch"]


def test_conflict_set_with_two_of_the_names_becomes_the_one_set(tmp_path: Path) -> None:
    demo = Demo.of(tmp_path, "bare")
    demo.init(THREE_SYSTEMS)
    demo.init(f"{THREE_SYSTEMS} -t linux-cu126")
    assert [[item["extra"] for item in one] for one in demo.uv["conflicts"]] == [
        ["cpu", "cu130", "cu126"]
    ]


@pytest.mark.parametrize("raw", [b"\r\n", BOM, BOM + b"\r\n"], ids=["CRLF", "BOM", "both"])
def test_line_endings_and_byte_order_mark_stay(raw: bytes, tmp_path: Path) -> None:
    plain = Demo.of(tmp_path, "app")
    plain.init(THREE_SYSTEMS)
    expected = plain.path.read_bytes()
    before = (PROJECTS / "app.toml").read_bytes()
    if raw.endswith(b"\r\n"):
        expected, before = expected.replace(b"\n", b"\r\n"), before.replace(b"\n", b"\r\n")
    mark = BOM if raw.startswith(BOM) else b""
    (tmp_path / "other").mkdir()
    demo = Demo(tmp_path / "other", mark + before)

    demo.init(THREE_SYSTEMS)

    assert demo.path.read_bytes() == mark + expected


def test_symbolic_link_stays_one(tmp_path: Path) -> None:
    demo = Demo.of(tmp_path, "bare")
    real = tmp_path / "real.toml"
    demo.path.rename(real)
    demo.path.symlink_to(real)
    demo.init("-t linux-cpu")
    assert demo.path.is_symlink()
    assert "pytorch-cpu" in real.read_text(encoding="utf-8")


# Locking.


def test_lock_writes_the_lockfile_of_the_new_file(empty: Demo, inside_replica: Replica) -> None:
    result = empty.init(f"{THREE_SYSTEMS} --python 3.11 --lock")
    assert {"locked uv.lock", "wrote pyproject.toml"} <= set(result.err.splitlines())
    assert result.commands()["linux-cpu"] == ["uv", "sync", "--extra", "cpu"]
    assert empty.names() == ["pyproject.toml", "uv.lock"]
    inside_replica.lock(empty.folder, "--check")


NOT_THERE = '[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.11"\n'
NOT_THERE += 'dependencies = ["not-on-any-index"]\n'


@pytest.mark.usefixtures("inside_replica")
@pytest.mark.parametrize("lockfile", [None, b'version = 1\r\nrequires-python = ">=3.9"\r\n'])
def test_lock_that_fails_puts_every_file_back(lockfile: bytes | None, tmp_path: Path) -> None:
    before = BOM + NOT_THERE.replace("\n", "\r\n").encode()
    demo = Demo(tmp_path, before)
    lock = demo.folder / "uv.lock"
    if lockfile is not None:
        lock.write_bytes(lockfile)

    result = demo("init -t linux-cpu --lock")

    assert result.status == 2
    assert demo.path.read_bytes() == before
    assert (lock.read_bytes() if lock.exists() else None) == lockfile
    assert demo.names() == ["pyproject.toml", *(["uv.lock"] if lockfile else [])]
    assert "not-on-any-index" in result.err, "uv's own words are passed on"
    assert result.err.endswith(
        "error: `uv lock` failed; all files restored\n"
        f"   at: {demo.folder}\n help: see uv's error above\n"
    )


@pytest.mark.usefixtures("inside_replica")
def test_lock_that_fails_removes_a_file_that_was_not_there(
    empty: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://packages.example.org/nothing-here")
    assert empty("init -t linux-cpu --python 3.11 --lock").status == 2
    assert empty.names() == []


@pytest.mark.usefixtures("inside_replica")
def test_lock_that_fails_is_json_where_json_was_asked_for(tmp_path: Path) -> None:
    demo = Demo(tmp_path, NOT_THERE)
    result = demo("init -t linux-cpu --lock --format json")
    assert result.json["error"] == {
        "message": "`uv lock` failed; all files restored",
        "at": str(demo.folder),
        "help": "see uv's error above",
    }


def test_lock_refused_by_a_required_environment_names_the_cure(
    replica_of: ReplicaOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    everywhere = ["linux-x86_64", "linux-aarch64", "windows-x86_64", "macos-arm64"]
    world = replica_of(
        Content.of(
            {
                "cpu": {"torch": [Release("2.13.0", everywhere)]},
                "pypi": {"gpu-only": [Release("1.0", ["linux-x86_64"])]},
            }
        )
    )
    for name, value in world.environment().items():
        monkeypatch.setenv(name, value)
    start = NOT_THERE.replace("not-on-any-index", "gpu-only")
    demo = Demo(tmp_path, start)
    result = demo("init -t linux-cpu -t windows-cpu --required-environments --lock")
    assert result.status == 2
    assert demo.text == start
    assert result.err.endswith(
        " help: a package has no wheel for one of the targets: give it a marker such as "
        "`; sys_platform == 'linux'`, or omit `--required-environments`\n"
    )


@pytest.mark.parametrize(
    ("table", "cure"),
    [
        ("", "see uv's error above"),
        (
            f'[tool.uv]\nrequired-environments = ["{LINUX_ONLY}"]\n',
            (
                "a package has no wheel for one of the targets: give it a marker such as `; "
                "sys_platform == 'linux'`, or remove its platform from `required-environments`"
            ),
        ),
    ],
)
def test_cure_of_a_refused_lock_is_one_that_can_help(
    table: str, cure: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = "hint: `torch` has no `sys_platform == 'x'`-compatible wheels"
    monkeypatch.setattr(
        lock_after_edit,
        "run_uv",
        lambda *_words, **_options: subprocess.CompletedProcess("uv", 1, "", refused),
    )
    demo = Demo(tmp_path, NOT_THERE + table)
    result = demo("init -t linux-cpu --lock")
    assert result.err.endswith(f" help: {cure}\n")


def test_interrupted_lock_puts_every_file_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo = Demo.of(tmp_path, "app")
    before = demo.path.read_bytes()

    def interrupted(*_: str, folder: str) -> None:
        assert "pytorch-cpu" in demo.text, "uv sees the new file"
        Path(folder, "uv.lock").write_text("half of it", encoding="utf-8")
        raise KeyboardInterrupt

    monkeypatch.setattr(lock_after_edit, "run_uv", interrupted)
    result = demo("init -t linux-cpu --lock")
    assert (result.status, result.err.splitlines()[-1]) == (130, "interrupted")
    assert demo.path.read_bytes() == before
    assert demo.names() == ["pyproject.toml"]


def test_lock_without_uv_says_where_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo = Demo.of(tmp_path, "app")
    before = demo.path.read_bytes()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    result = demo("init -t linux-cpu --lock")
    assert result.status == 2
    assert demo.path.read_bytes() == before
    assert result.err.endswith(
        "error: uv was not found\n help: install uv, or `torchconf[uv]`, which includes it\n"
    )


# What is printed really works.

UV_PLATFORMS = {
    "linux": "x86_64-manylinux_2_28",
    "linux-aarch64": "aarch64-manylinux_2_28",
    "windows": "x86_64-pc-windows-msvc",
    "macos": "aarch64-apple-darwin",
}
KEYS = {"linux": "linux-x86_64", "windows": "windows-x86_64", "macos": "macos-arm64"}

# The interpreter that runs must be one of the project's, and uv has no word for Windows on ARM.
INSTALLED = {
    name: request for name, request in REQUESTS.items() if name not in {"a mirror", "ARM"}
} | {
    "aarch64": (None, "-t linux-aarch64-cu130 -t linux-cpu"),
    "a line that has ended": (None, "-t linux-cu128 -t linux-cpu -t macos-cpu"),
    "PyPI's own build": (None, "-t linux-cu126 -t linux-pypi"),
}


def locked(replica: Replica, demo: Demo, target: str, words: list[str]) -> Build:
    """Return the torch that the lockfile holds for a target by its printed command."""
    platform, _, _ = target.rpartition("-")
    required = SpecifierSet(demo.project.get("requires-python", ""))
    python = next(minor for minor in ("3.12", "3.13", "3.14", "3.11") if f"{minor}.9" in required)
    export = replica.export(demo.folder, *words[2:])
    build = export.select(KEYS.get(platform, platform), python)["torch"]
    assert isinstance(build, Build), target
    return build


def index_of(target: str) -> str:
    backend = target.rpartition("-")[2]
    return "https://packages.example.org/simple" if backend == "pypi" else f"{WHL}/{backend}"


def installed(replica: Replica, demo: Demo, words: list[str], platform: str) -> str | None:
    """Run a printed command, as far as it goes without installing; return its torch."""
    run = replica.uv(
        *words[1:], "--dry-run", "--frozen", "--python-platform", platform, cwd=demo.folder
    )
    assert run.returncode == 0, run.stderr
    found = re.search(r"^ \+ torch==(\S+)$", run.stderr, re.MULTILINE)
    return found[1] if found else None


@pytest.mark.parametrize("name", every(INSTALLED, 6))
def test_printed_commands_install_the_build_of_their_target(
    name: str, replica: Replica, tmp_path: Path
) -> None:
    project, flags = INSTALLED[name]
    demo = start(tmp_path, project)
    python = "" if project else "--python '>=3.11,<3.14'"
    commands = demo.init(f"{flags} {python}").commands()
    assert len(commands) == len(re.findall(r"-t ", flags)), "one for each target"
    replica.lock(demo.folder)
    releases = set()
    for target, words in commands.items():
        platform, _, backend = target.rpartition("-")
        torch = installed(replica, demo, words, UV_PLATFORMS[platform])
        assert torch is not None, target
        release, _, local = torch.partition("+")
        releases.add(release)
        assert local == ("" if backend == "pypi" or platform == "macos" else backend), target
        build = locked(replica, demo, target, words)
        assert (build.version, build.index) == (torch, index_of(target))
    assert len(releases) == 1, "one torch release for all"


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (THREE_SYSTEMS, ["uv sync --all-extras --no-extra cpu"]),
        (
            f"{THREE_SYSTEMS} -t linux-cu126 --name cu130=gpu",
            ["uv sync --all-extras --no-extra cpu --no-extra cu126"],
        ),
        (f"{THREE_SYSTEMS} --layout groups", ["uv run --no-group cpu --group cu130 ..."]),
        (f"{THREE_SYSTEMS} --default cu130", ["uv run --no-group cu130 --group cpu ..."]),
    ],
)
def test_printed_hints_are_commands_that_uv_takes(
    flags: str, expected: list[str], replica: Replica, empty: Demo
) -> None:
    result = empty.init(f"{flags} --python 3.11")
    replica.lock(empty.folder)
    assert re.findall(r"`(uv (?:sync|run) -[^`]*)`", result.out) == expected
    for hint in expected:
        # What `uv run` installs first is what `uv sync` with those words does.
        words = shlex.split(hint.replace("uv run", "uv sync").removesuffix("..."))
        assert installed(replica, empty, words, UV_PLATFORMS["linux"])


def test_printed_command_installs_a_torch_that_can_be_imported(
    replica: Replica, empty: Demo
) -> None:
    commands = empty.init(f"{THREE_SYSTEMS} --python 3.11").commands()
    system = {"linux": "linux", "win32": "windows", "darwin": "macos"}[sys.platform]
    replica.lock(empty.folder)
    replica.sync(empty.folder, *commands[f"{system}-cpu"][2:])
    version = replica.python(empty.folder, "import torch; print(torch.__version__)")
    assert version.strip() == ("2.13.0" if system == "macos" else "2.13.0+cpu")


@pytest.mark.parametrize(
    ("section", "selection"),
    [
        ("[project.optional-dependencies]", ["--extra", "ml"]),
        ("[dependency-groups]", ["--group", "ml"]),
    ],
)
def test_printed_command_chooses_the_section_that_torch_stands_in(
    section: str, selection: list[str], replica: Replica, tmp_path: Path
) -> None:
    text = (PROJECTS / "bare.toml").read_text(encoding="utf-8")
    demo = Demo(tmp_path, f'{text}\n{section}\nml = ["torch>=2.9"]\n')
    commands = demo.init("-t linux-cu130 -t macos-cpu").commands()
    replica.lock(demo.folder)
    for target, words in commands.items():
        assert words == ["uv", "sync", *selection]
        assert locked(replica, demo, target, words).index == index_of(target)


# Files of other people: `tests/cases` has 70 that went wrong, and how they were mended.

OTHERS = {
    str(path.parent.relative_to(path.parents[1 if path.parent.name != "fixed" else 2])): path.parent
    for path in sorted(CASES.glob("*/**/pyproject.toml"))
    if path.parent.name == "fixed" or (path.parent / "case.toml").exists()
}
OFFLINE = {
    name: folder
    for name, folder in OTHERS.items()
    if not name.startswith(("044", "601", "645")) and name != "622-cublas-newer-than-torch-pins"
}
"""But for those whose index is not on the replica, and one that wants another cuBLAS than torch."""


@pytest.mark.parametrize("flags", ["-t linux-cu130 -t windows-cpu -t macos-cpu", THREE_SYSTEMS])
@pytest.mark.parametrize("folder", every(OFFLINE.values(), 12), ids=OFFLINE)
def test_file_of_somebody_else_is_refused_or_gives_the_builds(
    folder: Path, flags: str, replica: Replica, tmp_path: Path
) -> None:
    demo = Demo(tmp_path)
    shutil.copytree(folder, demo.folder, dirs_exist_ok=True)
    before = demo.path.read_bytes()
    result = demo(f"init {flags}")
    if result.status == 2:
        assert demo.path.read_bytes() == before
        assert "torchconf failed" not in result.err
        return
    assert result.status == 0
    replica.lock(demo.folder)
    for target, words in result.commands().items():
        assert locked(replica, demo, target, words).index == index_of(target), target


@pytest.mark.parametrize("flags", ["--with torchaudio", THREE_SYSTEMS, f"{THREE_SYSTEMS} --force"])
@pytest.mark.parametrize("folder", every(OTHERS.values(), 9), ids=OTHERS)
def test_file_of_somebody_else_is_written_once(folder: Path, flags: str, tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    shutil.copytree(folder, demo.folder, dirs_exist_ok=True)
    first = demo(f"init {flags}")
    written = demo.path.read_bytes()
    assert "torchconf failed" not in first.err
    assert (written == (folder / "pyproject.toml").read_bytes()) >= (first.status == 2)
    second = demo(f"init {flags}")
    assert (second.status, demo.path.read_bytes()) == (first.status, written)


@pytest.mark.parametrize("after", ["extras", "groups"])
@pytest.mark.parametrize("before", few(["markers", "extras", "groups"], {"extras"}.__contains__))
def test_change_of_layout_leaves_a_file_that_locks_and_gives_the_builds(
    before: str, after: str, replica: Replica, empty: Demo
) -> None:
    targets = "-t linux-cu130 -t macos-cpu" if before == "markers" else THREE_SYSTEMS
    empty.init(f"{targets} --layout {before} --python 3.11")
    commands = empty.init(f"{THREE_SYSTEMS} --layout {after}").commands()
    replica.lock(empty.folder)
    for target, words in commands.items():
        assert locked(replica, empty, target, words).index == index_of(target)
    kinds = {key for conflict in empty.uv["conflicts"] for item in conflict for key in item}
    assert kinds == {after.removesuffix("s")}, "nothing of the old layout stands in a conflict"


def test_environments_cut_by_us_lock_and_give_the_builds(replica: Replica, tmp_path: Path) -> None:
    environments = f'\n[tool.uv]\nenvironments = ["{LINUX_ONLY}", "sys_platform == \'darwin\'"]\n'
    demo = library_with(environments, tmp_path)
    commands = demo.init("-t linux-cu130 -t linux-rocm7.2 -t linux-cpu -t macos-cpu").commands()
    replica.lock(demo.folder)
    for target, words in commands.items():
        assert locked(replica, demo, target, words).index == index_of(target)


def test_mirror_is_locked_and_installed_from(replica_of: ReplicaOf, empty: Demo) -> None:
    pattern = "https://mirror.example.org/pytorch-{backend}/simple"
    world = replica_of(Content.from_facts().mirrored(pattern))
    commands = empty.init(f"{THREE_SYSTEMS} --index-base {pattern} --python 3.11").commands()
    world.lock(empty.folder)
    build = locked(world, empty, "linux-cu130", commands["linux-cu130"])
    assert build.version == "2.13.0+cu130"
    assert build.index == "https://mirror.example.org/pytorch-cu130/simple"


def test_pinned_project_locks_exactly_those_versions(replica: Replica, empty: Demo) -> None:
    commands = empty.init(
        f"{THREE_SYSTEMS} --torch ==2.12.0 --pin --with torchvision --python 3.11"
    ).commands()
    replica.lock(empty.folder)
    for target, words in commands.items():
        platform, _, backend = target.rpartition("-")
        found = replica.selected(empty.folder, KEYS[platform], "3.12", *words[2:])
        label = "" if platform == "macos" else f"+{backend}"
        versions = [
            build.version
            for name in ("torch", "torchvision")
            if isinstance(build := found[name], Build)
        ]
        assert versions == [f"2.12.0{label}", f"0.27.0{label}"]


# Whole processes.


def process(*words: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    root = str(Path(torchconf.__file__).parents[1])
    return subprocess.run(
        [sys.executable, "-m", "torchconf", *words],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": root, **environment},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_process_writes_the_file_and_leaves_with_the_exit_status(empty: Demo) -> None:
    command = shlex.split(example_commands()["extras"])
    first = process(*command, "--check", cwd=empty.folder)
    assert (first.returncode, empty.names()) == (1, [])
    second = process(*command, cwd=empty.folder)
    assert second.returncode == 0
    assert second.stdout.startswith("linux-cu130  uv sync --extra cu130\n")
    assert second.stderr.endswith("wrote pyproject.toml\n")
    assert empty.path.read_bytes().startswith((EXAMPLES / "extras.toml").read_bytes())
    third = process("init", "-t", "macos-cuda", cwd=empty.folder)
    assert (third.returncode, third.stdout) == (2, "")
    assert third.stderr.startswith("error: target `macos-cuda` is not available")


def test_process_without_a_terminal_asks_nothing_and_names_the_flags(empty: Demo) -> None:
    done = process("init", cwd=empty.folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: no target given\n"
        " help: name targets with `-t`, as in `-t linux-cuda -t macos-cpu`, or list them in "
        "`[tool.torchconf]`; run `torchconf init --help` for the other options\n"
    )


def test_process_prints_what_any_encoding_can_hold(tmp_path: Path) -> None:
    demo = Demo(tmp_path, '[project]\nname = "demo"\nversion = "1"\ndescription = "é →"\n')
    done = process(
        "init", "-t", "linux-cpu", "--dry-run", cwd=demo.folder, PYTHONIOENCODING="ascii"
    )
    assert done.returncode == 0, done.stderr
    assert '+    "torch>=2.13.0",' in done.stdout


def test_process_whose_reader_has_gone_says_nothing(empty: Demo) -> None:
    words = f"{shlex.quote(sys.executable)} -m torchconf init -t linux-cpu --dry-run | true"
    root = str(Path(torchconf.__file__).parents[1])
    done = subprocess.run(
        ["/bin/sh", "-c", words],
        cwd=empty.folder,
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert "Broken pipe" not in done.stderr
    assert "layout markers" in done.stderr


@pytest.mark.parametrize(
    ("words", "status", "start_of_out"),
    [
        (["--version"], 0, f"torchconf {torchconf.__version__}\n"),
        (["-V"], 0, f"torchconf {torchconf.__version__}\n"),
        (["--help"], 0, "usage: torchconf"),
        (["init", "--help"], 0, "usage: torchconf init"),
        ([], 0, "usage: torchconf"),
    ],
)
def test_main_returns_its_status_and_never_leaves(
    words: list[str], status: int, start_of_out: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == status
    assert capsys.readouterr().out.startswith(start_of_out)


def test_failure_of_our_own_is_told_without_a_traceback(
    empty: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("on purpose")

    monkeypatch.setattr("torchconf.cli.parser.parse", fail)
    result = empty("init -t linux-cpu")
    assert (result.status, result.out) == (2, "")
    assert result.err == (
        "error: torchconf failed: ZeroDivisionError: on purpose\n"
        " help: this is a bug; set `TORCHCONF_DEBUG=1` to see the traceback\n"
    )
    monkeypatch.setenv("TORCHCONF_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        empty("init -t linux-cpu")
