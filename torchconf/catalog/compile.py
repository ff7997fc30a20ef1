"""Compile `catalog.json` from the facts beside this module: `python -m torchconf.catalog.compile`.

With `--live` the indexes are read first, as `torchconf catalog refresh` does, and what they have is
kept as `facts/live.json`: it takes the place of the wheels, releases and backends that the other
facts give, which it includes.

The facts are evidence, so absence needs a reason. A cell (package, release, backend) says on which
platforms which Pythons are known to have a wheel, and how far its silence counts:

* PyPI's own listing is complete: what it does not name is missing.
* The stored listing pages are complete for x86_64 on Linux and Windows.
* A lockfile without platform forks names every platform of its index, but not every Python.
* PyTorch's build matrix ("documented") names the CUDA and ROCm builds of a release, whether
  they are built for aarch64, and its Pythons. What it names counts as available.
* Anything else, a file name mentioned somewhere, proves that one wheel and nothing more.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from torchconf.catalog.encoding import Cell, intern, platforms_of, python_of, render
from torchconf.catalog.families import parse_families

FACTS = Path(__file__).with_name("facts")
COMPILED = Path(__file__).with_name("catalog.json")

# The newest release whose CPU index is covered: later ones are known from single file names.
_PYPI = "pypi"
_LIVE = ("as_of", "backends", "releases", "sets", "wheels")


def main() -> int:
    """Write the compiled catalog; return the exit status."""
    if "--live" in sys.argv[1:]:
        read_live(FACTS)
    COMPILED.write_text(render(compile_catalog(FACTS)), encoding="utf-8", newline="\n")
    sys.stdout.write(f"wrote {COMPILED.name}, {COMPILED.stat().st_size} bytes\n")
    return 0


def read_live(facts: Path) -> None:
    """Read the live indexes, and keep what they have beside the facts.

    Raises:
        CatalogError: An answer is not whole; the facts stay as they are.
    """
    # Imported here: the compiler itself needs no network.
    from datetime import UTC, datetime

    from torchconf.catalog import Catalog
    from torchconf.catalog.refresh import Settings, refreshed

    data = compile_catalog(facts)
    catalog = Catalog(data)
    settings = Settings(catalog.base_url, pypi=os.environ.get("UV_DEFAULT_INDEX"))
    today = datetime.now(UTC).date().isoformat()
    new = refreshed(catalog, data, settings, today)
    text = json.dumps({key: new[key] for key in _LIVE}, indent=1, sort_keys=True)
    (facts / "live.json").write_text(text + "\n", encoding="utf-8", newline="\n")


def compile_catalog(facts: Path) -> dict[str, Any]:
    """Return the catalog as plain data, in the shape that `torchconf.catalog` validates."""
    compiled = _compiled(facts)
    live = facts / "live.json"
    return compiled | _read(live) if live.is_file() else compiled


def _compiled(facts: Path) -> dict[str, Any]:
    base = _read(facts / "backends.json")
    companions = _read(facts / "companions.json")
    rows = [
        json.loads(line)
        for line in (facts / "wheels.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    requires = _read(facts / "requires.json")
    releases = _releases(base, companions, requires["index"][base["main_package"]], rows)
    cells = _cells(base, releases, rows, requires["pypi"])
    sets, wheels = intern(cells)
    return {
        "schema_version": 1,
        "as_of": base["as_of"],
        "base_url": base["base_url"],
        "fallback": base["fallback"],
        "main_package": base["main_package"],
        "family": base["family"],
        "pythons": base["pythons"],
        "accelerators": _accelerators(base),
        "words": base["words"],
        "ambiguous": base["ambiguous"],
        "mirror_words": base["mirrors"]["words"],
        "families": _families(_read(facts / "families.json")),
        "backends": _backends(base, companions, releases, cells),
        "platform_ends": {k: v for k, v in base["platform_ends"].items() if k != "_source"},
        "releases": releases,
        "companions": _companions(companions, base, rows),
        "cuda_majors": base["cuda_majors"]["packages"],
        "dependents": _dependents(_read(facts / "dependents.json")),
        "sets": sets,
        "wheels": wheels,
    }


def _read(path: Path) -> Any:  # noqa: ANN401 - JSON is whatever it is
    return json.loads(path.read_text(encoding="utf-8"))


def _dependents(facts: dict[str, Any]) -> dict[str, list[str]]:
    """Join what lockfiles showed with what metadata say."""
    found = {**facts["metadata"]["packages"], **facts["packages"]}
    return {name: sorted(needs) for name, needs in sorted(found.items())}


def _families(facts: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the families of indexes as they stand, once each is as it should be."""
    families: list[dict[str, Any]] = facts["families"]
    parse_families(families, "families.json")
    return families


