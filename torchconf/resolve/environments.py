"""Sets of environments, as bits.

uv reasons about every environment there could be, not about the four that people have. So this
room takes all markers of a project, lists what they can tell apart (each `sys_platform` they name
and 'anything else', each stretch of Python versions, ...) and numbers every combination: a
*point*. A set of environments is then an integer with one bit per point; 'and', 'or', 'and not'
and 'overlap' are those of integers.

What uv takes for granted is taken for granted here:

- `platform_system == 'Windows'` is `sys_platform == 'win32'`, and likewise for Darwin and Linux.
  Another spelling of it, such as `'macOS'`, is true on no real machine.
- `os_name == 'nt'` excludes Linux and macOS, `os_name == 'posix'` excludes Windows.
- `python_version` is the first two numbers of `python_full_version`.
- `in`, `not in` and the ordering of strings are facts of their own, unrelated to `==`.
- So are `'x' in extras` and `'x' in dependency_groups`; they are false when uv installs.

`extra == 'x'` is no property of an environment: who asks for a set says which extras are on.

Source: uv's marker algebra, <https://github.com/astral-sh/uv>, crates/uv-pep508/src/marker.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

from torchconf.model.project import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from packaging.markers import Marker
    from packaging.specifiers import SpecifierSet

__all__ = ["Comparison", "TooManyEnvironments", "Universe", "comparisons"]

# A set of points.
Environments: TypeAlias = int

# The bits of one set; beyond that the answer would take seconds.
_MOST_POINTS = 1 << 16

# A position between two Python versions: just below a release (0), or just above it (1).
Cut: TypeAlias = tuple[tuple[float, ...], int]
Stretch: TypeAlias = tuple[Cut, Cut]
_LOWEST: Final[Cut] = ((-1,), 0)
_HIGHEST: Final[Cut] = ((float("inf"),), 0)


class TooManyEnvironments(Exception):
    """The markers tell more environments apart than this room wants to number."""


class Comparison(Record):
    """One comparison of a marker: a variable, an operator and a value.

    `flipped` means that the value stood on the left: `'nux' in sys_platform`.
    """

    variable: str
    operator: str
    value: str
    flipped: bool


# What a marker says: a comparison, or "and" or "or" of several.
Tree: TypeAlias = "Comparison | tuple[str, list[Tree]]"


class Universe:
    """All points that the markers of one project, or of one workspace, can tell apart.

    Attributes:
        everything: The set of all points.
        supported: Those whose Python is within `requires-python`.
    """

    def __init__(self, markers: Iterable[Marker], pythons: Iterable[SpecifierSet]) -> None:
        """Number the points.

        Args:
            markers: Every marker that will be asked for.
            pythons: The `requires-python` of every member; they all must hold.

        Raises:
            TooManyEnvironments: There are more than 65,536 points.
        """
        values: dict[str, dict[str, int]] = {}
        facts: dict[tuple[str, str, str], int] = {}
        limits = [_stretches_of(specifiers) for specifiers in pythons]
        cuts = {cut for stretches in limits for stretch in stretches for cut in stretch}
        for test in dict.fromkeys(one for marker in markers for one in _tests(_parse(str(marker)))):
            kind = _kind(test)
            if kind == "python":
                cuts.update(cut for stretch in _stretches(test) for cut in stretch)
            elif kind == "value":
                variable, value = _canonical(test)
                named = values.setdefault(variable, {})
                named.setdefault(value, len(named))
            elif kind == "fact":
                facts.setdefault(_fact(test), len(facts))
        self._values = values
        self._facts = facts
        self._starts: list[Cut] = sorted({_LOWEST, *cuts} - {_HIGHEST})
        self._memo: dict[tuple[int, frozenset[str]], Environments] = {}
        self._number_the_points()
        self.everything = self._possible()
        self.supported = self.everything
        for stretches in limits:
            self.supported &= self._python_set(stretches)

    def _number_the_points(self) -> None:
        # A point is a number in mixed radix: one digit per variable, one per fact, Python's last.
        self._strides: dict[object, tuple[int, int]] = {}
        count = 1
        sizes: list[tuple[object, int]] = [
            *((variable, len(named) + 1) for variable, named in self._values.items()),
            *((fact, 2) for fact in self._facts),
            ("python", len(self._starts)),
        ]
        for key, size in sizes:
            self._strides[key] = (count, size)
            count *= size
            if count > _MOST_POINTS:
                raise TooManyEnvironments
        self._count = count

    def _digit(self, key: object, digit: int) -> Environments:
        """Return the points whose digit for one variable is this one."""
        stride, size = self._strides[key]
        period = stride * size
        run = ((1 << stride) - 1) << (digit * stride)
        return run * (((1 << self._count) - 1) // ((1 << period) - 1))

    def _named(self, variable: str, value: str) -> Environments:
        """Return the points where a variable has a value; none if no marker names the value."""
        digit = self._values.get(variable, {}).get(value)
        return 0 if digit is None else self._digit(variable, digit)

    def _possible(self) -> Environments:
        points = (1 << self._count) - 1
        for os_name, sys_platform in _CONTRADICTIONS:
            points &= ~(self._named("os_name", os_name) & self._named("sys_platform", sys_platform))
        for system in self._values.get("platform_system", {}):
            for sys_platform in _UNIXES.get(system, ()):
                points &= ~(
                    self._named("platform_system", system)
                    & self._named("sys_platform", sys_platform)
                )
        return points

    def _python_set(self, stretches: Iterable[Stretch]) -> Environments:
        points = 0
        stride, _ = self._strides["python"]
        for low, high in stretches:
            first, end = bisect_left(self._starts, low), bisect_left(self._starts, high)
            if first < end:
                points |= ((1 << (end - first) * stride) - 1) << first * stride
        return points

    def where(self, marker: Marker | None, extras: frozenset[str] = frozenset()) -> Environments:
        """Return the set of environments in which a marker holds, with some extras on."""
        if marker is None:
            return self.everything
        # The markers live as long as the project, and the project longer than its universe.
        key = (id(marker), extras)
        found = self._memo.get(key)
        if found is None:
            found = self._memo[key] = self._where(_parse(str(marker)), extras) & self.everything
        return found

    def _where(self, tree: Tree, extras: frozenset[str]) -> Environments:
        if isinstance(tree, Comparison):
            return self._test(tree, extras)
        joint, parts = tree
        sets = [self._where(part, extras) for part in parts]
        points = sets[0]
        for other in sets[1:]:
            points = points & other if joint == "and" else points | other
        return points

    def _test(self, test: Comparison, extras: frozenset[str]) -> Environments:
        kind = _kind(test)
        if kind == "extra":
            return self.everything if (test.value in extras) == (test.operator == "==") else 0
        if kind == "python":
            points = self._python_set(_stretches(test))
        elif kind == "value":
            points = self._named(*_canonical(test))
        else:
            points = self._digit(_fact(test), 1)
        return self.everything & ~points if test.operator in _NEGATIVE else points

    def on(self, machine: Mapping[str, str]) -> Environments:
        """Return the points of one machine, one per supported Python.

        Args:
            machine: Marker variables and their values, `{"sys_platform": "linux", ...}`. CPython is
                assumed where they do not say otherwise.
        """
        known = {**_CPYTHON, **machine}
        points = self.supported
        for variable, named in self._values.items():
            value = known.get(variable, "")
            points &= self._digit(variable, named.get(value, len(named)))
        for fact in self._facts:
            points &= self._digit(fact, int(_holds(fact, known)))
        return points

    def by_python(self, points: Environments) -> Iterator[tuple[str, Environments]]:
        """Split a set by Python; each part with a specifier such as `>=3.11,<3.12`."""
        stride, _ = self._strides["python"]
        run = (1 << stride) - 1
        for digit, start in enumerate(self._starts):
            part = points & (run << digit * stride)
            if part:
                end = self._starts[digit + 1] if digit + 1 < len(self._starts) else _HIGHEST
                yield _spelled(start, end), part

    def lowest_python(self, points: Environments) -> int:
        """Return how low the Pythons of a set reach: smaller is lower."""
        stride, size = self._strides["python"]
        return ((points & -points).bit_length() - 1) // stride if points else size


_CONTRADICTIONS = (("nt", "linux"), ("nt", "darwin"), ("nt", "ios"), ("posix", "win32"))
_NOT_UNIX = ("aix", "android", "emscripten", "linux", "darwin", "win32", "cygwin", "wasi")
_UNIXES = {
    "FreeBSD": (*_NOT_UNIX, "ios"),
    "NetBSD": (*_NOT_UNIX, "ios"),
    "OpenBSD": (*_NOT_UNIX, "ios"),
    "SunOS": (*_NOT_UNIX, "ios"),
    "iOS": _NOT_UNIX,
    "iPadOS": _NOT_UNIX,
}
_SAME_SYSTEM = {
    "Windows": "win32",
    "Darwin": "darwin",
    "Linux": "linux",
    "AIX": "aix",
    "Emscripten": "emscripten",
    "Android": "android",
}
_CPYTHON = {"implementation_name": "cpython", "platform_python_implementation": "CPython"}
_PYTHON = ("python_version", "python_full_version")
_NEGATIVE = ("!=", "not in")
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_TOKEN = re.compile(r"""[()]|"[^"]*"|'[^']*'|[^\s()"']+""")


