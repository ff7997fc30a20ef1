"""What old files become: steps for the project's tables, targets for the planner, accounts.

The planner writes what PyTorch needs; everything else is drafted here. What goes to the extra or
group of a build can only be drafted when the planner has named it: `draft` is called twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.edits.draft import Draft
from torchconf.errors import without_secrets
from torchconf.migrate.account import Account, Ledger
from torchconf.migrate.builds import BY_NAME, ELSEWHERE, is_meant, wishes_of
from torchconf.migrate.draft_head import HeadDraft
from torchconf.migrate.draft_indexes import IndexDraft
from torchconf.migrate.draft_needs import NeedDraft
from torchconf.migrate.draft_removal import remove_old_tables
from torchconf.migrate.dynamic_lists import lists_statically
from torchconf.migrate.old import (
    Include,
    LeftOut,
    Need,
    OldIndex,
    Part,
    Platforms,
    PythonBound,
    Toolkit,
    items_of,
)
from torchconf.migrate.requirement_text import pinned
from torchconf.migrate.settings import file_roles, settings_of
from torchconf.migrate.told_by_text import admits_previews, page_of
from torchconf.model.backends import PYPI
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.toml_path import DEPENDENCIES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from torchconf.catalog import Catalog
    from torchconf.edits.plan import Step
    from torchconf.migrate.builds import Setting, Wish
    from torchconf.migrate.old import OldFile
    from torchconf.model.project import Project

__all__ = ["Drafted", "Migration"]


class Drafted(NamedTuple):
    """What the old files become, apart from PyTorch's tables."""

    steps: tuple[Step, ...]
    accounts: tuple[Account, ...]
    notes: tuple[str, ...]


