"""The metadata block of a script: which lines it is, and that all others stay."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.replica import Replica
from torchconf.errors import ProjectError
from torchconf.model import scripts
from torchconf.model.scripts import Block, find_block, with_block, with_empty_block

NAMED = 'dependencies = ["nothing-has-this-name"]'
BLOCK = f"# /// script\n# {NAMED}\n# ///\n"
OTHER = "# /// pytest\n# x = 1\n# ///\n"

# uv takes these for scripts without metadata, and so does torchconf.
NONE = {
    "nothing": "print()\n",
    "the words in a string": 'x = "# /// script"\n',
    "the words in a string of three lines": '"""\n # /// script\n"""\n',
    "a longer word": "# /// scripts\n# x = 1\n# ///\n",
    "another type": OTHER,
    "lines that end with a carriage return alone": BLOCK.replace("\n", "\r"),
    "a form feed before it": f"\f{BLOCK}",
}
REFUSED = {
    "two": (f"{BLOCK}\n{BLOCK}", "more than one block"),
    "the second is in a string": (f'{BLOCK}x = """\n{BLOCK}"""\n', "more than one block"),
    "not closed": (f"# /// script\n# {NAMED}\n", "not closed"),
    "closed behind an empty line": (f"# /// script\n# {NAMED}\n\n# ///\n", "not closed"),
    "a tab behind the sign": (f"# /// script\n#\t{NAMED}\n# ///\n", "not closed"),
    "spaces behind the closing line": (BLOCK.replace("# ///\n", "# /// \n"), "with spaces behind"),
}
# uv reads on as if there were no block: worse than an error.
UNSEEN = {
    "spaces behind the first line": (BLOCK.replace("script\n", "script \n"), "with spaces behind"),
    "the words in a string above": (f'x = "# /// script"\n{BLOCK}', "in line 2: it only looks"),
    "a longer word above": (f"# /// scripts\n# ///\n\n{BLOCK}", "in line 4: it only looks"),
}
FOUND = {
    "alone": BLOCK,
    "no line end": BLOCK.removesuffix("\n"),
    "CRLF": BLOCK.replace("\n", "\r\n"),
    "mixed line ends": BLOCK.replace("# ///\n", "# ///\r\n"),
    "behind a shebang and an encoding": f"#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n{BLOCK}",
    "in the middle": f"import os\n{BLOCK}import sys\n",
    "behind a block of another type": OTHER + BLOCK,
    "before a block of another type": f"{BLOCK}\n{OTHER}",
    "before the words in a string": f'{BLOCK}x = "# /// script"\n"""\n# /// script\n"""\n',
    "empty comment lines": BLOCK.replace("# dep", "#\n# \n#\n# dep"),
    "a tab inside": BLOCK.replace("# dep", "# \tdep"),
    "a comment behind it": f"{BLOCK}# about this script\n",
}


@pytest.mark.parametrize("text", NONE.values(), ids=NONE)
def test_no_block(text: str) -> None:
    assert find_block(text, "s.py") is None


@pytest.mark.parametrize(("text", "message"), [*REFUSED.values(), *UNSEEN.values()])
def test_refused(text: str, message: str) -> None:
    with pytest.raises(ProjectError, match=message) as error:
        find_block(text, "s.py")
    assert error.value.at is not None
    assert error.value.at.startswith("s.py, line ")


def test_behind_a_byte_order_mark_uv_sees_no_block() -> None:
    with pytest.raises(ProjectError, match="byte order mark"):
        find_block(BLOCK, "s.py", bom=True)
    assert find_block(f"\n{BLOCK}", "s.py", bom=True)


@pytest.mark.parametrize("text", FOUND.values(), ids=FOUND)
def test_found(text: str) -> None:
    block = find_block(text, "s.py")
    assert block is not None
    assert NAMED in block.toml
    assert text.split("\n")[block.first_line - 2].strip() == "# /// script"
    assert text.split("\n")[block.end_line - 1].strip() == "# ///"
    assert with_block(text, block, block.toml) == text


