"""Platforms: what the markers of sources and requirements cover."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.rules.rule import Finding, Fix, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchconf.rules.subject import Subject

__all__ = ["RULES"]

RULES: tuple[type[Rule], ...] = ()
"""The rules of this family, by code."""