# Parsing. packaging has no public way into a parsed marker; its text is one.


@lru_cache(maxsize=4096)
def _parse(text: str) -> Tree:
    """Parse the normal form that `str(Marker)` gives."""
    tokens = _TOKEN.findall(text)
    tokens.reverse()
    return _parse_joined(tokens, "or")


def _parse_joined(tokens: list[str], joint: str) -> Tree:
    parts: list[Tree] = []
    while True:
        parts.append(_parse_joined(tokens, "and") if joint == "or" else _parse_single(tokens))
        if not tokens or tokens[-1] != joint:
            return parts[0] if len(parts) == 1 else (joint, parts)
        tokens.pop()


def _parse_single(tokens: list[str]) -> Tree:
    left = tokens.pop()
    if left == "(":
        tree = _parse_joined(tokens, "or")
        tokens.pop()
        return tree
    operator = tokens.pop()
    if operator == "not":
        operator = f"not {tokens.pop()}"
    right = tokens.pop()
    if left[0] not in "\"'":
        return Comparison(variable=left, operator=operator, value=right[1:-1], flipped=False)
    operator = _FLIPPED.get(operator, operator)
    return Comparison(variable=right, operator=operator, value=left[1:-1], flipped=True)


def _tests(tree: Tree) -> Iterator[Comparison]:
    if isinstance(tree, Comparison):
        yield tree
    else:
        for part in tree[1]:
            yield from _tests(part)


