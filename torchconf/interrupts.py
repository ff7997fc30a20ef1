"""Signals that end a run: what is under way is undone, and the few steps that must not be cut wait.

Ctrl-C raises `KeyboardInterrupt` by itself. A SIGTERM or SIGHUP would end the process on the spot,
with one of two files replaced; where that matters, they end it like Ctrl-C.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Never

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["EndedBySignal", "held", "orderly"]

_LIKE_INTERRUPT = ("SIGTERM", "SIGHUP", "SIGBREAK")
"""Those of them that the system has."""


class EndedBySignal(KeyboardInterrupt):
    """Ctrl-C by another name."""

    def __init__(self, number: int) -> None:
        """Keep which signal it was, for the exit status."""
        super().__init__()
        self.number = number


def _raise(number: int, _frame: object) -> Never:
    raise EndedBySignal(number)


@contextmanager
def orderly() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end what is inside like Ctrl-C, unless they are ignored (`nohup`)."""
    import signal

    taken = []
    if _may_handle():
        numbers = [getattr(signal, name) for name in _LIKE_INTERRUPT if hasattr(signal, name)]
        taken = [number for number in numbers if signal.getsignal(number) == signal.SIG_DFL]
    try:
        for number in taken:
            signal.signal(number, _raise)
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def held() -> Iterator[list[int]]:
    """Let signals wait until what is inside is done; gives those that came so far.

    A process that is started inside does not inherit this.
    """
    import signal

    waiting: list[int] = []
    before = {}
    if _may_handle():
        names = ("SIGINT", *_LIKE_INTERRUPT)
        numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
        before = {number: signal.getsignal(number) for number in numbers}
    # None: a handler that was not set by Python, which nothing here could set again.
    kept = {n: how for n, how in before.items() if how not in (signal.SIG_IGN, None)}
    try:
        for number in kept:
            signal.signal(number, lambda number, _: waiting.append(number))
        yield waiting
    finally:
        for number, how in kept.items():
            signal.signal(number, how)
        if waiting:
            signal.raise_signal(waiting[0])


def _may_handle() -> bool:
    """Only the main thread is ever interrupted, and only it can say how."""
    import threading

    return threading.current_thread() is threading.main_thread()
