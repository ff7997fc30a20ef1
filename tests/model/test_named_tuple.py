"""Our `NamedTuple` is what that of `typing` is: each test is true of both."""

from __future__ import annotations

import copy
import pickle
import typing
from typing import Any

import pytest

from torchconf.model import named_tuple


class Ours(named_tuple.NamedTuple):
    """Ours."""

    name: str
    number: int = 1
    rest: tuple[str, ...] = ()

    @property
    def twice(self) -> int:
        """A property."""
        return 2 * self.number


class Theirs(typing.NamedTuple):
    """Theirs."""

    name: str
    number: int = 1
    rest: tuple[str, ...] = ()

    @property
    def twice(self) -> int:
        """A property."""
        return 2 * self.number


class One(named_tuple.NamedTuple):
    """One field."""

    only: str


class Below(Ours):
    """A class below one of ours."""

    __slots__ = ()

    def loud(self) -> str:
        return self.name.upper()


both = pytest.mark.parametrize("kind", [Ours, Theirs], ids=lambda kind: kind.__name__)


@both
def test_fields_are_given_by_place_and_by_name(kind: Any) -> None:
    made = kind("a", rest=("b",))
    assert made == ("a", 1, ("b",)) == tuple(made)
    assert (made.name, made.number, made.rest, made.twice) == ("a", 1, ("b",), 2)
    assert made == kind(name="a", number=1, rest=("b",))
    assert hash(made) == hash(("a", 1, ("b",)))
    assert isinstance(made, tuple)


@both
@pytest.mark.parametrize(("words", "named"), [((), {}), ((1, 2, 3, 4), {}), ((1,), {"other": 2})])
def test_wrong_fields_are_refused_by_name(
    kind: Any, words: tuple[int, ...], named: dict[str, int]
) -> None:
    with pytest.raises(TypeError, match=r"__new__|name|other|takes"):
        kind(*words, **named)


@both
def test_a_missing_field_is_named(kind: Any) -> None:
    with pytest.raises(TypeError, match="'name'"):
        kind()


@both
def test_it_is_changed_into_another(kind: Any) -> None:
    made = kind("a")
    assert made._replace(number=3) == kind("a", 3)
    assert made == kind("a")
    assert made._asdict() == {"name": "a", "number": 1, "rest": ()}
    assert kind._make(["a", 2, ()]) == kind("a", 2)
    with pytest.raises((TypeError, ValueError), match="other"):
        made._replace(other=1)


@both
def test_it_is_read_only_and_has_no_dict(kind: Any) -> None:
    made = kind("a")
    for name in ("name", "other"):
        with pytest.raises(AttributeError):
            setattr(made, name, "b")
    assert not hasattr(made, "__dict__")


@both
def test_it_is_shown_and_described(kind: Any) -> None:
    assert repr(kind("a")) == f"{kind.__name__}(name='a', number=1, rest=())"
    assert kind._fields == ("name", "number", "rest") == kind.__match_args__
    assert kind._field_defaults == {"number": 1, "rest": ()}
    assert kind.__doc__ == f"{kind.__name__}."
    assert kind.__module__ == __name__
    assert list(kind.__annotations__) == list(kind._fields)


@both
def test_it_can_be_copied_and_stored(kind: Any) -> None:
    made = kind("a", rest=("b",))
    for other in (copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert other == made
        assert type(other) is kind


@both
def test_it_can_be_matched(kind: Any) -> None:
    match kind("a", 2):
        case Ours(name, number) | Theirs(name, number):
            assert (name, number) == ("a", 2)
        case _:
            pytest.fail("no match")


def test_classes_do_not_share_what_they_are_made_from() -> None:
    assert One("x").only == "x"
    with pytest.raises(TypeError, match="'only'"):
        One()  # type: ignore[call-arg]
    assert Below("a", 2).loud() == "A"
    assert Below("a") == Ours("a")
    assert type(Below("a")._replace(name="b")) is Below
