"""`torchconf lsp`: the rules, fixes and explanations in an editor."""

from __future__ import annotations

import sys

from torchconf.errors import RequestError
from torchconf.model.record import Record

TYPE_CHECKING = False  # `typing` is not needed to print help
if TYPE_CHECKING:
    from torchconf.cli.options import CommonOptions
    from torchconf.cli.parser import Parser

EPILOG = """\
For editors, which start this command and talk to it over standard input and output. It needs the
extra `torchconf[lsp]`.

The editor gets findings while you type in a pyproject.toml or a script with a `# /// script` block,
fixes as code actions (kind `source.fixAll.torchconf` for all safe ones), explanations under the
mouse, and completion. With the initialization option `{"inlayHints": true}`, it also gets the build
of each platform beside the requirements.

examples:
  torchconf lsp --stdio
"""

INSTALL = "run `uv tool install 'torchconf[lsp]'`, or `pip install 'torchconf[lsp]'`"


class LspOptions(Record):
    """What `lsp` is told."""

    stdio: bool
    """Editors say so to any server; there is no other way."""
    common: CommonOptions


def add_arguments(parser: Parser) -> None:
    """Add the options of this command, and one that editors pass to any server."""
    parser.epilog = EPILOG
    parser.add_argument(
        "--stdio", action="store_true", help="use standard input and output (always the case)"
    )


def run(options: LspOptions) -> int:
    """Serve until the editor leaves."""
    # Imported here: `--help` needs none of these.
    import gc
    import importlib.util
    import os

    if importlib.util.find_spec("pygls") is None:
        raise RequestError("the language server needs pygls, which is not installed", help=INSTALL)
    if sys.stdin.isatty():
        raise RequestError(
            "`torchconf lsp` is started by an editor, not at a terminal",
            help="run `torchconf check` for findings, or `torchconf check --watch`",
        )
    from torchconf.editor.server import serve
    from torchconf.report.streams import unguarded

    _log_to_stderr(verbose=options.common.verbose)
    # A process that lives as long as an editor must give its memory back.
    gc.enable()
    stream = unguarded(sys.stdout)
    stream.flush()
    # Whatever anybody prints would be taken for an answer.
    sys.stdout = sys.stderr
    try:
        with os.fdopen(os.dup(stream.fileno()), "wb", closefd=True) as sink:
            return serve(sys.stdin.buffer, sink)
    finally:
        sys.stdout = stream


def _log_to_stderr(*, verbose: bool) -> None:
    import logging

    logging.basicConfig(stream=sys.stderr, level=logging.INFO if verbose else logging.ERROR)
