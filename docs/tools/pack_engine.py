"""Run by `pack_engine.mjs` inside Pyodide: write two archives of compiled modules.

Of torchconf and its libraries they have what the page's questions can lead to: every module that
one of theirs names in an `import`, also where it is carried out later. Of the standard library they
have what is imported on that way, and when every question is asked of the archive itself.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import json
import os
import sys
import zipfile
from contextlib import suppress
from importlib._bootstrap_external import _code_to_hash_pyc  # type: ignore[attr-defined]
from pathlib import Path
from types import CodeType
from typing import Any

REPOSITORY, PACKAGES, OUTPUT = Path("/repository"), Path("/packages"), Path("/output")
sys.dont_write_bytecode = True
sys.path[:0] = [str(REPOSITORY), str(PACKAGES)]
STDLIB = next(path for path in sys.path if path.endswith(".zip"))

LIBRARIES = ("packaging", "tomlkit", "yaml")
ROOTS = ("docs.engine", "torchconf.cli.migrate")
"""Where the questions start; the command is imported by its name."""
NEVER_ASKED = (
    "torchconf.cli.ask_migration", "torchconf.cli.lock_after_edit", "torchconf.cli.run_wizard",
)  # fmt: skip
"""What `-y` and the lack of `--lock` keep `migrate` from."""
LEFT_OUT = {
    # They start programs, open sockets, draw on a terminal, or read metadata of wheels.
    "concurrent.futures", "ctypes", "ctypes.util", "email.feedparser", "email.header",
    "email.message", "email.parser", "email.policy", "email.utils", "http", "multiprocessing",
    "readline", "ssl", "urllib.request",
}  # fmt: skip
OFTEN = {"answer", "choices", "exact", "rest", "inspect", "fix", "explain", "rule"}
"""The questions whose modules are compiled. The others' are not: as source they are a third of the
size, and few visitors wait for them."""


def imports(name: str, path: Path) -> set[str]:
    """Return the modules that a module may import, and the names that may be modules of theirs."""
    found = set()
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level]
            parts = [*(above if node.level else []), *((node.module or "").split("."))]
            module = ".".join(filter(None, parts))
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    # A module brings the packages that it lies in.
    every = {*found, package}
    return {one.rsplit(".", depth)[0] for one in every for depth in range(one.count(".") + 1)}


def everything() -> dict[str, Path]:
    """Return the modules that there are, by name."""
    found = {"docs": REPOSITORY / "docs/__init__.py"}
    places = [(PACKAGES, library) for library in LIBRARIES]
    for below, package in [*places, (REPOSITORY, "torchconf"), (REPOSITORY, "docs/engine")]:
        for path in sorted((below / package).rglob("*.py")):
            name = ".".join(path.relative_to(below).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


def reachable(every: dict[str, Path]) -> tuple[dict[str, Path], set[str]]:
    """Return the modules to which the questions lead, and what else these name."""
    waiting = [name for name in every if name.startswith(ROOTS)]
    found: dict[str, Path] = {}
    named: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = every[name]
            led_to = imports(name, every[name])
            named |= led_to
            waiting += [one for one in led_to if one in every and one not in NEVER_ASKED]
    return found, named


def entry(name: str, path: Path) -> str:
    """Return where a module lies in an archive."""
    inside = name.replace(".", "/")
    return f"{inside}/__init__.py" if path.name == "__init__.py" else f"{inside}.py"


class Smaller(ast.NodeTransformer):
    """Drops what nobody asks for at run time: docstrings, and the types of functions' arguments.

    Fields of classes keep theirs, of which a `NamedTuple` is made, and so do functions with a
    decorator, which may look at them.
    """

    def visit_Module(self, node: ast.Module) -> ast.Module:
        """Drop the docstring of a module: nothing may stand before a `from __future__`."""
        if ast.get_docstring(node) is not None:
            del node.body[0]
        self.generic_visit(node)
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        """Drop any other docstring."""
        is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return ast.Pass() if is_text else node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        """Drop the annotations of one function, and of those in it."""
        self.generic_visit(node)
        if node.decorator_list:
            return node
        every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        for one in [*every, node.args.vararg, node.args.kwarg]:
            if one is not None:
                one.annotation = None
        node.returns = None
        return node


def bare(code: CodeType) -> CodeType:
    """Return a code without the lines that a traceback would name: a quarter of its size."""
    inner = (bare(one) if isinstance(one, CodeType) else one for one in code.co_consts)
    return code.replace(co_linetable=b"", co_consts=tuple(inner))


def compiled(name: str, source: bytes) -> bytes:
    """Return a .pyc that nobody compares with its source."""
    tree = ast.fix_missing_locations(Smaller().visit(ast.parse(source)))
    code = bare(compile(tree, name, "exec", dont_inherit=True, optimize=2))
    return bytes(_code_to_hash_pyc(code, importlib.util.source_hash(source), checked=False))


def write(name: str, entries: dict[str, bytes]) -> None:
    """Write an archive, stored: a server compresses it as a whole, and better."""
    with zipfile.ZipFile(OUTPUT / name, "w", zipfile.ZIP_STORED) as archive:
        for entry in sorted(entries):
            # A fixed day, so that the same sources give the same archive.
            archive.writestr(zipfile.ZipInfo(entry, (2020, 1, 1, 0, 0, 0)), entries[entry])


def ask_all(samples: list[tuple[str, dict[str, Any]]]) -> None:
    """Ask questions.

    Raises:
        SystemExit: One fails.
    """
    engine = importlib.import_module("docs.engine")
    for method, arguments in samples:
        said = engine.call(method, json.dumps(arguments))
        if "torchconf failed" in said:
            raise SystemExit(f"{method} {arguments}: {said}")


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
    ours, named = reachable(everything())
    samples = json.loads((REPOSITORY / "docs/tools/engine_samples.json").read_text("utf-8"))
    ask_all([sample for sample in samples if sample[0] in OFTEN])
    often = {*sys.modules}
    entries: dict[str, bytes] = {}
    for module, path in ours.items():
        name, source = entry(module, path), path.read_bytes()
        if module in often:
            entries[f"{name}c"] = compiled(name, source)
        else:
            entries[name] = ast.unparse(Smaller().visit(ast.parse(source))).encode()
    for path in (REPOSITORY / "torchconf/rules/pages").glob("*.md"):
        entries[path.relative_to(REPOSITORY).as_posix()] = path.read_bytes()
    write("torchconf.zip", entries)
    catalog = REPOSITORY / "torchconf/catalog/catalog.json"
    (OUTPUT / "catalog.json").write_bytes(catalog.read_bytes())

    # From here on as in the browser, where an archive is read in another way than a folder.
    sys.path[:2] = [str(OUTPUT / "torchconf.zip")]
    for module in ours:
        sys.modules.pop(module, None)
    os.environ["TORCHCONF_CATALOG"] = str(OUTPUT / "catalog.json")
    for module in sorted(named - LEFT_OUT):
        if module.partition(".")[0] in sys.stdlib_module_names:
            with suppress(ImportError):
                importlib.import_module(module)
    ask_all(samples)
    write("stdlib.zip", library())


main()