def _accelerators(base: dict[str, Any]) -> dict[str, Any]:
    """Join an accelerator's shape with the triton package that its torch needs."""
    return {
        name: {
            **data,
            "triton": base["triton"].get(name, []),
            "triton_pins": base["triton_pins"].get(name, {}),
        }
        for name, data in base["accelerators"].items()
    }


def _releases(
    base: dict[str, Any],
    companions: dict[str, Any],
    requires: dict[str, Any],
    rows: list[dict[str, Any]],
) -> dict[str, Any]:
    """Return what is known of each torch release as a whole."""
    macos = {
        row["version"]: min(minimums)
        for row in rows
        if row["package"] == base["main_package"]
        and row["index"] == _PYPI
        and (minimums := _macos_minimums(row["wheels"]))
    }
    found: dict[str, Any] = {}
    for version, facts in companions["torch"].items():
        documented = facts.get("documented") or {}
        release: dict[str, Any] = {
            "python": facts["requires_python"],
            "pypi": _pypi_builds(base, facts),
        }
        if documented.get("python"):
            release["pythons"] = documented["python"]
        if documented.get("cuda"):
            release["backends"] = [
                *(_cuda(number) for number in documented["cuda"]),
                *(f"rocm{number}" for number in documented["rocm"]),
            ]
            aarch64 = documented.get("cuda_aarch64_all_channels")
            if aarch64 is not None:
                release["aarch64"] = [_cuda(name.removesuffix("-aarch64")) for name in aarch64]
        pin = re.match(r"triton((?:==|~=)[0-9.]+)", facts.get("triton_on_pypi_build") or "")
        if pin:
            release["triton"] = pin[1]
            unseen = _without_triton(requires, version)
            if unseen:
                release["triton_unknown"] = unseen
        if version in macos:
            release["macos"] = ".".join(map(str, macos[version]))
        found[version] = release
    return found


def _without_triton(builds: dict[str, Any], version: str) -> list[str]:
    """Return the CUDA builds of a release that a lockfile showed without the triton of PyPI's."""
    return sorted(
        index
        for label, indexes in builds.items()
        for index, facts in indexes.items()
        if label == f"{version}+{index}"
        and index.startswith("cu")
        and not any(line.startswith("triton ") for line in facts["deps"])
    )


def _macos_minimums(wheels: dict[str, list[str]]) -> list[tuple[int, int]]:
    return [
        (int(match[1]), int(match[2]))
        for tag in wheels
        if (match := re.fullmatch(r"macosx_(\d+)_(\d+)_arm64", tag))
    ]


def _cuda(number: str) -> str:
    return "cu" + number.replace(".", "")


def _pypi_builds(base: dict[str, Any], facts: dict[str, Any]) -> dict[str, str]:
    """Say which backend PyPI's own wheel of a release is, per platform."""
    builds = {
        platform: base["fallback"]
        for platform in base["accelerators"][base["fallback"]]["platforms"]
        if not platform.startswith("linux")
    }
    for machine, number in facts["pypi_linux_cuda"].items():
        if number is not None:
            builds[f"linux-{machine}"] = number if number == base["fallback"] else _cuda(number)
    return builds


def _cells(
    base: dict[str, Any],
    releases: dict[str, Any],
    rows: list[dict[str, Any]],
    metadata: dict[str, Any],
) -> dict[tuple[str, str, str], Cell]:
    """Merge the rows of each package, public version and backend, then add what is documented."""
    anywhere = list(base["accelerators"][base["fallback"]]["platforms"])
    patterns = [re.compile(data["pattern"]) for data in base["accelerators"].values()]
    cells: dict[tuple[str, str, str], Cell] = defaultdict(
        lambda: {"seen": defaultdict(set), "complete": set()}
    )
    for row in rows:
        index = row["index"]
        if index == "root":
            index = row["version"].partition("+")[2] or _triton_index(base, row["package"])
        if index != _PYPI and not any(pattern.fullmatch(index) for pattern in patterns):
            continue
        version = row["version"].partition("+")[0]
        cell = cells[row["package"], version, index]
        requires = metadata.get(row["package"], {}).get(version, {}).get("requires_python")
        for tag, pythons in row["wheels"].items():
            for platform in platforms_of(tag, anywhere):
                known = (python_of(tag, requires) for tag in pythons)
                cell["seen"][platform].update(filter(None, known))
        if index == _PYPI:
            cell["complete"].add("all")
        if "list" in row["evidence"]:
            cell["complete"].add("x86_64")
        if row.get("unforked_locks"):
            cell["complete"].add("platforms")
    _document(base, releases, cells)
    return dict(cells)


