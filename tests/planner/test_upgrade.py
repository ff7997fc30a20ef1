"""`torchconf upgrade`: everything that names a release or a backend moves together."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from itertools import pairwise, product
from pathlib import Path

import pytest
from packaging.version import Version

from tests.support.checking import CATALOG, alarms
from tests.support.few import every
from tests.support.made_files import others
from tests.support.projects import EXAMPLES, Demo
from tests.support.replica import Replica
from tests.support.upgrading import COVERED, inside
from torchconf.model.backends import Backend
from torchconf.model.targets import PLATFORMS
from torchconf.planner.respecify import rename_backend, respecify

LAYOUTS = ("extras", "groups", "markers")
MARKERS = (EXAMPLES / "markers.toml").read_text(encoding="utf-8")
EXTRAS = (EXAMPLES / "extras.toml").read_text(encoding="utf-8")
GROUPS = (EXAMPLES / "groups.toml").read_text(encoding="utf-8")
ANY = [MARKERS, EXTRAS, GROUPS]


@pytest.mark.parametrize(
    ("before", "new", "upper", "after"),
    [
        ("torch", "2.13.0", None, "torch"),
        ("torch>=2.12.0", "2.13.0", None, "torch>=2.13.0"),
        ("torch >= 2.12", "2.13.0", None, "torch>=2.13"),
        ("torch>=2.12", "2.12.1", None, "torch>=2.12"),
        ("torch==2.12", "2.12.1", None, "torch==2.12.1"),
        ("torch==2.12.0", "2.13.0", None, "torch==2.13.0"),
        ("torch==2.12.0+cu130", "2.13.0", None, "torch==2.13.0+cu130"),
        ("torch==2.12.*", "2.13.0", None, "torch==2.13.*"),
        ("torch~=2.12.0", "2.13.0", None, "torch~=2.13.0"),
        ("torch~=2.12", "2.13.0", None, "torch~=2.13"),
        ("torch>=2.12.0,<2.13", "2.13.0", None, "torch>=2.13.0,<2.14"),
        ("torch>=2.6,<3", "2.13.0", None, "torch>=2.13,<3"),
        ("torch>=2.6, !=2.7.0, <2.9", "2.13.0", None, "torch>=2.13, !=2.7.0, <2.14"),
        ("torch>=2.11.0", "2.11.0", "2.12", "torch>=2.11.0,<2.12"),
        ("torch>=2.9 ; os_name == 'nt'", "2.13.0", None, "torch>=2.13 ; os_name == 'nt'"),
        ("Torch[opt]>=2.9", "2.13.0", None, "Torch[opt]>=2.13"),
    ],
)  # fmt: skip
def test_a_requirement_keeps_its_shape(
    before: str, new: str, upper: str | None, after: str
) -> None:
    assert respecify(before, Version(new), upper) == after


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("pytorch-cu130", "pytorch-cu132"),
        ("https://mirror.example.org/cu130/pytorch-cu130/simple",
         "https://mirror.example.org/cu130/pytorch-cu132/simple"),
        ("pytorch-cu1301", "pytorch-cu1301"),
        ("gpu", "gpu"),
    ],
)  # fmt: skip
def test_a_name_follows_its_backend(text: str, after: str) -> None:
    assert rename_backend(text, "cu130", "cu132") == after


# Releases.


def torches(demo: Demo, doubts: str = "") -> set[str]:
    """Return the releases of torch that uv locks for all platforms and choices, as `verify` says.

    It fails if a target gets another build than it should, or none, unless it was warned of.
    """
    result = demo("verify --python 3.11 --format json")
    rows = [row for row in result.json["routes"] if row["platform"] not in doubts]
    assert [row["problem"] for row in rows if row["problem"]] == []
    assert result.status == 0 or doubts
    torch = [row for row in rows if row["package"] == "torch"]
    return {Version(row["version"]).public for row in torch if row["version"]}


def newest_like(release: str) -> str:
    """Return the last patch of a release: that is what a bare version means."""
    line = Version(release).release[:2]
    return max(each for each in COVERED if Version(each).release[:2] == line)


def placed(layout: str, folder: Path, release: str, backend: str) -> Demo:
    """Return an example, moved to a release and a backend that it does not have."""
    demo = Demo(folder, (EXAMPLES / f"{layout}.toml").read_text(encoding="utf-8"))
    move = f" --backend cu130={backend} --rename" if backend != "cu130" else ""
    result = demo(f"upgrade --torch {release}{move}")
    assert result.status == 0, result.err
    return demo


def builds(release: str) -> list[Backend]:
    """Return the CUDA builds of a release for Linux and Windows, newest first."""
    linux, windows = PLATFORMS[0], PLATFORMS[2]
    return [
        backend
        for backend in CATALOG.newest_first("cuda")
        if all(
            CATALOG.seen("torch", Version(release), backend, platform)
            for platform in (linux, windows)
        )
    ]


def go_up_and_down(layout: str, low: str, high: str, folder: Path) -> None:
    """Move an example from one release to another and back; uv and `check` judge both."""
    both = [backend for backend in builds(low) if backend in builds(high)]
    old = (both or builds(low))[0].name
    new = (both or builds(high))[0].name
    # Nobody has looked at the oldest releases for Linux on aarch64, and the replica has none.
    doubts = "linux-aarch64" if Version(low) < Version("2.5") else ""
    demo = placed(layout, folder, low, old)
    there = demo.text
    assert torches(demo, doubts) == {newest_like(low)}
    assert alarms(there) == []
    up, down = (
        (f"--backend {old}={new} --rename", f"--backend {new}={old} --rename")
        if old != new
        else ("", "")
    )
    result = demo(f"upgrade --torch {high} {up}")
    assert result.status == 0, result.err
    assert torches(demo, doubts) == {newest_like(high)}
    assert alarms(demo.text) == []
    moved_text = demo.text
    again = demo(f"upgrade --torch {high}")
    assert (again.status, demo.text) == (0, moved_text), "a second run changes nothing"
    assert demo(f"upgrade --torch {high} --check").status == 0
    assert demo(f"upgrade --torch {low} {down}").status == 0
    if "gets CPU" in result.err:
        # What the new build has no wheels for was given up, and said so: not so the second time.
        there = demo.text
        assert "gets CPU" not in demo(f"upgrade --torch {high} {up}").err
        assert demo(f"upgrade --torch {low} {down}").status == 0
    assert tomllib.loads(demo.text) == tomllib.loads(there)


PAIRS = [pair for pair in pairwise(COVERED) if Version(pair[0]) >= Version("2.0")]
"""Of older ones, no index has CUDA for aarch64 or Python 3.12, as the examples do."""
SHORT = [pair for pair in PAIRS if pair[1] in {"2.6.0", "2.10.0", "2.13.0"}]
"""Another build is needed from 2.5 to 2.6, not from 2.9 to 2.10 and from 2.12 to 2.13."""


@inside
@pytest.mark.parametrize("case", every(product(LAYOUTS, SHORT), 4))
def test_to_the_next_release_and_back(case: tuple[str, tuple[str, str]], tmp_path: Path) -> None:
    layout, (low, high) = case
    go_up_and_down(layout, low, high, tmp_path)


@inside
@pytest.mark.slow
@pytest.mark.parametrize(("low", "high"), [pair for pair in PAIRS if pair not in SHORT])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_to_each_next_release_and_back(layout: str, low: str, high: str, tmp_path: Path) -> None:
    go_up_and_down(layout, low, high, tmp_path)


@inside
@pytest.mark.parametrize("layout", LAYOUTS)
def test_without_a_release_it_is_the_newest(layout: str, tmp_path: Path) -> None:
    demo = placed(layout, tmp_path, "2.11.0", "cu130")
    assert demo("upgrade").status == 0
    assert torches(demo) == {COVERED[-1]}
    text = demo.text
    again = demo("upgrade")
    assert (again.status, demo.text) == (0, text)
    assert "no changes needed" in again.err
    assert demo("upgrade --check").status == 0


def test_there_is_no_way_back_without_being_asked(tmp_path: Path) -> None:
    start = MARKERS.replace("2.13.0", "2.14.0").replace("0.28.0", "0.29.0")
    demo = Demo(tmp_path, start)
    result = demo("upgrade")
    assert (result.status, demo.text) == (0, start)
    assert "has no information on" in result.err


def test_a_locked_release_is_not_left_either(tmp_path: Path) -> None:
    demo = Demo(tmp_path, EXTRAS.replace(">=2.13.0", ">=2.12,<2.15"))
    lock = '[[package]]\nname = "torch"\nversion = "{}"\n'
    (demo.folder / "uv.lock").write_text(lock.format("2.14.0"))
    assert demo("upgrade").status == 0
    assert demo.project["optional-dependencies"]["cpu"] == ["torch>=2.14,<2.15"]
    (demo.folder / "uv.lock").write_text(lock.format("2.12.0"))
    demo.path.write_text(EXTRAS)
    result = demo("upgrade")
    assert (result.status, demo.text) == (0, EXTRAS)
    assert "run `uv lock --upgrade-package torch` to update uv.lock" in result.err


@inside
def test_lock_takes_the_release_even_where_the_file_stays(
    inside_replica: Replica, tmp_path: Path
) -> None:
    demo = Demo(tmp_path, EXTRAS.replace(">=2.13.0", ">=2.12,<2.13"))
    inside_replica.lock(demo.folder)
    demo.path.write_text(EXTRAS.replace(">=2.13.0", ""))
    inside_replica.lock(demo.folder)
    lock = demo.folder / "uv.lock"
    assert "2.12.1+cu130" in lock.read_text()
    assert demo("upgrade --lock --quiet").status == 0
    assert "2.13.0+cu130" in lock.read_text()
    assert "2.12.1" not in lock.read_text()


def test_a_published_range_stays_while_it_admits_the_release(tmp_path: Path) -> None:
    demo = Demo(tmp_path, GROUPS)
    assert demo("upgrade --torch 2.11").status == 0
    assert demo.project["dependencies"] == ["torch>=2.4"]
    assert demo.data["dependency-groups"]["cpu"] == ["torch>=2.11,<2.12"]
    assert demo("upgrade --torch '>=2.12,<2.14'").status == 0
    assert demo.data["dependency-groups"]["cu130"] == ["torch>=2.12,<2.14"]
    demo.path.write_text(GROUPS.replace("torch>=2.4", "torch>=2.4,<2.12"))
    assert demo("upgrade").status == 0
    assert demo.project["dependencies"] == ["torch>=2.13,<2.14"]


@inside
def test_bounds_of_a_line_that_has_ended_come_and_go(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    demo.init("-t linux-cu128 -t macos-cpu --with torchvision --python 3.11")
    before = demo.data
    assert before["project"]["dependencies"][0] == "torch>=2.11.0,<2.12"
    kept = demo("upgrade")
    assert "no changes needed" in kept.err
    assert "torch 2.13.0 needs another build: cu128 ended with torch 2.11.0" in kept.err
    new = demo("upgrade --all --format json").json["backends"]["cu128"]
    assert demo.project["dependencies"][0] == "torch>=2.13.0"
    assert torches(demo) == {"2.13.0"}
    assert demo(f"upgrade --torch '>=2.11' --backend {new}=cu128").status == 0
    assert demo.project["dependencies"][0] == "torch>=2.11,<2.12"
    assert torches(demo) == {"2.11.0"}


@inside
def test_pins_move_together(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    demo.init("-t linux-cuda13.0 -t macos-cpu --with torchvision --torch 2.12 --pin --python 3.11")
    before = demo.data
    assert demo("upgrade --torch 2.13").status == 0
    assert demo.project["dependencies"][0] == "torch>=2.13,<2.14"
    assert demo.uv["constraint-dependencies"] == ["torch==2.13.0", "torchvision==0.28.0"]
    assert torches(demo) == {"2.13.0"}
    assert demo("upgrade --torch 2.12").status == 0
    assert demo.data == before


@inside
def test_a_pin_in_a_requirement_stays_one(tmp_path: Path) -> None:
    demo = Demo(tmp_path, MARKERS.replace(">=2.13.0", "==2.11.0").replace(">=0.28.0", "==0.26.0"))
    assert demo("upgrade").status == 0
    assert demo.project["dependencies"] == ["torch==2.13.0", "torchvision==0.28.0"]
    assert torches(demo) == {"2.13.0"}


@inside
@pytest.mark.parametrize("pin", ["", "--pin"])
def test_the_triton_of_rocm_changes_its_name(pin: str, tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    demo.init(f"-t linux-rocm6.4 -t macos-cpu --torch 2.9.1 --python 3.11 {pin}")
    commented = demo.text.replace('    "pytorch-triton', '    # of ROCm\n    "pytorch-triton')
    demo.path.write_text(commented.replace("pytorch-triton-rocm = [", "pytorch-triton-rocm=["))
    before = demo.data
    result = demo("upgrade --torch 2.10 --backend rocm6.4=rocm7.0")
    assert result.status == 0, result.err
    assert '# of ROCm\n    "triton-rocm>=3.6.0 ; sys_platform' in demo.text
    assert "\ntriton-rocm=[" in demo.text, "in its old place, as it was written"
    assert "pytorch-triton-rocm" not in demo.text
    assert "rocm6.4" not in demo.text
    assert alarms(demo.text) == []
    assert torches(demo) == {"2.10.0"}
    assert demo("upgrade --torch 2.9.1 --backend rocm7.0=rocm6.4").status == 0
    assert demo.data == before


# Backends.


@inside
@pytest.mark.parametrize("case", every(product(LAYOUTS, (False, True)), 3))
def test_another_backend(case: tuple[str, bool], tmp_path: Path) -> None:
    layout, rename = case
    start = (EXAMPLES / f"{layout}.toml").read_text(encoding="utf-8")
    demo = Demo(tmp_path, start)
    flag = "--rename" if rename else ""
    result = demo(f"upgrade --backend cu130=cu132 {flag}")
    assert result.status == 0, result.err
    if rename or layout == "markers":
        assert demo.text == start.replace("cu130", "cu132"), "nothing else changes"
    else:
        assert "keeps its name; `--rename` changes it to `cu132`" in result.err
        for line in demo.text.splitlines():
            if "cu130" in line:
                assert line.startswith("cu130 = [") or re.search(r'(extra|group) = "cu130"', line)
    assert torches(demo) == {"2.13.0"}
    kept = not rename and layout != "markers"
    assert [alarm[:5] for alarm in alarms(demo.text)] == (["TC107"] if kept else [])
    backends = {row["backend"] for row in demo("show --format json").json["routes"]}
    assert "cu132" in backends
    assert "cu130" not in backends
    assert demo(f"upgrade --backend cu132=cu130 {flag}").status == 0
    assert demo.text == start


def test_a_new_name_is_used_wherever_the_old_one_was(tmp_path: Path) -> None:
    more = 'all = ["demo[cu130]", "Demo[docs,CU130]>=0"]\n# last\ndocs = ["sphinx"]\n'
    text = EXTRAS.replace("\n[tool.uv]\n", f"{more}\n[tool.uv]\n", 1)
    text = text.replace("cu130 = [\n", "# the GPU\ncu130 = [\n    # newest\n")
    demo = Demo(tmp_path, text)
    assert demo("upgrade --backend cu130=cu132 --rename").status == 0
    assert demo.text == text.replace("cu130", "cu132").replace("CU130", "cu132")


def test_a_new_name_of_a_group_too(tmp_path: Path) -> None:
    text = GROUPS.replace('"dev", "cpu"', '"dev", "cu130"').replace(
        "dev = []\n", 'dev = []\ngpu = [{ include-group = "cu130" }]\n'
    )
    text += '\n[tool.uv.dependency-groups]\ncu130 = { requires-python = ">=3.12" }\n'
    demo = Demo(tmp_path, text)
    assert demo("upgrade --backend cu130=cu132 --rename").status == 0
    assert demo.text == text.replace("cu130", "cu132")


def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    text = EXTRAS.replace("\n[tool.uv]\n", 'cu132 = ["other"]\n\n[tool.uv]\n', 1)
    demo = Demo(tmp_path, text)
    result = demo("upgrade --backend cu130=cu132 --rename")
    assert (result.status, demo.text) == (2, text)
    assert "an extra named `cu132` already exists" in result.err


@inside
def test_an_index_that_is_there_is_used(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    demo.init("-t linux-cu126 -t windows-cu130 -t macos-cpu --python 3.11")
    assert demo("upgrade --backend cu126=cu130").status == 0
    assert [index["name"] for index in demo.uv["index"]] == ["pytorch-cpu", "pytorch-cu130"]
    assert alarms(demo.text) == []
    assert torches(demo) == {"2.13.0"}


@inside
def test_two_indexes_that_move_to_one_build_become_one(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    demo.init("-t linux-cu129 -t windows-cu126 -t macos-cpu --python 3.11")
    new = demo("upgrade --all --format json").json["backends"]
    assert new["cu129"] == new["cu126"]
    names = [index["name"] for index in demo.uv["index"]]
    assert sorted(names) == ["pytorch-cpu", f"pytorch-{new['cu129']}"]
    assert alarms(demo.text) == []
    assert torches(demo) == {"2.13.0"}


@pytest.mark.parametrize("seed", ["1", "5"])
def test_what_stays_is_told_in_the_order_of_the_file(seed: str, tmp_path: Path) -> None:
    """Where the order is that of a set, it is another one with each seed of hashes."""
    demo = Demo(tmp_path)
    builds = "linux-cpu linux-cu126 linux-cu130 linux-rocm6.3 linux-rocm6.4"
    demo.init(" ".join(f"-t {one}" for one in builds.split()))
    words = [sys.executable, "-m", "torchconf", "upgrade", "--all", "--dry-run"]
    done = subprocess.run(
        words, cwd=demo.folder, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    told = [line.partition(":")[0] for line in done.stderr.splitlines() if " stays:" in line]
    assert told == ["cu126 stays", "rocm6.3 stays"]


@inside
def test_all_moves_the_newer_of_two_extras(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    demo.init("-t linux-cu128 -t linux-cu126 -t linux-cpu --python 3.11")
    result = demo("upgrade --all --rename")
    assert "cu126 stays: cu128 is newer" in result.err
    assert set(demo.project["optional-dependencies"]) == {"cpu", "cu126", "cu132"}
    assert demo.project["optional-dependencies"]["cu132"] == ["torch>=2.13.0"]
    assert torches(demo) == {"2.13.0"}
    text = demo.text
    assert demo("upgrade --all --rename --check").status == 0
    assert demo.text == text
    assert "would both become" in demo("upgrade --backend cu126=cu132").err


@inside
def test_a_machine_that_nobody_asked_for_does_not_hold_back(tmp_path: Path) -> None:
    demo = Demo(tmp_path, MARKERS)
    result = demo("upgrade --torch 2.8 --backend cu130=cu126")
    assert "linux-aarch64 gets CPU" in result.err
    assert "platform_machine == 'x86_64'" in demo.text
    assert torches(demo) == {"2.8.0"}
    text = demo.text.replace("platform_machine == 'x86_64'", "platform_machine == 'aarch64'")
    demo.path.write_text(text)
    result = demo("upgrade --backend cu126=cu118")
    assert (result.status, demo.text) == (2, text)


def test_a_required_system_asks_for_one_machine_of_it(tmp_path: Path) -> None:
    systems = ", ".join(f"\"sys_platform == '{one}'\"" for one in ("darwin", "linux", "win32"))
    demo = Demo(
        tmp_path,
        '[project]\nname = "demo"\nversion = "0"\nrequires-python = ">=3.11"\n'
        'dependencies = ["torch>=2.0.0"]\n\n'
        f"[tool.uv]\nrequired-environments = [{systems}]\n\n"
        '[tool.uv.sources]\ntorch = { index = "pytorch-cpu" }\n\n'
        '[[tool.uv.index]]\nname = "pytorch-cpu"\n'
        'url = "https://download.pytorch.org/whl/cpu"\nexplicit = true\n',
    )
    result = demo("upgrade")
    assert result.status == 0, result.err
    assert demo.project["dependencies"] == ["torch>=2.13.0"]


def test_a_pinned_companion_goes_where_its_torch_goes(tmp_path: Path) -> None:
    """The catalog has no wheels of it for one machine: the old pin would still keep torch back."""
    linux, mac = "sys_platform == 'linux'", "sys_platform == 'darwin'"
    moved = [f"torch==2.4.1+cu118 ; {linux}", f"torchvision==0.19.1+cu118 ; {linux}"]
    there = [f"torch==2.4.1 ; {mac}", f"torchvision==0.19.1 ; {mac}"]
    old = [f"torch==2.2.1+cu118 ; {linux}", f"torchvision==0.17.1+cu118 ; {linux}"]
    lines = "".join(f'    "{line}",\n' for line in (*old, *there))
    source = f'= {{ index = "pytorch-cu118", marker = "{linux}" }}\n'
    demo = Demo(
        tmp_path,
        '[project]\nname = "demo"\nversion = "0"\nrequires-python = ">=3.11,<3.12"\n'
        f"dependencies = [\n{lines}]\n\n"
        f"[tool.uv.sources]\ntorch {source}torchvision {source}\n"
        '[[tool.uv.index]]\nname = "pytorch-cu118"\n'
        'url = "https://download.pytorch.org/whl/cu118"\nexplicit = true\n',
    )
    result = demo("upgrade")
    assert result.status == 0, result.err
    assert demo.project["dependencies"] == [*moved, *there]
    assert "no torchvision is known" not in result.err


def test_both_names_of_a_triton_package_stay(tmp_path: Path) -> None:
    names = ("torch", "pytorch-triton-rocm", "triton-rocm")
    here = "sys_platform == 'linux' and platform_machine == 'x86_64'"
    before = (
        '[project]\nname = "demo"\nversion = "0"\nrequires-python = ">=3.11"\ndependencies = []\n\n'
        "[project.optional-dependencies]\nrocm = [\n"
        + "".join(f'    "{name}; {here}",\n' for name in names)
        + "]\n\n[tool.uv.sources]\n"
        + "".join(f'{name} = [{{ index = "pytorch-rocm", extra = "rocm" }}]\n' for name in names)
        + '\n[[tool.uv.index]]\nname = "pytorch-rocm"\n'
        'url = "https://download.pytorch.org/whl/rocm7.2"\nexplicit = true\n'
    )
    demo = Demo(tmp_path, before)
    result = demo("upgrade")
    assert (result.status, demo.text) == (0, before), result.err


def test_what_a_target_can_not_follow_is_refused(tmp_path: Path) -> None:
    demo = Demo(tmp_path, EXTRAS.replace("cu130", "cu128").replace(">=2.13.0", ">=2.11.0"))
    before = demo.text
    result = demo("upgrade --torch 2.13")
    assert result.status == 2
    assert "the newest torch available for all targets is 2.11.0" in result.err
    assert demo.text == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--backend cu126=cu130", "no target has the backend `cu126`"),
        ("--backend cu130=rocm7.2", "are different accelerators"),
        ("--backend cpu=cu130", "for another build run"),
        ("--backend cu130=cu999", "knows no backend `cu999`"),
        ("--force", "unexpected argument `--force`"),
        ("--backend cu130", "is not OLD=NEW"),
        ("--torch two", "is not a version or specifier"),
    ],
)
def test_what_makes_no_sense(words: str, message: str, tmp_path: Path) -> None:
    demo = Demo(tmp_path, EXTRAS)
    result = demo(f"upgrade {words}")
    assert (result.status, message in result.err) == (2, True), result.err
    assert demo.text == EXTRAS


def test_a_project_without_torch(tmp_path: Path) -> None:
    demo = Demo(tmp_path, '[project]\nname = "demo"\nversion = "0"\ndependencies = []\n')
    result = demo("upgrade")
    assert (result.status, "does not require torch" in result.err) == (2, True)


@pytest.mark.parametrize(
    ("before", "words", "after"),
    [
        ("torch", "", "torch"),
        ("torch>=2.9", "", "torch>=2.15"),
        ("torch", "--torch 2.12", "torch>=2.12,<2.13"),
        ("torch==2.11.0", "--torch 2.12.0", "torch==2.12.0"),
        ("torch~=2.11.0", "--torch 2.12", "torch~=2.12.0"),
        ("torch~=2.11", "--torch 2.12", "torch~=2.12,<2.13"),
        ("torch>=2.9", "--torch '>=2.11,<2.14'", "torch>=2.11,<2.14"),
    ],
)
def test_torch_of_pypi_moves_too(before: str, words: str, after: str, tmp_path: Path) -> None:
    head = '[project]\nname = "demo"\nversion = "0"\nrequires-python = ">=3.11"\n'
    demo = Demo(tmp_path, f'{head}dependencies = ["{before}"]\n')
    result = demo(f"upgrade {words}")
    assert result.status == 0, result.err
    assert demo.project["dependencies"] == [after]


def test_platforms_without_any_wheel_hold_nothing_back(tmp_path: Path) -> None:
    head = '[project]\nname = "demo"\nversion = "0"\nrequires-python = ">=3.11"\n'
    demo = Demo(tmp_path, f'{head}dependencies = ["torch>=2.5", "xformers>=0.0.28"]\n')
    result = demo("upgrade")
    assert result.status == 0, result.err
    assert demo.project["dependencies"] != ["torch>=2.5", "xformers>=0.0.28"]
    assert "gets CPU" not in result.err


def test_what_else_names_the_old_backend_is_listed_and_not_edited(tmp_path: Path) -> None:
    demo = Demo(tmp_path, EXTRAS)
    files = {
        "Dockerfile": "FROM x\nRUN uv sync --extra cu130\n",
        "README.md": "`uv sync --extra cu130`, not cu1301\n",
        ".github/workflows/ci.yml": "run: uv sync --extra cpu\n",
        ".github/workflows/gpu.yml": "image: nvidia/cuda:13.0.1-runtime  # CUDA 13.0, not 13.01\n",
        "build/notes.md": "cu130\n",
        "local.env": "EXTRA=cu130\n",
        "uv.lock": "cu130\n",
        "data.bin": "cu130\x00\xff",
        ".gitignore": "build/\nlocal.env\n",
    }
    for name, text in files.items():
        (demo.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (demo.folder / name).write_bytes(text.encode("latin-1"))
    demo.path.write_text(f"# CI has cu130\n{EXTRAS}")
    printed = demo("upgrade --backend cu130=cu132 --dry-run").err.splitlines()
    assert printed[
        printed.index("these files still mention an old backend; update them by hand:") :
    ][1:] == [
        "  Dockerfile:2: RUN uv sync --extra cu130",
        "  README.md:1: `uv sync --extra cu130`, not cu1301",
        "  pyproject.toml:1: # CI has cu130",
        "  .github/workflows/gpu.yml:1: image: nvidia/cuda:13.0.1-runtime  # CUDA 13.0, not 13.01",
    ]
    mentions = demo("upgrade --backend cu130=cu132 --format json").json["mentions"]
    assert mentions[0] == {"path": "Dockerfile", "line": 2, "text": "RUN uv sync --extra cu130"}
    left = {name: (demo.folder / name).read_bytes().decode("latin-1") for name in files}
    assert left == files


def test_dry_run_and_check_write_nothing(tmp_path: Path) -> None:
    demo = Demo(tmp_path, EXTRAS)
    result = demo("upgrade --torch 2.12 --dry-run")
    assert (result.status, result.out[:3]) == (0, "---")
    assert demo("upgrade --torch 2.12 --check").status == 1
    assert demo.text == EXTRAS


def test_a_member_s_pins_are_in_the_root(tmp_path: Path) -> None:
    root = tmp_path / "pyproject.toml"
    root.write_text(
        '[tool.uv]\nconstraint-dependencies = ["torch==2.12.0"]  # held\n\n'
        '[tool.uv.workspace]\nmembers = ["demo"]\n'
    )
    demo = Demo(tmp_path, EXTRAS.replace(">=2.13.0", ">=2.12.0"))
    assert demo("upgrade --torch 2.13").status == 0
    assert '["torch==2.13.0"]  # held' in root.read_text()
    assert ">=2.13.0" in demo.text


# Workspaces, mirrors, other people's files.

MEMBER = """\
[project]
name = "{}"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["torch>=2.12,<2.13"]

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
"""


def workspace(folder: Path, *names: str) -> Demo:
    """Return a root without a project, with members that require torch."""
    root = Demo(folder, '[tool.uv.workspace]\nmembers = ["packages/*"]\n')
    for name in names:
        member = root.folder / "packages" / name
        member.mkdir(parents=True)
        (member / "pyproject.toml").write_text(MEMBER.format(name))
    return root


def texts(root: Demo) -> dict[str, str]:
    paths = root.folder.rglob("pyproject.toml")
    return {path.relative_to(root.folder).as_posix(): path.read_text() for path in paths}


@inside
def test_a_member_moves_with_what_its_root_holds(inside_replica: Replica, tmp_path: Path) -> None:
    root = workspace(tmp_path, "core")
    member = "--project packages/core"
    assert root(f"init -t linux-cu130 -t linux-cpu -t macos-cpu --pin {member}").status == 0
    before = texts(root)
    assert "torch==2.12.1" in before["pyproject.toml"]
    assert root(f"upgrade {member}").status == 0
    after = texts(root)
    assert "torch==2.13.0" in after["pyproject.toml"]
    assert '"torch>=2.13,<2.14"' in after["packages/core/pyproject.toml"]
    inside_replica.lock(root.folder)
    assert root(f"upgrade --torch 2.12 {member}").status == 0
    assert texts(root) == before


@inside
def test_a_root_that_routes_for_its_members_moves_them_too(
    inside_replica: Replica, tmp_path: Path
) -> None:
    root = workspace(tmp_path, "one", "two")
    assert root("init -t linux-cu130 -t macos-cpu").status == 0
    before = texts(root)
    result = root("upgrade --backend cu130=cu132")
    assert result.status == 0, result.err
    after = texts(root)
    for name in ("one", "two"):
        assert '"torch>=2.13,<2.14"' in after[f"packages/{name}/pyproject.toml"]
    assert "cu130" not in after["pyproject.toml"]
    run = inside_replica.lock(root.folder)
    assert run.returncode == 0
    assert root("upgrade --backend cu132=cu130 --torch 2.12").status == 0
    assert texts(root) == before
    assert root("upgrade --project packages/one").status == 2


def test_an_index_that_another_member_uses_is_left_to_it(tmp_path: Path) -> None:
    root = workspace(tmp_path, "core", "other")
    source = '\n[tool.uv.sources]\ntorch = { index = "pytorch-cu130" }\n'
    index = EXTRAS[EXTRAS.index('[[tool.uv.index]]\nname = "pytorch-cu130"') :]
    for name in ("core", "other"):
        path = root.folder / "packages" / name / "pyproject.toml"
        path.write_text(path.read_text() + source)
    root.path.write_text(f"{root.text}\n{index}")
    refused = root("upgrade --backend cu130=cu132 --project packages/core")
    assert refused.status == 2
    assert "workspace member `other` excludes this release" in refused.err
    path.write_text(path.read_text().replace(",<2.13", ""))
    before = texts(root)
    result = root("upgrade --backend cu130=cu132 --project packages/core")
    assert result.status == 0, result.err
    after = texts(root)
    assert after.pop("packages/core/pyproject.toml") != before.pop("packages/core/pyproject.toml")
    assert after == before
    core = tomllib.loads((root.folder / "packages/core/pyproject.toml").read_text())["tool"]["uv"]
    assert core["sources"]["torch"] == {"index": "pytorch-cu132"}
    assert core["index"][0]["url"].endswith("/cu132")


def test_an_index_of_the_root_that_a_member_uses_stays(tmp_path: Path) -> None:
    root = workspace(tmp_path, "other")
    path = root.folder / "packages" / "other" / "pyproject.toml"
    path.write_text(
        f'{path.read_text()}\n[tool.uv.sources]\ntorch = {{ index = "pytorch-cu130" }}\n'
    )
    before = path.read_text()
    root.path.write_text(f"{MARKERS}\n{root.text}")
    assert root("upgrade --backend cu130=cu132").status == 0
    names = [index["name"] for index in root.uv["index"]]
    assert names == ["pytorch-cpu", "pytorch-cu130", "pytorch-cu132"]
    assert {source["index"] for source in root.uv["sources"]["torch"]} == {names[0], names[2]}
    assert path.read_text() == before


@pytest.mark.parametrize("line", ["\n", "\r\n"])
def test_a_mirror_is_moved_on_the_mirror(line: str, tmp_path: Path) -> None:
    text = EXTRAS.replace("https://download.pytorch.org/whl/", "https://cu130.example.org/pt-")
    text = text.replace('"pytorch-cu130"', "'gpu'").replace("\n", line)
    demo = Demo(tmp_path, text)
    assert demo("upgrade --backend cu130=cu132 --rename").status == 0
    moved_text = text.replace("pt-cu130", "pt-cu132").replace('"cu130"', '"cu132"')
    assert demo.text == moved_text.replace("cu130 = [", "cu132 = [")


def test_an_open_index_is_not_taken_for_pypi(tmp_path: Path) -> None:
    head = '[project]\nname = "demo"\nversion = "0"\ndependencies = ["torch>=2.9"]\n\n'
    text = f'{head}[tool.uv]\nextra-index-url = ["https://download.pytorch.org/whl/cu130"]\n'
    demo = Demo(tmp_path, text)
    result = demo("upgrade")
    assert (result.status, demo.text) == (2, text)
    assert "for every package" in result.err


COPY_OF_PYPI = """\
[project]
name = "demo"
version = "0"
requires-python = ">=3.12,<3.14"
dependencies = ["torch>=2.9"]

