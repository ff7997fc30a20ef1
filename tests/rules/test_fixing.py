"""Fixes that are taken at once lead to what they lead to one by one, and take few checks."""

from __future__ import annotations

import pytest

from tests.support.checking import CATALOG
from tests.support.few import every
from tests.support.growing import BASE, FIXABLE, HEAD, INDEX, Files
from torchconf.edits.plan import Insert, Put, Remove, Step
from torchconf.rules import Finding, Fix, Severity, fixing
from torchconf.rules.engine import Answers, CheckedFile, Fixed, Unit
from torchconf.rules.fix_bundles import Fixable, apart, joined

COUNT = 23


class Counted(Unit):
    """A unit that counts how often it is checked."""

    checks = 0

    def check_with(self, texts: dict[str, str]) -> Answers:  # type: ignore[override]
        """Count, and check."""
        self.checks += 1
        return super().check_with(texts)


def fixed(files: Files) -> tuple[Fixed, int]:
    unit = Counted(CheckedFile("pyproject.toml", files["pyproject.toml"]), catalog=CATALOG)
    (one,) = unit.fix(unsafe=True)
    return one, unit.checks


def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixing, "apart", lambda candidates, _: apart(candidates, 1))


@pytest.mark.parametrize("shape", every(FIXABLE, 3))
def test_at_once_leads_to_the_same_as_one_by_one(
    shape: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(shape)
    together, checks = fixed(shape(COUNT))
    one_by_one(monkeypatch)
    single, many_checks = fixed(shape(COUNT))

    assert together.text == single.text
    assert len(together.taken) == len(single.taken) >= COUNT - 1
    assert together.outcome.findings == single.outcome.findings
    assert many_checks >= COUNT
    assert checks <= 10


def test_one_that_must_not_be_taken_keeps_none_of_the_others_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = "\n".join(f"    \"package-{n} ; sys_platform == 'windows'\"," for n in range(COUNT))
    # The bare torch is right where it is: its fix would leave the source without an effect.
    sources = """
[tool.uv.sources]
torch = [
    { index = "pytorch-cu130", marker = "sys_platform == 'Linux'" },
    { index = "pytorch-cu130", marker = "sys_platform == 'linux'" },
]
"""
    text = f'{HEAD}dependencies = [\n{wrong}\n    "torch",\n]\n{sources}{INDEX}'
    together, checks = fixed({"pyproject.toml": text})
    one_by_one(monkeypatch)
    single, many_checks = fixed({"pyproject.toml": text})

    assert together.text == single.text
    assert "windows" not in together.text
    assert [one.not_taken for one in together.outcome.findings] == [
        one.not_taken for one in single.outcome.findings
    ]
    assert checks < many_checks


def test_where_one_fix_solves_another_problem_nothing_is_left() -> None:
    entry = '\n[[tool.uv.index]]\nname = "pytorch-cu130"\nurl = "https://m.example/whl/cu130"\n'
    one, _ = fixed({"pyproject.toml": BASE + entry})

    again, _ = fixed({"pyproject.toml": one.text})
    assert one.taken
    assert not again.taken


def fixable(number: int, *steps: Step, file: str = "pyproject.toml") -> Fixable:
    fix = Fix("do it", steps, safe=True)
    return Fixable(
        file, Finding("TC000", "demo", Severity.ERROR, "wrong", ("a", number), None, fix)
    )


def put(*path: str | int) -> Step:
    return Put(path, "x", "")


def remove(*path: str | int) -> Step:
    return Remove(path, "")


TOUCHING = (
    (put("a", 1), put("a", 1)),
    (put("a", 1, "key"), put("a", 1)),
    (put("a", 1), put("a", 1, "key")),
    (Insert(("a",), 2, "x", ""), Insert(("a",), 2, "x", "")),
    (remove("a", 1), put("a", 1, "key")),
)


@pytest.mark.parametrize("steps", TOUCHING)
def test_fixes_that_touch_each_other_wait(steps: tuple[Step, Step]) -> None:
    first, second, third = fixable(1, steps[0]), fixable(2, steps[1]), fixable(3, put("b"))

    assert apart([first, second, third], 8) == [first, third]
    # What touches the one that waits comes after it.
    assert apart([first, second, fixable(4, steps[1]), third], 8) == [first, third]


def test_the_same_place_of_two_files_is_two_places() -> None:
    both = [fixable(1, put("a"), file="one"), fixable(1, put("a"), file="two")]

    assert apart(both, 8) == both
    assert joined(both) == {"one": (put("a"),), "two": (put("a"),)}


def test_the_last_of_several_entries_waits_as_it_may_take_the_array_with_it() -> None:
    three = [fixable(number, remove("a", number)) for number in range(3)]

    assert apart(three, 8) == three[:2]
    assert apart(three[:1], 8) == three[:1]


def test_numbers_follow_the_entries_that_come_and_go() -> None:
    bundle = [
        fixable(1, remove("a", 1)),
        fixable(2, put("a", 3, "key")),
        fixable(3, remove("a", 4)),
        fixable(4, Insert(("a",), 6, "x", "")),
        fixable(5, put("a", 7)),
        fixable(6, put("a", 0)),
        fixable(7, put("a", 2, "b", 9)),
    ]

    assert apart(bundle, 8) == bundle[:2] + bundle[3:]
    assert joined(bundle)["pyproject.toml"] == (
        remove("a", 1),
        put("a", 2, "key"),
        remove("a", 3),
        Insert(("a",), 4, "x", ""),
        put("a", 6),
        put("a", 0),
        put("a", 1, "b", 9),
    )


def test_a_fix_that_moves_what_it_touches_is_taken_alone() -> None:
    moving = fixable(1, remove("a", 1), remove("a", 1))
    other = fixable(2, put("b"))

    assert apart([moving, other], 8) == [moving]
    assert apart([other, moving], 8) == [other]
