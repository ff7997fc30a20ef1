"""The view of one pyproject.toml: every spelling, every malformed shape, and no traceback."""

from __future__ import annotations

import copy
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.odd_values import ANYTHING, WHOLE, places
from torchconf.errors import ProjectError
from torchconf.model.project import Item, Project, flatten_group
from torchconf.model.read_project import read_project

NAMED = '[project]\nname = "demo"\n'


def read(text: str, root: Project | None = None) -> Project:
    """Read TOML."""
    return read_project(tomllib.loads(text), root=root)


# What must be accepted.


@pytest.mark.parametrize(
    "text",
    [
        "",
        NAMED,
        '[dependency-groups]\ndev = ["rich"]',
        '[tool.uv.workspace]\nmembers = ["packages/*"]',
        "[tool.other]\nuv = 1",
        NAMED + "[tool.uv]\nsomething-new = { a = 1 }",
        NAMED + '[[tool.uv.index]]\nurl = "https://h"\nunknown = true',
        NAMED + "dependencies = [\"torch @ https://h/torch-2-py3-none-any.whl ; os_name == 'nt'\"]",
        NAMED + '[tool.uv.sources]\nlib = { git = "https://h/lib", rev = "1", path = "sub" }',
        NAMED + "[tool.uv.sources]\npart = { workspace = true }",
        NAMED + "[tool.uv]\nenvironments = \"sys_platform == 'linux'\"",
        NAMED + '[tool.uv]\ndefault-groups = "all"',
        NAMED + "[tool.uv]\nconflicts = []",
        NAMED + "[dependency-groups]\nempty = []",
        NAMED
        + """[tool.uv]
        exclude-dependencies = ["a", { package = { name = "b" }, dependencies = ["torch"] }]
        override-dependencies = [{ package = { name = "b" }, dependencies = ["c>1"] }]
        """,
    ],
)
def test_accepted(text: str) -> None:
    read(text)


SPELLINGS = [
    """
    [tool.uv]
    conflicts = [[{ extra = "cpu" }, { group = "CU_130" }]]
    [tool.uv.sources]
    Torch = { index = "Pytorch", extra = "CPU" }
    [[tool.uv.index]]
    name = "Pytorch"
    url = "https://h/whl/cpu/"
    explicit = true
    """,
    """
    [tool]
    uv.conflicts = [[{ package = "Demo", extra = "cpu" }, { group = "cu.130" }]]
    uv.index = [{ name = "Pytorch", url = "https://h/whl/cpu/", explicit = true }]
    uv.sources.torch = [{ index = "Pytorch", extra = "cpu" }]
    """,
    """
    [[tool.uv.sources.torch]]
    index = "Pytorch"
    extra = "cpu"
    [[tool.uv.index]]
    "name" = 'Pytorch'
    url = "https://h/whl/cpu/"
    explicit = true
    [tool.uv]
    conflicts = [[{ "extra" = "cpu" }, { package = "demo", group = "cu-130" }]]
    """,
]


@pytest.mark.parametrize("spelling", SPELLINGS, ids=["tables", "dotted", "arrays of tables"])
def test_every_spelling_is_one(spelling: str) -> None:
    project = read(NAMED + spelling)
    (source,) = project.sources_for(project.sources.keys().__iter__().__next__())
    assert (source.package, source.index, source.extra) == ("torch", "Pytorch", "cpu")
    (index,) = project.indexes
    assert (index.name, index.url, index.explicit) == ("Pytorch", "https://h/whl/cpu/", True)
    assert set(project.conflicts[0].items) == {
        Item(project.name or source.package, "extra", source.extra),
        Item(project.name or source.package, "group", project.conflicts[0].items[1].name),
    }
    assert project.conflicts[0].items[1].name == "cu-130"


def test_places_are_paths_into_the_file() -> None:
    project = read("""
    [project]
    name = "demo"
    dependencies = ["rich", "torch"]
    optional-dependencies."cu13.0" = ["torch>=2"]
    [dependency-groups]
    dev = ["pytest", { include-group = "lint" }]
    lint = ["ruff"]
    [tool.uv]
    constraint-dependencies = ["torch<3"]
    sources.torch = [{ index = "a", extra = "cu13-0" }, { index = "b", group = "dev" }]
    index = [{ name = "a", url = "https://h" }]
    """)
    extra = next(iter(project.extras.values()))
    assert project.dependencies[1].at == "project.dependencies[1]"
    assert (extra.name, extra.written) == ("cu13-0", "cu13.0")
    assert extra.requirements[0].at == 'project.optional-dependencies."cu13.0"[0]'
    group = next(iter(project.groups.values()))
    assert group.includes[0].at == "dependency-groups.dev[1]"
    assert [one.raw for one in flatten_group(project, group.name)] == ["pytest", "ruff"]
    assert project.constraint_dependencies[0].at == "tool.uv.constraint-dependencies[0]"
    sources = next(iter(project.sources.values()))
    assert [source.at for source in sources] == [
        "tool.uv.sources.torch[0]",
        "tool.uv.sources.torch[1]",
    ]
    assert project.indexes[0].at == "tool.uv.index[0]"
    assert project.place(sources[1].at) == "pyproject.toml, tool.uv.sources.torch[1]"


