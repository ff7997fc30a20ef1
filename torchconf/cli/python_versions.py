"""The values of `--python`: versions such as 3.12 that the project supports."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchconf.errors import RequestError
from torchconf.model.ranges import admits_python

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchconf.model.project import Project

__all__ = ["check_pythons"]


def check_pythons(pythons: Iterable[str], project: Project) -> None:
    """Refuse what is no Python version, and what the project does not support.

    Raises:
        RequestError: Naming the first one.
    """
    supported = project.requires_python
    for python in pythons:
        if not re.fullmatch(r"3\.[0-9]{1,3}", python):
            raise RequestError(
                f"`--python {python}` is not a version such as 3.12", help="use `--python 3.12`"
            )
        if supported is not None and not admits_python(supported, python):
            # As it stands in the file, so that one can search for it.
            table = project.data.get("project")
            written = table.get("requires-python") if isinstance(table, dict) else supported
            raise RequestError(
                f"the project does not support Python {python}: its `requires-python` is "
                f"`{written}`",
                help="choose another `--python`, or change `requires-python`",
            )
