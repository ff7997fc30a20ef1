"""What people had before uv, shape by shape: what it becomes, and that nothing is silent."""

from __future__ import annotations

import re
import tempfile
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support.few import every
from tests.support.old_shapes import Shape, load_shapes, report_of
from tests.support.projects import run_in
from torchconf.catalog import load_catalog
from torchconf.files.old_names import find_old_files, tables_of
from torchconf.workspace.old_files import load_old_files

SHAPES = load_shapes()
CATALOG = load_catalog()


def content(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_shape_becomes_a_project(shape: Shape, tmp_path: Path) -> None:
    demo = shape.copy(tmp_path)
    before = content(demo)

    result = run_in(demo, shape.command)
    after = content(demo)

    assert result.status == 0, result.err
    assert after.pop("pyproject.toml").decode() == shape.after
    assert report_of(result) == shape.report
    before.pop("pyproject.toml", None)
    assert after == before, "old files stay"


@pytest.mark.parametrize("shape", every(SHAPES, 3), ids=lambda shape: shape.name)
def test_a_second_run_changes_nothing_and_says_the_same(shape: Shape, tmp_path: Path) -> None:
    demo = shape.copy(tmp_path)
    (demo / "pyproject.toml").write_bytes(shape.after.encode())

    result = run_in(demo, f"{shape.command} --check --format json")

    # Nothing of another tool is left where all that it said has moved, or was to be removed.
    gone = not re.search(r"^\[+tool[.](?:poetry|pdm|pixi)\b", shape.after, re.MULTILINE)
    gone &= "nothing to migrate" in result.out
    assert result.status == 0 or gone, result.out + result.err
    assert (demo / "pyproject.toml").read_bytes() == shape.after.encode()
    assert fates(result.json.get("lines", [])) == fates(first_run(shape))


def fates(lines: list[dict[str, Any]]) -> list[tuple[object, ...]]:
    """Return what became of lines, less those of the file that the first run has changed."""
    return [
        (line["file"], line["line"], line["text"], line["into"])
        for line in lines
        if line["file"] != "pyproject.toml"
    ]


@cache
def first_run(shape: Shape) -> list[dict[str, Any]]:
    """Return what became of each line of a shape."""
    with tempfile.TemporaryDirectory() as parent:
        command = f"{shape.command} --dry-run --format json"
        return list(run_in(shape.copy(Path(parent)), command).json["lines"])


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_every_line_is_accounted_for(shape: Shape, tmp_path: Path) -> None:
    demo = shape.copy(tmp_path)
    named = [word for word in shape.command.split() if (demo / word).is_file()]
    tables = [str(demo / "pyproject.toml")] if has_tables(demo) else []
    found = [*tables, *find_old_files(str(demo))]
    read = load_old_files([str(demo / word) for word in named] or found, str(demo))

    lines = first_run(shape)

    told = {(line["file"], line["line"]) for line in lines}
    assert told == {(item.at.file, item.at.line) for file in read.read for item in file.items}
    for file in read.read:
        if file.format == "pip":
            assert written_lines(demo / file.path) <= {n for name, n in told if name == file.path}
    assert all(line["why"] for line in lines if line["outcome"] in {"left out", "unclear"})
    assert all(line["into"] or line["why"] for line in lines)


def has_tables(demo: Path) -> bool:
    path = demo / "pyproject.toml"
    return path.exists() and bool(tables_of(tomllib.loads(path.read_text(encoding="utf-8"))))


def written_lines(path: Path) -> set[int]:
    """Return the numbers of the lines of a requirements file that say something."""
    found, continues = set(), False
    text = path.read_bytes().decode("utf-16" if path.read_bytes()[:2] == b"\xff\xfe" else "utf-8")
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#") and not continues:
            found.add(number)
        continues = line.rstrip().endswith("\\")
    return found


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_an_account_names_what_the_project_holds(shape: Shape) -> None:
    data = tomllib.loads(shape.after)

    lines = first_run(shape)

    for line in lines:
        for part in filter(None, re.split("(?<! ); ", line["into"])):
            assert holds(data, part), line
    old = shape.folder / "before" / "pyproject.toml"
    before = torch_of(tomllib.loads(old.read_text(encoding="utf-8"))) if old.exists() else {}
    told = {part for line in lines for part in re.split("(?<! ); ", line["into"])}
    for place, requirement in torch_of(data).items():
        named = any(place in part and part.endswith(requirement) for part in told)
        assert named or place in before, f"no line accounts for {place}"


def holds(data: dict[str, Any], part: str) -> bool:
    """Tell whether a project holds one part of what an account names."""
    tool = data.get("tool", {})
    targets = tool.get("torchconf", {}).get("targets", [])
    if build := re.fullmatch("(?:the build|tool.uv.index for the build) (.+)", part):
        urls = [index["url"] for index in tool.get("uv", {}).get("index", [])]
        return build[1] in {getattr(CATALOG.backend_of_url(url), "name", None) for url in urls}
    if platforms := re.fullmatch("targets on (.+)", part):
        systems = {platform.partition("-")[0] for platform in platforms[1].split(", ")}
        return systems <= {target.partition("-")[0] for target in targets}
    places, _, value = part.partition(": ")
    value = value.removesuffix(" (explicit)")
    return all(contains(at(data, place), value) for place in places.split(" and "))


def at(data: dict[str, Any], path: str) -> Any:
    """Return what stands under a dotted path; None for nothing."""
    for key in path.split("."):
        data = data.get(key, {})
    return data


def contains(there: Any, value: str) -> bool:
    """Tell whether a value says something: a list by one of its entries, or an entry's index."""
    if not value:
        return bool(there != {})
    entries = there if isinstance(there, list) else [there]
    named = [e.get("name") or e.get("index") if isinstance(e, dict) else e for e in entries]
    return value in named


def torch_of(data: dict[str, Any]) -> dict[str, str]:
    """Return the requirement of torch in each list that has one."""
    project = data.get("project", {})
    lists = {"project.dependencies": project.get("dependencies", [])}
    for table, found in (
        ("project.optional-dependencies", project.get("optional-dependencies", {})),
        ("dependency-groups", data.get("dependency-groups", {})),
    ):
        lists |= {f"{table}.{name}": entries for name, entries in found.items()}
    return {
        place: requirement
        for place, requirements in lists.items()
        for requirement in requirements
        if isinstance(requirement, str) and re.match(r"torch\b", requirement)
    }


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_check_finds_no_error_in_what_was_written(shape: Shape, tmp_path: Path) -> None:
    demo = shape.copy(tmp_path)
    (demo / "pyproject.toml").write_bytes(shape.after.encode())
    found = run_in(demo, "check --format json").json["findings"]
    assert [one for one in found if one["severity"] == "error"] == []
