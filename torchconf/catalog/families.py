"""Families of indexes: where packages for torch are published, and what each family is bound to.

Which families there are is data, `facts/families.json`; nothing in the program names one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from torchconf.errors import CatalogError
from torchconf.model.backends import is_below
from torchconf.model.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from torchconf.model.backends import Backend


class Fit(NamedTuple):
    """A machine for which a family has builds where PyTorch has none."""

    maker: str
    """Of its GPUs: `amd`."""
    platform: str
    url: str
    """The index for such a machine."""
    wheels: str
    """What is there, in words."""
    jetson: int | None = None
    """The first major version of a Jetson's system that it is for; None: no Jetson."""


class Closure(NamedTuple):
    """What torch needs from the same index, beside triton."""

    backend: Backend
    shared: tuple[str, ...]
    """For every GPU."""
    by_gpu: Mapping[str, tuple[str, ...]]
    """GPU, `gfx1100`, to its packages."""
    device: str = ""
    """The extra of torch that brings those of one GPU, with `{gpu}`; empty where torch needs the
    packages of all GPUs."""
    all_devices: str = ""
    """The extra that brings those of all GPUs."""
    common: Mapping[str, str] = {}
    """Those that other builds of torch need from elsewhere, each with where this one needs it."""

    @property
    def packages(self) -> tuple[str, ...]:
        """All of them."""
        return self.of(self.by_gpu)

    def of(self, gpus: Iterable[str]) -> tuple[str, ...]:
        """Return what is needed for some GPUs."""
        own = (package for gpu in gpus for package in self.by_gpu[gpu])
        return tuple(dict.fromkeys((*self.shared, *own)))

    @property
    def bound(self) -> str:
        """A range that all of its versions are in: uv heeds no constraint without one."""
        return f">={'.'.join(map(str, self.backend.version)) or '0'}"

    def extras(self, gpus: Iterable[str]) -> tuple[str, ...]:
        """Return the extras of torch that bring what some GPUs need; of all, if there is none."""
        if not self.device:
            return ()
        own = tuple(self.device.replace("{gpu}", gpu) for gpu in gpus)
        return own or (self.all_devices,)


