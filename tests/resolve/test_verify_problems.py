"""What `verify` says of a row, from small locks: each problem, and where there is none."""

from __future__ import annotations

import tomllib

import pytest

from tests.support.checking import CATALOG
from tests.support.projects import WHL
from tests.support.pylocks import LINUX, MAC, TAGS, WINDOWS, Entry, cp, export
from torchconf.catalog import Answer
from torchconf.layout.selection import Selection
from torchconf.model.project import Project
from torchconf.model.pylock import Export
from torchconf.model.read_project import read_project
from torchconf.model.targets import Platform
from torchconf.resolve.table import Row
from torchconf.resolve.verify import Found, Verified, pythons_of, verify

PLAIN = Selection()
GPU = Selection(extras=("gpu",))
GPU_GROUP = Selection(groups=("gpu",))


def project(more: str = "", *, dependencies: str = '["torch>=2.4"]') -> Project:
    head = '[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.11"\n'
    return read_project(tomllib.loads(f"{head}dependencies = {dependencies}\n{more}"))


def row(
    backend: str | None = "cu130",
    platform: Platform = LINUX,
    selection: Selection = PLAIN,
    *,
    package: str = "torch",
    available: Answer = Answer.YES,
    reason: str | None = None,
) -> Row:
    return Row(package, platform.key, selection, selection.groups, None, backend, available, reason)


def wheel(
    version: str,
    *platforms: Platform,
    index: str | None = None,
    name: str = "torch",
    minors: tuple[int, ...] = (11, 12, 13),
) -> Entry:
    """Return a package that has a wheel for these platforms, and is for no other."""
    tags = tuple(cp(minor, TAGS[one]) for one in platforms for minor in minors)
    systems = " or ".join(f"sys_platform == '{one.sys_platform}'" for one in platforms)
    label = version.partition("+")[2]
    return Entry(version, tags, name, index or f"{WHL}/{label or 'cpu'}", systems)


def judged(
    rows: list[Row], *found: Found, whole: Project | None = None, python: str = "3.12"
) -> list[Verified]:
    return [*verify(rows, found, (python,), CATALOG, [whole or project()])]


def problem(one: Row, *entries: Entry, whole: Project | None = None) -> str | None:
    """Return what is said of a row when the lock has these packages."""
    (found,) = judged([one], Found(one.selection, export(*entries), None), whole=whole)
    return found.problem


# One row.


def test_what_is_locked_as_shown_has_no_problem() -> None:
    (found,) = judged([row()], Found(PLAIN, export(wheel("2.9.1+cu130", LINUX)), None))
    assert (found.problem, found.version, found.python) == (None, "2.9.1+cu130", "3.12")
    assert found.wheel == f"torch-2.9.1+cu130-{cp(12, TAGS[LINUX])}.whl"
    assert (found.row.backend, found.row.available) == ("cu130", Answer.YES)


@pytest.mark.parametrize(
    ("one", "entries", "words"),
    [
        (row("cu130"), [wheel("2.9.1+cpu", LINUX)], ("cu130", "cpu", "bug")),
        (row("cpu"), [wheel("2.9.1+cu130", LINUX)], ("cpu", "cu130", "bug")),
        (row("cu130"), [wheel("2.9.1+cu130", MAC)], ("cu130", "nothing", "bug")),
        (row(None), [wheel("2.9.1+cu130", MAC)], None),
        (row("cu130", reason="who knows"), [wheel("2.9.1+cu130", MAC)], None),
        (
            row("cu130"),
            [wheel("2.9.1+cpu", LINUX, index=f"{WHL}/cu130")],
            ("wrong build", "cu130", "2.9.1+cpu"),
        ),
        (row("cpu"), [wheel("2.9.1", LINUX)], None),
        (row("pypi"), [wheel("2.9.1", LINUX, index="https://packages.example.org/simple")], None),
    ],
)  # fmt: skip
def test_a_row_is_compared_with_the_lock(
    one: Row, entries: list[Entry], words: tuple[str, ...] | None
) -> None:
    said = problem(one, *entries)
    assert (said is None) is (words is None)
    for word in words or ():
        assert word in str(said)


