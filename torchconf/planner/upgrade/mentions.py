"""What else names a backend that a project has left: which lines of a text do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchconf.planner.respecify import names_backend

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torchconf.model.backends import Backend

__all__ = ["mention_pattern", "mentions"]


def mention_pattern(backends: Iterable[Backend]) -> re.Pattern[str]:
    """Return what finds backends by name, or as people and images write them: `cuda:13.0.1`."""
    words: list[str] = []
    for backend in backends:
        # The nightly build of the same name is another one, and stays.
        words.append(rf"(?<!nightly[/-]){names_backend(backend.name)}(?!-nightly)")
        if backend.version:
            number = "[.]".join(map(str, backend.version))
            # Apart, a patch release may follow; `rocm7.2.4` in one word names another build.
            apart, joined = rf"[ :=_/-]v?{number}(?![0-9])", rf"v?{number}(?![.]?[0-9])"
            words.append(rf"(?<![A-Za-z0-9]){backend.accelerator}(?:{apart}|{joined})")
    return re.compile("|".join(words), re.IGNORECASE)


def mentions(
    text: str, pattern: re.Pattern[str], *, beside_names: bool = False
) -> Iterator[tuple[int, str]]:
    """Yield the lines that a pattern is found in, with their numbers.

    Args:
        text: Of a file.
        pattern: Of `mention_pattern`.
        beside_names: Only comments and URLs count: the file has an extra or a group of that name.
    """
    for number, line in enumerate(text.splitlines(), start=1):
        comment = line.partition("#")[2]
        if pattern.search(comment if beside_names and "://" not in line else line):
            yield number, line.strip()
