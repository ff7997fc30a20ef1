"""Neovim, as the site configures it: it shows a finding, applies the fix, and takes it back."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.doc_blocks import blocks
from tests.support.paths import PAGES
from tests.support.projects import EXAMPLES

PAGE = PAGES / "howto" / "editors" / "neovim.md"
GOOD = (EXAMPLES / "extras.toml").read_text(encoding="utf-8")
BAD = GOOD.replace("== 'linux'", "== 'Linux'")
CONFIGS = [one.text for one in blocks(PAGE.read_text("utf-8")) if one.language == "lua"]
"""For Neovim 0.11, and for older ones."""
NEWER = """\
local told = {}
vim.lsp.config = function(name, config) told[name] = config end
vim.lsp.enable = function(name) told.enabled = name end
dofile("init.lua")
vim.fn.writefile({ vim.fn.json_encode(told) }, "told.json")
vim.cmd("quitall!")
"""
DRIVE = """\
local function wait(what, is_so) assert(vim.wait(60000, is_so, 20), what) end
local function number() return #vim.diagnostic.get(0) end
vim.ui.select = function(items, _, choose) choose(items[1]) end

wait("no diagnostic came", function() return number() > 0 end)
local one = vim.diagnostic.get(0)[1]
vim.api.nvim_win_set_cursor(0, { one.lnum + 1, one.col })
vim.lsp.buf.code_action()
wait("the fix was not applied", function() return number() == 0 end)
vim.cmd("silent write")
vim.cmd("silent normal! u")
wait("what was undone is not found", function() return number() > 0 end)
vim.cmd("silent edit!")
wait("the file as it is has no finding", function() return number() == 0 end)
local told = { code = one.code, line = one.lnum, column = one.col }
vim.fn.writefile({ vim.fn.json_encode(told) }, "told.json")
vim.cmd("quitall!")
"""


needs_neovim = pytest.mark.skipif(
    shutil.which("nvim") is None, reason="nvim is not installed: `apt install neovim`"
)


@pytest.mark.slow
@needs_neovim
def test_what_neovim_is_told_in_its_newer_words(tmp_path: Path) -> None:
    (tmp_path / "init.lua").write_text(CONFIGS[0], encoding="utf-8")
    (tmp_path / "newer.lua").write_text(NEWER, encoding="utf-8")
    words = ["nvim", "--clean", "--headless", "-c", "luafile newer.lua", "-c", "cquit"]
    subprocess.run(words, cwd=tmp_path, env={**os.environ, "HOME": str(tmp_path)}, check=True)
    told = json.loads((tmp_path / "told.json").read_text("utf-8"))
    assert told["enabled"] == "torchconf"
    assert told["torchconf"]["cmd"] == ["torchconf", "lsp"]


@pytest.mark.slow
@needs_neovim
def test_a_finding_is_shown_and_its_fix_applied(tmp_path: Path) -> None:
    _, config = CONFIGS
    text = f"# 🔥\n{BAD}".replace("[tool.uv.sources]", "[tool.uv.sources] # 🔥")
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    (tmp_path / "init.lua").write_text(config, encoding="utf-8")
    (tmp_path / "drive.lua").write_text(DRIVE, encoding="utf-8")
    # The `torchconf` that the configuration names is the one of this environment.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

    done = subprocess.run(
        [
            "nvim", "--clean", "--headless", "-u", "init.lua", "pyproject.toml",
            "-c", "luafile drive.lua", "-c", "cquit",
        ],
        cwd=tmp_path, env={**os.environ, "PATH": path, "HOME": str(tmp_path)},
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "told.json").read_text("utf-8"))
    assert told["code"] == "TC401"
    line = text.split("\n")[told["line"]].encode()
    assert line[told["column"] :].startswith(b"marker = "), "Neovim counts bytes"
    assert (tmp_path / "pyproject.toml").read_text("utf-8") == text.replace("'Linux'", "'linux'")
