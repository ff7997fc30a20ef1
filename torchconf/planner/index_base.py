"""The mirrors that a user names with `--index-base`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchconf.model.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchconf.model.mirrors import MirrorSetting

FLAG = "--index-base"


class IndexBases(NamedTuple):
    """A mirror of PyTorch's stable indexes, and those that are named after a family."""

    base: str | None = None
    named: tuple[MirrorSetting, ...] = ()


def parse_index_base(url: str | None) -> str | None:
    """Refuse the URL of a mirror that is none, or holds a secret: the file is shared.

    Raises:
        RequestError: It is refused.
    """
    if url is not None:
        # Imported here, and below: few have mirrors.
        from torchconf.model.mirrors import refuse_url

        refuse_url(url, FLAG, only="{backend}")
    return url


def parse_index_bases(texts: Iterable[str]) -> IndexBases:
    """Read what `--index-base` was given, each time: `URL`, or `FAMILY=URL`.

    Raises:
        RequestError: A URL is refused.
    """
    found = IndexBases()
    for text in texts:
        named = re.match(r"([A-Za-z0-9._-]+)=", text)
        if named is None:
            found = found._replace(base=parse_index_base(text))
            continue
        from torchconf.model.mirrors import MirrorSetting, refuse_url

        url = text[named.end() :]
        refuse_url(url, f"{FLAG} {named[1]}=")
        found = found._replace(named=(*found.named, MirrorSetting(named[1], url, "")))
    return found
