"""Poetry's constraints as specifiers: examples, and poetry-core as the judge of all others."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet
from poetry.core.constraints.version import Version, parse_constraint
from poetry.core.packages.utils.utils import create_nested_marker
from poetry.core.version.markers import parse_marker

from torchconf.migrate.poetry_versions import (
    NoSpecifier,
    as_marker,
    convert,
    with_prereleases,
)


@pytest.mark.parametrize(
    ("text", "specifier", "label"),
    [
        ("^2.4", ">=2.4,<3", ""),
        ("^2.4.0+cu124", ">=2.4.0,<3", "cu124"),
        ("^0.19.1", ">=0.19.1,<0.20", ""),
        ("^0.0.3", ">=0.0.3,<0.0.4", ""),
        ("^0.0", ">=0.0,<0.1", ""),
        ("^0", ">=0,<1", ""),
        ("^2.5.0rc1", ">=2.5.0rc1,<3", ""),
        ("~2", ">=2,<3", ""),
        ("~2.4", ">=2.4,<2.5", ""),
        ("~2.4.1", ">=2.4.1,<2.5", ""),
        ("~=2.4", "~=2.4", ""),
        ("~=2", ">=2,<3", ""),
        ("*", "", ""),
        ("2.*", "==2.*", ""),
        ("==2.1.*", "==2.1.*", ""),
        ("!=2.1.*", "!=2.1.*", ""),
        (">=2.*", ">=2", ""),
        ("2.4.1", "==2.4.1", ""),
        ("=2.4.1", "==2.4.1", ""),
        ("==2.1.0+cu118", "==2.1.0", "cu118"),
        ("2.1.0+cpu", "==2.1.0", "cpu"),
        (">=2,<3", ">=2,<3", ""),
        (">= 2.0 , < 3", ">=2.0,<3", ""),
        (">=2 <3", ">=2,<3", ""),
        (">=2.0,<3,!=2.1.0,", ">=2.0,<3,!=2.1.0", ""),
        ("^1.13 || ^2.0", ">=1.13,<3", ""),
        ("^2.0 | ^1.13", ">=1.13,<3", ""),
        ("^1 || ^3", ">=1,<4,!=2.*", ""),
        (">=2,<2.1 || >=2.3", ">=2,!=2.1.*,!=2.2.*", ""),
        ("<2 || >=2", "", ""),
        ("<2 || >2", "!=2", ""),
        (">=3.9,<3.9.7 || >3.9.7,<4.0", ">=3.9,<4.0,!=3.9.7", ""),
        ("<2 || ==2.0", "<=2.0", ""),
        (">2 || ==2", ">=2", ""),
        ("^2 || *", "", ""),
        ("v2.4", "==2.4", ""),
    ],
)
def test_a_constraint_becomes(text: str, specifier: str, label: str) -> None:
    assert convert(text) == (specifier, label)


@pytest.mark.parametrize(
    ("text", "specifier"),
    [("^3.10", ">=3.10,<4.0"), ("~3.10", ">=3.10,<3.11"), (">=3.9,<3.13", ">=3.9,<3.13")],
)
def test_the_bound_of_a_python_has_two_parts(text: str, specifier: str) -> None:
    assert convert(text, parts=2).specifier == specifier


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "`` is not a version"),
        ("newest", "`newest` is not a version"),
        ("^2.*", "`^2.*` is not a version"),
        ("===2.0", "`===2.0` is not a version"),
        ("<>2.0", "`<>2.0` is not a version"),
        ("^2.0 ||", "`` is not a version"),
        ("1.0 || 2.0", "no specifier means the same as `1.0 || 2.0`"),
        ("~1.13 || ^2.1", "no short specifier means the same as `~1.13 || ^2.1`"),
        ("2.0+cu118 || 2.0+cpu", "`2.0+cu118 || 2.0+cpu` names several builds"),
        ("!=2.0+cpu", "`!=2.0+cpu` excludes one build"),
        ("9" * 5000, "the version is too long to be one"),
    ],
)
def test_what_no_specifier_says_is_refused(text: str, why: str) -> None:
    with pytest.raises(NoSpecifier) as raised:
        convert(text)
    assert str(raised.value) == why


@pytest.mark.parametrize(
    ("specifier", "after"),
    [
        ("", ">=0.dev0"),
        (">=2.4,<3", ">=2.4.dev0,<3"),
        ("<3", ">=0.dev0,<3"),
        ("==2.4", "==2.4"),
        (">=2.4rc1", ">=2.4rc1"),
    ],
)
def test_pre_releases_are_admitted_by_a_bound(specifier: str, after: str) -> None:
    assert with_prereleases(specifier) == after


PART = st.integers(0, 3).map(str)
RELEASE = st.lists(PART, min_size=1, max_size=4).map(".".join)
VERSION = st.builds("{}{}".format, RELEASE, st.sampled_from(["", "", "", "rc1", ".post1", "+cu1"]))
CLAUSE = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "=", "==", "!=", ">=", "<=", "<", ">", "^", "~", "~="]),
    st.sampled_from(["", "", " "]),
    VERSION,
    st.sampled_from(["", "", "", ".*"]),
) | st.sampled_from(["*", "x"])
CONSTRAINT = st.lists(
    st.lists(CLAUSE, min_size=1, max_size=2).flatmap(
        lambda clauses: st.sampled_from([",", ", ", " , ", " "]).map(lambda by: by.join(clauses))
    ),
    min_size=1,
    max_size=3,
).flatmap(lambda choices: st.sampled_from(["|", " || "]).map(lambda by: by.join(choices)))
RELEASES = sorted({f"{a}.{b}.{c}" for a in range(5) for b in range(5) for c in (0, 1, 3, 4)})


@given(CONSTRAINT)
def test_the_specifier_admits_what_poetry_admits(text: str) -> None:
    try:
        specifier, label = convert(text)
    except NoSpecifier as error:
        # Of a pre-release, Poetry has wildcards; Python's standard has none.
        if "is not a version" in str(error) and not re.search(r"(rc1|post1|cu1)\.\*", text):
            with pytest.raises(ValueError, match=r"parse|version|Invalid"):
                parse_constraint(text)
        return
    judge = parse_constraint(text.replace("+cu1", ""))
    ours = SpecifierSet(specifier)
    assert (label == "cu1") == ("+cu1" in text)
    for release in RELEASES:
        assert ours.contains(release) == judge.allows(Version.parse(release)), release


PYTHONS = ["2.7.18", *(f"3.{minor}.{patch}" for minor in range(6, 15) for patch in (0, 1, 9))]
PYTHON = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "==", "!=", ">=", "<=", "<", ">", "^", "~", "~="]),
    st.sampled_from(["3", "3.6", "3.9", "3.10", "3.9.1", "3.12.0", "2.7"]),
    st.sampled_from(["", "", ".*"]),
)


@given(st.lists(PYTHON, min_size=1, max_size=3).map(",".join))
def test_the_marker_holds_where_poetrys_holds(text: str) -> None:
    try:
        marker = as_marker(convert(text, parts=2).specifier)
    except NoSpecifier:
        return
    constraint = parse_constraint(text)
    if constraint.is_empty() or (isinstance(constraint, Version) and "," in text):
        return
    judge = parse_marker(create_nested_marker("python_version", constraint))
    for python in PYTHONS:
        here = {
            "python_version": ".".join(python.split(".")[:2]),
            "python_full_version": python,
        }
        held = Marker(marker).evaluate(here) if marker else True
        assert held == judge.validate(here), python
