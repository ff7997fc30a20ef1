"""`torchconf catalog`: list, show or refresh known PyTorch wheels."""

from __future__ import annotations

import sys

from torchconf.cli.parser import add_format
from torchconf.model.record import Record

TYPE_CHECKING = False  # `typing` is not needed to print help
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Literal, TypedDict

    from packaging.version import Version

    from torchconf.catalog import Catalog, Loaded
    from torchconf.catalog.refresh import Missing
    from torchconf.cli.options import CommonOptions, Format
    from torchconf.cli.parser import Parser
    from torchconf.model.backends import Backend

    class Wheels(TypedDict):
        """What is known of one package, version and build."""

        package: str
        version: str
        backend: str
        pythons: dict[str, list[str] | None]
        torch: str | None
        """The range of torch that a companion fits, if it is known."""


EPILOG = """\
`list` shows the builds, and other indexes; `show` the platforms and Pythons for which a release, a
build or a package has wheels (`?`: not known); `refresh` reads PyTorch's indexes into your cache.
Set TORCHCONF_CATALOG to use another catalog file.

examples:
  torchconf catalog list
  torchconf catalog show 2.13
  torchconf catalog show torchvision --format json
"""
ACTIONS = ("list", "show", "refresh")


class CatalogOptions(Record):
    """What `catalog` is told."""

    action: Literal["list", "show", "refresh"]
    what: str | None
    index_base: tuple[str, ...]
    timeout: float
    format: Format
    common: CommonOptions


def add_arguments(parser: Parser) -> None:
    """Add the options of this command."""
    parser.epilog = EPILOG
    parser.add_argument("action", choices=ACTIONS, help="what to do")
    parser.add_argument("what", nargs="?", metavar="WHAT", help="release, build or package to show")
    parser.add_argument(
        "--index-base", action="append", default=[], metavar="URL",
        help="mirror to refresh from: a URL prefix, or a pattern with {backend}; pypi=URL for PyPI",
    )  # fmt: skip
    parser.add_argument(
        "--timeout", type=float, default=20.0, metavar="SECONDS",
        help="how long to wait for a server when refreshing (default: %(default)s)",
    )  # fmt: skip
    add_format(parser)


def run(options: CatalogOptions) -> int:
    """List, show or refresh."""
    if options.action == "list":
        return _list(options)
    if options.action == "show":
        return _show(options)
    return _refresh(options)


def _list(options: CatalogOptions) -> int:
    from torchconf.catalog.families import as_data
    from torchconf.report.columns import plain_table
    from torchconf.report.json_data import print_json
    from torchconf.report.messages import print_notes

    catalog, path, source = _load(options)
    main = catalog.main_package
    backends = []
    for accelerator in catalog.accelerators:
        for backend in catalog.newest_first(accelerator.name):
            first, last = catalog.first_seen(main, backend), catalog.last_seen(main, backend)
            backends.append(
                {
                    "backend": backend.name,
                    "title": backend.title,
                    "first": str(first) if first else None,
                    "last": str(last) if last else None,
                    "ended": catalog.ended(backend),
                    "platforms": list(accelerator.platforms),
                    "driver": dict(catalog.drivers(backend)),
                }
            )
    if options.format == "json":
        print_json(
            {
                "as_of": catalog.as_of,
                "as_of_indexes": dict(catalog.dates),
                "source": source,
                "path": path,
                "releases": [str(release) for release in catalog.releases],
                "packages": list(catalog.family),
                "backends": backends,
                "families": as_data(catalog.families),
            }
        )
        return 0
    rows = [
        [
            backend.name,
            backend.title,
            f"{catalog.first_seen(main, backend) or '?'} to {catalog.ended(backend) or 'now'}",
            ", ".join(f"{system} {low}" for system, low in catalog.drivers(backend).items()),
        ]
        for backend in _builds(catalog)
        if backend.accelerator
    ]
    sys.stdout.write(plain_table(["build", "title", "torch", "driver from"], rows))
    families = [
        [
            family.name,
            family.title,
            _some(family.packages),
            family.url or ", ".join(family.at) or "PyPI",
            family.sure,
        ]
        for family in catalog.families
    ]
    head = ["family", "other indexes", "packages", "where", "how sure"]
    sys.stdout.write(f"\n{plain_table(head, families)}")
    if not options.common.quiet:
        words = {"file": path, "cache": f"refreshed, {path}", "packaged": "packaged"}[source]
        newest = f"{len(catalog.releases)} torch releases up to {catalog.releases[0]}"
        print_notes([f"{_days(catalog)} ({words}): {newest}"])
    return 0


