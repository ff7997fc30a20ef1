"""The catalog: its canonical form, its validation, and its three answers."""

from __future__ import annotations

import ast
import copy
import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

import torchconf
from tests.support.syntax import nodes_of
from torchconf.catalog import Answer, Catalog, Triton, load_catalog, validated
from torchconf.catalog.compile import COMPILED, FACTS, compile_catalog
from torchconf.catalog.encoding import render
from torchconf.errors import CatalogError
from torchconf.model.backends import PYPI, PYPI_HOSTS, Backend
from torchconf.model.targets import PLATFORMS

YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN
BY_KEY = {platform.key: platform for platform in PLATFORMS}
PACKAGE = Path(torchconf.__file__).parent


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


def backend(catalog: Catalog, name: str) -> Backend:
    found = catalog.backend(name)
    assert (found == PYPI) == (name == "pypi"), f"{name} is no backend"
    return found


def test_xformers_of_one_tag_is_there_for_every_later_python(catalog: Catalog) -> None:
    answers = [
        catalog.available("xformers", Version("0.0.35"), PYPI, BY_KEY["linux-x86_64"], python)
        for python in ("3.8", "3.9", "3.12", "3.14")
    ]
    assert answers == [NO, YES, YES, YES]


def test_requires_python_bounds_wheels_that_name_none(catalog: Catalog) -> None:
    linux = BY_KEY["linux-x86_64"]
    for python, answer in (("3.9", NO), ("3.10", YES), ("3.15", YES)):
        found = catalog.available("torchvision", Version("0.29.2"), PYPI, linux, python)
        assert found is answer


# The file.


def test_catalog_is_what_the_facts_compile_to() -> None:
    assert COMPILED.read_text(encoding="utf-8") == render(compile_catalog(FACTS)), (
        "run `python -m torchconf.catalog.compile`"
    )


def test_catalog_is_in_its_canonical_form() -> None:
    text = COMPILED.read_bytes().decode("utf-8")
    assert render(json.loads(text)) == text
    lines = text.splitlines()
    assert lines[0] == "{"
    assert lines[-1] == "}"
    keys = [line.split('"')[1] for line in lines[1:-1]]
    assert keys == sorted(keys), "one top-level entry a line, in order"


def test_canonical_form_does_not_depend_on_the_order_of_the_data() -> None:
    data = json.loads(COMPILED.read_text(encoding="utf-8"))
    backwards = {key: data[key] for key in reversed(data)}
    backwards["backends"] = {key: data["backends"][key] for key in reversed(data["backends"])}
    assert render(backwards) == render(data)


def test_catalog_loads_about_as_fast_as_its_json() -> None:
    def seconds(load: Callable[[], object]) -> float:
        times = []
        for _ in range(15):
            torchconf.catalog._parsed.cache_clear()
            started = time.thread_time()
            load()
            times.append(time.thread_time() - started)
        return min(times)

    text = COMPILED.read_text(encoding="utf-8")
    assert seconds(load_catalog) < 10 * seconds(lambda: json.loads(text))


def test_the_same_text_gives_the_same_catalog_with_what_it_remembers(tmp_path: Path) -> None:
    path = tmp_path / "catalog.json"
    path.write_bytes(COMPILED.read_bytes())
    first = load_catalog(path)
    assert load_catalog(path) is first
    path.write_text(json.dumps(spoilt(lambda data: data.update(as_of="2030-01-01"))))
    assert load_catalog(path).as_of == "2030-01-01" != first.as_of


# Validation.


