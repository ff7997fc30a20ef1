"""Local libraries, and those that they need in turn, as they lie on a disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from torchconf.edits.read_toml import read_toml
from torchconf.model.project import Project
from torchconf.model.read_project import read_project
from torchconf.workspace.libraries import read_libraries


def write(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "pyproject.toml"
    file.write_text(f'[project]\nname = "{folder.name}"\nversion = "1"\n{text}', encoding="utf-8")
    return file


def read(file: Path) -> dict[str, Project | None]:
    text = file.read_text(encoding="utf-8")
    return read_libraries([read_project(read_toml(text, str(file)), at=str(file))])


def names(found: dict[str, Project | None]) -> set[str | None]:
    return {library.name if library else None for library in found.values()}


def test_a_library_leads_to_its_own_libraries_and_back(tmp_path: Path) -> None:
    app = write(tmp_path / "app", '[tool.uv.sources]\nsdk = { path = "../sdk" }')
    write(tmp_path / "sdk", '[tool.uv.sources]\ncore = { path = "../deep/core", editable = true }')
    write(tmp_path / "deep/core", '[tool.uv.sources]\nsdk = { path = "../../sdk" }')
    assert names(read(app)) == {"sdk", "core"}


@pytest.mark.parametrize("url", ["file:///${PROJECT_ROOT}/../my%20sdk", "file://{folder}/my%20sdk"])
def test_a_file_url_leads_to_a_library(tmp_path: Path, url: str) -> None:
    url = url.replace("{folder}", tmp_path.as_posix())
    app = write(tmp_path / "app", f'dependencies = ["sdk @ {url}"]')
    write(tmp_path / "my sdk", "").write_text('[project]\nname = "sdk"\nversion = "1"')
    assert names(read(app)) == {"sdk"}


def test_a_member_of_another_workspace_has_its_root_and_its_siblings(tmp_path: Path) -> None:
    app = write(tmp_path / "app", '[tool.uv.sources]\nlib = { path = "../other/lib" }')
    write(tmp_path / "other", '[tool.uv.workspace]\nmembers = ["*"]')
    write(tmp_path / "other/lib", "[tool.uv.sources]\ncore = { workspace = true }")
    write(tmp_path / "other/core", "")
    found = read(app)
    assert names(found) == {"lib", "core"}
    assert all(
        library and library.root and library.root.name == "other" for library in found.values()
    )


def test_what_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    app = write(
        tmp_path / "app",
        """[tool.uv.sources]
        gone = { path = "../gone" }
        odd = { path = "../odd" }
        bare = { path = "../bare" }
        wheel = { path = "wheel-1-py3-none-any.whl" }
        far = { git = "https://example.org/far" }
        """,
    )
    write(tmp_path / "odd", "").write_text("not = [toml", encoding="utf-8")
    (tmp_path / "bare").mkdir()
    assert {Path(place).name: library for place, library in read(app).items()} == {"bare": None}
