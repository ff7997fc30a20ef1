"""The wizard without a terminal: answers and flags that mean the same write the same."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.support.conformance import STARTS
from torchconf.cli import main
from torchconf.cli.carry_out import make_changes
from torchconf.cli.init import make_request
from torchconf.cli.parser import read_options
from torchconf.errors import TorchconfError
from torchconf.model.targets import PLATFORMS
from torchconf.planner import Request
from torchconf.wizard import (
    InitQuestions,
    MachineFacts,
    Question,
    Session,
    Value,
    ask_all,
    command_words,
    open_session,
)
from torchconf.workspace.facts import read_facts
from torchconf.workspace.opened import OpenProject, open_project

TARGETS = (
    "linux-cpu", "linux-cu126", "linux-cu128", "linux-cu130", "linux-cu132", "linux-rocm7.2",
    "linux-rocm6.4", "linux-xpu", "linux-cu118", "linux-pypi", "linux-aarch64-cpu",
    "linux-aarch64-cu130", "windows-cpu", "windows-cu130", "windows-cu126", "windows-xpu",
    "windows-arm64-cpu", "macos-cpu", "macos-pypi", "macos-x86_64-cpu",
)  # fmt: skip
PYTHONS = (">=3.10", ">=3.12", ">=3.11,<3.14")
TORCHES = ("2.13", "2.11", ">=2.8,<2.12", "==2.10.0", ">=2.6", "<2.3")
COMPANIONS = ("torchvision", "torchaudio", "torchao")


class Refused(Exception):
    """What a flag asks for cannot be answered."""


class Person:
    """Answers the questions as somebody would who wants what some flags ask for."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.asked: list[str] = []

    def __call__(self, question: Question, *, back: bool) -> Value:
        self.asked.append(question.key)
        assert back is (len(self.asked) > 1)
        value = self.answer(question)
        values = [choice.value for choice in question.open_choices()]
        wanted = (value,) if isinstance(value, str) else value
        if question.kind != "text" and (missing := set(wanted) - set(values)):
            reasons = [c.disabled for c in question.choices if c.value in missing]
            raise Refused(f"{question.key}: {missing}: {reasons}")
        if (complaint := question.judge(value)) is not None:
            raise Refused(f"{question.key}: {complaint}")
        return value

    def answer(self, question: Question) -> Value:
        request = self.request
        key, _, of = question.key.partition(" ")
        names = [w.backend.name for w in request.specs if w.backend and w.platform.short == of]
        values = [choice.value for choice in question.choices]
        present = [c.value for c in question.choices if c.disabled == "already in the project"]
        torch = request.torch or ""
        kept = tuple(value for value in values if value in names)
        older = ("older",) if set(names) - set(values) else ()
        packages = tuple(v for v in values if v in request.packages and v not in present)
        answers: dict[str, Value] = {
            "platforms": tuple(dict.fromkeys(wish.platform.short for wish in request.specs)),
            "builds": kept + older,
            "older": kept,
            "packages": packages,
            "torch": torch if torch in values else "other",
            "range": torch,
            "layout": request.layout if request.layout != "auto" else question.default,
            "default": request.default or question.default,
            "names": "other" if request.names else "keep",
            "name": dict(request.names).get(of, str(question.default)),
            "required": "yes" if request.required_environments else "no",
        }
        return answers[key]


def run(folder: Path, *words: str) -> int:
    """Run a command in a project, in silence."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return main([*words, "--project", str(folder)])


def make(parent: Path, name: str, text: str) -> Path:
    """Make a folder with a project; each has the same name, which may be written."""
    folder = parent / name / "demo"
    folder.mkdir(parents=True)
    if text:
        (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    return folder


def written(folder: Path) -> bytes | None:
    path = folder / "pyproject.toml"
    return listed_in_order(path.read_bytes()) if path.exists() else None


def listed_in_order(text: bytes) -> bytes:
    """Sort the list of targets: the wizard's is in the order of its questions."""

    def in_order(found: re.Match[bytes]) -> bytes:
        return b"targets = " + json.dumps(sorted(json.loads(found[1]))).encode()

    return re.sub(rb"(?m)^targets = (.*)$", in_order, text)


def opened(folder: Path, machine: MachineFacts | None = None) -> tuple[OpenProject, Session]:
    context = open_project(str(folder), may_be_missing=True)
    session = open_session(
        context.project, context.catalog, read_facts(context), machine or MachineFacts(), Request()
    )
    return context, session


def without_present(folder: Path, words: list[str]) -> list[str]:
    """Return flags without `--with` for what the project has: the wizard does not offer that.

    To name it is more than to have it: it is routed also where nobody has seen its wheels.
    """
    context = open_project(str(folder), may_be_missing=True)
    present = {requirement.name for requirement in context.project.requirements()}
    gone = {
        place
        for number, word in enumerate(words)
        if word == "--with" and words[number + 1] in present
        for place in (number, number + 1)
    }
    return [word for number, word in enumerate(words) if number not in gone]


