"""Completion: the words that are offered, and what real shells make of the scripts."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from torchconf.catalog import load_catalog
from torchconf.cli import COMMANDS, completion, main
from torchconf.errors import RequestError
from torchconf.model.target_spec import parse_target_spec
from torchconf.model.targets import PLATFORMS, Target

# What is typed, and all that may follow in place of its last word.
TYPED = {
    "torchconf in": {"init"},
    "torchconf add-target linux-cu13": {"linux-cu130", "linux-cu132"},
    "torchconf init -t linux-cpu -t windows-arm64-": {
        "windows-arm64-cpu",
        "windows-arm64-cuda",
        "windows-arm64-cu134-nvidia",
        "windows-arm64-pypi",
    },
    "torchconf init --layout ": {"auto", "markers", "extras", "groups"},
    "torchconf init --with torchv": {"torchvision"},
    "torchconf init --default rocm7.": {"rocm7.0", "rocm7.1", "rocm7.14", "rocm7.2"},
    "torchconf show --format ": {"text", "json", "markdown", "html", "svg"},
    "torchconf completion ": set(completion.SHELLS),
}


def words() -> list[str]:
    return list(completion.target_words(completion._read_catalog()))


def test_every_target_that_is_offered_is_understood() -> None:
    vocabulary = load_catalog().vocabulary
    for word in words():
        parse_target_spec(word, vocabulary)
    assert len(set(words())) == len(words())


def test_every_target_that_can_be_written_is_offered() -> None:
    catalog = load_catalog()
    offered = set(words())
    for platform in PLATFORMS:
        for backend in (*catalog.backends.values(), catalog.backend("pypi")):
            target = str(Target(platform, backend))
            try:
                parse_target_spec(target, catalog.vocabulary)
            except RequestError:
                assert target not in offered
            else:
                assert target in offered
    assert {"linux-cuda", "linux-cuda13.0", "linux-x86_64-cu130", "macos-mps"} <= offered
    assert "windows-mps" not in offered


def test_backend_that_is_new_in_the_catalog_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    data = completion._read_catalog()
    data["backends"]["cu999"] = {}
    monkeypatch.setattr(completion, "_read_catalog", lambda: data)
    assert {"linux-cu999", "linux-cuda99.9"} <= set(words())


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_script_knows_commands_options_and_targets(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    for word in (*COMMANDS, "linux-cu130", "torchvision", "extras", "required-environments"):
        assert word in script, word


def test_other_shells_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "elvish"]) == 2
    error = capsys.readouterr().err
    assert all(shell in error for shell in completion.SHELLS)


def test_an_old_shtab_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shtab.SUPPORTED_SHELLS", ["bash"])
    assert main(["completion", "fish"]) == 2
    assert "shtab>=1.13" in capsys.readouterr().err


def test_completion_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from torchconf.cli import main\n"
        "main(['completion', 'bash'])\n"
        "heavy = {'tomlkit', 'packaging', 'questionary', 'prompt_toolkit', 'rich', 'jinja2'}\n"
        "sys.stderr.write(' '.join(sorted(heavy & set(sys.modules))))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""


# Real shells: those that this machine has. CI has them all between its systems.


@pytest.fixture
def script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[str], Path]:
    def write(shell: str) -> Path:
        assert main(["completion", shell]) == 0
        path = tmp_path / "_torchconf"
        path.write_text(capsys.readouterr().out, encoding="utf-8")
        return path

    return write


def bash(script: Path, typed: str) -> list[str]:
    program = (
        'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
        "function=$(complete -p torchconf | sed 's/.*-F \\([^ ]*\\).*/\\1/'); "
        '$function torchconf "${@: -1}" "${@: -2:1}"; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    return ["bash", "-c", program, str(script), *typed.split(" ")]


def fish(script: Path, typed: str) -> list[str]:
    return ["fish", "--no-config", "-c", f"source {script}; complete -C '{typed}'"]


def powershell(script: Path, typed: str) -> list[str]:
    program = (
        f". '{script}'; (TabExpansion2 -inputScript '{typed}' -cursorColumn {len(typed)})"
        ".CompletionMatches | ForEach-Object { $_.CompletionText }"
    )
    return ["powershell", "-NoProfile", "-Command", program]


ASKED = {"bash": bash, "fish": fish, "powershell": powershell}
"""Shells that tell by a command what they would offer."""
HERE = [shell for shell in ASKED if shutil.which(shell)]


@pytest.mark.parametrize("typed", TYPED)
@pytest.mark.parametrize("shell", HERE)
def test_shell_offers_all_that_may_follow(
    shell: str, typed: str, script: Callable[[str], Path]
) -> None:
    command = ASKED[shell](script(shell), typed)
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    found = {line.partition("\t")[0].strip() for line in done.stdout.splitlines()}
    assert found == TYPED[typed]


INTERACTIVE = {
    "zsh": "PS1='%% '; fpath=({folder} $fpath); autoload -U compinit; compinit -u -D",
    "tcsh": "set prompt='> '; set autolist; source {folder}/_torchconf",
}


def at_a_terminal(shell: str, script: Callable[[str], Path]) -> None:
    """Type, press the tab key, and wait for all that may follow."""
    import pexpect  # type: ignore[import-untyped] # it has no stubs

    start = INTERACTIVE[shell].replace("{folder}", str(script(shell).parent))
    child = pexpect.spawn(shell, ["-f"], encoding="utf-8", dimensions=(40, 100), timeout=120)
    child.delaybeforesend = None
    child.sendline(f"{start}; echo re''ady")
    child.expect("ready\r")
    for typed, expected in TYPED.items():
        child.send(f"{typed}\t\t" if len(expected) > 1 else f"{typed}\t")
        missing = {word for word in expected if not typed.endswith(f" {word}")}
        seen = ""
        while not all(re.search(rf"{re.escape(word)}(?![\w.-])", seen) for word in missing):
            seen += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", child.read_nonblocking(4096, 120))
        child.send("\x15\n")
    child.close(force=True)


def test_shells_that_complete_only_at_a_terminal(script: Callable[[str], Path]) -> None:
    for shell in INTERACTIVE:
        if shutil.which(shell):
            at_a_terminal(shell, script)
    # Whatever is here, the scripts are for these shells.
    assert set(completion.SHELLS) == {*ASKED, *INTERACTIVE}


PACKAGED = Path(completion.__file__).parents[1] / "catalog" / "catalog.json"


def test_json_of_the_catalog_is_read_as_it_is() -> None:
    assert completion._read_catalog() == json.loads(PACKAGED.read_text("utf-8"))


def test_catalog_that_the_user_named_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = json.loads(PACKAGED.read_text("utf-8"))
    data["backends"]["cu999"] = {}
    (tmp_path / "own.json").write_text(json.dumps(data))
    monkeypatch.setenv("TORCHCONF_CATALOG", str(tmp_path / "own.json"))
    assert main(["completion", "bash"]) == 0
    assert "linux-cu999" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["{", "[]", "{}", None])
def test_catalog_that_cannot_be_used_is_named(
    text: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "own.json"
    if text is not None:
        path.write_text(text)
    monkeypatch.setenv("TORCHCONF_CATALOG", str(path))
    assert main(["completion", "bash"]) == 2
    found = capsys.readouterr()
    assert found.out == ""
    assert f"at: {path}" in found.err
    assert "Errno" not in found.err


def test_broken_catalog_in_the_cache_is_left_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "catalog.json"
    path.write_text('{"as_of": "2999-01-01"')
    monkeypatch.delenv("TORCHCONF_CATALOG", raising=False)
    monkeypatch.setattr("torchconf.files.catalog_file.cached_file", lambda: str(path))
    assert completion._read_catalog() == json.loads(PACKAGED.read_text("utf-8"))
