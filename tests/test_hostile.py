"""Text from outside is harmless wherever it is shown, and documents go out as bytes."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.few import every, few
from tests.support.hostile import (
    ALL,
    ARGUMENTS,
    COMMANDS,
    FILE,
    IN_NAMES,
    PLACES,
    VARIABLES,
    of_command,
    problems,
    project,
    run,
    written,
)
from tests.support.repositories import Repo
from torchconf.report.streams import Guard
from torchconf.wizard.question import Option, Question, ask_all

posix = pytest.mark.skipif(os.name == "nt", reason="names there hold no control characters")
PART = 4
"""One of so many commands is run for each place in the default tests; all of them are slow."""


@posix
@pytest.mark.parametrize("place", every(PLACES, 2))
def test_what_a_file_says_is_harmless(place: str, tmp_path: Path) -> None:
    start = [*PLACES].index(place) % PART
    programs = project(tmp_path / "demo", written(place, ALL))
    for words in COMMANDS[start::PART]:
        assert not of_command(tmp_path / "demo", words, programs)


@posix
@pytest.mark.slow
@pytest.mark.parametrize("words", COMMANDS)
@pytest.mark.parametrize("place", PLACES)
def test_what_a_file_says_is_harmless_in_every_command(
    place: str, words: str, tmp_path: Path
) -> None:
    programs = project(tmp_path / "demo", written(place, ALL))
    assert not of_command(tmp_path / "demo", words, programs)


@posix
@pytest.mark.parametrize("words", ARGUMENTS)
def test_what_an_argument_says_is_harmless(words: str, tmp_path: Path) -> None:
    programs = project(tmp_path / "demo", FILE)
    result = run(
        tmp_path / "demo", [word.replace("{}", IN_NAMES) for word in words.split()], programs
    )
    assert not [*problems(result, is_json="json" in words, is_github="github" in words)]


@posix
@pytest.mark.parametrize("name", VARIABLES)
@pytest.mark.parametrize("words", ["doctor", "show", "catalog list", "export"])
def test_what_a_variable_says_is_harmless(name: str, words: str, tmp_path: Path) -> None:
    programs = project(tmp_path / "demo", FILE)
    assert not of_command(tmp_path / "demo", words, programs, **{name: IN_NAMES})


@posix
@pytest.mark.parametrize(
    "words",
    [
        "check .", "check . --format github", "check . --format json", "check . --format sarif",
        "check . --diff --unsafe-fixes", "check . -q", "upgrade --all --dry-run", "show", "verify",
        "add-target windows-cuda --check", "init -y --check", "upgrade --all --check", "doctor",
        "add-target windows-cuda --lock", "check . --fix --unsafe-fixes", "init -y -v", "export",
        "upgrade --all", "check s{}.py", "new app n{} -t linux-cpu",
    ],
)  # fmt: skip
def test_what_files_are_called_is_harmless(words: str, tmp_path: Path) -> None:
    name = IN_NAMES
    folder = tmp_path / name
    text = FILE + '\n[tool.uv.workspace]\nmembers = ["m*"]\n'
    programs = project(folder, text)
    for member in ("m" + name[:60], "m" + name[60:120]):
        (folder / member).mkdir()
        # Twice the same name, so that something is said of it.
        (folder / member / "pyproject.toml").write_text(
            '[project]\nname = "m"\nversion = "1"\ndependencies = ["torch"]\n'
            '[tool.uv.sources]\ntorch = { index = "nowhere" }\n'
        )
    (folder / f"s{name[:60]}.py").write_text(
        '# /// script\n# dependencies = ["torch"]\n# [tool.uv.sources]\n'
        '# torch = { index = "nowhere" }\n# ///\n'
    )
    (folder / f"{name[:60]}.md").write_text("uses cu130 and cu126\n")
    raw = "".join(character for character in name[:-1] if character > "~")
    (folder / "uv.lock").write_text(
        'version = 1\n[[package]]\nname = "torch"\nversion = "2.12.0+cu130"\n'
        f'source = {{ registry = "https://example.org/{raw}" }}\n'
    )
    (folder / ".python-version").write_text("3.\x1b[8m12\n")
    result = run(folder, [w.replace("{}", name[:60]) for w in words.split()], programs)
    is_json = "json" in words or "sarif" in words
    assert not [*problems(result, is_json=is_json, is_github="github" in words)]


@posix
@pytest.mark.parametrize("place", every(PLACES, 3 * PART))
def test_what_a_commit_says_is_harmless(place: str, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    programs = project(folder, written(place, ALL))
    name = IN_NAMES[:60]
    repo = Repo.make(folder)
    repo.commit({f"{name}/pyproject.toml": written(place, ALL), f"{name}.py": "print()\n"})
    repo.write({"pyproject.toml": FILE, f"{name}/pyproject.toml": FILE})
    for words in ("diff", "diff --format json", "diff --format markdown"):
        assert not of_command(folder, words, programs)
    repo.commit()
    assert not of_command(folder, "diff HEAD HEAD~1", programs)


def test_what_the_wizard_shows_is_harmless() -> None:
    seen: list[Question] = []

    def ask(question: Question, *, back: bool) -> str:
        del back
        seen.append(question)
        return "x"

    question = Question(
        "k", "one", f"Q {ALL}", f"L {ALL}", "x",
        (Option("x", f"T {ALL}", f"A {ALL}"), Option("y", "t", "", f"D {ALL}")),
        judge=lambda _: f"C {ALL}",
    )  # fmt: skip
    ask_all(lambda answers: None if answers else question, ask)
    (shown,) = seen
    texts = [shown.message, shown.label, shown.judge("x") or "", shown.spoken("x")]
    texts += [
        part for choice in shown.choices for part in (choice.title, choice.about, choice.disabled)
    ]
    assert all(text.isprintable() for text in texts)


@pytest.mark.parametrize(
    ("parts", "out"),
    [
        (["plain\n", "\x1b[31mred\x1b[0m \x1b[1;36mbold\x1b[0m\n"], None),
        (["\x1b[8mhidden\x1b[5m\n"], "\\x1b[8mhidden\\x1b[5m\n"),
        (["a\tb\r\n"], "a    b\\r\n"),
        (["::error::x\n  ::error::y\n"], "\\x3a:error::x\n  \\x3a:error::y\n"),
        (["  ", "::error::x", "::y\n", "::z"], "  \\x3a:error::x::y\n\\x3a:z"),
        (["a", "::error::x\n"], "a::error::x\n"),
        (["https://u:p@example.org\n"], "https://****@example.org\n"),
    ],
)
def test_the_guard(parts: list[str], out: str | None) -> None:
    stream = io.StringIO()
    guard = Guard(stream)
    guard.writelines(parts)
    assert stream.getvalue() == ("".join(parts) if out is None else out)
    assert guard.hid == ("u:p" in "".join(parts))


SECRET = "s3cr3t"
URLS = (
    "https://user:s3cr3t@mirror.example.org/whl/cu130",
    "https://user:p@s3cr3t@mirror.example.org/whl/cu130",
    "https://user:pa/s3cr3t@mirror.example.org/whl/cu130",
    "https://user:pa?s3cr3t@mirror.example.org/whl/cu130",
    "https://user:pa#s3cr3t@mirror.example.org/whl/cu130",
    "https://user:1/s3cr3t@mirror.example.org/whl/cu130",
    "//user:s3cr3t@mirror.example.org/whl/cu130",
    "https:user:s3cr3t@mirror.example.org/whl/cu130",
    "https://s3cr3t@mirror.example.org/whl/cu130",
    "https://:s3cr3t@mirror.example.org/whl/cu130",
    "https://mirror.example.org/whl/cu130?token=s3cr3t",
    "https://mirror.example.org/whl/cu130/?sv=1&sig=s3cr3t&se=2",
    "https://mirror.example.org/whl/cu130?s3cr3t",
    "https://mirror.example.org/whl/cu130#access_token=s3cr3t",
    "https://user:%73@s3cr3t@mirror.example.org/whl/cu130",
    "https://user:'s3cr3t@mirror.example.org/whl/cu130",
    r"https://user:s3cr3t\u0040mirror.example.org/whl/cu130",
    r"https:\u002f\u002fuser:s3cr3t\U00000040mirror.example.org/whl/cu130",
)
SECRETS = """\
[project]
name = "demo"
version = "0.1.0"
requires-python = ">=3.12,<3.14"
dependencies = ["torch>=2.11", "numpy @ URL/numpy-2.0-py3-none-any.whl"]

