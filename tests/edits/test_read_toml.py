"""TOML that cannot be read: where, and whether uv reads it all the same."""

from __future__ import annotations

import sys

import pytest

from torchconf.edits import read_toml as module
from torchconf.edits.read_toml import read_toml
from torchconf.errors import ProjectError

ABOVE = "".join(f"[a{n}]\nb = 1\n" for n in range(50))
NEW = "[x]\ny = {\n  a = 1,\n}\n"
BROKEN = "[x]\ny = { a = 1 b\n"


def read(text: str) -> ProjectError:
    with pytest.raises(ProjectError) as caught:
        read_toml(text)
    return caught.value


@pytest.mark.skipif(sys.version_info >= (3, 15), reason="this tomllib reads TOML 1.1")
@pytest.mark.parametrize(
    ("text", "is_newer"),
    [
        (NEW, True),
        (f"{ABOVE}{NEW}", True),
        (f"{ABOVE}{NEW}[z]\n", True),
        (f"{ABOVE}{NEW}[z]\n{NEW.replace('x', 'w')}", True),
        (f"{NEW}[z]\n{BROKEN}", False),
        (f"{BROKEN}[z]\n{NEW}", False),
        (f"{ABOVE}{BROKEN}{ABOVE.replace('a', 'c')}", False),
        ("a = 17:32\n", True),
        ("a = [17:32]\n", True),
        ("a = { b = 1979-05-27T07:32Z, }\n", True),
        ('a = "\\e\\x41"\n', True),
        (f"{ABOVE}{NEW}x", False),
        # Lines that look like headers in an array and in a string.
        (f"{ABOVE}a = [\n[1],\n['x'],\n]\n{NEW}", True),
        (f"a = '''\n[x]\n'''\n{NEW}", True),
        (f"a = '''\n[x]\n{NEW}", False),
        ("a = [\n[b]\nc = 1\n", False),
    ],
)
def test_what_only_newer_toml_allows_is_told_from_what_is_wrong(text: str, is_newer: bool) -> None:
    assert ("TOML 1.1" in read(text).message) == is_newer


@pytest.mark.parametrize(
    ("text", "spot"),
    [
        ("a = 'b' c", (1, 9)),
        (f"{ABOVE}a = [1, 2\n", (102, 1)),
        ("", None),
        ("é = 1", (1, 1)),
        ("a = 1\nb = ", (2, 5)),
    ],
)
def test_the_place_of_an_error_is_line_and_column(text: str, spot: tuple[int, int] | None) -> None:
    assert (read(text).spot if spot else read_toml(text) or None) == spot


TYPED = ["x", "x =", "[x", "x = '", 'x = "a', "x = \x01", "= 1", "a0.b = 1\n[a0]"]


@pytest.mark.parametrize("line", TYPED)
def test_what_somebody_is_typing_is_told_at_once(
    line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a large file, tomlkit would take longer than all else."""

    def refuse(text: str) -> bool:
        raise AssertionError(text)

    monkeypatch.setattr(module, "_tomlkit_reads", refuse)
    assert "not valid TOML" in read(f"{ABOVE}{line}\n[b]\nc = 1\n").message


def test_the_table_with_the_error_is_read_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    texts: list[str] = []

    def reads(text: str) -> bool:
        texts.append(text)
        return False

    monkeypatch.setattr(module, "_tomlkit_reads", reads)
    read(f"{ABOVE}{BROKEN}{ABOVE.replace('a', 'c')}")
    assert texts == [BROKEN.removesuffix("\n")]
