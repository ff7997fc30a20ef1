"""Who brings which CUDA, as a table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.report.columns import plain_table
from torchconf.resolve.cuda import meeting

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchconf.resolve.cuda import Bringer

__all__ = ["cuda_text"]


def cuda_text(found: Iterable[Bringer]) -> str:
    """Return a row a package, platform and choice, and what to do where two majors meet."""
    places: dict[tuple[str, str], list[Bringer]] = {}
    for one in found:
        places.setdefault((one.selection.command(), one.platform), []).append(one)
    rows: list[list[str]] = []
    is_mixed = False
    for (command, platform), there in places.items():
        for number, one in enumerate(there):
            rows.append([*(["", ""] if number else [command, platform]), _version(one), one.said])
        if parted := meeting(there):
            is_mixed = True
            rows.append(["", "", "!", f"CUDA {' and '.join(parted)} meet here"])
    text = plain_table(["command", "platform", "CUDA", "from"], rows)
    return f"{text}{_ADVICE}" if is_mixed else text


def _version(one: Bringer) -> str:
    if not one.is_known:
        return "?"
    return " or ".join(one.cuda) or "none"


_ADVICE = "where two versions meet, one package may run on the CPU; see `torchconf explain TC513`\n"
