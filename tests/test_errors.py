"""Secrets stay out of what is shown, and URLs stay usable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchconf.errors import hide_secrets


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://download.pytorch.org/whl/cu130/torch/",
        "torch @ git+https://example.org/torch@v2.13",
        "git+ssh://git@example.org/torch@main",
        "write to somebody@example.org, or see https://example.org",
        "https://example.org/search?mail=somebody@example.org",
        "https://example.org#somebody@example.org",
        'index = ["https://example.org","somebody@example.org"]',
        "`https://example.org`@2.13",
        "file:///home/somebody@work/wheels",
    ],
)
def test_what_holds_no_secret_stays(text: str) -> None:
    assert hide_secrets(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://user:secret@example.org/simple", "https://example.org/simple"),
        ("https://secret@example.org", "https://example.org"),
        ("https://:secret@example.org/", "https://example.org/"),
        ("https://user:sec@ret@example.org/a@b", "https://example.org/a@b"),
        ("git+https://secret@example.org/x@main", "git+https://example.org/x@main"),
        ("git+ssh://git:secret@example.org/x", "git+ssh://git@example.org/x"),
        ("ssh://:secret@example.org/x", "ssh://example.org/x"),
        (
            "two: https://a:secret@x.org/1 and 'http://b:secret@y.org/2'",
            "two: https://x.org/1 and 'http://y.org/2'",
        ),
    ],
)
def test_credentials_are_taken_out_of_urls(text: str, shown: str) -> None:
    assert hide_secrets(text) == shown


@given(st.text(), st.from_regex(r"[^/?#\s\"<>`]+", fullmatch=True), st.text())
def test_credentials_go_whatever_they_are(before: str, password: str, after: str) -> None:
    text = f"{before} https://user:{password}@example.org/ {after}"
    expected = f"{hide_secrets(before)} https://example.org/ {hide_secrets(after)}"
    assert hide_secrets(text) == expected
    assert hide_secrets(expected) == expected
