"""The schema of what `torchconf diff` reports."""

from __future__ import annotations

from docs.tools.schemas.shapes import (
    BACKEND,
    COMMAND,
    FAILURE,
    PATH,
    PLATFORM,
    VERSION,
    Schema,
    array,
    described,
    flag,
    one_of,
    or_null,
    table,
    text,
    texts,
)

__all__ = ["DIFF"]


def _side(description: str) -> Schema:
    return table(
        description,
        {
            "defined": flag("Whether the project has the extras, groups and member of the choice."),
            "groups": texts("The dependency groups that it enables, default groups included."),
            "index": or_null(text("The name of the index; null: PyPI, or nothing is installed.")),
            "url": or_null(text("Where it comes from; null: PyPI, or nothing is installed.")),
            "backend": or_null(described(BACKEND, "The build; null: not installed, or unknown.")),
            "available": one_of("Whether there is a wheel.", "yes", "no", "unknown"),
            "refused": flag("Whether uv refuses the choice, or the whole project."),
            "requires": text("The releases that are admitted; empty: any.", examples=[">=2.13"]),
            "locked": or_null(array("The versions in uv.lock; null: there is none.", VERSION)),
            "reason": or_null(text("Why it is refused, or unknown; null: it is neither.")),
        },
    )


_KINDS = (
    "build", "index", "bounds", "wheel", "locked", "refused", "accepted", "added", "removed",
)  # fmt: skip

DIFF = table(
    "Which platform and choice gets another build.",
    {
        "before": table(
            "The older state.",
            {"revision": text("As it was named."), "commit": text("The commit that it means.")},
        ),
        "after": table(
            "The newer state.",
            {
                "revision": or_null(text("As it was named; null: the working tree.")),
                "commit": or_null(text("The commit that it means; null: the working tree.")),
            },
        ),
        "changes": array(
            "One for each package, platform and choice with a difference.",
            table(
                "What is different.",
                {
                    "project": PATH,
                    "was": or_null(text("Where the project was before; null: in the same place.")),
                    "package": text("The package's name, canonical."),
                    "platform": PLATFORM,
                    "extras": texts("The extras that the command chooses."),
                    "command": described(COMMAND, "The command that installs this choice."),
                    "kinds": array(
                        "In which ways it is different.", one_of("Another ...", *_KINDS)
                    ),
                    "before": _side("What it was."),
                    "after": _side("What it is."),
                },
            ),
        ),
        "notes": texts("Why something is refused or unknown, and what could not be compared."),
        "error": described(FAILURE, "The first file that cannot be read now, if any."),
        "errors": array("All files that cannot be read now, if any.", FAILURE),
    },
    optional=("error", "errors"),
)
