"""Which file is for what: the choices of a build that the old files offer, and their places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.migrate.builds import Evidence, Setting, wishes_of
from torchconf.migrate.old import BASE, Bound, Include, LeftOut, Need, OldIndex, Platforms, Toolkit
from torchconf.migrate.roles import Role, extra_name, role_of
from torchconf.migrate.told_by_text import admits_previews
from torchconf.model.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torchconf.catalog import Catalog
    from torchconf.migrate.old import Item, OldFile, Section

__all__ = ["Where", "file_roles", "settings_of", "where"]


class Where(NamedTuple):
    """The list of requirements that a line goes to."""

    kind: str = ""
    """`extra`, `group`, or `build` for the extra or group of one; empty for the base."""
    name: str = ""


def file_roles(files: Sequence[OldFile], catalog: Catalog) -> dict[str, Role]:
    """Return what each file is for; one that the base includes belongs to the base."""
    roles = {file.path: role_of(file.path, catalog.vocabulary) for file in files}
    environments = [file for file in files if file.format == "conda"]
    for file in files:
        # One environment is the whole project, whatever its name.
        if file.format != "pip" and not (file in environments and environments[1:]):
            roles[file.path] = Role()
    base = [file for file in files if roles[file.path].kind == "base"]
    by_path = {file.path: file for file in files}
    while base:
        file = base.pop()
        for item in file.items:
            target = by_path.get(_target(item)) if isinstance(item, Include) else None
            if target is None or not isinstance(item, Include):
                continue
            kind = roles[target.path].kind
            if item.kind == "bounds" and kind != "bounds":
                roles[target.path] = Role("bounds", word=roles[target.path].word)
            elif item.kind == "needs" and kind == "extra":
                roles[target.path] = Role()
                base.append(target)
    if not any(role.kind == "base" for role in roles.values()):
        roles = _without_base(files, roles)
    return _without_torch(files, roles, catalog)


def _without_torch(
    files: Sequence[OldFile], roles: dict[str, Role], catalog: Catalog
) -> dict[str, Role]:
    """Let files that are named after a build be extras where neither they nor the base have torch.

    `requirements_cuda.txt` may list only what else a machine with CUDA needs.
    """
    having = {
        role
        for file in files
        for role in (roles[file.path],)
        if any(_says_build(item, catalog) for item in file.items)
    }
    if any(role.kind == "base" for role in having):
        return roles
    return {
        path: Role("extra", extra_name(role.word), role.word)
        if role.kind == "build" and role not in having
        else role
        for path, role in roles.items()
    }


def _says_build(item: Item, catalog: Catalog) -> bool:
    if isinstance(item, Need):
        return item.section == BASE and canonicalize_name(item.name) in catalog.family
    return isinstance(item, Toolkit) and item.section == BASE


def _target(item: Include) -> str:
    """Return the path of an included file, relative to the project's folder."""
    import posixpath

    name = item.file.replace("\\", "/")
    return posixpath.normpath(posixpath.join(posixpath.dirname(item.at.file), name))


def _without_base(files: Sequence[OldFile], roles: dict[str, Role]) -> dict[str, Role]:
    """Let a lone file of a platform, or of something unknown, be the base."""
    return {
        file.path: Role() if len(files) == 1 and roles[file.path].kind == "extra" else role
        for file in files
        for role in (roles[file.path],)
    }


def where(item: Need, role: Role) -> Where:
    """Return the list that a need goes to."""
    if item.section.kind != "base":
        return Where(item.section.kind, item.section.name)
    if role.kind in {"group", "extra", "build"}:
        return Where(role.kind, role.name)
    return Where()


def settings_of(
    files: Sequence[OldFile], roles: dict[str, Role], catalog: Catalog
) -> tuple[Setting, ...]:
    """Return the choices of a build that the files offer, the base first."""
    base = _evidence([f for f in files if roles[f.path].kind in {"base", "bounds"}], BASE, catalog)
    found: list[Setting] = []
    for role in dict.fromkeys(roles.values()):
        if role.kind in {"build", "platform"}:
            own = _evidence([file for file in files if roles[file.path] == role], BASE, catalog)
            # A file for a platform need not be about torch.
            if role.kind == "build" or own.needs or own.toolkits or base.needs:
                found.append(Setting(role, own, base))
    sections = {
        item.section: None
        for file in files
        for item in file.items
        if isinstance(item, Need | Toolkit | OldIndex) and item.section != BASE
    }
    around = base._replace(needs=(), toolkits=())
    for section in sections:
        inside = _evidence(files, section, catalog)
        if base.needs and section.kind == "group" and not section.optional:
            # What is always installed together is one choice.
            base = base.with_more(inside)
        elif inside.needs or inside.toolkits:
            found.append(Setting(Role(section.kind, section.name), inside, around))
    others = [
        item
        for file in files
        if roles[file.path].kind in {"group", "extra"}
        for item in file.items
        if isinstance(item, Need) and canonicalize_name(item.name) in catalog.family
    ]
    if others and not base.needs and not found:
        own_files = [f for f in files if roles[f.path].kind in {"group", "extra"}]
        found.append(Setting(Role(), _evidence(own_files, BASE, catalog), base))
    return (*_base(base, found, catalog), *found)


def _base(base: Evidence, others: Sequence[Setting], catalog: Catalog) -> tuple[Setting, ...]:
    """Return the choice of the base, if it is one beside those of other files."""
    if not base.needs and not base.indexes and not base.toolkits:
        return ()
    alone = Setting(Role(), base)
    told = any(wish.told_by for wish in wishes_of(alone, catalog))
    # A group with torch that names no build is none of the choices.
    choices = [
        setting
        for setting in others
        if setting.role.kind != "platform"
        and any(wish.told_by for wish in wishes_of(setting, catalog))
    ]
    if not choices or told:
        # An index alone says nothing where others have torch.
        return (alone,) if base.needs or (told and not choices) else ()
    for_cpu = [_is_for(setting, catalog.fallback.name, catalog) for setting in choices]
    if all(for_cpu):
        # Beside a file for machines without a GPU, the plain one is for those with one.
        return (alone,) if base.needs else ()
    if any(for_cpu):
        return ()
    # Beside files for GPUs, the plain one is for machines without.
    return (alone._replace(otherwise=catalog.fallback.name),) if base.needs else ()


def _is_for(setting: Setting, build: str, catalog: Catalog) -> bool:
    return all(wish.build == build for wish in wishes_of(setting, catalog))


def _evidence(files: Iterable[OldFile], section: Section, catalog: Catalog) -> Evidence:
    """Gather what files say about builds, in one section of theirs."""
    files = tuple(files)
    items: list[Item] = [item for file in files for item in file.items]

    def here(item: Need | OldIndex | Toolkit | Platforms) -> bool:
        return item.section == section

    return Evidence(
        needs=tuple(
            item
            for item in items
            if isinstance(item, Need)
            and here(item)
            and canonicalize_name(item.name) in catalog.family
        ),
        bounds=tuple(
            item
            for item in items
            if isinstance(item, Bound) and canonicalize_name(item.name) in catalog.family
        ),
        indexes=tuple(item for item in items if isinstance(item, OldIndex) and here(item)),
        toolkits=tuple(item for item in items if isinstance(item, Toolkit) and here(item)),
        platforms=tuple(
            item
            for file in files
            # A requirements file was compiled there, which says nothing about who needs it.
            if file.format != "pip"
            for item in file.items
            if isinstance(item, Platforms) and here(item)
        ),
        admits_previews=any(isinstance(item, LeftOut) and admits_previews(item) for item in items),
    )
