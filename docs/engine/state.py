"""What the selector has chosen: the state that stands in the page's URL, read as a request."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from torchconf.catalog import Catalog, load_catalog
from torchconf.edits.read_toml import read_toml
from torchconf.files.catalog_file import PACKAGED, VARIABLE
from torchconf.model.read_project import read_project
from torchconf.model.target_spec import parse_target_spec
from torchconf.planner import Request
from torchconf.planner.facts import gather_facts

if TYPE_CHECKING:
    from torchconf.model.project import Project
    from torchconf.planner import Facts

__all__ = ["DEFAULT_FOLDER", "catalog", "empty_project", "facts_of", "read_text", "request_of"]

DEFAULT_FOLDER = "my-project"


@lru_cache(maxsize=1)
def catalog() -> Catalog:
    """Return what this release of torchconf knows of wheels; no file of the user's replaces it.

    In the browser the package is in an archive, and the catalog lies beside it.
    """
    return load_catalog(os.environ.get(VARIABLE, PACKAGED))


def read_text(text: str) -> Project:
    """Read a pyproject.toml."""
    return read_project(read_toml(text))


@lru_cache(maxsize=1)
def empty_project() -> Project:
    """Return the project that `init` starts from where there is no file."""
    return read_text("")


def facts_of(project: Project, folder: str = DEFAULT_FOLDER) -> Facts:
    """Return what the planner must know besides the file: here, nothing but the folder's name."""
    return gather_facts(project, catalog(), folder=folder)


def request_of(state: dict[str, Any]) -> Request:
    """Read the state of the selector as `init` reads its flags.

    Args:
        state: `targets`, `with`, `torch`, `python`, `layout`, `default`, `pin`, `required`; what is
            missing or empty was not chosen.

    Raises:
        RequestError: A target is none.
    """
    vocabulary = catalog().vocabulary
    return Request(
        specs=tuple(
            parse_target_spec(str(word), vocabulary) for word in state.get("targets") or ()
        ),
        packages=tuple(map(str, state.get("with") or ())),
        torch=state.get("torch") or None,
        layout=state.get("layout") or "auto",
        default=state.get("default") or None,
        python=state.get("python") or None,
        pin=bool(state.get("pin")),
        required_environments=bool(state.get("required")),
    )
