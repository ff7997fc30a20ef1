"""The command line: one lazily imported module per command, and what every command shares."""

from __future__ import annotations

import os
import sys

from torchconf import __version__
from torchconf.errors import TorchconfError

# Spelled out, as type checkers know it: `typing` takes longer to import than `--version` to answer.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "new": "start a project from a template",
    "init": "write the PyTorch configuration of a project",
    "add-target": "add a build on a platform",
    "remove-target": "take a build away, and what nothing needs any more",
    "check": "find what uv accepts in silence and installs wrongly, and fix it",
    "explain": "tell why a rule, platform, target or package is what it is",
    "show": "show which build each platform gets, from the file alone",
    "verify": "show which build each platform gets, as uv really locks it",
    "export": "write requirements for each target, for pip and others",
    "upgrade": "move to another torch or backend everywhere at once",
    "catalog": "list or show what is known of PyTorch's wheels, or read it anew",
    "doctor": "tell which builds fit this machine, and which one is installed",
    "completion": "print what lets a shell complete commands, options and targets",
}
"""Each command with its summary; the module of that name under `torchconf.cli` carries it out."""

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: The words after the program's name; by default those of this process.

    Returns:
        The exit status: 0 done, 1 the answer is no, 2 impossible or refused, 130 interrupted.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(words)
    except TorchconfError as error:
        _fail(error, words)
        return error.exit_code
    except SystemExit as leaving:  # argparse has printed its help
        return leaving.code if isinstance(leaving.code, int) else 0
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has gone; leave without a second complaint when the stream is flushed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if os.environ.get("TORCHCONF_DEBUG"):
            raise
        message = f"torchconf failed: {type(error).__name__}: {error}"
        help_ = "this is a bug; `TORCHCONF_DEBUG=1` shows where it is"
        _fail(TorchconfError(message, help=help_), words)
        return TorchconfError.exit_code


def _run(words: list[str]) -> int:
    if words in (["--version"], ["-V"]):
        sys.stdout.write(f"torchconf {__version__}\n")
        return 0
    # Imported here: `--version` needs no parser.
    from torchconf.cli.parser import parse

    command, options = parse(words)
    return command(options)


def _fail(error: TorchconfError, words: list[str]) -> None:
    """Say what, where and what next: on stderr, or as JSON on stdout if that was asked for."""
    if _wants_json(words):
        import json

        text = {"message": error.message, "at": error.at, "help": error.help}
        sys.stdout.write(json.dumps({"schema_version": 1, "error": text}, indent=2) + "\n")
        return
    sys.stderr.write(error.spoken())


def _wants_json(words: list[str]) -> bool:
    """Tell whether JSON was asked for, even if the rest of the words made no sense."""
    flags = ("--format", "--output-format")
    pairs = zip(words, [*words[1:], ""], strict=True)
    return any((one in flags and two == "json") or one in _JSON for one, two in pairs)


_JSON = {"--format=json", "--output-format=json"}