def spoilt(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    data = copy.deepcopy(json.loads(COMPILED.read_text(encoding="utf-8")))
    change(data)
    return dict(data)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.pop("wheels"), "the catalog has no usable `wheels`"),
        (lambda data: data.update(family="torch"), "the catalog has no usable `family`"),
        (lambda data: data.update(as_of=2026), "the catalog has no usable `as_of`"),
        (
            lambda data: data.update(schema_version=2),
            "the catalog has schema 2, but this version of torchconf reads 1",
        ),
        (
            lambda data: data.update(fallback="gpu"),
            "the fallback backend is not one of the backends",
        ),
        (
            lambda data: data["wheels"]["torch"]["2.13.0"].update(cpu=100_000),
            "the catalog has no usable wheels of torch 2.13.0",
        ),
        (
            lambda data: data["wheels"]["torch"]["2.12.0"].update(cpu="all"),
            "the catalog has no usable wheels of torch 2.12.0",
        ),
        (
            lambda data: data["wheels"]["torch"].update({"2.11.0": []}),
            "the catalog has no usable wheels of torch 2.11.0",
        ),
        (
            lambda data: data["wheels"].update(torch=["2.13.0"]),
            "the catalog has no usable wheels of torch",
        ),
    ],
)
def test_catalog_of_another_shape_is_refused(
    change: Callable[[dict[str, Any]], object], message: str
) -> None:
    with pytest.raises(CatalogError) as caught:
        validated(spoilt(change), "there.json")
    assert (caught.value.message, caught.value.at) == (message, "there.json")


def test_every_key_is_needed() -> None:
    whole = json.loads(COMPILED.read_text(encoding="utf-8"))
    assert validated(whole, "there.json") == whole
    for key in whole.keys() - {"as_of_indexes", "cuda_plain", "built"}:
        less = {name: value for name, value in whole.items() if name != key}
        with pytest.raises(CatalogError, match=f"no usable `{key}`"):
            validated(less, "there.json")


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '"catalog"', "\x00"])
def test_file_that_is_no_catalog_is_refused_with_its_path(text: str, tmp_path: Path) -> None:
    path = tmp_path / "catalog.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CatalogError) as caught:
        load_catalog(path)
    assert caught.value.at == str(path)


def test_file_that_is_not_there_is_refused_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(CatalogError) as caught:
        load_catalog(tmp_path / "none.json")
    assert caught.value.at == str(tmp_path / "none.json")


def test_catalog_of_a_newer_schema_says_what_to_do() -> None:
    with pytest.raises(CatalogError) as caught:
        validated(spoilt(lambda data: data.update(schema_version=2)), "there.json")
    assert caught.value.help == (
        "run `torchconf catalog refresh` (extra `torchconf[refresh]`) or upgrade torchconf"
    )


# Three answers, each with its reason in the facts.


