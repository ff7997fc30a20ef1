"""Fifty selections at random: page and command line give the same bytes, or refuse alike."""

from __future__ import annotations

import json
import random
import shlex
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from docs.engine.selector_choices import platforms
from torchconf.cli import main

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

EXACT = ["cu118", "cu124", "cu126", "cu128", "cu130", "rocm6.4", "rocm7.1"]


FLAGS = {"t": "-t", "with": "--with", "required": "--required-environments"}


def selections(number: int, seed: int) -> list[dict[str, list[str]]]:
    """Return what is selected, by the keys of the page's address."""
    dice = random.Random(seed)
    every = [
        f"{one['platform']}-{name}"
        for one in platforms()
        for name, _, _, reason in one["builds"]
        if not reason
    ]
    every += [f"{platform}-{build}" for platform in ("linux", "windows") for build in EXACT]
    found = []
    for _ in range(number):
        state = {"t": dice.sample(every, dice.randint(1, 4))}
        if dice.random() < 0.5:
            packages = ["torchvision", "torchaudio", "torchao", "xformers"]
            state["with"] = dice.sample(packages, dice.randint(1, 2))
        for key, values in (
            ("torch", ["2.9", ">=2.8,<2.12", "2.11.0"]),
            ("layout", ["extras", "groups"]),
            ("default", ["cpu", "none", "machine"]),
            ("python", ["3.11", "3.13", ">=3.12,<3.14"]),
            ("pin", ["1"]),
            ("required", ["1"]),
        ):
            if dice.random() < 0.25:
                state[key] = [dice.choice(values)]
        found.append(state)
    return found


def address_of(state: dict[str, list[str]]) -> str:
    parts = [
        f"{key}={','.join(values) if key in {'t', 'with'} else quote(values[0], safe='')}"
        for key, values in state.items()
    ]
    return f"#{'&'.join(parts)}&name=x"


def words_of(state: dict[str, list[str]]) -> list[str]:
    words = ["init"]
    for key, values in state.items():
        flag = FLAGS.get(key, f"--{key}")
        for value in values:
            words += [flag] if key in {"pin", "required"} else [flag, value]
    return words


def test_the_page_gives_what_the_command_line_writes(
    page: Page,
    site: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    page.goto(site)
    page.locator("html[data-engine=ready]").wait_for(state="attached")
    outcomes = []
    for number, state in enumerate(selections(50, seed=20261129)):
        page.evaluate("(hash) => { location.hash = hash; }", address_of(state))
        page.locator(f'#result[data-answers="{page.evaluate("location.hash")}"]').wait_for()
        command, text, error = page.evaluate(
            """() => ["[data-testid=command]", "[data-testid=file]", "#result .error p"]
                .map((one) => document.querySelector(one)?.textContent ?? null)"""
        )
        folder = tmp_path / str(number) / "x"
        folder.mkdir(parents=True)
        monkeypatch.chdir(folder)
        words = words_of(state)
        status = main([*words, "--format", "json"])
        said = json.loads(capsys.readouterr().out)
        if error is not None:
            assert status == 2, (state, error)
            assert error == "error: " + said["error"]["message"].replace("`", ""), state
        else:
            assert status == 0, (state, said)
            assert command == shlex.join(["uvx", "torchconf", *words])
            assert text == Path("pyproject.toml").read_text(encoding="utf-8"), state
        outcomes.append(error is None)
    assert 15 <= outcomes.count(True) <= 48, "the dice give both answers and refusals"
