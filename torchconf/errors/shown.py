r"""Text from outside, made fit to be shown: it hides no secret, and gives no orders to a terminal.

What a file, an index, uv or an argument says is somebody else's. A terminal obeys control
characters, a reader believes what bidirectional overrides make of a line, and a CI runner takes
lines such as `::stop-commands::` for commands. So whatever is shown goes through `shown`: `\x1b`
and `\u202e` are written out, and a line stays one line.
"""

from __future__ import annotations

__all__ = [
    "MARK",
    "defused",
    "harmless",
    "hide_secrets",
    "is_clean",
    "shown",
    "shown_lines",
    "without_secrets",
]

MARK = "****"
"""What stands in the place of a secret."""

_SPACES = frozenset(
    "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
)
"""Spaces that Python does not call printable, but that do nothing except take room."""
_RUNNERS = ("##[", "##vso[", "##teamcity[")
"""With these, runners of CI services take commands, in the middle of a line too.

Source: <https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs>.
"""


def shown(text: str) -> str:
    """Return a text from outside as it may be shown, on one line."""
    return harmless(hide_secrets(text))


def shown_lines(text: str) -> str:
    """Return the words of another program as they may be shown; its lines stay lines."""
    return "\n".join(harmless(line) for line in hide_secrets(text).split("\n"))


def is_clean(text: str) -> bool:
    """Tell whether a line can be shown as it is, secrets aside."""
    return text.isprintable() and "##" not in text


def harmless(text: str) -> str:
    """Write out every character that is none to look at; what is left is one line."""
    if is_clean(text):
        return text
    return defused("".join(map(_visible, text)))


def defused(text: str) -> str:
    """Return a text in which runners find no command, with one sign of each written out."""
    if "##" in text:
        for word in _RUNNERS:
            text = text.replace(word, rf"#\x23{word[2:]}")
    return text


def _visible(sign: str) -> str:
    if sign.isprintable() or sign in _SPACES:
        return sign
    return sign.encode("unicode_escape").decode()


def hide_secrets(text: str) -> str:
    """Return a text with a mark in the place of each secret in its URLs.

    Users and passwords, the values of queries, and those of fragments are secrets, except for what
    names a revision, a folder or a hash. `git@` in an SSH URL is none, and needed. What follows
    `/t/` is the token of a conda channel.

    Args:
        text: Any text: a message, a line of a file, the words of uv.
    """
    if "/t/" in text:
        import re

        text = re.sub(r"(?<=/t/)[A-Za-z0-9-]{8,}(?=/)", MARK, text)
    return _without(text, MARK)


def without_secrets(text: str) -> str:
    """Return a text without the secrets in its URLs, which stay usable: for what is written."""
    return _without(text, "")


def _without(text: str, mark: str) -> str:
    is_escaped = "\\u" in text or "\\U" in text or "\\x" in text
    if not (is_escaped or "@" in text or "?" in text or "#" in text):
        return text
    if not is_escaped and "//" not in text and "http" not in text.lower():
        return text
    if "\n" in text:
        # No URL goes on in the next line, and most lines have none: those cost nothing.
        return "\n".join(_without(line, mark) for line in text.split("\n"))
    # Imported here: most texts hold no such URL, and `--version` shows none at all.
    import re

    return re.sub(_TOKEN, lambda match: _of_token(match[0], mark), text)


def _of_token(token: str, mark: str) -> str:
    r"""Hide the secrets of a text without spaces: also of a URL of which signs are written out.

    In TOML and JSON, `\u0040` is an `@`.
    """
    if "\\" in token:
        import re

        plain = re.sub(_WRITTEN_OUT, lambda match: chr(int(match[1], 16)), token)
        hidden = _without_secrets(plain, mark)
        if hidden != plain:
            return hidden
    return _without_secrets(token, mark)


