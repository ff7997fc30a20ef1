"""Poetry's version constraints, `^2.4 || ~3.1`, as specifiers of Python's standard."""

from __future__ import annotations

import re

from packaging.specifiers import Specifier, SpecifierSet
from packaging.version import VERSION_PATTERN, Version

from torchconf.migrate.version_unions import NoSpecifier, below, bounds, union
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.ranges import overlaps

__all__ = ["NoSpecifier", "as_marker", "convert", "convert_python", "with_prereleases"]

_ANY = re.compile(r"v?[xX*](?:\.[xX*])*")
_CLAUSE = re.compile(
    rf"(?P<sign>\^|~=|~|==?|!=|[<>]=?|)\s*(?P<version>{VERSION_PATTERN})(?P<wild>(?:\.\*)*)",
    re.VERBOSE | re.IGNORECASE,
)
_AND = re.compile(r"(?<!^)(?<![\^~=>< ,]) *(?<!-)[, ](?!-) *(?!,|$)")
"""What parts clauses that must all hold. Source: `parse_constraint` of poetry-core 2.5."""
_LONGEST = 300
_PARTS = 2
"""Of `python_version`."""


class Converted(NamedTuple):
    """A constraint in the words of Python's standard."""

    specifier: str
    """Without local versions; empty for any version."""
    label: str
    """The local version that it names."""


def convert(text: str, *, parts: int = 1) -> Converted:
    """Convert a constraint.

    Args:
        text: As in a pyproject.toml: `^2.4.0+cu124`, `>=2,<3`, `2.*`, `~2.7 || ^3.6`.
        parts: How many parts an upper bound has at least, zeros included: `<4` or `<4.0`.

    Raises:
        NoSpecifier: Poetry cannot read it, or no specifier means the same.
    """
    text = text.strip()
    if len(text) > _LONGEST:
        raise NoSpecifier("the version is too long to be one")
    labels: set[str] = set()
    choices = [_choice(choice, parts, labels) for choice in re.split(r"\s*\|\|?\s*", text)]
    if len(labels) > 1:
        raise NoSpecifier(f"`{text}` names several builds")
    label = labels.pop() if labels else ""
    if len(choices) == 1:
        return Converted(",".join(choices[0]), label)
    return Converted(union(choices, text), label)


def convert_python(text: str) -> str:
    """Convert the Pythons of a project, as a specifier; what is about Python 2 alone is left out.

    Raises:
        NoSpecifier: As for any other constraint.
    """
    choices = re.split(r"\s*\|\|?\s*", text.strip())
    kept = [
        choice for choice in choices if overlaps(SpecifierSet(convert(choice).specifier), ">=3")
    ]
    return convert(" || ".join(kept or choices), parts=2).specifier


def with_prereleases(specifier: str) -> str:
    """Return a specifier that admits pre-releases, as uv reads one: by a bound that is one."""
    clauses = [clause for clause in specifier.split(",") if clause]
    if any(clause.startswith("==") or _is_prerelease(clause) for clause in clauses):
        return specifier
    for number, clause in enumerate(clauses):
        if clause.startswith((">=", "~=")):
            clauses[number] = f"{clause}.dev0"
            return ",".join(clauses)
    return ",".join([">=0.dev0", *clauses])


def as_marker(specifier: str) -> str:
    """Return the marker for the Pythons that a specifier admits; empty for any.

    `python_version` has two parts, so that what depends on the third is about
    `python_full_version`: Python 3.10.4 is not `<=3.10`.
    """
    return " and ".join(_python_clause(clause) for clause in specifier.split(",") if clause)


def _is_prerelease(clause: str) -> bool:
    return "*" not in clause and Version(Specifier(clause).version).is_prerelease


def _choice(text: str, parts: int, labels: set[str]) -> list[str]:
    """Return the clauses that must all hold."""
    clauses: list[str] = []
    for part in _AND.split(text.rstrip(",").rstrip()):
        clauses += _clauses(part.strip(), parts, labels)
    return clauses


def _clauses(text: str, parts: int, labels: set[str]) -> list[str]:
    if _ANY.fullmatch(text):
        return []
    match = _CLAUSE.fullmatch(text)
    if match is None:
        raise NoSpecifier(f"`{text}` is not a version")
    sign, version = match["sign"], Version(match["version"])
    public = version.public
    is_exact = sign in ("", "=", "==", "!=")
    if match["wild"] and (version.local or public != version.base_version or "~" in sign):
        raise NoSpecifier(f"`{text}` is not a version")
    if version.local:
        if sign == "!=":
            raise NoSpecifier(f"`{text}` excludes one build")
        labels.add(version.local)
    if is_exact:
        return [f"{'!=' if sign == '!=' else '=='}{public}{'.*' if match['wild'] else ''}"]
    position = _position(sign, version.release)
    if position is None:
        return [f"{sign}{public}"]
    if match["wild"]:
        raise NoSpecifier(f"`{text}` is not a version")
    return [f">={public}", below(version, position, parts)]


def _position(sign: str, release: tuple[int, ...]) -> int | None:
    """Return which part of a version the next release has raised; None without such a bound."""
    if sign == "^":
        first = next((n for n, number in enumerate(release[:2]) if number), 2)
        return min(first, len(release) - 1)
    if sign == "~":
        return min(1, len(release) - 1)
    # Python's standard wants two parts after `~=`, Poetry does not.
    return 0 if sign == "~=" and len(release) == 1 else None


def _python_clause(clause: str) -> str:
    parsed = Specifier(clause)
    operator, text = parsed.operator, parsed.version
    if operator == "~=":
        return " and ".join(map(_python_clause, bounds(clause, clause)))
    if text.endswith(".*"):
        return _python_family(operator, Version(text[:-2]))
    version = Version(text)
    name = "python_full_version" if len(version.release) > _PARTS else "python_version"
    if name == "python_version" and operator not in (">=", "<", "=="):
        name, text = "python_full_version", ".".join(map(str, (*version.release, 0, 0)[:3]))
    return f"{name} {operator} '{text}'"


def _python_family(operator: str, version: Version) -> str:
    """Return the marker for all Pythons of one beginning, or for all others."""
    count = len(version.release)
    if count == _PARTS:
        return f"python_version {operator} '{version}'"
    name = "python_version" if count < _PARTS else "python_full_version"
    after = below(version, count - 1, 1)[1:]
    if operator == "==":
        return f"{name} >= '{version}' and {name} < '{after}'"
    return f"({name} < '{version}' or {name} >= '{after}')"
