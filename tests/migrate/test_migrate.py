"""`torchconf migrate` as a command: what it refuses, asks, and never does."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.projects import Demo, Result, run_in
from torchconf.cli import ask_migration, options
from torchconf.wizard import Question, Value

LABELLED = "torch==2.5.1+cu124\n"
UNCLEAR = "torch==2.5.1+cu124\n--no-binary numpy\n"


def write(demo: Demo, **texts: str) -> None:
    for name, text in texts.items():
        (demo.folder / f"{name}.txt").write_text(text)


@pytest.fixture
def demo(tmp_path: Path) -> Demo:
    return Demo(tmp_path)


def lines(result: Result) -> dict[int, tuple[str, str]]:
    return {line["line"]: (line["outcome"], line["why"]) for line in result.json["lines"]}


# Beside what the project requires already.


@pytest.mark.parametrize(
    ("old", "outcome", "why"),
    [
        ("numpy>=2", "taken", "the project requires it already"),
        ("numpy", "changed", "the project requires it already"),
        ("numpy==2.1.0", "changed", "the project requires it already"),
        ("numpy==1.26.4", "left out", "the project requires `numpy>=2` already"),
    ],
)
def test_a_line_about_what_the_project_requires(
    old: str, outcome: str, why: str, tmp_path: Path
) -> None:
    demo = Demo(tmp_path, '[project]\nname = "demo"\ndependencies = ["numpy>=2", "torch"]\n')
    write(demo, requirements=f"torch\n{old}\n")
    result = demo("migrate --dry-run --format json")
    assert lines(result)[2] == (outcome, why)
    assert old == "numpy>=2" or f'"{old}"' not in result.json["diff"]


NIGHTLY = "https://download.pytorch.org/whl/nightly"


@pytest.mark.parametrize(
    ("text", "targets"),
    [
        (f"--index-url {NIGHTLY}/cu130\ntorch\n", ["linux-cu130-nightly", "windows-cu130-nightly"]),
        (f"--extra-index-url {NIGHTLY}/cpu\n--pre\ntorch\n", ["linux-cpu-nightly"]),
        # Beside PyPI a stable release goes first, and a version that is pinned is no nightly one.
        (f"--extra-index-url {NIGHTLY}/cu130\ntorch\n", None),
        (f"--index-url {NIGHTLY}/cu130\n--pre\ntorch==2.9.1\n", None),
        (f"--pre\n-i {NIGHTLY[:-8]}/cu130\n--extra-index-url {NIGHTLY}/cu130\ntorch\n", None),
    ],
)
def test_a_nightly_index_is_read_where_an_installer_takes_torch_from_it(
    text: str, targets: list[str] | None, demo: Demo
) -> None:
    write(demo, requirements=text)
    result = demo("migrate --dry-run --format json")
    found = {line["target"] for line in result.json["targets"]}
    unclear = [line for line in result.json["lines"] if line["outcome"] == "unclear"]
    if targets is None:
        assert not any("nightly" in target for target in found)
        assert any("nightly" in line["text"] for line in unclear)
    else:
        assert unclear == []
        assert set(targets) <= found


# What is not understood.


def test_what_is_not_understood_is_refused_with_a_way_on(demo: Demo) -> None:
    write(demo, requirements=UNCLEAR)
    result = demo("migrate")
    assert result.status == 2
    assert "requirements.txt:2: --no-binary numpy" in result.err
    assert "`-y`" in result.err
    assert not demo.path.exists()


def test_what_is_not_understood_is_listed_by_a_dry_run(demo: Demo) -> None:
    write(demo, requirements=UNCLEAR)
    result = demo("migrate --dry-run")
    assert result.status == 0
    assert "line 2: --no-binary numpy: not migrated: set `no-binary-package`" in result.err
    assert "torch==2.5.1" in result.out


def test_yes_leaves_out_what_is_not_understood_and_says_so_even_if_quiet(demo: Demo) -> None:
    write(demo, requirements=UNCLEAR)
    result = demo("migrate -y -q")
    assert result.status == 0
    assert "--no-binary numpy" in result.err
    assert "torch==2.5.1" in demo.text


# At a terminal.


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Value]]:
    """Give the answers of somebody at a terminal, to be filled; what was not asked stays."""
    answers: dict[str, Value] = {}

    def ask(question: Question, *, back: bool) -> Value:
        assert question.judge(answers[question.key]) is None
        assert back is (question.key == "write" and "unclear" in seen)
        seen.append(question.key)
        if question.show is not None:
            question.show()
        return answers.pop(question.key)

    seen: list[str] = []
    monkeypatch.setattr(options, "is_terminal", lambda: True)
    monkeypatch.setattr(ask_migration, "choose_asker", lambda **_: ask)
    yield answers
    assert not answers


def test_at_a_terminal_the_change_is_shown_and_asked_about(
    demo: Demo, asked: dict[str, Value]
) -> None:
    write(demo, requirements=LABELLED)
    asked |= {"write": "no"}
    result = demo("migrate")
    assert result.status == 1
    assert '+    "torch==2.5.1",' in result.out
    assert "nothing written" in result.err
    assert not demo.path.exists()
    asked |= {"write": "write"}
    assert demo("migrate").status == 0
    assert "pytorch-cu124" in demo.text


def test_at_a_terminal_unclear_lines_are_asked_about_first(
    demo: Demo, asked: dict[str, Value]
) -> None:
    write(demo, requirements=UNCLEAR)
    asked |= {"unclear": "no"}
    assert demo("migrate").status == 1
    assert not demo.path.exists()


def test_the_wizard_of_init_offers_to_start_from_old_files(
    demo: Demo, asked: dict[str, Value]
) -> None:
    write(demo, requirements=LABELLED)
    asked |= {"old": "yes", "write": "write"}
    result = demo("init")
    assert result.status == 0
    assert "pytorch-cu124" in demo.text


# What nobody must be able to make it do.


@pytest.mark.parametrize(
    "line",
    [
        "-r ../../etc/passwd",
        "-r ../secret.txt",
        "-c ../secret.txt",
        "-r link.txt",
        "-r file:///etc/passwd",
        "-r https://example.org/requirements.txt",
        "-r missing.txt",
        "-r requirements",
        "-r \x1b[31mred.txt",
    ],
)
def test_nothing_outside_of_the_folder_is_read_silently(line: str, demo: Demo) -> None:
    secret = demo.folder.parent / "secret.txt"
    secret.write_text("secret-package\n")
    (demo.folder / "link.txt").symlink_to(secret)
    (demo.folder / "requirements").mkdir()
    write(demo, requirements=f"{LABELLED}{line}\n")
    result = demo("migrate --dry-run requirements.txt")
    assert result.status == 0
    assert "secret-package" not in result.out + result.err
    assert "line 2: " in result.err
    assert "not migrated" in result.err
    assert "\x1b" not in result.err


def test_a_link_that_leads_out_is_read_only_if_it_is_named(demo: Demo) -> None:
    secret = demo.folder.parent / "secret.txt"
    secret.write_text("secret-package\n")
    (demo.folder / "requirements-dev.txt").symlink_to(secret)
    write(demo, requirements=LABELLED)
    result = demo("migrate --dry-run")
    assert "secret-package" not in result.out + result.err
    assert "requirements-dev.txt leads outside of the project's folder" in result.err
    assert "secret-package" in demo("migrate --dry-run requirements-dev.txt").out


def test_files_that_include_each_other_are_read_once(demo: Demo) -> None:
    write(demo, requirements="-r a.txt\ntorch\n", a="-r b.txt\nnumpy\n", b="-r a.txt\nrequests\n")
    result = demo("migrate --dry-run --format json")
    assert sorted(result.json["files"]) == ["a.txt", "b.txt", "requirements.txt"]
    assert result.json["diff"].count("numpy") == 1


def test_endless_includes_end(demo: Demo) -> None:
    for number in range(2_001):
        (demo.folder / f"{number}.txt").write_text(f"-r {number + 1}.txt\n")
    result = demo("migrate 0.txt --dry-run")
    assert result.status == 2
    assert "files include each other" in result.err


def test_a_line_of_a_megabyte_is_read_in_little_memory(demo: Demo) -> None:
    write(demo, requirements=f"torch\n{'x' * 1_000_000}\nnumpy @ https://e.org/{'y' * 999_999}\n")
    tracemalloc.start()
    result = demo("migrate --dry-run --format json -y")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert result.status in {0, 2}
    assert peak < 300_000_000


def test_no_code_of_the_project_is_run(demo: Demo) -> None:
    (demo.folder / "setup.py").write_text("open('ran', 'w')\n")
    write(demo, requirements="-e .\ntorch\n")
    result = demo("migrate")
    assert result.status == 0
    assert "setup.py stays as it is" in result.err
    assert not (demo.folder / "ran").exists()


def test_what_a_setup_cfg_requires_is_named(demo: Demo) -> None:
    setup = "[options]\ninstall_requires =\n  numpy\n  scipy>=1.10\n"
    (demo.folder / "setup.cfg").write_text(setup)
    write(demo, requirements=LABELLED)
    result = demo("migrate")
    assert result.status == 0
    assert "setup.cfg stays as it is; it requires `numpy`, `scipy>=1.10`" in result.err
    assert (demo.folder / "setup.cfg").read_text() == setup
    assert "scipy" not in demo.text


def test_secrets_of_an_index_stay_out_of_the_project(demo: Demo) -> None:
    write(demo, requirements="--extra-index-url https://me:s3cret@pypi.example.org/simple\ntorch\n")
    result = demo("migrate")
    assert result.status == 0
    assert "https://pypi.example.org/simple" in demo.text
    assert "s3cret" not in demo.text + result.out + result.err
    assert "UV_INDEX_EXAMPLE_USERNAME" in result.err


# What cannot be.


@pytest.mark.parametrize(
    ("line", "written"),
    [
        (
            "b @ git+https://me:s3cret@example.org/a/b.git@main",
            "b @ git+https://example.org/a/b.git@main",
        ),
        ("git+https://s3cret@example.org/a/b.git", "b @ git+https://example.org/a/b.git"),
        ("git+ssh://git:s3cret@example.org/a/b.git", "b @ git+ssh://git@example.org/a/b.git"),
        ("git+ssh://git@example.org/a/b.git", "b @ git+ssh://git@example.org/a/b.git"),
        (
            "https://me:s3cret@example.org/b-1-py3-none-any.whl",
            "b @ https://example.org/b-1-py3-none-any.whl",
        ),
    ],
)
def test_secrets_of_a_package_stay_out_of_the_project(line: str, written: str, demo: Demo) -> None:
    write(demo, requirements=f"torch\n{line}\n")
    result = demo("migrate")
    assert result.status == 0, result.err
    assert f'"{written}"' in demo.text
    assert "s3cret" not in demo.text + result.out + result.err
    assert ("stay out of the file" in result.err) is ("s3cret" in line)


@pytest.mark.parametrize("url", ["svn+https://example.org/b", "ssh://git@example.org/b.git"])
def test_what_uv_cannot_fetch_is_not_understood(url: str, demo: Demo) -> None:
    write(demo, requirements=f"torch\nb @ {url}\n")
    result = demo("migrate --dry-run --format json")
    assert lines(result)[2][0] == "unclear"
    assert "uv cannot fetch" in lines(result)[2][1]
    assert url not in result.json["diff"]


def test_two_tools_that_disagree_are_refused(demo: Demo) -> None:
    write(demo, requirements=LABELLED)
    text = "name: demo\ndependencies:\n  - pytorch\n  - cpuonly\n"
    (demo.folder / "environment.yml").write_text(text)
    result = demo("migrate --dry-run")
    assert result.status == 2
    assert "requirements.txt and environment.yml mean different builds" in result.err
    assert demo("migrate --dry-run -t linux-cpu").status == 0
    assert demo("migrate --dry-run environment.yml").status == 0


def test_a_member_of_a_workspace_holds_no_constraints(demo: Demo) -> None:
    demo.path.write_text(
        "[project]\nname = 'root'\nversion = '1'\n[tool.uv.workspace]\nmembers = ['a']\n"
    )
    member = demo.folder / "a"
    member.mkdir()
    (member / "pyproject.toml").write_text("[project]\nname = 'a'\nversion = '1'\n")
    (member / "requirements.txt").write_text("torch==2.5.1\nnumpy==2.1.0\n-c constraints.txt\n")
    (member / "constraints.txt").write_text("idna==3.4\n")
    result = demo("migrate --project a --keep-versions -y")
    assert result.status == 0, result.err
    assert "no version is kept" in result.err
    assert "not migrated: uv reads constraints from the workspace root only" in result.err
    assert "constraint" not in (member / "pyproject.toml").read_text() + demo.text


def test_nothing_to_migrate_says_what_is_looked_for(demo: Demo) -> None:
    result = demo("migrate")
    assert result.status == 2
    assert "there is nothing to migrate" in result.err


def test_files_below_the_project_are_pointed_at(demo: Demo) -> None:
    demo.path.write_text("[project]\nname = 'demo'\nversion = '1'\n")
    below = demo.folder / "below"
    below.mkdir()
    (below / "requirements.txt").write_text(LABELLED)
    result = run_in(below, "migrate")
    assert result.status == 2
    assert "pass `--project .`" in result.err
    assert run_in(below, "migrate --project .").status == 0
    assert (below / "pyproject.toml").exists()


def test_a_target_overrules_what_was_told(demo: Demo) -> None:
    write(demo, requirements=LABELLED)
    result = demo("migrate -t linux-cpu --dry-run --format json")
    assert [target["target"] for target in result.json["targets"]] == ["linux-cpu"]


def test_python_overrules_what_was_told(demo: Demo) -> None:
    (demo.folder / "environment.yml").write_text("dependencies:\n  - python=3.10\n  - pytorch\n")
    result = demo("migrate --python 3.12 --dry-run --format json")
    assert lines(result)[2] == ("left out", "`--python` says which Pythons")
    assert 'requires-python = ">=3.12"' in result.json["diff"]


def test_check_writes_nothing_and_tells_whether_it_would(demo: Demo) -> None:
    write(demo, requirements=LABELLED)
    assert demo("migrate --check").status == 1
    assert demo.names() == ["requirements.txt"]
    assert demo("migrate").status == 0
    assert demo("migrate --check").status == 0


def test_a_file_is_named_from_where_one_is(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    below = demo.folder / "below"
    below.mkdir()
    write(demo, requirements=LABELLED)
    monkeypatch.chdir(below)
    result = demo(f"migrate {os.path.join('.', 'requirements.txt')} --dry-run --format json")
    assert result.json["files"] == ["requirements.txt"]


@pytest.mark.parametrize("name", ["requirements.txt", "demo/requirements.txt"])
def test_beside_project_a_file_is_named_from_there_or_from_here(
    name: str, demo: Demo, tmp_path: Path
) -> None:
    write(demo, requirements=LABELLED)
    result = run_in(tmp_path, f"migrate --project demo {name} --dry-run --format json")
    assert result.json["files"] == ["requirements.txt"]


def test_an_empty_name_is_that_of_a_folder(demo: Demo) -> None:
    result = demo("migrate ''")
    assert result.status == 2
    assert "it is a folder" in result.err


def test_a_link_to_elsewhere_alone_is_named(demo: Demo, tmp_path: Path) -> None:
    (tmp_path / "outside.txt").write_text(LABELLED)
    (demo.folder / "requirements.txt").symlink_to(tmp_path / "outside.txt")
    result = demo("migrate")
    assert result.status == 2
    assert "leads outside" in result.err
    assert "`torchconf migrate requirements.txt`" in result.err
    assert demo("migrate requirements.txt").status == 0


def test_a_name_or_version_that_python_does_not_know_is_mended_or_left_out(demo: Demo) -> None:
    (demo.folder / "pixi.toml").write_text(
        '[workspace]\nname = "My demo!"\nversion = "first"\nplatforms = ["linux-64"]\n'
        '[pypi-dependencies]\ntorch = "*"\n'
    )
    result = demo("migrate -y")
    assert result.status == 0, result.err
    assert demo.text.startswith('[project]\nname = "my-demo"\nversion = "0.1.0"\n')
    assert 'version = "first": left out: `first` is not a valid version' in result.err


def test_a_pin_that_a_range_of_another_line_excludes_is_left_out(demo: Demo) -> None:
    write(demo, requirements="torch\nnumpy==1.26.4\nnumpy>=2\nscipy==1.11.1\nscipy>=1.10\n")
    result = demo("migrate --dry-run --format json")
    assert lines(result)[2] == ("left out", "other lines require `numpy>=2`")
    assert lines(result)[3] == ("taken", "")
    assert lines(result)[4][0] == "changed"


def test_an_arbitrary_version_is_none_for_uv(demo: Demo) -> None:
    write(demo, requirements="torch\nnumpy===odd\nscipy===1.0\n")
    result = demo("migrate --dry-run --format json")
    assert lines(result)[2][0] == "unclear"
    assert lines(result)[3][0] in {"taken", "changed"}


# What else installs a build.

INSTALLING = {
    "Dockerfile": "FROM x\nRUN pip install torch --index-url https://download.pytorch.org/whl/cu118\n",
    ".github/workflows/ci.yml": "env:\n  PIP_EXTRA_INDEX_URL: https://download.pytorch.org/whl/cpu\n",
    "scripts/setup.sh": "# torch==2.0.1+cu117\nexport UV_TORCH_BACKEND=cu121\n"
    "uv pip install torch==2.4.1+cu121\n",
    "README.md": "pip install torch --index-url https://download.pytorch.org/whl/cu118\n",
    "build.sh": "pip install torch --index-url https://download.pytorch.org/whl/cu124\n",
}


def test_what_installs_another_build_is_listed_with_its_lines(demo: Demo) -> None:
    write(demo, requirements=LABELLED)
    for name, text in INSTALLING.items():
        (demo.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (demo.folder / name).write_text(text)
    result = demo("migrate --dry-run --format json")
    found = [(one["path"], one["line"]) for one in result.json["mentions"]]
    assert sorted(found) == [
        (".github/workflows/ci.yml", 2),
        ("Dockerfile", 2),
        ("scripts/setup.sh", 2),
        ("scripts/setup.sh", 3),
    ]
    said = demo("migrate").err
    assert "Dockerfile:2: RUN pip install torch" in said
    assert (demo.folder / "Dockerfile").read_text() == INSTALLING["Dockerfile"]
