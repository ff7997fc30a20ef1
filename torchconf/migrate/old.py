"""What an old file says, as values: what every reader returns, whatever the format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeVar

from torchconf.model.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Format = Literal["pip", "poetry", "conda", "pipenv", "pdm", "pixi", "setup"]


class Place(NamedTuple):
    """Where something was read."""

    file: str
    """Relative to the project's folder, with slashes."""
    line: int
    """The first line of it, counted from 1."""
    last: int = 0
    """The last line of it, if that is another one."""


class Section(NamedTuple):
    """The part of a project that a need belongs to, as far as the file itself says so."""

    kind: Literal["base", "extra", "group"] = "base"
    name: str = ""
    optional: bool = False
    """A group that is not installed unless it is asked for."""


BASE = Section()


class Need(NamedTuple):
    """A package that somebody needs."""

    at: Place
    text: str
    """As it stands in the file, without its comment; continued lines are joined."""
    name: str
    """As written."""
    extras: tuple[str, ...] = ()
    specifier: str = ""
    """A specifier of Python's standard, without local versions: `^2.4` reads as `>=2.4,<3`."""
    label: str = ""
    """The local version that it asks for: `cu121` of `==2.3.1+cu121`."""
    marker: str = ""
    """An environment marker, without `extra`."""
    url: str = ""
    """A direct reference: an archive, or `git+https://...` with its revision."""
    path: str = ""
    """A local folder or archive, relative to the project's folder."""
    editable: bool = False
    source: str = ""
    """The name or URL of the one index that it must come from."""
    section: Section = BASE
    via: tuple[str, ...] = ()
    """In a compiled file: what requires it. Empty if nothing is said."""
    build: str = ""
    """conda's build string, such as `py3.10_cuda12.1_cudnn8_0`, or a platform or channel word."""
    beside: bool = False
    """`[project]` lists it, too, and says what version it needs; this says where it comes from."""


class Bound(NamedTuple):
    """A version that is asked of a package only if something needs it: a constraint."""

    at: Place
    text: str
    name: str
    specifier: str
    label: str = ""
    marker: str = ""


class OldIndex(NamedTuple):
    """A place that packages come from."""

    at: Place
    text: str
    url: str
    kind: Literal["index", "extra", "links", "explicit"]
    """In place of PyPI; beside it; a page or folder with links; only for what names it."""
    name: str = ""
    packages: tuple[str, ...] = ()
    """The packages, or patterns of their names, that it serves; empty: any."""
    section: Section = BASE


class Toolkit(NamedTuple):
    """A line that says which build of torch is meant without naming torch."""

    at: Place
    text: str
    backend: str
    """As in an index URL: `cu121` for `pytorch-cuda=12.1`, `cpu` for `cpuonly`.

    Less is said by `cuda`, which is any CUDA, and `cuda12`, any CUDA 12.
    """
    section: Section = BASE
    marker: str = ""


class PythonBound(NamedTuple):
    """The Pythons that the project runs on."""

    at: Place
    text: str
    specifier: str


class Platforms(NamedTuple):
    """The platforms that the project is for, as `linux-x86_64`."""

    at: Place
    text: str
    platforms: tuple[str, ...]
    section: Section = BASE


class About(NamedTuple):
    """One more thing that `[project]` can say: `name`, `version`, `description`, ..."""

    at: Place
    text: str
    key: str
    """A key of `[project]`; `package` alone is one of `[tool.uv]`."""
    value: object
    """What stands under that key, in the form that it has there; tables of one key are joined."""


class Include(NamedTuple):
    """Another file that this one reads."""

    at: Place
    text: str
    file: str
    """As written, relative to the file that names it."""
    kind: Literal["needs", "bounds"]


class Part(NamedTuple):
    """A line that other items have taken in, and that says nothing alone."""

    at: Place
    text: str
    why: str
    """Half a sentence: `read with line 12`."""


class LeftOut(NamedTuple):
    """A line that uv has no use for, or that nobody understands."""

    at: Place
    text: str
    why: str
    """Half a sentence: `uv checks hashes in uv.lock`."""
    understood: bool = True
    """Whether leaving it out surely loses nothing that the user must look after."""


Item = (
    Need | Bound | OldIndex | Toolkit | PythonBound | Platforms | About | Include | Part | LeftOut
)


class OldFile(NamedTuple):
    """One file as read: an item for each line that is not blank or a comment.

    What only opens a list or a table, such as `dependencies:`, has none of its own. Of a
    pyproject.toml, the tables of the format are read, and no others.
    """

    path: str
    """Relative to the project's folder, with slashes."""
    format: Format
    items: tuple[Item, ...]
    compiled: bool = False
    """Written by a program: it pins everything, also what nobody asked for."""
    sources: tuple[str, ...] = ()
    """The files that a compiled one was made from, as its header says."""


_Kind = TypeVar("_Kind")


def items_of(files: Iterable[OldFile], kind: type[_Kind]) -> Iterator[_Kind]:
    """Yield the items of one kind in files, in their order."""
    return (item for file in files for item in file.items if isinstance(item, kind))
