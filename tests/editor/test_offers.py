"""Fixes, explanations, completion and hints for a place in a text."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.projects import EXAMPLES
from torchconf.editor.actions import Action, fix_all, quick_fixes
from torchconf.editor.analysis import Analysis
from torchconf.editor.completion import suggestions
from torchconf.editor.hints import hints
from torchconf.editor.hover import hover

GOOD = (EXAMPLES / "extras.toml").read_text(encoding="utf-8")
BAD = GOOD.replace("== 'linux'", "== 'Linux'")
OPEN = GOOD.replace("explicit = true\n", "", 1)
SCRIPT = """\
# /// script
# dependencies = ["torch"]
#
# [tool.uv.sources]
# torch = { index = "cpu" }
#
# [[tool.uv.index]]
# name = "cpu"
# url = "https://download.pytorch.org/whl/cpu"
# explicit = true
# ///
"""
FILE = "/nowhere/pyproject.toml"


def done(action: Action | None, text: str) -> str:
    """Return a text with an action taken."""
    assert action is not None
    for one in reversed(action.changes):
        text = f"{text[: one.start]}{one.text}{text[one.end :]}"
    return text


@pytest.mark.parametrize("text", [GOOD, "", "a = [", "[project]\nname = 'a'\n"])
def test_where_nothing_can_be_fixed_nothing_is_offered(text: str) -> None:
    analysis = Analysis(FILE, text)
    assert fix_all(analysis) is None
    assert not [*quick_fixes(analysis, 0, len(text))]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_safe_fix_is_the_one_of_check(mark: str, newline: str) -> None:
    bad, good = (mark + text.replace("\n", newline) for text in (BAD, GOOD))
    at = bad.index("'Linux'")
    analysis = Analysis(FILE, bad)
    (action,) = quick_fixes(analysis, at, at)

    assert action.is_safe
    assert "unsafe" not in action.title
    assert done(action, bad) == good
    assert done(fix_all(analysis), bad) == good


def test_an_unsafe_fix_says_so_and_is_not_among_all() -> None:
    analysis = Analysis(FILE, OPEN)
    (action,) = quick_fixes(analysis, 0, len(OPEN))

    assert not action.is_safe
    assert action.title.endswith("(unsafe fix)")
    assert "explicit = true" in done(action, OPEN).partition("whl/cpu")[2][:30]
    assert fix_all(analysis) is None


def test_only_what_is_touched_is_offered() -> None:
    assert not [*quick_fixes(Analysis(FILE, BAD), 0, 10)]


def test_fixes_are_those_of_the_command(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(BAD, encoding="utf-8")
    subprocess.run(
        [sys.executable, "-m", "torchconf", "check", "--fix", "-q"], cwd=tmp_path, check=True
    )
    assert (tmp_path / "pyproject.toml").read_text("utf-8") == done(
        fix_all(Analysis(FILE, BAD)), BAD
    )


EVERYWHERE = "- `uv sync --extra cpu`: torch: cpu everywhere"
SPLIT = "- `uv sync --extra cu130`: torch: cu130 on linux, linux-aarch64; cpu on windows, macos"


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (
            'index = "pytorch-cu130", extra',
            [
                (
                    "`torch` from index `pytorch-cu130` (CUDA 13.0) with extra `cu130` "
                    "where `sys_platform == 'linux'`"
                ),
                "",
                SPLIT,
            ],
        ),
        (
            '{ index = "pytorch-cpu", extra = "cpu"',
            ["`torch` from index `pytorch-cpu` (CPU) with extra `cpu`", "", EVERYWHERE],
        ),
        (
            'name = "pytorch-cu130"',
            [
                (
                    "index `pytorch-cu130`: CUDA 13.0, only for packages with a source; "
                    "used for `torch`"
                ),
                "",
                SPLIT,
            ],
        ),
        (
            '{ extra = "cpu" }',
            [
                (
                    "never installed together: extra `cpu`, extra `cu130`; "
                    "each has a separate part of the lockfile"
                ),
                "",
                EVERYWHERE,
                SPLIT,
            ],
        ),
        ("cu130 = [", ["extra `cu130`", "", SPLIT]),
        ("torch>=2.13.0", ["extra `cpu`", "", EVERYWHERE]),
    ],
)
def test_a_table_says_what_it_does_on_each_platform(words: str, lines: list[str]) -> None:
    found = hover(Analysis(FILE, GOOD), GOOD.index(words) + 1)
    assert found is not None
    assert found.text.split("\n") == lines
    assert found.start <= GOOD.index(words) + 1 <= found.end


@pytest.mark.parametrize(
    ("text", "words"),
    [(GOOD, "requires-python"), (GOOD, "\n\n"), ("a = [", "a"), ("import torch", "torch")],
)
def test_other_places_say_nothing(text: str, words: str) -> None:
    assert hover(Analysis(FILE, text), text.index(words)) is None


@pytest.mark.parametrize(
    "text",
    [
        "a = 1 # torchconf: ignore[TC405]",
        "a = 1 # torchconf: ignore[cuda-on-macos]",
        "broken = [ # TC405",
        "[tool.torchconf]\nignore = ['cuda-on-macos']",
    ],
)
def test_a_rule_has_its_page_wherever_it_is_named(text: str) -> None:
    word = "TC405" if "TC405" in text else "cuda-on-macos"
    found = hover(Analysis(FILE, text), text.index(word) + 2)
    assert found is not None
    assert found.text.startswith("**TC405 cuda-on-macos**")
    assert "```toml\n" in found.text
    assert text[found.start : found.end] == word


def test_a_script_is_explained_in_its_comments() -> None:
    found = hover(Analysis("/nowhere/train.py", SCRIPT), SCRIPT.index('index = "cpu"'))
    assert found is not None
    assert "`torch` from index `cpu` (CPU)" in found.text
    assert SCRIPT[found.start : found.end] == 'torch = { index = "cpu" }'


@pytest.mark.parametrize("name", ["a`b", "![x](y)", "<img src=x>", "a|b"])
def test_a_hostile_name_is_only_text(name: str) -> None:
    text = GOOD.replace("pytorch-cpu", name)
    found = hover(Analysis(FILE, text), text.index(f'name = "{name}"'))
    assert found is not None
    outside = found.text.replace(f"`{name}`", "") if "`" not in name else found.text
    assert name not in outside


def test_no_secret_is_shown() -> None:
    text = GOOD.replace("https://", "https://me:hunter2@")
    found = hover(Analysis(FILE, text.replace('name = "pytorch-cpu"\n', "")), text.index("url = "))
    assert found is None or "hunter2" not in found.text


NAMES = """
[project.optional-dependencies]
cpu = ["torch", "torchvision"]
"cu13.0" = ["torch"]

