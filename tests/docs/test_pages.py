"""The pages of the site, and the README: each code block is what it says.

`python -m tests.docs.test_pages` writes what commands print. tests/support/doc_blocks.py explains
the comments above the blocks.
"""

from __future__ import annotations

import json
import os
import tempfile
import textwrap
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.support.doc_blocks import LEFT_OUT, Block, agrees, blocks, page_name, pages, sessions
from tests.support.doc_commands import readable
from tests.support.doc_session import Session, needs_uv
from tests.support.paths import ROOT
from tests.support.replica import Replica
from torchconf import check

TEXTS = {page_name(page): page.read_text(encoding="utf-8") for page in pages()}
SESSIONS = [
    pytest.param(session, id=f"{name}-{number}")
    for name, text in TEXTS.items()
    for number, session in enumerate(sessions(text))
    if any({"file", "part of"} & block.notes.keys() or [*block.runs] for block in session)
]
BLOCKS = [
    pytest.param(block, id=f"{name}-{number}")
    for name, text in TEXTS.items()
    for number, block in enumerate(blocks(text))
]
BARE = {"text", "diff", "ini", "lua", "powershell"}
"""Languages whose blocks nothing but a test of their own can check."""


@pytest.mark.parametrize("session", [one for one in SESSIONS if not needs_uv(one.values[0])])  # type: ignore[arg-type]
def test_commands_print_what_the_page_says(session: list[Block], tmp_path: Path) -> None:
    carry_out(Session(tmp_path, None), session)


@pytest.mark.slow
@pytest.mark.parametrize("session", [one for one in SESSIONS if needs_uv(one.values[0])])  # type: ignore[arg-type]
def test_uv_prints_what_the_page_says(
    session: list[Block], tmp_path: Path, inside_replica: Replica
) -> None:
    carry_out(Session(tmp_path, inside_replica), session)


def carry_out(project: Session, session: list[Block]) -> None:
    """Hold each block of a session against what happens."""
    for block in session:
        for _, printed, expected in project.outputs(block):
            assert agrees(printed, expected), f"expected:\n{expected}\nprinted:\n{printed}"
        assert block.text in project.whole(block)


@pytest.mark.parametrize("block", BLOCKS)
def test_block_has_the_form_of_its_language(block: Block) -> None:
    for kind in ("shown by", "written by"):
        assert (ROOT / block.notes.get(kind, "")).exists(), "who checks it?"
    match block.language:
        case "sh" | "bash":
            for command in block.commands:
                readable(command)
        case "toml":
            tomllib.loads(block.text)
            if wrong := block.notes.get("wrong"):
                assert {finding.code for finding in check(block.text)} == set(wrong.split())
        case "yaml":
            assert yaml.safe_load(block.text)
        case "json":
            assert json.loads(block.text)
        case "python":
            compile(block.text, "page", "exec")
        case "dockerfile":
            assert block.text.startswith(("FROM ", "# syntax", "ARG ", "COPY ", "RUN "))
        case "console":
            assert list(block.runs)
        case _:
            assert block.language in BARE, "what language is it?"
            assert block.notes.keys() & {"file", "part of", "shown by", "written by"}, (
                "who checks it?"
            )


def rewritten(text: str, replica: Replica | None) -> str:
    """Return a page with what its commands print now; what has `...` stays as it is."""
    changes: list[tuple[tuple[int, int], str]] = []
    for session in sessions(text):
        if needs_uv(session) and replica is None:
            continue
        with tempfile.TemporaryDirectory() as folder:
            project = Session(Path(folder), replica)
            for block in session:
                made = "".join(
                    f"$ {command}\n{expected if LEFT_OUT in expected else printed}"
                    for command, printed, expected in project.outputs(block)
                )
                if made:
                    changes.append((block.span, textwrap.indent(made, block.indent)))
    for (start, end), made in reversed(changes):
        text = text[:start] + made + text[end:]
    return text


if __name__ == "__main__":
    with Replica() as world:
        os.environ.update(world.environment())
        for page in pages():
            page.write_text(rewritten(page.read_text(encoding="utf-8"), world), encoding="utf-8")
