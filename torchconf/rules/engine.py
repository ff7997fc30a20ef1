"""Checking documents: from texts to findings with their places, and from findings to fixed texts.

A `Unit` is what has to be looked at together: a project, a workspace, or a script. It holds texts,
not files, so that a fix can be tried before anything is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from torchconf.edits.read_toml import read_toml
from torchconf.errors import ProjectError, WriteRefused
from torchconf.model.project import Record, read_project
from torchconf.rules import (
    RULES,
    Context,
    Finding,
    Fix,
    Severity,
    Workspace,
    find,
    without_last_resorts,
)
from torchconf.rules.rule_selection import (
    RuleSelection,
    is_ignored,
    old_names,
    read_ignore_comments,
    select_rules,
    settings_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from torchconf.catalog import Catalog
    from torchconf.edits.positions import Span
    from torchconf.model.project import Project
    from torchconf.model.scripts import Block
    from torchconf.model.targets import Platform
    from torchconf.model.toml_path import Path
    from torchconf.rules.rule_selection import IgnoreComments

__all__ = ["CheckResult", "CheckedFile", "Fixed", "Placed", "Unit"]


class CheckedFile(NamedTuple):
    """One text to be checked, or to be read with the others."""

    name: str
    """As people know the file."""
    text: str
    is_reported: bool = True
    """Whether its findings were asked for; else it is only read."""
    is_script: bool = False


class Placed(Record):
    """A finding, and where it stands in its file."""

    file: str
    finding: Finding
    span: Span
    not_taken: str | None = None
    """Why a fix that was asked for is not taken."""

    @property
    def place(self) -> tuple[str, Path, str]:
        """What tells this finding from the others, while its file is fixed."""
        return self.file, self.finding.path, self.finding.message


class CheckResult(Record):
    """What was found in one document."""

    document: CheckedFile
    findings: tuple[Placed, ...]
    """In the order of the text."""
    ignored: int
    """How many more a comment in the file hides."""
    old_names: tuple[str, ...]
    """Names in its settings and comments that rules no longer have."""
    mistakes: tuple[tuple[int, str], ...]
    """What is wrong with its comments that ignore findings, by line."""

    def with_reasons(self, reasons: Mapping[tuple[str, Path, str], str]) -> CheckResult:
        """Return the same with the reasons why fixes are not taken."""
        findings = (one.changed(not_taken=reasons.get(one.place)) for one in self.findings)
        return self.changed(findings=tuple(findings))


class Fixed(Record):
    """A document, and its text after fixes."""

    document: CheckedFile
    text: str
    """With fixes; the document's own, if there is nothing to fix."""
    taken: tuple[Finding, ...]
    """What was fixed."""
    outcome: CheckResult
    """What is found in the fixed text."""


