"""Edits: what does not change, what does, and what is refused."""

from __future__ import annotations

import ast
import gc
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import torchconf.edits
from tests.support.edit_cases import Case, load_cases
from tests.support.paths import TESTS
from tests.support.syntax import nodes_of
from torchconf.edits import apply_steps, edit_text, tokens
from torchconf.edits.brackets import ArrayEntry, Brackets
from torchconf.edits.document import Document
from torchconf.edits.plan import Insert, Put, Remove, Rename, Replace, Step, meaning
from torchconf.edits.read_toml import read_toml
from torchconf.edits.verify_edit import EditCheck
from torchconf.errors import ProjectError, WriteRefused

EXAMPLES = TESTS / "edits" / "examples"
CASES = load_cases()
INDEX = {"name": "pytorch-cpu", "url": "https://download.pytorch.org/whl/cpu", "explicit": True}


def put(path: str, value: Any, comment: str | None = None) -> Put:
    return Put(tuple(path.split(".")), value, "asked for", comment)


def insert(path: str, position: int, value: Any) -> Insert:
    return Insert(tuple(path.split(".")), position, value, "asked for")


def remove(*path: str | int) -> Remove:
    return Remove(path, "asked for")


SAYS_SO_ALREADY: list[tuple[str, str, list[Step]]] = [
    ("nothing at all", "", []),
    ("no steps", "[project]\r\nname='x' # y\n\n\n", []),
    ("a dotted key", "[tool]\nuv.package = true\n", [put("tool.uv.package", True)]),
    ("a quoted key", '[tool."uv"]\n"package"=true', [put("tool.uv.package", True)]),
    ("other quotes", "[project]\nname = '''\ndemo'''\n", [put("project.name", "demo")]),
    ("an escape", '[project]\nname = "d\\u0065mo"\n', [put("project.name", "demo")]),
    ("an escaped key", '[project]\n"n\\u0061me" = "demo"\n', [put("project.name", "demo")]),
    (
        "an array in a layout of its own",
        '[project]\ndependencies = ["a"\n,#x\n"b",]\n',
        [put("project.dependencies", ["a", "b"]), Replace(("project", "dependencies", 0), "a", "")],
    ),
    (
        "an inline table",
        'tool = {uv.sources = {torch={index="x",marker="y"}}}\n',
        [put("tool.uv.sources.torch", {"marker": "y", "index": "x"})],
    ),
    (
        "an array of tables",
        '[[tool.uv.index]]\nurl="u"\nname="n" # c\n',
        [put("tool.uv.index", [{"name": "n", "url": "u"}])],
    ),
    (
        "an inline array of tables",
        '[tool.uv]\nindex=[{url="u",name="n"}]\n',
        [put("tool.uv.index", [{"name": "n", "url": "u"}])],
    ),
    ("an empty table", "[tool.uv.sources]\n", [put("tool.uv.sources", {})]),
    ("a table that only its parts imply", "[tool.uv.a]\n", [put("tool.uv", {"a": {}})]),
    ("a comment", "[tool.uv]\n# why\npackage = true\n", [put("tool.uv.package", True, "why")]),
    (
        "in and out again",
        "[tool.uv]\npackage = true\n",
        [insert("tool.uv.index", 0, INDEX), remove("tool", "uv", "index", 0)],
    ),
]


@pytest.mark.parametrize(
    ("text", "plan"),
    [(text, plan) for _, text, plan in SAYS_SO_ALREADY],
    ids=[name for name, _, _ in SAYS_SO_ALREADY],
)
def test_what_says_so_already_stays_as_it_is(text: str, plan: list[Step]) -> None:
    assert edit_text(text, plan) == text


def as_it_is(text: str) -> str:
    return text


def with_crlf(text: str) -> str:
    return text.replace("\n", "\r\n")


def without_final_newline(text: str) -> str:
    return text.removesuffix("\n")


