"""What an editor marks: findings at their places, and one problem where nothing can be read."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.projects import EXAMPLES
from torchconf.cli import main
from torchconf.editor.actions import fix_all, quick_fixes
from torchconf.editor.analysis import Analysis, is_read
from torchconf.editor.changes import replacements
from torchconf.editor.completion import suggestions
from torchconf.editor.hints import hints
from torchconf.editor.hover import hover

GOOD = (EXAMPLES / "extras.toml").read_text(encoding="utf-8")
BAD = GOOD.replace("== 'linux'", "== 'Linux'")
LINUX = "marker = \"sys_platform == 'Linux'\""
SCRIPT = """\
# /// script
# dependencies = ["torch"]
#
# [tool.uv.sources]
# torch = { index = "a", marker = "sys_platform == 'Linux'" }
# ///
import torch
"""


def marked(text: str, path: Path) -> list[tuple[str | None, str]]:
    """Return the code of each problem, and what is marked."""
    found = Analysis(str(path), text).problems
    return [(one.code, text[one.start : one.end]) for one in found]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", GOOD),
        ("pyproject.toml", ""),
        ("train.py", "import torch\n"),
        ("train.py", "# dependencies = ["),
    ],
)
def test_what_is_right_or_none_of_ours_has_no_problems(
    name: str, text: str, tmp_path: Path
) -> None:
    assert marked(text, tmp_path / name) == []


@pytest.mark.parametrize(
    ("name", "text", "code", "words"),
    [
        ("pyproject.toml", BAD, "TC401", LINUX),
        ("pyproject.toml", f"\ufeff{BAD}", "TC401", LINUX),
        ("pyproject.toml", BAD.replace("\n", "\r\n"), "TC401", LINUX),
        # What stands before it on its line, in characters of two units and in others.
        ("pyproject.toml", BAD.replace("torch = [", "# 🔥\ntorch = [ # 🔥"), "TC401", LINUX),
        ("train.py", SCRIPT, "TC105", 'index = "a"'),
        # A comment that hides nothing.
        (
            "pyproject.toml",
            "a = 1 # torchconf: ignore[TC999]\n",
            None,
            "a = 1 # torchconf: ignore[TC999]",
        ),
    ],
)
def test_a_finding_is_marked_where_it_is(
    name: str, text: str, code: str | None, words: str, tmp_path: Path
) -> None:
    assert (code, words) in marked(text, tmp_path / name)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("pyproject.toml", "[project]\nname = \n", ""),
        ("pyproject.toml", "[project]\nname = 'a' b\r\n", "b"),
        ("pyproject.toml", "\ufeffname = 'a' b", "b"),
        ("pyproject.toml", "[a]\nb = [", ""),
        ("pyproject.toml", "a = \0", "a = \0"),
        ("pyproject.toml", "[tool.torchconf]\nignore = ['TC999']\n", "'TC999'"),
        ("pyproject.toml", f"a = {'9' * 5000}", f"a = {'9' * 5000}"),
        ("pyproject.toml", f"a = {'[' * 500}", f"a = {'[' * 500}"),
        ("pyproject.toml", "a = '\ud800'", "a = '\ud800'"),
        ("train.py", "# /// script\n# a = 'b' c\n# ///\n", "c"),
        ("train.py", "x = 1\n# /// script\n# a = 1\n", "# /// script"),
        ("train.py", "# /// script\n# [tool.torchconf]\n# select = 3\n# ///\n", "select = 3"),
    ],
)
def test_what_cannot_be_read_is_one_problem_with_its_place(
    name: str, text: str, words: str, tmp_path: Path
) -> None:
    ((code, found),) = marked(text, tmp_path / name)
    assert code is None
    assert found == words


def test_what_surrounds_the_file_is_read_from_the_disk(tmp_path: Path) -> None:
    root, member = tmp_path / "pyproject.toml", tmp_path / "a" / "pyproject.toml"
    member.parent.mkdir()
    index = "[[tool.uv.index]]\nname = 'x'\nurl = 'https://download.pytorch.org/whl/cpu'\n"
    workspace = "[tool.uv.workspace]\nmembers = ['a']\n"
    text = "[project]\nname = 'a'\nversion = '1'\ndependencies = ['torch']\n"
    text += "[tool.uv.sources]\ntorch = { index = 'x' }\n"
    member.write_text("", encoding="utf-8")

    root.write_text(f"{workspace}{index}explicit = true\n", encoding="utf-8")
    assert "TC105" not in [code for code, _ in marked(text, member)]

    root.write_text(workspace, encoding="utf-8")
    assert "TC105" in [code for code, _ in marked(text, member)]

    root.write_text("workspace = [", encoding="utf-8")
    (problem,) = Analysis(str(member), text).problems
    assert "this file cannot be checked" in problem.message
    assert problem.start == 0


def test_the_same_is_found_as_by_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pyproject.toml").write_text(BAD, encoding="utf-8")
    main(["check", "-q"])
    told = [line.split(":")[1:3] for line in capsys.readouterr().out.splitlines()]

    lines = BAD.split("\n")
    starts = [sum(len(line) + 1 for line in lines[:n]) for n in range(len(lines))]
    for (line, column), one in zip(
        told, Analysis(str(tmp_path / "pyproject.toml"), BAD).problems, strict=True
    ):
        assert starts[int(line) - 1] + int(column) - 1 == one.start


def test_files_of_others_are_left_alone() -> None:
    assert [
        name
        for name in ("/a/pyproject.toml", "/a/uv.toml", "/a/b.py", "/a/Pipfile")
        if is_read(name)
    ] == [
        "/a/pyproject.toml",
        "/a/b.py",
    ]


@given(st.text("ab\n", max_size=20), st.text("ab\n", max_size=20))
def test_replacements_turn_one_text_into_the_other(old: str, new: str) -> None:
    text = old
    for one in reversed(replacements(old, new)):
        text = f"{text[: one.start]}{one.text}{text[one.end :]}"
    assert text == new


PIECES = [
    "[",
    "]",
    "{",
    "}",
    '"',
    "'",
    "=",
    "\n",
    ",",
    "#",
    "\\",
    "torch",
    "x",
    "🔥",
    "\r",
    '"""',
    "\ufeff",
]


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """Return a text of ours with some of it taken out, and something else put in."""
    text = draw(st.sampled_from([GOOD, BAD, SCRIPT]))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = start + draw(st.integers(0, 12))
        text = f"{text[:start]}{draw(st.sampled_from(['', *PIECES]))}{text[end:]}"
    return text


