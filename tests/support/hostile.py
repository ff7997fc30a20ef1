"""Text that means harm, in every place of a project, and what may come out of it.

`python -m tests.support.hostile [COUNT]` sends so many made-up texts through the commands.
"""

from __future__ import annotations

import json
import os
import random
import re
import shlex
import stat
import sys
import tempfile
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.projects import Result, run_in

ORDERS = (
    "\x1b]0;title\x07", "\x1b[8m", "\x9b5m", "\x7f", "\x00", "\x08", "\r", "\t", "\u202e", "\u2066",
    "\u200b", "\ufeff", "\u2028", "\u2029", "\u00ad", "\U000e0041", "\nFORGED: line",
    "\n::stop-commands::token", "\r\n  ::error::x", "##[add-mask]x", "##vso[task.complete]x",
)  # fmt: skip
"""What gives orders to terminals, readers and runners."""
ALL = "h" + "".join(ORDERS)
UV_SAYS = ALL.replace("FORGED: ", "").replace("::stop", "::set")
"""As another program may say it, whose lines stay lines."""
IN_NAMES = "h" + "".join(ORDERS).replace("\0", "").replace("/", "") + "\udcff"
"""As a file's name may be, on systems where names are bytes."""

FILE = """\
[project]
name = "demo"
version = "0.1.0"
requires-python = ">=3.12,<3.14"
dependencies = ["numpy"]
[project.optional-dependencies]
cpu = ["torch>=2.11"]
cu130 = ["torch>=2.11", "torchvision"]
[tool.uv]
conflicts = [[{ extra = "cpu" }, { extra = "cu130" }]]
[tool.uv.sources]
torch = [{ index = "pytorch-cpu", extra = "cpu" }, { index = "pytorch-cu130", extra = "cu130" }]
[[tool.uv.index]]
name = "pytorch-cpu"
url = "https://download.pytorch.org/whl/cpu"
explicit = true
[[tool.uv.index]]
name = "pytorch-cu130"
url = "https://download.pytorch.org/whl/cu130"
"""

_UV = "[tool.uv]\n"
PLACES = {
    "project name": ('name = "demo"', "name = {}"),
    "version": ('version = "0.1.0"', "version = {}"),
    "requires-python": ('">=3.12,<3.14"', "{}"),
    "requirement": ('"numpy"', "{}"),
    "requirement with a URL": ('"numpy"', '{"numpy @ https://example.org/" + H}'),
    "torch requirement": ('"torch>=2.11"]', '{"torch>=2.11 ; " + H}]'),
    "extra": ("\ncpu = ", "\n{} = "),
    "extra of a source": ('extra = "cpu" }, { index', "extra = {} }, { index"),
    "extra of a conflict": ('[[{ extra = "cpu" }', "[[{ extra = {} }"),
    "group": (_UV, "[dependency-groups]\n{} = ['torch']\n[tool.uv]\n"),
    "default group": (_UV, "[tool.uv]\ndefault-groups = [{}]\n"),
    "include-group": (
        _UV, "[dependency-groups]\na = [{ include-group = {} }]\n[tool.uv]\n",
    ),
    "index of a source": ('index = "pytorch-cpu"', "index = {}"),
    "marker of a source": ('index = "pytorch-cpu"', 'index = "pytorch-cpu", marker = {}'),
    "kind of a source": ('{ index = "pytorch-cpu"', "{ {} = 'x'"),
    "path of a source": ('{ index = "pytorch-cpu"', "{ path = {}"),
    "source": ("torch = [", "{} = { index = 'pytorch-cpu' }\ntorch = ["),
    "index name": ('name = "pytorch-cu130"', "name = {}"),
    "index URL": ('"https://download.pytorch.org/whl/cu130"', "{}"),
    "URL of a build": (
        '"https://download.pytorch.org/whl/cu130"', '{"https://example.org/" + H + "/cu130"}',
    ),
    "key of an index": ("explicit = true", "explicit = true\n{} = 1"),
    "uv setting": (_UV, "[tool.uv]\n{} = 1\n"),
    "environments": (_UV, "[tool.uv]\nenvironments = [{}]\n"),
    "constraint": (_UV, "[tool.uv]\nconstraint-dependencies = [{}]\n"),
    "find-links": (_UV, "[tool.uv]\nfind-links = [{}]\n"),
    "required-version": (_UV, "[tool.uv]\nrequired-version = {}\n"),
    "extra-index-url": (
        _UV, '[tool.uv]\nextra-index-url = [{"https://example.org/cu130?" + H}]\n',
    ),
    "ignore": (_UV, "[tool.torchconf]\nignore = [{}]\n[tool.uv]\n"),
    "setting": (_UV, "[tool.torchconf]\n{} = 1\n[tool.uv]\n"),
    "targets": (_UV, "[tool.torchconf]\ntargets = [{}]\n[tool.uv]\n"),
    "other table": (_UV, "[tool.{}]\na = 1\n[tool.uv]\n"),
    "members": (_UV, "[tool.uv.workspace]\nmembers = [{}]\n[tool.uv]\n"),
    "broken line": (_UV, "[tool.uv]\n{} {}\n"),
    "comment": (
        "[[tool.uv.index]]\nname", "# RAW\n[[tool.uv.index]] # torchconf: ignore[RAW]\nname",
    ),
    "raw name": ("\ncpu = ", '\n"RAW" = '),
    "text of lines": (
        _UV, '[tool.x]\na = """\n::stop-commands::x\n  ##[group]x\n"""\n[tool.uv]\n',
    ),
    "broken text": (_UV, "[tool.uv]\n::stop-commands::x\n"),
}  # fmt: skip
"""Where a text stands: what it takes the place of, and how. `{}` is the text as TOML writes it."""

