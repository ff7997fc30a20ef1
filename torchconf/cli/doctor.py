"""`torchconf doctor`: this machine, which builds fit it, what `sync` takes, what is there."""

from __future__ import annotations

import os
import sys
from functools import partial

from torchconf.cli.parser import add_format
from torchconf.model.record import Record

TYPE_CHECKING = False  # `typing` is not needed to print help
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from torchconf.cli.options import CommonOptions, Format
    from torchconf.cli.parser import Parser
    from torchconf.errors import TorchconfError
    from torchconf.machine import Fit, Machine
    from torchconf.machine.diagnosis import Diagnosis, OfferedBuild, ProjectBuilds, SyncChoice
    from torchconf.machine.installed import Environment, TorchReport
    from torchconf.machine.preinstalled import Preinstalled
    from torchconf.machine.variants import VariantChoice
    from torchconf.workspace.opened import OpenProject

EPILOG = """\
Works without a project, an environment or a GPU. Honours uv's UV_CUDA_DRIVER_VERSION,
UV_AMD_GPU_ARCHITECTURE and UV_PROJECT_ENVIRONMENT. Exits with 1 if the installed torch is not the
one that pyproject.toml and uv.lock ask for. The environment of a script (PEP 723) is uv's own:
`torchconf show --script FILE` shows what it gets.

examples:
  torchconf doctor
  torchconf doctor --project ../demo --format json
"""


class DoctorOptions(Record):
    """What `doctor` is told."""

    format: Format
    common: CommonOptions


def add_arguments(parser: Parser) -> None:
    """Add the options of this command."""
    parser.epilog = EPILOG
    add_format(parser)


def run(options: DoctorOptions) -> int:
    """Look at the machine, the project and its environment, and compare them."""
    # Imported here: `--help` needs none of these.
    from torchconf.catalog import load_catalog
    from torchconf.cli.doctor_text import report_lines, write_lines
    from torchconf.machine import fits, machine_notes, this_machine
    from torchconf.machine.installed import ask_torch, environment_folder, read_environment
    from torchconf.machine.preinstalled import find_preinstalled
    from torchconf.machine.variants import variant_choice
    from torchconf.report.messages import print_notes

    context = _open(options.common.project)
    catalog = context.catalog if context else load_catalog()
    machine = this_machine()
    found = fits(machine, catalog)
    folder = context.lock_folder if context else options.common.project or os.curdir
    place = environment_folder(folder, os.environ)
    environment = read_environment(place, catalog.family)
    sight = None
    if environment is not None and catalog.main_package in environment.packages:
        sight = ask_torch(place)
    sync, taken = _taken(context, machine, found)
    wanted, verdict = _compare(context, machine, found, environment, taken)
    if sync is not None and sync.target is None and wanted is not None and wanted.unclear:
        # Whoever has an index of their own knows what it has.
        sync = sync._replace(command=None)
    came_with = None
    if context is not None and environment is None:
        came_with = find_preinstalled(catalog.main_package, folder, os.environ)
    report = Report(
        machine=machine,
        fits=found,
        environment=environment,
        sight=sight,
        wanted=wanted,
        verdict=verdict,
        sync=sync,
        preinstalled=came_with,
        variants=variant_choice(machine, found, catalog),
    )
    if options.format == "json":
        _report_json(report)
    else:
        write_lines(report_lines(report, catalog), sys.stdout, options.common.color)
        print_notes(f"note: {remark}" for remark in machine_notes(machine, catalog))
    return 1 if verdict is not None and verdict.matches is False else 0


class Report(Record):
    """What was found, on the way to being printed."""

    machine: Machine
    fits: Sequence[Fit]
    environment: Environment | None
    sight: TorchReport | None
    wanted: ProjectBuilds | None
    verdict: Diagnosis | None
    sync: SyncChoice | None = None
    preinstalled: Preinstalled | None = None
    variants: VariantChoice | None = None


def _open(folder: str | None) -> OpenProject | None:
    """Read the project, if there is one; a folder that is named must be there."""
    from torchconf import files
    from torchconf.workspace.opened import nearest_or_here, open_project

    path = nearest_or_here() if folder is None else files.project_file(folder)
    return open_project(folder) if os.path.lexists(path) else None


