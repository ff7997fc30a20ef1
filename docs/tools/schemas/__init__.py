"""The JSON schemas that the site publishes: of each `--format json`, and of `[tool.torchconf]`."""

from __future__ import annotations

import json

from docs.tools.places import URL
from docs.tools.schemas.changes import MIGRATE, NEW, TARGETS, UPGRADE
from docs.tools.schemas.differences import DIFF
from docs.tools.schemas.reports import (
    CATALOG_LIST,
    CATALOG_REFRESH,
    CATALOG_SHOW,
    CHECK,
    DOCTOR,
    EXPLAIN,
    MATRIX,
    SHOW,
    USE,
    VERIFY,
)
from docs.tools.schemas.settings import settings
from docs.tools.schemas.shapes import FAILURE, Schema, table
from torchconf.report.json_data import SCHEMA_VERSION

__all__ = ["RESULTS", "SETTINGS", "schema_of", "schema_pages"]

RESULTS = {
    "show": SHOW,
    "verify": VERIFY,
    "check": CHECK,
    "diff": DIFF,
    "explain": EXPLAIN,
    "doctor": DOCTOR,
    "catalog-list": CATALOG_LIST,
    "catalog-show": CATALOG_SHOW,
    "catalog-refresh": CATALOG_REFRESH,
    "use": USE,
    "init": TARGETS,
    "add-target": TARGETS,
    "remove-target": TARGETS,
    "upgrade": UPGRADE,
    "migrate": MIGRATE,
    "new": NEW,
}
"""What each command answers; an action of `catalog` is a command of its own."""
SETTINGS = "partial-torchconf.json"


def schema_of(command: str) -> Schema:
    """Return the schema of what a command prints with `--format json`: its answer, or a failure."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{URL}schemas/{command}.json",
        "title": f"torchconf {command.replace('catalog-', 'catalog ')} --format json",
        "description": "A key may be added without a new schema_version; ignore what you do not "
        "know.",
        "anyOf": [{"$ref": "#/$defs/result"}, {"$ref": "#/$defs/failure"}],
        "$defs": {
            "result": _versioned(RESULTS[command]),
            "failure": _failure(),
        },
    }


def _failure() -> Schema:
    return _versioned(table("There is no answer; the exit status is 2.", {"error": FAILURE}))


def _versioned(schema: Schema) -> Schema:
    """Return the schema of an object that says which version of its schema it follows."""
    version = {"description": "The version of this schema.", "const": SCHEMA_VERSION}
    return {
        **schema,
        "properties": {"schema_version": version, **schema["properties"]},
        "required": ["schema_version", *schema["required"]],
    }


def _matrix() -> Schema:
    """Return the schema of `show --matrix`, which has the keys of GitHub's and no others."""
    return {**_alone("matrix", MATRIX), "title": "torchconf show --matrix"}


def _alone(name: str, schema: Schema) -> Schema:
    """Return a schema as a file of its own."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{URL}schemas/{name}.json",
        **schema,
    }


def schema_pages() -> dict[str, str]:
    """Return each published file by its path below the site."""
    found: dict[str, object] = {f"{name}.json": schema_of(name) for name in RESULTS}
    found |= {"matrix.json": _matrix(), "failure.json": _alone("failure", _failure())}
    found[SETTINGS] = settings()
    return {
        f"schemas/{name}": f"{json.dumps(schema, indent=2)}\n" for name, schema in found.items()
    }