COMMANDS = (
    "show", "show --format json", "check", "check -q", "check --color always", "check --statistics",
    "check --format github", "check --format json", "check --format sarif",
    "check --format gitlab", "check --format markdown",
    "check --diff --unsafe-fixes --format github", "explain torch", "explain linux --format json",
    "upgrade --dry-run --all --rename", "upgrade --torch 2.12 --check",
    "add-target windows-cuda --dry-run", "add-target windows-cuda --dry-run --format json",
    "remove-target linux-cu130 --dry-run --color always", "init -y --with torchaudio --dry-run",
    "init -t linux-cuda -t linux-cpu --layout groups --force --dry-run", "verify", "export",
    "init -t linux-cpu --force --lock", "diff",
)  # fmt: skip

ARGUMENTS = (
    "{}", "{} --format github", "show --project {}", "show {}", "show --{}", "show --format {}",
    "check {}", "check {} --format github", "check {}.py", "check --select {}", "check --ignore {}",
    "check -t {}", "check - --stdin-filename {}", "explain {}", "explain torch {}", "add-target {}",
    "add-target linux-{}", "remove-target {}", "init -t {}", "init -t linux-cuda --torch {}",
    "init -t linux-cuda --with {}", "init -t linux-cuda --python {} --force",
    "init -t linux-cuda -t linux-cpu --name cpu={} --force --dry-run",
    "init -t linux-cuda --index-base {}",
    "init -t linux-cuda --index-base https://{}", "upgrade --torch {}", "upgrade --backend {}",
    "upgrade --backend cu130={}", "verify -t {}", "verify --python {}", "verify --package {}",
    "export {}", "export --python {}", "export --group {} --frozen", "export -o {} --frozen",
    "catalog {}", "catalog show {}", "completion {}", "new {} x",
    "new app {} -t linux-cpu --dry-run", "new app x --set {}=1 -t linux-cpu",
    "new app x --name {} -t linux-cpu",
    "diff {}", "diff {} HEAD", "diff {}...HEAD --format markdown",
    "doctor --project {}", "doctor --{}", "-V {}", "--project {} check --format json",
)  # fmt: skip

VARIABLES = (
    "TORCHCONF_CATALOG", "UV_PROJECT_ENVIRONMENT", "UV_CUDA_DRIVER_VERSION",
    "UV_AMD_GPU_ARCHITECTURE", "UV_DEFAULT_INDEX", "COLUMNS", "UV_NO_GROUP", "VIRTUAL_ENV",
)  # fmt: skip

_OWN_COLOUR = re.compile(r"\x1b\[(?:\d|2[2-4]|3[0-79]|9[0-7])?(?:;\d\d?)*m")
_OWN_COMMAND = re.compile(r"::(?:error|warning|notice) (?:file|title)=[^:]*::")


