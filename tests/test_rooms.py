"""The rooms of the package: who may import whom, and what is imported only when needed.

`python -m tests.test_rooms` draws the picture in ARCHITECTURE.md.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.paths import PACKAGE, ROOT, TESTS
from tests.support.syntax import nodes_of

ROOMS = {
    "errors": (),
    "interrupts": (),
    "files": ("errors", "interrupts"),
    "model": ("errors",),
    "catalog": ("errors", "files", "model"),
    "edits": ("errors", "model"),
    "layout": ("catalog", "errors", "model"),
    "resolve": ("catalog", "errors", "interrupts", "layout", "model"),
    "history": ("errors", "files", "resolve"),
    "machine": ("catalog", "model", "resolve"),
    "planner": ("catalog", "edits", "errors", "layout", "model", "resolve"),
    "rules": ("catalog", "edits", "errors", "model", "resolve"),
    "migrate": ("catalog", "edits", "errors", "model"),
    "workspace": ("catalog", "edits", "errors", "files", "migrate", "model", "planner", "rules"),
    "report": (
        "catalog", "errors", "history", "layout", "migrate", "model", "planner", "resolve", "rules",
    ),
    "wizard": ("catalog", "errors", "interrupts", "layout", "model", "planner"),
    "templates": ("errors",),
    "editor": (
        "catalog", "edits", "errors", "files", "layout", "model", "report", "resolve", "rules",
        "workspace",
    ),
    "api": ("catalog", "edits", "errors", "files", "model", "planner", "resolve", "rules"),
    "cli": (
        "catalog", "editor", "edits", "errors", "files", "history", "interrupts", "layout",
        "machine",
        "migrate", "model", "planner", "report", "resolve", "rules", "templates", "wizard",
        "workspace",
    ),
}  # fmt: skip
"""Each room with the rooms that it imports. It stands below them: so there is no circle."""


PAGE = ROOT / "ARCHITECTURE.md"


def picture() -> str:
    """Draw the rooms by floors, the highest first, each with the rooms that it imports."""
    floors: dict[str, int] = {}
    for room, others in ROOMS.items():
        floors[room] = 1 + max((floors[other] for other in others), default=0)
    lines = ["floor  room       imports"]
    for room in sorted(ROOMS, key=lambda room: (-floors[room], room)):
        others = ROOMS[room]
        lines.append(f"{floors[room]:5}  {room:10} {' '.join(others) or '-'}")
    return "```text\n" + "\n".join(lines) + "\n```\n"


def with_picture(page: str) -> str:
    """Return the page with the picture as it should be."""
    part = re.compile(r"(<!-- rooms: [^\n]*-->\n).*?(<!-- end -->)", re.DOTALL)
    return part.sub(lambda found: f"{found[1]}{picture()}{found[2]}", page)


def room_of(module: str) -> str | None:
    """Return the room of a module: `torchconf.cli.init` is in `cli`."""
    parts = module.split(".")
    if parts[0] != "torchconf" or len(parts) == 1:
        return None
    return parts[1]


@cache
def sources() -> tuple[tuple[str, frozenset[str]], ...]:
    """Return each source file: its room, and the modules that it imports."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        relative = path.relative_to(PACKAGE)
        if relative.name in {"__main__.py", "compile.py"} or relative == Path("__init__.py"):
            continue
        found.append((relative.parts[0].removesuffix(".py"), frozenset(imports(path))))
    return tuple(found)


