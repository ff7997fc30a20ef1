"""The folders in `tests/migrate/shapes`: what people had, and what `migrate` makes of it.

A shape is a folder, whose name is a sentence, with

    before/        the project's files; `{PYPI}` stands for the URL of PyPI's own index
    command.txt    the words after `torchconf`
    after.toml     the pyproject.toml that this gives
    report.txt     what it says on stderr, without warnings, which age with the catalog

`python -m tests.support.old_shapes [NAME...]` writes the last two of all shapes, or of some. Read
the difference before you commit it.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.support.paths import TESTS
from tests.support.projects import Result, run_in
from torchconf.model.backends import PYPI_HOSTS

SHAPES = TESTS / "migrate" / "shapes"
PYPI = f"https://{'.'.join(PYPI_HOSTS[0])}/simple"


class Shape(NamedTuple):
    """One folder."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def command(self) -> str:
        return (self.folder / "command.txt").read_text(encoding="utf-8").strip()

    @property
    def after(self) -> str:
        return _with_pypi((self.folder / "after.toml").read_bytes()).decode()

    @property
    def report(self) -> str:
        return _with_pypi((self.folder / "report.txt").read_bytes()).decode()

    def copy(self, parent: Path) -> Path:
        """Make the project in a folder named `demo`, and return that."""
        demo = parent / "demo"
        shutil.copytree(self.folder / "before", demo)
        for path in demo.rglob("*"):
            if path.is_file() and b"{PYPI}" in path.read_bytes():
                path.write_bytes(_with_pypi(path.read_bytes()))
        return demo


def _with_pypi(content: bytes) -> bytes:
    return content.replace(b"{PYPI}", PYPI.encode())


def load_shapes() -> list[Shape]:
    """Return all folders."""
    return [Shape(path.parent) for path in sorted(SHAPES.glob("*/command.txt"))]


def report_of(result: Result) -> str:
    """Return what a run says, less the warnings."""
    lines = result.err.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("warning: "))


def main(names: list[str]) -> None:
    """Write what each shape gives today."""
    for shape in load_shapes():
        if names and shape.name not in names:
            continue
        with tempfile.TemporaryDirectory() as parent:
            demo = shape.copy(Path(parent))
            result = run_in(demo, shape.command)
            after = demo / "pyproject.toml"
            for name, content in (
                ("after.toml", after.read_bytes() if after.exists() else b""),
                ("report.txt", report_of(result).encode()),
            ):
                text = content.replace(PYPI.encode(), b"{PYPI}")
                (shape.folder / name).write_bytes(text)


if __name__ == "__main__":
    main(sys.argv[1:])
