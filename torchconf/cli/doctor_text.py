"""What `torchconf doctor` prints for people: a label and a text a line, wrapped at a terminal."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from torchconf.errors import shown
from torchconf.files import spoken_path
from torchconf.machine import spoken_gpu
from torchconf.machine.best_target import by_reason
from torchconf.machine.hardware import TITLES
from torchconf.model.named_tuple import NamedTuple
from torchconf.report.colour import paint, wants_colour

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TextIO

    from torchconf.catalog import Catalog
    from torchconf.cli.doctor import Report
    from torchconf.machine import Fit
    from torchconf.machine.hardware import Hardware
    from torchconf.machine.installed import TorchReport
    from torchconf.report.colour import When

__all__ = ["Line", "report_lines", "write_lines"]

_COLOURS = {"green": "32", "red": "31", "yellow": "33", "dim": "2"}
_NARROWEST = 50


class Line(NamedTuple):
    """A line, before it is wrapped."""

    label: str
    text: str
    colour: str = ""


def report_lines(report: Report, catalog: Catalog) -> Iterator[Line]:
    """Yield the lines of a report: the machine, what fits it, the environment, what to do."""
    yield Line("machine", report.machine.words)
    for found in report.machine.hardware:
        for text in _hardware(found, catalog):
            yield Line(TITLES.get(found.maker, found.maker), text)
    shown_fits = list(_worth_showing(report))
    width = max((len(str(fit.target)) for fit in shown_fits if fit.fits), default=0)
    for fit in shown_fits:
        if fit.fits:
            yield Line("fits", f"{fit.target!s:{width}}  {fit.reason}", "green")
    for answer, label, colour in ((None, "unknown", "yellow"), (False, "does not fit", "dim")):
        for text in by_reason(fit for fit in shown_fits if fit.fits is answer):
            yield Line(label, text, colour)
    if report.variants is not None:
        told = f"{report.variants.words}; for `uv pip` only, see `torchconf explain variants`"
        yield Line("variants", told, "dim")
    yield from _environment_lines(report, catalog)
    yield from _verdict_lines(report)


def _hardware(found: Hardware, catalog: Catalog) -> Iterator[str]:
    driver = f"driver {found.driver}" if found.driver else "unknown driver"
    yield found.problem or f"{driver} (from {found.source})"
    for gpu in found.gpus:
        yield spoken_gpu(gpu, found.maker, catalog)


def _worth_showing(report: Report) -> Iterator[Fit]:
    """Yield the lines that go on, those of the project, and the only ones that fit a GPU."""
    named = {choice.backend for choice in report.wanted.choices} if report.wanted else set()
    served = {fit.backend.accelerator for fit in report.fits if fit.fits and fit.current}
    for fit in report.fits:
        only = fit.fits and fit.backend.accelerator not in served
        if fit.current or only or fit.backend.name in named:
            yield fit


def _environment_lines(report: Report, catalog: Catalog) -> Iterator[Line]:
    environment, wanted = report.environment, report.wanted
    if environment is None:
        yield Line("environment", "none")
    else:
        python = f", Python {environment.python}" if environment.python else ""
        yield Line("environment", f"{spoken_path(os.path.abspath(environment.path))}{python}")
        version = environment.packages.get(catalog.main_package)
        if version is not None and report.sight is not None:
            seen, colour = _sight(report.sight)
            yield Line("installed", f"{catalog.main_package} {version}, {seen}", colour)
    if (found := report.preinstalled) is not None:
        told = f"{catalog.main_package} {found.version} came with this container, in {found.folder}"
        yield Line("installed", told)
    for choice in wanted.choices if wanted is not None else ():
        yield Line("project", f"{choice.backend} with `{choice.command}`")


def _verdict_lines(report: Report) -> Iterator[Line]:
    """Yield what `sync` takes, whether that is there, and the one command that mends it."""
    sync, verdict = report.sync, report.verdict
    if sync is not None:
        told = f"{sync.target}: {sync.reason}" if sync.target else f"nothing: {sync.reason}"
        yield Line("sync takes", told, "" if sync.target else "yellow")
    if verdict is None:
        return
    if report.preinstalled is not None:
        yield Line("note", "uv did not install this torch, and would not use it", "yellow")
        yield Line("hint", "to install this project's build: `torchconf sync --force`", "yellow")
        return
    if verdict.reason is not None:
        wrong = verdict.matches is False
        yield Line("wrong" if wrong else "note", verdict.reason, "red" if wrong else "yellow")
    elif verdict.matches:
        yield Line("ok", "the installed build matches the project", "green")
    if verdict.hint is not None:
        yield Line("hint", verdict.hint, "yellow")
    command = verdict.command
    if command is None and sync is not None and sync.target is None:
        command = sync.command
    if command is not None and (verdict.reason is not None or verdict.matches is not True):
        yield Line("run", command)


def _sight(sight: TorchReport) -> tuple[str, str]:
    if sight.problem is not None:
        return f"fails to load: {sight.problem}", "red"
    if not sight.available:
        return "detects no GPU", ""
    devices = f": {', '.join(sight.devices)}" if sight.devices else ""
    return f"detects {', '.join(sight.available)}{devices}", "green"


def write_lines(lines: Iterable[Line], stream: TextIO, color: When) -> None:
    """Print labels and texts as two columns; a label stands once."""
    coloured = wants_colour(color, stream)
    lines = list(lines)
    width = max(len(line.label) for line in lines)
    before = ""
    for label, text, colour in lines:
        for number, part in enumerate(_wrapped(shown(text), width + 2, label, stream)):
            head = "" if label == before or number else label
            body = paint(part, _COLOURS[colour]) if coloured and colour else part
            stream.write(f"{head:{width}}  {body}\n")
        before = label


def _wrapped(text: str, indent: int, label: str, stream: TextIO) -> list[str]:
    """Return a text as lines; what is to be copied, and what a program reads, stays on one."""
    if label == "run" or not stream.isatty():
        return [text]
    # Imported here: they are for terminals.
    import shutil
    import textwrap

    columns = max(shutil.get_terminal_size().columns, _NARROWEST)
    # A command inside of a sentence is not broken.
    whole = re.sub("`[^`]+`", lambda found: found[0].replace(" ", "\0"), text)
    lines = textwrap.wrap(
        whole, columns - indent, break_long_words=False, break_on_hyphens=False,
        drop_whitespace=True,
    )  # fmt: skip
    return [line.replace("\0", " ") for line in lines]