@given(damaged(), st.sampled_from(["pyproject.toml", "train.py"]), st.floats(0, 1))
def test_no_text_and_no_place_is_too_much(text: str, name: str, where: float) -> None:
    analysis = Analysis(f"/nowhere/{name}", text)
    offset = round(where * len(text))

    for one in analysis.problems:
        assert 0 <= one.start <= one.end <= len(text)
    for told in [*hints(analysis)]:
        assert 0 <= told.offset <= len(text)
    for offer in suggestions(analysis, offset):
        assert 0 <= offer.start <= offset <= offer.end <= len(text)
    found = hover(analysis, offset)
    assert found is None or 0 <= found.start <= found.end <= len(text)
    for action in (*quick_fixes(analysis, 0, len(text)), *filter(None, [fix_all(analysis)])):
        assert action.changes


def test_nothing_is_tidied_up_at_a_keystroke(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a killed run left is for the next command: an editor only looks."""

    def refuse(folder: str) -> None:
        raise AssertionError(folder)

    monkeypatch.setattr("torchconf.files.sweep", refuse)
    member = tmp_path / "a" / "pyproject.toml"
    member.parent.mkdir()
    member.write_text("", encoding="utf-8")
    root = "[project]\nname = 'r'\nversion = '1'\n[tool.uv.workspace]\nmembers = ['a']\n"
    (tmp_path / "pyproject.toml").write_text(root, encoding="utf-8")
    analysis = Analysis(str(member), "[project]\nname = 'a'\nversion = '1'\n")
    assert analysis.problems == ()
    assert analysis.context is not None
    assert analysis.context.root_file is not None
