"""What people had before uv, shape by shape: what it becomes, and that nothing is silent."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.support.old_shapes import Shape, load_shapes, report_of
from tests.support.projects import run_in
from torchconf.files.old_names import find_old_files, tables_of
from torchconf.workspace.old_files import load_old_files

SHAPES = load_shapes()


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


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_second_run_changes_nothing(shape: Shape, tmp_path: Path) -> None:
    demo = shape.copy(tmp_path)
    (demo / "pyproject.toml").write_bytes(shape.after.encode())

    result = run_in(demo, f"{shape.command} --check")

    # Nothing of another tool is left where all that it said has moved, or was to be removed.
    gone = not re.search(r"^\[+tool[.](?:poetry|pdm|pixi)\b", shape.after, re.MULTILINE)
    gone &= "nothing to migrate" in result.err
    assert result.status == 0 or gone, result.out + result.err
    assert (demo / "pyproject.toml").read_bytes() == shape.after.encode()


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_every_line_is_accounted_for(shape: Shape, tmp_path: Path) -> None:
    demo = shape.copy(tmp_path)
    named = [word for word in shape.command.split() if (demo / word).is_file()]
    tables = [str(demo / "pyproject.toml")] if has_tables(demo) else []
    found = [*tables, *find_old_files(str(demo))]
    read = load_old_files([str(demo / word) for word in named] or found, str(demo))

    result = run_in(demo, f"{shape.command} --dry-run --format json")

    lines = result.json["lines"]
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
