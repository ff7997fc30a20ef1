"""`torchconf show`: what each platform gets by each choice, and how it is printed."""

from __future__ import annotations

import importlib
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

import torchconf
from tests.support.paths import CASES
from tests.support.projects import PROJECTS, THREE_SYSTEMS, WHL, Demo
from tests.support.replica import Build, Replica
from tests.support.uv_guide import GUIDE, Configuration

ROOT = str(Path(torchconf.__file__).parents[1])
HEAD = '[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.11"\n'
SHOWN = ["linux-x86_64", "linux-aarch64", "windows-x86_64", "macos-arm64"]

KEYS = ["package", "platform", "extras", "groups", "index", "backend", "available", "command"]
"""What the design promises of a row, in its order."""


@pytest.fixture
def empty(tmp_path: Path) -> Demo:
    return Demo(tmp_path)


def routes(demo: Demo, project: Path | None = None) -> list[dict[str, Any]]:
    """Return the rows of the JSON."""
    where = f"--project {shlex.quote(str(project))} " if project else ""
    result = demo(f"show {where}--format json")
    assert (result.status, result.err) == (0, ""), result.err or result.out
    assert result.json.keys() == {"schema_version", "routes"}
    assert result.json["schema_version"] == 1
    return list(result.json["routes"])


def backends(rows: list[dict[str, Any]], package: str = "torch") -> dict[str, list[str | None]]:
    """Return command to the backend of each shown platform."""
    found: dict[str, list[str | None]] = {}
    for row in rows:
        if row["package"] == package and row["platform"] in SHOWN:
            found.setdefault(row["command"], []).append(row["backend"])
    return found


# JSON.


def test_json_row_has_the_keys_of_the_design_and_no_others(empty: Demo) -> None:
    empty.init(THREE_SYSTEMS)
    assert {tuple(row) for row in routes(empty)} == {tuple(KEYS)}


def test_json_has_a_row_for_each_package_platform_and_choice(empty: Demo) -> None:
    empty.init(f"{THREE_SYSTEMS} --with torchvision")
    rows = routes(empty)
    assert [(row["package"], row["platform"], row["extras"]) for row in rows] == [
        (package, platform, extras)
        for package in ("torch", "torchvision")
        for platform in SHOWN
        for extras in ([], ["cpu"], ["cu130"])
    ]


def test_json_row_says_what_the_design_says(empty: Demo) -> None:
    empty.init(f"{THREE_SYSTEMS} --layout groups")
    found = {(row["platform"], row["command"]): row for row in routes(empty)}
    row = found["linux-x86_64", "uv sync --no-group cpu --group cu130"]
    assert {key: row[key] for key in KEYS} == {
        "package": "torch",
        "platform": "linux-x86_64",
        "extras": [],
        "groups": ["dev", "cu130"],
        "index": "pytorch-cu130",
        "backend": "cu130",
        "available": "yes",
        "command": "uv sync --no-group cpu --group cu130",
    }
    plain = found["macos-arm64", "uv sync"]
    assert (plain["groups"], plain["backend"]) == (["dev", "cpu"], "cpu")


def test_pypi_has_a_backend_and_no_index(tmp_path: Path) -> None:
    rows = routes(Demo.of(tmp_path, "app"))
    assert {(row["index"], row["backend"], row["available"]) for row in rows} == {
        (None, "pypi", "yes")
    }


def test_what_a_choice_does_not_install_has_no_backend(empty: Demo) -> None:
    empty.init(THREE_SYSTEMS)
    plain = [row for row in routes(empty) if row["command"] == "uv sync"]
    assert len(plain) == len(SHOWN)
    assert {(row["index"], row["backend"], row["available"]) for row in plain} == {
        (None, None, "no")
    }


def test_other_platforms_are_shown_where_a_target_names_them(empty: Demo) -> None:
    empty.init("-t linux-cpu -t windows-arm64-cpu -t windows-cu130 --python 3.12")
    found = {row["platform"]: row["backend"] for row in routes(empty)}
    assert list(found) == [*SHOWN[:3], "windows-arm64", "macos-arm64"]
    assert (found["windows-x86_64"], found["windows-arm64"]) == ("cu130", "cpu")


