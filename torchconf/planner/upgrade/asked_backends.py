"""Which backends an upgrade moves, and what each becomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.errors import RequestError
from torchconf.model.ranges import exclusions, public
from torchconf.model.target_spec import TargetSpec, parse_target_spec
from torchconf.planner.admitted_ranges import admitted_range, declared_range
from torchconf.planner.upgrade.parts import required_platforms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    from torchconf.catalog import Catalog
    from torchconf.layout.configuration import Configuration
    from torchconf.model.backends import Backend
    from torchconf.model.project import Project
    from torchconf.model.targets import Target
    from torchconf.planner.assess import ReleaseChoice
    from torchconf.planner.upgrade.destination import UpgradeRequest


class AskedBackends:
    """The backends of a project, or of one of its parts, and what is asked of them."""

    def __init__(
        self,
        request: UpgradeRequest,
        project: Project,
        before: Configuration,
        catalog: Catalog,
        locked: Version | None,
        owners: Sequence[Project] = (),
    ) -> None:
        self.request = request
        self.project = project
        self.owners = owners or (project,)
        self.before = before
        self.catalog = catalog
        self.locked = locked
        self.main = catalog.main_package
        self.there = {target.backend.name: target.backend for target in before.targets}
        self.declared = public(admitted_range(project, self.main))
        self.within: SpecifierSet | None = None
        """What a part of a project keeps to."""
        self.is_part = False
        self.platforms = required_platforms(project, catalog)
        self.packages = {
            str(name): exclusions(declared_range(project, name))
            for name in before.packages
            if name != self.main and catalog.companions(name, catalog.releases[0]) is not None
        }
        self.notes: list[str] = []

    def asked(self) -> dict[str, Backend | None]:
        """Return what each backend of the project becomes; None for the newest."""
        asked: dict[str, Backend | None] = dict(self.there)
        named = dict(self.request.backends)
        for old, new in named.items():
            known = self.there.get(old)
            if known is None:
                raise RequestError(
                    f"no target has the backend `{old}`",
                    help=f"the project has {', '.join(self.there)}",
                )
            asked[old] = self._asked_for(known, new)
        if self.request.everything:
            # What others publish is for one kind of machine: another build is for another kind.
            ours = [
                name
                for name, backend in self.there.items()
                if name not in named and not self.catalog.publisher_of(backend)
            ]
            for old in self._movable(ours):
                asked[old] = None
        return asked

    def _asked_for(self, old: Backend, word: str) -> Backend | None:
        """Read a new backend as in a target of each platform that has the old one."""
        flag = f"`--backend {old.name}={word}`"
        if not old.version:
            raise RequestError(
                f"{flag}: {old.title} has only one build",
                help="for another build run `torchconf add-target`",
            )
        vocabulary = self.catalog.vocabulary
        meant = vocabulary.backends.get(word)
        accelerators = {known.name for known in vocabulary.accelerators}
        if (meant.accelerator if meant else word) in accelerators - {old.accelerator}:
            raise RequestError(
                f"{flag}: {old.title} and `{word}` are different accelerators",
                help="for another accelerator run `torchconf add-target` and "
                "`torchconf remove-target`",
            )
        found = [
            parse_target_spec(f"{target.platform.short}-{word}", vocabulary)
            for target in self.before.targets
            if target.backend == old
        ]
        return found[0].backend

    def _movable(self, names: Iterable[str]) -> Iterator[str]:
        """Yield the backends that `--all` moves: of several extras or groups only the newest.

        The others are there for older machines.
        """
        with_version = [self.there[name] for name in names if self.there[name].version]
        for accelerator in dict.fromkeys(backend.accelerator for backend in with_version):
            own = sorted(
                (b for b in with_version if b.accelerator == accelerator),
                key=lambda backend: backend.version,
            )
            for backend in own:
                if backend == own[-1] or self.before.layout == "markers":
                    yield backend.name
                else:
                    self.notes.append(
                        f"{backend.name} stays: {own[-1].name} is newer; "
                        f"`--backend {backend.name}=...` upgrades it"
                    )

    def _backends(
        self, asked: Mapping[str, Backend | None], choice: ReleaseChoice
    ) -> dict[str, Backend]:
        """Return the new backend of each old one."""
        named = {
            self._spec(target, asked)[:3]
            for target in self.before.targets
            if asked[target.backend.name] is not None
        }
        resolved = [
            t for t in choice.targets if (t.platform, t.backend.accelerator, t.backend) not in named
        ]
        found: dict[str, Backend] = {}
        for old, new in asked.items():
            accelerator = self.there[old].accelerator
            platforms = {t.platform for t in self.before.targets if t.backend.name == old}
            candidates = [
                target.backend
                for target in (*resolved, *choice.targets)
                if target.platform in platforms and target.backend.accelerator == accelerator
            ]
            found[old] = new or next(iter(candidates), self.there[old])
        return found

    def refuse_two_in_one(self, backends: Mapping[str, Backend]) -> None:
        """Refuse to make two extras, or two groups, bring the same build."""
        if self.before.layout == "markers":
            return
        taken: dict[str, str] = {}
        for old, new in backends.items():
            other = taken.setdefault(new.name, old)
            if other != old:
                raise RequestError(
                    f"`{other}` and `{old}` would both become {new.title}",
                    at=self.project.place("tool.uv.sources"),
                    help="remove one of them first with `torchconf remove-target`",
                )

    def _spec(self, target: Target, asked: Mapping[str, Backend | None]) -> TargetSpec:
        new = asked[target.backend.name]
        accelerator = target.backend.accelerator
        text = f"{target.platform.short}-{new.name if new else accelerator}"
        return TargetSpec(target.platform, accelerator, new, text)
