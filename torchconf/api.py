"""What other programs call: text in, value out.

Nothing here reads or writes a file, starts a program or opens a connection, so it also runs in a
browser. What is known of PyTorch's wheels is what this release of torchconf ships: the same call
gives the same answer on every machine, whatever `torchconf catalog refresh` has read there.

A text is one pyproject.toml by itself. Its workspace, lockfile and local libraries are on the disk;
the command line knows them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from torchconf.catalog import Catalog, load_catalog
from torchconf.edits import edit_text
from torchconf.edits.read_toml import read_toml
from torchconf.errors import TorchconfError
from torchconf.files.catalog_file import PACKAGED
from torchconf.model.read_project import read_project
from torchconf.model.target_spec import parse_target_spec
from torchconf.planner import Request, parse_index_bases, plan_targets
from torchconf.planner.facts import gather_facts
from torchconf.resolve.table import Row, route_table
from torchconf.rules import Finding
from torchconf.rules.engine import CheckedFile, Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Literal

__all__ = ["Finding", "Row", "TorchconfError", "check", "configure", "table"]

_BOM = "\ufeff"


def configure(
    text: str,
    targets: Iterable[str] = (),
    *,
    torch: str | None = None,
    with_: Iterable[str] = (),
    layout: Literal["auto", "markers", "extras", "groups"] = "auto",
    default: str | None = None,
    names: Mapping[str, str] | None = None,
    python: str | None = None,
    index_base: str | Iterable[str] | None = None,
    pin: bool = False,
    required_environments: bool = False,
    force: bool = False,
    folder: str = "project",
) -> str:
    """Write the PyTorch configuration of a pyproject.toml, as `torchconf init` does.

    Args:
        text: The file as it is; empty for a new one.
        targets: Builds on platforms, such as `linux-cuda`, `linux-cu130` or `macos-cpu`. Empty:
            those that the file has.
        torch: A specifier such as `>=2.11,<2.14`, or `2.13`, which means that release.
        with_: Companions to add: `torchvision`, `torchaudio`, ...
        layout: How a build is chosen when installing.
        default: The backend that plain `uv sync` installs, or `none`; for the layout `groups`.
        names: Backend to the name of its extra or group.
        python: For `requires-python`; `3.12` means `>=3.12`.
        index_base: A mirror of the indexes: a prefix, or a pattern with `{backend}`. Or several,
            each of a family of indexes: `astral=https://mirror.example.org/astral`.
        pin: Whether to hold exact versions in `constraint-dependencies`.
        required_environments: Whether uv should refuse to lock what would not install on a target.
        force: Whether sources that are not understood may be replaced.
        folder: The name of the project's folder, after which a new project is named.

    Returns:
        The new text. What the request is not about stays as it is, byte by byte; where there is
        nothing to change, the text is the same.

    Raises:
        TorchconfError: The request cannot be met, or the text cannot be read or edited. The error
            says what, where and what to do next.
    """
    body = text.removeprefix(_BOM)
    project = read_project(read_toml(body))
    catalog = _catalog().for_project(project)
    words = (targets,) if isinstance(targets, str) else tuple(targets)
    bases = parse_index_bases((index_base,) if isinstance(index_base, str) else index_base or ())
    request = Request(
        specs=tuple(parse_target_spec(word, catalog.vocabulary) for word in words),
        torch=torch,
        packages=(with_,) if isinstance(with_, str) else tuple(with_),
        layout=layout,
        default=default,
        names=tuple((names or {}).items()),
        python=python,
        index_base=bases.base,
        mirrors=bases.named,
        pin=pin,
        required_environments=required_environments,
        force=force,
    )
    facts = gather_facts(project, catalog, folder=folder)
    new = edit_text(body, plan_targets(request, project, catalog, facts).plan.steps)
    return f"{_BOM}{new}" if text.startswith(_BOM) else new


def check(text: str) -> list[Finding]:
    """Find what is wrong with the PyTorch configuration of a pyproject.toml.

    Args:
        text: The file. Its own `[tool.torchconf]` settings and comments count.

    Returns:
        What `torchconf check` reports, in the order of the text.

    Raises:
        TorchconfError: The text is not TOML, or its settings make no sense.
    """
    document = CheckedFile("pyproject.toml", text.removeprefix(_BOM))
    (result,) = Unit(document, catalog=_catalog()).check()
    return [placed.finding for placed in result.findings]


def table(text: str) -> list[Row]:
    """Tell which build each platform gets by each choice of extras and groups.

    Args:
        text: A pyproject.toml.

    Returns:
        The rows of `torchconf show`: one for each PyTorch package, platform and choice.

    Raises:
        TorchconfError: The text cannot be read as a pyproject.toml.
    """
    project = read_project(read_toml(text.removeprefix(_BOM)))
    return list(route_table(project, _catalog().for_project(project)))


@lru_cache(maxsize=1)
def _catalog() -> Catalog:
    return load_catalog(PACKAGED)
