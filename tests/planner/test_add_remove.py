"""What `add-target` and `remove-target` promise of every file, whoever wrote it."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import random
import shlex
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.changes import comments, lines_outside
from tests.support.conformance import Answer, problems
from tests.support.conformance import Case as Request
from tests.support.few import every
from tests.support.made_files import make_file, others
from tests.support.projects import Demo
from tests.support.replica import Replica
from torchconf.catalog import load_catalog
from torchconf.cli import main
from torchconf.layout.configuration import read_configuration
from torchconf.model.markers import meet, overlap, same_platforms, spell
from torchconf.model.read_project import read_project
from torchconf.model.targets import PLATFORMS, Platform

CATALOG = load_catalog()

# One file for each layout, as `init` writes it.
OWN = {
    "markers": "-t linux-cu130 -t windows-cu130 -t macos-cpu",
    "markers, no CPU": "-t linux-cu130",
    "extras": "-t linux-cu130 -t linux-cpu -t windows-cpu -t macos-cpu",
    "groups": "-t linux-cu130 -t linux-cpu -t windows-cpu -t macos-cpu --layout groups",
    "groups, torch in base": "-t linux-cu130 -t linux-cpu -t windows-cpu -t macos-cpu",
}
HEAD = '[project]\nname = "demo"\nversion = "0.1.0"\nrequires-python = ">=3.11"\n'
BUILD = '\n[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
# One of each kind: CUDA that is there and another one, ROCm, XPU, CPU, PyPI's, ARM.
KINDS = (
    "windows-cu130", "windows-cu126", "linux-cu126", "linux-rocm7.2", "linux-xpu", "windows-xpu",
    "windows-cpu", "linux-cpu", "macos-cpu", "linux-pypi", "windows-pypi", "macos-pypi",
    "linux-aarch64-cu130", "linux-aarch64-cpu", "linux-aarch64-cu126",
)  # fmt: skip

# What adding a target does to these for good: (file, target) to the reason.
STAYS = {
    ("004-uv-pip-table-index-ignored-by-sync", "windows-cuda"): "the label of a pin is not back: "
    "a source says which build it is",
    ("006-torch-stable-html-and-misspelt-sources", "windows-cuda"): "the same",
    ("torch-that-a-dependency-needs-becomes-direct", "*"): "torch stays a direct requirement",
    ("a-project-without-torch-gets-it", "*"): "torch stays a direct requirement",
    ("042-workspace-root-owns-routing", "*"): "torch stays a direct requirement",
    ("a-companion-without-a-source-is-routed", "*"): "torchvision stays routed",
    ("012-torchvision-left-on-pypi", "*"): "torchvision stays routed",
    ("036-open-cu132-index-and-test-index", "*"): "torch and torchvision stay routed",
    ("011-torch-only-transitive-source-ignored", "*"): "the bound of a line that has ended stays",
    ("011-torch-only-transitive-source-ignored/fixed", "*"): "the same",
    ("009-rocm-without-triton/fixed", "*"): "the same",
    ("019-base-torch-voids-platform-gate", "*"): "`environments` make its markers count",
    ("035-extras-with-index-but-no-source", "linux-cu126"): "its index is known to be torch's now",
    ("026-x86-64-marker-misses-windows", "*"): "a marker that missed Windows is mended",
    ("plain-CPU-that-gives-way-leaves-the-list", "windows-cuda"): "plain CPU left the list",
    ("init-follows-a-list-where-nothing-else-is-there", "*"): "torch stays a direct requirement",
    ("init-follows-a-list-that-was-edited", "windows-cuda"): "it leaves the list, too",
    ("019-base-torch-voids-platform-gate/fixed", "*"): "`environments` stay cut",
    ("030-published-pins-need-an-index-flag", "windows-cuda"): "no index has the label on Windows",
    ("601-pyg-html-page-declared-as-index", "*"): "torch stays in the line of its page",
    ("605-torchaudio-2-11-next-to-a-pinned-torch", "*"): "the bound of torchaudio stays",
    ("616-dockerfile-extra-index-variable", "*"): "torch stays a direct requirement",
    ("619-root-extra-opens-a-member-extra", "*"): "torch stays a direct requirement",
    ("627-explicit-index-without-any-source", "linux-cu126"): "its index is torch's now, and goes",
    ("torchvision-left-on-PyPI-is-routed", "*"): "torchvision stays routed",
}


class Ran(NamedTuple):
    """One run of a command on one file."""

    status: int
    file: bytes
    err: str


Run = Callable[[bytes, str], Ran]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return lambda text, command: run_in(tmp_path / "demo", text, command)


def run_in(folder: Path, text: bytes, command: str) -> Ran:
    """Run a command on a file with this text."""
    folder.mkdir(exist_ok=True)
    file = folder / "pyproject.toml"
    file.write_bytes(text)
    err = io.StringIO()
    words = shlex.split(command)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(err):
        status = main([words[0], "--project", str(folder), *words[1:]])
    return Ran(status, file.read_bytes(), err.getvalue())


@cache
def own(layout: str, folder: Path) -> bytes:
    """Return a file that torchconf wrote."""
    base = '["torch>=2.4"]\n' + BUILD if "base" in layout else "[]\n"
    text = f"{HEAD}dependencies = {base}".encode()
    written = run_in(folder, text, f"init {OWN[layout]}")
    assert written.status == 0, written.err
    return written.file


# Adding and removing.


@pytest.mark.parametrize("case", every(itertools.product(OWN, KINDS), 4), ids="-".join)
def test_add_then_remove_gives_the_same_bytes(
    case: tuple[str, str], run: Run, tmp_path_factory: pytest.TempPathFactory
) -> None:
    layout, target = case
    before = own(layout, tmp_path_factory.getbasetemp() / "own")
    added = run(before, f"add-target {target}")
    assert run(added.file, f"add-target {target}").file == added.file, "twice is once"
    if added.status:
        assert "the layout would change" in added.err or "no torch" in added.err
        assert added.file == before
    elif added.file != before and not (
        # PyPI's build has no source to take away; and a machine that got a build of its own is told
        # apart from its system's others from then on.
        layout.startswith("markers") and (target.endswith("pypi") or "aarch64" in target)
    ):
        removed = run(added.file, f"remove-target {target}")
        assert (removed.status, removed.file.decode()) == (0, before.decode())


def test_a_target_does_not_bring_a_range_of_python_along(run: Run) -> None:
    before = b'[project]\nname = "demo"\nversion = "0.1.0"\ndependencies = ["torch>=2.8"]\n'
    added = run(before, "add-target windows-cuda")
    assert added.status == 0
    assert b"requires-python" not in added.file
    assert b"requires-python" in run(before, "init -t windows-cuda").file, "init writes one"


def test_torch_as_a_new_direct_requirement_is_said(run: Run) -> None:
    said = "torch becomes a direct requirement"
    before = f'{HEAD}dependencies = ["torchvision>=0.23"]\n'
    added = run(before.encode(), "add-target windows-cuda")
    assert b'"torch' in added.file
    assert said in added.err
    assert said not in run(before.replace("vision>=0.23", ">=2.8").encode(), "show").err


def test_where_a_target_goes_no_companion_comes(run: Run, tmp_path: Path) -> None:
    """The lockfile has torchvision, which another dependency brings: only an addition routes it."""
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "uv.lock").write_text(
        '[[package]]\nname = "images"\nversion = "1.0"\n'
        'dependencies = [\n    { name = "torchvision" },\n]\n\n'
        '[[package]]\nname = "torchvision"\nversion = "0.28.0"\n'
        'dependencies = [\n    { name = "torch" },\n]\n\n'
        '[[package]]\nname = "torch"\nversion = "2.13.0"\n'
    )
    linux = "sys_platform == 'linux'"
    both = f"{linux} or sys_platform == 'win32'"
    before = (
        f'{HEAD}dependencies = ["torch>=2.13", "images"]\n\n[tool.uv.sources]\n'
        f'torch = [{{ index = "pytorch-cu130", marker = "{both}" }}]\n\n'
        '[[tool.uv.index]]\nname = "pytorch-cu130"\n'
        'url = "https://download.pytorch.org/whl/cu130"\nexplicit = true\n'
    )
    gone = run(before.encode(), "remove-target windows-cu130")
    assert gone.file.decode() == before.replace(both, linux)
    assert "torchvision" not in gone.err


@pytest.mark.parametrize("command", ["add-target windows-cuda", "init -t windows-cuda"])
def test_a_project_of_setup_py_gets_no_table_of_its_own(command: str, run: Run) -> None:
    before = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
    done = run(before.encode(), command)
    assert (done.status, done.file.decode()) == (2, before)
    assert "no `[project]`: the project metadata is elsewhere" in done.err


@pytest.mark.parametrize("beside", ["setup.py", "setup.cfg"])
def test_settings_beside_a_setup_py_are_no_project(beside: str, tmp_path: Path, run: Run) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / beside).write_text("")
    before = "[tool.black]\nline-length = 88\n"
    done = run(before.encode(), "add-target windows-cuda")
    refused = beside == "setup.py"  # Tools keep their settings in setup.cfg, too.
    assert (done.status, done.file.decode() == before) == (2 if refused else 0, refused)


def test_the_build_of_pypi_can_not_be_taken_from_markers(run: Run) -> None:
    before = (
        f'{HEAD}dependencies = ["torch>=2.8"]\n\n[tool.uv.sources]\n'
        'torch = [{ index = "pytorch-cu130", marker = "sys_platform == \'linux\'" }]\n\n'
        '[[tool.uv.index]]\nname = "pytorch-cu130"\n'
        'url = "https://download.pytorch.org/whl/cu130"\nexplicit = true\n'
    ).encode()
    added = run(before, "add-target windows-pypi")
    assert b'"torch>=2.8,<2.14"' in added.file, "what holds it together with the other"
    assert run(added.file, "remove-target windows-pypi").err.startswith(
        "error: `windows-pypi` is what platforms without a source get"
    )


def add_then_remove(name: str, target: str, run: Run) -> None:
    before = others()[name]
    added = run(before, f"add-target {target}")
    assert "torchconf failed" not in added.err
    if added.status or added.file == before:
        assert added.file == before
        return
    assert run(added.file, f"add-target {target}").file == added.file, "twice is once"
    removed = run(added.file, f"remove-target {target}")
    assert removed.status == 0, removed.err
    kept = {(name, target), (name, "*")} & STAYS.keys()
    assert (meaning_of(removed.file) == meaning_of(before)) != bool(kept) or kept


@pytest.mark.parametrize("target", ["windows-cuda", "linux-cu126"])
@pytest.mark.parametrize("name", every(others(), 12))
def test_add_then_remove_gives_the_same_data(name: str, target: str, run: Run) -> None:
    add_then_remove(name, target, run)


def meaning_of(text: bytes) -> dict[str, Any]:
    """Return the data of a file; sources as lists, and their markers as what they hold for."""
    data: dict[str, Any] = tomllib.loads(text.decode("utf-8-sig"))
    sources = data.get("tool", {}).get("uv", {}).get("sources", {})
    for name, found in sources.items():
        entries = found if isinstance(found, list) else [found]
        sources[name] = [{**e, "marker": same_platforms(e.get("marker"))} for e in entries]
    return data


# The real uv.

# What each of our own files can take and the catalog is sure of.
OTHERS = (
    "windows-cu130", "windows-cu126", "linux-cu126", "linux-rocm7.2", "linux-pypi", "windows-pypi",
    "macos-pypi", "linux-aarch64-cu126",
)  # fmt: skip
JUDGED = {
    "markers": ("macos-pypi",),
    "markers, no CPU": (
        "windows-cu130", "windows-cu126", "windows-cpu", "macos-cpu", "windows-pypi", "macos-pypi",
    ),
    "extras": OTHERS,
    "groups": OTHERS,
    "groups, torch in base": (*OTHERS, "linux-xpu", "windows-xpu"),
}  # fmt: skip


@pytest.mark.parametrize(
    "wish",
    every([(layout, target) for layout in OWN for target in JUDGED[layout]], 10),
    ids="-".join,
)
def test_what_is_added_locks_and_each_target_gets_its_build(
    wish: tuple[str, str],
    replica: Replica,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    layout, target = wish
    text = own(layout, tmp_path_factory.getbasetemp() / "own")
    (tmp_path / "pyproject.toml").write_bytes(text)
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        status = main(["add-target", "--project", str(tmp_path), "--format", "json", target])
    data = json.loads(out.getvalue())
    assert (status, data["changed"], data["warnings"]) == (0, True, [])
    request = Request("app", ">=3.11", ("add-target", target))
    assert not problems(request, Answer(status, data), tmp_path, replica, CATALOG)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "command"),
    [
        pytest.param(name, f"{verb} {target}", id=f"{name}-{verb}-{target}")
        for name in others()
        for verb in ("add-target", "remove-target")
        for target in ("windows-cuda", "linux-cu126", "linux-rocm7.2", "macos-cpu")
    ],
)
def test_what_locked_before_locks_afterwards(
    name: str, command: str, replica: Replica, tmp_path: Path
) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / "pyproject.toml").write_bytes(others()[name])
    if replica.uv("lock", cwd=folder).returncode:
        return
    ran = run_in(folder, others()[name], command)
    assert "torchconf failed" not in ran.err
    if ran.status == 0 and ran.file != others()[name]:
        relocked = replica.uv("lock", cwd=folder)
        assert relocked.returncode == 0, relocked.stderr


# Files that nobody would write.

COMMANDS = (
    "add-target windows-cuda", "add-target linux-rocm7.2", "add-target linux-cu126 macos-cpu",
    "add-target linux-cpu --layout extras", "add-target linux-cpu --layout groups",
    "add-target linux-xpu --force", "remove-target linux-cuda", "remove-target windows-cuda",
    "remove-target macos-cpu", "remove-target linux-cpu --force", "add-target linux-pypi",
    "init -t linux-cu130 -t macos-cpu", "init -t linux-cu130 -t linux-cpu --force",
    "init --with torchaudio",
)  # fmt: skip


def try_file(seed: int, folder: Path) -> None:
    """Run a command on a made file: an answer or a refusal, never a fault nor a broken file."""
    before = make_file(seed)
    command = random.Random(seed).choice(COMMANDS)
    ran = run_in(folder, before, command)
    told = f"seed {seed}: {command}\n{ran.err}\n{before.decode()}"
    assert "torchconf failed" not in ran.err, told
    assert ran.status in {0, 2}, told
    if ran.status:
        assert ran.file == before, told
        return
    tomllib.loads(ran.file.decode("utf-8-sig"))
    old, new = before.decode("utf-8-sig"), ran.file.decode("utf-8-sig")
    assert set(comments(old)) <= set(comments(new)) or "'''" in old or '"""' in old, told
    again = run_in(folder, ran.file, command)
    assert again.file == ran.file, f"{told}\nsecond run: {again.err}\n{again.file.decode()}"