class Family(NamedTuple):
    """Indexes of one publisher that are built alike."""

    name: str
    title: str
    """In words: `PyTorch's nightly builds`."""
    by: str
    """Who publishes it."""
    packages: tuple[str, ...]
    """What it has; not a complete list."""
    sure: str
    """How sure all this is, in words."""
    at: tuple[str, ...] = ()
    """Hosts, or hosts with the beginning of a path; hosts below one count, too. Empty: PyPI."""
    url: str = ""
    """Of an index, with `{build}`, `{torch}` or `{version}` in it; empty: not known."""
    official: str = ""
    """The same where `url` is that of a mirror."""
    builds: tuple[str, ...] = ()
    """What `{build}` is known to be."""
    closure: tuple[str, ...] = ()
    """What must come from the same index as torch; a name may end in `*`."""
    gpus: tuple[str, ...] = ()
    """What the `*` of its closure stands for, where it has a package for each GPU."""
    packs: Mapping[str, Sequence[str]] = {}
    """Further packages of its closure, each with the GPUs that need it."""
    common: Mapping[str, str] = {}
    """Packages of its closure that other builds of torch need from elsewhere, each with a marker:
    where its own torch needs it for sure."""
    device: str = ""
    """The extra of torch and of torchvision that brings the packages of one GPU, with `{gpu}`."""
    all_devices: str = ""
    """The extra that brings those of all GPUs."""
    platforms: tuple[str, ...] = ()
    """Empty: not known."""
    versions: str = ""
    """An example of a version."""
    bound: tuple[str, ...] = ()
    """What a wheel is built for one of: `torch` (a release), `cuda` (a version), `gpu`."""
    flat: bool = False
    """Whether it is one page of files, which uv reads with `format = "flat"`."""
    wheels: str = ""
    """Whose builds of torch these are, in words; empty where it has none."""
    beside: str = ""
    """The build of torch that the packages need, where they are a plug-in of it."""
    channel: str = ""
    """The word after a build's name that means the one of this family: `nightly`. It has all of the
    main packages for the same platforms as the stable index, one after another."""
    torch: str = ""
    """Of a channel: the lowest version of torch that it has now, and no release is above."""
    tritons: Mapping[str, str] = {}
    """Of a channel: the triton package that torch needs from the same index, by accelerator."""
    fits: tuple[Fit, ...] = ()
    accelerator: Mapping[str, str] = {}
    """What targets of it are called, if its builds are targets: `name`, `title`, `pattern` of its
    builds' names, `maker`, and the `word` that means it where PyTorch has no such build."""
    target: str = ""
    """The name of its builds in targets, with `{build}`, or `{last}` for the last part of that."""
    where: str = ""
    """A marker that tells its machines from others of the same platform."""
    seen: Sequence[Mapping[str, Any]] = ()
    """Wheels that public files name: `package`, `version`, `build`, platform to Pythons."""
    evidence: str = ""
    """Which files these are."""

    def __hash__(self) -> int:
        """Tell families apart by their names: no two have the same."""
        return hash(self.name)

    @property
    def format(self) -> str:
        """How uv reads an index of it: the value of `format`."""
        return "flat" if self.flat else "simple"

    @property
    def is_built_against(self) -> bool:
        """Whether its packages are built for one release of torch, which it does not have."""
        plain = not self.wheels and not self.beside and "{version}" not in self.url
        return plain and "torch" in self.bound and bool(self.builds)

    def index_url(self, build: str, torch: str = "") -> str:
        """Return the URL of the index of one build, and of one line of torch, such as `2.13`.

        A family with a page for each release has the same wheels for all of a line.
        """
        return self.url.replace("{build}", build).replace("{torch}", f"{torch}.0")

    def page(self, url: str) -> tuple[str, str] | None:
        """Return the build, and the line of torch if it names one, of an index of this family.

        Args:
            url: Of the index itself, not of its mirror.
        """
        pattern = re.escape((self.official or self.url).rstrip("/")).replace(r"\+", r"(?:\+|%2b)")
        pattern = pattern.replace(r"\{build\}", "(?P<build>[a-z0-9.]+?)")
        pattern = pattern.replace(r"\{torch\}", "(?P<torch>[0-9.]+)")
        found = re.fullmatch(pattern, url.rstrip("/"), re.IGNORECASE)
        if found is None or "build" not in found.groupdict():
            return None
        release = found.groupdict().get("torch", "")
        return found["build"], ".".join(release.split(".")[:2])

    def target_name(self, build: str) -> str:
        """Return what one build is called in targets; empty if it is none."""
        last = build.rpartition("/")[2]
        return self.target.replace("{build}", build).replace("{last}", last).lower()

    def fit_for(self, l4t: int) -> Fit | None:
        """Return what it has for a Jetson's system, by the major version of that."""
        able = [fit for fit in self.fits if fit.jetson is not None and fit.jetson <= l4t]
        return max(able, key=lambda fit: fit.jetson or 0, default=None)

    def build_at(self, url: str) -> str | None:
        """Tell which build an index of it is, by its URL; None if it is none of them."""
        before, found, after = (part.strip("/") for part in self.url.partition("{build}"))
        path = url.partition("?")[0].strip("/")
        if not found:
            return "" if path == before else None
        middle = path.removeprefix(before).strip("/")
        middle = middle.removesuffix(after).strip("/")
        return middle if path.startswith(before) and middle else None

    @property
    def packages_with_devices(self) -> tuple[str, ...]:
        """The packages that have an extra for each GPU: those with packages of their own for it."""
        own = (name for name in self.closure if name.endswith("-device-*"))
        found = (name.removesuffix("-device-*").rpartition("-")[2] for name in own)
        return tuple(name for name in found if self.device and name in self.packages)

    def has(self, package: str) -> bool:
        """Tell whether it is known to have a package, or to need one from the same index."""
        return any(
            re.fullmatch(re.escape(name).replace(r"\*", ".*"), package)
            for name in (*self.packages, *self.closure)
        )


