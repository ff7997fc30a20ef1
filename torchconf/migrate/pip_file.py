"""Requirements and constraints files, as pip and uv read them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchconf.errors import ProjectError
from torchconf.migrate.compiled import read_header, read_index_note, read_via
from torchconf.migrate.conda_list import read_conda_list, refuse_exports
from torchconf.migrate.old import (
    BASE,
    Bound,
    Include,
    Item,
    LeftOut,
    Need,
    OldFile,
    OldIndex,
    Place,
    Section,
)
from torchconf.migrate.pip_lines import split_lines, without_comment
from torchconf.migrate.pip_options import LEFT_OUT, Option, OptionError, cut_options
from torchconf.migrate.pip_requirement import read_requirement
from torchconf.migrate.poetry_export import without_repeated_pythons
from torchconf.model.backends import host_of, is_pypi

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["read_pip", "read_pip_line"]


_PAGE = re.compile(
    r"(https?://data\.(?:pyg\.org|pytorch-geometric\.com)/whl/torch-[^/#]+)/[^/#]+\.whl"
)
"""A wheel of PyG for one Python; the page beside its folder lists those for all of them."""
_MOST_IN_A_LINE = 20
"""More requirements nobody puts in one line."""


def read_pip(path: str, text: str, *, constraints: bool = False) -> OldFile:
    """Read a requirements file.

    Nothing is looked up: environment variables stay as they stand, `${TOKEN}`, and no file or URL
    that is named is opened. Paths are relative to where pip is run, which is the project's folder;
    those of included files are relative to this one.

    Args:
        path: Of the file, relative to the project's folder, with slashes.
        text: What is in it.
        constraints: Whether another file names it with `-c`, or its name says so: then what it
            lists is not needed, only bounded.

    Raises:
        ProjectError: No line of it can be read, or `conda list` printed it.
    """
    refuse_exports(path, text)
    lines = split_lines(text)
    if of_conda := read_conda_list(path, [line for line in lines if line.text]):
        return of_conda
    items: list[Item] = []
    unread = 0
    for line in lines:
        if not line.text:
            continue
        found, is_read = _read(line.place(path), line.text, BASE)
        unread += not is_read
        if line.comments:
            found = [_with_notes(item, line.comments) for item in found]
        items += found
    if unread and unread == sum(bool(line.text) for line in lines):
        first = next(line for line in lines if line.text)
        raise ProjectError(
            "not a requirements file: no line of it can be read",
            at=f"{path}, line {first.number}",
            help="pass a file with one requirement per line, such as `torch>=2.4`",
        )
    header = read_header(path, _top(text))
    if header:
        urls = {item.url for item in items if isinstance(item, OldIndex)}
        said = [
            item for item in header.items if not (isinstance(item, OldIndex) and item.url in urls)
        ]
        items = said + items
    compiled = header is not None or _has_annotations(items)
    exported = None if compiled else without_repeated_pythons(items)
    if exported:
        items, compiled = exported, True
    if not compiled:
        items = [item._replace(via=()) if isinstance(item, Need) else item for item in items]
    if constraints:
        items = [_bounded(item) for item in items]
    sources = header.sources if header and header.sources else _sources(items)
    if exported:
        sources = ("pyproject.toml",)
    return OldFile(path, "pip", tuple(items), compiled, sources if compiled else ())


def read_pip_line(at: Place, text: str, section: Section = BASE) -> list[Item]:
    """Read one line as it may stand in a requirements file, or in the `pip:` list of conda."""
    return _read(at, without_comment(text)[0], section)[0]


def _read(at: Place, text: str, section: Section) -> tuple[list[Item], bool]:
    """Return what a line says, and whether it was a line of a requirements file at all."""
    try:
        requirement, options, rest = cut_options(text)
    except OptionError as error:
        return [LeftOut(at, text, str(error), understood=False)], False
    if options and options[-1].name in {"--requirement", "--constraint"} and rest:
        # As uv does, take the rest of the line for the name of the file, which may have spaces.
        options[-1] = options[-1]._replace(value=f"{options[-1].value} {rest}")
        rest = ""
    texts = [words for words in (requirement, rest) if words]
    items: list[Item] = []
    for words in texts:
        items += _requirements(at, words, section, meant=bool(options))
    is_read = any(not isinstance(item, LeftOut) for item in items) or bool(options)
    items += _options(at, options, section)
    return items, is_read


def _requirements(at: Place, words: str, section: Section, *, meant: bool) -> list[Item]:
    """Read the requirement of a line, or each of several: pip refuses them, but they are clear."""
    one = read_requirement(at, words, section=section)
    if isinstance(one, Need) and (page := _PAGE.match(one.url)):
        url = f"{page[1].replace('%2B', '+').replace('%2b', '+')}.html"
        return [one._replace(url=""), OldIndex(at, words, url, "links", section=section)]
    parts = words.split()
    if not isinstance(one, LeftOut) or not 1 < len(parts) <= _MOST_IN_A_LINE:
        return [one]
    each = [read_requirement(at, part, section=section) for part in parts]
    needs = [need for need in each if isinstance(need, Need) and not need.path and not need.url]
    # Words alone can be a sentence.
    if len(needs) < len(parts) or not (meant or any(need.specifier for need in needs)):
        return [one]
    return [*needs]


def _options(at: Place, options: Iterable[Option], section: Section) -> Iterator[Item]:
    hashes: list[Option] = []
    for option in options:
        text, name, value = option
        match name:
            case "--index-url":
                yield OldIndex(at, text, value, "index", section=section)
            case "--extra-index-url":
                yield OldIndex(at, text, value, "extra", section=section)
            case "--find-links":
                yield OldIndex(at, text, value, "links", section=section)
            case "--requirement":
                yield Include(at, text, value.replace("\\", "/"), "needs")
            case "--constraint":
                yield Include(at, text, value.replace("\\", "/"), "bounds")
            case "--editable":
                item = read_requirement(at, value, editable=True, section=section)
                yield item._replace(text=text)
            case "--hash":
                hashes.append(option)
            case "--trusted-host" if _has_https(value):
                yield LeftOut(at, text, "uv reaches this host by HTTPS")
            case _:
                yield LeftOut(at, text, *LEFT_OUT[name])
    if hashes:
        text = hashes[0].text if len(hashes) == 1 else f"--hash ({len(hashes)} of them)"
        yield LeftOut(at, text, *LEFT_OUT["--hash"])


def _has_https(host: str) -> bool:
    """Tell whether a host is one of those that everybody uses."""
    url = host if "://" in host else f"https://{host}"
    return is_pypi(url) or host_of(url) == "download.pytorch.org"


def _with_notes(item: Item, comments: tuple[str, ...]) -> Item:
    if not isinstance(item, Need):
        return item
    return item._replace(via=read_via(comments), source=read_index_note(comments))


def _top(text: str) -> Iterator[tuple[int, str]]:
    """Give the comments before the first line that is none, each with its number."""
    for number, line in enumerate(text.split("\n"), 1):
        content, comment = without_comment(line)
        if content:
            return
        if comment is not None:
            yield number, comment


def _has_annotations(items: Iterable[Item]) -> bool:
    """Tell whether a program has written the file without saying so: `--no-header`."""
    needs = [item for item in items if isinstance(item, Need)]
    pinned = [need for need in needs if need.via and need.specifier.startswith("==")]
    return len(pinned) * 2 > len(needs)


def _sources(items: Iterable[Item]) -> tuple[str, ...]:
    """Return the files that annotations name: `# via -r requirements.in`."""
    named = (via for item in items if isinstance(item, Need) for via in item.via)
    return tuple(dict.fromkeys(via[3:].strip() for via in named if via.startswith("-r ")))


def _bounded(item: Item) -> Item:
    """Return what a constraints file says: a need is a bound there."""
    if not isinstance(item, Need) or item.editable:
        return item
    if item.url or item.path:
        why = "a constraint that is a URL or a path says nothing for uv"
        return LeftOut(item.at, item.text, why, understood=False)
    return Bound(item.at, item.text, item.name, item.specifier, item.label, item.marker)
