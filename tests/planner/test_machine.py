"""`--default machine`: every build is a default group, and each machine leaves the others out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.projects import EXAMPLES, PROJECTS, WHL, Demo
from tests.support.replica import Build, Replica

BUILDS = "-t linux-cpu -t linux-cu126 -t linux-cu130 -t windows-cu130 -t macos-cpu"
EACH = "# Each machine says which build it is: UV_NO_GROUP names the groups of all other builds,"
LIGHT = "-t linux-cpu -t linux-pypi -t macos-cpu"
BARE = (PROJECTS / "bare.toml").read_text(encoding="utf-8")
LIBRARY = (PROJECTS / "library.toml").read_text(encoding="utf-8")


def refusal(demo: Demo, flags: str) -> str:
    before = demo.text
    result = demo(f"init {flags} -y")
    assert result.status == 2
    assert demo.text == before
    return result.err


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (f"{BUILDS} --layout extras", "uv has no default extras"),
        ("-t linux-cpu -t macos-cpu --layout markers", "each platform has one backend"),
        ("-t linux-cu130 -t windows-cu130 --layout groups", "there is nothing for a machine to"),
    ],
)
def test_refusals(tmp_path: Path, flags: str, message: str) -> None:
    assert message in refusal(Demo(tmp_path, BARE), f"{flags} --default machine")


def test_a_script_has_no_groups(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    script = demo.folder / "train.py"
    script.write_text('# /// script\n# dependencies = ["torch"]\n# ///\n')
    result = demo(f"init --script train.py {BUILDS} --default machine -y")
    assert result.status == 2


def test_an_old_uv_is_excluded(tmp_path: Path) -> None:
    """It would ignore the variable; a stricter range stays as it is."""
    for number, (before, after) in enumerate(
        {
            "": ">=0.9.8",
            ">=0.8,<0.13": ">=0.9.8,<0.13",
            ">=0.11": ">=0.11",
            "==0.9.30": "==0.9.30",
            "0.11.33": "0.11.33",
        }.items()
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        line = f'\n[tool.uv]\nrequired-version = "{before}"\n' if before else ""
        demo = Demo(folder, BARE + line)
        demo.init(f"{BUILDS} --default machine -y")
        assert demo.uv["required-version"] == after
    demo = Demo(tmp_path, BARE + '\n[tool.uv]\nrequired-version = "<0.9"\n')
    assert "excludes uv 0.9.8 and newer" in refusal(demo, f"{BUILDS} --default machine")


def test_what_is_written(tmp_path: Path) -> None:
    demo = Demo(tmp_path, BARE)
    result = demo.init(f"{BUILDS} --default machine -y")
    assert demo.uv["default-groups"] == ["dev", "cpu", "cu126", "cu130"]
    groups = [{"group": name} for name in ("cpu", "cu126", "cu130")]
    assert demo.uv["conflicts"] == [groups]
    assert "environments" not in demo.uv
    assert EACH in demo.text.splitlines()
    assert result.commands() == {
        "linux-cpu": ["UV_NO_GROUP=cu126 cu130", "uv", "sync"],
        "linux-cu126": ["UV_NO_GROUP=cpu cu130", "uv", "sync"],
        "linux-cu130": ["UV_NO_GROUP=cpu cu126", "uv", "sync"],
        "windows-cu130": ["UV_NO_GROUP=cpu cu126", "uv", "sync"],
        "macos-cpu": ["UV_NO_GROUP=cu126 cu130", "uv", "sync"],
    }
    assert "`--no-sync`" in result.out
    assert "not in a shell profile" in result.out
    assert "nothing found" in demo("check").err


def test_a_published_library_keeps_torch_and_has_cells(tmp_path: Path) -> None:
    demo = Demo(tmp_path, LIBRARY)
    before = demo.project["dependencies"]
    demo.init(f"{BUILDS} --default machine -y")
    assert demo.project["dependencies"] == before
    assert demo.uv["environments"] == [
        "sys_platform == 'linux'",
        "sys_platform == 'darwin'",
        "sys_platform == 'win32'",
    ]


def test_later_commands_keep_it(tmp_path: Path) -> None:
    """And a second run changes nothing; add and remove give the file back."""
    demo = Demo(tmp_path, BARE)
    demo.init(f"{BUILDS} --default machine -y")
    written = demo.text
    for again in (f"init {BUILDS} --default machine -y", f"init {BUILDS} -y", "init -y"):
        assert demo(again).status == 0
        assert demo.text == written
    added = demo("add-target linux-xpu -y")
    assert "must add `xpu` to its `UV_NO_GROUP`" in added.err
    assert demo.uv["default-groups"] == ["dev", "cpu", "cu126", "cu130", "xpu"]
    assert {"group": "xpu"} in demo.uv["conflicts"][0]
    assert len(demo.uv["conflicts"]) == 1
    assert demo("remove-target linux-xpu -y").status == 0
    assert demo.text == written


def test_one_build_that_is_left_is_the_default(tmp_path: Path) -> None:
    demo = Demo(tmp_path, BARE)
    demo.init("-t linux-cpu -t linux-cu130 --default machine -y")
    result = demo("remove-target linux-cpu -y")
    assert result.status == 0, result.err
    assert demo.uv["default-groups"] == ["dev", "cu130"]
    assert "conflicts" not in demo.uv
    assert result.commands() == {"linux-cu130": ["uv", "sync"]}
    assert "unset it" in result.err


def test_from_one_default_to_the_machine_and_back(tmp_path: Path) -> None:
    demo = Demo(tmp_path, BARE)
    demo.init(f"{BUILDS} --layout groups --default cpu -y")
    assert demo.uv["default-groups"] == ["dev", "cpu"]
    demo.init(f"{BUILDS} --default machine -y")
    assert demo.uv["default-groups"] == ["dev", "cpu", "cu126", "cu130"]
    assert EACH in demo.text.splitlines()
    demo.init(f"{BUILDS} --default cpu -y")
    assert demo.uv["default-groups"] == ["dev", "cpu"]
    demo.init(f"{BUILDS} --default none -y")
    assert demo.uv["default-groups"] == ["dev"]


def test_a_file_written_by_hand_gets_no_comment(tmp_path: Path) -> None:
    """What stands beside `default-groups` is its author's; `check` says what is missing."""
    written = (EXAMPLES / "machine.toml").read_text(encoding="utf-8")
    demo = Demo(tmp_path, re.sub(r"(?m)^(#|required-version).*\n", "", written))
    found = demo("check --select TC307 --format json").json["findings"]
    assert [one["severity"] for one in found] == ["info", "info"]
    assert all("UV_NO_GROUP" in one["message"] for one in found)
    demo.init(f"{BUILDS} --with torchvision --default machine -y")
    assert demo.uv["required-version"] == ">=0.9.8", "older versions install another build"
    assert "#" not in demo.text
    assert len(demo("check --select TC307 --format json").json["findings"]) == 1
    assert "document this in a comment" in demo("check --select TC307").out


