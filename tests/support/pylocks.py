"""Small exports of uv, written by hand: what a lock has, without uv and without an index."""

from __future__ import annotations

from typing import NamedTuple

from tests.support.projects import WHL
from torchconf.model.pylock import Export
from torchconf.model.targets import PLATFORMS

LINUX, ARM, WINDOWS, WINDOWS_ARM, MAC, INTEL_MAC = PLATFORMS
TAGS = {
    LINUX: "manylinux_2_28_x86_64",
    ARM: "manylinux_2_28_aarch64",
    WINDOWS: "win_amd64",
    WINDOWS_ARM: "win_arm64",
    MAC: "macosx_14_0_arm64",
}


class Entry(NamedTuple):
    """One package of an export; a wheel is named by its tags, and its hash is its name's."""

    version: str
    tags: tuple[str, ...]
    name: str = "torch"
    registry: str | None = f"{WHL}/cu130"
    marker: str | None = None
    more: str = ""

    def text(self) -> str:
        """Return the entry as uv writes it."""
        lines = ["[[packages]]", f'name = "{self.name}"', f'version = "{self.version}"']
        lines += [f'marker = "{self.marker}"'] if self.marker else []
        lines += [f'index = "{self.registry}"'] if self.registry else []
        wheels = [
            f'{{ url = "{self.registry or "https://files.example.org"}/{file}", '
            f'name = "{file}", hashes = {{ sha256 = "{digest(tag)}" }} }}'
            for tag in self.tags
            for file in [f"{self.name.replace('-', '_')}-{self.version}-{tag}.whl"]
        ]
        lines += [f"wheels = [{', '.join(wheels)}]"] if wheels else []
        return "\n".join([*lines, *([self.more] if self.more else [])])


def digest(tag: str) -> str:
    """Return the hash that the wheel with these tags has here."""
    return tag.encode().hex()[:64].ljust(64, "0")


def cp(minor: int, platform_tag: str) -> str:
    """Return the tags of a wheel for one CPython."""
    return f"cp3{minor}-cp3{minor}-{platform_tag}"


def pylock(*entries: Entry, head: str = "") -> str:
    """Return a pylock.toml."""
    lines = ["# uv export", 'lock-version = "1.0"', 'created-by = "uv"', *([head] if head else [])]
    return "\n\n".join(["\n".join(lines), *(entry.text() for entry in entries)]) + "\n"


def export(*entries: Entry, head: str = "") -> Export:
    """Return an export that has these packages."""
    return Export(pylock(*entries, head=head), "uv export")
