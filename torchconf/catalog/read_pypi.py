"""Reading PyPI's half of the facts: `facts/pypi.json`, which nobody edits by hand.

Every release of the family and of triton, with its wheels, its Requires-Python and its
Requires-Dist. The metadata of a release never change, so only those of new ones are read: from the
`.metadata` file where the index has one, else from the wheel itself, of which a few kilobytes are
asked for.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from email.parser import HeaderParser
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from packaging.requirements import Requirement
from packaging.utils import InvalidWheelFilename
from packaging.version import Version

from torchconf.errors import CatalogError
from torchconf.model.wheel_names import parse_wheel_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

    import requests
    from pypi_simple import DistributionPackage, PyPISimple

__all__ = ["read_pypi"]

_AT_ONCE = 6
_TIMEOUT = 30.0
_BLOCK = 1 << 16  # bytes; the end of most wheels, with the list of its files and the metadata
_PARTIAL = 206
_GONE_AT_MOST = 0.2

Release: TypeAlias = "dict[str, Any]"


def read_pypi(facts: Path, today: str, index: str | None = None) -> str:
    """Read what PyPI has of the family, and keep it beside the other facts.

    Args:
        facts: The folder of the facts.
        today: `2026-11-29`, the day of the answer.
        index: The index that stands for PyPI; None for PyPI itself.

    Returns:
        What to say of it.

    Raises:
        CatalogError: A page cannot be read, or lacks what was there; the facts stay as they are.
    """
    import requests
    from pypi_simple import PyPISimple

    base = json.loads((facts / "backends.json").read_text(encoding="utf-8"))
    kept = facts / "pypi.json"
    text = kept.read_text(encoding="utf-8") if kept.is_file() else '{"releases": []}'
    known = {(one["package"], one["version"]): one for one in json.loads(text)["releases"]}
    lowest = int(base["pythons"][0].partition(".")[2])
    session = requests.Session()
    client = PyPISimple(index, session=session) if index else PyPISimple(session=session)
    found: list[Release] = []
    for package in (*base["family"], "triton"):
        every = package == base["main_package"]
        try:
            wheels = _wheels_of(package, client)
            _refuse_partial(package, wheels, [v for name, v in known if name == package])
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                read = partial(_release, package, known, client, lowest, every=every)
                found += pool.map(read, wheels.items())
        except (requests.RequestException, ValueError, zipfile.BadZipFile) as error:
            raise CatalogError(f"PyPI has no usable page of {package}: {error}") from error
    kept.write_text(_render(found, today), encoding="utf-8", newline="\n")
    new = [one for one in found if (one["package"], one["version"]) not in known]
    names = ", ".join(f"{one['package']} {one['version']}" for one in new[:10])
    return f"{len(found)} releases, {len(new)} new: {names or 'none'}"


def _wheels_of(package: str, client: PyPISimple) -> dict[str, list[DistributionPackage]]:
    """Return the wheels of each release, the newest first; none for what PyPI does not have."""
    from pypi_simple import NoSuchProjectError

    try:
        page = client.get_project_page(package, timeout=_TIMEOUT)
    except NoSuchProjectError:
        return {}
    wheels = _stable_wheels(page.packages)
    return {version: wheels[version] for version in sorted(wheels, key=Version, reverse=True)}


def _refuse_partial(package: str, wheels: Collection[str], known: Sequence[str]) -> None:
    """Refuse a page that lacks much of what was there: some releases are yanked later, few are.

    Raises:
        CatalogError: Naming them.
    """
    oldest = min(map(Version, wheels), default=Version("0"))
    gone = [version for version in known if Version(version) >= oldest and version not in wheels]
    if len(gone) > max(1, _GONE_AT_MOST * len(known)):
        raise CatalogError(f"the page of {package} on PyPI lacks {', '.join(gone)}")


def _stable_wheels(
    files: Iterable[DistributionPackage],
) -> dict[str, list[DistributionPackage]]:
    """Return the wheels of each stable release; what was yanked is not offered to anybody new."""
    found = defaultdict(list)
    for file in files:
        if not file.filename.endswith(".whl") or file.is_yanked:
            continue
        try:
            _, version, _ = parse_wheel_name(file.filename)
        except (InvalidWheelFilename, ValueError):
            continue
        if not version.is_prerelease and version.local is None:
            found[str(version)].append(file)
    return dict(found)


def _release(
    package: str,
    known: dict[tuple[str, str], Release],
    client: PyPISimple,
    lowest: int,
    read: tuple[str, Sequence[DistributionPackage]],
    *,
    every: bool,
) -> Release:
    """Return the facts of one release. `every`: its metadata may differ by platform."""
    version, files = read
    wheels: dict[str, list[str]] = defaultdict(list)
    samples: dict[str, DistributionPackage] = {}
    for file in sorted(files, key=lambda one: _rank(one.filename)):
        name, python, abi, platform = file.filename.removesuffix(".whl").rsplit("-", 3)
        build = name.split("-")[2:]
        wheels[platform].append("-".join([*build, _python_tag(python, abi)]))
        if _serves(python, abi, lowest):
            samples.setdefault(_kind(platform) if every else "", file)
    one: Release = {
        "package": package,
        "version": version,
        "requires_python": max((file.requires_python or "" for file in files), default="") or None,
        "wheels": {platform: sorted(set(tags)) for platform, tags in sorted(wheels.items())},
    }
    before = known.get((package, version))
    if before is not None and "requires_dist" in before:
        return one | {key: before[key] for key in before if key.startswith("requires_dist")}
    lines = {kind: _requires_dist(file, client) for kind, file in samples.items()}
    for kind, needs in lines.items():
        if needs is None:
            continue
        first = one.setdefault("requires_dist", needs)
        if needs != first:
            one.setdefault("requires_dist_on", {})[kind] = needs
    return one


def _rank(filename: str) -> tuple[int, int, str]:
    """Put the wheels first of which the metadata are read: Linux, x86_64, a usual Python."""
    linux = 0 if "linux" in filename else 1
    return linux, 0 if filename.endswith("x86_64.whl") else 1, filename


def _python_tag(python: str, abi: str) -> str:
    """Return `cp313`, `cp313t`, `cp39-abi3`, `py3-none` or `cp312-none`."""
    if abi in {"abi3", "none"}:
        return f"{python}-{abi}"
    return abi if abi.startswith("cp") else f"{python}-{abi}"


def _serves(python: str, abi: str, lowest: int) -> bool:
    """Tell whether a wheel is for a Python that the catalog knows."""
    minors = [int(minor or "99") for minor in re.findall(r"(?:cp|py)3(\d*)", python)]
    return any(minor >= lowest or abi in {"abi3", "none"} for minor in minors)


def _kind(platform: str) -> str:
    system = next(name for name in ("linux", "win", "macosx", "any") if name in platform)
    machine = next((m for m in ("x86_64", "aarch64", "arm64") if platform.endswith(m)), "")
    return f"{system}-{machine}".rstrip("-")


def _requires_dist(file: DistributionPackage, client: PyPISimple) -> list[str] | None:
    """Return the requirements of a wheel, without those of its extras' tools."""
    from pypi_simple import NoMetadataError

    text = ""
    if file.has_metadata:
        with suppress(NoMetadataError):
            text = client.get_package_metadata(file, verify=False, timeout=_TIMEOUT)
    if not text:
        with zipfile.ZipFile(_Remote(file.url, client.s)) as wheel:
            names = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
            if not names:
                return None  # Somebody has published such a wheel, of torch 1.7.
            text = wheel.read(names[0]).decode("utf-8")
    lines: list[str] = HeaderParser().parsestr(text).get_all("Requires-Dist") or []
    # In one spelling: the tools that write them have changed theirs.
    needs = (str(Requirement(line)) for line in lines if "extra ==" not in line)
    return list(dict.fromkeys(needs))


