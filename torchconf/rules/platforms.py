"""Platforms in markers: values that no machine has, and machines that are forgotten."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from packaging.markers import InvalidMarker, Marker

from torchconf.environments import comparisons, mentions_extra
from torchconf.project import Record
from torchconf.rules.builds import spoken_platforms
from torchconf.rules.mending import UV, draft_of, gate, gated, put_at, raw_marker, without_wheels
from torchconf.rules.rule import Finding, Fix, Rule, Severity
from torchconf.rules.subject import path_of
from torchconf.targets import PLATFORMS, Platform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from packaging.version import Version

    from torchconf.drafting import Draft
    from torchconf.environments import Comparison
    from torchconf.plan import Step
    from torchconf.project import Project, Source
    from torchconf.rules.subject import Subject

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

    at: str
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
    at: str, raw: str, marker: Marker, *, is_family: bool, is_requirement: bool = False
) -> _Text:
    return _Text(at=at, raw=raw, marker=marker, is_requirement=is_requirement, is_family=is_family)


def _texts(subject: Subject) -> Iterator[_Text]:
    """Yield every text of a file that has a marker."""
    project = subject.project
    family = set(subject.catalog.family)
    for sources in project.sources.values():
        for source in sources:
            raw = raw_marker(subject, source) if source.marker is not None else None
            if source.marker is not None and raw is not None:
                at = f"{source.at}.marker"
                is_family = source.package in family
                yield _text(at, raw, source.marker, is_family=is_family)
    for requirement in itertools.chain(
        project.requirements(), project.constraint_dependencies, project.override_dependencies
    ):
        if requirement.marker is not None and requirement.url is None:
            is_family = requirement.name in family
            yield _text(
                requirement.at,
                requirement.raw,
                requirement.marker,
                is_family=is_family,
                is_requirement=True,
            )
    for entry in (*project.environments, *project.required_environments):
        yield _text(entry.at, entry.raw, entry.marker, is_family=True)


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


class _WrongValue(Rule):
    """What two rules share: a variable, and the values that are mistaken for its own."""

    variable: str
    values: Mapping[str, str]

    def check(self, subject: Subject) -> Iterator[Finding]:
        for text in _texts(subject):
            for test in comparisons(text.marker):
                right = _wrong_value(test, self.variable, self.values)
                if right is None:
                    continue
                new = text.with_marker(_respelled(self.variable, test.value, right))
                step = put_at(text.at, new, f"as Python spells it: {right}") if new else None
                yield self.finding(
                    text.at,
                    f"`{self.variable}` is never `{test.value}`: write `{right}`",
                    fix=Fix(f"write `{right}`", (step,), safe=True) if step else None,
                )
                break


class SysPlatformValue(_WrongValue):
    """A marker compares `sys_platform` with a word that is not one of its values.

    The values are `linux`, `win32` and `darwin`. uv compares strings: the marker holds nowhere, or
    everywhere, without a word.

    Bad:
        [project]
        dependencies = ["torch"]

        [tool.uv.sources]
        torch = { index = "pytorch-cu130", marker = "sys_platform == 'windows'" }

        [[tool.uv.index]]
        name = "pytorch-cu130"
        url = "https://download.pytorch.org/whl/cu130"
        explicit = true

    Good:
        [project]
        dependencies = ["torch"]

        [tool.uv.sources]
        torch = { index = "pytorch-cu130", marker = "sys_platform == 'win32'" }

        [[tool.uv.index]]
        name = "pytorch-cu130"
        url = "https://download.pytorch.org/whl/cu130"
        explicit = true
    """

    code = "TC401"
    name = "sys-platform-value"
    severity = Severity.ERROR
    reference = "https://docs.python.org/3/library/sys.html#sys.platform"
    fixes = "safe"
    variable = "sys_platform"
    values = _SYS_PLATFORM


class PlatformSystemValue(_WrongValue):
    """A marker compares `platform_system` with a word that is not one of its values.

    The values are `Linux`, `Windows` and `Darwin`, with a capital letter.

    Bad:
        [project]
        dependencies = ["torch ; platform_system != 'darwin'"]

    Good:
        [project]
        dependencies = ["torch ; platform_system != 'Darwin'"]
    """

    code = "TC402"
    name = "platform-system-value"
    severity = Severity.ERROR
    reference = "https://docs.python.org/3/library/platform.html#platform.system"
    fixes = "safe"
    variable = "platform_system"
    values = _PLATFORM_SYSTEM


class Amd64Missing(Rule):
    """A marker asks for `x86_64`, and on Windows the same machine is called `AMD64`.

    Bad:
        [project]
        dependencies = ["torch"]

        [tool.uv.sources]
        torch = [
            { index = "pytorch-cpu", marker = "platform_machine != 'x86_64'" },
            { index = "pytorch-cu130", marker = "platform_machine == 'x86_64'" },
        ]

        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"
        explicit = true

        [[tool.uv.index]]
        name = "pytorch-cu130"
        url = "https://download.pytorch.org/whl/cu130"
        explicit = true

    Good:
        [project]
        dependencies = ["torch"]

        [tool.uv.sources]
        torch = [
            { index = "pytorch-cpu", marker = "sys_platform == 'darwin'" },
            { index = "pytorch-cu130", marker = "sys_platform != 'darwin'" },
        ]

        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"
        explicit = true

        [[tool.uv.index]]
        name = "pytorch-cu130"
        url = "https://download.pytorch.org/whl/cu130"
        explicit = true
    """

    code = "TC403"
    name = "amd64-missing"
    severity = Severity.ERROR
    reference = "https://docs.python.org/3/library/platform.html#platform.machine"
    fixes = "safe"
    yields_to = ("TC401", "TC402")

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Report markers that would say another thing on Windows if its machine were x86_64."""
        if not any(platform.os == "windows" for platform in subject.locked):
            return
        wrong = [text for text in _texts(subject) if text.is_family and _forgets(text.marker)]
        steps: list[Step] = []
        for text in wrong:
            new = text.with_marker(_with_amd64)
            if new is not None:
                steps.append(put_at(text.at, new, "the machine has two names"))
        fix = Fix("name both spellings", tuple(steps), safe=True) if steps else None
        for text in wrong:
            yield self.finding(
                text.at,
                "`x86_64` is called `AMD64` on Windows, and this marker leaves it out",
                help="name both, or tie the machine to Linux",
                fix=fix,
            )