@pytest.mark.parametrize("spelling", [as_it_is, with_crlf, without_final_newline])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_steps_turn_before_into_after(case: Case, spelling: Any) -> None:
    after = edit_text(spelling(case.before), case.steps)

    assert after == spelling(case.after)
    expected = meaning(tomllib.loads(case.before), case.steps)
    assert without_empty(tomllib.loads(after)) == without_empty(expected)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_lines_that_are_gone_are_lines_of_the_request(case: Case) -> None:
    # Whatever a step is about, it names: nothing else may leave the file.
    words = {str(part) for step in case.steps for part in step.path[-3:]}
    gone = set(case.before.splitlines()) - set(case.after.splitlines())
    for line in gone:
        block = case.before[: case.before.index(line) + len(line)].rpartition("\n[")[2]
        assert any(word in block for word in words), line


def without_empty(data: Any) -> Any:
    """Leave out what a removal has emptied and what therefore may be gone."""
    if isinstance(data, dict):
        pairs = ((key, without_empty(value)) for key, value in data.items())
        return {key: value for key, value in pairs if value not in ({}, [])}
    return data


def steps_for(data: dict[str, Any]) -> list[Step]:
    """Return what a planner would ask for, to reach these data from nothing."""
    project, uv = data.get("project", {}), data["tool"]["uv"]
    extras = project.pop("optional-dependencies", {})
    sources, indexes = uv.pop("sources"), uv.pop("index")
    return [
        *(put(f"project.{key}", value) for key, value in project.items()),
        *(insert("tool.uv.index", n, index) for n, index in enumerate(indexes)),
        *(put(f"tool.uv.sources.{key}", value) for key, value in sources.items()),
        *(put(f"project.optional-dependencies.{key}", value) for key, value in extras.items()),
        *(put(f"dependency-groups.{k}", v) for k, v in data.get("dependency-groups", {}).items()),
        *(put(f"tool.uv.{key}", value) for key, value in uv.items()),
    ]


@pytest.mark.parametrize("name", ["markers", "extras"])
def test_a_new_file_is_written_as_the_examples_are(name: str) -> None:
    example = (EXAMPLES / f"{name}.toml").read_text(encoding="utf-8")

    assert edit_text("", steps_for(tomllib.loads(example))) == example
    assert (
        edit_text("", [put("project", tomllib.loads(example)["project"])])
        == (example[: example.index("\n[tool")])
    )


def test_a_published_project_gets_groups_as_the_example_has_them() -> None:
    example = (EXAMPLES / "groups.toml").read_text(encoding="utf-8")
    before = example[: example.index("\n[dependency-groups]")]
    data = tomllib.loads(example)
    del data["project"], data["build-system"]

    plan = steps_for(data)
    assert edit_text(before, plan) == example
    assert edit_text(example, plan[2:]) == example, "a second run changes nothing"


@pytest.mark.parametrize("name", ["markers", "extras", "groups"])
def test_a_plan_and_its_inverse_give_the_same_bytes(name: str) -> None:
    example = (EXAMPLES / f"{name}.toml").read_text(encoding="utf-8")
    there: list[Step] = [
        put("project.requires-python", ">=3.12"),
        put("project.optional-dependencies.cu128", ["torch>=2.13.0"]),
        put("dependency-groups.cu128", ["torch"]),
        insert("project.dependencies", 0, "torchaudio"),
        put("tool.uv.required-environments", ["sys_platform == 'win32'"]),
        insert("tool.uv.index", 1, {"name": "pytorch-cu128", "url": "u", "explicit": True}),
        insert("tool.uv.sources.torch", 1, {"index": "pytorch-cu128", "extra": "cu128"}),
        put("tool.uv.sources.torchaudio", [{"index": "pytorch-cu128"}]),
    ]
    back: list[Step] = [
        remove("tool", "uv", "sources", "torchaudio"),
        remove("tool", "uv", "sources", "torch", 1),
        remove("tool", "uv", "index", 1),
        remove("tool", "uv", "required-environments"),
        remove("project", "dependencies", 0),
        remove("dependency-groups", "cu128"),
        remove("project", "optional-dependencies", "cu128"),
        put("project.requires-python", ">=3.11"),
    ]
    had = tomllib.loads(example)
    if "dependency-groups" not in had:
        back.append(remove("dependency-groups"))
    if "optional-dependencies" not in had["project"]:
        back.append(remove("project", "optional-dependencies"))

    changed = edit_text(example, there)
    assert "[tool.uv]\n" in changed
    assert edit_text(changed, back) == example


