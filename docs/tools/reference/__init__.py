"""What the pages of the reference get from the program: tables where a comment asks for one.

<!-- made: command init -->    what a command does, its options and examples
<!-- made: common options -->  what every command takes
<!-- made: rules -->           all rules
<!-- made: settings -->        the keys of `[tool.torchconf]`
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from docs.tools.reference.commands import command_reference, common_options
from docs.tools.reference.configuration import settings_table
from docs.tools.reference.rules import rule_pages, rules_table
from torchconf.cli import COMMANDS

__all__ = ["MADE", "filled", "rule_pages"]

MADE: dict[str, Callable[[], str]] = {
    "common options": common_options,
    "rules": rules_table,
    "settings": settings_table,
    **{f"command {name}": partial(command_reference, name) for name in COMMANDS},
}
"""What can be asked for."""
_ASKED = re.compile(r"^<!-- made: (.*) -->\n", re.MULTILINE)


def filled(page: str) -> str:
    """Return a page with what it asks for.

    Raises:
        KeyError: It asks for what nobody makes.
    """
    return _ASKED.sub(lambda asked: MADE[asked[1]](), page)