def comparisons(marker: Marker) -> tuple[Comparison, ...]:
    """Return the comparisons of a marker, in the order in which they are written."""
    return tuple(_tests(_parse(str(marker))))


def scope_extra(marker: Marker | None) -> str | None:
    """Return the extra that a marker as a whole depends on: `x` of `extra == 'x' and ...`.

    Of several, uv takes the first by name.
    """
    if marker is None:
        return None
    tree = _parse(str(marker))
    parts = tree[1] if isinstance(tree, tuple) and tree[0] == "and" else [tree]
    return min(
        (
            part.value
            for part in parts
            if isinstance(part, Comparison) and part.variable == "extra" and part.operator == "=="
        ),
        default=None,
    )


def mentions_extra(marker: Marker | None) -> bool:
    """Tell whether a marker asks for an extra anywhere."""
    return marker is not None and any(
        test.variable == "extra" for test in _tests(_parse(str(marker)))
    )


# What a test is about.


def _kind(test: Comparison) -> str:
    """Classify a test: "extra", "python", "value" or "fact"."""
    equality = test.operator in ("==", "!=")
    if test.variable == "extra" and equality:
        return "extra"
    if test.variable in _PYTHON and _stretches(test):
        return "python"
    known = test.variable not in ("extra", "extras", "dependency_groups", *_PYTHON)
    return "value" if known and equality else "fact"


def _canonical(test: Comparison) -> tuple[str, str]:
    if test.variable == "platform_system" and test.value in _SAME_SYSTEM:
        return "sys_platform", _SAME_SYSTEM[test.value]
    return test.variable, test.value


def _fact(test: Comparison) -> tuple[str, str, str]:
    """Name a fact, the same for a test and its negation."""
    operator = {"!=": "==", "not in": "in"}.get(test.operator, test.operator)
    if operator == "in" and test.flipped:
        operator = "contains"
    return test.variable, operator, test.value


def _holds(fact: tuple[str, str, str], machine: Mapping[str, str]) -> bool:
    """Tell whether a fact is true on a machine."""
    variable, operator, value = fact
    own = machine.get(variable)
    if own is None:
        return False
    if operator == "in":
        return own in value
    if operator == "contains":
        return value in own
    return {"<": own < value, "<=": own <= value, ">": own > value, ">=": own >= value}.get(
        operator, own == value
    )