@pytest.mark.parametrize(
    ("wheel", "answer", "reason"),
    [
        ("torch 2.13.0 cu130 linux-x86_64 3.12", YES, "seen in lockfiles"),
        ("torch 2.13.0 cu130 linux-aarch64 3.12", YES, "seen in lockfiles"),
        ("torch 2.13.0 cu130 linux-x86_64 3.15", YES, "seen, though the matrix does not name it"),
        ("torch 2.13.0 cu130 linux-x86_64 3.14t", YES, "seen: free threading"),
        ("torch 2.13.0 rocm7.2 linux-x86_64 3.11", YES, "the matrix names 7.2 and Python 3.11"),
        ("torch 2.13.0 cpu macos-arm64 3.12", YES, "PyPI's listing has it, cpu serves the same"),
        ("torch 2.13.0 cpu windows-arm64 3.12", YES, "seen in lockfiles"),
        ("torch 2.2.2 cpu macos-x86_64 3.12", YES, "PyPI's listing has it"),
        ("torch 2.7.1 cu118 linux-x86_64 3.13", YES, "on the stored index page"),
        ("torch 2.5.1 cu124 linux-aarch64 3.12", YES, "seen, without a local version"),
        ("torch 2.8.0 cu129 linux-aarch64 3.12", YES, "the matrix names 12.9-aarch64"),
        ("torch 2.14.0 cu130 linux-x86_64 3.12", YES, "one file name was mentioned"),
        ("torch 2.15.0 pypi linux-x86_64 3.12", YES, "PyPI's listing has it"),
        ("torchvision 0.28.0 cu130 linux-x86_64 3.12", YES, "seen in lockfiles"),
        ("torchaudio 2.11.0 cu130 linux-x86_64 3.12", YES, "seen in lockfiles"),
        ("torch 2.13.0 cu130 macos-arm64 3.12", NO, "CUDA was never built for macOS"),
        ("torch 2.13.0 rocm7.2 linux-aarch64 3.12", NO, "ROCm was never built for aarch64"),
        ("torch 2.13.0 rocm7.2 windows-x86_64 3.12", NO, "ROCm was never built for Windows"),
        ("torch 2.13.0 xpu linux-aarch64 3.12", NO, "XPU was never built for aarch64"),
        ("torch 2.13.0 cu128 linux-x86_64 3.12", NO, "the matrix of 2.13 names 12.6, 13.0, 13.2"),
        ("torch 2.8.0 cu118 linux-x86_64 3.12", NO, "the matrix of 2.8 names no 11.8"),
        ("torch 2.8.0 cu128 linux-aarch64 3.12", NO, "the matrix names 12.9-aarch64 alone"),
        ("torch 2.7.1 cu118 linux-aarch64 3.12", NO, "the matrix names 12.8-aarch64 alone"),
        ("torch 2.7.1 cu126 linux-aarch64 3.12", NO, "the matrix names 12.8-aarch64 alone"),
        ("torch 2.13.0 cu130 linux-x86_64 3.9", NO, "torch 2.13 requires Python 3.10"),
        ("torch 2.13.0 cu130 linux-x86_64 3.13t", NO, "the matrix dropped it, and nobody saw one"),
        ("torch 2.13.0 cpu macos-x86_64 3.12", NO, "torch for Intel Macs ended with 2.2.2"),
        ("torch 2.2.2 cpu macos-x86_64 3.13", NO, "PyPI's listing ends with Python 3.12"),
        ("torch 2.13.0 pypi windows-arm64 3.12", NO, "not in PyPI's listing"),
        ("torch 2.15.0 pypi linux-x86_64 3.10", NO, "torch 2.15 requires Python 3.11"),
        ("torch 2.13.0 pypi linux-x86_64 3.9", NO, "torch 2.13 requires Python 3.10"),
        ("torch 2.13.0 cu130 windows-x86_64 3.15", UNKNOWN, "seen for Linux, not for Windows"),
        ("torch 2.13.0 xpu linux-x86_64 3.12", UNKNOWN, "only one Python was seen"),
        ("torch 2.13.0 cpu windows-arm64 3.10", UNKNOWN, "locks may have left it out"),
        ("torch 2.14.0 cu130 linux-x86_64 3.11", UNKNOWN, "of 2.14 single file names are known"),
        ("torch 2.15.0 cu130 linux-x86_64 3.12", UNKNOWN, "no index of 2.15 was read"),
        ("torch 2.16.0 pypi linux-x86_64 3.12", UNKNOWN, "newer than the catalog"),
        ("torch 2.16.0 cu130 linux-x86_64 3.12", UNKNOWN, "newer than the catalog"),
        ("torch 2.6.0 cu124 linux-aarch64 3.12", NO, "a lock without forks lists no ARM wheel"),
        ("torchvision 0.28.0 rocm7.2 linux-x86_64 3.12", UNKNOWN, "never seen, never covered"),
        ("torchaudio 2.11.0 cu132 linux-x86_64 3.12", UNKNOWN, "not known, as the README says"),
        ("torchcodec 9.9 cu130 linux-x86_64 3.12", UNKNOWN, "newer than the catalog"),
    ],
)  # fmt: skip
def test_answer_has_its_reason_in_the_facts(
    catalog: Catalog, wheel: str, answer: Answer, reason: str
) -> None:
    package, version, name, platform, python = wheel.split()
    found = catalog.available(
        package, Version(version), backend(catalog, name), BY_KEY[platform], python
    )
    assert found is answer, reason


def test_known_missing_is_the_same_for_every_python_of_an_impossible_platform(
    catalog: Catalog,
) -> None:
    for name in catalog.backends:
        accelerator = catalog.accelerator(catalog.backends[name])
        for platform in PLATFORMS:
            if platform.key in accelerator.platforms:
                continue
            for release in catalog.releases:
                found = {
                    catalog.available("torch", release, catalog.backends[name], platform, python)
                    for python in catalog.pythons
                }
                assert found == {NO}, f"{release} {platform.key}-{name}"


