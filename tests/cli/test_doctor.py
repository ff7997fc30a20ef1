"""`torchconf doctor`: what it says of machine, project and environment, and how it leaves."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

import torchconf.machine
from tests.support.few import few
from tests.support.projects import THREE_SYSTEMS, WHL, Demo
from tests.support.recorded_machines import MACHINES, program, record
from tests.support.replica import Replica
from tests.support.schemas import mistakes
from torchconf.catalog import load_catalog
from torchconf.cli.doctor import Report
from torchconf.cli.doctor_text import Line, report_lines, write_lines
from torchconf.machine import Gpu, ProbeResults, fits, read_machine, spoken_gpu
from torchconf.machine.installed import TorchReport, ask_torch, environment_folder, read_environment

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="the Python is a shell script")
HERE = torchconf.machine.this_machine().platform
LIKE_RECORDED = pytest.mark.skipif(
    HERE is None or HERE.key != "linux-x86_64", reason="the recorded machine is another one"
)
SEES = {"version": "2.13.0", "cuda": "13.0", "hip": None, "available": ["cuda"], "devices": ["A"]}
LOCK = """\
version = 1

[[package]]
name = "torch"
version = "2.13.0"
source = {{ registry = "{whl}/cpu" }}
resolution-markers = ["sys_platform == 'darwin'"]
wheels = [
    {{ url = "{whl}/cpu/torch-2.13.0-cp312-cp312-macosx_11_0_arm64.whl", hash = "sha256:1" }},
]

[[package]]
name = "torch"
version = "2.13.0+cpu"
source = {{ registry = "{whl}/cpu" }}
wheels = [
    {{ url = "{whl}/cpu/torch-2.13.0%2Bcpu-cp312-cp312-manylinux_2_28_x86_64.whl" }},
    {{ url = "{whl}/cpu/torch-2.13.0%2Bcpu-cp312-cp312-win_amd64.whl" }},
]