# Python versions, as stretches between cuts.


def _release(text: str) -> tuple[int, ...] | None:
    """Return the numbers of a version: (3, 11) of `3.11`, `3.11.*` and `3.11rc1`."""
    match = _RELEASE.match(text)
    return tuple(map(int, match[1].split("."))) if match else None


_RELEASE = re.compile(r"\s*v?([0-9]+(?:\.[0-9]+)*)")


def _cut(release: tuple[int, ...], side: int = 0) -> Cut:
    """Return a position; `3.11` and `3.11.0` are one."""
    end = len(release)
    while end and release[end - 1] == 0:
        end -= 1
    return release[:end], side


def _after(release: tuple[int, ...]) -> Cut:
    """Return the end of `== 3.11.*`: just below 3.12."""
    return _cut((*release[:-1], release[-1] + 1))


def _compared(operator: str, release: tuple[int, ...], *, star: bool) -> list[Stretch]:
    """Return where `python_full_version` compares so; `!=` is left to the caller."""
    if operator == "~=":
        return [(_cut(release), _after(release[:-1]))]
    if operator in ("==", "!=", "==="):
        return [(_cut(release), _after(release) if star else _cut(release, 1))]
    return {
        ">=": [(_cut(release), _HIGHEST)],
        ">": [(_cut(release, 1), _HIGHEST)],
        "<": [(_LOWEST, _cut(release))],
        "<=": [(_LOWEST, _cut(release, 1))],
    }.get(operator, [])


_NOWHERE: Final[list[Stretch]] = [(_LOWEST, _LOWEST)]
_MINOR = 2


def _compared_minor(operator: str, release: tuple[int, ...], *, star: bool) -> list[Stretch]:
    """Return where `python_version`, which has two numbers, compares so."""
    exact = not any(release[_MINOR:])
    minor = (*release, 0)[:_MINOR]
    if star and len(release) == 1:
        return _compared(operator, release, star=True)
    if operator == "~=" and len(release) == _MINOR:
        return _compared(operator, release, star=False)
    if operator in ("==", "!=", "===", "~="):
        return [(_cut(minor), _after(minor))] if exact else _NOWHERE
    # `python_version > '3.11'` begins with 3.12, and `>= '3.11.2'` does too.
    low = operator in ("<", ">=")
    edge = _cut(minor) if exact and low else _after(minor)
    return [(edge, _HIGHEST)] if operator[0] == ">" else [(_LOWEST, edge)]


@lru_cache(maxsize=4096)
def _stretches(test: Comparison) -> list[Stretch]:
    """Return where a test of the Python version holds; of a negative one, where it does not."""
    compared = _compared_minor if test.variable == "python_version" else _compared
    if test.operator in ("in", "not in") and not test.flipped:
        operator, texts = "==", test.value.replace(",", " ").split()
    else:
        operator, texts = test.operator, [test.value]
    stretches: list[Stretch] = []
    for text in texts:
        release = _release(text)
        if (
            release is None
            or operator in ("in", "not in")
            or (operator == "~=" and len(release) < _MINOR)
        ):
            return []
        stretches += compared(operator, release, star=text.endswith(".*"))
    return stretches


def _stretches_of(specifiers: SpecifierSet) -> list[Stretch]:
    """Return the stretch between the bounds of `requires-python`, as uv takes it."""
    low, high = _LOWEST, _HIGHEST
    for specifier in specifiers:
        release = _release(specifier.version)
        if release is None or specifier.operator == "!=":
            continue
        star = specifier.version.endswith(".*")
        ((start, end),) = _compared(specifier.operator, release, star=star)
        low, high = max(low, start), min(high, end)
    return [(low, max(low, high))]


def _spelled(start: Cut, end: Cut) -> str:
    """Write a stretch as a specifier."""
    parts = []
    if start != _LOWEST:
        parts.append((">" if start[1] else ">=") + _dotted(start))
    if end != _HIGHEST:
        parts.append(("<=" if end[1] else "<") + _dotted(end))
    return ",".join(parts)


def _dotted(cut: Cut) -> str:
    numbers = (*cut[0], 0, 0)[: max(len(cut[0]), _MINOR)]
    return ".".join(str(int(number)) for number in numbers)
