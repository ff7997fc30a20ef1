"""What needs the CUDA of torch goes along where torch goes to another major version."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from torchconf.model.markers import may_hold
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.ranges import overlaps
from torchconf.model.toml_path import DEPENDENCIES
from torchconf.resolve.cuda import entries_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from packaging.version import Version

    from torchconf.catalog import Catalog, CudaMajor
    from torchconf.edits.draft import Draft
    from torchconf.layout.configuration import Configuration
    from torchconf.model.project import Project, Requirement
    from torchconf.model.targets import Platform, Target

__all__ = ["Torch", "move_beside"]


class Torch(NamedTuple):
    """The targets of a project and the release of torch, before an upgrade or after it."""

    targets: Sequence[Target]
    release: Version | None

    def major(self, target: Target, catalog: Catalog) -> int | None:
        """Return the CUDA of a target's torch; None where it has none."""
        return next(iter(catalog.cuda_of(target.backend, self.release, target.platform)), None)


def move_beside(
    draft: Draft,
    project: Project,
    catalog: Catalog,
    before: Configuration,
    were: Torch,
    are: Torch,
    become: Mapping[Target, Target],
) -> Iterator[str]:
    """Draft the requirements that follow torch; yield what to say, also of those that cannot.

    Args:
        draft: Of the project's file, in which extras and groups have their old names.
        project: As it is.
        catalog: Which package is for which CUDA.
        before: What the project has.
        were: Its torch.
        are: The torch that it will have.
        become: What becomes of each target.
    """
    for one in project.requirements():
        if one.name not in catalog.cuda_names:
            continue
        changes: dict[int, set[Platform]] = {}
        stays = False
        for target in _targets(one, before):
            old = were.major(target, catalog)
            new = are.major(become.get(target, target), catalog)
            if not may_hold(one.marker, target.platform) or old is None:
                continue
            rows = entries_of(one, target.platform, catalog, from_pypi=not _is_routed(one, project))
            if rows and old in {row.major for row in rows}:
                if new is None or new in {row.major for row in rows}:
                    stays = stays or new is not None
                else:
                    changes.setdefault(new, set()).add(target.platform)
        if changes:
            yield from _change(draft, one, project, catalog, changes, stays=stays)


def _targets(one: Requirement, before: Configuration) -> list[Target]:
    """Return the targets that a requirement is installed with."""
    own = {
        backend
        for backend, name in before.names.items()
        for each in (name, *before.aliases.get(backend, ()))
        if len(one.path) > 1 and canonicalize_name(each) == canonicalize_name(str(one.path[-2]))
    }
    is_scope = bool(own) and one.path[:2] != DEPENDENCIES
    return [t for t in before.targets if not is_scope or t.backend.name in own]


def _is_routed(one: Requirement, project: Project) -> bool:
    return bool(project.sources_for(one.name))


def _change(
    draft: Draft,
    one: Requirement,
    project: Project,
    catalog: Catalog,
    changes: Mapping[int, set[Platform]],
    *,
    stays: bool,
) -> Iterator[str]:
    said = one.raw.partition(";")[0].strip()
    majors = " and ".join(map(str, sorted(changes)))
    text = None
    if len(changes) == 1 and not stays and not _is_routed(one, project):
        ((major, platforms),) = changes.items()
        text = _moved(one, major, platforms, catalog)
    lines = draft.get(one.path[:-1])
    place = lines.index(one.raw) if isinstance(lines, list) and one.raw in lines else None
    if text is None or place is None:
        yield (
            f"`{said}` is for another CUDA than {majors}, which torch has now: change it by hand; "
            "see `torchconf explain TC513`"
        )
        return
    draft.replace((*one.path[:-1], place), text, f"torch is for CUDA {majors} now")
    yield f"`{said}` becomes `{text.partition(';')[0].strip()}`: torch is for CUDA {majors} now"


def _moved(one: Requirement, major: int, platforms: set[Platform], catalog: Catalog) -> str | None:
    """Return a requirement for another CUDA; None where nobody can tell what it would be."""
    there = [row for row in catalog.cuda_majors if row.word and row.name == one.name]
    old = next((row for row in there if row.extra is None or row.extra in one.extras), None)
    new = next(
        (row for row in catalog.cuda_majors if old and row.word == old.word and row.major == major),
        None,
    )
    if old is None or new is None or any(p.key not in new.platforms for p in platforms):
        return None
    head = _HEAD.match(one.raw)
    specifier = _specifier(one, there, new)
    if head is None or specifier is None or one.url is not None:
        return None
    extras = head[3].replace(old.extra or "", new.extra or "") if old.extra else head[3]
    requirement, semicolon, marker = one.raw.partition(";")
    gap = " " if semicolon and requirement.endswith(" ") else ""
    name = head[2] if new.name == one.name else new.name
    return f"{head[1]}{name}{extras}{specifier}{gap}{semicolon}{marker}"


_HEAD = re.compile(r"(\s*)([A-Za-z0-9._-]+)((?:\s*\[[^\]]*\])?)")


def _specifier(one: Requirement, there: Sequence[CudaMajor], new: CudaMajor) -> str | None:
    """Return the range of the releases for another CUDA; None if the old one leaves none."""
    written = str(one.specifier)
    if not written:
        return new.versions or ""
    if any(row.versions and SpecifierSet(row.versions) == one.specifier for row in there):
        return new.versions or ""
    is_open = all(part.operator in {">=", ">", "!="} for part in one.specifier)
    if new.name != one.name:
        # What is a release of one package need not be one of the other.
        return _as_written(one) if is_open else None
    return _as_written(one) if overlaps(one.specifier, new.versions or "") else None


def _as_written(one: Requirement) -> str:
    """Return a range in its own spelling."""
    return _HEAD.sub("", one.raw.partition(";")[0], count=1).rstrip()