def closure_of(backend: Backend, family: Mapping[str, Any], build: str) -> Closure:
    """Return what the torch of a build needs from the same index, as the data of a family say.

    Args:
        backend: The build.
        family: Of its index.
        build: Its place in the family's URL: where the family has no list of GPUs, its one GPU.
    """
    patterns = [name for name in family["closure"] if name.endswith("*")]
    shared = [name for name in family["closure"] if not name.endswith("*")]
    packs = family.get("packs", {})
    by_gpu = {
        gpu: (
            *(pattern.replace("*", gpu) for pattern in patterns),
            *(pack for pack, needing in packs.items() if gpu in needing),
        )
        for gpu in family.get("gpus", ())
    }
    if not by_gpu and build:
        shared += [pattern.replace("*", build) for pattern in patterns]
    return Closure(
        backend,
        tuple(shared),
        by_gpu,
        family.get("device", ""),
        family.get("all_devices", ""),
        family.get("common", {}),
    )


_BOUNDS = frozenset({"torch", "cuda", "gpu"})
_TEXTS = ("name", "title", "by", "sure")
_KINDS = {
    "flat": bool, "fits": list, "tritons": dict, "packs": dict, "common": dict,
    "accelerator": dict, "seen": list,
}  # fmt: skip
_OF_TARGETS = ("name", "title", "pattern", "maker")
_LISTS = ("at", "builds", "packages", "closure", "gpus", "platforms", "bound")


def parse_families(data: Sequence[Any], at: str) -> tuple[Family, ...]:
    """Read the families of a catalog.

    Raises:
        CatalogError: One is not as it should be; it names the family and the key.
    """
    found = tuple(_family(entry, at) for entry in data)
    names = [family.name for family in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise CatalogError(f"the catalog has two families `{twice}`", at=at)
    return found


def _family(entry: Any, at: str) -> Family:  # noqa: ANN401 - a parsed JSON value
    name = entry.get("name") if isinstance(entry, dict) else None

    def refuse(key: str) -> CatalogError:
        return CatalogError(f"the catalog has no usable `{key}` of the family `{name}`", at=at)

    if not isinstance(entry, dict):
        raise refuse("name")
    for key in _TEXTS:
        if not isinstance(entry.get(key), str) or not entry[key]:
            raise refuse(key)
    for key, value in entry.items():
        if key not in Family._fields:
            raise refuse(key)
        texts = isinstance(value, list) and all(isinstance(one, str) for one in value)
        kind = _KINDS.get(key, list if key in _LISTS else str)
        if not isinstance(value, kind) or (key in _LISTS and not texts):
            raise refuse(key)
    lists = {key: tuple(entry.get(key, ())) for key in _LISTS}
    if not lists["packages"]:
        raise refuse("packages")
    if not _BOUNDS.issuperset(lists["bound"]):
        raise refuse("bound")
    url = entry.get("url", "")
    if url and not (url.startswith("https://") and is_below(url, lists["at"])):
        raise refuse("url")
    if unusable := _unusable_target(entry):
        raise refuse(unusable)
    wheels = entry.get("wheels", "")
    try:
        fits = tuple(
            Fit(
                fit["maker"],
                fit["platform"],
                url.replace("{build}", fit.get("build", "")),
                fit.get("wheels", wheels),
                fit.get("jetson"),
            )
            for fit in entry.get("fits", ())
        )
    except (KeyError, AttributeError, TypeError) as error:
        raise refuse("fits") from error
    return Family(**{**entry, **lists, "fits": fits})


def _unusable_target(entry: Mapping[str, Any]) -> str | None:
    """Return the key of what makes builds targets that is not as it should be."""
    accelerator = entry.get("accelerator")
    if accelerator is not None and not (
        all(isinstance(accelerator.get(key), str) for key in _OF_TARGETS)
        and entry.get("target")
        and entry.get("platforms")
    ):
        return "accelerator"
    if entry.get("seen") and not entry.get("evidence"):
        return "evidence"
    return "fits" if entry.get("fits") and not (accelerator or {}).get("word") else None


def as_data(families: Iterable[Family]) -> list[Mapping[str, object]]:
    """Return families as plain data, without what is not known."""
    return [
        {key: value for key, value in family._asdict().items() if value and key != "fits"}
        for family in families
    ]
