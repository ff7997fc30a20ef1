"""The language server in sessions with an editor, which holds what it says against the protocol."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.editor import FULL, applied, editor
from tests.support.projects import EXAMPLES, run_in

GOOD = (EXAMPLES / "extras.toml").read_text(encoding="utf-8")
BAD = GOOD.replace("== 'linux'", "== 'Linux'")
BROKEN = GOOD.replace("[project]", "[project")


def test_a_session(tmp_path: Path) -> None:
    """Open, change, fix, save and close a file, ask about it, and say goodbye."""
    path = tmp_path / "pyproject.toml"
    with editor(tmp_path) as it:
        it.start(options={"inlayHints": True})
        assert it.capabilities["positionEncoding"] == "utf-16"

        found, *_ = it.open(path, f"# 🔥\n{BAD}".replace("torch = [", "'torch' = [ # 🔥"))
        assert (found["code"], found["source"], found["severity"]) == ("TC401", "torchconf", 1)
        text = f"# 🔥\n{BAD}".replace('{ index = "pytorch-cu130"', '{ index = "pytorch-cu130" ')
        it.change(path, text, 2)
        found, *_ = it.wait(path, 2)
        line = found["range"]["start"]["line"]
        assert "Linux" in text.split("\n")[line]

        fix, fix_all = it.actions(path, (line, line + 1))
        assert fix["isPreferred"]
        assert fix["diagnostics"] == [found]
        assert fix_all["kind"] == "source.fixAll.torchconf"
        assert it.actions(path, (0, 0), ["source.fixAll"]) == [fix_all]
        assert it.actions(path, (0, 0), ["refactor"]) == []
        assert fix["edit"]["documentChanges"][0]["textDocument"]["version"] == 2
        text = applied(text, fix["edit"], path.as_uri())
        assert "Linux" not in text

        it.change(path, text, 3)
        assert it.wait(path, 3) == []
        told = it.ask("textDocument/hover", it.at(path, line, 10))
        assert "cu130 on linux" in told["contents"]["value"]
        end = {"line": 99, "character": 0}
        everything = {"start": {"line": 0, "character": 0}, "end": end}
        document = {"uri": path.as_uri()}
        hints = it.ask("textDocument/inlayHint", {"textDocument": document, "range": everything})
        assert hints[0]["label"] == "cpu everywhere"

        column = text.split("\n")[line].index("pytorch-cu130")
        offered = it.ask("textDocument/completion", it.at(path, line, column))
        assert [one["label"] for one in offered["items"]] == ["pytorch-cpu", "pytorch-cu130"]

        it.change(path, BROKEN, 4)
        (found,) = it.wait(path, 4)
        assert "not valid TOML" in found["message"]
        it.notify("textDocument/didClose", {"textDocument": document})
        assert it.ask("textDocument/hover", it.at(path, 1, 1)) is None
        assert it.diagnostics[path.as_uri()] == (None, [])

        assert it.leave() == 0
        assert it.process.stderr is not None
        assert it.process.stderr.read() == b""


def test_without_its_extra_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    result = run_in(tmp_path, "lsp")
    assert result.status == 2
    assert result.out == ""
    assert "help: run `uv tool install 'torchconf[lsp]'`" in result.err


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_columns_are_those_that_were_agreed_upon(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    text = BAD.replace('{ index = "pytorch-cu130"', "{ 'inde\\u0078' = \"pytorch-cu130\"")
    text = BAD.replace('name = "demo"', 'name = "demo"\ndescription = "🔥é" # 🔥')
    text = text.replace("[[tool.uv.index]]", "[[tool.uv.index]]\n'🔥é' = { a = 1 }", 1)
    with editor(tmp_path) as it:
        it.start({"general": {"positionEncodings": [encoding]}})
        assert it.capabilities["positionEncoding"] == encoding
        found = [one for one in it.open(path, text) if one["code"] == "TC002"]
        (start, end) = (found[0]["range"][side] for side in ("start", "end"))
        width = {"utf-8": 6, "utf-16": 3, "utf-32": 2}[encoding]
        assert end["character"] - start["character"] == width + len("'' = { a = 1 }")


@pytest.mark.slow
def test_an_editor_of_long_ago_gets_plain_edits(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    with editor(tmp_path) as it:
        it.start({})
        assert it.capabilities["positionEncoding"] == "utf-16"
        it.open(path, BAD)
        fix, _ = it.actions(path, (0, 99))
        assert applied(BAD, fix["edit"], path.as_uri()) == GOOD
        assert list(fix["edit"]) == ["changes"]
        hints = {"textDocument": {"uri": path.as_uri()}, "range": found_range()}
        assert it.ask("textDocument/inlayHint", hints) == [], "hints are off unless asked for"
        it.notify(
            "workspace/didChangeConfiguration", {"settings": {"torchconf": {"inlayHints": True}}}
        )
        assert it.ask("textDocument/inlayHint", hints)
        assert it.leave() == 0


def found_range() -> dict[str, Any]:
    return {"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}}


@pytest.mark.slow
def test_files_around_are_read_again_when_something_is_saved(tmp_path: Path) -> None:
    root, member = tmp_path / "pyproject.toml", tmp_path / "a" / "pyproject.toml"
    member.parent.mkdir()
    index = "[[tool.uv.index]]\nname = 'x'\nurl = 'https://download.pytorch.org/whl/cpu'\n"
    index += "explicit = true\n"
    workspace = "[tool.uv.workspace]\nmembers = ['a']\n"
    text = "[project]\nname = 'a'\nversion = '1'\ndependencies = ['torch']\n"
    text += "[tool.uv.sources]\ntorch = { index = 'x' }\n"
    root.write_text(workspace, "utf-8")
    member.write_text(text, "utf-8")
    watching = {"workspace": {"didChangeWatchedFiles": {"dynamicRegistration": True}}}
    with editor(tmp_path) as it:
        it.start(watching)
        assert "TC105" in [one["code"] for one in it.open(member, text)]
        (asked,) = it.requests
        assert asked["method"] == "client/registerCapability"

        it.open(root, workspace)
        it.change(root, workspace + index, 2)
        it.wait(root, 2)
        assert it.diagnostics[member.as_uri()][1], "what is not saved is not on the disk"

        root.write_text(workspace + index, "utf-8")
        del it.diagnostics[member.as_uri()]
        it.notify("textDocument/didSave", {"textDocument": {"uri": root.as_uri()}})
        assert it.wait(member, 1) == []

        root.write_text(workspace, "utf-8")
        del it.diagnostics[member.as_uri()]
        change = {"uri": root.as_uri(), "type": 2}
        it.notify("workspace/didChangeWatchedFiles", {"changes": [change]})
        assert it.wait(member, 1)
        assert it.leave() == 0


@pytest.mark.slow
def test_documents_of_others_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    with editor(tmp_path) as it:
        it.start(FULL)
        for uri in (
            "untitled:Untitled-1",
            "git:/a/pyproject.toml",
            (tmp_path / "uv.toml").as_uri(),
        ):
            document = {"uri": uri, "languageId": "toml", "version": 1, "text": BAD}
            it.notify("textDocument/didOpen", {"textDocument": document})
            place = {"textDocument": {"uri": uri}, "position": {"line": 1, "character": 1}}
            assert it.ask("textDocument/hover", place) is None
            assert it.ask("textDocument/completion", place)["items"] == []
        assert it.open(path, GOOD) == []
        assert list(it.diagnostics) == [path.as_uri()]
        assert it.leave() == 0


@pytest.mark.slow
def test_what_is_no_message_ends_nothing(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    with editor(tmp_path) as it:
        it.start(FULL)
        for body in (
            b"{",
            b"[]",
            b"null",
            b'{"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": 3}',
        ):
            it.send_bytes(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        it.notify("nobody/knows", {})
        assert it.answer("nobody/knowsThat", {})["error"]["code"] == -32601
        assert "TC401" in [one["code"] for one in it.open(path, BAD)]
        assert it.leave() == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("goodbye", "status"),
    [
        ("exit", 1),
        ("end", 1),
        pytest.param(
            "ctrl-c",
            130,
            marks=pytest.mark.skipif(sys.platform == "win32", reason="signals there are others"),
        ),
    ],
)
def test_who_leaves_without_goodbye_is_not_done(goodbye: str, status: int, tmp_path: Path) -> None:
    with editor(tmp_path) as it:
        it.start(FULL)
        assert it.process.stdin is not None
        if goodbye == "exit":
            it.notify("exit")
        elif goodbye == "end":
            it.process.stdin.close()
        else:
            it.process.send_signal(signal.SIGINT)
        assert it.process.wait(timeout=20) == status


@pytest.mark.slow
def test_at_a_terminal_it_says_who_starts_it(tmp_path: Path) -> None:
    import pexpect  # type: ignore[import-untyped] # it has no stubs

    child = pexpect.spawn(sys.executable, ["-m", "torchconf", "lsp"], cwd=str(tmp_path), timeout=20)
    child.expect("started by an editor")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 2


@pytest.mark.slow
def test_nothing_but_messages_goes_to_stdout(tmp_path: Path) -> None:
    code = (
        "import sys, torchconf.editor.features as f\n"
        "old = f._code_actions\n"
        "def loud(server, params):\n"
        "    print('noise')\n"
        "    return old(server, params)\n"
        "f._code_actions = loud\n"
        "from torchconf.cli import main\n"
        "sys.exit(main(['lsp']))\n"
    )
    path = tmp_path / "pyproject.toml"
    with editor(tmp_path, [sys.executable, "-c", code]) as it:
        it.start(FULL)
        it.open(path, BAD)
        assert it.actions(path, (0, 99))
        assert it.leave() == 0
        assert it.process.stderr is not None
        assert b"noise" in it.process.stderr.read()
