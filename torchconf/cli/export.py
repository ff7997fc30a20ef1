"""`torchconf export`: requirements for each target, for pip and other tools."""

from __future__ import annotations

import os
import re
import shlex
import sys

from torchconf.cli.parser import add_lock_options, add_script
from torchconf.model.record import Record

TYPE_CHECKING = False  # `typing` is not needed to print help
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Literal

    from torchconf.cli.options import CommonOptions
    from torchconf.cli.parser import Parser
    from torchconf.layout.selection import Selection
    from torchconf.model.pylock import Export
    from torchconf.model.targets import Target
    from torchconf.resolve.export import Wanted
    from torchconf.resolve.uv import Captured
    from torchconf.workspace.opened import OpenProject

EPILOG = """\
Without TARGET, writes one file for each target of the project: requirements/<target>.txt or
pylock.<target>.toml. All are made from uv.lock, so their versions agree. uv.lock must be up to
date unless --frozen is given.

examples:
  torchconf export --dry-run
  torchconf export linux-cuda macos-cpu -o deploy
  torchconf export --format pylock.toml --python 3.12
"""
FORMATS = ("requirements.txt", "pylock.toml")


class ExportOptions(Record):
    """What `export` is told."""

    target: tuple[str, ...]
    script: str | None
    output: str | None
    format: Literal["requirements.txt", "pylock.toml"]
    universal: bool
    group: tuple[str, ...]
    python: str | None
    no_hashes: bool
    dry_run: bool
    check: bool
    frozen: bool
    locked: bool
    common: CommonOptions


def add_arguments(parser: Parser) -> None:
    """Add the options of this command."""
    parser.epilog = EPILOG
    parser.add_argument(
        "target", nargs="*", metavar="TARGET", help="target of the project (default: all)"
    )
    parser.add_argument("-o", "--output", metavar="DIR", help="folder to write to")
    parser.add_argument(
        "--format", choices=FORMATS, default=FORMATS[0], help="output format (default: %(default)s)"
    )
    parser.add_argument(
        "--universal", action="store_true",
        help="write one file with markers, for targets that share an install command",
    )  # fmt: skip
    parser.add_argument(
        "--group", action="append", default=[], metavar="NAME",
        help="also export a dependency group (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--python", metavar="VERSION", help="Python version to export for, such as 3.12"
    )
    parser.add_argument("--no-hashes", action="store_true", help="omit hashes")
    parser.add_argument("--dry-run", action="store_true", help="print the files and write nothing")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 if any file is out of date"
    )
    add_script(parser)
    add_lock_options(parser)


def run(options: ExportOptions) -> int:
    """Export, select and write."""
    # Imported here: `--help` needs none of these.
    from torchconf.cli.locked_folder import exports, locked_folder
    from torchconf.cli.python_versions import check_pythons
    from torchconf.cli.rows import members_of, rows_of
    from torchconf.errors import RequestError
    from torchconf.resolve.chosen_targets import chosen_targets
    from torchconf.workspace.opened import open_project

    if options.script is not None and options.group:
        raise RequestError("a script has no dependency groups", help="omit `--group`")
    context = open_project(options.common.project, script=options.script)
    if options.python is not None:
        check_pythons([options.python], context.project)
    rows = rows_of(context)
    chosen = chosen_targets(
        options.target, context.project, context.catalog, rows, members_of(context)
    )
    if not chosen:
        what = "script" if context.project.is_script else "project"
        raise RequestError(f"this {what} has no targets", help="add some with `torchconf init`")
    selections = [
        selection._replace(groups=(*selection.groups, *options.group)) for _, selection in chosen
    ]
    with locked_folder(context, frozen=options.frozen, locked=not options.frozen) as folder:
        if options.universal:
            texts = _universal(selections, folder, options, context)
        else:
            words = ("--format", "pylock.toml")
            runs = exports(context, selections, folder, *words, quiet=options.common.quiet)
            texts = _texts([target for target, _ in chosen], runs, options, context)
    if not options.common.quiet:
        # Imported here, as above.
        from torchconf.report.messages import print_notes

        print_notes(_notes_on_secrets(context))
    return _deliver(texts, options)


def _notes_on_secrets(context: OpenProject) -> Iterator[str]:
    """Say how installers get the credentials that are in no exported file."""
    from torchconf.errors import without_secrets

    projects = (context.project, *context.workspace().members)
    indexes = [index for project in projects for index in project.indexes]
    secret = [index.name for index in indexes if without_secrets(index.url) != index.url]
    for name in dict.fromkeys(secret):
        word = re.sub(r"[^A-Z0-9]", "_", name.upper()) if name else "<NAME>"
        yield (
            f"note: credentials of {f'index `{name}`' if name else 'an index'} are not exported; "
            f"set UV_INDEX_{word}_USERNAME and UV_INDEX_{word}_PASSWORD, or use a keyring"
        )


def _texts(
    targets: Sequence[Target],
    runs: Sequence[Captured],
    options: ExportOptions,
    context: OpenProject,
) -> dict[str, str]:
    """Return the files: name to text."""
    from torchconf.model.pylock import Export
    from torchconf.resolve.export import Places, Wanted, as_pylock, as_requirements

    found: dict[str, str] = {}
    differing: list[Differing] = []
    for target, captured in zip(targets, runs, strict=True):
        text = captured.succeed(f"uv cannot export `{target}`")
        export = Export(text, captured.command)
        pythons = _pythons(export, target, options, context, differing)
        wanted = Wanted(target, export, pythons, "", context.lock_name)
        wanted = wanted._replace(command=_command(wanted, options))
        if options.format == "pylock.toml":
            # A dot would end the name: pylock.<name>.toml.
            name = f"pylock.{str(target).replace('.', '-')}.toml"
            found[name] = as_pylock(wanted, text)
        else:
            hashes = not options.no_hashes
            places = Places(context.project, context.catalog, export, context.lock_folder)
            found[f"{target}.txt"] = as_requirements(wanted, places, hashes=hashes)
    if differing and not options.common.quiet:
        sys.stderr.write(_note(differing, len(targets)))
    return found


