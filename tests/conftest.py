"""Fixtures for tests that let the real uv judge; whatever uses one is marked `uv`."""

from __future__ import annotations

import contextlib
import gc
import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings

from tests.support.replica import Content, Replica, ReplicaOf

# How long an example takes says more of the machine than of the code.
settings.register_profile(
    "steady", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")


_SPOKEN_TO_US = re.compile(
    r"UV|(?:UV|TORCHCONF)_\w+|NO_COLOR|FORCE_COLOR|CLICOLOR\w*|COLUMNS|LINES|VIRTUAL_ENV|CONDA_\w+"
    r"|GITHUB_\w+"
)
"""Variables by which a user or a CI tells torchconf and uv what to do."""


def pytest_configure(config: pytest.Config) -> None:
    """Let no habit of this machine's user reach what is tested, nor a catalog they refreshed."""
    cache = os.environ.get("UV_CACHE_DIR")
    for name in filter(_SPOKEN_TO_US.fullmatch, list(os.environ)):
        del os.environ[name]
    if sys.platform == "linux":
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        os.environ["UV_CACHE_DIR"] = cache or str(Path(home, "uv"))
        nothing = TemporaryDirectory()
        config.add_cleanup(nothing.cleanup)
        os.environ["XDG_CACHE_HOME"] = nothing.name


@pytest.fixture(scope="session", autouse=True)
def hears_signals() -> None:
    """Let whatever is started here hear signals that `nohup` or a shell's background ignores.

    A process inherits that a signal is ignored, but no handler; so this one stays deaf.
    """
    for name in ("SIGINT", "SIGHUP", "SIGTERM"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


@pytest.fixture(scope="session", autouse=True)
def needs_no_disk() -> Iterator[None]:
    """Wait for no disk: no test cuts the power, and thousands write a file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that run uv."""
    for item in items:
        if {"replica", "replica_of"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("uv")


def pytest_collection_finish() -> None:
    """Take the thousands of tests out of what each garbage collection looks through; do few."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session")
def replica() -> Iterator[Replica]:
    """Give the catalog's world, closed: nothing outside is reached."""
    with Replica() as world:
        yield world


@pytest.fixture
def inside_replica(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> Replica:
    """Give the catalog's world, and put this process into it: whatever it starts is inside."""
    environment = replica.environment()
    for name in os.environ.keys() - environment.keys():
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return replica


@pytest.fixture(scope="session")
def replica_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplicaOf]:
    """Give a closed replica of any content; the same one for the same content."""
    started: dict[str, Replica] = {}
    cache = tmp_path_factory.mktemp("uv-cache")
    with contextlib.ExitStack() as stack:

        def start(content: Content) -> Replica:
            digest = content.digest()
            if digest not in started:
                started[digest] = stack.enter_context(Replica(content, cache=cache))
            return started[digest]

        yield start