def test_a_table_of_torchconf_that_is_none_is_refused_with_its_place(tmp_path: Path) -> None:
    text = b'[project]\nname = "demo"\nversion = "0.1.0"\n\n[tool]\ntorchconf = "none"\n'
    ran = run_in(tmp_path, text, "init -t linux-cu130")
    assert ran.status == 2
    assert "expected a table" in ran.err
    assert "tool.torchconf" in ran.err


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10**9))
def test_a_made_file_is_changed_or_refused(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    try_file(seed, tmp_path_factory.getbasetemp() / "made")


@pytest.mark.slow
@pytest.mark.parametrize("part", range(20))
def test_two_thousand_made_files_are_changed_or_refused(part: int, tmp_path: Path) -> None:
    for seed in range(part * 100, part * 100 + 100):
        try_file(seed, tmp_path / "made")


# The words of markers.


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("sys_platform == 'linux'", "sys_platform != 'win32'", "sys_platform == 'linux'"),
        ("sys_platform != 'win32'", "sys_platform == 'linux'", "sys_platform == 'linux'"),
        (
            "sys_platform == 'linux'",
            "sys_platform != 'linux' or platform_machine != 'x86_64'",
            "sys_platform == 'linux' and platform_machine != 'x86_64'",
        ),
        (
            "python_version < '3.14'",
            "sys_platform == 'linux' or sys_platform == 'win32'",
            "python_version < '3.14' and (sys_platform == 'linux' or sys_platform == 'win32')",
        ),
        (
            "platform_machine == 'ppc64le'",
            "sys_platform == 'linux'",
            "platform_machine == 'ppc64le' and sys_platform == 'linux'",
        ),
    ],
)
def test_two_markers_meet_in_the_shortest_that_says_both(one: str, other: str, both: str) -> None:
    assert meet(one, other) == both


