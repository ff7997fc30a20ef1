"""The reference of what can be set: the keys of `[tool.torchconf]`, from their schema."""

from __future__ import annotations

from typing import Any

from docs.tools.reference.table import markdown_table
from docs.tools.schemas.settings import settings


def settings_table() -> str:
    """Return the table of keys."""
    properties: Any = settings()["properties"]
    return markdown_table(
        ["key", "value", "meaning"],
        [
            [f"`{name}`", "an array of texts", schema["description"].partition("\n")[0]]
            for name, schema in properties.items()
        ],
    )
