"""Platforms in markers: values that no machine has, and machines that are forgotten."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from packaging.markers import InvalidMarker, Marker

from torchconf.model.project import Record
from torchconf.model.targets import PLATFORMS, Platform
from torchconf.resolve.environments import comparisons
from torchconf.rules.fixes import put_at
from torchconf.rules.rule import Finding, Fix, Premise, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from torchconf.edits.plan import Step
    from torchconf.model.toml_path import Path
    from torchconf.resolve.environments import Comparison
    from torchconf.rules.context import Context

__all__ = ["RULES"]

_SYS_PLATFORM = {
    **dict.fromkeys(("windows", "win", "win64", "nt"), "win32"),
    **dict.fromkeys(("macos", "mac", "osx", "macosx", "mac os x", "macintosh"), "darwin"),
    **dict.fromkeys(("linux2", "gnu/linux"), "linux"),
    **{name: name for name in ("linux", "darwin", "win32")},
}


_PLATFORM_SYSTEM = {
    **dict.fromkeys(("windows", "win", "win32", "win64", "nt"), "Windows"),
    **dict.fromkeys(("darwin", "macos", "mac", "osx", "macosx", "mac os x"), "Darwin"),
    **dict.fromkeys(("linux", "linux2", "gnu/linux"), "Linux"),
}


_RENAMED = {"Linux": "linux", "Darwin": "darwin", "Windows": "win32"}


class _Text(Record):
    """A text that has a marker: a marker, or a requirement with one."""

    path: Path
    raw: str
    marker: Marker
    is_requirement: bool
    is_family: bool
    """Whether it decides where PyTorch comes from."""

    def with_marker(self, change: Callable[[str], str]) -> str | None:
        """Return the text with its marker changed, or None where the change makes no sense."""
        head, cut, tail = self.raw.partition(";") if self.is_requirement else ("", "", self.raw)
        new = change(tail)
        if new == tail:
            return None
        try:
            Marker(new)
        except InvalidMarker:
            return None
        return f"{head}{cut}{new}"


def _text(
    path: Path, raw: str, marker: Marker, *, is_family: bool, is_requirement: bool = False
) -> _Text:
    return _Text(
        path=path, raw=raw, marker=marker, is_requirement=is_requirement, is_family=is_family
    )


def _texts(context: Context) -> Iterator[_Text]:
    """Yield every text of a file that has a marker."""
    project = context.project
    family = set(context.catalog.family)
    for sources in project.sources.values():
        for source in sources:
            raw = source.raw_marker if source.marker is not None else None
            if source.marker is not None and raw is not None:
                path = (*source.path, "marker")
                is_family = source.package in family
                yield _text(path, raw, source.marker, is_family=is_family)
    for requirement in itertools.chain(
        project.requirements(), project.constraint_dependencies, project.override_dependencies
    ):
        if requirement.marker is not None and requirement.url is None:
            is_family = requirement.name in family
            yield _text(
                requirement.path,
                requirement.raw,
                requirement.marker,
                is_family=is_family,
                is_requirement=True,
            )
    for entry in (*project.environments, *project.required_environments):
        yield _text(entry.path, entry.raw, entry.marker, is_family=True)


def _wrong_value(test: Comparison, variable: str, values: Mapping[str, str]) -> str | None:
    """Return the value that is meant where a test has one that no machine has; else None."""
    if test.variable != variable:
        return None
    right = values.get(test.value.lower())
    if right is None or right == test.value:
        return None
    if test.operator in ("==", "!="):
        return right
    if test.flipped and test.operator in ("in", "not in"):
        # `'win' in sys_platform` holds on Windows.
        return None if any(test.value in known for known in values.values()) else right
    return None


def _respelled(variable: str, old: str, new: str) -> Callable[[str], str]:
    """Return what replaces one value of a variable in the text of a marker."""
    value = re.escape(old)
    patterns = (
        rf"(\b{variable}\s*[=!]=\s*)(['\"]){value}\2",
        rf"()(['\"]){value}\2(?=\s*(?:[=!]=|(?:not\s+)?in)\s*{variable}\b)",
    )

    def change(text: str) -> str:
        for pattern in patterns:
            text = re.sub(pattern, lambda m: f"{m[1]}{m[2]}{new}{m[2]}", text)
        return text

    return change


def _means_the_same(marker: str, change: Callable[[str], str]) -> bool:
    # Imported here: few files have such a value.
    from torchconf.model.markers import same_platforms

    return same_platforms(marker) == same_platforms(change(marker))


class _WrongValue(Rule):
    """What two rules share: a variable, and the values that are mistaken for its own."""

    variable: str
    values: Mapping[str, str]

    def check(self, context: Context) -> Iterator[Finding]:
        for text in _texts(context):
            for test in comparisons(text.marker):
                right = _wrong_value(test, self.variable, self.values)
                if right is None:
                    continue
                change = _respelled(self.variable, test.value, right)
                if _means_the_same(str(text.marker), change):
                    continue  # The right value stands beside it: `linux` or `linux2`.
                new = text.with_marker(change)
                step = put_at(text.path, new, f"Python's value is {right}") if new else None
                yield self.finding(
                    text.path,
                    f"`{self.variable}` is never `{test.value}`; use `{right}`",
                    fix=Fix(f"use `{right}`", (step,), safe=True) if step else None,
                )
                break


class SysPlatformValue(_WrongValue):
    """A marker compares `sys_platform` with a value that does not exist."""

    code = "TC401"
    name = "sys-platform-value"
    severity = Severity.ERROR
    reference = "https://docs.python.org/3/library/sys.html#sys.platform"
    fixes = "safe"
    variable = "sys_platform"
    values = _SYS_PLATFORM
    breaks = Premise.PLATFORM_NAMES


class PlatformSystemValue(_WrongValue):
    """A marker compares `platform_system` with a value that does not exist."""

    code = "TC402"
    name = "platform-system-value"
    severity = Severity.ERROR
    reference = "https://docs.python.org/3/library/platform.html#platform.system"
    fixes = "safe"
    variable = "platform_system"
    values = _PLATFORM_SYSTEM
    breaks = Premise.PLATFORM_NAMES


class Amd64Missing(Rule):
    """A marker tests for `x86_64`, which Windows calls `AMD64`."""

    code = "TC403"
    name = "amd64-missing"
    severity = Severity.ERROR
    reference = "https://docs.python.org/3/library/platform.html#platform.machine"
    fixes = "safe"
    breaks = Premise.MACHINE_NAMES
    requires = (Premise.PLATFORM_NAMES,)

    def check(self, context: Context) -> Iterator[Finding]:
        """Report markers that would say another thing on Windows if its machine were x86_64."""
        if not any(platform.os == "windows" for platform in context.locked):
            return
        wrong = [text for text in _texts(context) if text.is_family and _forgets(text.marker)]
        # `!=` alone may well mean Windows, too; and where `environments` only cut the world in two,
        # no machine is left out.
        cut = {entry.path for entry in context.project.environments}
        is_cut = PLATFORMS[2] in context.locked and cut.issuperset(text.path for text in wrong)
        if is_cut or not any(_asks_for_x86_64(text.marker) for text in wrong):
            return
        steps: list[Step] = []
        for text in wrong:
            new = text.with_marker(_with_amd64)
            if new is not None:
                steps.append(put_at(text.path, new, "the machine has two names"))
        fix = Fix("test for both names", tuple(steps), safe=True) if steps else None
        for text in wrong:
            yield self.finding(
                text.path,
                "`x86_64` is called `AMD64` on Windows, which this marker does not match",
                help="test for both names, or restrict the marker to Linux",
                fix=fix,
            )


def _asks_for_x86_64(marker: Marker) -> bool:
    return any(
        test.variable == "platform_machine" and test.operator == "==" and test.value == "x86_64"
        for test in comparisons(marker)
    )


def _forgets(marker: Marker) -> bool:
    if "x86_64" not in str(marker):
        return False
    named = Platform("windows", "amd64-by-its-linux-name")
    wanted = {**named.environment(), "platform_machine": "x86_64"}
    real = PLATFORMS[2].environment()
    answers = {
        (marker.evaluate({**wanted, **python}), marker.evaluate({**real, **python}))
        for python in _SOME
    }
    # `(linux and x86_64) or (win32 and AMD64)` has a word for each system.
    return (True, False) in answers or ((False, True) in answers and "AMD64" not in str(marker))


# Variables of lockfiles, which are empty when uv reads a file, and an old and a new Python.
_SOME: tuple[dict[str, str | frozenset[str]], ...] = tuple(
    {
        "extra": "", "extras": frozenset(), "dependency_groups": frozenset(),
        "python_version": version, "python_full_version": f"{version}.1",
    }
    for version in ("3.10", "3.14")
)  # fmt: skip


def _with_amd64(text: str) -> str:
    """Let a marker speak of both names of the machine."""

    def both(match: re.Match[str]) -> str:
        joint = "or" if "==" in match[0] else "and"
        pair = f"{match[0]} {joint} {match[0].replace('x86_64', 'AMD64')}"
        around = text[: match.start()] + text[match.end() :]
        alone = not re.search(rf"\b{'and' if joint == 'or' else 'or'}\b", around)
        return pair if alone else f"({pair})"

    return re.sub(
        r"""\bplatform_machine\s*[=!]=\s*(['"])x86_64\1|(['"])x86_64\2\s*[=!]=\s*platform_machine""",
        both,
        text,
    )


class PreferSysPlatform(Rule):
    """A marker uses `platform_system` where `sys_platform` means the same."""

    code = "TC404"
    name = "prefer-sys-platform"
    severity = Severity.WARNING
    reference = "https://packaging.python.org/en/latest/specifications/dependency-specifiers/"
    fixes = "safe"
    is_optional = True
    requires = (Premise.PLATFORM_NAMES,)

    def check(self, context: Context) -> Iterator[Finding]:
        """Report right values of `platform_system`, one for each text."""
        for text in _texts(context):
            if any(
                test.variable == "platform_system"
                and test.operator in ("==", "!=")
                and test.value in _RENAMED
                for test in comparisons(text.marker)
            ):
                new = text.with_marker(_with_sys_platform)
                step = put_at(text.path, new, "one spelling throughout") if new else None
                yield self.finding(
                    text.path,
                    "`sys_platform` can replace `platform_system` here",
                    fix=Fix("use `sys_platform`", (step,), safe=True) if step else None,
                )


def _with_sys_platform(text: str) -> str:
    for old, new in _RENAMED.items():
        text = re.sub(
            rf"\bplatform_system(\s*[=!]=\s*)(['\"]){old}\2", rf"sys_platform\1\2{new}\2", text
        )
        text = re.sub(
            rf"(['\"]){old}\1(\s*[=!]=\s*)platform_system\b", rf"\1{new}\1\2sys_platform", text
        )
    return text


RULES: tuple[type[Rule], ...] = (
    SysPlatformValue,
    PlatformSystemValue,
    Amd64Missing,
    PreferSysPlatform,
)
"""The rules of this family, by code."""
