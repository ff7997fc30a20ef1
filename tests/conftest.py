"""Fixtures for tests that let the real uv judge; whatever uses one is marked `uv`."""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.support.replica import Content, Replica, ReplicaOf

# How long an example takes says more of the machine than of the code.
settings.register_profile(
    "steady", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")


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
