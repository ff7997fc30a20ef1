"""The language server: what the protocol says, turned into questions of an `Analysis` and back.

The whole text comes with each change: no edit is applied here that could leave our text and the
editor's apart. Changes that come close together are answered once, for the last of them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from threading import Event
from typing import TYPE_CHECKING, BinaryIO

from lsprotocol import types as lsp
from pygls import uris
from pygls.io_ import StdinAsyncReader, StdoutWriter, run_async
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol

from torchconf import __version__
from torchconf.editor import actions, completion
from torchconf.editor.analysis import Analysis, Problem, is_read
from torchconf.editor.hints import hints
from torchconf.editor.hover import hover
from torchconf.editor.lines import Lines
from torchconf.rules import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable
    from concurrent.futures import Future
    from typing import Any

    from torchconf.editor.changes import Replacement
    from torchconf.editor.lines import Encoding

__all__ = ["Server", "serve"]

FIX_ALL = f"{lsp.CodeActionKind.SourceFixAll.value}.torchconf"
_PAUSE = 0.005
"""Seconds without a change after which a text is checked."""
_LONGEST = 0.2
"""Seconds after which it is checked although changes go on."""
_SEVERITIES = {
    Severity.ERROR: lsp.DiagnosticSeverity.Error,
    Severity.WARNING: lsp.DiagnosticSeverity.Warning,
    Severity.INFO: lsp.DiagnosticSeverity.Information,
}
_ENCODINGS: dict[str, Encoding] = {"utf-8": "utf-8", "utf-16": "utf-16", "utf-32": "utf-32"}
_WATCHED = ("**/pyproject.toml", "**/uv.lock", "**/*.py.lock")

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


class Protocol(LanguageServerProtocol):
    """pygls's protocol, which keeps a future of each notification for good: here it is let go."""

    def _check_handler_result(self, future: Future[Any]) -> None:
        super()._check_handler_result(future)
        # Those of requests are gone when they are done: these are notifications'.
        for number in [key for key, one in self._request_futures.items() if one.done()]:
            del self._request_futures[number]