def test_every_wheel_that_was_seen_is_available(catalog: Catalog) -> None:
    seen = 0
    rows = [*map(json.loads, (FACTS / "wheels.jsonl").read_text(encoding="utf-8").splitlines())]
    listed = json.loads((FACTS / "pypi.json").read_text(encoding="utf-8"))["releases"]
    for row in (*rows, *(one | {"index": "pypi"} for one in listed)):
        version, _, _ = row["version"].partition("+")
        if row["package"] != "torch" or row["index"] not in {*catalog.backends, "pypi"}:
            continue
        for platform, python in named(row["wheels"]):
            index = backend(catalog, row["index"])
            # Some ROCm indexes list plain wheels for ARM as well, which are CPU builds.
            if index != PYPI and platform not in catalog.accelerator(index).platforms:
                continue
            answer = catalog.available("torch", Version(version), index, BY_KEY[platform], python)
            assert answer is YES, f"{row['version']} on {row['index']}: {platform}, {python}"
            seen += 1
    assert seen > 2000


def named(wheels: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    """Yield platform and Python of the plain tags, read without the compiler's own code."""
    systems = {"win_amd64": "windows-x86_64", "win_arm64": "windows-arm64"}
    for tag, pythons in wheels.items():
        match = re.fullmatch(r"(?:many)?linux(?:\d+|_\d+_\d+)?_(x86_64|aarch64)", tag)
        key = systems.get(tag) or (f"linux-{match[1]}" if match else None)
        for python in pythons:
            plain = re.fullmatch(r"cp3(\d+)(t?)", python)
            if key and plain and int(plain[1]) >= 8:
                yield key, f"3.{plain[1]}{plain[2]}"


def test_nothing_is_known_of_a_package_that_nobody_listed(catalog: Catalog) -> None:
    for name in ("cu130", "pypi"):
        found = catalog.available(
            "torchnever", Version("1.0"), backend(catalog, name), PLATFORMS[0], "3.12"
        )
        assert found is UNKNOWN


# Lines, platforms, Pythons.


@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("cu118", "2.7.1"),
        ("cu121", "2.5.1"),
        ("cu124", "2.6.0"),
        ("cu128", "2.11.0"),
        ("cu129", "2.13.0"),
        ("rocm6.4", "2.9.1"),
        ("rocm7.1", "2.13.0"),
        ("cu126", None),
        ("cu130", None),
        ("cu132", None),
        ("rocm7.2", None),
        ("xpu", None),
        ("cpu", None),
    ],
)
def test_line_has_ended_or_goes_on(catalog: Catalog, name: str, last: str | None) -> None:
    assert catalog.ended(catalog.backends[name]) == last


def test_line_that_has_ended_has_nothing_newer(catalog: Catalog) -> None:
    for known in catalog.backends.values():
        last = catalog.ended(known)
        if last is not None:
            newer = [r for r in catalog.releases if r > Version(last)]
            found = {
                catalog.available("torch", release, known, BY_KEY["linux-x86_64"], "3.12")
                for release in newer
                if catalog.covered(release)
            }
            assert found <= {NO}, known.name


def test_newest_backends_come_first(catalog: Catalog) -> None:
    assert [known.name for known in catalog.newest_first("cuda")][:4] == [
        "cu132",
        "cu130",
        "cu129",
        "cu128",
    ]
    rocm = [known.name for known in catalog.newest_first("rocm")]
    assert rocm.index("rocm4.0.1") < rocm.index("rocm3.10") < rocm.index("rocm3.8"), "numbers"


def test_platform_that_has_ended(catalog: Catalog) -> None:
    ends = {key: catalog.platform_end(platform) for key, platform in BY_KEY.items()}
    assert {key: end for key, end in ends.items() if end} == {"macos-x86_64": "2.2.2"}


