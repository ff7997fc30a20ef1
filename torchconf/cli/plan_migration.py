"""Plan a migration: a range of Pythons, the targets, and what goes where, in one edit."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from torchconf.cli.init import backend_names
from torchconf.edits import edit_text
from torchconf.edits.plan import meaning
from torchconf.errors import RequestError
from torchconf.files import Change, spoken_path
from torchconf.migrate.account import settled
from torchconf.model.backends import PYPI, parse_backend
from torchconf.model.intent import read_intent
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.read_project import read_project
from torchconf.model.target_spec import parse_target_spec
from torchconf.planner import Request, parse_index_bases, plan_targets
from torchconf.workspace.facts import read_facts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torchconf.cli.migrate import MigrateOptions
    from torchconf.edits.plan import Step
    from torchconf.migrate.outcome import Drafted, Migration
    from torchconf.model.project import Project
    from torchconf.planner import Outcome
    from torchconf.workspace.opened import OpenProject

__all__ = ["Planned", "Planning", "make_changes"]

_PLANS = 3
"""Times that a plan may change the extras that it was made for."""


class Planned(NamedTuple):
    """What is to be written, and why."""

    drafted: Drafted
    outcome: Outcome | None
    """None if nothing needs torch."""
    notes: tuple[str, ...] = ()
    """What was told from little."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps on the project's file: what the old files say, then what PyTorch needs."""
        return (*self.drafted.steps, *(self.outcome.plan.steps if self.outcome else ()))

    @property
    def root_steps(self) -> tuple[Step, ...]:
        """The steps on the file of the workspace root, where that is another one."""
        return self.outcome.plan.root_steps if self.outcome else ()


