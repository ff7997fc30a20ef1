"""Lines of scripts, images and workflows that install a build of PyTorch by themselves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchconf.model.backends import PYPI, parse_backend
from torchconf.model.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from torchconf.catalog import Catalog

__all__ = ["Install", "installs", "may_install"]

_FILE = re.compile(
    r"(?:.*[.])?(?:docker|container)file(?:[.-].*)?|(?:docker-)?compose(?:[.-].*)?[.]ya?ml"
    r"|[.]env(?:rc)?(?:[.].*)?|devcontainer[.]json|makefile|justfile|noxfile[.]py|tox[.]ini"
    r"|.*[.](?:sh|bash|ps1|bat|mk|just)|.*ci[.]ya?ml|azure-pipelines[.]ya?ml|cog[.]ya?ml"
    r"|appveyor[.]ya?ml",
    re.IGNORECASE,
)
_VARIABLE = re.compile(
    r"\b((?:UV|PIP)_(?:EXTRA_INDEX_URL|INDEX_URL|INDEX|DEFAULT_INDEX|FIND_LINKS)|UV_TORCH_BACKEND)"
    r"\b\s*[=:\s]"
)
_URL = re.compile(r"[a-z]+://[^\s\"'`<>)\\,;]+")
_LABEL = re.compile(r"\btorch\w*\s*={2,3}\s*[0-9][0-9.]*[+]([a-z]+[0-9.]*)")
_BACKEND = re.compile(r"(?:--torch-backend|UV_TORCH_BACKEND)[\s=:]+[\"']?([a-z]+[0-9.]*)")
_CONDA = re.compile(r"\bpytorch-cuda\s*=+\s*([0-9]+)[.]([0-9]+)")


class Install(NamedTuple):
    """One line that installs a build."""

    line: int
    text: str
    build: str
    variable: str
    """The environment variable that it sets, by which uv or pip would take it."""


def may_install(path: str) -> bool:
    """Tell whether a file is one that installs packages, to go by its name and its folder.

    Args:
        path: Relative to the repository, with slashes.
    """
    folder, _, name = path.rpartition("/")
    is_workflow = folder.endswith((".github/workflows", ".circleci", ".github/actions"))
    return bool(_FILE.fullmatch(name)) or (is_workflow and name.endswith((".yml", ".yaml")))


def installs(text: str, catalog: Catalog, builds: Collection[str]) -> Iterator[Install]:
    """Yield the lines that install another build than a project has, or set a variable for one.

    Args:
        text: Of a file.
        catalog: Which URLs are PyTorch's.
        builds: Those that the project has.
    """
    for number, line in enumerate(text.splitlines(), start=1):
        if len(line) > _LONGEST or line.lstrip().startswith("#"):
            continue
        found = _build(line, catalog)
        variable = _VARIABLE.search(line)
        if found and (variable or found not in builds):
            yield Install(number, line.strip(), found, variable[1] if variable else "")


_LONGEST = 2_000


def _build(line: str, catalog: Catalog) -> str:
    """Return the build that a line names; empty if it names none."""
    words = [found[1] for pattern in (_LABEL, _BACKEND) for found in pattern.finditer(line)]
    words += [f"cu{found[1]}{found[2]}" for found in _CONDA.finditer(line)]
    for url in _URL.findall(line):
        backend = catalog.backend_of_url(url)
        words += [backend.name] if backend else []
    known = (word for word in words if parse_backend(word, catalog.accelerators))
    return next((word for word in known if word != PYPI.name), "")