class Server(LanguageServer):
    """What is open, and what waits to be checked."""

    def __init__(self) -> None:
        """Offer what there is."""
        super().__init__(
            "torchconf",
            __version__,
            text_document_sync_kind=lsp.TextDocumentSyncKind.Full,
            protocol_cls=Protocol,
        )
        self.documents: dict[str, Document] = {}
        self.wants_hints = False
        self._waiting: dict[str, float] = {}
        """When the first change came that is not answered yet, by document."""
        self._timers: dict[str, asyncio.TimerHandle] = {}
        _register(self)

    def report_server_error(self, error: Exception, source: object) -> None:
        """Write to the log; no message is put before whoever is typing."""
        _log.error("%s: %s", source, error)

    # Documents.

    def take(self, uri: str) -> None:
        """Know the text that a document has now."""
        path = uris.to_fs_path(uri) if uri.startswith("file:") else None
        if path is None or not is_read(path):
            return
        text = self.workspace.get_text_document(uri)
        asked = self.workspace.position_encoding
        code = _ENCODINGS.get(getattr(asked, "value", "") or str(asked), "utf-16")
        self.documents[uri] = Document(uri, path, text.version, text.source, code)

    def check(self, uri: str) -> None:
        """Tell the editor what is wrong with a document."""
        if timer := self._timers.pop(uri, None):
            timer.cancel()
        self._waiting.pop(uri, None)
        document = self.documents.get(uri)
        if document is not None:
            self._publish(uri, document.diagnostics(), document.version)

    def check_soon(self, uri: str) -> None:
        """Check a document unless it changes again within the next moment."""
        if uri not in self.documents:
            return
        loop = asyncio.get_running_loop()
        now = time.monotonic()
        since = self._waiting.setdefault(uri, now)
        if timer := self._timers.pop(uri, None):
            timer.cancel()
        pause = max(min(_PAUSE, since + _LONGEST - now), 0)
        self._timers[uri] = loop.call_later(pause, self.check, uri)

    def look_around_again(self, but: str | None = None) -> None:
        """Check what is open again, because a file on the disk has changed."""
        for uri in [uri for uri in self.documents if uri != but]:
            self.take(uri)
            self.check_soon(uri)

    def forget(self, uri: str) -> None:
        """Close a document."""
        if timer := self._timers.pop(uri, None):
            timer.cancel()
        self._waiting.pop(uri, None)
        if self.documents.pop(uri, None) is not None:
            self._publish(uri, [], None)

    def _publish(self, uri: str, found: list[lsp.Diagnostic], version: int | None) -> None:
        params = lsp.PublishDiagnosticsParams(uri=uri, diagnostics=found, version=version)
        self.text_document_publish_diagnostics(params)

    # What the editor can do.

    def configure(self, options: object) -> None:
        """Take the settings of the editor: `{"inlayHints": true}`, in a table of ours or not."""
        if isinstance(options, dict):
            own = options.get("torchconf", options)
            if isinstance(own, dict) and isinstance(own.get("inlayHints"), bool):
                self.wants_hints = own["inlayHints"]

    def workspace_edit(
        self, document: Document, changes: Iterable[Replacement]
    ) -> lsp.WorkspaceEdit:
        """Return an edit of one document; of this very version, if the editor can tell."""
        edits = document.edits(changes)
        workspace = self.client_capabilities.workspace
        can = workspace.workspace_edit if workspace else None
        if can is None or not can.document_changes:
            return lsp.WorkspaceEdit(changes={document.uri: edits})
        name = lsp.OptionalVersionedTextDocumentIdentifier(document.uri, document.version)
        return lsp.WorkspaceEdit(document_changes=[lsp.TextDocumentEdit(name, [*edits])])

    def watches(self) -> bool:
        """Tell whether the editor says which files change on the disk, if it is asked to."""
        workspace = self.client_capabilities.workspace
        can = workspace.did_change_watched_files if workspace else None
        return bool(can and can.dynamic_registration)


