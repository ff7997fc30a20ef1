"""`torchconf completion`: shell scripts that complete commands, options and targets."""

from __future__ import annotations

from torchconf.errors import CatalogError, RequestError
from torchconf.model.record import Record

TYPE_CHECKING = False  # `typing` is not needed to print help
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Literal

    from torchconf.cli.options import CommonOptions
    from torchconf.cli.parser import Parser

SHELLS = ("bash", "zsh", "fish", "powershell", "tcsh")

EPILOG = """\
Save the script where your shell looks for completions. It contains the targets in the catalog:
generate it again after upgrading torchconf or refreshing the catalog.

examples:
  torchconf completion bash > ~/.local/share/bash-completion/completions/torchconf
  torchconf completion zsh > ~/.zfunc/_torchconf
  torchconf completion fish > ~/.config/fish/completions/torchconf.fish
  torchconf completion powershell >> $PROFILE
  torchconf completion tcsh > ~/.torchconf.tcsh

zsh reads ~/.zfunc if ~/.zshrc says `fpath+=~/.zfunc` before `compinit`; tcsh needs
`source ~/.torchconf.tcsh` in ~/.tcshrc.
"""


class CompletionOptions(Record):
    """What `completion` is told."""

    shell: Literal["bash", "zsh", "fish", "powershell", "tcsh"]
    common: CommonOptions


def add_arguments(parser: Parser) -> None:
    """Add the options of this command."""
    parser.epilog = EPILOG
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))


def run(options: CompletionOptions) -> int:
    """Print the script for one shell."""
    # Imported here: `--help` does not need it.
    import shtab

    from torchconf.report.streams import write_document

    if options.shell not in shtab.SUPPORTED_SHELLS:
        raise RequestError(
            f"shtab {shtab.__version__} does not support {options.shell}",
            help="upgrade to `shtab>=1.13`",
        )
    write_document(shtab.complete(complete_parser(shtab.DIRECTORY, shtab.FILE), options.shell))
    return 0


def complete_parser(
    folders: dict[str, str | dict[str, str]], paths: dict[str, str | dict[str, str]]
) -> Parser:
    """Return one parser with every command, and with the words that each option can take.

    Args:
        folders: How shtab completes the name of a folder.
        paths: Likewise of a file.
    """
    from torchconf.cli import COMMANDS
    from torchconf.cli.parser import Parser, command_parser, main_parser

    catalog = _read_catalog()
    words = {
        "target": list(target_words(catalog)),
        "default": [*catalog["backends"], "none"],
        "packages": _companions(catalog),
    }
    parser = main_parser()
    parser.description, parser.epilog = "Write, check and explain uv's PyTorch configuration.", None
    commands = parser.add_subparsers(parser_class=Parser, metavar="COMMAND")
    for name, summary in COMMANDS.items():
        own = command_parser(name)
        for action in own._actions:  # noqa: SLF001 - argparse has no public list
            if action.dest == "project":
                action.complete = folders  # type: ignore[attr-defined] # shtab's own attribute
            elif action.dest == "script":
                action.complete = paths  # type: ignore[attr-defined] # likewise
            elif action.dest in words and action.choices is None:
                action.choices = words[action.dest]
        own.description, own.epilog = f"{summary[0].upper()}{summary[1:]}.", None
        commands.add_parser(name, help=summary, parents=[own], add_help=False)
    return parser


def target_words(catalog: dict[str, Any]) -> Iterator[str]:
    """Yield every target that the catalog has words for, each platform by both of its names."""
    # Imported here: `--help` needs none of these.
    from torchconf.model.backends import PYPI, Accelerator, parse_backend
    from torchconf.model.targets import PLATFORMS

    accelerators = [
        Accelerator(name, entry["title"], entry["pattern"], tuple(entry["platforms"]))
        for name, entry in catalog["accelerators"].items()
    ]
    of: dict[str, list[str]] = {known.name: [known.name] for known in accelerators}
    for name in catalog["backends"]:
        if backend := parse_backend(name, accelerators):
            number = ".".join(map(str, backend.version))
            is_ours = "family" not in catalog["backends"][name]
            of[backend.accelerator] += [name, *([f"{backend.accelerator}{number}"] * is_ours)]
    # The words of others stand for their accelerators.
    hidden = {name for name, entry in catalog["accelerators"].items() if "family" in entry}
    hidden -= catalog["backends"].keys()
    for platform in PLATFORMS:
        words = [
            word
            for known in accelerators
            if platform.key in known.platforms
            for word in of[known.name]
        ]
        words = [word for word in words if word not in hidden]
        words += [
            entry["word"]
            for entry in catalog["accelerators"].values()
            if platform.key in entry["platforms"] and entry.get("word")
        ]
        words += [w for w, entry in catalog["words"].items() if entry["os"] == platform.os]
        for name in dict.fromkeys((platform.short, platform.key)):
            yield from (f"{name}-{word}" for word in dict.fromkeys([*words, PYPI.name]))


def _companions(catalog: dict[str, Any]) -> list[str]:
    """Return what `--with` takes."""
    rules = [rule for entry in catalog["accelerators"].values() for rule in entry["triton"]]
    others = {catalog["main_package"], *(rule["name"] for rule in rules)}
    return [name for name in catalog["family"] if name not in others]


def _read_catalog() -> dict[str, Any]:
    """Read the catalog's words as they are: queries would need what takes long to import.

    Raises:
        CatalogError: The file that the user named cannot be read, or is not a catalog.
    """
    from torchconf.files.catalog_file import PACKAGED, chosen_file

    path, source = chosen_file()
    try:
        return _parse(path)
    except CatalogError:
        if source != "cache":
            raise
        return _parse(PACKAGED)


def _parse(path: str) -> dict[str, Any]:
    # Imported here: `--help` needs neither.
    import json

    from torchconf.files.catalog_file import read_catalog

    try:
        found = json.loads(read_catalog(path))
    except OSError as error:
        from torchconf.files.reading import reason

        raise CatalogError(f"cannot read the catalog: {reason(error)}", at=path) from error
    except ValueError as error:
        raise CatalogError(f"cannot read the catalog: {error}", at=path) from error
    missing = {*_USED}.difference(found if isinstance(found, dict) else ())
    if missing:
        raise CatalogError(f"the catalog has no usable `{min(missing)}`", at=path)
    return dict(found)


_USED = ("accelerators", "backends", "family", "main_package", "words")
