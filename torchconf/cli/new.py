"""`torchconf new`: start a project that is right on every machine."""

from __future__ import annotations

import os
import sys

from torchconf.cli.parser import add_format, can_ask

TYPE_CHECKING = False  # `typing` is not needed to print help
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping
    from typing import Any

    from torchconf.errors import RequestError
    from torchconf.planner import Outcome, Request

EPILOG = """\
The torch tables are written by what `torchconf init` writes them with. DIR must not be there, or be
empty. Without -t the targets are asked for; --defaults takes linux-cuda, windows-cuda, macos-cpu.

examples:
  torchconf new --list
  torchconf new app demo-app --defaults --dry-run
  torchconf new training demo-run -t linux-cuda -t linux-cpu -t macos-cpu
"""
DEFAULTS = ("linux-cuda", "windows-cuda", "macos-cpu")
NEEDED = (
    "hatchling", "ipykernel", "matplotlib", "mypy", "pytest", "ruff",
    "filelock", "fsspec", "jinja2", "markupsafe", "mpmath", "networkx", "numpy", "pillow",
    "setuptools", "sympy", "typing-extensions",
)  # fmt: skip
"""What the templates and torch need: uv would take a project of such a name in place of it."""
KEYS = ("description",)
"""What `--set` gives a value to; the rest has a flag."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.epilog = EPILOG
    parser.add_argument("template", nargs="?", metavar="TEMPLATE", help="which project")
    parser.add_argument("folder", nargs="?", metavar="DIR", help="where to")
    parser.add_argument("--list", action="store_true", help="list the templates")
    parser.add_argument(
        "-t", "--target", action="append", default=[], metavar="TARGET",
        help="a build on a platform (repeatable)",
    )  # fmt: skip
    parser.add_argument("--defaults", action="store_true", help="take the usual targets")
    parser.add_argument("--name", help="of the project (default: that of DIR)")
    parser.add_argument("--package", help="that is imported (default: the name)")
    parser.add_argument("--python", metavar="SPEC", help="the lowest Python (default: 3.12)")
    parser.add_argument("--license", help="an SPDX identifier (default: MIT)")
    parser.add_argument("--torch", metavar="SPEC", help="a release or a range")
    parser.add_argument(
        "--with", dest="packages", action="append", default=[], metavar="PACKAGE",
        help="a companion, such as torchvision (repeatable)",
    )  # fmt: skip
    parser.add_argument("--layout", choices=("auto", "markers", "extras", "groups"))
    parser.add_argument(
        "--default", metavar="BACKEND", help="the build of plain `uv sync` (groups)"
    )
    parser.add_argument(
        "--set", dest="values", action="append", default=[], metavar="KEY=VALUE",
        help="give a value to the template, such as description=... (repeatable)",
    )  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="print the tree, write nothing")
    parser.add_argument("--lock", action="store_true", help="run `uv lock` in the new project")
    # What the hook of a cookiecutter template calls: complete a folder that it has made.
    parser.add_argument("--finish", action="store_true", help="complete a folder of cookiecutter")
    parser.add_argument("--git", action="store_true", help="run `git init` in the new project")
    add_format(parser)
    parser.set_defaults(yes=False, check=False)


def run(options: argparse.Namespace) -> int:
    """List the templates, or make a project."""
    if options.list:
        return _list(options)
    # Imported here: `--help` needs none of these.
    from torchconf.errors import RequestError
    from torchconf.templates import templates

    known = {template.name: template for template in templates()}
    if options.template not in known:
        raise _no_template(options.template, known)
    if options.folder is None:
        raise RequestError("no folder is given", help=f"`torchconf new {options.template} DIR`")
    targets = options.target or (DEFAULTS if options.defaults else ())
    if not targets and not can_ask(options):
        raise RequestError(
            "no target is given", help="name them with `-t`, or take the usual ones: `--defaults`"
        )
    folder = os.path.abspath(options.folder)
    if not options.finish:
        _refuse_full(folder)
    values = _values(options, os.path.basename(folder))
    files, outcome = _fill(known[options.template].layout, list(targets), values, options)
    if options.dry_run:
        return _report(options, folder, files, outcome)
    if options.finish:
        _complete(folder, files)
    else:
        _write(folder, files, options)
    return _report(options, folder, files, outcome)


def _no_template(name: str | None, known: Iterable[str]) -> RequestError:
    from difflib import get_close_matches

    from torchconf.errors import RequestError

    if name is not None and any(sign in name for sign in "/:\\"):
        return RequestError(
            f"`{name}` is no such template: only torchconf's own are filled here",
            help="cookiecutter and copier fetch others; afterwards `torchconf init -t TARGET` in "
            "the folder writes the torch tables",
        )
    close = get_close_matches(name or "", known, n=1)
    return RequestError(
        f"there is no such template: `{name}`" if name else "no template is given",
        help=f"did you mean `{close[0]}`?" if close else f"`torchconf new {'|'.join(known)} DIR`",
    )


def _list(options: argparse.Namespace) -> int:
    from torchconf.templates import templates

    if options.format == "json":
        import json

        found = [
            {"name": one.name, "summary": one.summary, "layouts": list(one.layouts)}
            for one in templates()
        ]
        sys.stdout.write(json.dumps({"schema_version": 1, "templates": found}, indent=2) + "\n")
    else:
        for one in templates():
            sys.stdout.write(f"{one.name:10} {one.summary}\n")
    return 0


def _refuse_full(folder: str) -> None:
    from torchconf.errors import WriteRefused

    if os.path.lexists(folder) and (not os.path.isdir(folder) or os.listdir(folder)):
        raise WriteRefused("this is there already, and not empty", at=folder, help="name another")


def _values(options: argparse.Namespace, folder: str) -> dict[str, Any]:
    """Return what the templates name, judged."""
    from torchconf import __version__
    from torchconf.catalog import load_catalog
    from torchconf.errors import RequestError
    from torchconf.templates import package_name, project_name
    from torchconf.wizard.project_questions import package_of

    # What the templates ask for by themselves.
    taken = {*load_catalog().family, *NEEDED, "tests"}

    def check_name(text: str) -> str:
        return project_name(text, taken)

    def check_package(text: str) -> str:
        return package_name(text, taken)

    if not options.target and not options.defaults and can_ask(options):
        # Imported here: only whoever is asked waits for it.
        from torchconf.cli.run_wizard import ask_project

        judges = {
            "name": check_name, "package": check_package, "python": _lowest, "license": _license,
        }  # fmt: skip
        for key, value in ask_project(options, folder, judges).items():
            setattr(options, key, value)
    name = project_name(options.name or folder, taken)
    package = check_package(options.package or package_of(name))
    values: dict[str, Any] = {
        "name": name,
        "package": package,
        "python": _lowest(options.python or "3.12"),
        "license": _license(options.license or "MIT"),
        "description": "A project with PyTorch.",
        "torchconf": __version__,
    }
    for text in options.values:
        key, equals, value = text.partition("=")
        if not equals or not key.isidentifier():
            raise RequestError(f"`--set {text}` is not KEY=VALUE", help="such as description=...")
        if key not in KEYS:
            raise RequestError(
                f"`--set {key}`: no template has that", help=f"there is {', '.join(KEYS)}"
            )
        if '"' in value or "\\" in value or "\n" in value:
            raise RequestError(f"`--set {key}` has a quote or a backslash", help="leave them out")
        values[key] = value
    return values


def _lowest(text: str) -> str:
    """Return the lowest Python that a word or a specifier means: `3.12`."""
    import re

    from torchconf.errors import RequestError
    from torchconf.model.requirements import python_specifier

    python = re.sub(r"^>=", "", python_specifier(text))
    if not re.fullmatch(r"3\.[0-9]+", python):
        raise RequestError(f"`--python {text}` names no lowest Python", help="write 3.12")
    return python


def _license(text: str) -> str:
    """Return an SPDX expression that the standard's own reader takes."""
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    from torchconf.errors import RequestError

    try:
        return canonicalize_license_expression(text)
    except InvalidLicenseExpression as error:
        raise RequestError(
            f"`{text}` is no license that SPDX knows", help="such as MIT or Apache-2.0"
        ) from error


