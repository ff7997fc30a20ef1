"""Each rule by its examples: those of its page, and the files in `tests/rules`.

A folder `tests/rules/TC101` has files `bad-*.toml` in which the rule must report, and `good-*.toml`
in which it must not; a case of several files is a folder of such a name. The first line of a bad
file may say where: `# at: tool.uv.index[0]`. Where a `fixed-*.toml` of the same name stands beside
it, that is the file after the fixes of the rule.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.checking import (
    OPTIONAL,
    check_path,
    check_script,
    check_text,
    fixed_script,
    fixed_text,
)
from tests.support.few import one_each
from tests.support.paths import PACKAGE
from tests.support.rule_files import BAD, FIXED, GOOD, label, rule_of
from torchconf.model.read_project import read_project
from torchconf.rules import RULES, Rule, Severity
from torchconf.rules.page import load_page
from torchconf.rules.rule_selection import RENAMED

CODES = [rule.code for rule in RULES]


def found_in(example: str, folder: Path) -> set[str]:
    """Return the codes found in an example; `# NAME` alone on a line begins another file."""
    name = "pyproject.toml"
    texts: dict[str, str] = {name: ""}
    for line in example.splitlines(keepends=True):
        if match := re.fullmatch(r"# (\S+\.(?:toml|lock))\n", line):
            name = match[1]
            texts[name] = ""
        else:
            texts[name] += line
    if example.startswith("# /// script"):
        return {f.code for f in check_script(example)}
    if len(texts) == 1:
        return {f.code for f in check_text(whole_document(example))}
    for number, (name, text) in enumerate(texts.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = text if name == "uv.lock" else whole_document(text, f"demo-{number}")
        path.write_text(whole, encoding="utf-8")
    return {f.code for found in check_path(folder).values() for f in found}


def whole_document(example: str, name: str = "demo") -> str:
    """Complete an example to a document that can be read: a project has a name."""
    head = f'[project]\nname = "{name}"\nversion = "0.1.0"\n'
    if "requires-python" not in example:
        head += 'requires-python = ">=3.11"\n'
    if "[project]\n" in example:
        return example.replace("[project]\n", head)
    return f"{head}\n{example}"


@pytest.mark.parametrize("rule", RULES, ids=CODES)
def test_a_rule_reports_in_its_bad_example_and_not_in_its_good_one(
    rule: Rule, tmp_path: Path
) -> None:
    page = load_page(rule)
    assert page.bad, "a page has a bad example"
    assert page.good, "a page has a good example"
    for number, text in enumerate(page.bad):
        assert rule.code in found_in(text, tmp_path / f"bad{number}"), text
    for number, text in enumerate(page.good):
        assert rule.code not in found_in(text, tmp_path / f"good{number}"), text


@pytest.mark.parametrize("rule", RULES, ids=CODES)
def test_the_docstring_of_a_rule_is_the_first_line_of_its_page(rule: Rule) -> None:
    assert type(rule).__doc__ == load_page(rule).summary


def test_every_old_name_leads_to_a_rule_and_is_no_name_of_one() -> None:
    names = {rule.name for rule in RULES}
    assert set(RENAMED.values()) <= names
    assert not RENAMED.keys() & names


def test_every_page_is_of_a_rule() -> None:
    pages = PACKAGE / "rules" / "pages"
    assert sorted(path.stem for path in pages.iterdir()) == CODES


def test_pages_and_findings_are_there_without_docstrings(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        whole_document(load_page(RULES[3]).bad[0]), encoding="utf-8"
    )
    for words, expected in (
        (["explain", "TC101"], f"{load_page(RULES[3]).text()}\n"),
        (["explain"], load_page(RULES[3]).summary),
        (["check"], "[TC101 index-not-explicit]"),
    ):
        done = subprocess.run(
            [sys.executable, "-OO", "-m", "torchconf", *words],
            cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", check=False,
        )  # fmt: skip
        assert expected in done.stdout, done.stderr


@pytest.mark.parametrize("path", one_each(BAD, rule_of), ids=label)
def test_a_rule_reports_in_a_bad_file(path: Path) -> None:
    found = [f for each in check_path(path).values() for f in each if f.code == path.parent.name]
    assert found
    if path.suffix == ".toml":
        first = path.read_text(encoding="utf-8").partition("\n")[0]
        if first.startswith("# at: "):
            assert first.removeprefix("# at: ") in {finding.at for finding in found}


@pytest.mark.parametrize("path", one_each(GOOD, rule_of), ids=label)
def test_a_rule_is_silent_in_a_good_file(path: Path) -> None:
    assert [
        f for each in check_path(path).values() for f in each if f.code == path.parent.name
    ] == []


def test_an_index_is_not_said_to_wait_for_what_an_override_takes_away() -> None:
    path = next(one for one in BAD if one.stem == "bad-torch-is-taken-away")
    (found,) = check_text(path.read_text(encoding="utf-8"))
    assert (found.code, found.severity) == ("TC106", Severity.INFO)


def alarms(text: str) -> set[str]:
    """Return the codes of errors and warnings, without those that nobody asked for."""
    found = [f for f in check_text(text) if f.severity is not Severity.INFO]
    return {f.code for f in found} - set(OPTIONAL)


@pytest.mark.parametrize("path", one_each(FIXED, rule_of), ids=label)
def test_a_fix_gives_the_fixed_file_and_finds_nothing_more(path: Path) -> None:
    code = path.parent.name
    before = path.with_name(path.name.replace("fixed-", "bad-")).read_text(encoding="utf-8")
    if path.suffix == ".py":
        assert fixed_script(before, code) == path.read_text(encoding="utf-8")
        return
    after = fixed_text(before, code)
    assert after == path.read_text(encoding="utf-8")
    assert code not in {f.code for f in check_text(after)}
    assert alarms(after) <= alarms(before), "a fix brings no new error and no new warning"


@pytest.mark.parametrize("rule", RULES, ids=CODES)
def test_a_rule_has_bad_and_good_files_and_those_that_fix_have_a_fixed_one(rule: Rule) -> None:
    of_rule = [path for path in (*BAD, *GOOD, *FIXED) if path.parent.name == rule.code]
    assert sum(path.name.startswith("bad-") for path in of_rule) >= 2
    assert sum(path.name.startswith("good-") for path in of_rule) >= 2
    assert any(path in FIXED for path in of_rule) == (rule.fixes != "no")


@pytest.mark.parametrize(
    "path", one_each([p for p in (*BAD, *GOOD) if p.suffix == ".toml"], rule_of), ids=label
)
def test_an_example_file_is_well_made(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    project = read_project(tomllib.loads(text), problems=[])
    assert project.at