def test_show_has_a_row_for_each_machine_and_one_that_uv_refuses(tmp_path: Path) -> None:
    demo = Demo(tmp_path, BARE)
    demo.init(f"{BUILDS} --default machine -y")
    rows = demo("show --format json").json["routes"]
    linux = {r["command"]: r for r in rows if r["platform"] == "linux-x86_64"}
    assert {command: row["backend"] for command, row in linux.items()} == {
        "uv sync": None,
        'UV_NO_GROUP="cu126 cu130" uv sync': "cpu",
        'UV_NO_GROUP="cpu cu130" uv sync': "cu126",
        'UV_NO_GROUP="cpu cu126" uv sync': "cu130",
    }
    assert linux["uv sync"]["reason"].startswith("uv refuses this command where `UV_NO_GROUP` is")
    assert linux['UV_NO_GROUP="cpu cu126" uv sync']["groups"] == ["dev", "cu130"]
    assert f"=> {linux['uv sync']['reason']}\n" in demo("explain linux").out


def test_the_light_shape(tmp_path: Path) -> None:
    """Where PyPI's build is the other one, only machines that want it say anything."""
    demo = Demo(tmp_path, BARE)
    result = demo.init(f"{LIGHT} --default machine -y")
    assert result.commands() == {
        "linux-cpu": ["uv", "sync"],
        "linux-pypi": ["UV_NO_GROUP=cpu", "uv", "sync"],
        "macos-cpu": ["uv", "sync"],
    }
    assert demo.uv["default-groups"] == ["dev", "cpu"]
    assert demo.uv["sources"] == {"torch": [{"index": "pytorch-cpu", "group": "cpu"}]}
    assert "environments" not in demo.uv
    written = demo.text
    for again in (f"init {LIGHT} --default machine -y", "init -y"):
        assert demo(again).status == 0
        assert demo.text == written
    assert "nothing found" in demo("check --ignore TC411").err
    assert demo("add-target linux-cu126 -y").status == 0
    assert demo.uv["default-groups"] == ["dev", "cpu", "cu126", "pypi"]
    assert demo("remove-target linux-cu126 -y").status == 0
    assert demo("check --ignore TC411").status == 0


