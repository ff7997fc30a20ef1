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
from torchconf.model.backends import PYPI_HOSTS
from torchconf.model.read_project import read_project
from torchconf.model.targets import Target
from torchconf.resolve.export import (
    Places,
    Wanted,
    as_pylock,
    as_requirements,
    as_universal,
    builds_of,
    differing_package,
    served,
)

PYPI = f"https://{'.'.join(PYPI_HOSTS[0])}/simple"
CU130 = Target(LINUX, CATALOG.backend("cu130"))
PYTHONS = ("3.11", "3.12", "3.13")
LINUX_WHEELS = tuple(cp(minor, TAGS[LINUX]) for minor in (11, 12, 13))
TORCH = Entry("2.9.1+cu130", (*LINUX_WHEELS, cp(12, "win_amd64")), marker="sys_platform == 'linux'")
CPU = Entry("2.9.1", (cp(12, TAGS[MAC]),), registry=f"{WHL}/cpu", marker="sys_platform != 'linux'")
NUMPY = Entry("2.3.5", ("py3-none-any",), name="numpy", registry=PYPI)
LOCK = (NUMPY, TORCH, CPU)


def wanted(*entries: Entry, pythons: tuple[str, ...] = PYTHONS, target: Target = CU130) -> Wanted:
    return Wanted(target, export(*entries), pythons, "torchconf export linux-cu130")


CORP = "https://corp.example.org/simple"
LIB = Entry("1.0", ("py3-none-any",), name="corp-lib", registry=CORP)


def places(*entries: Entry, indexes: str = "") -> Places:
    return Places(read_project(tomllib.loads(indexes)), CATALOG, export(*entries), "/srv/demo")


def requirements(
    *entries: Entry,
    pythons: tuple[str, ...] = PYTHONS,
    hashes: bool = False,
    indexes: str = "",
) -> str:
    known = places(*entries, indexes=indexes)
    return as_requirements(wanted(*entries, pythons=pythons), known, hashes=hashes)


def index(url: str, *flags: str) -> str:
    return "\n".join(["[[tool.uv.index]]", f'url = "{url}"', *flags, ""])


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
    assert body(requirements(folder)) == ["./lib"]


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
    assert f"--find-links {WHL}/cpu/torch/" in as_requirements(mac, places(*LOCK), hashes=False)
    assert "torch==2.9.1\n" in as_requirements(mac, places(*LOCK), hashes=False)
    with pytest.raises(UvError, match="no wheel of torch"):
        builds_of(export(*LOCK), Target(WINDOWS, CATALOG.fallback), "3.12")


def test_a_package_of_another_index_is_the_url_of_its_file() -> None:
    assert body(requirements(*LOCK, LIB)) == [
        f"--find-links {WHL}/cu130/torch/",
        f"corp-lib @ {CORP}/corp_lib-1.0-py3-none-any.whl",
        "numpy==2.3.5",
        "torch==2.9.1+cu130",
    ]
    (line,) = (one for one in body(requirements(LIB, hashes=True)) if "--hash" in one)
    assert digest("py3-none-any") in line


def test_where_pythons_need_different_files_each_has_its_line() -> None:
    wheels = tuple(cp(minor, TAGS[LINUX]) for minor in (11, 12))
    native = LIB._replace(tags=(*wheels, "cp313-abi3-" + TAGS[LINUX]))
    lines = body(requirements(NUMPY, native, hashes=True))
    named = [line for line in lines if "corp-lib" in line]
    assert [line.rpartition(" ; ")[2].removesuffix(" \\") for line in named] == [
        f"python_version == '3.{minor}'" for minor in (11, 12, 13)
    ]
    assert [line.split()[2].rpartition("/")[2].split("-")[2] for line in named] == [
        "cp311", "cp312", "cp313",
    ]  # fmt: skip
    hashes = [line for line in lines if "--hash" in line]
    assert digest(wheels[0]) in hashes[0]
    assert digest(wheels[1]) not in hashes[0]


