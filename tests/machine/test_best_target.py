"""Which target a recorded machine takes of those that a project has, and why."""

from __future__ import annotations

import pytest

from tests.support.recorded_machines import record
from torchconf.catalog import Catalog, load_catalog
from torchconf.machine import fits, read_machine
from torchconf.machine.best_target import BestTarget, best_target, judge_targets
from torchconf.model.backends import PYPI
from torchconf.model.target_spec import parse_target_spec
from torchconf.model.targets import Target

TEAM = (
    "linux-cu132 linux-cu126 linux-rocm7.2 linux-xpu linux-cpu windows-cu126 windows-cpu macos-cpu"
)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


def best(machine: str, words: str, catalog: Catalog, pypi: str | None = None) -> BestTarget | None:
    """Return what a recorded machine takes of some targets."""
    here = read_machine(record(machine)[0])
    specs = [parse_target_spec(word, catalog.vocabulary) for word in words.split()]
    targets = [Target(spec.platform, spec.backend) for spec in specs if spec.backend]
    assert here.platform is not None
    build = catalog.backend(pypi) if pypi else None
    return best_target(judge_targets(targets, here.platform, fits(here, catalog), build))


@pytest.mark.parametrize(
    ("machine", "target"),
    [
        ("no-gpu", "linux-cpu"),
        ("nvidia-blackwell", "linux-cu132"),
        ("nvidia-old-driver", "linux-cpu"),
        ("nvidia-pascal", "linux-cu126"),
        ("nvidia-pascal-new-driver", "linux-cu126"),
        ("nvidia-broken-driver", "linux-cpu"),
        ("nvidia-without-driver", "linux-cpu"),
        ("nvidia-on-windows", "windows-cu126"),
        ("rocm", "linux-rocm7.2"),
        ("rocm-instinct", "linux-rocm7.2"),
        ("amd-without-rocm", "linux-cpu"),
        ("intel-arc", "linux-xpu"),
        ("intel-integrated", "linux-cpu"),
        ("intel-on-windows", "windows-cpu"),
        ("wsl", "linux-cpu"),
        ("told-cuda", "linux-cu126"),
        ("told-amd", "linux-rocm7.2"),
        ("apple-silicon", "macos-cpu"),
        ("rosetta", "macos-cpu"),
    ],
)
def test_machine_takes_the_best_that_runs(machine: str, target: str, catalog: Catalog) -> None:
    found = best(machine, TEAM, catalog)
    assert found is not None
    assert (str(found.target), found.fits) == (target, True)


@pytest.mark.parametrize(
    ("machine", "words", "reason"),
    [
        ("apple-silicon", "macos-cpu", "the only target for macos-arm64; includes MPS"),
        ("nvidia-blackwell", TEAM, "driver 580.65.06, Blackwell 12.0"),
        (
            "no-gpu",
            "linux-cu132 linux-cu126 linux-cpu",
            "needs no GPU; nothing else fits (linux-cu132, linux-cu126: no NVIDIA GPU found)",
        ),
    ],
)
def test_reason(machine: str, words: str, reason: str, catalog: Catalog) -> None:
    found = best(machine, words, catalog)
    assert found is not None
    assert found.reason == reason


def test_what_does_not_run_is_told(catalog: Catalog) -> None:
    found = best("no-gpu", "linux-cu132 linux-rocm7.2 macos-cpu", catalog)
    assert found is not None
    assert found.fits is False
    assert found.reason == "linux-cu132: no NVIDIA GPU found; linux-rocm7.2: no AMD GPU found"


def test_no_target_for_the_platform(catalog: Catalog) -> None:
    assert best("apple-silicon", "linux-cu132 windows-cpu", catalog) is None


def test_unknown_is_taken_only_where_nothing_runs(catalog: Catalog) -> None:
    """PyPI's build of a release that nobody knows could be any."""
    found = best("nvidia-blackwell", "linux-pypi", catalog)
    assert found is not None
    assert found.fits is None
    assert "unknown" in found.reason
    found = best("nvidia-blackwell", "linux-pypi linux-cpu", catalog)
    assert found is not None
    assert str(found.target) == "linux-cpu"


def test_build_of_pypi_is_judged_as_the_one_that_it_is(catalog: Catalog) -> None:
    words = "linux-cpu linux-pypi"
    gpu, none = (best(each, words, catalog, "cu130") for each in ("nvidia-blackwell", "no-gpu"))
    assert gpu is not None
    assert none is not None
    assert (gpu.target.backend, none.target.backend.name) == (PYPI, "cpu")
