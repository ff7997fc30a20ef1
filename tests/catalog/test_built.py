"""Packages that are built against torch: who has which wheels, and how much of that is known."""

from __future__ import annotations

import pytest

from torchconf.catalog import Answer, Catalog, load_catalog
from torchconf.model.targets import PLATFORMS

YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN
BY_KEY = {platform.key: platform for platform in PLATFORMS}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


@pytest.mark.parametrize(
    ("package", "family", "line", "build", "platform", "answer"),
    [
        # A table that lists all builds of a line says what is not there, too.
        ("flash-attn", "astral", "2.12", "cu130", "linux-x86_64", YES),
        ("flash-attn", "astral", "2.12", "cu130", "linux-aarch64", YES),
        ("flash-attn", "astral", "2.12", "cu128", "linux-x86_64", NO),
        ("pytorch3d", "astral", "2.11", "cu130", "linux-x86_64", NO),
        # Of a line that no table names nobody knows, but for what the family has nowhere.
        ("flash-attn", "astral", "2.15", "cu130", "linux-x86_64", UNKNOWN),
        ("flash-attn", "astral", "2.15", "cpu", "linux-x86_64", NO),
        ("flash-attn", "astral", "2.15", "cu130", "windows-x86_64", NO),
        ("flash-attn", "astral", "2.15", "rocm7.2", "linux-x86_64", NO),
        # A page lists one build; of the others of its line nothing is known.
        ("torch-sparse", "pyg", "2.12", "cu130", "linux-x86_64", YES),
        ("torch-sparse", "pyg", "2.12", "cu130", "windows-x86_64", NO),
        ("torch-sparse", "pyg", "2.12", "cu126", "windows-x86_64", UNKNOWN),
        # Nobody has said which wheels there are.
        ("natten", "astral", "2.12", "cu130", "linux-x86_64", UNKNOWN),
    ],
)
def test_the_three_answers(
    catalog: Catalog, package: str, family: str, line: str, build: str, platform: str,
    answer: Answer,
) -> None:  # fmt: skip
    home = next(one for one in catalog.built.homes(package) if one.name == family)
    assert catalog.built.has(package, home, line, build, BY_KEY[platform]) is answer


def test_the_index_of_a_build_is_read_back(catalog: Catalog) -> None:
    """What is written for a line and a build is understood as that, with `+` or `%2B`."""
    for family in catalog.built.families:
        for build in family.builds if family.url else ():
            url = family.index_url(build, "2.13")
            line = "2.13" if "{torch}" in family.url else ""
            assert family.page(url) == family.page(url.replace("+", "%2B")) == (build, line)
            assert catalog.family_of(url) == family


def test_lines_are_sorted_as_versions(catalog: Catalog) -> None:
    lines = catalog.built.lines("torch-scatter")
    assert lines[:3] == ("2.12", "2.11", "2.10")
    assert catalog.built.lines("natten") == ()


def test_torch_and_its_companions_are_not_among_them(catalog: Catalog) -> None:
    assert catalog.built.packages.isdisjoint({*catalog.family, "torch-npu", "tensorrt"})
    assert {"flash-attn", "vllm", "pyg-lib", "pytorch3d"} <= catalog.built.packages


def test_a_catalog_of_an_older_torchconf_knows_none() -> None:
    from torchconf.catalog import validated

    data = {key: value for key, value in load_catalog()._data.items() if key != "built"}
    built = Catalog(validated(data, "test")).built
    assert built.lines("flash-attn") == ()
    assert built.source("flash-attn") is None
