"""What a new project is called, and the like: as flags or answers say it, judged."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from torchconf import __version__
from torchconf.catalog import load_catalog
from torchconf.errors import RequestError
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.requirements import python_specifier
from torchconf.templates import package_name, project_name
from torchconf.wizard.project_questions import package_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NEEDED = (
    "hatchling", "ipykernel", "jupyterlab", "matplotlib", "mypy", "nbclient", "pytest", "ruff",
    "filelock", "fsspec", "jinja2", "markupsafe", "mpmath", "networkx", "numpy", "pillow",
    "setuptools", "sympy", "typing-extensions",
)  # fmt: skip
"""What the templates and torch need: uv would take a project of such a name in place of it."""
KEYS = ("description",)
"""What `--set` gives a value to; the rest has a flag."""


class Details(NamedTuple):
    """What flags or answers say of a new project; None where they say nothing."""

    name: str | None
    package: str | None
    python: str | None
    license: str | None


def judges() -> dict[str, Callable[[str], str]]:
    """Return what judges each detail: it returns the value to use, or raises `RequestError`."""
    # What the templates ask for by themselves.
    taken = {*load_catalog().family, *NEEDED, "tests"}
    return {
        "name": lambda text: project_name(text, taken),
        "package": lambda text: package_name(text, taken),
        "python": _lowest,
        "license": _license,
    }


def template_values(details: Details, folder: str, pairs: Iterable[str]) -> dict[str, str]:
    """Return what the templates name.

    Args:
        details: The rest has defaults.
        folder: The name of the folder, from which the project's is taken.
        pairs: What `--set` says: `KEY=VALUE`.

    Raises:
        RequestError: One of them will not do.
    """
    judge = judges()
    name = judge["name"](details.name or folder)
    return {
        "name": name,
        "package": judge["package"](details.package or package_of(name)),
        "python": judge["python"](details.python or "3.12"),
        "license": judge["license"](details.license or "MIT"),
        "description": "A PyTorch project.",
        "torchconf": __version__,
        **dict(map(_pair, pairs)),
    }


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key.isidentifier():
        raise RequestError(
            f"`--set {text}` is not KEY=VALUE", help="write it as in `--set description=...`"
        )
    if key not in KEYS:
        raise RequestError(
            f"unknown template value `{key}`", help=f"`--set` takes {', '.join(KEYS)}"
        )
    if not value.isprintable():
        raise RequestError(
            f"`--set {key}` contains a line break or a control character", help="leave them out"
        )
    return key, value


def _lowest(text: str) -> str:
    """Return the lowest Python that a word or a specifier means: `3.12`."""
    python = re.sub(r"^>=", "", python_specifier(text))
    if not re.fullmatch(r"3\.[0-9]+", python):
        raise RequestError(
            f"`--python {text}` is not a version such as 3.12", help="use `--python 3.12`"
        )
    return python


def _license(text: str) -> str:
    """Return an SPDX expression that the standard's own reader takes."""
    try:
        return canonicalize_license_expression(text)
    except InvalidLicenseExpression as error:
        raise RequestError(
            f"unknown SPDX license `{text}`", help="use one such as MIT or Apache-2.0"
        ) from error
