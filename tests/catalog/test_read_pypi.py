"""PyPI's half of the facts: what a wheel requires is read from its end, a few kilobytes of it."""

from __future__ import annotations

import io
import zipfile
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from pypi_simple import DistributionPackage, Link, PyPISimple

from torchconf.catalog import read_pypi
from torchconf.catalog.read_pypi import (
    _python_tag,
    _refuse_partial,
    _release,
    _requires_dist,
    _stable_wheels,
)
from torchconf.errors import CatalogError

METADATA = """\
Metadata-Version: 2.1
Name: torch
Version: 9.9
Requires-Dist: jinja2
Requires-Dist: triton (==3.9.0) ; platform_system == "Linux"
Requires-Dist: jinja2
Requires-Dist: optree>=0.13 ; extra == "optree"

The README says: Requires-Dist: nothing
"""


class Server:
    """What stands for a session: one file, of which parts can be had."""

    def __init__(self, content: bytes, status: int = 206) -> None:
        self.content, self.status = content, status
        self.asked: list[str] = []

    def get(self, url: str, headers: dict[str, str], timeout: float) -> SimpleNamespace:
        assert url.endswith(".whl")
        assert timeout > 0
        span = headers["Range"].removeprefix("bytes=")
        self.asked.append(span)
        first, _, last = span.partition("-")
        size = len(self.content)
        begin = int(first) if first else max(0, size - int(last))
        end = int(last) + 1 if first else size
        return SimpleNamespace(
            status_code=self.status,
            content=self.content[begin:end],
            headers={"Content-Range": f"bytes {begin}-{end - 1}/{size}"},
        )


def wheel(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, text in files.items():
            made.writestr(name, text)
    return buffer.getvalue()


def file(name: str = "torch-9.9-cp312-cp312-win_amd64.whl") -> DistributionPackage:
    return DistributionPackage.from_link(Link(name, f"https://example.org/{name}", {}))


def client(server: Server) -> PyPISimple:
    return SimpleNamespace(s=server)  # type: ignore[return-value]  # a stand-in


BIG = {
    "torch/lib.so": "x" * 5000,
    "torch-9.9.dist-info/METADATA": METADATA,
    "torch/z.so": "y" * 900,
}


@pytest.mark.parametrize("block", [200, 1000, 1 << 16])
def test_the_requirements_of_a_wheel_are_read_in_parts(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_pypi, "_BLOCK", block)
    server = Server(wheel(BIG))
    needs = ["jinja2", 'triton==3.9.0; platform_system == "Linux"']
    assert _requires_dist(file(), client(server)) == needs
    assert server.asked[0] == f"-{block}"
    assert (len(server.asked) == 1) == (block > len(server.content))


def test_a_wheel_without_metadata_says_nothing() -> None:
    assert _requires_dist(file(), client(Server(wheel({"torch/a.py": ""})))) is None


def test_a_server_that_gives_no_parts_is_refused() -> None:
    with pytest.raises(CatalogError, match="answered 200"):
        _requires_dist(file(), client(Server(wheel(BIG), status=200)))


def test_what_is_known_of_a_release_is_not_read_again() -> None:
    known = {("torch", "9.9"): {"requires_dist": ["known"]}}
    server = Server(b"")
    release = _release("torch", known, client(server), 8, ("9.9", [file()]), every=True)
    assert release["requires_dist"] == ["known"]
    assert release["wheels"] == {"win_amd64": ["cp312"]}
    assert not server.asked


def test_only_wheels_of_stable_releases_count() -> None:
    names = ["torch-9.9", "torch-9.9rc1", "torch-9.9+cu130", "torch-9.8", "torch-9.9.post1"]
    files = [file(f"{name}-cp312-cp312-win_amd64.whl") for name in names]
    files[3].is_yanked = True
    assert [*_stable_wheels([*files, file("torch-9.7.tar.gz")])] == ["9.9", "9.9.post1"]


@pytest.mark.parametrize(
    ("wheels", "is_whole"),
    [
        ("1.0 1.1 1.2 1.3 1.4 1.5", True),
        ("1.1 1.2 1.3 1.4 1.5", True),
        ("1.4 1.5", True),
        ("1.0 1.1 1.2 1.3 1.4", True),
        ("1.0 1.1 1.2 1.5", False),
        ("1.0 1.1 1.2", False),
        ("", False),
    ],
)
def test_a_page_that_lacks_much_of_what_was_there_is_refused(
    wheels: str, *, is_whole: bool
) -> None:
    """The oldest may have been taken away, and a single one yanked."""
    known = [f"1.{minor}" for minor in range(6)]
    with nullcontext() if is_whole else pytest.raises(CatalogError, match="lacks"):
        _refuse_partial("torch", wheels.split(), known)


@pytest.mark.parametrize(
    ("python", "abi", "tag"),
    [
        ("cp313", "cp313", "cp313"),
        ("cp313", "cp313t", "cp313t"),
        ("cp39", "abi3", "cp39-abi3"),
        ("py3", "none", "py3-none"),
        ("cp310", "none", "cp310-none"),
        ("pp39", "pypy39_pp73", "pp39-pypy39_pp73"),
    ],
)
def test_tags_are_kept_as_the_facts_spell_them(python: str, abi: str, tag: str) -> None:
    assert _python_tag(python, abi) == tag
