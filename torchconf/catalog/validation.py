"""The shape of a catalog: what is not as it should be is refused, by the key that is wrong."""

from __future__ import annotations

from typing import Any

from torchconf.catalog.recorded import PYTORCH
from torchconf.errors import REFRESH, CatalogError
from torchconf.model.backends import PYPI

SCHEMA_VERSION = 1
_KEYS = {
    "schema_version": int, "as_of": str, "as_of_indexes": dict, "base_url": str, "fallback": str,
    "main_package": str, "family": list, "pythons": list, "accelerators": dict, "words": dict,
    "ambiguous": list, "mirror_words": list, "families": list, "cuda_majors": list,
    "cuda_plain": dict, "built": dict, "backends": dict, "platform_ends": dict, "releases": dict,
    "companions": dict, "dependents": dict, "sets": list, "wheels": dict,
}  # fmt: skip


def validated(data: object, at: str) -> dict[str, Any]:
    """Return the data of a catalog if its shape is right.

    Raises:
        CatalogError: Naming the first key that is wrong.
    """
    if not isinstance(data, dict):
        raise CatalogError("the catalog is not a JSON object", at=at)
    schema = data.get("schema_version")
    if isinstance(schema, int) and schema != SCHEMA_VERSION:
        raise CatalogError(
            f"the catalog has schema {schema}, but this version of torchconf reads "
            f"{SCHEMA_VERSION}",
            at=at,
            help=f"run {REFRESH} or upgrade torchconf",
        )
    # A catalog that an older torchconf has refreshed has one day for all, and fewer facts.
    data.setdefault("as_of_indexes", dict.fromkeys((PYPI.name, PYTORCH), data.get("as_of")))
    data.setdefault("cuda_plain", {})
    data.setdefault("built", {"wheels": {}, "builds": {}})
    for key, kind in _KEYS.items():
        if not isinstance(data.get(key), kind):
            raise CatalogError(f"the catalog has no usable `{key}`", at=at)
    count = len(data["sets"])
    for package, versions in data["wheels"].items():
        for version, cells in versions.items() if isinstance(versions, dict) else [("", None)]:
            numbers = cells.values() if isinstance(cells, dict) else [None]
            if not all(isinstance(number, int) and 0 <= number < count for number in numbers):
                raise CatalogError(
                    f"the catalog has no usable wheels of {package} {version}".rstrip(), at=at
                )
    for entry in data["families"]:
        if not isinstance(entry, dict) or not isinstance(entry.get("at", []), list):
            raise CatalogError("the catalog has no usable families", at=at)
    if data["fallback"] not in data["backends"]:
        raise CatalogError("the fallback backend is not one of the backends", at=at)
    return data