[dependency-groups]
gpu = ["torchaudio"]

[[tool.uv.index]]
name = "mine"
url = "https://example.org/whl/cpu"
"""


@pytest.mark.parametrize(
    ("typed", "labels"),
    [
        ('[tool.uv.sources]\ntorch = { index = "|" }', ["mine"]),
        ("[tool.uv.sources]\ntorch = { extra = |", ["cpu", "cu13.0"]),
        ('[tool.uv.sources]\ntorch = [{ group = "|', ["gpu"]),
        ('[tool.uv]\nconflicts = [[{ extra = "|', ["cpu", "cu13.0"]),
        ('[tool.uv]\ndefault-groups = ["|', ["gpu"]),
        ('[dependency-groups]\nall = [{ include-group = "|" }]', ["gpu", "all"]),
        ("[tool.uv.sources]\n|", ["torch", "torchvision", "torchaudio"]),
        ("[tool.uv.sources]\ntorch = { | }", ["index", "extra", "group", "marker"]),
        ("[[tool.uv.index]]\n|", ["name", "url", "explicit", "default", "format"]),
        ("[tool.torchconf]\n|", ["ignore", "select", "targets", "indexes"]),
        ("[tool.uv]\nfoo = '|'", []),
        ("[project]\nname = '|'", []),
        ("# nothing |", []),
    ],
)
def test_what_is_offered(typed: str, labels: list[str]) -> None:
    text = f"{NAMES}\n{typed}"
    offset = text.index("|")
    found = suggestions(Analysis(FILE, text.replace("|", "")), offset)
    assert [one.label for one in found] == labels


@pytest.mark.parametrize(
    ("typed", "label"),
    [
        ('[tool.uv.sources]\ntorch = { marker = "|', "sys_platform == 'win32'"),
        (
            '[tool.uv]\nenvironments = ["|"]',
            "sys_platform == 'linux' and platform_machine == 'aarch64'",
        ),
        ('[[tool.uv.index]]\nurl = "|"', "https://download.pytorch.org/whl/cpu"),
        ('[[tool.uv.index]]\nname = "|"', "pytorch-cpu"),
        ('[tool.torchconf]\ntargets = ["|"]', "linux-cpu"),
        ('[tool.torchconf]\nignore = ["|"]', "TC101"),
        ("a = 1 # torchconf: ignore[TC|]", "TC101"),
    ],
)
def test_what_is_offered_among_others(typed: str, label: str) -> None:
    offset = typed.index("|")
    found = suggestions(Analysis(FILE, typed.replace("|", "")), offset)
    assert label in [one.label for one in found]


def test_a_value_without_quotation_marks_gets_them_and_the_whole_word_goes() -> None:
    text = f'{NAMES}\n[tool.uv.sources]\ntorch = {{ index = "ol-d" }}\nx = {{ index = '
    inside = text.index('"ol-d') + 2
    (one,) = suggestions(Analysis(FILE, text), inside)
    assert (one.text, text[one.start : one.end]) == ("mine", "ol-d")

    (one,) = suggestions(Analysis(FILE, text), len(text))
    assert (one.text, one.start, one.end) == ('"mine"', len(text), len(text))


def test_a_member_is_offered_the_indexes_of_its_root(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "pyproject.toml").write_text(
        f"[project]\nname = 'r'\nversion = '1'\n{NAMES}[tool.uv.workspace]\nmembers = ['a']\n",
        "utf-8",
    )
    member = tmp_path / "a" / "pyproject.toml"
    member.write_text("", "utf-8")
    text = '[tool.uv.sources]\ntorch = { index = "'
    assert [one.label for one in suggestions(Analysis(str(member), text), len(text))] == ["mine"]


def test_hints_stand_behind_the_requirements() -> None:
    told = [
        (GOOD[: one.offset].rsplit("\n", 1)[1], one.text) for one in hints(Analysis(FILE, GOOD))
    ]
    assert told == [
        ('    "torch>=2.13.0"', "cpu everywhere"),
        ('    "torch>=2.13.0"', "cu130 on linux, linux-aarch64; cpu on windows, macos"),
    ]


def test_hints_of_a_script_stand_in_its_block() -> None:
    (hint,) = hints(Analysis("/nowhere/train.py", SCRIPT))
    assert SCRIPT[: hint.offset].endswith('# dependencies = ["torch"')
    assert hint.text == "cpu everywhere"
