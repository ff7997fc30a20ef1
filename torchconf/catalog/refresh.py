"""Reading the live index pages, or a mirror's: the only code that opens a connection.

A page that is not whole proves nothing. Whatever looks like a partial answer stops the refresh, and
the catalog that is there stays. So does what no index can have: a server may be anybody's, and what
it says is neither waited for without end nor kept unread.
"""

from __future__ import annotations

import io
import re
import threading
import time
from collections import defaultdict
from copy import deepcopy
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidWheelFilename
from packaging.version import Version

from torchconf.catalog import PYTORCH, Catalog, serves_python, validated
from torchconf.catalog.encoding import PLANNED, Cell, cells_of, intern, platforms_of, pythons_of
from torchconf.errors import CatalogError, hide_secrets
from torchconf.model.backends import PYPI
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.wheel_names import parse_wheel_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import requests
    from pypi_simple import DistributionPackage

    from torchconf.catalog.refresh_built import Asked

__all__ = ["Missing", "Refreshed", "Settings", "refreshed"]

_T = TypeVar("_T")
_Result = TypeVar("_Result")

_AT_ONCE = 6
_FORBIDDEN, _NOT_FOUND, _SERVER_ERROR = 403, 404, 500
_MISSING_AT_MOST = 0.2
_CHUNK = 1 << 14  # bytes; a gzip bomb makes a thousand times as many of it
_MOST_OF_A_NUMBER = 99_999_999
"""No part of a version is higher: some are dates."""
_MOST_OF_A_MINOR = 99
_MAJORS_AHEAD = 2
_UNCHANGED = "the catalog is unchanged"


class Settings(NamedTuple):
    """How the pages are read."""

    base: str
    """Of the indexes: a prefix, or a pattern with `{backend}`."""
    timeout: float = 20.0
    """Seconds that a server may be silent."""
    retries: int = 2
    """How often a page is asked for again."""
    pause: float = 0.5
    """Seconds before the first retry; twice as many before the next."""
    pypi: str | None = None
    """The index that stands for PyPI; None for PyPI itself."""
    reads_pypi: bool = True
    """Whether PyPI is read as well as PyTorch's indexes."""
    page_seconds: float = 120.0
    """Seconds that one page may take, however lively the server is."""
    seconds: float = 900.0
    """Seconds that all of them may take."""
    page_bytes: int = 30_000_000
    """Unpacked bytes that a page may have; the largest has two million."""
    reads_built: bool = False
    """Whether the publishers of what is built against torch are read, too."""


class _Page(NamedTuple):
    """What one index has of one package."""

    package: str
    backend: str
    files: tuple[DistributionPackage, ...] | None
    """None: the index does not carry it."""
    is_whole: bool = True
    """Whether it is the index itself: of a copy, what is not there proves nothing."""


class Missing(NamedTuple):
    """What the catalog had of a release on one platform, planned or seen, and no index has."""

    package: str
    version: str
    backend: str
    platform: str
    pythons: tuple[str, ...]


class Refreshed(NamedTuple):
    """What the live indexes have."""

    data: dict[str, Any]
    missing: tuple[Missing, ...] = ()
    unread: tuple[str, ...] = ()
    """What could not be read, and nothing depends on: a sentence on each."""


def refreshed(
    catalog: Catalog,
    data: dict[str, Any],
    settings: Settings,
    today: str,
    *,
    begin: Callable[[int], Callable[[], None]] = lambda _: lambda: None,
) -> Refreshed:
    """Return the data of a catalog, with what the live indexes have.

    A wheel that was promised and is not there stops nothing: it is told.

    Args:
        catalog: The catalog that is there.
        data: Its data.
        settings: How to read.
        today: `2026-11-26`, the day of the answer.
        begin: Called with the number of pages; gives what to call after each.

    Raises:
        CatalogError: An index cannot be reached, or its answer is not whole.
    """
    end = time.monotonic() + settings.seconds
    # What has ended gets no new wheels, and the indexes of others are not read.
    going_on = {
        name
        for name, backend in catalog.backends.items()
        if not catalog.ended(backend) and not catalog.publisher_of(backend)
    }
    (found,) = _at_once(lambda _: _discovered(catalog, settings), [None], end)
    new = found - catalog.backends.keys()
    for name in sorted(new):
        _refuse_impossible_build(catalog, name)
    backends = sorted(going_on | new)
    wanted = [
        *((package, PYPI.name) for package in catalog.family if settings.reads_pypi),
        *((package, backend) for backend in backends for package in catalog.family),
    ]
    own = settings.base.rstrip("/") == catalog.base_url
    pages = [
        page._replace(is_whole=settings.pypi is None if page.backend == PYPI.name else own)
        for page in _read(wanted, settings, begin(len(wanted)), end)
    ]
    _refuse_impossible_releases(pages, catalog)
    _refuse_partial(pages, data, catalog.main_package)
    main = catalog.main_package
    if not any(p.files for p in pages if p.package == main and p.backend != PYPI.name):
        raise CatalogError(f"{settings.base} has no {main} at all", help=_UNCHANGED)
    merged = _merged(catalog, data, pages, today)
    if settings.reads_built:
        merged = _with_built(catalog, merged, settings, end, own=own)
    return merged._replace(data=validated(merged.data, "the refreshed catalog"))