@pytest.mark.uv
def test_uv_sees_the_same(replica: Replica, tmp_path: Path) -> None:
    script = tmp_path / "s.py"

    def verdict(text: str, mark: bytes = b"") -> str:
        script.write_bytes(mark + text.encode())
        run = replica.uv("lock", "--script", "s.py", cwd=tmp_path)
        script.with_name("s.py.lock").unlink(missing_ok=True)
        if run.returncode == 0:
            return "no block"
        return "a block" if "nothing-has-this-name" in run.stderr else "refused"

    mark = b"\xef\xbb\xbf"
    assert {name: verdict(text) for name, text in NONE.items()} == dict.fromkeys(NONE, "no block")
    assert {name: verdict(t) for name, (t, _) in UNSEEN.items()} == dict.fromkeys(
        UNSEEN, "no block"
    )
    assert verdict(BLOCK, mark) == "no block"
    assert verdict(f"\n{BLOCK}", mark) == "a block"
    assert {name: verdict(t) for name, (t, _) in REFUSED.items()} == dict.fromkeys(
        REFUSED, "refused"
    )
    assert {name: verdict(text) for name, text in FOUND.items()} == dict.fromkeys(FOUND, "a block")


# A new block.


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "# /// script\n# ///\n"),
        ("x = 1", "# /// script\n# ///\n\nx = 1"),
        ("\nx = 1\n", "# /// script\n# ///\n\nx = 1\n"),
        ("x = 1\r\n", "# /// script\r\n# ///\r\n\r\nx = 1\r\n"),
        ("# about\nx = 1\n", "# /// script\n# ///\n\n# about\nx = 1\n"),
        ("#!python", "#!python\n# /// script\n# ///\n"),
        ("#!python\n", "#!python\n# /// script\n# ///\n"),
        ("#!python\nx = 1\n", "#!python\n# /// script\n# ///\n\nx = 1\n"),
        ("# a\n# coding=utf-8\nx = 1\n", "# a\n# coding=utf-8\n# /// script\n# ///\n\nx = 1\n"),
        ("# On decoding.\nx = 1\n", "# /// script\n# ///\n\n# On decoding.\nx = 1\n"),
        ("# coding: utf-8\nx = 1\n", "# coding: utf-8\n# /// script\n# ///\n\nx = 1\n"),
        ("#!a\n# vim: fileencoding=utf-8\n\n",
         "#!a\n# vim: fileencoding=utf-8\n# /// script\n# ///\n\n"),
        ('x = "# /// script"\n', '# /// script\n# ///\n\nx = "# /// script"\n'),
    ],
)  # fmt: skip
def test_a_new_block_stands_where_python_and_uv_look_for_things(before: str, after: str) -> None:
    assert with_empty_block(before) == after
    block = find_block(after, "s.py")
    assert block is not None
    assert block.toml == ""


def test_a_new_block_is_not_right_behind_a_byte_order_mark() -> None:
    text = with_empty_block("x = 1\n", bom=True)
    assert text == "\n# /// script\n# ///\n\nx = 1\n"
    assert find_block(text, "s.py", bom=True)


# Whatever the lines are.

LINES = st.sampled_from(
    ["# /// script", "# ///", "#", "# ", "#\r", "# \r", "# x = 1", "#  y = 2\r", "", "x = 1", "#!p",
     "#\t", "# /// other", '"""', "# /// script ", "# ///\r", "# /// script\r"]
)  # fmt: skip


@pytest.mark.parametrize("above", [f"{BLOCK}x = 1\n", 'x = "# /// script"\n'])
def test_lines_that_close_nothing_are_looked_at_once(
    above: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = 1_000
    looks: list[str] = []
    is_content = scripts._is_content

    def counting(line: str) -> bool:
        looks.append(line)
        return is_content(line)

    monkeypatch.setattr(scripts, "_is_content", counting)
    find_block(above + "# /// script\n" * lines, "s.py")
    assert len(looks) < 3 * lines


def _block(text: str) -> Block | None:
    try:
        return find_block(text, "s.py")
    except ProjectError:
        return None


@given(st.lists(LINES, max_size=5), st.lists(LINES, max_size=5), st.lists(LINES, max_size=5))
def test_the_same_toml_is_the_same_script(
    above: list[str], inside: list[str], below: list[str]
) -> None:
    text = "\n".join([*above, "# /// script", *inside, "# ///", *below])
    block = _block(text)
    if block is not None:
        assert with_block(text, block, block.toml) == text


@given(st.lists(LINES, max_size=5), st.lists(LINES, max_size=4), st.sampled_from(["z = 3\n", ""]))
def test_other_toml_changes_nothing_else(above: list[str], inside: list[str], more: str) -> None:
    text = "\n".join([*above, "# /// script", *inside, "# ///", "", "print()", ""])
    block = _block(text)
    if block is None:
        return
    new = with_block(text, block, more + block.toml)
    changed = _block(new)
    assert changed is not None
    assert changed.toml == more + block.toml
    assert with_block(new, changed, block.toml) == text
