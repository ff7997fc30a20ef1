"""setup.cfg, which stays as it is: what it requires is named, and setup.py is never run."""

from __future__ import annotations

import configparser

__all__ = ["requirements_of"]


def requirements_of(text: str) -> tuple[str, ...]:
    """Return what `install_requires` of a setup.cfg lists; empty if it cannot be read.

    Args:
        text: Of the file. Nothing in it is expanded, and no `file:` is followed.
    """
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return ()
    listed = parser.get("options", "install_requires", fallback="") or ""
    lines = (line.split(" #")[0].strip() for line in listed.replace(";\n", "\n").splitlines())
    return tuple(line for line in lines if line and not line.startswith(("#", "file:")))
