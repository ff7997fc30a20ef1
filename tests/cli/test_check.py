"""`torchconf check` as a command: what it looks at, what it prints, what it exits with."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.checked_texts import RIGHT, WARNED, WRONG
from tests.support.projects import Demo, Result
from torchconf.cli import main

KEYS = ["code", "name", "severity", "message", "path", "at", "line", "column"]


@pytest.fixture
def demo(tmp_path: Path) -> Demo:
    return Demo(tmp_path, WRONG)


def codes(result: Result) -> list[str]:
    return [finding["code"] for finding in result.json["findings"]]


# The answer.


@pytest.mark.parametrize(
    ("text", "flags", "status"),
    [
        (WRONG, "", 1),
        (WRONG, "--exit-zero", 0),
        (WRONG, "--ignore TC405", 0),
        (WRONG, "--select TC1", 0),
        (RIGHT, "--strict", 0),
        (WARNED, "", 0),
        (WARNED, "--strict", 1),
        (WARNED, "--strict --exit-zero", 0),
    ],
)
def test_exit_status(tmp_path: Path, text: str, flags: str, status: int) -> None:
    assert Demo(tmp_path, text)(f"check {flags}").status == status


def test_text_shows_place_code_message_lines_and_help(demo: Demo) -> None:
    result = demo("check --color never")
    lines = result.out.splitlines()
    assert lines[0].startswith("error: ")
    assert lines[0].endswith("[TC405 cuda-on-macos]")
    assert lines[1] == "  --> pyproject.toml:10:1"
    assert ' 10 | torch = { index = "pytorch-cu130" }' in lines
    assert any(set(line) == {" ", "|", "^"} for line in lines)
    assert any(line.startswith("   = fix: ") for line in lines)
    assert result.err == "found 1 error in 1 file; 1 can be fixed with `--fix`\n"


def test_json_has_the_keys_of_the_design(demo: Demo) -> None:
    result = demo("check --format json")
    assert result.json["schema_version"] == 1
    (finding,) = result.json["findings"]
    assert list(finding)[: len(KEYS)] == KEYS
    assert finding | {"message": ""} == finding | {
        "code": "TC405", "name": "cuda-on-macos", "severity": "error", "message": "",
        "path": "pyproject.toml", "at": "tool.uv.sources.torch", "line": 10, "column": 1,
        "fix": "safe",
    }  # fmt: skip
    assert result.err == ""


def test_github_format_is_one_workflow_command_a_finding(demo: Demo) -> None:
    result = demo("check --format github")
    (line,) = result.out.splitlines()
    place = "file=pyproject.toml,line=10,endLine=10,col=1,endColumn=36"
    assert line.startswith(f"::error {place},title=torchconf TC405 cuda-on-macos::")


def test_statistics_count_by_rule(demo: Demo) -> None:
    head, row = demo("check --statistics").out.splitlines()
    assert head.split() == ["count", "code", "name", "severity"]
    assert row.split() == ["1", "TC405", "cuda-on-macos", "error"]


def test_quiet_prints_a_line_a_finding(demo: Demo) -> None:
    result = demo("check -q")
    assert result.out.startswith("pyproject.toml:10:1: error TC405 ")
    assert result.out.count("\n") == 1
    assert result.err == ""


def test_colour_only_where_it_is_wanted(demo: Demo) -> None:
    assert "\033[" not in demo("check").out
    assert "\033[31m" in demo("check --color always").out


# Which rules.


@pytest.mark.parametrize("word", ["TC405", "TC4", "cuda-on-macos", "ALL", "tc405"])
def test_rules_are_named_by_code_name_or_beginning(demo: Demo, word: str) -> None:
    assert codes(demo(f"check --format json --select {word}")) == ["TC405"]
    assert codes(demo(f"check --format json --ignore {word}")) == []


def test_the_longer_word_decides(demo: Demo) -> None:
    assert codes(demo("check --format json --select TC405 --ignore TC4")) == ["TC405"]
    assert codes(demo("check --format json --select TC4 --ignore TC405")) == []
    assert codes(demo("check --format json --select TC1,TC405")) == ["TC405"]


def test_an_unknown_rule_gets_a_guess(demo: Demo) -> None:
    result = demo("check --ignore cuda-on-mac")
    assert result.status == 2
    assert "did you mean `cuda-on-macos`?" in result.err


@pytest.mark.parametrize("key", ['ignore = ["TC405"]', 'select = ["index-not-explicit"]'])
def test_the_file_may_say_which_rules(tmp_path: Path, key: str) -> None:
    demo = Demo(tmp_path, f"{WRONG}\n[tool.torchconf]\n{key}\n")
    assert codes(demo("check --format json")) == []


def test_a_wrong_setting_in_the_file_is_an_error_with_its_place(tmp_path: Path) -> None:
    demo = Demo(tmp_path, f'{WRONG}\n[tool.torchconf]\nignore = ["TC499"]\n')
    result = demo("check")
    assert result.status == 2
    assert "TC499" in result.err
    assert "at: pyproject.toml, tool.torchconf.ignore[0]" in result.err


@pytest.mark.parametrize(
    ("comment", "found"),
    [
        ("# torchconf: ignore[TC405]", []),
        ("# torchconf: ignore[cuda-on-macos]", []),
        ("# torchconf: ignore", []),
        ("# Linux only, torchconf: ignore[TC405, TC406]", []),
        ("# torchconf: ignore[TC406]", ["TC405"]),
        ("# torchconf: ignore[TC4]", []),
        ("# torchconf: ignore[tc4, TC101]", []),
        ("# torchconf: ignore the Macs", []),
        ("# nothing", ["TC405"]),
        ("# torchconf: ignored", ["TC405"]),
    ],
)
def test_a_comment_on_the_line_hides_a_finding(
    tmp_path: Path, comment: str, found: list[str]
) -> None:
    line = 'torch = { index = "pytorch-cu130" }'
    demo = Demo(tmp_path, WRONG.replace(line, f"{line}  {comment}"))
    assert codes(demo("check --format json")) == found


@pytest.mark.parametrize(
    ("comment", "said"),
    [
        ("# torchconf: ignore [TC405]", "hides nothing: write `ignore[TC405]`"),
        ("# torchconf: ignore TC405", "hides nothing: write `ignore[TC405]`"),
        ("# torchconf: ignore: TC405", "hides nothing: write `ignore[TC405]`"),
        ("# torchconf: ignore[TC405", "hides nothing: write `ignore[TC405]`"),
        ("# torchconf: ignore[TC499]", "unknown rule `TC499` in this comment"),
        ("# torchconf: ignore[TC40x]", "unknown rule `TC40x` in this comment"),
        ("# torchconf: ignore[]", "unknown rule `` in this comment"),
        ("# torchconf: ignore[cuda-on-mac]", "did you mean `cuda-on-macos`?"),
    ],
)
def test_a_mistyped_comment_hides_nothing_and_is_reported(
    tmp_path: Path, comment: str, said: str
) -> None:
    line = 'torch = { index = "pytorch-cu130" }'
    demo = Demo(tmp_path, WRONG.replace(line, f"{line}  {comment}"))
    result = demo("check --format json")
    assert codes(result) == ["TC405"]
    assert said in result.err
    assert "note: pyproject.toml:" in result.err
    assert "note:" not in demo("check --quiet").err


def test_what_stands_in_a_string_is_no_comment(tmp_path: Path) -> None:
    line = 'torch = { index = "pytorch-cu130" }'
    named = line.replace('"pytorch-cu130"', '"# torchconf: ignore"')
    text = WRONG.replace(line, named).replace(
        'name = "pytorch-cu130"', 'name = "# torchconf: ignore"'
    )
    assert "TC405" in codes(Demo(tmp_path, text)("check --format json"))


def test_optional_rules_run_only_where_they_are_selected(tmp_path: Path) -> None:
    marker = "platform_system != 'Darwin'"
    demo = Demo(tmp_path, RIGHT.replace("sys_platform != 'darwin'", marker))
    assert codes(demo("check --format json")) == []
    assert codes(demo("check --format json --select TC404")) == ["TC404"]
    assert codes(demo("check --format json --select TC4")) == []


OLD = """\
[project]
name = "demo"
version = "0.1.0"
requires-python = ">=3.11,<3.13"

