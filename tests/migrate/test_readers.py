"""Each folder of `readers` is an old file, and what its reader says of it, line by line.

`python -m tests.migrate.test_readers` writes what the readers say; read the difference. A line
begins with the number of the line in the file; `!` is what nobody understands.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.old_files import ODD, spoken, tables, unsaid, unsaid_yaml
from torchconf.errors import ProjectError
from torchconf.migrate.conda import read_conda
from torchconf.migrate.old import OldFile
from torchconf.migrate.pdm import read_pdm
from torchconf.migrate.pipenv import read_pipfile
from torchconf.migrate.pixi import read_pixi
from torchconf.migrate.poetry import read_poetry

CASES = sorted(path for path in (Path(__file__).parent / "readers").iterdir() if path.is_dir())
READERS: dict[str, tuple[Callable[[str, str], OldFile], tuple[str, ...]]] = {
    "conda": (read_conda, ()),
    "pdm": (read_pdm, ("tool.pdm",)),
    "pipenv": (read_pipfile, ()),
    "pixi": (read_pixi, ()),
    "poetry": (read_poetry, ("tool.poetry",)),
}
"""Each format: what reads it, and the tables that it reads; none: all of the file."""


def old_file(case: Path) -> tuple[str, OldFile, tuple[str, ...]]:
    reader, scopes = READERS[case.name.partition("-")[0]]
    path = next(path for path in case.iterdir() if path.name != "items.txt")
    text = path.read_text(encoding="utf-8")
    return text, reader(path.name, text), scopes


def said(old: OldFile) -> str:
    return "".join(f"{spoken(item)}\n" for item in old.items)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_file_is_read_line_by_line(case: Path) -> None:
    _, old, _ = old_file(case)
    assert said(old) == (case / "items.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_line_is_forgotten(case: Path) -> None:
    text, old, scopes = old_file(case)
    scopes = ("tool.pixi",) if old.format == "pixi" and old.path != "pixi.toml" else scopes
    left = unsaid_yaml(text, old) if old.format == "conda" else unsaid(text, scopes, old)
    assert left == []
    assert all(item.at.file == old.path and item.text for item in old.items)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_windows_line_ends_change_nothing(case: Path) -> None:
    text, old, _ = old_file(case)
    reader, _ = READERS[case.name.partition("-")[0]]
    assert said(reader(old.path, text.replace("\n", "\r\n"))) == said(old)


@pytest.mark.parametrize("format_", [*READERS])
@pytest.mark.parametrize("text", ["", "project = 1", "tool = 3", "[tool]\nother = 3"])
def test_a_file_of_something_else_is_refused(text: str, format_: str) -> None:
    reader, _ = READERS[format_]
    if (format_, text) == ("pipenv", "[tool]\nother = 3"):
        return  # Pipenv takes any table for a category of packages.
    with pytest.raises(ProjectError):
        reader("pyproject.toml", text)


@pytest.mark.parametrize("format_", ["pdm", "pipenv", "poetry"])
def test_a_broken_file_is_refused_with_its_line(format_: str) -> None:
    with pytest.raises(ProjectError, match="not valid TOML") as raised:
        READERS[format_][0]("pyproject.toml", "[a]\nb = \n")
    assert raised.value.at == "pyproject.toml, line 2"


POETRY = st.fixed_dictionaries(
    {},
    optional={
        "name": ODD,
        "dependencies": tables(["torch", "python", "numpy"], ODD) | ODD,
        "group": tables(["dev", "main"], tables(["dependencies", "include-groups"], ODD)) | ODD,
        "extras": tables(["a"], st.just(["torch"]) | ODD) | ODD,
        "source": st.lists(tables(["name", "url", "priority"], ODD), max_size=2) | ODD,
        "scripts": tables(["a"], ODD),
        "plugins": tables(["a"], ODD),
        "authors": ODD,
        "readme": ODD,
        "license": ODD,
        "requires-poetry": ODD,
    },
)
PROJECT = tables(["dependencies", "dynamic", "optional-dependencies"], ODD) | ODD


@settings(max_examples=40)
@given(POETRY, PROJECT)
def test_whatever_stands_in_the_tables_of_poetry(table: dict[str, object], project: object) -> None:
    text = tomlkit.dumps({"project": project, "tool": {"poetry": table}})
    old = read_poetry("pyproject.toml", text)
    assert unsaid(text, ["tool.poetry"], old) == []


def test_groups_that_include_each_other_without_end_are_not_copied_without_end() -> None:
    text = "".join(
        f"[tool.poetry.group.g{number}]\ninclude-groups = ['g{number + 1}']\n"
        f"[tool.poetry.group.g{number}.dependencies]\nnumpy = '*'\n"
        for number in range(100)
    )
    old = read_poetry("pyproject.toml", text + "[tool.poetry.group.g100]\noptional = true\n")
    assert len(old.items) < 100 * 60
    assert "it includes more than 50 groups" in said(old)


def test_a_group_without_a_name_may_include_others() -> None:
    old = read_poetry("pyproject.toml", "[tool.poetry.group.'']\ninclude-groups = ['dev']\n")
    assert "no group is called `dev`" in said(old)


PIPFILE = tables(
    ["packages", "dev-packages", "requires", "source", "pipenv"], tables(["torch"], ODD) | ODD
)
PDM = tables(["source", "dev-dependencies", "resolution", "distribution", "version"], ODD)


@settings(max_examples=40)
@given(PIPFILE, PDM)
def test_whatever_stands_in_a_pipfile_and_in_the_tables_of_pdm(
    pipfile: dict[str, object], pdm: dict[str, object]
) -> None:
    text = tomlkit.dumps(pipfile)
    with suppress(ProjectError):
        assert unsaid(text, (), read_pipfile("Pipfile", text)) == []
    text = tomlkit.dumps({"tool": {"pdm": pdm}})
    assert unsaid(text, ["tool.pdm"], read_pdm("pyproject.toml", text)) == []


PIXI_TABLE = {
    "dependencies": tables(["pytorch", "pytorch-cuda", "python"], ODD) | ODD,
    "pypi-dependencies": tables(["torch"], ODD) | ODD,
    "pypi-options": tables(["index-url", "extra-index-urls", "find-links"], ODD) | ODD,
    "system-requirements": tables(["cuda"], ODD) | ODD,
    "platforms": ODD,
}
PIXI = st.fixed_dictionaries(
    {"workspace": tables(["name", "platforms", "channels"], ODD)},
    optional={
        **PIXI_TABLE,
        "feature": tables(["a"], st.fixed_dictionaries({}, optional=PIXI_TABLE) | ODD) | ODD,
        "target": tables(["linux"], st.fixed_dictionaries({}, optional=PIXI_TABLE) | ODD) | ODD,
        "environments": tables(["default"], st.just(["a"]) | ODD) | ODD,
    },
)


@settings(max_examples=40)
@given(PIXI)
def test_whatever_stands_in_a_file_of_pixi(data: dict[str, object]) -> None:
    text = tomlkit.dumps(data)
    assert unsaid(text, (), read_pixi("pixi.toml", text)) == []
    text = tomlkit.dumps({"tool": {"pixi": data}})
    assert unsaid(text, ["tool.pixi"], read_pixi("pyproject.toml", text)) == []


@given(st.text(max_size=60))
def test_whatever_a_file_says(text: str) -> None:
    for reader, _ in READERS.values():
        with suppress(ProjectError):
            assert reader("a", text).items == ()


if __name__ == "__main__":
    for each in CASES:
        (each / "items.txt").write_text(said(old_file(each)[1]), encoding="utf-8")
