"""Draft the extras of torch that bring what single GPUs need, where an index has them.

They stand in a requirement of their own, `torch[device-gfx1201] ; sys_platform == 'win32'`: other
indexes know no such extra, and the versions are said by the requirement beside it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from torchconf.model.markers import possible_platforms, same_platforms
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.requirements import parse_requirement, required_name, with_marker
from torchconf.model.toml_path import DEPENDENCIES, EXTRAS, GROUPS, SOURCES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from torchconf.catalog import Catalog
    from torchconf.catalog.families import Closure
    from torchconf.edits.draft import Draft
    from torchconf.model.toml_path import Path

_REASON = "brings the packages of these GPUs"


def device_gpus(draft: Draft, catalog: Catalog, closure: Closure) -> tuple[str, ...]:
    """Return the GPUs whose extras a file names; empty where it names none, or all."""
    extras = {e for _, line in _lines(draft, catalog) for e in parse_requirement(line).extras}
    if not closure.device or closure.all_devices in extras:
        return ()
    named = {closure.device.replace("{gpu}", gpu): gpu for gpu in closure.by_gpu}
    return tuple(gpu for extra, gpu in named.items() if extra in extras)


def names_devices(line: str, catalog: Catalog) -> bool:
    """Return whether a requirement says nothing but the GPUs: no versions."""
    return (
        "[" in line
        and not parse_requirement(line).specifier
        and bool(_extras(line, _begins(catalog)))
    )


def draft_devices(
    draft: Draft,
    catalog: Catalog,
    closure: Closure,
    index: str,
    extras: Sequence[str],
    *,
    anew: bool,
) -> None:
    """Let each list that requires torch from an index require the extras of its GPUs.

    Args:
        draft: Of the file.
        catalog: Which packages have such extras.
        closure: What comes with the build.
        index: Its name.
        extras: Of the GPUs.
        anew: Whether GPUs are asked for: those that lines name already are changed.
    """
    for package in catalog.with_devices(closure.backend):
        key = draft.key(SOURCES, package, canonicalize_name)
        listed = draft.get((*SOURCES, key))
        entries = [listed] if isinstance(listed, dict) else listed or []
        for entry in entries:
            if entry.get("index") == index:
                for path in _lists(draft, entry, package):
                    line = _Line(package, entry.get("marker"), extras, _begins(catalog))
                    _draft_in(draft, path, line, anew=anew)


def draft_lines(draft: Draft, entry: Mapping[str, Any], lines: Iterable[str]) -> None:
    """Let the extra or group of a source require packages that it does not yet."""
    for line in lines:
        for path in _scopes(draft, entry):
            there = {required_name(each) for each in draft.get(path) or () if isinstance(each, str)}
            if required_name(line) not in there:
                draft.insert(path, line, "direct requirement, so that its source applies")


def drop_devices(draft: Draft, catalog: Catalog) -> None:
    """Take such extras away, and lines that say nothing else."""
    begins = _begins(catalog)
    for path, line in reversed([*_lines(draft, catalog)]):
        if not _extras(line, begins):
            continue
        own = draft.get(path[:-1])
        parsed = parse_requirement(line)
        beside = [
            each
            for each in own
            if isinstance(each, str) and each != line and required_name(each) == parsed.name
        ]
        if beside and not parsed.specifier:
            draft.remove(path, "no target needs it")
        else:
            draft.replace(path, _with_extras(line, (), begins), "its index is not used any more")


class _Line(NamedTuple):
    """What a list is to require."""

    package: str
    marker: str | None
    extras: Sequence[str]
    begins: tuple[str, ...]
    """How extras of GPUs begin."""


def _draft_in(draft: Draft, path: Path, wanted: _Line, *, anew: bool) -> None:
    package, marker, extras, begins = wanted
    lines: list[Any] = draft.get(path)
    own = [n for n, line in enumerate(lines) if isinstance(line, str) and _is(line, package)]
    here = same_platforms(marker)
    for number in own:
        line = lines[number]
        where = possible_platforms(line.partition(";")[2].strip() or None)
        if not _extras(line, begins) or not where & here:
            continue
        text = _with_extras(line, extras, begins) if anew else line
        # Beside another one, it is there for the extras alone.
        if len(own) > 1 and not parse_requirement(line).specifier and marker and where != here:
            text = with_marker(text, marker)
        draft.replace((*path, number), text, _REASON)
        return
    if own:
        text = f"{package}[{','.join(extras)}]"
        text = f"{text} ; {marker}" if marker else text
        draft.insert(path, text, _REASON, own[-1] + 1)


def _begins(catalog: Catalog) -> tuple[str, ...]:
    return tuple(one.device.partition("{")[0] for one in catalog.families if one.device)


def _lists(draft: Draft, entry: Mapping[str, Any], package: str) -> Iterator[Path]:
    """Yield the lists whose requirement of a package a source applies to."""
    if "extra" in entry or "group" in entry:
        yield from _scopes(draft, entry)
        return
    for path in _all_lists(draft):
        if any(isinstance(line, str) and _is(line, package) for line in draft.get(path)):
            yield path


def _scopes(draft: Draft, entry: Mapping[str, Any]) -> Iterator[Path]:
    for kind, table in (("extra", EXTRAS), ("group", GROUPS)):
        if kind in entry:
            key = draft.key(table, entry[kind], canonicalize_name)
            if draft.get((*table, key)) is not None:
                yield (*table, key)


def _all_lists(draft: Draft) -> Iterator[Path]:
    if isinstance(draft.get(DEPENDENCIES), list):
        yield DEPENDENCIES
    for table in (EXTRAS, GROUPS):
        for key, lines in (draft.get(table) or {}).items():
            if isinstance(lines, list):
                yield (*table, key)


def _lines(draft: Draft, catalog: Catalog) -> Iterator[tuple[Path, str]]:
    """Yield every requirement of a package of the family, with its place."""
    for path in _all_lists(draft):
        for number, line in enumerate(draft.get(path)):
            if isinstance(line, str) and required_name(line) in catalog.family:
                yield (*path, number), line


def _is(line: str, package: str) -> bool:
    return required_name(line) == package


def _extras(line: str, begins: tuple[str, ...]) -> set[str]:
    return {extra for extra in parse_requirement(line).extras if extra.startswith(begins)}


def _with_extras(line: str, extras: Sequence[str], begins: tuple[str, ...]) -> str:
    """Return a requirement whose extras of GPUs are these; its other extras stay."""
    others = sorted(parse_requirement(line).extras - _extras(line, begins))
    named = ",".join((*others, *extras))
    text = f"[{named}]" if named else ""
    return re.sub(r"\s*\[[^\]]*\]", text, line, count=1)
