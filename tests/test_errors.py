"""Secrets stay out of what is shown, control characters too, and URLs stay usable."""

from __future__ import annotations

import re
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchconf.errors import hide_secrets, without_secrets
from torchconf.errors.shown import harmless


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://download.pytorch.org/whl/cu130/torch/",
        "torch @ git+https://example.org/torch@v2.13",
        "git+ssh://git@example.org/torch@main",
        "write to somebody@example.org, or see https://example.org",
        "https://example.org#somebody@example.org",
        'index = ["https://example.org","somebody@example.org"]',
        "`https://example.org`@2.13",
        "file:///home/somebody@work/wheels",
    ],
)
def test_what_holds_no_secret_stays(text: str) -> None:
    assert hide_secrets(text) == text


@pytest.mark.parametrize(
    ("text", "shown", "usable"),
    [
        (
            "https://user:secret@example.org/simple",
            "https://****@example.org/simple",
            "https://example.org/simple",
        ),
        ("https://secret@example.org", "https://****@example.org", "https://example.org"),
        ("https://:secret@example.org/", "https://****@example.org/", "https://example.org/"),
        ("//user:secret@example.org/", "//****@example.org/", "//example.org/"),
        ("https:user:secret@example.org/", "https:****@example.org/", "https:example.org/"),
        (
            "https://user:sec@ret@example.org/a@b",
            "https://****@example.org/a@b",
            "https://example.org/a@b",
        ),
        (
            "https://u:@./secret@example.org/a",
            "https://****@example.org/a",
            "https://example.org/a",
        ),
        ("https://user:sec/ret@example/a", "https://****@example/a", "https://example/a"),
        ("https://user:sec?ret@example/a", "https://****@example/a", "https://example/a"),
        ("https://user:sec#ret@example/a", "https://****@example/a", "https://example/a"),
        ("https://user:1/secret@example.org/", "https://****@example.org/", "https://example.org/"),
        ("https://sec/ret@example.org/a", "https://****@example.org/a", "https://example.org/a"),
        ("https://u:sec@r/et@example.org/", "https://****@example.org/", "https://example.org/"),
        ("'https://u:sec\"ret@x.org/'", "'https://****@x.org/'", "'https://x.org/'"),
        ("url='https://u:sec\"ret@x.org/'", "url='https://****@x.org/'", "url='https://x.org/'"),
        ('"https://u:sec\'ret@x.org/"', '"https://****@x.org/"', '"https://x.org/"'),
        ("https://x.org/?token=secret", "https://x.org/?token=****", "https://x.org/"),
        ("https://x.org/?secret", "https://x.org/?****", "https://x.org/"),
        ("(https://x.org/?key=secret).", "(https://x.org/?key=****).", "(https://x.org/)."),
        (
            "https://x.org/a?rev=main&sig=secret#sha256=12&access_token=secret",
            "https://x.org/a?rev=main&sig=****#sha256=12&access_token=****",
            "https://x.org/a?rev=main#sha256=12",
        ),
        (
            "https://proxy.org/https://u:secret@x.org/",
            "https://proxy.org/https://****@x.org/",
            "https://proxy.org/https://x.org/",
        ),
        (
            "git+https://secret@example.org/x@main",
            "git+https://****@example.org/x@main",
            "git+https://example.org/x@main",
        ),
        (
            "git+ssh://git:secret@example.org/x",
            "git+ssh://git:****@example.org/x",
            "git+ssh://git@example.org/x",
        ),
        ("ssh://:secret@example.org/x", "ssh://****@example.org/x", "ssh://example.org/x"),
        # As TOML and JSON may write it.
        (
            r'"https://u:secret\u0040x.org/"',
            '"https://****@x.org/"',
            '"https://x.org/"',
        ),
        (
            r'"\U00000068ttps:\u002F\u002Fu:secret@x.org/"',
            '"https://****@x.org/"',
            '"https://x.org/"',
        ),
        (
            r'"https://x.org/\x3Ftoken\x3Dsecret"',
            '"https://x.org/?token=****"',
            '"https://x.org/"',
        ),
        (
            "two: https://a:secret@x.org/1 and 'http://b:secret@y.org/2'",
            "two: https://****@x.org/1 and 'http://****@y.org/2'",
            "two: https://x.org/1 and 'http://y.org/2'",
        ),
    ],
)
def test_secrets_are_taken_out_of_urls(text: str, shown: str, usable: str) -> None:
    assert hide_secrets(text) == shown
    assert hide_secrets(shown) == shown
    assert without_secrets(text) == usable
    assert without_secrets(usable) == usable


@given(st.text(), st.from_regex(r"[^/?#\s\"<>`]+", fullmatch=True), st.text())
def test_credentials_go_whatever_they_are(before: str, password: str, after: str) -> None:
    text = f"{before} https://user:{password}@example.org/ {after}"
    expected = f"{hide_secrets(before)} https://****@example.org/ {hide_secrets(after)}"
    assert hide_secrets(text) == expected
    assert hide_secrets(expected) == expected


@given(st.text(st.characters(blacklist_categories=["Cs", "Z", "C"]), min_size=1))
def test_whatever_a_password_holds_its_end_is_not_shown(password: str) -> None:
    url = f"https://user:{password}/secret@example.org/simple"
    for quote, text in (("'", f"url = '{url}'"), ('"', f'url = "{url}"')):
        if quote not in password and "\\" not in password:
            assert "secret" not in hide_secrets(text)
            assert text.endswith(f"@example.org/simple{quote}")


@pytest.mark.parametrize(
    "text",
    [
        "//a" * 50_000 + "@",
        "//a:b" * 50_000 + "@",
        "'" * 100_000 + "//@",
        '"\\' * 50_000 + "//@",
        "//a/@b.cc/" * 20_000,
        "http://a?" + "b=c&" * 50_000,
    ],
    ids=lambda text: text[:10],
)
def test_long_lines_take_no_time(text: str) -> None:
    started = time.perf_counter()
    hide_secrets(text)
    assert time.perf_counter() - started < 10


@given(st.text())
def test_what_is_shown_is_one_line_that_can_be_looked_at(text: str) -> None:
    found = harmless(text)
    assert not {c for c in found if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp", "Co"}}
    assert not re.search(r"##(?:vso|teamcity)?\[", found)
    assert harmless(found) == found


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, ä, 日本語, \u3000, 👍", "plain, ä, 日本語, \u3000, 👍"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("\x1b]0;x\x07 \x9b1m \x7f \x00", r"\x1b]0;x\x07 \x9b1m \x7f \x00"),
        ("\u202eabc\u2066 \u200b\ufeff \u2028\u2029", r"\u202eabc\u2066 \u200b\ufeff \u2028\u2029"),
        ("\udcff", r"\udcff"),
        ("\U000e0041", r"\U000e0041"),
        ("a ##[stop-commands]t", r"a #\x23[stop-commands]t"),
    ],
)
def test_what_gives_orders_is_written_out(text: str, shown: str) -> None:
    assert harmless(text) == shown
