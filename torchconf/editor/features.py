"""What an editor may say, and what is done about it: a handler for each method of the protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types as lsp

from torchconf.editor import actions, completion
from torchconf.editor.hints import hints
from torchconf.editor.hover import hover

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from torchconf.editor.document import Document
    from torchconf.editor.server import Server

__all__ = ["register"]

FIX_ALL = f"{lsp.CodeActionKind.SourceFixAll.value}.torchconf"
_WATCHED = ("**/pyproject.toml", "**/uv.lock", "**/*.py.lock")


def register(server: Server) -> None:
    """Let a server hear all that it has an answer to."""
    _hear_surroundings(server)
    _hear_documents(server)
    _answer_questions(server)


def _hear_surroundings(server: Server) -> None:
    """Take what the editor says about itself and about files that are not open."""
    feature = server.feature

    @feature(lsp.INITIALIZE)
    def initialize(params: lsp.InitializeParams) -> None:
        server.configure(params.initialization_options)

    @feature(lsp.INITIALIZED)
    def initialized(_: lsp.InitializedParams) -> None:
        if server.watches():
            _watch(server)

    @feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def did_change_watched(_: lsp.DidChangeWatchedFilesParams) -> None:
        server.look_around_again()

    @feature(lsp.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def did_change_configuration(params: lsp.DidChangeConfigurationParams) -> None:
        server.configure(params.settings)


def _hear_documents(server: Server) -> None:
    """Take what happens to open files."""
    feature = server.feature

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


def _answer_questions(server: Server) -> None:
    """Answer what is asked about a place or a stretch of an open file."""
    feature = server.feature
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
