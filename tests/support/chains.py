"""Projects as people write them, and a few commands on each: the same ones for the same seed.

`python -m tests.support.chains SEED` prints one.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

WHL = "https://download.pytorch.org/whl"

ORDINARY = (
    "numpy", "pandas>=2", "transformers>=4.40", "einops", "tqdm", "rich", "scipy>=1.10",
    "requests", "pyyaml", "huggingface-hub", "tqdm>=4.60", "pillow",
    "pywin32 ; sys_platform == 'win32'", "pandas ; python_version >= '3.11'",
    'ninja; platform_system == "Linux"',
)  # fmt: skip
NEEDS_TORCH = ("lightning", "accelerate>=0.30", "timm", "torchmetrics", "kornia",
               "sentence-transformers", "pytorch-lightning>=2")  # fmt: skip
TORCHES = (
    ["torch"], ["torch"], ["torch>=2.4"], ["torch>=2.6.0"], ["torch>=2.9,<3"], ["torch~=2.9"],
    ["torch==2.9.1"], ["torch>=2.8,!=2.9.0"], ["torch==2.11.0"],
    ["torch>=2.6 ; sys_platform != 'darwin'"],
    ["torch==2.9.1 ; sys_platform == 'linux'", "torch>=2.9 ; sys_platform != 'linux'"],
)  # fmt: skip
PYTHONS = (">=3.10", ">=3.11", ">=3.11,<3.14", ">=3.12", "==3.12.*", ">=3.10,<3.13", "~=3.11")
CUDAS = ("cu130", "cu130", "cu128", "cu126", "cu129", "cu132")
TARGETS = (
    "linux-cuda", "linux-cpu", "linux-cu130", "linux-cu126", "linux-cu128", "linux-rocm",
    "linux-xpu", "windows-cuda", "windows-cpu", "windows-cu128", "macos-cpu", "macos-cpu",
    "linux-aarch64-cuda", "linux-aarch64-cpu", "linux-pypi", "windows-xpu",
)  # fmt: skip
COMMENTS = (
    "# keep this", "# see the wiki", "# TEMPORARY: until the driver is updated", "# [a table]",
    "# torch = 1", "# ask before you change this", "# noqa", "#", "# 日本",
)  # fmt: skip
FOREIGN = (
    '[tool.ruff]\nline-length = 100\n\n[tool.ruff.lint]\nselect = ["E", "F"]{c}',
    '[tool.ruff]\nlint.select = ["ALL"]{c}\nlint.per-file-ignores = { "tests/*" = ["S101"] }',
    (
        '[tool.poetry]{c}\nname = "demo"\n\n[tool.poetry.dependencies]\npython = "^3.10"\n'
        'torch = { version = "^2.4", source = "pytorch" }\n\n[[tool.poetry.source]]\n'
        'name = "pytorch"\nurl = "https://download.pytorch.org/whl/cu118"\npriority = "explicit"'
    ),
    '[tool.pytest.ini_options]\naddopts = "-ra"{c}\nmarkers = [\n    "gpu: needs a GPU", {c}\n]',
    (
        '[tool.mypy]\nstrict = true\n\n[[tool.mypy.overrides]]{c}\nmodule = "torch.*"\n'
        "ignore_missing_imports = true"
    ),
    '[tool.black]\nline-length = 88{c}\ntarget-version = ["py311"]',
    '[tool.hatch.version]{c}\npath = "demo/__init__.py"',
)


WIDE = 10_000
"""From this seed on, projects have what fewer people write, too."""

COPY = "https://packages.example.org/pypi/simple"
"""A copy of PyPI; the replica has it."""

BESIDE = "@BESIDE@"
"""Stands for the folder that the project is in, which nobody knows before it is written."""

RARE_TORCHES = (
    ["torch!=2.12.0"], ["torch>=2.9,!=2.13.0"], ["torch>=2.8 ; python_version < '3.15'"],
    ["torch>=2.6 ; implementation_name == 'cpython'"], ["torch ; platform_machine != 's390x'"],
    ["torch>=2.7", "torch!=2.12.1"], ["torch"], ["torch>=2.9"],
)  # fmt: skip
RARE_MARKERS = (
    "platform_release != '5.15.148-tegra'", "implementation_name == 'cpython'",
    "python_version >= '3.11'", "os_name == 'posix'", "'microsoft' not in platform_release",
)  # fmt: skip
SETTINGS = (
    'override-dependencies = ["numpy<3"]', 'override-dependencies = ["torch>=2.8"]',
    "override-dependencies = [\"torch>=2.8 ; sys_platform == 'linux'\"]",
    'constraint-dependencies = ["numpy<3", "torch<2.14"]', 'constraint-dependencies = ["torch<3"]',
    'exclude-dependencies = ["ninja"]', 'exclude-dependencies = ["nvidia-nccl-cu13"]',
    'find-links = ["wheels"]', "find-links = ['wheels', 'https://wheels.example.org/all']",
    "environments = [\"sys_platform == 'linux'\", \"sys_platform == 'win32'\"]",
    "required-environments = [\"sys_platform == 'linux' and platform_machine == 'x86_64'\"]",
    'index-strategy = "unsafe-best-match"', 'prerelease = "allow"',
)  # fmt: skip
RARE_COMMANDS = (
    "check --fix --unsafe-fixes", "check --fix .", "init -y --pin",
    "add-target linux-cuda --layout extras", "add-target linux-cu126 --layout groups",
    "upgrade --torch 2.12", "init -y --with torchcodec",
    "remove-target linux-pypi", "remove-target linux-aarch64-cuda",
)  # fmt: skip


class Chain(NamedTuple):
    """A project, and what is typed in it."""

    files: Mapping[str, str]
    """Path to text, with `BESIDE` in it."""
    commands: tuple[tuple[str, str], ...]
    """Folder and command line, without `torchconf`."""
    repositories: tuple[str, ...] = ()
    """Folders beside the project that are git repositories."""

    def __str__(self) -> str:
        """Return all of it, to try it by hand."""
        files = "".join(f"--- {path}\n{text}" for path, text in self.files.items())
        return files + "".join(f"{at}$ torchconf {line}\n" for at, line in self.commands)


class _Writer:
    """Writes one project; every spelling is drawn anew."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.shape = rng.choice(
            ["bare", "bare", "one", "linux", "split", "split", "machines", "labels", "open"]
            + ["extras"] * 4
            + ["groups"] * 3
            + ["workspace"] * 3
        )
        self.cuda = rng.choice(CUDAS)
        self.torch = rng.choice(TORCHES)
        self.companions = [name for name in ("torchvision", "torchaudio") if rng.random() < 0.3]
        self.python = rng.choice(PYTHONS)
        self.indexes: dict[str, str] = {}
        self.sources: dict[str, list[dict[str, str]]] = {}

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def comment(self, share: float = 0.25) -> str:
        return f"  {self.rng.choice(COMMENTS)}" if self.chance(share) else ""

    def above(self) -> str:
        return f"{self.rng.choice(COMMENTS)}\n" if self.chance(0.2) else ""

    def string(self, text: str) -> str:
        return f"'{text}'" if '"' in text or ("'" not in text and self.chance(0.1)) else f'"{text}"'

    def array(self, values: Sequence[str]) -> str:
        """Write strings, or inline tables that are written already."""
        entries = [value if value.startswith("{") else self.string(value) for value in values]
        if self.chance(0.3) or not entries:
            return f"[{', '.join(entries)}]"
        indent = self.rng.choice(["    ", "  ", "\t"])
        lines = "".join(
            f"{indent}{self.above().rstrip()}".rstrip() + f"\n{indent}{entry},{self.comment()}"
            if self.chance(0.15)
            else f"\n{indent}{entry},{self.comment()}"
            for entry in entries
        )
        return f"[{self.comment(0.1)}{'' if lines.startswith(chr(10)) else chr(10)}{lines}\n]"

    def family(self) -> list[str]:
        return [*self.torch, *self.companions]

    # What routes torch.

    def index(self, backend: str) -> str:
        name = next((name for name, its in self.indexes.items() if its == backend), None)
        if name is None:
            name = self.rng.choice([f"pytorch-{backend}", f"pytorch-{backend}", f"torch_{backend}"])
            self.indexes[name] = backend
        return name

    def route(self, *entries: Mapping[str, str]) -> None:
        """Route torch and its companions; what is `backend` becomes an index."""
        for package in ("torch", *self.companions):
            self.sources[package] = [
                {"index": self.index(entry["backend"])}
                | {key: value for key, value in entry.items() if key != "backend"}
                for entry in entries
            ]

    def routed(self) -> None:
        """Draw the sources of a project whose builds are chosen by marker, or not at all."""
        linux, other = "sys_platform == 'linux'", "sys_platform != 'linux'"
        if self.chance(0.2):
            linux, other = "platform_system == 'Linux'", "platform_system != 'Linux'"
        both = f"{linux} or sys_platform == 'win32'"
        match self.shape:
            case "one":
                self.route({"backend": self.rng.choice(["cpu", self.cuda])})
            case "linux":
                self.route({"backend": self.cuda, "marker": self.rng.choice([linux, both])})
            case "split":
                self.route(
                    {"backend": "cpu", "marker": other}, {"backend": self.cuda, "marker": linux}
                )
            case "machines":
                x86 = f"{linux} and platform_machine == 'x86_64'"
                arm = f"{linux} and platform_machine == 'aarch64'"
                self.route({"backend": self.cuda, "marker": x86}, {"backend": "cpu", "marker": arm})
            case "labels":
                self.cuda = "cu128"
                self.torch = [f"torch==2.9.1+cu128 ; {linux}", f"torch==2.9.1 ; {other}"]
                self.companions = []
                self.route({"backend": "cu128", "marker": linux})
            case "open":
                self.indexes[self.rng.choice(["pytorch", f"pytorch-{self.cuda}"])] = self.cuda
            case _:
                pass

    def scoped(self) -> tuple[dict[str, list[str]], str]:
        """Return the lists that choose a build, and the conflict between them."""
        kind = self.shape.removesuffix("s").replace("workspace", "extra")
        names = self.rng.choice([["cpu", self.cuda], ["cpu", "gpu"], ["cpu", "cuda"]])
        marker = self.rng.choice([{}, {}, {"marker": "sys_platform != 'darwin'"}])
        entries = [
            {"backend": "cpu", kind: names[0]}, {"backend": self.cuda, kind: names[1], **marker}
        ]  # fmt: skip
        self.route(*entries)
        lists = {name: self.family() for name in names}
        pairs = ", ".join(f'{{ {kind} = "{name}" }}' for name in names)
        if self.chance(0.5):
            return lists, f"conflicts = [[{pairs}]]{self.comment()}"
        entries_ = "".join(f"        {{ {kind} = '{name}' }},{self.comment()}\n" for name in names)
        return lists, f"conflicts = [\n    [\n{entries_}    ],\n]"

    def uv(self, lines: Sequence[str] = ()) -> str:
        """Write `[tool.uv]` and what is below it."""
        tables = []
        entries = {
            package: [self.inline(entry) for entry in its] for package, its in self.sources.items()
        }
        values = {
            package: its[0] if len(its) == 1 and self.chance(0.6) else self.array(its)
            for package, its in entries.items()
        }
        indexes = [
            {"name": name, "url": self.url(backend)} for name, backend in self.indexes.items()
        ]
        dotted = self.chance(0.2)
        array = bool(indexes) and self.chance(0.25)
        own = list(lines)
        if dotted:
            own += [f"sources.{package} = {value}" for package, value in values.items()]
        explicit = "" if self.shape == "open" else ", explicit = true"
        if array:
            written = [self.inline(each, explicit) for each in indexes]
            own.append(f"index = {self.array(written)}")
        self.rng.shuffle(own)
        if own:
            tables.append(f"[tool.uv]{self.comment()}\n" + "\n".join(own) + "\n")
        if values and not dotted:
            body = "".join(f"{self.above()}{key} = {value}\n" for key, value in values.items())
            tables.append(f"{self.above()}[tool.uv.sources]{self.comment()}\n{body}")
        if not array:
            tables += [
                f"{self.above()}[[tool.uv.index]]{self.comment()}\n"
                f'name = "{each["name"]}"{self.comment()}\nurl = "{each["url"]}"{self.comment()}\n'
                + ("explicit = true\n" if explicit else "")
                for each in indexes
            ]
        return self.rng.choice(["\n", "\n", ""]).join(tables)

    def url(self, backend: str) -> str:
        return f"{WHL}/{backend}{self.rng.choice(['', '', '', '/'])}"

    def inline(self, table: Mapping[str, str], more: str = "") -> str:
        pairs = ", ".join(f"{key} = {self.string(value)}" for key, value in table.items())
        return f"{{ {pairs}{more} }}"

    # The whole file.

    def project(self, name: str, base: Sequence[str], extras: Mapping[str, list[str]] = {}) -> str:
        text = (
            f'{self.above()}[project]{self.comment()}\nname = "{name}"\nversion = "0.1.0"\n'
            f'requires-python = "{self.python}"{self.comment()}\n'
            f"dependencies = {self.array(base)}\n"
        )
        if extras:
            body = "".join(
                f"{self.above()}{key} = {self.array(lines)}\n" for key, lines in extras.items()
            )
            text += f"\n[project.optional-dependencies]{self.comment()}\n{body}"
        return text

    def dependencies(self, *, needs: float) -> list[str]:
        found = self.rng.sample(ORDINARY, self.rng.randint(1, 4))
        if self.chance(needs):
            found += self.rng.sample(NEEDS_TORCH, self.rng.choice([1, 1, 2]))
        return found

    def groups(self, chosen: Mapping[str, list[str]]) -> str:
        groups = dict(chosen)
        if self.chance(0.5):
            groups["dev"] = ["pytest", "ruff"]
        if "dev" in groups and self.chance(0.3):
            groups["docs"] = ["rich", '{ include-group = "dev" }']
        if not groups:
            return ""
        body = "".join(f"{key} = {self.array(lines)}\n" for key, lines in groups.items())
        return f"{self.above()}[dependency-groups]{self.comment()}\n{body}"

    def alone(self) -> dict[str, str]:
        lists: dict[str, list[str]] = {}
        lines = []
        if self.shape in {"extras", "groups"}:
            lists, conflict = self.scoped()
            lines.append(conflict)
        else:
            self.routed()
        scoped_by_extra = self.shape == "extras"
        extras = dict(lists) if scoped_by_extra else {}
        groups = lists if self.shape == "groups" else {}
        if self.chance(0.3):
            extras["viz"] = self.rng.sample(["rich", "pillow", "pandas"], 2)
        if "viz" in extras and self.chance(0.3):
            extras["all"] = ["demo[viz]"]
        base = self.dependencies(needs=0.2 if lists else 0.35)
        if not lists and self.chance(0.9):
            at = self.rng.randint(0, len(base))
            base[at:at] = self.family()
        if self.shape == "groups" and self.chance(0.5):
            names = [name for name in groups if name == "cpu"]
            lines.append(f"default-groups = {self.array(names)}")
        if self.chance(0.2):
            lines.append("package = false")
        blocks = [self.project("demo", base, extras), self.groups(groups), self.uv(lines)]
        blocks += self.foreign()
        if self.chance(0.2) and "package = false" not in lines:
            blocks.append('[build-system]\nrequires = ["hatchling"]\n'
                          'build-backend = "hatchling.build"\n')  # fmt: skip
        return {"pyproject.toml": self.joined(blocks)}

    def workspace(self) -> dict[str, str]:
        """Write a root with the sources, and two members: torch is in one of them or both."""
        self.shape = self.rng.choice(["one", "linux", "split", "bare"])
        self.routed()
        lines = ['workspace = { members = ["packages/*"] }']
        if self.chance(0.5):
            lines = ['workspace.members = ["packages/a", "packages/b"]']
        root_base = self.dependencies(needs=0.1)
        if self.chance(0.3):
            root_base += self.family()
        blocks = [self.project("demo", root_base), self.groups({}), *self.foreign(), self.uv(lines)]
        members = {}
        for name in ("a", "b"):
            base = self.dependencies(needs=0.2)
            if name == "a" or self.chance(0.5):
                base += self.family()
            members[f"packages/{name}/pyproject.toml"] = self.joined([self.project(name, base)])
        return {"pyproject.toml": self.joined(blocks), **members}

    def foreign(self) -> list[str]:
        some = self.rng.sample(FOREIGN, self.rng.choice([0, 1, 1, 2]))
        names = {text.split("]")[0] for text in some}
        some = some if len(names) == len(some) else some[:1]
        return [text.replace("{c}", self.comment(0.5)) + "\n" for text in some]

    def joined(self, blocks: Sequence[str]) -> str:
        head, *rest = [block for block in blocks if block]
        if self.chance(0.5):
            self.rng.shuffle(rest)
        text = "\n".join([head, *rest])
        return text.replace("\n", "\r\n") if self.chance(0.1) else text

    def commands(self, folders: Sequence[str]) -> Iterator[tuple[str, str]]:
        rng = self.rng
        for _ in range(rng.randint(1, 5)):
            at = rng.choice(folders)
            target = rng.choice(TARGETS)
            match rng.choice(["add", "add", "add", "remove", "upgrade", "init", "with", "layout",
                              "fix"]):  # fmt: skip
                case "add":
                    yield at, f"add-target {target}"
                case "remove":
                    own = [f"linux-{self.cuda}", "macos-cpu", "linux-cpu", "windows-cpu", target]
                    yield at, f"remove-target {rng.choice(own)}"
                case "upgrade":
                    backend = f"upgrade --backend {self.cuda}=cu130"
                    some = ["upgrade", "upgrade --all", "upgrade --all --rename"]
                    yield at, rng.choice([*some, "upgrade --torch 2.11", backend])
                case "init":
                    targets = dict.fromkeys(rng.choices(TARGETS, k=rng.choice([1, 2, 3])))
                    yield at, " ".join(["init -y", *(f"-t {each}" for each in targets)])
                case "with":
                    package = rng.choice(["torchvision", "torchaudio"])
                    yield at, f"init -y --with {package}"
                case "layout":
                    layout = rng.choice(["markers", "extras", "groups"])
                    yield at, f"init -y --layout {layout}"
                case _:
                    yield at, "check --fix"


