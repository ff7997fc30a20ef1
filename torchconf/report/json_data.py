"""JSON on stdout, alone and with the version of its schema."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from torchconf.errors.shown import hide_secrets
from torchconf.report.streams import write_document

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SCHEMA_VERSION = 1


def print_json(data: Mapping[str, object]) -> None:
    """Print one object on stdout."""
    write_json({"schema_version": SCHEMA_VERSION, **data})


def write_json(data: Mapping[str, object] | Sequence[object]) -> None:
    """Write a document of any schema to stdout: valid JSON that holds no secret."""
    text = json.dumps(_clean(data), indent=2)
    # The same data, without a command for the runner in whose log it appears.
    text = text.replace("##", r"#\u0023")
    write_document(f"{text}\n")


def _clean(value: object) -> object:
    """Hide the secrets in all texts; of a name that is no Unicode, half a character is replaced."""
    if isinstance(value, str):
        text = hide_secrets(value)
        if text.isascii():
            return text
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_clean(key): _clean(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(one) for one in value]
    return value
