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


class Chain(NamedTuple):
    """A project, and what is typed in it."""

    files: Mapping[str, str]
    """Path to text."""
    commands: tuple[tuple[str, str], ...]
    """Folder and command line, without `torchconf`."""

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
            {"name": name, "url": f"{WHL}/{backend}{self.rng.choice(['', '', '', '/'])}"}
            for name, backend in self.indexes.items()
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


def make_chain(seed: int) -> Chain:
    """Return a project and one to five commands."""
    writer = _Writer(random.Random(seed))
    if writer.shape == "workspace":
        files = writer.workspace()
        folders = [".", ".", "packages/a"]
    else:
        files = writer.alone()
        folders = ["."]
    return Chain(files, tuple(writer.commands(folders)))


if __name__ == "__main__":
    print(make_chain(int(sys.argv[1])))
