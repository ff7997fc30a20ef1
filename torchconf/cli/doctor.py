"""`torchconf doctor`: this machine, which builds fit it, and which one is installed."""

from __future__ import annotations

import os
import sys
from functools import partial

from torchconf.cli.parser import add_format
from torchconf.model.record import Record

TYPE_CHECKING = False  # `typing` is not needed to print help
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any, TextIO

    from torchconf.catalog import Catalog
    from torchconf.cli.options import CommonOptions, Format
    from torchconf.cli.parser import Parser
    from torchconf.machine import Fit, Machine
    from torchconf.machine.diagnosis import Diagnosis, ProjectBuilds
    from torchconf.machine.hardware import Hardware
    from torchconf.machine.installed import Environment, TorchReport
    from torchconf.model.targets import Target
    from torchconf.report.colour import When
    from torchconf.workspace.opened import OpenProject

EPILOG = """\
Works without a project, an environment or a GPU. Honours uv's UV_CUDA_DRIVER_VERSION,
UV_AMD_GPU_ARCHITECTURE and UV_PROJECT_ENVIRONMENT. Exits with 1 if the installed torch is not the
one that pyproject.toml and uv.lock ask for.

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
    from torchconf.machine import fits, machine_notes, this_machine
    from torchconf.machine.installed import ask_torch, environment_folder, read_environment
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
    wanted, verdict = _compare(context, machine, found, environment, catalog)
    report = _Report(
        machine=machine,
        fits=found,
        environment=environment,
        sight=sight,
        wanted=wanted,
        verdict=verdict,
    )
    if options.format == "json":
        _report_json(report)
    else:
        _write(_lines(report, catalog), sys.stdout, options.common.color)
        print_notes(f"note: {remark}" for remark in machine_notes(machine, catalog))
    return 1 if verdict is not None and verdict.matches is False else 0


class _Report(Record):
    """What was found, on the way to being printed."""

    machine: Machine
    fits: Sequence[Fit]
    environment: Environment | None
    sight: TorchReport | None
    wanted: ProjectBuilds | None
    verdict: Diagnosis | None


def _open(folder: str | None) -> OpenProject | None:
    """Read the project, if there is one; a folder that is named must be there."""
    from torchconf import files
    from torchconf.workspace.opened import nearest_or_here, open_project

    path = nearest_or_here() if folder is None else files.project_file(folder)
    return open_project(folder) if os.path.lexists(path) else None


def _compare(
    context: OpenProject | None,
    machine: Machine,
    fits: Sequence[Fit],
    environment: Environment | None,
    catalog: Catalog,
) -> tuple[ProjectBuilds | None, Diagnosis | None]:
    """Compare the environment with what the project says for this platform."""
    if context is None or machine.platform is None:
        return None, None
    from torchconf.cli.rows import rows_of
    from torchconf.machine.diagnosis import judge, read_wanted
    from torchconf.model.uv_lock import locked_builds
    from torchconf.planner.decide import declared_range

    rows = rows_of(context)
    text = context.lockfile()
    builds = locked_builds(text, catalog.main_package)
    admitted = declared_range(context.project, catalog.main_package)
    wanted = read_wanted(rows, builds, machine.platform, catalog, admitted)
    packages = environment.packages if environment is not None else {}
    adding = partial(_adding, context)
    return wanted, judge(packages, wanted, fits, machine.platform, catalog, adding)


def _adding(context: OpenProject, target: Target) -> str:
    """Return the command that adds a target, with the layout that it needs."""
    from torchconf.errors import TorchconfError
    from torchconf.model.target_spec import spec_of
    from torchconf.planner import Request, plan_targets
    from torchconf.workspace.facts import read_facts

    command = f"torchconf add-target {target}"
    facts = read_facts(context)
    for layout in ("auto", "extras", "groups"):
        request = Request(add=(spec_of(target),), layout=layout)
        try:
            plan_targets(request, context.project, context.catalog, facts)
        except TorchconfError:
            continue
        return command if layout == "auto" else f"{command} --layout {layout}"
    return command


def _report_json(report: _Report) -> None:
    from torchconf.report.json_data import print_json

    print_json(
        {
            "machine": report.machine.data(),
            "fits": [
                {"target": str(fit.target), "fits": fit.fits, "reason": fit.reason}
                for fit in report.fits
            ],
            "environment": _environment_data(report),
        }
    )


def _environment_data(report: _Report) -> dict[str, Any] | None:
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


def _lines(report: _Report, catalog: Catalog) -> Iterator[tuple[str, str, str]]:
    """Yield a label, a text and its colour for each line."""
    from torchconf.machine.hardware import TITLES

    yield "machine", report.machine.words, ""
    for found in report.machine.hardware:
        for text in _hardware(found):
            yield TITLES.get(found.maker, found.maker), text, ""
    shown = list(_worth_showing(report))
    width = max((len(str(fit.target)) for fit in shown if fit.fits), default=0)
    for fit in shown:
        if fit.fits:
            yield "fits", f"{fit.target!s:{width}}  {fit.reason}", "green"
    for answer, label, colour in ((None, "unknown", "yellow"), (False, "does not fit", "dim")):
        for targets, reason in _grouped(fit for fit in shown if fit.fits is answer):
            yield label, f"{targets}: {reason}", colour
    yield from _environment_lines(report, catalog)


def _hardware(found: Hardware) -> Iterator[str]:
    driver = f"driver {found.driver}" if found.driver else "unknown driver"
    yield found.problem or f"{driver} (from {found.source})"
    for gpu in found.gpus:
        yield ", ".join(filter(None, (gpu.name, gpu.level)))


def _worth_showing(report: _Report) -> Iterator[Fit]:
    """Yield the lines that go on, those of the project, and the only ones that fit a GPU."""
    named = {choice.backend for choice in report.wanted.choices} if report.wanted else set()
    served = {fit.backend.accelerator for fit in report.fits if fit.fits and fit.current}
    for fit in report.fits:
        only = fit.fits and fit.backend.accelerator not in served
        if fit.current or only or fit.backend.name in named:
            yield fit


def _grouped(fits: Iterable[Fit]) -> Iterator[tuple[str, str]]:
    by_reason: dict[str, list[str]] = {}
    for fit in fits:
        by_reason.setdefault(fit.reason, []).append(str(fit.target))
    for reason, targets in by_reason.items():
        yield ", ".join(targets), reason


def _environment_lines(report: _Report, catalog: Catalog) -> Iterator[tuple[str, str, str]]:
    from torchconf.files import spoken_path

    environment, wanted, verdict = report.environment, report.wanted, report.verdict
    if environment is None:
        yield "environment", "none", ""
    else:
        python = f", Python {environment.python}" if environment.python else ""
        yield "environment", f"{spoken_path(os.path.abspath(environment.path))}{python}", ""
        version = environment.packages.get(catalog.main_package)
        if version is not None and report.sight is not None:
            seen, colour = _sight(report.sight)
            yield "installed", f"{catalog.main_package} {version}, {seen}", colour
    for choice in wanted.choices if wanted is not None else ():
        yield "project", f"{choice.backend} with `{choice.command}`", ""
    if verdict is None:
        return
    if verdict.reason is not None:
        colour = "red" if verdict.matches is False else "yellow"
        yield "wrong" if verdict.matches is False else "note", verdict.reason, colour
    elif verdict.matches:
        yield "ok", "the installed build matches the project", "green"
    if verdict.hint is not None:
        yield "hint", verdict.hint, "yellow"
    if verdict.command is not None and verdict.matches is not True:
        yield "run", verdict.command, ""


def _sight(sight: TorchReport) -> tuple[str, str]:
    if sight.problem is not None:
        return f"fails to load: {sight.problem}", "red"
    if not sight.available:
        return "detects no GPU", ""
    devices = f": {', '.join(sight.devices)}" if sight.devices else ""
    return f"detects {', '.join(sight.available)}{devices}", "green"


_COLOURS = {"green": "32", "red": "31", "yellow": "33", "dim": "2"}


def _write(lines: Iterable[tuple[str, str, str]], stream: TextIO, color: When) -> None:
    """Print labels and texts as two columns; a label stands once."""
    from torchconf.errors import shown
    from torchconf.report.colour import paint, wants_colour

    coloured = wants_colour(color, stream)
    lines = list(lines)
    width = max(len(label) for label, _, _ in lines)
    before = ""
    for label, text, colour in lines:
        line = shown(text)
        line = paint(line, _COLOURS[colour]) if coloured and colour else line
        stream.write(f"{'' if label == before else label:{width}}  {line}\n")
        before = label