@pytest.mark.parametrize("url", [f"{CORP}/", "https://me:secret@corp.example.org/simple"])
def test_the_index_that_stands_for_pypi_is_the_index_url(url: str) -> None:
    entries = [LIB, TORCH, NUMPY._replace(registry=CORP)]
    expected = [
        f"--index-url {CORP}",
        f"--find-links {WHL}/cu130/torch/",
        "corp-lib==1.0",
        "numpy==2.3.5",
        "torch==2.9.1+cu130",
    ]
    assert body(requirements(*entries, indexes=index(url, "default = true"))) == expected
    # Without PyPI and without an entry, uv's own configuration must have named it.
    assert body(requirements(*entries)) == expected


@pytest.mark.parametrize(
    "indexes",
    [
        index(CORP, "explicit = true"),
        index(CORP),
        index(CORP, 'format = "flat"', "default = true"),
        f'[tool.uv]\nfind-links = ["{CORP}"]\n',
    ],
)
def test_any_other_index_is_not(indexes: str) -> None:
    assert "--index-url" not in requirements(LIB, TORCH, indexes=indexes)
    assert f"corp-lib @ {CORP}" in requirements(LIB, TORCH, indexes=indexes)


def test_pypi_beside_another_default_is_the_url_of_its_files_too() -> None:
    lines = body(requirements(LIB, NUMPY, indexes=index(CORP, "default = true")))
    assert lines[0] == f"--index-url {CORP}"
    assert lines[1] == "corp-lib==1.0"
    assert lines[2].startswith("numpy @ https://")


@pytest.mark.parametrize(
    ("package", "host", "is_linked"),
    [
        ("torch", WHL, True),
        ("filelock", WHL, True),
        ("torch", "https://mirror.example.org/pytorch", True),
        # Only the name of its folder is like a backend's.
        ("corp-lib", "https://mirror.example.org/pytorch", False),
    ],
)
def test_only_what_pytorch_publishes_is_on_a_page_of_links(
    package: str, host: str, *, is_linked: bool
) -> None:
    entry = LIB._replace(name=package, registry=f"{host}/cu130")
    page = f"--find-links {host}/cu130/{package}/"
    assert (page in body(requirements(entry, NUMPY))) is is_linked
    assert (f"{package}==1.0" in body(requirements(entry, NUMPY))) is is_linked


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("file:///srv/demo/wheels/a%20b.whl", "./wheels/a b.whl"),
        ("file:///srv/wheels/lib.whl", "../wheels/lib.whl"),
        ("wheels/lib.whl", "./wheels/lib.whl"),
        ("./wheels/lib.whl", "./wheels/lib.whl"),
        ("../lib", "../lib"),
        ("https://me:secret@corp.example.org/lib.whl", "lib @ https://corp.example.org/lib.whl"),
        ("git+https://git.example.org/lib@abc", "lib @ git+https://git.example.org/lib@abc"),
    ],
)
def test_a_place_is_written_as_pip_and_uv_read_it(place: str, line: str) -> None:
    assert places(NUMPY).requirement("lib", place) == line


def test_one_file_for_all_platforms_names_the_file_of_another_index() -> None:
    entries = (*LOCK, LIB)
    text = "corp-lib==1.0 ; python_version > '3'\ncorp-lib-more==1.0\ntorch==2.9.1+cu130\n"
    options, new = as_universal(text, export(*entries), places(*entries))
    assert options == [f"--find-links {WHL}/cpu/torch/", f"--find-links {WHL}/cu130/torch/"]
    url = f"{CORP}/corp_lib-1.0-py3-none-any.whl"
    assert new == text.replace("corp-lib==1.0", f"corp-lib @ {url}")
    mirror = [entry._replace(registry=CORP) for entry in (NUMPY, LIB)]
    assert as_universal(text, export(*mirror), places(*mirror)) == ([f"--index-url {CORP}"], text)


def test_one_file_for_all_platforms_refuses_what_it_cannot_say() -> None:
    native = LIB._replace(tags=LINUX_WHEELS)
    with pytest.raises(UvError, match="`corp-lib` has a wheel for each platform on") as caught:
        as_universal("corp-lib==1.0", export(*LOCK, native), places(*LOCK, native))
    assert "pylock.toml" in str(caught.value.help)


def test_a_wheel_of_countless_tags_is_refused_before_they_are_made() -> None:
    tags = ".".join(f"cp{number}" for number in range(2000))
    entry = TORCH._replace(tags=(f"{tags}-{tags}-{tags}",))
    with pytest.raises(UvError, match="a wheel of torch in the lockfile has more than 1000 tags"):
        export(NUMPY, entry)
