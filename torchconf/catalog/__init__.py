"""The catalog: which wheels are published where, as far as anybody has seen.

Three answers, not two: a wheel is available (seen, or named by PyTorch's build matrix), known to be
missing (the release is covered and the wheel is not there), or unknown (newer than the catalog,
or never covered). Unknown never refuses.
"""

from __future__ import annotations

import json
import os
import re
import sys
from enum import Enum
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from torchconf.errors import REFRESH, CatalogError, shown
from torchconf.files.catalog_file import PACKAGED, chosen_file, read_catalog
from torchconf.files.reading import reason
from torchconf.model.backends import (
    PYPI,
    PYPI_HOSTS,
    Accelerator,
    Backend,
    backend_of_url,
    host_of,
    is_below,
    is_pypi,
    parse_backend,
)
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.ranges import admits_from, admits_python, lowest_named

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from torchconf.catalog.built import Built
    from torchconf.catalog.families import Closure, Family
    from torchconf.model.mirrors import Mirror, MirrorSetting
    from torchconf.model.project import Project
    from torchconf.model.target_spec import Vocabulary
    from torchconf.model.targets import Platform, Target

SCHEMA_VERSION = 1
INDEXES = "TORCHCONF_INDEXES"
"""The variable that names a file with the mirrors of a site."""
PYTORCH = "pytorch"
"""PyTorch's indexes, where days are said of an index."""
_LISTED = {"linux-x86_64", "windows-x86_64"}
"""The platforms whose wheels are all known where a release is complete for `x86_64`."""

_KEYS = {
    "schema_version": int, "as_of": str, "as_of_indexes": dict, "base_url": str, "fallback": str,
    "main_package": str, "family": list, "pythons": list, "accelerators": dict, "words": dict,
    "ambiguous": list, "mirror_words": list, "families": list, "cuda_majors": list,
    "cuda_plain": dict, "built": dict, "backends": dict, "platform_ends": dict, "releases": dict,
    "companions": dict, "dependents": dict, "sets": list, "wheels": dict,
}  # fmt: skip


class Answer(Enum):
    """What the catalog can say of a wheel."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Triton(NamedTuple):
    """The triton package that an accelerator's torch needs, from the same index."""

    name: str
    bound: str | None
    """A version that this torch and every later one under the same name is above, or None."""
    pin: str | None
    """The version that this very torch pins, if a lockfile showed it."""
    marker: str | None = None
    """Where torch needs it, if not wherever the build is."""


class CudaMajor(NamedTuple):
    """A package that needs CUDA libraries of one major version."""

    name: str
    extra: str | None
    """The extra that brings them; None for the package itself."""
    versions: str | None
    """The releases that need these; None for all."""
    major: int
    platforms: tuple[str, ...] = ()
    """Where it has such a build, as far as anybody knows."""
    word: str = ""
    """What `--with` takes for it, whichever the major is: `cupy`; empty where it takes nothing."""

    @property
    def text(self) -> str:
        """Return a requirement of it, with the releases that are for this major."""
        extra = f"[{self.extra}]" if self.extra else ""
        return f"{self.name}{extra}{self.versions or ''}"


def load_catalog(path: str | os.PathLike[str] | None = None) -> Catalog:
    """Load the catalog of a file, of `TORCHCONF_CATALOG`, of the user's cache, or the packaged one.

    Raises:
        CatalogError: The file is not a catalog of this version's shape. A broken one in the cache
            is left aside, with a warning.
    """
    if path is None:
        return load_chosen().catalog
    name = os.fspath(path)
    try:
        return _parsed(read_catalog(name), name)
    except OSError as error:
        raise CatalogError(f"cannot read the catalog: {reason(error)}", at=name) from error
    except (ValueError, RecursionError) as error:
        raise CatalogError(f"cannot read the catalog: {error}", at=name) from error


class Loaded(NamedTuple):
    """A catalog, and where it is from."""

    catalog: Catalog
    path: str
    source: str
    """`file`, `cache` or `packaged`."""


def load_chosen() -> Loaded:
    """Load the catalog that commands use. Errors as in `load_catalog`."""
    path, source = chosen_file()
    if source == "cache":
        try:
            return Loaded(_at_site(load_catalog(path)), path, source)
        except CatalogError as error:
            sys.stderr.write(f"warning: {shown(str(error))}; using the packaged catalog\n")
            path, source = PACKAGED, "packaged"
    return Loaded(_at_site(load_catalog(path)), path, source)


def _at_site(catalog: Catalog) -> Catalog:
    """Return the catalog with the mirrors of this machine's site, if it names any."""
    path = os.environ.get(INDEXES)
    if not path:
        return catalog
    # Imported here: few have mirrors.
    from torchconf.catalog.mirrors import read_site

    return catalog.mirrored(read_site(path))


@lru_cache(maxsize=4)
def _parsed(text: str, name: str) -> Catalog:
    """Give the same catalog for the same text: it is never changed, and remembers its answers."""
    return Catalog(validated(json.loads(text), name))


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