def imports(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports, wherever the import stands."""
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            if node.module == "torchconf":
                yield from (f"torchconf.{alias.name}" for alias in node.names)


def imported() -> dict[str, set[str]]:
    """Return each room of the package with the rooms that it really imports."""
    found: dict[str, set[str]] = {}
    for room, modules in sources():
        others = {room_of(module) for module in modules} - {room, None, "__version__"}
        found.setdefault(room, set()).update(other for other in others if other is not None)
    return found


def test_every_room_imports_what_is_written_here_and_nothing_else() -> None:
    assert imported() == {room: set(others) for room, others in ROOMS.items()}


def test_every_room_stands_below_those_that_it_imports() -> None:
    above: set[str] = set()
    for room, others in ROOMS.items():
        assert set(others) <= above, f"{room} imports a room that is not above it in the list"
        assert list(others) == sorted(others)
        above.add(room)


def test_there_are_few_rooms() -> None:
    assert len(ROOMS) <= 20


def test_the_page_has_every_room_and_the_picture() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_picture(page), "`python -m tests.test_rooms` draws it"
    table = page.partition("| room | what is in it |")[2].partition("\n\n")[0]
    assert sorted(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == sorted(ROOMS)


def test_what_tests_share_is_in_support() -> None:
    wrong = {
        f"{path.relative_to(TESTS)} imports {module}"
        for path in TESTS.rglob("*.py")
        for module in imports(path)
        if module.startswith("tests.")
        and module.rpartition(".")[2].startswith(("test_", "conftest"))
    }
    assert not wrong


@pytest.mark.parametrize(
    ("package", "rooms"),
    [
        ("tomlkit", {"edits"}),
        ("questionary", {"wizard"}),
        ("prompt_toolkit", {"wizard"}),
        ("jinja2", {"templates"}),
        ("rich", {"report"}),
        ("pygls", {"editor"}),
        ("lsprotocol", {"editor"}),
        ("subprocess", {"history", "resolve", "machine"}),
        ("argparse", {"cli"}),
    ],
)
def test_only_one_room_imports(package: str, rooms: set[str]) -> None:
    found = {
        room for room, modules in sources() for module in modules if module.split(".")[0] == package
    }
    assert found <= rooms


@pytest.mark.parametrize(
    "words", [["--version"], ["--help"], ["init", "--help"], ["doctor", "--help"]]
)
def test_help_and_version_import_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys\n"
        "from torchconf.cli import main\n"
        "main(sys.argv[1:])\n"
        "heavy = {'tomlkit', 'packaging', 'questionary', 'rich', 'jinja2', 'typing', 'json'}\n"
        "sys.stderr.write(' '.join(sorted(heavy & set(sys.modules))))\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, *words], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert "torchconf" in done.stdout


@pytest.mark.parametrize("words", [["show"], ["check"], ["init", "-t", "linux-cpu", "--dry-run"]])
def test_a_start_defines_only_cheap_tuples(words: list[str]) -> None:
    """`NamedTuple` is that of `torchconf.model.named_tuple`, save in rooms that know no model."""
    code = (
        "import sys\n"
        "from torchconf.cli import main\n"
        "main(sys.argv[1:])\n"
        "for kind in tuple.__subclasses__():\n"
        "    written = '_fields' in vars(kind) and '__annotations__' in vars(kind)\n"
        "    if written and kind.__module__.startswith('torchconf.'):\n"
        "        print('dear:', kind.__module__, kind.__name__)\n"
    )
    place = TESTS / "cases/045-plain-pypi-torch"
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=True, cwd=place
    )
    found = re.findall(r"^dear: (\S+) ", done.stdout, re.MULTILINE)
    assert [name for name in found if "model" in ROOMS[name.split(".")[1]]] == []


@pytest.mark.parametrize("words", [["show"], ["check"], ["init", "-t", "linux-cpu", "--dry-run"]])
def test_a_start_asks_nothing_of_the_machine(words: list[str]) -> None:
    """packaging would look for its name and its kernel, and start a process for that."""
    place = TESTS / "cases/045-plain-pypi-torch"
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "torchconf", *words],
        capture_output=True, text=True, check=True, cwd=place,
    )  # fmt: skip
    loaded = set(re.findall(r"\| +(\S+)$", done.stderr, re.MULTILINE))
    assert "packaging.markers" in loaded
    assert loaded & {"logging", "packaging.ranges", "platform", "subprocess"} == set()


def test_modules_import_where_posix_modules_are_missing() -> None:
    """Windows has no fcntl, termios and pwd."""
    names = [
        ".".join(("torchconf", *path.relative_to(PACKAGE).with_suffix("").parts))
        for path in PACKAGE.rglob("*.py")
        if path.name not in {"__main__.py", "__init__.py"}
    ]
    code = (
        "import sys\n"
        "for name in ('fcntl', 'termios', 'pwd', 'grp', 'resource'):\n"
        "    sys.modules[name] = None\n"
        "import importlib\n"
        f"for name in {names!r}:\n    importlib.import_module(name)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=PACKAGE.parent)


if __name__ == "__main__":
    PAGE.write_text(with_picture(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
