"""Which two states of a repository a person wants to compare, in the words of `git diff`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from torchconf.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchconf.history.git import Repository

__all__ = ["WORKING_TREE", "Revision", "read_revisions"]

_MOST = 2


class Revision(NamedTuple):
    """One state of a repository."""

    name: str
    """As people say it."""
    commit: str | None
    """None: the working tree, as it is on the disk."""

    def __str__(self) -> str:
        """Say which one it is: a name alone may mean another commit tomorrow."""
        if self.commit is None or self.commit.startswith(self.name):
            return self.name
        return f"{self.name} ({self.commit[:12]})"


WORKING_TREE = Revision("the working tree", None)


def read_revisions(repository: Repository, words: Sequence[str]) -> tuple[Revision, Revision]:
    """Return the two states that words mean.

    Args:
        repository: The repository.
        words: None for HEAD and the working tree; one for it and the working tree; two; `A..B`
            for these two; `A...B` for what B has changed since it left A.

    Raises:
        RequestError: There is no such revision.
    """
    if len(words) > _MOST:
        raise RequestError("more than two revisions", help="name one or two")
    for signs in ("...", ".."):
        for word in words:
            if signs in word:
                if len(words) > 1:
                    message = f"`{word}` already names two revisions"
                    raise RequestError(message, help="omit the other one")
                one, _, two = word.partition(signs)
                return _pair(repository, one or "HEAD", two or "HEAD", signs)
    first = _revision(repository, words[0] if words else "HEAD")
    return first, _revision(repository, words[1]) if len(words) > 1 else WORKING_TREE


def _pair(repository: Repository, one: str, two: str, signs: str) -> tuple[Revision, Revision]:
    first, second = _revision(repository, one), _revision(repository, two)
    if signs == "..":
        return first, second
    base = repository.merge_base(first.commit or "", second.commit or "")
    return Revision(f"the merge base of {one} and {two}", base), second


def _revision(repository: Repository, word: str) -> Revision:
    return Revision(word, repository.commit(word))
