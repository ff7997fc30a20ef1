"""Checking documents: from texts to findings with their places, and from findings to fixed texts.

A `Unit` is what has to be looked at together: a project, a workspace, or a script. It holds texts,
not files, so that a fix can be tried before anything is written.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from torchconf.edits.read_toml import read_toml
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.project import Record
from torchconf.model.read_project import read_project
from torchconf.rules import (
    RULES,
    Context,
    Finding,
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
    from torchconf.errors import ProjectError
    from torchconf.model.project import Project
    from torchconf.model.scripts import Block
    from torchconf.model.targets import Platform
    from torchconf.model.toml_path import Path
    from torchconf.rules.rule_selection import IgnoreComments

__all__ = ["Answers", "CheckResult", "CheckedFile", "Fixed", "Placed", "Tally", "Unit"]


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


Tally: TypeAlias = "dict[tuple[str, Severity], int]"
"""How often each code was found, hidden findings included."""
Answers: TypeAlias = "list[tuple[CheckResult, Tally]]"


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
        return tuple(outcome for outcome, _ in self.found)

    @cached_property
    def found(self) -> Answers:
        """What is found in the documents as they are: `check_with` no other texts."""
        return self.check_with({})

    def fix_one(self, one: Placed) -> str | None:
        """Return the new text of a document with the fix of one finding; None if it is not taken.

        As with `fix`, it brings nothing new, or is taken with the fixes of what it uncovers.
        """
        # Imported here: only a run that fixes needs it.
        from torchconf.rules.fixing import fix_one

        return fix_one(self, one)

    def fix(self, *, unsafe: bool) -> tuple[Fixed, ...]:
        """Fix what can be fixed in the documents that were asked for, one finding at a time.

        A fix that would bring a new finding, in any of the documents, is not taken, unless that
        finding has a fix of its own: then both are taken together.

        Args:
            unsafe: Whether fixes that change more than what is surely wrong are taken too.

        Raises:
            ProjectError: As `check` does.
        """
        # Imported here: only a run that fixes needs it.
        from torchconf.rules.fixing import fix

        return fix(self, unsafe=unsafe)

    def check_with(self, texts: Mapping[str, str]) -> Answers:
        """Return the outcome of each document asked for, and a tally of all that is found.

        Args:
            texts: What some of the documents say now, by name.
        """
        read = [_Read(document, texts.get(document.name)) for document in self.documents]
        root, *members = read
        root.open(None)
        for member in members:
            member.open(root.project)
        projects = [member.project for member in members]
        workspace = Workspace(
            root.project,
            projects,
            self._libraries,
            catalog=self._catalog.for_project(root.project, *projects),
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


def _tally(findings: Iterable[Finding]) -> Tally:
    found: Tally = {}
    for finding in findings:
        key = finding.code, finding.severity
        found[key] = found.get(key, 0) + 1
    return found


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
            self.data = as_project(read_toml(self.block.padded if self.block else "", name))
        else:
            self.data = read_toml(text, name)
        self.project = read_project(
            self.data,
            root=root,
            at=name,
            problems=self.problems,
            is_script=self.document.is_script,
        )

    def context(self, workspace: Workspace, targets: Iterable[Platform]) -> Context:
        return Context(
            self.project,
            workspace,
            problems=self.problems,
            targets=targets,
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
                placed.append(
                    Placed(file=self.document.name, finding=self._spoken(finding), span=span)
                )
        placed.sort(key=lambda one: (one.span.line, one.span.column, one.finding.code))
        return self._result(tuple(placed), ignored, words, comments)

    def _spoken(self, finding: Finding) -> Finding:
        """Return a finding at the place as its file calls it."""
        if self.block is None:
            return finding
        from torchconf.model.scripts import from_project

        return finding._replace(path=from_project(finding.path))

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
