"""What is released: the sdist is the tree, and the wheel that is built from it is complete."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version
from pathspec import GitIgnoreSpec
from trove_classifiers import classifiers

from tests.support.paths import ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
NOT_INSTALLED = (
    "torchconf/catalog/facts/",
    "torchconf/catalog/compile.py",
    "torchconf/catalog/read_pypi.py",
)


def tree() -> set[str]:
    """Return the files of this tree: what git would take, in a clone and in an unpacked sdist."""
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    ignored = GitIgnoreSpec.from_lines([*lines, "/.git", "/PKG-INFO"])
    return set(ignored.match_tree_files(ROOT, negate=True))


def build(kind: str, source: Path, folder: Path) -> Path:
    """Build an `sdist` or a `wheel`, without a network, and return it."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(folder)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = folder.glob("*.tar.gz" if kind == "sdist" else "*.whl")
    return made


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder that the sdist unpacks to."""
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(build("sdist", ROOT, folder)) as archive:
        # Python 3.11.4 is the first that has filters, and 3.12 warns without one.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(folder)
    (made,) = (path for path in folder.iterdir() if path.is_dir())
    return made


@pytest.fixture(scope="module")
def installed(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the content of the wheel that is built from the sdist."""
    folder = tmp_path_factory.mktemp("wheel")
    with zipfile.ZipFile(build("wheel", unpacked, folder)) as archive:
        archive.extractall(folder / "content")
    return folder / "content"


def test_the_sdist_is_the_tree(unpacked: Path) -> None:
    found = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*")}
    files = {name for name in found if (unpacked / name).is_file()}
    assert files == tree() | {"PKG-INFO"}


def test_a_wheel_from_the_sdist_has_the_package_and_the_templates(installed: Path) -> None:
    found = {path for path in installed.rglob("*") if path.is_file()}
    names = {path.relative_to(installed).as_posix() for path in found}
    metadata = {name for name in names if ".dist-info/" in name}
    packaged = {
        name
        for name in tree()
        if name.startswith("torchconf/") and not name.startswith(NOT_INSTALLED)
    }
    templates = {
        name.replace("templates/", "torchconf/templates/files/", 1)
        for name in tree()
        if name.startswith("templates/")
    }
    assert "torchconf/templates/files/shared/.github/workflows/ci.yml" in templates
    assert names - metadata == packaged | templates
    assert {name.partition("/")[2] for name in metadata} == {
        "METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE",
    }  # fmt: skip


def test_new_from_that_wheel_writes_the_workflow(installed: Path, tmp_path: Path) -> None:
    code = (
        "import sys, torchconf.__main__\n"
        "sys.stderr.write(torchconf.__file__)\n"
        "from torchconf.cli import main\n"
        "sys.exit(main(['new', 'library', 'demo', '--defaults']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(installed)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert str(installed) in done.stderr, "it is the wheel that ran, not this tree"
    assert (tmp_path / "demo/.github/workflows/ci.yml").is_file()


@pytest.mark.slow
def test_tests_run_from_the_unpacked_sdist(unpacked: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    folders = ["tests/model", "tests/catalog", "tests/edits", "tests/templates"]
    environment = {name: os.environ[name] for name in os.environ if not name.startswith("PYTEST")}
    done = subprocess.run(
        [*command, *folders, "tests/test_rooms.py", "tests/test_readme.py"],
        cwd=unpacked, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr


def test_every_classifier_is_known_to_pypi() -> None:
    assert set(PYPROJECT["project"]["classifiers"]) <= classifiers


def test_every_exclude_is_anchored() -> None:
    targets = PYPROJECT["tool"]["hatch"]["build"]["targets"].values()
    excluded = [name for target in targets for name in target.get("exclude", ())]
    assert excluded
    assert [name for name in excluded if not name.startswith("/")] == []


def test_what_judges_the_code_has_an_upper_bound_and_is_the_same_everywhere() -> None:
    development = [*map(Requirement, PYPROJECT["dependency-groups"]["dev"])]
    extra = [*map(Requirement, PYPROJECT["project"]["optional-dependencies"]["test"])]
    judges = {line for line in (*development, *extra) if line.name in {"mypy", "ruff", "zizmor"}}
    assert {line.name for line in judges} == {"mypy", "ruff", "zizmor"}
    assert len(judges) == 3, "one version of ruff for all"
    assert all({part.operator for part in line.specifier} & {"==", "<"} for line in judges)


def test_the_changelog_has_the_form_of_keep_a_changelog() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    released = [
        re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)", line) for line in headings[1:]
    ]
    assert all(released), "a version and its date: `## [0.2.0] - 2026-12-01`"
    versions = [Version(found[1]) for found in released if found]
    assert versions == sorted(versions, reverse=True), "the newest first"
    assert set(re.findall(r"^### (.*)$", text, re.MULTILINE)) <= {
        "Added", "Changed", "Deprecated", "Removed", "Fixed", "Security",
    }  # fmt: skip
    assert {line.partition(" - ")[0] for line in headings} == {
        f"[{name}]" for name in re.findall(r"^\[(.*)\]: https://", text, re.MULTILINE)
    }, "each heading has a link at the end of the page"
