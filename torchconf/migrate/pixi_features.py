"""The features of pixi, as parts of a project: extras, dependency groups, or the project itself."""

from __future__ import annotations

from typing import Any

from packaging.utils import canonicalize_name

from torchconf.migrate.old import BASE, Section

__all__ = ["feature_sections"]

_TOOLS = {
    "dev", "develop", "development", "test", "tests", "testing", "lint", "docs", "doc", "style",
    "typing", "types",
}  # fmt: skip
"""Features for those who work on the project: dependency groups."""
_DEFAULT = "default"


def feature_sections(table: dict[str, Any], groups: object) -> dict[str, Section]:
    """Return what each feature is a part of.

    Args:
        table: pixi's tables.
        groups: `[dependency-groups]` of the file, each of which is a feature, too.
    """
    features = table.get("feature")
    environments = _environments(table.get("environments"))
    own = {canonicalize_name(name) for name in groups} if isinstance(groups, dict) else set()
    found: dict[str, Section] = {}
    for name in features if isinstance(features, dict) else ():
        key = canonicalize_name(name)
        if all(name in names for names in environments.values()):
            found[name] = BASE
        elif key in own or key in _TOOLS:
            asked = name not in environments[_DEFAULT]
            found[name] = Section("group", name, optional=asked)
        else:
            found[name] = Section("extra", name)
    return found


def _environments(table: object) -> dict[str, list[str]]:
    """Return the features of each environment; the default one is always there."""
    found: dict[str, list[str]] = {_DEFAULT: []}
    for name, value in table.items() if isinstance(table, dict) else ():
        names = value.get("features") if isinstance(value, dict) else value
        found[name] = (
            [one for one in names if isinstance(one, str)] if isinstance(names, list) else []
        )
    return found
