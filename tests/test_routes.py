"""The routing rule against what uv 0.13.9 did: recorded cases, and the rule's worked examples."""

from __future__ import annotations

import shlex
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from torchconf.project import Project, read_project
from torchconf.routes import Choice, Route, Routes, routes

if TYPE_CHECKING:
    from collections.abc import Iterator

CASES = Path(__file__).parent / "cases"
MACHINES = {
    "linux-x86_64": ("linux", "x86_64", "posix", "Linux"),
    "linux-aarch64": ("linux", "aarch64", "posix", "Linux"),
    "windows-x86_64": ("win32", "AMD64", "nt", "Windows"),
    "windows-arm64": ("win32", "ARM64", "nt", "Windows"),
    "macos-arm64": ("darwin", "arm64", "posix", "Darwin"),
    "macos-x86_64": ("darwin", "x86_64", "posix", "Darwin"),
}
VARIABLES = ("sys_platform", "platform_machine", "os_name", "platform_system")
PYPI = "pypi"
# What the recorded runs know: packages of the mock index, and what they need.
NEEDS = {
    name: frozenset({"torch"})
    for name in ("accelerate", "efficientnet-pytorch", "torchaudio", "torchmetrics", "torchvision")
}


def machine(name: str) -> dict[str, str]:
    """Return the marker variables of a platform."""
    return dict(zip(VARIABLES, MACHINES[name], strict=True))


def choice(select: str) -> Choice:
    """Read uv's options: `--no-group cpu --group cuda`."""
    words = iter(shlex.split(select))
    found: dict[str, set[str]] = {
        "extra": set(),
        "group": set(),
        "no-group": set(),
        "package": set(),
    }
    default_groups = True
    for word in words:
        if word == "--no-default-groups":
            default_groups = False
        else:
            found[word.removeprefix("--")].add(next(words))
    return Choice(
        extras=frozenset(found["extra"]),
        groups=frozenset(found["group"]),
        no_groups=frozenset(found["no-group"]),
        default_groups=default_groups,
        packages=frozenset(found["package"]),
    )


def label(route: Route) -> str:
    """Return a route in the words of the cases."""
    if route.kind == "absent":
        return "absent"
    if route.kind != "index":
        return f"{route.kind}: {route.reason or route.error}"
    if route.index is None:
        return PYPI
    last = route.index.url.rstrip("/").rpartition("/")[2]
    return PYPI if last == "simple" else last


def read(folder: Path, root: Project | None = None) -> Project:
    """Read a pyproject.toml."""
    return read_project(tomllib.loads((folder / "pyproject.toml").read_text()), root=root)


def routes_of(folder: Path) -> Routes:
    """Work out a folder, with the members and the path libraries that lie in it."""
    project = read(folder)
    members = [read(folder / name, project) for name in project.workspace_members]
    libraries = {
        source.value: read(folder / source.value)
        for sources in project.sources.values()
        for source in sources
        if source.kind == "path"
    }
    return routes(project, members=members, libraries=libraries, needs=NEEDS)


def observations() -> Iterator[Any]:
    """Yield each observed row of each case as a test parameter."""
    for case in sorted(CASES.glob("*/case.toml")):
        facts = tomllib.loads(case.read_text())
        for key, observed in facts.items():
            if not key.startswith("observed"):
                continue
            folder = case.parent / key.removeprefix("observed").removeprefix("_")
            for row in observed.get("rows", ()):
                name = f"{case.parent.name[:3]}{key[8:]} {row['select']} on {row['platform']}"
                yield pytest.param(folder, row, id=name)


@pytest.mark.parametrize(("folder", "row"), list(observations()))
def test_row_is_what_uv_did(folder: Path, row: dict[str, Any]) -> None:
    found = routes_of(folder)
    where = machine(row["platform"])

    def answer(package: str) -> str:
        return label(found.row(package, where, choice(row["select"])))

    for package in ("torch", "torchvision", "torchaudio"):
        if package in row:
            assert answer(package) == row[package]
    if "error" not in row:
        return
    if "no wheel" in row["error"]:
        # The version that uv wanted names the index: `torch==2.6.0+cu118`.
        package, _, version = row["error"].rpartition(" ")[2].partition("==")
        expected = version.partition("+")[2]
        assert answer(package) == expected if expected else answer(package) != "absent"
    elif "conflicts" in row["error"]:
        assert "incompatible with the declared conflicts" in answer("torch")
    else:
        assert "not compatible with the supported environments" in answer("torch")