class Unit:
    """Documents that uv reads together."""

    def __init__(
        self,
        root: CheckedFile,
        members: Sequence[CheckedFile] = (),
        *,
        libraries: Mapping[str, Project | None] | None = None,
        lockfile: str = "",
        catalog: Catalog,
        targets: Iterable[Platform] = (),
        selection: RuleSelection | None = None,
    ) -> None:
        """Take the texts as they were read.

        Args:
            root: The workspace root, the project, or the script.
            members: The other members of the workspace.
            libraries: Path libraries by path, as the source entries write it.
            lockfile: The text of `uv.lock`; empty if there is none.
            catalog: What is known of PyTorch's wheels.
            targets: Platforms that the projects are said to be for.
            selection: The rules that were asked for; None for what the files say.
        """
        self.documents = (root, *members)
        self._libraries = libraries
        self._lockfile = lockfile
        self._catalog = catalog
        self._targets = tuple(targets)
        self._selection = selection or RuleSelection()

    def check(self) -> tuple[CheckResult, ...]:
        """Check the documents that were asked for.

        Raises:
            ProjectError: A text is no TOML, or its settings of torchconf make no sense.
        """
        return tuple(outcome for outcome, _ in self._check({}))

    def fix(self, *, unsafe: bool) -> tuple[Fixed, ...]:
        """Fix what can be fixed in the documents that were asked for, one finding at a time.

        A fix that would bring a new finding, in any of the documents, is not taken, unless that
        finding has a fix of its own: then both are taken together.

        Args:
            unsafe: Whether fixes that change more than what is surely wrong are taken too.

        Raises:
            ProjectError: As `check` does.
        """
        texts: dict[str, str] = {}
        taken: dict[str, list[Finding]] = {}
        refused: dict[_Place, str] = {}
        now = self._check(texts)
        while True:
            step = self._next_fix(now, texts, refused, unsafe=unsafe)
            if step is None:
                break
            texts, now = step.texts, step.answers
            if any(one.severity is not Severity.INFO for _, one in step.taken):
                refused.clear()  # What stood in the way may be gone.
            for name, finding in step.taken:
                taken.setdefault(name, []).append(finding)
        before = {document.name: document for document in self.documents}
        return tuple(
            Fixed(
                document=before[outcome.document.name],
                text=texts.get(outcome.document.name, outcome.document.text),
                taken=tuple(taken.get(outcome.document.name, ())),
                outcome=outcome.with_reasons(refused),
            )
            for outcome, _ in now
        )

    def _next_fix(
        self,
        now: _Answers,
        texts: dict[str, str],
        refused: dict[_Place, str],
        *,
        unsafe: bool,
    ) -> _Step | None:
        """Take the first fix that helps and breaks nothing; None if there is none."""
        for outcome, _ in now:
            for placed in outcome.findings:
                fix = placed.finding.fix
                if fix is None or not (fix.safe or unsafe) or placed.place in refused:
                    continue
                step = self._take(now, texts, outcome.document, placed.finding, unsafe=unsafe)
                if not isinstance(step, str):
                    return step
                refused[placed.place] = step
        return None

    def _take(
        self,
        now: _Answers,
        texts: dict[str, str],
        document: CheckedFile,
        finding: Finding,
        *,
        unsafe: bool,
    ) -> _Step | str:
        """Take one fix, with those of what it uncovers; or say why it is not taken."""
        taken: list[tuple[str, Finding]] = []
        after, answers = texts, now
        brought: list[str] = []
        step: tuple[CheckedFile, Finding] | None = (document, finding)
        while step is not None and step[1].fix is not None and len(taken) < _MOST_TOGETHER:
            trial = self._try(step[0], step[1].fix, after)
            if trial is None:
                break
            after, answers = trial
            taken.append((step[0].name, step[1]))
            if _is_better(now, answers, finding):
                return _Step(after, answers, tuple(taken))
            brought = brought or _brought(now, answers)
            step = _uncovered(now, answers, unsafe=unsafe)
        if brought:
            return f"it would cause {' and '.join(brought)}"
        return "it would not solve the problem" if taken else "the file cannot be edited there"

    def _try(
        self, document: CheckedFile, fix: Fix, texts: dict[str, str]
    ) -> tuple[dict[str, str], _Answers] | None:
        """Return the texts after one fix, and what is found in them; None if it fails."""
        before = texts.get(document.name, document.text)
        try:
            after = texts | {document.name: _edited(document, before, fix)}
            return after, self._check(after)
        except (WriteRefused, ProjectError):
            return None

    def _check(self, texts: Mapping[str, str]) -> _Answers:
        """Return the outcome of each document asked for, and a tally of all that is found."""
        read = [_Read(document, texts.get(document.name)) for document in self.documents]
        root, *members = read
        root.open(None)
        for member in members:
            member.open(root.project)
        workspace = Workspace(
            root.project,
            [member.project for member in members],
            self._libraries,
            catalog=self._catalog,
            lockfile=self._lockfile,
        )
        shared = settings_of(root.data, RULES, root.document.name)
        asked = []
        for one in read:
            if one.document.is_reported:
                own = settings_of(one.data, RULES, one.document.name)
                codes = select_rules(RULES, self._selection, own, shared)
                found = find(one.context(workspace, self._targets), codes)
                asked.append((one, own, codes, found))
        return [
            (one.outcome(found, codes, own.words + shared.words), _tally(found))
            for (one, own, codes, _), found in zip(
                asked, without_last_resorts([found for *_, found in asked]), strict=True
            )
        ]


_Tally: TypeAlias = "dict[tuple[str, Severity], int]"
_Answers: TypeAlias = "list[tuple[CheckResult, _Tally]]"


_Place: TypeAlias = "tuple[str, Path, str]"
_MOST_TOGETHER = 8
"""How many fixes are taken at once, where one uncovers the next."""


class _Step(NamedTuple):
    """Fixes that are taken together, and what is there then."""

    texts: dict[str, str]
    answers: _Answers
    taken: tuple[tuple[str, Finding], ...]
    """Each with the name of its file."""


def _brought(before: _Answers, after: _Answers) -> list[str]:
    """Return the codes of errors and warnings that there were fewer of."""
    old = _joined(tally for _, tally in before)
    new = _joined(tally for _, tally in after)
    return sorted(
        {key[0] for key, n in new.items() if key[1] is not Severity.INFO and n > old.get(key, 0)}
    )


def _uncovered(
    before: _Answers, after: _Answers, *, unsafe: bool
) -> tuple[CheckedFile, Finding] | None:
    """Return the first finding that has come to light and that a fix corrects."""
    codes = _brought(before, after)
    return next(
        (
            (outcome.document, placed.finding)
            for outcome, _ in after
            for placed in outcome.findings
            if placed.finding.code in codes
            and placed.finding.fix is not None
            and (placed.finding.fix.safe or unsafe)
        ),
        None,
    )


