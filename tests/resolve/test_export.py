"""`torchconf export` on the replica: files that pip and uv take, and that give what was locked."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.few import few
from tests.support.projects import EXAMPLES, Demo, run_in
from tests.support.replica import Content, Release, Replica, ReplicaOf
from tests.support.replica.stand_ins import pure
from tests.support.replica.wheels import build

pytestmark = [pytest.mark.uv, pytest.mark.usefixtures("inside_replica")]

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
LAYOUTS = sorted(path.stem for path in EXAMPLES.glob("*.toml"))
UV_PLATFORMS = {
    "linux-x86_64": "x86_64-manylinux_2_28",
    "linux-aarch64": "aarch64-manylinux_2_28",
    "windows-x86_64": "windows",
    "macos-arm64": "aarch64-apple-darwin",
}
THIS = "linux-cu130"
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="it installs Linux builds")


@pytest.fixture
def demo(request: pytest.FixtureRequest, tmp_path: Path, replica: Replica) -> Demo:
    layout = getattr(request, "param", "markers")
    made = Demo(tmp_path, (EXAMPLES / f"{layout}.toml").read_text(encoding="utf-8"))
    replica.lock(made.folder)
    return made


def pins(text: str) -> dict[str, str]:
    return dict(re.findall(r"(?m)^([a-z0-9-]+)==(\S+)", text))


def verified(demo: Demo, target: str) -> dict[str, str]:
    """Return what `verify` says of a target: package to version."""
    result = demo(f"verify --frozen --format json --python {PYTHON} -t {target}")
    assert result.status == 0, result.err
    return {r["package"]: r["version"] for r in result.json["routes"] if r["version"]}


def platform_of(text: str) -> str:
    match = re.search(r"only for (\S+) with", text)
    assert match
    return match[1]


@pytest.mark.parametrize("demo", few(LAYOUTS, {"extras", "machine"}.__contains__), indirect=True)
def test_each_file_has_what_verify_says_and_nothing_to_decide(demo: Demo) -> None:
    result = demo(f"export --python {PYTHON}")
    assert result.status == 0, result.err
    files = sorted((demo.folder / "requirements").iterdir())
    assert len(files) > 2
    for file in files:
        text = file.read_text(encoding="utf-8")
        body = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
        assert ";" not in body, "no marker is left"
        found = pins(text)
        wanted = verified(demo, file.stem)
        assert {name: found[name] for name in wanted} == wanted
        backend = file.stem.rpartition("-")[2]
        assert set(re.findall(r"--find-links \S+/whl/([^/]+)/", text)) <= {backend}
        assert all("--hash=sha256:" in part for part in body.split("==")[1:])
        if file.stem.startswith(("windows", "macos")):
            assert "nvidia" not in text


@needs_linux
@pytest.mark.parametrize("demo", few(LAYOUTS, {"extras", "machine"}.__contains__), indirect=True)
def test_uv_takes_each_file_for_its_platform(demo: Demo, replica: Replica) -> None:
    assert demo(f"export --python {PYTHON}").status == 0
    replica.uv("venv", "--python", sys.executable, ".v", cwd=demo.folder)
    for file in sorted((demo.folder / "requirements").iterdir()):
        text = file.read_text(encoding="utf-8")
        words = ["pip", "sync", "--dry-run", "--python", ".v", "--require-hashes"]
        platform = UV_PLATFORMS[platform_of(text)]
        run = replica.uv(*words, "--python-platform", platform, str(file), cwd=demo.folder)
        assert run.returncode == 0, run.stderr
        installed = dict(re.findall(r"(?m)^ \+ (\S+)==(\S+)", run.stderr))
        assert installed == pins(text)


def for_pip(replica: Replica) -> dict[str, str]:
    """Return the environment in which pip asks the replica's stand-in for PyPI."""
    environment = replica.environment()
    return environment | {
        "PIP_INDEX_URL": environment["UV_DEFAULT_INDEX"],
        "PIP_CERT": environment["SSL_CERT_FILE"],
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


@needs_linux
def test_pip_takes_the_file_of_this_platform(demo: Demo, replica: Replica) -> None:
    assert demo(f"export {THIS} --python {PYTHON}").status == 0
    file = demo.folder / "requirements" / f"{THIS}.txt"
    command = [
        sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed",
        "--report", "-", "--require-hashes", "-r", str(file),
    ]  # fmt: skip
    done = replica.run(*command, cwd=demo.folder, env=for_pip(replica))
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout[done.stdout.index("{") :])
    installed = {
        re.sub(r"[-_.]+", "-", one["metadata"]["name"]).lower(): one["metadata"]["version"]
        for one in report["install"]
    }
    assert installed == pins(file.read_text(encoding="utf-8"))


