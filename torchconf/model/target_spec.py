"""What a user types as a target, read into a spec: a platform, and a build or its accelerator."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchconf.errors import REFRESH, RequestError, TargetUnavailable
from torchconf.model.backends import PYPI, Backend, parse_backend
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.targets import PLATFORMS, SYSTEMS, USUAL_MACHINES, Platform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from torchconf.model.backends import Accelerator
    from torchconf.model.targets import Target

_OS_WORDS = {
    "linux": "linux", "manylinux": "linux",
    "windows": "windows", "win": "windows", "win32": "windows", "win64": "windows",
    "macos": "macos", "mac": "macos", "macosx": "macos", "osx": "macos", "darwin": "macos",
}  # fmt: skip
_MACHINE_WORDS = {
    "x86-64": "x86_64", "amd64": "x86_64", "x64": "x86_64",
    "aarch64": "arm", "arm64": "arm",
}  # fmt: skip
_ARM = {"linux": "aarch64", "windows": "arm64", "macos": "arm64"}


def _shape() -> str:
    """Return the regular expression of a target: system, machine, backend."""
    longest_first = (
        "|".join(sorted(w, key=len, reverse=True)) for w in (_OS_WORDS, _MACHINE_WORDS)
    )
    return "({})(?:-({}))?(?:-(.+))?".format(*longest_first)


class TargetSpec(NamedTuple):
    """A target as asked for: a backend, or only its accelerator (`linux-cuda`)."""

    platform: Platform
    accelerator: str
    """Empty for PyPI's build."""
    backend: Backend | None
    """None: the newest that all specs for this accelerator share."""
    text: str


def spec_of(target: Target) -> TargetSpec:
    """Return the spec that asks for just this target."""
    return TargetSpec(target.platform, target.backend.accelerator, target.backend, str(target))


def means(spec: TargetSpec, target: Target) -> bool:
    """Tell whether a target is one that a spec asks for."""
    if spec.platform != target.platform:
        return False
    if spec.backend is not None:
        return spec.backend == target.backend
    return spec.accelerator == target.backend.accelerator


def overlap(one: TargetSpec, other: TargetSpec) -> bool:
    """Tell whether two specs can mean the same target."""
    same = (one.platform, one.accelerator) == (other.platform, other.accelerator)
    return same and (one.backend is None or other.backend in {None, one.backend})


class Vocabulary(NamedTuple):
    """The words that a target can be made of; the catalog fills it."""

    accelerators: tuple[Accelerator, ...]
    backends: Mapping[str, Backend]
    """The backends that the catalog knows, by name."""
    words: Mapping[str, tuple[str, str]]
    """Other words: to an accelerator and the OS that it is limited to."""
    ambiguous: frozenset[str]
    current: tuple[Backend, ...]
    """The backends that go on, newest first: what examples and suggestions name."""
    as_of: str
    elsewhere: Callable[[str, Platform], str | None] = lambda _word, _platform: None
    """Says where others have what PyTorch does not publish: for a word and a platform."""
    others: Mapping[str, tuple[tuple[Accelerator, Backend | None], ...]] = {}
    """What else a word means where PyTorch has no such build: the builds of others."""

    def of_others(self, word: str, platform: Platform) -> tuple[str, Backend | None] | None:
        """Return the build of others that a word means on a platform, if it means one."""
        return next(
            (
                (accelerator.name, backend)
                for accelerator, backend in self.others.get(word, ())
                if platform.key in accelerator.platforms
            ),
            None,
        )


def parse_target_spec(text: str, vocabulary: Vocabulary) -> TargetSpec:
    """Read one target as a user types it.

    Raises:
        RequestError: It is not a target, could be two, or cannot exist on that platform.
    """
    match = re.fullmatch(_shape(), text.strip().lower().replace("_", "-"))
    if match is None:
        raise _not_a_target(text, vocabulary)
    platform, word = _platform_and_word(match)
    if word is None:
        raise TargetUnavailable(
            f"target `{text}` names no backend",
            help=f"say which build: {_choices(platform, vocabulary)}",
        )
    accelerator, backend = _parse_backend_word(text, platform, word, vocabulary)
    _check_platform(text, platform, accelerator, vocabulary)
    return TargetSpec(platform, accelerator, backend, text)


