"""A channel: builds that an index has beside the stable ones, under the same names.

Of what such an index has today nobody can know tomorrow, so its catalog says little: which builds
there are, and from which version of torch on. What plans with it is the same as for stable builds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torchconf.model.backends import Accelerator

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

STABLE = "stable"


def accelerators_of(
    channels: Iterable[str], accelerators: Iterable[Accelerator]
) -> Iterator[Accelerator]:
    """Yield the accelerators of channels, as their builds are named: `cu134-nightly`."""
    known = tuple(accelerators)
    for channel in channels:
        for one in known:
            if one.family:
                continue
            yield Accelerator(
                f"{one.name}-{channel}",
                one.title,
                f"{one.pattern}-{channel}",
                one.platforms,
                channel,
            )


def stable_view(data: Mapping[str, Any], channels: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the data of a catalog that reads a channel's builds, too, to leave them."""
    entries: dict[str, Any] = dict(data["accelerators"])
    packages: list[str] = list(data["family"])
    for family in channels:
        tritons = family.get("tritons", {})
        entries |= _entries(data, family["channel"], tritons)
        packages += map(_name, tritons.values())
    return {
        **data,
        "channel": STABLE,
        "accelerators": entries,
        "family": list(dict.fromkeys(packages)),
    }


def channel_view(data: Mapping[str, Any], family: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data of a catalog whose builds are those of one channel.

    Args:
        data: Of the catalog with the stable builds, which the view knows the names of.
        family: Of the channel, as in the data.
    """
    channel, torch = family["channel"], family["torch"]
    stable = data["releases"]
    newest = next(entry for entry in stable.values() if "pythons" in entry)
    tritons = family.get("tritons", {})
    companions = (name for name in family["packages"] if name in data["companions"])
    return {
        **data,
        "channel": channel,
        "fallback": f"{data['fallback']}-{channel}",
        "accelerators": {**_entries(data, channel, tritons), **data["accelerators"]},
        "backends": {
            **{f"{build}-{channel}": {} for build in family["builds"]},
            **data["backends"],
        },
        "family": list(dict.fromkeys([*data["family"], *map(_name, tritons.values())])),
        # Which Pythons it has is not known: as many as the newest release whose matrix was read.
        "releases": {torch: {"python": newest["python"], "pythons": newest["pythons"]}},
        # Any version will do, pre-releases included: torch itself names the one of its day.
        "companions": {name: [["0.dev0", f">={torch}", True]] for name in companions},
        "wheels": {},
        "sets": [],
    }


def _name(triton: str) -> str:
    return triton.partition(";")[0].strip()


def _triton(text: str) -> list[dict[str, Any]]:
    """Return the rule for a triton package, `triton ; sys_platform == 'linux'`."""
    marker = text.partition(";")[2].strip()
    return [{"torch": "", "name": _name(text), "bound": None, "marker": marker or None}]


def _entries(
    data: Mapping[str, Any], channel: str, tritons: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    return {
        f"{name}-{channel}": {
            **entry,
            "pattern": f"{entry['pattern']}-{channel}",
            "channel": channel,
            "triton": _triton(tritons[name]) if name in tritons else [],
            "triton_pins": {},
        }
        for name, entry in data["accelerators"].items()
        if "family" not in entry
    }