# What tomlkit 0.15.2 does not promise (STYLE.md), one test each.


def test_dotted_keys_of_other_tools_are_not_swallowed() -> None:
    text = "[tool]\nuv.dev-dependencies = []\nruff.line-length = 100\n"
    after = edit_text(text, [put("tool.uv.sources.torch", {"index": "x"})])
    assert tomllib.loads(after)["tool"]["ruff"] == {"line-length": 100}
    assert after == text + '\n[tool.uv.sources]\ntorch = { index = "x" }\n'


def test_an_inline_array_takes_an_inline_table() -> None:
    text = '[tool.uv]\nindex = [{ url = "u" }]\n'
    after = edit_text(text, [insert("tool.uv.index", 0, {"name": "n"})])
    assert after == '[tool.uv]\nindex = [{ name = "n" }, { url = "u" }]\n'


def test_a_removed_index_leaves_its_comment_and_the_next_one() -> None:
    text = '# one\n[[tool.uv.index]]\nname = "a"\n\n# two\n[[tool.uv.index]]\nname = "b"\n'
    after = edit_text(text, [remove("tool", "uv", "index", 0)])
    assert after == '# one\n\n# two\n[[tool.uv.index]]\nname = "b"\n'


def test_a_header_after_a_comment_gets_a_blank_line() -> None:
    after = edit_text("a = 1\n# end\n", [put("tool.uv.package", True)])
    assert after == "a = 1\n# end\n\n[tool.uv]\npackage = true\n"


def test_new_lines_end_like_the_others() -> None:
    after = edit_text('[project]\r\nname = "x"\r\n', [put("tool.uv.environments", ["a", "b"])])
    assert "\n" not in after.replace("\r\n", "")


def test_in_a_file_with_both_line_endings_every_old_line_keeps_its_own() -> None:
    text = "[project]\nname = 'x'\r\n[tool.uv]\r\n# c\npackage = true\r\n"
    after = edit_text(text, [put("tool.uv.conflicts", [])])
    assert after == text + "conflicts = []\r\n"


def test_a_new_entry_has_the_header_of_its_siblings_and_not_its_comment() -> None:
    text = '  [[ tool.uv . "index" ]]  # ours\n  name = "a"\n'
    after = edit_text(text, [insert("tool.uv.index", 1, {"name": "b"})])
    assert after == text + '\n  [[ tool.uv . "index" ]]\n  name = "b"\n'


def test_what_a_removal_emptied_may_be_missing_under_a_later_name_too() -> None:
    steps = (put("a.b.c", value=[]), remove("a", "b"), Rename(("a",), "new", "because"))
    assert edit_text("", steps) == ""


def test_an_empty_header_stays_where_it_says_something() -> None:
    text = "[tool.uv]\npackage = true\n"
    assert edit_text(text, [remove("tool", "uv", "package")]) == "[tool.uv]\n"
    for more in ("\n[tool.uv.sources]\n", "# why\n\n[tool.uv.sources]\n"):
        after = edit_text(text + more, [remove("tool", "uv", "package")])
        assert after == ("[tool.uv]\n" + more if "#" in more else more[1:])


def test_a_document_is_never_shared() -> None:
    text = '[project]\ndependencies = ["a"]\n'
    plan = [insert("project.dependencies", 1, "b")]
    assert edit_text(text, plan) == edit_text(text, plan)
    value = ["x"]
    step = put("project.dependencies", value)
    edit_text(edit_text(text, [step, insert("project.dependencies", 1, "y")]), [step])
    assert value == ["x"], "the plan is as it was"


@pytest.mark.skipif(sys.version_info >= (3, 15), reason="this tomllib reads TOML 1.1")
@pytest.mark.parametrize(
    "text",
    [
        'a = 1\n\nb = { c = "d", }\n',
        'a = 1\n\nb = {\n  c = "d"\n}\n',
        'a = 1\n\nb = "\\e"\n',
        "a = 1\n\nb = 12:30\n",
    ],
)
def test_a_file_in_toml_1_1_is_called_by_its_name(text: str) -> None:
    with pytest.raises(
        ProjectError, match=r"TOML 1\.1, and Python 3\.\d+ reads TOML 1\.0"
    ) as caught:
        edit_text(text, [put("tool.uv.package", True)], "sub/pyproject.toml")
    assert caught.value.at is not None
    assert caught.value.at.startswith("sub/pyproject.toml, line 3")
    assert caught.value.help