def _triton_index(base: dict[str, Any], package: str) -> str:
    """Return the index of an accelerator whose only build carries this triton package."""
    for accelerator, rules in base["triton"].items():
        single = base["accelerators"].get(accelerator, {}).get("pattern") == accelerator
        if single and any(rule["name"] == package for rule in rules):
            return str(accelerator)
    return ""


def _document(
    base: dict[str, Any],
    releases: dict[str, Any],
    cells: dict[tuple[str, str, str], Cell],
) -> None:
    """Add to torch's cells what the build matrix of its release names."""
    package, fallback = base["main_package"], base["fallback"]
    for version, release in releases.items():
        pythons = release.get("pythons")
        if not pythons:
            continue
        for backend in release.get("backends", []):
            cell = cells[package, version, backend]
            accelerator = next(
                data
                for data in base["accelerators"].values()
                if re.fullmatch(data["pattern"], backend)
            )
            for platform in accelerator["platforms"]:
                if not platform.endswith("aarch64") or backend in release.get("aarch64", []):
                    cell["seen"][platform].update(pythons)
            if "aarch64" in release:
                cell["complete"].add("platforms")
        # The matrix builds the fallback for every Python, on x86_64, and from the time that it
        # names aarch64 there as well; it says nothing of other machines.
        for platform, seen in cells[package, version, fallback]["seen"].items():
            named = platform.endswith("x86_64") or (
                platform.endswith("aarch64") and "aarch64" in release
            )
            if named and seen:
                seen.update(pythons)


def _backends(
    base: dict[str, Any],
    companions: dict[str, Any],
    releases: dict[str, Any],
    cells: dict[tuple[str, str, str], Cell],
) -> dict[str, Any]:
    """Return what is known of each backend: its last release if it has ended, driver, GPUs."""
    package = base["main_package"]
    documented = [version for version, data in releases.items() if data.get("backends")]
    newest = max(documented, key=Version)
    found: dict[str, Any] = {}
    for backend in sorted({index for _, _, index in cells if index != _PYPI}):
        known = [v for p, v, index in cells if p == package and index == backend]
        if not known:
            continue
        entry: dict[str, Any] = {}
        last = max(known, key=Version)
        named = any(backend in releases[v].get("backends", []) for v in documented)
        ended = base["ended"].get(backend) or (
            last
            if Version(last) < Version(newest) and (named or _numbered(base, backend))
            else None
        )
        if ended:
            entry["ended"] = ended
        for system in ("linux", "windows"):
            if driver := companions["min_driver"][system].get(backend):
                entry.setdefault("driver", {})[system] = driver
        if capability := base["capability"].get(backend):
            entry["capability"] = capability
        for platform, ranges in base["capability_on"].items():
            if platform != "_source" and backend in ranges:
                entry.setdefault("capability_on", {})[platform] = ranges[backend]
        if architectures := base["architectures"].get(backend):
            entry["architectures"] = architectures.split()
        found[backend] = entry
    return found


def _numbered(base: dict[str, Any], backend: str) -> bool:
    """Tell whether a backend is one of a numbered line, which ends when a newer one replaces it."""
    return not any(data["pattern"] == backend for data in base["accelerators"].values())


def _companions(
    companions: dict[str, Any], base: dict[str, Any], rows: list[dict[str, Any]]
) -> dict[str, list[list[Any]]]:
    """Return, newest first, each companion release, the torch it fits, and whether it says so.

    The torch is `""` where nobody said; the last part is true where the wheel's metadata do.
    """
    found: dict[str, list[list[Any]]] = {}
    for package in ("torchvision", "torchaudio", "xformers"):
        found[package] = [
            # torchaudio 2.11.0 states no torch; it is the first that works with any later one.
            [version, needs or f">={version}", needs is not None]
            for version, needs in companions[f"{package}_requires_torch"].items()
        ]
    table = companions["torchcodec_torch"]
    versions = {row["version"].partition("+")[0] for row in rows if row["package"] == "torchcodec"}
    found["torchcodec"] = [
        [version, _torchcodec(table.get(".".join(version.split(".")[:2]))), False]
        for version in sorted(versions, key=Version, reverse=True)
    ]
    for package in base["family"]:
        for _, needs, _stated in found.get(package, []):
            SpecifierSet(needs)
    return found


def _torchcodec(needs: str | None) -> str:
    """Turn an entry of torchcodec's own table into a specifier; empty where it is unknown."""
    if needs is None or needs.startswith("unknown"):
        return ""
    return str(needs) if needs.startswith(">") else f"=={needs}.*"


if __name__ == "__main__":
    sys.exit(main())