[project.optional-dependencies]
old = ["torch==2.6.0"]
new = ["torch==2.9.1"]

[tool.uv]
package = false
"""
"""TC310, whose name was another: two extras whose releases exclude each other."""
NOTE = "note: rule `incompatible-variants` is now `incompatible-choices`\n"


def test_an_old_name_selects_and_ignores_and_one_note_names_the_new_one(tmp_path: Path) -> None:
    demo = Demo(tmp_path, OLD)
    plain = demo("check --format json")
    assert codes(plain) == ["TC310"]
    assert "note:" not in plain.err

    selected = demo("check --format json --select incompatible-variants,TC310")
    assert (codes(selected), selected.err.count(NOTE)) == (["TC310"], 1)
    ignored = demo("check --format json --ignore incompatible-variants")
    assert (codes(ignored), ignored.err.count(NOTE)) == ([], 1)
    assert NOTE not in demo("check --quiet --ignore incompatible-variants").err


@pytest.mark.parametrize(
    "text",
    [
        f'{OLD}\n[tool.torchconf]\nignore = ["incompatible-variants"]\n',
        OLD.replace('2.9.1"]', '2.9.1"]  # torchconf: ignore[incompatible-variants]'),
    ],
    ids=["setting", "comment"],
)
def test_an_old_name_in_a_file_still_ignores_with_a_note(tmp_path: Path, text: str) -> None:
    result = Demo(tmp_path, text)("check --format json")
    assert (codes(result), result.err.count(NOTE)) == ([], 1)


def test_explain_knows_old_names(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    result = demo("explain gate-void")
    assert result.out == demo("explain ineffective-marker").out
    assert result.err == "note: rule `gate-void` is now `ineffective-marker`\n"


# What is looked at.


def test_a_folder_means_every_pyproject_below_that_git_does_not_ignore(tmp_path: Path) -> None:
    for name in ("a", "b/c", "ignored", ".venv/x", "node_modules/y"):
        (tmp_path / "demo" / name).mkdir(parents=True)
        (tmp_path / "demo" / name / "pyproject.toml").write_text(WRONG, encoding="utf-8")
    (tmp_path / "demo" / ".gitignore").write_text("/ignored/\n", encoding="utf-8")
    os.chdir(tmp_path)
    result = run("check", "demo", "--format", "json")
    paths = [finding["path"] for finding in result["findings"]]
    assert paths == ["demo/a/pyproject.toml", "demo/b/c/pyproject.toml"]


def test_a_folder_means_every_script_with_pytorch_that_git_does_not_ignore(tmp_path: Path) -> None:
    tables = WRONG[WRONG.index("[tool.uv.sources]") :]
    inside = f'dependencies = ["torch>=2.13.0"]\nrequires-python = ">=3.11"\n\n{tables}'
    wrong = "".join(f"# {line}".rstrip() + "\n" for line in inside.splitlines())
    right = f"# /// script\n{wrong}# ///\n"
    texts = {
        "b/train.py": right,
        "b/window.pyw": right,
        "b/ignored.py": right,
        # None of these has a block with PyTorch in it that uv reads.
        "a.py": "import torch\n",
        "c.py": '# /// script\n# dependencies = ["numpy"]\n# ///\nimport torch\n',
        "d.py": f"# /// script\n{wrong}",
        "e.py": f'x = "# /// script"\n{right}',
        "f.txt": right,
    }
    demo = Demo(tmp_path)
    (demo.folder / "b").mkdir()
    for name, text in texts.items():
        (demo.folder / name).write_text(text, encoding="utf-8")
    (demo.folder / ".gitignore").write_text("ignored.py\n", encoding="utf-8")
    (demo.folder / "g.py").symlink_to(demo.folder / "b" / "train.py")

    found = demo("check . --format json").json["findings"]
    assert [(f["path"], f["code"]) for f in found] == [
        ("b/train.py", "TC405"),
        ("b/window.pyw", "TC405"),
    ]
    assert demo("check . --fix").status == 0
    assert demo("check . --strict").status == 0
    assert (demo.folder / "d.py").read_text(encoding="utf-8") == texts["d.py"]


def run(*words: str) -> dict[str, Any]:
    """Run torchconf as a process, and return its JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "torchconf", *words], capture_output=True, text=True, check=False
    )
    return dict(json.loads(done.stdout))


