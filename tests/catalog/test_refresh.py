"""`torchconf catalog`: what is known, and reading it anew from indexes that may misbehave."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import platformdirs
import pytest
from packaging.version import Version
from pypi_simple import DistributionPackage, Link

from tests.support.few import few
from tests.support.projects import Demo
from tests.support.replica import Content, Fault, Replica
from tests.support.schemas import mistakes
from torchconf.catalog import Answer, Catalog, load_catalog, validated
from torchconf.catalog.compile import FACTS, compile_catalog, read_live
from torchconf.catalog.encoding import pythons_of, render
from torchconf.catalog.refresh import (
    Missing,
    Refreshed,
    Settings,
    _merged,
    _Page,
    _refuse_impossible_releases,
    _refuse_partial,
    _wheels,
    refreshed,
)
from torchconf.cli.catalog import spoken_missing
from torchconf.errors import CatalogError
from torchconf.files.catalog_file import PACKAGED, cached_file
from torchconf.model.targets import PLATFORMS

EMPTY = '[project]\nname = "demo"\nversion = "0"\n'


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a cache folder of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("TORCHCONF_CATALOG", raising=False)
    return Path(cached_file())


def test_the_cache_is_where_platformdirs_says() -> None:
    folder = platformdirs.user_cache_dir("torchconf", appauthor=False)
    assert os.path.join(folder, "catalog.json") == cached_file()


def test_list_and_show(tmp_path: Path) -> None:
    demo = Demo(tmp_path, EMPTY)
    told = demo("catalog list --format json").json
    assert (told["schema_version"], told["source"]) == (1, "packaged")
    assert {one["backend"] for one in told["backends"]} >= {"cpu", "cu130", "xpu"}
    assert "(packaged)" in demo("catalog list").err
    (row,) = [
        row
        for row in demo("catalog show 2.13 --format json").json["wheels"]
        if row["backend"] == "cu130"
    ]
    assert "3.12" in row["pythons"]["linux-x86_64"]
    assert row["pythons"]["macos-arm64"] == []
    shown = demo("catalog show cu129").out
    assert "?" in shown, "what is not known is not missing"
    assert len(demo("catalog show torchvision").out.splitlines()) > 10
    rows = demo("catalog show torchcodec --format json").json["wheels"]
    assert {row["torch"] for row in rows if row["version"] in {"0.17.0", "0.0.2"}} == {
        ">=2.11",
        None,
    }
    heads = [demo(f"catalog show torchcodec{v}").out.splitlines()[2].split() for v in ("", " -v")]
    assert [head[:3] for head in heads] == [
        ["version", "build", "x86_64"],
        ["version", "build", "torch"],
    ]
    unknown = demo("catalog show 7.7")
    assert (unknown.status, "catalog refresh" in unknown.err) == (2, True)


def test_a_file_may_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    demo = Demo(tmp_path, EMPTY)
    data = json.loads(Path(PACKAGED).read_text(encoding="utf-8"))
    (tmp_path / "mine.json").write_text(json.dumps(data | {"as_of": "2030-01-01"}))
    monkeypatch.setenv("TORCHCONF_CATALOG", str(tmp_path / "mine.json"))
    assert demo("catalog list --format json").json["as_of"] == "2030-01-01"
    monkeypatch.setenv("TORCHCONF_CATALOG", str(tmp_path / "nothing.json"))
    broken = demo("catalog list")
    assert (broken.status, "cannot read" in broken.err) == (2, True)


BROKEN = {
    "no shape": ('{"as_of": "2099-01-01"}', "no usable `schema_version`"),
    "cut off": ('{"as_of": "2099-01-01", "schema_version": 1', "cannot read the catalog"),
    "of a later torchconf": ('{"as_of": "2099-01-01", "schema_version": 2}', "has schema 2"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_cache_is_left_aside(
    how: str, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(catalog: Catalog, data: dict[str, Any], *_: object, **__: object) -> Refreshed:
        assert data["as_of"] == catalog.as_of
        days = {"pypi": "2099-02-01", "pytorch": "2099-02-01"}
        return Refreshed({**data, "as_of": "2099-02-01", "as_of_indexes": days})

    monkeypatch.setattr("torchconf.catalog.refresh.refreshed", read)
    text, reason = BROKEN[how]
    demo = Demo(tmp_path, EMPTY)
    cache.parent.mkdir(parents=True)
    cache.write_text(text)
    result = demo("catalog list")
    assert (result.status, reason in result.err) == (0, True), result.err
    assert "(packaged)" in result.err, "what is listed is not from there"
    assert demo("catalog refresh").status == 0
    assert load_catalog().as_of == "2099-02-01", "a refresh mends it"


def test_an_older_cache_is_left_aside(cache: Path) -> None:
    data = json.loads(Path(PACKAGED).read_text(encoding="utf-8"))
    cache.parent.mkdir(parents=True)
    old = {"as_of": "2020-01-01", "as_of_indexes": {"pypi": "2020-01-01", "pytorch": "2020-01-01"}}
    cache.write_text(render(data | old))
    assert load_catalog().as_of > "2020-01-01"


def test_the_cache_of_an_older_torchconf_has_one_day_for_all(cache: Path) -> None:
    data = json.loads(Path(PACKAGED).read_text(encoding="utf-8"))
    del data["as_of_indexes"]
    cache.parent.mkdir(parents=True)
    cache.write_text(render(data | {"as_of": "2099-01-01"}))
    catalog = load_catalog()
    assert catalog.as_of == "2099-01-01"
    assert catalog.dates == {"pypi": "2099-01-01", "pytorch": "2099-01-01"}


@pytest.mark.parametrize(
    ("pypi", "pytorch", "is_read"),
    [
        ("2099-01-01", "2020-01-01", False),
        ("2020-01-01", "2099-01-01", False),
        ("2099-01-01", "", True),
        ("", "2099-01-01", True),
        ("", "", False),
    ],
)
def test_the_oldest_half_of_a_catalog_decides_which_is_newer(
    pypi: str, pytorch: str, cache: Path, *, is_read: bool
) -> None:
    data = json.loads(Path(PACKAGED).read_text(encoding="utf-8"))
    days = data["as_of_indexes"]
    each = {"pypi": pypi or days["pypi"], "pytorch": pytorch or days["pytorch"]}
    cache.parent.mkdir(parents=True)
    cache.write_text(render(data | {"as_of": min(each.values()), "as_of_indexes": each}))
    assert (load_catalog().dates == each and each != days) is is_read


@pytest.mark.uv
@pytest.mark.usefixtures("inside_replica")
def test_refresh_reads_the_indexes(cache: Path, tmp_path: Path) -> None:
    demo = Demo(tmp_path, EMPTY)
    before = load_catalog()
    result = demo("catalog refresh --format json")
    assert result.status == 0, result.err
    assert mistakes("catalog-refresh", result.json) == []
    assert cache.is_file()
    after = load_catalog()
    assert after.as_of > before.as_of
    assert after.releases == before.releases, "the replica has what the facts say"
    assert set(after.backends) == set(before.backends)
    assert demo("catalog list --format json").json["source"] == "cache"
    # A complete page makes silence count; what was seen is still there.
    rows = demo("catalog show 2.13 --format json").json["wheels"]
    assert all(row["pythons"]["linux-x86_64"] is not None for row in rows)
    assert demo("init -t linux-cuda -t macos-cpu --python 3.12 --dry-run").status == 0
    assert sorted(p.name for p in cache.parent.iterdir()) == ["catalog.json"], "no litter"


FAULTS = {
    "an error": (Fault(status=500), "answered 500"),
    "a cut page": (Fault(truncate=200), "torch"),
    "silence": (Fault(delay=2.0), "torch"),
}


@pytest.mark.slow
@pytest.mark.uv
@pytest.mark.parametrize("name", FAULTS)
def test_a_bad_answer_replaces_nothing(
    name: str, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault, reason = FAULTS[name]
    cache.parent.mkdir(parents=True)
    cache.write_text("what was there")
    demo = Demo(tmp_path, EMPTY)
    with Replica(Content.from_facts(), cache=tmp_path / "uv") as replica:
        for variable, value in replica.environment().items():
            monkeypatch.setenv(variable, value)
        monkeypatch.setenv("XDG_CACHE_HOME", str(cache.parents[1]))
        replica.faults["download.pytorch.org/whl/cpu/torch/*"] = fault
        result = demo("catalog refresh --timeout 1")
    assert result.status == 2
    assert reason in result.err
    assert "the catalog is unchanged" in result.err
    assert cache.read_text() == "what was there"


def test_credentials_in_a_mirror_s_url_are_refused(tmp_path: Path) -> None:
    url = "https://me:secret@mirror.example.org/whl"
    result = Demo(tmp_path, EMPTY)(f"catalog refresh --index-base {url}")
    assert result.status == 2
    assert "secret" not in result.err


@pytest.mark.slow
@pytest.mark.uv
@pytest.mark.usefixtures("inside_replica")
def test_the_packaged_catalog_is_kept_fresh_by_the_same_reading(tmp_path: Path) -> None:
    facts = tmp_path / "facts"
    shutil.copytree(FACTS, facts)
    before = compile_catalog(facts)
    read_live(facts)
    after = compile_catalog(facts)
    assert after["as_of"] > before["as_of"]
    assert after["dependents"] == before["dependents"]
    assert set(after["wheels"]["torch"]) == set(before["wheels"]["torch"])
    assert render(after) == render(json.loads(render(after))), "canonical"
    assert Catalog(validated(after, "live")).covered(Version("2.13.0"))


class Listed(NamedTuple):
    """A file as an index page lists it."""

    filename: str
    version: str | None = None
    requires_python: str | None = None
    is_yanked: bool = False


def test_without_its_extra_refresh_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pypi_simple", None)
    result = Demo(tmp_path, EMPTY)("catalog refresh")
    assert result.status == 2
    assert "requires the extra `refresh`" in result.err
    assert "uv tool install 'torchconf[refresh]'" in result.err


def test_whoever_recommends_refresh_names_its_extra(tmp_path: Path) -> None:
    demo = Demo(tmp_path, EMPTY)
    for command in ("init -t linux-cu999", "catalog show 7.7", "catalog show triton-rocm"):
        assert "`torchconf catalog refresh` (extra `torchconf[refresh]`)" in demo(command).err


ONE_WHEEL = (Listed("torch-2.13.0+cu130-cp312-cp312-manylinux_2_28_x86_64.whl"),)


def merged(*pages: _Page) -> Catalog:
    return Catalog(validated(refreshed_with(*pages).data, "merged"))


def refreshed_with(*pages: _Page) -> Refreshed:
    data = json.loads(Path(PACKAGED).read_text(encoding="utf-8"))
    return _merged(load_catalog(PACKAGED), data, pages, "2030-01-01")


def test_what_a_mirror_lacks_is_not_missing() -> None:
    before = load_catalog(PACKAGED)
    after = merged(_Page("torch", "cu130", ONE_WHEEL, is_whole=False))  # type: ignore[arg-type]  # a stand-in
    for platform in PLATFORMS:
        for python in before.pythons:
            wheel = ("torch", Version("2.13.0"), before.backend("cu130"), platform, python)
            assert after.available(*wheel) is before.available(*wheel)
    assert after.ended(after.backend("cu130")) is None


def test_a_mirror_adds_what_nobody_had_seen() -> None:
    new = (Listed("torch-2.99.0+cu130-cp314-cp314-win_amd64.whl"),)
    after = merged(_Page("torch", "cu130", new, is_whole=False))  # type: ignore[arg-type]  # a stand-in
    windows = next(p for p in PLATFORMS if p.key == "windows-x86_64")
    linux = PLATFORMS[0]
    cu130 = after.backend("cu130")
    assert after.available("torch", Version("2.99.0"), cu130, windows, "3.14") is Answer.YES
    assert after.available("torch", Version("2.99.0"), cu130, linux, "3.14") is Answer.UNKNOWN
    cpu = after.fallback
    assert after.available("torch", Version("2.99.0"), cpu, linux, "3.14") is Answer.UNKNOWN


def test_what_the_index_itself_lacks_is_missing() -> None:
    after = merged(_Page("torch", "cu130", ONE_WHEEL))  # type: ignore[arg-type]  # a stand-in
    cu130 = after.backend("cu130")
    assert after.available("torch", Version("2.13.0"), cu130, PLATFORMS[0], "3.12") is Answer.YES
    assert after.available("torch", Version("2.13.0"), cu130, PLATFORMS[0], "3.13") is Answer.NO


@pytest.mark.parametrize(
    ("tag", "requires", "pythons"),
    [
        ("cp313", None, "3.13"),
        ("cp313t", None, "3.13t"),
        ("cp313-none", None, "3.13"),
        ("1-cp313", None, "3.13"),
        ("cp39", ">=3.10", ""),
        ("cp39-abi3", None, "3.9+"),
        ("cp39-abi3", ">=3.10", "3.10+"),
        ("cp310-abi3", ">=3.9", "3.10+"),
        ("cp312-abi3", ">=3.11,<3.15", "3.12 3.13 3.14"),
        ("py39-none", None, "3.9+ 3.9+t"),
        ("py39-none", ">=3.10,!=3.14.1", "3.10+ 3.10+t"),
        ("py310-none", ">=3.9", "3.10+ 3.10+t"),
        ("py311-none", None, "3.11+ 3.11+t"),
        ("py3-none", None, "3.0+ 3.0+t"),
        ("py3-none", ">=3.10,!=3.14.1", "3.10+ 3.10+t"),
        ("py3-none", ">=3.9,!=3.11.*", "3.9 3.10 3.12+ 3.9t 3.10t 3.12+t"),
        ("py3-none", ">=3.12,<3.14", "3.12 3.13 3.12t 3.13t"),
        ("py2.py3-none", ">= 3.8", "3.8+ 3.8+t"),
        ("1-py3-none", None, "3.0+ 3.0+t"),
        ("py3-none", "nobody can read this", "3.0+ 3.0+t"),
        ("py2-none", None, ""),
        ("pp39-pypy39_pp73", None, ""),
    ],
)
def test_a_tag_counts_for_every_python_that_it_serves(
    tag: str, requires: str | None, pythons: str
) -> None:
    assert " ".join(pythons_of(tag, requires)) == pythons


def test_wheels_without_an_abi_are_read_from_an_index() -> None:
    new = (Listed("xformers-0.9.9-py39-none-win_amd64.whl"),)
    after = merged(_Page("xformers", "cu130", new))  # type: ignore[arg-type]  # a stand-in
    windows = next(p for p in PLATFORMS if p.key == "windows-x86_64")
    answers = [
        after.available("xformers", Version("0.9.9"), after.backend("cu130"), windows, python)
        for python in ("3.8", "3.9", "3.14")
    ]
    assert answers == [Answer.NO, Answer.YES, Answer.YES]


# Servers that mean no good. The first page that is read is that of all torch wheels.

FIRST = "download.pytorch.org/whl/torch/*"
HTML = (("Content-Type", "text/html"),)
JSON = (("Content-Type", "application/vnd.pypi.simple.v1+json"),)
WHEEL = "torch-2.13.0%2B{}-cp312-cp312-manylinux_2_28_x86_64.whl"
TAGS = ".".join(f"cp{number}" for number in range(2000))


def page(*names: str) -> bytes:
    return "".join(f'<a href="{name}">{name.replace("%2B", "+")}</a>\n' for name in names).encode()


def bomb(size: int) -> bytes:
    """Return what is `size` bytes, packed: one file after another is a file, too."""
    return gzip.compress(bytes(1 << 20)) * (size >> 20)


HOSTILE = {
    "a byte at a time": (
        Fault(body=b" " * 1000, headers=HTML, trickle=0.05),
        "it takes longer than 1 s",
    ),
    "a gzip bomb": (
        Fault(body=bomb(200 << 20), headers=(*HTML, ("Content-Encoding", "gzip"))),
        "it has more than 30,000,000 bytes",
    ),
    "more than any page has": (
        Fault(body=b" " * 31_000_000, headers=HTML),
        "it has more than 30,000,000 bytes",
    ),
    "a build of the year 9999": (
        Fault(body=page(WHEEL.format("cu999")), headers=HTML),
        "cannot be: `cu999`",
    ),
    "a build of many numbers": (
        Fault(body=page(WHEEL.format("rocm7." + "9" * 60)), headers=HTML),
        "cannot be: `rocm7.9",
    ),
    "deep JSON": (Fault(body=b'{"files": ' + b"[" * 200_000, headers=JSON), "nested too deeply"),
    "other JSON": (Fault(body=b'{"files": [{}], "name": 3}', headers=JSON), "no usable page"),
    "a type with an escape": (
        Fault(body=b"", headers=(("Content-Type", "text/\x1b[31mred"),)),
        "no usable page",
    ),
    "out of HTTPS": (
        Fault(status=302, headers=(("Location", "http://download.pytorch.org/"),)),
        "redirects to a URL without HTTPS",
    ),
    "a circle": (Fault(status=302, headers=(("Location", "/whl/torch/"),)), "redirects"),
    "to a host that is not there": (
        Fault(status=302, headers=(("Location", "https://elsewhere.example.net/"),)),
        "no usable page",
    ),
}


@pytest.mark.uv
@pytest.mark.parametrize("name", HOSTILE)
def test_a_server_that_means_no_good_changes_nothing(
    name: str, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault, reason = HOSTILE[name]
    for variable, value in replica.environment().items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setitem(replica.faults, FIRST, fault)
    started = time.monotonic()
    with pytest.raises(CatalogError) as caught:
        refresh(page_seconds=1.0 if fault.trickle else 60.0)
    assert reason in caught.value.message
    assert "the catalog is unchanged" in str(caught.value.help)
    assert str(caught.value).isprintable()
    assert time.monotonic() - started < 45, "a byte at a time, the page takes 50 s"


def refresh(*, page_seconds: float = 60.0, seconds: float = 60.0) -> None:
    """Read the indexes; a mistake of the server is not asked for twice."""
    catalog = load_catalog()
    data = json.loads(Path(PACKAGED).read_text(encoding="utf-8"))
    settings = Settings(
        catalog.base_url,
        timeout=30.0,
        retries=0,
        pypi=os.environ.get("UV_DEFAULT_INDEX"),
        page_seconds=page_seconds,
        seconds=seconds,
    )
    refreshed(catalog, data, settings, "2030-01-01")


@pytest.mark.uv
def test_the_whole_refresh_ends_in_time(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in replica.environment().items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setitem(replica.faults, FIRST, Fault(delay=60.0))
    started = time.monotonic()
    with pytest.raises(CatalogError, match="the indexes are too slow"):
        refresh(seconds=0.5)
    assert time.monotonic() - started < 30


@pytest.mark.uv
@pytest.mark.parametrize("wrong", ["certificate", "proxy"])
def test_a_wrong_certificate_or_proxy_changes_nothing(
    wrong: str, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in replica.environment().items():
        monkeypatch.setenv(variable, value)
    if wrong == "proxy":
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    else:
        monkeypatch.delenv("REQUESTS_CA_BUNDLE")
        monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(CatalogError, match=r"no usable page of torch.*(?i:certificate|proxy)"):
        refresh()


@pytest.mark.parametrize(
    ("version", "is_possible"),
    [
        ("2.14.0", True),
        ("3.0", True),
        ("1!2.13.0", False),
        ("99.0", False),
        ("2." + "9" * 20, False),
        ("2.13.0.post20261122", True),
    ],
)
def test_releases_that_cannot_be_are_refused(version: str, *, is_possible: bool) -> None:
    catalog = load_catalog()
    file = DistributionPackage.from_link(
        Link(f"torch-{version}-cp312-cp312-win_amd64.whl", f"https://x/torch-{version}.whl", {})
    )
    pages = [_Page("torch", "cpu", (file,))]
    if is_possible:
        _refuse_impossible_releases(pages, catalog)
        return
    with pytest.raises(CatalogError, match="cannot be"):
        _refuse_impossible_releases(pages, catalog)


def test_a_wheel_of_countless_tags_is_passed_over() -> None:
    name = f"torch-2.13.0-{TAGS}-{TAGS}-{TAGS}.whl"
    file = DistributionPackage.from_link(Link(name, f"https://x/{name}", {}))
    assert [*_wheels([file])] == []


def test_a_python_without_end_is_none() -> None:
    assert pythons_of("cp3" + "9" * 5000) == ()
    assert pythons_of("py3-none", ">=3." + "9" * 5000) == ("3.0+", "3.0+t")


def test_what_was_planned_and_is_not_there_stops_nothing_and_is_told() -> None:
    """The build matrix names cu132 for torch 2.12.1, and nobody has seen it."""
    data = json.loads(Path(PACKAGED).read_text(encoding="utf-8"))
    planned = data["wheels"]["torch"]["2.12.1"]["cu132"]
    assert "planned" in data["sets"][planned][0].split()
    found = refreshed_with(_Page("torch", "cu132", ONE_WHEEL))  # type: ignore[arg-type]  # a stand-in
    _refuse_partial([_Page("torch", "rocm7.1", None)], only("2.12.1", "rocm7.1"), "torch")
    assert "cu132" not in found.data["wheels"]["torch"]["2.12.1"]
    told = [one for one in found.missing if (one.version, one.backend) == ("2.12.1", "cu132")]
    assert {one.platform for one in told} == set(data["sets"][planned][1])
    assert all("3.12" in one.pythons for one in told)


def test_a_release_that_is_no_longer_there_stays_and_is_told() -> None:
    found = refreshed_with(_Page("torch", "cu130", ONE_WHEEL))  # type: ignore[arg-type]  # a stand-in
    assert "cu130" in found.data["wheels"]["torch"]["2.12.0"]
    told = {(one.version, one.backend) for one in found.missing}
    assert ("2.12.0", "cu130") in told
    assert {backend for _, backend in told} == {"cu130"}, "of the others no page was read"
    copied = refreshed_with(_Page("torch", "cu130", ONE_WHEEL, is_whole=False))  # type: ignore[arg-type]
    assert copied.missing == (), "a mirror leaves out what it likes"


def test_what_was_seen_and_is_not_there_is_a_partial_answer() -> None:
    with pytest.raises(CatalogError, match="`cu130` is incomplete"):
        _refuse_partial([_Page("torch", "cu130", None)], only("2.13.0", "cu130"), "torch")


def only(version: str, backend: str) -> dict[str, Any]:
    """Return the data of a catalog with one release of torch on one index."""
    data = json.loads(Path(PACKAGED).read_text(encoding="utf-8"))
    return {**data, "wheels": {"torch": {version: {
        backend: data["wheels"]["torch"][version][backend]
    }}}}  # fmt: skip


@pytest.mark.parametrize(
    ("count", "verbose", "lines"), [(0, False, 0), (3, False, 4), (9, False, 10), (9, True, 10)]
)
def test_what_is_missing_is_a_line_for_each_release(
    count: int, lines: int, *, verbose: bool
) -> None:
    missing = [
        Missing("torch", f"2.{minor}.0", "cu130", platform, ("3.12", "3.13"))
        for minor in range(count)
        for platform in ("linux-x86_64", "windows-x86_64")
    ]
    said = spoken_missing(missing, is_verbose=verbose)
    assert len(said) == lines
    if count:
        assert (
            said[1]
            == "torch 2.0.0 for cu130: linux-x86_64 (3.12, 3.13), windows-x86_64 (3.12, 3.13)"
        )
    assert any("more (`-v`)" in line for line in said) == (count > 8 and not verbose)


HALVES = {
    "PyTorch's indexes": ("download.pytorch.org/whl/torch/*", "live.json"),
    "PyPI": ("packages.example.org/simple/torch/*", "pypi.json"),
}


@pytest.mark.uv
@pytest.mark.parametrize("lost", few(["PyTorch's indexes", "PyPI", "both"], {"both"}.__contains__))
def test_half_an_answer_is_taken_and_the_other_half_stays(
    lost: str,
    replica: Replica,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for variable, value in replica.environment().items():
        monkeypatch.setenv(variable, value)
    failing = {name for name in HALVES if lost in {name, "both"}}
    for name in failing:
        monkeypatch.setitem(replica.faults, HALVES[name][0], Fault(status=400))
    facts = tmp_path / "facts"
    shutil.copytree(FACTS, facts)
    assert read_live(facts) == (lost == "both")
    said = capsys.readouterr().out
    assert {name for name in HALVES if f"{name}: not read, " in said} == failing
    for name, (_, kept) in HALVES.items():
        before, after = (each / kept for each in (FACTS, facts))
        is_same = before.is_file() == after.is_file() and (
            not after.is_file() or before.read_bytes() == after.read_bytes()
        )
        assert is_same == (name in failing)
    catalog = Catalog(validated(compile_catalog(facts), "half"))
    assert catalog.covered(Version("2.13.0"))
