"""The versions of uv from which on it does what torchconf relies on."""

from __future__ import annotations

__all__ = ["ASKS_MEMBERS_SINCE", "LOCKS_RIGHT_SINCE", "NO_GROUP_SINCE"]

LOCKS_RIGHT_SINCE = "0.8.15"
"""The first uv whose lockfiles are right: before, those of a forked torch lack what it needs."""

NO_GROUP_SINCE = "0.9.8"
"""The first uv that reads `UV_NO_GROUP`; older ones ignore it."""

ASKS_MEMBERS_SINCE = "0.11.4"
"""The first uv that installs an extra which asks for one of a workspace member that conflicts with
others; older ones install nothing, silently, and do not lock such conflicts in a root without
`[project]`."""
