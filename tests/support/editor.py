"""An editor: it starts `torchconf lsp`, opens and changes documents, and hears what is said."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from lsprotocol import converters, types

_PATIENCE = 60.0
_CONVERTER = converters.get_converter()

FULL: dict[str, Any] = {
    "general": {"positionEncodings": ["utf-16"]},
    "workspace": {"workspaceEdit": {"documentChanges": True}},
}
"""What an editor of today can do."""


class Editor:
    """The client's side of one session. What the server says is held against the protocol."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.capabilities: dict[str, Any] = {}
        self.logs: list[dict[str, Any]] = []
        self.requests: list[dict[str, Any]] = []
        """What the server asked us."""
        self.diagnostics: dict[str, tuple[int | None, list[dict[str, Any]]]] = {}
        """By URI: the version that they are about, and the diagnostics that were said last."""
        self.said: list[tuple[str, int | None]] = []
        """Each time diagnostics came, for which document and version."""
        self._number = 0
        self._heard: queue.Queue[dict[str, Any] | None] = queue.Queue()
        assert process.stdout is not None
        threading.Thread(target=self._listen, args=(process.stdout,), daemon=True).start()

    def _listen(self, stream: BinaryIO) -> None:
        while True:
            header = stream.readline()
            if not header:
                self._heard.put(None)
                return
            name, _, length = header.partition(b":")
            assert name == b"Content-Length", f"this is no message: {header!r}"
            while stream.readline() != b"\r\n":
                pass
            self._heard.put(json.loads(stream.read(int(length))))

    def send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.send_bytes(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    def send_bytes(self, content: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(content)
        self.process.stdin.flush()

    def notify(self, method: str, params: object = None) -> None:
        self.send({"method": method, "params": params})

    def ask(self, method: str, params: object = None) -> Any:
        """Send a request and return its result; what comes in between is heard, too."""
        answer = self.answer(method, params)
        assert "error" not in answer, answer
        kind = types.METHOD_TO_TYPES[method][1]
        assert kind is not None
        _CONVERTER.structure(answer, kind)
        return answer["result"]

    def answer(self, method: str, params: object = None) -> dict[str, Any]:
        """Send a request and return the whole answer, which may be an error."""
        self._number += 1
        number = self._number
        message: dict[str, Any] = {"id": number, "method": method}
        self.send(message if params is None else {**message, "params": params})
        while True:
            message = self._next()
            if message.get("id") == number and "method" not in message:
                return message

    def _next(self) -> dict[str, Any]:
        message = self._heard.get(timeout=_PATIENCE)
        assert message is not None, "the server has left"
        method = message.get("method")
        if method == types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS:
            _CONVERTER.structure(message, types.PublishDiagnosticsNotification)
            told = message["params"]
            self.diagnostics[told["uri"]] = (told.get("version"), told["diagnostics"])
            self.said.append((told["uri"], told.get("version")))
        elif method is not None and "id" in message:
            self.requests.append(message)
            self.send({"id": message["id"], "result": None})
        elif method is not None:
            self.logs.append(message)
        return message

    # What a person does.

    def start(self, capabilities: dict[str, Any] = FULL, options: object = None) -> None:
        params = {
            "processId": os.getpid(),
            "rootUri": None,
            "capabilities": capabilities,
            "initializationOptions": options,
        }
        self.capabilities = self.ask(types.INITIALIZE, params)["capabilities"]
        self.notify(types.INITIALIZED, {})

    def open(self, path: Path, text: str, version: int = 1) -> list[dict[str, Any]]:
        document = {"uri": path.as_uri(), "languageId": "toml", "version": version, "text": text}
        self.notify(types.TEXT_DOCUMENT_DID_OPEN, {"textDocument": document})
        return self.wait(path, version)

    def change(self, path: Path, text: str, version: int) -> None:
        document = {"uri": path.as_uri(), "version": version}
        params = {"textDocument": document, "contentChanges": [{"text": text}]}
        self.notify(types.TEXT_DOCUMENT_DID_CHANGE, params)

    def wait(self, path: Path, version: int) -> list[dict[str, Any]]:
        """Return the diagnostics of one version of a document, once they are there."""
        uri = path.as_uri()
        while self.diagnostics.get(uri, (None, []))[0] != version:
            self._next()
        return self.diagnostics[uri][1]

    def at(self, path: Path, line: int, character: int) -> dict[str, Any]:
        place = {"line": line, "character": character}
        return {"textDocument": {"uri": path.as_uri()}, "position": place}

    def actions(
        self, path: Path, lines: tuple[int, int], only: Sequence[str] | None = None
    ) -> list[dict[str, Any]]:
        places = [{"line": line, "character": 0} for line in lines]
        params = {
            "textDocument": {"uri": path.as_uri()},
            "range": {"start": places[0], "end": places[1]},
            "context": {"diagnostics": [], **({"only": [*only]} if only else {})},
        }
        found: list[dict[str, Any]] = self.ask(types.TEXT_DOCUMENT_CODE_ACTION, params)
        return found

    def leave(self) -> int:
        """Say goodbye as the protocol has it, and return the exit status."""
        self.ask(types.SHUTDOWN)
        self.notify(types.EXIT)
        return self.process.wait(timeout=_PATIENCE)


@contextmanager
def editor(folder: Path, words: Sequence[str] = ()) -> Iterator[Editor]:
    """Start a server in a folder, by its own words or by those that are given."""
    words = words or [sys.executable, "-m", "torchconf", "lsp", "--stdio"]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder
    ) as process:
        try:
            yield Editor(process)
        finally:
            process.kill()


def applied(text: str, edit: dict[str, Any], uri: str) -> str:
    """Return a text as the edits of an action leave it; columns are those of UTF-16."""
    edits = [
        one
        for change in edit.get("documentChanges", ())
        if change["textDocument"]["uri"] == uri
        for one in change["edits"]
    ]
    edits += edit.get("changes", {}).get(uri, [])
    for one in sorted(edits, key=lambda one: _place(one["range"]["start"]), reverse=True):
        start, end = (_offset(text, one["range"][side]) for side in ("start", "end"))
        text = f"{text[:start]}{one['newText']}{text[end:]}"
    return text


def _place(position: dict[str, int]) -> tuple[int, int]:
    return position["line"], position["character"]


def _offset(text: str, position: dict[str, int]) -> int:
    lines = text.split("\n")
    above = sum(len(line) + 1 for line in lines[: position["line"]])
    if position["line"] >= len(lines):
        return len(text)
    units = lines[position["line"]].encode("utf-16-le")[: position["character"] * 2]
    return above + len(units.decode("utf-16-le"))
