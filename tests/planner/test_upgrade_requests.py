"""Random configurations, random upgrades, and what the real uv makes of them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tests.support.checking import CATALOG, alarms
from tests.support.conformance import Case, cases, init
from tests.support.projects import Demo
from tests.support.replica import Replica
from tests.support.upgrading import COVERED, inside

RECENT = [release for release in COVERED if Version(release) >= Version("2.6")]


def words_for(rng: random.Random, backends: list[str]) -> Iterator[str]:
    """Yield the words of one upgrade, `--torch` first."""
    if rng.random() < 0.6:
        release = rng.choice(RECENT)
        yield f"--torch {rng.choice([release, release.rpartition('.')[0]])}"
    if rng.random() < 0.3:
        yield "--all"
    elif backends and rng.random() < 0.5:
        old = rng.choice(backends)
        accelerator = CATALOG.backend(old).accelerator
        yield f"--backend {old}={rng.choice(CATALOG.newest_first(accelerator)[:5]).name}"
    if rng.random() < 0.5:
        yield "--rename"


def judge(case: Case, seed: int, folder: Path, replica: Replica) -> str:
    """Configure a project, upgrade it at random, and return what became of it."""
    demo = Demo(folder, case.text)
    answer = init(demo.folder, *case.words)
    if answer.status or answer.data["warnings"]:
        return "not configured"
    names = {target["target"].rpartition("-")[2] for target in answer.data["targets"]}
    versioned = sorted(name for name in names - {"pypi"} if CATALOG.backend(name).version)
    words = list(words_for(random.Random(seed), versioned))
    told = f"{case}\n    torchconf upgrade {' '.join(words)}"
    before = demo.text
    done = demo(f"upgrade {' '.join(words)} --format json")
    if done.status:
        assert (done.status, demo.text) == (2, before), told
        assert "cannot upgrade these tables" not in done.out, told
        return "refused"
    after = demo.text
    again = demo(f"upgrade {' '.join(word for word in words if word.startswith('--torch'))}")
    assert (again.status, demo.text) == (0, after), f"{told}\n{again.err}"
    renamed = "--rename" in words
    assert [one for one in alarms(after) if renamed or not one.startswith("TC107")] == [], told
    if done.json["warnings"]:
        return "unknown"
    run = replica.uv("lock", cwd=demo.folder)
    assert run.returncode == 0, f"{told}\n{run.stderr}"
    if "--torch" in " ".join(words):
        python = "3.12" if "3.12" in SpecifierSet(demo.project["requires-python"]) else "3.13"
        rows = demo(f"verify --frozen --python {python} --format json").json["routes"]
        lines = {
            Version(row["version"]).release[:2]
            for row in rows
            if row["package"] == "torch" and row["version"]
        }
        assert lines == {Version(done.json["torch"]).release[:2]}, told
    return "upgraded"


def judge_all(seeds: range, folder: Path, replica: Replica) -> None:
    """Judge a request for each seed, and print the shares."""
    tally: Counter[str] = Counter()
    for seed in seeds:
        parent = folder / str(seed)
        parent.mkdir()
        tally[judge(next(cases(1, seed)), seed, parent, replica)] += 1
    print(", ".join(f"{count} {what}" for what, count in sorted(tally.items())))
    assert tally["upgraded"], "a run that upgrades nothing shows nothing"


@inside
def test_some_upgrades_do_what_they_say(inside_replica: Replica, tmp_path: Path) -> None:
    judge_all(range(6), tmp_path, inside_replica)


@inside
@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, 330, 30))
def test_three_hundred_upgrades_do_what_they_say(
    start: int, inside_replica: Replica, tmp_path: Path
) -> None:
    judge_all(range(start, start + 30), tmp_path, inside_replica)
