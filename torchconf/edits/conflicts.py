"""Edit `tool.uv.conflicts`: sets of extras and groups that are never installed together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from torchconf.model.toml_path import CONFLICTS, EXTRAS, GROUPS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchconf.edits.draft import Draft
    from torchconf.edits.plan import Value
    from torchconf.model.toml_path import Path

__all__ = ["ConflictIndex", "are_apart", "drop_members", "keep_apart", "rename_member"]


def are_apart(
    draft: Draft,
    one: tuple[str, str],
    other: tuple[str, str],
    packages: tuple[str, str] | None = None,
) -> bool:
    """Tell whether some conflict set holds both, each a kind and a name.

    Args:
        draft: Of the file.
        one: The first.
        other: The second.
        packages: Whose they are, if not the project's own.
    """
    return ConflictIndex(draft).are_apart(one, other, packages)


class ConflictIndex:
    """Which conflict sets hold what: read once, for many questions."""

    def __init__(self, draft: Draft) -> None:
        """Read the sets of a file."""
        self._own = _name(draft.get(("project", "name")))
        self._sets_of: dict[tuple[str | None, str, str], set[int]] = {}
        self._count = 0
        conflicts = draft.get(CONFLICTS)
        for members in conflicts if isinstance(conflicts, list) else ():
            self.add(members if isinstance(members, list) else ())

    def add(self, members: Iterable[object]) -> None:
        """Take one more set, by its entries."""
        for entry in members:
            if isinstance(entry, dict):
                package = _name(entry.get("package", self._own))
                for kind in ("extra", "group"):
                    if isinstance(entry.get(kind), str):
                        item = package, kind, canonicalize_name(entry[kind])
                        self._sets_of.setdefault(item, set()).add(self._count)
        self._count += 1

    def are_apart(
        self,
        one: tuple[str, str],
        other: tuple[str, str],
        packages: tuple[str, str] | None = None,
    ) -> bool:
        """Tell whether some set holds both; arguments as those of the function."""
        first, second = map(_name, packages or (self._own, self._own))
        mine = self._sets_of.get((first, *_same(one)), set())
        return not mine.isdisjoint(self._sets_of.get((second, *_same(other)), ()))


def _same(member: tuple[str, str]) -> tuple[str, str]:
    return member[0], canonicalize_name(member[1])


def keep_apart(
    draft: Draft, members: Iterable[tuple[str, str]], reason: str, package: str | None = None
) -> None:
    """Make one conflict set hold all members, each a kind and a name: pairs would let one win.

    The set that holds most of them takes the others in. One that holds a single one of them next to
    strangers is about something else, and stays as it is; a name that is not defined is none.

    Args:
        draft: Of the file.
        members: The extras or groups.
        reason: Of every step.
        package: Whose they are, if not the project's own.
    """
    owner: dict[str, Value] = {} if package is None else {"package": package}
    wanted = {(kind, canonicalize_name(name)): name for kind, name in members}
    if len(wanted) < 2:  # noqa: PLR2004 - a conflict is between two
        return
    best: Path = ()
    there: list[tuple[str, str] | None] = []
    most = 0
    for path, names in _sets(draft, package):
        shared = len(wanted.keys() & names)
        known = [
            name
            for name in names
            if not name or name in wanted or package is not None or _is_defined(draft, *name)
        ]
        if shared > most and (shared > 1 or shared == len(known)):
            best, there, most = path, names, shared
    if not most:
        new: list[Value] = [{**owner, kind: name} for (kind, _), name in wanted.items()]
        draft.insert(CONFLICTS, new, reason)
        return
    for member, name in wanted.items():
        if member not in there:
            draft.insert(best, {**owner, member[0]: name}, reason)


def drop_members(
    draft: Draft, kind: str, names: Iterable[str], reason: str, package: str | None = None
) -> None:
    """Take extras or groups out of all conflict sets; a set of one is none.

    Args:
        draft: Of the file.
        kind: `extra` or `group`.
        names: Of those that go.
        reason: Of every step.
        package: Whose they are, if not the project's own.
    """
    gone = {(kind, canonicalize_name(name)) for name in names}
    for path, members in reversed([*_sets(draft, package)]):
        leaving = [place for place, member in enumerate(members) if member in gone]
        if leaving and len(members) - len(leaving) < 2:  # noqa: PLR2004 - a conflict is between two
            draft.remove(path, reason)
            continue
        for place in reversed(leaving):
            draft.remove((*path, place), reason)


def rename_member(
    draft: Draft, kind: str, old: str, new: str, reason: str, package: str | None = None
) -> None:
    """Give an extra or a group its new name in all conflict sets.

    Args:
        draft: Of the file.
        kind: `extra` or `group`.
        old: The name so far, in any spelling.
        new: The name from now on.
        reason: Of every step.
        package: Whose it is, if not the project's own: the sets of a workspace root name members.
    """
    for path, members in [*_sets(draft, package)]:
        for place, member in enumerate(members):
            if member == (kind, canonicalize_name(old)):
                draft.put((*path, place, kind), new, reason)


def _sets(
    draft: Draft, package: str | None = None
) -> Iterable[tuple[Path, list[tuple[str, str] | None]]]:
    """Yield the place of each set and its members: None for what is not of the package."""
    own = draft.get(("project", "name"))
    conflicts = draft.get(CONFLICTS)
    for number, members in enumerate(conflicts if isinstance(conflicts, list) else ()):
        if isinstance(members, list):
            found = [_member(entry, own, package or own) for entry in members]
            yield (*CONFLICTS, number), found


def _is_defined(draft: Draft, kind: str, name: str) -> bool:
    table = EXTRAS if kind == "extra" else GROUPS
    there = draft.get(table)
    if not isinstance(there, dict) or name in there:
        return True
    return any(canonicalize_name(key) == name for key in there)


def _member(entry: Any, own: object, package: object) -> tuple[str, str] | None:  # noqa: ANN401 - parsed TOML
    if not isinstance(entry, dict) or _name(entry.get("package", own)) != _name(package):
        return None
    for kind in ("extra", "group"):
        if isinstance(entry.get(kind), str):
            return kind, canonicalize_name(entry[kind])
    return None


def _name(package: object) -> str | None:
    return canonicalize_name(package) if isinstance(package, str) else None
