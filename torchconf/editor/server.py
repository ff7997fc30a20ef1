"""The language server: which files are open, when they are checked, and the connection.

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
from torchconf.editor.analysis import is_read
from torchconf.editor.document import Document
from torchconf.editor.features import register

if TYPE_CHECKING:
    from collections.abc import Iterable
    from concurrent.futures import Future
    from typing import Any

    from torchconf.editor.changes import Replacement
    from torchconf.editor.lines import Encoding

__all__ = ["Server", "serve"]

_PAUSE = 0.005
"""Seconds without a change after which a text is checked."""
_LONGEST = 0.2
"""Seconds after which it is checked although changes go on."""
_ENCODINGS: dict[str, Encoding] = {"utf-8": "utf-8", "utf-16": "utf-16", "utf-32": "utf-32"}

_log = logging.getLogger("torchconf")


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
        register(self)

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
