"""Compile `catalog.json` from the facts beside this module: `python -m torchconf.catalog.compile`.

With `--live` the indexes are read first: PyPI into `facts/pypi.json`, and PyTorch's, as `torchconf
catalog refresh` does, into `facts/live.json`. That takes the place of the wheels and backends that
the other facts give, which it includes. An index that cannot be read is told, and the other is
taken all the same.

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
from functools import partial
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from torchconf.catalog.encoding import (
    PLANNED,
    Cell,
    cells_of,
    intern,
    platforms_of,
    pythons_of,
    render,
)
from torchconf.catalog.families import parse_families
from torchconf.errors import CatalogError

FACTS = Path(__file__).with_name("facts")
COMPILED = Path(__file__).with_name("catalog.json")

_PYPI = "pypi"
_COMPANIONS = ("torchvision", "torchaudio", "torchcodec", "torchao", "xformers")
_FACTS_ONLY = {"seen", "evidence"}
"""What of a family is not in the catalog as it stands."""
_LIVE = ("as_of_indexes", "backends", "releases", "sets", "wheels")


def main() -> int:
    """Write the compiled catalog; return the exit status."""
    status = read_live(FACTS) if "--live" in sys.argv[1:] else 0
    COMPILED.write_text(render(compile_catalog(FACTS)), encoding="utf-8", newline="\n")
    sys.stdout.write(f"wrote {COMPILED.name}, {COMPILED.stat().st_size} bytes\n")
    return status


def read_live(facts: Path) -> int:
    """Read PyPI and PyTorch's indexes, and keep what they have beside the facts.

    Each for itself: the facts of the one that gives no whole answer stay as they are.

    Returns:
        The exit status: 1 if neither could be read.
    """
    # Imported here: the compiler itself needs no network.
    from datetime import UTC, datetime

    from torchconf.catalog.read_pypi import read_pypi

    today = datetime.now(UTC).date().isoformat()
    failed = 0
    index = os.environ.get("UV_DEFAULT_INDEX")
    reading = {
        "PyPI": partial(read_pypi, facts, today, index),
        "PyTorch's indexes": partial(_read_pytorch, facts, today),
    }
    for name, read in reading.items():
        try:
            said = read()
        except CatalogError as error:
            failed += 1
            said = f"not read, {error}"
        sys.stdout.write(f"{name}: {said}\n")
    return int(failed == len(reading))


def _read_pytorch(facts: Path, today: str) -> str:
    """Read PyTorch's indexes; return what to say of it.

    Raises:
        CatalogError: An answer is not whole; the facts stay as they are.
    """
    from torchconf.catalog import Catalog
    from torchconf.catalog.refresh import Settings, refreshed

    data = compile_catalog(facts)
    catalog = Catalog(data)
    new, missing, _ = refreshed(catalog, data, Settings(catalog.base_url, reads_pypi=False), today)
    text = json.dumps({key: new[key] for key in _LIVE}, indent=1, sort_keys=True)
    (facts / "live.json").write_text(text + "\n", encoding="utf-8", newline="\n")
    gone = {(one.package, one.version, one.backend) for one in missing}
    return (
        f"read; of {len(gone)} releases and builds wheels that were planned or seen are not there"
    )


def compile_catalog(facts: Path) -> dict[str, Any]:
    """Return the catalog as plain data, in the shape that `torchconf.catalog` validates."""
    compiled = _compiled(facts)
    live = facts / "live.json"
    return _with_live(compiled, _read(live)) if live.is_file() else compiled


def _with_live(compiled: dict[str, Any], live: dict[str, Any]) -> dict[str, Any]:
    """Return the catalog with what PyTorch's indexes had; PyPI's half is that of the facts."""
    others = {name: one for name, one in compiled["backends"].items() if "family" in one}
    own = {_PYPI, *others}
    cells = {key: cell for key, cell in cells_of(compiled).items() if key[2] in own}
    cells |= {key: cell for key, cell in cells_of(live).items() if key[2] not in own}
    sets, wheels = intern(cells)
    dates = {**compiled["as_of_indexes"], "pytorch": live["as_of_indexes"]["pytorch"]}
    releases = {
        version: {**live["releases"].get(version, {}), **release}
        for version, release in compiled["releases"].items()
    }
    return compiled | {
        "as_of": min(dates.values()),
        "as_of_indexes": dates,
        "backends": live["backends"] | others,
        "releases": live["releases"] | releases,
        "sets": sets,
        "wheels": wheels,
    }


def _compiled(facts: Path) -> dict[str, Any]:
    base = _read(facts / "backends.json")
    matrix = _read(facts / "matrix.json")
    pypi = _read(facts / "pypi.json")
    rows = [
        json.loads(line)
        for line in (facts / "wheels.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    rows += [row | {"index": _PYPI, "evidence": ["pypi"]} for row in pypi["releases"]]
    requires = _read(facts / "requires.json")
    releases = _releases(base, matrix, requires["index"][base["main_package"]], pypi["releases"])
    families = _families(_read(facts / "families.json"))
    closed = _closed(families, base["base_url"])
    cells = _cells(base, releases, [row for row in rows if row["index"] not in closed])
    backends = _backends(base, matrix, releases, cells)
    others = _other_builds(families)
    cells |= _seen(families)
    sets, wheels = intern(cells)
    dates = {_PYPI: pypi["as_of"], "pytorch": base["as_of"]}
    cuda = _cuda_majors(_read(facts / "cuda_majors.json"))
    return {
        "schema_version": 1,
        "as_of": min(dates.values()),
        "as_of_indexes": dates,
        "base_url": base["base_url"],
        "fallback": base["fallback"],
        "main_package": base["main_package"],
        "family": base["family"],
        "pythons": base["pythons"],
        "accelerators": _accelerators(base) | _other_accelerators(families),
        "words": base["words"],
        "ambiguous": base["ambiguous"],
        "mirror_words": base["mirrors"]["words"],
        "families": [{k: v for k, v in one.items() if k not in _FACTS_ONLY} for one in families],
        "built": _built(_read(facts / "built.json"), families),
        "backends": backends | others,
        "platform_ends": {k: v for k, v in base["platform_ends"].items() if k != "_source"},
        "releases": releases,
        "companions": _companions(_read(facts / "fits.json"), pypi["releases"]),
        "cuda_majors": cuda["packages"],
        "cuda_plain": cuda["plain"],
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


def _cuda_majors(facts: dict[str, Any]) -> dict[str, Any]:
    """Return which package needs which CUDA, without the evidence, once each entry has one.

    Raises:
        CatalogError: An entry has none.
    """
    for entry in facts["packages"]:
        if not entry.get("evidence"):
            raise CatalogError(f"no evidence for {entry['name']}", at="cuda_majors.json")
    return facts | {
        "packages": [
            {key: value for key, value in entry.items() if key != "evidence"}
            for entry in facts["packages"]
        ]
    }


def _families(facts: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the families of indexes as they stand, once each is as it should be."""
    families: list[dict[str, Any]] = facts["families"]
    parse_families(families, "families.json")
    return families


