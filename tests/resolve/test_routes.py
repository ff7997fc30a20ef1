"""The routing rule against what uv 0.13.9 did: recorded cases, and the rule's worked examples."""

from __future__ import annotations

import copy
import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.odd_values import ANYTHING, WHOLE, places
from tests.support.paths import CASES
from tests.support.routing import PYPI, choice, label, machine
from torchconf.errors import RequestError
from torchconf.model.project import Project
from torchconf.model.read_project import read_project
from torchconf.resolve.routes import Routes, routes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torchconf.model.project import Index

# What the recorded runs know: packages of the mock index, and what they need.
NEEDS = {
    name: frozenset({"torch"})
    for name in (
        "accelerate", "efficientnet-pytorch", "sentence-transformers", "torchaudio", "torchmetrics",
        "torchvision",
    )
}  # fmt: skip


def read(folder: Path, root: Project | None = None) -> Project:
    """Read a pyproject.toml."""
    return read_project(tomllib.loads((folder / "pyproject.toml").read_text()), root=root)


def routes_of(folder: Path) -> Routes:
    """Work out a folder, with the members and the path libraries that lie in it."""
    project = read(folder)
    places = [place for name in project.workspace_members for place in folder.glob(name)]
    members = [read(place, project) for place in places]
    libraries = {
        os.path.normpath(source.value): read(folder / source.value)
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
        if row.get(package) == "no wheel":
            assert answer(package) not in {"absent", "pypi"}
        elif package in row:
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


@pytest.mark.parametrize(
    ("folder", "words"),
    [
        ("016-groups-declared-but-sources-say-extra", "extra `cpu` is not defined"),
        ("017-three-cuda-extras-no-conflicts", "conflicting indexes for `torch`"),
        ("031-library-source-leaks-into-consumer", "conflicting indexes for `torch`"),
        ("005-index-only-in-user-uv-toml", "index `pytorch-mirror`, which is not defined"),
    ],
)
def test_lock_fails_for_a_reason_of_routing(folder: str, words: str) -> None:
    error = routes_of(CASES / folder).error
    assert error is not None
    assert words in error.message
    assert str(error.at).startswith("pyproject.toml, tool.uv.sources.torch")


def test_no_other_case_fails_to_lock() -> None:
    failing = {
        str(path.parent.relative_to(CASES))[:3]
        for path in CASES.glob("*/**/pyproject.toml")
        if path.parent.name not in ("lib", "a") and routes_of(path.parent).error
    }
    assert failing == {"005", "016", "017", "031"}


# The worked examples of the rule. Each project routes torch to the indexes `a`, `b` and `c`.

INDEXES = "\n".join(
    f'[[tool.uv.index]]\nname = "{name}"\nurl = "https://download.pytorch.org/whl/{name}"\n'
    "explicit = true"
    for name in "abc"
)
LINUX, WINDOWS, MACOS = "linux-x86_64", "windows-x86_64", "macos-arm64"


def demo(text: str, **libraries: str) -> Routes:
    """Work out a project given as TOML: `[project]` keys first, then other tables."""
    head = '[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.11"\n'
    data = tomllib.loads(f"{head}{text}\n{INDEXES}")
    read_libraries = {
        name: read_project(tomllib.loads(library), at=f"{name}/pyproject.toml")
        for name, library in libraries.items()
    }
    return routes(read_project(data), libraries=read_libraries, needs=NEEDS)


def torch(found: Routes, platform: str, select: str = "", package: str = "torch") -> str:
    """Return the index of torch, in one word."""
    return label(found.row(package, machine(platform), choice(select)))


BASE = 'dependencies = ["torch"]\n'
EXTRAS = """
[project.optional-dependencies]
cpu = ["torch"]
cuda = ["torch"]
"""
SCOPED = (
    EXTRAS
    + """
[tool.uv.sources]
torch = [{ index = "a", extra = "cpu" }, { index = "b", extra = "cuda" }]
"""
)
# On Linux only: the marker is on the source, not on the requirement.
GATED = (
    EXTRAS
    + """
[tool.uv.sources]
torch = [
  { index = "a", extra = "cpu", marker = "sys_platform == 'linux'" },
  { index = "b", extra = "cuda", marker = "sys_platform == 'linux'" },
]
"""
)
ONE_SET = '\n[tool.uv]\nconflicts = [[{ extra = "cpu" }, { extra = "cuda" }]]\n'


def test_unmarked_base_with_one_marked_source_splits() -> None:
    source = "[tool.uv.sources]\ntorch = { index = 'a', marker = \"sys_platform == 'linux'\" }"
    found = demo(BASE + source)
    assert (torch(found, LINUX), torch(found, MACOS)) == ("a", PYPI)


def test_one_scoped_source_without_a_conflict_serves_everybody() -> None:
    extra = '[project.optional-dependencies]\nx = ["torch"]\n'
    found = demo(BASE + extra + '[tool.uv.sources]\ntorch = { index = "a", extra = "x" }')
    assert torch(found, LINUX) == torch(found, LINUX, "--extra x") == "a"


def test_two_scoped_sources_without_a_conflict_fail_with_and_without_base() -> None:
    assert "conflicting indexes" in torch(demo(BASE + SCOPED), LINUX)
    assert "conflicting indexes" in torch(demo(SCOPED), LINUX)


def test_platform_marker_of_a_scoped_source_is_void_where_base_has_the_package() -> None:
    found = demo(BASE + GATED + ONE_SET)
    assert torch(found, MACOS, "--extra cuda") == "b"


def test_environments_cut_by_the_markers_of_the_sources_narrow_the_fork_in_time() -> None:
    cells = "environments = [\"sys_platform == 'linux'\", \"sys_platform != 'linux'\"]"
    found = demo(BASE + GATED + ONE_SET + cells)
    assert torch(found, LINUX, "--extra cuda") == "b"
    assert torch(found, MACOS, "--extra cuda") == PYPI


def test_base_requirement_split_by_the_markers_of_the_sources_does_too() -> None:
    base = (
        "dependencies = [\"torch ; sys_platform == 'linux'\", \"torch ; sys_platform != 'linux'\"]"
    )
    found = demo(base + GATED + ONE_SET)
    assert torch(found, LINUX, "--extra cuda") == "b"
    assert torch(found, MACOS, "--extra cuda") == PYPI


def test_two_gated_sources_for_one_extra_fail_where_base_has_the_package() -> None:
    sources = """
    [tool.uv.sources]
    torch = [
      { index = "a", extra = "cpu" },
      { index = "b", extra = "cuda", marker = "sys_platform == 'linux'" },
      { index = "c", extra = "cuda", marker = "sys_platform != 'linux'" },
    ]
    """
    assert "conflicting indexes" in torch(demo(BASE + EXTRAS + sources + ONE_SET), LINUX)
    assert torch(demo(EXTRAS + sources + ONE_SET), MACOS, "--extra cuda") == "c"


def test_complete_set_leaves_bare_sync_to_pypi() -> None:
    found = demo(BASE + SCOPED + ONE_SET)
    assert torch(found, LINUX) == PYPI
    assert torch(found, LINUX, "--extra cuda") == "b"


THREE = """
dependencies = ["torch"]
[project.optional-dependencies]
x = ["torch"]
y = ["torch"]
z = ["torch"]
[tool.uv.sources]
torch = [
  { index = "a", extra = "x" },
  { index = "b", extra = "y" },
  { index = "c", extra = "z" },
]
[tool.uv]
"""


def test_pairs_instead_of_one_set_give_bare_sync_the_index_of_an_extra() -> None:
    pairs = """conflicts = [
      [{ extra = "x" }, { extra = "y" }],
      [{ extra = "x" }, { extra = "z" }],
      [{ extra = "y" }, { extra = "z" }],
    ]"""
    one_set = 'conflicts = [[{ extra = "x" }, { extra = "y" }, { extra = "z" }]]'
    assert torch(demo(THREE + pairs), LINUX) == "c"
    assert torch(demo(THREE + one_set), LINUX) == PYPI


def test_alias_of_a_routed_extra_comes_from_pypi() -> None:
    alias = SCOPED.replace('cuda = ["torch"]', 'cuda = ["torch"]\ngpu = ["demo[cuda]"]')
    found = demo(alias + ONE_SET)
    assert torch(found, LINUX, "--extra gpu") == PYPI
    assert torch(found, LINUX, "--extra cuda") == "b"


GROUPS = """
dependencies = []
[dependency-groups]
one = ["torch"]
two = ["torch"]
wide = [{ include-group = "one" }]
[tool.uv.sources]
torch = { index = "a", group = "one" }
"""


def test_group_that_includes_a_routed_one_is_routed_only_without_a_conflict() -> None:
    found = demo(GROUPS)
    assert torch(found, LINUX, "--group wide") == "a"
    conflict = '[tool.uv]\nconflicts = [[{ group = "one" }, { group = "two" }]]'
    found = demo(GROUPS + conflict)
    assert torch(found, LINUX, "--group one") == "a"
    assert torch(found, LINUX, "--group wide") == PYPI
    assert "incompatible" in torch(found, LINUX, "--group wide --group two")


def test_group_and_one_that_it_includes_in_one_conflict_make_a_lock_nobody_can_read() -> None:
    found = demo(GROUPS + '[tool.uv]\nconflicts = [[{ group = "one" }, { group = "wide" }]]')
    assert "cannot read" in torch(found, LINUX)


def test_unscoped_source_next_to_a_scoped_one_fails_unless_their_markers_differ() -> None:
    extra = '[project.optional-dependencies]\nx = ["torch"]\n[tool.uv.sources]\n'
    apart = (
        "torch = [{ index = 'a', marker = \"sys_platform == 'linux'\" },"
        " { index = 'b', extra = 'x', marker = \"sys_platform != 'linux'\" }]"
    )
    together = "torch = [{ index = 'a' }, { index = 'b', extra = 'x' }]"
    assert "conflicting indexes" in torch(demo(extra + together), LINUX, "--extra x")
    found = demo(extra + apart)
    assert torch(found, LINUX, "--extra x") == "a"
    assert torch(found, MACOS, "--extra x") == "b"


def test_base_package_that_needs_torch_takes_it_from_pypi_outside_the_extras() -> None:
    needs = 'dependencies = ["accelerate"]\n'
    found = demo(needs + SCOPED + ONE_SET)
    assert (torch(found, LINUX), torch(found, LINUX, "--extra cpu")) == (PYPI, "a")
    assert found.row("torch", machine(LINUX)).needed_by == {"accelerate"}


def test_constraint_with_a_specifier_pins_everywhere_and_one_without_nowhere() -> None:
    unscoped = (
        'dependencies = ["accelerate"]\n[tool.uv.sources]\ntorch = { index = "a" }\n[tool.uv]\n'
    )
    assert torch(demo(unscoped), LINUX) == PYPI
    assert torch(demo(unscoped + 'constraint-dependencies = ["torch"]'), LINUX) == PYPI
    assert torch(demo(unscoped + 'constraint-dependencies = ["torch>=2"]'), LINUX) == "a"


def test_marked_requirement_next_to_an_unmarked_transitive_one_goes_to_everybody() -> None:
    text = """
    dependencies = ["torch ; sys_platform == 'linux'", "torchmetrics"]
    [tool.uv.sources]
    torch = { index = "a" }
    """
    assert torch(demo(text), MACOS) == "a"
    assert torch(demo(text.replace(', "torchmetrics"', "")), MACOS) == "absent"


LIBRARY = f"""
[project]
name = "lib"
version = "1"
dependencies = ["torch"]
[tool.uv.sources]
torch = {{ index = "b" }}
{INDEXES}
"""


def test_source_of_a_library_by_path_reaches_the_project() -> None:
    text = """
    dependencies = ["lib", "torch"]
    [tool.uv.sources]
    lib = { path = "./lib" }
    """
    assert torch(demo(text, lib=LIBRARY), LINUX) == "b"
    assert "conflicting indexes" in torch(
        demo(text + 'torch = { index = "a" }', lib=LIBRARY), LINUX
    )
    assert demo(text).row("torch", machine(LINUX)).doubt


def test_group_that_asks_for_an_extra_switches_it_on() -> None:
    group = '[dependency-groups]\ndev = ["demo[cuda]"]\n'
    found = demo(group + SCOPED + ONE_SET)
    assert torch(found, LINUX) == "b"
    assert torch(found, LINUX, "--extra cpu").startswith("unknown")
    assert torch(found, LINUX, "--extra cpu --no-group dev") == "a"


# What else a row can say.


def test_two_spellings_of_one_url_are_two_indexes() -> None:
    text = BASE + SCOPED.replace('index = "b"', 'index = "slash"')
    slash = '[[tool.uv.index]]\nname = "slash"\nurl = "https://download.pytorch.org/whl/a/"\n'
    assert "conflicting indexes" in torch(demo(text + slash + "explicit = true"), LINUX)


def test_pythons_with_different_answers_are_told_apart() -> None:
    source = "[tool.uv.sources]\ntorch = { index = 'a', marker = \"python_version < '3.13'\" }"
    route = demo(BASE + source).row("torch", machine(LINUX))
    assert route.kind == "varies"
    assert [(python, label(one)) for python, one in route.by_python] == [
        (">=3.11,<3.13", "a"),
        (">=3.13", PYPI),
    ]


def answering(answer: bool | None) -> Callable[[Index, str], bool | None]:
    return lambda _index, _package: answer


def test_open_index_is_asked_in_order_and_can_leave_the_answer_unknown() -> None:
    text = '[project]\nname = "demo"\ndependencies = ["torch"]\n'
    text += '[[tool.uv.index]]\nname = "open"\nurl = "https://open.example.org/simple"\n'
    project = read_project(tomllib.loads(text))
    for carried, kind, name in (
        (True, "index", "open"),
        (False, "index", None),
        (None, "unknown", None),
    ):
        found = routes(project, carries=answering(carried))
        route = found.row("torch", machine(LINUX))
        assert route.kind == kind
        assert (route.index and route.index.name) == name


def test_extra_indexes_are_asked_after_the_declared_and_before_the_default() -> None:
    text = '[project]\nname = "demo"\ndependencies = ["torch"]\n[tool.uv]\n'
    text += 'index-url = "https://h/default"\nextra-index-url = ["https://h/a", "https://h/b"]\n'
    declared = '[[tool.uv.index]]\nname = "declared"\nurl = "https://h/declared"\n'

    def answer(written: str, *having: str) -> str:
        def carries(index: Index, _package: str) -> bool:
            return index.url.rpartition("/")[2] in having

        return torch(routes(read_project(tomllib.loads(written)), carries=carries), LINUX)

    assert answer(text, "a", "b") == "a"
    assert answer(text, "b") == "b"
    assert answer(text) == "default"
    assert answer(text + declared, "declared", "a") == "declared"
    assert answer(text + declared, "b") == "b"


def test_default_index_serves_what_no_source_routes() -> None:
    text = BASE + '[tool.uv]\nindex-url = "https://mirror.example.org/all"'
    assert torch(demo(text), LINUX) == "all"


def test_package_by_url_or_path_comes_from_no_index() -> None:
    source = (
        '[tool.uv.sources]\ntorch = { url = "https://example.org/torch-2.9.1-py3-none-any.whl" }'
    )
    assert demo(BASE + source).row("torch", machine(LINUX)).kind == "direct"


def test_sources_of_several_kinds_make_the_answer_provisional() -> None:
    source = """[tool.uv.sources]
    torch = [
      { index = "a", marker = "sys_platform == 'linux'" },
      { url = "https://h/torch-2.9.1-py3-none-any.whl", marker = "sys_platform != 'linux'" },
    ]"""
    route = demo(BASE + source).row("torch", machine(LINUX))
    assert route.kind == "index"
    assert route.doubt == "`torch` has index sources and sources of other kinds"
    assert demo(BASE + source).row("torch", machine(MACOS)).kind == "direct"


GIT = """
dependencies = ["torch"]
[project.optional-dependencies]
more = ["timm"]
[tool.uv.sources]
torch = { index = "a", marker = "sys_platform == 'linux'" }
timm = { git = "https://example.org/timm" }
"""


def doubt(found: Routes, platform: str, select: str = "", package: str = "torch") -> str | None:
    """Return why an answer is provisional."""
    return found.row(package, machine(platform), choice(select)).doubt


def test_a_repository_that_nobody_read_makes_provisional_what_it_could_change() -> None:
    found = demo(GIT)
    assert torch(found, LINUX) == torch(found, LINUX, "--extra more") == "a"
    assert torch(found, MACOS) == PYPI
    assert doubt(found, LINUX) is None, "uv refuses a second index next to the one that is known"
    reason = "`timm` comes from a git repository, and its `tool.uv.sources` were not read"
    assert doubt(found, LINUX, "--extra more") == reason
    assert doubt(found, MACOS) == reason, "pins of source trees count for every choice"
    assert doubt(found, MACOS, package="torchaudio") is None, "plain `uv sync` does not reach it"
    assert doubt(found, MACOS, "--extra more", "torchaudio") == reason
    assert doubt(found, LINUX, "--extra more", "timm") is None


def test_a_library_with_dynamic_dependencies_may_bring_anything() -> None:
    text = BASE + "[tool.uv.sources]\nlib = { path = './lib' }"
    text = text.replace('"torch"', '"torch", "lib"')
    library = "[project]\nname = 'lib'\nversion = '1'\ndynamic = ['dependencies']"
    found = demo(text, lib=library)
    assert (torch(found, LINUX), doubt(found, LINUX)) == (PYPI, None)
    assert torch(found, LINUX, package="torchaudio").startswith(
        "unknown: the build backend of `lib`"
    )
    routed = f"{library}\n[tool.uv.sources]\ntorch = {{ index = 'a' }}\n{INDEXES}"
    assert (
        doubt(demo(text, lib=routed), LINUX)
        == "the build backend of `lib` computes its dependencies"
    )


def test_libraries_of_libraries_are_read() -> None:
    text = BASE.replace('"torch"', '"torch", "lib"') + "[tool.uv.sources]\nlib = { path = 'lib' }"
    library = """[project]
    name = "lib"
    version = "1"
    dependencies = ["core"]
    [tool.uv.sources]
    core = { path = "../core" }
    """
    core = f"""[project]
    name = "core"
    version = "1"
    dependencies = ["torch", "lib"]
    [tool.uv.sources]
    torch = {{ index = "b" }}
    lib = {{ path = "../lib" }}
    {INDEXES}"""
    found = demo(text, lib=library, core=core)
    assert (torch(found, LINUX), doubt(found, LINUX)) == ("b", None)
    alone = demo(text, lib=library)
    assert (torch(alone, LINUX), doubt(alone, LINUX)) == (
        PYPI, "`core` comes from `core`, and its `tool.uv.sources` were not read",
    )  # fmt: skip


def test_member_on_its_own_has_the_sources_of_its_root() -> None:
    folder = CASES / "042-workspace-root-owns-routing"
    member = read(folder / "a", read(folder))
    assert torch(routes(member), LINUX) == "cpu"


def test_absent_package_says_where_it_would_come_from() -> None:
    text = """
    dependencies = ["torch ; sys_platform == 'linux'"]
    [tool.uv.sources]
    torch = { index = "a" }
    """
    route = demo(text).row("torch", machine(MACOS))
    assert route.kind == "absent"
    assert route.index is not None
    assert route.index.name == "a"


def test_route_says_why() -> None:
    route = demo(BASE + SCOPED + ONE_SET).row("torch", machine(LINUX), choice("--extra cuda"))
    assert route.source is not None
    assert route.source.at == "tool.uv.sources.torch[1]"
    assert route.requirement is not None
    assert route.fork is not None
    assert {item.name for item in route.fork.included} == {"cuda"}


@pytest.mark.parametrize("select", ["--extra nope", "--group nope", "--package nope"])
def test_choice_of_what_does_not_exist_is_a_request_error(select: str) -> None:
    with pytest.raises(RequestError, match="nope"):
        demo(BASE).row("torch", machine(LINUX), choice(select))


@pytest.mark.parametrize(
    "text",
    [
        "dynamic = ['dependencies']",
        "[tool.uv]\nno-sources = true",
        "[tool.uv.dependency-groups]\ndev = { requires-python = '>=3.12' }",
        BASE
        + "[tool.uv]\nexclude-dependencies = "
        + "[{ package = { name = 'demo' }, dependencies = ['torchvision'] }]",
        BASE
        + "[tool.uv]\nindex-strategy = 'unsafe-best-match'\n"
        + "[[tool.uv.index]]\nname = 'open'\nurl = 'https://open.example.org'",
    ],
)
def test_what_the_rule_does_not_cover_is_unknown(text: str) -> None:
    assert torch(demo(text), LINUX, package="torchvision").startswith(("unknown", "absent"))
    route = demo(text).row("torchvision", machine(LINUX))
    assert route.reason


@pytest.mark.parametrize(
    ("package", "names", "is_known"),
    [("other", "torch", True), ("accelerate", "rich", True), ("accelerate", "torch", False)],
)
def test_what_one_package_does_not_need_matters_where_it_would_bring_torch(
    package: str, names: str, is_known: bool
) -> None:
    entry = f"{{ package = {{ name = '{package}' }}, dependencies = ['{names}'] }}"
    found = demo(f"dependencies = ['accelerate']\n[tool.uv]\nexclude-dependencies = [{entry}]")
    assert (found.doubt is None) is is_known
    assert (found.row("torch", machine(LINUX)).kind == "index") is is_known


def test_too_many_forks_leave_the_answer_unknown() -> None:
    names = [f"x{n}" for n in range(20)]
    text = "[project.optional-dependencies]\n" + "".join(f'{name} = ["rich"]\n' for name in names)
    pairs = ", ".join(
        f'[{{ extra = "{one}" }}, {{ extra = "{other}" }}]'
        for one, other in zip(names[::2], names[1::2], strict=True)
    )
    found = demo(f"{text}\n[tool.uv]\nconflicts = [{pairs}]")
    assert "the conflicts of this project have too many" in torch(found, LINUX)


def test_too_many_environments_leave_the_answer_unknown() -> None:
    facts = ", ".join(f"\"rich ; 'x{n}' in extras\"" for n in range(20))
    found = demo(f"dependencies = [{facts}]")
    assert "the markers of this project have too many" in torch(found, LINUX)


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ("[tool.uv]\ndefault-groups = ['nope']", "default group `nope` is not defined"),
        ("[tool.uv]\nconflicts = [[{ extra = 'x' }]]", "at least two"),
        ("[tool.uv]\nenvironments = [\"os_name == 'nt'\", \"sys_platform == 'win32'\"]", "overlap"),
        ("[dependency-groups]\ng = [{ include-group = 'nope' }]", "`nope`, which is not defined"),
        ("[dependency-groups]\ng = [{ include-group = 'g' }]", "includes itself"),
        ("[tool.uv.sources]\ntorch = []", "no source"),
        ("[tool.uv.sources]\ntorch = { index = 'nope' }", "index `nope`, which is not defined"),
        ("[tool.uv.sources]\ntorch = { extra = 'x', index = 'a' }", "extra `x` is not defined"),
        ("[tool.uv.sources]\ntorch = [{ index = 'a' }, { index = 'b' }]", "same environments"),
        ("[tool.uv.sources]\ntorch = { index = 'a', url = 'https://h' }", "one of index, path"),
        ("[tool.uv.sources]\ntorch = { marker = \"os_name == 'nt'\" }", "one of index, path"),
        (
            """
            [project.optional-dependencies]
            x = ['rich']
            [tool.uv.sources]
            torch = { index = 'a', extra = 'x' }
            """,
            "extra `x` does not list `torch`",
        ),
        (
            """
            [project.optional-dependencies]
            x = ['torch']
            [dependency-groups]
            x = ['torch']
            [tool.uv.sources]
            torch = { index = 'a', extra = 'x', group = 'x' }
            """,
            "both `extra` and `group`",
        ),
    ],
)
def test_what_uv_refuses_before_it_resolves(tables: str, words: str) -> None:
    assert words in torch(demo(BASE + tables), LINUX)


@given(place=st.sampled_from(places(WHOLE)[1:]), value=ANYTHING)
def test_no_data_brings_the_rule_to_a_traceback(place: tuple[Any, ...], value: object) -> None:
    data = copy.deepcopy(WHOLE)
    inner: Any = data
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    project = read_project(data, problems=[])
    assert routes(project, needs=NEEDS).row("torch", machine(LINUX)).kind
