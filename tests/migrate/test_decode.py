"""Bytes of an old file as text."""

from __future__ import annotations

import pytest

from torchconf.errors import ProjectError
from torchconf.migrate.decode import UNREADABLE, decode

TEXT = "torch==2.1  # för Windows\nnumpy\n"


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        TEXT.encode("utf-32"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r").encode(),
        b"\xff\xfe" + TEXT.replace("\n", "\r\n").encode("utf-16-le"),
    ],
)
def test_whatever_an_editor_or_a_shell_wrote_is_the_same_text(content: bytes) -> None:
    assert decode("requirements.txt", content) == TEXT


def test_a_coding_comment_counts() -> None:
    text = "# -*- coding: latin-1 -*-\n# für\ntorch\n"
    assert decode("a.txt", text.encode("latin-1")) == text
    for coding in ("zip", "rot13", "nonsense", "utf-7", "cp500", "idna"):
        assert decode("a.txt", f"# coding: {coding}\ntorch".encode()).endswith("\ntorch")


def test_what_is_no_character_stays_where_it_is() -> None:
    assert decode("a.txt", b"torch # f\xfcr\n") == f"torch # f{UNREADABLE}r\n"


@pytest.mark.parametrize("content", [b"torch\n\0\0 \0", b"\x7fELF\0" * 30, b"PK\3\4\0" * 400])
def test_what_is_no_text_is_an_error(content: bytes) -> None:
    with pytest.raises(ProjectError, match="not a text file") as error:
        decode("a.txt", content)
    assert error.value.at
    assert error.value.at.startswith("a.txt, line ")


def test_nothing_is_an_empty_text() -> None:
    assert not decode("a.txt", b"")