def test_the_parts_that_tomllib_does_not_read_yet_are_ready_for_toml_1_1() -> None:
    # Python 3.15 reads it; the editor itself may meet it then.
    text = "a = {\n  b = 1, # c\n}\n"
    document = Document(text)
    assert str(document) == text
    apply_steps.take(document, put("a.c", True))
    assert str(document) == "a = {\n  b = 1, # c\n  c = true,\n}\n"
    apply_steps.take(document, remove("a", "b"))
    assert str(document) == "# c\na = {\n  c = true,\n}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = \n", "not valid TOML: Invalid value"),
        ("a = 1\na = 2\n", "not valid TOML: Cannot overwrite a value"),
        ("\ufeffa = 1\n", "not valid TOML"),
        ("a = " + "[" * 5000 + "]" * 5000, "nested too deeply|maximum recursion"),
        (f"[{'.'.join(['a'] * 3000)}]", "nested too deeply"),
    ],
)
def test_what_cannot_be_read_is_not_edited(text: str, message: str) -> None:
    with pytest.raises(ProjectError, match=message):
        edit_text(text, [put("tool.uv.package", True)])


@pytest.mark.parametrize(
    "step",
    [
        remove("tool", "uv", "index", 3),
        insert("project.dependencies", 7, "x"),
        insert("project.name", 0, "x"),
        put("project.name.first", "x"),
        Replace(("project", "dependencies", 2), "x", ""),
        Put((0,), "x", ""),
    ],
)
def test_a_plan_for_another_file_is_refused(step: Step) -> None:
    with pytest.raises(WriteRefused, match="different file"):
        edit_text('[project]\nname = "x"\ndependencies = ["a"]\n', [step])


def test_an_entry_that_no_header_can_hold_is_refused() -> None:
    text = '[[tool.uv.index]]\nname = "x"\n'
    with pytest.raises(WriteRefused):
        edit_text(text, [insert("tool.uv.index", 0, "y")])
    with pytest.raises(WriteRefused):
        edit_text(text, [Replace(("tool", "uv", "index", 0), "y", "")])


# The writer is not trusted: each fault below must be noticed.


@pytest.mark.parametrize(
    ("new", "message"),
    [
        ("[a]\nx = 1\n", "does not have the intended meaning"),
        ("[a]\nx = 1  # one\n[b]\ny = 3\n", "does not have the intended meaning"),
        ("[a]\nx = 2\n[b]\ny = 3\n", "comment `# one` would be lost"),
        ("[a]\nx = 2  # one\n[b]\ny =  3\n", "line `y = 3` would change"),
        ("[a]\nx = 2  # one\n[ b ]\ny = 3\n", r"line `\[b\]` would change"),
        ("[b]\ny = 3\n[a]\nx = 2  # one\n", None),
        ("[a]\nx = 2  # one\nb.y = 3\n", "does not have the intended meaning"),
        ("[a\n", "cannot read"),
    ],
)
def test_a_writer_that_loses_something_is_found_out(new: str, message: str | None) -> None:
    old = "[a]\nx = 1  # one\n[b]\ny = 3\n"
    plan = [put("a.x", "2")]
    expected = {"a": {"x": 2}, "b": {"y": 3}}
    witness = EditCheck(old, Document(old), plan, "f")
    if message is None:
        witness.refuse_loss(new, expected)
    else:
        with pytest.raises(WriteRefused, match=message):
            witness.refuse_loss(new, expected)


def test_the_place_of_a_difference_is_named() -> None:
    with pytest.raises(WriteRefused) as caught:
        EditCheck("", Document(""), [], "f.toml").refuse_loss(
            'a = [{b = "c"}]', {"a": [{"b": "d"}]}
        )
    assert caught.value.at == "f.toml, a[0].b"


