"""The program: `torchconf`, or `python -m torchconf`."""

from __future__ import annotations

import gc
import io
import os
import sys
from types import ModuleType

from torchconf.cli import main


class Later(ModuleType):
    """A module of the standard library that is loaded when somebody asks something of it.

    `packaging` imports them for questions about the running machine, which few commands ask, and
    they take a sixth of the time of a short command. `importlib.util.LazyLoader` is no help: what
    it puts off is loaded by the next `import`, which asks for `__spec__`.
    """

    def __getattr__(self, name: str) -> object:
        """Load the real module in this one's place, and ask it."""
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(__import__(self.__name__), name)


class LaterLogging(Later):
    """`logging`, which is asked for loggers long before anything is logged, if ever."""

    def getLogger(self, name: str | None = None) -> LaterLogger:  # noqa: N802 - its name
        """Return a logger that loads the module when it is used."""
        return LaterLogger(name)


class LaterLogger:
    """A logger of a module that is not loaded yet."""

    def __init__(self, name: str | None) -> None:
        """Remember its name."""
        self._name = name

    def __getattr__(self, name: str) -> object:
        """Be the logger of that name."""
        if isinstance(sys.modules.get("logging"), Later):
            del sys.modules["logging"]
        return getattr(__import__("logging").getLogger(self._name), name)


LATER = (Later("platform"), Later("subprocess"), LaterLogging("logging"))


def run() -> None:
    """Run the command line and leave with its exit status.

    Nothing is collected and the interpreter is not taken down in order: both only free memory that
    the system frees anyway, and take a seventh of the time of a short command.
    """
    gc.disable()
    _open_streams()
    for module in LATER:
        sys.modules.setdefault(module.__name__, module)
    for stream in (sys.stdout, sys.stderr):
        # A comment of the user's may hold what the terminal's encoding does not.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = main()
    except OSError:  # what it wanted to say, nobody can read
        status = 2
    try:
        sys.stdout.flush()
    except OSError as error:
        status = status or 1
        _complain(f"error: cannot write the output: {(error.strerror or '').lower()}\n")
    _complain("")
    os._exit(status)


def _complain(text: str) -> None:
    """Write to stderr what is to be said, if somebody can hear it."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        return


def _open_streams() -> None:
    """Give a stream to each of the three that the caller has closed (`>&-`).

    Else the next file that is opened would have its number, and get what is printed. From a closed
    input nothing comes, and what is written to a closed output is an error.
    """
    for number, (name, mode, flags) in enumerate(_STREAMS):
        if getattr(sys, name) is None:
            try:
                os.fstat(number)
            except OSError:
                os.open(os.devnull, flags)
            # It stays open as long as the process lives.
            stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 - see above
            setattr(sys, name, stream)


_STREAMS = (
    ("stdin", "r", os.O_RDONLY),
    ("stdout", "w", os.O_RDONLY),
    ("stderr", "w", os.O_WRONLY),
)


if __name__ == "__main__":
    run()
