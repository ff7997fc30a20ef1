"""Random requests, and what the real uv makes of their outcome.

A request is a starting file and the words of `torchconf init`. Its outcome is judged from outside
only: by the file that was written, the commands that were printed, and what uv then locks.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import shlex
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from packaging.pylock import PylockSelectError
from packaging.specifiers import SpecifierSet
from packaging.utils import parse_wheel_filename
from packaging.version import Version

from tests.support.replica import Content, Replica
from tests.support.replica.content import PACKAGES, PYTORCH
from tests.support.replica.export import Export
from tests.support.replica.machines import tags
from torchconf.catalog import Catalog
from torchconf.cli import main
from torchconf.model.target_spec import TargetSpec, parse_target_spec

HEAD = '[project]\nname = "demo"\nversion = "0.1.0"\nrequires-python = "{python}"\n'
BUILD = '\n[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
STARTS = {
    "nothing": "",
    "no torch": HEAD + 'dependencies = ["numpy"]\n',
    "app": HEAD + 'dependencies = [\n  "numpy",\n  "torch>=2.4",\n]\n',
    "library": HEAD + 'dependencies = ["torch>=2.4"]\n' + BUILD,
    "needed": HEAD + 'dependencies = ["accelerate"]\n\n[dependency-groups]\ndev = ["numpy"]\n',
    "all groups": HEAD
    + 'dependencies = ["torch"]\n\n[dependency-groups]\ntest = ["numpy"]\n'
    + '\n[tool.uv]\ndefault-groups = "all"\n'
    + BUILD,
}
TARGETS = (
    "linux-cpu", "linux-cuda", "linux-cu126", "linux-cu128", "linux-cu129", "linux-cu130",
    "linux-cu132", "linux-rocm", "linux-rocm7.1", "linux-rocm6.4", "linux-xpu", "linux-cu118",
    "linux-cu124", "linux-pypi", "linux-aarch64-cpu", "linux-aarch64-cuda", "linux-aarch64-cu130",
    "windows-cpu", "windows-cuda", "windows-cu130", "windows-cu126", "windows-xpu", "windows-pypi",
    "windows-arm64-cpu", "macos-cpu", "macos-cpu", "macos-cpu", "macos-pypi", "macos-x86_64-cpu",
)  # fmt: skip
PYTHONS = (">=3.10", ">=3.11", ">=3.12", ">=3.11,<3.14", "==3.12.*", ">=3.9", ">=3.13")
TORCHES = ("2.9", ">=2.11", "2.13", ">=2.8,<2.12", "2.7.1", "==2.10.0", ">=2.6")


class Case(NamedTuple):
    """One request."""

    start: str
    """A key of `STARTS`."""
    python: str
    words: tuple[str, ...]
    """What follows `torchconf init`."""

    @property
    def text(self) -> str:
        """The starting file; empty for none."""
        return STARTS[self.start].replace("{python}", self.python)

    @property
    def targets(self) -> list[str]:
        """The targets asked for, as typed."""
        return self.values("-t")

    def values(self, flag: str) -> list[str]:
        """Return the values of one flag."""
        pairs = zip(self.words, self.words[1:], strict=False)
        return [value for word, value in pairs if word == flag]

    def __str__(self) -> str:
        """Return the command, to try it by hand."""
        return f"{self.start} ({self.python}): torchconf init {shlex.join(self.words)}"


def cases(count: int, seed: int) -> Iterator[Case]:
    """Yield random requests, the same ones for the same seed."""
    for number in range(count):
        rng = random.Random(seed * 100_000 + number)
        targets = dict.fromkeys(rng.choices(TARGETS, k=rng.choice([1, 2, 2, 3, 3, 4, 5])))
        start = rng.choice(list(STARTS))
        python = rng.choice(PYTHONS)
        words = [word for target in targets for word in ("-t", target)]
        if rng.random() < 0.3:
            companions = rng.sample(["torchvision", "torchaudio"], rng.choice([1, 1, 2]))
            words += [word for name in companions for word in ("--with", name)]
        if rng.random() < 0.25:
            words += ["--torch", rng.choice(TORCHES)]
        if rng.random() < 0.2:
            words += ["--pin"]
        if rng.random() < 0.2:
            words += ["--layout", rng.choice(["markers", "extras", "groups"])]
        if rng.random() < 0.1:
            words += ["--default", rng.choice(["cpu", "none", "cu130", "machine"])]
        if rng.random() < 0.15:
            words += ["--required-environments"]
        if start == "nothing" and rng.random() < 0.6:
            words += ["--python", python]
        yield Case(start, python, tuple(words))


def rare_cases(start: str) -> Iterator[Case]:
    """Yield requests that chance seldom makes, from one start."""
    for words in (
        # Plain commands give CPU; a machine with PyPI's build says so.
        "-t linux-cpu -t linux-pypi -t macos-cpu --default machine",
        "-t linux-cpu -t linux-pypi --default machine --pin --required-environments",
        # PyPI has no torch for Windows on ARM: no entry of `environments` may hold it alone.
        "-t windows-arm64-cpu -t windows-cu130 -t linux-cpu -t linux-cu130",
        "-t windows-arm64-cpu -t windows-cpu -t windows-cu130 -t linux-rocm7.1 --default machine",
        # uv then asks for a wheel of every package on each of these.
        "-t linux-cu130 -t linux-cpu -t windows-cpu -t macos-cpu --required-environments",
        "-t linux-aarch64-cu130 -t windows-arm64-cpu -t macos-cpu --required-environments",
    ):
        yield Case(start, ">=3.11,<3.14", tuple(words.split()))


class Answer(NamedTuple):
    """What `torchconf init` said."""

    status: int
    data: dict[str, Any]


def init(folder: Path, *words: str) -> Answer:
    """Run `torchconf init` in a folder; nothing may reach stderr but notes, nothing may raise."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        status = main(["init", "--project", str(folder), "--format", "json", *words])
    return Answer(status, json.loads(out.getvalue()))


