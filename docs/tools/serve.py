"""The built site on this machine."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from docs.tools.places import SITE


def serve(port: int) -> None:
    """Serve the built site until Ctrl-C.

    Raises:
        SystemExit: There is no site, or the port is not free.
    """
    if not SITE.is_dir():
        raise SystemExit("docs: the site is not built: run `python -m docs.tools build`")
    handler = partial(SimpleHTTPRequestHandler, directory=str(SITE))
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        raise SystemExit(f"docs: port {port}: {error.strerror}; pass another `--port`") from None
    with server, suppress(KeyboardInterrupt):
        print(f"http://127.0.0.1:{server.server_port}/", flush=True)
        server.serve_forever()
