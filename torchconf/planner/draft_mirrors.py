"""Draft where indexes are read from: the table of mirrors, and the URLs that it speaks of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.model.toml_path import INDEXES, MIRRORS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchconf.catalog import Catalog
    from torchconf.edits.draft import Draft
    from torchconf.planner.request import Request

__all__ = ["draft_mirrors"]


def draft_mirrors(draft: Draft, request: Request, catalog: Catalog) -> Iterator[str]:
    """Keep the mirrors that were named, and let indexes that are there be read from mirrors.

    The second only where all targets are named anew: what one target needs leaves others alone.
    """
    for one in request.mirrors:
        draft.put((*MIRRORS, one.family), one.url, "so that other commands know this mirror")
    if not (request.specs or request.mirrors):
        return
    for number, entry in enumerate(draft.get(INDEXES) or ()):
        url = entry.get("url")
        if isinstance(url, str) and (mirror := catalog.placed(url)) != url:
            draft.put((*INDEXES, number, "url"), mirror, "the mirror of this index")
            yield f"index `{entry.get('name') or url}` now uses its mirror: {mirror}"
