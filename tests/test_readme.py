"""The README: short, and its commands, its example and the tables of the site are the program's.

`python -m tests.test_readme` writes the tables. tests/docs/test_pages.py checks the code blocks.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest
from packaging.version import Version

from docs.tools.places import URL
from tests.support.checked_texts import WRONG
from tests.support.doc_commands import readable
from tests.support.paths import PAGES, README, ROOT
from tests.support.projects import Demo
from torchconf.catalog import Catalog, load_catalog

FIRST = Version("2.5")
PART = r"(<!-- {}; [^\n]*-->\n).*?(<!-- end -->)"


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of one language."""
    text = README.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def checked() -> str:
    """Return what `check` prints for a file that is wrong in the usual way."""
    with tempfile.TemporaryDirectory() as folder:
        result = Demo(Path(folder), WRONG)("check")
    return f"```console\n$ torchconf check\n{result.out}{result.err}```\n"


WRITTEN = {
    "backends": PAGES / "reference/targets.md",
    "check": README,
}
"""Where each table stands, and the example of `check`."""


def with_table(name: str) -> str:
    """Return a page with its table, or its example, as it should be."""
    made = {"backends": lambda: table(load_catalog()), "check": checked}[name]()
    text = WRITTEN[name].read_text(encoding="utf-8")
    part = re.search(PART.format(name), text, re.DOTALL)
    assert part is not None, name
    return text.replace(part[0], f"{part[1]}{made}{part[2]}")


def table(catalog: Catalog) -> str:
    """Return the table of backends that torch 2.5 or newer was published for."""
    lines = [
        "| backend | build | torch | driver |",
        "| --- | --- | --- | --- |",
    ]
    for accelerator in catalog.accelerators:
        for backend in catalog.newest_first(accelerator.name):
            ended = catalog.ended(backend)
            if ended is not None and Version(ended) < FIRST:
                continue
            first = catalog.first_seen("torch", backend)
            span = f"{first} to {ended}" if ended else f"{first} and later"
            span = span if first else "unknown"
            driver = " / ".join(catalog.drivers(backend).values())
            lines.append(f"| `{backend.name}` | {backend.title} | {span} | {driver} |")
    return "\n".join(lines) + "\n"


def test_first_two_shell_blocks_are_one_command_line_each() -> None:
    first, second = blocks("sh")[:2]
    assert first.count("\n") == second.count("\n") == 1
    assert "torchconf init" in first
    assert "cat demo/pyproject.toml" in first
    assert "pytest" in second


@pytest.mark.parametrize("name", WRITTEN)
def test_tables_and_the_example_of_check_are_the_programs(name: str) -> None:
    assert WRITTEN[name].read_text(encoding="utf-8") == with_table(name), (
        "`python -m tests.test_readme` writes it"
    )


def test_the_readme_fits_a_reader_of_a_minute() -> None:
    text = README.read_text(encoding="utf-8")
    assert len(text.split()) < 1500
    before_pictures = text.partition("![")[0]
    rows = re.findall(r"^\| [^|]+ \| `[^`]*torchconf [^`]+` \|", before_pictures, re.MULTILINE)
    assert len(rows) >= 10


def test_the_table_of_cases_is_that_of_the_site() -> None:
    readme = README.read_text(encoding="utf-8")
    start = (PAGES / "index.md").read_text(encoding="utf-8")
    row = re.compile(r"^\| ([^|]+) \| (`[^|]+`) \| \[([^]]+)\]\((\S+)\) \|$", re.MULTILINE)
    ours = [[*cells[:3], cells[3].removeprefix(URL)] for cells in row.findall(readme)]
    theirs = [[*cells[:3], cells[3].replace(".md", "/")] for cells in row.findall(start)]
    assert ours == theirs
    for _, command, *_ in ours:
        readable(command.strip("`"))


def test_the_example_of_a_workflow_uses_the_pinned_major_version() -> None:
    template = ROOT / "templates/shared/.github/workflows/ci.yml"
    pinned = re.search(r"actions/checkout@\w+ # (v\d+)", template.read_text(encoding="utf-8"))
    assert pinned is not None
    text = (PAGES / "howto/ci.md").read_text(encoding="utf-8")
    assert set(re.findall(r"actions/checkout@(\S+)", text)) == {pinned[1]}


if __name__ == "__main__":
    for part, path in WRITTEN.items():
        path.write_text(with_table(part), encoding="utf-8")