[tool.uv.sources]
torch = { index = "copy" }

[[tool.uv.index]]
name = "copy"
url = "https://pypi.tuna.tsinghua.edu.cn/simple"
explicit = true
"""


@pytest.mark.parametrize("command", ["upgrade", "add-target windows-cuda"])
def test_a_copy_of_pypi_is_called_so(command: str, tmp_path: Path) -> None:
    demo = Demo(tmp_path, COPY_OF_PYPI)
    result = demo(command)
    assert (result.status, demo.text) == (2, COPY_OF_PYPI)
    assert "torch: index `copy` is a copy of PyPI" in result.err.replace(
        "the PyTorch configuration", "torch"
    )


COMMANDS = ("upgrade", "upgrade --all --rename", "upgrade --torch 2.11")
FILES = others()


def judge_file(name: str, replica: Replica, folder: Path) -> None:
    """See that what uv locks it also locks after any upgrade, and that a second one is idle."""
    for number, command in enumerate(COMMANDS):
        (folder / str(number)).mkdir()
        demo = Demo(folder / str(number), FILES[name])
        locks = replica.uv("lock", cwd=demo.folder).returncode == 0
        result = demo(command)
        assert result.status in {0, 2}
        assert "is a bug" not in result.err, result.err
        if result.status:
            assert demo.path.read_bytes() == FILES[name]
            continue
        text = demo.text
        if locks:
            run = replica.uv("lock", cwd=demo.folder)
            assert run.returncode == 0, run.stderr
        again = demo(command)
        assert (again.status, demo.text) == (0, text), again.err


@pytest.mark.parametrize("name", every(FILES, 70))
def test_files_of_other_people(name: str, replica: Replica, tmp_path: Path) -> None:
    judge_file(name, replica, tmp_path)
