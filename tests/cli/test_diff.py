"""`torchconf diff` on histories: what it says is what the tables of both sides say, told apart."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from docs.tools.schemas import RESULTS
from tests.support.few import every, few
from tests.support.paths import CASES, TESTS
from tests.support.projects import PROJECTS, run_in
from tests.support.replica import Replica
from tests.support.repositories import Repo, git
from tests.support.schemas import Seen, mistakes
from torchconf.cli import main
from torchconf.resolve.uv import find_uv

NAME = "pyproject.toml"
HEAD = '[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.11"\n'
INDEXES = "".join(
    f'[[tool.uv.index]]\nname = "{name}"\n'
    f'url = "https://download.pytorch.org/whl/{name}"\nexplicit = true\n'
    for name in ("cpu", "cu126", "cu130", "cu132")
)
SOURCE = '[tool.uv.sources]\ntorch = { index = "cu130", marker = "sys_platform == \'linux\'" }\n'
PLAIN = f'{HEAD}dependencies = ["torch>=2.11"]\n{SOURCE}{INDEXES}'
ROOT = f'{HEAD}[tool.uv.workspace]\nmembers = ["libs/*"]\n{SOURCE}{INDEXES}'
MEMBER = '[project]\nname = "core"\nversion = "1"\nrequires-python = ">=3.11"\n'
SCRIPT = '# /// script\n# dependencies = ["torch"]\n# requires-python = ">=3.11"\n{}# ///\n'
ROUTED = (
    '# [tool.uv.sources]\n# torch = { index = "cpu" }\n# [[tool.uv.index]]\n# name = "cpu"\n'
    '# url = "https://download.pytorch.org/whl/cpu"\n# explicit = true\n'
)
WHL, EVIL = "https://download.pytorch.org/whl", "https://evil.example/whl"
EVERYWHERE = "linux, linux-aarch64, windows, macos"
LINUX = "linux, linux-aarch64"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Give what runs a command: its status, stdout and stderr."""

    def run(folder: Path, *words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main([*words, "--project", str(folder)])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def data(run: Run, folder: Path, *words: str) -> dict[str, Any]:
    status, out, err = run(folder, *words, "--format", "json")
    assert status == 0, out + err
    found: dict[str, Any] = json.loads(out)
    assert words[0] != "diff" or mistakes("diff", found) == []
    return found


HISTORIES = {
    "markers": (
        "init -t linux-cuda12.6 -t macos-cpu --torch 2.11",
        "add-target windows-cuda12.6",
        "init --with torchvision",
        "upgrade --torch 2.12 --all",
        "remove-target linux-cu132",
    ),
    "extras": (
        "init -t linux-cuda12.6 -t linux-cpu -t macos-cpu --layout extras --torch 2.11",
        "add-target windows-cuda12.6",
        "upgrade --backend cu126=cu130",
        "remove-target windows-cu130",
    ),
    "groups": (
        "init -t linux-cuda12.6 -t linux-cpu --layout groups --default cpu",
        "init -t linux-cuda12.6 -t linux-cpu --layout groups --default cu126",
        "add-target linux-cu130",
        "init -t linux-cuda12.6 -t linux-cpu --layout groups --default machine --force",
        "add-target linux-cu130",
    ),
    "between layouts": (
        "init -t linux-cuda -t macos-cpu",
        "add-target linux-cpu --layout extras",
        "init -t linux-cuda -t macos-cpu --layout markers --force",
    ),
    "pins": ("init -t linux-cuda --pin --torch 2.12", "upgrade --torch 2.13"),
    "workspace with extras": (
        "init -t linux-cuda12.6 -t linux-cpu --layout extras --force",
        "add-target linux-cu130",
        "remove-target linux-cu126",
    ),
    "workspace with groups": (
        "init -t linux-cuda12.6 -t linux-cpu --default machine --force",
        "add-target linux-cu130",
    ),
}
"""Each command is a commit."""


def start_of(history: str) -> dict[str, str]:
    """Return the files with which a history begins."""
    if "workspace" not in history:
        return {NAME: HEAD}
    member = MEMBER + 'dependencies = ["torch"]\n'
    return {
        NAME: f'{HEAD}[tool.uv.workspace]\nmembers = ["libs/*"]\n',
        "libs/a/pyproject.toml": member,
        "libs/b/pyproject.toml": member.replace("core", "other"),
    }


def told_apart(before: dict[str, Any], after: dict[str, Any]) -> dict[tuple[str, ...], Any]:
    """Return what differs between two tables of `show`, for the commands that both have."""
    tables = [
        {(row["command"], row["package"], row["platform"]): row for row in side["routes"]}
        for side in (before, after)
    ]
    return {
        key: tuple((one[key]["backend"], one[key]["available"]) for one in tables)
        for key in tables[0].keys() & tables[1].keys()
        if answer(tables[0][key]) != answer(tables[1][key])
    }


def answer(row: dict[str, Any]) -> tuple[object, ...]:
    """Return what a row says: a refusal is one for any reason."""
    reason = None if row["backend"] or row.get("provisional") else row.get("reason")
    is_refused = reason is not None and row["available"] == "no"
    return row["backend"], row["available"], is_refused, None if is_refused else reason


def is_told_as_both_say(
    told: list[dict[str, Any]], before: dict[str, Any], after: dict[str, Any]
) -> None:
    """Hold changes to the tables of `show` of both sides."""
    both, packages = (
        {row[key] for row in before["routes"]} & {row[key] for row in after["routes"]}
        for key in ("command", "package")
    )
    builds = {
        (one["command"], one["package"], one["platform"]): tuple(
            (one[side]["backend"], one[side]["available"]) for side in ("before", "after")
        )
        for one in told
        if {*one["kinds"]} & {"build", "wheel", "refused", "accepted"}
    }
    builds = {key: two for key, two in builds.items() if key[0] in both and key[1] in packages}
    apart = told_apart(before, after)
    assert {key: two for key, two in builds.items() if key in apart} == apart
    # Nothing more, but for platforms that only one of them shows.
    tables = [{(r["command"], r["package"], r["platform"]) for r in side["routes"]}
              for side in (before, after)]  # fmt: skip
    assert not builds.keys() & tables[0] & tables[1] - apart.keys()
    # What only one of them has is told with its own answer on that side.
    for side, table in (("before", before), ("after", after)):
        rows = {(r["command"], r["package"], r["platform"]): r for r in table["routes"]}
        for one in told:
            row = rows.get((one["command"], one["package"], one["platform"]))
            if row is not None:
                assert one[side]["backend"] == row["backend"]
                assert one[side]["defined"]


@pytest.mark.parametrize("history", few(HISTORIES, {"between layouts"}.__contains__))
def test_each_command_as_a_commit_is_told_as_the_tables_of_both_sides_say(
    history: str, tmp_path: Path, run: Run
) -> None:
    repo = Repo.make(tmp_path / "demo", start_of(history))
    shown = [data(run, repo.folder, "show")]
    for command in HISTORIES[history]:
        status, out, err = run(repo.folder, *command.split(), "-y")
        assert status == 0, out + err
        before, after = shown[-1], data(run, repo.folder, "show")
        of_tree = data(run, repo.folder, "diff")["changes"]
        repo.commit()
        told = data(run, repo.folder, "diff", "HEAD~1", "HEAD")["changes"]
        assert told == of_tree, "the working tree was what is committed now"
        assert told, command
        is_told_as_both_say(told, before, after)
        shown.append(after)
        assert data(run, repo.folder, "diff")["changes"] == []


def texts_of(place: Path) -> dict[str, str]:
    """Return the files of a folder by path; one alone is the project's."""
    if place.is_file():
        return {NAME: place.read_text(encoding="utf-8")}
    return {
        path.relative_to(place).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(place.rglob("*"))
        if path.is_file()
    }


def pairs() -> Iterator[tuple[str, Path, Path]]:
    """Yield what the tests of other commands have as before and after."""
    for case in sorted((TESTS / "changes").iterdir()):
        yield case.name, case / "before.toml", case / "after.toml"
    for case in sorted((PROJECTS / "workspaces").iterdir()):
        yield case.name, case / "before", case / "after"
    for case in sorted(CASES.iterdir()):
        yield case.name, case / NAME, case / "fixed" / NAME
    for bad in sorted((TESTS / "rules").glob("TC*/bad-*.toml")):
        fixed = bad.with_name(bad.name.replace("bad-", "fixed-"))
        yield f"{bad.parent.name} {bad.stem}", bad, fixed


PAIRS = [pair for pair in pairs() if pair[1].exists() and pair[2].exists()]


@pytest.mark.parametrize("pair", few(PAIRS, PAIRS[::120].__contains__), ids=lambda pair: pair[0])
def test_each_edit_is_told_as_the_tables_of_both_sides_say(
    pair: tuple[str, Path, Path], tmp_path: Path, run: Run
) -> None:
    before, after = map(texts_of, pair[1:])
    repo = Repo.make(tmp_path / "demo", before)
    shown = [run(repo.folder, "show", "--format", "json")]
    for name in before.keys() - after.keys():
        (repo.folder / name).unlink()
    repo.write(after)
    shown.append(run(repo.folder, "show", "--format", "json"))
    said = data(run, repo.folder, "diff")
    told = said["changes"]
    if any(status for status, *_ in shown):
        (note,) = said["notes"]
        assert " cannot be read at HEAD " in note
        assert {kind for one in told for kind in one["kinds"]} == {"added"}
        return
    is_told_as_both_say(told, *(json.loads(out) for _, out, _ in shown))
    repo.commit()
    assert data(run, repo.folder, "diff", "HEAD~1", "HEAD")["changes"] == told
    # Backwards, each build is what it was, and what was removed is added.
    back = data(run, repo.folder, "diff", "HEAD", "HEAD~1")["changes"]
    opposite = {"added": "removed", "removed": "added", "refused": "accepted",
                "accepted": "refused"}  # fmt: skip
    assert {key(one) for one in back} == {
        (*key(one)[:3], tuple(sorted(opposite.get(kind, kind) for kind in one["kinds"])))
        for one in told
    }


def key(one: dict[str, Any]) -> tuple[str, str, str, tuple[str, ...]]:
    return one["command"], one["package"], one["platform"], tuple(sorted(one["kinds"]))


LINES = {
    "another build": (
        {"pyproject.toml": PLAIN},
        {"pyproject.toml": PLAIN.replace('index = "cu130"', 'index = "cpu"')},
        ["linux, linux-aarch64, uv sync: cu130 -> cpu (torch)"],
    ),
    "a bound, and nothing else": (
        {"pyproject.toml": PLAIN},
        {"pyproject.toml": PLAIN.replace(">=2.11", ">=2.12,<2.14")},
        [
            f"{EVERYWHERE}, uv sync: releases >=2.11 -> >=2.12,<2.14 (torch)",
        ],
    ),
    "a constraint is a bound": (
        {"pyproject.toml": PLAIN},
        {"pyproject.toml": PLAIN + '[tool.uv]\nconstraint-dependencies = ["torch<2.13"]\n'},
        [f"{EVERYWHERE}, uv sync: releases >=2.11 -> >=2.11,<2.13 (torch)"],
    ),
    "a wheel that is lost": (
        {"pyproject.toml": PLAIN.replace('"cu130"', '"cu126"', 1)},
        {"pyproject.toml": PLAIN.replace('"cu130"', '"cu126"', 1).replace("2.11", "2.99")},
        [
            "linux, linux-aarch64, uv sync: cu126 -> cu126, wheel unknown (torch)",
            "windows, macos, uv sync: pypi -> pypi, wheel unknown (torch)",
            f"{EVERYWHERE}, uv sync: releases >=2.11 -> >=2.99 (torch)",
        ],
    ),
    "a mirror": (
        {"pyproject.toml": PLAIN},
        {"pyproject.toml": PLAIN.replace("download.pytorch.org", "evil.example")},
        [
            f"{LINUX}, uv sync: cu130 from {WHL}/cu130 -> cu130 from {EVIL}/cu130 (torch)",
        ],
    ),
    "uv refuses": (
        {"pyproject.toml": PLAIN},
        {"pyproject.toml": PLAIN.replace('index = "cu130"', 'index = "cu999"')},
        [
            "linux, linux-aarch64, uv sync: cu130 -> refused by uv (torch)",
            "windows, macos, uv sync: pypi -> refused by uv (torch)",
        ],
    ),
    "a member's name": (
        {"pyproject.toml": ROOT, "libs/a/pyproject.toml": MEMBER + 'dependencies = ["torch"]\n'},
        {
            "pyproject.toml": ROOT.replace("cu130", "cu126", 1),
            "libs/a/pyproject.toml": MEMBER.replace("core", "engine") + 'dependencies=["torch"]\n',
        },
        ["linux, linux-aarch64, uv sync --package engine: cu130 -> cu126 (torch)"],
    ),
    "a member's folder": (
        {"pyproject.toml": ROOT, "libs/a/pyproject.toml": MEMBER + 'dependencies = ["torch"]\n'},
        {"pyproject.toml": ROOT, "libs/b/pyproject.toml": MEMBER + 'dependencies = ["torch"]\n'},
        [],
    ),
    "a project that moves": (
        {"old/pyproject.toml": PLAIN},
        {"new/pyproject.toml": PLAIN.replace('index = "cu130"', 'index = "cpu"')},
        [
            "new/pyproject.toml (was old/pyproject.toml)",
            "  linux, linux-aarch64, uv sync: cu130 -> cpu (torch)",
        ],
    ),
    "a new project": (
        {"README.md": ""},
        {"app/pyproject.toml": PLAIN},
        [
            "app/pyproject.toml (new)",
            "  linux, linux-aarch64, uv sync: not defined -> cu130 (torch)",
            "  windows, macos, uv sync: not defined -> pypi (torch)",
        ],
    ),
    "a project that goes": (
        {"app/pyproject.toml": PLAIN},
        {"README.md": ""},
        [
            "app/pyproject.toml (gone)",
            "  linux, linux-aarch64, uv sync: cu130 -> not defined (torch)",
            "  windows, macos, uv sync: pypi -> not defined (torch)",
        ],
    ),
    "a script": (
        {"tools/train.py": SCRIPT.format("")},
        {"tools/train.py": SCRIPT.format(ROUTED)},
        [
            "tools/train.py",
            f"  {EVERYWHERE}, uv run --script tools/train.py: pypi -> cpu (torch)",
        ],
    ),
    "a script that moves": (
        {"train.py": SCRIPT.format("")},
        {"tools/train.py": SCRIPT.format("")},
        [],
    ),
    "an extra with another name": (
        {
            "pyproject.toml": HEAD
            + '[project.optional-dependencies]\ngpu = ["torch"]\n'
            + SOURCE
            + INDEXES
        },
        {
            "pyproject.toml": HEAD
            + '[project.optional-dependencies]\ncuda = ["torch"]\n'
            + SOURCE
            + INDEXES
        },
        [
            "linux, linux-aarch64, uv sync --extra cuda: not defined -> cu130 (torch)",
            "windows, macos, uv sync --extra cuda: not defined -> pypi (torch)",
            "linux, linux-aarch64, uv sync --extra gpu: cu130 -> not defined (torch)",
            "windows, macos, uv sync --extra gpu: pypi -> not defined (torch)",
        ],
    ),
    "nothing of PyTorch": (
        {"pyproject.toml": PLAIN},
        {"pyproject.toml": PLAIN.replace('"torch>=2.11"', '"torch>=2.11", "numpy"')},
        [],
    ),
}
"""Files before, files after, and the lines that are printed."""


@pytest.mark.parametrize("case", every(LINES, 3))
def test_lines(case: str, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    before, after, lines = LINES[case]
    repo = Repo.make(tmp_path / "demo", before)
    for name in before.keys() - after.keys():
        (repo.folder / name).unlink()
    repo.write(after)
    monkeypatch.chdir(repo.folder)
    status, out, err = run(repo.folder, "diff", "--exit-code")
    assert out.splitlines() == lines, err
    assert status == bool(lines)
    # The other way round, and as commits.
    repo.commit()
    assert run(repo.folder, "diff", "HEAD~1", "HEAD")[1] == out
    back = run(repo.folder, "diff", "HEAD..HEAD~1")[1]
    assert len(back.splitlines()) == len(lines)


OTHER = PLAIN.replace('index = "cu130"', 'index = "cpu"')


def test_three_dots_show_what_a_branch_has_changed_since_it_left(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = Repo.make(tmp_path / "demo", {"pyproject.toml": PLAIN})
    git(repo.folder, "switch", "--quiet", "--create", "change")
    repo.commit({"pyproject.toml": PLAIN.replace(">=2.11", ">=2.12")})
    git(repo.folder, "switch", "--quiet", "main")
    repo.commit({"README.md": "", "app/pyproject.toml": OTHER})
    git(repo.folder, "switch", "--quiet", "change")
    monkeypatch.chdir(repo.folder)
    status, out, _ = run(repo.folder, "diff", "main...HEAD")
    assert status == 0
    assert "releases >=2.11 -> >=2.12" in out
    assert "app" not in out
    assert "app/pyproject.toml (gone)" in run(repo.folder, "diff", "main..HEAD")[1]
    git(repo.folder, "merge", "--quiet", "--no-edit", "main")
    assert "(new)" in run(repo.folder, "diff", "HEAD^1", "HEAD")[1]
    assert "releases" in run(repo.folder, "diff", "HEAD^2", "HEAD")[1]


def test_the_project_of_a_folder_is_compared_and_nothing_beside_it(
    tmp_path: Path, run: Run
) -> None:
    repo = Repo.make(tmp_path / "demo", {"a/pyproject.toml": PLAIN, "b/pyproject.toml": PLAIN})
    repo.write({"a/pyproject.toml": OTHER, "b/pyproject.toml": OTHER})
    found = data(run, repo.folder / "a", "diff")["changes"]
    assert {Path(one["project"]).parent.name for one in found} == {"a"}
    found = data(run, repo.folder, "diff")["changes"]
    assert {Path(one["project"]).parent.name for one in found} == {"a", "b"}


def test_a_member_is_compared_with_the_root_around_it(tmp_path: Path, run: Run) -> None:
    member = MEMBER + 'dependencies = ["torch"]\n'
    repo = Repo.make(tmp_path / "demo", {"pyproject.toml": ROOT, "libs/a/pyproject.toml": member})
    repo.write({"pyproject.toml": ROOT.replace("cu130", "cu126", 1)})
    for folder in (repo.folder, repo.folder / "libs/a"):
        found = data(run, folder, "diff")["changes"]
        assert {one["command"] for one in found} == {"uv sync --package core"}
        assert {(o["before"]["backend"], o["after"]["backend"]) for o in found} == {
            ("cu130", "cu126")
        }


def test_what_cannot_be_read_now_is_an_error_and_what_could_not_then_is_a_note(
    tmp_path: Path, run: Run
) -> None:
    broken = {"pyproject.toml": PLAIN.replace("[project]", "[project")}
    repo = Repo.make(tmp_path / "demo", {"pyproject.toml": PLAIN, "app/pyproject.toml": PLAIN})
    repo.write({**broken, "app/pyproject.toml": OTHER})
    status, out, err = run(repo.folder, "diff")
    assert status == 2
    assert "cu130 -> cpu" in out, "the other project is compared all the same"
    assert "error: " in err
    assert "pyproject.toml, line 1" in err
    repo.commit()
    status, out, err = run(repo.folder, "diff", "HEAD~1", "HEAD")
    assert status == 2
    assert "torchconf-" not in err, "where the snapshot was is nobody's business"
    status, out, err = run(repo.folder, "diff")
    assert (status, out) == (0, ""), "nobody has changed it"
    assert "cannot be read on either side" in err
    repo.commit({"pyproject.toml": PLAIN})
    status, out, err = run(repo.folder, "diff", "HEAD~1")
    assert status == 0
    assert "pyproject.toml (new)" in out
    assert "cannot be read at HEAD~1" in err
    assert "torchconf-" not in out + err


LOCK = """version = 1
[[package]]
name = "torch"
version = "{}"
source = {{ registry = "https://download.pytorch.org/whl/cpu" }}
"""


def test_the_schema_says_nothing_that_no_output_has(tmp_path: Path, run: Run) -> None:
    script = {"train.py": SCRIPT.format(ROUTED), "train.py.lock": LOCK.format("2.12.0+cpu")}
    repo = Repo.make(tmp_path / "demo", {"old/pyproject.toml": PLAIN, **script})
    (repo.folder / "old").rename(repo.folder / "new")
    groups = "[dependency-groups]\ndev = []\n"
    repo.write({"new/pyproject.toml": OTHER.replace('index = "cpu"', 'index = "x"') + groups})
    seen = Seen(RESULTS["diff"])
    seen.take(data(run, repo.folder, "diff"))
    repo.write({"new/pyproject.toml": OTHER + groups, "train.py.lock": LOCK.format("2.13.0+cpu")})
    seen.take(data(run, repo.folder, "diff"))
    repo.commit()
    seen.take(data(run, repo.folder, "diff", "HEAD~1", "HEAD"))
    repo.commit({"new/pyproject.toml": PLAIN.replace('index = "cu130"', 'index = "x"')})
    seen.take(data(run, repo.folder, "diff", "HEAD", "HEAD~1"))
    repo.write({"new/pyproject.toml": "[project"})
    out = run(repo.folder, "diff", "--format", "json")[1]
    assert mistakes("diff", json.loads(out)) == []
    seen.take(json.loads(out))
    elsewhere = (".error.at", ".errors[].at", ".error.help", ".errors[].help")
    assert {one for one in seen.missing() if not one.startswith(elsewhere)} == set()


def refused(run: Run, folder: Path, *words: str) -> str:
    status, out, err = run(folder, "diff", *words)
    assert (status, out) == (2, "")
    assert "\n help: " in err
    return err


def test_words_for_what_git_cannot_give(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "none"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(PLAIN)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert "not a git repository" in refused(run, folder)
    repo = Repo.make(folder)
    assert "has no commits yet" in refused(run, folder)
    repo.commit()
    assert "unknown revision `nowhere`" in refused(run, folder, "nowhere")
    assert "pass `--project " in refused(run, folder, str(folder))
    assert "already names two" in refused(run, folder, "HEAD..HEAD", "HEAD")
    assert "more than two" in refused(run, folder, "HEAD", "HEAD", "HEAD")
    git(folder, "switch", "--quiet", "--orphan", "apart")
    repo.commit({"pyproject.toml": OTHER})
    assert "no common ancestor" in refused(run, folder, "main...apart")
    bare = tmp_path / "bare"
    git(folder, "clone", "--quiet", "--bare", str(folder), str(bare))
    assert "no working tree" in refused(run, bare)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "git was not found" in refused(run, folder)


def test_a_revision_is_never_an_option(tmp_path: Path, run: Run) -> None:
    repo = Repo.make(tmp_path / "demo", {"pyproject.toml": PLAIN})
    for word in ("--upload-pack=x", "-p", "--output=stolen", "HEAD..--output=stolen", "a\nb"):
        refused(run, repo.folder, "--", word)
        refused(run, repo.folder, "HEAD", "--", word)
    assert {path.name for path in repo.folder.iterdir()} == {".git", "pyproject.toml"}


def test_a_shallow_clone_says_how_to_get_the_rest(tmp_path: Path, run: Run) -> None:
    repo = Repo.make(tmp_path / "demo", {"pyproject.toml": PLAIN})
    repo.commit({"pyproject.toml": OTHER})
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--depth=1", repo.folder.as_uri(), str(clone))
    assert data(run, clone, "diff")["changes"] == []
    assert "fetch-depth: 0" in refused(run, clone, "HEAD~1")


def test_submodules_are_read_where_they_are_checked_out(tmp_path: Path, run: Run) -> None:
    library = Repo.make(tmp_path / "library", {"pyproject.toml": MEMBER + PLAIN[len(HEAD) :]})
    repo = Repo.make(tmp_path / "demo", {"pyproject.toml": ROOT})
    git(repo.folder, "submodule", "--quiet", "add", library.folder.as_uri(), "libs/core")
    repo.commit()
    assert data(run, repo.folder, "diff")["changes"] == []
    inside = Repo(repo.folder / "libs/core")
    inside.commit({"pyproject.toml": MEMBER + OTHER[len(HEAD) :]})
    found = data(run, repo.folder, "diff")["changes"]
    assert {(o["before"]["backend"], o["after"]["backend"]) for o in found} == {("cu130", "cpu")}
    repo.commit()
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", repo.folder.as_uri(), str(clone))
    told = data(run, clone, "diff", "HEAD~1")
    assert any("submodule `libs/core`" in note for note in told["notes"])


LIBRARY = MEMBER + 'dependencies = ["torch"]\n'
WITH_LIBRARY = HEAD + 'dependencies = ["core"]\n[tool.uv.sources]\n{}' + INDEXES
LINKED = PLAIN + '[tool.uv]\nfind-links = ["wheels"]\n'
WHEEL = "torch-2.12.0+cu130-cp312-cp312-manylinux_2_28_x86_64.whl"


def test_what_git_does_not_track_is_as_it_is_on_both_sides(tmp_path: Path, run: Run) -> None:
    Repo(tmp_path).write({"core/pyproject.toml": LIBRARY + SOURCE + INDEXES})
    beside = WITH_LIBRARY.format('core = { path = "../core" }\n')
    inside = WITH_LIBRARY.format('core = { path = "vendor/core" }\n')
    files = {"pyproject.toml": beside, "other/pyproject.toml": inside, ".gitignore": "vendor\n"}
    repo = Repo.make(tmp_path / "demo", {**files, "wheels/.gitignore": "*\n"})
    repo.write({"other/vendor/core/pyproject.toml": LIBRARY + SOURCE + INDEXES})
    assert data(run, repo.folder, "diff")["changes"] == []
    repo.commit({"pyproject.toml": LINKED})
    repo.write({f"wheels/{WHEEL}": ""})
    before = {row["backend"] for row in data(run, repo.folder, "show")["routes"]}
    assert before == {"cu130", "pypi"}
    assert data(run, repo.folder, "diff")["changes"] == []


def test_a_link_is_followed_within_its_commit_only(tmp_path: Path, run: Run) -> None:
    (tmp_path / "secret.toml").write_text(OTHER)
    repo = Repo.make(tmp_path / "demo", {"shared/pyproject.toml": PLAIN})
    (repo.folder / "app").mkdir()
    (repo.folder / "app/pyproject.toml").symlink_to("../shared/pyproject.toml")
    (repo.folder / "out").mkdir()
    (repo.folder / "out/pyproject.toml").symlink_to("../../secret.toml")
    repo.commit()
    repo.commit({"shared/pyproject.toml": OTHER})
    found = data(run, repo.folder, "diff", "HEAD~1", "HEAD")["changes"]
    assert {Path(one["project"]).parent.name for one in found} == {"app", "shared"}


@pytest.mark.slow
@pytest.mark.parametrize("history", HISTORIES)
def test_uv_locks_what_is_told_and_refuses_what_is_told_to_be_refused(
    history: str, tmp_path: Path, run: Run, inside_replica: Replica
) -> None:
    repo = Repo.make(tmp_path / "demo", start_of(history))
    commits = []
    for command in HISTORIES[history]:
        assert run(repo.folder, *command.split(), "-y")[0] == 0
        inside_replica.lock(repo.folder)
        commits.append(repo.commit())
    for number, (before, after) in enumerate(pairwise(commits)):
        uv_agrees(repo, before, after, tmp_path / str(number), run)


SHARED = [case for case in sorted((PROJECTS / "workspaces").iterdir()) if (case / "after").exists()]


@pytest.mark.slow
@pytest.mark.parametrize("case", SHARED, ids=lambda case: case.name)
def test_uv_agrees_about_workspaces(
    case: Path, tmp_path: Path, run: Run, inside_replica: Replica
) -> None:
    repo = Repo.make(tmp_path / "demo")
    commits = []
    for name in ("before", "after"):
        repo.write(texts_of(case / name))
        inside_replica.lock(repo.folder)
        commits.append(repo.commit())
    before, after = commits
    uv_agrees(repo, before, after, tmp_path / "sides", run)


def uv_agrees(repo: Repo, before: str, after: str, into: Path, run: Run) -> None:
    """Hold what is told of two locked commits to what uv makes of each."""
    told = data(run, repo.folder, "diff", before, after)["changes"]
    assert told
    differing = {(one["command"], one["package"], one["platform"]): one for one in told}
    into.mkdir()
    sides = []
    for side, commit in (("before", before), ("after", after)):
        folder = repo.checkout(commit, into / side)
        out = run(folder, "verify", "--frozen", "--format", "json")[1]
        found: dict[tuple[str, str, str], set[str]] = {}
        for row in json.loads(out)["routes"]:
            place = (row["command"], row["package"], row["platform"])
            found.setdefault(place, set()).update([row["version"]] if row["version"] else [])
        for place in found.keys() & differing.keys():
            assert {*differing[place][side]["locked"]} == found[place], (place, side)
        for command in {one["command"] for one in told}:
            is_refused = {o[side]["refused"] for o in told if o["command"] == command}
            assert is_refused == {uv_refuses(folder, command)}, (command, side)
        sides.append(found)
    for place in sides[0].keys() & sides[1].keys() - differing.keys():
        assert sides[0][place] == sides[1][place], "nothing else is different"


def uv_refuses(folder: Path, command: str) -> bool:
    words = shlex.split(command)
    variables = {}
    while "=" in words[0]:
        name, _, variables[name] = words.pop(0).partition("=")
    words = [find_uv(), "export", "--frozen", "--quiet", *words[2:]]
    done = subprocess.run(
        words, cwd=folder, env={**os.environ, **variables}, capture_output=True, check=False
    )
    return done.returncode != 0


OTHERS = {
    "init of a script": (
        {"train.py": SCRIPT.format("")},
        "init --script train.py -t linux-cu130 -t macos-cpu -y",
        "show --script train.py",
    ),
    "a target for a script": (
        {"train.py": SCRIPT.format(ROUTED)},
        "add-target windows-cu130 --script train.py -y",
        "show --script train.py",
    ),
    "migrate": (
        {"requirements.txt": "-f https://download.pytorch.org/whl/cu126\ntorch==2.7.1+cu126\n"},
        "migrate requirements.txt -y",
        "show",
    ),
    "check --fix": (
        {"pyproject.toml": PLAIN.replace(", marker = \"sys_platform == 'linux'\"", "")},
        "check --fix",
        "show",
    ),
    "new": ({"README.md": ""}, "new app here -t linux-cu130 --defaults", "show --project here"),
}
"""Other commands than those of `HISTORIES`: files, a command, and what shows its table."""


@pytest.mark.parametrize("case", few(OTHERS, {"init of a script", "migrate"}.__contains__))
def test_other_commands_as_a_commit(case: str, tmp_path: Path) -> None:
    files, command, show = OTHERS[case]
    repo = Repo.make(tmp_path / "demo", files)

    def shown() -> dict[str, Any]:
        result = run_in(repo.folder, f"{show} --format json")
        return {"routes": []} if result.status else dict(result.json)

    before = shown()
    result = run_in(repo.folder, command)
    assert result.status <= 1, result.err
    told = run_in(repo.folder, "diff --format json").json
    assert mistakes("diff", told) == []
    assert told["changes"]
    after = shown()
    is_told_as_both_say(told["changes"], before, after)
    if not before["routes"]:
        keys = {(row["command"], row["package"], row["platform"]) for row in after["routes"]}
        assert {key(one)[:3] for one in told["changes"]} == keys
        assert {one["kinds"][0] for one in told["changes"]} == {"added"}
    repo.commit()
    assert run_in(repo.folder, "diff HEAD~1 HEAD --format json").json["changes"] == told["changes"]