class _Remote(io.RawIOBase):
    """A file on a server that gives parts of it."""

    def __init__(self, url: str, session: requests.Session) -> None:
        self._url, self._session, self._place = url, session, 0
        self._blocks: dict[int, bytes] = {}
        answer = self._ask(f"bytes=-{_BLOCK}")
        self._size = int(answer.headers["Content-Range"].rpartition("/")[2])
        self._tail = answer.content

    def _ask(self, span: str) -> requests.Response:
        answer = self._session.get(self._url, headers={"Range": span}, timeout=_TIMEOUT)
        if answer.status_code != _PARTIAL:
            raise CatalogError(f"PyPI answered {answer.status_code} for a part of {self._url}")
        return answer

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._place = offset + {0: 0, 1: self._place, 2: self._size}[whence]
        return self._place

    def read(self, size: int = -1) -> bytes:
        begin = self._place
        end = self._size if size < 0 else min(begin + size, self._size)
        self._place = max(begin, end)
        if begin >= end:
            return b""
        first = self._size - len(self._tail)
        if begin >= first:
            return self._tail[begin - first : end - first]
        return self._ask(f"bytes={begin}-{end - 1}").content


def _render(releases: Sequence[Release], today: str) -> str:
    """Return the text of the facts: one release a line, so that a review shows what is new."""
    lines = ",\n".join(json.dumps(one) for one in releases)
    about = "read from PyPI by `python -m torchconf.catalog.compile --live`; README.md has the keys"
    return f'{{"_about": {json.dumps(about)}, "as_of": "{today}",\n"releases": [\n{lines}\n]}}\n'
