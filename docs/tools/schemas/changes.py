"""The schemas of what commands say that write."""

from __future__ import annotations

from docs.tools.schemas.shapes import (
    BACKEND,
    COMMAND,
    DIFF,
    PATH,
    TARGET,
    VERSION,
    Schema,
    array,
    described,
    flag,
    named,
    number,
    one_of,
    or_null,
    table,
    text,
    texts,
)

_FILE: dict[str, Schema] = {
    "path": PATH,
    "changed": flag("Whether the file is, or would be, another one."),
    "written": flag("Whether it was written; with --dry-run and --check it is not."),
}
_SAID: dict[str, Schema] = {
    "notes": texts("What was decided, and why."),
    "warnings": texts("What could not be known."),
}
_TORCH = or_null(described(VERSION, "The release of torch; null: newer than the catalog."))
_OUTCOME: dict[str, Schema] = {
    "layout": one_of("How a build is chosen when installing.", "markers", "extras", "groups"),
    "torch": _TORCH,
    "targets": array(
        "The targets that the project then has.",
        table("One target.", {"target": TARGET, "command": COMMAND}),
    ),
}
_MENTIONS = array(
    "Lines elsewhere in the project that name another build; they are left alone.",
    table(
        "One line.",
        {"path": PATH, "line": number("From 1.", start=1), "text": text("The line.")},
    ),
)

TARGETS = table(
    "What was changed, and how each target is installed.",
    {**_FILE, **_OUTCOME, **_SAID, "diff": DIFF},
)

UPGRADE = table(
    "What was moved to another release or build.",
    {
        **_FILE,
        "torch": _TORCH,
        "backends": named("Each build that was replaced, with the new one.", BACKEND),
        "targets": array("The targets that the project has.", TARGET),
        **_SAID,
        "mentions": _MENTIONS,
        "diff": DIFF,
    },
)

MIGRATE = table(
    "What became of each line of the old files.",
    {
        **_FILE,
        **_OUTCOME,
        "layout": or_null(described(_OUTCOME["layout"], "Null: no line asks for PyTorch.")),
        **_SAID,
        "files": texts("The files that were read."),
        "lines": array(
            "Every line, in order.",
            table(
                "One line.",
                {
                    "file": PATH,
                    "line": number("From 1; 0: the whole file."),
                    "text": text("What it says."),
                    "outcome": one_of(
                        "What became of it.", "taken", "changed", "left out", "unclear"
                    ),
                    "into": text("What stands for it in the new file; empty: nothing."),
                    "why": text("The reason; empty where nothing needs to be said."),
                },
            ),
        ),
        "mentions": _MENTIONS,
        "diff": DIFF,
    },
)

NEW = table(
    "With --list: `templates`. Else the project that was created.",
    {
        "path": described(PATH, "The folder."),
        "written": _FILE["written"],
        "files": texts("What is in it."),
        **_OUTCOME,
        **_SAID,
        "templates": array(
            "The templates.",
            table(
                "One template.",
                {
                    "name": text("Its name."),
                    "summary": text("What it is for."),
                    "layouts": texts("The layouts that it can have, the usual one first."),
                },
            ),
        ),
    },
    optional=("path", "written", "files", *_OUTCOME, *_SAID, "templates"),
)
NEW["oneOf"] = [
    {"required": ["templates"]},
    {"required": ["path", "written", "files", *_OUTCOME, *_SAID]},
]
