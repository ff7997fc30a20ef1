"""The schema of `[tool.torchconf]`, in the form that SchemaStore takes: a part of pyproject's."""

from __future__ import annotations

from docs.tools.places import URL
from torchconf.rules import RULES

RULE_WORD = "^([Aa][Ll][Ll]|[Tt]([Cc][0-9]{0,3})?|[a-z]+(-[a-z]+)*)$"
"""A code or its beginning, in either case; a name; or `ALL`."""


def _rules(description: str) -> dict[str, object]:
    """Return the schema of a list of rules.

    The codes and names of today are named for editors to offer; those of tomorrow fit the pattern.
    """
    words = [word for rule in RULES for word in (rule.code, rule.name)]
    return {
        "description": f"{description}\n{URL}reference/rules/",
        "type": "array",
        "items": {"anyOf": [{"enum": ["ALL", *words]}, {"type": "string", "pattern": RULE_WORD}]},
        "uniqueItems": True,
    }


def settings() -> dict[str, object]:
    """Return the schema."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": "https://json.schemastore.org/partial-torchconf.json",
        "title": "torchconf",
        "description": "Which builds of PyTorch a project is for, and which rules it is held to",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "targets": {
                "description": "What the project is for: each target is a platform and a build\n"
                f"{URL}reference/configuration/",
                "type": "array",
                "items": {"type": "string", "pattern": "^\\s*[A-Za-z]+[-_].+$"},
                "uniqueItems": True,
                "examples": [["linux-cu130", "linux-cpu", "macos-cpu"]],
            },
            "indexes": {
                "description": "Mirrors: family of indexes, as `torchconf catalog list` names it, "
                f"to a URL prefix or a pattern\n{URL}reference/configuration/",
                "type": "object",
                "additionalProperties": {"type": "string", "pattern": "^(https?|file)://"},
                "examples": [{"pytorch": "https://mirror.example.org/pytorch/{backend}/simple"}],
            },
            "select": _rules("The rules of `torchconf check`; by default all but optional ones"),
            "ignore": _rules("Rules of `torchconf check` that are left out"),
        },
    }