def test_only_the_cpu_build_is_left_of_the_light_shape(tmp_path: Path) -> None:
    demo = Demo(tmp_path, BARE)
    demo.init(f"{LIGHT} --default machine -y")
    result = demo("remove-target linux-pypi -y")
    assert result.status == 0, result.err
    assert "pypi" not in demo.data["dependency-groups"]
    assert demo.uv["default-groups"] == ["dev", "cpu"]
    assert "conflicts" not in demo.uv
    assert "nothing found" in demo("check --ignore TC411").err


WORKSPACE = BARE + '\n[tool.uv.workspace]\nmembers = ["a", "b"]\n'
MEMBER = """\
[project]
name = "{name}"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = {lines}
"""


def workspace(parent: Path, *lines: str) -> Demo:
    demo = Demo(parent, WORKSPACE)
    for name, line in zip("ab", lines, strict=True):
        (demo.folder / name).mkdir()
        text = MEMBER.format(name=name, lines=line)
        (demo.folder / name / "pyproject.toml").write_text(text)
    return demo


def texts(demo: Demo) -> list[str]:
    return [path.read_text() for path in sorted(demo.folder.rglob("pyproject.toml"))]


def test_one_member_alone_is_refused(tmp_path: Path) -> None:
    demo = workspace(tmp_path, '["torch"]', '["torch"]')
    before = texts(demo)
    result = demo(f"init --project a {BUILDS} --layout groups --default machine -y")
    assert (result.status, texts(demo)) == (2, before)
    assert "belong in the root" in result.err


@pytest.mark.uv
def test_a_member_without_torch_gets_empty_groups(tmp_path: Path, replica: Replica) -> None:
    """Otherwise older versions of uv stop there at the variable."""
    demo = workspace(tmp_path, '["torch>=2.13"]', '["numpy"]')
    flags = "-t linux-cpu -t linux-cu130 --default machine -y"
    demo.init(flags)
    written = texts(demo)
    assert demo(f"init {flags}").status == 0
    assert texts(demo) == written
    assert "cpu = []\ncu130 = []" in written[1]
    assert demo("check . --ignore TC411 --strict --format json").json["findings"] == []
    replica.lock(demo.folder)
    for words in (("--package", "b"), ("--all-packages",)):
        run = replica.uv(
            "sync", "--dry-run", *words, cwd=demo.folder, variables={"UV_NO_GROUP": "cpu"}
        )
        assert run.returncode == 0, run.stderr


