"""What an edit never takes: an index that somebody declared, and a source that is not PyTorch's."""

from __future__ import annotations

import contextlib
import io
import json
import random
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from tests.support.few import every
from tests.support.made_files import make_file
from tests.support.paths import TESTS
from torchconf.catalog import load_catalog
from torchconf.cli import main
from torchconf.model.markers import possible_platforms
from torchconf.model.project import Requirement, Source
from torchconf.model.read_project import read_project
from torchconf.model.targets import SHOWN_PLATFORMS, Platform
from torchconf.planner.built_packages import home_of

CATALOG = load_catalog()
ADD = (
    "add-target windows-cuda", "add-target linux-cu126", "add-target linux-rocm7.2",
    "add-target macos-cpu", "add-target linux-aarch64-cu129", "add-target windows-pypi",
    "init -t linux-cu130 -t windows-cpu -t macos-cpu", "init --with torchaudio",
)  # fmt: skip
UPGRADE = ("upgrade", "upgrade --all", "upgrade --torch 2.12")


def written() -> dict[str, bytes]:
    """Return all files of the tests that a person could have, each once, by their place."""
    found: dict[bytes, str] = {}
    for folder in ("cases", "changes", "projects", "rules", "wild"):
        for path in sorted((TESTS / folder).rglob("*.toml")):
            text = path.read_bytes()
            if b"torch" in text and path.name != "case.toml":
                found.setdefault(text, path.relative_to(TESTS).as_posix())
    return {name: text for text, name in found.items()}


WRITTEN = written()


@pytest.mark.parametrize("name", every(WRITTEN, 40))
def test_an_edit_takes_no_index_and_no_source_of_others(name: str, tmp_path: Path) -> None:
    for command in random.Random(name).sample((*ADD, *UPGRADE), 3):
        judge(WRITTEN[name], command, tmp_path)


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10**9))
def test_an_edit_of_a_made_file_takes_nothing(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    command = random.Random(seed).choice((*ADD, *UPGRADE))
    judge(make_file(seed), command, tmp_path_factory.getbasetemp())


def judge(before: bytes, command: str, tmp_path: Path) -> None:
    """Run a command on a file, and compare what stands there before and afterwards."""
    folder = tmp_path / "demo"
    folder.mkdir(exist_ok=True)
    file = folder / "pyproject.toml"
    file.write_bytes(before)
    out, err = io.StringIO(), io.StringIO()
    first, *words = shlex.split(command)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main([first, "--project", str(folder), "--format", "json", *words])
    if status:
        assert file.read_bytes() == before, command
        return
    old, new = uv_of(before), uv_of(file.read_bytes())
    told = f"{command}\n{before.decode()}\n{file.read_text()}"
    notes = "\n".join(json.loads(out.getvalue())["notes"])
    gone = {index for index in indexes(old) - indexes(new) if not CATALOG.built.page(index[1])}
    if first == "upgrade":
        gone = {index for index in gone if not is_said(index, notes)}
    assert not gone, told
    moved = {name for name, _ in indexes(old)} - {name for name, _ in indexes(new)}
    lost = [s for s in foreign(old) if s not in foreign(new) and s[1].get("index") not in moved]
    assert not lost, told
    # What is built against torch may change its index, but on no other platform is it gone.
    kept = {p for p in SHOWN_PLATFORMS if not re.search(rf"-t |{p.os}|upgrade", command)}
    gone_from = {(n, p.key) for n, p in built(before) - built(file.read_bytes()) if p in kept}
    assert not gone_from, told


def built(text: bytes) -> set[tuple[str, Platform]]:
    """Return what is built against torch, with the platforms for which an index has it."""
    project = read_project(tomllib.loads(text.decode("utf-8-sig")), problems=[])
    return {
        (name, platform)
        for name, sources in project.sources.items()
        for source in sources
        if home_of(source, project, CATALOG)
        for one in project.requirements()
        if one.name == name
        for platform in possible_platforms(written_marker(one))
        & possible_platforms(written_marker(source))
    }


def written_marker(one: Requirement | Source) -> str | None:
    return str(one.marker) if one.marker else None


def uv_of(text: bytes) -> dict[str, Any]:
    """Return the settings of uv in a file."""
    uv: dict[str, Any] = tomllib.loads(text.decode("utf-8-sig")).get("tool", {}).get("uv", {})
    return uv


def indexes(uv: dict[str, Any]) -> set[tuple[str, str]]:
    """Return the names and URLs of all indexes."""
    return {(index.get("name", ""), index.get("url", "")) for index in uv.get("index", [])}


def is_said(index: tuple[str, str], notes: str) -> bool:
    """Tell whether the notes say that an index moves, or that another one has taken its place."""
    backend = CATALOG.backend_of_url(index[1], index[0])
    becomes = backend and re.search(rf"^{re.escape(backend.name)} becomes ", notes, re.MULTILINE)
    moved = f"index `{index[0]}` has the wheels for torch"
    return bool(becomes) or f"index `{index[0]}` was removed" in notes or moved in notes


def foreign(uv: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the sources that are none of PyTorch's builds, each with its package.

    What is built against torch follows its build, from indexes that are known to have it.
    """
    builds = {name for name, url in indexes(uv) if CATALOG.build_of_index(url, name)}
    pages = {name for name, url in indexes(uv) if CATALOG.built.page(url)}
    return [
        (package, entry)
        for package, listed in uv.get("sources", {}).items()
        for entry in (listed if isinstance(listed, list) else [listed])
        if canonicalize_name(package) not in CATALOG.family or entry.get("index") not in builds
        if canonicalize_name(package) not in CATALOG.built_names or entry.get("index") not in pages
    ]