def _with_built(
    catalog: Catalog, merged: Refreshed, settings: Settings, end: float, *, own: bool
) -> Refreshed:
    """Read who has wheels that are built against torch; one who does not answer is told.

    Where PyTorch's indexes are read from a mirror, so are the others that have one.
    """
    from torchconf.catalog.refresh_built import pages_of, rows_of, with_rows

    everywhere = list(merged.data["accelerators"][merged.data["fallback"]]["platforms"])
    quick = settings._replace(retries=0)

    def read(asked: Asked) -> tuple[Asked, list[str] | None]:
        if not asked.package:
            return asked, _links(asked.url, quick)
        files = _page(asked.url, asked.package, quick)
        return asked, None if files is None else [f.filename for f in files if not f.is_yanked]

    wheels, unread = merged.data["built"]["wheels"], []
    for family in catalog.built.families:
        pages = pages_of(family, catalog)
        mirrored = bool(pages) and pages[0].url != catalog.real(pages[0].url)
        if not pages or not (own or mirrored):
            continue
        try:
            first = read(pages[0])
            found = rows_of(family, [first, *_at_once(read, pages[1:], end)], everywhere)
        except CatalogError as error:
            unread.append(f"{family.title}: not read, {error.message}")
            continue
        wheels = with_rows(wheels, family.name, found)
    built = {**merged.data["built"], "wheels": wheels}
    return merged._replace(data={**merged.data, "built": built}, unread=tuple(unread))


def _links(url: str, settings: Settings) -> list[str] | None:
    """Return the names of the files on one page that lists all of an index; None: it is not there.

    Raises:
        CatalogError: No answer, or none that can be read.
    """
    from urllib.parse import unquote

    import requests

    try:
        with _session(settings) as session:
            answer = session.get(url, timeout=settings.timeout)
        if answer.status_code in {_FORBIDDEN, _NOT_FOUND}:
            return None
        answer.raise_for_status()
        names = re.findall(r"""href\s*=\s*["']?(?:[^"'>\s]*/)?([^"'/>\s#?]+)""", answer.text)
        return [unquote(name) for name in names]
    except (requests.RequestException, _Excess) as error:
        where = hide_secrets(url)
        raise CatalogError(f"{where} has no usable page: {_harmless(str(error))}") from error


def _discovered(catalog: Catalog, settings: Settings) -> set[str]:
    """Return the backends that the labels of all torch wheels name, where they are listed."""
    if "{backend}" in settings.base:
        return set()
    page = _page(settings.base.rstrip("/") + "/", catalog.main_package, settings)
    labels = {file.version.partition("+")[2] for file in page or () if file.version}
    return {label for label in labels if catalog.backend(label) is not PYPI}


def _endpoint(backend: str, settings: Settings) -> str | None:
    if backend == PYPI.name:
        return settings.pypi
    if "{backend}" in settings.base:
        return settings.base.replace("{backend}", backend).rstrip("/") + "/"
    return f"{settings.base.rstrip('/')}/{backend}/"


def _read(
    wanted: Sequence[tuple[str, str]],
    settings: Settings,
    advance: Callable[[], None],
    end: float,
) -> list[_Page]:
    """Read all pages, a few at once."""

    def one(pair: tuple[str, str]) -> _Page:
        package, backend = pair
        files = _page(_endpoint(backend, settings), package, settings)
        advance()
        return _Page(package, backend, None if files is None else tuple(files))

    return _at_once(one, wanted, end)


