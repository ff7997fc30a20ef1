"""Which catalog is read: a named file, the user's refreshed one, or the packaged one.

It stands apart from `torchconf.catalog` for `completion`, which has no time to load the queries.
"""

from __future__ import annotations

import os
import sys

from torchconf.files.reading import read_regular

__all__ = ["PACKAGED", "VARIABLE", "cached_file", "chosen_file", "read_catalog"]

VARIABLE = "TORCHCONF_CATALOG"
PACKAGED = os.path.join(os.path.dirname(os.path.dirname(__file__)), "catalog", "catalog.json")


def cached_file() -> str:
    """Return where `torchconf catalog refresh` keeps what it read.

    The folder is that of platformdirs, said here once more: to import it takes longer than to load
    the catalog. `tests/catalog/test_refresh.py` compares the two.
    """
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA") or os.path.expanduser(r"~\AppData\Local")
        folder = os.path.join(local, "torchconf", "Cache")
    elif sys.platform == "darwin":
        folder = os.path.expanduser("~/Library/Caches/torchconf")
    else:
        given = os.environ.get("XDG_CACHE_HOME", "").strip()
        folder = os.path.join(given or os.path.expanduser("~/.cache"), "torchconf")
    return os.path.join(folder, "catalog.json")


def chosen_file() -> tuple[str, str]:
    """Return the file to read, and what it is: `file`, `cache` or `packaged`.

    A refreshed catalog is left aside where the packaged one is newer, or as new.
    """
    if named := os.environ.get(VARIABLE):
        return named, "file"
    cached = cached_file()
    if os.path.isfile(cached) and _days(cached) > _days(PACKAGED):
        return cached, "cache"
    return PACKAGED, "packaged"


def read_catalog(path: str, size: int = -1) -> str:
    """Return the text of a catalog, or its beginning. The packaged one may be in a zip file."""
    try:
        if size < 0:
            return read_regular(path).decode("utf-8")
        if os.path.isfile(path):  # a pipe would wait
            with open(path, encoding="utf-8") as file:
                return file.read(size)
    except (FileNotFoundError, NotADirectoryError):
        if path != PACKAGED:
            raise
    # Imported here: it takes longer to load than the catalog.
    from importlib.resources import files

    return (files("torchconf") / "catalog" / "catalog.json").read_text(encoding="utf-8")


def _days(path: str) -> list[str]:
    """Return the days on which the indexes of a catalog were read, the oldest first.

    They are in its first lines. One of an older torchconf has one day for all; a file that is no
    catalog has none.
    """
    try:
        begin = read_catalog(path, 1 << 14)
    except (OSError, UnicodeDecodeError):
        return []
    each = begin.partition('"as_of_indexes":')[2].partition("}")[0]
    # Names and days take turns, each between quotes.
    days = sorted(each.split('"')[3::4])
    return days or [begin.partition('"as_of":')[2].lstrip(' "').partition('"')[0]]
