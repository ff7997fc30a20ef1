"""The command line: one lazily imported module per command, and what every command shares."""

from __future__ import annotations

import os
import sys

from torchconf import __version__
from torchconf.errors import TorchconfError, of_endless_number, shown

# Spelled out, as type checkers know it: `typing` takes longer to import than `--version` to answer.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "new": "create a project from a template",
    "init": "set up PyTorch in a new or existing project",
    "migrate": "turn requirements files, Poetry, conda and others into a uv project",
    "add-target": "add a target: a build on a platform",
    "remove-target": "remove a target and whatever only it needs",
    "check": "find configuration that uv accepts silently but installs wrongly",
    "explain": "explain a rule, or why a platform gets the build it gets",
    "show": "show which build each platform gets, from pyproject.toml alone",
    "diff": "show how a change affects the build that each platform gets",
    "verify": "show which build each platform gets, as uv locks it",
    "export": "export requirements for each target, for pip and other tools",
    "sync": "run `uv sync` with the choice that is right for this machine",
    "run": "run `uv run` with the choice that is right for this machine",
    "use": "print the lines that make plain uv commands right on this machine",
    "upgrade": "upgrade torch or backends across the project",
    "catalog": "list, show or refresh known PyTorch wheels",
    "lsp": "serve the rules, fixes and explanations to an editor",
    "doctor": "show which builds fit this machine and which one is installed",
    "completion": "print a shell completion script",
}
"""Each command with its summary; the module of that name under `torchconf.cli` carries it out."""

INTERRUPTED = 130
_SIGNALLED = 128
"""What a shell adds to the number of the signal that ended a program."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: The words after the program's name; by default those of this process.

    Returns:
        The exit status: 0 done, 1 the answer is no, 2 impossible or refused, 130 interrupted.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if words in (["--version"], ["-V"]):
        sys.stdout.write(f"torchconf {__version__}\n")
        return 0
    # Imported here: `--version` shows nothing from outside.
    from torchconf.report.streams import guarded

    with guarded():
        return _run(words)


def _run(words: list[str]) -> int:
    # Imported here: `--version` needs no parser.
    from torchconf.cli.parser import parse

    try:
        if "torchconf.files" in sys.modules:
            sys.modules["torchconf.files"].forget_changes()
        command, options = parse(words)
        return command(options)
    except TorchconfError as error:
        _fail(error, words)
        return error.exit_code
    except SystemExit as leaving:  # argparse has printed its help
        return leaving.code if isinstance(leaving.code, int) else 0
    except KeyboardInterrupt as interrupt:
        changed = shown(", ".join(_changed_files()))
        sys.stderr.write(f"interrupted; changed: {changed}\n" if changed else "interrupted\n")
        return _SIGNALLED + getattr(interrupt, "number", INTERRUPTED - _SIGNALLED)
    except BrokenPipeError:
        # The reader has gone; leave without a second complaint when the stream is flushed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if os.environ.get("TORCHCONF_DEBUG"):
            raise
        _fail(_unforeseen(error), words)
        return TorchconfError.exit_code


def _unforeseen(error: Exception) -> TorchconfError:
    """Say what has gone wrong where no command has foreseen it."""
    if isinstance(error, OSError):
        from torchconf.files.reading import reason

        if error.filename is not None:
            place = os.fsdecode(error.filename)
            return TorchconfError(f"cannot use the file: {reason(error)}", at=place)
        if isinstance(error, FileNotFoundError):
            return TorchconfError("the current folder does not exist any more")
        return TorchconfError(f"cannot write the output: {reason(error)}")
    if isinstance(error, ValueError) and (endless := of_endless_number(error)):
        return endless
    message = f"torchconf failed: {type(error).__name__}: {error}"
    return TorchconfError(
        message, help="this is a bug; set `TORCHCONF_DEBUG=1` to see the traceback"
    )


def _changed_files() -> list[str]:
    """Return the files that this run has changed, if it has come to writing."""
    files = sys.modules.get("torchconf.files")
    changed: list[str] = files.changed_so_far() if files is not None else []
    return changed


def _fail(error: TorchconfError, words: list[str]) -> None:
    """Say what, where and what next: on stderr, or as JSON on stdout if that was asked for.

    GitHub shows only what is a command on stdout.
    """
    if _wants("json", words):
        from torchconf.report.json_data import print_json

        print_json({"error": {"message": error.message, "at": error.at, "help": error.help}})
        return
    if _wants("github", words):
        from torchconf.report.annotations import error_command
        from torchconf.report.streams import write_commands

        write_commands([error_command(error)])
    sys.stderr.write(error.spoken())


def _wants(format_: str, words: list[str]) -> bool:
    """Tell whether a format was asked for, even if the rest of the words made no sense."""
    flags = ("--format", "--output-format")
    # What follows is another program's.
    words = words[: words.index("--")] if "--" in words else words
    pairs = zip(words, [*words[1:], ""], strict=True)
    return any(
        (one in flags and two == format_) or one in {f"{flag}={format_}" for flag in flags}
        for one, two in pairs
    )
