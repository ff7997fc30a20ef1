"""One requirement of a requirements file: by name, by URL, or by path."""

from __future__ import annotations

import posixpath
import re

from packaging.markers import InvalidMarker, Marker
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidWheelFilename

from torchconf.migrate.decode import UNREADABLE
from torchconf.migrate.old import BASE, LeftOut, Need, Place, PythonBound, Section
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.wheel_names import parse_wheel_name

__all__ = ["Spelled", "read_requirement", "split_label"]

_LONGEST = 20_000
"""More characters than any requirement has without its hashes."""
_NAME = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[([^\[\]]*)\])?\s*")
_URL = re.compile(r"(?:git|hg|svn|bzr)\+|[A-Za-z][A-Za-z0-9+.-]*://|file:", re.IGNORECASE)
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_ARCHIVE = re.compile(r"\.(?:whl|zip|tar|tgz|tbz|txz|tar\.(?:gz|bz2|xz|Z|lzma))$", re.IGNORECASE)
_SDIST = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*?)-v?([0-9][A-Za-z0-9.!_+]*)")
_EXTRAS = re.compile(r"^([^\[\]]*)\[([^\[\]]*)\]$")
_VARIABLE = re.compile(r"\$\{[A-Za-z0-9_]+\}")
_CLAUSE = re.compile(r"(===|==|~=|!=|<=|>=|<|>)\s*((?:\d+!)?[^\s,;<>=!~()]+)")


class Spelled(NamedTuple):
    """A specifier, and the label that stood in it."""

    specifier: str
    label: str = ""


def read_requirement(
    at: Place,
    text: str,
    *,
    editable: bool = False,
    section: Section = BASE,
) -> Need | PythonBound | LeftOut:
    """Read what pip accepts as a requirement.

    Args:
        at: Where it stands.
        text: The requirement with its marker, without options and comments.
        editable: Whether it is installed in place: `-e`.
        section: The part of the project that it belongs to.

    Returns:
        A `Need`; a `PythonBound` for `python>=3.10`, which no index has and somebody meant; else a
        `LeftOut` that says why nobody understands it.
    """
    bare = text.strip()
    if len(bare) > 1 and bare[0] == bare[-1] and bare[0] in "'\"":
        bare = bare[1:-1].strip()
    try:
        return _read(Need(at, text, "", editable=editable, section=section), bare)
    except _NotUnderstood as error:
        return LeftOut(at, text, str(error), understood=False)


class _NotUnderstood(Exception):
    """The reason why a text is no requirement: half a sentence."""


def _read(need: Need, text: str) -> Need | PythonBound:
    if UNREADABLE in text:
        raise _NotUnderstood("it is not UTF-8")
    if len(text) > _LONGEST:
        raise _NotUnderstood("it is too long for a requirement")
    by_name = _NAME.match(text)
    is_direct = bool(by_name and text.startswith("@", by_name.end()))
    is_place = not is_direct and _is_place(text)
    # In a URL or a path, a semicolon is a character like others unless a space stands beside it.
    end = re.search(r"\s;|;\s" if is_direct or is_place else ";", text)
    head = text[: end.start()].strip() if end else text
    if end:
        need = need._replace(marker=_marker(text[end.end() :].strip("; \t")))
    if is_place:
        return _located(need, head)
    if by_name is None:
        raise _NotUnderstood(_why_unnamed(text))
    need = need._replace(name=by_name[1], extras=_extras(by_name[2]))
    if is_direct:
        return _located(need, head[by_name.end() + 1 :].strip())
    rest = head[by_name.end() :].strip()
    spelled = read_specifier(rest)
    if spelled is None:
        raise _NotUnderstood(_why_not_specifier(text, rest))
    if need.name.lower() == "python":
        return PythonBound(need.at, need.text, spelled.specifier or ">=3")
    return need._replace(specifier=spelled.specifier, label=spelled.label)


def split_label(version: str) -> tuple[str, str]:
    """Return a version without its local version, and that: `2.3.1` and `cu121`."""
    public, _, label = version.partition("+")
    return public, label.lower()


def read_specifier(text: str) -> Spelled | None:
    """Read the versions of a requirement, also as they were written before the standard.

    `>=1.0.*` is `>=1.0`, as it was for older installers, and a comma may be missing. None if it is
    no specifier.
    """
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    text = text.strip().rstrip(",")
    clauses = list(_CLAUSE.finditer(text))
    if re.sub(r"[\s,]", "", _CLAUSE.sub("", text)):
        return None
    label = ""
    parts: list[str] = []
    for clause in clauses:
        operator, version = clause.groups()
        public, local = split_label(version)
        if local and operator != "!=":
            label, version = local, public
            operator = "==" if operator == "===" else operator
        if operator in {">=", "<=", "<", ">"}:
            version = version.removesuffix(".*")
        parts.append(f"{operator}{version}")
    specifier = ",".join(parts)
    try:
        if specifier:
            SpecifierSet(specifier)
    except InvalidSpecifier:
        return None
    return Spelled(specifier, label)


