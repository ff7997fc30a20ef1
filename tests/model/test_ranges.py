"""What a range admits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from torchconf.model.ranges import (
    admits_from,
    admits_newer,
    admits_python,
    joined_range,
    overlap,
    overlaps,
    public,
)


@pytest.mark.parametrize(
    ("specifier", "newer"),
    [
        ("", True),
        (">=2.11", True),
        (">2.13", True),
        ("!=2.14", True),
        ("<2.14", True),
        ("<3", True),
        ("==2.13.*", True),
        ("~=2.13.0", True),
        ("~=2.12", True),
        ("<=2.13.1", True),
        ("==2.14.0+cu130", True),
        ("===2.15.0", True),
        (">=2.13.0,!=2.13.1", True),
        ("<2.13", False),
        ("<2.13.0", False),
        ("<=2.13", False),
        ("<=2.13.0", False),
        ("==2.13.0", False),
        ("==2.13.0+cu130", False),
        ("==2.12.*", False),
        ("~=2.12.0", False),
        ("===2.13.0", False),
        ("===2.13.0+cu130", False),
        ("===nightly", False),
        (">=2.14,<2.14", False),
        ("==2.13.0.post1", False),
    ],
)
def test_a_range_admits_a_newer_release(specifier: str, *, newer: bool) -> None:
    assert admits_newer(SpecifierSet(specifier), Version("2.13.0")) is newer


@pytest.mark.parametrize(
    ("specifier", "reaches"),
    [
        (">=2.11", True),
        ("<2.12.1", True),
        ("<=2.12", True),
        ("==2.12.*", True),
        ("~=2.11", True),
        ("===2.12.0", True),
        ("<2.12", False),
        ("<2.12.0", False),
        ("<=2.11.9", False),
        ("==2.11.*", False),
        ("~=2.11.0", False),
        ("===2.11.0", False),
        ("<=2.12,!=2.12.0", False),
    ],
)
def test_a_range_reaches_a_release(specifier: str, *, reaches: bool) -> None:
    assert admits_from(SpecifierSet(specifier), "2.12") is reaches


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (">=2.11", "<2.12", True),
        (">=2.12", "<2.12", False),
        ("<2.12", ">=2.12", False),
        ("<=2.12", ">=2.12", True),
        ("<=2.12,!=2.12.0", ">=2.12", False),
        ("===2.12.0", ">=2.12", True),
        ("", ">=3", True),
    ],
)
def test_ranges_overlap(one: str, other: str, *, both: bool) -> None:
    assert overlaps(SpecifierSet(one), other) is both


_VERSIONS = st.sampled_from(["2.11", "2.12", "2.12.0", "2.12.1", "2.13", "2.13.0", "2.14", "3"])
_PARTS = st.builds(
    "{}{}".format, st.sampled_from(["<", "<=", ">", ">=", "==", "!=", "~=", "==="]), _VERSIONS
).filter(lambda part: part != "~=3")


@given(parts=st.lists(_PARTS, max_size=3), release=_VERSIONS)
def test_the_short_answers_are_those_of_the_algebra(parts: list[str], release: str) -> None:
    specifier = SpecifierSet(",".join(parts))
    assert admits_newer(specifier, Version(release)) is overlaps(specifier, f">{release}")
    assert admits_from(specifier, release) is overlaps(specifier, f">={release}")


@pytest.mark.parametrize(
    ("specifier", "admitted"),
    [
        ("", True),
        (">=3.12", True),
        (">=3.12.4", True),
        (">3.12", True),
        ("==3.12.4", True),
        ("==3.12.*", True),
        ("~=3.12.1", True),
        ("~=3.11", True),
        ("===3.12.1", True),
        ("<3.12.1", True),
        ("<=3.12", True),
        ("!=3.12.0", True),
        (">=3.12,<3.13", True),
        (">=3.13", False),
        ("<3.12", False),
        ("<=3.11", False),
        ("!=3.12.*", False),
        ("==3.11.*", False),
        ("~=3.11.0", False),
        ("===3.11.0", False),
        ("===pypy", False),
        (">3.12.4,<3.12.4", False),
    ],
)
def test_a_range_admits_some_patch_release_of_a_python(specifier: str, *, admitted: bool) -> None:
    assert admits_python(SpecifierSet(specifier), "3.12") is admitted


@pytest.mark.parametrize(
    ("specifier", "without"),
    [
        ("", ""),
        (">=2.8", ">=2.8"),
        ("==2.8.0+cu128", "==2.8.0"),
        ("===2.8.0+cu128", "===2.8.0"),
        ("!=2.8.0+cu128,>=2.7", "!=2.8.0,>=2.7"),
    ],
)
def test_a_range_without_local_labels(specifier: str, without: str) -> None:
    assert public(SpecifierSet(specifier)) == SpecifierSet(without)


@pytest.mark.parametrize(
    ("ranges", "joined"),
    [
        ([], ""),
        ([""], ""),
        ([">=2.11", "<2.14"], ">=2.11,<2.14"),
        (["<2.14,>=2.11"], ">=2.11,<2.14"),
        ([">=2.11", ">=2.13,<2.14"], ">=2.13,<2.14"),
        ([">=2.9", ">=2.11", ">2.10"], ">=2.11"),
        ([">=2.11", ">2.11"], ">2.11"),
        (["<3", "<=2.14", "<2.14"], "<2.14"),
        (["==2.12", "!=2.11,>=2"], "!=2.11,==2.12,>=2"),
        (["==2.12", "==2.12"], "==2.12"),
        ([">=2.11", ">=2.11.0"], ">=2.11"),
    ],
)
def test_ranges_joined_to_one(ranges: list[str], joined: str) -> None:
    assert joined_range(map(SpecifierSet, ranges)) == joined


@given(parts=st.lists(_PARTS, max_size=5), release=_VERSIONS)
def test_a_joined_range_admits_what_all_of_them_admit(parts: list[str], release: str) -> None:
    both = SpecifierSet(",".join(parts)).contains(release, prereleases=True)
    joined = joined_range(map(SpecifierSet, parts))
    assert SpecifierSet(joined).contains(release, prereleases=True) == both


NUMBERS = ["1", "1.0", "1.1", "1.1.1", "2", "2.0.1", "2.1a1", "2.1rc1", "2.1", "2.1.post1", "3"]
PARTS = st.one_of(
    st.builds("{}{}".format, st.sampled_from([">=", "<=", "<", ">"]), st.sampled_from(NUMBERS)),
    st.builds(
        "{}{}".format, st.sampled_from(["==", "!="]), st.sampled_from([*NUMBERS, "2.0+cpu", "2.*"])
    ),
    st.sampled_from(["~=1.0", "~=2.0", "~=2.0.1"]),
)
RANGES = st.lists(PARTS, max_size=3).map(lambda parts: SpecifierSet(",".join(parts)))


@given(RANGES, RANGES)
def test_ranges_overlap_where_their_algebra_says_so(one: SpecifierSet, other: SpecifierSet) -> None:
    assert overlap(one, other) is not (one.to_range() & other.to_range()).is_empty