def _built(facts: dict[str, Any], families: list[dict[str, Any]]) -> dict[str, Any]:
    """Join the tables of each package; one that is complete says so in each of its rows."""
    packages = {family["name"]: family["packages"] for family in families}
    wheels: dict[str, dict[str, dict[str, dict[str, str]]]] = {}
    for table in facts["wheels"]:
        family, package = table["family"], table["package"]
        if package not in packages.get(family, ()):
            raise CatalogError(f"`{package}` is no package of `{family}`", at="built.json")
        rows = wheels.setdefault(family, {}).setdefault(package, {})
        for line, row in table["torch"].items():
            if line in rows:
                raise CatalogError(f"two tables of `{package}` have torch {line}", at="built.json")
            rows[line] = row | ({"*": ""} if table["complete"] else {})
    return {"wheels": wheels, "builds": facts["builds"]["packages"]}


def _other_accelerators(families: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the accelerators of builds that others than PyTorch publish."""
    return {
        family["accelerator"]["name"]: {
            **{key: value for key, value in family["accelerator"].items() if key != "name"},
            "platforms": family["platforms"],
            "family": family["name"],
            **({"where": family["where"]} if family.get("where") else {}),
            "triton": [],
            "triton_pins": {},
        }
        for family in families
        if "accelerator" in family
    }


def _other_builds(families: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the builds of others that are targets, each with its family."""
    return {
        family.target_name(build): {"family": family.name, "build": build}
        for family in parse_families(families, "families.json")
        if family.accelerator
        for build in family.builds or ("",)
    }


def _seen(families: list[dict[str, Any]]) -> dict[tuple[str, str, str], Cell]:
    """Return the wheels of others that public files name; of what they do not, nothing is known."""
    return {
        (row["package"], row["version"], family.target_name(row.get("build", ""))): {
            "seen": {platform: set(text.split()) for platform, text in row["wheels"].items()},
            "complete": set(),
        }
        for family in parse_families(families, "families.json")
        for row in family.seen
    }


def _closed(families: list[dict[str, Any]], base_url: str) -> set[str]:
    """Return PyTorch's indexes of which other packages must be routed along with torch.

    No target is written for them as for other builds: uv would not lock it.
    """
    return {
        build
        for family in families
        # With the GPUs, it is known what to route.
        if family.get("closure")
        and not family.get("gpus")
        and family.get("url", "").startswith(f"{base_url}/")
        for build in family.get("builds", ())
    }


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
    matrix: dict[str, Any],
    builds: dict[str, Any],
    pypi: list[dict[str, Any]],
) -> dict[str, Any]:
    """Return what is known of each torch release as a whole: of those with a matrix, and newer."""
    oldest = min(map(Version, matrix["torch"]))
    found: dict[str, Any] = {}
    for facts in pypi:
        version = facts["version"]
        if facts["package"] != base["main_package"] or Version(version) < oldest:
            continue
        documented = matrix["torch"].get(version) or {}
        release: dict[str, Any] = {
            "python": facts["requires_python"],
            "pypi": _pypi_builds(base, facts, documented.get("pypi_cuda")),
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
        triton = next((one for one in _needs(facts) if one.name == "triton"), None)
        if triton is not None:
            release["triton"] = str(triton.specifier)
            unseen = _without_triton(builds, version)
            if unseen:
                release["triton_unknown"] = unseen
        if minimums := _macos_minimums(facts["wheels"]):
            release["macos"] = ".".join(map(str, min(minimums)))
        found[version] = release
    return found


def _needs(facts: dict[str, Any], platform: str = "") -> list[Requirement]:
    """Return what a release on PyPI requires, on a platform if its wheels differ."""
    lines = facts.get("requires_dist_on", {}).get(platform, facts.get("requires_dist", []))
    return [Requirement(line) for line in lines]


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


def _pypi_builds(
    base: dict[str, Any], facts: dict[str, Any], brought: str | None
) -> dict[str, str]:
    """Say which backend PyPI's own wheel of a release is, per platform.

    The CUDA packages that it requires on Linux say so. A wheel for x86_64 that requires none brings
    them along; `brought` is their version, if it is known.
    """
    builds = {
        platform: base["fallback"]
        for platform in base["accelerators"][base["fallback"]]["platforms"]
        if not platform.startswith("linux")
    }
    for machine in ("x86_64", "aarch64"):
        environment = {
            "sys_platform": "linux", "platform_system": "Linux", "platform_machine": machine,
        }  # fmt: skip
        numbers = [
            part.version
            for one in _needs(facts, f"linux-{machine}")
            if re.fullmatch(r"cuda-toolkit|nvidia-cuda-runtime(-cu\d+)?", one.name)
            and (one.marker is None or one.marker.evaluate(environment))
            for part in one.specifier
        ]
        if machine == "x86_64" and brought:
            numbers.append(brought)
        if numbers:
            builds[f"linux-{machine}"] = _cuda(".".join(numbers[0].split(".")[:2]))
        elif machine != "x86_64":
            builds[f"linux-{machine}"] = base["fallback"]
    return builds


def _cells(
    base: dict[str, Any],
    releases: dict[str, Any],
    rows: list[dict[str, Any]],
) -> dict[tuple[str, str, str], Cell]:
    """Merge the rows of each package, public version and backend, then add what is documented."""
    # An index states the same as PyPI does.
    requires = {
        (row["package"], row["version"]): row["requires_python"]
        for row in rows
        if row["index"] == _PYPI
    }
    anywhere = list(base["accelerators"][base["fallback"]]["platforms"])
    oldest = int(base["pythons"][0].partition(".")[2])
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
        within = requires.get((row["package"], version))
        seen = {
            (platform, python)
            for tag, pythons in row["wheels"].items()
            for platform in platforms_of(tag, anywhere)
            for python_tag in pythons
            for python in pythons_of(python_tag, within)
            if int(python.partition(".")[2].rstrip("t+")) >= oldest or "+" in python
        }
        if not seen:
            continue  # For Pythons that nobody asks about.
        cell = cells[row["package"], version, index]
        for platform, python in seen:
            cell["seen"][platform].add(python)
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
            if not cell["seen"]:
                cell["complete"].add(PLANNED)
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
    matrix: dict[str, Any],
    releases: dict[str, Any],
    cells: dict[tuple[str, str, str], Cell],
) -> dict[str, Any]:
    """Return what is known of each backend: its last release, driver, GPUs, whether it is uv's."""
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
            if driver := matrix["min_driver"][system].get(backend):
                entry.setdefault("driver", {})[system] = driver
        if capability := base["capability"].get(backend):
            entry["capability"] = capability
        for platform, ranges in base["capability_on"].items():
            if platform != "_source" and backend in ranges:
                entry.setdefault("capability_on", {})[platform] = ranges[backend]
        if architectures := base["architectures"].get(backend):
            entry["architectures"] = architectures.split()
        if backend in base["torch_backends"]["names"].split():
            entry["torch_backend"] = True
        found[backend] = entry
    return found


