"""Plan the move to another release of torch, or to other backends, everywhere at once.

What is there keeps its shape: requirements, pins, companions, triton packages, indexes, sources,
conflicts. Nothing is added but an upper bound where targets would part otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from torchconf.backends import PYPI
from torchconf.configuration import read_configuration
from torchconf.drafting import Draft
from torchconf.errors import ProjectError, RequestError
from torchconf.planner.bounds import Bounds
from torchconf.planner.moving import moved, renamed_backend
from torchconf.project import read_project
from torchconf.releases import Needs, choose_release
from torchconf.requirements import torch_specifier
from torchconf.wishes import Wish

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torchconf.backends import Backend
    from torchconf.catalog import Catalog, Triton
    from torchconf.configuration import Configuration
    from torchconf.plan import Path, Step
    from torchconf.project import Project, Requirement
    from torchconf.releases import Choice
    from torchconf.targets import Target

__all__ = ["Upgrade", "UpgradeRequest", "plan_upgrade"]

_UV: Path = ("tool", "uv")


class UpgradeRequest(NamedTuple):
    """What a user asks for: one field a flag of `upgrade`."""

    torch: str | None = None
    """A specifier, or a bare version, which means that release."""
    backends: tuple[tuple[str, str], ...] = ()
    """Old backend to new one."""
    everything: bool = False
    """Move each backend to the newest that all its targets share."""
    rename: bool = False
    """Whether extras and groups named after a backend get its new name."""


class Upgrade(NamedTuple):
    """The steps, and what they lead to."""

    steps: tuple[Step, ...]
    root_steps: tuple[Step, ...]
    choice: Choice
    backends: Mapping[str, Backend]
    """Old backend to new one, of those that change."""
    notes: tuple[str, ...]


def plan_upgrade(request: UpgradeRequest, project: Project, catalog: Catalog) -> Upgrade:
    """Plan an upgrade.

    Raises:
        RequestError: A target can not follow; the newest release that all can have is named.
        ProjectError: The project has no target, or holds something that is not understood.
    """
    before = read_configuration(project, catalog)
    if before.puzzles:
        puzzle = before.puzzles[0]
        raise ProjectError(puzzle.why, at=project.place(puzzle.at))
    if before.layout is None:
        raise ProjectError(
            "this project has no target of PyTorch's indexes",
            at=project.at,
            help="`torchconf init` or `torchconf add-target` gives it one",
        )
    changes = _changes(request, before, catalog)
    choice = _choose(request, project, before, changes, catalog)
    backends = {
        old.backend.name: new.backend
        for old, new in zip(before.targets, _in_order(before, changes, choice), strict=True)
        if old.backend != new.backend
    }
    plan = _Plan(request, project, catalog, choice, backends, before.layout)
    return plan.upgrade(before)


def _changes(
    request: UpgradeRequest, before: Configuration, catalog: Catalog
) -> dict[str, Backend]:
    """Return what the flags say of backends."""
    found: dict[str, Backend] = {}
    there = {target.backend.name: target.backend for target in before.targets}
    for old, new in request.backends:
        if old not in there:
            raise RequestError(
                f"no target has the backend `{old}`", help=f"the project has {', '.join(there)}"
            )
        to = catalog.backend(new)
        if to is PYPI or to.accelerator != there[old].accelerator:
            raise RequestError(
                f"`{new}` is no other {there[old].title.split()[0]}",
                help="another accelerator is another target: `torchconf add-target`",
            )
        found[old] = to
    return found


def _wishes(before: Configuration, changes: Mapping[str, Backend], *, bare: bool) -> list[Wish]:
    return [
        Wish(
            target.platform,
            target.backend.accelerator,
            None
            if bare and target.backend.version and target.backend.name not in changes
            else changes.get(target.backend.name, target.backend),
            str(target),
        )
        for target in before.targets
    ]


def _choose(
    request: UpgradeRequest,
    project: Project,
    before: Configuration,
    changes: Mapping[str, Backend],
    catalog: Catalog,
) -> Choice:
    """Return the release that all targets can have.

    Raises:
        RequestError: There is none; the newest that they can have is named.
    """
    packages = {
        str(name): SpecifierSet()
        for name in before.packages
        if name != catalog.main_package
        and catalog.companions(name, catalog.releases[0]) is not None
    }
    wanted = torch_specifier(request.torch)
    wishes = _wishes(before, changes, bare=request.everything)
    python = project.requires_python
    try:
        return choose_release(wishes, Needs(SpecifierSet(wanted), packages, python), catalog)
    except RequestError as refused:
        try:
            best = choose_release(wishes, Needs(SpecifierSet(), packages, python), catalog)
        except RequestError:
            raise refused from None
        raise RequestError(
            refused.message,
            at=refused.at,
            help=f"the newest torch that all targets can have is {best.release}",
        ) from None


def _in_order(
    before: Configuration, changes: Mapping[str, Backend], choice: Choice
) -> list[Target]:
    """Return the new target of each old one."""
    found: list[Target] = []
    for target in before.targets:
        wanted = changes.get(target.backend.name)
        match = next(
            (
                new
                for new in choice.targets
                if new.platform == target.platform
                and new.backend.accelerator == target.backend.accelerator
                and (wanted is None or new.backend == wanted)
                and (wanted is not None or not target.backend.version or new not in found)
            ),
            target,
        )
        same = next((n for n in choice.targets if n == target), None)
        found.append(same if same is not None and wanted is None else match)
    return found


class _Plan:
    """The steps of one upgrade, on the project's file and on its workspace root's."""

    def __init__(
        self,
        request: UpgradeRequest,
        project: Project,
        catalog: Catalog,
        choice: Choice,
        backends: Mapping[str, Backend],
        layout: str,
    ) -> None:
        self.request = request
        self.project = project
        self.catalog = catalog
        self.choice = choice
        self.backends = backends
        self.layout = layout
        self.draft = Draft(project.data)
        self.root = Draft(project.root.data) if project.root is not None else self.draft
        self.notes: list[str] = []
        pinned = {one.name for one in project.workspace.constraint_dependencies}
        self.bounds = Bounds(
            choice,
            SpecifierSet(),
            catalog,
            settled=False,
            pinned=catalog.main_package in pinned,
            pin=False,
        )

    def upgrade(self, before: Configuration) -> Upgrade:
        """Draft everything, and see that it says what was wanted."""
        tritons = self._tritons(before)
        for draft, requirements in self._files():
            for one in requirements:
                text = self._moved(one, tritons)
                if text != one.raw:
                    path = _path(one.at)
                    draft.replace(path, text, "the release that all targets have")
        self._rename_sources(tritons)
        for old, new in self.backends.items():
            self._move_index(old, new)
            self._move_names(old, new)
        self._verify(before)
        return Upgrade(
            steps=tuple(self.draft.steps),
            root_steps=() if self.root is self.draft else tuple(self.root.steps),
            choice=self.choice,
            backends=self.backends,
            notes=tuple(self.notes),
        )

    def _files(self) -> Iterator[tuple[Draft, list[Requirement]]]:
        """Yield the requirements of the family, with the draft of their file."""
        family = set(self.catalog.family)
        root = self.project.workspace
        own = [*self.project.requirements()]
        shared = [*root.constraint_dependencies, *root.override_dependencies]
        yield self.draft, [one for one in own if one.name in family and one.url is None]
        yield self.root, [one for one in shared if one.name in family and one.url is None]

    def _moved(self, one: Requirement, tritons: Mapping[str, Triton]) -> str:
        text = one.raw
        for old, new in self.backends.items():
            text = renamed_backend(text, f"+{old}"[1:], new.name) if f"+{old}" in text else text
        release = self.choice.release
        if release is None:
            return text
        if self._is_promise(one):
            return text
        if one.name == self.catalog.main_package:
            return moved(text, release, self.bounds.by_package.get(one.name))
        if one.name in tritons:
            return _as_triton(text, one, tritons[one.name])
        companion = self.choice.companions.get(one.name)
        if companion is not None:
            return moved(text, companion, self.bounds.by_package.get(one.name))
        if one.specifier and one.name not in self.catalog.triton_packages:
            self.notes.append(f"nobody knows which {one.name} fits: `{one.raw}` is left alone")
        return text

    def _is_promise(self, one: Requirement) -> bool:
        """Tell whether a requirement is published, and admits the release already.

        A library that routes by groups keeps the range that it promises to its users.
        """
        release = self.choice.release
        return (
            self.project.has_build_system
            and self.layout == "groups"
            and one in self.project.dependencies
            and release is not None
            and one.specifier.contains(release, prereleases=True)
        )

    def _tritons(self, before: Configuration) -> dict[str, Triton]:
        """Return the triton packages of the project, each with the one that it becomes."""
        catalog, release = self.catalog, self.choice.release
        asked = {one.name for _, ones in self._files() for one in ones}
        found: dict[str, Triton] = {}
        for target in before.targets:
            new = self.backends.get(target.backend.name, target.backend)
            if new is PYPI or release is None:
                continue
            needed = self.bounds.triton(new)
            names = {
                canonicalize_name(triton.name)
                for known in catalog.releases
                if (triton := catalog.triton(new, known)) is not None
            }
            here = names & asked
            if needed is not None and len(here) == 1:
                found[next(iter(here))] = needed
        return found

    def _rename_sources(self, tritons: Mapping[str, Triton]) -> None:
        sources: dict[str, Any] = self.draft.get((*_UV, "sources")) or {}
        for key in list(sources):
            triton = tritons.get(canonicalize_name(key))
            if triton is not None and canonicalize_name(triton.name) != canonicalize_name(key):
                value = self.draft.get((*_UV, "sources", key))
                self.draft.remove((*_UV, "sources", key), "this torch needs another package")
                self.draft.put((*_UV, "sources", triton.name), value, "the one that it needs")

    def _move_index(self, old: str, new: Backend) -> None:
        """Point the index of a backend to the new one, and the sources with it."""
        reason = f"{new.title} in the place of {old}"
        for draft in dict.fromkeys((self.draft, self.root)):
            indexes: list[dict[str, Any]] = draft.get((*_UV, "index")) or []
            for number, index in enumerate(indexes):
                known = self.catalog.backend_of_url(str(index.get("url", "")))
                if known is None or known.name != old:
                    continue
                path = (*_UV, "index", number)
                name = str(index.get("name", ""))
                draft.put((*path, "url"), renamed_backend(index["url"], old, new.name), reason)
                after = renamed_backend(name, old, new.name)
                taken = {str(other.get("name")) for other in indexes if other is not index}
                if after != name and after not in taken:
                    draft.put((*path, "name"), after, reason)
                    for each in dict.fromkeys((self.draft, self.root)):
                        _rename_in_sources(each, "index", name, after, reason)

    def _move_names(self, old: str, new: Backend) -> None:
        """Rename the extras and groups that are named after a backend, if that is asked for."""
        reason = f"it is {new.title} now"
        for kind, table, sections in (
            ("extra", ("project", "optional-dependencies"), self.project.extras),
            ("group", ("dependency-groups",), self.project.groups),
        ):
            for section in sections.values():
                after = renamed_backend(section.written, old, new.name)
                if after == section.written:
                    continue
                if not self.request.rename:
                    self.notes.append(
                        f"{kind} `{section.written}` keeps its name; `--rename` makes it `{after}`"
                    )
                    continue
                if canonicalize_name(after) in sections:
                    raise RequestError(
                        f"there is a {kind} `{after}` already", help="leave out `--rename`"
                    )
                value = self.draft.get((*table, section.written))
                self.draft.remove((*table, section.written), reason)
                self.draft.put((*table, after), value, reason)
                _rename_in_sources(self.draft, kind, section.written, after, reason)
                _rename_elsewhere(self.draft, kind, section.written, after, reason)

    def _verify(self, before: Configuration) -> None:
        """See that the targets are those that were wanted."""
        root = read_project(self.root.data) if self.root is not self.draft else None
        planned = read_project(self.draft.data, root=root, at=self.project.at)
        after = read_configuration(planned, self.catalog)
        wanted = {
            (target.platform, self.backends.get(target.backend.name, target.backend))
            for target in before.targets
        }
        if {(target.platform, target.backend) for target in after.targets} != wanted:
            raise ProjectError(
                "the targets would not be those that were asked for",
                at=self.project.at,
                help="change the backends with `torchconf remove-target` and `add-target`",
            )


def _as_triton(text: str, one: Requirement, triton: Triton) -> str:
    """Return the requirement on the triton package that a torch needs, in its old shape."""
    name = text[: len(text) - len(text.lstrip())] + triton.name
    rest = text.lstrip()
    end = next((n for n, c in enumerate(rest) if not (c.isalnum() or c in "-_.")), len(rest))
    renamed = f"{name}{rest[end:]}"
    if not one.specifier or triton.bound is None:
        return renamed
    from packaging.version import Version

    pinned = any(part.operator == "==" for part in one.specifier)
    return moved(renamed, Version(triton.pin if pinned and triton.pin else triton.bound), None)


def _rename_in_sources(draft: Draft, key: str, old: str, new: str, reason: str) -> None:
    sources: dict[str, Any] = draft.get((*_UV, "sources")) or {}
    for package, entries in list(sources.items()):
        listed = entries if isinstance(entries, list) else [entries]
        for number, entry in enumerate(listed):
            if not isinstance(entry, dict) or key not in entry:
                continue
            same = entry[key] == old or (
                key != "index" and canonicalize_name(str(entry[key])) == canonicalize_name(old)
            )
            if same:
                path: Path = (*_UV, "sources", package)
                place = (*path, number) if isinstance(entries, list) else path
                draft.put((*place, key), new, reason)


def _rename_elsewhere(draft: Draft, kind: str, old: str, new: str, reason: str) -> None:
    """Rename an extra or a group in conflicts, default groups and includes."""

    def same(name: object) -> bool:
        return isinstance(name, str) and canonicalize_name(name) == canonicalize_name(old)

    conflicts: Sequence[Any] = draft.get((*_UV, "conflicts")) or ()
    for number, members in enumerate(conflicts):
        for place, member in enumerate(members):
            if same(member.get(kind)):
                draft.put((*_UV, "conflicts", number, place, kind), new, reason)
    if kind != "group":
        return
    defaults = draft.get((*_UV, "default-groups"))
    for number, name in enumerate(defaults if isinstance(defaults, list) else ()):
        if same(name):
            draft.replace((*_UV, "default-groups", number), new, reason)
    groups: dict[str, Any] = draft.get(("dependency-groups",)) or {}
    for group, entries in groups.items():
        for number, entry in enumerate(entries):
            if isinstance(entry, dict) and same(entry.get("include-group")):
                path = ("dependency-groups", group, number, "include-group")
                draft.put(path, new, reason)


def _path(at: str) -> Path:
    import re

    found = re.findall(r'"((?:[^"\\]|\\.)*)"|\[([0-9]+)\]|([^.\[\]"]+)', at)
    return tuple(int(number) if number else quoted or bare for quoted, number, bare in found)
