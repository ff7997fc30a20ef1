"""`torchconf migrate`: from the files of pip, Poetry, conda and others to a project of uv."""

from __future__ import annotations

from torchconf.cli.parser import add_arrangement, add_format, add_writing
from torchconf.model.record import Record

TYPE_CHECKING = False  # `typing` is not needed to print help
if TYPE_CHECKING:
    from torchconf.cli.options import CommonOptions, Layout, WritingOptions
    from torchconf.cli.parser import Parser

EPILOG = """\
Without files, reads those of the project's folder: requirements*.txt and .in, requirements/*,
constraints*.txt, environment.yml, Pipfile, pixi.toml, and the tables of Poetry and PDM. Old files
stay as they are. Each of their lines is accounted for. With `--project`, a relative FILE is looked
for there first.

examples:
  torchconf migrate --dry-run
  torchconf migrate requirements.txt -t linux-cuda -t windows-cpu -t macos-cpu
  torchconf migrate requirements-cpu.txt requirements-gpu.txt --layout groups
  torchconf migrate --keep-versions -y
"""


class MigrateOptions(Record):
    """What `migrate` is told."""

    files: tuple[str, ...]
    target: tuple[str, ...]
    torch: str | None
    layout: Layout
    default: str | None
    names: tuple[str, ...]
    python: str | None
    index_base: tuple[str, ...]
    keep_versions: bool
    remove_old: bool
    writing: WritingOptions
    common: CommonOptions


def add_arguments(parser: Parser) -> None:
    """Add the options of this command."""
    parser.epilog = EPILOG
    parser.add_argument("files", nargs="*", metavar="FILE", help="files to read")
    parser.add_argument(
        "-t", "--target", action="append", default=[], metavar="TARGET",
        help="platform and build, in place of those that the files mean (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--torch", metavar="SPEC", help="torch version, in place of what the files require"
    )
    add_arrangement(parser)
    parser.add_argument(
        "--keep-versions", action="store_true",
        help="keep the versions of old pins in constraint-dependencies",
    )  # fmt: skip
    parser.add_argument(
        "--remove-old", action="store_true",
        help="remove the tables of Poetry or PDM from pyproject.toml",
    )  # fmt: skip
    add_writing(parser, force=False)
    add_format(parser)


def run(options: MigrateOptions) -> int:
    """Read, plan, show or write, and say what became of each line."""
    # Imported here: `--help` needs none of these.
    from torchconf.cli.carry_migration import carry_out_migration

    return carry_out_migration(options)
