"""Indexes: what a URL serves and who publishes it, where a backend is, and its mirrors."""

from __future__ import annotations

import re
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from torchconf.catalog.builds import Builds
from torchconf.model.backends import (
    PYPI,
    PYPI_HOSTS,
    Backend,
    backend_of_url,
    host_of,
    is_below,
    is_pypi,
    parse_backend,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchconf.catalog.families import Closure, Family
    from torchconf.model.mirrors import Mirror
    from torchconf.model.targets import Platform


class Indexes(Builds):
    """What is known of the places where wheels are."""

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
        # A family says where its indexes are read from.
        build = family.build_at(self.placed(url)) if family else None
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

    def family_named(self, name: str) -> Family | None:
        """Return a family of indexes by its name."""
        return next((one for one in self.families if one.name == name), None) if name else None

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
