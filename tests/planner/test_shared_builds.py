"""Workspaces whose root and members have the same builds: `projects/workspaces` has a folder each.

`command.txt` turns the files of `before` into those of `after`.
"""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import pytest

from tests.support.few import every
from tests.support.projects import PROJECTS, Demo
from tests.support.replica import Build, Replica

WORKSPACES = PROJECTS / "workspaces"
CASES = sorted(path.parent.name for path in WORKSPACES.glob("*/command.txt"))


def texts(folder: Path) -> dict[str, str]:
    """Return what every file of a workspace says, by its place in it."""
    found = sorted(folder.rglob("pyproject.toml"))
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in found}


def workspace(parent: Path, files: dict[str, str]) -> Demo:
    demo = Demo(parent)
    for place, text in files.items():
        path = demo.folder / place
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    return demo


@pytest.mark.parametrize("case", every(CASES, 3))
def test_a_command_turns_before_into_after(case: str, tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    shutil.copytree(WORKSPACES / case / "before", demo.folder, dirs_exist_ok=True)
    command = (WORKSPACES / case / "command.txt").read_text("utf-8").strip()
    before, after = texts(demo.folder), texts(WORKSPACES / case / "after")
    for again in (command, command, "init -y"):
        result = demo(again)
        assert result.status == 0, result.err
        assert texts(demo.folder) == after, "a second run changes nothing"
    checked = demo("check . --fix --strict --ignore TC411,TC111 --format json")
    assert checked.json["findings"] == []
    assert texts(demo.folder) == after, "nothing is fixed"
    verb, _, rest = command.partition(" ")
    if verb == "add-target":
        assert demo(f"remove-target {rest}").status == 0
        assert texts(demo.folder) == before


TORCH = "torch>=2.13,<2.14"
LOCAL = "\n[tool.uv.sources]\na = { workspace = true }\n"
MEMBERS = '\n[tool.uv.workspace]\nmembers = ["a", "b"]\n'


def project(name: str, *requirements: str) -> str:
    listed = ", ".join(f'"{one}"' for one in requirements)
    return (
        f'[project]\nname = "{name}"\nversion = "0.1.0"\nrequires-python = ">=3.11,<3.14"\n'
        f"dependencies = [{listed}]\n"
    )


KINDS = {
    "two members": (project("root"), project("a", TORCH), project("b", TORCH)),
    "one member": (project("root"), project("a", TORCH), project("b", "filelock")),
    "all": (project("root", TORCH), project("a", TORCH), project("b", TORCH)),
    "a companion of one": (
        project("root"),
        project("a", TORCH, "torchvision"),
        project("b", TORCH),
    ),
    "one through the other": (project("root"), project("a", TORCH), project("b", "a") + LOCAL),
    "both, one through the other": (
        project("root"),
        project("a", TORCH),
        project("b", "a", TORCH) + LOCAL,
    ),
    "the root through a member": (project("root", "a") + LOCAL, project("a", TORCH), project("b")),
    "one on Linux only": (
        project("root"),
        project("a", TORCH),
        project("b", f"{TORCH} ; sys_platform == 'linux'"),
    ),
    "a root without a project": ("", project("a", TORCH), project("b", TORCH)),
    "a root without a project, one member": ("", project("a", TORCH), project("b", "filelock")),
    "a root without a project, one through the other": (
        "",
        project("a", TORCH),
        project("b", "a") + LOCAL,
    ),
}
TARGETS = "-t linux-cu132 -t linux-cpu -t macos-cpu"
LAYOUTS = {"extras": "--layout extras", "machine": "--default machine"}
CHANGES = ("init", "add-target linux-cu126", "add-target windows-cu132", "add-target linux-rocm7.1")


def start(parent: Path, kind: str) -> Demo:
    root, a, b = KINDS[kind]
    return workspace(
        parent,
        {"pyproject.toml": root + MEMBERS, "a/pyproject.toml": a, "b/pyproject.toml": b},
    )


@pytest.mark.parametrize("case", every(itertools.product(KINDS, LAYOUTS, CHANGES), 67))
def test_every_command_installs_what_it_says(
    case: tuple[str, str, str], tmp_path: Path, inside_replica: Replica
) -> None:
    kind, layout, change = case
    demo = start(tmp_path, kind)
    before = texts(demo.folder)
    result = demo(f"init {TARGETS} {LAYOUTS[layout]} -y")
    if layout == "machine" and not KINDS[kind][0]:
        assert (result.status, texts(demo.folder)) == (2, before)
        assert "pass `--layout extras`" in result.err
        return
    written = texts(demo.folder)
    if change != "init":
        result = demo(f"{change} -y")
    assert result.status == 0, result.err
    inside_replica.lock(demo.folder)
    assert demo("check . --strict --ignore TC411,TC111 --format json").json["findings"] == []
    systems = {"linux": "linux-x86_64", "macos": "macos-arm64", "windows": "windows-x86_64"}
    for target, words in result.commands().items():
        system, _, backend = target.partition("-")
        variables = dict(word.split("=") for word in words if word.startswith("UV_"))
        export = inside_replica.export(
            demo.folder, *words[len(variables) + 2 :], variables=variables
        )
        build = export.select(systems[system], "3.12")["torch"]
        assert isinstance(build, Build)
        assert (build.index or "").endswith(f"/{backend}"), target
    for where in (".", "a", "b"):
        verified = demo(f"verify --frozen --python 3.12 --project {where}")
        assert verified.status == 0, verified.out + verified.err
    if change != "init" and "was extended" not in result.err:
        assert demo(f"remove-target {change.split()[1]} -y").status == 0
        assert texts(demo.folder) == written


def rows(demo: Demo, where: str = ".") -> dict[str, str | None]:
    """Return the build that each command gives Linux."""
    routes = demo(f"show --project {where} --format json").json["routes"]
    return {one["command"]: one["backend"] for one in routes if one["platform"] == "linux-x86_64"}


def test_show_has_rows_for_the_root_and_for_each_member(tmp_path: Path) -> None:
    demo = start(tmp_path, "one through the other")
    demo.init(f"{TARGETS} --layout extras -y")
    own = {"uv sync --extra cpu": "cpu", "uv sync --extra cu132": "cu132", "uv sync": None}
    assert own.items() <= rows(demo).items()
    for member in "ab":
        theirs = {
            f"uv sync --package {member}": None,
            f"uv sync --package {member} --extra cpu": "cpu",
            f"uv sync --package {member} --extra cu132": "cu132",
        }
        assert rows(demo, member) == theirs
        assert theirs.items() <= rows(demo).items()


def test_a_member_is_not_changed_alone(tmp_path: Path) -> None:
    for number, layout in enumerate(LAYOUTS.values()):
        folder = tmp_path / str(number)
        folder.mkdir()
        demo = start(folder, "two members")
        demo.init(f"{TARGETS} {layout} -y")
        written = texts(demo.folder)
        for command in ("add-target linux-cu126", "remove-target linux-cpu", f"init {TARGETS}"):
            result = demo(f"{command} --project a -y")
            assert (result.status, texts(demo.folder)) == (2, written), command
            assert "run the command in the workspace root" in result.err


@pytest.mark.parametrize("kind", ["two members", "a root without a project"])
def test_one_build_that_is_left_can_be_joined_again(kind: str, tmp_path: Path) -> None:
    demo = start(tmp_path, kind)
    demo.init(f"{TARGETS} --layout extras -y")
    assert demo("remove-target linux-cpu -y").status == 0
    left = texts(demo.folder)
    assert "conflicts" not in demo.uv
    assert demo("init -y").status == 0
    assert texts(demo.folder) == left
    assert demo("add-target linux-cu126 -y").status == 0
    assert "cu126" in texts(demo.folder)["b/pyproject.toml"]


def test_other_builds_of_a_member_are_refused(tmp_path: Path) -> None:
    demo = start(tmp_path, "two members")
    assert demo("init -t linux-cu126 -t linux-cpu --layout extras --project a").status == 0
    before = texts(demo.folder)
    result = demo(f"init {TARGETS} --layout extras")
    assert (result.status, texts(demo.folder)) == (2, before)
    assert "member `a` has builds of its own" in result.err


def test_a_pin_of_a_member_is_named(tmp_path: Path) -> None:
    root, a, _ = KINDS["two members"]
    demo = workspace(
        tmp_path,
        {
            "pyproject.toml": root + MEMBERS,
            "a/pyproject.toml": a.replace(TORCH, "torch"),
            "b/pyproject.toml": project("b", "torch==2.11.0"),
        },
    )
    before = texts(demo.folder)
    result = demo(f"init {TARGETS} --layout extras -y")
    assert (result.status, texts(demo.folder)) == (2, before)
    assert "`torch==2.11.0` excludes `linux-cu132`" in result.err
    assert str(Path("b", "pyproject.toml")) in result.err


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    names = [f"m{number}" for number in range(14)]
    files = {f"{name}/pyproject.toml": project(name, TORCH) for name in names}
    listed = '\n[tool.uv.workspace]\nmembers = ["m*"]\n'
    demo = workspace(tmp_path, {"pyproject.toml": project("root") + listed, **files})
    before = texts(demo.folder)
    result = demo(f"init {TARGETS} --layout extras -y")
    assert (result.status, texts(demo.folder)) == (2, before)
    assert "32,767 combinations" in result.err
    assert demo(f"init {TARGETS} -y").status == 0, "the root alone can hold them"


@pytest.mark.parametrize("kind", ["two members", "all", "a root without a project"])
def test_other_commands_read_the_builds_at_the_root(kind: str, tmp_path: Path) -> None:
    demo = start(tmp_path, kind)
    demo.init(f"{TARGETS} --layout extras -y")
    assert {
        "uv sync": None,
        "uv sync --extra cpu": "cpu",
        "uv sync --extra cu132": "cu132",
    }.items() <= rows(demo).items()
    matrix = demo("show --matrix").json["include"]
    assert [(one["target"], one["flags"]) for one in matrix] == [
        ("linux-cu132", "--extra cu132"),
        ("linux-cpu", "--extra cpu"),
        ("macos-cpu", "--extra cpu"),
    ]
    assert demo("sync linux-cu132 --dry-run").out.endswith(" sync --extra cu132\n")
    explained = demo("explain linux-cu132 --format json").json["explanations"]
    assert [one["command"] for one in explained] == ["uv sync --extra cu132"]
    # Without a list, the tables say the same.
    demo.path.write_text(demo.text.partition("\n[tool.torchconf]")[0], "utf-8")
    there = {one["target"] for one in demo("show --matrix").json["include"]}
    assert there >= {"linux-cpu", "linux-cu132"}
    assert demo("add-target linux-cu126 --record -y").status == 0
    listed = demo.data["tool"]["torchconf"]["targets"]
    assert set(listed) >= {"linux-cu132", "linux-cpu", "linux-cu126"}


def old_workspace(parent: Path, kind: str, flags: str) -> Demo:
    """Start with builds of an older torch."""
    old = "torch>=2.11,<2.12"
    root, a, b = (text.replace(TORCH, old) for text in KINDS[kind])
    demo = workspace(
        parent, {"pyproject.toml": root + MEMBERS, "a/pyproject.toml": a, "b/pyproject.toml": b}
    )
    demo.init(f"-t linux-cu130 -t linux-cpu -t macos-cpu --torch '{old[5:]}' {flags} -y")
    return demo


UPGRADES = ("", "--torch 2.12", "--all --rename", "--torch 2.8 --backend cu130=cu126 --rename")


def upgrades() -> list[tuple[str, str, str]]:
    every_kind = itertools.product(KINDS, LAYOUTS, UPGRADES)
    return [case for case in every_kind if case[1] == "extras" or KINDS[case[0]][0]]


@pytest.mark.parametrize("case", every(upgrades(), 79))
def test_upgrade_moves_all_files_together(
    case: tuple[str, str, str], tmp_path: Path, inside_replica: Replica
) -> None:
    kind, layout, flags = case
    demo = old_workspace(tmp_path, kind, LAYOUTS[layout])
    result = demo(f"upgrade {flags} -y")
    assert result.status == 0, result.err
    after = texts(demo.folder)
    assert not any("2.11" in text for text in after.values())
    assert demo("init -y").status == 0
    assert texts(demo.folder) == after
    inside_replica.lock(demo.folder)
    assert demo("check . --strict --ignore TC411,TC111 --format json").json["findings"] == []
    for where in (".", "a", "b"):
        verified = demo(f"verify --frozen --python 3.12 --project {where}")
        assert verified.status == 0, verified.out + verified.err


def test_upgrade_counts_what_is_locked_from_the_indexes_of_members(
    tmp_path: Path, inside_replica: Replica
) -> None:
    demo = old_workspace(tmp_path, "two members", "--layout extras")
    for path in demo.folder.rglob("pyproject.toml"):
        path.write_text(path.read_text("utf-8").replace(">=2.11,<2.12", ">=2.11"), "utf-8")
    inside_replica.lock(demo.folder)
    assert "no changes needed" in demo("upgrade --torch '>=2.11' -y").err
    for path in demo.folder.rglob("pyproject.toml"):
        path.write_text(path.read_text("utf-8").replace(">=2.11", "==2.11.0"), "utf-8")
    inside_replica.lock(demo.folder)
    assert "run `uv lock --upgrade-package torch`" in demo("upgrade -y").err


def test_upgrade_writes_no_list_of_targets(tmp_path: Path) -> None:
    """Not even where another machine of Linux is to get its CPU build by itself."""
    for number, layout in enumerate(LAYOUTS.values()):
        folder = tmp_path / str(number)
        folder.mkdir()
        demo = old_workspace(folder, "two members", layout)
        demo.path.write_text(demo.text.partition("\n[tool.torchconf]")[0], "utf-8")
        result = demo("upgrade --torch 2.8 --backend cu130=cu126 -y")
        assert result.status == 0, result.err
        assert "linux-aarch64 gets CPU" in result.err
        for member in "ab":
            text = (demo.folder / member / "pyproject.toml").read_text("utf-8")
            assert "platform_machine == 'x86_64'" in text
        assert not any("torchconf" in text for text in texts(demo.folder).values())


def test_upgrade_of_one_member_is_refused(tmp_path: Path) -> None:
    for number, layout in enumerate(LAYOUTS.values()):
        folder = tmp_path / str(number)
        folder.mkdir()
        demo = old_workspace(folder, "two members", layout)
        before = texts(demo.folder)
        result = demo("upgrade --project b -y")
        assert (result.status, texts(demo.folder)) == (2, before)
        assert "run the command in the workspace root" in result.err


@pytest.mark.parametrize(
    "case",
    every(itertools.product([kind for kind in KINDS if KINDS[kind][0]], LAYOUTS, LAYOUTS), 61),
)
def test_a_change_of_layout_keeps_every_package(
    case: tuple[str, str, str], tmp_path: Path, inside_replica: Replica
) -> None:
    kind, first, second = case
    demo = start(tmp_path, kind)
    groups = {"extras": "--layout groups", "machine": LAYOUTS["machine"]}
    demo.init(f"{TARGETS} {groups[first] if first != second else LAYOUTS[first]} -y")
    flags = f"{TARGETS} --layout {'extras' if second == 'extras' else 'groups --default machine'}"
    demo.init(f"{flags} -y")
    written = texts(demo.folder)
    demo.init(f"{flags} -y")
    assert texts(demo.folder) == written
    inside_replica.lock(demo.folder)
    assert demo("check . --strict --ignore TC411,TC111 --format json").json["findings"] == []
    for where in (".", "a", "b"):
        verified = demo(f"verify --frozen --python 3.12 --project {where}")
        assert verified.status == 0, verified.out + verified.err
    if "companion" in kind:
        table = demo("show --project a --format json").json["routes"]
        assert {one["package"] for one in table} == {"torch", "torchvision"}


@pytest.mark.parametrize("flags", ["--layout groups", "--layout markers --force"])
def test_members_are_not_left_with_their_extras(flags: str, tmp_path: Path) -> None:
    demo = start(tmp_path, "two members")
    demo.init(f"{TARGETS} --layout extras -y")
    before = texts(demo.folder)
    result = demo(f"init -t linux-cu132 -t macos-cpu {flags} -y")
    assert (result.status, texts(demo.folder)) == (2, before)
    assert "have extras of their own" in result.err


def test_pypi_in_an_extra_is_read_back_from_the_conflicts_of_the_root(tmp_path: Path) -> None:
    demo = start(tmp_path, "one through the other")
    flags = "-t linux-cpu -t linux-pypi -t windows-pypi -t macos-pypi --layout extras -y"
    demo.init(flags)
    written = texts(demo.folder)
    assert '"pypi"' not in written["a/pyproject.toml"].partition("[tool.uv.sources]")[2]
    demo.init(flags)
    assert texts(demo.folder) == written
    assert demo("add-target linux-cu126 -y").status == 0
    assert demo("remove-target linux-cu126 -y").status == 0
    assert texts(demo.folder) == written


@pytest.mark.usefixtures("inside_replica")
def test_a_failing_lock_restores_all_files(tmp_path: Path) -> None:
    root, a, _ = KINDS["two members"]
    files = {"pyproject.toml": root + MEMBERS, "a/pyproject.toml": a}
    files["b/pyproject.toml"] = project("b", TORCH, "no-such-package")
    demo = workspace(tmp_path, files)
    for layout in LAYOUTS.values():
        assert demo(f"init {TARGETS} {layout} --lock -y").status == 2
        assert texts(demo.folder) == files


def test_another_platform_or_extra_of_one_member_cuts_the_environments(
    tmp_path: Path, inside_replica: Replica
) -> None:
    """Otherwise the extra of one would set its index on all platforms, and uv refuses to lock."""
    linux = f"{TORCH} ; sys_platform == 'linux'"
    train = f'\n[project.optional-dependencies]\ntrain = ["{TORCH}"]\n'
    for number, b in enumerate((project("b", linux), project("b", TORCH) + train)):
        folder = tmp_path / str(number)
        folder.mkdir()
        root, a, _ = KINDS["two members"]
        files = {"pyproject.toml": root + MEMBERS, "a/pyproject.toml": a, "b/pyproject.toml": b}
        demo = workspace(folder, files)
        flags = "-t linux-cu132 -t linux-cpu --layout extras -y"
        demo.init(flags)
        assert len(demo.uv["environments"]) == 3
        written = texts(demo.folder)
        demo.init(flags)
        assert texts(demo.folder) == written
        inside_replica.lock(demo.folder)
        assert demo("add-target linux-rocm7.1 -y").status == 0
        assert len(demo.uv["environments"]) == 4
        inside_replica.lock(demo.folder)
        assert demo("remove-target linux-rocm7.1 -y").status == 0
        assert texts(demo.folder) == written


def test_upgrade_goes_where_the_companion_of_one_member_can_go(tmp_path: Path) -> None:
    """The index of CUDA 13.2 has no torchaudio, which the root does not need."""
    root, a, _ = KINDS["all"]
    files = {"pyproject.toml": root + MEMBERS, "a/pyproject.toml": a}
    files["b/pyproject.toml"] = project("b", TORCH, "torchaudio")
    demo = workspace(tmp_path, files)
    demo.init("-t linux-cu130 -t linux-cpu -t macos-cpu --layout extras -y")
    assert demo("upgrade --all --rename -y").status == 0
    assert "cu132" not in demo.text