def test_a_workspace_is_seen_together_and_each_file_is_reported_once(tmp_path: Path) -> None:
    root = Demo(
        tmp_path,
        '[tool.uv.workspace]\nmembers = ["packages/*"]\n\n'
        + WRONG[WRONG.index("[tool.uv.sources]") :],
    )
    member = root.folder / "packages" / "app" / "pyproject.toml"
    member.parent.mkdir(parents=True)
    member.write_text(WRONG[: WRONG.index("[tool.uv.sources]")], encoding="utf-8")

    result = root("check --format json")
    assert [(f["path"], f["code"]) for f in result.json["findings"]] == [
        ("pyproject.toml", "TC405")
    ]
    assert codes(root("check --format json packages/app")) == [], "the member only declares torch"
    assert codes(root("check --format json .")) == ["TC405"]


def test_a_script_is_checked_and_fixed_in_its_block(tmp_path: Path) -> None:
    head = '# dependencies = ["torch>=2.13.0"]\n# requires-python = ">=3.11"\n#\n'
    tables = WRONG[WRONG.index("[tool.uv.sources]") :]
    block = "".join(f"# {line}".rstrip() + "\n" for line in tables.splitlines())
    script = f"#!/usr/bin/env python\n# /// script\n{head}{block}# ///\nprint('# here')\n"
    demo = Demo(tmp_path)
    path = demo.folder / "train.py"
    path.write_text(script, encoding="utf-8")

    (finding,) = demo("check train.py --format json").json["findings"]
    assert (finding["path"], finding["line"], finding["column"]) == ("train.py", 7, 3)
    assert demo("check train.py --fix").status == 0
    changed = [
        (old, new)
        for old, new in zip(script.splitlines(), path.read_text().splitlines(), strict=True)
        if old != new
    ]
    assert len(changed) == 1
    assert demo("check train.py --strict").status == 0


