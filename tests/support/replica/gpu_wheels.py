"""What Astral's index and PyG's pages serve: wheels that are built against one release of torch.

Which package has which builds is what the catalog's facts say. Astral's wheels name the torch that
they need; PyG's do not, and those for macOS have no label.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from tests.support.replica.content import PACKAGES, Content, Release
from tests.support.replica.facts import FACTS

LINES = ("2.10", "2.11", "2.12", "2.13", "2.14")
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
ASTRAL, PYG = "https://wheels.astral.sh/simple", "https://data.pyg.org/whl"
VERSIONS = {"flash-attn": "2.8.3.post1", "torch-scatter": "2.1.2", "pyg-lib": "0.9.0"}
"""Of the others it is 1.0."""


def gpu_wheels(lines: Iterable[str] = LINES) -> Content:
    """Return both publishers' wheels for some lines of torch."""
    stated: dict[str, dict[str, list[Release]]] = {}
    for family, package, line, platform, build in _cells(tuple(lines)):
        version = VERSIONS.get(package, "1.0")
        if family == "astral":
            label = f"cu.{build[2:-1]}.{build[-1]}." if build != "cpu" else "cpu."
            index, needs = f"{ASTRAL}/{build}/", [f"torch=={line}.*"]
            version += f"+{label}torch.{line}"
        elif family == "pyg":
            index, needs = f"{PYG}/torch-{line}.0+{build}.html", []
            version += "" if platform.startswith("macos") else f"+pt{line.replace('.', '')}{build}"
        else:
            index, needs = "pypi", [f"torch=={line}.0"]
            version = f"0.{line.partition('.')[2]}.0"
        releases = stated.setdefault(index, {}).setdefault(package, [])
        releases.append(Release(version, [platform], PYTHONS, ["numpy", *needs]))
    content = Content.of(stated)
    # What these wheels need is on the PyPI of the world that they are merged into.
    served = {name: wheels for name, wheels in content.indexes[PACKAGES].items() if name == "vllm"}
    return Content({**content.indexes, PACKAGES: served})


def _cells(lines: tuple[str, ...]) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield family, package, line, platform and build of every wheel that is known."""
    facts = json.loads((FACTS / "built.json").read_text(encoding="utf-8"))
    for table in facts["wheels"]:
        for line in lines:
            for platform, builds in table["torch"].get(line, {}).items():
                for build in builds.split():
                    yield table["family"], table["package"], line, platform, build
