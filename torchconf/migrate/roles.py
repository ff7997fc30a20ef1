"""What the name of a requirements file says: `requirements-gpu.txt` is for machines with one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from torchconf.model.named_tuple import NamedTuple
from torchconf.model.target_spec import parse_build, parse_platform

if TYPE_CHECKING:
    from torchconf.model.target_spec import Vocabulary

__all__ = ["Role", "extra_name", "is_lock", "role_of"]


class Role(NamedTuple):
    """What a file is for."""

    kind: Literal["base", "group", "extra", "build", "platform", "bounds"] = "base"
    name: str = ""
    """Of the group or extra; of a build as in a target (`cuda`, `cu121`); of a platform its key."""
    word: str = ""
    """The part of the file's name that says so."""


_BASE = frozenset({"", "base", "common", "core", "main", "prod", "production", "all", "app"})
_LOCK = frozenset({"lock", "locked", "frozen", "freeze", "pinned", "full"})
_DEV = frozenset({"dev", "devel", "develop", "development", "test", "tests", "testing", "ci"})
_GROUPS = {
    **dict.fromkeys(_DEV, "dev"),
    **dict.fromkeys(("doc", "docs", "documentation"), "docs"),
    **dict.fromkeys(("lint", "linting", "format", "style"), "lint"),
}
_BUILDS = {"gpu": "cuda", "nvidia": "cuda", "nogpu": "cpu", "amd": "rocm", "intel": "xpu"}
"""Words that mean a build on their own; a target does not take them, as they could mean several."""
_PLATFORMS = {
    "ubuntu": "linux",
    "debian": "linux",
    "m1": "macos",
    "m2": "macos",
    "m3": "macos",
    "mps": "macos",
    "apple": "macos",
}
_MACS = frozenset({"apple", "mac", "macos", "osx", "darwin"})
_STEM = re.compile(r"(?:^|[-_. ])(?:requi?re?ments?|reqs?|constraints?)(?:[-_. ]|$)")
_CONDA_STEM = re.compile(r"(?:^|[-_. ])(?:conda[-_. ]?)?(?:environment|env|conda)(?:[-_. ]|$)")


def role_of(path: str, vocabulary: Vocabulary) -> Role:
    """Tell what a file is for from its name, and from its folder if that is `requirements`.

    Args:
        path: Relative to the project's folder, with slashes.
        vocabulary: The words for builds.
    """
    folder, _, name = path.lower().rpartition("/")
    stem = re.sub(r"[.](?:txt|in|pip|lock|ya?ml)$", "", name)
    if name.endswith((".yml", ".yaml")) and (found := _CONDA_STEM.search(stem)):
        before, after = stem[: found.start()], stem[found.end() :]
        return _role("-".join(part for part in (before, after) if part), vocabulary)
    if re.search(r"(?:^|[-_.])constraints?(?:[-_.]|$)", stem):
        return Role("bounds", word="constraints")
    if not (found := _STEM.search(stem)):
        inside = re.fullmatch(r"(?:.*/)?(?:requi?re?ments?|reqs?|deps)", folder)
        return _role(stem, vocabulary) if inside else Role()
    before, after = stem[: found.start()], stem[found.end() :]
    return _role("-".join(part for part in (before, after) if part), vocabulary)


def _role(word: str, vocabulary: Vocabulary) -> Role:
    """Tell what is meant by the part of a name that is not `requirements`."""
    parts = [part for part in re.split(r"[-_. ]+", word) if part]
    # `gpu-lock` is about a GPU; `py310` and `linux` beside it say for what it was compiled.
    parts = [part for part in parts if part not in _LOCK] or [""]
    if "intel" in parts and not _MACS.isdisjoint(parts):
        parts = ["macos-x86_64"]  # Its processor, not a GPU.
    whole = "-".join(parts)
    for text in dict.fromkeys((whole, re.sub("[-_]", ".", whole), *parts)):
        if text in _BUILDS:
            return Role("build", _BUILDS[text], word)
        if text not in _PLATFORMS and (build := parse_build(text, vocabulary)):
            accelerator, backend = build
            return Role("build", backend.name if backend else accelerator, word)
    if group := next((_GROUPS[part] for part in parts if part in _GROUPS), ""):
        return Role("group", group, word)
    platforms = (parse_platform(_PLATFORMS.get(text, text)) for text in (whole, *parts))
    if platform := next(filter(None, platforms), None):
        return Role("platform", platform.key, word)
    if all(part in _BASE or re.fullmatch(r"py(?:thon)?[0-9.]*", part) for part in parts):
        return Role("base", word=word)
    return Role("extra", extra_name(whole), word)


def is_lock(path: str) -> bool:
    """Tell whether a file is named as one that holds all versions: `requirements-lock.txt`."""
    words = re.split(r"[-_. ]+", path.lower().rpartition("/")[2])
    return not _LOCK.isdisjoint(words)


def extra_name(word: str) -> str:
    """Return the name of an extra for the part of a file's name that says what it is for."""
    return re.sub(r"[^a-z0-9]+", "-", word).strip("-")
