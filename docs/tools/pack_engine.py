"""Run by `pack_engine.mjs` inside Pyodide: write two archives of compiled modules.

The standard library is cut to what is imported when every question of the page is asked, and to
what torchconf and its libraries name in any `import`, also where it is carried out later.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import json
import sys
import zipfile
from contextlib import suppress
from importlib._bootstrap_external import _code_to_hash_pyc  # type: ignore[attr-defined]
from pathlib import Path
from types import CodeType

REPOSITORY, PACKAGES, OUTPUT = Path("/repository"), Path("/packages"), Path("/output")
sys.dont_write_bytecode = True
sys.path[:0] = [str(REPOSITORY), str(PACKAGES)]
STDLIB = next(path for path in sys.path if path.endswith(".zip"))

LIBRARIES = ("packaging", "tomlkit", "yaml")
"""What torchconf requires, as far as the page's questions lead there."""
NOT_ASKED = (
    "packaging/licenses/", "packaging/metadata.py", "torchconf/catalog/compile.py",
    "torchconf/catalog/facts/", "torchconf/catalog/read_pypi.py", "torchconf/cli/doctor",
    "torchconf/cli/new", "torchconf/machine/", "torchconf/templates/",
)  # fmt: skip
"""Where no question leads."""
LEFT_OUT = {
    # They start programs, open sockets, draw on a terminal, or read metadata of wheels.
    "concurrent.futures", "ctypes", "ctypes.util", "email.feedparser", "email.header",
    "email.message", "email.parser", "email.policy", "email.utils", "http", "multiprocessing",
    "readline", "ssl", "urllib.request",
}  # fmt: skip
OFTEN = {"answer", "choices", "rest", "inspect", "fix", "explain", "rule"}
"""The questions whose modules are compiled. The others' are not: as source they are a third of the
size, and few visitors wait for them."""


def imports(source: str) -> set[str]:
    """Return the modules that a source names in an `import`, wherever it stands."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module}
    return found


def sources(folder: Path, below: Path) -> dict[str, Path]:
    """Return the modules of a package by the name that an archive has for them."""
    return {
        path.relative_to(below).as_posix(): path
        for path in sorted(folder.rglob("*.py"))
        if "__pycache__" not in path.parts
    }


def bare(code: CodeType) -> CodeType:
    """Return a code without the lines that a traceback would name: a quarter of its size."""
    inner = (bare(one) if isinstance(one, CodeType) else one for one in code.co_consts)
    return code.replace(co_linetable=b"", co_consts=tuple(inner))


def compiled(name: str, source: bytes) -> bytes:
    """Return a .pyc that nobody compares with its source."""
    code = bare(compile(source, name, "exec", dont_inherit=True, optimize=2))
    return bytes(_code_to_hash_pyc(code, importlib.util.source_hash(source), checked=False))


def write(name: str, entries: dict[str, bytes]) -> None:
    """Write an archive, stored: a server compresses it as a whole, and better."""
    with zipfile.ZipFile(OUTPUT / name, "w", zipfile.ZIP_STORED) as archive:
        for entry in sorted(entries):
            # A fixed day, so that the same sources give the same archive.
            archive.writestr(zipfile.ZipInfo(entry, (2020, 1, 1, 0, 0, 0)), entries[entry])


def modules() -> dict[str, Path]:
    """Return the modules of torchconf, of the page, and of their libraries."""
    found = {"docs/__init__.py": REPOSITORY / "docs/__init__.py"}
    for package in ("torchconf", "docs/engine"):
        found |= sources(REPOSITORY / package, REPOSITORY)
    for package in LIBRARIES:
        found |= sources(PACKAGES / package, PACKAGES)
    return {name: path for name, path in found.items() if not name.startswith(NOT_ASKED)}


def load(ours: dict[str, Path]) -> set[str]:
    """Import all that is needed; return the paths of what is needed often.

    Raises:
        SystemExit: A question fails.
    """
    named = set[str]().union(*(imports(path.read_text(encoding="utf-8")) for path in ours.values()))
    for name in sorted(named - LEFT_OUT):
        if name.partition(".")[0] in sys.stdlib_module_names:
            with suppress(ImportError):
                importlib.import_module(name)
    engine = importlib.import_module("docs.engine")
    samples = json.loads((REPOSITORY / "docs/tools/engine_samples.json").read_text("utf-8"))
    often: set[str] = set()
    for now in (True, False):
        for method, arguments in samples:
            if (method in OFTEN) is now:
                said = engine.call(method, json.dumps(arguments))
                if "torchconf failed" in said:
                    raise SystemExit(f"{method} {arguments}: {said}")
        if now:
            often = {getattr(module, "__file__", None) or "" for module in sys.modules.values()}
    return often


def library() -> dict[str, bytes]:
    """Return what has been imported of the standard library, compiled."""
    found = {}
    with zipfile.ZipFile(STDLIB) as archive:
        names = set(archive.namelist())
        for module in list(sys.modules.values()):
            path = getattr(getattr(module, "__spec__", None), "origin", None) or ""
            name = path.removeprefix(f"{STDLIB}/")
            if name in names:
                found[f"{name}c"] = compiled(name, archive.read(name))
    return found


def main() -> None:
    """Write the archives, and the catalog beside them."""
    ours = modules()
    often = load(ours)
    entries: dict[str, bytes] = {}
    for name, path in ours.items():
        source = path.read_bytes()
        entries |= {f"{name}c": compiled(name, source)} if str(path) in often else {name: source}
    for path in (REPOSITORY / "torchconf/rules/pages").glob("*.md"):
        entries[path.relative_to(REPOSITORY).as_posix()] = path.read_bytes()
    write("stdlib.zip", library())
    write("torchconf.zip", entries)
    catalog = REPOSITORY / "torchconf/catalog/catalog.json"
    (OUTPUT / "catalog.json").write_bytes(catalog.read_bytes())


main()
