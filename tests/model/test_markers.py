"""Markers: each platform is in exactly one of them, whatever is asked for."""

from __future__ import annotations

from itertools import combinations, product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from packaging.markers import Marker

from torchconf.catalog import Answer, load_catalog
from torchconf.layout.layouts import LAYOUTS, Layout, Scope, make_scopes, widened
from torchconf.model.backends import PYPI, Backend
from torchconf.model.markers import (
    Area,
    are_closed_cells,
    areas,
    closed_cells,
    holds,
    overlap,
    platform_marker,
    render_areas,
    render_rest,
    same_platforms,
    split_by,
)
from torchconf.model.targets import PLATFORMS, Platform, Target

CATALOG = load_catalog()
KNOWN = {platform.key: platform for platform in PLATFORMS}
LINUX, LINUX_ARM = KNOWN["linux-x86_64"], KNOWN["linux-aarch64"]
WINDOWS, WINDOWS_ARM = KNOWN["windows-x86_64"], KNOWN["windows-arm64"]
MACOS, MACOS_INTEL = KNOWN["macos-arm64"], KNOWN["macos-x86_64"]

# The known platforms, a machine of each system that nobody names, and a system that nobody names.
SYSTEMS = {"linux": "linux", "windows": "win32", "macos": "darwin", "other": "freebsd14"}
MACHINES = ("x86_64", "aarch64", "AMD64", "ARM64", "arm64", "riscv64")
WORLD = [
    {"sys_platform": system, "platform_machine": machine}
    for system, machine in product(SYSTEMS.values(), MACHINES)
]


def where(marker: str | None) -> frozenset[int]:
    """Return the numbers of the places where a marker holds."""
    everywhere = frozenset(range(len(WORLD)))
    if marker is None:
        return everywhere
    parsed = Marker(marker)
    return frozenset(number for number in everywhere if parsed.evaluate(WORLD[number]))


def is_partition(markers: list[str | None]) -> bool:
    """Tell whether every place is in exactly one of these markers."""
    return sorted(number for marker in markers for number in where(marker)) == list(
        range(len(WORLD))
    )


# Text.


@pytest.mark.parametrize(
    ("named", "own", "rest"),
    [
        ([Area("linux")], "sys_platform == 'linux'", "sys_platform != 'linux'"),
        (
            [Area("linux"), Area("windows")],
            "sys_platform == 'linux' or sys_platform == 'win32'",
            "sys_platform != 'linux' and sys_platform != 'win32'",
        ),
        (
            [Area("linux", "x86_64")],
            "sys_platform == 'linux' and platform_machine == 'x86_64'",
            "sys_platform != 'linux' or platform_machine != 'x86_64'",
        ),
        (
            [Area("linux", "x86_64"), Area("windows")],
            "(sys_platform == 'linux' and platform_machine == 'x86_64') or sys_platform == 'win32'",
            "(sys_platform != 'linux' or platform_machine != 'x86_64') and sys_platform != 'win32'",
        ),
        (
            [Area("linux", without=("x86_64",))],
            "sys_platform == 'linux' and platform_machine != 'x86_64'",
            "sys_platform != 'linux' or platform_machine == 'x86_64'",
        ),
    ],
)
def test_marker_is_as_short_as_it_can_be(named: list[Area], own: str, rest: str) -> None:
    assert (render_areas(named), render_rest(named)) == (own, rest)


@pytest.mark.parametrize(
    ("platforms", "apart", "expected"),
    [
        ([LINUX], [], (Area("linux"),)),
        ([LINUX], [WINDOWS], (Area("linux"),)),
        ([LINUX], [LINUX_ARM], (Area("linux", "x86_64"),)),
        ([LINUX, LINUX_ARM], [], (Area("linux"),)),
        ([LINUX, WINDOWS], [WINDOWS_ARM], (Area("linux"), Area("windows", "AMD64"))),
        ([MACOS, LINUX], [MACOS_INTEL], (Area("linux"), Area("macos", "arm64"))),
    ],
)
def test_machine_is_named_only_where_another_one_must_stay_apart(
    platforms: list[Platform], apart: list[Platform], expected: tuple[Area, ...]
) -> None:
    assert areas(platforms, apart=apart) == expected


def test_marker_of_a_platform_holds_there_alone() -> None:
    for one, other in product(PLATFORMS, PLATFORMS):
        assert holds(platform_marker(one), other) == (one == other)


LINUX_CELL, MACOS_CELL, WINDOWS_CELL = CELLS = (
    "sys_platform == 'linux'",
    "sys_platform == 'darwin'",
    "sys_platform == 'win32'",
)
X86, NOT_X86 = (f"{LINUX_CELL} and platform_machine {sign} 'x86_64'" for sign in ("==", "!="))
NEITHER = "platform_machine != 'x86_64' and platform_machine != 'aarch64'"