def test_requirement_is_taken_apart() -> None:
    raw = "Torch_Vision[Image, IO]>=0.20,<1 ; sys_platform == 'linux'"
    project = read(f'{NAMED}dependencies = ["{raw}"]')
    (requirement,) = project.dependencies
    assert requirement.name == "torch-vision"
    assert requirement.extras == ("image", "io")
    assert "0.21" in requirement.specifier
    assert str(requirement.marker) == 'sys_platform == "linux"'
    assert requirement.raw == raw


def test_member_has_sources_and_indexes_of_its_root() -> None:
    root = read("""
    [tool.uv.workspace]
    members = ["part"]
    [tool.uv.sources]
    torch = { index = "shared" }
    rich = { index = "shared" }
    [[tool.uv.index]]
    name = "shared"
    url = "https://root"
    """)
    member = read(
        """
    [project]
    name = "part"
    [tool.uv.sources]
    rich = { path = "../rich" }
    """,
        root,
    )
    torch, rich = root.sources
    assert [source.index for source in member.sources_for(torch)] == ["shared"]
    assert [source.kind for source in member.sources_for(rich)] == ["path"]
    index = member.index_named("shared")
    assert index is not None
    assert index.url == "https://root"
    assert member.workspace is root
    assert not root.has_project
    assert root.name is None


def test_older_dev_dependencies_are_the_group_dev() -> None:
    project = read(
        NAMED + '[tool.uv]\ndev-dependencies = ["pytest"]\n[dependency-groups]\ndev = ["ruff"]'
    )
    (group,) = project.groups.values()
    assert [one.raw for one in group.requirements] == ["ruff", "pytest"]


def test_undefined_default_groups_are_not_an_empty_list() -> None:
    assert read(NAMED).default_groups is None
    assert read(NAMED + "[tool.uv]\ndefault-groups = []").default_groups == ()


def test_view_is_read_only() -> None:
    project = read(NAMED)
    with pytest.raises(AttributeError, match="read-only"):
        project.name = None  # type: ignore[misc]  # that it is refused is the point


# What is malformed.


@pytest.mark.parametrize(
    ("text", "at", "words"),
    [
        ("project = 1", "project", "expected a table, found a number"),
        ("[project]\nversion = '1'", "project", "no `name`"),
        ("[project]\nname = 1", "project.name", "expected a string, found a number"),
        ("[project]\nname = '-x'", "project.name", "not a valid name"),
        ("[project]\nname = ''", "project.name", "not a valid name"),
        ("dependencies = 'torch'", "project.dependencies", "expected an array"),
        ("dependencies = [1]", "project.dependencies[0]", "expected a string"),
        ("dependencies = ['torch >> 2']", "project.dependencies[0]", "not a valid requirement"),
        (
            "dependencies = ['torch ; os == 1']",
            "project.dependencies[0]",
            "not a valid requirement",
        ),
        ("optional-dependencies = []", "project.optional-dependencies", "expected a table"),
        ("optional-dependencies.a = 'x'", "project.optional-dependencies.a", "expected an array"),
        (
            "optional-dependencies = { a_b = [], a-b = [] }",
            "project.optional-dependencies.a-b",
            "`a-b` and `a_b` are the same name",
        ),
        ("requires-python = '^3.11'", "project.requires-python", "not a valid version specifier"),
        ("requires-python = 3.11", "project.requires-python", "expected a string, found a number"),
        ("dynamic = 'version'", "project.dynamic", "expected an array"),
        ("[tool]\nuv = []", "tool.uv", "expected a table, found an array"),
        ("[dependency-groups]\ng = 'x'", "dependency-groups.g", "expected an array"),
        ("[dependency-groups]\ng = [{ a = 1 }]", "dependency-groups.g[0]", "include-group"),
        (
            "[dependency-groups]\ng = [{ include-group = 1 }]",
            "dependency-groups.g[0].include-group",
            "expected a string",
        ),
        ("[tool.uv]\nsources = []", "tool.uv.sources", "expected a table"),
        ("[tool.uv.sources]\ntorch = 'a'", "tool.uv.sources.torch", "expected an array of tables"),
        ("[tool.uv.sources]\ntorch = ['a']", "tool.uv.sources.torch[0]", "expected a table"),
        ("[tool.uv.sources]\ntorch = {}", "tool.uv.sources.torch", "empty table"),
        ("[tool.uv.sources]\ntorch = { index = 1 }", "tool.uv.sources.torch.index", "a string"),
        (
            "[tool.uv.sources]\ntorch = { index = 'a', marker = 'linux' }",
            "tool.uv.sources.torch.marker",
            "not a valid environment marker",
        ),
        (
            "[tool.uv.sources]\ntorch = { index = 'a', extra = ['x'] }",
            "tool.uv.sources.torch.extra",
            "expected a string, found an array",
        ),
        (
            "[tool.uv.sources]\npart = { workspace = 1 }",
            "tool.uv.sources.part.workspace",
            "expected true or false",
        ),
        ("[tool.uv.index]\nurl = 'https://h'", "tool.uv.index", "expected an array of tables"),
        ("[[tool.uv.index]]\nname = 'a'", "tool.uv.index[0]", "needs a `url`"),
        (
            "[[tool.uv.index]]\nurl = 'https://h'\nexplicit = 'yes'",
            "tool.uv.index[0].explicit",
            "expected true or false, found a string",
        ),
        (
            "[tool.uv]\nconflicts = [{ extra = 'a' }, { extra = 'b' }]",
            "tool.uv.conflicts[0]",
            "expected an array of tables, found a table",
        ),
        ("[tool.uv]\nconflicts = [['a']]", "tool.uv.conflicts[0][0]", "expected a table"),
        (
            "[tool.uv]\nconflicts = [[{ name = 'a' }]]",
            "tool.uv.conflicts[0][0]",
            "names an `extra`",
        ),
        (
            "[tool.uv]\nconflicts = [[{ extra = 'a', group = 'a' }]]",
            "tool.uv.conflicts[0][0]",
            "not both",
        ),
        ("[tool.uv]\nenvironments = ['linux']", "tool.uv.environments[0]", "environment marker"),
        (
            "[tool.uv]\ndefault-groups = 'dev'",
            "tool.uv.default-groups",
            "an array of names or `all`",
        ),
        ("[tool.uv]\ndefault-groups = [1]", "tool.uv.default-groups[0]", "expected a string"),
        ("[tool.uv]\npackage = 'no'", "tool.uv.package", "expected true or false"),
        ("[tool.uv]\nworkspace = true", "tool.uv.workspace", "expected a table, found a boolean"),
        ("[tool.uv]\nindex-url = 2024-01-01", "tool.uv.index-url", "found a date or time"),
    ],
)
def test_malformed(text: str, at: str, words: str) -> None:
    head = "" if text.startswith(("project", "[project]")) else NAMED
    with pytest.raises(ProjectError) as caught:
        read(f"{head}{text}")
    assert caught.value.at == f"pyproject.toml, {at}"
    assert words in caught.value.message