def test_markers_overlap_on_whichever_python() -> None:
    assert overlap("python_version < '3.10'", "sys_platform == 'linux'")
    assert not overlap("python_version < '3.10'", "python_version >= '3.10'")


@given(
    st.sets(st.sampled_from([*PLATFORMS, *(Platform(os, "other") for os in ("linux", "macos"))]))
)
def test_a_spelt_part_of_the_world_is_that_part(platforms: set[Platform]) -> None:
    marker = spell(platforms)
    assert (marker is None) == (not platforms)
    if marker is not None:
        assert same_platforms(marker) == platforms


def test_an_index_of_somebody_else_is_not_torchs() -> None:
    text = others()["044-astral-gpu-index-for-flash-attn"].decode()
    indexes = read_configuration(read_project(tomllib.loads(text)), CATALOG).indexes
    assert indexes["cu128"].name == "pytorch-cu128"


def test_files_outside_the_tables_are_read_alike() -> None:
    for text in others().values():
        with contextlib.suppress(tomllib.TOMLDecodeError):
            tomllib.loads(text.decode("utf-8-sig"))
            list(lines_outside(text.decode("utf-8-sig")))


@pytest.mark.parametrize("base", ["", "torch>=2.9"])
@pytest.mark.parametrize(
    ("targets", "removed"),
    [
        ("linux-cu130 linux-aarch64-cu130 macos-cpu", "linux-cu130"),
        ("linux-cpu linux-cu130 windows-cu130", "linux-cpu"),
        ("linux-cpu windows-cu130 linux-xpu linux-cu130", "linux-cu130"),
        ("linux-aarch64-cu130 windows-cu130 windows-cpu", "windows-cpu"),
        ("windows-cu130 linux-aarch64-cu130 windows-xpu", "linux-aarch64-cu130"),
        ("linux-aarch64-cpu macos-cpu", "linux-aarch64-cpu"),
        ("linux-rocm7.2 linux-cu130 macos-cpu", "linux-rocm7.2"),
    ],
)
def test_what_a_removal_leaves_is_what_the_list_says(
    targets: str, removed: str, base: str, tmp_path: Path
) -> None:
    """An extra that nobody lists goes, and so does a machine that had the build of its system."""
    line = f'"{base}"' if base else ""
    demo = Demo(
        tmp_path,
        '[project]\nname = "demo"\nversion = "0.1.0"\nrequires-python = ">=3.11,<3.14"\n'
        f"dependencies = [{line}]\n",
    )
    demo.init("-y " + " ".join(f"-t {target}" for target in targets.split()))
    assert demo(f"remove-target {removed}").status == 0
    assert demo.data["tool"]["torchconf"]["targets"] == [
        target for target in targets.split() if target != removed
    ]
    once = demo.text
    done = demo("init -y")
    assert (done.status, demo.text) == (0, once), done.err
