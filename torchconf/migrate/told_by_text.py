"""What a URL, a label or a build string says of builds, platforms and releases by itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchconf.model.backends import parse_backend
from torchconf.model.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchconf.catalog import Catalog
    from torchconf.migrate.old import LeftOut

__all__ = [
    "admits_previews",
    "conda_build",
    "has_torch_of_others",
    "label_backend",
    "page_of",
    "wheel_platforms",
]


def admits_previews(item: LeftOut) -> bool:
    """Tell whether a line is pip's option that admits pre-releases of all packages."""
    return not {"--pre", "--all-releases"}.isdisjoint(item.text.split())


class Page(NamedTuple):
    """A page of wheels that were built against one torch."""

    packages: frozenset[str]
    release: str
    """Of torch; empty if the page does not say."""
    backend: str


_PAGES = {
    "data.pyg.org": frozenset(
        {"pyg-lib", "torch-scatter", "torch-sparse", "torch-cluster", "torch-spline-conv"}
    ),
    "pytorch-geometric.com": frozenset(
        {"torch-scatter", "torch-sparse", "torch-cluster", "torch-spline-conv"}
    ),
    "data.dgl.ai": frozenset({"dgl", "dglgo"}),
    "dl.fbaipublicfiles.com": frozenset({"pytorch3d", "detectron2"}),
}
"""Publishers of packages that are built against torch, and what they serve."""


def page_of(url: str, catalog: Catalog) -> Page | None:
    """Read the URL of a page with wheels for one torch: `.../whl/torch-2.4.0+cu121.html`."""
    host = re.sub(r"^[a-z]+://([^/]*@)?", "", url.lower()).partition("/")[0]
    packages = next((known for end, known in _PAGES.items() if host.endswith(end)), None)
    if packages is None:
        return None
    text = url.replace("%2B", "+").replace("%2b", "+")
    release = re.search(r"torch-?([0-9]+[.][0-9]+(?:[.][0-9]+)?)", text)
    words = re.split(r"[/+_]|[.]html", text)
    backends = [word for word in words if parse_backend(word, catalog.accelerators)]
    return Page(packages, release[1] if release else "", backends[-1] if backends else "")


def has_torch_of_others(url: str, catalog: Catalog) -> bool:
    """Tell whether an index has builds of torch that another publisher made."""
    return catalog.backend_of_url(url) is None and bool(catalog.publisher(url))


def label_backend(label: str, catalog: Catalog) -> str:
    """Return the backend that a local version names; empty if it names none."""
    for part in (label, label.rpartition(".")[2]):
        if part and parse_backend(part, catalog.accelerators):
            return part
    return ""


def wheel_platforms(url: str) -> Iterator[str]:
    """Yield the platforms of a wheel, told from its tag; nothing for any other URL."""
    name = url.partition("#")[0].rpartition("/")[2]
    if not name.endswith(".whl"):
        return
    tag = name.removesuffix(".whl").rpartition("-")[2]
    for word, key in (
        (r"win_amd64", "windows-x86_64"),
        (r"win_arm64", "windows-arm64"),
        (r"(?:many)?linux.*x86_64", "linux-x86_64"),
        (r"(?:many)?linux.*aarch64", "linux-aarch64"),
        (r"macosx.*arm64", "macos-arm64"),
        (r"macosx.*x86_64", "macos-x86_64"),
    ):
        if re.search(word, tag):
            yield key


def conda_build(text: str) -> str:
    """Return what a build string of conda says: `py3.10_cuda12.1_cudnn8_0` means cu121."""
    if found := re.search(r"cuda_?([0-9]+)[.]([0-9]+)|cuda([0-9]{3})(?![0-9])", text):
        return f"cu{found[1]}{found[2]}" if found[1] else f"cu{found[3]}"
    if found := re.search(r"rocm([0-9.]+)", text):
        return f"rocm{found[1].rstrip('.')}"
    if "cuda" in text:
        return "cuda"
    return "cpu" if re.search(r"(?:^|[_*])cpu", text) else ""