def _marker(text: str) -> str:
    """Return a marker that pip can read, as it stands."""
    try:
        Marker(text)
    except (InvalidMarker, RecursionError):
        raise _NotUnderstood(f"`{text}` is not a marker") from None
    if re.search(r"(?<![\w'\"])extra(?![\w'\"])", text):
        raise _NotUnderstood("pip never installs it: its marker tests `extra`")
    return text


def _why_unnamed(text: str) -> str:
    if variable := _VARIABLE.search(text):
        return f"only the environment variable `{variable[0]}` says what it is"
    return "it is not a requirement"


def _why_not_specifier(text: str, rest: str) -> str:
    if variable := _VARIABLE.search(rest):
        return f"only the environment variable `{variable[0]}` says which version it is"
    if re.match(r"=\s*[^=\s]", rest):
        return "`=` is conda's operator; a requirements file has `==`"
    if re.match(r"\W?(?:python\S* -m )?pip\S* install ", text):
        return "this is a command, not a requirement"
    return f"`{rest}` is not a version specifier"


def _is_place(text: str) -> bool:
    """Tell whether a requirement is a URL or a path, as pip decides without looking at the disk."""
    if _URL.match(text) or _DRIVE.match(text) or text.startswith((".", "/", "~", "\\")):
        return True
    head = re.split(r"\s;|;\s", text, maxsplit=1)[0].split("[", 1)[0].strip()
    if _ARCHIVE.search(head):
        return not re.search(r"[<>=!~\s]", head) or "/" in head
    first = re.split(r"[;<>=!~\s(]", text, maxsplit=1)[0]
    return "/" in first or "\\" in first


def _located(need: Need, place: str) -> Need:
    """Return a need with the URL or the path that it comes from."""
    if not place:
        raise _NotUnderstood("the URL after `@` is missing")
    if extras := _EXTRAS.match(place):
        place = extras[1].strip()
        need = need._replace(extras=need.extras or _extras(extras[2]))
    if re.match(r"(?i)(?:git|hg|svn|bzr)\+[^/@\s]*@[^/\s]*:(?!/)", place):
        raise _NotUnderstood("pip and uv want `git+ssh://git@host/owner/name.git` here")
    bare, _, fragment = place.partition("#")
    parts = [part for part in fragment.split("&") if part]
    for part in parts:
        # The name of a wheel is surely right; that behind it is what somebody typed.
        if part.lower().startswith("egg=") and not bare.lower().endswith(".whl"):
            need = _named_by_egg(need, _unquoted(part[4:]))
    kept = "&".join(part for part in parts if not part.lower().startswith("egg="))
    if bare.lower().startswith("file:"):
        return _named_by_file(need._replace(path=_path_of_url(bare)), bare)
    if _URL.match(bare):
        need = need._replace(url=f"{bare}#{kept}" if kept else bare)
        return need if "+" in bare.partition("://")[0] else _named_by_file(need, bare)
    return _named_by_file(need._replace(path=_path(bare)), bare)


def _named_by_egg(need: Need, egg: str) -> Need:
    found = _NAME.match(egg)
    if found is None or need.name:
        return need
    # `name-1.0` was a way to say the version.
    name = re.sub(r"-\d+(?:\.\d+)+$", "", found[1])
    return need._replace(name=name, extras=need.extras or _extras(found[2]))


def _named_by_file(need: Need, place: str) -> Need:
    """Add what the name of an archive says: the package, its version and its label."""
    file = _unquoted(re.split(r"[/\\]", place.partition("?")[0])[-1])
    archive = _ARCHIVE.search(file)
    if archive is None:
        return need
    name, version = "", ""
    if archive[0].lower() == ".whl":
        try:
            name, parsed, _ = parse_wheel_name(file)
            version = str(parsed)
        except InvalidWheelFilename:
            if old := re.match(r"([A-Za-z0-9._]+)-([0-9][A-Za-z0-9.!_+]*)-", file):
                name, version = old.groups()
    elif sdist := _SDIST.fullmatch(file[: archive.start()]):
        name, version = sdist.groups()
    public, label = split_label(version)
    spelled = read_specifier(f"=={public}") if public else None
    if not need.name:
        need = need._replace(name=name)
    return need._replace(specifier=spelled.specifier if spelled else "", label=label)


def _path_of_url(url: str) -> str:
    """Return the path of a `file:` URL; `${PROJECT_ROOT}` is the project's folder."""
    path = _unquoted(url[len("file:") :])
    if path.startswith("//"):
        host, slash, rest = path[2:].partition("/")
        path = f"{slash}{rest}" if host in {"", "localhost", "127.0.0.1"} else path[2:]
    path = re.sub(r"^/?\$\{PROJECT_ROOT\}/*", "./", path)
    return _path(path[1:] if re.match(r"/[A-Za-z]:", path) else path)


def _path(text: str) -> str:
    return posixpath.normpath(text.replace("\\", "/"))


def _unquoted(text: str) -> str:
    if "%" not in text:
        return text
    from urllib.parse import unquote

    return unquote(text)


def _extras(text: str | None) -> tuple[str, ...]:
    return tuple(extra.strip() for extra in (text or "").split(",") if extra.strip())
