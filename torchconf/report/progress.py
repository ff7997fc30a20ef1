"""Progress bars: on stderr, at a terminal, and nowhere else."""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from torchconf.report.streams import unguarded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["pages", "progress"]


@contextmanager
def progress(title: str, total: int) -> Iterator[Callable[[], None]]:
    """Show a progress bar on stderr where that is a terminal; give what advances it by one."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    # Imported here: only a terminal shows progress.
    from rich.console import Console
    from rich.progress import Progress

    # A bar moves the cursor, which the guard of stderr would not let it do.
    console = Console(file=unguarded(sys.stderr))
    with Progress(
        console=console, transient=True, redirect_stdout=False, redirect_stderr=False
    ) as bar:
        task = bar.add_task(title, total=total)
        yield lambda: bar.advance(task)


@contextmanager
def pages(title: str) -> Iterator[Callable[[int], Callable[[], None]]]:
    """As `progress`, for a total that is known only later: give what takes it."""
    with ExitStack() as stack:
        yield lambda total: stack.enter_context(progress(title, total))
