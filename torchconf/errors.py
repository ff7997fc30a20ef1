"""What can go wrong, as one tree of exceptions, and how secrets stay out of what is shown.

An error says what, where and what to do next. The command line prints those three parts and
leaves with `exit_code`; no traceback reaches a user.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re

__all__ = [
    "REFRESH",
    "CatalogError",
    "ProjectError",
    "RequestError",
    "TargetUnavailable",
    "TorchconfError",
    "UvError",
    "WriteRefused",
    "hide_secrets",
]


REFRESH = "`torchconf catalog refresh` (extra `torchconf[refresh]`)"
"""What one runs where the catalog is too old, for a help text."""


class TorchconfError(Exception):
    """The root of the tree.

    Attributes:
        message: One sentence, lower case, literals in backticks.
        at: The place, `pyproject.toml, tool.uv.sources.torch[1].index`, or None.
        help: The next step, or None.
    """

    exit_code = 2

    def __init__(self, message: str, *, at: str | None = None, help: str | None = None) -> None:
        """Keep the three parts of the message."""
        super().__init__(message)
        self.message = message
        self.at = at
        self.help = help

    def spoken(self) -> str:
        """Give the three parts as people read them, each on a line of its own."""
        lines = [f"error: {self.message}"]
        lines += [f"   at: {self.at}"] if self.at else []
        lines += [f" help: {self.help}"] if self.help else []
        return "\n".join(lines) + "\n"

    def __str__(self) -> str:
        """Give the message and its place on one line, for logs and test failures."""
        return f"{self.message} ({self.at})" if self.at else self.message


class ProjectError(TorchconfError):
    """The project cannot be used as it is.

    Attributes:
        path: The place in the file, as its keys and numbers; empty where the reading knows none.
        others: Further problems found in the same reading. The first one is the error itself.
    """

    def __init__(
        self,
        message: str,
        *,
        at: str | None = None,
        path: tuple[str | int, ...] = (),
        help: str | None = None,
        others: tuple[ProjectError, ...] = (),
    ) -> None:
        """Keep the parts of the message, and the problems that were found with it."""
        super().__init__(message, at=at, help=help)
        self.path = path
        self.others = others


class RequestError(TorchconfError):
    """The request names something that does not exist or is not available."""


class TargetUnavailable(RequestError):
    """A target that is spelled as one, but that nobody can have, or that could be several."""


class CatalogError(TorchconfError):
    """The catalog cannot be used: a broken file, or one for another version of torchconf."""


class UvError(TorchconfError):
    """uv is missing, cannot be started, or failed."""


class WriteRefused(TorchconfError):
    """The file was left as it was, because the new text would not keep what was promised."""


def hide_secrets(text: str) -> str:
    """Return a text without the credentials in its URLs; the URLs stay usable.

    Whatever is printed or written and may hold a URL from outside goes through here: uv's words,
    commands, indexes and lockfiles. `git@` in an SSH URL is no secret, and needed.
    """
    # Imported here: `--version` and `--help` print nothing from outside.
    import re

    # A user name or password may hold an `@`: what counts is the last one before the path.
    return re.sub(r"(ssh)?://([^/?#\s\"<>`]*)@", _without_credentials, text)


def _without_credentials(match: re.Match[str]) -> str:
    ssh, credentials = match.groups()
    user = credentials.partition(":")[0]
    return f"ssh://{user}@" if ssh and user else f"{ssh or ''}://"