@pytest.mark.parametrize(
    ("release", "asked", "pythons"),
    [
        ("2.13.0", None, "3.10 3.11 3.12 3.13 3.14"),
        ("2.13.0", ">=3.12", "3.12 3.13 3.14"),
        ("2.13.0", ">=3.9", "3.9 3.10 3.11 3.12 3.13 3.14"),
        ("2.13.0", ">=3.11,<3.13", "3.11 3.12"),
        ("2.13.0", "==3.12.*", "3.12"),
        ("2.13.0", ">=3.15", "3.15"),
        ("2.7.1", ">=3.12", "3.12 3.13"),
    ],
)
def test_pythons_on_which_a_torch_must_be_there(
    catalog: Catalog, release: str, asked: str | None, pythons: str
) -> None:
    specifier = None if asked is None else SpecifierSet(asked)
    assert catalog.supported_pythons(Version(release), specifier) == tuple(pythons.split())


@pytest.mark.parametrize("asked", ["==3.12", "==3.12.4", "<=3.12,>=3.12", ">=3.12,<3.12.8"])
def test_range_inside_one_python_means_that_python(catalog: Catalog, asked: str) -> None:
    assert catalog.supported_pythons(Version("2.13.0"), SpecifierSet(asked)) == ("3.12",)


# Companions and triton.


@pytest.mark.parametrize(
    ("package", "torch", "newest"),
    [
        ("torchvision", "2.13.0", "0.28.0"),
        ("torchvision", "2.11.0", "0.26.0"),
        ("torchvision", "2.7.1", "0.22.1"),
        ("torchaudio", "2.10.0", "2.10.0"),
        ("torchaudio", "2.11.0", "2.11.1"),
        ("torchaudio", "2.15.0", "2.11.1"),
        ("torchcodec", "2.15.0", "0.17.0"),
        ("torchao", "2.10.0", "0.16.0"),
        ("torchcodec", "2.10.0", "0.10.0"),
        ("xformers", "2.10.0", "0.0.35"),
    ],
)
def test_newest_companion_of_a_torch(
    catalog: Catalog, package: str, torch: str, newest: str
) -> None:
    found = catalog.companions(package, Version(torch))
    assert found
    assert found[0] == max(found) == Version(newest)


def test_companion_of_which_no_pairs_are_known_is_any(catalog: Catalog) -> None:
    assert catalog.companions("torchtext", Version("2.13.0")) is None
    # Of what belongs to an old torch nothing was recorded.
    assert catalog.companions("torchvision", Version("1.3")) is None


@pytest.mark.parametrize(
    ("package", "version", "torch", "fits"),
    [
        ("torchvision", "0.28.0", "2.13.0", YES),
        ("torchvision", "0.28.0", "2.12.1", NO),
        ("torchvision", "0.29.2", "2.15.0", YES),
        ("torchaudio", "2.11.0", "2.15.0", YES),
        ("torchaudio", "2.11.0", "2.9.0", NO),
        ("torchaudio", "2.11.1", "2.10.0", NO),
        ("torchcodec", "0.16.0", "2.11.0", YES),
        ("torchcodec", "0.16.0", "2.10.0", NO),
        ("torchcodec", "0.17.0", "2.15.0", YES),
        ("torchcodec", "0.0.2", "2.4.0", UNKNOWN),
        ("torchao", "0.18.0", "2.15.0", YES),
        ("torchao", "0.18.0", "2.10.0", UNKNOWN),
        ("torchao", "0.9.0", "2.10.0", UNKNOWN),
        ("xformers", "0.0.34", "2.10.0", YES),
        ("xformers", "0.0.35", "2.9.1", NO),
        ("xformers", "9.9", "2.13.0", UNKNOWN),
        ("torchtext", "0.18.0", "2.13.0", UNKNOWN),
    ],
)
def test_whether_a_companion_fits_a_torch_has_three_answers(
    catalog: Catalog, package: str, version: str, torch: str, fits: Answer
) -> None:
    assert catalog.fits(package, Version(version), Version(torch)) is fits


