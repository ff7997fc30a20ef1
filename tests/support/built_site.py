"""The built site as tests serve it, and the browser that looks at it."""

from __future__ import annotations

import shutil
from contextlib import suppress
from http.server import SimpleHTTPRequestHandler

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


class Handler(SimpleHTTPRequestHandler):
    policy = (
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; "
        "connect-src 'self'; style-src 'self'; img-src 'self'"
    )
    """A worker obeys the header of its own response, not what the page says."""

    def handle(self) -> None:
        # A page that is left does not wait for what it has asked for.
        with suppress(ConnectionError):
            super().handle()

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", self.policy)
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


class Errors(list[str]):
    """What went wrong in a page; a test that expects it empties the list."""