@pytest.mark.parametrize(
    ("selection", "available", "foreseen"),
    [
        (GPU, Answer.NO, True),
        (GPU_GROUP, Answer.NO, True),
        (GPU, Answer.YES, False),
        (GPU, Answer.UNKNOWN, False),
        (PLAIN, Answer.NO, False),
    ],
)
def test_a_missing_wheel_is_foreseen_where_show_says_so_of_a_build_that_was_chosen(
    selection: Selection, available: Answer, *, foreseen: bool
) -> None:
    one = row("cu130", MAC, selection, available=available)
    entry = wheel("2.9.1+cu130", LINUX)._replace(marker=None)
    (found,) = judged([one], Found(selection, export(entry), None))
    assert found.is_foreseen is foreseen
    assert found.row.available is Answer.NO
    assert found.wheel is None
    for word in ("no wheel", "torch 2.9.1+cu130", "macos-arm64", "3.12"):
        assert word in str(found.problem)


def test_a_choice_that_uv_refuses_says_why_in_each_row() -> None:
    found = judged([row(), row("cpu", MAC)], Found(PLAIN, None, "uv says no"))
    assert [one.problem for one in found] == ["uv says no"] * 2
    assert {(one.row.backend, one.row.available) for one in found} == {(None, Answer.NO)}


def test_a_python_that_the_lock_leaves_out_is_a_problem() -> None:
    lock = export(wheel("2.9.1+cu130", LINUX), head='requires-python = ">=3.13"')
    (found,) = judged([row()], Found(PLAIN, lock, None))
    assert "3.12" in str(found.problem)
    assert not found.is_foreseen
    (nothing,) = judged([row(None)], Found(PLAIN, lock, None))
    assert nothing.is_foreseen, "show says, too, that nothing is installed"


def test_a_row_is_judged_by_the_lock_of_its_own_choice() -> None:
    """A row of another choice has another lock; without one it is left out."""
    plain = Found(PLAIN, export(wheel("2.9.1+cpu", LINUX)), None)
    gpu = Found(GPU, export(wheel("2.9.1+cu130", LINUX)), None)
    rows = [row("cpu"), row("cu130", selection=GPU)]
    assert [one.problem for one in judged(rows, plain, gpu)] == [None, None]
    assert [one.problem for one in judged(rows, gpu, plain)] == [None, None]
    assert [one.row.selection for one in judged(rows, gpu)] == [GPU]


def test_what_comes_from_a_repository_is_of_no_index() -> None:
    vcs = 'vcs = { type = "git", url = "https://h/torch", commit-id = "abc" }'
    (found,) = judged(
        [row("pypi")], Found(PLAIN, export(Entry("2.9.1", (), registry=None, more=vcs)), None)
    )
    assert (found.problem, found.row.backend, found.row.index_name) == (None, "pypi", None)


def test_the_name_of_an_index_is_that_of_the_file() -> None:
    index = f'[[tool.uv.index]]\nname = "mine"\nurl = "{WHL}/cu130/"\nexplicit = true\n'
    lock = Found(PLAIN, export(wheel("2.9.1+cu130", LINUX)), None)
    (found,) = judged([row()], lock, whole=project(index))
    assert found.row.index_name == "mine"


def test_a_row_is_data_with_what_was_found_and_without_show_s_doubts() -> None:
    (found,) = judged(
        [row(reason="doubt")], Found(PLAIN, export(wheel("2.9.1+cu130", LINUX)), None)
    )
    data = found.data()
    assert "reason" not in data
    assert (data["python"], data["version"], data["problem"]) == ("3.12", "2.9.1+cu130", None)


# Rows beside each other.

OLD, NEW = wheel("2.8.0+cu128", LINUX), wheel("2.9.1+cpu", WINDOWS)
BOTH = [row("cu128"), row("cpu", WINDOWS)]


def problems(whole: Project, *entries: Entry, rows: list[Row] | None = None) -> list[str | None]:
    rows = BOTH if rows is None else rows
    choices = dict.fromkeys(one.selection for one in rows)
    found = [Found(selection, export(*(entries or (OLD, NEW))), None) for selection in choices]
    return [one.problem for one in judged(rows, *found, whole=whole)]


def test_a_platform_that_lags_is_told() -> None:
    lagging, newest = problems(project())
    assert newest is None
    for word in ("2.8.0", "2.9.1"):
        assert word in str(lagging)
    assert problems(project(), wheel("2.9.1+cu128", LINUX), NEW) == [None, None]


