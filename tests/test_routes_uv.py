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

from tests.replica import Content, Release, Replica, UvError
from tests.test_routes import MACHINES, PYPI, choice, label, machine
from torchconf.project import Project, read_project
from torchconf.routes import Route, Routes, routes

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import ReplicaOf
    from torchconf.project import Index

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
        self.files: dict[str, Table] = {}

    def chance(self, share: float) -> bool:
        """Decide."""
        return self.random.random() < share

    def marker(self) -> str:
        """Pick a marker."""
        kind = self.random.random()
        if kind < 0.08:
            return self.random.choice(ODD_MARKERS)
        if kind < 0.2:
            return self.random.choice(PYTHON_MARKERS)
        return self.random.choice(MARKERS)

    def strings(self, package: str) -> list[str]:
        """Write one package as requirement strings."""
        kind = self.random.random()
        if kind < 0.7:
            return [package]
        if kind < 0.85:
            return [f"{package} ; {self.marker()}"]
        if kind < 0.95:
            return [f"{package}>=1 ; {marker}" for marker in self.random.choice(OPPOSITES)]
        return [f"{package}>=1", f"{package}<99 ; {self.marker()}"]

    def entries(self, backend: str, scope: Table) -> list[Table]:
        """Write the source entries of one package for one backend."""
        index = f"pytorch-{backend}"
        kind = self.random.random()
        if kind < 0.55:
            return [{"index": index, **scope}]
        if kind < 0.85:
            return [{"index": index, **scope, "marker": self.marker()}]
        one, other = self.random.choice(OPPOSITES)
        second = index if self.chance(0.6) else f"pytorch-{self.random.choice(self.backends)}"
        return [
            {"index": index, **scope, "marker": one},
            {"index": second, **scope, "marker": other},
        ]

    def write(self) -> dict[str, Table]:
        """Write the files: folder to table."""
        shape = self.random.choice(("extras", "extras", "groups", "groups", "both", "none"))
        project: Table = {
            "name": "demo",
            "version": "0.1.0",
            "requires-python": self.random.choice((">=3.11", ">=3.11,<3.14", ">=3.10")),
            "dependencies": [],
        }
        uv: Table = {}
        packages = ["torch", *(p for p in FAMILY[1:] if self.chance(0.35))]
        base: list[str] = project["dependencies"]
        if shape == "none" or self.chance(0.3):
            for package in packages:
                base += self.strings(package)
        if self.chance(0.25):
            base += self.strings(self.random.choice(("torchmetrics", "accelerate", "torchvision")))
        if self.chance(0.3):
            base += self.strings("numpy")
        extras: dict[str, list[str]] = {}
        groups: dict[str, list[Any]] = {}
        sources: dict[str, list[Table]] = {package: [] for package in packages}
        items: list[Table] = []
        names = iter("abcdefgh")
        for backend in self.backends if shape != "none" else ():
            grouped = shape == "groups" or (shape == "both" and self.chance(0.5))
            name = next(names)
            scope = {"group" if grouped else "extra": name}
            listing = [line for package in packages for line in self.strings(package)]
            # An extra inside an extra contradicts itself.
            listing = [line for line in listing if "extra" not in line] or ["torch"]
            (groups if grouped else extras)[name] = listing
            items.append(scope)
            for package in packages:
                kind = self.random.random()
                if kind < 0.9:
                    sources[package] += self.entries(backend, scope)
                elif kind < 0.93:
                    sources[package] += self.entries(backend, {})
        if shape == "none":
            for package in packages:
                kind = self.random.random()
                if kind < 0.5:
                    pair = zip(self.random.choice(OPPOSITES), self.backends, strict=False)
                    sources[package] = [
                        {"index": f"pytorch-{backend}", "marker": marker}
                        for marker, backend in pair
                    ]
                else:
                    sources[package] = self.entries(self.backends[0], {})
        self.additions(extras, groups, items)
        conflicts = self.conflicts(items)
        if conflicts:
            uv["conflicts"] = conflicts
        if groups:
            defaults = [name for name in groups if self.chance(0.25)][:1]
            kind = self.random.random()
            if kind < 0.5:
                uv["default-groups"] = defaults
            elif kind < 0.53:
                uv["default-groups"] = "all"
        if self.chance(0.2):
            uv["environments"] = self.environments()
        if self.chance(0.1):
            uv["constraint-dependencies"] = self.random.choice(
                (["torch<99"], ["torch"], [f"torch<99 ; {self.random.choice(MARKERS)}"])
            )
        if self.chance(0.05):
            uv["override-dependencies"] = self.random.choice(
                (["torch>=1"], [f"torch>=1 ; {self.random.choice(MARKERS)}"])
            )
        if self.chance(0.03):
            uv["exclude-dependencies"] = ["torchvision"]
        uv["sources"] = {package: written for package, written in sources.items() if written}
        uv["index"] = [
            {
                "name": f"pytorch-{backend}",
                "url": f"https://download.pytorch.org/whl/{backend}" + "/" * self.chance(0.03),
                "explicit": True,
            }
            for backend in self.backends
        ]
        if self.chance(0.1):
            uv["index"].insert(
                self.random.randint(0, len(self.backends)),
                {"name": "open", "url": f"https://download.pytorch.org/whl/{OPEN}"},
            )
        table: Table = {"project": project, "tool": {"uv": uv}}
        if extras:
            project["optional-dependencies"] = extras
        if groups:
            table["dependency-groups"] = groups
        self.files[""] = table
        if self.chance(0.12):
            self.library(table)
        if self.chance(0.12):
            self.member(table)
            if shape == "none" and self.chance(0.5):
                # A root that is no project, with groups of its own.
                del table["project"], uv["sources"]["part"]
                # uv does not apply overrides to the groups of such a root when it exports.
                uv.pop("override-dependencies", None)
                table["dependency-groups"] = {"g": self.strings("torch")}
        if self.chance(0.06):
            self.mistake(table)
        return self.files

    def mistake(self, table: Table) -> None:
        """Put in something that uv refuses."""
        uv = table["tool"]["uv"]
        written = uv["sources"].setdefault("torch", [{"index": "pytorch-cpu"}])
        kind = self.random.randrange(7)
        if kind == 0:
            written[-1]["index"] = "nowhere"
        elif kind == 1:
            written[-1]["extra"] = "nowhere"
        elif kind == 2:  # noqa: PLR2004 - one of seven
            written[-1] |= {"extra": "a", "group": "a"}
        elif kind == 3:  # noqa: PLR2004
            uv["default-groups"] = ["nowhere"]
        elif kind == 4:  # noqa: PLR2004
            uv["environments"] = ["sys_platform == 'linux'", "platform_machine == 'x86_64'"]
        elif kind == 5:  # noqa: PLR2004
            uv["sources"]["torch"] = []
        else:
            uv["conflicts"] = [[{"extra": "a"}, {"extra": "a"}]]

    def additions(
        self, extras: dict[str, list[str]], groups: dict[str, list[Any]], items: list[Table]
    ) -> None:
        """Add aliases, including groups, and what else stands beside the variants."""
        if extras and self.chance(0.2):
            extras["alias"] = [f"demo[{self.random.choice(list(extras))}]"]
            if self.chance(0.5):
                items.append({"extra": "alias"})
        if extras and self.chance(0.15):
            groups["dev"] = [f"demo[{self.random.choice(list(extras))}]"]
        elif self.chance(0.15):
            groups["dev"] = ["rich"]
        if groups and self.chance(0.2):
            included = self.random.choice(list(groups))
            groups["wide"] = [{"include-group": included}, *(["numpy"] if self.chance(0.5) else [])]
            if self.chance(0.3):
                items.append({"group": "wide"})
        if extras and self.chance(0.1):
            extras["empty"] = []
            if self.chance(0.7):
                items.append({"extra": "empty"})

    def conflicts(self, items: list[Table]) -> list[list[Table]]:
        """Write conflict sets: complete, lacking one, in pairs, overlapping, with unknown names."""
        if len(items) < 2:
            return []
        kind = self.random.random()
        if kind < 0.6:
            sets = [list(items)]
        elif kind < 0.65:
            sets = []
        elif kind < 0.75:
            sets = [[one, other] for n, one in enumerate(items) for other in items[n + 1 :]]
        elif kind < 0.85 and len(items) > 2:
            sets = [self.random.sample(items, 2), self.random.sample(items, 2)]
        elif kind < 0.92:
            sets = [[*items, {"extra": "ghost"}]]
        else:
            sets = [items[:2]]
        if self.chance(0.05):
            sets.append([{"package": "demo"}, self.random.choice(items)])
        return sets

    def environments(self) -> list[str]:
        """Write `environments`."""
        kind = self.random.random()
        if kind < 0.6:
            return list(self.random.choice(OPPOSITES))
        if kind < 0.8:
            return [f"sys_platform == '{system}'" for system in ("linux", "darwin", "win32")]
        return [self.random.choice(MARKERS)]

    def library(self, table: Table) -> None:
        """Add a library by path, with sources of its own."""
        name = self.random.choice(self.backends)
        asked = "lib[x]" if self.chance(0.4) else "lib"
        table["project"]["dependencies"].append(asked)
        table["tool"]["uv"]["sources"]["lib"] = {"path": "./lib"}
        source: Table = {"index": "mine"}
        if self.chance(0.4):
            source["marker"] = self.marker()
        self.files["lib"] = {
            "project": {
                "name": "lib",
                "version": "1.0",
                "requires-python": ">=3.10",
                "dependencies": self.strings("torch") if self.chance(0.7) else [],
                "optional-dependencies": {"x": self.strings("torch"), "y": ["torchvision"]},
            },
            "tool": {
                "uv": {
                    "sources": {"torch": source},
                    "index": [
                        {
                            "name": "mine",
                            "url": f"https://download.pytorch.org/whl/{name}",
                            "explicit": True,
                        }
                    ],
                }
            },
        }

    def member(self, table: Table) -> None:
        """Add a workspace member."""
        table["tool"]["uv"]["workspace"] = {"members": ["part"]}
        if self.chance(0.6):
            table["project"]["dependencies"].append("part")
        table["tool"]["uv"]["sources"]["part"] = {"workspace": True}
        member: Table = {
            "project": {
                "name": "part",
                "version": "1.0",
                "requires-python": ">=3.10",
                "dependencies": self.strings("torch") if self.chance(0.5) else [],
                "optional-dependencies": {"x": self.strings("torch")},
            },
            "tool": {"uv": {}},
        }
        if self.chance(0.5):
            backend = self.random.choice(self.backends)
            member["tool"]["uv"]["sources"] = {"torch": self.entries(backend, {"extra": "x"})}
        self.files["part"] = member


