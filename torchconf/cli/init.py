"""`torchconf init`: write the PyTorch configuration of a new or an existing project."""

from __future__ import annotations

from torchconf.cli.parser import add_arrangement, add_format, add_script, add_writing
from torchconf.errors import RequestError
from torchconf.model.record import Record

TYPE_CHECKING = False  # `typing` is not needed to print help
if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchconf.cli.options import CommonOptions, Layout, WritingOptions
    from torchconf.cli.parser import Parser
    from torchconf.planner import Request
    from torchconf.workspace.opened import OpenProject

EPILOG = """\
targets:
  PLATFORM-BACKEND, such as linux-cuda, windows-cuda13.0, linux-aarch64-cpu, linux-xpu,
  macos-mps or linux-pypi. Plain `cuda` or `rocm` is the newest build that is available
  for all such targets. Without -t they are those that `[tool.torchconf] targets` lists.

examples:
  torchconf init -t linux-cuda -t windows-cuda -t macos-cpu
  torchconf init -t linux-cuda13.0 -t linux-cpu -t macos-cpu --with torchvision
  torchconf init -t linux-rocm --torch '>=2.11,<2.14' --pin --dry-run
  torchconf init --with torchaudio
  torchconf init -t linux-cuda -t linux-cpu --with jax
  torchconf init -t linux-cuda -t macos-cpu --with flash-attn
"""


class InitOptions(Record):
    """What `init` is told."""

    target: tuple[str, ...]
    torch: str | None
    packages: tuple[str, ...]
    layout: Layout
    default: str | None
    names: tuple[str, ...]
    python: str | None
    index_base: tuple[str, ...]
    gpus: tuple[str, ...]
    pin: bool
    required_environments: bool
    force: bool
    script: str | None
    writing: WritingOptions
    common: CommonOptions


def add_arguments(parser: Parser) -> None:
    """Add the options of this command."""
    parser.epilog = EPILOG
    parser.add_argument(
        "-t", "--target", action="append", default=[], metavar="TARGET",
        help="platform and build, such as linux-cuda (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--torch",
        metavar="SPEC",
        help="torch version: `2.13` for that release, or a range such as `>=2.13`",
    )
    parser.add_argument(
        "--with", dest="packages", action="append", default=[], metavar="PACKAGE",
        help="configure a companion package too, such as torchvision, what is built against torch, "
        "such as flash-attn, or what needs torch's CUDA, such as jax (repeatable)",
    )  # fmt: skip
    add_arrangement(parser)
    parser.add_argument(
        "--gpu", dest="gpus", action="append", default=[], metavar="GPU",
        help="install ROCm's packages for this GPU only, such as gfx1100 (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--pin", action="store_true", help="pin exact versions in constraint-dependencies"
    )
    parser.add_argument(
        "--required-environments", action="store_true",
        help="make `uv lock` fail if a target could not install the result",
    )  # fmt: skip
    add_script(parser)
    add_writing(parser)
    add_format(parser)


def run(options: InitOptions) -> int:
    """Plan, show or write, and say how to install."""
    says_nothing = not options.target and not _changes_something(options)
    if says_nothing and options.writing.can_ask:
        return _ask(options)
    # Imported here: `--help` needs none of these.
    from torchconf.cli.carry_out import carry_out
    from torchconf.workspace.opened import open_project

    context = open_project(options.common.project, script=options.script, may_be_missing=True)
    request = make_request(options, context)
    if says_nothing and not request.specs:
        raise RequestError(
            "no target given",
            help="name targets with `-t`, as in `-t linux-cuda -t macos-cpu`, or list them in "
            "`[tool.torchconf]`; run `torchconf init --help` for the other options",
        )
    return carry_out(context, request, options.writing, options.common, old_files_beside(context))


def _ask(options: InitOptions) -> int:
    """Ask what to do; first, whether to start from the files of another tool."""
    # Imported here, so that only the questions pay for it.
    from torchconf.cli.run_wizard import ask_init
    from torchconf.files.old_names import spoken_old_files
    from torchconf.planner import parse_index_bases
    from torchconf.workspace.opened import open_project

    context = open_project(options.common.project, script=options.script, may_be_missing=True)
    if not _has_targets(context) and not context.project.is_script:
        found = spoken_old_files(context.folder, context.project.data)
        if found:
            from torchconf.cli.ask_migration import ask_to_read

            if ask_to_read(found, options.common.color):
                return _migrate(options)
    return ask_init(options, parse_index_bases(options.index_base))


def _migrate(options: InitOptions) -> int:
    from torchconf.cli.migrate import MigrateOptions
    from torchconf.cli.migrate import run as migrate

    return migrate(
        MigrateOptions(
            files=(),
            target=(),
            torch=None,
            layout=options.layout,
            default=None,
            names=(),
            python=None,
            index_base=options.index_base,
            keep_versions=False,
            remove_old=False,
            writing=options.writing,
            common=options.common,
        )
    )


def _has_targets(context: OpenProject) -> bool:
    from torchconf.model.intent import read_intent

    return read_intent(context.project, context.catalog.vocabulary) is not None


def old_files_beside(context: OpenProject) -> list[str]:
    """Say which files of other tools lie beside a project that has no targets yet."""
    from torchconf.files.old_names import hint_to_migrate

    project = context.project
    main = context.catalog.main_package
    has_torch = any(requirement.name == main for requirement in project.requirements())
    known = project.is_script or _has_targets(context) or (has_torch and main in project.sources)
    hint = "" if known else hint_to_migrate(context.folder, project.data)
    return [f"files of other tools are not read here: {hint}"] if hint else []


def make_request(options: InitOptions, context: OpenProject) -> Request:
    """Turn flags into a request; every flag is judged by what reads it.

    Without `-t` the targets are those that the file lists; `--with` alone adds a package only.
    """
    from torchconf.model.intent import read_intent
    from torchconf.model.target_spec import parse_target_spec
    from torchconf.planner import Request, parse_index_bases

    vocabulary = context.catalog.vocabulary
    specs = tuple(parse_target_spec(text, vocabulary) for text in options.target)
    bases = parse_index_bases(options.index_base)
    listed = not specs and not options.packages
    if listed:
        specs = read_intent(context.project, vocabulary) or ()
    return Request(
        specs=specs,
        listed=listed,
        torch=options.torch,
        packages=options.packages,
        layout=options.layout,
        default=options.default,
        names=backend_names(options.names),
        python=options.python,
        index_base=bases.base,
        mirrors=bases.named,
        pin=options.pin,
        gpus=tuple(gpu.lower() for gpu in options.gpus),
        required_environments=options.required_environments,
        force=options.force,
    )


def _changes_something(options: InitOptions) -> bool:
    return bool(
        options.packages or options.gpus or options.pin or options.required_environments
        or options.torch or options.python or options.default or options.names
        or options.layout != "auto"
    )  # fmt: skip


def backend_names(texts: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Read each `--name BACKEND=NAME`."""
    return tuple(map(_name, texts))


def _name(text: str) -> tuple[str, str]:
    backend, equals, name = text.partition("=")
    if not (backend and equals and name):
        raise RequestError(
            f"`--name {text}` is not BACKEND=NAME", help="write it as in `--name cpu=laptop`"
        )
    return backend.strip().lower(), name.strip()
