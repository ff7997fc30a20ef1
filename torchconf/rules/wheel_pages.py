"""Indexes of wheels that are built against torch: in which format, and for which torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import Version

from torchconf.model.ranges import admits_from, lowest_named, overlaps
from torchconf.model.requirements import next_minor
from torchconf.rules.fixes import draft_of
from torchconf.rules.installed_builds import BASE, family_places, reachable_range
from torchconf.rules.rule import Finding, Fix, Rule, Severity
from torchconf.rules.wording import list_systems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.specifiers import SpecifierSet

    from torchconf.catalog.families import Family
    from torchconf.model.project import Index, Requirement, Source
    from torchconf.rules.context import Context, Place

__all__ = ["RULES"]


class FlatIndexFormat(Rule):
    """An index of wheels lacks `format = "flat"`, or is for another torch."""

    code = "TC113"
    name = "flat-index-format"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/concepts/indexes/#flat-indexes"
    fixes = "safe"

    def check(self, context: Context) -> Iterator[Finding]:
        """Look at URLs that end in a page, and at indexes of what is built against torch."""
        for index in context.project.indexes:
            yield from self._without_format(context, index)
            family = context.catalog.family_of(index.url)
            url = context.catalog.real(index.url)
            page = family.page(url) if family and family.is_built_against else None
            users = context.users_of(index) if page else []
            if family is None or page is None or not users:
                continue
            build, line = page
            if line:
                yield from self._of_another_line(context, index, line)
            else:
                yield from self._unbounded(context, family, users)
            yield from self._of_another_build(context, index, build, users)

    def _without_format(self, context: Context, index: Index) -> Iterator[Finding]:
        """Report a page that is read as an index; TC108 knows those on PyTorch's own host."""
        host = "/".join(context.catalog.base_url.split("/")[:3])
        path = index.url.partition("?")[0].partition("#")[0]
        if not path.lower().endswith((".html", ".htm")) or path.startswith(f"{host}/"):
            return
        raw = context.project.uv.get("index")
        entry = raw[int(index.path[-1])] if isinstance(raw, list) else {}
        if isinstance(entry, dict) and entry.get("format") != "flat":
            draft = draft_of(context)
            draft.put((*index.path, "format"), "flat", "the URL is a page that lists wheels")
            yield self.finding(
                (*index.path, "url"),
                "this is one page of wheels, not an index: uv finds no packages below it",
                help='add `format = "flat"`',
                fix=Fix('add `format = "flat"`', tuple(draft.steps), safe=True),
            )

    def _of_another_line(self, context: Context, index: Index, line: str) -> Iterator[Finding]:
        """Report a torch that is, or may be, not the one that the wheels of a page are built with.

        Its wheels are for each release of a line: `pt28` stands for 2.8.0 and for 2.8.1.
        """
        asked = _asked(context)
        if not asked:
            return
        at = (*index.path, "url")
        ranges = [reachable_range(context, place, one) for place, one in asked]
        if not any(overlaps(each, f"=={line}.*") for each in ranges):
            yield self.finding(
                at,
                f"the wheels of this page are for torch {line}, but the project requires "
                f"`{asked[0][1].raw.partition(';')[0].strip()}`",
                help="use the page of the torch release that the project requires",
            )
            return
        bound = next_minor(Version(line))
        if all(admits_from(each, bound) for each in ranges):
            yield self.finding(
                at,
                f"the wheels of this page are for torch {line}, but uv may take a newer one",
                help=f"add the upper bound `<{bound}` to torch",
                severity=Severity.WARNING,
            )

    def _unbounded(
        self, context: Context, family: Family, users: list[Source]
    ) -> Iterator[Finding]:
        """Report a torch that may part: each wheel holds it to one release, where it has one."""
        built = context.catalog.built
        for package in dict.fromkeys(user.package for user in users):
            known = [line for line in built.lines(package) if built.builds(package, family, line)]
            for place, one in context.required(package) if known else ():
                bound = next_minor(Version(known[0]))
                needed = context.platforms(one.marker)
                for torch in _torch_at(context, place):
                    there = context.platforms(torch.marker) & context.locked
                    beside = sorted(there - needed, key=str)
                    if beside and _spans(reachable_range(context, place, torch), bound):
                        yield self.finding(
                            torch.path,
                            f"each wheel of `{package}` is for one release of torch, the newest "
                            f"known for {known[0]}; on {list_systems(beside)}, uv may take a newer "
                            "torch",
                            help=f"add an upper bound to torch, such as `<{bound}`",
                            severity=Severity.WARNING,
                        )
                        return

    def _of_another_build(
        self, context: Context, index: Index, build: str, users: list[Source]
    ) -> Iterator[Finding]:
        """Report wheels of one build beside the torch of another."""
        catalog = context.catalog
        main = canonicalize_name(catalog.main_package)
        for user in users:
            where = context.platforms(user.marker)
            beside = [
                source
                for source in context.project.sources_for(main)
                if _meet(user, source) and where & context.platforms(source.marker)
            ]
            found = {context.source_backend(source) for source in beside}
            backends = {each for each in found if each is not None}
            if found and len(found) == len(backends) and catalog.backend(build) not in backends:
                names = " and ".join(sorted(one.title for one in backends))
                yield self.finding(
                    (*index.path, "url"),
                    f"the wheels of this index are for {catalog.backend(build).title}, but torch "
                    f"comes from an index of {names}",
                    help="use the index of the build that torch comes from",
                )
                return


def _asked(context: Context) -> list[tuple[Place, Requirement]]:
    """Return the requirements of torch."""
    return [
        (place, one)
        for place in family_places(context)
        for one in context.flat(place)
        if one.name == context.catalog.main_package and one.url is None
    ]


def _torch_at(context: Context, place: Place) -> Iterator[Requirement]:
    """Yield the requirements of torch of a place, or of the base if it has none."""
    main = context.catalog.main_package
    own = [one for one in context.flat(place) if one.name == main and one.url is None]
    yield from own or (o for o in context.flat(BASE) if o.name == main and o.url is None)


def _spans(admitted: SpecifierSet, bound: str) -> bool:
    """Tell whether a range goes beyond a release, unless all of it is one line there."""
    lowest = lowest_named(admitted)
    line = next_minor(lowest) if lowest else "0"
    return admits_from(admitted, bound) and admits_from(admitted, line)


def _meet(one: Source, other: Source) -> bool:
    """Tell whether two sources may apply together: those of two extras, or groups, do not."""
    mine, theirs = (one.extra, one.group), (other.extra, other.group)
    return (None, None) in {mine, theirs} or mine == theirs


RULES: tuple[type[Rule], ...] = (FlatIndexFormat,)
"""The rules of this family, by code."""
