"""What can go wrong, as one tree of exceptions.

An error says what, where and what to do next. The command line prints those three parts and
leaves with `exit_code`; no traceback reaches a user.
"""

from __future__ import annotations

from torchconf.errors.shown import hide_secrets, shown, shown_lines, without_secrets

__all__ = [
    "REFRESH",
    "CatalogError",
    "GitError",
    "ProjectError",
    "RequestError",
    "TargetUnavailable",
    "TorchconfError",
    "UvError",
    "WriteRefused",
    "hide_secrets",
    "shown",
    "without_secrets",
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
    is_quoted = False
    """Whether the message holds the words of another program, which may be several lines."""

    def __init__(self, message: str, *, at: str | None = None, help: str | None = None) -> None:
        """Keep the three parts of the message, without secrets."""
        super().__init__(message)
        self.message = hide_secrets(message)
        self.at = at and hide_secrets(at)
        self.help = help and hide_secrets(help)

    def spoken(self) -> str:
        """Give the three parts as people read them, each on a line of its own."""
        lines = [f"error: {shown_lines(self.message) if self.is_quoted else shown(self.message)}"]
        lines += [f"   at: {shown(self.at)}"] if self.at else []
        lines += [f" help: {shown(self.help)}"] if self.help else []
        return "\n".join(lines) + "\n"

    def __str__(self) -> str:
        """Give the message and its place on one line, for logs and test failures."""
        return f"{self.message} ({self.at})" if self.at else self.message


class ProjectError(TorchconfError):
    """The project cannot be used as it is.

    Attributes:
        path: The place in the file, as its keys and numbers; empty where the reading knows none.
        spot: Line and column from 1, where no path leads: what is there could not be read.
        others: Further problems found in the same reading. The first one is the error itself.
    """

    def __init__(
        self,
        message: str,
        *,
        at: str | None = None,
        path: tuple[str | int, ...] = (),
        spot: tuple[int, int] | None = None,
        help: str | None = None,
        others: tuple[ProjectError, ...] = (),
    ) -> None:
        """Keep the parts of the message, and the problems that were found with it."""
        super().__init__(message, at=at, help=help)
        self.path = path
        self.spot = spot
        self.others = others


class RequestError(TorchconfError):
    """The request names something that does not exist or is not available."""


class TargetUnavailable(RequestError):
    """A target that is spelled as one, but that nobody can have, or that could be several."""


class CatalogError(TorchconfError):
    """The catalog cannot be used: a broken file, or one for another version of torchconf."""


class UvError(TorchconfError):
    """uv is missing, cannot be started, or failed."""

    is_quoted = True


class GitError(TorchconfError):
    """git is missing, cannot be started, or failed."""

    is_quoted = True


class WriteRefused(TorchconfError):
    """The file was left as it was, because the new text would not keep what was promised."""


def of_endless_number(error: ValueError, at: str | None = None) -> TorchconfError | None:
    """Return what to say if Python has refused a number of so many digits, which takes hours."""
    if "integer string conversion" not in str(error):
        return None
    return ProjectError("a number has more than 4,300 digits", at=at)
