"""Mirrors: which URL stands for which, in both directions."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.projects import WHL
from torchconf.catalog import load_catalog
from torchconf.errors import TorchconfError
from torchconf.model.mirrors import MirrorSetting, listed_mirrors

CATALOG = load_catalog()
FAMILIES = {one.name: one.url for one in CATALOG.families if one.url}


def setting(family: str, url: str) -> MirrorSetting:
    return MirrorSetting(family, url, "here")


@pytest.mark.parametrize(
    ("family", "mirror", "official", "copy"),
    [
        # A prefix takes the place of the beginning.
        ("pytorch", "https://m.example/pt", f"{WHL}/cu130", "https://m.example/pt/cu130"),
        ("pytorch", "https://m.example/pt/", f"{WHL}/cu130", "https://m.example/pt/cu130"),
        ("pytorch", "https://m.example", f"{WHL}/nightly/cpu", "https://m.example/nightly/cpu"),
        (
            "astral", "https://m.example/a",
            "https://wheels.astral.sh/simple/cu130/", "https://m.example/a/cu130",
        ),
        ("nvidia", "https://m.example/nv", "https://pypi.nvidia.com", "https://m.example/nv"),
        (
            "pyg", "https://m.example/pyg", "https://data.pyg.org/whl/torch-2.13.0+cu130.html",
            "https://m.example/pyg/torch-2.13.0+cu130.html",
        ),
        # A pattern has the placeholders of the family, wherever it likes.
        ("pytorch", "https://m.example/p-{backend}/s", f"{WHL}/cu130", "https://m.example/p-cu130/s"),
        ("pytorch", "https://m.example/{build}/{build}", f"{WHL}/cpu", "https://m.example/cpu/cpu"),
        (
            "jetson", "https://m.example/j/{build}",
            "https://pypi.jetson-ai-lab.io/jp6/cu126/+simple", "https://m.example/j/jp6/cu126",
        ),
        (
            "pyg", "https://m.example/{build}/{torch}/",
            "https://data.pyg.org/whl/torch-2.13.0+cu130.html", "https://m.example/cu130/2.13.0/",
        ),
    ],
)  # fmt: skip
def test_both_directions(family: str, mirror: str, official: str, copy: str) -> None:
    catalog = CATALOG.mirrored([setting(family, mirror)])
    assert catalog.placed(official).rstrip("/") == copy.rstrip("/")
    assert catalog.real(copy).rstrip("/") == official.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "https://m.example/whole/cu130", "https://m.example/p", "https://pypi.nvidia.com",
        "https://download.pytorch.org/whlx/cu130", "", "cu130",
    ],
)  # fmt: skip
def test_other_urls_stay_as_they_are(url: str) -> None:
    catalog = CATALOG.mirrored([setting("pytorch", "https://m.example/pt")])
    assert catalog.placed(url) == catalog.real(url) == url
    assert CATALOG.placed(url) == CATALOG.real(url) == url


def test_the_mirror_that_names_most_of_a_url_counts() -> None:
    catalog = CATALOG.mirrored(
        [
            setting("pytorch", "https://m.example/all"),
            setting("pytorch-nightly", "https://n.example/{build}"),
        ]
    )
    assert catalog.placed(f"{WHL}/cpu") == "https://m.example/all/cpu"
    assert catalog.placed(f"{WHL}/nightly/cpu") == "https://n.example/cpu"
    assert catalog.backend_of_url("https://n.example/cpu") == catalog.backend("cpu-nightly")


def test_what_a_mirror_serves_is_what_its_index_serves() -> None:
    catalog = CATALOG.mirrored(
        [
            setting("pytorch", "https://m.example/x-{backend}"),
            setting("astral", "https://m.example/y"),
            setting("pypi", "https://m.example/z"),
        ]
    )
    # Nothing in these URLs says so.
    assert CATALOG.backend_of_url("https://m.example/x-cu130") is None
    assert catalog.backend_of_url("https://m.example/x-cu130") == CATALOG.backend("cu130")
    assert catalog.serves("https://m.example/x-cu130", "torch") is True
    family = catalog.family_of("https://m.example/y/cu130")
    assert family is not None
    assert (family.name, family.url) == ("astral", "https://m.example/y/{build}")
    assert catalog.build_of_index("https://m.example/z") == CATALOG.backend("pypi")
    assert catalog.view("nightly").mirrors == catalog.mirrors


@pytest.mark.parametrize(
    ("mirror", "base"),
    [
        ("https://m.example/pt", "https://m.example/pt"),
        ("https://m.example/{build}/s", "https://m.example/{backend}/s"),
    ],
)
def test_where_a_refresh_reads(mirror: str, base: str) -> None:
    assert (CATALOG.base_to_read, CATALOG.pypi_to_read) == (CATALOG.base_url, None)
    catalog = CATALOG.mirrored([setting("pytorch", mirror), setting("pypi", "https://m.example/i")])
    assert (catalog.base_to_read, catalog.pypi_to_read) == (base, "https://m.example/i")


@settings(max_examples=20)
@given(
    st.sampled_from(sorted(FAMILIES)),
    st.from_regex(r"[a-z]{1,8}(/[a-z0-9-]{1,8}){0,2}", fullmatch=True),
)
def test_there_and_back(family: str, path: str) -> None:
    catalog = CATALOG.mirrored([setting(family, f"https://mirror.example/{path}")])
    url = FAMILIES[family].replace("{build}", "cu130").replace("{torch}", "2.13.0")
    copy = catalog.placed(url)
    assert copy.startswith("https://mirror.example/")
    assert catalog.real(copy).rstrip("/") == url.rstrip("/")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("https://m.example", "expected a table of mirrors"),
        (["https://m.example"], "expected a table of mirrors"),
        ({"pytorch": 3}, "expected the URL of a mirror"),
        ({"pytorch": {"url": "https://m.example"}}, "expected the URL of a mirror"),
        ({"pytorch": "m.example"}, "`m.example` is not the URL of a mirror"),
        ({"pytorch": "https://m.example/{"}, "`https://m.example/{` is not the URL of a mirror"),
        ({"pytorch": "https://u:secret@m.example"}, "must not contain credentials"),
        ({"pytorch": "https://m.example?token=secret"}, "must not contain credentials"),
        ({"pytorh": "https://m.example"}, "unknown family of indexes `pytorh`"),
        ({"jetson-old": "https://m.example"}, "unknown family of indexes `jetson-old`"),
        ({"pytorch": "https://m.example/{torch}"}, "has other placeholders than https://download"),
        ({"nvidia": "https://m.example/{build}"}, "has other placeholders than https://pypi.nvidia"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_its_place(table: object, message: str) -> None:
    with pytest.raises(TorchconfError) as caught:
        CATALOG.mirrored(listed_mirrors(table, "file.toml, tool.torchconf.indexes"))
    assert message in caught.value.message
    assert (caught.value.at or "").startswith("file.toml, tool.torchconf.indexes")
    assert caught.value.help
    assert "secret" not in caught.value.spoken()
    assert caught.value.exit_code == 2
