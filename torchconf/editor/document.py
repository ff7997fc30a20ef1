"""One open file in the words of the protocol: its places, its problems, its edits."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from lsprotocol import types as lsp

from torchconf.editor.analysis import Analysis, Problem
from torchconf.editor.lines import Lines
from torchconf.rules import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchconf.editor.changes import Replacement
    from torchconf.editor.lines import Encoding

__all__ = ["Document"]

_SEVERITIES = {
    Severity.ERROR: lsp.DiagnosticSeverity.Error,
    Severity.WARNING: lsp.DiagnosticSeverity.Warning,
    Severity.INFO: lsp.DiagnosticSeverity.Information,
}

_log = logging.getLogger("torchconf")


class Document:
    """One open file: its text of the moment, with what was derived from it."""

    def __init__(self, uri: str, path: str, version: int | None, text: str, code: Encoding) -> None:
        """Take a text."""
        self.uri = uri
        self.path = path
        self.version = version
        self.lines = Lines(text, code)
        self.analysis = Analysis(path, text)

    def range(self, start: int, end: int) -> lsp.Range:
        """Return a stretch of the text as the protocol has it."""
        return lsp.Range(self.position(start), self.position(end))

    def position(self, offset: int) -> lsp.Position:
        """Return a place of the text as the protocol has it."""
        return lsp.Position(*self.lines.position(offset))

    def offset(self, position: lsp.Position) -> int:
        """Return a place of the protocol in the text."""
        return self.lines.offset(position.line, position.character)

    def diagnostics(self) -> list[lsp.Diagnostic]:
        """Return what is wrong, as the protocol has it."""
        try:
            return [self.diagnostic(one) for one in self.analysis.problems]
        except Exception as error:  # noqa: BLE001 - a mistake of ours must not end what a person edits with
            _log.exception("cannot check %s", self.path)
            message = f"torchconf failed: {type(error).__name__}: {error}\nhelp: this is a bug"
            return [self.diagnostic(Problem(0, 0, Severity.WARNING, message))]

    def diagnostic(self, one: Problem) -> lsp.Diagnostic:
        """Return one problem as the protocol has it."""
        return lsp.Diagnostic(
            range=self.range(one.start, one.end),
            message=one.message,
            severity=_SEVERITIES[one.severity],
            code=one.code,
            code_description=lsp.CodeDescription(href=one.link) if one.link else None,
            source="torchconf",
        )

    def edits(self, changes: Iterable[Replacement]) -> list[lsp.TextEdit]:
        """Return changes of the text as the protocol has them."""
        return [lsp.TextEdit(self.range(one.start, one.end), one.text) for one in changes]
