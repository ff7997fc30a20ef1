"""A variable of the environment, as each place in which one is set takes it."""

from __future__ import annotations

__all__ = ["PLACES", "assignment"]

PLACES = ("bash", "zsh", "fish", "powershell", "direnv", "mise", "github", "docker")
"""Shells, tools that set variables in one folder, GitHub's runner, and a Dockerfile."""


def assignment(place: str, name: str, value: str) -> str:
    """Return the lines that set a variable in a place.

    Args:
        place: One of `PLACES`.
        name: A name that every one of them takes as it is.
        value: Any text of one line; each place quotes it in its own way.
    """
    if place == "fish":
        escaped = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"set -gx {name} '{escaped}'"
    if place == "powershell":
        return f"$env:{name} = '{value.replace(chr(39), chr(39) * 2)}'"
    if place == "mise":
        return f"[env]\n{name} = {_in_double_quotes(value)}"
    if place == "github":
        # Nothing is quoted there: the value is the rest of the line.
        return f"{name}={value}"
    if place == "docker":
        return f"ENV {name}={_in_double_quotes(value).replace('$', chr(92) + '$')}"
    escaped = value.replace("'", "'\"'\"'")
    return f"export {name}='{escaped}'"


def _in_double_quotes(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
