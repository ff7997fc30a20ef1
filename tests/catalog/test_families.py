"""Families of indexes: data that says where an index belongs, validated when it is read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from packaging.version import Version

from torchconf.catalog import Answer, Catalog, load_catalog
from torchconf.catalog.compile import FACTS
from torchconf.catalog.families import Family, parse_families
from torchconf.errors import CatalogError
from torchconf.model.targets import PLATFORMS

BY_KEY = {platform.key: platform for platform in PLATFORMS}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://download.pytorch.org/whl/nightly/cu134", "pytorch-nightly"),
        ("https://download.pytorch.org/whl/test/cu132", "pytorch-test"),
        ("https://download.pytorch.org/whl/rocm7.14", "pytorch-rocm7.14"),
        ("https://stable.repo.amd.com/rocm/whl-next/", "amd-next"),
        ("https://repo.amd.com/rocm/whl-multi-arch/", "amd-stable"),
        ("https://repo.amd.com/rocm/whl/gfx1151/", "amd-gpu"),
        ("https://rocm.nightlies.amd.com/v2/gfx1151/", "amd-nightly"),
        ("https://repo.radeon.com/rocm/windows/rocm-rel-7.2.1/", "amd-flat"),
        ("https://wheels.astral.sh/simple/cu130/", "astral"),
        ("https://data.pyg.org/whl/torch-2.13.0+cu130.html", "pyg"),
        ("https://wheels.vllm.ai/0.22.1/cu129", "vllm"),
        ("https://flashinfer.ai/whl/cu130", "flashinfer"),
        ("https://pypi.jetson-ai-lab.io/sbsa/cu130/+simple", "jetson"),
        ("https://pypi.nvidia.com/nvtorch_oot/", "nvidia-windows-arm"),
        ("https://pypi.nvidia.com", "nvidia"),
        ("https://PYPI.NVIDIA.COM/", "nvidia"),
        # None of them: PyTorch's stable index, a mirror, and names that only end alike.
        ("https://download.pytorch.org/whl/cu132", None),
        ("https://mirror.example.org/pytorch/nightly/cu132", None),
        ("https://notamd.com/rocm/whl/gfx1151/", None),
        ("file:///srv/wheels.astral.sh", None),
    ],
)
def test_a_url_tells_the_family(catalog: Catalog, url: str, name: str | None) -> None:
    family = catalog.family_of(url)
    assert (family and family.name) == name


def test_the_url_of_each_family_is_of_that_family(catalog: Catalog) -> None:
    for family in catalog.families:
        for build in family.builds or ("x",):
            if family.url:
                url = family.index_url(build)
                url = url.replace("{torch}", "2.13.0").replace("{version}", "1.0")
                assert catalog.family_of(url) == family


def test_only_builds_of_others_are_a_publishers(catalog: Catalog) -> None:
    """PyTorch's own families are no publisher's; an empty text stands for none of its packages."""
    found = {family.name: catalog.publisher(f"https://{at}/") for family in catalog.families
             for at in family.at[:1]}  # fmt: skip
    assert found["pytorch-nightly"] is found["pytorch-rocm7.14"] is None
    assert found["astral"] == found["nvidia"] == ""
    assert found["amd-gpu"] == "AMD's wheels for ROCm"


def test_every_machine_that_fits_has_an_index(catalog: Catalog) -> None:
    fits = [(family, fit) for family in catalog.families for fit in family.fits]
    assert fits
    for family, fit in fits:
        assert "{" not in fit.url
        assert fit.platform in family.platforms
        assert fit.wheels
        place = catalog.elsewhere(fit.maker, BY_KEY[fit.platform], fit.jetson)
        assert place is not None
        assert place.startswith(f"{fit.wheels} are at `{fit.url}`: target `")


@pytest.mark.parametrize(
    ("package", "there"),
    [("torch", True), ("rocm", True), ("rocm-sdk-device-gfx1100", True), ("rocm-sdk", False)],
)
def test_a_family_has_its_closure(catalog: Catalog, package: str, there: bool) -> None:
    family = catalog.family_of("https://download.pytorch.org/whl/rocm7.14")
    assert family is not None
    assert family.has(package) == there


GOOD: dict[str, Any] = {
    "name": "a", "title": "A's wheels", "by": "A", "packages": ["torch"], "sure": "seen",
    "at": ["a.example.org"], "url": "https://a.example.org/{build}",
}  # fmt: skip


def test_what_nobody_knows_may_be_left_out() -> None:
    (family,) = parse_families([GOOD], "x")
    assert family == Family(
        "a", "A's wheels", "A", ("torch",), "seen", ("a.example.org",), GOOD["url"]
    )
    assert not family.platforms
    assert not family.wheels


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"name": ""}, "name"),
        ({"sure": None}, "sure"),
        ({"packages": []}, "packages"),
        ({"packages": "torch"}, "packages"),
        ({"packages": [1]}, "packages"),
        ({"bound": ["torch", "moon"]}, "bound"),
        ({"flat": "yes"}, "flat"),
        ({"url": "http://a.example.org/{build}"}, "url"),
        ({"url": "https://b.example.org/{build}"}, "url"),
        ({"fits": [{"maker": "amd"}]}, "fits"),
        ({"fits": ["amd"]}, "fits"),
        ({"accelerator": {"name": "a"}}, "accelerator"),
        ({"seen": [{"package": "torch"}]}, "evidence"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_family_that_is_wrong_is_refused_by_name(change: dict[str, Any], key: str) -> None:
    with pytest.raises(CatalogError, match=f"no usable `{key}` of the family `"):
        parse_families([{**GOOD, **change}], "x")


def test_two_families_of_one_name_are_refused() -> None:
    with pytest.raises(CatalogError, match="two families `a`"):
        parse_families([GOOD, GOOD], "x")


def test_every_build_of_others_has_a_name_that_leads_back_to_it(catalog: Catalog) -> None:
    """From the URL to the name, which targets have, and from the name to the URL."""
    found = 0
    for family in catalog.families:
        for build in family.builds or ("",):
            if family.accelerator:
                backend = catalog.backend_of_url(family.index_url(build))
                assert backend is not None
                assert backend.name == family.target_name(build)
                assert catalog.backends[backend.name] == backend
                assert catalog.index_url(backend) == family.index_url(build)
                assert catalog.publisher_of(backend) == family.name
                found += 1
    assert found > 5


def test_what_was_never_seen_of_others_is_unknown_and_not_missing(catalog: Catalog) -> None:
    linux = BY_KEY["linux-x86_64"]
    for name in catalog.names_of_others:
        backend = catalog.backend(name)
        if linux.key in catalog.accelerator(backend).platforms:
            answers = {
                release: catalog.available("torch", Version(release), backend, linux, "3.12")
                for release in ("2.9.1", "2.13.0", "2.15.0")
            }
            assert Answer.NO not in answers.values()
            assert answers["2.9.1"] is Answer.UNKNOWN


def test_the_facts_say_how_sure_each_family_is() -> None:
    families = json.loads((FACTS / "families.json").read_text(encoding="utf-8"))["families"]
    assert all(family["sure"] for family in families)
