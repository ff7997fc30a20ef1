"""The words that the schemas are written with: JSON Schema, shorter.

An object may have more keys than its schema names: a key can be added without a new
`schema_version`, and whoever reads the output ignores what they do not know. The tests are
stricter: what torchconf prints today has no key that is not named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Schema = dict[str, Any]


def text(description: str, **more: object) -> Schema:
    """Return the schema of a string."""
    return {"description": description, "type": "string", **more}


def one_of(description: str, *values: str) -> Schema:
    """Return the schema of a word out of a list that will not grow within this version."""
    return {"description": description, "enum": list(values)}


def flag(description: str) -> Schema:
    """Return the schema of true and false."""
    return {"description": description, "type": "boolean"}


def number(description: str, *, start: int = 0) -> Schema:
    """Return the schema of a count, or of a line's number."""
    return {"description": description, "type": "integer", "minimum": start}


def or_null(schema: Schema) -> Schema:
    """Return a schema that admits null, too; its description says what null means."""
    if "enum" in schema:
        return {**schema, "enum": [*schema["enum"], None]}
    return {**schema, "type": [schema["type"], "null"]}


def array(description: str, items: Schema) -> Schema:
    """Return the schema of an array."""
    return {"description": description, "type": "array", "items": items}


def texts(description: str) -> Schema:
    """Return the schema of an array of strings."""
    return array(description, {"type": "string"})


def named(description: str, values: Schema) -> Schema:
    """Return the schema of an object whose keys are names, not words of this schema."""
    return {"description": description, "type": "object", "additionalProperties": values}


def table(
    description: str, properties: Mapping[str, Schema], *, optional: Iterable[str] = ()
) -> Schema:
    """Return the schema of an object: all of its keys are always there, save the optional ones."""
    missing = set(optional)
    return {
        "description": description,
        "type": "object",
        "properties": dict(properties),
        "required": [name for name in properties if name not in missing],
    }


PLATFORM = text(
    "An operating system and a machine, and what tells it from others of its kind.",
    pattern="^[a-z]+(-[a-z0-9_]+)+$",
    examples=["linux-x86_64", "windows-x86_64", "macos-arm64", "linux-aarch64-tegra"],
)
BACKEND = text(
    "A build, as its index URL spells it; `pypi` is whatever PyPI serves.",
    examples=["cpu", "cu130", "rocm7.2", "xpu", "pypi"],
)
TARGET = text("A build on a platform.", examples=["linux-cu130", "macos-cpu"])
COMMAND = text(
    "A line for a POSIX shell.",
    examples=["uv sync --extra cu130", 'UV_NO_GROUP="cpu" uv sync'],
)
VERSION = text("A version, as PEP 440 has it.", examples=["2.13.0"])
DAY = text("A day.", format="date", examples=["2026-11-22"])
PYTHON = text("A version of Python.", pattern=r"^3\.[0-9]+$", examples=["3.13"])
PATH = text("A path, as it was given or found.")
DIFF = text("The change as a unified diff; empty if there is none.")
FAILURE = table(
    "Why there is no answer.",
    {
        "message": text("What is wrong."),
        "at": or_null(text("Where: a file, and often the place in it; null: nowhere.")),
        "help": or_null(text("What to do next; null: nothing is known to help.")),
    },
)


def described(schema: Schema, description: str) -> Schema:
    """Return a schema with another description."""
    return {**schema, "description": description}