@pytest.mark.uv
def test_members_with_the_cpu_build_or_that_of_pypi(tmp_path: Path, replica: Replica) -> None:
    """Every machine says it here: the root has no torch of its own that could be left."""
    demo = workspace(tmp_path, '["torch>=2.13"]', '["torch>=2.13"]')
    demo.init(f"{LIGHT} --default machine -y")
    assert demo.project["dependencies"] == ["numpy"]
    replica.lock(demo.folder)
    for others in ("pypi", "cpu"):
        for words in ((), ("--package", "a"), ("--all-packages",)):
            export = replica.export(demo.folder, *words, variables={"UV_NO_GROUP": others})
            build = export.select("linux-x86_64", "3.12")["torch"]
            assert isinstance(build, Build)
            assert (build.index == f"{WHL}/cpu") == (others == "pypi"), words


@pytest.mark.uv
def test_no_member_of_a_workspace_gets_another_build(tmp_path: Path, replica: Replica) -> None:
    demo = workspace(tmp_path, '["torch>=2.13"]', '["torch>=2.13"]')
    flags = "-t linux-cpu -t linux-cu130 -t linux-rocm7.1 -t macos-cpu --default machine -y"
    demo.init(flags)
    written = texts(demo)
    for again in (f"init {flags}", "init -y"):
        assert demo(again).status == 0
        assert texts(demo) == written
    assert demo("check . --ignore TC411,TC111 --strict --format json").json["findings"] == []
    replica.lock(demo.folder)
    for own, others in {
        "cpu": "cu130 rocm7-1",
        "cu130": "cpu rocm7-1",
        "rocm7.1": "cpu cu130",
    }.items():
        variables = {"UV_NO_GROUP": others}
        for words in ((), ("--package", "a"), ("--package", "b"), ("--all-packages",)):
            export = replica.export(demo.folder, *words, variables=variables)
            build = export.select("linux-x86_64", "3.12")["torch"]
            assert isinstance(build, Build)
            assert (build.index or "").endswith(f"/{own}"), words
        for folder in ("a", "b"):
            export = replica.export(demo.folder / folder, variables=variables)
            build = export.select("linux-x86_64", "3.12")["torch"]
            assert isinstance(build, Build)
            assert (build.index or "").endswith(f"/{own}"), folder
    for folder in (".", "a", "b"):
        plain = replica.uv("sync", "--dry-run", cwd=demo.folder / folder)
        assert plain.returncode == 2
        assert "incompatible with the conflicts" in plain.stderr


@pytest.mark.uv
def test_upgrade_keeps_it(tmp_path: Path, replica: Replica) -> None:
    demo = Demo(tmp_path, BARE)
    demo.init("-t linux-cpu -t linux-cu126 -t macos-cpu --default machine -y")
    result = demo("upgrade --backend cu126=cu130 --rename -y")
    assert result.status == 0, result.err
    assert demo.uv["default-groups"] == ["dev", "cpu", "cu130"]
    assert demo.uv["conflicts"] == [[{"group": "cpu"}, {"group": "cu130"}]]
    assert EACH in demo.text.splitlines()
    replica.lock(demo.folder)


PRODUCT = {
    "two": (BARE, "-t linux-cpu -t linux-cu130 -t windows-cu130 -t macos-cpu"),
    "four": (BARE, f"{BUILDS} -t linux-rocm7.1 -t linux-aarch64-cu130 --with torchvision"),
    "library": (LIBRARY, f"{BUILDS} -t linux-rocm7.1"),
    "light": (BARE, f"{LIGHT} --with torchvision"),
    "transitive": (
        (PROJECTS / "accelerate.toml").read_text(encoding="utf-8"),
        "-t linux-cpu -t linux-cu126 -t linux-cu130 -t macos-cpu",
    ),
}