@pytest.mark.parametrize(
    ("markers", "expected"),
    [
        ([], ()),
        (["python_version < '3.12' or python_version >= '3.12'"], ()),
        ([LINUX_CELL, "sys_platform != 'linux'"], CELLS),
        (["sys_platform == 'linux' or sys_platform == 'win32'"], CELLS),
        (["platform_system == 'Windows'"], CELLS),
        (
            [X86, "sys_platform != 'linux' or platform_machine != 'x86_64'"],
            (X86, NOT_X86, *CELLS[1:]),
        ),
        (
            [X86, f"{LINUX_CELL} and platform_machine == 'aarch64'"],
            (X86, X86.replace("x86_64", "aarch64"), f"{LINUX_CELL} and {NEITHER}", *CELLS[1:]),
        ),
        (
            [f"{LINUX_CELL} and platform_machine == 'ppc64le'"],
            (X86.replace("x86_64", "ppc64le"), NOT_X86.replace("x86_64", "ppc64le"), *CELLS[1:]),
        ),
        (
            ["platform_machine == 'x86_64'"],
            tuple(
                f"{cell} and platform_machine {sign} 'x86_64'"
                for cell in CELLS
                for sign in ("==", "!=")
            ),
        ),
    ],
)
def test_cells_are_closed_and_split_by_each_machine_that_a_marker_names(
    markers: list[str], expected: tuple[str, ...]
) -> None:
    assert closed_cells(markers) == expected
    assert are_closed_cells(reversed(expected), markers) or not expected or "ppc" in markers[0]


ELSEWHERE = f"({NOT_X86}) or {MACOS_CELL} or {WINDOWS_CELL}"


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        ({"windows-x86_64", "macos-x86_64"}, (X86, NOT_X86, MACOS_CELL, WINDOWS_CELL)),
        ({"macos-arm64", "macos-x86_64"}, (X86, ELSEWHERE)),
        ({"linux-aarch64"}, (X86, ELSEWHERE)),
        ({"linux-x86_64"}, (X86, NOT_X86, MACOS_CELL, WINDOWS_CELL)),
    ],
)
def test_a_cell_without_wheels_goes_together_with_the_others_of_its_kind(
    missing: set[str], expected: tuple[str, ...]
) -> None:
    markers = [X86, "sys_platform != 'linux' or platform_machine != 'x86_64'"]
    found = closed_cells(markers, lambda platform: platform.key in missing)
    assert found == expected
    assert are_closed_cells(reversed(found), markers)
    assert not are_closed_cells(found[1:], markers)
    assert not are_closed_cells([*found[:-1], f"{LINUX_CELL} or {found[-1]}"], markers)


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([], CELLS),
        (
            ["sys_platform == 'darwin'", "sys_platform != 'darwin'"],
            (MACOS_CELL, LINUX_CELL, WINDOWS_CELL),
        ),
        (["platform_machine == 'x86_64'", "platform_machine != 'x86_64'"], CELLS),
        (["sys_platform != 'darwin'"], (LINUX_CELL, WINDOWS_CELL)),
        (["sys_platform != 'linux' and sys_platform != 'win32'"], (MACOS_CELL,)),
        ([f"{LINUX_CELL} and python_version < '3.14'"],) * 2,
        (
            ["python_version < '3.14'"],
            tuple(f"python_version < '3.14' and {cell}" for cell in CELLS),
        ),
    ],
)
def test_entries_are_split_by_cells_and_never_widened(
    entries: list[str], expected: tuple[str, ...]
) -> None:
    assert split_by(entries, CELLS) == tuple(expected)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("sys_platform == 'linux'", "platform_system == 'Linux'", True),
        ("sys_platform == 'win32'", "os_name == 'nt'", True),
        (
            "sys_platform == 'linux' or sys_platform == 'win32'",
            "sys_platform == 'win32' or sys_platform == 'linux'",
            True,
        ),
        (
            "sys_platform != 'linux' and sys_platform != 'win32'",
            "sys_platform == 'darwin'",
            False,
        ),
        (
            "sys_platform == 'linux'",
            "sys_platform == 'linux' and platform_machine == 'x86_64'",
            False,
        ),
        (None, "sys_platform == 'linux' or sys_platform != 'linux'", True),
        (None, "sys_platform == 'linux'", False),
    ],
)
def test_markers_are_the_same_if_they_mean_the_same_platforms(
    one: str | None, other: str, same: bool
) -> None:
    assert (same_platforms(one) == same_platforms(other)) is same


def test_markers_overlap_where_both_hold() -> None:
    assert overlap("sys_platform == 'linux'", "platform_machine == 'x86_64'")
    assert not overlap("sys_platform == 'linux'", "sys_platform != 'linux'")
    assert not overlap("sys_platform == 'darwin'", "platform_machine == 'AMD64'")


# Whatever is asked for.

a_set_of_platforms = st.sets(st.sampled_from(PLATFORMS), min_size=1)