def _fill(
    layout: str, targets: list[str], values: dict[str, Any], options: argparse.Namespace
) -> tuple[dict[str, str], Outcome]:
    """Return the files, and the plan of the torch tables in one of them."""
    from torchconf.catalog import load_catalog
    from torchconf.cli.new_values import surroundings
    from torchconf.edits import edit_text
    from torchconf.edits.read_toml import read_toml
    from torchconf.files import NAME
    from torchconf.model.project import read_project
    from torchconf.model.target_spec import parse_target_spec
    from torchconf.planner import Facts, Request, plan_targets
    from torchconf.templates import render

    catalog = load_catalog()
    files = render(options.template, values, shared=False)
    if options.finish:
        files = _there(os.path.abspath(options.folder), files)
    request = Request(
        specs=tuple(parse_target_spec(text, catalog.vocabulary) for text in targets),
        torch=options.torch,
        packages=tuple(options.packages),
        layout=options.layout or layout,
        default=options.default,
    )
    project = read_project(read_toml(files[NAME], NAME), at=NAME)
    if not targets:
        # Imported here: only whoever is asked waits for it.
        from torchconf.cli.run_wizard import ask_targets

        request = ask_targets(options, project, request)
        _say_again(request, options)
    outcome = plan_targets(request, project, catalog, Facts(folder=values["name"]))
    files[NAME] = edit_text(files[NAME], outcome.plan.steps, NAME)
    shared = {
        **values,
        **surroundings(outcome, catalog.fallback),
        "has_tests": any(path.startswith("tests/") for path in files),
        "run": _program(files, values),
    }
    files |= render(options.template, shared, shared=True)
    return dict(sorted(files.items())), outcome