class Catalog:
    """Queries on the data. Versions are public ones: `2.13.0`, never `2.13.0+cu130`."""

    def __init__(self, data: dict[str, Any]) -> None:
        """Wrap validated data; nothing is parsed before it is asked for."""
        self._data = data
        self.as_of: str = data["as_of"]
        """The day of the oldest of what is in it; `as_of_index` has that of each index."""
        self.base_url: str = data["base_url"]
        self.main_package: str = data["main_package"]
        self.family: tuple[str, ...] = tuple(data["family"])
        """Torch first, then its companions, then the triton packages."""
        self.triton_packages: frozenset[str] = frozenset(
            rule["name"] for entry in data["accelerators"].values() for rule in entry["triton"]
        )
        self.pythons: tuple[str, ...] = tuple(data["pythons"])
        self.accelerators = tuple(
            Accelerator(
                name,
                entry["title"],
                entry["pattern"],
                tuple(entry["platforms"]),
                entry.get("channel", ""),
                entry.get("family", ""),
                entry.get("word", ""),
            )
            for name, entry in data["accelerators"].items()
        )
        """Those of stable builds, unless this is the catalog of a channel."""
        self.channel: str = data.get("channel", "")
        """What this is the catalog of: `nightly`; `stable` where both are told apart; else
        empty: stable builds, beside which others are only recognised."""
        self.fallback: Backend = self.backend(data["fallback"])

    def as_of_index(self, backend: Backend) -> str:
        """Return the day on which an index was read last: PyPI's, or that of PyTorch's indexes."""
        key = PYPI.name if backend is PYPI else PYTORCH
        day: str = self._data["as_of_indexes"].get(key, self.as_of)
        return day

    @property
    def dates(self) -> Mapping[str, str]:
        """The day on which each of the indexes was read last: `pypi` and `pytorch`."""
        days: dict[str, str] = self._data["as_of_indexes"]
        return days

    def backend(self, name: str) -> Backend:
        """Return a backend by its name, or `PYPI`; it need not be one that the catalog knows."""
        found = parse_backend(name, self.everything)
        return PYPI if found is None else found

    @cached_property
    def channels(self) -> Mapping[str, Mapping[str, Any]]:
        """The families whose builds are named like the stable ones, with a word after it."""
        return {one["channel"]: one for one in self._data["families"] if one.get("channel")}

    @cached_property
    def everything(self) -> tuple[Accelerator, ...]:
        """All accelerators, those of channels last."""
        if self.channel:
            return self.accelerators
        # Imported here: with the names of stable builds alone, nothing else is needed.
        from torchconf.catalog.channels import accelerators_of

        return (*self.accelerators, *accelerators_of(self.channels, self.accelerators))

    @lru_cache(maxsize=8)  # noqa: B019 - there is one catalog
    def view(self, channel: str) -> Catalog:
        """Return the catalog of a channel's builds, or of the stable ones beside those.

        Args:
            channel: `nightly`, or `stable`; empty for stable builds beside which all others are
                somebody else's.
        """
        from torchconf.catalog.channels import STABLE, channel_view, stable_view

        if not channel:
            return Catalog({**self._data, "reads_channels": False})
        if channel == STABLE:
            return Catalog(stable_view(self._data, self.channels.values()))
        return Catalog(channel_view(self._data, self.channels[channel]))

    def channel_of(self, accelerator: str) -> str:
        """Return the channel that an accelerator's builds are of; empty for stable ones."""
        return next((one.channel for one in self.everything if one.name == accelerator), "")

    def plain(self, backend: Backend) -> Backend:
        """Return the stable build of the same name, for one of a channel."""
        channel = self.channel_of(backend.accelerator)
        return self.backend(backend.name.removesuffix(f"-{channel}")) if channel else backend

    # Mirrors.

    def mirrored(self, settings: Iterable[MirrorSetting]) -> Catalog:
        """Return the catalog for somebody who reads indexes from mirrors.

        Args:
            settings: Family by family; one given later counts.

        Raises:
            RequestError: There is no such family, or a pattern lacks what tells its indexes apart.
        """
        settings = tuple(settings)
        if not settings:
            return self
        # Imported here: few have mirrors.
        from torchconf.catalog.mirrors import mirrored_data

        return Catalog(mirrored_data(self._data, settings))

    def for_project(self, *projects: Project) -> Catalog:
        """Return the catalog with the mirrors that files name in `[tool.torchconf.indexes]`.

        Args:
            projects: The project, or a workspace root and its members.

        Raises:
            ProjectError: The table of one is malformed.
            RequestError: As in `mirrored`.
        """
        naming = [one for one in projects if _names_mirrors(one) or _names_mirrors(one.root)]
        if not naming:
            return self
        # Imported here: few have mirrors.
        from torchconf.model.mirrors import read_mirrors

        return self.mirrored(one for project in naming for one in read_mirrors(project))

    @cached_property
    def mirrors(self) -> tuple[Mirror, ...]:
        """The mirrors of families of indexes, those first that name most of a URL."""
        return tuple(self._data.get("mirrors", {}).values())

    def real(self, url: str) -> str:
        """Return the URL of the index that a mirror stands for; any other URL as it is."""
        found = (mirror.real(url) for mirror in self.mirrors)
        return next(filter(None, found), url) if self.mirrors else url

    def placed(self, url: str) -> str:
        """Return where an index is read from: its own URL, or that of its mirror."""
        found = (mirror.placed(url) for mirror in self.mirrors)
        return next(filter(None, found), url) if self.mirrors else url

    def index_url(self, backend: Backend) -> str:
        """Return the URL of a backend's index, as it is written into a file."""
        folder = self.folder(backend)
        return self.placed(folder if "://" in folder else f"{self.base_url}/{folder}")

    @property
    def base_to_read(self) -> str:
        """Where PyTorch's indexes are read from: a prefix, or a pattern with `{backend}`."""
        pattern = f"{self.base_url}/{{backend}}"
        for own in (self.base_url, pattern):
            if (found := self.placed(own)) != own:
                return found
        return self.base_url

    @property
    def pypi_to_read(self) -> str | None:
        """Where PyPI is read from, if from a mirror."""
        own = f"https://{'.'.join(PYPI_HOSTS[0])}/simple"
        found = self.placed(own)
        return None if found == own else found

    def is_own(self, url: str) -> bool:
        """Tell whether an index is PyTorch's own, or stands for it by a setting."""
        return self.real(url).startswith(f"{self.base_url}/")

    def folder(self, backend: Backend) -> str:
        """Return the path of a backend's index below the base of all: `nightly/cpu`.

        Of another publisher's it is the whole URL.
        """
        if family := self.family_named(self.publisher_of(backend)):
            return family.index_url(self._data["backends"].get(backend.name, {}).get("build", ""))
        channel = self.channel_of(backend.accelerator)
        if not channel:
            return backend.name
        build = backend.name.removesuffix(f"-{channel}")
        below: str = self.channels[channel]["url"].removeprefix(f"{self.base_url}/")
        return below.replace("{build}", build)

    @lru_cache(maxsize=1024)  # noqa: B019 - there is one catalog
    def backend_of_url(self, url: str, name: str | None = None) -> Backend | None:
        """Tell which of PyTorch's backends an index serves, from the path of its URL.

        Args:
            url: Of the index.
            name: Of the index, where a file gives it one: it may say that this is a mirror.

        Returns:
            None where nobody knows: for PyPI, and for an index that is neither PyTorch's nor a
            mirror, whatever its URL ends in. It has what its publisher chose to build.
        """
        url = self.real(url)
        entry = self._family_entry(url)
        if entry is not None and entry.get("accelerator"):
            return self._build_of_others(url)
        found = backend_of_url(
            url, (a for a in self.accelerators if not a.channel and not a.family)
        )
        if found is None or not self._is_a_copy(url, name):
            return None
        segments = url.lower().split("/")
        channel = next((each for each in self.channels if each in segments), None)
        return self.backend(f"{found.name}-{channel}") if channel else found

    def _build_of_others(self, url: str) -> Backend | None:
        family = self.family_of(url)
        build = family.build_at(url) if family else None
        if family is None or build is None:
            return None
        return parse_backend(family.target_name(build), self.accelerators)

    def build_of_index(self, url: str, name: str | None = None) -> Backend | None:
        """Tell what an index serves: a backend, `PYPI` for PyPI and its copies; None: unknown."""
        url = self.real(url)
        if is_pypi(url):
            return PYPI
        found = self.backend_of_url(url, name)
        if found is not None:
            return found
        # `pypi` in these places is how a server speaks, not what it serves.
        text = re.sub(r"/(?:api|packages|_packaging/[^/]*)/pypi(?=/)", "", url.lower())
        words = re.split(r"[^a-z0-9]+", text.partition("?")[0])
        copied = PYPI.name in words and self.publisher(url) is None and "test" not in words
        return PYPI if copied else None

    def publisher(self, url: str) -> str | None:
        """Return whose builds an index has, if it is known to be another publisher's.

        Returns:
            Empty for one that has none of the packages of PyTorch's indexes.
        """
        entry = self._family_entry(url)
        # PyTorch's own families are no other publisher's.
        if entry is None or entry.get("url", "").startswith(self.base_url):
            return None
        wheels: str = entry.get("wheels", "")
        return wheels

    def publisher_of(self, backend: Backend) -> str:
        """Return the family of indexes that a build of others is on; empty for PyTorch's."""
        return next((a.family for a in self.accelerators if a.name == backend.accelerator), "")

    def family_named(self, name: str) -> Family | None:
        """Return a family of indexes by its name."""
        return next((one for one in self.families if one.name == name), None) if name else None

    @property
    def reads_channels(self) -> bool:
        """Whether a project that has the builds of a channel is read with its catalog."""
        return not self.channel and bool(self._data.get("reads_channels", True))

    @property
    def is_apart(self) -> bool:
        """Whether these are the builds of a channel, of which PyPI has none."""
        return self.channel in self.channels

    @cached_property
    def families(self) -> tuple[Family, ...]:
        """The families of indexes beside PyTorch's stable one, and what is known of each."""
        # Imported here: only a project with another index needs it.
        from torchconf.catalog.families import parse_families

        families = parse_families(self._data["families"], "the catalog")
        if not self.mirrors:
            return families
        return tuple(
            family._replace(
                url=self.placed(family.url),
                official=family.url,
                fits=tuple(fit._replace(url=self.placed(fit.url)) for fit in family.fits),
            )
            for family in families
        )

    @cached_property
    def built(self) -> Built:
        """The packages that are built against one release of torch, and who has their wheels."""
        # Imported here: only a project with such a package needs it.
        from torchconf.catalog.built import Built

        return Built(self._data["built"], self)

    @cached_property
    def built_names(self) -> frozenset[str]:
        """The names of these packages."""
        return self.built.packages | self.built.from_source

    def family_of(self, url: str) -> Family | None:
        """Tell of which family of indexes one is; None for PyTorch's stable one and all others."""
        entry = self._family_entry(url)
        if entry is None:
            return None
        return next(family for family in self.families if family.name == entry["name"])

    @lru_cache(maxsize=256)  # noqa: B019 - there is one catalog
    def _family_entry(self, url: str) -> Mapping[str, Any] | None:
        url = self.real(url)
        entries: list[Mapping[str, Any]] = self._data["families"]
        found = [
            (len(place), number)
            for number, entry in enumerate(entries)
            for place in entry.get("at", ())
            if is_below(url, (place,))
        ]
        return entries[max(found)[1]] if found else None

    @lru_cache(maxsize=256)  # noqa: B019 - there is one catalog
    def closure(self, backend: Backend) -> Closure | None:
        """Return what a backend's torch needs from the same index, if PyPI has other such names."""
        plain, publisher = self.plain(backend), self.publisher_of(backend)
        entry = next(
            (f for f in self._data["families"] if self._closes(f, plain.name, publisher)), None
        )
        if entry is None:
            return None
        from torchconf.catalog.families import closure_of

        build = backend.name if publisher else ""
        if publisher:
            before, _, after = re.sub("{last}", "{build}", entry["target"]).partition("{build}")
            build = backend.name.removeprefix(before).removesuffix(after)
        return closure_of(plain, entry, build)

    def with_devices(self, backend: Backend) -> tuple[str, ...]:
        """Return the packages whose extras bring what single GPUs need, on a build's index."""
        family = self.family_named(self.publisher_of(backend))
        return family.packages_with_devices if family else ()

    def _closes(self, family: Mapping[str, Any], build: str, publisher: str) -> bool:
        if publisher:
            return bool(family["name"] == publisher and family.get("closure"))
        own = "gpus" in family and family["url"].startswith(self.base_url)
        return own and build in family["builds"]

    def elsewhere(self, maker: str, platform: Platform, l4t: int | None = None) -> str | None:
        """Return where a maker has builds for its GPUs that PyTorch does not have.

        Args:
            maker: Of the GPUs: `amd`.
            platform: Of the machine.
            l4t: The major version of a Jetson's system, 0 where it is not known; None: no Jetson.
        """
        found: str | None = None
        for family in self.families:
            for fit in family.fits:
                if (fit.maker, fit.platform) == (maker, platform.key) and (
                    l4t is None if fit.jetson is None else (l4t or 0) >= fit.jetson
                ):
                    word = family.accelerator["word"]
                    found = f"{fit.wheels} are at `{fit.url}`: target `{platform.short}-{word}`"
        return found

    def override(self, accelerator: str, level: str) -> str | None:
        """Return what ROCm can be told so that it takes a GPU for one with builds: `10.3.0`."""
        overrides = self._data["accelerators"].get(accelerator, {}).get("overrides", {})
        return next((told for told, levels in overrides.items() if level in levels.split()), None)

    def _is_a_copy(self, url: str, name: str | None) -> bool:
        """Tell whether an index has what PyTorch's has: it is PyTorch's, or a mirror."""
        if url.startswith(f"{self.base_url}/"):
            return True
        if self.publisher(url) is not None:
            return False
        # A folder holds what its owner copied there.
        if not host_of(url):
            return True
        said = set(re.split(r"[^a-z0-9]+", f"{url.partition('://')[2]} {name or ''}".lower()))
        words = said | {re.sub(r"[0-9]+$", "", word) for word in said}
        return not words.isdisjoint(self._data["mirror_words"])

    def serves(self, url: str, package: str) -> bool | None:
        """Tell whether an index has any release of a package; None where nobody knows.

        PyTorch's own indexes are known, PyPI, and publishers that have nothing of the kind. What a
        mirror leaves out, nobody has looked at.
        """
        url = self.real(url)
        cells = self._data["wheels"].get(package, {}).values()
        if self.build_of_index(url) is PYPI:
            # Its listing of the family is complete.
            return package not in self.family or any(PYPI.name in each for each in cells)
        if package in self.family and self.publisher(url) == "":
            return False
        name = url.rstrip("/").removeprefix(f"{self.base_url}/")
        backend = self.backends.get(name)
        pins = (self.triton(backend, release) for release in self.releases if backend)
        # What the torch of an index pins comes from there, whether or not anybody saw it.
        if any(name in each for each in cells) or any(pin and pin.name == package for pin in pins):
            return True
        return None

    def goes_along(self, package: str, backend: Backend) -> bool:
        """Tell whether an index has a package that is built for every release of torch with it.

        Which of its wheels were seen is chance, so that any of them counts for all. Torchvision is
        on every index that torch is on.
        """
        return package == "torchvision" or (
            package == "torchaudio" and self.first_seen(package, backend) is not None
        )

    def accelerator(self, backend: Backend) -> Accelerator:
        """Return the accelerator of a backend other than PyPI's."""
        return next(known for known in self.everything if known.name == backend.accelerator)

    @cached_property
    def backends(self) -> Mapping[str, Backend]:
        """Every backend that was ever published, by name; those of others are among them."""
        return {name: self.backend(name) for name in self._data["backends"]}

    @cached_property
    def normalised(self) -> Mapping[str, str]:
        """Every backend that PyTorch ever published, by its name as an extra: `rocm7-2`."""
        own = (name for name in self._data["backends"] if name not in self._elsewhere)
        return {name.replace(".", "-"): name for name in own}

    def newest_first(self, accelerator: str) -> tuple[Backend, ...]:
        """Return the backends of one accelerator, the highest version first."""
        found = [known for known in self.backends.values() if known.accelerator == accelerator]
        return tuple(sorted(found, key=lambda backend: backend.version, reverse=True))

    def ended(self, backend: Backend) -> str | None:
        """Return the last torch release of a line that has ended, else None."""
        ended: str | None = self._data["backends"].get(backend.name, {}).get("ended")
        return ended

    def drivers(self, backend: Backend) -> Mapping[str, str]:
        """Return the lowest driver that a backend needs, by OS; empty where none is known."""
        drivers: dict[str, str] = self._entry(backend).get("driver", {})
        return drivers

    def capability(
        self, backend: Backend, platform: Platform
    ) -> tuple[str | None, str | None] | None:
        """Return the lowest and highest NVIDIA compute capability that a backend is built for.

        Returns:
            `("7.5", None)` for 7.5 and whatever is newer; None where nothing is known.
        """
        entry = self._entry(backend)
        found = entry.get("capability_on", {}).get(platform.key) or entry.get("capability")
        return (found[0], found[1]) if found else None

    def architectures(self, backend: Backend) -> tuple[str, ...]:
        """Return the AMD GPUs that a backend is built for: `gfx1100`; empty where none is known."""
        return tuple(self._entry(backend).get("architectures", ()))

    def _entry(self, backend: Backend) -> dict[str, Any]:
        """Return what is known of a backend's hardware; that of a channel needs the same."""
        found: dict[str, Any] = self._data["backends"].get(self.plain(backend).name, {})
        return found

    def is_torch_backend(self, backend: Backend) -> bool:
        """Tell whether uv takes a backend as `--torch-backend`."""
        return self._data["backends"].get(backend.name, {}).get("torch_backend") is True

    def maker(self, accelerator: str) -> str | None:
        """Return whose GPUs an accelerator is for: `nvidia`; None where it needs no GPU."""
        name = accelerator.removesuffix(f"-{self.channel_of(accelerator)}")
        maker: str | None = self._data["accelerators"].get(name, {}).get("maker")
        return maker

    def generations(self, accelerator: str) -> tuple[tuple[str, str], ...]:
        """Return the names of NVIDIA's generations, each from a compute capability on."""
        pairs = self._data["accelerators"].get(accelerator, {}).get("generations", ())
        return tuple((lowest, name) for lowest, name in pairs)

    def device(self, accelerator: str, number: str) -> str | None:
        """Return what a GPU is called, by its PCI device id; of Intel's, the supported ones."""
        for first, last, name in self._data["accelerators"].get(accelerator, {}).get("devices", ()):
            if first <= number <= last:
                found: str = name
                return found
        return None

    def platform_end(self, platform: Platform) -> str | None:
        """Return the last torch release for a platform that has ended, else None."""
        ended: str | None = self._data["platform_ends"].get(platform.key)
        return ended

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The words of targets."""
        # Imported here: only a command that takes targets needs it.
        from torchconf.model.target_spec import Vocabulary

        current = [
            backend
            for accelerator in self.accelerators
            for backend in self.newest_first(accelerator.name)
            if self.ended(backend) is None
        ]
        return Vocabulary(
            accelerators=self.everything,
            backends={
                **self.backends,
                **{
                    name: self.backend(name)
                    for channel, family in self.channels.items()
                    for name in (f"{build}-{channel}" for build in family["builds"])
                },
            },
            words={
                word: (entry["accelerator"], entry["os"])
                for word, entry in self._data["words"].items()
            },
            ambiguous=frozenset(self._data["ambiguous"]),
            current=tuple(current),
            as_of=self._data["as_of_indexes"].get(PYTORCH, self.as_of),
            elsewhere=self.other_builds,
            others=self._other_words(),
        )

    def _other_words(self) -> Mapping[str, tuple[tuple[Accelerator, Backend | None], ...]]:
        """Return the words for builds that others publish, each with what it means."""
        found: dict[str, list[tuple[Accelerator, Backend | None]]] = {}
        for name, entry in self._data["backends"].items():
            if "family" in entry:
                backend = self.backends[name]
                word = entry["build"].rpartition("/")[2]
                found.setdefault(word, []).append((self.accelerator(backend), backend))
        for accelerator in self.accelerators:
            if word := accelerator.word:
                # An accelerator with one build that is called like it means just that one.
                backend_ = self.backends.get(accelerator.name)
                found.setdefault(word, []).append((accelerator, backend_))
        return {word: tuple(meant) for word, meant in found.items()}

    def other_builds(self, word: str, platform: Platform) -> str | None:
        """Say where others have builds for a platform that PyTorch does not have.

        Args:
            word: An accelerator, or the name of a family of indexes: `jetson`.
            platform: Of the machine.
        """
        maker = self.maker(word)
        for family in self.families:
            places = [
                f"`{fit.url}`"
                for fit in family.fits
                if fit.platform == platform.key
                and (family.name == word or (fit.maker == maker and fit.jetson is None))
            ]
            if places:
                target = f"{platform.short}-{family.accelerator['word']}"
                return (
                    f"{family.wheels} are at {' or '.join(places)} ({family.sure}): ask for "
                    f"target `{target}`"
                )
        return None

    @cached_property
    def releases(self) -> tuple[Version, ...]:
        """The releases of torch that the catalog describes, newest first."""
        return tuple(map(Version, self._data["releases"]))

    @lru_cache(maxsize=64)  # noqa: B019 - there is one catalog
    def versions(self, package: str) -> tuple[Version, ...]:
        """Every release of one package that was seen anywhere, newest first."""
        return tuple(map(Version, self._data["wheels"].get(package, ())))

    @cached_property
    def older_releases(self) -> tuple[Version, ...]:
        """Releases of torch that were only seen, before those that the catalog describes."""
        oldest = min(self.releases)
        return tuple(seen for seen in self.versions(self.main_package) if seen < oldest)

    def covered(self, release: Version) -> bool:
        """Tell whether the build matrix of a torch release was read."""
        return "pythons" in self._release(release)

    @lru_cache(maxsize=256)  # noqa: B019 - there is one catalog
    def release_pythons(self, release: Version) -> tuple[str, ...]:
        """Return the Pythons that a torch release is built for: `3.10`, `3.11`, ..."""
        entry = self._release(release)
        named = entry.get("pythons")
        if named is None:
            cell = self._cell(self.main_package, str(release), PYPI)
            # Of an old release PyPI's own wheels were not recorded.
            every = self._data["wheels"].get(self.main_package, {}).get(str(release), {}).values()
            cells = [cell] if cell else [self._data["sets"][number] for number in every]
            seen = (text for each in cells for text in each[1].values())
            named = sorted({python for text in seen for python in text.split()})
        floor = _range(entry.get("python", ""))
        return tuple(python for python in self.pythons if python in named and python in floor)

    @lru_cache(maxsize=256)  # noqa: B019 - there is one catalog
    def supported_pythons(self, release: Version, python: SpecifierSet | None) -> tuple[str, ...]:
        """Return the Pythons on which a torch release must be there.

        An open range ends with the release's own newest Python; a range with an upper bound means
        every Python in it. None stands for the release's own range.
        """
        built = self.release_pythons(release)
        if python is None:
            return built
        inside = tuple(version for version in self.pythons if admits_python(python, version))
        if not self.is_open(python):
            return inside
        return tuple(v for v in inside if v == inside[0] or v in built)

    def is_open(self, python: SpecifierSet | None) -> bool:
        """Tell whether a range of Pythons goes on after those that are known here."""
        major, minor = Version(self.pythons[-1]).release
        return python is None or admits_from(python, f"{major}.{minor + 1}")

    @cached_property
    def _elsewhere(self) -> frozenset[str]:
        """The names of what is not on PyTorch's indexes: PyPI, and the builds of others."""
        others = (name for name, one in self._data["backends"].items() if "family" in one)
        return frozenset({PYPI.name, *others})

    def carries(self, package: str, version: Version, backend: Backend) -> bool:
        """Tell whether an index is known to carry a release, on whichever platform."""
        return self._cell(package, str(version), backend) is not None

    def is_indexed(self, package: str, version: Version) -> bool:
        """Tell whether a release was seen on any of PyTorch's indexes."""
        return bool(
            self._data["wheels"].get(package, {}).get(str(version), {}).keys() - self._elsewhere
        )

    def seen(self, package: str, version: Version, backend: Backend, platform: Platform) -> bool:
        """Tell whether at least one wheel is known for a platform, on whichever Python."""
        if platform.os == "macos" and backend == self.fallback and not self.is_apart:
            backend = PYPI
        cell = self._cell(package, str(version), backend)
        return cell is not None and bool(cell[1].get(platform.key))

    def pythons_named(self, version: Version, target: Target) -> tuple[str, ...]:
        """Return the Pythons of which somebody named a wheel of torch for a target."""
        cell = self._cell(self.main_package, str(version), target.backend)
        return tuple(cell[1].get(target.platform.key, "").split()) if cell else ()

    def has_no_wheel(self, package: str, version: Version, platform: Platform) -> bool:
        """Tell whether no index was seen to have a wheel for a platform, and PyPI has none.

        What goes along with torch may be on one of its indexes though nobody saw it.
        """
        if any(self.goes_along(package, backend) for backend in self.backends.values()):
            return False
        cells = self._data["wheels"].get(package, {}).get(str(version), {}).values()
        return not any(self._data["sets"][number][1].get(platform.key) for number in cells) and all(
            self.available(package, version, PYPI, platform, python) is Answer.NO
            for python in self.pythons
        )

    @cached_property
    def newest_indexed(self) -> Version | None:
        """The newest torch of which a wheel was seen on any of the PyTorch indexes."""
        wheels = self._data["wheels"].get(self.main_package, {})
        indexed = (Version(v) for v, cells in wheels.items() if cells.keys() - self._elsewhere)
        return next(indexed, None)

    def seen_releases(
        self, package: str, backend: Backend, platform: Platform, pythons: Sequence[str]
    ) -> Iterator[Version]:
        """Yield the releases of which a wheel for one of these Pythons was seen, newest first."""
        for version, cells in self._data["wheels"].get(package, {}).items():
            number = cells.get(backend.name)
            if number is not None:
                seen = self._data["sets"][number][1].get(platform.key, "").split()
                if any(serves_python(seen, python) for python in pythons):
                    yield Version(version)

    def released(
        self, package: str, backend: Backend, python: str, releases: Iterable[Version]
    ) -> Iterator[Version]:
        """Yield those releases of which an index has a wheel for a Python, on any platform."""
        for release in releases:
            cell = self._cell(package, str(release), backend)
            if cell and any(serves_python(pythons.split(), python) for pythons in cell[1].values()):
                yield release

    @lru_cache(maxsize=256)  # noqa: B019 - there is one catalog
    def first_seen(self, package: str, backend: Backend) -> Version | None:
        """Return the oldest release that an index is known to have carried of a package."""
        return min(self._known(package, backend), default=None)

    @lru_cache(maxsize=256)  # noqa: B019 - there is one catalog
    def last_seen(self, package: str, backend: Backend) -> Version | None:
        """Return the newest release that an index is known to carry of a package."""
        return max(self._known(package, backend), default=None)

    def _known(self, package: str, backend: Backend) -> list[Version]:
        return [
            Version(version)
            for version, cells in self._data["wheels"].get(package, {}).items()
            if backend.name in cells
        ]

    @lru_cache(maxsize=1 << 14)  # noqa: B019 - there is one catalog
    def available(  # noqa: PLR0911 - one return a reason
        self, package: str, version: Version, backend: Backend, platform: Platform, python: str
    ) -> Answer:
        """Say whether one wheel is there.

        Args:
            package: Canonical name: `torchvision`, not `TorchVision`.
            version: Public version: `2.11.0`.
            backend: The index to look in; `PYPI` for PyPI's own listing.
            platform: The machine it is for.
            python: `3.12`, or `3.13t` for a free-threaded one.

        Source: the facts beside `torchconf.catalog.compile`, recorded on `as_of`.
        """
        if backend is not PYPI and platform.key not in self.accelerator(backend).platforms:
            return Answer.NO
        if package == self.main_package:
            last = self.platform_end(platform)
            if last is not None and version > Version(last):
                return Answer.NO
            if self._python_is_missing(version, python):
                return Answer.NO
        cell = self._cell(package, str(version), backend)
        if (
            platform.os == "macos"
            and backend == self.fallback
            and not self.is_apart
            and self._serves_macos(package, cell, version)
        ):
            # The CPU index serves the very macOS wheels that PyPI does, whose listing is complete.
            return self.available(package, version, PYPI, platform, python)
        if cell is None:
            return self._without_cell(package, version, backend)
        complete, seen = cell
        pythons = seen.get(platform.key)
        # How far silence counts: `all`, `platforms`, `x86_64`, or several of them.
        listed = "all" in complete or ("x86_64" in complete and platform.key in _LISTED)
        if pythons is None:
            return Answer.NO if listed or "platforms" in complete else Answer.UNKNOWN
        if serves_python(pythons.split(), python):
            return Answer.YES
        return Answer.NO if listed else Answer.UNKNOWN

    def lacks(
        self,
        package: str,
        within: SpecifierSet,
        backend: Backend,
        platform: Platform,
        python: SpecifierSet | None,
    ) -> bool:
        """Tell whether no release in a range has a wheel, as far as anybody has seen.

        Where a wheel was seen for another platform only, this one probably has none either.
        """
        pythons = [v for v in self.pythons if python is None or admits_python(python, v)]
        releases = [v for v in self.versions(package) if within.contains(v, prereleases=True)]
        if any(self.carries(package, version, backend) for version in releases):
            releases = [v for v in releases if self.seen(package, v, backend, platform)]
            if not releases:
                return True
        return bool(pythons and releases) and all(
            self.available(package, version, backend, platform, each) is Answer.NO
            for version in releases
            for each in pythons
        )

    def _serves_macos(self, package: str, cell: list[Any] | None, version: Version) -> bool:
        return self.covered(version) if package == self.main_package else cell is not None

    def _python_is_missing(self, release: Version, python: str) -> bool:
        entry = self._release(release)
        if python.rstrip("t") not in _range(entry.get("python", "")):
            return True
        if "pythons" not in entry or python in entry["pythons"]:
            return False
        # A Python that the matrix does not name may still have been published early.
        cells = self._data["wheels"].get(self.main_package, {}).get(str(release), {})
        return not any(
            serves_python(pythons.split(), python)
            for number in cells.values()
            for pythons in self._data["sets"][number][1].values()
        )

    def _without_cell(self, package: str, version: Version, backend: Backend) -> Answer:
        if backend is PYPI:
            known = package in self._data["wheels"] and version <= self.versions(package)[0]
            return Answer.NO if known else Answer.UNKNOWN
        named = self._release(version).get("backends") if package == self.main_package else None
        # The matrix names the builds that have versions; of the others, and of those that PyTorch
        # does not publish, it says nothing.
        if named is not None and backend.version and not self.publisher_of(backend):
            return Answer.NO
        if package != self.main_package:
            return Answer.UNKNOWN
        if self.publisher_of(backend):
            # Only single wheels were seen.
            return Answer.UNKNOWN
        first, last = self.first_seen(package, backend), self.ended(backend)
        outside = (first is not None and version < first) or (
            last is not None and version > Version(last)
        )
        return Answer.NO if outside else Answer.UNKNOWN

    @lru_cache(maxsize=256)  # noqa: B019 - there is one catalog
    def companions(self, package: str, release: Version) -> tuple[Version, ...] | None:
        """Return the releases of a companion that fit a torch release, newest first.

        None means that any release may do: the package states no torch, or its releases for a torch
        as old as this one were not recorded.
        """
        table = self._data["companions"].get(package)
        if table is None or release < self.first_paired(package):
            return None
        return tuple(
            Version(version)
            for version, needs, _ in table
            if needs and _range(needs).contains(release, prereleases=True)
        )

    @lru_cache(maxsize=16)  # noqa: B019 - there is one catalog
    def first_paired(self, package: str) -> Version:
        """Return the oldest torch that a recorded release of a companion states."""
        stated = (lowest_named(_range(needs)) for _, needs, _ in self._data["companions"][package])
        return min(filter(None, stated), default=Version("0"))

    def torch_of(self, package: str, version: Version) -> SpecifierSet | None:
        """Return the range of torch that a companion release fits; None where nobody has said."""
        for known, needs, _ in self._data["companions"].get(package, ()):
            if needs and Version(known) == version:
                return _range(needs)
        return None

    def is_bound(self, package: str) -> bool:
        """Tell whether releases of a companion work with some torch only: they fail with others."""
        return bool(self.pairs(package)) and self._data["companions"][package][0][2] is not None

    def leaves_torch_open(self, package: str, version: Version) -> bool:
        """Tell whether a newer release of a companion fits this torch as far as its metadata say.

        Such a release states no torch, so nothing but an upper bound keeps an installer from it.
        """
        return any(
            not stated and Version(other) > version
            for other, _, stated in self._data["companions"].get(package, ())
        )

    def fits(self, package: str, version: Version, release: Version) -> Answer:
        """Say whether a companion release works with a torch release.

        Its metadata say so, or its authors elsewhere: `facts/fits.json` has the evidence.
        """
        for known, needs, stated in self._data["companions"].get(package, ()):
            if needs and Version(known) == version:
                if _range(needs).contains(release, prereleases=True):
                    return Answer.YES
                return Answer.UNKNOWN if stated is None else Answer.NO
        return Answer.UNKNOWN

    def triton(self, backend: Backend, release: Version) -> Triton | None:
        """Return the triton package that this backend's torch needs as a direct requirement."""
        entry = self._data["accelerators"].get(backend.accelerator, {})
        for rule in entry.get("triton", ()):
            if _range(rule["torch"]).contains(release, prereleases=True):
                pin = entry["triton_pins"].get(str(release))
                return Triton(rule["name"], rule["bound"], pin, rule.get("marker"))
        return None

    @lru_cache(maxsize=64)  # noqa: B019 - there is one catalog
    def pairs(self, package: str) -> tuple[tuple[Version, SpecifierSet, bool], ...]:
        """Return the releases of a companion that work with some torch only, newest first.

        Each with the torch that it fits, and whether its own metadata say so, so that an installer
        heeds it. Those that may work with other torches as well are left out.
        """
        return tuple(
            (Version(version), _range(needs), stated)
            for version, needs, stated in self._data["companions"].get(package, ())
            if needs and stated is not None
        )

    def triton_range(self, release: Version, backend: Backend | None) -> SpecifierSet | None:
        """Return which `triton` a CUDA build of a torch release requires on Linux, if known.

        None as the backend stands for PyPI's build.
        """
        entry = self._release(release)
        pin: str | None = entry.get("triton")
        if pin is None or (backend and backend.name in entry.get("triton_unknown", ())):
            return None
        return _range(pin)

    @cached_property
    def cuda_majors(self) -> tuple[CudaMajor, ...]:
        """The packages beside PyTorch's that need CUDA libraries of one major version."""
        return tuple(
            CudaMajor(
                one["name"],
                one.get("extra"),
                one.get("versions"),
                one["major"],
                tuple(one.get("platforms", ())),
                one.get("word", ""),
            )
            for one in self._data["cuda_majors"]
        )

    @cached_property
    def cuda_names(self) -> frozenset[str]:
        """The names of these packages."""
        return frozenset(one.name for one in self.cuda_majors)

    @cached_property
    def cuda_words(self) -> Mapping[str, None]:
        """What `--with` takes for them, whichever the CUDA is."""
        return {one.word: None for one in self.cuda_majors if one.word}

    @property
    def without_cuda(self) -> Mapping[str, str]:
        """What takes the place of such packages where there is no CUDA, by their word."""
        found: dict[str, str] = self._data["cuda_plain"]
        return found

    def pypi_build(self, release: Version, platform: Platform) -> Backend | None:
        """Say which backend PyPI's own wheel of a torch release is, if known."""
        name = self._release(release).get("pypi", {}).get(platform.key)
        there = self.seen(self.main_package, release, PYPI, platform)
        return self.backend(name) if name and there else None

    def cuda_of(
        self, backend: Backend, release: Version | None, platform: Platform
    ) -> tuple[int, ...]:
        """Return the CUDA of a build, `(13, 0)`; empty where it has none, or nobody knows.

        Args:
            backend: The build; PyPI's is another one in each release.
            release: Of torch; None for the newest.
            platform: The machine.
        """
        if backend is PYPI or backend == PYPI:
            found = self.pypi_build(release or self.releases[0], platform)
        else:
            found = self.plain(backend)
        return found.version if found is not None and found.accelerator == "cuda" else ()

    def macos_minimum(self, release: Version) -> str | None:
        """Return the lowest macOS that a torch release runs on: `14.0`."""
        minimum: str | None = self._release(release).get("macos")
        return minimum

    @cached_property
    def dependents(self) -> Mapping[str, frozenset[str]]:
        """Packages known to need torch or a companion by themselves: name to what they need."""
        found = {name: frozenset(needs) for name, needs in self._data["dependents"].items()}
        for package, table in self._data["companions"].items():
            if all(stated for _, _, stated in table):
                found[package] = found.get(package, frozenset()) | {self.main_package}
        return found

    @cached_property
    def changing_dependents(self) -> Mapping[str, tuple[tuple[Version, bool], ...]]:
        """Companions of which some releases need torch: each release, newest first, and whether."""
        return {
            package: tuple((Version(version), bool(stated)) for version, _, stated in table)
            for package, table in self._data["companions"].items()
            if len({bool(stated) for _, _, stated in table}) > 1
        }

    def is_on_an_index(self, package: str, version: Version) -> bool:
        """Tell whether a release was seen on one of PyTorch's own indexes, not only on PyPI."""
        cells = self._data["wheels"].get(package, {}).get(str(version), {})
        return not cells.keys() <= self._elsewhere

    def _release(self, release: Version) -> dict[str, Any]:
        entry: dict[str, Any] = self._data["releases"].get(str(release), {})
        return entry

    def _cell(self, package: str, version: str, backend: Backend) -> list[Any] | None:
        number = self._data["wheels"].get(package, {}).get(version, {}).get(backend.name)
        if number is None:
            return None
        cell: list[Any] = self._data["sets"][number]
        return cell


def _names_mirrors(project: Project | None) -> bool:
    tool = project.data.get("tool") if project is not None else None
    table = tool.get("torchconf") if isinstance(tool, dict) else None
    return isinstance(table, dict) and table.get("indexes") is not None


@lru_cache(maxsize=256)
def _range(text: str) -> SpecifierSet:
    return SpecifierSet(text)


def serves_python(pythons: Collection[str], python: str) -> bool:
    """Tell whether wheels for these Pythons serve one; `3.9+` stands for every one from 3.9 on.

    `3.9+t` stands for the free-threaded ones from there.
    """
    if python in pythons:
        return True
    mark = "+t" if python.endswith("t") else "+"
    minor = int(python.rstrip("t").split(".")[1])
    return any(
        known.endswith(mark) and int(known[2:].partition("+")[0]) <= minor for known in pythons
    )
