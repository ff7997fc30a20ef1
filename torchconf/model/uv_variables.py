"""The variable by which a machine says which build it is."""

from __future__ import annotations

NO_GROUP = "UV_NO_GROUP"
"""Leaves groups out of every uv command; one space between names."""