@needs_linux
@pytest.mark.parametrize("installer", few(["pip", "uv"], {"uv"}.__contains__))
def test_a_file_that_is_not_the_locked_one_is_not_installed(
    installer: str, demo: Demo, replica: Replica
) -> None:
    assert demo(f"export {THIS} --python {PYTHON}").status == 0
    file = demo.folder / "requirements" / f"{THIS}.txt"
    text = file.read_text(encoding="utf-8")
    head, _, torch = text.partition("\ntorch==")
    other = re.sub(r"sha256:[0-9a-f]{8}", "sha256:00000000", torch)
    file.write_text(f"{head}\ntorch=={other}", encoding="utf-8")
    replica.uv("venv", "--python", sys.executable, ".v", cwd=demo.folder)
    python = str(demo.folder / ".v/bin/python")
    if installer == "pip":
        words = [sys.executable, "-m", "pip", "--python", python, "install", "-q", "-r", str(file)]
        done = replica.run(*words, cwd=demo.folder, env=for_pip(replica))
    else:
        done = replica.uv("pip", "sync", "--python", python, str(file), cwd=demo.folder)
    assert done.returncode != 0
    assert re.search(r"(?i)hash", done.stdout + done.stderr)
    assert not list((demo.folder / ".v").rglob("torch/__init__.py"))


@needs_linux
def test_a_wrong_platform_fails_clearly(demo: Demo, replica: Replica) -> None:
    assert demo(f"export {THIS} --python {PYTHON}").status == 0
    replica.uv("venv", "--python", sys.executable, ".v", cwd=demo.folder)
    words = ["pip", "sync", "--dry-run", "--python", ".v", "--python-platform", "windows"]
    run = replica.uv(*words, f"requirements/{THIS}.txt", cwd=demo.folder)
    assert run.returncode != 0
    assert "no wheels with a matching platform tag" in " ".join(run.stderr.split())


