"""`torchconf use`: the lines that make plain uv commands right on this machine."""

from __future__ import annotations

import os
import re
import sys

from torchconf.cli.parser import add_format
from torchconf.errors import ProjectError
from torchconf.layout.assignments import PLACES
from torchconf.model.record import Record

TYPE_CHECKING = False  # `typing` is not needed to print help
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

    from torchconf.cli.options import CommonOptions, Format
    from torchconf.cli.parser import Parser
    from torchconf.cli.this_target import ThisTarget
    from torchconf.model.project import Project

    Place = Literal["bash", "zsh", "fish", "powershell", "direnv", "mise", "github", "docker"]

EPILOG = """\
For projects that were set up with `--default machine`: there, each machine names the builds that
it leaves out in UV_NO_GROUP. Without TARGET, the choice is that of `torchconf sync`. Set the
variable in the folder of this project only, never in a shell profile: any other uv project fails
with it. Exits with 1 if no variable can make the choice. In a script (PEP 723) there is none.

In a shell, `eval "$(torchconf use)"` sets it; in fish, `torchconf use | source`; in PowerShell,
`torchconf use | Invoke-Expression`.

examples:
  torchconf use linux-cuda12.6
  torchconf use --shell direnv >> .envrc
  torchconf use --shell mise >> mise.local.toml
  torchconf use --shell github >> "$GITHUB_ENV"
  torchconf use --format json
"""


class UseOptions(Record):
    """What `use` is told."""

    target: str | None
    package: str | None
    shell: Place | None
    format: Format
    common: CommonOptions


def add_arguments(parser: Parser) -> None:
    """Add the options of this command."""
    parser.epilog = EPILOG
    parser.add_argument(
        "target", nargs="?", metavar="TARGET",
        help="target of the project (default: $TORCHCONF_TARGET, else the best for this machine)",
    )  # fmt: skip
    parser.add_argument("--package", metavar="NAME", help="package of the workspace")
    parser.add_argument(
        "--shell", choices=PLACES, help="where the lines go (default: the shell that runs this)"
    )
    add_format(parser)


def run(options: UseOptions) -> int:
    """Choose the build, and print what selects it."""
    # Imported here: `--help` needs none of these.
    from torchconf.cli.this_target import choose_target, open_member
    from torchconf.layout.assignments import assignment
    from torchconf.report.json_data import print_json
    from torchconf.report.messages import print_notes
    from torchconf.report.streams import write_document
    from torchconf.workspace.opened import open_project

    context = open_project(options.common.project)
    if options.package is not None:
        context = open_member(context, options.package)
    found = choose_target(context, options.target, os.environ, "torchconf use")
    shell = options.shell or _this_shell()
    variables = _variables(found, context.project)
    lines = "\n".join(assignment(shell, *pair) for pair in (variables or {}).items())
    if options.format == "json":
        print_json(
            {
                "target": str(found.target),
                "reason": found.reason,
                "shell": shell,
                "variables": variables,
                "lines": lines.splitlines(),
            }
        )
        return 1 if variables is None else 0
    print_notes([found.said(), *_notes(found, variables, shell)])
    if lines:
        write_document(f"{lines}\n")
    return 1 if variables is None else 0


def _variables(found: ThisTarget, project: Project) -> dict[str, str] | None:
    """Return what has to be set so that plain commands choose the build; None if nothing does."""
    if found.selection._replace(package=None).words():
        return None
    variables = found.selection.environment
    for value in variables.values():
        if not re.fullmatch(r"[A-Za-z0-9._ -]*", value):
            # uv refuses it; here, it would become part of a line that a shell executes.
            raise ProjectError(
                f"a dependency group has a name that is not valid: `{value}`",
                at=project.place("dependency-groups"),
                help="use letters, digits, `-`, `_` and `.`; start and end with a letter or digit",
            )
    return variables


def _notes(found: ThisTarget, variables: dict[str, str] | None, shell: str) -> Iterator[str]:
    if variables is None:
        yield (
            f"no variable selects {found.target} here; install it with `torchconf sync`, or let "
            "each machine say which build it is: `torchconf init --layout groups --default machine`"
        )
    elif not variables:
        yield f"nothing to set: plain `uv sync` and `uv run` install {found.target}"
    else:
        where = _WHERE.get(shell, "this shell while you are in this project")
        yield (
            f"for {where}, not for a shell profile: any other uv project fails with "
            f"{' and '.join(variables)} set"
        )


_WHERE = {
    "direnv": "the .envrc of this project",
    "mise": "the mise.toml or mise.local.toml of this project",
    "github": "the jobs of this project",
    "docker": "the Dockerfile of this project",
}


def _this_shell() -> str:
    """Tell which shell will read the lines: the one that runs this, else the user's usual one."""
    names = (*_ancestors(), os.path.basename(os.environ.get("SHELL", "")))
    known = {"pwsh": "powershell", "sh": "bash", "dash": "bash", "ksh": "bash"}
    for name in names:
        word = name.removesuffix(".exe").lstrip("-").lower()
        if word in PLACES[:4] or word in known:
            return known.get(word, word)
    return "powershell" if sys.platform == "win32" else "bash"


def _ancestors() -> Iterator[str]:
    """Yield the names of the processes that led here, as far as Linux tells; the nearest first."""
    pid = os.getppid() if sys.platform == "linux" else 0
    # uvx and uv stand between; more than a few is no longer the shell that was typed in.
    for _ in range(4):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                start, _, rest = file.read(4096).rpartition(")")
        except OSError:
            return
        yield start.partition("(")[2]
        pid = int(rest.split()[1])
