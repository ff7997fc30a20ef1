"""The files of `export`, from small locks: what is in them, and what must not be, without uv."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.pylock import Pylock

from tests.support.checking import CATALOG
from tests.support.projects import WHL
from tests.support.pylocks import LINUX, MAC, TAGS, WINDOWS, Entry, cp, digest, export, pylock
from torchconf.errors import UvError
from torchconf.model.targets import Target
from torchconf.resolve.export import (
    Wanted,
    as_pylock,
    as_requirements,
    builds_of,
    differing_package,
    served,
)

CU130 = Target(LINUX, CATALOG.backend("cu130"))
PYTHONS = ("3.11", "3.12", "3.13")
LINUX_WHEELS = tuple(cp(minor, TAGS[LINUX]) for minor in (11, 12, 13))
TORCH = Entry("2.9.1+cu130", (*LINUX_WHEELS, cp(12, "win_amd64")), marker="sys_platform == 'linux'")
CPU = Entry("2.9.1", (cp(12, TAGS[MAC]),), registry=f"{WHL}/cpu", marker="sys_platform != 'linux'")
NUMPY = Entry(
    "2.3.5", ("py3-none-any",), name="numpy", registry="https://packages.example.org/simple"
)
LOCK = (NUMPY, TORCH, CPU)


def wanted(*entries: Entry, pythons: tuple[str, ...] = PYTHONS, target: Target = CU130) -> Wanted:
    return Wanted(target, export(*entries), pythons, "torchconf export linux-cu130")


def requirements(*entries: Entry, pythons: tuple[str, ...] = PYTHONS, hashes: bool = False) -> str:
    return as_requirements(wanted(*entries, pythons=pythons), CATALOG, hashes=hashes)


def body(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_requirements_are_what_the_target_installs() -> None:
    assert body(requirements(*LOCK)) == [
        f"--find-links {WHL}/cu130/torch/",
        "numpy==2.3.5",
        "torch==2.9.1+cu130",
    ]


def test_the_header_says_for_what_it_is_and_how_it_was_made() -> None:
    head = [line for line in requirements(*LOCK).splitlines() if line.startswith("#")]
    assert all(word in head[0] for word in ("linux-cu130", "linux-x86_64", "3.11", "3.13"))
    assert head[-1] == "#     torchconf export linux-cu130"
    (one, *_) = requirements(*LOCK, pythons=("3.12",)).splitlines()
    assert "3.12" in one
    assert "3.13" not in one


@pytest.mark.parametrize("pythons", [("3.12",), ("3.11", "3.12"), PYTHONS])
def test_hashes_are_those_of_every_python_and_of_no_other(pythons: tuple[str, ...]) -> None:
    text = requirements(TORCH, pythons=pythons, hashes=True)
    minors = [int(python.partition(".")[2]) for python in pythons]
    assert set(re.findall(r"--hash=sha256:(\w+)", text)) == {
        digest(cp(minor, TAGS[LINUX])) for minor in minors
    }
    assert text.count("\\\n") == len(pythons)


def test_without_a_hash_nothing_is_written() -> None:
    folder = Entry("1", (), name="lib", registry=None, more='directory = { path = "lib" }')
    with pytest.raises(UvError, match="lib has no hash") as caught:
        requirements(folder, hashes=True)
    assert "--no-hashes" in str(caught.value.help)
    assert body(requirements(folder)) == ["lib @ lib"]


def test_credentials_are_written_nowhere() -> None:
    secret = [
        entry._replace(registry=str(entry.registry).replace("//", "//me:secret@")) for entry in LOCK
    ]
    assert "secret" in pylock(*secret)
    assert f"--find-links {WHL}/cu130/torch/" in requirements(*secret)
    lock = as_pylock(wanted(*secret), pylock(*secret))
    assert f"{WHL}/cu130/" in lock
    assert not re.search(r"secret|me:|@download", requirements(*secret) + lock)


def test_a_pylock_has_the_packages_of_one_target_for_its_platform() -> None:
    text = as_pylock(wanted(*LOCK), pylock(*LOCK, head="environments = [\"sys_platform != ''\"]"))
    data = tomllib.loads(text)
    assert [(one["name"], one["version"]) for one in data["packages"]] == [
        ("numpy", "2.3.5"),
        ("torch", "2.9.1+cu130"),
    ]
    (marker,) = data["environments"]
    assert "linux" in marker
    assert "x86_64" in marker
    assert len(Pylock.from_dict(data).packages) == 2
    assert "# uv export" not in text
    assert text.startswith("# ")
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


def test_a_pylock_has_what_any_of_its_pythons_installs() -> None:
    backport = Entry(
        "1", ("py3-none-any",), name="tomli", registry=None, marker="python_version < '3.12'"
    )
    text = as_pylock(wanted(TORCH, backport), pylock(TORCH, backport))
    assert [one["name"] for one in tomllib.loads(text)["packages"]] == ["torch", "tomli"]
    later = wanted(TORCH, backport, pythons=("3.12", "3.13"))
    assert "tomli" not in as_pylock(later, pylock(TORCH, backport))


def test_a_wheel_that_is_missing_is_refused_with_its_place() -> None:
    with pytest.raises(UvError) as caught:
        builds_of(export(TORCH), CU130, "3.14")
    assert all(
        word in caught.value.message for word in ("torch 2.9.1+cu130", "linux-cu130", "3.14")
    )
    with pytest.raises(UvError, match="the lockfile does not support"):
        builds_of(export(TORCH, head='requires-python = ">=3.12"'), CU130, "3.11")


@pytest.mark.parametrize(
    ("pythons", "left"),
    [
        (("3.11", "3.12", "3.13", "3.14", "3.15"), PYTHONS),
        (PYTHONS, PYTHONS),
        (("3.14", "3.15"), ("3.14",)),
        (("3.10", "3.12"), ("3.10", "3.12")),
    ],
)
def test_the_newest_pythons_without_wheels_are_left_out(
    pythons: tuple[str, ...], left: tuple[str, ...]
) -> None:
    assert served(export(TORCH), CU130, pythons) == left


def test_a_package_that_differs_between_pythons_is_named() -> None:
    old = Entry("1.0", ("py3-none-any",), name="numpy", marker="python_version < '3.12'")
    new = Entry("2.0", ("py3-none-any",), name="numpy", marker="python_version >= '3.12'")
    assert differing_package(export(TORCH, old, new), CU130, PYTHONS) == "numpy"
    assert differing_package(export(TORCH, old, new), CU130, ("3.12", "3.13")) is None
    assert differing_package(export(TORCH, old), CU130, PYTHONS) == "numpy"
    assert differing_package(export(TORCH, NUMPY), CU130, PYTHONS) is None


def test_each_platform_has_its_own_builds() -> None:
    mac = wanted(*LOCK, pythons=("3.12",), target=Target(MAC, CATALOG.fallback))
    assert f"--find-links {WHL}/cpu/torch/" in as_requirements(mac, CATALOG, hashes=False)
    assert "torch==2.9.1\n" in as_requirements(mac, CATALOG, hashes=False)
    with pytest.raises(UvError, match="no wheel of torch"):
        builds_of(export(*LOCK), Target(WINDOWS, CATALOG.fallback), "3.12")
