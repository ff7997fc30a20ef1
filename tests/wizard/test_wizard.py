"""The wizard in a real pseudo-terminal: keys in, a screen and a file out."""

from __future__ import annotations

import contextlib
import shlex
import signal
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest

from torchconf.cli import main

if sys.platform == "win32":
    pytest.skip("there are no pseudo-terminals", allow_module_level=True)

from tests.support.few import few, one_each
from tests.support.screens import PAGE, pictures, with_screen, wizard_shot
from tests.support.terminal import Terminal

APP = """\
[project]
name = "demo"
version = "0.1.0"
requires-python = ">=3.11"  # as the servers have it
dependencies = ["numpy"]
"""
LIBRARY = APP.replace('["numpy"]', '["torch>=2.9"]') + (
    '\n[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
)
UNBOUND = LIBRARY.replace("torch>=2.9", "torch")
GPU = {"cu130": "driver 580.65.06, Ada"}

# Questions as they are asked, each with keys that answer it: all that `init` can ask.
PLATFORMS = ("Which platforms should the project support?", "enter")
EVERYTHING = (
    ("Which platforms should", "down", "down", "down", "down", "space", "enter"),
    ("torch builds for Linux?", "space", *["down"] * 11, "space", "enter"),
    ("Which older torch builds for Linux?", "enter"),
    ("torch builds for macOS?", "enter"),
    ("Which packages besides torch?", "space", "enter"),
    ("Which version of torch?", "up", "up", "enter"),
    ("Which version or range of torch", ">=2.11,<2.14", "enter"),
    ("How should a build be", "enter"),
    ("Which build should plain", "enter"),
    ("What should the groups be called?", "down", "enter"),
    ("Name for CPU?", "enter"),
    ("Name for CUDA 13.0?", "gpu", "enter"),
    ("Should `uv lock` fail if", "enter"),
    ("Write these changes to pyproject.toml?", "enter"),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "demo"
    made.mkdir()
    return made


def start(folder: Path, text: str) -> Path:
    path = folder / "pyproject.toml"
    path.write_text(text, encoding="utf-8")
    return path


def go(terminal: Terminal, *questions: Sequence[str]) -> None:
    for question, *keys in questions:
        terminal.answer(question, *keys)


def shown_command(terminal: Terminal, head: str = "equivalent command:") -> list[str]:
    """Return the words of the command that the wizard ends with."""
    after = terminal.screen.joined.partition(head)[2].strip()
    assert after.startswith("torchconf "), terminal.screen.text
    return shlex.split(after)[1:]


def equal_by_flags(words: list[str], text: str | None, tmp_path: Path) -> bytes:
    """Return what the printed command writes, in another folder of the same name."""
    folder = tmp_path / "by flags" / "demo"
    folder.mkdir(parents=True)
    if text is not None:
        start(folder, text)
    assert main([*words, "--project", str(folder)]) == 0
    return (folder / "pyproject.toml").read_bytes()


# Each layout, from the keys to the file, and the command that means the same.


@pytest.mark.parametrize("columns", few([80, 120, 60], {80}.__contains__))
def test_one_build_a_platform_is_four_times_enter(
    folder: Path, tmp_path: Path, columns: int
) -> None:
    with Terminal(["init"], folder, columns=columns, fits=GPU) as terminal:
        go(
            terminal,
            ("Which platforms should", "down", "down", "space", "enter"),
            ("torch builds for Linux?", "enter"),
            ("torch builds for Windows?", "enter"),
            ("Which packages", "enter"),
            ("Which version of torch?", "enter"),
            ("Should `uv lock` fail", "enter"),
            ("Write these", "enter"),
        )
        assert terminal.finish() == 0
        words = shown_command(terminal)
        assert words == ["init", "-t", "linux-cu130", "-t", "windows-cu130"]
        assert "- Linux: CUDA 13.0" in terminal.screen.text
        assert "wrote pyproject.toml" in terminal.screen.text
        assert "linux-cu130 uv sync" in terminal.screen.joined
    written = (folder / "pyproject.toml").read_bytes()
    assert written == equal_by_flags(words, None, tmp_path)


def test_extras(folder: Path, tmp_path: Path) -> None:
    path = start(folder, APP)
    with Terminal(["init"], folder, fits=GPU) as terminal:
        go(
            terminal,
            PLATFORMS,
            ("torch builds for Linux?", "space", "enter"),
            ("Which packages", "space", "enter"),
            ("Which version of torch?", "down", "down", "down", "enter"),
            ("How should a build be", "enter"),
            ("What should the extras be called?", "enter"),
            ("Should `uv lock` fail", "down", "enter"),
            ("Write these", "enter"),
        )
        assert terminal.finish() == 0
        words = shown_command(terminal)
    assert words == shlex.split(
        "init -t linux-cpu -t linux-cu130 --with torchvision --torch 2.13 --layout extras "
        "--required-environments"
    )
    assert path.read_bytes() == equal_by_flags(words, APP, tmp_path)
    assert path.read_text().startswith(APP.rpartition("dependencies")[0]), "the comment stays"


def test_groups_with_everything_that_can_be_asked(folder: Path, tmp_path: Path) -> None:
    path = start(folder, LIBRARY)
    with Terminal(["init"], folder, columns=120, fits=GPU) as terminal:
        go(terminal, *EVERYTHING)
        assert terminal.finish() == 0
        words = shown_command(terminal)
    assert words == shlex.split(
        "init -t linux-cpu -t linux-cu130 -t macos-cpu --with torchvision --torch '>=2.11,<2.14' "
        "--layout groups --default cpu --name cu130=gpu"
    )
    assert path.read_bytes() == equal_by_flags(words, LIBRARY, tmp_path)
    data = tomllib.loads(path.read_text())
    assert set(data["dependency-groups"]) >= {"cpu", "gpu"}
    assert "cpu" in data["tool"]["uv"]["default-groups"]


def test_each_machine_can_say_which_build_it_is(folder: Path, tmp_path: Path) -> None:
    path = start(folder, LIBRARY)
    machine = ("Which build should plain", "down", "down", "enter")
    keys = [machine if one[0] == machine[0] else one for one in EVERYTHING]
    with Terminal(["init"], folder, columns=120, fits=GPU) as terminal:
        go(terminal, *keys[:8])
        terminal.wait(keys[8][0])
        terminal.wait("each machine says once which build it is")
        go(terminal, *keys[8:])
        assert terminal.finish() == 0
        words = shown_command(terminal)
    assert words[words.index("--default") + 1] == "machine"
    assert path.read_bytes() == equal_by_flags(words, LIBRARY, tmp_path)
    assert tomllib.loads(path.read_text())["tool"]["uv"]["default-groups"] == ["dev", "cpu", "gpu"]


# Leaving: at any question, nothing has happened.


def leaves(terminal: Terminal, key: str) -> None:
    terminal.press(key)
    assert terminal.finish() == 130
    assert "interrupted" in terminal.screen.text
    assert "Traceback" not in terminal.screen.text


@pytest.mark.parametrize(
    "number",
    few(range(len(EVERYTHING)), {6}.__contains__),
    ids=[q for q, *_ in EVERYTHING],
)
def test_leaving_at_any_question_of_init(tmp_path: Path, number: int) -> None:
    columns = (60, 80, 120)[number % 3]
    with contextlib.ExitStack() as stack:
        running = []
        for key in ("ctrl-c", "ctrl-d"):
            folder = tmp_path / key
            folder.mkdir()
            path = start(folder, LIBRARY)
            terminal = stack.enter_context(Terminal(["init"], folder, columns=columns, fits=GPU))
            running.append((key, path, terminal))
        for question in EVERYTHING[:number]:
            for _, _, terminal in running:
                go(terminal, question)
        for key, path, terminal in running:
            terminal.wait(EVERYTHING[number][0])
            leaves(terminal, key)
            assert path.read_text() == LIBRARY
            assert [entry.name for entry in path.parent.iterdir()] == ["pyproject.toml"]


@pytest.mark.parametrize("key", few(["ctrl-c", "ctrl-d"], {"ctrl-c"}.__contains__))
def test_leaving_makes_no_file(folder: Path, key: str) -> None:
    with Terminal(["init"], folder) as terminal:
        terminal.wait("Which platforms")
        leaves(terminal, key)
    assert not list(folder.iterdir())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_the_terminal_as_it_was(folder: Path, number: int) -> None:
    with Terminal(["init"], folder) as terminal:
        terminal.wait("Which platforms")
        assert not terminal.has_its_mode(), "what is typed is not shown"
        terminal.end_by(number)
        assert terminal.finish() == 128 + number
        assert terminal.has_its_mode()
        assert "interrupted" in terminal.screen.text
    assert not list(folder.iterdir())


def test_ctrl_d_leaves_a_text_that_was_begun(folder: Path) -> None:
    with Terminal(["init"], folder, fits=GPU) as terminal:
        go(terminal, PLATFORMS, ("torch builds for Linux?", "enter"), ("Which packages", "enter"))
        go(terminal, ("Which version of torch?", "up", "up", "enter"), ("version or range", "2.1"))
        terminal.wait("2.1")
        leaves(terminal, "ctrl-d")


# Going back.


def test_going_back_through_every_question_and_on_again(folder: Path, tmp_path: Path) -> None:
    path = start(folder, LIBRARY)
    with Terminal(["init"], folder, fits=GPU) as terminal:
        go(terminal, *EVERYTHING[:-1])
        terminal.wait(EVERYTHING[-1][0])
        texts = False
        for question, *_ in reversed(EVERYTHING[:-1]):
            # A text is typed before it is sent.
            terminal.press("<", *(["enter"] if texts else []))
            terminal.wait(question)
            texts = question.startswith(("Name for", "Which version or range"))
        assert "Platforms:" in terminal.screen.text, "what was answered is still to be read"
        # Every answer is remembered: enter is enough.
        for question, *_ in EVERYTHING[:-1]:
            terminal.answer(question, "enter")
        terminal.answer("Write these", "enter")
        assert terminal.finish() == 0
        words = shown_command(terminal)
    assert path.read_bytes() == equal_by_flags(words, LIBRARY, tmp_path)
    assert words == shlex.split(
        "init -t linux-cpu -t linux-cu130 -t macos-cpu --with torchvision --torch '>=2.11,<2.14' "
        "--layout groups --default cpu --name cu130=gpu"
    )


def test_first_question_has_nothing_before_it(folder: Path) -> None:
    with Terminal(["init"], folder) as terminal:
        screen = terminal.wait("Which platforms")
        assert "to go back" not in screen
        terminal.press("<")
        terminal.press("enter")
        terminal.wait("torch builds for Linux?")
        terminal.wait("< to go back")


def test_answer_that_is_taken_back_leaves_no_trail(folder: Path) -> None:
    with Terminal(["init"], folder, rows=40, columns=40) as terminal:
        platforms = ("Which platforms", "down", "down", "space", "down", "space", "enter")
        go(terminal, platforms)
        terminal.wait("torch builds for Linux?")
        (trail,) = [line for line in terminal.screen.text.splitlines() if "- Platforms: " in line]
        terminal.press("<")
        terminal.wait("Which platforms")
        assert "- Platforms: " not in terminal.screen.text
        terminal.press("enter")
        terminal.wait("torch builds for Linux?")
        assert terminal.screen.text.count("- Platforms: ") == 1
        assert trail in terminal.screen.text
        leaves(terminal, "ctrl-c")


# What cannot be had, and why; it changes with the answers before.


def test_what_is_impossible_is_shown_with_its_reason_and_changes_as_answers_change(
    folder: Path,
) -> None:
    with Terminal(["init"], folder, rows=30, fits={"cu132": "driver 580.65.06, Ada"}) as terminal:
        go(terminal, ("Which platforms should", "down", "down", "space", "enter"))
        terminal.answer("torch builds for Linux?", "enter")
        terminal.wait("torch builds for Windows?")
        terminal.wait("- CUDA 12.8 (torch 2.7.0 to 2.11.0 only, incompatible with linux-cu132)")
        terminal.wait("○ AMD's ROCm AMD GPUs; documented by AMD, not verified")
        terminal.press("<")
        terminal.answer("torch builds for Linux?", "space", "down", "space", "enter")
        terminal.wait("- Linux: CPU")
        terminal.wait("torch builds for Windows?")
        terminal.wait("○ CUDA 12.8 driver 528.33 or newer")
        leaves(terminal, "ctrl-c")


def test_pre_release_builds_are_chosen_and_said_as_targets(folder: Path, tmp_path: Path) -> None:
    with Terminal(["init"], folder, rows=40) as terminal:
        go(
            terminal,
            ("Which platforms should", *["down"] * 4, "space", "enter"),
            # It is the last choice.
            ("torch builds for Linux?", "space", "up", "space", "enter"),
        )
        terminal.wait("pre-release builds have their own torch releases")
        go(
            terminal,
            ("torch builds for Linux?", "down", "space", "enter"),
            ("Which pre-release torch builds for Linux?", "down", "space", "enter"),
            ("torch builds for macOS?", "enter"),
            ("Which pre-release torch builds for macOS?", "space", "enter"),
            ("Which packages", "enter"),
            ("Should `uv lock` fail", "enter"),
            ("Write these", "enter"),
        )
        assert terminal.finish() == 0
    words = shown_command(terminal)
    assert words == ["init", "-t", "linux-cu134-nightly", "-t", "macos-cpu-nightly"]
    text = (folder / "pyproject.toml").read_bytes()
    assert equal_by_flags(words, None, tmp_path) == text
    assert b"torch>=2.16.0.dev0" in text


def test_gpus_are_asked_for_where_a_build_comes_in_parts(folder: Path, tmp_path: Path) -> None:
    with Terminal(["init"], folder, rows=50, fits={"rocm7.14": "gfx942"}) as terminal:
        go(
            terminal,
            ("Which platforms should", "enter"),
            ("torch builds for Linux?", "enter"),
            ("For which GPUs", "down", "space", "enter"),
            ("Which packages", "enter"),
            ("Which version of torch?", "enter"),
            ("Should `uv lock` fail", "enter"),
            ("Write these", "enter"),
        )
        assert terminal.finish() == 0
    words = shown_command(terminal)
    assert words[:5] == ["init", "-t", "linux-rocm7.14", "--gpu", "gfx90a"]
    text = (folder / "pyproject.toml").read_bytes()
    assert equal_by_flags(words, None, tmp_path) == text
    assert b"rocm-sdk-device-gfx90a = " in text


def test_a_list_of_which_nothing_can_be_had_is_shown_nevertheless(folder: Path) -> None:
    with Terminal(["init"], folder, rows=60, fits={"cu132": "driver 580"}) as terminal:
        terminal.answer("Which platforms", "enter")
        terminal.answer(
            "builds for Linux?", "down", "space", "up", "up", "up", "space", "down", "enter"
        )
        terminal.answer("Which older torch builds for Linux?", "enter")
        terminal.wait("select at least one build")
        terminal.press("<")
        terminal.answer("torch builds for Linux?", "down", "space", "enter")
        terminal.wait("Which older torch builds for Linux?")
        terminal.wait("- CUDA 12.4 (torch 2.4.0 to 2.6.0 only, incompatible with linux-cu132)")
        terminal.wait("continue")
        terminal.press("enter")
        terminal.wait("Which packages")
        leaves(terminal, "ctrl-c")


def test_what_the_machine_is_good_for_is_marked(folder: Path) -> None:
    unfit = {"cu132": "driver 550.54 is older than 580", "cu130": "driver 550.54 is older than 580"}
    fits = {"cu129": "driver 550.54, Ada", "cpu": "needs no GPU"}
    with Terminal(["init"], folder, columns=120, fits=fits, unfit=unfit) as terminal:
        go(terminal, PLATFORMS)
        terminal.wait("torch builds for Linux?")
        terminal.wait("older builds")
        terminal.wait("● CUDA 12.9")
        terminal.wait("[best for this machine: driver 550.54, Ada]")
        terminal.wait("[does not run on this machine: driver 550.54 is older than 580]")
        terminal.wait("CPU any machine [runs on this machine]")
        assert terminal.screen.text.count("●") == 1
        leaves(terminal, "ctrl-c")


def test_project_rules_out_what_ended_before(folder: Path) -> None:
    start(folder, APP.replace('"numpy"', '"torch>=2.12"'))
    with Terminal(["init"], folder, columns=120, fits=GPU) as terminal:
        terminal.wait("Which platforms")
        reason = "available up to torch 2.2.2; the project requires torch >=2.12"
        terminal.wait(f"- macOS on Intel ({reason})")
        terminal.press("enter")
        terminal.wait("torch builds for Linux?")
        terminal.wait("- CUDA 12.8 (available up to torch 2.11.0; the project")
        leaves(terminal, "ctrl-c")


@pytest.mark.parametrize("columns", few([60, 120], {60}.__contains__))
def test_answers_that_are_refused_can_be_mended(folder: Path, columns: int) -> None:
    path = start(folder, UNBOUND)
    with Terminal(["init"], folder, columns=columns, rows=30, fits=GPU) as terminal:
        terminal.answer("Which platforms should", "space", "enter")
        terminal.wait("select at least one platform")
        terminal.press("space", "enter")
        terminal.answer("torch builds for Linux?", "down", "down", "space", "enter")
        terminal.wait("select at least one build")
        terminal.press("up", "space", "down", "down", "down", "space", "enter")
        terminal.wait("no torch release supports `linux-cu132`, `linux-cu128` together")
        terminal.press("space", "up", "up", "up", "up", "space", "enter")
        terminal.answer("Which packages", "enter")
        terminal.answer("Which version of torch?", "up", "up", "enter")
        terminal.answer("Which version or range", "enter")
        terminal.wait("enter a version or a range")
        terminal.press("new", "enter")
        terminal.wait("`--torch new` is not a version or specifier")
        terminal.press("<2.5", "enter")
        terminal.wait("`linux-cu132`")
        terminal.press(">=2.12", "enter")
        terminal.answer("How should a build be", "enter")
        terminal.answer("Which build should plain", "enter")
        terminal.answer("What should the groups be called?", "down", "enter")
        terminal.answer("Name for CPU?", "a name", "enter")
        terminal.wait("`a name` is not a valid name")
        terminal.press("same", "enter")
        terminal.answer("Name for CUDA 13.2?", "same", "enter")
        terminal.wait("`--name` gives")
        terminal.press("other", "enter")
        terminal.wait("Should `uv lock` fail if")
        leaves(terminal, "ctrl-d")
    assert path.read_text() == UNBOUND


PUZZLE = (
    APP.replace('"numpy"', '"torch"')
    + """
[tool.uv.sources]
torch = { git = "https://github.com/pytorch/pytorch" }
"""
)


def test_a_file_that_is_not_understood_is_refused_before_anything_is_asked(folder: Path) -> None:
    path = start(folder, PUZZLE)
    with Terminal(["init"], folder, columns=120) as terminal:
        assert terminal.finish() == 2
        assert "error: cannot read the PyTorch configuration" in terminal.screen.text
        assert "replace it with `--force`" in terminal.screen.text
        assert "Which platforms" not in terminal.screen.text
    assert path.read_text() == PUZZLE


def test_force_asks_about_it_nevertheless(folder: Path, tmp_path: Path) -> None:
    path = start(folder, PUZZLE)
    with Terminal(["init", "--force"], folder, fits=GPU) as terminal:
        go(terminal, PLATFORMS, ("torch builds for Linux?", "enter"), ("Which packages", "enter"))
        go(terminal, ("Which version of torch?", "enter"), ("Should `uv lock` fail", "enter"))
        go(terminal, ("Write these", "enter"))
        assert terminal.finish() == 0
        words = shown_command(terminal)
    assert words == ["init", "-t", "linux-cu130", "--force"]
    assert path.read_bytes() == equal_by_flags(words, PUZZLE, tmp_path)


def test_a_file_that_somebody_else_changed_meanwhile_is_left_alone(folder: Path) -> None:
    path = start(folder, APP)
    with Terminal(["init"], folder, fits=GPU) as terminal:
        go(terminal, PLATFORMS, ("torch builds for Linux?", "enter"), ("Which packages", "enter"))
        go(terminal, *[(q, "enter") for q in ("Which version of torch?", "Should `uv lock` fail")])
        terminal.wait("Write these")
        path.write_text(APP + "# mine\n")
        terminal.press("enter")
        assert terminal.finish() == 2
        assert "error: " in terminal.screen.text
    assert path.read_text() == APP + "# mine\n"


# Editing.

THREE = ["-t", "linux-cu130", "-t", "windows-cu130", "-t", "macos-cpu", "--with", "torchvision"]


@pytest.fixture
def configured(folder: Path) -> Path:
    path = start(folder, APP)
    assert main(["init", *THREE, "--project", str(folder)]) == 0
    return path


def test_what_the_project_has_is_pre_selected(configured: Path) -> None:
    before = configured.read_bytes()
    with Terminal(["init"], configured.parent, fits={"cu132": "driver 580"}) as terminal:
        terminal.wait("Current layout: markers. Targets: linux-cu130,")
        go(
            terminal,
            PLATFORMS,
            ("torch builds for Linux?", "enter"),
            ("torch builds for Windows?", "enter"),
            ("torch builds for macOS?", "enter"),
        )
        terminal.wait("Which packages")
        terminal.wait("- torchvision (already in the project)")
        terminal.press("enter")
        terminal.answer("Which version of torch?", "enter")
        assert "Torch: as the project requires" in terminal.wait("Should `uv lock` fail")
        terminal.press("enter")
        assert terminal.finish() == 0
        assert "pyproject.toml: no changes needed" in terminal.screen.text
        assert "Write these" not in terminal.screen.text
    assert configured.read_bytes() == before


def test_another_build_is_added_and_one_taken_away(configured: Path, tmp_path: Path) -> None:
    before = configured.read_text()
    with Terminal(["init"], configured.parent) as terminal:
        go(
            terminal,
            # Linux on ARM came along, and is not in the list; Windows goes.
            ("Which platforms", "down", "down", "space", "enter"),
            ("torch builds for Linux?", "space", "enter"),
            ("torch builds for macOS?", "enter"),
            ("Which packages", "enter"),
            ("Which version of torch?", "enter"),
        )
        terminal.wait("How should a build be")
        assert "markers" not in terminal.screen.text.partition("How should a build")[2]
        go(
            terminal,
            ("How should a build be", "enter"),
            ("What should the extras be called?", "enter"),
            ("Should `uv lock` fail", "enter"),
            ("Write these", "enter"),
        )
        assert terminal.finish() == 0
        words = shown_command(terminal)
    assert words == shlex.split(
        "init -t linux-cpu -t linux-cu130 -t macos-cpu --layout extras --force"
    )
    assert configured.read_bytes() == equal_by_flags(words, before, tmp_path)
    data = tomllib.loads(configured.read_text())
    assert set(data["project"]["optional-dependencies"]) == {"cpu", "cu130"}
    assert "win32" not in configured.read_text()


# The end: no, a lockfile, a look only.

TO_THE_END = (
    PLATFORMS,
    ("torch builds for Linux?", "enter"),
    ("Which packages", "enter"),
    ("Which version of torch?", "enter"),
    ("Should `uv lock` fail", "enter"),
)


def test_no_leaves_the_file_as_it_is_and_says_how_to_do_it_later(folder: Path) -> None:
    path = start(folder, APP)
    with Terminal(["init"], folder, fits=GPU) as terminal:
        go(terminal, *TO_THE_END, ("Write these", "down", "down", "enter"))
        assert terminal.finish() == 1
        assert "nothing written" in terminal.screen.text
        assert shown_command(terminal, "to run this later:") == ["init", "-t", "linux-cu130"]
    assert path.read_text() == APP


def test_a_dry_run_shows_the_diff_and_writes_nothing(folder: Path) -> None:
    path = start(folder, APP)
    with Terminal(["init", "--dry-run"], folder, rows=60, fits=GPU) as terminal:
        go(terminal, *TO_THE_END)
        assert terminal.finish() == 0
        assert '+name = "pytorch-cu130"' in terminal.screen.text
        assert "Write these" not in terminal.screen.text
    assert path.read_text() == APP


@pytest.mark.uv
@pytest.mark.usefixtures("inside_replica")
def test_lockfile_is_made_where_that_is_chosen(folder: Path) -> None:
    path = start(folder, APP.replace('["numpy"]', "[]"))
    with Terminal(["init"], folder, fits=GPU) as terminal:
        go(terminal, *TO_THE_END, ("Write these", "down", "enter"))
        assert terminal.finish() == 0
        assert "locked uv.lock" in terminal.screen.text
        assert shown_command(terminal) == ["init", "-t", "linux-cu130", "--lock"]
    assert "pytorch-cu130" in path.read_text()
    assert "+cu130" in (folder / "uv.lock").read_text()


@pytest.mark.uv
@pytest.mark.usefixtures("inside_replica")
def test_everything_is_put_back_if_uv_fails(folder: Path, tmp_path: Path) -> None:
    path = start(folder, APP)
    nothing = {"UV_OFFLINE": "1", "UV_CACHE_DIR": str(tmp_path / "empty")}
    with Terminal(["init", "--lock"], folder, environment=nothing, fits=GPU) as terminal:
        go(terminal, *TO_THE_END)
        terminal.wait("Write these")
        terminal.wait("write the file and run `uv lock`")
        terminal.press("enter")
        assert terminal.finish() == 2
        assert "error: `uv lock` failed; all files restored" in terminal.screen.text
        assert "torchconf init -t linux-cu130" in terminal.screen.text
    assert path.read_text() == APP
    assert [entry.name for entry in folder.iterdir()] == ["pyproject.toml"]


# Other terminals.

COLOURS = {str(code) for code in (*range(30, 39), *range(40, 49), *range(90, 108))}


@pytest.mark.parametrize(
    ("words", "environment", "coloured"),
    [
        (["init"], {}, True),
        (["init"], {"NO_COLOR": "1"}, False),
        pytest.param(["init", "--color", "never"], {}, False, marks=pytest.mark.slow),
        pytest.param(
            ["init", "--color", "always"], {"NO_COLOR": "1"}, True, marks=pytest.mark.slow
        ),
    ],
)
def test_colour_is_as_wanted(
    words: list[str], environment: dict[str, str], coloured: bool, folder: Path
) -> None:
    with Terminal(words, folder, environment=environment, fits=GPU) as terminal:
        go(terminal, *TO_THE_END, ("Write these", "enter"))
        assert terminal.finish() == 0
        assert bool(terminal.screen.styles & COLOURS) is coloured
        assert "● Linux" not in terminal.screen.text, "a question gives way to its answer"


DUMB = {"TERM": "dumb"}


@pytest.mark.parametrize("columns", few([60, 120], {60}.__contains__))
def test_a_dumb_terminal_gets_plain_lines(folder: Path, tmp_path: Path, columns: int) -> None:
    path = start(folder, LIBRARY)
    with Terminal(["init"], folder, columns=columns, environment=DUMB, fits=GPU) as terminal:
        for question, text in (
            ("Which platforms should", "9"),
            ("enter numbers from 1 to 5", "1 5"),
            ("torch builds for Linux?", "1, 3"),
            ("torch builds for macOS?", "<"),
            ("> < Which torch builds for Linux? * 1 CPU", ""),
            ("> - Linux: CPU, CUDA 13.0 Which torch builds for macOS? * 1 CPU", ""),
            ("Which packages besides torch?", "1"),
            ("Which version of torch?", "1 2"),
            ("enter one number", ""),
            ("How should a build be", "2"),
            ("Which build should plain", ""),
            ("What should the groups be called?", "2"),
            ("Name for CPU?", ""),
            ("Name for CUDA 13.0?", "gpu"),
            ("Should `uv lock` fail if", ""),
            ("Write these", ""),
        ):
            terminal.line(question, text)
        assert terminal.finish() == 0
        assert terminal.screen.styles == set()
        words = shown_command(terminal)
    assert words == shlex.split(
        "init -t linux-cpu -t linux-cu130 -t macos-cpu --with torchvision --layout groups "
        "--default cpu --name cu130=gpu"
    )
    assert path.read_bytes() == equal_by_flags(words, LIBRARY, tmp_path)


@pytest.mark.parametrize("key", ["ctrl-c", "ctrl-d"])
def test_leaving_a_dumb_terminal(folder: Path, key: str) -> None:
    path = start(folder, LIBRARY)
    with Terminal(["init"], folder, environment=DUMB) as terminal:
        terminal.line("Which platforms", "")
        terminal.wait("torch builds for Linux?")
        leaves(terminal, key)
    assert path.read_text() == LIBRARY


def test_a_terminal_without_the_signs_gets_plain_lines(folder: Path) -> None:
    ascii_only = {"PYTHONIOENCODING": "ascii"}
    with Terminal(["init"], folder, environment=ascii_only) as terminal:
        terminal.wait("* 1 Linux: this machine")
        leaves(terminal, "ctrl-c")


# add-target and remove-target.

ADDING = (
    ("Where should the new build run?", "enter"),
    ("torch builds for Linux?", "space", "enter"),
    ("One platform has several builds", "enter"),
    ("Write these", "enter"),
)
REMOVING = (
    ("Which targets should be removed?", "down", "space", "enter"),
    ("Write these", "enter"),
)


@pytest.mark.parametrize("columns", few([60, 80], {80}.__contains__))
def test_add_target_asks(configured: Path, tmp_path: Path, columns: int) -> None:
    before = configured.read_text()
    with Terminal(["add-target"], configured.parent, columns=columns, rows=30) as terminal:
        terminal.answer("Where should the new build run?", "enter")
        terminal.wait("torch builds for Linux?")
        terminal.wait("- CUDA 13.0 (already in the project)")
        terminal.press("enter")
        terminal.answer("select at least one build", "<")
        go(terminal, *ADDING)
        assert terminal.finish() == 0
        words = shown_command(terminal)
    assert words == ["add-target", "linux-cpu", "--layout", "extras"]
    assert configured.read_bytes() == equal_by_flags(words, before, tmp_path)


def test_add_target_without_another_layout(configured: Path, tmp_path: Path) -> None:
    before = configured.read_text()
    with Terminal(["add-target"], configured.parent, columns=120) as terminal:
        terminal.answer("Where should the new build run?", "down", "down", "down", "enter")
        terminal.answer("torch builds for Windows on ARM?", "space", "enter")
        terminal.answer("Write these", "enter")
        assert terminal.finish() == 0
        words = shown_command(terminal)
    assert words == ["add-target", "windows-arm64-cpu"]
    assert configured.read_bytes() == equal_by_flags(words, before, tmp_path)


def test_a_file_without_a_list_of_targets_can_get_one(configured: Path, tmp_path: Path) -> None:
    before = configured.read_text().partition("\n[tool.torchconf]")[0]
    configured.write_text(before)
    with Terminal(["add-target"], configured.parent, columns=120) as terminal:
        terminal.answer("Where should the new build run?", "down", "down", "down", "enter")
        terminal.answer("torch builds for Windows on ARM?", "space", "enter")
        terminal.answer("List the targets in pyproject.toml?", "down", "enter")
        terminal.answer("Write these", "enter")
        assert terminal.finish() == 0
        words = shown_command(terminal)
    assert words == ["add-target", "windows-arm64-cpu", "--record"]
    assert configured.read_bytes() == equal_by_flags(words, before, tmp_path)
    assert "targets = [" in configured.read_text()


@pytest.mark.parametrize("columns", few([60, 80], {80}.__contains__))
def test_remove_target_asks(configured: Path, tmp_path: Path, columns: int) -> None:
    before = configured.read_text()
    with Terminal(["remove-target"], configured.parent, columns=columns) as terminal:
        terminal.answer("Which targets should be removed?", "enter")
        terminal.wait("select at least one target")
        go(terminal, *REMOVING)
        assert terminal.finish() == 0
        words = shown_command(terminal)
    assert words == ["remove-target", "windows-cu130"]
    assert configured.read_bytes() == equal_by_flags(words, before, tmp_path)


@pytest.mark.parametrize("key", few(["ctrl-c", "ctrl-d"], {"ctrl-c"}.__contains__))
@pytest.mark.parametrize(
    "way",
    one_each(
        [("add-target", ADDING[:n]) for n in range(1, 5)]
        + [("remove-target", REMOVING[:n]) for n in range(1, 3)],
        lambda way: way[0],
    ),
)
def test_leaving_at_any_question_of_the_others(
    configured: Path, way: tuple[str, Sequence[Sequence[str]]], key: str
) -> None:
    command, questions = way
    before = configured.read_bytes()
    with Terminal([command], configured.parent) as terminal:
        go(terminal, *questions[:-1])
        terminal.wait(questions[-1][0])
        leaves(terminal, key)
    assert configured.read_bytes() == before


def test_nothing_can_be_removed_where_nothing_is_configured(folder: Path) -> None:
    path = start(folder, APP)
    with Terminal(["remove-target"], folder, columns=120) as terminal:
        assert terminal.finish() == 2
        assert "error: the project has no targets to remove" in terminal.screen.text
    assert path.read_text() == APP


@pytest.mark.parametrize("flag", ["--yes", "--check", "--format=json"])
def test_nobody_is_asked_who_wants_to_be_left_alone(folder: Path, flag: str) -> None:
    with Terminal(["init", flag], folder, columns=120) as terminal:
        assert terminal.finish() == 2
        assert "no target given" in terminal.screen.text
    assert not list(folder.iterdir())


def test_screens_of_the_site_are_current() -> None:
    shot = wizard_shot()
    text = PAGE.read_text(encoding="utf-8")
    assert "<!-- wizard; " in text
    assert with_screen(text, shot) == text, "`python -m tests.support.screens` writes it"
    for path, svg in pictures(shot).items():
        assert path.read_text(encoding="utf-8") == svg, (
            "`python -m tests.support.screens` writes it"
        )
        assert "http" not in svg.replace("http://www.w3.org/2000/svg", ""), "it loads nothing"


# Scripts.


@pytest.mark.slow
def test_a_script_is_asked_about_one_build_for_each_platform(folder: Path) -> None:
    script = folder / "train.py"
    script.write_text("print()\n", encoding="utf-8")
    (folder / "requirements.txt").write_text("torch\n", encoding="utf-8")
    with Terminal(["init", "--script", "train.py"], folder, fits=GPU) as terminal:
        go(terminal, PLATFORMS, ("torch builds for Linux?", "space", "enter"))
        terminal.wait("reads no extras")
        terminal.wait("a script has one build for each platform")
        go(
            terminal,
            ("torch builds for Linux?", "space", "enter"),
            ("Which packages", "enter"),
            ("Which version of torch?", "enter"),
            ("Write these changes to train.py?", "enter"),
        )
        assert terminal.finish() == 0
        words = shown_command(terminal)
    assert words[-2:] == ["--script", "train.py"]
    written = script.read_bytes()
    assert written.startswith(b"# /// script\n")

    script.write_text("print()\n", encoding="utf-8")
    with contextlib.chdir(folder):
        assert main(words) == 0
    assert script.read_bytes() == written
    assert sorted(path.name for path in folder.iterdir()) == ["requirements.txt", "train.py"]