def has(index: Index, package: str) -> bool:
    """Tell what the open index carries."""
    return index.url.rstrip("/").endswith(OPEN) and package in FAMILY


def routes_of(files: dict[str, Table]) -> Routes:
    """Work out what was written."""

    def plain(table: Table, root: Project | None = None) -> Project:
        return read_project(tomllib.loads(tomlkit.dumps(table)), root=root)

    root = plain(files[""])
    members = [plain(files["part"], root)] if "part" in files else []
    libraries = {"./lib": plain(files["lib"])} if "lib" in files else {}
    return routes(root, members=members, libraries=libraries, needs=NEEDS, carries=has)


def selections(files: dict[str, Table]) -> list[str]:
    """Return what people would type."""
    table = files[""]
    extras = list(table.get("project", {}).get("optional-dependencies", ()))
    groups = list(table.get("dependency-groups", ()))
    found = ["", *(f"--extra {name}" for name in extras)]
    found += [f"--no-default-groups --group {name}" for name in groups]
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
        try:
            export = replica.export(folder, *select.split())
        except UvError as error:
            export, refusal = None, error.run.stderr
        for platform in MACHINES:
            for python in PYTHONS:
                try:
                    chosen = export.select(platform, python) if export else None
                except PylockSelectError as error:
                    chosen, refusal = None, str(error)
                for package in FAMILY:
                    build = chosen[package] if chosen is not None else f"error: {refusal}"
                    if not isinstance(build, str):
                        last = (build.index or "").rstrip("/").rpartition("/")[2]
                        build = PYPI if last == "simple" else last
                    answer = told(found.row(package, machine(platform), choice(select)), python)
                    rows += 1
                    if answer not in (build.partition(":")[0], "unknown"):
                        wrong.append(
                            f"{select} {package} {platform} {python}: {build}, not {answer}"
                        )
    return wrong, rows


@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(seed, marks=[pytest.mark.slow] if seed >= 15 else [])  # noqa: PLR2004 - a sample
        for seed in range(200)
    ],
)
def test_rows_are_what_uv_locks(replica_of: ReplicaOf, tmp_path: Path, seed: int) -> None:
    files = Writer(seed).write()
    wrong, _ = differences(replica_of(content()), tmp_path, files)
    assert not wrong, "\n".join([*wrong[:20], tomlkit.dumps(files[""])])