@given(a_set_of_platforms, st.sets(st.sampled_from(PLATFORMS)))
def test_areas_hold_what_they_name_and_nothing_that_must_stay_apart(
    named: set[Platform], others: set[Platform]
) -> None:
    apart = others - named
    found = areas(named, apart=apart)
    own, rest = render_areas(found), render_rest(found)
    assert all(holds(own, platform) for platform in named)
    assert not any(holds(own, platform) for platform in apart)
    assert is_partition([own, rest])
    for one, other in combinations(found, 2):
        assert not where(render_areas([one])) & where(render_areas([other]))


@st.composite
def pieces(draw: st.DrawFn) -> dict[Area, str]:
    """Draw which index serves which area, in one scope: no two areas overlap."""
    found: dict[Area, str] = {}
    backend = st.sampled_from(["cu130", "cu126", "rocm7.2"])
    for system, machines in (
        ("linux", ("x86_64", "aarch64")),
        ("windows", ("AMD64", "ARM64")),
        ("macos", ("arm64", "x86_64")),
    ):
        match draw(st.sampled_from(["nothing", "all", "some", "all but"])):
            case "all":
                found[Area(system)] = draw(backend)
            case "some":
                for machine in draw(st.sets(st.sampled_from(machines), min_size=1)):
                    found[Area(system, machine)] = draw(backend)
            case "all but":
                out = draw(st.sets(st.sampled_from(machines), min_size=1))
                found[Area(system, without=tuple(sorted(out)))] = draw(backend)
            case _:
                pass
    return found


KNOWN_SYSTEMS = frozenset(
    number for number, place in enumerate(WORLD) if place["sys_platform"] != SYSTEMS["other"]
)


def are_cells_of(found: tuple[str, ...], markers: list[str]) -> bool:
    """Tell whether cells are disjoint, hold the known systems, and are cut by no marker."""
    held = [number for cell in found for number in where(cell)]
    return sorted(held) == sorted(KNOWN_SYSTEMS) and all(
        where(cell) & where(marker) in (frozenset(), where(cell))
        for cell in found
        for marker in markers
    )


@given(st.lists(pieces(), min_size=1, max_size=3))
def test_cells_hold_each_known_system_and_no_marker_cuts_them(
    scopes: list[dict[Area, str]],
) -> None:
    markers = [render_areas([area]) for scope in scopes for area in scope]
    found = closed_cells(markers)
    assert (found == ()) == (markers == [])
    assert found == () or are_cells_of(found, markers)


BACKENDS = [CATALOG.backends[name] for name in ("cpu", "cu126", "cu130", "rocm7.2", "xpu")]
TARGETS = [
    Target(platform, backend)
    for platform in PLATFORMS
    for backend in (*BACKENDS, PYPI)
    if backend == PYPI or platform.key in CATALOG.accelerator(backend).platforms
]
some_targets = st.lists(st.sampled_from(TARGETS), min_size=1, max_size=6, unique=True)


def lacks(backend: Backend, platform: Platform) -> bool:
    """Tell whether today's torch is known to be missing there."""
    release = CATALOG.releases[3]
    return all(
        CATALOG.available("torch", release, backend, platform, python) is Answer.NO
        for python in CATALOG.pythons
    )


def scopes_of(layout: Layout, targets: list[Target]) -> tuple[Scope, ...]:
    return make_scopes(layout, targets, CATALOG, {}, lacks)


@given(st.sampled_from(LAYOUTS), some_targets)
def test_every_scope_serves_each_platform_once_and_each_target_as_asked(
    layout: Layout, targets: list[Target]
) -> None:
    if layout == "markers":
        assume(len({target.platform for target in targets}) == len(targets))
    scopes = scopes_of(layout, targets)
    for scope in scopes:
        markers = {backend: scope.marker(backend) for backend in scope.backends()}
        served = [number for marker in markers.values() for number in where(marker)]
        assert len(served) == len(set(served)), "never from two indexes"
        if scope.rest != PYPI and PYPI not in {backend for _, backend in scope.served}:
            assert sorted(served) == list(range(len(WORLD))), "and never from none"
    for target in targets:
        own = [scope for scope in scopes if scope.kind == "" or scope.backend == target.backend]
        assert [scope.at(target.platform) for scope in own] == [target.backend]


@given(st.sampled_from(["extras", "groups"]), some_targets)
def test_under_a_scope_other_platforms_get_the_cpu_build(
    layout: Layout, targets: list[Target]
) -> None:
    for scope in scopes_of(layout, targets):
        wanted = {target.platform for target in targets if target.backend == scope.backend}
        targeted = {target.platform for target in targets}
        for platform in targeted - wanted:
            only_pypi = all(target.backend == PYPI for target in targets)
            assert scope.at(platform) == (PYPI if only_pypi else CATALOG.fallback)


@given(some_targets)
def test_environments_are_cut_where_the_sources_of_groups_are(targets: list[Target]) -> None:
    scopes = widened(scopes_of("groups", targets))
    markers = [m for scope in scopes for b in scope.backends() if (m := scope.marker(b))]
    found = closed_cells(markers)
    assert (found == ()) == (markers == [])
    assert found == () or are_cells_of(found, markers)