def _note(differing: Sequence[Differing], count: int) -> str:
    """Say once that files are for one Python, and which packages other versions need otherwise."""
    names = [str(one.target) for one in differing]
    who = ", ".join(names) if len(names) < count or count == 1 else "all targets"
    verb = "is" if len(names) == 1 else "are"
    packages = " and ".join(dict.fromkeys(one.package for one in differing))
    python = differing[0].python
    return (
        f"note: {who} {verb} exported for Python {python}; other versions need a different "
        f"{packages} (see `--python`)\n"
    )


class Differing(Record):
    """A target that needs another release of a package on other Pythons."""

    target: Target
    python: str
    package: str


def _pythons(
    export: Export,
    target: Target,
    options: ExportOptions,
    context: OpenProject,
    differing: list[Differing],
) -> tuple[str, ...]:
    """Return the Pythons that one file is for: the one asked for, or all that install the same."""
    from torchconf.layout.selection import Selection
    from torchconf.resolve.export import differing_package, served
    from torchconf.resolve.verify import Found, pythons_of

    if options.python is not None:
        return (options.python,)
    if pinned := _pinned_python(context.folder):
        return (pinned,)
    found = Found(Selection(), export, None)
    pythons = pythons_of(context.project, context.catalog, [found], (target.platform,))
    if context.catalog.is_open(context.project.requires_python):
        pythons = served(export, target, pythons)
    package = differing_package(export, target, pythons)
    if package is None:
        return pythons
    differing.append(Differing(target=target, python=pythons[0], package=package))
    return pythons[:1]


def _pinned_python(folder: str) -> str | None:
    """Return the Python of `.python-version`, as uv reads it: `3.12`; None without one."""
    from torchconf.files import read_if_there

    text = read_if_there(os.path.join(folder, ".python-version"))
    match = re.match(r"\s*(?:cpython[@-])?(3\.[0-9]{1,3})(?![0-9])", text)
    return match[1] if match else None


def _universal(
    selections: Sequence[Selection], folder: str, options: ExportOptions, context: OpenProject
) -> dict[str, str]:
    """Return one file with markers, for targets that share a command."""
    from torchconf.cli.locked_folder import exports
    from torchconf.errors import RequestError, without_secrets
    from torchconf.model.pylock import Export
    from torchconf.resolve.export import Places, as_universal

    chosen = dict.fromkeys(selections)
    if len(chosen) > 1:
        commands = (selection.command() for selection in chosen)
        raise RequestError(
            f"these targets are installed by different commands: {', '.join(commands)}",
            help="omit `--universal`, or name only targets that share a command",
        )
    words = ["--no-header", *(["--no-hashes"] if options.no_hashes else [])]
    words = ["--format", options.format, *words]
    (captured,) = exports(context, selections[:1], folder, *words, quiet=options.common.quiet)
    text = without_secrets(captured.succeed("uv cannot export this project"))
    if options.format == "pylock.toml":
        return {"pylock.toml": text}
    (other,) = exports(context, selections[:1], folder, "--format", "pylock.toml", quiet=True)
    export = Export(other.succeed("uv cannot export this project"), other.command)
    places = Places(context.project, context.catalog, export, context.lock_folder)
    lines, text = as_universal(text, export, places)
    words = ["torchconf", "export", "--universal", *_script_words(options)]
    words += ["--no-hashes"] if options.no_hashes else []
    head = ["# What each platform installs.", f"# Generated from {context.lock_name} by:"]
    head.append(f"#     {shlex.join(words)}")
    return {"universal.txt": "\n".join([*head, *lines, "", text])}


def _script_words(options: ExportOptions) -> tuple[str, ...]:
    return () if options.script is None else ("--script", options.script)


def _command(wanted: Wanted, options: ExportOptions) -> str:
    words = ["torchconf", "export", str(wanted.target), *_script_words(options)]
    if options.format != FORMATS[0]:
        words += ["--format", options.format]
    words += [word for group in options.group for word in ("--group", group)]
    if len(wanted.pythons) == 1:
        words += ["--python", wanted.pythons[0]]
    if options.no_hashes:
        words.append("--no-hashes")
    if options.output:
        words += ["-o", options.output]
    return shlex.join(words)


def _deliver(texts: dict[str, str], options: ExportOptions) -> int:
    """Print, compare or write the files."""
    from torchconf import files
    from torchconf.errors import shown
    from torchconf.report.messages import print_notes
    from torchconf.report.streams import write_document

    folder = options.output or ("." if options.format == "pylock.toml" else "requirements")
    if options.dry_run:
        for name, text in texts.items():
            write_document(f"# {shown(os.path.join(folder, name))}\n{text}\n")
        return 0
    changes = [
        (files.read_file(os.path.join(folder, name), may_be_missing=True), text)
        for name, text in texts.items()
    ]
    stale = [file.path for file, text in changes if file.text != text]
    if options.check:
        for path in stale:
            print_notes([f"{path} is out of date"])
        if stale:
            sys.stderr.write("run `torchconf export` to update\n")
        return int(bool(stale))
    os.makedirs(folder, exist_ok=True)
    files.replace_all(changes)
    if not options.common.quiet:
        for file, _ in changes:
            done = "wrote {}" if file.path in stale else "{}: no changes needed"
            print_notes([done.format(file.path)])
    return 0