def asked_for(folder: Path, words: list[str]) -> Request:
    """Return what flags ask for, each bare accelerator as the build that it comes to."""
    options = read_options("init", words)
    return make_request(options, open_project(str(folder), may_be_missing=True))


def interview(folder: Path, request: Request, machine: MachineFacts | None = None) -> Request:
    """Answer the wizard's questions about a project; return what it would do."""
    _, session = opened(folder, machine)
    questions = InitQuestions(session)
    return questions.request(ask_all(questions.next_question, Person(request)))


def by_answers(folder: Path, words: list[str], machine: MachineFacts) -> Request | str:
    """Answer as flags say, and run the command that is printed then.

    Returns:
        What the wizard would do, or why it would not.
    """
    try:
        request = interview(folder, asked_for(folder, words), machine)
        context, session = opened(folder)
        by_wizard = make_changes(context, session.plan(request))[-1].text
        assert run(folder, *command_words("init", request)) == 0
    except (Refused, TorchconfError) as refused:
        return str(refused)
    assert written(folder) == listed_in_order(by_wizard.encode())
    return request


BUILT_APART = (
    "-t linux-cpu -t linux-cu130 -t linux-rocm6.4 --layout extras",
    "-t windows-cu126 -t linux-cu118 -t windows-xpu -t linux-cu128 --layout extras --force",
)


def test_a_platform_that_is_asked_about_later_counts_as_no_build(tmp_path: Path) -> None:
    first, second = map(str.split, BUILT_APART)
    flags, answers = (make(tmp_path, name, "") for name in ("flags", "answers"))
    for folder in (flags, answers):
        assert run(folder, "init", *first) == 0
    assert run(flags, "init", *second) == 0
    assert isinstance(by_answers(answers, second, MachineFacts()), Request)
    assert written(answers) == written(flags)


def test_what_leaves_a_later_platform_without_a_build_is_no_choice(tmp_path: Path) -> None:
    request = asked_for(make(tmp_path, "one", ""), ["-t", "linux-cu126", "-t", "macos-x86_64-cpu"])
    with pytest.raises(Refused, match=r"cu126.*incompatible with macOS"):
        interview(make(tmp_path, "two", ""), request)


@st.composite
def requests(draw: st.DrawFn) -> list[str]:
    """Return the flags of a random request."""
    targets = draw(st.lists(st.sampled_from(TARGETS), min_size=1, max_size=4, unique=True))
    words = [word for target in targets for word in ("-t", target)]
    for package in draw(st.lists(st.sampled_from(COMPANIONS), max_size=2, unique=True)):
        words += ["--with", package]
    if draw(st.booleans()) and draw(st.booleans()):
        words += ["--torch", draw(st.sampled_from(TORCHES))]
    platforms = [target.rpartition("-")[0] for target in targets]
    if len(set(platforms)) < len(platforms):
        layout = draw(st.sampled_from(("auto", "extras", "groups")))
        words += ["--layout", layout] if layout != "auto" else []
        if layout == "groups":
            own = [target.rpartition("-")[2] for target in targets]
            default = draw(st.sampled_from(["", "none", "machine", *own]))
            words += ["--default", default] if default else []
        if layout != "auto" and draw(st.booleans()):
            words += ["--name", f"{targets[0].rpartition('-')[2]}=gpu"]
    if draw(st.booleans()):
        words += ["--required-environments"]
    return words


@given(
    start=st.sampled_from(sorted(STARTS)),
    python=st.sampled_from(PYTHONS),
    first=requests(),
    second=requests(),
    machine=st.sampled_from(
        (MachineFacts(), MachineFacts(PLATFORMS[0], "", {"cu130": ""}, {"cu126": ""}))
    ),
)
@settings(max_examples=10, phases=(Phase.explicit, Phase.reuse, Phase.generate))
def test_answers_and_flags_that_mean_the_same_write_the_same_bytes(
    start: str, python: str, first: list[str], second: list[str], machine: MachineFacts
) -> None:
    text = STARTS[start].replace("{python}", python)
    with TemporaryDirectory() as parent:
        for number, asked in enumerate((first, [*second, "--force"])):
            flags = make(Path(parent), f"flags {number}", text)
            answers = make(Path(parent), f"answers {number}", text)
            words = without_present(flags, asked)
            status = run(flags, "init", *words)
            done = by_answers(answers, words, machine)
            if isinstance(done, str):
                # The wizard asks for builds first, and offers none that the range of the project
                # excludes; `--torch` may replace that range.
                assert status == 2 or "--torch" in words, f"{shlex.join(words)}: {done}"
                return
            if status == 2:
                # The default of the groups there were has gone; the wizard asked for another one.
                assert done.default is not None, shlex.join(words)
                assert "--default" not in words, shlex.join(words)
                return
            assert written(answers) == written(flags), shlex.join(words)
            text = (written(flags) or b"").decode()