def test_each_entry_on_what_fits_has_its_evidence_and_is_needed() -> None:
    fits = json.loads((FACTS / "fits.json").read_text(encoding="utf-8"))
    listed = json.loads((FACTS / "pypi.json").read_text(encoding="utf-8"))["releases"]
    for package, entries in fits.items():
        for entry in entries if package != "_about" else ():
            assert entry.keys() == {"releases", "torch", "otherwise", "evidence"}
            assert entry["evidence"]
            assert entry["otherwise"] in {"no", "unknown"}
            releases = [one for one in listed if one["package"] == package]
            covered = [
                one
                for one in releases
                if SpecifierSet(entry["releases"]).contains(one["version"])
                and not any(line.startswith("torch") for line in one["requires_dist"])
            ]
            assert covered, f"{package} {entry['releases']}: metadata say it, or no such release"


def test_torchaudio_leaves_torch_open_from_2_11_on(catalog: Catalog) -> None:
    assert catalog.leaves_torch_open("torchaudio", Version("2.10.0"))
    assert not catalog.leaves_torch_open("torchaudio", Version("2.11.1"))
    assert not catalog.leaves_torch_open("torchvision", Version("0.20.0"))


@pytest.mark.parametrize(
    ("name", "torch", "expected"),
    [
        ("rocm7.2", "2.13.0", Triton("triton-rocm", "3.6.0", None)),
        ("rocm7.1", "2.10.0", Triton("triton-rocm", "3.6.0", None)),
        ("rocm6.4", "2.9.1", Triton("pytorch-triton-rocm", "3.5.1", "3.5.1")),
        ("rocm6.4", "2.9.0", Triton("pytorch-triton-rocm", "3.4.0", None)),
        ("rocm6.0", "2.4.0", Triton("pytorch-triton-rocm", None, None)),
        ("xpu", "2.13.0", Triton("triton-xpu", "3.6.0", "3.7.2")),
        ("xpu", "2.9.1", Triton("pytorch-triton-xpu", "3.5.0", "3.5.0")),
        ("cu130", "2.13.0", None),
        ("cpu", "2.13.0", None),
        ("pypi", "2.13.0", None),
    ],
)
def test_triton_by_backend_and_torch(
    catalog: Catalog, name: str, torch: str, expected: Triton | None
) -> None:
    assert catalog.triton(backend(catalog, name), Version(torch)) == expected


def test_bound_of_a_triton_is_below_every_pin_under_its_name(catalog: Catalog) -> None:
    checked = 0
    for name in ("rocm7.2", "xpu"):
        for release in catalog.releases:
            triton = catalog.triton(catalog.backends[name], release)
            if triton and triton.bound and triton.pin:
                assert Version(triton.bound) <= Version(triton.pin)
                checked += 1
    assert checked >= 4


def test_family_is_torch_then_companions_then_triton(catalog: Catalog) -> None:
    assert catalog.family[0] == catalog.main_package == "torch"
    tritons = [name for name in catalog.family if "triton" in name]
    assert list(catalog.family[-len(tritons) :]) == tritons
    assert set(tritons) == catalog.triton_packages


# What else is data.


@pytest.mark.parametrize(
    ("release", "platform", "build"),
    [
        ("2.15.0", "linux-x86_64", "cu132"),
        ("2.13.0", "linux-x86_64", "cu130"),
        ("2.13.0", "linux-aarch64", "cu130"),
        ("2.8.0", "linux-x86_64", "cu128"),
        ("2.8.0", "linux-aarch64", "cpu"),
        ("2.13.0", "windows-x86_64", "cpu"),
        ("2.13.0", "macos-arm64", "cpu"),
        ("2.16.0", "linux-x86_64", None),
    ],
)
def test_pypis_own_build(catalog: Catalog, release: str, platform: str, build: str | None) -> None:
    found = catalog.pypi_build(Version(release), BY_KEY[platform])
    assert (found.name if found else None) == build


def test_pypi_has_a_build_only_where_it_has_a_wheel(catalog: Catalog) -> None:
    for release in catalog.releases:
        for platform in PLATFORMS:
            answers = {
                catalog.available("torch", release, PYPI, platform, python)
                for python in catalog.pythons
            }
            if answers == {NO}:
                assert catalog.pypi_build(release, platform) is None, f"{release} {platform.key}"


