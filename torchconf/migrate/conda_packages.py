"""What a package of conda means for a project on PyPI, whichever file names it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.migrate.conda_names import RENAMED, left_out
from torchconf.migrate.old import BASE, LeftOut, Need, PythonBound, Section, Toolkit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torchconf.migrate.conda_spec import Spec
    from torchconf.migrate.old import Item, Place

__all__ = ["CondaPackages", "cuda_backend"]

_TOOLKITS = (
    "pytorch-cuda", "cpuonly", "pytorch-cpu", "cuda-version", "cudatoolkit", "cuda-toolkit", "cuda",
    "cuda-runtime", "pytorch-gpu", "pytorch-mutex",
)  # fmt: skip
"""What chooses a build of torch; of several in a file the first here does."""
_ANY_CUDA = "cuda"
"""The newest CUDA that fits."""


class CondaPackages:
    """The packages that are listed together: one of them chooses the build of torch."""

    def __init__(self, listed: Iterable[tuple[str, str]]) -> None:
        """Look through the list.

        Args:
            listed: The name and the marker of each package.
        """
        self._choosing: dict[str, str] = {}
        for name, marker in listed:
            key = canonicalize_name(name)
            if key in _TOOLKITS:
                before = self._choosing.get(marker, _TOOLKITS[-1])
                self._choosing[marker] = min(key, before, key=_TOOLKITS.index)

    @property
    def choose(self) -> bool:
        """Whether one of them chooses the build of torch."""
        return bool(self._choosing)

    def items(
        self, at: Place, text: str, spec: Spec, marker: str = "", section: Section = BASE
    ) -> Iterator[Item]:
        """Yield what one line means.

        Raises:
            NoSpecifier: No specifier means the same as its version.
        """
        # Of DGL, the name tells the CUDA, as if it were a version: `dgl-cuda11.7`.
        name = re.sub(r"^dgl-cuda[0-9-]*$", "dgl-cuda", canonicalize_name(spec.name))
        if name == "python":
            yield PythonBound(at, text, _python(spec.specifier))
            return
        if name in _TOOLKITS:
            choosing = self._choosing.get(marker, name)
            if name == choosing:
                yield Toolkit(at, text, _backend(name, spec), section, marker)
            elif name not in RENAMED:
                yield LeftOut(at, text, f"`{choosing}` says which build")
            if name not in RENAMED:
                return
        elif reason := left_out(name):
            yield LeftOut(at, text, *reason)
            return
        known, bracket, extras = RENAMED.get(name, spec.name).partition("[")
        yield Need(
            at,
            text,
            known,
            extras=tuple(extras.rstrip("]").split(",")) if bracket else (),
            specifier=spec.specifier,
            marker=marker,
            section=section,
            build=spec.build,
        )


def _backend(name: str, spec: Spec) -> str:
    """Return the build that a line means: `cu121` for `pytorch-cuda=12.1`."""
    if name in {"cpuonly", "pytorch-cpu"}:
        return "cpu"
    if name == "pytorch-mutex":
        return "cpu" if "cpu" in spec.build else _ANY_CUDA
    if name == "pytorch-gpu":
        return _ANY_CUDA
    return cuda_backend(spec.version)


def cuda_backend(version: str) -> str:
    """Return the build for a version of CUDA, `=12.1` or `12.*`; a range names none."""
    found = re.fullmatch(r"={0,2}([0-9]+)(?:[.]([0-9]+)(?:[.*][0-9.*]*)?|[.]?[*])?", version)
    if found is None:
        return _ANY_CUDA
    return f"cu{found[1]}{found[2]}" if found[2] else f"{_ANY_CUDA}{found[1]}"


def _python(specifier: str) -> str:
    """Return the Pythons of a specifier: one patch release means its minor release."""
    match = re.fullmatch(r"==([0-9]+[.][0-9]+)(?:[.][0-9.*]+)?", specifier)
    return f"=={match[1]}.*" if match else specifier