def _load(options: CatalogOptions) -> Loaded:
    """Load the catalog, with the mirrors that the project here names, if there is one."""
    from torchconf.catalog import load_chosen
    from torchconf.workspace.opened import project_here

    loaded = load_chosen()
    project = project_here(options.common.project)
    return (
        loaded if project is None else loaded._replace(catalog=loaded.catalog.for_project(project))
    )


def _some(packages: Sequence[str]) -> str:
    """Name the first packages of a family, and say how many more there are."""
    more = len(packages) - _NAMED
    return ", ".join(packages[:_NAMED]) + (f" and {more} more" if more > 0 else "")


_NAMED = 3


def _show(options: CatalogOptions) -> int:
    from torchconf.catalog import load_catalog
    from torchconf.errors import shown
    from torchconf.report.columns import plain_table, platform_title
    from torchconf.report.json_data import print_json
    from torchconf.report.messages import print_notes

    catalog = load_catalog()
    rows = list(_rows(options.what, catalog))
    if options.format == "json":
        days = {"as_of": catalog.as_of, "as_of_indexes": dict(catalog.dates)}
        print_json({**days, "wheels": rows})
        return 0
    if not rows:
        _say_nothing_seen(options.what or "", catalog)
        return 0
    # One more column would not fit a narrow terminal.
    names_torch = bool(options.common.verbose) and any(row["torch"] for row in rows)
    platforms = list(dict.fromkeys(name for row in rows for name in row["pythons"]))
    table = [
        [row["version"], row["backend"]]
        + ([(row["torch"] or "?").removeprefix("==")] if names_torch else [])
        + [_cell(row["pythons"].get(platform)) for platform in platforms]
        for row in rows
    ]
    head = ["version", "build", *["torch"][:names_torch], *map(platform_title, platforms)]
    sys.stdout.write(f"{shown(rows[0]['package'])}\n{plain_table(head, table)}")
    if not options.common.quiet:
        print_notes([_days(catalog)])
    return 0


def _days(catalog: Catalog) -> str:
    """Say on which day each of the indexes was read last."""
    names = {"pypi": "PyPI", "pytorch": "PyTorch's indexes"}
    each = (f"{names.get(index, index)} as of {day}" for index, day in catalog.dates.items())
    return ", ".join(each)


def _say_nothing_seen(package: str, catalog: Catalog) -> None:
    """Say that no index was seen to carry a package, and which torch needs it."""
    from torchconf.errors import REFRESH
    from torchconf.report.messages import print_notes

    print_notes([f"no wheel of `{package}` has been seen on an index"])
    for accelerator in catalog.accelerators:
        backend = catalog.newest_first(accelerator.name)[0]
        needing = [
            release
            for release in catalog.releases
            if (triton := catalog.triton(backend, release)) and triton.name == package.lower()
        ]
        if needing:
            sys.stderr.write(
                f"the {accelerator.title} builds of {catalog.main_package} {needing[-1]} to "
                f"{needing[0]} require it\n"
            )
    sys.stderr.write(f"run {REFRESH} to read the live indexes\n")


def _rows(what: str | None, catalog: Catalog) -> Iterator[Wheels]:
    """Yield a row per package, version and build, with the Pythons on each platform."""
    from torchconf.errors import REFRESH, RequestError

    if what is None:
        covered = next(r for r in catalog.releases if catalog.covered(r))
        yield from _release_rows(covered, catalog)
        return
    word = what.strip().lower()
    if word in catalog.family or catalog.versions(word):
        for version in catalog.versions(word):
            for backend in _builds(catalog):
                if catalog.carries(word, version, backend):
                    yield _row(word, version, backend, catalog)
        return
    if catalog.is_known(word) or word == "pypi":
        backend = catalog.backend(word)
        for version in catalog.versions(catalog.main_package):
            if catalog.carries(catalog.main_package, version, backend):
                yield _row(catalog.main_package, version, backend, catalog)
        return
    matching = [r for r in catalog.releases if f"{r}.".startswith(f"{word.rstrip('.')}.")]
    if not matching:
        raise RequestError(
            f"unknown release, build or package `{what}`",
            help=f"run `torchconf catalog list` to see the builds, or {REFRESH} to update the "
            "catalog",
        )
    for release in matching:
        yield from _release_rows(release, catalog)


def _release_rows(release: Version, catalog: Catalog) -> Iterator[Wheels]:
    for backend in _builds(catalog):
        if catalog.carries(catalog.main_package, release, backend):
            yield _row(catalog.main_package, release, backend, catalog)


