"""The published schemas, and what outputs show of them.

Published, an object may have more keys than its schema names. Here it may not: whoever adds a key
to an output adds it to its schema, in `docs/tools/schemas`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it has no stubs

from docs.tools.schemas import RESULTS, schema_of

OPEN = {"families"}
"""Arrays of objects that may have keys which no schema names; it says so."""


def closed(schema: Any, name: str = "") -> Any:
    """Return a schema whose objects have no other keys than those that it names."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {
        key: {name: closed(one, name) for name, one in value.items()}
        if key in {"properties", "$defs"}
        else closed(value, name)
        for key, value in schema.items()
    }
    if "properties" in schema and name not in OPEN:
        found.setdefault("additionalProperties", False)
    return found


VALIDATORS = {
    name: Draft202012Validator(
        closed(schema_of(name)), format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    for name in RESULTS
}


def mistakes(command: str, data: Any) -> list[str]:
    """Return where an output is not as its schema says."""
    kind = "failure" if set(data) == {"schema_version", "error"} else "result"
    validator = VALIDATORS[command]
    part = validator.evolve(schema=validator.schema["$defs"][kind])
    return [f"{error.json_path}: {error.message}" for error in part.iter_errors(data)]


class Seen:
    """What outputs have used of a schema: which keys were there, not there, null, not null."""

    def __init__(self, schema: Any) -> None:
        self.schema = schema
        self.found: set[tuple[str, str]] = set()

    def take(self, data: Any, schema: Any = None, place: str = "") -> None:
        schema = self.schema if schema is None else schema
        self.found.add((place, "null" if data is None else "value"))
        if isinstance(data, list):
            for one in data:
                self.take(one, schema.get("items", {}), f"{place}[]")
        elif isinstance(data, dict) and "properties" in schema:
            for name, part in schema["properties"].items():
                if name in data:
                    self.take(data[name], part, f"{place}.{name}")
                else:
                    self.found.add((f"{place}.{name}", "absent"))

    def missing(self) -> set[str]:
        """Return what no output has shown to be as it is said to be."""
        return {f"{place}: {what}" for place, what in _said(self.schema, "")} - {
            f"{place}: {what}" for place, what in self.found
        }


def _said(schema: Any, place: str) -> Iterator[tuple[str, str]]:
    """Yield what a schema says can be."""
    if "items" in schema:
        yield from _said(schema["items"], f"{place}[]")
    for name, part in schema.get("properties", {}).items():
        here = f"{place}.{name}"
        yield here, "value"
        if "null" in part.get("type", ()) or None in part.get("enum", ()):
            yield here, "null"
        if name not in schema["required"]:
            yield here, "absent"
        yield from _said(part, here)