def test_numbers_are_compared_as_they_are_written() -> None:
    text = "[tool.x]\nn = nan\nm = 1.0\n"
    assert edit_text(text, [put("tool.uv.package", True)]).startswith(text)
    assert read_toml("a = 1.5\n") == {"a": 1.5}


def test_tomlkit_is_loaded_only_for_what_cannot_be_read() -> None:
    code = (
        "import sys, torchconf.edits as e; from torchconf.edits.plan import Put;"
        "e.edit_text('', [Put(('a',), 'b', '')]);"
        "print(*{'tomlkit', 'pathlib', 'json', 'dataclasses'} & sys.modules.keys())"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


def test_only_this_room_imports_tomlkit() -> None:
    package = Path(torchconf.edits.__file__).parent.parent
    for path in package.rglob("*.py"):
        imported = {
            name.partition(".")[0]
            for node in nodes_of(path)
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        }
        assert "tomlkit" not in imported or path.parent.name == "edits", path


def large_document(size: int) -> str:
    """Make a project of about that many bytes, of every kind of table."""
    head = (
        '[project]\nname = "x"\ndependencies = [\n    "a",  # why\n]\n\n[tool.uv]\npackage = true\n'
    )
    table = (
        "\n# about it\n[tool.t{n}]\nx.y = {{ index = 'a', marker = \"b == 'c'\" }}\n"
        'list = [\n    "one",  # 1\n    "two",\n]\n\n[[tool.many]]\nname = "n"\n'
    )
    return head + "".join(table.format(n=n) for n in range(size // len(table)))


PLAN: list[Step] = [
    insert("project.dependencies", 1, "torch"),
    put("tool.uv.sources.torch", [{"index": "pytorch-cpu"}]),
    put("tool.uv.environments", ["a", "b"]),
    insert("tool.uv.index", 0, INDEX),
]


def seconds_to_edit(text: str) -> float:
    """Return the least of three runs; what the collector of a long test run costs is not ours."""
    gc.disable()
    try:
        times = []
        for _ in range(3):
            began = time.process_time()
            edit_text(text, PLAN)
            times.append(time.process_time() - began)
        return min(times)
    finally:
        gc.enable()


def values_read(text: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return how many values an edit has to look at."""
    calls = 0

    def count(text: str, start: int, end: Any = tokens.value_end) -> int:
        nonlocal calls
        calls += 1
        return int(end(text, start))

    monkeypatch.setattr("torchconf.edits.document.value_end", count)
    edit_text(text, PLAN)
    monkeypatch.undo()
    return calls


@pytest.mark.slow
def test_the_cost_grows_with_the_size_and_no_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    small, large = large_document(25_000), large_document(200_000)
    assert values_read(large, monkeypatch) < 9 * values_read(small, monkeypatch)
    # Eight times the size: 64 times the time would be a square.
    assert seconds_to_edit(large) < 24 * seconds_to_edit(small)


ARRAYS = st.builds(
    lambda head, lines, close: f"[{head}{''.join(lines)}{close}]",
    st.sampled_from(["", " # first\n", "\r\n"]),
    st.lists(
        st.sampled_from(
            ['"a",', ' "b" ,', '\n    "c", # why', "\n    # above\n    'd',", "\r\n\t{ x = 1 },"]
        ),
        min_size=2,
        max_size=6,
    ).map(lambda lines: [f"{line}\n" if "#" in line else line for line in lines]),
    st.sampled_from(["", "\n", "\n    # last\n"]),
)


@given(text=ARRAYS, data=st.data())
def test_an_array_that_lost_an_entry_is_what_its_text_says(text: str, data: st.DataObject) -> None:
    # Steps in one array go on with what the former one has left, and do not parse it again.
    brackets = Brackets(text)
    while len(brackets.entries) > 1:
        brackets.remove(data.draw(st.integers(0, len(brackets.entries) - 1)))
        again = Brackets(str(brackets))
        assert (again.head, again.close) == (brackets.head, brackets.close)
        parts = ArrayEntry.__slots__
        for one, other in zip(again.entries, brackets.entries, strict=True):
            assert {p: getattr(one, p) for p in parts} == {p: getattr(other, p) for p in parts}