@pytest.mark.parametrize(
    ("targets", "machine", "backend"),
    [
        ("-t windows-cpu -t windows-arm64-cpu -t linux-cu130", "windows-arm64", "cpu"),
        ("-t linux-cu121 -t macos-x86_64-pypi --torch 2.2.2", "macos-x86_64", "pypi"),
        ("-t linux-pypi -t macos-x86_64-pypi --torch 2.2.2", "macos-x86_64", "pypi"),
    ],
)
def test_a_listed_machine_is_a_target_though_no_marker_names_it(
    targets: str, machine: str, backend: str, empty: Demo
) -> None:
    empty.init(f"{targets} --python 3.11")
    assert {row["platform"]: row["backend"] for row in routes(empty)}[machine] == backend
    matrix = empty("show --matrix --format json")
    assert f"{machine}-{backend}" in matrix.out, matrix.err


def test_project_without_torch_has_no_rows(tmp_path: Path) -> None:
    demo = Demo.of(tmp_path, "bare")
    assert routes(demo) == []
    text = demo("show")
    assert (text.status, text.out) == (0, "")
    assert text.err == "no PyTorch packages found in this project\n"


# The files that `init` writes, and the guide's.


@pytest.mark.parametrize(
    ("project", "flags", "expected"),
    [
        (None, "-t linux-cu130 -t macos-cpu", {"uv sync": ["cu130", "cu130", "cpu", "cpu"]}),
        (None, "-t linux-rocm7.2", {"uv sync": ["rocm7.2", "pypi", "pypi", "pypi"]}),
        (
            None,
            f"{THREE_SYSTEMS} --name cu130=gpu",
            {
                "uv sync": [None] * 4,
                "uv sync --extra cpu": ["cpu"] * 4,
                "uv sync --extra gpu": ["cu130", "cu130", "cpu", "cpu"],
            },
        ),
        (
            "library",
            THREE_SYSTEMS,
            {
                "uv sync": ["cpu"] * 4,
                "uv sync --no-group cpu --group cu130": ["cu130", "cu130", "cpu", "cpu"],
            },
        ),
        (
            "library",
            f"{THREE_SYSTEMS} --default none",
            {
                "uv sync": ["pypi"] * 4,
                "uv sync --group cpu": ["cpu"] * 4,
                "uv sync --group cu130": ["cu130", "cu130", "cpu", "cpu"],
            },
        ),
        (
            "accelerate",
            f"{THREE_SYSTEMS} --layout extras",
            {
                "uv sync": ["pypi"] * 4,
                "uv sync --extra cpu": ["cpu"] * 4,
                "uv sync --extra cu130": ["cu130", "cu130", "cpu", "cpu"],
            },
        ),
    ],
    ids=["markers", "ROCm", "extras", "groups", "groups without a default", "needed by another"],
)
def test_files_that_init_writes_are_shown_as_they_were_meant(
    project: str | None, flags: str, expected: dict[str, list[str | None]], tmp_path: Path
) -> None:
    demo = Demo.of(tmp_path, project) if project else Demo(tmp_path)
    demo.init(flags)
    assert backends(routes(demo)) == expected


@pytest.mark.parametrize("whose", ["ours", "the guide's"])
@pytest.mark.parametrize("configuration", GUIDE.values(), ids=GUIDE)
def test_guide_is_shown_as_it_installs(
    configuration: Configuration, whose: str, tmp_path: Path
) -> None:
    demo = Demo(tmp_path, None if whose == "ours" else configuration.guide())
    if whose == "ours":
        demo.init(configuration.call)
    rows = {
        " ".join([*(f"--extra {extra}" for extra in row["extras"]), row["platform"]]): row
        for row in routes(demo)
        if row["package"] == "torch"
    }
    differing = {path.rpartition(".")[2] for path in configuration.differs}
    for key, given in configuration.gives.items():
        if whose == "ours" or key.split()[-1] not in differing:
            assert rows[key]["backend"] == (None if given == "absent" else given), key


