"""Random requests against the real uv: what is accepted can be had, what is refused can not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from tests.support.conformance import (
    STARTS,
    Case,
    cases,
    contains_targets,
    init,
    possible_releases,
    problems,
    rare_cases,
    read_back,
)
from tests.support.replica import Content, Replica
from torchconf.catalog import Catalog, load_catalog
from torchconf.model.requirements import python_specifier, torch_specifier
from torchconf.model.target_spec import parse_target_spec


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


@pytest.fixture(scope="module")
def content() -> Content:
    return Content.from_facts()


def test_some_requests_do_what_they_say(
    replica: Replica, catalog: Catalog, content: Content, tmp_path: Path
) -> None:
    judge_all(cases(8, seed=0), replica, catalog, content, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("start", [*STARTS][1:])
def test_requests_that_chance_seldom_makes_do_what_they_say(
    start: str, replica: Replica, catalog: Catalog, content: Content, tmp_path: Path
) -> None:
    """Also where a uv.lock is there, whose releases and forks uv prefers."""
    for name in ("anew", "locked"):
        folder = tmp_path / name
        judge_all(rare_cases(start), replica, catalog, content, folder, is_locked=name == "locked")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(11))
def test_three_hundred_requests_do_what_they_say(
    seed: int, replica: Replica, catalog: Catalog, content: Content, tmp_path: Path
) -> None:
    judge_all(cases(30, seed), replica, catalog, content, tmp_path)


def judge_all(
    some: Iterable[Case],
    replica: Replica,
    catalog: Catalog,
    content: Content,
    tmp_path: Path,
    *,
    is_locked: bool = False,
) -> None:
    """Judge each request, print the shares, and fail with all that is wrong."""
    tally: Counter[str] = Counter()
    wrong: list[str] = []
    for number, case in enumerate(some):
        folder = tmp_path / str(number) / "demo"
        folder.mkdir(parents=True)
        if is_locked:
            (folder / "pyproject.toml").write_text(case.text, encoding="utf-8", newline="\n")
            replica.lock(folder)
        verdict, found = judge(case, folder, replica, catalog, content)
        tally[verdict] += 1
        wrong += [f"{case}\n    {problem}" for problem in found]
    print(", ".join(f"{count} {verdict}" for verdict, count in sorted(tally.items())))
    assert not wrong, "\n".join(wrong)
    assert tally["accepted"], "a run that accepts nothing shows nothing"


def without_list(text: bytes) -> bytes:
    """Return a file without its list of targets."""
    return re.sub(rb"(?m)^targets = .*$", b"", text)


def judge(
    case: Case, folder: Path, replica: Replica, catalog: Catalog, content: Content
) -> tuple[str, list[str]]:
    """Return `accepted`, `refused` or `unknown`, and what is wrong."""
    file = folder / "pyproject.toml"
    if case.text:
        file.write_text(case.text, encoding="utf-8", newline="\n")
    answer = init(folder, *case.words)
    if answer.status:
        return "refused", judge_refusal(case, answer.data, file, catalog, content)
    found = problems(case, answer, folder, replica, catalog)
    if answer.data["warnings"]:
        # The catalog said that it does not know; the replica may know better, or worse.
        found = []
    written = file.read_bytes()
    for words in (case.words, ("-y",)):
        again = init(folder, *words)
        if again.status or again.data["changed"] or file.read_bytes() != written:
            found.append(f"a second run with {' '.join(words)} gives {again.data}")
    # The tables read back say the same; only the list names more.
    again = init(folder, *read_back(folder, catalog))
    if again.status or without_list(file.read_bytes()) != without_list(written):
        found.append(f"a run with what the tables say gives {again.data}")
    found += [f"{text} is not read back" for text in contains_targets(case, folder, catalog)]
    return "unknown" if answer.data["warnings"] else "accepted", found


def judge_refusal(
    case: Case, data: dict[str, dict[str, str]], file: Path, catalog: Catalog, content: Content
) -> list[str]:
    """Return what is wrong with a refusal: a touched file, or that the replica has it all."""
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    if text != case.text:
        return ["refused, and the file was touched"]
    message = data["error"]["message"]
    if message.startswith(("layout `markers` gives", "`--default")):
        return []
    specs = [parse_target_spec(target, catalog.vocabulary) for target in case.targets]
    torch = SpecifierSet(torch_specifier(next(iter(case.values("--torch")), None)))
    if not case.values("--torch") and "torch>=2.4" in case.text:
        torch = SpecifierSet(">=2.4")
    asked = case.values("--python") or ([case.python] if case.text else [])
    python = SpecifierSet(python_specifier(asked[0])) if asked else None
    releases = possible_releases(specs, torch, case.values("--with"), python, content, catalog)
    return [f"refused ({message}), but the replica has {releases}"] if releases else []
