"""JSON on stdout, alone and with the version of its schema."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA_VERSION = 1


def print_json(data: Mapping[str, object]) -> None:
    """Print one object on stdout."""
    text = json.dumps({"schema_version": SCHEMA_VERSION, **data}, indent=2)
    sys.stdout.write(f"{text}\n")