def test_standard_input_stands_for_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    stdin = io.TextIOWrapper(io.BytesIO(WRONG.encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert main(["check", "-", "--format", "json", "--stdin-filename", "pyproject.toml"]) == 1
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert finding["path"] == "pyproject.toml"

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(WRONG.encode())))
    assert main(["check", "-", "--fix"]) == 0
    out = capsys.readouterr().out
    assert "sys_platform" in out, "the fixed text goes to stdout"
    assert sorted(tmp_path.iterdir()) == [], "and nothing is written"


@pytest.mark.parametrize(
    ("name", "raw", "told"),
    [
        ("pyproject.toml", b"[project\n", "line 1"),
        ("pyproject.toml", b"\xff\xfe", "not UTF-8"),
        ("train.py", b"print()\n", "no `# /// script` block"),
        ("train.py", b"# /// script\n# dependencies = [\n# ///\n", "not valid TOML"),
        ("train.py", b"# here\n# /// script\n# dependencies = ]\n# ///\n", "train.py, line 3"),
        ("train.py", b"# /// script\n# dependencies = []\n", "is not closed"),
        ("gone.toml", None, "gone.toml"),
    ],
)
def test_what_cannot_be_read_is_an_error_with_its_place(
    tmp_path: Path, name: str, raw: bytes | None, told: str
) -> None:
    demo = Demo(tmp_path)
    if raw is not None:
        (demo.folder / name).write_bytes(raw)
    result = demo(f"check {name}")
    assert result.status == 2
    assert told in result.err
    assert name in result.err
    assert result.out == ""


def test_one_broken_file_does_not_hide_what_is_found_in_others(tmp_path: Path) -> None:
    demo = Demo(tmp_path, WRONG)
    (demo.folder / "sub").mkdir()
    (demo.folder / "sub" / "pyproject.toml").write_text("[project\n", encoding="utf-8")
    result = demo("check . --format json")
    assert result.status == 2
    assert codes(result) == ["TC405"]
    assert "sub" in result.json["error"]["at"]


# Fixing.


def test_fix_mends_what_is_safe_and_keeps_the_rest(demo: Demo) -> None:
    result = demo("check --fix")
    assert result.status == 0
    assert "fixed 1 finding" in result.err
    changed = [
        (old, new)
        for old, new in zip(WRONG.splitlines(), demo.text.splitlines(), strict=True)
        if old != new
    ]
    assert len(changed) == 1, "one line has a marker now"
    assert demo("check --fix --strict").status == 0
    assert demo.names() == ["pyproject.toml"], "no litter"


def test_diff_shows_the_fix_and_writes_nothing(demo: Demo) -> None:
    result = demo("check --diff")
    assert result.status == 1
    assert result.out.startswith("--- pyproject.toml\n+++ pyproject.toml\n@@")
    assert '-torch = { index = "pytorch-cu130" }' in result.out
    assert demo.text == WRONG
    assert demo("check --fix").status == 0
    assert demo("check --diff").status == 0


def test_unsafe_fixes_are_taken_only_when_asked_for(tmp_path: Path) -> None:
    demo = Demo(tmp_path, WARNED)
    demo("check --fix")
    assert demo.text == WARNED
    demo("check --fix --unsafe-fixes")
    assert demo.text != WARNED
    assert demo("check --strict").status == 0


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_endings_and_a_byte_order_mark_stay(tmp_path: Path, newline: str, mark: str) -> None:
    before = mark + WRONG.replace("\n", newline)
    demo = Demo(tmp_path, before.encode())
    assert demo("check --fix").status == 0
    assert demo.text != before
    assert demo.text.startswith(mark + "[project]")
    assert demo.text.count(newline) == demo.text.count("\n")


