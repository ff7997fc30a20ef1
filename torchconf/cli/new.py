"""`torchconf new`: create a project from a template."""

from __future__ import annotations

import os
import sys

from torchconf.cli.options import is_terminal
from torchconf.cli.parser import add_format
from torchconf.errors import RequestError
from torchconf.model.record import Record

TYPE_CHECKING = False  # `typing` is not needed to print help
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from torchconf.cli.new_details import Details
    from torchconf.cli.options import CommonOptions, Format, Layout
    from torchconf.cli.parser import Parser
    from torchconf.planner import Outcome, Request
    from torchconf.templates import Template

EPILOG = """\
DIR must be new or empty, and in no workspace; `--project DIR` means the same. PyTorch is
configured as by `torchconf init`. At a terminal, asks for what is missing: the template, DIR,
the targets; --defaults uses linux-cuda, windows-cuda and macos-cpu.

examples:
  torchconf new --list
  torchconf new app demo-app --defaults --dry-run
  torchconf new training demo-run -t linux-cuda -t linux-cpu -t macos-cpu
"""
DEFAULTS = ("linux-cuda", "windows-cuda", "macos-cpu")


class NewOptions(Record):
    """What `new` is told."""

    template: str | None
    folder: str | None
    list: bool
    target: tuple[str, ...]
    defaults: bool
    name: str | None
    package: str | None
    python: str | None
    license: str | None
    torch: str | None
    packages: tuple[str, ...]
    layout: Layout | None
    default: str | None
    values: tuple[str, ...]
    dry_run: bool
    lock: bool
    finish: bool
    git: bool
    format: Format
    common: CommonOptions


def add_arguments(parser: Parser) -> None:
    """Add the options of this command."""
    parser.epilog = EPILOG
    parser.add_argument("template", nargs="?", metavar="TEMPLATE", help="name of the template")
    parser.add_argument("folder", nargs="?", metavar="DIR", help="folder to create")
    parser.add_argument("--list", action="store_true", help="list the templates and their layouts")
    parser.add_argument(
        "-t", "--target", action="append", default=[], metavar="TARGET",
        help="platform and build, such as linux-cuda (repeatable)",
    )  # fmt: skip
    parser.add_argument("--defaults", action="store_true", help="use the default targets")
    parser.add_argument("--name", help="project name (default: the name of DIR)")
    parser.add_argument("--package", help="import name (default: the project name)")
    parser.add_argument("--python", metavar="SPEC", help="lowest Python version (default: 3.12)")
    parser.add_argument("--license", help="SPDX license identifier (default: MIT)")
    parser.add_argument("--torch", metavar="SPEC", help="torch version or range")
    parser.add_argument(
        "--with", dest="packages", action="append", default=[], metavar="PACKAGE",
        help="companion package, such as torchvision (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--layout", choices=("auto", "markers", "extras", "groups"),
        help="how a build is chosen at install time (default: as the template says)",
    )  # fmt: skip
    parser.add_argument(
        "--default",
        metavar="BACKEND",
        help="build that plain `uv sync` installs, or `machine` to let each machine say it (layout "
        "groups only)",
    )
    parser.add_argument(
        "--set", dest="values", action="append", default=[], metavar="KEY=VALUE",
        help="set a value of the template, such as description=... (repeatable)",
    )  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="print the tree and write nothing")
    parser.add_argument("--lock", action="store_true", help="run `uv lock` in the new project")
    # What the hook of a cookiecutter template calls: complete a folder that it has made.
    parser.add_argument(
        "--finish", action="store_true", help="complete a folder made by cookiecutter"
    )
    parser.add_argument("--git", action="store_true", help="run `git init` in the new project")
    add_format(parser)


def run(options: NewOptions) -> int:
    """List the templates, or make a project."""
    if options.list:
        return _list(options)
    # Imported here: `--help` needs none of these.
    from torchconf.cli.new_details import Details, judges, template_values
    from torchconf.cli.new_files import complete, plan, read_text
    from torchconf.cli.new_folder import complete_folder, make_folder, read_folder, refuse_full
    from torchconf.templates import render

    targets = options.target or (DEFAULTS if options.defaults else ())
    asks = options.format != "json" and is_terminal()
    template, folder = _what_and_where(options, asks=asks)
    if not targets and not asks:
        raise RequestError("no target given", help="name targets with `-t`, or use `--defaults`")
    if not options.finish:
        refuse_full(folder)
        _refuse_workspace(folder)
    name, color = os.path.basename(folder), options.common.color
    details = Details(options.name, options.package, options.python, options.license)
    if not targets:
        # Imported here, as below, so that only the questions pay for it.
        from torchconf.cli.run_wizard import ask_details

        details = ask_details(details, name, judges(), color)
    values = template_values(details, name, options.values)
    texts = render(template.name, values, shared=False)
    if options.finish:
        texts = read_folder(folder, texts)
    request = _request(options, targets, template.layout)
    if not targets:
        from torchconf.cli.run_wizard import ask_targets

        request = ask_targets(read_text(texts), request, color)
        _say_again(options, template, folder, details, request)
    texts, outcome = plan(texts, values, request)
    texts = complete(template, texts, values, outcome)
    if options.finish and not options.dry_run:
        complete_folder(folder, texts)
    elif not options.dry_run:
        make_folder(folder, texts, lock=options.lock, git=options.git)
    return _report(options, template, folder, values, texts, outcome)


