"""The rooms of the package: who may import whom, and what is imported only when needed."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import PACKAGE

FLOORS = (
    ("errors",),
    ("files", "model"),
    ("catalog", "edits"),
    ("layout",),
    ("resolve",),
    ("planner", "rules"),
    ("machine", "workspace"),
    ("report", "templates", "wizard"),
    ("cli",),
)
"""From the bottom up. A room may import from the floors below it, not from its own."""


def room_of(module: str) -> str | None:
    """Return the room of a module: `torchconf.cli.init` is in `cli`."""
    parts = module.split(".")
    if parts[0] != "torchconf" or len(parts) == 1:
        return None
    return parts[1]


def sources() -> Iterator[tuple[str, ast.Module]]:
    """Yield each source file with its room."""
    for path in sorted(PACKAGE.rglob("*.py")):
        relative = path.relative_to(PACKAGE)
        if relative.name in {"__main__.py", "compile.py"} or relative == Path("__init__.py"):
            continue
        yield relative.parts[0].removesuffix(".py"), ast.parse(path.read_text(encoding="utf-8"))


def imports(tree: ast.Module) -> Iterator[str]:
    """Yield the modules that a file imports, wherever the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            if node.module == "torchconf":
                yield from (f"torchconf.{alias.name}" for alias in node.names)


def test_every_room_has_a_floor() -> None:
    named = [room for floor in FLOORS for room in floor]
    assert sorted(named) == sorted({room for room, _ in sources()})


def test_imports_point_down() -> None:
    height = {room: number for number, floor in enumerate(FLOORS) for room in floor}
    wrong = {
        f"{room} imports {other}"
        for room, tree in sources()
        for module in imports(tree)
        if (other := room_of(module)) is not None
        and other in height
        and other != room
        and height[other] >= height[room]
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
        ("subprocess", {"resolve", "machine"}),
        ("argparse", {"cli"}),
    ],
)
def test_only_one_room_imports(package: str, rooms: set[str]) -> None:
    found = {
        room
        for room, tree in sources()
        for module in imports(tree)
        if module.split(".")[0] == package
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