def test_conflict_without_a_project_must_name_its_package() -> None:
    with pytest.raises(ProjectError, match="must name its `package`"):
        read("[tool.uv]\nconflicts = [[{ extra = 'a' }, { extra = 'b' }]]")


def test_all_problems_are_found_in_one_reading() -> None:
    text = NAMED + "dependencies = ['!', 'rich', 1]\n[tool.uv]\npackage = 1"
    with pytest.raises(ProjectError) as caught:
        read(text)
    assert [str(one.at).partition(", ")[2] for one in (caught.value, *caught.value.others)] == [
        "project.dependencies[0]",
        "project.dependencies[2]",
        "tool.uv.package",
    ]


def test_lenient_reading_leaves_out_what_is_malformed() -> None:
    problems: list[ProjectError] = []
    data = tomllib.loads(NAMED + "dependencies = ['!', 'rich', 1]")
    project = read_project(data, problems=problems)
    assert [one.raw for one in project.dependencies] == ["rich"]
    assert len(problems) == 2


# Nothing but a ProjectError, whatever the data.


@given(place=st.sampled_from(places(WHOLE)[1:]), value=ANYTHING)
def test_any_value_in_any_place_gives_a_view_and_problems_with_places(
    place: tuple[Any, ...], value: object
) -> None:
    data = copy.deepcopy(WHOLE)
    inner: Any = data
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    problems: list[ProjectError] = []
    read_project(data, problems=problems)
    assert all(str(problem.at).startswith("pyproject.toml, ") for problem in problems)


def test_the_whole_example_is_sound() -> None:
    project = read_project(WHOLE)
    assert project.is_workspace_root
    assert project.has_build_system
    assert project.package is False


# What plain `uv sync` installs.


@pytest.mark.parametrize(
    ("written", "groups", "installed"),
    [
        ("", "dev = []\ncpu = []", ("dev",)),
        ("", "cpu = []", ()),
        ("default-groups = []", "dev = []", ()),
        ('default-groups = "all"', "dev = []\ncpu = []", ("dev", "cpu")),
        ('default-groups = ["CPU", "dev"]', "dev = []\ncpu = []\ngpu = []", ("dev", "cpu")),
        ('default-groups = ["gone"]', "dev = []", ()),
    ],
)
def test_installed_groups(written: str, groups: str, installed: tuple[str, ...]) -> None:
    project = read(f"[tool.uv]\n{written}\n[dependency-groups]\n{groups}")
    assert project.installed_groups() == installed
    assert {name for name in project.groups if project.is_default_group(name)} == set(installed)


def test_a_group_that_is_not_there_yet_can_be_a_default_one() -> None:
    assert read("").is_default_group("dev")
    assert read('[tool.uv]\ndefault-groups = ["gone"]').is_default_group("gone")
    assert not read('[tool.uv]\ndefault-groups = "all"').is_default_group("dev")
