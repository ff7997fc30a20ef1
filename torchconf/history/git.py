"""The git program: one repository, the questions asked of it, and what its refusals mean."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from torchconf.errors import GitError, ProjectError, RequestError, shown
from torchconf.resolve.programs import find_program

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Entry", "Repository", "open_repository"]

LINK = "120000"
"""The mode of a symbolic link, whose content is where it leads."""
SUBMODULE = "160000"
"""The mode of a submodule, whose object is a commit of another repository."""

_UNSHALLOW = (
    "this clone is shallow; run `git fetch --unshallow`, or in a GitHub workflow set "
    "`fetch-depth: 0` for actions/checkout"
)


class Answer(NamedTuple):
    """What git answered."""

    status: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """The answer as one line."""
        return os.fsdecode(self.out).strip()


class Entry(NamedTuple):
    """A file of a commit."""

    path: str
    """From the top of its repository, with `/`."""
    mode: str
    name: str
    """Of its object."""


class Repository:
    """A repository with a working tree.

    Attributes:
        top: The folder that holds it.
    """

    def __init__(self, program: str, top: str, *, is_below: bool = False) -> None:
        """Take the program and the folder; `is_below` for a submodule."""
        self._program = program
        self._left_out = _OF_ONE_REPOSITORY if is_below else frozenset[str]()
        self.top = top

    def ask(self, *words: str, stdin: bytes = b"") -> Answer:
        """Run git, and return its answer, whatever that is."""
        return _run(self._program, self.top, words, stdin, self._left_out)

    def below(self, path: str) -> Repository | None:
        """Return the repository of a submodule; None where it is not checked out."""
        folder = os.path.join(self.top, *path.split("/"))
        if not os.path.lexists(os.path.join(folder, ".git")):
            return None
        return Repository(self._program, folder, is_below=True)

    def place_of(self, folder: str) -> str:
        """Return where a folder is, from the top of the repository; empty for the top itself."""
        place = os.path.relpath(os.path.realpath(folder), os.path.realpath(self.top))
        return "" if place == os.curdir else place

    def is_shallow(self) -> bool:
        """Tell whether the history ends where somebody cut it."""
        return self.ask("rev-parse", "--is-shallow-repository").text == "true"

    def commit(self, revision: str) -> str:
        """Return the name of the commit that a revision means.

        Raises:
            RequestError: There is none.
        """
        if revision.startswith("-") or not revision.isprintable():
            message = f"`{revision}` is not a revision"
            raise RequestError(message, help="name a branch, a tag or a commit")
        # What follows is never read as an option.
        words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        answer = self.ask(*words)
        if answer.status == 0 and answer.text:
            return answer.text
        if self.ask("rev-parse", "--verify", "--quiet", "HEAD").status:
            raise RequestError(
                f"unknown revision `{revision}`: this repository has no commits yet",
                at=self.top,
                help="commit the files first",
            )
        if os.path.exists(revision):
            help_ = f"this is a path; to compare a folder, pass `--project {shown(revision)}`"
        else:
            help_ = _UNSHALLOW if self.is_shallow() else "see `git branch --all` and `git log`"
        raise RequestError(f"unknown revision `{revision}`", at=self.top, help=help_)

    def merge_base(self, one: str, other: str) -> str:
        """Return the newest commit that the histories of two commits share.

        Raises:
            RequestError: There is none.
        """
        answer = self.ask("merge-base", one, other)
        if answer.status == 0 and answer.text:
            return answer.text
        raise RequestError(
            f"{one[:12]} and {other[:12]} have no common ancestor",
            at=self.top,
            help=_UNSHALLOW if self.is_shallow() else "compare the two directly: name both",
        )

    def files(self, commit: str) -> list[Entry]:
        """Return what a commit holds.

        Raises:
            GitError: The objects are not here.
        """
        answer = self._sure("ls-tree", "-r", "-z", "--full-tree", commit)
        entries = []
        for line in os.fsdecode(answer.out).split("\0")[:-1]:
            about, _, path = line.partition("\t")
            mode, _, name = about.split(" ")
            entries.append(Entry(path, mode, name))
        return entries

    def with_text(self, commit: str, text: str, pattern: str) -> set[str]:
        """Return the paths of a commit's files that hold a text, of those that match a pattern.

        Raises:
            GitError: The objects are not here.
        """
        words = ("grep", "-l", "-z", "-F", "--no-color", "--full-name", "--no-recurse-submodules")
        answer = self.ask(*words, "-e", text, commit, "--", f":(top,glob){pattern}")
        if answer.status > 1:  # 1: none does
            raise GitError(f"git failed: {_said(answer)}", at=self.top)
        lines = os.fsdecode(answer.out).split("\0")
        return {line.partition(":")[2] for line in lines if line}

    def contents(self, names: Iterable[str]) -> Iterator[bytes]:
        """Yield what objects hold, in their order.

        Raises:
            GitError: One is not here.
        """
        wanted = list(names)
        if not wanted:
            return
        asked = "".join(f"{name}\n" for name in wanted).encode()
        out = self._sure("cat-file", "--batch", stdin=asked).out
        place = 0
        for name in wanted:
            end = out.find(b"\n", place)
            head = out[place:end].split(b" ")
            if end < 0 or head[-1] == b"missing":
                raise GitError(
                    f"git has no object {name} here",
                    at=self.top,
                    help="the clone is incomplete; run `git fetch --refetch`",
                )
            size = int(head[2])
            yield out[end + 1 : end + 1 + size]
            place = end + size + 2

    def _sure(self, *words: str, stdin: bytes = b"") -> Answer:
        answer = self.ask(*words, stdin=stdin)
        if answer.status:
            raise GitError(f"git failed: {_said(answer)}", at=self.top)
        return answer


def open_repository(folder: str) -> Repository:
    """Return the repository that a folder is in.

    Raises:
        GitError: git is missing or refuses.
        ProjectError: The folder is in no repository.
    """
    program = find_program("git")
    if program is None:
        raise GitError("git was not found", help="install git; it must be on PATH")
    answer = _run(program, folder, ("rev-parse", "--show-toplevel"))
    if answer.status == 0 and answer.text:
        return Repository(program, os.path.normpath(os.fsdecode(answer.out).removesuffix("\n")))
    if "not a git repository" in answer.err:
        raise ProjectError(
            "not a git repository",
            at=folder,
            help="run `git init` and commit, or use `torchconf show`",
        )
    if "must be run in a work tree" in answer.err:
        raise ProjectError(
            "this repository has no working tree", at=folder, help="run in a clone of it"
        )
    raise GitError(f"git failed: {_said(answer)}", at=folder)


def _said(answer: Answer) -> str:
    return answer.err.strip().removeprefix("fatal: ") or f"exit status {answer.status}"


def _run(
    program: str,
    folder: str,
    words: Iterable[str],
    stdin: bytes = b"",
    left_out: frozenset[str] = frozenset(),
) -> Answer:
    """Run git so that it asks nobody, writes nothing, and starts no program of a repository."""
    import subprocess

    # A repository can name a program for `core.fsmonitor`.
    command = [program, "-c", "core.fsmonitor=false", *words]
    try:
        done = subprocess.run(
            command, cwd=folder, input=stdin, capture_output=True, check=False,
            env=_environment(left_out),
        )  # fmt: skip
    except OSError as error:
        raise GitError(f"cannot start git: {error.strerror or error}", at=folder) from error
    return Answer(done.returncode, done.stdout, done.stderr.decode(errors="replace"))


_OF_ONE_REPOSITORY = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"})
"""Variables that git sets for a hook, which are about one repository."""


def _environment(left_out: frozenset[str]) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.endswith("_PATHSPECS") and name not in left_out
    }
    return {**kept, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