def problems(
    case: Case, answer: Answer, folder: Path, replica: Replica, catalog: Catalog
) -> list[str]:
    """Lock what was written, and return each way in which a target does not get what was asked."""
    run = replica.uv("lock", cwd=folder)
    if run.returncode:
        return [f"does not lock: {run.stderr[-800:]}"]
    requires = SpecifierSet(_read(folder)["project"]["requires-python"])
    release = Version(answer.data["torch"])
    pythons = catalog.supported_pythons(release, requires)
    found: list[str] = []
    releases: dict[str, dict[object, list[str]]] = defaultdict(lambda: defaultdict(list))
    exports: dict[str, Export] = {}
    for target in answer.data["targets"]:
        name, command = target["target"], target["command"]
        if command not in exports:
            exports[command] = replica.chosen(folder, command)
        spec = parse_target_spec(name, catalog.vocabulary)
        for python in pythons:
            at = f"{name} on {python}"
            try:
                chosen = exports[command].select(spec.platform.key, python)
            except PylockSelectError as error:
                found.append(f"{at}: {error}")
                continue
            for package in ["torch", *case.values("--with")]:
                build = chosen[package]
                if isinstance(build, str):
                    # What nobody saw counts as there, and the replica has what was seen.
                    if _was_seen(spec, release, python, catalog):
                        found.append(f"{at}: {package} is {build}")
                    continue
                backend = catalog.backend_of_url(build.index or "")
                if (backend.name if backend else "pypi") != name.rpartition("-")[2]:
                    found.append(f"{at}: {package} comes from {build.index}")
                if package == "torch" and build.version:
                    version = Version(build.version)
                    exact = "--pin" in case.words
                    releases[python][version.public if exact else version.release[:2]].append(name)
    found += [f"Python {p} gets {dict(many)}" for p, many in releases.items() if len(many) > 1]
    return found