[[package]]
name = "torch"
version = "2.13.0+cu130"
source = {{ registry = "{whl}/cu130" }}
wheels = [
    {{ url = "{whl}/cu130/torch-2.13.0%2Bcu130-cp312-cp312-manylinux_2_28_x86_64.whl" }},
]
"""

On = Callable[[str], None]


@pytest.fixture
def empty(tmp_path: Path) -> Demo:
    return Demo(tmp_path)


@pytest.fixture(autouse=True)
def on(monkeypatch: pytest.MonkeyPatch) -> On:
    """Put the command on a recorded machine; without a call, on one without a GPU."""

    def put(name: str) -> None:
        machine = read_machine(record(name)[0])
        monkeypatch.setattr(torchconf.machine, "this_machine", lambda: machine)

    monkeypatch.delenv("UV_PROJECT_ENVIRONMENT", raising=False)
    put("no-gpu")
    return put


def install(
    folder: Path, *packages: str, python: str = f"echo 'torchconf:{json.dumps(SEES)}'"
) -> None:
    """Make an environment whose files say that some packages are installed: `torch 2.13.0+cpu`."""
    site = folder / ".venv" / "lib" / "python3.12" / "site-packages"
    site.mkdir(parents=True, exist_ok=True)
    (folder / ".venv" / "pyvenv.cfg").write_text("home = /usr\nversion_info = 3.12.4\n")
    for package in packages:
        name, version = package.split()
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n")
    program(folder / ".venv" / "bin" / "python", python)


def lock(demo: Demo) -> None:
    (demo.folder / "uv.lock").write_text(LOCK.format(whl=WHL), encoding="utf-8")


def report(demo: Demo, status: int = 0) -> dict[str, Any]:
    """Return the JSON of the command."""
    result = demo("doctor --format json")
    assert (result.status, result.err) == (status, "")
    assert mistakes("doctor", result.json) == []
    return dict(result.json)


# Without this, without that.


def test_without_a_project_the_machine_is_told(empty: Demo) -> None:
    result = empty("doctor")
    assert (result.status, result.err) == (0, "")
    assert result.out.splitlines() == [
        "machine       Linux x86_64, glibc 2.39",
        "fits          linux-cpu  needs no GPU",
        "does not fit  linux-cu132, linux-cu130, linux-cu126: no NVIDIA GPU found",
        "              linux-rocm7.14, linux-rocm7.2: no AMD GPU found",
        "              linux-xpu: no Intel GPU found",
        (
            "variants      the build without GPU support (no NVIDIA driver was found); "
            "for `uv pip` only, see `torchconf explain variants`"
        ),
        "environment   none",
    ]


def test_json_has_the_keys_of_the_design(empty: Demo) -> None:
    data = report(empty)
    assert list(data) == [
        "schema_version", "machine", "fits", "environment", "sync", "preinstalled", "variants",
    ]  # fmt: skip
    assert data["schema_version"] == 1
    assert data["machine"]["platform"] == "linux-x86_64"
    assert data["fits"][0] == {"target": "linux-cpu", "fits": True, "reason": "needs no GPU"}
    assert data["environment"] is None


def test_without_an_environment_the_command_that_fits_best_is_named(empty: Demo, on: On) -> None:
    empty.init(THREE_SYSTEMS)
    alone = "needs no GPU; nothing else fits (linux-cu130: no NVIDIA GPU found)"
    assert empty("doctor").out.splitlines()[-6:] == [
        "environment   none",
        "project       cpu with `uv sync --extra cpu`",
        "              cu130 with `uv sync --extra cu130`",
        f"sync takes    linux-cpu: {alone}",
        "note          torch is not installed",
        "run           uv sync --extra cpu",
    ]
    on("nvidia-blackwell")
    assert empty("doctor").out.splitlines()[-1].split() == [
        "run", "uv", "sync", "--extra", "cu130",
    ]  # fmt: skip


def test_environment_without_a_project_is_told(empty: Demo) -> None:
    install(empty.folder, "torch 2.13.0+cpu")
    data = report(empty)["environment"]
    assert (data["python"], data["packages"]) == ("3.12.4", {"torch": "2.13.0+cpu"})
    assert (data["matches"], data["wanted"]) == (None, [])


def test_project_without_torch_is_nothing_to_compare(tmp_path: Path) -> None:
    demo = Demo.of(tmp_path, "bare")
    assert demo("doctor").status == 0
    install(demo.folder, "torch 2.13.0+cpu")
    assert report(demo)["environment"]["matches"] is None


def test_uv_is_not_needed(empty: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    empty.init(THREE_SYSTEMS)
    monkeypatch.setenv("PATH", "")
    assert empty("doctor").status == 0


def test_folder_that_is_not_there_is_an_error(empty: Demo) -> None:
    result = empty("doctor --project nowhere")
    assert result.status == 2
    assert "no such folder" in result.err


def test_project_that_can_not_be_read_is_an_error(tmp_path: Path) -> None:
    demo = Demo(tmp_path, "[project\n")
    result = demo("doctor --format json")
    assert result.status == 2
    assert result.json["error"]["at"].startswith("pyproject.toml")


def test_environment_is_where_uv_is_told_to_keep_it(
    empty: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty.init(THREE_SYSTEMS)
    install(empty.folder / "elsewhere", "torch 2.13.0+cpu")
    assert report(empty)["environment"] is None
    monkeypatch.setenv("UV_PROJECT_ENVIRONMENT", "elsewhere/.venv")
    assert report(empty)["environment"]["matches"] is True
    assert environment_folder("a", {}) == str(Path("a", ".venv"))


# Is it the one?


@pytest.mark.parametrize(
    ("flags", "installed", "matches", "status"),
    [
        (THREE_SYSTEMS, "torch 2.13.0+cpu", True, 0),
        (THREE_SYSTEMS, "torch 2.13.0+cu126", False, 1),
        (THREE_SYSTEMS, "torch 2.13.0", False, 1),
        (THREE_SYSTEMS, "torch 2.13.0+gitabc123", None, 0),
        (THREE_SYSTEMS, "torch 2.13.0+cpu.cxx11.abi", True, 0),
        ("-t linux-cpu -t macos-cpu", "torch 2.13.0", False, 1),
        ("-t linux-cpu -t macos-cpu", "torch 2.13.0+cpu", True, 0),
        ("-t windows-cuda", "torch 2.13.0", True, 0),
        ("-t windows-cuda", "torch 2.13.0+cpu", False, 1),
        ("-t linux-cu130", "torch 2.13.0+cu130", True, 0),
        ("-t linux-rocm7.2", "torch 2.13.0+rocm7.2", True, 0),
    ],
)
def test_installed_build_is_compared_with_the_targets(
    flags: str, installed: str, matches: bool | None, status: int, empty: Demo
) -> None:
    empty.init(flags)
    install(empty.folder, installed)
    data = report(empty, status)["environment"]
    assert data["matches"] is matches, data["reason"]
    assert data["reason"] or matches


def test_wrong_build_is_told_with_the_command(empty: Demo, on: On) -> None:
    on("nvidia-blackwell")
    empty.init("-t linux-cu130 -t macos-cpu")
    install(empty.folder, "torch 2.13.0+cpu")
    result = empty("doctor")
    only = "the only target for linux-x86_64; driver 580.65.06, Blackwell 12.0"
    assert result.status == 1
    assert result.out.splitlines()[-4:] == [
        "project       cu130 with `uv sync`",
        f"sync takes    linux-cu130: {only}",
        "wrong         2.13.0+cpu is the cpu build; the project asks for cu130 on linux-x86_64",
        "run           uv sync",
    ]


def test_macos_wheels_have_no_label(empty: Demo, on: On) -> None:
    on("apple-silicon")
    empty.init(THREE_SYSTEMS)
    install(empty.folder, "torch 2.13.0")
    data = report(empty)["environment"]
    assert (data["matches"], data["backend"]) == (True, "cpu")
    lock(empty)
    assert report(empty)["environment"]["locked"] == ["2.13.0"]


def test_version_without_a_label_is_pypis_though_the_lockfile_has_it_for_macos(empty: Demo) -> None:
    empty.init(THREE_SYSTEMS)
    lock(empty)
    install(empty.folder, "torch 2.13.0")
    data = report(empty, 1)["environment"]
    assert (data["backend"], data["locked"]) == ("pypi", ["2.13.0+cpu", "2.13.0+cu130"])


def test_release_is_compared_with_the_lockfile(empty: Demo, on: On) -> None:
    on("nvidia-blackwell")
    empty.init(THREE_SYSTEMS)
    lock(empty)
    install(empty.folder, "torch 2.12.1+cu130")
    data = report(empty, 1)["environment"]
    assert data["reason"] == "torch 2.12.1+cu130 is installed, but uv.lock has 2.13.0+cu130"
    assert data["command"] == "uv sync --extra cu130"


def test_lockfile_without_the_build_is_stale(empty: Demo, on: On) -> None:
    on("nvidia-pascal")
    empty.init("-t linux-cu126")
    lock(empty)
    install(empty.folder, "torch 2.13.0+cu126")
    data = report(empty)["environment"]
    assert data["reason"] == "uv.lock has no cu126 build yet"
    assert data["command"] == "uv sync"


def test_lockfile_of_one_build_alone_is_no_contradiction(empty: Demo) -> None:
    empty.init(THREE_SYSTEMS)
    (empty.folder / "uv.lock").write_bytes(b"\xff\xfe no text")
    install(empty.folder, "torch 2.13.0+cpu")
    assert report(empty)["environment"]["matches"] is True


def test_better_build_is_named(empty: Demo, on: On) -> None:
    on("nvidia-blackwell")
    empty.init(THREE_SYSTEMS)
    install(empty.folder, "torch 2.13.0+cpu")
    data = report(empty)["environment"]
    assert data["matches"] is True
    assert data["reason"] == "this machine also fits cu130: run `uv sync --extra cu130`"


def test_build_that_is_not_the_best_is_all_right_and_has_a_hint(empty: Demo, on: On) -> None:
    on("nvidia-blackwell")
    empty.init(THREE_SYSTEMS)
    install(empty.folder, "torch 2.13.0+cpu")
    assert empty("doctor").out.splitlines()[-2:] == [
        "ok            the installed build matches the project",
        "hint          this machine also fits cu130: run `uv sync --extra cu130`",
    ]


@pytest.mark.parametrize(
    ("machine", "targets", "installed", "hint"),
    [
        (
            "nvidia-blackwell", "-t linux-cpu -t macos-cpu", "2.13.0+cpu",
            "this machine also fits cu132: run `torchconf add-target linux-cu132`",
        ),
        ("nvidia-blackwell", "-t linux-cu130 -t macos-cpu", "2.13.0+cu130", None),
        ("no-gpu", "-t linux-cpu -t macos-cpu", "2.13.0+cpu", None),
        ("jetson-orin", "-t linux-aarch64-cpu", "2.13.0+cpu",
         ("this machine also fits jetson-cu126: run `torchconf add-target "
          "linux-aarch64-jetson-cu126 --layout extras`")),
    ],
)  # fmt: skip
def test_hint_names_what_the_project_lacks_only_where_a_gpu_is_idle(
    machine: str, targets: str, installed: str, hint: str | None, empty: Demo, on: On
) -> None:
    on(machine)
    empty.init(targets)
    install(empty.folder, f"torch {installed}")
    data = report(empty)["environment"]
    assert (data["matches"], data["reason"]) == (True, hint)


@pytest.mark.parametrize(
    ("machine", "targets", "command"),
    [
        # A target of the project fits, though it is not the first one.
        ("no-gpu", "-t linux-cu130 -t linux-cpu", "uv sync --extra cpu"),
        ("nvidia-pascal", "-t linux-cu130 -t linux-cu126 -t linux-cpu", "uv sync --extra cu126"),
        # None fits, so that another one must be added.
        ("no-gpu", "-t linux-cu130", "torchconf add-target linux-cpu --layout extras"),
        ("no-gpu", "-t linux-pypi", "torchconf add-target linux-cpu"),
        ("rocm", "-t linux-cu130", "torchconf add-target linux-rocm7.2 --layout extras"),
        ("no-gpu", "-t linux-cu130 -t linux-cu126", "torchconf add-target linux-cpu"),
        ("jetson-orin", "-t linux-aarch64-cu130",
         "torchconf add-target linux-aarch64-jetson-cu126 --layout extras"),
        # There is no build for any GPU, nor for the processor.
        ("musl", "-t linux-cu130", None),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "installed",
    few([None, "torch 2.13.0+cu130", "torch 2.13.0+cu126"], {"torch 2.13.0+cu130"}.__contains__),
)
def test_build_that_was_called_unfit_is_never_recommended(
    machine: str, targets: str, command: str | None, installed: str | None, empty: Demo, on: On
) -> None:
    on(machine)
    empty.init(targets)
    if installed is not None:
        install(empty.folder, installed)
    lines = empty("doctor").out.splitlines()
    shown = [line.partition("  ")[2].strip() for line in lines if line.startswith("run ")]
    told = [line.partition("; run `")[2].rstrip("`") for line in lines if "; run `" in line]
    if installed is None or "matches the project" not in "".join(lines):
        assert next(iter(shown or told), None) == command
    if command is not None and command.startswith("torchconf"):
        words = command.removeprefix("torchconf ")
        assert empty(words).status == 0, "the command that is recommended works"


@pytest.mark.parametrize(
    ("machine", "targets", "installed", "matches"),
    [
        ("amd-on-windows", "-t windows-rocm -t linux-cuda", "2.13.0+rocm10.0.0", True),
        ("amd-on-windows", "-t windows-rocm -t linux-cuda", "2.13.0+cpu", False),
        ("amd-on-windows", "-t windows-rocm -t linux-cuda", "2.13.0+cu132", False),
        ("jetson-orin", "-t linux-aarch64-jetson-cu126 -t linux-cuda", "2.10.0", True),
        ("jetson-orin", "-t linux-aarch64-jetson-cu126 -t linux-cuda", "2.10.0+cpu", False),
    ],
)
def test_a_build_of_others_is_told_by_what_is_inside(
    machine: str, targets: str, installed: str, matches: bool, empty: Demo, on: On
) -> None:
    """They are labelled by their CUDA or ROCm, or not at all."""
    on(machine)
    empty.init(f"{targets} --python 3.10")
    install(empty.folder, f"torch {installed}")
    assert empty("doctor --format json").json["environment"]["matches"] is matches


def test_build_that_does_not_fit_is_told(empty: Demo) -> None:
    empty.init(THREE_SYSTEMS)
    install(empty.folder, "torch 2.13.0+cu130")
    data = report(empty)["environment"]
    assert data["matches"] is True
    assert data["reason"] == ("cu130 does not run on this machine: no NVIDIA GPU found")
    assert data["command"] == "uv sync --extra cpu"
    assert empty("doctor").out.splitlines()[-1] == "run           uv sync --extra cpu"


def test_companion_of_another_build_is_wrong(empty: Demo) -> None:
    empty.init(f"{THREE_SYSTEMS} --with torchvision")
    install(empty.folder, "torch 2.13.0+cu130", "torchvision 0.28.0+cpu", "torch-geometric 2.6")
    data = report(empty, 1)["environment"]
    assert data["reason"] == "torchvision 0.28.0+cpu does not match torch 2.13.0+cu130"
    assert data["packages"] == {"torch": "2.13.0+cu130", "torchvision": "0.28.0+cpu"}


def test_index_that_is_no_backend_can_not_be_told(tmp_path: Path) -> None:
    demo = Demo(
        tmp_path,
        '[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.11"\n'
        'dependencies = ["torch"]\n[tool.uv.sources]\ntorch = { index = "own" }\n'
        '[[tool.uv.index]]\nname = "own"\nurl = "https://example.org/wheels"\nexplicit = true\n',
    )
    install(demo.folder, "torch 2.13.0+cpu")
    data = report(demo)["environment"]
    assert data["matches"] is None
    assert "no known backend" in data["reason"]


def test_pypis_build_is_what_a_plain_project_asks_for(tmp_path: Path) -> None:
    demo = Demo.of(tmp_path, "app")
    install(demo.folder, "torch 2.13.0")
    assert report(demo)["environment"]["matches"] is True


# What torch says.


@POSIX
def test_torch_is_asked_what_it_sees(empty: Demo) -> None:
    install(empty.folder, "torch 2.13.0+cu130")
    assert report(empty)["environment"]["sees"] == {
        "cuda": "13.0", "hip": None, "available": ["cuda"], "devices": ["A"], "problem": None,
    }  # fmt: skip
    assert "torch 2.13.0+cu130, detects cuda: A" in empty("doctor").out


@POSIX
@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("echo Traceback >&2; echo 'ImportError: no libcudnn.so.9' >&2; exit 1",
         "ImportError: no libcudnn.so.9"),
        ("exit 127", "Python exited with status 127"),
        ("echo torchconf:nonsense", "Python exited with status 0"),
        ("echo torchconf:[]", "unexpected output"),
        ("kill -SEGV $$", "Python exited with status -11"),
        ("sleep 60", "did not answer within 0.3 s"),
    ],
)  # fmt: skip
def test_torch_that_does_not_answer_is_a_problem(script: str, problem: str, tmp_path: Path) -> None:
    install(tmp_path, "torch 2.13.0", python=script)
    assert ask_torch(str(tmp_path / ".venv"), 0.3 if "sleep" in script else 20) == TorchReport(
        problem=problem
    )


@POSIX
def test_problem_of_torch_is_told_and_no_reason_to_fail(empty: Demo) -> None:
    install(empty.folder, "torch 2.13.0", python="echo 'OSError: libcuda' >&2; exit 1")
    result = empty("doctor")
    assert result.status == 0
    assert "torch 2.13.0, fails to load: OSError: libcuda" in result.out


def test_python_that_is_gone_is_a_problem(tmp_path: Path) -> None:
    install(tmp_path, "torch 2.13.0")
    (tmp_path / ".venv" / "bin" / "python").unlink()
    problem = ask_torch(str(tmp_path / ".venv")).problem
    assert problem is not None
    assert problem.startswith("cannot be started")


def test_torch_is_not_asked_where_it_is_not_installed(empty: Demo) -> None:
    install(empty.folder, "torchmetrics 1.9", python=f"touch {empty.folder}/asked")
    data = report(empty)["environment"]
    assert (data["packages"], data["sees"]) == ({}, None)
    assert not (empty.folder / "asked").exists()


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, None),
        ({"pyvenv.cfg": "version = 3.11.2\n"}, ("3.11.2", {})),
        ({"pyvenv.cfg": ""}, None),
        (
            {"Lib/site-packages/Torch-2.13.0+cpu.dist-info/METADATA": "Version: 2.13.0+cpu\n\nx"},
            (None, {"torch": "2.13.0+cpu"}),
        ),
        ({"lib/python3.12/site-packages/torch-2.dist-info/RECORD": ""}, (None, {})),
        ({"lib/python3.12/site-packages/torch-2.dist-info/METADATA": "\n\nVersion: 3\n"},
         (None, {})),
    ],
)  # fmt: skip
def test_files_of_an_environment(
    files: dict[str, str], expected: tuple[str | None, dict[str, str]] | None, tmp_path: Path
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = read_environment(str(tmp_path), {"torch"})
    assert ((found.python, dict(found.packages)) if found else None) == expected


# How it is printed.


def test_colour_is_for_terminals_or_for_who_asks(empty: Demo) -> None:
    assert "\033[" not in empty("doctor").out
    assert "\033[32mlinux-cpu  needs no GPU\033[0m" in empty("doctor --color always").out


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_lines_are_wrapped_at_a_terminal_and_commands_are_not_broken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    command = "uv sync --no-group cpu --group cu130 --project somewhere-far-away"
    lines = [
        Line("machine", "Linux x86_64, glibc 2.39"),
        Line("hint", "this machine also fits cu130: run `uv sync --extra cu130`", "yellow"),
        Line("hint", "second"),
        Line("run", command),
    ]
    terminal, file = Terminal(), StringIO()
    write_lines(lines, terminal, "never")
    assert terminal.getvalue().splitlines() == [
        "machine  Linux x86_64, glibc 2.39",
        "hint     this machine also fits cu130: run",
        "         `uv sync --extra cu130`",
        "         second",
        f"run      {command}",
    ]
    write_lines(lines, file, "never")
    assert "cu130: run `uv sync --extra cu130`\n" in file.getvalue()


def test_every_machine_is_told_in_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    catalog = load_catalog()
    for path in MACHINES:
        machine = read_machine(record(path.stem)[0])
        report = Report(
            machine=machine,
            fits=fits(machine, catalog),
            environment=None,
            sight=None,
            wanted=None,
            verdict=None,
        )
        terminal = Terminal()
        write_lines(report_lines(report, catalog), terminal, "never")
        assert max(map(len, terminal.getvalue().splitlines())) <= 80, path.stem


@pytest.mark.parametrize(
    ("gpu", "maker", "words"),
    [
        (Gpu("NVIDIA GeForce RTX 5090", "12.0"), "nvidia",
         "NVIDIA GeForce RTX 5090 (Blackwell 12.0)"),
        (Gpu("", None, "10de:2684"), "nvidia", "PCI device 2684"),
        (Gpu("AMD Radeon 8060S Graphics", "gfx1151", "1002:1586"), "amd",
         "AMD Radeon 8060S Graphics (gfx1151)"),
        (Gpu("", "gfx1151", "1002:1586"), "amd", "Radeon 8060S (gfx1151)"),
        (Gpu("", None, "1002:1586"), "amd", "Radeon 8060S"),
        (Gpu("", "gfx1103"), "amd", "gfx1103"),
        (Gpu("Arc B580", "e20b", "8086:e20b"), "intel", "Arc B580 (e20b)"),
        (Gpu("", "e20b", "8086:e20b"), "intel", "Arc B-Series (e20b)"),
        (Gpu("", "3e92", "8086:3e92"), "intel", "PCI device 3e92"),
    ],
)  # fmt: skip
def test_gpu_is_called_as_the_machine_says_else_as_the_catalog_knows(
    gpu: Gpu, maker: str, words: str
) -> None:
    assert spoken_gpu(gpu, maker, load_catalog()) == words


def test_lines_that_ended_stand_where_nothing_else_fits_or_the_project_has_them(
    empty: Demo, on: On
) -> None:
    on("nvidia-old-driver")
    assert "linux-cu118  driver 470.182.03;" in empty("doctor").out
    on("nvidia-blackwell")
    assert "cu128" not in empty("doctor").out
    empty.init("-t linux-cu128")
    assert "linux-cu128" in empty("doctor").out


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "rosetta",
            "note: this Python is x86_64, and torch 2.2.2 is the last release",
        ),
        ("nvidia-two-generations", "note: no build supports all of these GPUs"),
        ("told-nonsense", "note: `UV_CUDA_DRIVER_VERSION` is `newest`"),
        ("another-system", "note: PyTorch publishes no wheels for this machine"),
    ],
)
def test_remarks_stand_on_stderr(name: str, told: str, empty: Demo, on: On) -> None:
    on(name)
    result = empty("doctor")
    assert result.status == 0
    assert told in result.err


def test_strange_machine_is_printed(empty: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = read_machine(ProbeResults())
    monkeypatch.setattr(torchconf.machine, "this_machine", lambda: machine)
    empty.init(THREE_SYSTEMS)
    install(empty.folder, "torch 2.13.0+cu130")
    assert empty("doctor").status == 0
    assert report(empty)["machine"]["platform"] is None


def test_environment_of_a_workspace_is_that_of_its_root(tmp_path: Path) -> None:
    demo = Demo(
        tmp_path,
        '[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.11"\n'
        '[tool.uv.workspace]\nmembers = ["member"]\n',
    )
    (demo.folder / "member").mkdir()
    (demo.folder / "member" / "pyproject.toml").write_text(
        '[project]\nname = "member"\nversion = "1"\nrequires-python = ">=3.11"\n', encoding="utf-8"
    )
    assert demo(f"init --project member {THREE_SYSTEMS}").status == 0
    install(demo.folder, "torch 2.13.0")
    result = demo("doctor --project member --format json")
    assert result.status == 1
    assert result.json["environment"]["command"] == "uv sync --package member --extra cpu"


# With the real uv.


@LIKE_RECORDED
def test_environment_that_uv_made_is_inspected(empty: Demo, replica: Replica) -> None:
    empty.init(THREE_SYSTEMS)
    replica.lock(empty.folder)
    replica.sync(empty.folder, "--extra", "cpu")
    data = report(empty)["environment"]
    assert data["packages"]["torch"] == "2.13.0+cpu"
    assert (data["matches"], data["backend"], data["reason"]) == (True, "cpu", None)
    assert data["locked"] == ["2.13.0+cpu", "2.13.0+cu130"]
    assert data["sees"]["problem"] is None
    replica.sync(empty.folder, "--extra", "cu130")
    data = report(empty)["environment"]
    assert (data["matches"], data["sees"]["cuda"]) == (True, "13.0")
    # Named, for the replica's `UV_PYTHON` is the one that runs the tests.
    python = str(empty.folder / ".venv" / "bin" / "python")
    words = ("pip", "install", "--python", python, "--reinstall", "--no-deps", "torch==2.13.0")
    done = replica.uv(*words, cwd=empty.folder)
    assert done.returncode == 0, done.stderr
    data = report(empty, 1)["environment"]
    assert (data["matches"], data["backend"]) == (False, "pypi")
    assert data["command"] == "uv sync --extra cpu"
    replica.sync(empty.folder, *data["command"].split()[2:])
    assert report(empty)["environment"]["matches"] is True