def written(place: str, text: str) -> str:
    """Return the project with a text in one place."""
    old, new = PLACES[place]
    assert old in FILE
    new = re.sub(r"\{(.*?) \+ H(?: \+ (.*?))?\}", lambda m: _toml(_sum(m, text)), new)
    raw = re.sub(r'["\\\x00-\x1f\x7f\udc80-\udcff]', "", text)
    return FILE.replace(old, new.replace("{}", _toml(text)).replace("RAW", raw), 1)


def _sum(match: re.Match[str], text: str) -> str:
    return f"{json.loads(match[1])}{text}{json.loads(match[2]) if match[2] else ''}"


def _toml(text: str) -> str:
    escaped = re.sub(r"[^A-Za-z0-9 _:/.-]", lambda match: rf"\U{ord(match[0]):08X}", text)
    return f'"{escaped}"'


def project(folder: Path, text: str, *, message: str = UV_SAYS) -> Path:
    """Make a project, with a uv that says something hostile and fails."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(text, encoding="utf-8", newline="")
    programs = folder.parent / "programs"
    programs.mkdir(exist_ok=True)
    uv = programs / "uv"
    (programs / "said").write_bytes(f"error: {message}\n  x {message}".encode("utf-8", "replace"))
    uv.write_text(f"#!/bin/sh\ncat {shlex.quote(str(programs / 'said'))} >&2\nexit 2\n", "utf-8")
    uv.chmod(uv.stat().st_mode | stat.S_IXUSR)
    return programs


def run(folder: Path, words: Sequence[str], programs: Path, **variables: str) -> Result:
    """Run a command as in a job on GitHub."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "GITHUB_ACTIONS": "true",
            "PATH": os.pathsep.join([str(programs), os.environ["PATH"]]),
            **variables,
        }.items():
            patch.setenv(name, value)
        return run_in(folder, shlex.join(words))


def problems(result: Result, *, is_json: bool, is_github: bool = False) -> Iterator[str]:
    """Yield what must not come out."""
    if "this is a bug" in result.err + result.out:
        yield f"a crash: {result.err[-200:]!r}"
    if is_json and result.out:
        try:
            json.dumps(json.loads(result.out), ensure_ascii=False).encode()
        except ValueError as error:
            yield f"no JSON: {error}"
    for text in (result.out, result.err):
        for line in _OWN_COLOUR.sub("", text).split("\n"):
            if bad := [c for c in line if _is_order(c)]:
                yield f"{bad[:5]!a} in {line[:300]!a}"
            if re.search(r"##\w*\[", line):
                yield f"a command in {line[:300]!a}"
            if line.lstrip().startswith("::") and not (is_github and _OWN_COMMAND.match(line)):
                yield f"a command: {line[:300]!a}"
            if line.startswith(("FORGED", r"\x3a:stop")):
                yield f"a forged line: {line[:100]!a}"


def _is_order(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def of_command(folder: Path, words: str, programs: Path, **variables: str) -> list[str]:
    """Return what must not come out of one command."""
    result = run(folder, shlex.split(words), programs, **variables)
    found = problems(
        result,
        is_json=not {"json", "gitlab", "sarif"}.isdisjoint(words.split()),
        is_github="github" in words.split(),
    )
    return [f"{words}: {one}" for one in found]


def made_up(dice: random.Random) -> str:
    """Return a text of orders and other characters."""
    parts = [
        dice.choice(
            (
                dice.choice(ORDERS),
                chr(dice.choice((dice.randrange(1, 0x300), dice.randrange(0x2000, 0x2100)))),
                dice.choice(("a", "cu130", "torch", "/", "//u:p@h", "`", "'", "[x]", "{x}", "%0A")),
            )
        )
        for _ in range(dice.randrange(1, 8))
    ]
    return "".join(parts)


def main(count: int) -> None:
    """Send made-up texts through a command each."""
    dice = random.Random(14)
    found = 0
    with tempfile.TemporaryDirectory() as parent:
        for number in range(count):
            text, place = made_up(dice), dice.choice([*PLACES])
            folder = Path(parent, "demo")
            programs = project(
                folder,
                written(place, text),
                message=text.replace("FORGED: ", "").replace("::stop", "::set"),
            )
            for words in dice.sample(COMMANDS, 2):
                for problem in of_command(folder, words, programs):
                    found += 1
                    print(f"{number} {place} {text!a}: {problem}")
    print(f"{count} texts, {2 * count} runs, {found} leaks")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
