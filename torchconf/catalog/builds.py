"""Builds: which backends there are, of which accelerator and channel, and what they run on."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from torchconf.catalog.recorded import Recorded
from torchconf.model.backends import PYPI, Accelerator, Backend, parse_backend

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchconf.model.targets import Platform


class Builds(Recorded):
    """What is known of backends, whatever was built for them."""

    def __init__(self, data: dict[str, Any]) -> None:
        """Name the accelerators; a backend is read when it is asked for."""
        super().__init__(data)
        self.accelerators = tuple(
            Accelerator(
                name,
                entry["title"],
                entry["pattern"],
                tuple(entry["platforms"]),
                entry.get("channel", ""),
                entry.get("family", ""),
                entry.get("word", ""),
                entry.get("where", ""),
            )
            for name, entry in data["accelerators"].items()
        )
        """Those of stable builds, unless this is the catalog of a channel."""
        self.channel: str = data.get("channel", "")
        """What this is the catalog of: `nightly`; `stable` where both are told apart; else
        empty: stable builds, beside which others are only recognised."""
        self.fallback: Backend = self.backend(data["fallback"])

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

    def channel_of(self, accelerator: str) -> str:
        """Return the channel that an accelerator's builds are of; empty for stable ones."""
        return next((one.channel for one in self.everything if one.name == accelerator), "")

    def plain(self, backend: Backend) -> Backend:
        """Return the stable build of the same name, for one of a channel."""
        channel = self.channel_of(backend.accelerator)
        return self.backend(backend.name.removesuffix(f"-{channel}")) if channel else backend

    @property
    def is_apart(self) -> bool:
        """Whether these are the builds of a channel, of which PyPI has none."""
        return self.channel in self.channels

    @property
    def reads_channels(self) -> bool:
        """Whether a project that has the builds of a channel is read with its catalog."""
        return not self.channel and bool(self._data.get("reads_channels", True))

    def accelerator(self, backend: Backend) -> Accelerator:
        """Return the accelerator of a backend other than PyPI's."""
        return next(known for known in self.everything if known.name == backend.accelerator)

    def is_known(self, name: str) -> bool:
        """Tell whether a backend was ever published, by whomever."""
        return name in self._data["backends"]

    @cached_property
    def backends(self) -> Mapping[str, Backend]:
        """Every backend that was ever published, by name; those of others are among them."""
        return {name: self.backend(name) for name in self._data["backends"]}

    @cached_property
    def normalised(self) -> Mapping[str, str]:
        """Every backend that PyTorch ever published, by its name as an extra: `rocm7-2`."""
        own = (name for name in self._data["backends"] if name not in self._elsewhere)
        return {name.replace(".", "-"): name for name in own}

    @cached_property
    def names_of_others(self) -> frozenset[str]:
        """The builds that others publish, by name."""
        return self._elsewhere - {PYPI.name}

    def where(self, backend: Backend) -> str:
        """Return the marker that tells the machines of a build from others of the same platform.

        Empty for most: the platform says it all.
        """
        return next((a.where for a in self.accelerators if a.name == backend.accelerator), "")

    def newest_first(self, accelerator: str) -> tuple[Backend, ...]:
        """Return the backends of one accelerator, the highest version first."""
        found = [known for known in self.backends.values() if known.accelerator == accelerator]
        return tuple(sorted(found, key=lambda backend: backend.version, reverse=True))

    def publisher_of(self, backend: Backend) -> str:
        """Return the family of indexes that a build of others is on; empty for PyTorch's."""
        return next((a.family for a in self.accelerators if a.name == backend.accelerator), "")

    @cached_property
    def _elsewhere(self) -> frozenset[str]:
        """The names of what is not on PyTorch's indexes: PyPI, and the builds of others."""
        others = (name for name, one in self._data["backends"].items() if "family" in one)
        return frozenset({PYPI.name, *others})

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
        name = accelerator.removesuffix(f"-{self.channel_of(accelerator)}")
        pairs = self._data["accelerators"].get(name, {}).get("generations", ())
        return tuple((lowest, name) for lowest, name in pairs)

    def device(self, accelerator: str, number: str) -> str | None:
        """Return what a GPU is called, by its PCI device id; of Intel's, the supported ones."""
        for first, last, name in self._data["accelerators"].get(accelerator, {}).get("devices", ()):
            if first <= number <= last:
                found: str = name
                return found
        return None

    def override(self, accelerator: str, level: str) -> str | None:
        """Return what ROCm can be told so that it takes a GPU for one with builds: `10.3.0`."""
        overrides = self._data["accelerators"].get(accelerator, {}).get("overrides", {})
        return next((told for told, levels in overrides.items() if level in levels.split()), None)