def parse_build(text: str, vocabulary: Vocabulary) -> tuple[str, Backend | None] | None:
    """Read the part of a target after its platform: `cuda`, `cuda13.0`, `cu130`, `pypi`.

    Returns:
        An accelerator, empty for PyPI's build, and the backend if it is just one; None if the text
        is neither.
    """
    word = text.strip().lower().replace("_", "-")
    if word == PYPI.name:
        return "", PYPI
    # Nobody has a list of a channel's builds: an index of the project may be one that is not known.
    channels = [accelerator for accelerator in vocabulary.accelerators if accelerator.channel]
    backend = (
        vocabulary.backends.get(word)
        or _numbered(word, vocabulary)
        or parse_backend(word, channels)
    )
    if any(word == accelerator.name for accelerator in vocabulary.accelerators):
        # A backend of that very name is meant where the accelerator has no versions.
        return word, backend
    return (backend.accelerator, backend) if backend else None


def parse_platform(text: str) -> Platform | None:
    """Read a platform as a user types it, `macos-x86_64`; None if it is none, or a whole target."""
    match = re.fullmatch(_shape(), text.strip().lower().replace("_", "-"))
    platform, word = _platform_and_word(match) if match is not None else (None, None)
    return platform if word is None else None


def _platform_and_word(match: re.Match[str]) -> tuple[Platform, str | None]:
    os_word, machine_word, word = match.groups()
    os = _OS_WORDS[os_word]
    machine = _MACHINE_WORDS.get(machine_word or "", USUAL_MACHINES[os])
    return Platform(os, _ARM[os] if machine == "arm" else machine), word


def _parse_backend_word(
    text: str, platform: Platform, word: str, vocabulary: Vocabulary
) -> tuple[str, Backend | None]:
    """Return the accelerator that a word means, and the backend if it means just one."""
    if word in vocabulary.ambiguous:
        raise TargetUnavailable(
            f"`{word}` in target `{text}` could mean more than one build",
            help=f"say which: {_choices(platform, vocabulary)}",
        )
    if word in vocabulary.words:
        word = _other_word(text, platform, word, vocabulary)
    build = parse_build(word, vocabulary)
    if (build is None or not _is_for(build[0], platform, vocabulary)) and (
        meant := vocabulary.of_others(word, platform)
    ):
        return meant
    if build is None:
        shape = parse_backend(word, vocabulary.accelerators)
        other = vocabulary.elsewhere(shape.accelerator if shape else word, platform)
        if other:
            message = f"target `{text}` is not available: PyTorch does not publish that build"
            raise TargetUnavailable(message, help=other)
        raise _unknown_backend(text, word, vocabulary) or _not_a_target(text, vocabulary)
    return build


def _is_for(accelerator: str, platform: Platform, vocabulary: Vocabulary) -> bool:
    """Tell whether an accelerator has builds for a platform; PyPI has some for each."""
    return not accelerator or any(
        known.name == accelerator and platform.key in known.platforms
        for known in vocabulary.accelerators
    )


def _other_word(text: str, platform: Platform, word: str, vocabulary: Vocabulary) -> str:
    """Return the accelerator that another word stands for, on the one system where it does."""
    name, only = vocabulary.words[word]
    if platform.os != only:
        raise TargetUnavailable(
            f"target `{text}`: `{word}` exists on {_os_title(only)} only",
            help=f"say which build: {_choices(platform, vocabulary)}",
        )
    return name


def _numbered(word: str, vocabulary: Vocabulary) -> Backend | None:
    """Read an accelerator with a version, `cuda13.0`, as the backend that it is."""
    for accelerator in vocabulary.accelerators:
        if match := re.fullmatch(rf"{accelerator.name}-?([0-9]+(?:[.][0-9]+)*)", word):
            version = tuple(map(int, match[1].split(".")))
            for backend in vocabulary.backends.values():
                if (backend.accelerator, backend.version) == (accelerator.name, version):
                    return backend
    return None


def _check_platform(
    text: str, platform: Platform, accelerator: str, vocabulary: Vocabulary
) -> None:
    """Refuse what no PyTorch index ever carried, whatever its release."""
    for known in vocabulary.accelerators:
        if known.name == accelerator and platform.key not in known.platforms:
            where = ", ".join(known.platforms)
            other = vocabulary.elsewhere(accelerator, platform)
            what = f"PyTorch publishes no {known.title} build"
            if known.family:
                what = f"no publisher is known for {known.title}"
            raise TargetUnavailable(
                f"target `{text}` is not available: {what} for {platform.key}, only for {where}",
                help=other or f"available for this platform: {_choices(platform, vocabulary)}",
            )


