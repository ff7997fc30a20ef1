"""Sets of environments compared by unions: what comparing each with each gives."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from torchconf.resolve.overlaps import Overlaps, split_apart

POINTS = st.integers(min_value=0, max_value=(1 << 12) - 1)
FEW = st.sampled_from([1 << bit for bit in range(12)])


def one_by_one(whole: int, markers: list[int], supported: int) -> list[int]:
    parts = [whole]
    for holds in markers:
        split: list[int] = []
        for part in parts:
            if not part & holds:
                split.append(part)
            else:
                split += [side for side in (part & ~holds, part & holds) if side & supported]
        parts = split
    return parts


@given(st.lists(POINTS | FEW, max_size=600), POINTS | FEW)
def test_overlapping_sets_are_found_in_their_order(sets: list[int], environments: int) -> None:
    found = list(Overlaps(sets).numbers(environments))
    assert found == [number for number, one in enumerate(sets) if one & environments]


@given(POINTS, st.lists(POINTS | FEW, max_size=12), POINTS)
def test_parts_are_those_of_splitting_each_by_each(
    whole: int, markers: list[int], supported: int
) -> None:
    assert split_apart(whole, markers, supported) == one_by_one(whole, markers, supported)
