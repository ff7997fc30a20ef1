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

    `packaging` imports these two for questions about the running machine, which few commands ask,
    and they take a tenth of the time of a short command.
    """

    def __getattr__(self, name: str) -> object:
        """Load the real module in this one's place, and ask it."""
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(__import__(self.__name__), name)


LATER = ("platform", "subprocess")


def run() -> None:
    """Run the command line and leave with its exit status.

    Nothing is collected and the interpreter is not taken down in order: both only free memory that
    the system frees anyway, and take a seventh of the time of a short command.
    """
    gc.disable()
    for name in LATER:
        sys.modules.setdefault(name, Later(name))
    for stream in (sys.stdout, sys.stderr):
        # A comment of the user's may hold what the terminal's encoding does not.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    status = main()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        status = status or 1
    os._exit(status)


if __name__ == "__main__":
    run()