def _at_once(work: Callable[[_T], _Result], things: Sequence[_T], end: float) -> list[_Result]:
    """Do work for all things, a few at once, and wait for it no longer than until `end`.

    Raises:
        CatalogError: It was not done then. What is under way is left alone: a server that sends
            one byte a minute would keep it for days.
    """
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(max_workers=_AT_ONCE)
    try:
        return list(pool.map(work, things, timeout=max(0.0, end - time.monotonic())))
    except TimeoutError:
        raise CatalogError("the indexes are too slow", help=f"{_UNCHANGED}; try again") from None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _page(
    endpoint: str | None, package: str, settings: Settings
) -> list[DistributionPackage] | None:
    """Return the files on one page, or None where the index does not carry the package.

    Raises:
        CatalogError: No answer, or none that can be read.
    """
    import requests
    from pypi_simple import NoSuchProjectError, PyPISimple, UnsupportedContentTypeError

    pause = settings.pause
    for left in range(settings.retries, -1, -1):
        try:
            with _session(settings) as session:
                client = PyPISimple(session=session)
                if endpoint is not None:
                    client = PyPISimple(endpoint, session=session)
                return client.get_project_page(package, timeout=settings.timeout).packages
        except NoSuchProjectError:
            return None
        except requests.HTTPError as error:
            status = int(error.response.status_code) if error.response is not None else 0
            # PyTorch's indexes answer so for what is not there.
            if status == _FORBIDDEN:
                return None
            reason = f"answered {status}"
            is_final = status < _SERVER_ERROR
        except _Excess as error:
            reason = str(error)
            is_final = True
        except RecursionError:
            reason = "it is nested too deeply"
            is_final = True
        except (
            requests.RequestException, UnsupportedContentTypeError, ValueError, TypeError, KeyError,
        ) as error:  # fmt: skip
            reason = _harmless(str(error))
            is_final = isinstance(error, UnsupportedContentTypeError)
        if is_final or not left:
            break
        time.sleep(pause)
        pause *= 2
    where = hide_secrets(endpoint or "PyPI")
    raise CatalogError(
        f"{where} has no usable page of {package}: {reason}",
        help=f"{_UNCHANGED}; try again later, or use a mirror with `--index-base`",
    )


def _harmless(text: str) -> str:
    """Return what a server, or a library about it, has said: one short line, to be printed."""
    line = hide_secrets(text).partition("\n")[0][:300]
    return "".join(letter if letter.isprintable() else "?" for letter in line)


class _Excess(Exception):
    """A page is larger or slower than any real one, or its server leads out of HTTPS."""


_local = threading.local()


def _session(settings: Settings) -> requests.Session:
    """Return this thread's session: connections are used again."""
    if not hasattr(_local, "session"):
        _local.session = _limited_session(settings)
    session: requests.Session = _local.session
    return session


def _limited_session(settings: Settings) -> requests.Session:
    """Return a session that reads no more of an answer, and no longer, than the settings say."""
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.exceptions import HTTPError

    class Limited(HTTPAdapter):
        """Reads the whole body before it gives an answer."""

        def send(
            self,
            request: requests.PreparedRequest,
            stream: bool = False,  # noqa: FBT001, FBT002 - so requests passes it on
            timeout: Any = None,  # noqa: ANN401 - whatever requests takes
            verify: bool | str = True,  # noqa: FBT001, FBT002
            cert: Any = None,  # noqa: ANN401
            proxies: dict[str, str] | None = None,
        ) -> requests.Response:
            del stream  # it always streams
            end = time.monotonic() + settings.page_seconds
            answer = super().send(request, True, timeout, verify, cert, proxies)  # noqa: FBT003
            body = bytearray()
            excess = None
            try:
                # One piece at a time, as it comes: `read` would wait for a whole one.
                while excess is None and (piece := answer.raw.read1(_CHUNK, decode_content=True)):
                    body += piece
                    if len(body) > settings.page_bytes:
                        excess = f"it has more than {settings.page_bytes:,} bytes"
                    elif time.monotonic() > end:
                        excess = f"it takes longer than {settings.page_seconds:g} s"
            except HTTPError as error:
                answer.raw.close()
                raise requests.ConnectionError(error) from error
            if excess is not None:
                answer.raw.close()
                raise _Excess(excess)
            answer.raw.release_conn()
            answer.raw = io.BytesIO(body)
            return answer

    class Session(requests.Session):
        """Follows no redirect from HTTPS to HTTP, where anybody can answer."""

        def get_redirect_target(self, resp: requests.Response) -> str | None:
            target = super().get_redirect_target(resp)
            if target and resp.url.startswith("https:") and target.lower().startswith("http:"):
                raise _Excess("it redirects to a URL without HTTPS")
            return target

    session = Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, Limited())
    return session


