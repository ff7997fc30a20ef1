"""The way out of the replica: a tunnel to any other host, through the machine's own proxy."""

from __future__ import annotations

import base64
import select
import socket
import urllib.parse
import urllib.request
from http import HTTPStatus

TIMEOUT = 30.0


class Passage:
    """Knows the proxy that was configured when the replica started."""

    def __init__(self) -> None:
        # Read once: the replica's own environment names the replica as the proxy.
        proxy = urllib.request.getproxies().get("https", "")
        self._proxy = urllib.parse.urlsplit(proxy if "://" in proxy else f"http://{proxy}")

    def dial(self, host: str, port: int) -> socket.socket:
        """Return a connection to a host, as if there were nothing in between.

        Raises:
            OSError: It cannot be reached, or the machine's proxy refuses.
        """
        proxy = self._proxy
        if not proxy.hostname or urllib.request.proxy_bypass(host):
            return socket.create_connection((host, port), TIMEOUT)
        there = socket.create_connection((proxy.hostname, proxy.port or 80), TIMEOUT)
        try:
            there.sendall(_connect(host, port, proxy))
            status = _status(there)
        except OSError:
            there.close()
            raise
        if status != HTTPStatus.OK:
            there.close()
            msg = f"{proxy.hostname} answered {status}"
            raise ConnectionError(msg)
        return there

    def pump(self, here: socket.socket, there: socket.socket) -> None:
        """Carry bytes both ways until one side is done."""
        there.settimeout(None)
        other = {here: there, there: here}
        while True:
            for ready in select.select([here, there], [], [])[0]:
                if not (data := ready.recv(1 << 16)):
                    return
                other[ready].sendall(data)


def _connect(host: str, port: int, proxy: urllib.parse.SplitResult) -> bytes:
    lines = [f"CONNECT {host}:{port} HTTP/1.1", f"Host: {host}:{port}"]
    if proxy.username is not None:
        user = urllib.parse.unquote(f"{proxy.username}:{proxy.password or ''}").encode()
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(user).decode()}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _status(there: socket.socket) -> int:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        # Byte by byte: what follows the head belongs to the tunnel.
        if not (byte := there.recv(1)):
            msg = "the proxy hung up"
            raise ConnectionError(msg)
        head += byte
    return int(head.split(b" ", 2)[1])