@needs_linux
@pytest.mark.parametrize("installer", few(["pip", "uv", "uv pylock"], {"uv"}.__contains__))
def test_the_builds_are_really_installed(installer: str, demo: Demo, replica: Replica) -> None:
    format_ = "pylock.toml" if installer == "uv pylock" else "requirements.txt"
    assert demo(f"export {THIS} --python {PYTHON} --format {format_} -o out").status == 0
    (file,) = (demo.folder / "out").iterdir()
    bare = [] if installer == "pip" else ["--without-pip"]
    subprocess.run([sys.executable, "-m", "venv", *bare, demo.folder / ".venv"], check=True)
    python = str(demo.folder / ".venv/bin/python")
    if installer == "pip":
        command = [python, "-m", "pip", "install", "-q", "-r", str(file)]
        done = replica.run(*command, cwd=demo.folder, env=for_pip(replica))
    else:
        done = replica.uv("pip", "sync", "--python", python, str(file), cwd=demo.folder)
    assert done.returncode == 0, done.stderr
    version = subprocess.run(
        [python, "-c", "import torch; print(torch.__version__)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assert version == verified(demo, THIS)["torch"]
    assert version.endswith("+cu130")


def test_pylock_holds_one_platform_only(demo: Demo) -> None:
    assert demo(f"export windows-cu130 --python {PYTHON} --format pylock.toml").status == 0
    text = (demo.folder / "pylock.windows-cu130.toml").read_text(encoding="utf-8")
    assert "sys_platform == 'win32'" in text.partition("[[packages]]")[0]
    assert "nvidia" not in text
    assert text.count('name = "torch"') == 1


def test_check_names_the_file_that_is_out_of_date(demo: Demo) -> None:
    assert demo("export --check --python 3.12").status == 1
    assert demo("export --python 3.12").status == 0
    assert demo("export --check --python 3.12").status == 0
    file = demo.folder / "requirements/windows-cu130.txt"
    file.write_text(file.read_text(encoding="utf-8").replace("torch==", "torch=="[:-1] + "~"))
    result = demo("export --check --python 3.12")
    assert result.status == 1
    assert "windows-cu130.txt is out of date" in result.err
    assert "linux" not in result.err


@pytest.mark.parametrize("demo", ["extras"], indirect=True)
def test_the_targets_are_those_that_the_file_lists(demo: Demo) -> None:
    demo("export --python 3.12")
    found = {path.stem for path in (demo.folder / "requirements").iterdir()}
    # Windows and macOS have what is left: nobody can tell whether somebody means them.
    assert found == {"linux-cpu", "linux-cu130", "linux-aarch64-cpu", "linux-aarch64-cu130"}
    file = demo.folder / "pyproject.toml"
    listed = '[tool.torchconf]\ntargets = ["linux-cuda", "macos-mps"]\n'
    file.write_text(file.read_text(encoding="utf-8") + listed, encoding="utf-8")
    demo("export --python 3.12 -o listed")
    found = {path.stem for path in (demo.folder / "listed").iterdir()}
    assert found == {"linux-cu130", "macos-cpu"}


def test_a_second_run_writes_nothing(demo: Demo) -> None:
    demo("export --python 3.12")
    before = {p: p.stat().st_mtime_ns for p in (demo.folder / "requirements").iterdir()}
    assert "no changes needed" in demo("export --python 3.12").err
    assert {p: p.stat().st_mtime_ns for p in (demo.folder / "requirements").iterdir()} == before


def test_dry_run_prints_and_writes_nothing(demo: Demo) -> None:
    result = demo(f"export {THIS} --dry-run --no-hashes --python 3.12")
    assert result.out.startswith("# requirements")
    assert "--hash" not in result.out
    assert "torch==2.13.0+cu130" in result.out
    assert not (demo.folder / "requirements").exists()


def test_the_header_repeats_the_file(demo: Demo) -> None:
    demo(f"export {THIS} --no-hashes --python 3.12 -o out")
    file = demo.folder / "out" / f"{THIS}.txt"
    text = file.read_text(encoding="utf-8")
    command = re.search(r"(?m)^#     torchconf (export .*)$", text)
    assert command
    file.unlink()
    assert demo(command[1]).status == 0
    assert file.read_text(encoding="utf-8") == text


def test_universal_is_one_file_with_markers(demo: Demo) -> None:
    assert demo("export --universal --no-hashes").status == 0
    text = (demo.folder / "requirements/universal.txt").read_text(encoding="utf-8")
    assert re.search(r"(?m)^torch==\S+\+cu130 ; ", text)
    assert "/whl/cu130/torch/" in text


@pytest.mark.parametrize("demo", ["extras"], indirect=True)
def test_universal_needs_one_command(demo: Demo) -> None:
    result = demo("export --universal")
    assert result.status == 2
    assert "different commands" in result.err
    assert demo("export --universal linux-cu130 --no-hashes").status == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("windows-rocm7.2", "is not a target"),
        ("linux-xpu", "`linux-xpu` is not a target of this project"),
        ("--python three", "is not a version such as 3.12"),
        ("--python 3.8", "the project does not support Python 3.8"),
    ],
)
def test_what_can_not_be_exported(words: str, message: str, demo: Demo) -> None:
    result = demo(f"export {words}")
    assert result.status == 2
    assert message in result.err or "ROCm" in result.err
    assert not (demo.folder / "requirements").exists()


def test_a_stale_lockfile_is_refused(demo: Demo) -> None:
    demo.path.write_text(demo.text.replace("torch>=2.13.0", "torch>=2.12.0"), encoding="utf-8")
    assert "uv.lock is out of date" in demo("export").err
    assert demo("export --frozen --python 3.12").status == 0


def test_credentials_reach_no_file(tmp_path: Path, replica: Replica) -> None:
    text = (EXAMPLES / "markers.toml").read_text(encoding="utf-8")
    demo = Demo(tmp_path, text.replace("https://", "https://somebody:secret@"))
    replica.lock(demo.folder)
    for format_ in ("requirements.txt", "pylock.toml"):
        result = demo(f"export --python 3.12 --format {format_} -o out")
        assert result.status == 0, result.err
        assert "secret" not in result.out + result.err
    demo("export --universal -o out")
    assert not [p for p in (demo.folder / "out").iterdir() if "secret" in p.read_text("utf-8")]


CORP = "https://corp.example.org/simple"
FLAT = "https://flat.example.org/page/corp-flat/"
INDEX = """
[[tool.uv.index]]
name = "{name}"
url = "{url}"
explicit = true
"""
INTERNAL = ("corp-lib", "corp-native", "corp-flat", "corp-local")