def _was_seen(spec: TargetSpec, release: Version, python: str, catalog: Catalog) -> bool:
    """Tell whether the wheel of torch for just this target and Python is known to be there."""
    backend = spec.backend
    assert backend is not None, "an answer names builds"
    answer = catalog.available(catalog.main_package, release, backend, spec.platform, python)
    return answer.value != "unknown"


def possible_releases(
    specs: Sequence[TargetSpec],
    torch: SpecifierSet,
    companions: Sequence[str],
    python: SpecifierSet | None,
    content: Content,
    catalog: Catalog,
) -> list[Version]:
    """Return the torch releases that the replica has for every target, by looking at its wheels.

    This is how a refusal is judged: nothing here knows of the planner's rules.
    """
    return [
        release
        for release in catalog.releases
        if torch.contains(release)
        and all(
            any(
                _serves(index, spec, release, companions, python, content, catalog)
                for index in _indexes(spec, catalog)
            )
            for spec in specs
        )
        and _shares(specs, release, companions, python, content, catalog)
    ]


def _shares(specs: Sequence[TargetSpec], release: Version, *rest: Any) -> bool:
    """Tell whether all specs for a bare accelerator have one index in common."""
    catalog: Catalog = rest[-1]
    bare = {spec.accelerator for spec in specs if spec.backend is None}
    return all(
        any(
            all(
                _serves(index, spec, release, *rest)
                for spec in specs
                if spec.backend is None and spec.accelerator == accelerator
            )
            for index in _accelerator_indexes(accelerator, catalog)
        )
        for accelerator in bare
    )


def _indexes(spec: TargetSpec, catalog: Catalog) -> list[str]:
    if spec.backend is None:
        return _accelerator_indexes(spec.accelerator, catalog)
    if not spec.accelerator:
        return [PACKAGES]
    return [f"{PYTORCH}/{spec.backend.name}"]


def _accelerator_indexes(accelerator: str, catalog: Catalog) -> list[str]:
    return [f"{PYTORCH}/{backend.name}" for backend in catalog.newest_first(accelerator)]


def _serves(
    index: str,
    spec: TargetSpec,
    release: Version,
    companions: Sequence[str],
    python: SpecifierSet | None,
    content: Content,
    catalog: Catalog,
) -> bool:
    pythons = catalog.supported_pythons(release, python)
    if python is None:
        pythons = pythons[-1:]
    wanted: list[tuple[str, Sequence[Version]]] = [("torch", [release])]
    wanted += [(name, catalog.companions(name, release) or ()) for name in companions]
    return bool(pythons) and all(
        any(
            all(_has(content, index, package, version, spec.platform.key, p) for p in pythons)
            for version in versions
        )
        for package, versions in wanted
    )


def _has(
    content: Content, index: str, package: str, version: Version, platform: str, python: str
) -> bool:
    fitting = set(tags(platform, python))
    for wheel in content.indexes.get(index, {}).get(package, ()):
        _, found, _, wheel_tags = parse_wheel_filename(wheel.filename)
        if Version(found.public) == version and not fitting.isdisjoint(wheel_tags):
            return True
    return False


def contains_targets(case: Case, folder: Path, catalog: Catalog) -> list[str]:
    """Return the targets that were asked for, are not plain CPU, and are not read back."""
    from torchconf.layout.configuration import read_configuration
    from torchconf.model.read_project import read_project

    read = read_configuration(read_project(_read(folder)), catalog).targets
    lost = []
    for text in case.targets:
        spec = parse_target_spec(text, catalog.vocabulary)
        there = [
            target
            for target in read
            if target.platform == spec.platform
            and target.backend.accelerator == spec.accelerator
            and spec.backend in {None, target.backend}
        ]
        if not there and spec.accelerator != catalog.fallback.accelerator:
            lost.append(text)
    return lost


def read_back(folder: Path, catalog: Catalog) -> list[str]:
    """Return the words of `init` for the targets that a file has."""
    from torchconf.layout.configuration import read_configuration
    from torchconf.model.read_project import read_project

    read = read_configuration(read_project(_read(folder)), catalog).targets
    return [word for target in read for word in ("-t", str(target))]


def _read(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
