"""One dependency of Poetry, with poetry-core as the judge of where it is installed."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet
from poetry.core.constraints.version import Version
from poetry.core.factory import Factory

from torchconf.migrate.old import BASE, Need, Place
from torchconf.migrate.poetry_needs import needs_of

TABLE = st.fixed_dictionaries(
    {"version": st.sampled_from(["*", "^2.4", "~2.4", ">=2,<3", "2.4.1", "^1.13 || ^2.0"])},
    optional={
        "python": st.sampled_from(["^3.9", "~3.10", ">=3.9,<3.12", "3.10.*", "<=3.10", ">3.9"]),
        "platform": st.sampled_from(["linux", "win32", "!=darwin", "linux || darwin"]),
        "markers": st.sampled_from(
            [
                "sys_platform == 'linux'",
                "sys_platform != 'win32' and platform_machine == 'x86_64'",
                "python_version < '3.11' or sys_platform == 'darwin'",
            ]
        ),
        "extras": st.sampled_from([[], ["opt"], ["a", "b"]]),
    },
)
PLACES = [
    {
        "sys_platform": system,
        "platform_machine": "x86_64",
        "python_version": python.rpartition(".")[0],
        "python_full_version": python,
    }
    for system in ("linux", "win32", "darwin")
    for python in ("3.9.1", "3.10.0", "3.10.5", "3.12.1")
]
RELEASES = ["1.12.1", "1.13.0", "2.0.0", "2.4.0", "2.4.1", "2.5.0", "3.0.0"]


@settings(max_examples=60)
@given(TABLE)
def test_a_dependency_is_needed_where_poetry_needs_it(table: dict[str, object]) -> None:
    judge = Factory.create_dependency("torch", table)

    (need,) = needs_of("torch", table, Place("pyproject.toml", 1), "", [BASE])

    assert isinstance(need, Need)
    assert set(need.extras) == set(judge.extras)
    for place in PLACES:
        held = not need.marker or Marker(need.marker).evaluate(place)
        assert held == judge.marker.validate(place), place
    for release in RELEASES:
        admitted = SpecifierSet(need.specifier).contains(release)
        assert admitted == judge.constraint.allows(Version.parse(release)), release