def _taken(
    context: OpenProject | None, machine: Machine, fits: Sequence[Fit]
) -> tuple[SyncChoice | None, OfferedBuild | None]:
    """Ask what `sync` asks; what it would refuse is an answer, too."""
    if context is None:
        return None, None
    from torchconf.cli.this_target import choose_target
    from torchconf.errors import TorchconfError
    from torchconf.layout.machine_flags import flags_here
    from torchconf.machine.diagnosis import OfferedBuild, SyncChoice
    from torchconf.model.uv_variables import NO_GROUP

    try:
        found = choose_target(context, None, os.environ, "torchconf sync", machine)
    except TorchconfError as error:
        return _refused(context, error, fits), None
    held = os.environ.get(NO_GROUP, "")
    flags = flags_here(found.selection, found.groups, found.builds, held)
    command = " ".join(["uv", "sync", *flags])
    choice = SyncChoice(str(found.target), found.reason, command)
    return choice, OfferedBuild(command, found.target.backend.name)


def _refused(context: OpenProject, error: TorchconfError, fits: Sequence[Fit]) -> SyncChoice:
    """Say why `sync` takes nothing, and which command would change that."""
    from torchconf.cli.adding import adding_command
    from torchconf.cli.rows import members_of
    from torchconf.errors import ProjectError
    from torchconf.layout.shared_builds import read_shared_configuration
    from torchconf.machine.diagnosis import SyncChoice

    if isinstance(error, ProjectError):
        return SyncChoice(None, error.message, "torchconf init")
    fit = next((fit for fit in fits if fit.fits), None)
    if fit is None:
        return SyncChoice(None, error.message, None)
    there = read_shared_configuration(context.project, members_of(context), context.catalog)
    if not there.targets:
        return SyncChoice(None, error.message, f"torchconf init -t {fit.target}")
    command = adding_command(context, fit.target)
    reason = error.message if command else f"{error.message}; {fit.target}: {fit.reason}"
    return SyncChoice(None, reason, command)


def _compare(
    context: OpenProject | None,
    machine: Machine,
    fits: Sequence[Fit],
    environment: Environment | None,
    taken: OfferedBuild | None,
) -> tuple[ProjectBuilds | None, Diagnosis | None]:
    """Compare the environment with what the project says for this platform."""
    if context is None or machine.platform is None:
        return None, None
    from torchconf.cli.adding import adding_command
    from torchconf.cli.rows import rows_of
    from torchconf.machine.diagnosis import judge, read_wanted
    from torchconf.model.uv_lock import locked_builds
    from torchconf.planner.admitted_ranges import declared_range

    catalog = context.catalog
    rows = rows_of(context)
    text = context.lockfile()
    builds = locked_builds(text, catalog.main_package)
    admitted = declared_range(context.project, catalog.main_package)
    wanted = read_wanted(rows, builds, machine.platform, catalog, admitted, is_told=machine.jetson)
    packages = environment.packages if environment is not None else {}
    adding = partial(adding_command, context)
    return wanted, judge(packages, wanted, fits, machine.platform, catalog, adding, taken)


def _report_json(report: Report) -> None:
    from torchconf.report.json_data import print_json

    print_json(
        {
            "machine": report.machine.data(),
            "fits": [
                {"target": str(fit.target), "fits": fit.fits, "reason": fit.reason}
                for fit in report.fits
            ],
            "environment": _environment_data(report),
            "sync": report.sync._asdict() if report.sync else None,
            "preinstalled": report.preinstalled._asdict() if report.preinstalled else None,
            "variants": report.variants.data() if report.variants else None,
        }
    )


def _environment_data(report: Report) -> dict[str, Any] | None:
    environment, wanted, verdict = report.environment, report.wanted, report.verdict
    if environment is None:
        return None
    return {
        "path": environment.path,
        "python": environment.python,
        "packages": dict(environment.packages),
        "sees": report.sight._asdict() if report.sight is not None else None,
        "backend": verdict.backend if verdict else None,
        "wanted": [choice._asdict() for choice in wanted.choices] if wanted else [],
        "locked": [version for version, _ in wanted.locked] if wanted else [],
        "matches": verdict.matches if verdict else None,
        "reason": verdict.reason or verdict.hint if verdict else None,
        "command": verdict.command if verdict else None,
    }
