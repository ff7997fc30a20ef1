"""A replica of the PyTorch indexes on loopback, on which the real uv judges our output.

`Content` says which wheels exist where, `Replica` serves them and runs uv:

    with Replica(Content.from_facts()) as replica:
        replica.lock(project)
        replica.selected(project, "linux-x86_64", "3.12", "--extra", "cu130")["torch"]

By hand: `python -m tests.support.replica --help`.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.support.replica.content import Content, Release
from tests.support.replica.export import Build, Export, Selection
from tests.support.replica.site import Fault
from tests.support.replica.uv import Replica, Run, UvError
from tests.support.replica.wheels import ReplicaWheel

__all__ = [
    "Build",
    "Content",
    "Export",
    "Fault",
    "Release",
    "Replica",
    "ReplicaOf",
    "ReplicaWheel",
    "Run",
    "Selection",
    "UvError",
]

ReplicaOf = Callable[[Content], Replica]
"""The fixture `replica_of`: a closed replica of any content."""
