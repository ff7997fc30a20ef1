"""Conda's match specs: `conda-forge::pytorch>=2.4,<3=cuda*`, `pytorch[version='2.4.*']`."""

from __future__ import annotations

import re

from torchconf.migrate.poetry_versions import NoSpecifier, convert
from torchconf.model.named_tuple import NamedTuple

__all__ = ["Spec", "parse_spec"]

_SPEC = re.compile(
    r"(?:(?P<channel>[^\s:=<>!~\[\]]+)::)?(?P<name>[0-9.-]*[A-Za-z_][A-Za-z0-9_.-]*)\s*"
    r"(?P<rest>[^\[\]]*)(?:\[(?P<keys>[^\[\]]*)\])?"
)
_KEY = re.compile(r"""\s*([a-z_]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s,'"]+))\s*(?:,|$)""")
_VERSION = re.compile(
    r"(?P<version>(?:[<>=!~]=?|)[^\s=<>!~,|]+(?:[,|](?:[<>=!~]=?|)[^\s=<>!~,|]+)*)"
    r"(?:[ =]\s*(?P<build>\S+))?"
)
_CLAUSE = re.compile(r"([<>=!~]=?|)(.+)")
_LONGEST = 500


class Spec(NamedTuple):
    """What one spec asks for."""

    name: str
    version: str
    """As written: `>=2.4,<3`, `=2.4`; empty for any."""
    build: str
    channel: str
    is_export: bool = False
    """Whether a program has written it, which names each version in full."""

    @property
    def specifier(self) -> str:
        """The version as a specifier of Python's standard: `=2.4` means each release of 2.4.

        Raises:
            NoSpecifier: There is none.
        """
        if not self.version:
            return ""
        choices = [
            ",".join(
                _clause(clause, exact=self.is_export or bool(self.build))
                for clause in choice.split(",")
            )
            for choice in self.version.split("|")
        ]
        try:
            return convert(" || ".join(choices)).specifier
        except NoSpecifier as error:
            raise NoSpecifier(f"no specifier means the same as `{self.version}`") from error


def parse_spec(text: str) -> Spec:
    """Take a match spec apart.

    Raises:
        NoSpecifier: It is none.
    """
    # What one types for `conda install` has come into some files.
    bare, _, channel = text.strip().partition(" -c ")
    match = _SPEC.fullmatch(bare) if len(text) <= _LONGEST else None
    if match is None:
        raise NoSpecifier("this is not a match spec of conda")
    keys = {key: a or b or c for key, a, b, c in _KEY.findall(match["keys"] or "")}
    version, build = _parts(match["rest"].strip())
    version, build = keys.get("version") or version, keys.get("build") or build
    channel = keys.get("channel") or match["channel"] or channel.strip()
    return Spec(match["name"], version, build, channel)


def _parts(rest: str) -> tuple[str, str]:
    """Return version and build: `=2.4=py3*`, `2.4 py3*`, `>=2,<3`."""
    if not rest:
        return "", ""
    rest = re.sub(r"\s*([,|])\s*", r"\1", rest)
    rest = re.sub(r"([<>=!~])\s+", r"\1", rest)
    match = _VERSION.fullmatch(rest)
    if match is None:
        raise NoSpecifier(f"`{rest}` is not a version of conda")
    return match["version"], match["build"] or ""


def _clause(text: str, *, exact: bool) -> str:
    match = _CLAUSE.fullmatch(text.strip())
    if match is None:
        raise NoSpecifier(f"`{text}` is not a version of conda")
    sign, version = match.groups()
    bare = re.sub(r"\.?\*$", "", version)
    if not bare:
        return "*"
    if sign == "=":
        # A build belongs to one version, so that with it the version is meant as it stands.
        is_whole = exact or re.search(r"[^0-9.]", bare)
        return f"=={bare}" if is_whole and bare == version else f"=={bare}.*"
    if sign in ("", "==", "!="):
        return f"{sign or '=='}{bare}{'' if bare == version else '.*'}"
    return f"{sign}{bare}"
