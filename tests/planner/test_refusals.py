"""What cannot be had, or is not clear, is refused: the whole text, status 2, the file untouched.

Tests that real uv cannot have what is refused are in `test_conformance`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.projects import PROJECTS, THREE_SYSTEMS, WHL, Demo, Result
from torchconf.cli import COMMANDS

BARE = (PROJECTS / "bare.toml").read_text(encoding="utf-8")
APP = (PROJECTS / "app.toml").read_text(encoding="utf-8")
LIBRARY = (PROJECTS / "library.toml").read_text(encoding="utf-8")

HEAD = '[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.11"\n'
TORCH = HEAD + 'dependencies = ["torch>=2.4"]\n'


def index(name: str, url: str) -> str:
    return f'\n[[tool.uv.index]]\nname = "{name}"\nurl = "{url}"\nexplicit = true\n'


def sources(entry: str) -> str:
    return f"\n[tool.uv.sources]\ntorch = {entry}\n"


CPU = index("pytorch-cpu", f"{WHL}/cpu")
CU130 = index("pytorch-cu130", f"{WHL}/cu130")
CONFIGURED = HEAD + (
    f'dependencies = ["torch>=2.13.0"]\n{sources("")[:-1]}[\n'
    '    { index = "pytorch-cu130", marker = "sys_platform == \'linux\'" },\n'
    '    { index = "pytorch-cpu", marker = "sys_platform != \'linux\'" },\n'
    f"]\n{CPU}{CU130}"
)


class Refusal(NamedTuple):
    """A request, what it starts from, and the three parts of the error."""

    flags: str
    error: str
    help: str | None
    start: str | None = None
    at: str | None = None

    @property
    def text(self) -> str:
        lines = [f"error: {self.error}"]
        lines += [f"   at: {self.at}"] if self.at else []
        lines += [f" help: {self.help}"] if self.help else []
        return "\n".join(lines) + "\n"


NVIDIAS = (
    "NVIDIA's wheels for Windows on ARM are at `https://pypi.nvidia.com/nvtorch_oot/` "
    "(documented by NVIDIA, not verified): ask for target `windows-arm64-cuda`"
)
ONLY_CUDA = (
    "PyTorch publishes no CUDA build for {}, only for linux-x86_64, linux-aarch64, windows-x86_64"
)
REFRESH = "`torchconf catalog refresh` (extra `torchconf[refresh]`)"
LINUX = "`linux-cpu`, `linux-cuda`, `linux-rocm` or `linux-xpu`"
SPECIFIER = "write `2.13`, `>=2.13` or `>=2.11,<2.14`"
PYTHON = "write `3.12`, which means `>=3.12`, or `>=3.11,<3.14`"
COMPANIONS = (
    "choose from torchvision, torchaudio, torchcodec, torchao, torchtext, xformers, or from what "
    "is built against torch, such as flash-attn; for other packages run `uv add`"
)
URL = "use one such as `https://mirror.example.org/pytorch/{backend}/simple`"
SECRET = (
    "set UV_INDEX_<NAME>_USERNAME and UV_INDEX_<NAME>_PASSWORD for each index, where <NAME> is "
    "the index name in capitals, with `_` for `-` and `.`"
)
MEND = "fix it first, or replace it with `--force`"
PUZZLE = "cannot read the PyTorch configuration: "

TARGETS = {
    "CUDA on macOS": Refusal(
        "-t macos-cuda",
        f"target `macos-cuda` is not available: {ONLY_CUDA.format('macos-arm64')}",
        "available for this platform: `macos-cpu`",
    ),
    "CUDA on Windows on ARM": Refusal(
        "-t windows-arm64-cu130",
        f"target `windows-arm64-cu130` is not available: {ONLY_CUDA.format('windows-arm64')}",
        NVIDIAS,
    ),
    "Jetson": Refusal(
        "-t linux-jetson",
        "target `linux-jetson` is not available: no publisher is known for Jetson's CUDA for "
        "linux-x86_64, only for linux-aarch64",
        f"available for this platform: {LINUX}",
    ),
    "ROCm 7.2 on Windows": Refusal(
        "-t windows-rocm7.2",
        "target `windows-rocm7.2` is not available: PyTorch publishes no ROCm build for "
        "windows-x86_64, only for linux-x86_64",
        "AMD's ROCm wheels for Windows are at `https://repo.amd.com/rocm/whl-multi-arch/` "
        "(documented by AMD, not verified): ask for target `windows-rocm`",
    ),
    "ROCm on ARM": Refusal(
        "-t linux-aarch64-rocm7.2",
        "target `linux-aarch64-rocm7.2` is not available: PyTorch publishes no ROCm build for "
        "linux-aarch64, only for linux-x86_64",
        "available for this platform: `linux-aarch64-cpu`, `linux-aarch64-cuda` or "
        "`linux-aarch64-jetson`",
    ),
    "XPU on macOS": Refusal(
        "-t macos-xpu",
        "target `macos-xpu` is not available: PyTorch publishes no Intel XPU build for "
        "macos-arm64, only for linux-x86_64, windows-x86_64",
        "available for this platform: `macos-cpu`",
    ),
    "MPS on Linux": Refusal(
        "-t linux-mps",
        "target `linux-mps`: `mps` exists on macOS only",
        f"say which build: {LINUX}",
    ),
    "a GPU of no name": Refusal(
        "-t linux-gpu",
        "`gpu` in target `linux-gpu` could mean more than one build",
        f"say which: {LINUX}",
    ),
    "a backend that nobody has seen": Refusal(
        "-t linux-cu999",
        "target `linux-cu999`: the catalog of 2026-11-22 knows no backend `cu999`",
        f"it knows cu132, cu130 or cu126; {REFRESH} fetches newer data",
    ),
    "a ROCm that nobody has seen": Refusal(
        "-t linux-rocm9.9",
        "target `linux-rocm9.9`: the catalog of 2026-11-22 knows no backend `rocm9.9`",
        f"it knows rocm7.14 or rocm7.2; {REFRESH} fetches newer data",
    ),
    "a typo in the system": Refusal(
        "-t linus-cuda", "`linus-cuda` is not a target", "did you mean `linux-cuda`?"
    ),
    "a typo in the backend": Refusal(
        "-t windows-cuad", "`windows-cuad` is not a target", "did you mean `windows-cuda`?"
    ),
    "a system alone": Refusal(
        "-t linux", "target `linux` names no backend", f"say which build: {LINUX}"
    ),
    "a backend alone": Refusal(
        "-t cuda",
        "`cuda` is not a target",
        "a target is PLATFORM-BACKEND, such as `linux-cuda` or `macos-cpu`",
    ),
    "nothing": Refusal(
        "-t ''",
        "`` is not a target",
        "a target is PLATFORM-BACKEND, such as `linux-cuda` or `macos-cpu`",
    ),
    "one that is wrong among others": Refusal(
        "-t linux-cpu -t macos-cuda -t windows-cpu",
        f"target `macos-cuda` is not available: {ONLY_CUDA.format('macos-arm64')}",
        "available for this platform: `macos-cpu`",
        APP,
    ),
    "no target": Refusal(
        "",
        "no target given",
        "name targets with `-t`, as in `-t linux-cuda -t macos-cpu`, or list them in "
        "`[tool.torchconf]`; run `torchconf init --help` for the other options",
    ),
    "a companion for no target": Refusal(
        "--with torchvision",
        "no targets given, and the project has none",
        "name some: `-t linux-cuda -t macos-cpu`",
        BARE,
    ),
}

LAYOUTS = {
    "two backends by markers": Refusal(
        "-t linux-cpu -t linux-cu130 --layout markers",
        "layout `markers` gives each platform one backend, but linux has cpu and cu130",
        "omit one of them, or pass `--layout extras` or `--layout groups`",
    ),
    "a default that could be two builds": Refusal(
        "-t linux-cu126 -t linux-cu130 -t linux-cpu --layout groups --default cuda",
        "`--default cuda` could mean cu126 or cu130",
        "say which: `--default cu130`",
    ),
    "a default extra": Refusal(
        f"{THREE_SYSTEMS} --layout extras --default cpu",
        "`--default` requires the layout `groups`: uv has no default extras",
        "pass `--layout groups`, or omit `--default`",
    ),
    "a default where there is no choice": Refusal(
        "-t linux-cu130 -t macos-cpu --default cu130",
        "`--default` requires the layout `groups`: with `markers` each platform has one backend",
        "pass `--layout groups`, or omit `--default`",
    ),
    "a default that no target has": Refusal(
        f"{THREE_SYSTEMS} --default rocm7.2",
        "`--default rocm7.2` is not a backend of any target",
        "the targets have cpu, cu130",
    ),
    "another layout in passing": Refusal(
        "-t linux-cu130 -t linux-cpu -t macos-cpu",
        "the layout would change from `markers` to `extras`, which changes the install commands",
        "to change it, pass `--layout extras`",
        CONFIGURED,
        "pyproject.toml, tool.uv.sources",
    ),
    "a target that would be lost": Refusal(
        "-t linux-cpu -t macos-cpu",
        "the request leaves out a target of the project: `linux-cu130`, `linux-aarch64-cu130`",
        "add `-t linux-cu130`, or remove it with `--force`",
        CONFIGURED,
        "pyproject.toml, tool.uv.sources",
    ),
}

FLAGS = {
    "a name without a backend": Refusal(
        f"{THREE_SYSTEMS} --name gpu",
        "`--name gpu` is not BACKEND=NAME",
        "write it as in `--name cpu=laptop`",
    ),
    "a name that is empty": Refusal(
        f"{THREE_SYSTEMS} --name cu130=",
        "`--name cu130=` is not BACKEND=NAME",
        "write it as in `--name cpu=laptop`",
    ),
    "a name that no extra can have": Refusal(
        f"{THREE_SYSTEMS} --name cu130=my/gpu",
        "`--name cu130=my/gpu`: `my/gpu` is not a valid name",
        "use letters, digits, `-`, `_` and `.`; start and end with a letter or digit",
    ),
    "a name for another backend": Refusal(
        f"{THREE_SYSTEMS} --name cu126=gpu",
        "`--name cu126=gpu` names a backend that no target uses",
        "the targets have cpu, cu130",
    ),
    "a Python that is none": Refusal(
        "-t linux-cpu --python three",
        "`--python three` is not a version or specifier",
        PYTHON,
    ),
    "a Python with two dots": Refusal(
        "-t linux-cpu --python 3..12", "`--python 3..12` is not a version or specifier", PYTHON
    ),
    "a torch that is none": Refusal(
        "-t linux-cpu --torch latest", "`--torch latest` is not a version or specifier", SPECIFIER
    ),
    "a torch with its name": Refusal(
        "-t linux-cpu --torch 'torch>=2.13'",
        "`--torch torch>=2.13` is not a version or specifier",
        SPECIFIER,
    ),
    "a mirror that is no URL": Refusal(
        "-t linux-cpu --index-base mirror.example.org",
        "`--index-base mirror.example.org` is not a URL",
        URL,
    ),
    "a mirror that uv cannot read": Refusal(
        "-t linux-cpu --index-base ftp://mirror.example.org/whl",
        "`--index-base ftp://mirror.example.org/whl` is not a URL",
        URL,
    ),
    "a mirror with a port that is none": Refusal(
        "-t linux-cpu --index-base 'https://[mirror/whl'",
        "`--index-base https://[mirror/whl` is not a URL",
        URL,
    ),
    "a user and a password": Refusal(
        "-t linux-cpu --index-base https://user:secret@mirror.example.org/whl",
        "`--index-base` must not contain credentials, because pyproject.toml is shared",
        SECRET,
    ),
    "a token": Refusal(
        "-t linux-cpu --index-base https://token@mirror.example.org/{backend}/simple",
        "`--index-base` must not contain credentials, because pyproject.toml is shared",
        SECRET,
    ),
    "an ordinary package": Refusal(
        "-t linux-cpu --with numpy",
        "`numpy` is not a torch companion on the PyTorch indexes",
        COMPANIONS,
    ),
    "a triton, which comes by itself": Refusal(
        "-t linux-rocm7.2 --with triton-rocm",
        "`triton-rocm` is not a torch companion on the PyTorch indexes",
        COMPANIONS,
    ),
    "a typo in a flag": Refusal(
        "--tagret linux-cpu",
        "unexpected argument `--tagret` for `torchconf init`",
        "did you mean `--target`?",
    ),
    "a flag cut short": Refusal(
        "--targ linux-cpu",
        "unexpected argument `--targ` for `torchconf init`",
        "did you mean `--target`?",
    ),
    "a target without its flag": Refusal(
        "linux-cpu",
        "unexpected argument `linux-cpu`",
        "give each target its own flag: `-t linux-cpu`",
    ),
    "a flag without its value": Refusal(
        "-t",
        "argument -t/--target: expected one argument",
        "run `torchconf init --help` for its options",
    ),
    "a folder that is not there": Refusal(
        "-t linux-cpu --project nowhere",
        "no such folder",
        "pass the folder of a `pyproject.toml`",
        at="nowhere",
    ),
}

RELEASES = {
    "a torch that no target has": Refusal(
        "-t linux-cu130 --torch '<2.8'",
        "no torch <2.8 supports `linux-cu130`: torch 2.7.1 has no wheel for linux-cu130",
        "choose torch 2.13.0, or a range that includes it",
    ),
    "a torch that nobody has": Refusal(
        "-t linux-cpu --torch '==2.4.9'",
        "no torch release matches ==2.4.9",
        "the newest releases are 2.15.0, 2.14.1, 2.14.0, 2.13.0",
    ),
    "a torch that is older than all that is known": Refusal(
        "-t linux-cpu --torch 1.0",
        "no torch release matches <1.1,>=1.0",
        "torchconf knows torch from 1.7.1 on; write the sources of an older one by hand",
    ),
    "a torch of the project that the target lacks": Refusal(
        "-t linux-cu130",
        "`torch<2.8` excludes `linux-cu130`: torch 2.7.1 has no wheel for linux-cu130",
        "change the requirement: torch 2.13.0 supports `linux-cu130`",
        TORCH.replace(">=2.4", "<2.8"),
        "pyproject.toml, project.dependencies[0]",
    ),
    "a companion of the project that no such torch fits": Refusal(
        "-t linux-cu130",
        "`torchvision==0.20.1` excludes `linux-cu130`: torchvision 0.20.1 needs torch ==2.5.1",
        "change the requirement: torchvision 0.28.0 fits torch 2.13.0, which supports "
        "`linux-cu130`",
        TORCH.replace('"torch>=2.4"', '"torch>=2.4", "torchvision==0.20.1"'),
        "pyproject.toml, project.dependencies[1]",
    ),
    "a Python of the project that is too old for its torch": Refusal(
        "-t linux-cuda",
        "no torch release supports `linux-cuda` on Python >=3.8: torch 2.13.0 has no wheel on "
        "Python 3.8 for linux-cu132",
        "torch 2.13.0 supports them on Python 3.10 and later: set `requires-python` to `>=3.10`",
        TORCH.replace(">=2.4", ">=2.9").replace("3.11", "3.8"),
        "pyproject.toml, project.requires-python",
    ),
    "a companion that is not there yet for the newest Python": Refusal(
        "-t linux-pypi --torch 2.15 --with torchaudio --with torchcodec",
        "no torch release with torchaudio and torchcodec supports `linux-pypi`: torch 2.15.0 has "
        "no torchcodec 0.17.0 on Python 3.15 for linux-pypi",
        "torch 2.15.0 supports them on Python 3.11 to 3.14: `--python '>=3.11,<3.15'`",
    ),
    "backends that no torch has together": Refusal(
        "-t linux-cu130 -t windows-cu118",
        "no torch release supports `linux-cu130`, `windows-cu118` together",
        "`linux-cu130` has torch 2.9.0 to 2.13.0; `windows-cu118` has torch 2.0.0 to 2.7.1",
    ),
    "an Intel Mac with today's CUDA": Refusal(
        "-t macos-x86_64-cpu -t linux-cu130",
        "no torch release supports `macos-x86_64-cpu`, `linux-cu130` together",
        "`macos-x86_64-cpu` has torch 1.7.1 to 2.2.2; `linux-cu130` has torch 2.9.0 to 2.13.0",
    ),
    "a torch newer than the end of a line": Refusal(
        "-t linux-cu118 --torch '>=99'",
        "target `linux-cu118` is not available with torch >=99: CUDA 11.8 ended with torch 2.7.1",
        "request torch 2.7.1 or older, or another backend",
    ),
    "a Python that is too old for this torch": Refusal(
        "-t linux-cu130 --python '>=3.9'",
        "no torch release supports `linux-cu130` on Python >=3.9: torch 2.13.0 "
        "has no wheel on Python 3.9 for linux-cu130",
        "torch 2.13.0 supports them on Python 3.10 and later: set `requires-python` to `>=3.10`",
    ),
    "a Python of the project that is too old": Refusal(
        "-t linux-cu130 --torch '>=2.13'",
        "no torch release supports `linux-cu130` on Python >=3.9: torch 2.13.0 "
        "has no wheel on Python 3.9 for linux-cu130",
        "torch 2.13.0 supports them on Python 3.10 and later: set `requires-python` to `>=3.10`",
        TORCH.replace("3.11", "3.9"),
    ),
}

PUZZLES = {
    "a source in a repository": Refusal(
        "-t linux-cpu",
        f"{PUZZLE}a `git` source is not an index",
        MEND,
        TORCH + sources('{ git = "https://github.com/pytorch/pytorch" }'),
        "pyproject.toml, tool.uv.sources.torch",
    ),
    "a source in a folder": Refusal(
        "-t linux-cpu",
        f"{PUZZLE}a `path` source is not an index",
        MEND,
        TORCH + sources('[{ index = "pytorch-cpu" }, { path = "../torch" }]') + CPU,
        "pyproject.toml, tool.uv.sources.torch[1]",
    ),
    "an index that is not defined": Refusal(
        "-t linux-cpu",
        f"{PUZZLE}index `nowhere` is not defined",
        MEND,
        TORCH + sources('{ index = "nowhere" }'),
        "pyproject.toml, tool.uv.sources.torch",
    ),
    "an index of nobody knows what": Refusal(
        "-t linux-cpu",
        f"{PUZZLE}no known backend in the URL https://example.org/wheels",
        MEND,
        TORCH + sources('{ index = "ours" }') + index("ours", "https://example.org/wheels"),
        "pyproject.toml, tool.uv.sources.torch",
    ),
    "nightly builds": Refusal(
        "-t linux-cpu",
        f"{PUZZLE}nightly builds are checked but not edited",
        MEND,
        TORCH + sources('{ index = "new" }') + index("new", f"{WHL}/nightly/cpu"),
        "pyproject.toml, tool.uv.sources.torch",
    ),
    "an extra in a marker": Refusal(
        "-t linux-cpu",
        f"{PUZZLE}`extra` has no effect in a source marker",
        MEND,
        TORCH + sources('[{ index = "pytorch-cpu", marker = "extra == \'cpu\'" }]') + CPU,
        "pyproject.toml, tool.uv.sources.torch[0]",
    ),
    "a scope on some sources only": Refusal(
        "-t linux-cpu",
        f"{PUZZLE}the source without `extra` or `group` also applies with extra `cpu`",
        MEND,
        TORCH
        + '\n[project.optional-dependencies]\ncpu = ["torch"]\n'
        + sources('[{ index = "pytorch-cpu", extra = "cpu" }, { index = "pytorch-cu130" }]')
        + CPU
        + CU130,
        "pyproject.toml, tool.uv.sources.torch[1]",
    ),
    "an index name that is taken": Refusal(
        "-t linux-cpu",
        "index name `pytorch-cpu` is taken by https://example.org/simple",
        "rename that index, or correct its URL",
        TORCH + index("pytorch-cpu", "https://example.org/simple"),
        "pyproject.toml, tool.uv.index[0]",
    ),
    "dependencies that a build backend computes": Refusal(
        "-t linux-cpu",
        "`dependencies` is dynamic: the build backend computes it, so it cannot be edited here",
        "pass `--layout groups`, which does not need it",
        HEAD + 'dynamic = ["dependencies"]\n',
        "pyproject.toml, project.dynamic",
    ),
    "extras that a build backend computes": Refusal(
        THREE_SYSTEMS,
        "`optional-dependencies` is dynamic: the build backend computes it, so it cannot be "
        "edited here",
        "pass `--layout groups`, which does not need it",
        HEAD + 'dynamic = ["optional-dependencies"]\n',
        "pyproject.toml, project.dynamic",
    ),
}

UNREADABLE = {
    "text that is no TOML": Refusal(
        "-t linux-cpu",
        "not valid TOML: Expected ']' at the end of a table declaration",
        "uv cannot read it either",
        "[project\n",
        "pyproject.toml, line 1",
    ),
    "a name that is a number": Refusal(
        "-t linux-cpu",
        "expected a string, found a number",
        None,
        "[project]\nname = 3\n",
        "pyproject.toml, project.name",
    ),
}

ALL = TARGETS | LAYOUTS | FLAGS | RELEASES | PUZZLES | UNREADABLE


def untouched(demo: Demo, command: str) -> Result:
    """Run a command that must leave everything as it is."""
    before = {path: path.read_bytes() for path in demo.folder.iterdir() if path.is_file()}
    times = {path: path.stat().st_mtime_ns for path in before}
    result = demo(command)
    assert {path: path.read_bytes() for path in demo.folder.iterdir() if path.is_file()} == before
    assert {path: path.stat().st_mtime_ns for path in before} == times
    return result


@pytest.mark.parametrize("refusal", ALL.values(), ids=ALL)
def test_refusal_says_what_where_and_what_next(refusal: Refusal, tmp_path: Path) -> None:
    demo = Demo(tmp_path, refusal.start)
    result = untouched(demo, f"init {refusal.flags}")
    assert result.err == refusal.text
    assert (result.status, result.out) == (2, "")


@pytest.mark.parametrize("refusal", ALL.values(), ids=ALL)
def test_refusal_does_not_wait_for_the_writing(refusal: Refusal, tmp_path: Path) -> None:
    demo = Demo(tmp_path, refusal.start)
    for flag in ("--dry-run", "--check"):
        # Before the words that may lack a value.
        assert untouched(demo, f"init {flag} {refusal.flags}").status == 2


@pytest.mark.parametrize("refusal", ALL.values(), ids=ALL)
def test_refusal_is_the_same_in_json(refusal: Refusal, tmp_path: Path) -> None:
    demo = Demo(tmp_path, refusal.start)
    result = untouched(demo, f"init --format json {refusal.flags}")
    assert result.json == {
        "schema_version": 1,
        "error": {"message": refusal.error, "at": refusal.at, "help": refusal.help},
    }
    assert (result.status, result.err) == (2, "")


def test_every_refusal_begins_in_lower_case_and_ends_without_a_stop() -> None:
    for name, refusal in ALL.items():
        # A name in backticks keeps its case.
        assert refusal.error[0].islower() or refusal.error[0] == "`", name
        assert not refusal.error.endswith("."), name


# `--force` replaces what is not understood, and nothing else.


@pytest.mark.parametrize(
    "name",
    [
        "a source in a repository",
        "a source in a folder",
        "an index that is not defined",
        "an index of nobody knows what",
        "nightly builds",
        "an extra in a marker",
    ],
)
def test_force_replaces_sources_that_are_not_understood(name: str, tmp_path: Path) -> None:
    demo = Demo(tmp_path, PUZZLES[name].start)
    demo.init(f"{PUZZLES[name].flags} --force")
    source = {"index": "pytorch-cpu"}
    # A source that stood by itself, in no list, still does.
    assert demo.uv["sources"] in ({"torch": source}, {"torch": [source]})
    assert demo.project["dependencies"] == ["torch>=2.4"]


def test_force_takes_a_target_away(tmp_path: Path) -> None:
    demo = Demo(tmp_path, CONFIGURED)
    demo.init("-t linux-cpu -t macos-cpu --force")
    assert demo.uv["sources"] == {"torch": [{"index": "pytorch-cpu"}]}


@pytest.mark.parametrize("name", ["CUDA on macOS", "a torch that no target has", "a token"])
def test_force_does_not_make_the_impossible_possible(name: str, tmp_path: Path) -> None:
    result = untouched(Demo(tmp_path), f"init {ALL[name].flags} --force")
    assert result.err == ALL[name].text


# Files that cannot be read, and words that are no command.


@pytest.mark.skipif(sys.version_info >= (3, 15), reason="this Python reads TOML 1.1")
def test_toml_of_a_newer_version_is_told_from_broken_toml(tmp_path: Path) -> None:
    demo = Demo(
        tmp_path, '[project]\nname = "demo"\nurls = {\n    home = "https://x.example",\n}\n'
    )
    result = untouched(demo, "init -t linux-cpu")
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    first, *rest = result.err.splitlines()
    assert first.startswith(f"error: this is TOML 1.1, and Python {python} reads TOML 1.0: ")
    assert "\n".join(rest) == (
        "   at: pyproject.toml, line 3\n"
        " help: rewrite it as TOML 1.0: inline tables on one line and without a trailing "
        "comma, times with seconds, no `\\e` and no `\\x` in strings"
    )


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    result = untouched(Demo(tmp_path, b'[project]\nname = "d\xe9mo"\n'), "init -t linux-cpu")
    assert result.status == 2
    assert "UTF-8" in result.err
    assert "torchconf failed" not in result.err


@pytest.mark.parametrize(
    ("text", "first", "at"),
    [
        (
            HEAD + 'dependencies = ["numpy", "torch >=> 3"]\n',
            "error: `torch >=> 3` is not a valid requirement: ",
            "project.dependencies[1]",
        ),
        (
            TORCH + sources('[{ index = "pytorch-cpu", marker = "sys_platform = \'x\'" }]') + CPU,
            "error: `sys_platform = 'x'` is not a valid environment marker: ",
            "tool.uv.sources.torch[0].marker",
        ),
        (
            HEAD.replace(">=3.11", "three"),
            "error: `three` is not a valid version specifier",
            "project.requires-python",
        ),
    ],
)
def test_what_packaging_cannot_read_is_refused_with_its_place(
    text: str, first: str, at: str, tmp_path: Path
) -> None:
    result = untouched(Demo(tmp_path, text), "init -t linux-cpu")
    # After the colon stand the words of packaging, which are its own.
    assert result.err.startswith(first)
    assert result.err.endswith(f"\n   at: pyproject.toml, {at}\n")
    assert result.status == 2


def test_folder_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    demo.path.mkdir()
    result = demo("init -t linux-cpu --project .")
    assert result.status == 2
    assert result.err.startswith("error: ")
    assert "torchconf failed" not in result.err
    assert demo.path.is_dir()


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("inti -t linux-cpu", "error: unknown command `inti`\n help: did you mean `init`?\n"),
        ("zzz", f"error: unknown command `zzz`\n help: the commands are {', '.join(COMMANDS)}\n"),
        (
            "show --format xml",
            (
                "error: argument --format/--output-format: invalid choice: 'xml' (choose from {})\n"
                " help: run `torchconf show --help` for its options\n"
            ),
        ),
        (
            "init -t linux-cpu --layout rows",
            (
                "error: argument --layout: invalid choice: 'rows' (choose from {})\n"
                " help: run `torchconf init --help` for its options\n"
            ),
        ),
        (
            "--project",
            (
                "error: argument --project: expected one argument\n"
                " help: run `torchconf --help` for its options\n"
            ),
        ),
        (
            "show",
            (
                "error: no `pyproject.toml` in this folder or above it\n   at: {folder}\n"
                " help: run `torchconf init` to create one, or pass the folder with `--project`\n"
            ),
        ),
    ],
)
def test_words_that_make_no_sense_are_refused_with_a_way_on(
    words: str, text: str, tmp_path: Path
) -> None:
    demo = Demo(tmp_path)
    result = untouched(demo, words)
    # Python 3.12 and later do not quote the choices.
    names = ["text, json, markdown, html, svg", "auto, markers, extras, groups"]
    choices = [*names, *(", ".join(map(repr, each.split(", "))) for each in names)]
    assert result.err in {
        text.replace("{folder}", str(demo.folder)).replace("{}", c) for c in choices
    }
    assert (result.status, result.out) == (2, "")


# What must be refused as well: what was written here, uv would refuse or misread.


@pytest.mark.parametrize(
    "flags",
    [
        f"{THREE_SYSTEMS} --name cpu=fast --name cu130=fast",
        f"{THREE_SYSTEMS} --name cpu=my-gpu --name cu130=My_GPU",
        f"{THREE_SYSTEMS} --name cpu=cu130",
    ],
)
def test_two_backends_cannot_have_one_name(flags: str, tmp_path: Path) -> None:
    assert untouched(Demo(tmp_path), f"init {flags}").status == 2


@pytest.mark.parametrize("defaults", ['["dev", "gpu"]', '"all"'])
def test_build_cannot_have_the_name_of_a_default_group(defaults: str, tmp_path: Path) -> None:
    groups = '\n[dependency-groups]\ndev = ["rich"]\ngpu = ["pandas"]\n'
    text = f"{TORCH}{groups}\n[tool.uv]\ndefault-groups = {defaults}\n"
    demo = Demo(tmp_path, text)
    result = untouched(demo, "init -t linux-cpu -t linux-cu130 --layout groups --name cu130=gpu")
    assert result.status == 2
    assert "`gpu` is a default group" in result.err


@pytest.mark.parametrize(
    "flags",
    [
        "--torch ''",
        "--torch 2.13+cu130",
        "--python ''",
        "--python '>=3.11,<3.11'",
        "--index-base 'https://mirror.example.org/{accelerator}/simple'",
        "--index-base 'https://mirror.example.org/whl?token=secret'",
        "--index-base 'https://'",
    ],
)
def test_value_that_cannot_be_meant_is_refused_as_a_request(flags: str, tmp_path: Path) -> None:
    result = untouched(Demo(tmp_path), f"init -t linux-cpu {flags}")
    assert result.status == 2
    assert flags.split(maxsplit=1)[0] in result.err
    assert "torchconf failed" not in result.err


@pytest.mark.parametrize("kind", ["markers", "groups"])
def test_target_that_the_environments_leave_out_is_refused(kind: str, tmp_path: Path) -> None:
    # The entries a user has are split, never widened; so Windows can not be had as it is.
    environments = "\n[tool.uv]\nenvironments = [\"sys_platform == 'linux'\"]\n"
    flags = "-t linux-cpu -t windows-cpu" + (" -t linux-cu130" if kind == "groups" else "")
    result = untouched(Demo(tmp_path, LIBRARY + environments), f"init {flags}")
    assert result.status == 2
    assert "tool.uv.environments" in result.err


@pytest.mark.parametrize(
    ("start", "flags", "place"),
    [
        (
            TORCH + sources('[{ index = "pytorch-cpu", extra = "cpu", group = "cpu" }]') + CPU,
            "-t linux-cpu",
            "tool.uv.sources.torch[0]",
        ),
        (
            BARE.replace('requires-python = ">=3.11"', 'dynamic = ["requires-python"]'),
            "-t linux-cpu --python 3.12",
            "project.dynamic",
        ),
    ],
    ids=["extra and group in one source", "a dynamic Python"],
)
def test_place_that_cannot_be_routed_or_edited_is_named(
    start: str, flags: str, place: str, tmp_path: Path
) -> None:
    result = untouched(Demo(tmp_path, start), f"init {flags}")
    assert result.status == 2
    assert f"   at: pyproject.toml, {place}\n" in result.err


def test_a_base_pin_that_groups_leave_alone_excludes_another_torch(tmp_path: Path) -> None:
    """With it and the pin for the groups, uv would find no torch at all."""
    table = '[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.12"\n'
    build = '[build-system]\nrequires = ["hatchling"]\n'
    demo = Demo(tmp_path, f'{table}dependencies = ["torch==2.11.0"]\n{build}')
    before = demo.text
    refused = demo("init -y -t linux-cu126 -t linux-cpu --torch 2.12")
    assert (refused.status, demo.text) == (2, before)
    assert "`torch==2.11.0` excludes torch 2.12.1" in refused.err
    demo.init("-t linux-cu126 -t linux-cpu --torch 2.11")


def test_the_build_of_pypi_is_no_target_that_can_be_removed(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    demo.init("-t macos-pypi --layout extras")
    refused = demo("remove-target macos-pypi -y")
    assert refused.status == 2
    assert "`macos-pypi` is what platforms without a source get" in refused.err