@pytest.mark.parametrize(
    ("release", "minimum"), [("2.15.0", "14.0"), ("2.12.0", "14.0"), ("2.11.0", "11.0")]
)
def test_lowest_macos(catalog: Catalog, release: str, minimum: str) -> None:
    assert catalog.macos_minimum(Version(release)) == minimum


@pytest.mark.parametrize(
    ("name", "drivers"),
    [
        ("cu118", {"linux": "450.80.02", "windows": "452.39"}),
        ("cu126", {"linux": "525.60.13", "windows": "528.33"}),
        ("cu130", {"linux": "580", "windows": "580"}),
        ("cpu", {}),
    ],
)
def test_lowest_driver(catalog: Catalog, name: str, drivers: dict[str, str]) -> None:
    assert catalog.drivers(catalog.backends[name]) == drivers


def test_packages_known_to_need_torch(catalog: Catalog) -> None:
    assert catalog.dependents["accelerate"] == {"torch"}
    assert catalog.dependents["timm"] == {"torch", "torchvision"}
    assert "numpy" not in catalog.dependents
    for name, needs in catalog.dependents.items():
        assert needs <= set(catalog.family), name


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://download.pytorch.org/whl/cu130", "cu130"),
        ("https://download.pytorch.org/whl/cu130/", "cu130"),
        ("https://download.pytorch.org/whl/CU130", "cu130"),
        ("https://download.pytorch.org/whl/rocm7.2", "rocm7.2"),
        ("https://download.pytorch.org/whl/rocm6.2.4", "rocm6.2.4"),
        ("https://download.pytorch.org/whl/cpu", "cpu"),
        ("https://download.pytorch.org/whl/nightly/cu130", "cu130-nightly"),
        ("https://mirror.example.org/api/pypi/pytorch-cu130/simple", "cu130"),
        ("https://mirror.example.org/api/pypi/pytorch_rocm7.2/simple/", "rocm7.2"),
        ("https://mirror.example.org/cu126/whl/cu130?x=cpu#cpu", "cu130"),
        ("https://cu130.example.org/simple", None),
        ("https://packages.example.org/simple", None),
        ("https://download.pytorch.org/whl/torch_stable.html", None),
        ("https://example.org/focus130", None),
        ("file:///srv/wheels/cpu", "cpu"),
        ("https://nexus.example.org/repository/pytorch-cu130/simple", "cu130"),
        ("https://wheels.example.org/torch/cu130", "cu130"),
        ("https://wheels.example.org/simple/cu130", None),
        ("https://pypi.jetson-ai-lab.io/sbsa/cu130/+simple", "jetson-cu130"),
        ("https://pypi.jetson-ai-lab.io/sbsa/cu130", "jetson-cu130"),
        ("https://pypi.jetson-ai-lab.dev/jp6/cu126", None),
        ("https://repo.amd.com/rocm/whl-multi-arch", "rocm-amd"),
        ("https://stable.repo.amd.com/rocm/whl-next/", "rocm-next"),
        ("https://repo.amd.com/rocm/whl/gfx120X-all/", "rocm-gfx120x-all"),
        ("https://rocm.nightlies.amd.com/v2/gfx1151", "rocm-gfx1151-nightly"),
        ("https://repo.radeon.com/rocm/windows/rocm-rel-7.2.1/", None),
        ("https://pypi.nvidia.com/nvtorch_oot/", "cu134-nvidia"),
        ("https://pypi.nvidia.com/cu130", None),
        ("https://flashinfer.ai/whl/cu130", None),
    ],
)
def test_backend_is_told_from_the_path_of_a_url(
    catalog: Catalog, url: str, name: str | None
) -> None:
    found = catalog.backend_of_url(url)
    assert (found.name if found else None) == name


def test_the_name_of_an_index_may_say_that_it_is_a_mirror(catalog: Catalog) -> None:
    url = "https://wheels.example.org/simple/cu130"
    assert catalog.backend_of_url(url, "wheels") is None
    found = catalog.backend_of_url(url, "pytorch-cu130")
    assert found is not None
    assert found.name == "cu130"
    assert catalog.backend_of_url("https://flashinfer.ai/whl/cu130", "pytorch-cu130") is None