@pytest.mark.parametrize(
    ("more", "dependencies", "is_meant"),
    [
        ("", '["torch>=2.4"]', False),
        ("", '["torch>=2.4,<2.9"]', True),
        ("", '["torch==2.8.0"]', True),
        ("", '["torch>=2.4,<2.9.1"]', True),
        ("", '["torch>=2.4,<=2.9.1"]', False),
        ("", '["numpy<2"]', False),
        ('[tool.uv]\nconstraint-dependencies = ["torch<2.9"]\n', '["torch"]', True),
        ('[tool.uv]\nconstraint-dependencies = ["torch<2.10"]\n', '["torch"]', False),
        ('[tool.uv]\nconstraint-dependencies = ["numpy<2"]\n', '["torch"]', False),
        ('[dependency-groups]\ngpu = ["torch<2.9"]\n', '["torch"]', False),
        ('[project.optional-dependencies]\ngpu = ["torch<2.9"]\n', '["torch"]', False),
    ],
)
def test_a_platform_may_lag_where_the_project_asks_for_just_that(
    more: str, dependencies: str, *, is_meant: bool
) -> None:
    lagging, _ = problems(project(more, dependencies=dependencies))
    assert (lagging is None) is is_meant


@pytest.mark.parametrize(
    ("selection", "table"),
    [(GPU, "[project.optional-dependencies]"), (GPU_GROUP, "[dependency-groups]")],
)
def test_what_a_choice_requires_is_meant_for_its_rows_only(
    selection: Selection, table: str
) -> None:
    whole = project(f'{table}\ngpu = ["torch<2.9"]\nother = ["torch<2.5"]\n', dependencies="[]")
    rows = [*BOTH, row("cu128", selection=selection)]
    lagging, newest, chosen = problems(whole, rows=rows)
    assert "2.8.0" in str(lagging), "plain `uv sync` does not choose it"
    assert (newest, chosen) == (None, None)


def test_other_pythons_are_not_elsewhere() -> None:
    old = wheel("2.8.0+cu128", LINUX, minors=(11,))._replace(marker="python_version < '3.12'")
    new = wheel("2.9.1+cu128", LINUX, minors=(12,))._replace(marker="python_version >= '3.12'")
    found = Found(PLAIN, export(old, new), None)
    rows = verify([row("cu128")], [found], ("3.11", "3.12"), CATALOG, [project()])
    assert [(one.version, one.problem) for one in rows] == [
        ("2.8.0+cu128", None),
        ("2.9.1+cu128", None),
    ]


PYPI = "https://packages.example.org/simple"


@pytest.mark.parametrize(
    ("companion", "platform", "words"),
    [
        (wheel("0.24.1+cu130", LINUX, name="torchvision"), LINUX, None),
        (
            wheel("0.23.0+cu130", LINUX, name="torchvision"),
            LINUX,
            ("torchvision 0.23.0", "torch 2.9.1"),
        ),
        (
            wheel("0.24.1", LINUX, name="torchvision", index=PYPI),
            LINUX,
            ("PyPI", "cu130"),
        ),
        (wheel("99.0+cu130", LINUX, name="torchvision"), LINUX, None),
    ],
)
def test_a_companion_fits_the_torch_beside_it(
    companion: Entry, platform: Platform, words: tuple[str, ...] | None
) -> None:
    label = companion.version.partition("+")[2] or "pypi"
    rows = [row("cu130", platform), row(label, platform, package="torchvision")]
    torch, beside = problems(project(), wheel("2.9.1+cu130", LINUX), companion, rows=rows)
    assert torch is None
    assert (beside is None) is (words is None), beside
    for word in words or ():
        assert word in str(beside)


def test_a_mac_takes_companions_from_pypi() -> None:
    rows = [row("cpu", MAC), row("pypi", MAC, package="torchvision")]
    vision = wheel("0.24.1", MAC, name="torchvision", index=PYPI)
    assert problems(project(), wheel("2.9.1", MAC), vision, rows=rows) == [None, None]


# Which Pythons.


def lock_of(*minors: int) -> Export:
    return export(wheel("2.9.1+cu130", LINUX, minors=minors))


@pytest.mark.parametrize(
    ("python", "lock", "first", "last"),
    [
        (">=3.11", lock_of(11, 12, 13), "3.11", "3.13"),
        (">=3.12", lock_of(11, 12, 13), "3.12", "3.13"),
        (">=3.11,<3.13", lock_of(11, 12, 13), "3.11", "3.12"),
        (">=3.11,<=3.13", lock_of(11, 12), "3.11", "3.13"),
        (">=3.11", lock_of(11), "3.11", "3.11"),
    ],
)
def test_an_open_range_ends_with_the_newest_python_that_has_wheels(
    python: str, lock: Export, first: str, last: str
) -> None:
    text = f'[project]\nname = "demo"\nversion = "1"\nrequires-python = "{python}"\n'
    whole = read_project(tomllib.loads(text))
    found = pythons_of(whole, CATALOG, [Found(PLAIN, lock, None)], (LINUX,))
    assert (found[0], found[-1]) == (first, last)