def _register(server: Server) -> None:
    feature = server.feature

    @feature(lsp.INITIALIZE)
    def initialize(params: lsp.InitializeParams) -> None:
        server.configure(params.initialization_options)

    @feature(lsp.INITIALIZED)
    def initialized(_: lsp.InitializedParams) -> None:
        if server.watches():
            _watch(server)

    @feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: lsp.DidOpenTextDocumentParams) -> None:
        server.take(params.text_document.uri)
        server.check(params.text_document.uri)

    @feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: lsp.DidChangeTextDocumentParams) -> None:
        server.take(params.text_document.uri)
        server.check_soon(params.text_document.uri)

    @feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    def did_save(params: lsp.DidSaveTextDocumentParams) -> None:
        server.take(params.text_document.uri)
        server.check(params.text_document.uri)
        server.look_around_again(but=params.text_document.uri)

    @feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: lsp.DidCloseTextDocumentParams) -> None:
        server.forget(params.text_document.uri)

    @feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def did_change_watched(_: lsp.DidChangeWatchedFilesParams) -> None:
        server.look_around_again()

    @feature(lsp.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def did_change_configuration(params: lsp.DidChangeConfigurationParams) -> None:
        server.configure(params.settings)

    kinds = [lsp.CodeActionKind.QuickFix, FIX_ALL]

    @feature(lsp.TEXT_DOCUMENT_CODE_ACTION, lsp.CodeActionOptions(code_action_kinds=kinds))
    def code_action(params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        return _code_actions(server, params)

    @feature(lsp.TEXT_DOCUMENT_HOVER)
    def on_hover(params: lsp.HoverParams) -> lsp.Hover | None:
        document = server.documents.get(params.text_document.uri)
        found = document and hover(document.analysis, document.offset(params.position))
        if not document or not found:
            return None
        content = lsp.MarkupContent(lsp.MarkupKind.Markdown, found.text)
        return lsp.Hover(content, document.range(found.start, found.end))

    triggers = lsp.CompletionOptions(trigger_characters=['"', "'", "[", "{", "=", ",", " "])

    @feature(lsp.TEXT_DOCUMENT_COMPLETION, triggers)
    def complete(params: lsp.CompletionParams) -> lsp.CompletionList:
        document = server.documents.get(params.text_document.uri)
        return lsp.CompletionList(
            is_incomplete=False,
            items=[] if document is None else _completions(document, params.position),
        )

    @feature(lsp.TEXT_DOCUMENT_INLAY_HINT)
    def inlay_hint(params: lsp.InlayHintParams) -> list[lsp.InlayHint]:
        document = server.documents.get(params.text_document.uri)
        if document is None or not server.wants_hints:
            return []
        start, end = document.offset(params.range.start), document.offset(params.range.end)
        return [
            lsp.InlayHint(
                document.position(one.offset), one.text, tooltip=one.command, padding_left=True
            )
            for one in hints(document.analysis)
            if start <= one.offset <= end
        ]


def _watch(server: Server) -> None:
    watchers = [lsp.FileSystemWatcher(pattern) for pattern in _WATCHED]
    options = lsp.DidChangeWatchedFilesRegistrationOptions(watchers)
    name = lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES
    registration = lsp.Registration("torchconf-files", name, options)
    server.client_register_capability(lsp.RegistrationParams([registration]))


def _code_actions(server: Server, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
    document = server.documents.get(params.text_document.uri)
    if document is None:
        return []
    only = params.context.only
    found: list[lsp.CodeAction] = []
    if _is_wanted(lsp.CodeActionKind.QuickFix.value, only):
        start, end = document.offset(params.range.start), document.offset(params.range.end)
        for one in actions.quick_fixes(document.analysis, start, end):
            action = lsp.CodeAction(
                one.title,
                kind=lsp.CodeActionKind.QuickFix,
                diagnostics=[document.diagnostic(one.problem)] if one.problem else None,
                is_preferred=one.is_safe or None,
                edit=server.workspace_edit(document, one.changes),
            )
            found.append(action)
    if _is_wanted(FIX_ALL, only) and (all_ := actions.fix_all(document.analysis)):
        edit = server.workspace_edit(document, all_.changes)
        found.append(lsp.CodeAction(all_.title, kind=FIX_ALL, edit=edit))
    return found


def _is_wanted(kind: str, only: Iterable[Any] | None) -> bool:
    """Tell whether a kind is, or is below, one of those that are asked for."""
    if only is None:
        return True
    names = [getattr(one, "value", one) for one in only]
    return any(kind == name or not name or kind.startswith(f"{name}.") for name in names)


def _completions(document: Document, position: lsp.Position) -> list[lsp.CompletionItem]:
    found = completion.suggestions(document.analysis, document.offset(position))
    return [
        lsp.CompletionItem(
            label=one.label,
            detail=one.detail or None,
            kind=lsp.CompletionItemKind.Value,
            sort_text=f"{number:04}",
            filter_text=one.text,
            text_edit=lsp.TextEdit(document.range(one.start, one.end), one.text),
        )
        for number, one in enumerate(found)
    ]


def serve(source: BinaryIO, sink: BinaryIO) -> int:
    """Answer until the editor says goodbye or is gone; return the exit status.

    Not pygls's own loop: that one takes Ctrl-C, and any exit status, for a good end.

    Args:
        source: What the editor says.
        sink: Where the answers go; nothing else may be written there.
    """
    server = Server()
    protocol = server.protocol
    protocol.set_writer(StdoutWriter(sink))
    reader = StdinAsyncReader(source, server.thread_pool)
    try:
        asyncio.run(
            run_async(Event(), reader, protocol, _log, error_handler=server.report_server_error)
        )
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 0
    except BrokenPipeError:
        return 1
    finally:
        with suppress(OSError, ValueError):
            sink.flush()
    # The input has ended without an `exit`: the editor has died.
    return 1
