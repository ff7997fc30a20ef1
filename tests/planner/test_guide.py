"""uv's guide to PyTorch: `init` writes each of its configurations, but for what is listed there."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement

from tests.support.few import every
from tests.support.projects import WHL, Demo
from tests.support.replica import Build, Replica, UvError
from tests.support.replica.machines import MACHINES, environment
from tests.support.uv_guide import GUIDE, Configuration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PYPI = "https://packages.example.org/simple"


# Comparing tables as data.


def tables(text: str) -> dict[str, Any]:
    """Flatten a file: order is left out where uv does not heed it, and markers mean platforms."""
    data = tomllib.loads(text)
    project, uv = data["project"], data["tool"]["uv"]
    urls = {index["name"]: index["url"] for index in uv["index"]}
    found: dict[str, Any] = {
        f"project.{key}": value
        for key, value in project.items()
        if key not in {"dependencies", "optional-dependencies"}
    }
    found |= {
        f"tool.{name}": value
        for name, value in data["tool"].items()
        if name not in {"uv", "torchconf"}
    }
    found |= {f"uv.{key}": value for key, value in uv.items() if key not in {"sources", "index"}}
    lists = {"dependencies": project["dependencies"]}
    lists |= {
        f"extra {name}": lines for name, lines in project.get("optional-dependencies", {}).items()
    }
    for where, lines in lists.items():
        found[where] = sorted(Requirement(line).name for line in lines)
        for line in map(Requirement, lines):
            found[f"{where}.{line.name}"] = (str(line.specifier), platforms(line.marker))
    for index in uv["index"]:
        found |= {f"indexes.{index['url']}.{key}": index[key] for key in index if key != "url"}
    for package, entries in uv["sources"].items():
        found[f"sources.{package}"] = True
        for entry in entries:
            scope = "".join(f"{key} {entry[key]} " for key in ("extra", "group") if key in entry)
            path = f"sources.{package}.{scope}{urls[entry['index']]}"
            assert path not in found, "one entry for one index"
            found[path] = True
            marker = Marker(entry["marker"]) if "marker" in entry else None
            found |= {f"{path}.{platform}": True for platform in platforms(marker)}
    return found


def platforms(marker: Marker | None) -> tuple[str, ...]:
    """Return where a marker holds, a system that nobody names included."""
    places = {name: environment(name, "3.14") for name in MACHINES}
    places["freebsd"] = environment("linux-x86_64", "3.14")
    places["freebsd"]["sys_platform"] = "freebsd14"
    return tuple(
        name
        for name, place in places.items()
        if marker is None or marker.evaluate({key: str(value) for key, value in place.items()})
    )


def differences(guide: dict[str, Any], ours: dict[str, Any]) -> Iterator[str]:
    """Yield the paths that differ; below one that is on one side only, nothing more is said."""
    missing = sorted(key for key in guide.keys() ^ ours.keys())
    for path in missing:
        if not any(path != above and path.startswith(f"{above}.") for above in missing):
            yield path
    for path in sorted(guide.keys() & ours.keys()):
        # The names of a list are compared one by one.
        if guide[path] != ours[path] and path != "dependencies":
            yield path


def written(configuration: Configuration, parent: Path) -> Demo:
    demo = Demo(parent)
    demo.init(configuration.call)
    return demo


@pytest.mark.parametrize("configuration", GUIDE.values(), ids=GUIDE)
def test_tables_are_the_guides_but_for_what_the_design_explains(
    configuration: Configuration, tmp_path: Path
) -> None:
    ours = tables(written(configuration, tmp_path).text)
    guide = tables(configuration.guide())
    assert set(differences(guide, ours)) == set(configuration.differs)


def test_comparison_sees_every_kind_of_difference() -> None:
    guide = GUIDE["extras cpu and cu130"].guide()
    same = tables(guide)
    changes = {
        'requires-python = ">=3.14.0"': 'requires-python = ">=3.13"',
        'cu130 = ["torch>=2.11.0", ': 'cu130 = ["torch>=2.12.0", ',
        'cpu = ["torch>=2.11.0", "torchvision>=0.26.0"]': 'cpu = ["torch>=2.11.0"]',
        'conflicts = [[{ extra = "cpu" }, { extra = "cu130" }]]': "conflicts = []",
        '{ index = "pytorch-cpu", extra = "cpu" }': '{ index = "pytorch-cpu", group = "cpu" }',
        f"{WHL}/cu130": f"{WHL}/cu129",
        "explicit = true": "explicit = false",
        'extra = "cu130" }': 'extra = "cu130", marker = "sys_platform == \'linux\'" }',
    }
    for old, new in changes.items():
        assert old in guide, old
        assert list(differences(same, tables(guide.replace(old, new)))), new


# Installing.


def builds(replica: Replica, folder: Path, choices: Mapping[str, str]) -> dict[str, str]:
    """Return the backend of torch by choice and platform; torchvision must come along."""
    found: dict[str, str] = {}
    for key in choices:
        *selection, platform = key.split()
        chosen = replica.selected(
            folder, platform, "3.14" if "cu118" not in choices.values() else "3.12", *selection
        )
        backends = {backend(chosen[package]) for package in ("torch", "torchvision")}
        assert len(backends) == 1, f"{key}: one index for both"
        found[key] = backends.pop()
    return found


def backend(build: Build | str) -> str:
    if not isinstance(build, Build):
        return build
    assert build.index is not None
    return "pypi" if build.index == PYPI else build.index.removeprefix(f"{WHL}/")


@pytest.mark.parametrize("configuration", every(GUIDE.values(), 3), ids=GUIDE)
def test_file_locks_and_gives_each_platform_its_build(
    configuration: Configuration, replica: Replica, tmp_path: Path
) -> None:
    demo = written(configuration, tmp_path)
    replica.lock(demo.folder)
    assert builds(replica, demo.folder, configuration.gives) == configuration.gives


@pytest.mark.parametrize("configuration", every(GUIDE.values(), 3), ids=GUIDE)
def test_guides_own_file_gives_the_same_builds_or_none(
    configuration: Configuration, replica: Replica, tmp_path: Path
) -> None:
    demo = Demo(tmp_path, configuration.guide())
    if not configuration.guide_locks:
        with pytest.raises(UvError, match="pytorch-triton-rocm"):
            replica.lock(demo.folder)
        return
    replica.lock(demo.folder)
    theirs = builds(replica, demo.folder, configuration.gives)
    differing = {key for key, given in configuration.gives.items() if theirs[key] != given}
    assert {theirs[key] for key in differing} <= {"no wheel"}, "ours differ only where theirs fail"
    machines = {path.rpartition(".")[2] for path in configuration.differs}
    assert {key.split()[-1] for key in differing} <= machines, "and where the tables differ"