@pytest.mark.parametrize(
    ("project", "flags"),
    [
        (None, "-t linux-cu130 -t macos-cpu --with torchvision --python 3.11"),
        (None, f"{THREE_SYSTEMS} -t linux-rocm7.2 --with torchvision --python 3.11"),
        ("library", f"{THREE_SYSTEMS} --with torchvision"),
        ("library", f"{THREE_SYSTEMS} --default none"),
        ("accelerate", f"{THREE_SYSTEMS} --layout extras"),
    ],
)
def test_every_row_is_what_its_command_installs(
    project: str | None, flags: str, replica: Replica, tmp_path: Path
) -> None:
    demo = Demo.of(tmp_path, project) if project else Demo(tmp_path)
    demo.init(flags)
    replica.lock(demo.folder)
    installs = {
        command: replica.export(demo.folder, *shlex.split(command)[2:])
        for command in {row["command"] for row in routes(demo)}
    }
    for row in routes(demo):
        build = installs[row["command"]].select(row["platform"], "3.12")[row["package"]]
        if row["backend"] is None:
            assert build == "absent", row
            continue
        index = {"pypi": "https://packages.example.org/simple"}.get(
            row["backend"], f"{WHL}/{row['backend']}"
        )
        assert isinstance(build, Build), row
        assert build.index == index, row


# The recorded cases.


def observations() -> Iterator[Any]:
    """Yield what uv did with each case: the folder, and one row."""
    for case in sorted(CASES.glob("*/case.toml")):
        facts = tomllib.loads(case.read_text(encoding="utf-8"))
        for key in ("observed", "observed_fixed"):
            folder = case.parent / key.removeprefix("observed").removeprefix("_")
            for row in facts.get(key, {}).get("rows", ()):
                name = f"{case.parent.name[:3]}{key[8:]} {row['select']} on {row['platform']}"
                yield pytest.param(folder, row, id=name)


def chosen(folder: Path, select: str) -> tuple[list[str], list[str], Path]:
    """Read uv's options: the extras, the groups that they enable, and whose project it is."""
    data = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    found: dict[str, list[str]] = {"extra": [], "group": [], "no-group": [], "package": []}
    words = iter(shlex.split(select.replace("--no-default-groups", "")))
    for word in words:
        found[word.removeprefix("--")].append(next(words))
    groups = data.get("dependency-groups", {})
    defaults = data.get("tool", {}).get("uv", {}).get("default-groups", ["dev"])
    enabled = [name for name in groups if defaults == "all" or name in defaults]
    if "--no-default-groups" in select:
        enabled = []
    kept = [name for name in enabled if name not in found["no-group"]]
    return found["extra"], [*kept, *found["group"]], folder.joinpath(*found["package"])


@cache
def routes_of(project: Path) -> list[dict[str, Any]]:
    """Return the rows of a project of which many rows are compared."""
    with TemporaryDirectory() as folder:
        return routes(Demo(Path(folder)), project)


@pytest.mark.parametrize(("folder", "observed"), list(observations()))
def test_row_agrees_with_what_uv_did(folder: Path, observed: dict[str, Any]) -> None:
    extras, groups, project = chosen(folder, observed["select"])
    rows = {
        row["package"]: row
        for row in routes_of(project)
        if row["platform"] == observed["platform"]
        and sorted(row["extras"]) == sorted(extras)
        and sorted(row["groups"]) == sorted(groups)
    }
    # Every choice that was observed is one extra or one group, so that there is a row.
    assert "torch" in rows
    torch = rows["torch"]
    error = observed.get("error")
    if observed.get("torch") == "no wheel":
        # For a machine that few have, the catalog may not know.
        sure = observed["platform"] == "macos-arm64"
        assert torch["backend"] is not None
        assert torch["available"] in ({"no"} if sure else {"no", "unknown"})
    elif error is None:
        for package in ("torch", "torchvision", "torchaudio"):
            if package in observed:
                given = None if observed[package] == "absent" else observed[package]
                assert rows[package]["backend"] == given
        # The index of the recorded runs had wheels for ARM that the real one never had.
        if observed["torch"] != "absent" and observed["platform"] != "linux-aarch64":
            assert torch["available"] != "no"
    elif wanted := re.match(r"no wheel for this platform: torch==[0-9.]+\+(\w.*)", error):
        assert torch["backend"] == wanted[1]
        # Which wheels there are is the catalog's answer; the recorded index was a small one.
        if observed["platform"] == "macos-arm64":
            assert torch["available"] == "no"
    elif error.startswith("no wheel for this platform: pytorch-triton-"):
        assert torch["backend"] == observed.get("torch", torch["backend"])
    else:
        assert (torch["backend"], torch["available"]) == (None, "no")


