"""The replica on the network: a CONNECT proxy that is itself every host it serves.

A client that uses it as HTTPS proxy asks for a tunnel to `download.pytorch.org:443` and speaks
TLS into it. For a host of the replica the tunnel ends here, under a certificate of the replica's
own authority; to any other host it is passed through, or refused in closed mode.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import trustme

from tests.support.replica.passage import Passage
from tests.support.replica.site import Fault, Site

CACHE = "max-age=365000000, immutable"
"""Clients keep their caches apart by content, so that nothing in one ever goes stale."""


class Server(ThreadingHTTPServer):
    """Serves a site on loopback in the background, from `start` to `close`.

    `outside` lists the other hosts that were asked for, whether passed through or refused.
    """

    # `server_close` waits for the threads of all connections, so that none outlives the replica.
    daemon_threads = False
    request_queue_size = 128

    def __init__(self, site: Site, *, closed: bool) -> None:
        self.site = site
        self.passage = None if closed else Passage()
        self.outside: list[str] = []
        self.authority = trustme.CA()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(*sorted(site.hosts)).configure_cert(self.context)
        self._connections: set[socket.socket] = set()
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,))
        super().__init__(("127.0.0.1", 0), _Proxy)

    @property
    def url(self) -> str:
        """The URL of the proxy."""
        return f"http://127.0.0.1:{self.server_port}"

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def close(self) -> None:
        """Stop serving, break every connection and wait for all threads."""
        self.shutdown()
        self._thread.join()
        with self._lock:
            self._closing.set()
            connections = list(self._connections)
        for connection in connections:
            _break(connection)
        self.server_close()

    @contextlib.contextmanager
    def holding(self, connection: socket.socket) -> Iterator[None]:
        """Close a connection at the end, and let `close` break it before."""
        with self._lock:
            self._connections.add(connection)
            closing = self._closing.is_set()
        try:
            if closing:
                _break(connection)
            yield
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()

    def wait(self, seconds: float) -> None:
        """Wait, but not longer than the server lives."""
        self._closing.wait(seconds)

    def handle_error(self, request: object, client_address: object) -> None:
        """Pass over clients that go away in the middle, as uv does once it has failed."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def handle(self) -> None:
        with self.server.holding(self.connection):
            super().handle()

    def respond(
        self, status: int, content_type: str, body: bytes, truncate: int | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        if status == HTTPStatus.OK:
            self.send_header("Cache-Control", CACHE)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[:truncate])
        self.close_connection |= truncate is not None

    def log_message(self, *_: object) -> None:
        """Keep quiet: `Site.requests` has it all."""


class _Proxy(_Handler):
    """A connection to the proxy; it becomes a tunnel with its first request."""

    def do_CONNECT(self) -> None:
        host, _, port = self.path.rpartition(":")
        self.close_connection = True
        if host in self.server.site.hosts:
            self._established()
            tls = wrap(self.server.context, self.connection)
            with self.server.holding(tls):
                tls.do_handshake()
                _Host(tls, self.client_address, self.server)
            return
        self.server.outside.append(host)
        if self.server.passage is None:
            self._refuse(host)
            return
        try:
            there = self.server.passage.dial(host, int(port))
        except OSError as error:
            self.respond(HTTPStatus.BAD_GATEWAY, "text/plain", f"{host}: {error}\n".encode())
            return
        with self.server.holding(there):
            self._established()
            self.server.passage.pump(self.connection, there)

    def do_GET(self) -> None:
        self.server.outside.append(self.path)
        self._refuse(self.path)

    def do_HEAD(self) -> None:
        self.do_GET()

    def _established(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self.wfile.flush()

    def _refuse(self, what: str) -> None:
        reason = f"the replica does not reach {what}\n"
        self.respond(HTTPStatus.FORBIDDEN, "text/plain", reason.encode())


class _Host(_Handler):
    """A connection inside a tunnel."""

    def do_GET(self) -> None:
        site = self.server.site
        host = self.headers.get("Host", "").partition(":")[0]
        place = f"{host}{self.path}"
        site.requests.append(place)
        fault = site.fault(place)
        self.server.wait(fault.delay)
        if fault.body is not None or fault.headers:
            self._misbehave(fault)
        elif fault.status is not None:
            self.respond(fault.status, "text/plain", b"")
        else:
            self.respond(*site.answer(host, self.path), truncate=fault.truncate)

    def _misbehave(self, fault: Fault) -> None:
        body = fault.body or b""
        self.send_response(fault.status or HTTPStatus.OK)
        for name, value in fault.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not fault.trickle:
            self.wfile.write(body)
            return
        for byte in body:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            self.server.wait(fault.trickle)

    def do_HEAD(self) -> None:
        self.do_GET()


class _Tls(ssl.SSLSocket):
    """A TLS socket that can be found, and closed, if making it fails half-way."""

    made = threading.local()

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        cls.made.socket = made = super().__new__(cls, *args, **kwargs)
        return made


def wrap(context: ssl.SSLContext, connection: socket.socket) -> ssl.SSLSocket:
    """Return the server's side of TLS in a connection, before the handshake.

    Raises:
        OSError: The client has gone. The connection is closed then: `wrap_socket` alone would leave
            its descriptor to a socket that nobody holds.
    """
    context.sslsocket_class = _Tls
    try:
        return context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
    except OSError:
        _Tls.made.socket.close()
        raise


def _break(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