def _builds(catalog: Catalog) -> Iterator[Backend]:
    from torchconf.model.backends import PYPI

    yield PYPI
    for accelerator in catalog.accelerators:
        yield from catalog.newest_first(accelerator.name)


def _row(package: str, version: Version, backend: Backend, catalog: Catalog) -> Wheels:
    """Ask for each platform and Python; a platform of which nothing is known is None."""
    from torchconf.catalog import Answer
    from torchconf.model.targets import PLATFORMS

    found: dict[str, list[str] | None] = {}
    for platform in PLATFORMS:
        answers = {
            python: catalog.available(package, version, backend, platform, python)
            for python in catalog.pythons
        }
        there = [python for python, answer in answers.items() if answer is Answer.YES]
        unknown = any(answer is Answer.UNKNOWN for answer in answers.values())
        found[platform.key] = None if unknown and not there else there
    torch = catalog.torch_of(package, version)
    return {
        "package": package, "version": str(version), "backend": backend.name, "pythons": found,
        "torch": str(torch) if torch is not None else None,
    }  # fmt: skip


def _cell(pythons: Sequence[str] | None) -> str:
    from torchconf.report.columns import spoken_span

    return "?" if pythons is None else spoken_span(pythons)


def _refresh(options: CatalogOptions) -> int:
    """Read the indexes, and replace the user's catalog if the answer is whole."""
    import json
    import os
    from datetime import UTC, datetime
    from importlib.util import find_spec

    from torchconf import files
    from torchconf.catalog import load_catalog
    from torchconf.catalog.encoding import render
    from torchconf.errors import CatalogError
    from torchconf.files.catalog_file import cached_file, read_catalog
    from torchconf.report.json_data import print_json
    from torchconf.report.messages import print_notes
    from torchconf.report.progress import pages

    if find_spec("pypi_simple") is None:
        raise CatalogError(
            "`torchconf catalog refresh` requires the extra `refresh`",
            help="install `torchconf[refresh]`, as in `uv tool install 'torchconf[refresh]'`",
        )
    from torchconf.catalog.refresh import Settings, refreshed
    from torchconf.planner import parse_index_bases

    bases = parse_index_bases(options.index_base)
    catalog, chosen, _ = _load(options)
    catalog = catalog.mirrored(bases.named)
    data = json.loads(read_catalog(chosen))
    settings = Settings(
        base=bases.base or catalog.base_to_read,
        timeout=options.timeout,
        pypi=os.environ.get("UV_DEFAULT_INDEX") or catalog.pypi_to_read,
        reads_built=True,
    )
    today = datetime.now(UTC).date().isoformat()
    with pages("reading indexes") as begin:
        new, missing, unread = refreshed(catalog, data, settings, today, begin=begin)
    path = cached_file()
    os.makedirs(os.path.dirname(path), exist_ok=True)
    files.replace(files.read_file(path, may_be_missing=True), render(new))
    fresh = load_catalog(path)
    known = set(catalog.releases)
    found = [str(release) for release in fresh.releases if release not in known]
    builds = sorted(set(fresh.backends) - set(catalog.backends))
    if options.format == "json":
        print_json(
            {
                "as_of": fresh.as_of,
                "as_of_indexes": dict(fresh.dates),
                "path": path,
                "new_releases": found,
                "new_backends": builds,
                "missing": [one._asdict() | {"pythons": list(one.pythons)} for one in missing],
            }
        )
    elif not options.common.quiet:
        print_notes(
            [
                f"wrote {path}: {_days(fresh)}",
                f"new releases: {', '.join(found) or 'none'}",
                f"new builds: {', '.join(builds) or 'none'}",
                *spoken_missing(missing, is_verbose=options.common.verbose),
                *unread,
            ]
        )
    return 0


_SHOWN = 8


def spoken_missing(missing: Sequence[Missing], *, is_verbose: bool) -> list[str]:
    """Say what the catalog had and no index has, a release and build a line."""
    lines: dict[str, list[str]] = {}
    for one in missing:
        where = f"{one.platform} ({', '.join(one.pythons)})"
        lines.setdefault(f"{one.package} {one.version} for {one.backend}", []).append(where)
    if not lines:
        return []
    found = [f"{name}: {', '.join(where)}" for name, where in lines.items()]
    shown = found if is_verbose else found[:_SHOWN]
    more = [f"and {len(found) - len(shown)} more (`-v`)"] if len(shown) < len(found) else []
    return ["planned or seen before, and not there:", *shown, *more]