def test_cases_hold_hundreds_of_rows() -> None:
    assert len(list(observations())) > 470


@pytest.mark.parametrize(
    "case", ["017-three-cuda-extras-no-conflicts", "016-groups-declared-but-sources-say-extra"]
)
def test_lock_that_routing_breaks_is_the_answer_of_every_row(case: str, tmp_path: Path) -> None:
    rows = routes(Demo(tmp_path), CASES / case)
    assert {(row["index"], row["backend"], row["available"]) for row in rows} == {
        (None, None, "no")
    }


# Text.


def test_table_in_a_pipe_is_aligned_and_plain(empty: Demo) -> None:
    empty.init("-t linux-rocm7.2 -t linux-cpu")
    result = empty("show")
    assert result.out == (
        "command                  package      linux      linux-aarch64  windows  macos\n"
        "uv sync                  torch        -          -              -        -\n"
        "uv sync                  triton-rocm  -          -              -        -\n"
        "uv sync --extra cpu      torch        cpu        cpu            cpu      cpu\n"
        "uv sync --extra cpu      triton-rocm  -          -              -        -\n"
        "uv sync --extra rocm7-2  torch        rocm7.2    cpu            cpu      cpu\n"
        "uv sync --extra rocm7-2  triton-rocm  rocm7.2 ?  -              -        -\n"
    )
    assert (result.status, result.err) == (0, "")


def source(url: str) -> str:
    return (
        f'[tool.uv.sources]\ntorch = {{ index = "one" }}\n'
        f'[[tool.uv.index]]\nname = "one"\nurl = "{url}"\nexplicit = true\n'
    )


@pytest.mark.parametrize(
    ("text", "cells", "note"),
    [
        ('dependencies = ["torch>=2.13"]\n', ["pypi"] * 4, ""),
        ('dependencies = ["torch==2.99"]\n', ["pypi ?"] * 4, ""),
        (
            f'dependencies = ["torch>=2.13"]\n{source(f"{WHL}/cu130")}',
            ["cu130", "cu130", "cu130", "cu130: no wheel"],
            "",
        ),
        (
            f'dependencies = ["torch>=2.13"]\n{source(f"{WHL}/nightly/cu130")}',
            ["cu130-nightly ?"] * 4,
            "",
        ),
        (
            f'dependencies = ["torch>=2.13"]\n{source("https://example.org/wheels")}',
            ["?"] * 4,
            "note: no known backend in the URL https://example.org/wheels\n",
        ),
        (
            (
                'dependencies = ["torch>=2.13"]\n'
                "[tool.uv]\nenvironments = [\"sys_platform == 'linux'\"]\n"
            ),
            ["pypi", "pypi", "error", "error"],
            "note: the platform is not compatible with the supported environments\n",
        ),
        (
            (
                'dependencies = ["torch"]\n[tool.uv.sources]\n'
                'torch = { git = "https://github.com/pytorch/pytorch" }\n'
            ),
            ["?"] * 4,
            "note: it comes from a path, Git or a URL\n",
        ),
    ],
)
def test_cells_tell_known_from_unknown_and_say_why(
    text: str, cells: list[str], note: str, tmp_path: Path
) -> None:
    result = Demo(tmp_path, HEAD + text)("show")
    assert (result.status, result.err) == (0, note)
    head, line = result.out.splitlines()
    starts = [column.start() for column in re.finditer(r"\S+", head)][2:]
    ends = [*starts[1:], None]
    assert [line[start:end].strip() for start, end in zip(starts, ends, strict=True)] == cells


