"""Versions that are asked for: labels, and Pythons without wheels."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchconf.model.ranges import admits_newer, admits_python, public
from torchconf.model.targets import SHOWN_PLATFORMS
from torchconf.rules.fixes import put_at, without_wheels
from torchconf.rules.rule import Finding, Fix, Rule, Severity
from torchconf.rules.wording import list_systems

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from packaging.specifiers import SpecifierSet

    from torchconf.model.backends import Backend
    from torchconf.model.project import Requirement
    from torchconf.rules.context import Context

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
                severity=None if without else Severity.INFO,
                fix=Fix("remove the local version", (step,), safe=False),
            )


def _label(context: Context, requirement: Requirement) -> Backend | None:
    for part in requirement.specifier:
        label = part.version.partition("+")[2]
        if label and part.operator in ("==", "==="):
            backend = context.catalog.backend(label)
            return backend if backend.accelerator else None
    return None


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
    LabelPin,
    RequiresPython,
)
"""The rules of this family, by code."""