def internal(folder: Path, replica_of: ReplicaOf) -> Replica:
    """Write a project with packages of four internal indexes; on PyPI, strangers hold the names."""
    here = [PYTHON, "3.12" if PYTHON != "3.12" else "3.13"]
    replica = replica_of(
        Content.of(
            {
                "cu130": {"torch": [Release("2.13.0+cu130", ["linux-x86_64"])]},
                "pypi": {name: [pure(name, "1.0"), pure(name, "9.0")] for name in INTERNAL},
                CORP: {
                    "corp-lib": [pure("corp-lib", "1.0", "tqdm")],
                    "corp-native": [Release("1.0", ["linux-x86_64"], here)],
                },
                FLAT.removesuffix("corp-flat/"): {"corp-flat": [pure("corp-flat", "1.0", "numpy")]},
            }
        )
    )
    wheel = pure("corp-local", "1.0", "six")
    (folder / "wheels").mkdir()
    (folder / "wheels" / wheel.filename).write_bytes(build(wheel))
    flat = 'format = "flat"\n'
    (folder / "pyproject.toml").write_text(
        f"""\
[project]
name = "demo"
version = "1.0"
requires-python = ">={min(here, key=lambda one: int(one[2:]))}"
dependencies = ["numpy", "torch", {", ".join(f'"{name}"' for name in INTERNAL)}]

[tool.uv]
environments = ["sys_platform == 'linux' and platform_machine == 'x86_64'"]

[tool.uv.sources]
torch = {{ index = "pytorch-cu130" }}
corp-lib = {{ index = "corp" }}
corp-native = {{ index = "corp" }}
corp-flat = {{ index = "flat" }}
corp-local = {{ index = "local" }}
{INDEX.format(name="pytorch-cu130", url="https://download.pytorch.org/whl/cu130")}
{INDEX.format(name="corp", url=CORP)}
{INDEX.format(name="flat", url=FLAT) + flat}
{INDEX.format(name="local", url="./wheels") + flat}
""",
        encoding="utf-8",
    )
    replica.lock(folder)
    return replica


@needs_linux
@pytest.mark.parametrize(
    ("flags", "installer"),
    [
        ("", "uv"),
        pytest.param("", "pip", marks=pytest.mark.slow),
        pytest.param(" --no-hashes", "uv", marks=pytest.mark.slow),
        pytest.param(" --no-hashes", "pip", marks=pytest.mark.slow),
    ],
)
def test_an_internal_package_is_never_asked_of_another_index(
    flags: str,
    installer: str,
    tmp_path: Path,
    replica_of: ReplicaOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    replica = internal(tmp_path, replica_of)
    for name, value in replica.environment().items():
        monkeypatch.setenv(name, value)
    result = run_in(tmp_path, f"export {THIS}{flags}")
    assert result.status == 0, result.err
    file = f"requirements/{THIS}.txt"
    replica.uv("venv", "--python", sys.executable, ".venv", cwd=tmp_path)
    before = len(replica.requests)
    python = str(tmp_path / ".venv/bin/python")
    if installer == "pip":
        words = [sys.executable, "-m", "pip", "--python", python, "install", "--no-cache-dir"]
        env = for_pip(replica)
        env.pop("PIP_INDEX_URL")
        done = replica.run(*words, "-q", "-r", file, cwd=tmp_path, env=env)
    else:
        env = replica.environment() | {"UV_CACHE_DIR": str(tmp_path / "cache")}
        uv = str(replica.executable)
        done = replica.run(uv, "pip", "sync", "--python", python, file, cwd=tmp_path, env=env)
    assert done.returncode == 0, done.stderr
    asked = replica.requests[before:]
    assert not [one for one in asked if "packages.example.org" in one and "corp" in one]
    assert any("corp.example.org" in one for one in asked)
    code = f"from importlib.metadata import requires; print([requires(n) for n in {INTERNAL}])"
    # What a stranger would have put there requires nothing.
    expected = "[['tqdm'], None, ['numpy'], ['six']]\n"
    assert replica.run(python, "-c", code, cwd=tmp_path).stdout == expected


@needs_linux
def test_one_file_for_all_platforms_keeps_each_index_or_is_refused(
    tmp_path: Path, replica_of: ReplicaOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    replica = internal(tmp_path, replica_of)
    for name, value in replica.environment().items():
        monkeypatch.setenv(name, value)
    assert (
        "`corp-native` has a wheel for each platform"
        in run_in(tmp_path, "export --universal --no-hashes").err
    )
    assert not (tmp_path / "requirements").exists()
    path = tmp_path / "pyproject.toml"
    text = path.read_text(encoding="utf-8").replace(', "corp-native"', "")
    path.write_text(text.replace('corp-native = { index = "corp" }\n', ""), encoding="utf-8")
    replica.lock(tmp_path)
    assert run_in(tmp_path, "export --universal").status == 0
    replica.uv("venv", "--python", sys.executable, ".venv", cwd=tmp_path)
    words = ("pip", "install", "--python", ".venv", "-r", "requirements/universal.txt")
    before = len(replica.requests)
    done = replica.uv(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    asked = replica.requests[before:]
    assert not [one for one in asked if "packages.example.org" in one and "corp" in one]