def _there(folder: str, wanted: Mapping[str, str]) -> dict[str, str]:
    """Return the files of a template as they are in a folder that cookiecutter has made."""
    from torchconf import files

    return {name: files.read_file(os.path.join(folder, name)).text for name in wanted}


def _complete(folder: str, texts: Mapping[str, str]) -> None:
    """Write all files of a project whose folder is there: each whole, or none."""
    from torchconf import files

    changes = []
    for name, text in texts.items():
        path = os.path.join(folder, *name.split("/"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        changes.append((files.read_file(path, may_be_missing=True), text))
    files.replace_all(changes)


def _say_again(request: Request, options: argparse.Namespace) -> None:
    """Print the command that does the same without a question."""
    from torchconf.wizard import command_words, quoted

    words = [word for word in command_words("init", request)[1:] if word != "--force"]
    for flag, value in (
        ("--name", options.name),
        ("--package", options.package),
        ("--python", options.python if "--python" not in words else None),
        ("--license", options.license if options.license != "MIT" else None),
    ):
        words += [flag, value] if value else []
    words += [word for text in options.values for word in ("--set", text)]
    words += [f"--{flag}" for flag in ("lock", "git") if getattr(options, flag)]
    command = quoted(["torchconf", "new", options.template, options.folder, *words])
    sys.stderr.write(f"the same without questions:\n  {command}\n")


def _program(files: Mapping[str, str], values: Mapping[str, Any]) -> str:
    has_one = "[project.scripts]" in files["pyproject.toml"]
    return f"uv run --no-sync {values['name']}" if has_one else ""


def _write(folder: str, files: Mapping[str, str], options: argparse.Namespace) -> None:
    """Make the project beside its place, and move it there; a failure leaves nothing behind."""
    import shutil
    import tempfile

    from torchconf.errors import WriteRefused
    from torchconf.resolve.uv import capture_uv

    parent = os.path.dirname(folder)
    try:
        os.makedirs(parent, exist_ok=True)
        made = tempfile.mkdtemp(prefix=".torchconf-new-", dir=parent)
    except OSError as error:
        raise WriteRefused(f"nothing can be written here: {error}", at=parent) from error
    try:
        for name, text in files.items():
            path = os.path.join(made, *name.split("/"))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
        if options.lock:
            capture_uv(["lock"], folder=made).succeed("uv can not lock the new project")
        if options.git:
            _start_repository(made)
        # A folder that `mkdtemp` made is for its owner alone.
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(made, 0o777 & ~mask)
        _move(made, folder)
    except BaseException as error:
        shutil.rmtree(made, ignore_errors=True)
        if isinstance(error, OSError):
            raise WriteRefused(f"the project can not be written: {error}", at=folder) from error
        raise


def _move(made: str, folder: str) -> None:
    """Move what was made to its place.

    An empty folder that is there stays, and is filled: a shell may stand in it.
    """
    if not os.path.isdir(folder):
        os.replace(made, folder)
        return
    moved: list[str] = []
    try:
        for name in sorted(os.listdir(made)):
            os.rename(os.path.join(made, name), os.path.join(folder, name))
            moved.append(name)
        os.rmdir(made)
    except BaseException:
        for name in moved:
            os.rename(os.path.join(folder, name), os.path.join(made, name))
        raise


def _start_repository(folder: str) -> None:
    import shutil

    from torchconf.errors import RequestError
    from torchconf.resolve.uv import run_quietly

    git = shutil.which("git")
    if git is None or run_quietly([git, "init", "--quiet", folder]):
        raise RequestError("`git init` can not be run", help="leave out `--git`")


def _report(
    options: argparse.Namespace, folder: str, files: Mapping[str, str], outcome: Outcome
) -> int:
    from torchconf.files import spoken_path

    shown = spoken_path(folder)
    if options.format == "json":
        import json

        from torchconf import report

        data = {
            "schema_version": 1,
            "path": folder,
            "written": not options.dry_run,
            "files": list(files),
            **report.outcome_data(outcome),
        }
        sys.stdout.write(json.dumps(data, indent=2) + "\n")
        return 0
    sys.stdout.write("".join(f"{shown}/{name}\n" for name in files))
    if not options.quiet and not options.dry_run:
        from torchconf.report import commands

        sync = next((command for _, command in commands(outcome)), "uv sync")
        steps = ["uv lock", sync, "uv run --no-sync pytest", "uvx torchconf check"]
        sys.stderr.write(f"next:\n  cd {shown}\n" + "".join(f"  {step}\n" for step in steps))
    return 0