def _is_better(before: _Answers, after: _Answers, finding: Finding) -> bool:
    """Tell whether a finding is gone, and nothing has become wrong that was not."""
    old = _joined(tally for _, tally in before)
    new = _joined(tally for _, tally in after)
    fewer = new.get(_key(finding), 0) < old[_key(finding)]
    return fewer and all(
        count <= old.get(key, 0) for key, count in new.items() if key[1] is not Severity.INFO
    )


def _joined(tallies: Iterable[_Tally]) -> _Tally:
    found: _Tally = {}
    for tally in tallies:
        for key, count in tally.items():
            found[key] = found.get(key, 0) + count
    return found


def _tally(findings: Iterable[Finding]) -> _Tally:
    found: _Tally = {}
    for finding in findings:
        found[_key(finding)] = found.get(_key(finding), 0) + 1
    return found


def _key(finding: Finding) -> tuple[str, Severity]:
    return finding.code, finding.severity


class _Read:
    """A document with its text of the moment, read."""

    project: Project
    data: dict[str, Any]

    def __init__(self, document: CheckedFile, text: str | None) -> None:
        self.document = document if text is None else document._replace(text=text)
        self.problems: list[ProjectError] = []
        self.block: Block | None = None

    def open(self, root: Project | None) -> None:
        name, text = self.document.name, self.document.text
        if self.document.is_script:
            # Imported here: most documents are no scripts.
            from torchconf.model.scripts import as_project, find_block

            self.block = find_block(text, name)
            # Blank lines in the place of the code above, so that errors name lines of the script.
            text = "\n" * (self.block.first_line - 1) + self.block.toml if self.block else ""
            self.data = as_project(read_toml(text, name))
        else:
            self.data = read_toml(text, name)
        self.project = read_project(self.data, root=root, at=name, problems=self.problems)

    def context(self, workspace: Workspace, targets: Iterable[Platform]) -> Context:
        return Context(
            self.project,
            workspace,
            problems=self.problems,
            targets=targets,
            is_script=self.document.is_script,
            text=self.document.text,
        )

    def outcome(
        self, found: Iterable[Finding], codes: frozenset[str], words: Iterable[str]
    ) -> CheckResult:
        """Put the findings that count in their places, less those that a comment hides."""
        counting = [finding for finding in found if finding.code in codes]
        comments = self._comments()
        if not counting:
            return self._result((), 0, words, comments)
        hidden = comments.lines if comments else {}
        placed: list[Placed] = []
        ignored = 0
        for finding, span in zip(counting, self._spans(counting), strict=True):
            if hidden and is_ignored(finding, range(span.line, span.end_line + 1), hidden):
                ignored += 1
            else:
                placed.append(Placed(file=self.document.name, finding=finding, span=span))
        placed.sort(key=lambda one: (one.span.line, one.span.column, one.finding.code))
        return self._result(tuple(placed), ignored, words, comments)

    def _comments(self) -> IgnoreComments | None:
        if self.block is not None:
            return read_ignore_comments(self.block.toml, RULES, self.block.first_line)
        return read_ignore_comments(self.document.text, RULES)

    def _result(
        self,
        findings: tuple[Placed, ...],
        ignored: int,
        words: Iterable[str],
        comments: IgnoreComments | None,
    ) -> CheckResult:
        said = [word for line in comments.lines.values() for word in line] if comments else []
        return CheckResult(
            document=self.document,
            findings=findings,
            ignored=ignored,
            old_names=old_names((*words, *said)),
            mistakes=comments.mistakes if comments else (),
        )

    def _spans(self, findings: Iterable[Finding]) -> list[Span]:
        # Imported here: most files are right, and have no place to be found.
        from torchconf.edits.positions import Locator, Span

        paths = [finding.path for finding in findings]
        if self.block is None:
            locator = Locator(self.document.text)
            return [locator.span(path) for path in paths]
        from torchconf.model.scripts import from_project

        locator, block = Locator(self.block.toml), self.block
        found = []
        for path in paths:
            line, column, end_line, end_column = locator.span(from_project(path))
            above = block.first_line - 1
            found.append(
                Span(line + above, block.column(column), end_line + above, block.column(end_column))
            )
        return found


def _edited(document: CheckedFile, text: str, fix: Fix) -> str:
    # Imported here: only a run that fixes needs them.
    from torchconf.edits import edit_text
    from torchconf.edits.plan import with_paths
    from torchconf.model.scripts import find_block, from_project, with_block

    if not document.is_script:
        return edit_text(text, fix.steps, document.name)
    block = find_block(text, document.name)
    if block is None:
        raise WriteRefused("the script no longer has a metadata block", at=document.name)
    toml = edit_text(block.toml, with_paths(fix.steps, from_project), document.name)
    return with_block(text, block, toml)