def test_default_groups_that_conflict_are_left_out_by_machines(tmp_path: Path) -> None:
    text = (
        '[dependency-groups]\na = ["torch"]\nb = ["torch"]\n[tool.uv]\n'
        'default-groups = "all"\n'
        'conflicts = [[{ group = "a" }, { group = "b" }]]\n'
    )
    result = Demo(tmp_path, HEAD + text)("show")
    assert result.err == (
        "note: uv refuses this command where `UV_NO_GROUP` is not set: group `a` and group `b` are "
        "incompatible with the declared conflicts\n"
    )
    assert [re.split(r"\s{2,}", line) for line in result.out.splitlines()[1:]] == [
        ["uv sync", "torch", *["error"] * 4],
        ['UV_NO_GROUP="b" uv sync', "torch", *["pypi"] * 4],
        ['UV_NO_GROUP="a" uv sync', "torch", *["pypi"] * 4],
    ]


def test_error_rows_have_no_index_and_are_not_available(tmp_path: Path) -> None:
    text = 'dependencies = ["torch"]\n[tool.uv]\nenvironments = ["sys_platform == \'linux\'"]\n'
    found = {row["platform"]: row for row in routes(Demo(tmp_path, HEAD + text))}
    answers = {
        name: (row["index"], row["backend"], row["available"]) for name, row in found.items()
    }
    assert answers["linux-x86_64"] == (None, "pypi", "yes")
    assert answers["macos-arm64"] == (None, None, "no")


# At a terminal.


def terminal(folder: Path, *words: str, **environment: str) -> str:
    """Run `torchconf` at a terminal, and return what it writes there."""
    pexpect = importlib.import_module("pexpect")  # it has no types
    kept = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    child = pexpect.spawn(
        sys.executable,
        ["-m", "torchconf", *words],
        cwd=str(folder),
        env={**kept, "PYTHONPATH": ROOT, "TERM": "xterm-256color", "COLUMNS": "120", **environment},
        dimensions=(40, 120),
        encoding="utf-8",
        timeout=120,
    )
    text: str = child.read()
    child.close()
    assert child.exitstatus == 0, text
    return text


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


needs_terminal = pytest.mark.skipif(os.name == "nt", reason="pexpect needs a terminal of POSIX")


@needs_terminal
def test_table_at_a_terminal_has_colours_and_the_same_cells(empty: Demo) -> None:
    empty.init(f"{THREE_SYSTEMS} --with torchvision")
    shown = terminal(empty.folder, "show")
    assert "\x1b[" in shown
    # The command stands once for its packages.
    piped = [
        re.sub(r"^uv sync.*?(?=torchvision)", "", line) for line in empty("show").out.splitlines()
    ]
    # The machine of a platform stands below its system, and each build has a sign.
    above, head, *lines = (line.split() for line in re.sub("[○▲]", "", plain(shown)).splitlines())
    assert above + head == ["linux", "command", "package", "linux", "aarch64", "windows", "macos"]
    assert lines == [line.split() for line in piped[1:]]


@needs_terminal
@pytest.mark.parametrize(
    ("words", "environment"),
    [
        (["show"], {"NO_COLOR": "1"}),
        (["show", "--color", "never"], {}),
        (["show"], {"TERM": "dumb"}),
    ],
)
def test_colour_at_a_terminal_can_be_refused(
    words: list[str], environment: dict[str, str], empty: Demo
) -> None:
    empty.init(THREE_SYSTEMS)
    shown = terminal(empty.folder, *words, **environment)
    assert not re.search(r"\x1b\[[0-9;]*3\dm", shown), "no colour"
    # A dumb terminal has 80 columns, whatever else is said; a command may be folded there.
    assert "--extra cu130" in plain(shown)


