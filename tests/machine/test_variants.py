"""Wheel variants: what uv's preview takes on recorded machines, and what real uv does."""

from __future__ import annotations

import json
import os
import subprocess
import zipfile
from pathlib import Path

import pytest

import torchconf.machine
from tests.support.projects import run_in
from tests.support.recorded_machines import record
from tests.support.replica.uv import find_uv
from torchconf.catalog import load_catalog
from torchconf.machine import fits, read_machine
from torchconf.machine.variants import FEATURE, variant_choice

CATALOG = load_catalog()


@pytest.mark.parametrize(
    ("name", "build", "reason"),
    [
        ("nvidia-blackwell", "CUDA 13", "driver "),
        ("nvidia-old-driver", "CUDA 11", "driver "),
        ("nvidia-beside-amd", "CUDA 13", "driver "),
        ("nvidia-broken-driver", None, ""),
        ("no-gpu", None, "no NVIDIA driver was found"),
        ("apple-silicon", None, ""),
        ("rocm", None, "uv does not know AMD GPUs"),
        ("intel-arc", None, "uv does not know Intel GPUs"),
        ("another-system", None, "no NVIDIA driver was found"),
    ],
)
def test_what_the_preview_takes(name: str, build: str | None, reason: str) -> None:
    machine = read_machine(record(name)[0])
    choice = variant_choice(machine, fits(machine, CATALOG), CATALOG)
    assert choice.build == build
    assert choice.reason.startswith(reason)
    assert choice.reason


def test_doctor_and_explain_say_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = read_machine(record("nvidia-blackwell")[0])
    monkeypatch.setattr(torchconf.machine, "this_machine", lambda: machine)
    doctor = run_in(tmp_path, "doctor --format json").json["variants"]
    explained = run_in(tmp_path, "explain variants --format json").json["variants"]
    assert doctor == {key: explained[key] for key in ("build", "reason")}
    assert f"a {doctor['build']} build ({doctor['reason']})" in explained["page"]
    assert explained["page"] == run_in(tmp_path, "explain wheel-variants").out
    assert "uv.lock is for every machine" in explained["page"]


# Wheels of one release: for two versions of CUDA, for no GPU, and an ordinary one.
SCHEMA = "https://variants-schema.wheelnext.dev/peps/825/v0.1.1.json"
PROVIDER = {
    "requires": ["nvidia-variant-provider"],
    "plugin-api": "nvidia_variant_provider.plugin:NvidiaVariantPlugin",
}
ABOUT = {
    "$schema": SCHEMA,
    "default-priorities": {"namespace": ["nvidia"]},
    "providers": {"nvidia": PROVIDER},
}
VARIANTS = {
    "cu130": {"nvidia": {"cuda_version_lower_bound": ["13.0"]}},
    "cu126": {"nvidia": {"cuda_version_lower_bound": ["12.6"]}},
    "null": {},
}
DRIVER = "NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION"


class Index:
    """A folder of wheels, and uv that knows no other."""

    def __init__(self, folder: Path, labels: list[str]) -> None:
        self.folder = folder
        self.wheels = folder / "wheels"
        self.wheels.mkdir()
        for label in labels:
            self._write(label)
        told = {label: VARIANTS[label] for label in labels if label}
        text = json.dumps({**ABOUT, "variants": told})
        (self.wheels / "demo-1.0-variants.json").write_text(text, encoding="utf-8")
        self.uv("venv", "-q", "env")

    def _write(self, label: str) -> None:
        name = f"demo-1.0-py3-none-any{'-' if label else ''}{label}.whl"
        tag = f"Variant-Label: {label}\n" if label else ""
        files = {
            "demo.py": f"label = {label!r}\n",
            "demo-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n",
            "demo-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\n"
            f"Root-Is-Purelib: true\nTag: py3-none-any\n{tag}",
            "demo-1.0.dist-info/RECORD": "",
        }
        if label:
            about = json.dumps({**ABOUT, "variants": {label: VARIANTS[label]}})
            files["demo-1.0.dist-info/variant.json"] = about
        with zipfile.ZipFile(self.wheels / name, "w") as wheel:
            for path, text in files.items():
                wheel.writestr(path, text)

    def uv(self, *words: str, driver: str = "") -> subprocess.CompletedProcess[str]:
        variables = {**os.environ, "UV_CACHE_DIR": str(self.folder / "cache"), "UV_NO_INDEX": "1"}
        variables["UV_FIND_LINKS"] = str(self.wheels)
        variables |= {DRIVER: driver} if driver else {}
        return subprocess.run(
            [str(find_uv()), *words], cwd=self.folder, env=variables,
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def installed(self) -> str:
        (file,) = (self.folder / "env").rglob("demo.py")
        return file.read_text(encoding="utf-8").split("'")[1]


@pytest.mark.uv
@pytest.mark.slow
@pytest.mark.parametrize(
    ("driver", "labels", "taken"),
    [
        ("13.0", ["cu130", "cu126", "null", ""], "cu130"),
        ("12.8", ["cu130", "cu126", "null", ""], "cu126"),
        ("12.4", ["cu130", "cu126", "null", ""], "null"),
        ("12.4", ["cu130", "cu126", ""], ""),
        ("13.0", ["cu130"], "cu130"),
    ],
)
def test_uv_takes_the_newest_that_the_driver_meets(
    driver: str, labels: list[str], taken: str, tmp_path: Path
) -> None:
    index = Index(tmp_path, labels)
    words = ["pip", "install", "-p", "env", "--preview-features", FEATURE, "demo"]
    done = index.uv(*words, driver=driver)
    assert done.returncode == 0, done.stderr
    assert index.installed() == taken


@pytest.mark.uv
@pytest.mark.slow
@pytest.mark.parametrize(("labels", "locks"), [(["cu130", "null", ""], True), (["cu130"], False)])
def test_uv_locks_no_variant(labels: list[str], locks: bool, tmp_path: Path) -> None:
    index = Index(tmp_path, labels)
    project = "[project]\nname = 'p'\nversion = '0'\nrequires-python = '>=3.11'\n"
    project += f"dependencies = ['demo']\n[tool.uv]\npreview-features = ['{FEATURE}']\n"
    (tmp_path / "pyproject.toml").write_text(project, encoding="utf-8")
    done = index.uv("lock", driver="13.0")
    assert (done.returncode == 0) is locks, done.stderr
    if locks:
        text = (tmp_path / "uv.lock").read_text(encoding="utf-8")
        assert "demo-1.0-py3-none-any.whl" in text
        assert "cu130" not in text
    else:
        assert "only unsupported wheel variants" in done.stderr