def test_a_read_only_file_is_left_alone(demo: Demo) -> None:
    demo.path.chmod(0o444)
    result = demo("check --fix")
    assert result.status == 2
    assert demo.text == WRONG


MACHINE = """\
[project]
name = "demo"
version = "0.1.0"
requires-python = ">=3.11"

[dependency-groups]
cpu = ["torch"]
cu130 = ["torch"]

[tool.uv]
required-version = ">=0.9.8"
default-groups = ["cpu", "cu130"]
conflicts = [[{ group = "cpu" }, { group = "cu130" }]]

[tool.uv.sources]
torch = [
    { index = "pytorch-cpu", group = "cpu" },
    { index = "pytorch-cu130", group = "cu130", marker = "sys_platform != 'darwin'" },
]

[[tool.uv.index]]
name = "pytorch-cpu"
url = "https://download.pytorch.org/whl/cpu"
explicit = true

[[tool.uv.index]]
name = "pytorch-cu130"
url = "https://download.pytorch.org/whl/cu130"
explicit = true
"""
"""Every build is a default group; each machine says which it wants."""


def test_a_machine_project_should_name_the_variable_that_decides(tmp_path: Path) -> None:
    demo = Demo(tmp_path, MACHINE)
    result = demo("check --format json --select TC307")
    (finding,) = json.loads(result.out)["findings"]
    assert (result.status, finding["severity"]) == (0, "info")
    assert 'UV_NO_GROUP="cu130"' in finding["message"]
    said = MACHINE.replace("[tool.uv]\n", "[tool.uv]\n# Set UV_NO_GROUP to the other one.\n")
    demo.path.write_text(said, encoding="utf-8")
    assert codes(demo("check --format json --select TC307")) == []


UNCOVERING = """\
[project]
name = "demo"
version = "0.1.0"
requires-python = ">=3.12,<3.14"
dependencies = ["torch>=2.9", "torchvision"]

[tool.uv.sources]
torch = [{ index = "pytorch-cu130", marker = "sys_platform == 'Linux'" }]

[[tool.uv.index]]
name = "pytorch-cu130"
url = "https://download.pytorch.org/whl/cu130"
explicit = true
"""
"""A marker that never holds; corrected, it leaves torchvision without a source."""


def test_fixes_of_what_a_fix_uncovers_are_taken_with_it(tmp_path: Path) -> None:
    demo = Demo(tmp_path, UNCOVERING)
    result = demo("check --fix")
    assert "fixed 2 findings" in result.err
    assert demo.path.read_text(encoding="utf-8").count("sys_platform == 'linux'") == 2
    assert "not taken" not in result.out


def test_a_fix_that_is_not_taken_says_what_it_would_bring(tmp_path: Path) -> None:
    demo = Demo(tmp_path, UNCOVERING)
    result = demo("check --fix --ignore TC202")
    assert "(not taken: it would cause TC202)" in result.out
    assert "can be fixed" not in result.err
    assert demo.path.read_text(encoding="utf-8") == UNCOVERING
    data = json.loads(demo("check --fix --ignore TC202 --format json").out)["findings"]
    assert {one["not_taken"] for one in data} == {"it would cause TC202"}


def long_line(before: int, after: int) -> str:
    """Return a file with a wrong index on a line of its own length, between URLs with passwords."""
    url = 'x = { url = "https://user:s3cr3t@example.org/x.whl" }'
    names = [f"{url[0]}{number}{url[1:]}" for number in range(before + after)]
    names.insert(before, 'torch = { index = "none" }')
    return (
        '[project]\nname = "demo"\nversion = "1"\ndependencies = ["torch"]\n\n'
        f"[tool.uv]\nsources = {{ {', '.join(names)} }}\n"
    )


@pytest.mark.parametrize(("before", "after"), [(0, 99), (99, 0), (50, 50), (1, 1)])
def test_a_long_line_is_shown_around_its_place(before: int, after: int, tmp_path: Path) -> None:
    demo = Demo(tmp_path, long_line(before, after))
    result = demo("check --select TC105")
    (line,) = (one for one in result.out.splitlines() if one.startswith("  7 | "))
    (marks,) = (one for one in result.out.splitlines() if "^" in one)
    assert len(line) < 220
    assert line[marks.index("^") : marks.rindex("^") + 1] == 'index = "none"'
    assert line.startswith("  7 | ... ") == (before > 1)
    assert line.endswith(" ...") == (after > 1)
    assert "s3cr3t" not in result.out
