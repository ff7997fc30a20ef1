"""The base URL of a mirror, as a user gives it."""

from __future__ import annotations

from torchconf.errors import RequestError, hide_secrets


def parse_index_base(url: str | None) -> str | None:
    """Refuse the URL of a mirror that is none, or holds a secret: the file is shared.

    Raises:
        RequestError: It is refused.
    """
    if url is None:
        return None
    # Imported here: only a mirror needs it.
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.netloc)
        usable = usable or (parts.scheme == "file" and bool(parts.path))
        # The only placeholder that there is.
        usable = usable and not set("{}") & set(url.replace("{backend}", ""))
        secret = hide_secrets(url) != url or "@" in parts.netloc or bool(parts.query)
    except ValueError:
        usable, secret = False, False
    if not usable:
        raise RequestError(
            f"`--index-base {hide_secrets(url)}` is not a URL",
            help="use one such as `https://mirror.example.org/pytorch/{backend}/simple`",
        )
    if secret:
        raise RequestError(
            "`--index-base` must not contain credentials, because pyproject.toml is shared",
            help="set UV_INDEX_<NAME>_USERNAME and UV_INDEX_<NAME>_PASSWORD for each index, "
            "where <NAME> is the index name in capitals, with `_` for `-` and `.`",
        )
    return url
