"""The list in `[tool.torchconf]`: edited by hand, and `init` brings the tables in line with it."""

from __future__ import annotations

import json
import re
from itertools import permutations
from pathlib import Path

import pytest

from tests.support.checking import check_path
from tests.support.few import every
from tests.support.paths import TESTS
from tests.support.projects import Demo

BAD = sorted((TESTS / "rules" / "TC410").glob("bad-*.toml"))

LISTS = {
    "one build each": ("linux-cu130", "windows-cu130", "macos-cpu"),
    "two for Linux": ("linux-cu130", "linux-cpu", "macos-cpu"),
    "another CUDA": ("linux-cu126", "linux-cpu", "windows-cu126", "macos-cpu"),
    "ROCm too": ("linux-rocm7.2", "linux-cu130", "linux-cpu"),
    "words": ("linux-cuda", "linux-cpu", "macos-mps"),
    "PyPI": ("linux-pypi", "macos-pypi"),
}
EDITS = [
    (start, flags, before, after)
    for before, after in permutations(LISTS, 2)
    for start in ("bare", "app", "library", "accelerate")
    for flags in ("", "--layout groups --default cpu", "--default machine")
    if not flags or sum(word.startswith("linux") for word in LISTS[before]) > 1
]


def target_flags(name: str) -> str:
    return " ".join(f"-t {word}" for word in LISTS[name])


@pytest.mark.parametrize("edit", every(EDITS, 29), ids=", ".join)
def test_a_list_edited_by_hand_leads_to_what_the_flags_lead_to(
    edit: tuple[str, str, str, str], tmp_path: Path
) -> None:
    """Refused or taken; only the entries are spelled as the person spelled them."""
    start, flags, before, after = edit
    demo = Demo.of(tmp_path, start)
    demo.init(f"{target_flags(before)} {flags} -y")
    written = demo.text
    # Flags that leave a target out are refused otherwise; a list that does is what was decided.
    by_flags = demo(f"init {target_flags(after)} --force -y")
    expected = demo.text
    demo.path.write_bytes(with_list(written, LISTS[after]).encode())
    by_hand = demo("init -y")
    if by_hand.err.startswith("error: the layout would change"):
        # How people install changes only if that is said.
        (layout,) = re.findall(r"`(--layout \w+)`", by_hand.err)
        by_hand = demo(f"init {layout} -y")

    assert by_hand.status == by_flags.status
    if by_hand.status == 0:
        assert with_list(demo.text, ()) == with_list(expected, ())
        assert demo.data["tool"]["torchconf"]["targets"] == [*LISTS[after]]
        assert demo("init --check").status == 0
        assert "TC410" not in {f.code for found in check_path(demo.folder).values() for f in found}
    else:
        assert by_hand.err.splitlines()[0] == by_flags.err.splitlines()[0]


def with_list(text: str, words: tuple[str, ...]) -> str:
    """Return a file with another list of targets."""
    return re.sub(r"(?m)^targets = .*$", f"targets = {json.dumps([*words])}", text)


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_the_command_that_a_finding_names_mends_the_file(path: Path, tmp_path: Path) -> None:
    """Where the list itself is wrong, it refuses, at the place of the finding."""
    demo = Demo(tmp_path, path.read_bytes())
    found = demo("check --select TC410 --format json").json["findings"]
    is_tables = [str(one["message"]).startswith("no command installs") for one in found]
    shown = demo("check --select TC410").out
    result = demo("init -y")
    if all(is_tables):
        assert shown.count("= help: run `torchconf init -y` ") == len(found)
        assert result.status == 0, result.err
        assert demo("check --select TC410 --format json").json["findings"] == []
    else:
        wrong = next(one for one, tables in zip(found, is_tables, strict=True) if not tables)
        assert result.status == 2
        assert f"error: {wrong['message']}\n" in result.err
        assert f"at: pyproject.toml, {wrong['at']}\n" in result.err
        assert demo.path.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("layout", ["extras", "groups"])
@pytest.mark.parametrize(
    "gone", ["", "windows-cpu", "linux-xpu"], ids=["nothing", "another build", "another machine's"]
)
def test_tables_that_serve_the_list_stay_as_they_are(
    layout: str, gone: str, tmp_path: Path
) -> None:
    demo = Demo.of(tmp_path, "bare")
    demo.init(f"-t linux-cu130 -t windows-cpu -t linux-xpu --layout {layout} -y")
    assert demo("add-target linux-aarch64-cu129 -y").status == 0
    if gone:
        assert demo(f"remove-target {gone} -y").status == 0
    before = demo.text
    assert demo("init -y").status == 0
    assert demo.text == before