PYPI_HOST = ".".join(PYPI_HOSTS[0])


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (f"https://{PYPI_HOST}/simple", "pypi"),
        (f"https://user:secret@{PYPI_HOST}:443/simple/", "pypi"),
        (f"https://test.{PYPI_HOST}/simple", None),
        ("https://mirror.example.org/pypi/simple", "pypi"),
        ("https://example.org/artifactory/api/pypi/pypi-remote/simple", "pypi"),
        ("https://example.org/artifactory/api/pypi/internal/simple", None),
        ("https://pypi.nvidia.com", None),
        ("https://pypi.jetson-ai-lab.io/sbsa/cu130/+simple", "jetson-cu130"),
        ("https://download.pytorch.org/whl/cu130", "cu130"),
        ("https://packages.example.org/simple", None),
    ],
)
def test_what_an_index_serves(catalog: Catalog, url: str, name: str | None) -> None:
    found = catalog.build_of_index(url)
    assert (found.name if found else None) == name


# A new backend is new data.


def literals(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the string literals of a module but for its docstrings, and its names."""
    # A string that stands by itself documents what is before it.
    notes = {id(node.value) for node in nodes_of(path) if isinstance(node, ast.Expr)}
    for node in nodes_of(path):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in notes:
            yield node.lineno, node.value
        elif isinstance(node, ast.Name):
            yield node.lineno, node.id


def test_no_backend_is_spelled_in_the_program(catalog: Catalog) -> None:
    names = [name for name in catalog.backends if re.search(r"\d", name)]
    spelled = re.compile(rf"(?<![a-z0-9])(?:{'|'.join(map(re.escape, names))})(?![0-9])")
    assert spelled.search("such as linux-cu130, or more")
    modules = sorted(PACKAGE.rglob("*.py"))
    assert len(modules) > 20
    found = [
        f"{path.relative_to(PACKAGE)}:{line}: {spelled.findall(text)}"
        for path in modules
        for line, text in literals(path)
        if spelled.search(text)
    ]
    assert found == []


def test_backend_that_only_the_data_know_is_understood_everywhere() -> None:
    data = json.loads(COMPILED.read_text(encoding="utf-8"))
    data["backends"]["cu140"] = {}
    for version, matrix in data["releases"].items():
        if "cu130" in matrix.get("backends", ()):
            matrix["backends"].append("cu140")
            data["wheels"]["torch"][version]["cu140"] = data["wheels"]["torch"][version]["cu130"]
    catalog = Catalog(validated(data, "there.json"))
    new = catalog.backends["cu140"]
    assert (new.accelerator, new.version, new.title) == ("cuda", (14, 0), "CUDA 14.0")
    assert catalog.newest_first("cuda")[0] == new
    assert catalog.available("torch", Version("2.13.0"), new, PLATFORMS[0], "3.12") is YES
    assert catalog.available("torch", Version("2.13.0"), new, BY_KEY["macos-arm64"], "3.12") is NO
    assert new in catalog.vocabulary.current


def test_which_open_indexes_have_torch(catalog: Catalog) -> None:
    assert catalog.serves(f"https://{PYPI_HOST}/simple", "torch") is True
    assert catalog.serves(f"https://{PYPI_HOST}/simple", "triton-rocm") is False
    assert catalog.serves("https://pypi.nvidia.com", "torch") is False
    assert catalog.serves("https://pypi.nvidia.com/nvtorch_oot/", "torch") is None
    assert catalog.serves("https://pypi.jetson-ai-lab.io/sbsa/cu130", "torch") is None
    assert catalog.serves("https://packages.example.org/simple", "torch") is None


def test_what_brings_torch(catalog: Catalog) -> None:
    assert "torch" in catalog.dependents["torchvision"]
    assert "torchaudio" not in catalog.dependents
    releases = dict(catalog.changing_dependents["torchaudio"])
    assert (releases[Version("2.10.0")], releases[Version("2.11.0")]) == (True, False)
