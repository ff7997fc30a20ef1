"""The routing rule against uv itself: random projects, written the way people write them.

Every index of the replica has every package of the family for every platform, so that only routing
can make a lock fail, and the index of a package says all.
"""

from __future__ import annotations

import random
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
import tomlkit
from packaging.pylock import PylockSelectError
from packaging.specifiers import SpecifierSet

from tests.support.replica import Content, Release, Replica, UvError
from tests.support.routing import MACHINES, PYPI, choice, label, machine
from torchconf.model.project import Project
from torchconf.model.read_project import read_project
from torchconf.resolve.routes import Route, Routes, routes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.replica import ReplicaOf
    from torchconf.model.project import Index

BACKENDS = ("cpu", "cu126", "cu128", "cu130", "rocm6.4")
OPEN = "cu118"
FAMILY = ("torch", "torchvision", "torchaudio")
NEEDS = {name: frozenset({"torch"}) for name in ("torchvision", "torchmetrics", "accelerate")}
PLAIN = ("numpy", "rich")
PYTHONS = ("3.11", "3.13")
Table = dict[str, Any]

MARKERS = (
    "sys_platform == 'linux'",
    "sys_platform != 'linux'",
    "sys_platform == 'darwin'",
    "sys_platform != 'darwin'",
    "sys_platform == 'win32'",
    "sys_platform == 'linux' or sys_platform == 'win32'",
    "sys_platform == 'linux' and platform_machine == 'x86_64'",
    "sys_platform == 'linux' and platform_machine == 'aarch64'",
    "platform_machine != 'aarch64'",
    "platform_machine == 'x86_64' or platform_machine == 'AMD64'",
    "platform_system == 'Linux'",
    "platform_system == 'Darwin'",
    "platform_system != 'Windows'",
    "os_name == 'nt'",
    "os_name == 'posix'",
)
PYTHON_MARKERS = (
    "python_version >= '3.12'",
    "python_version < '3.13'",
    "python_full_version > '3.12.1'",
)
ODD_MARKERS = (
    "platform_system == 'macOS'",
    "sys_platform == 'windows'",
    "'a' in dependency_groups",
    "'a' not in dependency_groups",
    "'b' in extras",
    "platform_machine in 'x86_64 AMD64'",
    "'linux' in sys_platform",
    "implementation_name == 'cpython'",
    "platform_python_implementation != 'PyPy'",
    "extra == 'a'",
    "extra != 'a'",
)
OPPOSITES = (
    ("sys_platform == 'darwin'", "sys_platform != 'darwin'"),
    ("sys_platform == 'linux'", "sys_platform != 'linux'"),
    ("sys_platform == 'win32'", "sys_platform != 'win32'"),
    ("platform_machine == 'aarch64'", "platform_machine != 'aarch64'"),
    (
        "sys_platform == 'linux' and platform_machine == 'x86_64'",
        "sys_platform != 'linux' or platform_machine != 'x86_64'",
    ),
    ("python_version < '3.12'", "python_version >= '3.12'"),
)


def content() -> Content:
    """Return a world in which only the index of a package tells."""

    def wheel(version: str, *requires: str) -> list[Release]:
        return [Release(version, ["any"], requires=requires)]

    indexes: dict[str, dict[str, list[Release]]] = {
        backend: {
            "torch": wheel(f"2.9.1+{backend}"),
            "torchvision": wheel(f"1.24.1+{backend}", "torch"),
            "torchaudio": wheel(f"2.9.1+{backend}"),
        }
        for backend in (*BACKENDS, OPEN)
    }
    indexes["pypi"] = {
        "torch": wheel("2.9.1"),
        "torchvision": wheel("1.24.1", "torch"),
        "torchaudio": wheel("2.9.1"),
        "torchmetrics": wheel("1.8.0", "torch"),
        "accelerate": wheel("1.12.0", "torch", "numpy"),
        "numpy": wheel("2.3.5"),
        "rich": wheel("14.2.0"),
    }
    return Content.of(indexes)


