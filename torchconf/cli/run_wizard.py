"""The wizard at a terminal: read the project, ask, show the diff, write, say how to do it again."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING

from torchconf.cli.carry_out import make_changes, write_changes
from torchconf.errors import RequestError, TorchconfError, UvError, shown
from torchconf.files import spoken_path
from torchconf.model.named_tuple import NamedTuple
from torchconf.planner import Request
from torchconf.report.colour import wants_colour
from torchconf.report.messages import print_diff, print_notes, print_warnings
from torchconf.report.outcome import commands_table, untargeted
from torchconf.resolve.uv import find_uv
from torchconf.wizard import (
    KEY,
    LOCK,
    NO,
    AddTargetQuestions,
    InitQuestions,
    MachineFacts,
    RemoveTargetQuestions,
    ask_all,
    choose_asker,
    command_words,
    open_session,
    quoted,
    refusal_question,
    write_question,
)
from torchconf.workspace.facts import read_facts
from torchconf.workspace.opened import open_project

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torchconf.catalog import Catalog
    from torchconf.cli.add_target import AddTargetOptions
    from torchconf.cli.init import InitOptions
    from torchconf.cli.new_details import Details
    from torchconf.cli.options import CommonOptions, WritingOptions
    from torchconf.cli.remove_target import RemoveTargetOptions
    from torchconf.files import Change
    from torchconf.model.project import Project
    from torchconf.planner import Outcome
    from torchconf.planner.index_base import IndexBases
    from torchconf.report.colour import When
    from torchconf.templates import Template
    from torchconf.wizard import Answers, Question, Session
    from torchconf.workspace.opened import OpenProject


def ask_init(options: InitOptions, bases: IndexBases) -> int:
    """Ask for all that `init` takes, and do it; return the exit status."""
    context = open_project(options.common.project, script=options.script, may_be_missing=True)
    given = Request(index_base=bases.base, mirrors=bases.named, force=options.force)
    return _Interview("init", context, given, InitQuestions, options.writing, options.common).run()


def ask_addition(options: AddTargetOptions) -> int:
    """Ask which targets to add, and add them; return the exit status."""
    context = open_project(options.common.project, script=options.script)
    given = Request(layout=options.layout, force=options.force, record=options.record)
    return _Interview(
        "add-target", context, given, AddTargetQuestions, options.writing, options.common
    ).run()


def ask_removal(options: RemoveTargetOptions) -> int:
    """Ask which targets to remove, and remove them; return the exit status."""
    context = open_project(options.common.project, script=options.script)
    given = Request(force=options.force, record=options.record)
    return _Interview(
        "remove-target", context, given, RemoveTargetQuestions, options.writing, options.common
    ).run()


def ask_template(
    known: Sequence[Template], template: str | None, folder: str | None, color: When
) -> tuple[str, str]:
    """Ask for the template and the folder of a new project, as far as they are not given."""
    from torchconf.cli.new_folder import refuse_full
    from torchconf.wizard.project_questions import first

    def judge(text: str) -> None:
        if not text.strip():
            raise RequestError("no folder given", help="type a name such as my-project")
        refuse_full(os.path.abspath(text))

    titles = {one.name: one.summary for one in known}
    ask = choose_asker(colour=wants_colour(color, sys.stdout))
    answers = ask_all(first(titles, template, folder, judge), ask)
    return template or str(answers["template"]), folder or str(answers["folder"])


def ask_details(
    given: Details, folder: str, judges: Mapping[str, Callable[[str], object]], color: When
) -> Details:
    """Ask what a new project is called, and the like; return what flags or answers say."""
    from torchconf.wizard.project_questions import starting

    known = given._asdict()
    ask = choose_asker(colour=wants_colour(color, sys.stdout))
    answers = ask_all(starting(known, folder, judges), ask)
    return given._replace(
        **{key: str(answers[key]) for key, value in known.items() if value is None}
    )


def ask_targets(project: Project, given: Request, color: When) -> Request:
    """Ask for the targets of a project that is not written yet; return what they ask for."""
    from torchconf.catalog import load_catalog
    from torchconf.planner import Facts

    catalog = load_catalog()
    facts = Facts(folder=project.written_name or "")
    session = open_session(project, catalog, facts, find_machine(catalog), given)
    questions = InitQuestions(session)
    ask = choose_asker(colour=wants_colour(color, sys.stdout))
    return questions.request(ask_all(questions.next_question, ask))


def find_machine(catalog: Catalog) -> MachineFacts:
    """Return what can be found out about this machine."""
    from torchconf.machine import fits, this_machine

    machine = this_machine()
    judged = fits(machine.without_names(), catalog)
    makers = {hardware.maker for hardware in machine.hardware}
    return MachineFacts(
        machine.platform,
        words=", ".join([machine.words, *(machine.gpu_names() or ["no GPU found"])]),
        fits={fit.backend.name: fit.reason for fit in judged if fit.fits},
        # Of GPUs that it does not have, nothing need be said.
        unfit={
            fit.backend.name: fit.reason
            for fit in judged
            if fit.fits is False and catalog.maker(fit.backend.accelerator) in makers
        },
    )


class _Prepared(NamedTuple):
    """What the answers come to."""

    outcome: Outcome
    changes: Sequence[Change]

    @property
    def changed(self) -> bool:
        return any(change.is_one for change in self.changes)


class _Interview:
    """The questions of one command, and what is done with the answers."""

    def __init__(
        self,
        command: str,
        context: OpenProject,
        given: Request,
        kind: Callable[[Session], InitQuestions | AddTargetQuestions | RemoveTargetQuestions],
        writing: WritingOptions,
        common: CommonOptions,
    ) -> None:
        self.command = command
        self.writing = writing
        self.common = common
        self.context = context
        self.session = open_session(
            context.project, context.catalog, read_facts(context), find_machine(context.catalog),
            given,
        )  # fmt: skip
        self.questions = kind(self.session)

    def run(self) -> int:
        self._introduce()
        ask = choose_asker(colour=wants_colour(self.common.color, sys.stdout))
        answers = ask_all(self._next_question, ask)
        request = self.questions.request(answers)
        if answers.get(KEY) == NO:
            sys.stderr.write("nothing written\n")
            self._say_again(request, "to run this later:")
            return 1
        prepared = self._prepare(request)
        lock = answers.get(KEY) == LOCK or self.writing.lock
        if self.writing.dry_run:
            self._show(prepared)
        else:
            try:
                self._finish(prepared, lock=lock)
            except UvError:
                self._say_again(request, "to run this without locking:")
                raise
        self._say_again(request, "equivalent command:", lock=lock)
        return 0

    def _introduce(self) -> None:
        file, before = self.context.file, self.session.before
        state = "" if file.raw is not None else " (new file)"
        _say(f"torchconf {self.command}: {spoken_path(file.path)}{state}")
        if before.layout is not None and self.session.present:
            targets = ", ".join(map(str, self.session.present))
            _say(f"Current layout: {before.layout}. Targets: {targets}.")
        if self.session.machine.words and self.command != "remove-target":
            _say(f"This machine: {self.session.machine.words}")
        _say("Nothing is written until you confirm. Press Ctrl-C to quit.")
        sys.stdout.write("\n")

    def _prepare(self, request: Request) -> _Prepared:
        outcome = self.session.plan(request)
        return _Prepared(outcome, make_changes(self.context, outcome))

    def _next_question(self, answers: Answers) -> Question | None:
        """Return the next question; the last one is whether to write."""
        question = self.questions.next_question(answers)
        if question is not None or KEY in answers or self.writing.dry_run:
            return question
        try:
            prepared = self._prepare(self.questions.request(answers))
        except TorchconfError as error:
            return refusal_question(error)
        if not prepared.changed:
            return None
        files = " and ".join(
            spoken_path(change.file.path) for change in prepared.changes if change.is_one
        )
        return write_question(lambda: self._show(prepared), files, lock=self._lock_trouble())

    def _lock_trouble(self) -> str | None:
        if self.writing.lock:
            return ""
        try:
            find_uv()
        except UvError as error:
            return error.message
        return None

    def _show(self, prepared: _Prepared) -> None:
        """Show what would change, and what to know of it."""
        sys.stdout.write("\n")
        sys.stdout.flush()
        print_diff("".join(change.diff for change in prepared.changes), self.common.color)
        sys.stdout.write("\n")
        sys.stdout.flush()
        print_warnings(prepared.outcome.plan.warnings, self.common.color)
        others = untargeted(prepared.outcome, self.context.catalog)
        print_notes((*prepared.outcome.plan.notes, *others, ""))

    def _finish(self, prepared: _Prepared, *, lock: bool) -> None:
        if prepared.changed:
            write_changes(self.context, prepared.changes, lock=lock, quiet=self.common.quiet)
        for change in prepared.changes:
            path = spoken_path(change.file.path)
            done = f"wrote {path}" if change.is_one else f"{path}: no changes needed"
            print_notes([done])
        sys.stderr.flush()
        sys.stdout.write(commands_table(prepared.outcome, self.context.catalog))

    def _say_again(self, request: Request, head: str, *, lock: bool = False) -> None:
        """Print the command that means the same without a question."""
        words = ["torchconf", *command_words(self.command, request)]
        words += ["--project", self.common.project] if self.common.project else []
        words += ["--script", self.context.file.path] if self.context.project.is_script else []
        words += ["--lock"] if lock else []
        sys.stdout.write(f"\n{head}\n  {shown(quoted(words))}\n")


def _say(text: str) -> None:
    """Print a sentence, broken between words."""
    columns = shutil.get_terminal_size().columns
    lines = textwrap.wrap(shown(text), max(columns - 1, 20), break_on_hyphens=False)
    sys.stdout.write("\n".join(lines) + "\n")
