"""Project templates: which there are, and what a filled one is, as texts. Nothing is written here.

A template is a folder under `templates/` of the repository, which is in the installed package as
well: `template.json` says what it is. It is a template of cookiecutter, too, whose hook calls us:
below `{{cookiecutter.name}}` every file is a text for jinja2, and so is its name. What all of them
share, and what depends on the targets, is in `shared`.
"""

from __future__ import annotations

import json
import keyword
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from torchconf.errors import RequestError, TorchconfError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "Template",
    "license_text",
    "package_name",
    "project_name",
    "render",
    "render_text",
    "templates",
]

_SHARED = "shared"
_ABOUT = "template.json"
_LICENSES = "licenses"
_INSIDE = "{{cookiecutter.name}}"
DOCKERFILE = "Dockerfile"


class Template(NamedTuple):
    """One template."""

    name: str
    summary: str
    layouts: tuple[str, ...]
    """Those that make sense for it."""
    layout: str
    """The one it takes by itself: one of them, or `auto`."""
    run: tuple[str, ...]
    """The commands that run it, with names for jinja2; none where there is nothing to run."""
    test: str
    """The command that tests it."""


def _folder() -> Path:
    inside = Path(__file__).parent / "files"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "templates"


def templates() -> tuple[Template, ...]:
    """Return the templates, by name."""
    found = []
    for about in sorted(_folder().glob(f"*/{_ABOUT}")):
        data = json.loads(about.read_text(encoding="utf-8"))
        found.append(
            Template(
                about.parent.name,
                data["summary"],
                tuple(data["layouts"]),
                data["layout"],
                tuple(data["run"]),
                data["test"],
            )
        )
    return tuple(found)


def render(template: str, values: Mapping[str, Any], *, shared: bool) -> dict[str, str]:
    """Return the files of a template, or of what all share: path with `/` to text.

    Args:
        template: Its name.
        values: What the texts name.
        shared: Whether it is the shared part that is wanted. Its Dockerfile is left out where
            `values["docker"]` is None.

    Raises:
        TorchconfError: A text names what is missing, or is not for jinja2; with file and line.
    """
    folder = _folder() / _SHARED if shared else _folder() / template / _INSIDE
    values = values if shared else {"cookiecutter": values}
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder).as_posix()
        if not path.is_file() or "__pycache__" in relative:
            continue
        text = path.read_text(encoding="utf-8")
        if shared and relative == DOCKERFILE and values["docker"] is None:
            continue
        found[_fill(relative, values, path)] = _fill(text, values, path)
    return found


def render_text(text: str, values: Mapping[str, Any]) -> str:
    """Fill in one text of a template's description."""
    return _fill(text, values, Path(_ABOUT))


def license_text(identifier: str, holder: str, year: int) -> str | None:
    """Return the text of a license by its SPDX identifier; None if it is not at hand."""
    # Whether later versions hold as well is said elsewhere; the text is one.
    name = re.sub(r"-(only|or-later)$", "", identifier)
    found = {path.stem: path for path in (_folder() / _LICENSES).glob("*.txt")}
    if name not in found:
        return None
    text = found[name].read_text(encoding="utf-8")
    return text.replace("[year]", str(year)).replace("[fullname]", holder)


def _fill(text: str, values: Mapping[str, Any], path: Path) -> str:
    # Imported here: a list of templates needs none of it.
    from jinja2 import Environment, StrictUndefined, TemplateError

    environment = Environment(  # noqa: S701 - these are texts, not pages
        undefined=StrictUndefined, keep_trailing_newline=True
    )
    try:
        return environment.from_string(text).render(values)
    except TemplateError as error:
        line = getattr(error, "lineno", None)
        raise TorchconfError(
            f"cannot render the template: {error.message}",
            at=f"{path.parent.name}/{path.name}" + (f", line {line}" if line else ""),
            help="pass a value with `--set KEY=VALUE`",
        ) from error


def project_name(text: str, taken: Iterable[str] = ()) -> str:
    """Return a name that a project may have.

    Args:
        text: The name.
        taken: Normalised names of what the project needs, which it cannot be itself.

    Raises:
        RequestError: It is not valid.
    """
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?", text):
        raise RequestError(
            f"`{text}` is not a valid project name",
            help="use at most 100 letters, digits, `-`, `_` and `.`, starting and ending with "
            "a letter or digit, or pass another name with `--name`",
        )
    if re.sub(r"[-_.]+", "-", text).lower() in set(taken):
        raise RequestError(
            f"`{text}` is the name of a package that the project needs",
            help="pass another name with `--name`",
        )
    return text


def package_name(text: str, taken: Iterable[str]) -> str:
    """Return a name that can be imported and shadows nothing.

    Raises:
        RequestError: It cannot, or it is the name of something that the project needs.
    """
    help_ = "pass another name with `--package`"
    if not (text.isidentifier() and text.isascii()) or keyword.iskeyword(text):
        raise RequestError(f"`{text}` is not a valid package name", help=help_)
    if text in sys.stdlib_module_names or text.replace("_", "-").lower() in set(taken):
        raise RequestError(f"package `{text}` would shadow another package", help=help_)
    return text