def _numbered(base: dict[str, Any], backend: str) -> bool:
    """Tell whether a backend is one of a numbered line, which ends when a newer one replaces it."""
    return not any(data["pattern"] == backend for data in base["accelerators"].values())


def _companions(fits: dict[str, Any], pypi: list[dict[str, Any]]) -> dict[str, list[list[Any]]]:
    """Return, newest first, each companion release, the torch it fits, and who says so.

    The torch is `""` where nobody said. The last part is true where the wheel's metadata do, false
    where another source does and it does not work with another torch, None where it may.
    """
    found: dict[str, list[list[Any]]] = {}
    for package in _COMPANIONS:
        table = found[package] = []
        for facts in pypi:
            if facts["package"] != package or "requires_dist" not in facts:
                continue
            version = facts["version"]
            stated = next((one.specifier for one in _needs(facts) if one.name == "torch"), None)
            entry = next(
                (
                    entry
                    for entry in fits.get(package, ())
                    if SpecifierSet(entry["releases"]).contains(version)
                ),
                None,
            )
            if stated is not None:
                # An open range from before pins were usual was a promise that nobody kept.
                is_kept = not table or any("==" in str(one) for one in stated) or not _pinned(table)
                table.append([version, str(stated) if is_kept else "", True])
            elif entry is not None:
                is_strict = entry["otherwise"] == "no"
                table.append([version, entry["torch"], False if is_strict else None])
            else:
                table.append([version, "", False])
    return found


def _pinned(table: list[list[Any]]) -> bool:
    """Tell whether a newer release holds torch to one version."""
    return any(stated and "==" in needs for _, needs, stated in table)


if __name__ == "__main__":
    sys.exit(main())
