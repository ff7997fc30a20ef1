"""Carrying out a plan on the text of a file whose every other byte stays as it is.

A document is taken apart into lines and values, each with its exact text; steps change those that
they are about and leave the rest alone. Then the standard library reads the result, which must say
what `torchconf.edits.plan.meaning` says.

tomlkit is not the editor, though it is one. It loses the comments of what it removes, puts new
entries between a comment and what the comment is about, joins tables that are far apart, and takes
five seconds for a megabyte. Here it tells TOML 1.1 from what is no TOML at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchconf.edits.plan import Step

__all__ = ["edit_text"]


def edit_text(text: str, steps: Iterable[Step], file: str = "pyproject.toml") -> str:
    """Take the steps of a plan on a document.

    Args:
        text: The document, without a byte order mark, with its own line endings. May be empty.
        steps: In the order in which they are taken.
        file: Its name, for errors.

    Returns:
        The new text. Without steps, and where everything is as it should be, the very same one.

    Raises:
        ProjectError: The text is not TOML, or not the TOML that this Python reads.
        WriteRefused: The steps do not fit the document, or the result would not say what they
            mean, would lack a comment, or would differ in a line that they are not about.
    """
    steps = tuple(steps)
    if not steps:
        return text
    # Imported here: `torchconf.edits.read_toml`, which every command needs, loads nothing of it.
    from torchconf.edits.apply_steps import take
    from torchconf.edits.document import Document
    from torchconf.edits.plan import meaning
    from torchconf.edits.read_toml import exact_float, read_toml
    from torchconf.edits.verify_edit import EditCheck
    from torchconf.errors import WriteRefused

    old = read_toml(text, file, parse_float=exact_float)
    try:
        expected = meaning(old, steps)
    except (LookupError, TypeError) as error:
        message = f"the plan was made for a different file: {error}"
        raise WriteRefused(message, at=file, help="run the command again") from error
    document = Document(text)
    witness = EditCheck(text, document, steps, file)
    for step in steps:
        take(document, step)
    new = str(document)
    if new != text or expected != old:
        witness.refuse_loss(new, expected)
    return new
