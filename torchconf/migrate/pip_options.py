"""The options of a requirements file: which there are, and how a line is cut into them."""

from __future__ import annotations

import re

from torchconf.model.named_tuple import NamedTuple

__all__ = ["LEFT_OUT", "Option", "OptionError", "cut_options"]

_PIP_ONLY = "only pip uses it"
_OLD = "pip has removed this option"


class Unused(NamedTuple):
    """Why an option is left out."""

    why: str
    understood: bool = True


def _say_it(why: str) -> Unused:
    """Describe an option that the user must say in another way."""
    return Unused(why, understood=False)


LEFT_OUT = {
    "--no-index": _say_it("set `no-index = true` in `tool.uv` to do without any index"),
    "--no-binary": _say_it("set `no-binary-package` in `tool.uv` to build these packages"),
    "--only-binary": _say_it("set `no-build-package` in `tool.uv` to refuse to build these"),
    "--pre": _say_it('set `prerelease = "allow"` in `tool.uv` to allow pre-releases'),
    "--all-releases": _say_it('set `prerelease = "allow"` in `tool.uv` to allow pre-releases'),
    "--only-final": Unused("uv ignores pre-releases unless they are allowed"),
    "--trusted-host": _say_it("set `allow-insecure-host` in `tool.uv` if the host has no HTTPS"),
    "--prefer-binary": Unused("uv prefers wheels"),
    "--require-hashes": Unused("uv checks hashes in uv.lock"),
    "--no-require-hashes": Unused("uv checks hashes in uv.lock"),
    "--hash": Unused("uv checks hashes in uv.lock"),
    "--config-settings": _say_it("set `config-settings-package` in `tool.uv`"),
    "--global-option": _say_it("uv has no such option; see `config-settings-package`"),
    "--install-option": _say_it("uv has no such option; see `config-settings-package`"),
    "--build-option": _say_it("uv has no such option; see `config-settings-package`"),
    "--no-build-isolation": _say_it("set `no-build-isolation-package` in `tool.uv`"),
    "--no-deps": _say_it("uv always installs what packages require; see `dependency-metadata`"),
    "--upgrade": Unused("`uv lock --upgrade` does it"),
    "--use-pep517": Unused("uv always does"),
    "--no-use-pep517": Unused(_PIP_ONLY),
    "--use-feature": Unused(_PIP_ONLY),
    "--use-deprecated": Unused(_PIP_ONLY),
    "--default-timeout": Unused(_PIP_ONLY),
    "--timeout": Unused(_PIP_ONLY),
    "--no-cache-dir": Unused(_PIP_ONLY),
    "--user": Unused("uv installs into the project's environment"),
    "--use-wheel": Unused(_OLD),
    "--no-use-wheel": Unused(_OLD),
    "--use-mirrors": Unused(_OLD),
    "--allow-all-external": Unused(_OLD),
    "--allow-external": Unused(_OLD),
    "--allow-unverified": Unused(_OLD),
    "--process-dependency-links": Unused(_OLD),
    "--always-unzip": Unused(_OLD),
}
"""Options that ask for nothing that a project can say, and those that it must say otherwise."""

_WITH_VALUE = frozenset((
    "--index-url", "--extra-index-url", "--find-links", "--requirement", "--constraint",
    "--editable", "--no-binary", "--only-binary", "--all-releases", "--only-final",
    "--trusted-host", "--hash", "--config-settings", "--global-option", "--install-option",
    "--build-option", "--use-feature", "--use-deprecated", "--default-timeout", "--timeout",
    "--allow-external", "--allow-unverified",
))  # fmt: skip
_SAME = {
    "--pypi-url": "--index-url",
    "--config-setting": "--config-settings",
    "--allow-insecure": "--allow-unverified",
    "-i": "--index-url",
    "-f": "--find-links",
    "-r": "--requirement",
    "-c": "--constraint",
    "-e": "--editable",
    "-C": "--config-settings",
    "-U": "--upgrade",
    "-Z": "--always-unzip",
}
_KNOWN = frozenset((*LEFT_OUT, *_WITH_VALUE, *(name for name in _SAME if name[1] == "-")))
_WORD = re.compile(r"""(?:[^\s"']|"[^"]*"|'[^']*')+""")
_BEGIN = re.compile(r"(?:^|(?<=\s))-")
_NEXT_OPTION = re.compile(r"\s(?=--[a-z])")


class Option(NamedTuple):
    """One option as it stands in a line."""

    text: str
    """As written."""
    name: str
    """The long form: `--index-url`."""
    value: str
    """Without quotes; empty for an option that takes none."""


class OptionError(Exception):
    """A line is not one that pip can read; the message says why."""


def cut_options(text: str) -> tuple[str, list[Option], str]:
    """Cut a line into its requirement, its options, and the words that belong to neither.

    Args:
        text: A whole line without its comment.

    Raises:
        OptionError: An option does not exist, or lacks its value.
    """
    begin = _BEGIN.search(text)
    if begin is None:
        return text, [], ""
    options: list[Option] = []
    rest: list[str] = []
    position = begin.start()
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        start, position = position, _end_of_word(text, position)
        word = text[start:position]
        if not word.startswith("-"):
            rest.append(_bare(word))
            continue
        name, value = _name_and_value(word)
        if name == "--editable" and not value:
            # The requirement behind it may have spaces: `name @ URL`, or a marker.
            following = _NEXT_OPTION.search(text, position)
            position = following.start() if following else len(text)
            value = _bare(text[start + len(word) : position].strip())
        elif name in _WITH_VALUE and not value:
            gap = re.compile(r"\s*").match(text, position)
            position = _end_of_word(text, gap.end() if gap else position)
            value = _bare(text[start + len(word) : position].strip())
        if name in _WITH_VALUE and not value:
            raise OptionError(f"`{word}` needs a value")
        options.append(Option(text[start:position], name, value))
    return text[: begin.start()].strip(), options, " ".join(rest)


def _end_of_word(text: str, start: int) -> int:
    if start == len(text):
        return start
    found = _WORD.match(text, start)
    if found is None:
        raise OptionError("a quote is not closed")
    return found.end()


def _bare(word: str) -> str:
    """Return a word without its quotes; a backslash stays, since it may be of a Windows path."""
    return re.sub(r"\"([^\"]*)\"|'([^']*)'", lambda found: found[1] or found[2] or "", word)


def _name_and_value(word: str) -> tuple[str, str]:
    """Read the word that an option begins with: its full name, and a value that stands in it."""
    if word.startswith("--"):
        name, _, value = word.partition("=")
        # As pip does, take the beginning of a name for the name if there is only one such.
        names = {name} & _KNOWN or {known for known in _KNOWN if known.startswith(name)}
        names = {_SAME.get(known, known) for known in names}
        if len(names) == 1 and len(name) > len("--"):
            return names.pop(), _bare(value)
    elif short := _SAME.get(word[:2]):
        return short, _bare(word[2:].removeprefix("="))
    raise OptionError(f"`{word.partition('=')[0]}` is not an option of a requirements file")