[tool.uv]
extra-index-url = ["URL"]
find-links = ["URL"]
constraint-dependencies = ["scipy @ URL"]

# see URL
[tool.uv.sources]
torch = { index = "pytorch-cu130" }  # URL
torchvision = { url = "URL" }
torchaudio = { git = "URL", rev = "main" }

[[tool.uv.index]]
name = "pytorch-cu130"
url = "URL"

[[tool.uv.index]]
url = "URL"
"""


@pytest.mark.parametrize("url", every(URLS, 3))
def test_no_secret_in_any_output(url: str, tmp_path: Path) -> None:
    text = SECRETS.replace("URL", url)
    lock = (
        'version = 1\n[[package]]\nname = "torch"\nversion = "2.12.0+cu130"\n'
        f'source = {{ registry = "{url}" }}\n'
    )
    start = URLS.index(url) % PART
    for words in (*COMMANDS[start::PART], "check", "show", "upgrade --dry-run --all"):
        programs = project(tmp_path / "demo", text, message=f"cannot read `{url}`")
        (tmp_path / "demo" / "uv.lock").write_text(lock, encoding="utf-8")
        result = run(tmp_path / "demo", words.split(), programs)
        assert SECRET not in result.out + result.err, words
        if "--lock" not in words:
            assert (tmp_path / "demo" / "pyproject.toml").read_text("utf-8") == text
    if "sv=1" not in url:
        result = run(tmp_path / "demo", ["check"], programs)
        assert "secrets in URLs are shown as `****`" in result.err
        assert result.err.count("secrets in URLs") == 1


@pytest.mark.parametrize("url", URLS)
def test_no_secret_of_an_argument_is_repeated(url: str, tmp_path: Path) -> None:
    programs = project(tmp_path / "demo", FILE)
    for words in (
        "init -t linux-cuda --index-base {}", "catalog refresh --index-base {}", "check {}",
        "show --project {}", "explain {}", "add-target {} --format json", "{}", "export {}",
    ):  # fmt: skip
        result = run(tmp_path / "demo", [w.replace("{}", url) for w in words.split()], programs)
        assert result.status == 2, words
        assert SECRET not in result.out + result.err, words
    assert (tmp_path / "demo" / "pyproject.toml").read_text("utf-8") == FILE


WRONG = """\
# → ä, 日本 \u202e and \u2028; ::error::x
[project]
name = "demo"
version = "0.1.0"
requires-python = ">=3.12,<3.14"
dependencies = ["torch>=2.11"]

