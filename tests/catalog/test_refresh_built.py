"""What `catalog refresh` reads of packages that are built against torch."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.projects import Demo
from tests.support.replica import Content, Fault, Replica
from tests.support.replica.gpu_wheels import gpu_wheels
from torchconf.catalog import Answer, load_catalog
from torchconf.catalog.encoding import render
from torchconf.catalog.refresh_built import Asked, pages_of, rows_of, with_rows
from torchconf.files.catalog_file import PACKAGED, cached_file
from torchconf.model.targets import PLATFORMS

LINUX = next(platform for platform in PLATFORMS if platform.key == "linux-x86_64")
EMPTY = '[project]\nname = "demo"\nversion = "0"\n'


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a cache folder of its own."""
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "cache"))
    monkeypatch.delenv("TORCHCONF_CATALOG", raising=False)
    return Path(cached_file())


ASTRAL, PAGE = Asked("", "cu130", "flash-attn", ""), Asked("", "cu130", "", "2.13")


@pytest.mark.parametrize(
    ("family", "asked", "file", "found"),
    [
        # The label says for which torch it is, in its newer and its older form.
        (
            "astral",
            ASTRAL,
            "flash_attn-2.8.3.post1+cu.13.0.torch.2.14-cp312-cp312-manylinux_2_24_x86_64.whl",
            {"flash-attn": {"2.14": {"linux-x86_64": {"cu130"}}}},
        ),
        (
            "astral",
            ASTRAL,
            "flash_attn-2.8.3+cu13.0torch2.10.0cxx11abiTRUE-cp312-cp312-manylinux_2_24_aarch64.whl",
            {"flash-attn": {"2.10": {"linux-aarch64": {"cu130"}}}},
        ),
        # A page is for one torch, whatever its files are called.
        (
            "pyg",
            PAGE,
            "torch_cluster-1.6.3-cp312-cp312-macosx_10_13_universal2.whl",
            {"torch-cluster": {"2.13": {p: {"cu130"} for p in ("macos-arm64", "macos-x86_64")}}},
        ),
        # Nothing else says anything.
        ("astral", ASTRAL, "vllm-0.25.0-cp38-abi3-manylinux_2_28_x86_64.whl", {}),
        ("astral", ASTRAL, "flash_attn-2.8.3.tar.gz", {}),
        ("astral", ASTRAL, "index.html", {}),
        ("pyg", PAGE, "rich-14.0.0-py3-none-any.whl", {}),
    ],
)
def test_the_name_of_a_file_says_what_it_is_for(
    family: str, asked: Asked, file: str, found: object
) -> None:
    catalog = load_catalog()
    home = next(one for one in catalog.built.families if one.name == family)
    assert rows_of(home, [(asked, [file])], ["linux-x86_64"]) == found


def test_what_was_read_stands_in_the_place_of_the_old_table_and_the_rest_stays() -> None:
    old = {"pyg": {"pyg-lib": {"2.12": {"linux-x86_64": "cpu"}, "2.13": {"linux-x86_64": "cpu"}}}}
    new = with_rows(old, "pyg", {"pyg-lib": {"2.13": {"windows-x86_64": {"cu130", "cpu"}}}})
    assert new["pyg"]["pyg-lib"] == {
        "2.12": {"linux-x86_64": "cpu"},
        "2.13": {"windows-x86_64": "cpu cu130", "*": ""},
    }


def test_each_page_is_asked_for_once() -> None:
    catalog = load_catalog()
    for family in catalog.built.families:
        pages = pages_of(family, catalog)
        assert len(set(pages)) == len(pages)
        assert bool(pages) == bool(family.url)


@pytest.fixture
def world(replica_of: Callable[[Content], Replica], monkeypatch: pytest.MonkeyPatch) -> Replica:
    content = Content.from_facts().merged(gpu_wheels(["2.11", "2.12"]))
    replica = replica_of(content)
    environment = replica.environment()
    for name in os.environ.keys() - environment.keys():
        monkeypatch.delenv(name)
    for name, value in environment.items():
        if name not in {"XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"}:
            monkeypatch.setenv(name, value)
    return replica


def forget(cache: Path) -> None:
    """Make the catalog one that knows of no wheels."""
    data = json.loads(Path(PACKAGED).read_text(encoding="utf-8"))
    data["built"]["wheels"] = {}
    cache.parent.mkdir(parents=True, exist_ok=True)
    newer = dict.fromkeys(data["as_of_indexes"], "2098-01-01")
    cache.write_text(render(data | {"as_of": "2098-01-01", "as_of_indexes": newer}))


@pytest.mark.slow
@pytest.mark.uv
@pytest.mark.usefixtures("world")
def test_refresh_finds_the_wheels_of_each_publisher(cache: Path, tmp_path: Path) -> None:
    known = load_catalog().built
    forget(cache)
    assert load_catalog().built.lines("flash-attn") == ()
    result = Demo(tmp_path, EMPTY)("catalog refresh")
    assert result.status == 0, result.err
    assert "not read" not in result.err
    built = load_catalog(cache).built
    for package in ("flash-attn", "torch-scatter", "pyg-lib", "pytorch3d"):
        for family in built.homes(package):
            for line in ("2.11", "2.12"):
                own = {p: set(b) for p, b in built.builds(package, family, line).items()}
                assert own == {p: set(b) for p, b in known.builds(package, family, line).items()}
    astral = next(family for family in built.families if family.name == "astral")
    assert built.has("flash-attn", astral, "2.12", "cu128", LINUX) is Answer.NO
    assert built.has("flash-attn", astral, "2.13", "cu130", LINUX) is Answer.UNKNOWN


@pytest.mark.slow
@pytest.mark.uv
def test_a_publisher_who_does_not_answer_stops_nothing(
    world: Replica, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(world.site.faults, "wheels.astral.sh/*", Fault(status=500))
    result = Demo(tmp_path, EMPTY)("catalog refresh")
    assert result.status == 0, result.err
    assert "Astral's wheels built against torch: not read, " in result.err
    built = load_catalog(cache).built
    assert built.lines("flash-attn") == load_catalog(PACKAGED).built.lines("flash-attn")
    pyg = next(family for family in built.families if family.name == "pyg")
    assert built.builds("torch-scatter", pyg, "2.12")