def _unknown_backend(text: str, word: str, vocabulary: Vocabulary) -> RequestError | None:
    """Return the error for a word that has the shape of a backend; None for any other word."""
    shape = parse_backend(word, vocabulary.accelerators)
    named = (
        shape.accelerator
        if shape
        else next(
            (a.name for a in vocabulary.accelerators if re.fullmatch(rf"{a.name}-?[0-9.]+", word)),
            None,
        )
    )
    if named is None:
        return None
    known = [backend.name for backend in vocabulary.current if backend.accelerator == named]
    return TargetUnavailable(
        f"target `{text}`: the catalog of {vocabulary.as_of} knows no backend `{word}`",
        help=f"it knows {_join(known)}; {REFRESH} fetches newer data",
    )


def _not_a_target(text: str, vocabulary: Vocabulary) -> RequestError:
    return RequestError(
        f"`{text}` is not a target",
        help=_several(text)
        or _other_name(text, vocabulary)
        or _closest(text, vocabulary)
        or "a target is PLATFORM-BACKEND, such as `linux-cuda` or `macos-cpu`",
    )


def _several(text: str) -> str | None:
    """Return the hint for targets with commas between them."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    if "," not in text or not words:
        return None
    return f"give each target separately: `{' '.join(f'-t {word}' for word in words)}`"


_OTHER_NAMES = {
    "linux": (
        "ubuntu", "debian", "fedora", "rhel", "redhat", "centos", "rocky", "almalinux", "arch",
        "manjaro", "mint", "suse", "opensuse", "nixos", "wsl",
    ),
    "macos": ("apple", "macbook", "m1", "m2", "m3", "m4", "m5"),
}  # fmt: skip
"""What people call a system: distributions, and computers that come with one."""


def _other_name(text: str, vocabulary: Vocabulary) -> str | None:
    """Return the hint for a target that names a system otherwise: `ubuntu-22.04-cuda`."""
    given = text.strip().lower().replace("_", "-")
    name = next(
        (n for names in _OTHER_NAMES.values() for n in names if re.match(rf"{n}(?![a-z])", given)),
        None,
    )
    if name is None:
        return None
    system = next(system for system, names in _OTHER_NAMES.items() if name in names)
    rest = re.sub(r"^[-0-9.]*(?=-[a-z]|$)", "", given[len(name) :])
    try:
        spec = parse_target_spec(f"{system}{rest}", vocabulary)
    except TargetUnavailable as error:
        return error.help
    except RequestError:
        return f"write `{system}` instead of `{name}`"
    build = spec.backend.name if spec.backend else spec.accelerator
    return f"did you mean `{spec.platform.short}-{build}`?"


def _closest(text: str, vocabulary: Vocabulary) -> str | None:
    # Imported here: only a typo needs it.
    import difflib

    words = [
        *(accelerator.name for accelerator in vocabulary.accelerators),
        *vocabulary.backends,
        *vocabulary.words,
        PYPI.name,
    ]
    known = [
        f"{name}-{word}"
        for platform in PLATFORMS
        for name in dict.fromkeys((platform.short, platform.key))
        for word in words
        if _exists(platform, word, vocabulary)
    ]
    close = difflib.get_close_matches(text.lower(), known, n=1, cutoff=0.75)
    return f"did you mean `{close[0]}`?" if close else None


def _exists(platform: Platform, word: str, vocabulary: Vocabulary) -> bool:
    """Tell whether a word is a build that a platform can have."""
    if word in vocabulary.words:
        return vocabulary.words[word][1] == platform.os
    backend = vocabulary.backends.get(word)
    name = backend.accelerator if backend else word
    return word == PYPI.name or any(
        known.name == name and platform.key in known.platforms for known in vocabulary.accelerators
    )


def _choices(platform: Platform, vocabulary: Vocabulary) -> str:
    served = [one for one in vocabulary.accelerators if platform.key in one.platforms]
    words = [one.name for one in served if not one.channel and not one.family]
    return _join(
        [
            f"`{platform.short}-{word}`"
            for word in dict.fromkeys([*words, *(one.word for one in served if one.word)])
        ]
    )


def _join(names: Iterable[str]) -> str:
    names = list(names)
    return " or ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def _os_title(os: str) -> str:
    return "macOS" if os == "macos" else SYSTEMS[os]