def _what_and_where(options: NewOptions, *, asks: bool) -> tuple[Template, str]:
    """Return the template and the folder that are meant, asking for what is not said."""
    from torchconf.templates import templates

    known = {template.name: template for template in templates()}
    name, folder = options.template, options.folder
    if folder is not None and options.common.project is not None:
        raise RequestError(
            "the folder is given twice: as DIR and with `--project`", help="give one of them"
        )
    folder = folder or options.common.project
    if name is not None and name not in known:
        raise _no_template(name, known)
    if asks and (name is None or folder is None):
        # Imported here, so that only the questions pay for it.
        from torchconf.cli.run_wizard import ask_template

        name, folder = ask_template(tuple(known.values()), name, folder, options.common.color)
    if name is None:
        raise _no_template(name, known)
    if folder is None:
        raise RequestError("no folder given", help=f"run `torchconf new {name} DIR`")
    return known[name], os.path.abspath(folder)


def _refuse_workspace(folder: str) -> None:
    """Refuse a folder in a workspace, of which `uv init` would make it a member.

    A template is a repository of its own: a member's lockfile, CI and Dockerfile are the root's.
    """
    from torchconf.errors import WriteRefused
    from torchconf.files import spoken_path
    from torchconf.workspace.members import workspace_around

    root = workspace_around(folder)
    if root is not None:
        place = spoken_path(folder)
        raise WriteRefused(
            f"this folder would belong to the workspace of {spoken_path(root)}",
            at=place,
            help=f"choose a folder outside, or run `uv init {place}` to make it a member, "
            f"then `torchconf init --project {place}`",
        )


def _no_template(name: str | None, known: Iterable[str]) -> RequestError:
    from difflib import get_close_matches

    if name is not None and any(sign in name for sign in "/:\\"):
        return RequestError(
            f"`{name}` is not one of torchconf's own templates",
            help="create the project with cookiecutter or copier, then run "
            "`torchconf init -t TARGET` in its folder",
        )
    close = get_close_matches(name or "", known, n=1)
    return RequestError(
        f"unknown template `{name}`" if name else "no template given",
        help=f"did you mean `{close[0]}`?"
        if close
        else f"run `torchconf new {'|'.join(known)} DIR`",
    )


def _list(options: NewOptions) -> int:
    from torchconf.templates import templates

    if options.format == "json":
        from torchconf.report.json_data import print_json

        found = [
            {"name": one.name, "summary": one.summary, "layouts": list(one.layouts)}
            for one in templates()
        ]
        print_json({"templates": found})
    else:
        for one in templates():
            layouts = ", ".join(one.layouts)
            sys.stdout.write(f"{one.name:10} {one.summary} (layouts: {layouts})\n")
    return 0


def _request(options: NewOptions, targets: Sequence[str], layout: str) -> Request:
    """Return what `init` would be asked for."""
    from torchconf.catalog import load_catalog
    from torchconf.model.target_spec import parse_target_spec
    from torchconf.planner import Request

    vocabulary = load_catalog().vocabulary
    return Request(
        specs=tuple(parse_target_spec(text, vocabulary) for text in targets),
        torch=options.torch,
        packages=options.packages,
        layout=options.layout or layout,
        default=options.default,
    )


def _say_again(
    options: NewOptions, template: Template, folder: str, details: Details, request: Request
) -> None:
    """Print the command that does the same without a question."""
    from torchconf.files import spoken_path
    from torchconf.report.messages import print_notes
    from torchconf.wizard import command_words, quoted

    words = [word for word in command_words("init", request)[1:] if word != "--force"]
    for flag, value in (
        ("--name", details.name),
        ("--package", details.package),
        ("--python", details.python if "--python" not in words else None),
        ("--license", details.license if details.license != "MIT" else None),
    ):
        words += [flag, value] if value else []
    words += [word for text in options.values for word in ("--set", text)]
    words += [*(["--lock"] if options.lock else []), *(["--git"] if options.git else [])]
    place = options.folder or spoken_path(folder)
    command = quoted(["torchconf", "new", template.name, place, *words])
    print_notes(["equivalent command:", f"  {command}"])


def _report(
    options: NewOptions,
    template: Template,
    folder: str,
    values: Mapping[str, str],
    texts: Mapping[str, str],
    outcome: Outcome,
) -> int:
    from torchconf.cli.new_files import commands
    from torchconf.errors import shown
    from torchconf.files import spoken_path
    from torchconf.report.json_data import print_json
    from torchconf.report.outcome import outcome_data

    if options.format == "json":
        print_json(
            {
                "path": folder,
                "written": not options.dry_run,
                "files": list(texts),
                **outcome_data(outcome),
            }
        )
        return 0
    place = shown(spoken_path(folder))
    sys.stdout.write(f"{place}/\n" + "".join(_tree(texts)))
    if not options.common.quiet and not options.dry_run:
        run, test = commands(template, values)
        steps = ["uv lock", "uvx torchconf sync", test, *run[:1], "uvx torchconf check"]
        sys.stderr.write(f"next:\n  cd {place}\n" + "".join(f"  {step}\n" for step in steps))
    return 0


def _tree(names: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a tree: each folder once, with what is in it below."""
    before: list[str] = []
    for name in sorted(names):
        parts = name.split("/")
        for depth, part in enumerate(parts):
            if before[: depth + 1] != parts[: depth + 1]:
                slash = "/" if depth < len(parts) - 1 else ""
                yield f"{'    ' * (depth + 1)}{part}{slash}\n"
        before = parts
