"""The uv command of a choice, with the variable of a machine and without it."""

from __future__ import annotations

import pytest

from torchconf.layout.selection import Selection

PLAIN = Selection()
EXTRA = Selection(extras=("gpu",), package="app")
GROUP = Selection(groups=("cu130",), no_groups=("cpu",))
MACHINE = Selection(left_out=("cpu", "cu126"), package="app")


@pytest.mark.parametrize(
    ("selection", "command", "flags"),
    [
        (PLAIN, "uv sync", ""),
        (EXTRA, "uv sync --package app --extra gpu", "--package app --extra gpu"),
        (GROUP, "uv sync --no-group cpu --group cu130", "--no-group cpu --group cu130"),
        (
            MACHINE,
            'UV_NO_GROUP="cpu cu126" uv sync --package app',
            "--package app --no-group cpu --no-group cu126",
        ),
    ],
)
def test_command_and_flags(selection: Selection, command: str, flags: str) -> None:
    """What the variable says, the flags say without it."""
    assert selection.command() == command
    assert " ".join(selection.flags()) == flags


def test_variable() -> None:
    """It has exactly one space between the names, and is not set to nothing."""
    assert MACHINE.environment == {"UV_NO_GROUP": "cpu cu126"}
    assert GROUP.environment == {}
