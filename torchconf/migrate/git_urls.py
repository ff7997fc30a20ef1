"""Repositories as Poetry, Pipenv and pixi name them, as uv wants them."""

from __future__ import annotations

import re

__all__ = ["git_url"]

_SCP = re.compile(r"(?P<user>[\w.-]+@)?(?P<host>[\w.-]+):(?!//)(?P<path>[^\s]+)")
"""What SSH takes for a place: `git@host:owner/name.git`."""


def git_url(repository: str, revision: str = "", subdirectory: str = "") -> str:
    """Return a direct reference: `git+https://host/owner/name@main#subdirectory=lib`.

    Args:
        repository: `https://host/owner/name.git`, `git@host:owner/name.git`, or with `git+` before.
        revision: A commit, tag or branch; empty for the default branch.
        subdirectory: The folder of the package inside.
    """
    url = repository.removeprefix("git+")
    if match := _SCP.fullmatch(url):
        url = f"ssh://{match['user'] or ''}{match['host']}/{match['path'].lstrip('/')}"
    rev = f"@{revision}" if revision else ""
    folder = f"#subdirectory={subdirectory}" if subdirectory else ""
    return f"git+{url}{rev}{folder}"
