"""Versions that are asked for: labels, and Pythons without wheels."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchconf.model.backends import is_pypi
from torchconf.model.ranges import admits_newer, admits_python, public
from torchconf.model.targets import SHOWN_PLATFORMS
from torchconf.rules.fixes import (
    add_index,
    add_sources,
    draft_of,
    index_name,
    put_at,
    servable,
    without_wheels,
)
from torchconf.rules.installed_builds import applied_sources, reachable_range, source_on
from torchconf.rules.rule import Finding, Fix, Rule, Severity
from torchconf.rules.wording import list_systems

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from packaging.specifiers import SpecifierSet

    from torchconf.model.backends import Backend
    from torchconf.model.project import Index, Requirement
    from torchconf.model.targets import Platform
    from torchconf.rules.context import Context, Place

__all__ = ["RULES"]


class LabelPin(Rule):
    """A requirement pins a local version such as `+cu128`, which not every platform has."""

    code = "TC409"
    name = "label-pin"
    severity = Severity.WARNING
    reference = "https://packaging.python.org/en/latest/specifications/version-specifiers/"
    fixes = "unsafe"

    def check(self, context: Context) -> Iterator[Finding]:
        """Report labels where a platform lacks them, and in published metadata."""
        family = set(context.catalog.family)
        for place, one in context.requirements:
            if one.name not in family or one.url is not None:
                continue
            backend = _label(context, one)
            if backend is None:
                continue
            without = [
                platform
                for platform in SHOWN_PLATFORMS
                if platform.machine != "aarch64"
                and platform in context.locked & context.platforms(one.marker)
                and (platform.os == "macos" or platform in without_wheels(context, backend))
                and not _leads_there(context, place, one, platform, backend)
            ]
            published = context.is_published and place.kind != "group"
            if not without and not published:
                continue
            if without:
                said = f"there are no `+{backend.name}` wheels for {list_systems(without)}"
            else:
                said = "PyPI does not accept it in a published package"
            new = re.sub(r"\+[A-Za-z0-9.]+", "", one.raw.partition(";")[0])
            new += "".join(one.raw.partition(";")[1:])
            step = put_at(one.path, new, "the source selects the build")
            yield self.finding(
                one.path,
                f"`{one.raw.partition(';')[0].strip()}` pins a local version: {said}",
                help="select the build with a source, and only the version with the requirement",
                severity=None if without and published else Severity.INFO,
                fix=Fix("remove the local version", (step,), safe=False),
            )


def _leads_there(
    context: Context, place: Place, one: Requirement, platform: Platform, backend: Backend
) -> bool:
    """Tell whether a source sends a platform to the labelled build: it cannot be used there."""
    if backend == context.catalog.fallback:
        return False  # Its index has macOS wheels, without a label.
    source = source_on(context, applied_sources(context, one.name, place), platform)
    return source is not None and context.source_backend(source) == backend


def _label(context: Context, requirement: Requirement) -> Backend | None:
    for part in requirement.specifier:
        label = part.version.partition("+")[2]
        if label and part.operator in ("==", "==="):
            backend = context.catalog.backend(label)
            return backend if backend.accelerator else None
    return None


class LabelWithoutIndex(Rule):
    """A requirement names a build, but uv searches no index that has it."""

    code = "TC112"
    name = "label-without-index"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/guides/integration/pytorch/#using-a-pytorch-index"
    fixes = "unsafe"
    stops_lock = True

    def check(self, context: Context) -> Iterator[Finding]:
        """Report labels of packages that PyPI must serve: it has none of them."""
        if _has_unknown_index(context):
            return
        opened = {context.backend(index) for index in _opened(context)}
        family = set(context.catalog.family)
        for place, one in context.requirements:
            backend = _label(context, one) if one.name in family and one.url is None else None
            if backend is None or backend in opened:
                continue
            # Where a source covers some platforms, the others are what TC409 is about.
            if applied_sources(context, one.name, place):
                continue
            if not context.platforms(one.marker) & context.locked:
                continue
            yield self.finding(
                one.path,
                f"`{one.raw.partition(';')[0].strip()}` is only on PyTorch's index of "
                f"{backend.title}, but comes from PyPI, which has no such version",
                help=f"add the index {context.catalog.index_url(backend)} with "
                "`explicit = true`, and a source that names it",
                severity=_for_pip(context, place),
                fix=self._fix(context, backend),
            )

    def _fix(self, context: Context, backend: Backend) -> Fix | None:
        if not context.catalog.is_known(backend.name):
            return None
        url = context.catalog.index_url(backend)
        known = [i for i in context.project.indexes if i.name and i.url.rstrip("/") == url]
        name = known[0].name if known and known[0].name else index_name(context, url)
        draft = draft_of(context)
        if not known:
            add_index(draft, name, url)
        names = [p for p in context.catalog.family if p in context.needed]
        labels = {
            one.name: label
            for _, one in context.requirements
            if (label := _label(context, one)) is not None
        }
        bare = [name for name in names if labels.get(name, backend) == backend]  # type: ignore[call-overload]  # names are normalised
        add_sources(draft, context, name, url, servable(context, url, bare))
        return Fix(f"route the packages to {backend.title}", tuple(draft.steps), safe=False)


def _for_pip(context: Context, place: Place) -> Severity | None:
    """An extra of a project that shows no uv may be for pip, whose users name the index."""
    uses_uv = bool(context.project.uv) or bool(context.workspace.lockfile)
    return Severity.INFO if place.kind == "extra" and not uses_uv else None


def _opened(context: Context) -> list[Index]:
    """Return the indexes that uv searches for every package."""
    return [index for index in context.project.workspace.indexes if not index.explicit]


def _has_unknown_index(context: Context) -> bool:
    """Tell whether uv also searches what nobody knows here: a mirror, a folder of wheels."""
    root = context.project.workspace
    pip = root.uv.get("pip")
    for table in (root.uv, pip if isinstance(pip, dict) else {}):
        if any(table.get(key) for key in ("index-url", "extra-index-url", "find-links")):
            return True
    unknown = [i for i in context.project.indexes if context.backend(i) is None]
    return any(
        context.is_pytorch(index.url, index.name)
        or not (index.explicit or is_pypi(context.catalog.real(index.url)))
        for index in (*unknown, *(i for i in root.indexes if context.backend(i) is None))
    )


class RequiresPython(Rule):
    """`requires-python` allows a Python version for which the required torch has no wheels."""

    code = "TC504"
    name = "requires-python"
    severity = Severity.WARNING
    reference = "https://docs.astral.sh/uv/concepts/resolution/#universal-resolution"

    def check(self, context: Context) -> Iterator[Finding]:
        """Hold the lowest Python, and the highest of a closed range, against the releases."""
        catalog = context.catalog
        python = context.project.requires_python
        if python is None:
            return
        inside = [each for each in catalog.pythons if admits_python(python, each)]
        ends = (
            {"lowest": inside[0]} if inside and not _reaches_below(python, catalog.pythons) else {}
        )
        if inside and not catalog.is_open(python) and inside[-1] != catalog.pythons[-1]:
            ends["highest"] = inside[-1]
        for _, one in context.required(catalog.main_package):
            specifier = public(one.specifier)
            if one.url is not None or "python" in str(one.marker):
                continue
            for which, version in ends.items():
                if _is_served(context, specifier, version) is not False:
                    continue
                if which == "highest" and admits_newer(specifier, max(catalog.releases)):
                    continue
                yield self.finding(
                    ("project", "requires-python"),
                    f"no wheels of `{one.raw.strip()}` for the {which} Python, {version}",
                    help="narrow `requires-python`, or widen the range of torch",
                )
                return


class CappedTorchOpenPython(Rule):
    """An upper bound on torch leaves newer Pythons of `requires-python` without wheels."""

    code = "TC411"
    name = "capped-torch-open-python"
    severity = Severity.INFO
    reference = "https://docs.astral.sh/uv/concepts/resolution/#universal-resolution"
    fixes = "unsafe"

    def check(self, context: Context) -> Iterator[Finding]:
        """Hold the Pythons of an open range against the releases that a bound leaves."""
        catalog = context.catalog
        python = context.project.requires_python
        if python is None or not catalog.is_open(python):
            return
        for place, one in context.requirements:
            if one.name != catalog.main_package or one.url is not None:
                continue
            specifier = reachable_range(context, place, one)
            if admits_newer(specifier, catalog.releases[0]) or "python" in str(one.marker):
                continue
            inside = [each for each in catalog.pythons if admits_python(python, each)]
            served = [_is_served(context, specifier, each) for each in inside]
            if True not in served or served[-1] is not False:
                continue
            first = inside[len(served) - served[::-1].index(True)]
            yield self.finding(
                one.path,
                f"`{one.raw.strip()}` has no wheels for Python {first} and newer, which "
                "`requires-python` allows",
                help=f"add `<{first}` to `requires-python`, or allow a newer torch",
                fix=self._fix(context, first),
            )
            return

    def _fix(self, context: Context, first: str) -> Fix | None:
        path = ("project", "requires-python")
        draft = draft_of(context)
        written = draft.get(path)
        if not isinstance(written, str) or context.project.root is not None:
            return None
        draft.put(path, f"{written.strip()},<{first}", "torch has no wheels for newer Pythons")
        return Fix(f"add `<{first}` to `requires-python`", tuple(draft.steps), safe=False)


def _is_served(context: Context, specifier: SpecifierSet, python: str) -> bool | None:
    """Tell whether a release in a range is built for a Python; None where nothing is known."""
    catalog = context.catalog
    known: bool | None = None
    for release in catalog.releases:
        if specifier.contains(release, prereleases=True):
            pythons = catalog.release_pythons(release)
            if python in pythons:
                return True
            known = False if pythons else known
    return known


def _reaches_below(python: SpecifierSet, pythons: Sequence[str]) -> bool:
    """Tell whether a range has no floor among the known Pythons: nobody knows what is meant."""
    return not any(part.operator in (">=", ">", "~=", "==") for part in python) or not pythons


RULES: tuple[type[Rule], ...] = (
    LabelWithoutIndex,
    LabelPin,
    CappedTorchOpenPython,
    RequiresPython,
)
"""The rules of this family, by code."""
