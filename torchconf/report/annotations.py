"""The workflow commands by which GitHub shows findings and errors beside the lines of a change.

Source: <https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions>.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.errors.shown import shown, shown_lines

if TYPE_CHECKING:
    from torchconf.errors import TorchconfError

__all__ = ["error_command", "workflow_command"]


def workflow_command(kind: str, properties: dict[str, object], *lines: str) -> str:
    """Return a command on a line of its own: `::error file=...,line=3::...`.

    Args:
        kind: `error`, `warning` or `notice`.
        properties: Where it is, and its title.
        lines: Of the message.
    """
    where = ",".join(f"{key}={_property(shown(str(value)))}" for key, value in properties.items())
    return f"::{kind} {where}::{_message(chr(10).join(map(shown_lines, lines)))}\n"


def error_command(error: TorchconfError) -> str:
    """Return what stopped a command as an annotation: of the file, if it is about one."""
    properties: dict[str, object] = {"title": "torchconf"}
    file = (error.at or "").partition(", ")[0]
    if file.endswith((".toml", ".py", ".pyw")):
        properties = {"file": file.replace("\\", "/"), **properties}
    lines = [error.message if error.is_quoted else shown(error.message)]
    lines += [f"at: {shown(error.at)}"] if error.at else []
    lines += [f"help: {shown(error.help)}"] if error.help else []
    return workflow_command("error", properties, *lines)


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
