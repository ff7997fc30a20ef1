"""What a change means for each platform and choice: as text, as JSON data, and as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torchconf.catalog import Answer
from torchconf.errors.shown import shown
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.targets import platform_labelled
from torchconf.report.grid import notes_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torchconf.errors import TorchconfError
    from torchconf.history.revisions import Revision
    from torchconf.resolve.table import Row
    from torchconf.resolve.table_changes import Change

__all__ = ["Compared", "Comparison", "changes_data", "changes_markdown", "changes_text"]


class Compared(NamedTuple):
    """What is different in one project or script."""

    path: str
    was: str | None
    """Where it was before; None where it has not moved."""
    is_new: bool
    is_gone: bool
    changes: tuple[Change, ...]

    @property
    def fate(self) -> str:
        """What has become of it, as an addition to its path; a move has a path of its own."""
        return " (new)" if self.is_new else " (gone)" if self.is_gone else ""

    @property
    def title(self) -> str:
        """Where it is, and what has become of it."""
        return f"{self.path} (was {self.was})" if self.was is not None else self.path + self.fate


class Comparison(NamedTuple):
    """What is different between two states of a repository."""

    before: Revision
    after: Revision
    projects: tuple[Compared, ...]
    notes: tuple[str, ...]
    """What could not be compared, and why."""
    errors: tuple[TorchconfError, ...]
    """Why a project cannot be read as it is now."""

    @property
    def nothing(self) -> str:
        """What is said where nothing is different."""
        return f"No build changes between {self.before} and {self.after}."

    @property
    def reasons(self) -> list[str]:
        """Why uv refuses what it refuses now, and why nobody knows what nobody knows."""
        rows = [change.after for one in self.projects for change in one.changes]
        return notes_of([row for row in rows if row.is_defined])


class Part(NamedTuple):
    """One difference of a change."""

    what: str
    """`releases`, `locked`; empty for the build itself."""
    before: str
    after: str


class Line(NamedTuple):
    """One difference, and everything for which it is the same."""

    command: str
    part: Part
    platforms: tuple[str, ...]
    packages: tuple[str, ...]


def changes_text(comparison: Comparison) -> str:
    """Return a line for each difference, those of one file below its path."""
    text = ""
    alone = [one.title for one in comparison.projects] == ["pyproject.toml"]
    for one in comparison.projects:
        text += "" if alone else f"{shown(one.title)}\n"
        for line in _lines(one.changes):
            what, before, after = line.part
            where = f"{', '.join(line.platforms)}, {line.command}"
            said = f"{f'{what} ' if what else ''}{before} -> {after} ({', '.join(line.packages)})"
            text += f"{'' if alone else '  '}{shown(f'{where}: {said}')}\n"
    return text


def changes_markdown(comparison: Comparison) -> str:
    """Return the same as tables, and below them the reasons and what could not be compared."""
    # Imported here: only this format needs it.
    from torchconf.report.markdown import as_code, as_text, markdown_list, markdown_table

    if not comparison.projects:
        parts = [f"{as_text(comparison.nothing)}\n"]
    else:
        parts = [f"{as_text(f'From {comparison.before} to {comparison.after}:')}\n"]
    for one in comparison.projects:
        was = f" (was {as_code(one.was)})" if one.was is not None else ""
        parts.append(f"{as_code(one.path)}{was}{one.fate}\n")
        rows = [
            [
                ", ".join(map(as_code, line.platforms)),
                as_code(line.command),
                ", ".join(map(as_code, line.packages)),
                *(f"{as_text(line.part.what)} {as_code(c)}".strip() for c in line.part[1:]),
            ]
            for line in _lines(one.changes)
        ]
        parts.append(markdown_table(["platforms", "command", "packages", "before", "after"], rows))
    said = [
        f"{error.message} ({error.at})" if error.at else error.message
        for error in comparison.errors
    ]
    if notes := [*comparison.reasons, *comparison.notes, *said]:
        parts.append(markdown_list(notes))
    return "\n".join(parts)


def changes_data(comparison: Comparison) -> dict[str, Any]:
    """Return JSON data: a change per package, platform and choice."""
    return {
        "before": _revision(comparison.before),
        "after": _revision(comparison.after),
        "changes": [
            {
                "project": one.path,
                "was": one.was,
                "package": change.package,
                "platform": change.platform,
                "extras": change.selection.extras,
                "command": change.after.command,
                "kinds": change.kinds,
                "before": _side(change.before),
                "after": _side(change.after),
            }
            for one in comparison.projects
            for change in one.changes
        ],
        "notes": [*comparison.reasons, *comparison.notes],
    }


def _revision(revision: Revision) -> dict[str, str | None]:
    return {"revision": revision.name if revision.commit else None, "commit": revision.commit}


def _side(row: Row) -> dict[str, Any]:
    return {
        "defined": row.is_defined,
        "groups": row.groups,
        "index": row.index_name,
        "url": row.origin,
        "backend": row.backend,
        "available": row.available.value,
        "refused": row.is_refused,
        "requires": row.bounds,
        "locked": None if row.locked is None else [one.version for one in row.locked],
        "reason": row.reason,
    }


def _lines(changes: Iterable[Change]) -> list[Line]:
    """Join what is the same on several platforms, and then for several packages."""
    platforms: dict[tuple[str, Part, str], list[str]] = {}
    for change in changes:
        for part in _parts(change):
            key = (change.after.command, part, change.package)
            platforms.setdefault(key, []).append(platform_labelled(change.platform).title)
    packages: dict[tuple[str, Part, tuple[str, ...]], list[str]] = {}
    for (command, part, package), on in platforms.items():
        packages.setdefault((command, part, tuple(on)), []).append(package)
    order = {command: n for n, command in enumerate(dict.fromkeys(key[0] for key in platforms))}
    return sorted(
        (Line(command, part, on, tuple(all_)) for (command, part, on), all_ in packages.items()),
        key=lambda line: (order[line.command], _ORDER.index(line.part.what)),
    )


_ORDER = ("", "releases", "locked")


def _parts(change: Change) -> Iterator[Part]:
    """Yield what is different, and how it is called before and after."""
    before, after, kinds = change.before, change.after, {*change.kinds}
    if kinds - {"bounds", "locked", "index"}:
        yield Part("", _build(before), _build(after))
    elif "index" in kinds:
        first, second = (f"{_build(row)} from {row.origin or 'PyPI'}" for row in (before, after))
        yield Part("", first, second)
    if "bounds" in kinds:
        yield Part("releases", before.bounds or "any", after.bounds or "any")
    if "locked" in kinds:
        yield Part("locked", *_locked(before, after))


def _build(row: Row) -> str:
    """Return in words what a choice installs."""
    if not row.is_defined:
        return "not defined"
    if row.is_refused:
        return "refused by uv"
    if row.backend is None:
        nothing = row.available is Answer.NO or row.provisional
        return "not installed" if nothing else "unknown"
    if row.available is Answer.NO:
        return f"{row.backend} without a wheel"
    if row.available is Answer.UNKNOWN and not row.provisional:
        return f"{row.backend}, wheel unknown"
    return row.backend


def _locked(before: Row, after: Row) -> tuple[str, str]:
    """Return the locked versions, and where they come from if that alone is different."""
    sides = [row.locked or () for row in (before, after)]
    versions = [[one.version or "?" for one in side] for side in sides]
    if versions[0] == versions[1]:
        versions = [
            [f"{one.version} from {one.registry or 'elsewhere'}" for one in s] for s in sides
        ]
    first, second = (" and ".join(dict.fromkeys(one)) or "nothing" for one in versions)
    return first, second
