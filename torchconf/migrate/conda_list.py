"""Lists of conda packages that look like a requirements file: `conda install --file`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchconf.errors import ProjectError
from torchconf.migrate.conda_packages import CondaPackages
from torchconf.migrate.conda_spec import Spec, parse_spec
from torchconf.migrate.old import LeftOut, OldFile
from torchconf.migrate.poetry_versions import NoSpecifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchconf.migrate.old import Item
    from torchconf.migrate.pip_lines import Line

__all__ = ["read_conda_list", "refuse_exports"]

_EXPORTED = ("# This file may be used to create an environment", "@EXPLICIT")
_HEAD = 20
_TELLING = frozenset((
    "pytorch", "pytorch-cuda", "pytorch-cpu", "pytorch-gpu", "pytorch-mutex", "cpuonly",
    "cudatoolkit",
))  # fmt: skip
"""Names that conda has, and that nobody can install from PyPI."""
_OF_PIP = re.compile(r"^-|\[|@|/|;|\\")
"""What no such list has: options, extras, URLs, markers."""


def refuse_exports(path: str, text: str) -> None:
    """Refuse what `conda list` printed.

    Raises:
        ProjectError: It is that.
    """
    if any(line.startswith(_EXPORTED) for line in text.split("\n", _HEAD)[:_HEAD]):
        raise ProjectError(
            "this lists what one environment of conda holds, for one platform",
            at=path,
            help="write an environment.yml: `conda env export --from-history > environment.yml`",
        )


def read_conda_list(path: str, lines: Sequence[Line]) -> OldFile | None:
    """Read a list of conda packages; None if it is none.

    Args:
        path: Relative to the project's folder, with slashes.
        lines: All that are not empty.
    """
    specs = [None if _OF_PIP.search(line.text) else _spec(line.text) for line in lines]
    names = {spec.name.lower() for spec in specs if spec}
    if not all(specs) or _TELLING.isdisjoint(names):
        return None
    packages = CondaPackages((spec.name, "") for spec in specs if spec)
    items: list[Item] = []
    for line, spec in zip(lines, specs, strict=True):
        at = line.place(path)
        try:
            items += packages.items(at, line.text, spec) if spec else ()
        except NoSpecifier as error:
            items.append(LeftOut(at, line.text, str(error), understood=False))
    return OldFile(path, "conda", tuple(items))


def _spec(text: str) -> Spec | None:
    try:
        return parse_spec(text)
    except NoSpecifier:
        return None