_URL = r"(?=[\w+.-]*:?//)"
_TOKEN = (
    # In quotes, a URL goes on to the closing one, whatever other quotes its password holds.
    rf"""'{_URL}[^'\s]*'|"{_URL}(?:\\\S|[^"\\\s]){{0,500}}"|`[^`\s]*`"""
    rf"""|(?:[^\s"'<>`]|'(?!{_URL}))+"""
)
_WRITTEN_OUT = r"\\(?:u00|U000000|x)((?!7[fF])[2-7][0-9A-Fa-f])"
"""A sign of ASCII that can be seen, as TOML and JSON may write it."""
_START = r"(?i:https?:)[/\\]*|//+"
_HOST = r"\[[^\]]*\](?::\d*)?|[\w.{}-]*(?::\d{0,5})?"
_BEFORE_HOST = r"@(?=[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}(?::\d+)?/)"
_HASHES = ("sha256", "sha384", "sha512", "sha224", "sha1", "md5", "blake2b")
_OPEN = frozenset(("rev", "branch", "tag", "subdirectory", "lfs", "egg", *_HASHES))
"""Keys of queries and fragments that name a revision, a folder or a hash."""
_AFTER = ".,;:)]}'\"`"
"""What stands behind a URL rather than in it."""


def _without_secrets(token: str, mark: str) -> str:
    """Hide the secrets of the URLs in a text without spaces."""
    import re

    parts: list[str] = []
    done = 0
    # Before which `@` a host follows for sure is looked up once: a line can be long.
    sure = [found.end() for found in re.finditer(_BEFORE_HOST, token)]
    for start in re.finditer(_START, token):
        begin = start.end()
        if begin < done or token.endswith("file:", 0, start.start()):
            continue
        end = _end_of_user(token, begin, sure[-1] if sure else 0)
        if end is not None:
            parts += [token[done:begin], _user(token, begin, end, mark)]
            done = end
    return _without_values("".join([*parts, token[done:]]), mark)


def _end_of_user(token: str, begin: int, sure: int) -> int | None:
    """Return where user and password of a URL end: after the `@` before its host; None without.

    A password may hold an `@`, and, though it must not, a `/`: then what stands between the colon
    and the slash is no port, or what seems to be the host is none, and a better one follows.
    """
    import re

    authority = re.compile(r"[^/?#\\]*").match(token, begin)
    stop = authority.end() if authority else begin
    end = token.rfind("@", begin, stop) + 1
    host = token[end or begin : stop]
    later = 0
    if not re.fullmatch(_HOST, host):
        later = token.rfind("@", stop) + 1
    elif not re.match(r"localhost|\[|.*[^.:]\.[^.:]", host):
        later = sure if sure > stop else 0
    return later or end or None


def _user(token: str, begin: int, end: int, mark: str) -> str:
    """Return what is left of a user and a password: the user's name, if SSH needs it."""
    name, colon, _ = token[begin : end - 1].partition(":")
    if token.endswith("ssh://", 0, begin) and name:
        return f"{name}:{mark}@" if colon and mark else f"{name}@"
    return f"{mark}@" if mark else ""


def _without_values(token: str, mark: str) -> str:
    """Hide the values of a URL's query, and those of its fragment; an anchor or a commit stays."""
    import re

    found = re.search(rf"(?:{_START})[^?#]*", token)
    if found is None or found.end() == len(token):
        return token
    url, rest = token[: found.end()], token[found.end() :]
    inside = rest.rstrip(_AFTER)
    query, _, fragment = inside.partition("#")
    shown_query = _pairs(query[1:], mark)
    url += f"?{shown_query}" if shown_query else ""
    shown_fragment = _pairs(fragment, mark) if "=" in fragment else fragment
    url += f"#{shown_fragment}" if shown_fragment else ""
    return url + rest[len(inside) :]


def _pairs(text: str, mark: str) -> str:
    """Hide the values of `key=value&key=value`; without a mark, the keys go, too."""
    import re

    kept = []
    for pair in re.split("[&;]", text):
        key, sign, _ = pair.partition("=")
        if key.lower() in _OPEN or not pair:
            kept.append(pair)
        elif mark:
            kept.append(f"{key}={mark}" if sign else mark)
    return "&".join(kept)