@pytest.mark.uv
@pytest.mark.parametrize(
    "name",
    [
        "two",
        *(pytest.param(name, marks=pytest.mark.slow) for name in PRODUCT if name != "two"),
    ],
)
def test_every_machine_gets_its_own(name: str, tmp_path: Path, replica: Replica) -> None:
    start, flags = PRODUCT[name]
    demo = Demo(tmp_path, start)
    demo.init(f"{flags} --python >=3.11,<3.14 --default machine -y")
    replica.lock(demo.folder)
    assert replica.uv("lock", "--check", cwd=demo.folder).returncode == 0
    for target in demo("init -y --format json").json["targets"]:
        platform, _, backend = target["target"].rpartition("-")
        chosen = replica.chosen(demo.folder, target["command"]).select(
            {"linux": "linux-x86_64", "windows": "windows-x86_64", "macos": "macos-arm64"}.get(
                platform, platform
            ),
            "3.12",
        )
        build = chosen["torch"]
        assert isinstance(build, Build)
        folder = (build.index or "").rpartition("/")[2]
        assert (folder or "pypi").replace("simple", "pypi") == backend
    plain = replica.uv("sync", "--dry-run", cwd=demo.folder)
    assert (plain.returncode == 0) == (name == "light"), plain.stderr
    if name != "light":
        assert "UV_NO_GROUP" not in plain.stderr, "uv names the variable now: mend the comment"
        assert "incompatible with the conflicts" in plain.stderr


@pytest.mark.uv
@pytest.mark.slow
def test_sync_and_run_follow_the_variable(tmp_path: Path, replica: Replica) -> None:
    """What is installed stays, whatever plain command comes next."""
    demo = Demo(tmp_path, BARE)
    demo.init("-t linux-cpu -t linux-cu126 -t linux-cu130 --python 3.11 --default machine -y")
    for own, others in (("cu130", "cpu cu126"), ("cpu", "cu126 cu130")):
        variables = {"UV_NO_GROUP": others}
        for words in (("sync",), ("run", "python", "-c", "pass"), ("sync", "--locked")):
            run = replica.uv(*words, cwd=demo.folder, variables=variables)
            assert run.returncode == 0, run.stderr
        code = "from importlib.metadata import version; print(version('torch'))"
        run = replica.uv("run", "python", "-c", code, cwd=demo.folder, variables=variables)
        assert run.stdout.strip().endswith(f"+{own}")
    for words in (("sync",), ("run", "python"), ("export",)):
        assert replica.uv(*words, cwd=demo.folder).returncode == 2


@pytest.mark.uv
def test_verify_and_export_choose_for_themselves(
    tmp_path: Path, inside_replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What this machine sets is not what another machine sets."""
    demo = Demo(tmp_path, BARE)
    demo.init("-t linux-cpu -t linux-cu130 -t macos-cpu --python >=3.12 --default machine -y")
    inside_replica.lock(demo.folder)
    monkeypatch.setenv("UV_NO_GROUP", "cu130")
    monkeypatch.setenv("UV_NO_DEFAULT_GROUPS", "1")
    result = demo("verify --frozen --python 3.12 --format json")
    assert result.status == 0, result.out
    found = {
        (one["command"], one["platform"]): one["version"]
        for one in result.json["routes"]
        if one["platform"] in {"linux-x86_64", "macos-arm64"}
    }
    assert found == {
        ("uv sync", "linux-x86_64"): None,
        ("uv sync", "macos-arm64"): None,
        ('UV_NO_GROUP="cu130" uv sync', "linux-x86_64"): "2.13.0+cpu",
        ('UV_NO_GROUP="cu130" uv sync', "macos-arm64"): "2.13.0",
        ('UV_NO_GROUP="cpu" uv sync', "linux-x86_64"): "2.13.0+cu130",
        ('UV_NO_GROUP="cpu" uv sync', "macos-arm64"): "2.13.0",
    }
    assert demo("export --frozen --python 3.12").status == 0
    text = (demo.folder / "requirements/linux-cu130.txt").read_text(encoding="utf-8")
    assert "torch==2.13.0+cu130" in text