class Migration:
    """The old files of one project, understood as a whole."""

    def __init__(
        self,
        files: Sequence[OldFile],
        project: Project,
        catalog: Catalog,
        *,
        keep_versions: bool = False,
        remove_old: bool = False,
        torch: str | None = None,
        overruled: bool = False,
        python_asked: bool = False,
        loose: bool = False,
    ) -> None:
        """Tell what the files are for, and which builds they mean.

        Args:
            files: As read, each before those that it includes.
            project: The project's file as it is; an empty one reads as a project without a table.
            catalog: What is available.
            keep_versions: Whether the versions of old pins become constraints.
            remove_old: Whether the tables of other tools are taken away.
            torch: What is asked of torch; None for what the files ask.
            overruled: Whether somebody has named the targets.
            python_asked: Whether somebody says which Pythons, whatever the files say.
            loose: Whether the releases that files pin become lower bounds: they differ.
        """
        self.overruled = overruled
        self.python_asked = python_asked
        self.loose = loose
        self.files = tuple(files)
        self.project = project
        self.catalog = catalog
        self.keep_versions = keep_versions
        self.remove_old = remove_old
        self.torch = torch
        self.roles = file_roles(self.files, catalog)
        self.settings = settings_of(self.files, self.roles, catalog)
        self.wishes = tuple(
            (setting, wish) for setting in self.settings for wish in self._wishes(setting)
        )

    def _wishes(self, setting: Setting) -> Iterator[Wish]:
        """Yield the builds of a choice; macOS has PyPI's build on PyTorch's own index, too."""
        wishes = wishes_of(setting, self.catalog)
        routed = any(wish.build != PYPI.name for wish in wishes)
        for wish in wishes:
            plain = wish.build == PYPI.name and wish.platform.os == "macos"
            yield wish._replace(build=self.catalog.fallback.name) if routed and plain else wish

    def with_loose_pins(self) -> Migration:
        """Return the same, but the releases that files pin become lower bounds."""
        return Migration(
            self.files,
            self.project,
            self.catalog,
            keep_versions=self.keep_versions,
            remove_old=self.remove_old,
            torch=self.torch,
            overruled=self.overruled,
            python_asked=self.python_asked,
            loose=True,
        )

    @property
    def pins_differ(self) -> bool:
        """Whether the files pin more than one release of one of PyTorch's packages."""
        pins: dict[str, set[str]] = {}
        for item in items_of(self.files, Need):
            name = canonicalize_name(item.name)
            if name in self.catalog.family and (version := pinned(item.specifier)):
                pins.setdefault(name, set()).add(version)
        return any(len(versions) > 1 for versions in pins.values())

    @property
    def tells_builds(self) -> bool:
        """Whether something in the files says which builds are meant."""
        return any(wish.told_by for _, wish in self.wishes)

    def builds_by_tool(self) -> dict[str, frozenset[str]]:
        """Return the builds that the base means, by the first file of each tool that tells any."""
        found: dict[str, frozenset[str]] = {}
        for kind in dict.fromkeys(file.format for file in self.files):
            files = [
                f for f in self.files if f.format == kind and self.roles[f.path].kind == "base"
            ]
            settings = settings_of(files, self.roles, self.catalog)
            wishes = [wish for setting in settings for wish in self._wishes(setting)]
            if files and any(wish.told_by for wish in wishes):
                found[files[0].path] = frozenset(wish.build for wish in wishes)
        return found

    @property
    def targets(self) -> tuple[str, ...]:
        """The targets that the files mean, as `-t` takes them."""
        # What a file for one platform says of it goes before what the base says.
        own = {wish.platform for s, wish in self.wishes if s.role.kind == "platform"}
        wishes = [
            wish
            for setting, wish in self.wishes
            if setting.role.kind != "base" or setting.role.name or wish.platform not in own
        ]
        # Where a build is chosen by an extra or a group, each brings the CPU's where it has none.
        real = {(wish.platform, wish.build) for wish in wishes if not wish.stands_in}
        if len(real) > len({platform for platform, _ in real}):
            wishes = [wish for wish in wishes if (wish.platform, wish.build) in real]
        return tuple(dict.fromkeys(wish.target for wish in wishes if wish.build != ELSEWHERE))

    @property
    def guessed(self) -> tuple[str, ...]:
        """Those targets whose platform nobody named."""
        named = {wish.target for _, wish in self.wishes if not wish.guessed}
        found = dict.fromkeys(w.target for _, w in self.wishes if w.target not in named)
        return tuple(target for target in found if target in self.targets)

    @property
    def names(self) -> tuple[tuple[str, str], ...]:
        """Builds with the names that their extras or groups have."""
        found: dict[str, str] = {}
        for setting, wish in self.wishes:
            if setting.role.kind in {"extra", "group"} and wish.told_by:
                found.setdefault(wish.build, setting.role.name)
        return tuple(found.items())

    @property
    def are_groups(self) -> bool:
        """Whether the old files choose among builds by dependency groups."""
        chosen = [
            (setting.role.kind, wish.build)
            for setting, wish in self.wishes
            if setting.role.kind not in {"base", "platform"}
        ]
        return {kind for kind, _ in chosen} == {"group"} and len({b for _, b in chosen}) > 1

    @property
    def are_optional(self) -> bool:
        """Whether the groups that have torch are installed only if they are asked for."""
        return all(
            need.section.optional
            for setting in self.settings
            for need in setting.own.needs
            if need.section.kind == "group"
        )

    @property
    def index_base(self) -> str | None:
        """The mirror of PyTorch's indexes that the files name, as `--index-base` takes it."""
        for item in items_of(self.files, OldIndex):
            backend = self.catalog.backend_of_url(item.url, item.name or None)
            if backend is None or self.catalog.is_own(item.url):
                continue
            if item.url.startswith(("http://", "https://")) and not page_of(item.url, self.catalog):
                head, found, tail = without_secrets(item.url).rpartition(backend.name)
                return f"{head}{{backend}}{tail}" if found else None
        return None

    def notes(self, backends: Mapping[str, str]) -> Iterator[str]:
        """Say which builds were told from little.

        Args:
            backends: The backend of each accelerator that the plan has.
        """
        for setting in self.settings:
            role = setting.role
            paths = ", ".join(p for p, each in self.roles.items() if each == role)
            wishes = [wish for each, wish in self.wishes if each is setting]
            by_name = any(wish.told_by == BY_NAME for wish in wishes)
            if role.kind == "build" and by_name and backends.get(role.name, role.name) != role.name:
                yield (
                    f"{paths} names no build: `{role.word}` means {backends[role.name]}, the "
                    "newest that all files allow"
                )
            elif role.kind == "base" and wishes and not any(wish.told_by for wish in wishes):
                if setting.otherwise == PYPI.name:
                    alone = len(self.settings) == 1
                    none = "no file names a build" if alone else f"{paths} names no build"
                    yield (
                        f"{none}, so torch is PyPI's: CUDA on Linux, CPU elsewhere; "
                        "name others with `-t`"
                    )
                else:
                    yield f"{paths} names no build: beside files for GPUs it is for the CPU"

    # The draft.

    def draft(
        self,
        *,
        folder: str,
        python: str | None = None,
        homes: Mapping[str, tuple[str, str]] | None = None,
        builds: Collection[str] | None = None,
    ) -> Drafted:
        """Draft the project's tables.

        Args:
            folder: The name of the project's folder.
            python: For `requires-python`, if neither the project nor the files say it.
            homes: For each build its extra or group, as the planner names it; None if it has not
                done so yet. A build without one belongs to the base.
            builds: The builds that the project will have; None for those that the files mean.
        """
        if builds is None:
            builds = {wish.build for _, wish in self.wishes}
        ledger, draft, notes = Ledger(), Draft(self.project.data), list[str]()
        head = HeadDraft(self.files, self.project, draft, ledger)
        head.draft_all(folder, python, asked=self.python_asked)
        if not self.project.dynamic.isdisjoint({"dependencies", "optional-dependencies"}):
            notes += lists_statically(draft, self.project, self.files)
        if draft.get(DEPENDENCIES) is None and not self.project.has_project:
            draft.put(DEPENDENCIES, [], "filled below")
        indexes = IndexDraft(self, draft, ledger, builds)
        needs = NeedDraft(self, draft, ledger, indexes, homes)
        needs.draft_all()
        indexes.draft_all()
        self._rest(ledger, builds)
        notes += remove_old_tables(draft, self.files, everything=self.remove_old)
        notes += [*needs.notes, *indexes.notes]
        if any(file.compiled for file in self.files):
            notes.append(
                "for a requirements file of one environment, with everything pinned: "
                "`torchconf export TARGET`"
            )
        return Drafted(tuple(draft.steps), ledger.accounts(self.files), tuple(notes))

    @property
    def python_is_known(self) -> bool:
        """Whether the project or the files say which Pythons it runs on."""
        known = self.project.requires_python is not None
        return (
            known
            or "requires-python" in self.project.dynamic
            or any(items_of(self.files, PythonBound))
        )

    def _rest(self, ledger: Ledger, builds: Collection[str]) -> None:
        """Account for the lines that need no step of their own."""
        nightly = any(build.endswith("-nightly") for build in builds)
        for file in self.files:
            for item in file.items:
                match item:
                    case LeftOut() if nightly and admits_previews(item):
                        why = "torch's bound admits its own; `prerelease` in `tool.uv` is for all"
                        ledger.note(item, "left out", why=why)
                    case LeftOut():
                        ledger.note(
                            item, "left out" if item.understood else "unclear", why=item.why
                        )
                    case Include():
                        ledger.note(item, "taken", why="see its lines below")
                    case Toolkit():
                        meant = [b for b in builds if is_meant(item.backend, b, self.catalog)]
                        into = f"the build {meant[0]}" if meant else ""
                        why = "" if into else "the build is set elsewhere"
                        ledger.note(item, "changed" if into else "left out", into, why)
                    case Platforms() if file.format == "pip":
                        ledger.note(item, "left out", why="uv.lock covers all platforms")
                    case Platforms():
                        ledger.note(item, "changed", f"targets on {', '.join(item.platforms)}")
                    case Part():
                        ledger.note(item, "taken", why=item.why)
                    case _:
                        pass