def _refuse_impossible_build(catalog: Catalog, name: str) -> None:
    """Refuse the name of a build that is far ahead of all known ones.

    Raises:
        CatalogError: Naming it.
    """
    backend = catalog.backend(name)
    known = [each for each in catalog.backends.values() if each.accelerator == backend.accelerator]
    majors = [each.version[0] for each in known if each.version]
    if backend.version and (
        backend.version[0] > max(majors, default=0) + _MAJORS_AHEAD
        or max(backend.version) > _MOST_OF_A_MINOR
    ):
        raise CatalogError(
            f"the index names a build that cannot be: `{name[:40]}`", help=_UNCHANGED
        )


def _refuse_impossible_releases(pages: Iterable[_Page], catalog: Catalog) -> None:
    """Refuse a release that nobody can have made.

    Raises:
        CatalogError: Naming it.
    """
    newest = max(catalog.releases)
    for page in pages:
        for version, _, _ in _wheels(page.files or ()):
            is_main = page.package == catalog.main_package
            if (
                version.epoch
                or max(version.release) > _MOST_OF_A_NUMBER
                or (is_main and version.major > newest.major + _MAJORS_AHEAD)
            ):
                raise CatalogError(
                    f"the index has a release of {page.package} that cannot be: "
                    f"`{str(version)[:40]}`",
                    help=_UNCHANGED,
                )


def _refuse_partial(pages: Iterable[_Page], data: dict[str, Any], main: str) -> None:
    """Refuse an answer that lacks what is known to be there.

    Raises:
        CatalogError: Naming the page.
    """
    for page in pages:
        if not page.is_whole:
            continue
        known = {
            Version(version)
            for version, cells in data["wheels"].get(page.package, {}).items()
            if page.backend in cells
            and data["sets"][cells[page.backend]][1]
            and PLANNED not in data["sets"][cells[page.backend]][0]
        }
        found = {version for version, _, _ in _wheels(page.files or ())}
        # Old releases may have been taken away, and one name may have been a slip; many are not.
        known = {v for v in known if not found or v >= min(found)}
        missing = known - found
        if (
            page.package == main
            and missing
            and (
                set(sorted(known)[-3:]) <= missing
                or len(missing) > max(2, _MISSING_AT_MOST * len(known))
            )
        ):
            raise CatalogError(
                f"the page of {page.package} on `{page.backend}` is incomplete: "
                f"{len(missing)} of {len(known)} known releases are missing",
                help=_UNCHANGED,
            )


def _wheels(
    files: Iterable[DistributionPackage],
) -> Iterable[tuple[Version, str, DistributionPackage]]:
    """Yield the wheels of stable releases: public version, tag, file."""
    for file in files:
        if not file.filename.endswith(".whl") or file.is_yanked:
            continue
        try:
            _, version, tags = parse_wheel_name(file.filename)
        except (InvalidWheelFilename, ValueError):
            continue
        if version.is_prerelease:
            continue
        for tag in tags:
            abi = f"-{tag.abi}" if tag.abi in {"abi3", "none"} else ""
            free = "t" if tag.abi.endswith("t") else ""
            yield Version(version.public), f"{tag.interpreter}{free}{abi} {tag.platform}", file


