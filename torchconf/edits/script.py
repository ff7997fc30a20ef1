"""Carrying out a plan on a script: its metadata block is edited, the rest stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.edits import edit_text
from torchconf.edits.plan import with_paths
from torchconf.errors import WriteRefused
from torchconf.model.scripts import find_block, from_project, with_block, with_empty_block

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchconf.edits.plan import Step

__all__ = ["edit_script"]


def edit_script(text: str, steps: Iterable[Step], file: str, *, bom: bool = False) -> str:
    """Take the steps of a plan on a script; one without a block gets one.

    Args:
        text: The script, without a byte order mark, with its own line endings.
        steps: For the project that a block is read as.
        file: Its name, for errors.
        bom: Whether a byte order mark stands before the text.

    Raises:
        ProjectError: The block cannot be read.
        WriteRefused: As `edit_text` does.
    """
    steps = with_paths(steps, from_project)
    if not steps:
        return text
    block = find_block(text, file)
    if block is None:
        text = with_empty_block(text, bom=bom)
        block = find_block(text, file)
        if block is None:
            raise WriteRefused("the script cannot get a metadata block", at=file)
    new = edit_text(block.toml, steps, file)
    lines = text.split("\n")
    if lines[block.first_line - 2].endswith("\r") and not block.toml:
        # Nothing in the block said how its lines end.
        new = new.replace("\n", "\r\n")
    return with_block(text, block, new)
