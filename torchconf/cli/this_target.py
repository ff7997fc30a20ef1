"""The target of this machine: the one that is named, else the best that the machine fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.cli.rows import members_of, rows_of
from torchconf.errors import RequestError
from torchconf.layout.intent import intended
from torchconf.layout.shared_builds import read_shared_configuration
from torchconf.machine.best_target import best_target, judge_targets, reasons
from torchconf.model.backends import PYPI
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.targets import Target
from torchconf.resolve.chosen_targets import is_of, selection_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torchconf.layout.selection import Selection
    from torchconf.machine import Fit, Machine
    from torchconf.model.backends import Backend
    from torchconf.model.targets import Platform
    from torchconf.resolve.table import Row
    from torchconf.workspace.opened import OpenProject

__all__ = ["TARGET_VARIABLE", "ThisTarget", "choose_target", "open_member"]

TARGET_VARIABLE = "TORCHCONF_TARGET"


class ThisTarget(NamedTuple):
    """What is installed here, and why."""

    target: Target
    reason: str
    selection: Selection
    groups: tuple[str, ...]
    """What the choice enables, default groups included."""
    builds: tuple[str, ...]
    """Every group that chooses a build."""

    def said(self) -> str:
        """Return the one line about it."""
        return f"target {self.target}: {self.reason}"


class _Offer(NamedTuple):
    """What a project has for the platform of this machine."""

    platform: Platform
    targets: Mapping[Target, Row]
    meant: tuple[Target, ...]
    elsewhere: tuple[Target, ...]
    """The targets for other platforms."""
    builds: tuple[str, ...]

    def names(self) -> str:
        """Return the targets of this platform, as a help text lists them."""
        return ", ".join(map(str, self.targets))


def open_member(context: OpenProject, name: str) -> OpenProject:
    """Return the member of a workspace that has a name; the root may be one.

    Raises:
        RequestError: The workspace has no such member.
    """
    from torchconf.workspace.members import member_folders
    from torchconf.workspace.opened import open_project

    wanted = canonicalize_name(name)
    if context.project.name == wanted:
        return context
    root = context.project.workspace
    folders = [context.lock_folder, *member_folders(root, context.lock_folder)]
    found = [open_project(folder) for folder in folders]
    for one in found:
        if one.project.name == wanted:
            return one
    names = ", ".join(one.project.written_name or "" for one in found)
    raise RequestError(f"package `{name}` is not in this workspace", help=f"its packages: {names}")


def choose_target(
    context: OpenProject,
    word: str | None,
    variables: Mapping[str, str],
    command: str,
    machine: Machine | None = None,
) -> ThisTarget:
    """Choose the target of this machine.

    Args:
        context: The project.
        word: The target that was named; else `TORCHCONF_TARGET`, else the best is found.
        variables: Of the environment.
        command: What the user types before a target, for help texts.
        machine: If it was probed already.

    Raises:
        RequestError: The project has none for this platform, or only such as do not run here.
        ProjectError: The list of targets is malformed, or the tables do not serve all of it.
    """
    # Imported here, where a test puts another machine in its place.
    from torchconf import machine as machines

    catalog = context.catalog
    machine = machine or machines.this_machine()
    platform = machine.platform
    if platform is None:
        raise RequestError(f"PyTorch publishes no wheels for this machine: {machine.words}")
    fits = machines.fits(machine, catalog)
    offer = _offer(context, platform, is_told=machine.jetson)
    told = word or variables.get(TARGET_VARIABLE) or None
    where = None if word or not told else TARGET_VARIABLE
    named = _named(told, where, offer, context) if told is not None else ()
    candidates = named or [target for target in offer.meant if target.platform == platform]
    candidates = candidates or [*offer.targets]
    if not candidates:
        raise _no_target(context, offer, fits)
    pypi = _pypi_build(candidates, context, platform)
    judged = judge_targets(candidates, platform, fits, pypi)
    best = best_target(judged)
    if best is not None and best.fits is False and not named:
        # The tables may serve what the list does not name, such as the CPU group of another system.
        other = best_target(judge_targets(offer.targets, platform, fits, pypi))
        best = other if other is not None and other.fits else best
    if best is None:  # every candidate is of this platform
        raise _no_target(context, offer, fits)
    reason = best.reason
    if named:
        reason = f"set by {where}" if where else "as requested"
        if best.fits is False:
            reason += f", but it does not run on this machine: {judged[0].reason}"
    elif best.fits is False:
        raise _nothing_runs(context, command, judged, fits)
    row = offer.targets[best.target]
    return ThisTarget(best.target, reason, row.selection, row.groups, offer.builds)


def _offer(context: OpenProject, platform: Platform, *, is_told: bool) -> _Offer:
    """Read the targets of a project, each with the row that installs it.

    Where a marker tells such a machine from others of its platform, its targets are its own.
    """
    catalog, project = context.catalog, context.project
    rows = rows_of(context)
    own = project.written_name if project.root is not None else None
    rows = tuple(row for row in rows if row.selection.package == own)
    configuration = read_shared_configuration(project, members_of(context), catalog)
    meant = intended(project, catalog, configuration)
    targets: dict[Target, Row] = {}
    for target in dict.fromkeys([*meant, *configuration.targets]):
        if target.platform == platform:
            name = configuration.names.get(target.backend.name, "")
            row = _row(target, name, rows, catalog.main_package)
            if row is not None:
                targets[target] = row
    told = {target: row for target, row in targets.items() if row.platform != platform.key}
    if told:
        usual = {target: row for target, row in targets.items() if target not in told}
        targets = told if is_told else usual
    if not targets:
        # Where members have the sources, only the rows know what an extra of the root installs.
        for row in rows:
            if (row.package, row.platform) == (catalog.main_package, platform.key) and row.backend:
                targets.setdefault(Target(platform, catalog.backend(row.backend)), row)
    further = (name for names in configuration.aliases.values() for name in names)
    builds = (*configuration.names.values(), *further) if configuration.layout == "groups" else ()
    elsewhere = tuple(target for target in meant if target.platform != platform)
    meant = tuple(target for target in meant if target in targets)
    return _Offer(platform, targets, meant, elsewhere, builds)


def _row(target: Target, name: str, rows: Sequence[Row], main: str) -> Row | None:
    """Return the row of the choice that gives a target its build."""
    selection = selection_for(target, main, rows, name)
    return next(
        (
            row
            for row in rows
            if (row.package, row.backend, row.selection) == (main, target.backend.name, selection)
            and is_of(row, target.platform)
        ),
        None,
    )


def _named(word: str, at: str | None, offer: _Offer, context: OpenProject) -> tuple[Target, ...]:
    """Return the targets of this platform that a word means: `linux-cuda`, or only `cuda`.

    Raises:
        RequestError: It means none of them.
    """
    from torchconf.model.target_spec import (
        TargetSpec,
        means,
        parse_build,
        parse_target_spec,
    )

    vocabulary = context.catalog.vocabulary
    build = parse_build(word, vocabulary)
    here = offer.names() or "none"
    try:
        spec = (
            TargetSpec(offer.platform, *build, word)
            if build is not None
            else parse_target_spec(word, vocabulary)
        )
    except RequestError as error:
        ways = filter(None, (error.help, f"the targets of this project here: {here}"))
        raise RequestError(error.message, at=at, help="; ".join(ways)) from error
    found = tuple(target for target in offer.targets if means(spec, target))
    if found:
        return found
    if spec.platform != offer.platform:
        raise RequestError(
            f"target `{word}` is for {spec.platform.key}; this machine is {offer.platform.key}",
            at=at,
            help=f"the targets of this project for {offer.platform.key}: {here}",
        )
    raise RequestError(
        f"`{word}` is not a target of this project",
        at=at,
        help=f"its targets for {offer.platform.key}: {here}",
    )


def _no_target(context: OpenProject, offer: _Offer, fits: Sequence[Fit]) -> RequestError:
    """Say what the project has instead, and what to type."""
    from torchconf.cli.adding import adding_command

    main = context.catalog.main_package
    packages = _members_with(main, context) if not offer.targets else ()
    if packages:
        options = " or ".join(f"`--package {name}`" for name in packages)
        return RequestError(
            f"this package does not install {main}, but others of its workspace do",
            help=f"choose one: {options}",
        )
    fitting = next((fit for fit in fits if fit.fits), None)
    added = adding_command(context, fitting.target) if fitting else None
    if not offer.elsewhere:
        return RequestError("this project has no targets", help="add some with `torchconf init`")
    names = ", ".join(map(str, offer.elsewhere))
    return RequestError(
        f"this project has no target for {offer.platform.key}; its targets: {names}",
        help=f"add one that fits this machine: `{added}`" if added else None,
    )


def _members_with(main: str, context: OpenProject) -> tuple[str, ...]:
    """Return the members of a workspace root that install a package."""
    rows = rows_of(context) if context.project.is_workspace_root else ()
    own = [row for row in rows if row.package == main and row.backend is not None]
    return tuple(dict.fromkeys(row.selection.package for row in own if row.selection.package))


def _nothing_runs(
    context: OpenProject, command: str, judged: Sequence[Fit], fits: Sequence[Fit]
) -> RequestError:
    """Say why no target of the project runs here, and both ways out."""
    from torchconf.cli.adding import adding_command

    fitting = next((fit for fit in fits if fit.fits), None)
    ways = [f"to use it anyway: `{command} {judged[0].target}`"]
    added = adding_command(context, fitting.target) if fitting else None
    if added is not None:
        ways.append(f"to add one that runs: `{added}`")
    return RequestError(
        f"no target of this project runs on this machine: {reasons(judged)}", help="; ".join(ways)
    )


def _pypi_build(
    candidates: Sequence[Target], context: OpenProject, platform: Platform
) -> Backend | None:
    """Return the build that PyPI has of the release that is installed, if that matters."""
    if all(target.backend != PYPI for target in candidates):
        return None
    from torchconf.machine.diagnosis import pypi_build, read_wanted
    from torchconf.model.uv_lock import locked_builds
    from torchconf.planner.admitted_ranges import declared_range

    catalog = context.catalog
    builds = locked_builds(context.lockfile(), catalog.main_package)
    admitted = declared_range(context.project, catalog.main_package)
    wanted = read_wanted((), builds, platform, catalog, admitted)
    return pypi_build(None, wanted, platform, catalog)