class Writer:
    """Writes one random project; the same one for the same seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.backends = self.random.sample(BACKENDS, self.random.randint(2, 4))
        self.packages = ["torch", *(p for p in FAMILY[1:] if self.chance(35))]
        self.extras: dict[str, list[str]] = {}
        self.groups: dict[str, list[Any]] = {}
        self.sources: dict[str, Any] = {package: [] for package in self.packages}
        self.items: list[Table] = []
        self.uv: Table = {}
        self.project: Table = {}
        self.files: dict[str, Table] = {}

    def chance(self, percent: int) -> bool:
        """Decide."""
        return self.random.randrange(100) < percent

    def pick(self, **weights: int) -> str:
        """Pick a word."""
        return self.random.choices(list(weights), list(weights.values()))[0]

    def write(self) -> dict[str, Table]:
        """Write the files: folder to table."""
        shape = self.pick(extras=2, groups=2, both=1, none=1)
        base = [*self.base(shape)]
        if shape == "none":
            self.plain_sources()
        else:
            self.variants(shape)
        self.additions()
        self.settings()
        self.indexes()
        self.uv["sources"] = {name: written for name, written in self.sources.items() if written}
        self.project = {
            "name": "demo",
            "version": "0.1.0",
            "requires-python": self.random.choice((">=3.11", ">=3.11,<3.14", ">=3.10")),
            "dependencies": base,
        }
        table: Table = {"project": self.project, "tool": {"uv": self.uv}}
        if self.extras:
            self.project["optional-dependencies"] = self.extras
        if self.groups:
            table["dependency-groups"] = self.groups
        self.files[""] = table
        if self.chance(12):
            self.library()
        if self.chance(12):
            self.member(root_is_project=shape != "none" or self.chance(50))
        if self.chance(6):
            self.mistake()
        return self.files

    # Requirements and sources.

    def marker(self) -> str:
        """Pick a marker."""
        kinds = {"usual": MARKERS, "python": PYTHON_MARKERS, "odd": ODD_MARKERS}
        return self.random.choice(kinds[self.pick(usual=80, python=12, odd=8)])

    def strings(self, package: str) -> list[str]:
        """Write one package as requirement strings."""
        kind = self.pick(bare=70, marked=15, split=10, both=5)
        if kind == "bare":
            return [package]
        if kind == "marked":
            return [f"{package} ; {self.marker()}"]
        if kind == "split":
            return [f"{package}>=1 ; {marker}" for marker in self.random.choice(OPPOSITES)]
        return [f"{package}>=1", f"{package}<99 ; {self.marker()}"]

    def listing(self) -> list[str]:
        """Write the family as an extra or a group lists it."""
        lines = [line for package in self.packages for line in self.strings(package)]
        # An extra inside an extra contradicts itself.
        return [line for line in lines if "extra" not in line] or ["torch"]

    def entries(self, backend: str, scope: Table) -> list[Table]:
        """Write the source entries of one package for one backend."""
        index = f"pytorch-{backend}"
        kind = self.pick(plain=55, marked=30, split=15)
        if kind == "plain":
            return [{"index": index, **scope}]
        if kind == "marked":
            return [{"index": index, **scope, "marker": self.marker()}]
        one, other = self.random.choice(OPPOSITES)
        second = index if self.chance(60) else f"pytorch-{self.random.choice(self.backends)}"
        return [
            {"index": index, **scope, "marker": one},
            {"index": second, **scope, "marker": other},
        ]

    def base(self, shape: str) -> Iterator[str]:
        """Write the base dependencies."""
        if shape == "none" or self.chance(30):
            for package in self.packages:
                yield from self.strings(package)
        if self.chance(25):
            yield from self.strings(
                self.random.choice(("torchmetrics", "accelerate", "torchvision"))
            )
        if self.chance(30):
            yield from self.strings("numpy")

    def plain_sources(self) -> None:
        """Route by markers alone."""
        for package in self.packages:
            if self.chance(50):
                pair = zip(self.random.choice(OPPOSITES), self.backends, strict=False)
                self.sources[package] = [
                    {"index": f"pytorch-{backend}", "marker": marker} for marker, backend in pair
                ]
            else:
                self.sources[package] = self.entries(self.backends[0], {})

    def variants(self, shape: str) -> None:
        """Write one extra or group per backend, and its sources."""
        for name, backend in zip("abcd", self.backends, strict=False):
            grouped = shape == "groups" or (shape == "both" and self.chance(50))
            scope = {"group" if grouped else "extra": name}
            (self.groups if grouped else self.extras)[name] = self.listing()
            self.items.append(scope)
            for package in self.packages:
                kind = self.pick(scoped=90, unscoped=3, none=7)
                if kind != "none":
                    self.sources[package] += self.entries(
                        backend, scope if kind == "scoped" else {}
                    )

    # What stands beside.

    def additions(self) -> None:
        """Add aliases, including groups, and an empty extra."""
        if self.extras and self.chance(20):
            self.extras["alias"] = [f"demo[{self.random.choice(list(self.extras))}]"]
            if self.chance(50):
                self.items.append({"extra": "alias"})
        if self.extras and self.chance(15):
            self.groups["dev"] = [f"demo[{self.random.choice(list(self.extras))}]"]
        elif self.chance(15):
            self.groups["dev"] = ["rich"]
        if self.groups and self.chance(20):
            included = self.random.choice(list(self.groups))
            self.groups["wide"] = [{"include-group": included}, *["numpy"] * self.chance(50)]
            if self.chance(30):
                self.items.append({"group": "wide"})
        if self.extras and self.chance(10):
            self.extras["empty"] = []
            if self.chance(70):
                self.items.append({"extra": "empty"})

    def settings(self) -> None:
        """Write what stands directly in `[tool.uv]`."""
        conflicts = self.conflicts()
        if conflicts:
            self.uv["conflicts"] = conflicts
        if self.groups:
            kind = self.pick(undefined=47, one=50, all=3)
            if kind == "one":
                self.uv["default-groups"] = [name for name in self.groups if self.chance(25)][:1]
            elif kind == "all":
                self.uv["default-groups"] = "all"
        if self.chance(20):
            self.uv["environments"] = self.environments()
        marked = f"torch<99 ; {self.random.choice(MARKERS)}"
        if self.chance(10):
            constraint = self.random.choice(("torch<99", "torch", marked))
            self.uv["constraint-dependencies"] = [constraint]
        if self.chance(5):
            self.uv["override-dependencies"] = [self.random.choice(("torch>=1", marked))]
        if self.chance(3):
            self.uv["exclude-dependencies"] = ["torchvision"]

    def conflicts(self) -> list[list[Table]]:
        """Write conflict sets: complete, missing, in pairs, overlapping, with unknown names."""
        items = self.items
        if len(items) == 1 or not items:
            return []
        pairs = [[one, other] for n, one in enumerate(items) for other in items[n + 1 :]]
        sets = {
            "complete": [items],
            "missing": [],
            "pairs": pairs,
            "overlapping": [self.random.sample(items, 2), self.random.sample(items, 2)],
            "unknown": [[*items, {"extra": "ghost"}]],
            "incomplete": [items[:2]],
        }[self.pick(complete=60, missing=5, pairs=10, overlapping=10, unknown=7, incomplete=8)]
        if self.chance(5):
            sets.append([{"package": "demo"}, self.random.choice(items)])
        return sets

    def environments(self) -> list[str]:
        """Write `environments`."""
        kind = self.pick(cells=60, systems=20, one=20)
        if kind == "cells":
            return list(self.random.choice(OPPOSITES))
        if kind == "systems":
            return [f"sys_platform == '{system}'" for system in ("linux", "darwin", "win32")]
        return [self.random.choice(MARKERS)]

    def indexes(self) -> None:
        """Declare the indexes: now and then with a slash too many, or an open one."""
        self.uv["index"] = [
            {
                "name": f"pytorch-{backend}",
                "url": f"https://download.pytorch.org/whl/{backend}" + "/" * self.chance(3),
                "explicit": True,
            }
            for backend in self.backends
        ]
        if self.chance(10):
            url = f"https://download.pytorch.org/whl/{OPEN}"
            place = self.random.randint(0, len(self.backends))
            if self.chance(30):
                self.uv["extra-index-url"] = [url]
            else:
                self.uv["index"].insert(place, {"name": "open", "url": url})

    # Other projects.

    def library(self) -> None:
        """Add a library by path, with a source of its own."""
        self.project["dependencies"].append("lib[x]" if self.chance(40) else "lib")
        self.uv["sources"]["lib"] = {"path": "./lib"}
        source: Table = {"index": "mine"}
        if self.chance(40):
            source["marker"] = self.marker()
        url = f"https://download.pytorch.org/whl/{self.random.choice(self.backends)}"
        self.files["lib"] = {
            "project": {
                "name": "lib",
                "version": "1.0",
                "requires-python": ">=3.10",
                "dependencies": self.strings("torch") if self.chance(70) else [],
                "optional-dependencies": {"x": self.strings("torch"), "y": ["torchvision"]},
            },
            "tool": {
                "uv": {
                    "sources": {"torch": source},
                    "index": [{"name": "mine", "url": url, "explicit": True}],
                }
            },
        }

    def member(self, *, root_is_project: bool) -> None:
        """Make it a workspace with a member; its root may be no project, with groups of its own."""
        self.uv["workspace"] = {"members": ["part"]}
        sources = {}
        if self.chance(50):
            sources["torch"] = self.entries(self.random.choice(self.backends), {"extra": "x"})
        self.files["part"] = {
            "project": {
                "name": "part",
                "version": "1.0",
                "requires-python": ">=3.10",
                "dependencies": self.strings("torch") if self.chance(50) else [],
                "optional-dependencies": {"x": self.strings("torch")},
            },
            "tool": {"uv": {"sources": sources}},
        }
        if root_is_project:
            self.uv["sources"]["part"] = {"workspace": True}
            if self.chance(60):
                self.project["dependencies"].append("part")
        else:
            del self.files[""]["project"]
            self.files.pop("lib", None)
            self.uv["sources"].pop("lib", None)
            # uv does not apply overrides to the groups of such a root when it exports.
            self.uv.pop("override-dependencies", None)
            self.uv.pop("conflicts", None)
            self.files[""]["dependency-groups"] = {"g": self.strings("torch")}

    def mistake(self) -> None:
        """Put in something that uv refuses."""
        written = self.uv["sources"].setdefault("torch", [{"index": "pytorch-cpu"}])
        kind = self.pick(index=1, extra=1, both=1, default=1, environments=1, empty=1, one=1)
        if kind == "index":
            written[-1]["index"] = "nowhere"
        elif kind == "extra":
            written[-1]["extra"] = "nowhere"
        elif kind == "both":
            written[-1] |= {"extra": "a", "group": "a"}
        elif kind == "default":
            self.uv["default-groups"] = ["nowhere"]
        elif kind == "environments":
            self.uv["environments"] = ["sys_platform == 'linux'", "platform_machine == 'x86_64'"]
        elif kind == "empty":
            self.uv["sources"]["torch"] = []
        else:
            self.uv["conflicts"] = [[{"package": "demo", "extra": "a"}] * 2]


def has(index: Index, package: str) -> bool:
    """Tell what the open index carries."""
    return index.url.rstrip("/").endswith(OPEN) and package in FAMILY


def routes_of(files: dict[str, Table]) -> Routes:
    """Work out what was written."""

    def plain(table: Table, root: Project | None = None) -> Project:
        return read_project(tomllib.loads(tomlkit.dumps(table)), root=root)

    root = plain(files[""])
    members = [plain(files["part"], root)] if "part" in files else []
    libraries = {"lib": plain(files["lib"])} if "lib" in files else {}
    return routes(root, members=members, libraries=libraries, needs=NEEDS, carries=has)


def selections(files: dict[str, Table]) -> list[str]:
    """Return what people would type."""
    table = files[""]
    extras = list(table.get("project", {}).get("optional-dependencies", ()))
    groups = list(table.get("dependency-groups", ()))
    found = ["", *(f"--extra {name}" for name in extras)]
    found += [f"--no-default-groups --group {name}" for name in groups]
    if table.get("tool", {}).get("uv", {}).get("default-groups") == "all":
        # As the machine of each build says it.
        others = {name: [one for one in groups if one != name] for name in groups[:3]}
        found += [f'UV_NO_GROUP="{" ".join(names)}"' for names in others.values() if names]
    found += [f"--group {name}" for name in groups[:2]]
    found += [f"--extra {extra} --group {group}" for extra in extras[:1] for group in groups[:2]]
    found += [f"--extra {extras[0]} --extra {extras[-1]}"] if len(extras) > 1 else []
    if "part" in files:
        found += ["--package part", "--package part --extra x"]
    return found


def told(route: Route, python: str) -> str:
    """Return a route for one Python, in one word."""
    for specifier, one in route.by_python:
        if SpecifierSet(specifier).contains(f"{python}.9"):
            return told(one, python)
    return route.kind if route.kind in ("error", "unknown") else label(route)


def told_by_uv(replica: Replica, folder: Path, select: str) -> dict[tuple[str, str, str], str]:
    """Return what uv locked, for one choice: platform, Python and package to one word."""
    found: dict[tuple[str, str, str], str] = {}
    before, after = (select, "") if select.startswith("UV_") else ("", select)
    try:
        export = replica.chosen(folder, f"{before} uv sync {after}")
    except UvError:
        export = None
    for platform in MACHINES:
        for python in PYTHONS:
            try:
                chosen = export.select(platform, python) if export else None
            except PylockSelectError:
                chosen = None
            for package in FAMILY:
                build = chosen[package] if chosen is not None else "error"
                if isinstance(build, str):
                    word: str = build
                else:
                    last = (build.index or "").rstrip("/").rpartition("/")[2]
                    word = PYPI if last == "simple" else last
                found[platform, python, package] = word
    return found


def differences(replica: Replica, folder: Path, files: dict[str, Table]) -> tuple[list[str], int]:
    """Compare every row of one project; return what differs, and the number of rows."""
    for name, table in files.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "pyproject.toml").write_text(tomlkit.dumps(table))
    found = routes_of(files)
    run = replica.uv("lock", cwd=folder)
    if run.returncode:
        return [] if found.error else [f"uv cannot lock: {run.stderr}"], 1
    wrong = []
    rows = 0
    for select in selections(files):
        for (platform, python, package), right in told_by_uv(replica, folder, select).items():
            rows += 1
            answer = told(found.row(package, machine(platform), choice(select)), python)
            if answer not in (right, "unknown"):
                wrong.append(f"{select} {package} {platform} {python}: {right}, not {answer}")
    return wrong, rows


@pytest.mark.parametrize(
    "seed",
    [pytest.param(seed, marks=[pytest.mark.slow] if seed >= 5 else []) for seed in range(200)],
)
def test_rows_are_what_uv_locks(replica_of: ReplicaOf, tmp_path: Path, seed: int) -> None:
    files = Writer(seed).write()
    wrong, _ = differences(replica_of(content()), tmp_path, files)
    assert not wrong, "\n".join([*wrong[:20], tomlkit.dumps(files[""])])
