"""The reference of what can be set: the keys of `[tool.torchconf]`, from their schema."""

from __future__ import annotations

from typing import Any

from docs.tools.reference.table import markdown_table
from docs.tools.schemas.settings import settings

_KINDS = {"array": "an array of strings", "object": "a table of strings"}


def settings_table() -> str:
    """Return the table of keys."""
    properties: Any = settings()["properties"]
    return markdown_table(
        ["key", "value", "meaning"],
        [
            [f"`{name}`", _KINDS[schema["type"]], schema["description"].partition("\n")[0]]
            for name, schema in properties.items()
        ],
    )