def test_colour_in_a_pipe_can_be_asked_for(empty: Demo) -> None:
    empty.init(THREE_SYSTEMS)
    words = [sys.executable, "-m", "torchconf", "--color", "always", "show"]
    done = subprocess.run(
        words,
        cwd=empty.folder,
        env={**os.environ, "PYTHONPATH": ROOT, "COLUMNS": "120", "TERM": "xterm-256color"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert "\x1b[" in done.stdout
    assert "uv sync --extra cu130" in plain(done.stdout)


def test_pipe_does_without_rich_and_without_an_editor_of_toml(tmp_path: Path) -> None:
    demo = Demo.of(tmp_path, "app")
    code = (
        "import sys; from torchconf.cli import main; status = main(['show']); "
        "print(status, {'rich', 'tomlkit', 'questionary'} & sys.modules.keys(), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=demo.folder,
        env={**os.environ, "PYTHONPATH": ROOT},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert done.stderr == "0 set()\n"


# Where it looks.


def test_folder_above_is_the_project(tmp_path: Path) -> None:
    demo = Demo.of(tmp_path, "app")
    (demo.folder / "src").mkdir()
    inside = demo(f"show --project {demo.folder}")
    demo.folder = demo.folder / "src"
    assert demo("show").out == inside.out != ""


def test_wheels_that_are_named_tell_their_build_and_machine(empty: Demo) -> None:
    wheel = "%2Bcu128-cp312-cp312-manylinux_2_28_x86_64.whl"
    page = f"{WHL}/cu128"
    empty.path.write_text(
        f"{HEAD.replace('>=3.11', '>=3.12,<3.13')}dependencies = [\n"
        f'    "torch",\n    "torchvision @ {page}/torchvision-0.24.0{wheel}",\n    "torchaudio",\n'
        "]\n[tool.uv.sources]\n"
        f'torch = {{ url = "{page}/torch-2.9.0{wheel}", marker = "sys_platform == \'linux\'" }}\n'
        'torchaudio = { path = "torchaudio-2.9.0-cp312-cp312-linux_x86_64.whl" }\n'
    )
    cells = {(r["package"], r["platform"]): (r["backend"], r["available"]) for r in routes(empty)}
    assert cells["torch", "linux-x86_64"] == ("cu128", "yes")
    assert cells["torch", "linux-aarch64"] == ("cu128", "no")
    assert cells["torch", "windows-x86_64"] == ("pypi", "yes")
    assert cells["torchvision", "macos-arm64"] == ("cu128", "no")
    assert cells["torchaudio", "linux-x86_64"] == (None, "unknown")
    told = "=> CUDA 12.8, as the name of the wheel says\n"
    assert told in empty("explain linux").out


def test_lockfile_is_not_read(tmp_path: Path) -> None:
    demo = Demo.of(tmp_path, "app")
    before = demo("show")
    (demo.folder / "uv.lock").write_text("not a lockfile", encoding="utf-8")
    assert demo("show") == before


def test_projects_beside_this_file_can_all_be_shown(tmp_path: Path) -> None:
    for number, project in enumerate(sorted(PROJECTS.glob("*.toml"))):
        (tmp_path / str(number)).mkdir()
        demo = Demo.of(tmp_path / str(number), project.stem)
        assert bool(routes(demo)) == (project.stem != "bare")


OPEN = {
    "an index that is not explicit": '[[tool.uv.index]]\nname = "gpu"\nurl = "{url}"\n',
    "an extra index": '[tool.uv]\nextra-index-url = ["{url}"]\n',
}


@pytest.mark.parametrize("written", OPEN.values(), ids=OPEN)
def test_open_index_of_pytorch_takes_torch_as_uv_does(
    written: str, empty: Demo, replica: Replica
) -> None:
    text = HEAD + 'dependencies = ["torch>=2.11"]\n' + written.format(url=f"{WHL}/cu130")
    file = empty.folder / "pyproject.toml"
    file.write_text(text, encoding="utf-8")
    rows = routes(empty)
    assert {row["backend"] for row in rows} == {"cu130"}
    without = [row["platform"] for row in rows if row["available"] == "no"]
    assert without == ["macos-arm64"]
    locked = replica.uv("lock", cwd=empty.folder)
    assert locked.returncode == 0, locked.stderr
    lockfile = (empty.folder / "uv.lock").read_text(encoding="utf-8")
    torch = next(p for p in tomllib.loads(lockfile)["package"] if p["name"] == "torch")
    assert torch["source"] == {"registry": f"{WHL}/cu130"}


@pytest.mark.parametrize("written", OPEN.values(), ids=OPEN)
def test_open_index_of_others_leaves_the_answer_unknown(written: str, empty: Demo) -> None:
    url = "https://mirror.example.org/whl/cu130"
    text = HEAD + 'dependencies = ["torch>=2.11"]\n' + written.format(url=url)
    (empty.folder / "pyproject.toml").write_text(text, encoding="utf-8")
    rows = routes(empty)
    assert {row["available"] for row in rows} == {"unknown"}
    assert all("may have `torch`" in row["reason"] for row in rows)


# What the files of real projects hold.


def shown(demo: Demo, text: str) -> dict[tuple[str, str], str]:
    """Return the cells of the table: package and command to the builds, in a line."""
    (demo.folder / "pyproject.toml").write_text(HEAD + text, encoding="utf-8")
    lines = demo("show").out.splitlines()[1:]
    cells = [re.split(r"  +", line) for line in lines]
    return {(cell[1], cell[0]): " ".join(cell[2:]) for cell in cells}


SCOPED = """dependencies = ["torchvision"]
optional-dependencies.cpu = ["torch"]
optional-dependencies.gpu = ["torch"]
[tool.uv]
conflicts = [[{ extra = "cpu" }, { extra = "gpu" }]]
[tool.uv.sources]
torch = [{ index = "cpu", extra = "cpu" }, { index = "gpu", extra = "gpu" }]
"""


def test_torchvision_brings_torch_from_where_uv_takes_it(empty: Demo, replica: Replica) -> None:
    indexes = "".join(
        f'[[tool.uv.index]]\nname = "{name}"\nurl = "{WHL}/{backend}"\nexplicit = true\n'
        for name, backend in (("cpu", "cpu"), ("gpu", "cu130"))
    )
    for text, expected in (
        (SCOPED, "pypi"),
        # Without a conflict there is one torch, and the source of the extra counts everywhere.
        (
            re.sub(r"conflicts.*\n", "", SCOPED).replace('{ index = "cpu", extra = "cpu" }, ', ""),
            "cu130",
        ),
    ):
        found = shown(empty, text + indexes)["torch", "uv sync"]
        assert found.split()[0] == expected
        replica.lock(empty.folder)
        build = replica.export(empty.folder).select("linux-x86_64", "3.12")["torch"]
        assert isinstance(build, Build)
        assert str(build.index).endswith(expected if expected != "pypi" else "simple")
        (empty.folder / "uv.lock").unlink()


@pytest.mark.parametrize(
    ("requirement", "brings"),
    [
        ("torchaudio", True),
        ("torchaudio==2.11.0", False),
        ("torchaudio<2.11", True),
        ("torchaudio==2.9.1", True),
    ],
)
def test_torchaudio_brings_torch_at_the_releases_that_state_one(
    requirement: str, brings: bool, empty: Demo
) -> None:
    found = shown(empty, f'dependencies = ["{requirement}"]\n')
    assert (found.get(("torch", "uv sync")) == "pypi pypi pypi pypi") == brings


def test_one_release_is_taken_even_if_an_older_one_has_the_wheel(empty: Demo) -> None:
    required = """[tool.uv]
    required-environments = ["sys_platform == 'darwin' and platform_machine == 'x86_64'"]
    """
    for text, lacks in (
        ('dependencies = ["torch>=2.2,<2.8"]\n', True),
        ('dependencies = ["torch==2.2.2"]\n', False),
        # uv then goes back until there is one.
        ('dependencies = ["torch>=2.2,<2.8"]\n' + required, False),
    ):
        shown(empty, text)
        assert ("it has no wheel for this platform" in empty("explain macos-x86_64").out) == lacks


def test_pythons_that_environments_leave_out_do_not_count(empty: Demo) -> None:
    text = 'dependencies = ["torch"]\n[tool.uv]\nenvironments = ["python_version < \'3.13\'"]\n'
    assert shown(empty, text)["torch", "uv sync"] == "pypi pypi pypi pypi"


def test_a_dependency_from_git_makes_cells_provisional(empty: Demo) -> None:
    text = """dependencies = ["torch"]
    optional-dependencies.more = ["tool"]
    [tool.uv.sources]
    tool = { git = "https://example.org/tool" }
    """
    found = shown(empty, text)
    assert found["torch", "uv sync --extra more"] == "pypi? pypi? pypi? pypi?"
    rows = routes_with_notes(empty)
    assert {row["provisional"] for row in rows} == {True}
    assert empty("show").err == (
        "note: a build with `?` is provisional: "
        "`tool` comes from a git repository, and its `tool.uv.sources` were not read\n"
    )
    assert "this is provisional: `tool` comes from" in empty("explain linux").out


def routes_with_notes(demo: Demo) -> list[dict[str, Any]]:
    return list(demo("show --format json").json["routes"])


def test_an_extra_of_the_root_that_opens_an_extra_of_a_member_has_rows(
    empty: Demo, replica: Replica
) -> None:
    part = empty.folder / "part"
    part.mkdir()
    indexes = "".join(
        f'[[tool.uv.index]]\nname = "{name}"\nurl = "{WHL}/{backend}"\nexplicit = true\n'
        for name, backend in (("cpu", "cpu"), ("gpu", "cu130"))
    )
    text = SCOPED.replace('["torchvision"]', "[]") + indexes
    (part / "pyproject.toml").write_text(HEAD.replace("demo", "part") + text, encoding="utf-8")
    root = """optional-dependencies.cpu = ["part[cpu]"]
    optional-dependencies.gpu = ["part[gpu]"]
    [tool.uv]
    conflicts = [[{ extra = "cpu" }, { extra = "gpu" }]]
    workspace.members = ["part"]
    sources.part = { workspace = true }
    """
    found = shown(empty, root)
    assert found["torch", "uv sync --extra gpu"].split()[0] == "cu130"
    assert found["torch", "uv sync --package part --extra gpu"].split()[0] == "cu130"
    replica.lock(empty.folder)
    for (_, command), cells in found.items():
        export = replica.export(empty.folder, *shlex.split(command)[2:])
        build = export.select("linux-x86_64", "3.12")["torch"]
        index = str(build.index).rpartition("/")[2] if isinstance(build, Build) else "-"
        assert cells.split()[0] == index, command


def test_a_member_that_asks_for_an_extra_of_its_root_has_rows(
    empty: Demo, replica: Replica
) -> None:
    part = empty.folder / "part"
    part.mkdir()
    (part / "pyproject.toml").write_text(
        HEAD.replace("demo", "part")
        + 'dependencies = ["demo[cpu]"]\n[tool.uv.sources]\ndemo = { workspace = true }\n',
        encoding="utf-8",
    )
    indexes = "".join(
        f'[[tool.uv.index]]\nname = "{name}"\nurl = "{WHL}/{backend}"\nexplicit = true\n'
        for name, backend in (("cpu", "cpu"), ("gpu", "cu130"))
    )
    text = SCOPED.replace('["torchvision"]', "[]") + indexes
    found = shown(empty, text + '[tool.uv.workspace]\nmembers = ["part"]\n')
    command = "uv sync --package part"
    assert found["torch", command] == "cpu cpu cpu cpu"
    own = empty("show --project part --format json").json["routes"]
    assert {(row["command"], row["backend"]) for row in own} == {(command, "cpu")}
    replica.lock(empty.folder)
    build = replica.export(empty.folder, "--package", "part").select("linux-x86_64", "3.12")
    assert str(build["torch"].index).endswith("/cpu")


def test_what_no_command_brings_is_no_error_wherever_it_would_come_from(tmp_path: Path) -> None:
    index = '[[tool.uv.index]]\nname = "x"\nurl = "https://example.org/simple"\n'
    demo = Demo(tmp_path, f'{HEAD}[project.optional-dependencies]\ngpu = ["torch"]\n{index}')
    lines = [re.split(r"\s{2,}", line) for line in demo("show").out.splitlines()]
    assert lines[1:] == [
        ["uv sync", "torch", *"----"],
        ["uv sync --extra gpu", "torch", *"????"],
    ]