def _forgets(marker: Marker) -> bool:
    if "x86_64" not in str(marker):
        return False
    named = Platform("windows", "amd64-by-its-linux-name")
    wanted = {**named.environment(), "platform_machine": "x86_64"}
    real = PLATFORMS[2].environment()
    return any(
        marker.evaluate({**wanted, **python}) != marker.evaluate({**real, **python})
        for python in _SOME
    )


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
    """A marker says `platform_system` where `sys_platform` says the same.

    Both are right. One of them throughout reads better, and uv writes `sys_platform` into its
    lockfile. Off unless it is selected.

    Bad:
        [project]
        dependencies = ["torch ; platform_system == 'Linux'"]

    Good:
        [project]
        dependencies = ["torch ; sys_platform == 'linux'"]
    """

    code = "TC404"
    name = "prefer-sys-platform"
    severity = Severity.WARNING
    reference = "https://packaging.python.org/en/latest/specifications/dependency-specifiers/"
    fixes = "safe"
    is_optional = True
    yields_to = ("TC402",)

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Report right values of `platform_system`, one for each text."""
        for text in _texts(subject):
            if any(
                test.variable == "platform_system"
                and test.operator in ("==", "!=")
                and test.value in _RENAMED
                for test in comparisons(text.marker)
            ):
                new = text.with_marker(_with_sys_platform)
                step = put_at(text.at, new, "one spelling") if new else None
                yield self.finding(
                    text.at,
                    "`sys_platform` says the same as `platform_system` here",
                    fix=Fix("write `sys_platform`", (step,), safe=True) if step else None,
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


class CudaOnMacos(Rule):
    """A source for an accelerator holds on macOS, where it has no wheels.

    uv locks it, since a lock is for all platforms, and then can not install it on a Mac: 'no source
    distribution or wheel'.

    Bad:
        [project]
        dependencies = ["torch"]

        [tool.uv.sources]
        torch = { index = "pytorch-cu130" }

        [[tool.uv.index]]
        name = "pytorch-cu130"
        url = "https://download.pytorch.org/whl/cu130"
        explicit = true

    Good:
        [project]
        dependencies = ["torch"]

        [tool.uv.sources]
        torch = { index = "pytorch-cu130", marker = "sys_platform != 'darwin'" }

        [[tool.uv.index]]
        name = "pytorch-cu130"
        url = "https://download.pytorch.org/whl/cu130"
        explicit = true
    """

    code = "TC405"
    name = "cuda-on-macos"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/guides/integration/pytorch/#using-a-pytorch-index"
    fixes = "safe"
    yields_to = ("TC205", "TC206", "TC401", "TC402")

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Report unscoped sources that lead a requirement to such an index on macOS."""
        for source in subject.family_sources:
            backend = subject.source_backend(source)
            if source.extra or source.group or backend is None:
                continue
            lacking = without_wheels(subject, backend)
            covered = subject.platforms(source.marker) & subject.locked & lacking
            if not any(platform.os == "macos" for platform in covered):
                continue
            if not any(
                platform.os == "macos" and platform in covered
                for one in _asked(subject, source)
                for platform in subject.platforms(one, source.marker)
            ):
                continue
            at = source.at if source.marker is None else f"{source.at}.marker"
            marker = gated(subject, source.marker, raw_marker(subject, source), backend)
            fix = None
            if gate(subject, backend) is not None:
                draft = draft_of(subject)
                draft.put((*path_of(source.at), "marker"), marker, "macOS gets PyPI's build")
                steps = (*draft.steps, *_gated_tritons(subject, source, marker))
                fix = Fix(f"give it the marker `{marker}`", steps, safe=True)
            yield self.finding(
                at,
                f"`{source.package}` comes from index `{source.value}` on macOS, too, where "
                f"{backend.title} has no wheels",
                help=f"add a marker: `{gate(subject, backend)}`",
                fix=fix,
            )


