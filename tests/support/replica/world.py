"""The catalog's world: what the PyTorch indexes and PyPI would serve, from the catalog's facts.

An index must have no hole that the real one would not have, and the facts have some: a lock
lists what one project could use, a mention names one wheel. So:

- What was seen on a stable index is served. Lines of a stored index page are complete.
- Other torch lines are completed to the platforms and Pythons of PyTorch's build matrix, where
  there is one for that release; `cpu` and `xpu` are built for every such release.
- `cpu` has PyPI's macOS wheels, without a local version.
- torchvision and torchaudio of a torch are served wherever that torch is.
- A triton is served on every index where a torch pins it.
- Wheels whose requirements nobody knows are left out, and those for a torch before the first of
  matrix.json.

PyPI's own wheels are complete in the facts and taken as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from packaging.version import Version

from tests.support.replica.facts import Facts, Line, TorchRelease
from tests.support.replica.requirements import Requirements, accelerator, triton
from tests.support.replica.stand_ins import MARKUPSAFE, ON_PYTORCH, pure
from tests.support.replica.wheels import ReplicaWheel, filename

LINUX, LINUX_ARM = "manylinux_2_28_x86_64", "manylinux_2_28_aarch64"
WINDOWS, WINDOWS_ARM = "win_amd64", "win_arm64"
WINDOWS_ARM_PYTHONS = ("cp311", "cp312", "cp313")

FIRST_XPU = Version("2.6")
LABELLED_ARM = Version("2.10")
"""From this torch on, its companions for Linux on aarch64 carry a local version too."""

Indexes = dict[str, dict[str, list[ReplicaWheel]]]


class _Shelf:
    """The wheel tags of one index while they are gathered."""

    def __init__(self) -> None:
        # Package and release, local version, platform tag, Python tags (a dict as ordered set).
        self.tags: dict[tuple[str, Version], dict[str, dict[str, dict[str, None]]]] = {}

    def add(
        self, package: str, release: Version, local: str, platform: str, pythons: Iterable[str]
    ) -> None:
        """Put wheels on the shelf."""
        labels = self.tags.setdefault((package, release), {})
        labels.setdefault(local, {}).setdefault(platform, {}).update(dict.fromkeys(pythons))

    def complete(
        self, package: str, release: Version, local: str, platform: str, pythons: Iterable[str]
    ) -> None:
        """Add what is missing, under the local version and platform tag that were seen, if any."""
        seen = [
            (label, tag)
            for label, platforms in self.tags.get((package, release), {}).items()
            for tag in platforms
            if _machine(tag) == _machine(platform)
        ]
        # Both spellings of one machine can be there; the labelled, manylinux one is the better.
        label, tag = max(seen, default=(local, platform))
        self.add(package, release, label, tag, pythons)

    def machines(self, package: str, release: Version) -> dict[str, dict[str, None]]:
        """Return machine to Pythons of a release, whatever the local version."""
        found: dict[str, dict[str, None]] = {}
        for platforms in self.tags.get((package, release), {}).values():
            for tag, pythons in platforms.items():
                found.setdefault(_machine(tag), {}).update(pythons)
        return found


def indexes(facts: Facts, newest: Version) -> Indexes:
    """Return index folder (`cu130`, `pypi`) to package to wheels; `newest` limits torch."""
    requirements = Requirements(facts)
    torches = [torch for torch in facts.torches.values() if torch.release <= newest]
    pypi = [
        line
        for line in facts.lines
        if line.index == "pypi" and _known(line, requirements)
        if _current(line, facts, requirements)
    ]
    shelves = _shelves(facts, requirements, torches)
    for index, shelf in shelves.items():
        for torch in torches:
            _complete_companions(shelf, torch, index)
            _complete_triton(shelf, torch, index)
    _add_macos(shelves["cpu"], pypi)
    served = {index: _on_index(shelf, index, requirements) for index, shelf in shelves.items()}
    return {**served, "pypi": _on_pypi(pypi, facts, requirements)}


def _shelves(
    facts: Facts, requirements: Requirements, torches: Sequence[TorchRelease]
) -> dict[str, _Shelf]:
    """Return what was seen on each PyTorch index, with torch complete."""
    shelves: dict[str, _Shelf] = {}
    for line in _seen(facts, requirements, {torch.release for torch in torches}):
        shelf = shelves.setdefault(line.index, _Shelf())
        for platform, pythons in line.wheels.items():
            shelf.add(line.package, line.release, line.local, platform, pythons)
    listed = {(line.index, line.release) for line in facts.lines if "list" in line.evidence}
    for torch in torches:
        for index in shelves.keys() | _built(torch):
            if torch.pythons and (index, torch.release) not in listed:
                _complete_torch(shelves.setdefault(index, _Shelf()), torch, index)
    return shelves


def _add_macos(shelf: _Shelf, pypi: Iterable[Line]) -> None:
    for line in pypi:
        for platform, pythons in line.wheels.items():
            if platform.startswith("macosx") and (line.package, line.release) in shelf.tags:
                shelf.add(line.package, line.release, "", platform, pythons)


def _known(line: Line, requirements: Requirements) -> bool:
    return requirements.knows(line.package, line.release)


def _current(line: Line, facts: Facts, requirements: Requirements) -> bool:
    """Tell whether a release on PyPI is for one of the torches here."""
    wanted = requirements.torch_of(line.package, line.release)
    return (
        line.release in facts.torches
        if line.package == "torch"
        else any(wanted.filter(facts.torches))
    )


def _seen(facts: Facts, requirements: Requirements, allowed: set[Version]) -> Iterator[Line]:
    """Yield the lines of stable indexes for the torches allowed; triton is `_complete_triton`'s.

    An index that began later than all of these is there as it was seen.
    """
    firsts: dict[str, Version] = {}
    for line in facts.lines:
        if line.package == "torch":
            firsts[line.index] = min(line.release, firsts.get(line.index, line.release))
    late = {index: {first} for index, first in firsts.items() if first > max(allowed)}
    for line in facts.lines:
        on_pytorch = accelerator(line.index) in {"cpu", "cu", "rocm", "xpu"}
        if on_pytorch and "triton" not in line.package and _known(line, requirements):
            wanted = requirements.torch_of(line.package, line.release)
            torches = allowed | late.get(line.index, set())
            if line.release in torches if line.package == "torch" else any(wanted.filter(torches)):
                yield line


def _built(torch: TorchRelease) -> set[str]:
    """Return the indexes that the build matrix gives a torch; none if there is no matrix."""
    if not torch.pythons:
        return set()
    return {"cpu", *torch.backends, *(["xpu"] if torch.release >= FIRST_XPU else [])}


def _complete_torch(shelf: _Shelf, torch: TorchRelease, index: str) -> None:
    platforms = set()
    if index in _built(torch):
        platforms.add(LINUX)
        if accelerator(index) != "rocm":
            platforms.add(WINDOWS)
    if index in torch.aarch64:
        platforms.add(LINUX_ARM)
    there = shelf.machines("torch", torch.release)
    everywhere = (LINUX, LINUX_ARM, WINDOWS, WINDOWS_ARM)
    for platform in everywhere:
        if platform in platforms or _machine(platform) in there:
            pythons = WINDOWS_ARM_PYTHONS if platform == WINDOWS_ARM else torch.pythons
            shelf.complete("torch", torch.release, index, platform, pythons)


def _complete_companions(shelf: _Shelf, torch: TorchRelease, index: str) -> None:
    there = shelf.machines("torch", torch.release)
    for package, releases in torch.companions.items():
        for release in releases[:1]:
            for platform in (LINUX, LINUX_ARM, WINDOWS):
                if torch.pythons and _machine(platform) in there:
                    plain = platform == LINUX_ARM and torch.release < LABELLED_ARM
                    local = "" if plain else index
                    shelf.complete(package, release, local, platform, torch.pythons)


def _complete_triton(shelf: _Shelf, torch: TorchRelease, index: str) -> None:
    there = shelf.machines("torch", torch.release)
    pinned = triton(torch, index)
    if not there or pinned is None:
        return
    name, version = pinned
    tags = {"linux-x86_64": "manylinux_2_27_x86_64.manylinux_2_28_x86_64"}
    if accelerator(index) == "rocm":
        tags = {"linux-x86_64": "linux_x86_64"}
    elif accelerator(index) == "xpu" and Version(version) >= Version("3.3"):
        tags["windows-amd64"] = WINDOWS
    elif accelerator(index) == "cu" and Version(version) >= Version("3.5"):
        tags["linux-aarch64"] = "manylinux_2_27_aarch64.manylinux_2_28_aarch64"
    for machine, tag in tags.items():
        # Triton 3.9 is the first for Python 3.15.
        pythons = [tag for tag in there.get(machine, ()) if not tag.startswith("cp315")]
        shelf.add(name, Version(version), "", tag, pythons)


def _on_index(
    shelf: _Shelf, index: str, requirements: Requirements
) -> dict[str, list[ReplicaWheel]]:
    served = {name: [pure(name, *stated)] for name, stated in ON_PYTORCH.items()}
    served["markupsafe"] = [MARKUPSAFE]
    for (package, release), labels in shelf.tags.items():
        for local, platforms in labels.items():
            version = f"{release}+{local}" if local else str(release)
            required = requirements.on_index(package, release, local, index)
            served.setdefault(package, []).extend(
                ReplicaWheel(
                    filename(package, version, python, platform),
                    required,
                    requirements.python(package, release),
                )
                for platform, pythons in platforms.items()
                for python in pythons
            )
    return served


def _on_pypi(
    lines: Iterable[Line], facts: Facts, requirements: Requirements
) -> dict[str, list[ReplicaWheel]]:
    served: dict[str, list[ReplicaWheel]] = {}
    for line in lines:
        required = requirements.on_pypi(line.package, line.release)
        for platform, pythons in line.wheels.items():
            cuda = None
            if line.package == "torch" and "linux" in platform:
                machine = _machine(platform).removeprefix("linux-")
                cuda = facts.torches[line.release].pypi_cuda.get(machine)
            served.setdefault(line.package, []).extend(
                ReplicaWheel(
                    filename(line.package, str(line.release), python, platform),
                    required,
                    requirements.python(line.package, line.release),
                    cuda,
                )
                for python in pythons
            )
    return served


def _machine(tag: str) -> str:
    """Return what a platform tag is for, so that `linux_x86_64` is `manylinux_2_28_x86_64`."""
    system = next(name for name in ("linux", "win", "macosx", "any") if name in tag)
    system = {"win": "windows"}.get(system, system)
    machine = next(
        (name for name in ("x86_64", "aarch64", "amd64", "arm64", "s390x") if tag.endswith(name)),
        "",
    )
    return f"{system}-{machine}"