class Planning:
    """Find a plan for what the old files mean."""

    def __init__(self, options: MigrateOptions, context: OpenProject, migration: Migration) -> None:
        self.options = options
        self.context = context
        self.migration = migration
        self.catalog = context.catalog
        self.backends: dict[str, str] = {}
        """The backend of each accelerator, once a plan has chosen it."""

    def plan(self) -> Planned:
        """Return what to write.

        Raises:
            RequestError: What the files mean is not available.
        """
        targets = self.options.target or self.migration.targets
        if not self.options.target and not self.migration.tells_builds:
            # A project that has its builds already, from an earlier run for example, keeps them.
            listed = read_intent(self.context.project, self.catalog.vocabulary)
            targets = tuple(spec.text for spec in listed or ()) or targets
        if not self.options.target:
            self._refuse_disagreement()
        if not targets:
            known = self.options.python is not None or self.migration.python_is_known
            python = None if known else f">={self.catalog.pythons[self._usual()]}"
            return Planned(self._draft(python, {}), None)
        try:
            return self._plan(targets)
        except RequestError:
            for fewer in self._fewer(targets):
                try:
                    return self._plan(fewer)
                except RequestError:
                    continue
            if not self.migration.pins_differ or self.migration.loose:
                raise
        loose = self.migration.with_loose_pins()
        return Planning(self.options, self.context, loose).plan()

    def _refuse_disagreement(self) -> None:
        """Refuse files of two tools that mean different builds."""
        (one, builds), *others = [*self.migration.builds_by_tool().items()] or [("", frozenset())]
        for other, different in others:
            if different != builds:
                raise RequestError(
                    f"{one} and {other} mean different builds: {', '.join(sorted(builds))} and "
                    f"{', '.join(sorted(different))}",
                    help=f"name one of them, `torchconf migrate {one}`, or the targets with `-t`",
                )

    def _fewer(self, targets: Sequence[str]) -> Iterator[Sequence[str]]:
        """Yield targets without those whose platform nobody named."""
        left = list(targets)
        for start in ("macos-x86_64-", "macos-", "windows-") if not self.options.target else ():
            fewer = [t for t in left if t not in self.migration.guessed or not t.startswith(start)]
            if fewer and fewer != left:
                left = fewer
                yield left

    def _plan(self, targets: Sequence[str]) -> Planned:
        self.backends = {}
        named = len(self._names(targets))
        python, outcome = self._python(targets)
        self.backends = {t.backend.accelerator: t.backend.name for t in outcome.targets}
        if not self.options.names and len(self._names(targets)) > named:
            # What is called `gpu` or the like has its name only when its backend is known.
            outcome = self._outcome(self._draft(python, None), targets)
        drafted, final = self._at_home(python, outcome, targets)
        accounts = settled(drafted.accounts, final.planned)
        notes = [*self._python_notes(python), *self._left_out(targets)]
        if not self.options.target:
            backends = {t.backend.accelerator: t.backend.name for t in final.targets}
            notes += self.migration.notes(backends)
        return Planned(drafted._replace(accounts=accounts), final, tuple(notes))

    def _at_home(
        self, python: str | None, outcome: Outcome, targets: Sequence[str]
    ) -> tuple[Drafted, Outcome]:
        """Draft what belongs to the extra of a build, and plan again.

        What stands there can hold torch at a release that has other builds: then the extra is
        another one, too.
        """
        for _ in range(_PLANS):
            homes, builds = _homes(outcome), {target.backend.name for target in outcome.targets}
            drafted = self._draft(python, homes, builds)
            outcome = self._outcome(drafted, targets)
            if _homes(outcome) == homes:
                break
        return drafted, outcome

    @staticmethod
    def _python_notes(python: str | None) -> Iterator[str]:
        if python is not None:
            yield (
                f"requires-python {python}: no file sets one, and this torch supports these; "
                "`--python` sets others"
            )

    def _left_out(self, targets: Sequence[str]) -> Iterator[str]:
        """Say which targets were guessed and cannot be had."""
        gone = [t for t in self.migration.targets if t not in targets]
        if gone and not self.options.target:
            yield f"no target {' or '.join(gone)}: this torch is not available there"

    def _python(self, targets: Sequence[str]) -> tuple[str | None, Outcome]:
        """Return a range for `requires-python` if nothing says it, and a first plan."""
        if self.options.python is not None or self.migration.python_is_known:
            return None, self._outcome(self._draft(None, None), targets)
        try:
            first = self._open_range(self._outcome(self._draft(None, None), targets))
            return first, self._outcome(self._draft(first, None), targets)
        except RequestError:
            for python in self._ranges():
                try:
                    return python, self._outcome(self._draft(python, None), targets)
                except RequestError:
                    continue
            raise

    def _ranges(self) -> Iterator[str]:
        """Yield ranges of Pythons, those with newer ones first."""
        known = self.catalog.pythons
        usual = self._usual()
        for end in range(len(known) - 1, 0, -1):
            for start in (usual, *range(usual - 1, -1, -1)):
                if start < end:
                    yield f">={known[start]},<{known[end]}"

    def _usual(self) -> int:
        """Return the place of the oldest Python that a torch of today is built for.

        Newer releases of most packages have no wheels for older ones.
        """
        newest = next(r for r in self.catalog.releases if self.catalog.covered(r))
        return self.catalog.pythons.index(self.catalog.release_pythons(newest)[0])

    def _open_range(self, outcome: Outcome) -> str:
        known, release = self.catalog.pythons, outcome.choice.release
        floor = known.index(outcome.choice.python) if outcome.choice.python in known else 0
        built = self.catalog.release_pythons(release) if release else ()
        newest = known.index(built[-1]) if built else len(known) - 1
        return f">={known[max(floor, min(self._usual(), newest))]}"

    def _draft(
        self,
        python: str | None,
        homes: dict[str, tuple[str, str]] | None,
        builds: set[str] | None = None,
    ) -> Drafted:
        folder = os.path.basename(self.context.folder)
        return self.migration.draft(folder=folder, python=python, homes=homes, builds=builds)

    def _outcome(self, drafted: Drafted, targets: Sequence[str]) -> Outcome:
        options, context = self.options, self.context
        project = _after(context.project, drafted.steps)
        vocabulary = self.catalog.vocabulary
        specs = tuple(parse_target_spec(text, vocabulary) for text in targets)
        groups = self._keeps_groups(targets)
        unasked = "none" if groups and self.migration.are_optional else None
        bases = parse_index_bases(options.index_base)
        request = Request(
            specs=specs,
            torch=options.torch,
            layout="groups" if groups and not unasked else options.layout,
            default=options.default or unasked,
            names=backend_names(options.names) or self._names(targets),
            python=options.python,
            index_base=bases.base or self.migration.index_base,
            mirrors=bases.named,
        )
        there = {requirement.name for requirement in context.project.requirements()}
        new = frozenset(requirement.name for requirement in project.requirements()) - there
        facts = read_facts(context._replace(project=project))._replace(fresh=new)
        return plan_targets(request, project, self.catalog, facts)

    def _keeps_groups(self, targets: Sequence[str]) -> bool:
        """Tell whether several builds of a platform stay in the groups that they have been in."""
        platforms = {target.rpartition("-")[0] for target in targets}
        is_free = self.options.layout == "auto" and len(platforms) < len(targets)
        return is_free and self.migration.are_groups

    def _names(self, targets: Sequence[str]) -> tuple[tuple[str, str], ...]:
        platforms = [target.rpartition("-")[0] for target in targets]
        if len(set(platforms)) == len(platforms):
            return ()
        used = {target.rpartition("-")[2] for target in targets}
        named = [(build, name) for build, name in self.migration.names if build in used]
        backends = ((self.backends.get(build, build), name) for build, name in named)
        known = self.catalog.accelerators
        return tuple(
            (build, name)
            for build, name in backends
            if build == PYPI.name or parse_backend(build, known)
        )


def _homes(outcome: Outcome) -> dict[str, tuple[str, str]]:
    """Return for each build, and for each accelerator, the extra or group that chooses it."""
    homes: dict[str, tuple[str, str]] = {}
    for scope in outcome.scopes:
        if scope.kind:
            homes.setdefault(scope.backend.accelerator, (scope.kind, scope.name))
    for scope in outcome.scopes:
        if scope.kind:
            homes[scope.backend.name] = (scope.kind, scope.name)
    return homes


def _after(project: Project, steps: Sequence[Step]) -> Project:
    """Return a project as it will be read after some steps."""
    if not steps:
        return project
    return read_project(meaning(project.data, steps), root=project.root, at=project.at)


def make_changes(context: OpenProject, planned: Planned) -> list[Change]:
    """Edit the texts; nothing is written."""
    return [
        Change(file, edit_text(file.text, steps, spoken_path(file.path)))
        for file, steps in (
            (context.root_file, planned.root_steps),
            (context.file, planned.steps),
        )
        if file is not None and (steps or file is context.file)
    ]
