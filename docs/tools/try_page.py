"""The page under /try/: files written by hand, common answers, and Python for the browser."""

from __future__ import annotations

import hashlib
import itertools
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from docs.engine.selector import answer
from docs.engine.selector_choices import platforms, rest
from docs.engine.state import catalog
from docs.tools.places import DOCS, ROOT
from torchconf import __version__

SOURCE = DOCS / "try"
CACHE = SOURCE / ".cache"
NODE_MODULES = CACHE / "npm" / "node_modules"
"""Where npm puts what `package.json` names."""
OLDEST_PYTHON = 10

COMMON: tuple[tuple[tuple[str, ...], ...], ...] = (
    ((), ("cpu",), ("cuda",), ("rocm",), ("xpu",), ("cpu", "cuda")),
    ((), ("cpu",), ("cuda",)),
    ((), ("cpu",)),
)
"""For Linux, Windows and macOS: the builds of which every combination is answered by the build."""
COMMON_PACKAGES: tuple[tuple[str, ...], ...] = ((), ("torchvision",))


def common_answers() -> dict[str, Any]:
    """Return the answers that the page has before Python is loaded, by the page's own keys."""
    found = {}
    for chosen in itertools.product(*COMMON):
        targets = [
            f"{platform}-{build}"
            for platform, builds in zip(("linux", "windows", "macos"), chosen, strict=True)
            for build in builds
        ]
        for packages in COMMON_PACKAGES if targets else ():
            state = {"targets": targets, "with": packages}
            found[f"{','.join(targets)}|{','.join(packages)}"] = answer(state)
    return found


@lru_cache(maxsize=1)
def known() -> dict[str, Any]:
    """Return all that the page is told by the build."""
    facts = catalog()
    asked = rest({"targets": [f"linux-{facts.fallback.name}"]})
    return {
        "version": __version__,
        "as_of": facts.as_of,
        "platforms": platforms(),
        "packages": [value for value, *_ in asked["questions"]["packages"]["choices"]],
        "pythons": [one for one in facts.pythons if int(one.partition(".")[2]) >= OLDEST_PYTHON],
        "answers": common_answers(),
    }


def finish(site: Path) -> None:
    """Add the page to a built site."""
    page = site / "try"  # where the generator has put what `try.md` says of it
    page.mkdir(exist_ok=True)
    for path in sorted(SOURCE.iterdir()):
        if path.suffix in {".html", ".css", ".js"}:
            shutil.copy(path, page)
    text = json.dumps(known(), ensure_ascii=False, separators=(",", ":"))
    (page / "answers.json").write_text(text, encoding="utf-8")
    if (engine := packed_engine()) is not None:
        shutil.copytree(engine, page / "engine")


def packed_engine() -> Path | None:
    """Return the folder of Python for the browser; None, and a line that says so, without node."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        print("docs: node or npm is missing; /try/ has the common answers only", file=sys.stderr)
        return None
    install(npm)
    folder = CACHE / f"engine-{_key()}"
    if not folder.exists():
        half = folder.with_suffix(".half")
        shutil.rmtree(half, ignore_errors=True)
        script = DOCS / "tools" / "pack_engine.mjs"
        packages = _packages()
        command = [node, *map(str, (script, NODE_MODULES, ROOT, packages, half))]
        if subprocess.run(command, check=False).returncode:
            raise SystemExit("docs: Python for the browser cannot be packed")
        for old in CACHE.glob("engine-*[!f]"):
            shutil.rmtree(old)
        half.rename(folder)
    return folder


def install(npm: str) -> None:
    """Have npm install what `package.json` names, unless it has.

    Raises:
        SystemExit: It cannot.
    """
    folder = NODE_MODULES.parent
    wanted = (SOURCE / "package.json").read_text(encoding="utf-8")
    done = folder / "installed.json"
    if done.exists() and done.read_text(encoding="utf-8") == wanted:
        return
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text(wanted, encoding="utf-8")
    quiet = ["--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]
    run = subprocess.run([npm, "install", *quiet], cwd=folder, check=False, stdout=sys.stderr)
    if run.returncode:
        raise SystemExit("docs: npm cannot install what docs/try/package.json names")
    done.write_text(wanted, encoding="utf-8")


def _packages() -> Path:
    """Return the folder in which torchconf's libraries are installed."""
    spec = find_spec("packaging")
    if spec is None or spec.origin is None:
        raise SystemExit("docs: packaging is not installed")
    return Path(spec.origin).parents[1]


def _inputs() -> Iterator[Path]:
    for folder in (ROOT / "torchconf", DOCS / "engine"):
        yield from sorted(
            path for path in folder.rglob("*") if path.suffix in {".py", ".md", ".json"}
        )
    yield from sorted((DOCS / "tools").glob("*engine*"))
    yield SOURCE / "package.json"
    for library in ("packaging", "tomlkit", "yaml"):
        yield from sorted((_packages() / library).glob("*.py"))


def _key() -> str:
    """Return what tells one packed engine from another: a sum of all that it is made of."""
    total = hashlib.sha256()
    for path in _inputs():
        total.update(path.name.encode())
        total.update(path.read_bytes())
    return total.hexdigest()[:16]