def _gated_tritons(subject: Subject, source: Source, marker: str) -> Iterator[Step]:
    """Yield steps that ask for a triton package only where its source holds: PyPI has none."""
    if source.package in subject.catalog.triton_packages:
        for _, one in subject.required(source.package):
            if one.marker is None:
                yield put_at(one.at, f"{one.raw.rstrip()} ; {marker}", "torch needs it only there")


def _asked(subject: Subject, source: Source) -> Iterator[Marker | None]:
    """Yield the markers of the requirements that a source of this file may serve."""
    projects: tuple[Project, ...] = (subject.project,)
    if subject.project is subject.whole.root:
        projects += subject.whole.members
    for project in projects:
        for one in project.requirements():
            if one.name == source.package and one.url is None:
                yield one.marker
    for one in subject.project.workspace.constraint_dependencies:
        if one.name == source.package and one.specifier:
            yield None


class Environments(Rule):
    """`environments` says something else than what is meant.

    Entries that overlap are refused; an extra in one is not understood. A system that no entry
    holds can not use the project at all: every command stops with 'not compatible with the
    supported environments'. That may be wanted; with a declared target it is a mistake.

    Bad:
        [project]
        dependencies = ["torch"]

        [tool.uv]
        environments = ["sys_platform == 'linux'", "sys_platform != 'win32'"]

    Good:
        [project]
        dependencies = ["torch"]

        [tool.uv]
        environments = ["sys_platform == 'linux'", "sys_platform != 'linux'"]
    """

    code = "TC408"
    name = "environments"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/reference/settings/#environments"
    yields_to = ("TC401", "TC402", "TC512")

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Look at the entries, and at the systems that none of them holds."""
        entries = subject.project.environments
        for one in entries:
            if mentions_extra(one.marker):
                yield self.finding(
                    one.at, "`environments` can not ask for an extra", severity=Severity.WARNING
                )
                return
        for one, after in itertools.pairwise(entries):
            if subject.where(one.marker, after.marker):
                yield self.finding(
                    after.at,
                    f"this entry and `{one.raw}` overlap: uv refuses them",
                    help="make them exclude each other",
                )
                return
        if not entries or not subject.needed or subject.project.root is not None:
            return
        at = "tool.uv.environments"
        outside = subject.declared - subject.locked
        if outside:
            named = ", ".join(sorted(platform.key for platform in outside))
            yield self.finding(
                at,
                f"no entry holds on {named}, which is a declared platform",
                help="add an entry for it",
                severity=Severity.WARNING,
            )
            return
        systems = [p for p in PLATFORMS if p.is_usual]
        gone = [
            system
            for system in systems
            if not any(platform.os == system.os for platform in subject.locked)
        ]
        if gone:
            yield self.finding(
                at,
                f"the project can not be used on {spoken_platforms(gone)}: no entry holds there",
                severity=Severity.INFO,
            )


class IntelMac(Rule):
    """A Mac with an Intel processor is a target, and torch ended there with 2.2.

    uv locks the newest torch for all Macs, and an Intel Mac then finds no wheel. With an entry in
    `required-environments` it takes an older release for that machine.

    Bad:
        [project]
        dependencies = ["torch>=2.2"]

        [tool.uv]
        required-environments = ["sys_platform == 'darwin'"]

    Good:
        [project]
        dependencies = ["torch>=2.2"]

        [tool.uv]
        required-environments = ["sys_platform == 'darwin' and platform_machine == 'x86_64'"]
    """

    code = "TC407"
    name = "intel-mac"
    severity = Severity.WARNING
    reference = "https://docs.astral.sh/uv/reference/settings/#required-environments"
    fixes = "unsafe"

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Report a declared platform that ended, if nothing sets it apart."""
        if not subject.declared:
            return
        # Imported here: few projects say which platforms they are for.
        from torchconf.markers import holds

        catalog = subject.catalog
        required = subject.project.workspace.required_environments
        for platform in sorted(subject.declared):
            last = catalog.platform_end(platform)
            twins = [p for p in PLATFORMS if p.os == platform.os and p != platform]
            apart = any(
                holds(entry.marker, platform) and not any(holds(entry.marker, p) for p in twins)
                for entry in required
            )
            if last is None or apart or platform not in subject.locked:
                continue
            open_ = [
                one
                for _, one in subject.required(catalog.main_package)
                if platform in subject.platforms(one.marker)
                and any(
                    str(version) != last and one.specifier.contains(version) and version > _of(last)
                    for version in catalog.releases
                )
                and any(p in subject.platforms(one.marker) for p in twins)
            ]
            if not open_:
                continue
            fix = None
            if subject.project.root is None:
                draft = draft_of(subject)
                _require(draft, subject, platform)
                fix = Fix(f"require wheels for {platform.key}", tuple(draft.steps), safe=False)
            yield self.finding(
                open_[0].at,
                f"torch ended with {last} on {platform.key}, which is a declared platform",
                help="set it apart: `required-environments`, or a requirement of its own",
                fix=fix,
            )


def _require(draft: Draft, subject: Subject, platform: Platform) -> None:
    """Give a platform an entry of its own; uv wants the entries to exclude each other."""
    from torchconf.markers import holds, names_platforms, platform_marker, same_platforms, spell

    path = (*UV, "required-environments")
    marker = platform_marker(platform)
    reason = "uv then looks for a wheel for it"
    entries = subject.project.required_environments
    inside = [entry for entry in entries if holds(entry.marker, platform)]
    for entry in inside:
        rest = names_platforms(entry.raw) and spell(
            same_platforms(entry.raw) - same_platforms(marker)
        )
        if not rest or not isinstance(path_of(entry.at)[-1], int):
            return
        draft.replace(path_of(entry.at), rest, "the rest of it")
    draft.insert(path, marker, reason)


def _of(text: str) -> Version:
    # Imported here: hardly a file comes this far.
    from packaging.version import Version

    return Version(text)


RULES: tuple[type[Rule], ...] = (
    SysPlatformValue,
    PlatformSystemValue,
    Amd64Missing,
    PreferSysPlatform,
    CudaOnMacos,
    IntelMac,
    Environments,
)
"""The rules of this family, by code."""