class _WideWriter(_Writer):
    """Writes what fewer people write, too; some of it in each project."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng)
        self.files: dict[str, str] = {}
        self.repositories: list[str] = []
        self.settings: list[str] = []
        self.libraries: list[str] = []
        self.has_copy = False
        self.is_inline = False
        self.is_nightly = False
        for oddity in rng.sample(
            [
                self.library, self.library, self.repository, self.by_url, self.script, self.setting,
                self.setting, self.copy, self.nightly, self.in_one_table, self.rare_torch,
            ],
            rng.choice([1, 2, 2, 3]),
        ):  # fmt: skip
            oddity()

    # The oddities.

    def member(self, name: str) -> str:
        line = self.rng.choice(['"torch>=2.4"', '"torch"', '"numpy"', '"numpy", "torchvision"', ""])
        return (
            f'[project]\nname = "{name}"\nversion = "0.3.0"\nrequires-python = ">=3.9"\n'
            f"dependencies = [{line}]\n"
        )

    def library(self) -> None:
        name = f"lib-{len(self.libraries)}"
        self.libraries.append(name)
        self.files[f"libs/{name}/pyproject.toml"] = self.member(name)
        self.sources[name] = [{"path": f"libs/{name}"}]

    def by_url(self) -> None:
        self.files["libs/by-url/pyproject.toml"] = self.member("by-url")
        self.libraries.append(f"by-url @ file://{BESIDE}/demo/libs/by-url")

    def repository(self) -> None:
        self.repositories.append("from-git")
        self.files["../from-git/pyproject.toml"] = self.member("from-git")
        if self.chance(0.5):
            self.libraries.append(f"from-git @ git+file://{BESIDE}/from-git")
        else:
            self.libraries.append("from-git")
            self.sources["from-git"] = [{"git": f"file://{BESIDE}/from-git"}]

    def script(self) -> None:
        backend = self.rng.choice(["cpu", "cu128", "cu130"])
        self.files["train.py"] = (
            '# /// script\n# requires-python = ">=3.11"\n# dependencies = ["torch", "rich"]\n#\n'
            f'# [tool.uv.sources]\n# torch = {{ index = "pytorch-{backend}" }}\n#\n'
            f'# [[tool.uv.index]]\n# name = "pytorch-{backend}"\n'
            f'# url = "{WHL}/{backend}"\n# explicit = true\n# ///\nimport torch\n'
        )

    def setting(self) -> None:
        keys = {line.split(" ")[0] for line in self.settings}
        line = self.rng.choice(SETTINGS)
        if line.split(" ")[0] in keys:
            return
        self.settings.append(line)
        if line.startswith("find-links"):
            self.files["wheels/.keep"] = ""

    def copy(self) -> None:
        self.has_copy = True
        self.indexes[self.rng.choice(["pypi", "internal", "mirror"])] = COPY
        if self.chance(0.5):
            self.sources["numpy"] = [{"index": next(iter(self.indexes))}]

    def nightly(self) -> None:
        self.is_nightly = True

    def in_one_table(self) -> None:
        self.is_inline = True

    def rare_torch(self) -> None:
        if self.chance(0.6):
            self.torch = self.rng.choice(RARE_TORCHES)
        if self.companions and self.chance(0.5):
            self.companions[0] += {"torchvision": "!=0.27.0", "torchaudio": "!=2.10.0"}[
                self.companions[0]
            ]

    # What writes them.

    def url(self, backend: str) -> str:
        if backend == self.cuda and self.is_nightly:
            return f"{WHL}/nightly/{backend}"
        return backend if "://" in backend else super().url(backend)

    def route(self, *entries: Mapping[str, str]) -> None:
        named = [companion.partition("!")[0] for companion in self.companions]
        written, self.companions = self.companions, named
        rare = self.rng.choice(RARE_MARKERS) if self.chance(0.2) else None
        if rare is not None:
            first, *rest = entries
            marker = f"{first['marker']} and {rare}" if "marker" in first else rare
            entries = (({**first, "marker": marker}), *rest)
        super().route(*entries)
        self.companions = written

    def project(self, name: str, base: Sequence[str], extras: Mapping[str, list[str]] = {}) -> str:
        if name == "demo":
            base = [*base, *self.libraries]
            if "numpy" in self.sources:
                base = [*(line for line in base if line != "numpy"), "numpy"]
        if extras and self.chance(0.3):
            first = next(iter(extras))
            extras = {**extras, "full": [f"demo[{first}]", "rich"], "more": ["demo[full]"]}
        return super().project(name, base, extras)

    def groups(self, chosen: Mapping[str, list[str]]) -> str:
        if self.chance(0.3):
            lint, test = ["ruff"], ["pytest", '{ include-group = "lint" }']
            both = ['{ include-group = "lint" }', '{ include-group = "test" }', "rich"]
            chosen = {**chosen, "lint": lint, "test": test, "ci": both}
            if self.shape == "groups" and self.chance(0.4):
                first = next(iter(chosen))
                chosen["train"] = ["tqdm", f'{{ include-group = "{first}" }}']
        return super().groups(chosen)

    def uv(self, lines: Sequence[str] = ()) -> str:
        lines = [*lines, *self.settings]
        if not self.is_inline:
            return super().uv(lines)
        # A comment ends the line, which goes on with the next key.
        lines = [line if "\n" in line else line.partition("  #")[0] for line in lines]
        values = {
            package: f"[{', '.join(map(self.inline, entries))}]"
            for package, entries in self.sources.items()
        }
        explicit = "" if self.shape == "open" else ", explicit = true"
        written = [
            self.inline({"name": name, "url": self.url(backend)}, explicit)
            for name, backend in self.indexes.items()
        ]
        parts = [*lines]
        if values:
            body = ", ".join(f"{key} = {value}" for key, value in values.items())
            parts.append(f"sources = {{ {body} }}")
        if written:
            parts.append(f"index = [{', '.join(written)}]")
        return f"[tool]\nuv = {{ {', '.join(parts)} }}{self.comment()}\n" if parts else ""

    def commands(self, folders: Sequence[str]) -> Iterator[tuple[str, str]]:
        for at, line in super().commands(folders):
            yield at, self.rng.choice(RARE_COMMANDS) if self.chance(0.15) else line


def make_chain(seed: int) -> Chain:
    """Return a project and one to five commands."""
    rng = random.Random(seed)
    wide = _WideWriter(rng) if seed >= WIDE else None
    writer = wide or _Writer(rng)
    if writer.shape == "workspace":
        files = writer.workspace()
        folders = [".", ".", "packages/a"]
    else:
        files = writer.alone()
        folders = ["."]
    if wide is not None:
        files |= wide.files
    return Chain(files, tuple(writer.commands(folders)), tuple(wide.repositories if wide else ()))


if __name__ == "__main__":
    print(make_chain(int(sys.argv[1])))