def _merged(
    catalog: Catalog, data: dict[str, Any], pages: Sequence[_Page], today: str
) -> Refreshed:
    """Return the data with the pages' cells in the place of the old ones.

    A release that was seen, and is not on its page now, stays, and is told.
    """
    new = deepcopy(data)
    anywhere = list(data["accelerators"][data["fallback"]]["platforms"])
    before = cells_of(data)
    cells = cells_of(data)
    requires: dict[str, str] = {}
    read: set[str] = set()
    days: set[str] = set()
    found: set[tuple[str, str, str]] = set()
    for page in pages:
        if page.is_whole:
            for key in [*cells]:
                # What is only planned is not there until it is seen.
                same = (key[0], key[2]) == (page.package, page.backend)
                if same and PLANNED in cells[key]["complete"]:
                    del cells[key]
        days.add(PYPI.name if page.backend == PYPI.name else PYTORCH)
        if page.files is None:
            continue
        anew: set[tuple[str, str, str]] = set()
        if page.is_whole and page.package == catalog.main_package:
            read.add(page.backend)
        for version, tag, file in _wheels(page.files):
            key = page.package, str(version), page.backend
            if page.is_whole and key not in anew:
                # What the index itself does not name of this release is not there.
                anew.add(key)
                cells[key] = {"complete": {"all"}, "seen": defaultdict(set)}
            cell = cells.setdefault(key, {"complete": set(), "seen": {}})
            cell["complete"].discard(PLANNED)
            found.add(key)
            interpreter, _, platform = tag.partition(" ")
            pythons = pythons_of(interpreter, file.requires_python)
            for each in platforms_of(platform, anywhere) if pythons else ():
                cell["seen"].setdefault(each, set()).update(pythons)
            if page.package == catalog.main_package and _is_specifier(file.requires_python):
                requires[str(version)] = file.requires_python
    new["sets"], new["wheels"] = intern(cells)
    new["wheels"] = {p: _newest_first(v) for p, v in new["wheels"].items()}
    new["as_of_indexes"] = data["as_of_indexes"] | dict.fromkeys(days, today)
    new["as_of"] = min(new["as_of_indexes"].values())
    _release(new, catalog, cells, requires, read)
    whole = {(page.package, page.backend) for page in pages if page.is_whole}
    known = {key: cell for key, cell in before.items() if (key[0], key[2]) in whole}
    there = {key: cell for key, cell in cells.items() if key in found}
    return Refreshed(new, tuple(_missing(known, there)))


def _missing(
    before: dict[tuple[str, str, str], Cell], after: dict[tuple[str, str, str], Cell]
) -> Iterable[Missing]:
    """Yield what was planned or seen of each release, and is not there."""
    for key, cell in before.items():
        there = after[key]["seen"] if key in after else {}
        for platform, pythons in cell["seen"].items():
            served = " ".join(there.get(platform, ())).split()
            lost = [
                python
                for python in pythons
                if python not in served and ("+" in python or not serves_python(served, python))
            ]
            if lost:
                lost.sort(key=lambda python: int(python.partition(".")[2].rstrip("t+")))
                yield Missing(*key, platform, tuple(lost))


def _is_specifier(text: str | None) -> TypeGuard[str]:
    if not text:
        return False
    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        return False
    return True


def _release(
    new: dict[str, Any],
    catalog: Catalog,
    cells: dict[tuple[str, str, str], Cell],
    pythons: dict[str, str],
    read: set[str],
) -> None:
    """Add releases and backends that are new, and say which backends have ended.

    What a release is built for, and what has ended, is said only of indexes that were read whole.
    """
    main = catalog.main_package
    indexed: dict[str, dict[str, set[str]]] = defaultdict(dict)
    for (package, version, backend), cell in cells.items():
        if package == main and backend != PYPI.name:
            indexed[version][backend] = set().union(*cell["seen"].values())
    oldest = min(catalog.releases)
    for version in {v for p, v, _ in cells if p == main and Version(v) >= oldest}:
        entry = new["releases"].setdefault(version, {"pypi": {}})
        if version in pythons:
            entry.setdefault("python", pythons[version])
        builds = indexed.get(version, {})
        is_read = catalog.fallback.name in read
        if is_read and catalog.fallback.name in builds and "pythons" not in entry:
            every = {python for seen in builds.values() for python in seen if "+" not in python}
            entry["pythons"] = sorted(every, key=lambda python: int(python.rstrip("t")[2:]))
            entry["backends"] = sorted(b for b in builds if catalog.backend(b).version)
    new["releases"] = _newest_first(new["releases"])
    newest = max((Version(v) for v in indexed), default=None)
    for backend in {b for builds in indexed.values() for b in builds}:
        entry = new["backends"].setdefault(backend, {})
        if backend not in read:
            continue
        last = max(Version(v) for v, builds in indexed.items() if backend in builds)
        if catalog.backend(backend).version and newest and last.release[:2] < newest.release[:2]:
            entry["ended"] = str(last)
        else:
            entry.pop("ended", None)


def _newest_first(versions: dict[str, Any]) -> dict[str, Any]:
    return {each: versions[each] for each in sorted(versions, key=Version, reverse=True)}