# → again: ##[group]x
[tool.uv.sources]
torch = { index = "pytorch-cpu" }

[[tool.uv.index]]  # →
name = "pytorch-cpu"
url = "https://download.pytorch.org/whl/cpu"
"""
FIXED = WRONG + "explicit = true\n"


def piped(folder: Path, words: str, encoding: str, text: bytes = b"") -> bytes:
    """Run a process of its own whose stdout has an encoding; return what it writes."""
    variables = {k: v for k, v in os.environ.items() if k not in {"PYTHONUTF8", "GITHUB_ACTIONS"}}
    done = subprocess.run(
        [sys.executable, "-m", "torchconf", *words.split()], cwd=folder, input=text, check=False,
        capture_output=True, env={**variables, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
    )  # fmt: skip
    assert b"Traceback" not in done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("encoding", "ending", "mark"),
    [
        ("cp1252", "\n", ""),
        ("ascii", "\r\n", "\ufeff"),
        ("latin-1", "\r\n", ""),
        ("utf-8", "\n", "\ufeff"),
    ],
)
def test_a_fixed_document_goes_out_as_bytes(
    encoding: str, ending: str, mark: str, tmp_path: Path
) -> None:
    before = (mark + WRONG.replace("\n", ending)).encode()
    after = (mark + FIXED.replace("\n", ending)).encode()
    assert piped(tmp_path, "check --fix --unsafe-fixes -", encoding, before) == after


@pytest.mark.parametrize(
    ("encoding", "ending"),
    [("cp1252", "\n"), pytest.param("ascii", "\r\n", marks=pytest.mark.slow)],
)
@pytest.mark.parametrize(
    "words",
    [
        "check --diff --unsafe-fixes",
        "add-target windows-cuda --dry-run",
        "init -y --with torchvision --dry-run",
    ],
)
def test_a_diff_goes_out_as_bytes(words: str, encoding: str, ending: str, tmp_path: Path) -> None:
    before = WRONG.replace("\n", ending).encode()
    path = tmp_path / "pyproject.toml"
    path.write_bytes(before)
    diff = piped(tmp_path, words, encoding)
    assert diff == piped(tmp_path, words, "utf-8")
    assert path.read_bytes() == before
    lines = diff.split(b"\n")[2:-1]
    assert b"\r\r" not in diff
    assert "→".encode() in diff
    kept = {line[1:] for line in lines if line[:1] in {b" ", b"-"}}
    assert kept <= {*before.split(b"\n")}


@pytest.mark.parametrize("encoding", few(["cp1252", "ascii"], {"cp1252"}.__contains__))
@pytest.mark.parametrize(
    "words", ["check", "check -q", "show", "explain torch", "check --format json"]
)
def test_text_on_a_narrow_stdout_is_escaped(words: str, encoding: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(WRONG.replace('"demo"', '"→"').encode())
    piped(tmp_path, words, encoding).decode(encoding)
