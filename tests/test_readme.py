"""The README: its commands, its example and its table are what the program does.

`python -m tests.test_readme` writes the tables.
"""

from __future__ import annotations

import re
import shlex
import tempfile
from pathlib import Path

import pytest
from packaging.version import Version

from tests.support.checked_texts import WRONG
from tests.support.paths import README, ROOT
from tests.support.projects import Demo, run_in
from torchconf.catalog import Catalog, load_catalog
from torchconf.cli import main
from torchconf.rules import RULES
from torchconf.rules.page import load_page

FIRST = Version("2.5")
PART = r"(<!-- {}: [^\n]*-->\n).*?(<!-- end -->)"


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of one language."""
    text = README.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def rules() -> str:
    """Return the table of rules, each with the first line of its page."""
    lines = ["| code | name | severity | fix | what is wrong |", "| --- | --- | --- | --- | --- |"]
    for rule in RULES:
        severity = rule.severity.value + (", off by default" if rule.is_optional else "")
        fix = "" if rule.fixes == "no" else rule.fixes
        headline = load_page(rule).summary.replace("|", "\\|")
        lines.append(f"| `{rule.code}` | `{rule.name}` | {severity} | {fix} | {headline} |")
    return "\n".join(lines) + "\n"


def checked() -> str:
    """Return what `check` prints for a file that is wrong in the usual way."""
    with tempfile.TemporaryDirectory() as folder:
        result = Demo(Path(folder), WRONG)("check")
    return f"```console\n$ torchconf check\n{result.out}{result.err}```\n"


def with_tables(text: str) -> str:
    """Return the README with its tables, and its example of `check`, as they should be."""
    made_parts = {"backends": table(load_catalog()), "rules": rules(), "check": checked()}
    for name, made in made_parts.items():
        parts = re.search(PART.format(name), text, re.DOTALL)
        assert parts is not None, name
        text = text.replace(parts[0], f"{parts[1]}{made}{parts[2]}")
    return text


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
            driver = " / ".join(catalog.drivers(backend).values())
            lines.append(f"| `{backend.name}` | {backend.title} | {span} | {driver} |")
    return "\n".join(lines) + "\n"


def test_first_two_shell_blocks_are_one_command_line_each() -> None:
    first, second = blocks("sh")[:2]
    assert first.count("\n") == second.count("\n") == 1
    assert "torchconf init" in first
    assert "cat demo/pyproject.toml" in first
    assert "pytest" in second


def test_tables_of_backends_and_rules_are_the_programs() -> None:
    written = README.read_text(encoding="utf-8")
    assert written == with_tables(written)


def test_example_is_what_init_prints_and_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    example = blocks("console")[0]
    command, _, expected = example.partition("\n")
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(command)[2:]) == 0
    printed = capsys.readouterr()
    assert printed.err + printed.out == expected
    assert blocks("toml")[0] in (tmp_path / "pyproject.toml").read_text(encoding="utf-8")
    refused, _, why = blocks("console")[1].partition("\n")
    assert main(shlex.split(refused)[2:]) == 2
    assert capsys.readouterr().err == why
    shown, _, rows = blocks("console")[2].partition("\n")
    assert main(shlex.split(shown)[2:]) == 0
    assert capsys.readouterr().out == rows
    added, _, change = blocks("console")[4].partition("\n")
    assert main(shlex.split(added)[2:]) == 0
    printed = capsys.readouterr()
    assert printed.err + printed.out == change


MIGRATIONS = re.findall(
    r"<!-- migrate: (\S+) -->\n```\w+\n(.*?)```\n\n```console\n\$ torchconf (.*?)\n(.*?)```",
    README.read_text(encoding="utf-8"),
    re.DOTALL,
)


@pytest.mark.parametrize(("name", "old", "command", "expected"), MIGRATIONS)
def test_examples_of_migrations_say_what_migrate_says(
    name: str, old: str, command: str, expected: str, tmp_path: Path
) -> None:
    demo = Demo(tmp_path)
    (demo.folder / name).write_text(old, encoding="utf-8")
    result = run_in(tmp_path, command)
    assert result.status == 0
    printed = result.err + result.out
    for part in filter(None, (f"\n{expected}").split("\n...\n")):
        assert part.removeprefix("\n") in printed


def test_there_are_three_examples_of_migrations() -> None:
    assert [name for name, *_ in MIGRATIONS] == [
        "requirements.txt", "pyproject.toml", "environment.yml",
    ]  # fmt: skip


@pytest.mark.parametrize("command", ["init", "check", "migrate"])
def test_every_flag_is_in_the_readme(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    flags = set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out))
    text = README.read_text(encoding="utf-8")
    known = {"--help", "--quiet", "--verbose", "--yes", "--output-format"}
    assert {flag for flag in flags - known if flag not in text} == set()


if __name__ == "__main__":
    now = README.read_text(encoding="utf-8")
    README.write_text(with_tables(now), encoding="utf-8")


def test_the_example_of_a_workflow_uses_the_pinned_major_version() -> None:
    template = ROOT / "templates/shared/.github/workflows/ci.yml"
    pinned = re.search(r"actions/checkout@\w+ # (v\d+)", template.read_text(encoding="utf-8"))
    assert pinned is not None
    written = re.findall(r"actions/checkout@(\S+)", README.read_text(encoding="utf-8"))
    assert set(written) == {pinned[1]}
