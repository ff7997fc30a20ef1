"""Requirement text: new specifiers, and old text with one more bound, in its own spelling."""

from __future__ import annotations

import re

from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from torchconf.errors import RequestError
from torchconf.model.ranges import admits_from, overlaps


def parse_requirement(text: str) -> Requirement:
    """Parse a requirement as uv does: it ends a URL at `; `, where the standard wants a space.

    Raises:
        InvalidRequirement: It is none.
    """
    head, end, tail = text.partition("; ") if "://" in text else (text, "", "")
    return Requirement(f"{head} ; {tail}" if end else text)


def required_name(text: str) -> NormalizedName:
    """Return the name of the package that a valid requirement asks for."""
    return canonicalize_name(parse_requirement(text).name)


def torch_specifier(text: str | None) -> str:
    """Return the specifier that `--torch` asks for; empty if it was not given.

    A bare version means that release: `2.13` is `>=2.13,<2.14`.

    Raises:
        RequestError: It is neither a version nor a specifier.
    """
    if text is None:
        return ""
    given = text
    text = re.sub(r"\s+", "", text)
    try:
        if re.match(r"[0-9v]", text):
            text = f">={text},<{next_minor(Version(text))}"
        # An empty range is no range: a part of its own that is not there cannot be read.
        SpecifierSet(text or "nothing")
    except (InvalidSpecifier, InvalidVersion) as error:
        raise RequestError(
            f"`--torch {given}` is not a version or specifier",
            help="write `2.13`, `>=2.13` or `>=2.11,<2.14`",
        ) from error
    return text


def python_specifier(text: str) -> str:
    """Return the specifier that `--python` asks for: `3.12` means `>=3.12`.

    Raises:
        RequestError: It is neither a version nor a specifier.
    """
    text = re.sub(r"\s+", "", text)
    specifier = f">={text}" if re.fullmatch(r"[0-9.]+", text) else text
    help_ = "write `3.12`, which means `>=3.12`, or `>=3.11,<3.14`"
    try:
        parsed = SpecifierSet(specifier)
    except InvalidSpecifier as error:
        raise RequestError(
            f"`--python {text}` is not a version or specifier", help=help_
        ) from error
    if not text or not overlaps(parsed, ">=3"):
        raise RequestError(f"`--python {text}` admits no Python", help=help_)
    return specifier


def next_minor(version: Version) -> str:
    """Return the release after this one: `2.12` for `2.11.0`, `3` for a mere `2`."""
    if len(version.release) == 1:
        return str(version.major + 1)
    return f"{version.major}.{version.minor + 1}"


def exact_version(text: str | None) -> str | None:
    """Return the version that `--torch` names in full, `2.12.0`; None for a range, or a release."""
    text = (text or "").strip()
    return text if re.fullmatch(r"[0-9]+[.][0-9]+[.][0-9]+", text) else None


def with_specifier(text: str, specifier: str) -> str:
    """Return a requirement with another specifier; name, extras and marker keep their spelling."""
    head, _, tail = text.partition(";")
    name = re.match(r"\s*[A-Za-z0-9._-]+\s*(?:\[[^\]]*\])?", head)
    marker = f" ;{tail}" if tail and head.endswith(" ") else f";{tail}" if tail else ""
    return f"{name[0].rstrip() if name else head}{specifier}{marker}"


def with_wider_marker(text: str, marker: str) -> str:
    """Return a requirement whose marker holds in another place, too; one without has no need."""
    head, semicolon, tail = text.partition(";")
    if not semicolon:
        return text
    parts = [f"({part})" if " and " in part else part for part in (tail.strip(), marker)]
    return f"{head};{tail[: len(tail) - len(tail.lstrip())]}{' or '.join(parts)}"


def with_marker(text: str, marker: str) -> str:
    """Return a requirement with another marker in the place of its own."""
    head, _, tail = text.partition(";")
    return f"{head};{tail[: len(tail) - len(tail.lstrip())]}{marker}"


def with_higher_bound(text: str, bound: str) -> str:
    """Return a requirement that admits nothing below `bound`; a range with two ends stays as it is.

    So does one that names versions, or that admits nothing from there on.
    """
    parsed = parse_requirement(text)
    ends = [part for part in parsed.specifier if part.operator != "!="]
    if len(ends) > 1 or any(part.operator not in {">=", "<", "<="} for part in ends):
        return text
    lower = [part.version for part in ends if part.operator == ">="]
    is_higher = any(Version(version) >= Version(bound) for version in lower)
    if parsed.url is not None or is_higher or not admits_from(parsed.specifier, bound):
        return text
    head, _, tail = text.partition(";")
    if lower:
        raised = re.sub(r">=\s*[^,)\s]+", f">={bound}", head)
    elif str(parsed.specifier):
        raised = re.sub("(?=[<!])", f">={bound},", head, count=1)
    else:
        own = head.rstrip()
        raised = f"{own}>={bound}{head[len(own) :]}"
    return f"{raised};{tail}" if tail else raised


def with_upper_bound(text: str, bound: str) -> str:
    """Return a requirement that admits nothing from `bound` on; unchanged if it does already."""
    parsed = parse_requirement(text)
    if parsed.url is not None or not admits_from(parsed.specifier, bound):
        return text
    head, _, tail = text.partition(";")
    bounded = head.rstrip()
    if re.search(r"<(?![=])", bounded):
        bounded = re.sub(r"<\s*[^=,)\s][^,)\s]*", f"<{bound}", bounded)
    elif bounded.endswith(")"):
        bounded = f"{bounded[:-1].rstrip()},<{bound})"
    else:
        bounded += f",<{bound}" if str(parsed.specifier) else f"<{bound}"
    gap = head[len(head.rstrip()) :]
    return f"{bounded}{gap};{tail}" if tail else bounded
