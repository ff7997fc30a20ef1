"""What is installed in an environment, read from its files; and what its torch sees, by asking it.

torch is never imported here: it would have to be this Python's, and takes seconds.
"""

from __future__ import annotations

import json
import os
import re
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from torchconf.machine.probe import ask
from torchconf.model.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

TORCH_LIMIT = 30.0
"""Seconds that torch has to be imported and to answer."""

FOLDER_VARIABLE = "UV_PROJECT_ENVIRONMENT"
_MARK = "torchconf:"
# Each question may fail by itself: a build for one accelerator knows little of the others.
_QUESTIONS = f"""\
import json, sys
import torch
def ask(question):
    try:
        return question()
    except Exception:
        return None
def devices(kind):
    return [kind.get_device_name(number) for number in range(kind.device_count())]
found = {{
    "version": ask(lambda: torch.__version__),
    "cuda": ask(lambda: torch.version.cuda),
    "hip": ask(lambda: torch.version.hip),
    "available": [
        name for name, question in (
            ("cuda", lambda: torch.cuda.is_available()),
            ("xpu", lambda: torch.xpu.is_available()),
            ("mps", lambda: torch.backends.mps.is_available()),
        ) if ask(question)
    ],
    "devices": (ask(lambda: devices(torch.cuda)) or []) + (ask(lambda: devices(torch.xpu)) or []),
}}
print({_MARK!r} + json.dumps(found, default=str))
"""


class Environment(NamedTuple):
    """A virtual environment, as its files tell."""

    path: str
    python: str | None
    """The version of its Python."""
    packages: Mapping[str, str]
    """Those that were asked for and are there: canonical name to version."""


class TorchReport(NamedTuple):
    """What torch says of itself."""

    cuda: str | None = None
    """The CUDA that it was built with."""
    hip: str | None = None
    """The ROCm that it was built with."""
    available: tuple[str, ...] = ()
    """What it can use: `cuda`, which is ROCm's name too, `xpu`, `mps`."""
    devices: tuple[str, ...] = ()
    problem: str | None = None
    """Why it said nothing."""


def environment_folder(folder: str, variables: Mapping[str, str]) -> str:
    """Return where uv keeps the environment of a project or workspace."""
    return os.path.join(folder, variables.get(FOLDER_VARIABLE) or ".venv")


def read_environment(path: str, packages: Collection[str]) -> Environment | None:
    """Read which of some packages an environment has; None if it is no environment.

    Args:
        path: Of its folder.
        packages: Canonical names.
    """
    python = _python_version(path)
    folders = list(package_folders(path))
    if python is None and not folders:
        return None
    found: dict[str, str] = {}
    for folder in folders:
        for name, version in _distributions(folder, packages):
            found.setdefault(name, version)
    return Environment(path, python, found)


def _python_version(path: str) -> str | None:
    text = _read(os.path.join(path, "pyvenv.cfg"))
    match = re.search(r"^version(?:_info)?[ \t]*=[ \t]*([0-9][0-9.]*)", text, re.MULTILINE)
    return match[1].rstrip(".") if match else None


def package_folders(path: str) -> Iterator[str]:
    """Yield where a Python keeps its packages, in the layouts of Windows, Debian and elsewhere."""
    for library in ("lib", "lib64"):
        with suppress(OSError):
            for child in sorted(os.listdir(os.path.join(path, library))):
                for name in ("site-packages", "dist-packages"):
                    inside = os.path.join(path, library, child, name)
                    if child.startswith("python") and os.path.isdir(inside):
                        yield inside
    if os.path.isdir(windows := os.path.join(path, "Lib", "site-packages")):
        yield windows


def _distributions(folder: str, packages: Collection[str]) -> Iterator[tuple[str, str]]:
    with suppress(OSError):
        for child in sorted(os.listdir(folder)):
            written, _, rest = child.partition("-")
            name = re.sub(r"[-_.]+", "-", written).lower()
            if name in packages and rest.endswith(".dist-info"):
                head = _read(os.path.join(folder, child, "METADATA")).partition("\n\n")[0]
                match = re.search(r"^Version:[ \t]*(\S+)", head, re.MULTILINE | re.IGNORECASE)
                if match:
                    yield name, match[1]


def _read(path: str) -> str:
    with suppress(OSError):
        if os.path.isfile(path):  # a pipe would wait
            with open(path, encoding="utf-8", errors="replace") as file:
                return file.read(1_000_000)
    return ""


def ask_torch(path: str, limit: float = TORCH_LIMIT) -> TorchReport:
    """Run an environment's Python, import its torch and ask what it sees. Never raises."""
    inside = ("Scripts", "python.exe") if sys.platform == "win32" else ("bin", "python")
    # Isolated: no module of the current folder or of the user is taken for torch.
    said = ask([os.path.join(os.path.abspath(path), *inside), "-I", "-c", _QUESTIONS], limit)
    for line in said.out.splitlines():
        if line.startswith(_MARK):
            with suppress(ValueError):
                return _sight(json.loads(line.removeprefix(_MARK)))
    lines = [line.strip() for line in said.err.splitlines() if line.strip()]
    return TorchReport(problem=lines[-1] if lines else f"Python exited with status {said.status}")


def _sight(data: Any) -> TorchReport:  # noqa: ANN401 - JSON is whatever it is
    if not isinstance(data, dict):
        return TorchReport(problem="unexpected output")

    def text(key: str) -> str | None:
        return str(data[key]) if data.get(key) else None

    def texts(key: str) -> tuple[str, ...]:
        found = data.get(key)
        return tuple(map(str, found)) if isinstance(found, list) else ()

    return TorchReport(text("cuda"), text("hip"), texts("available"), texts("devices"))
