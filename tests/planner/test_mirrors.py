"""Mirrors in a table of the project, in a file of the site, and on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.projects import THREE_SYSTEMS, WHL, Demo
from tests.support.replica import Content, Replica, ReplicaOf

START = (
    '[project]\nname = "demo"\nversion = "0.1.0"\nrequires-python = ">=3.11,<3.13"\n'
    "dependencies = []\n"
)
# Nothing in this URL says what it is a mirror of.
PATTERN = "https://nexus.example.org/repository/x-{backend}/simple"
TABLE = f'\n[tool.torchconf.indexes]\npytorch = "{PATTERN}"\n'


def urls(demo: Demo) -> dict[str, str]:
    return {index["name"]: index["url"] for index in demo.uv["index"]}


def mirrored(*backends: str) -> dict[str, str]:
    return {f"pytorch-{each}": PATTERN.replace("{backend}", each) for each in backends}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Name a file of the site, with one mirror."""
    path = tmp_path / "site.toml"
    path.write_text(f'pytorch = "{PATTERN}"\n')
    monkeypatch.setenv("TORCHCONF_INDEXES", str(path))
    return path


def test_every_command_knows_the_mirrors_of_the_table(tmp_path: Path) -> None:
    demo = Demo(tmp_path, START + TABLE)
    demo.init(f"{THREE_SYSTEMS} --with torchvision")
    assert urls(demo) == mirrored("cpu", "cu130")
    assert demo("check --strict").status == 0
    routes = demo("show --format json").json["routes"]
    assert {one["backend"] for one in routes} == {None, "cpu", "cu130"}
    assert "https://nexus.example.org" in demo("explain linux cuda").out
    assert demo("add-target linux-cu126").status == 0
    assert urls(demo) == mirrored("cpu", "cu126", "cu130")
    assert demo("remove-target linux-cu126").status == 0
    assert urls(demo) == mirrored("cpu", "cu130")
    assert demo("upgrade --backend cu130=cu132 --rename").status == 0
    assert urls(demo) == mirrored("cpu", "cu132")
    assert demo("doctor").status == 0
    assert demo("check --strict").status == 0


@pytest.mark.parametrize(
    ("family", "target"),
    [
        ("amd-stable", "linux-rocm-amd"),
        ("amd-gpu", "windows-rocm-gfx1151"),
        ("jetson", "linux-aarch64-jetson-cu130"),
        ("nvidia-windows-arm", "windows-arm64-cu134-nvidia"),
    ],
)
def test_builds_of_other_publishers_are_known_on_their_mirrors(
    family: str, target: str, tmp_path: Path
) -> None:
    """Their own URLs end in a slash, or in the name of one build; those of a mirror need not."""
    demo = Demo(tmp_path, START)
    demo.init(f"-t {target} -t macos-cpu --index-base {family}=https://m.example/x")
    text = demo.text
    assert any(url.startswith("https://m.example/x") for url in urls(demo).values())
    assert f'"{target}"' in text
    demo.init("")
    assert demo.text == text
    assert demo(f"remove-target {target} -y").status == 0


def test_the_file_of_a_site_is_for_projects_that_say_nothing(site: Path, tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    demo.init(THREE_SYSTEMS)
    assert urls(demo) == mirrored("cpu", "cu130")
    assert "indexes" not in demo.data["tool"]["torchconf"]
    assert demo("check --strict").status == 0
    site.unlink()
    result = demo("show")
    assert result.status == 2
    assert result.err.startswith("error: cannot read the mirrors: no such file or folder\n")


def test_the_table_of_the_project_goes_before_the_file_of_the_site(
    site: Path, tmp_path: Path
) -> None:
    site.write_text(
        'pytorch = "https://site.example.org/pt"\nastral = "https://site.example.org/a"\n'
    )
    demo = Demo(tmp_path, START + TABLE)
    demo.init("-t linux-cpu")
    assert urls(demo) == mirrored("cpu")
    families = demo("catalog list --format json").json["families"]
    assert "https://site.example.org/a/{build}" in [one.get("url") for one in families]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pytorch = [", "cannot read the mirrors: "),
        ("\udcff", "cannot read the mirrors: "),
        ("pytorch = 3", "expected the URL of a mirror"),
        ('pytorh = "https://m.example"', "unknown family of indexes `pytorh`"),
    ],
)
@pytest.mark.parametrize("command", ["show", "check", "init -t linux-cpu", "catalog list"])
def test_broken_file_of_a_site_is_an_error_of_every_command(
    command: str, text: str, message: str, site: Path, tmp_path: Path
) -> None:
    site.write_bytes(text.encode(errors="surrogateescape"))
    result = Demo(tmp_path, START)(command)
    assert result.status == 2
    assert result.err.startswith(f"error: {message}")
    assert f"   at: {site}" in result.err


@pytest.mark.parametrize("command", ["show", "check", "init -t linux-cpu", "catalog list"])
def test_broken_table_is_an_error_of_every_command(command: str, tmp_path: Path) -> None:
    demo = Demo(tmp_path, START + TABLE.replace("pytorch =", "pytorh ="))
    result = demo(command)
    assert result.status == 2
    assert "unknown family of indexes `pytorh`" in result.err
    assert "pyproject.toml, tool.torchconf.indexes.pytorh" in result.err


def test_init_lets_indexes_that_are_there_be_read_from_the_mirror(tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    demo.init(THREE_SYSTEMS)
    official = urls(demo)
    demo.path.write_text(
        demo.text.replace('cu130"\nexplicit', 'cu130" # the GPU\nexplicit') + TABLE
    )
    # What one target needs leaves the others alone.
    assert demo("add-target linux-cu126").status == 0
    assert urls(demo) == official | mirrored("cu126")
    result = demo.init("-y")
    assert urls(demo) == mirrored("cpu", "cu126", "cu130")
    assert "index `pytorch-cpu` now uses its mirror: " in result.err
    assert '/x-cu130/simple" # the GPU\n' in demo.text
    assert demo("init -y --check").status == 0


def test_mirror_of_a_family_stays_in_the_file(tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    flags = f"--index-base pytorch={PATTERN} --index-base astral=https://m.example/astral"
    demo.init(f"-t linux-cu130 {flags}")
    assert urls(demo) == mirrored("cu130")
    table = {"pytorch": PATTERN, "astral": "https://m.example/astral"}
    assert demo.data["tool"]["torchconf"]["indexes"] == table
    assert demo(f"init -t linux-cu130 {flags} --check").status == 0
    assert demo("add-target linux-cpu --layout extras").status == 0
    assert urls(demo) == mirrored("cpu", "cu130")


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ("pytorh=https://m.example", "unknown family of indexes `pytorh`"),
        ("astral=m.example", "`--index-base astral=m.example` is not a URL"),
        ("astral=https://u:secret@m.example", "`--index-base astral` must not contain credentials"),
        (
            "pytorch=https://m.example/{torch}",
            "the mirror of `pytorch` has other placeholders than",
        ),
    ],
)
def test_mirror_that_makes_no_sense_is_refused(base: str, message: str, tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    result = demo(f"init -t linux-cpu --index-base {base}")
    assert (result.status, demo.text) == (2, START)
    assert result.err.startswith(f"error: {message}")
    assert "secret" not in result.err


def test_old_files_move_to_the_mirror(site: Path, tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    (demo.folder / "requirements.txt").write_text(f"--index-url {WHL}/cu126\ntorch\nnumpy\n")
    assert site.exists()
    assert demo("migrate -y").status == 0
    assert "pytorch-cu126" in urls(demo)
    assert set(urls(demo).values()) <= set(mirrored("cpu", "cu126").values())


def test_templates_have_the_mirror(site: Path, tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    assert site.exists()
    assert demo("new app tool -t linux-cu130 -t macos-cpu").status == 0
    assert (
        "https://nexus.example.org/repository/x-cu130/simple"
        in (demo.folder / "tool" / "pyproject.toml").read_text()
    )


def test_workspace_members_have_the_mirrors_of_their_root(tmp_path: Path) -> None:
    root = Demo(tmp_path, f'{START}[tool.uv.workspace]\nmembers = ["demo"]\n{TABLE}')
    member = Demo(root.folder, START.replace('"demo"', '"member"'))
    member.init("-t linux-cpu")
    assert urls(member) == mirrored("cpu")
    assert root("check").status == 0


@pytest.mark.uv
def test_uv_locks_from_the_mirror_and_verify_and_export_know_it(
    replica_of: ReplicaOf, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    world: Replica = replica_of(Content.from_facts().mirrored(PATTERN))
    demo = Demo(tmp_path, START + TABLE)
    demo.init(f"{THREE_SYSTEMS} --with torchvision")
    world.lock(demo.folder)
    for variable, value in world.environment().items():
        monkeypatch.setenv(variable, value)
    rows = demo("verify --format json").json["routes"]
    assert {row["backend"] for row in rows} == {None, "cpu", "cu130"}
    assert not [row["problem"] for row in rows if row["problem"]]
    assert demo("export linux-cu130").status == 0
    text = (demo.folder / "requirements" / "linux-cu130.txt").read_text()
    assert "nexus.example.org/repository/x-cu130/simple/torch/" in text


@pytest.mark.uv
@pytest.mark.slow
@pytest.mark.parametrize(
    ("by", "mirror"),
    [
        ("table", PATTERN),
        ("site", "https://nexus.example.org/pt"),
        ("flag", "https://nexus.example.org/pt"),
    ],
)
def test_catalog_is_refreshed_from_the_mirror(
    by: str,
    mirror: str,
    replica_of: ReplicaOf,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    served = mirror if "{backend}" in mirror else f"{mirror}/{{backend}}"
    world: Replica = replica_of(Content.from_facts().mirrored(served))
    demo = Demo(tmp_path, START + (TABLE.replace(PATTERN, mirror) if by == "table" else ""))
    (tmp_path / "site.toml").write_text(f'pytorch = "{mirror}"\n')
    for variable, value in world.environment().items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    if by == "site":
        monkeypatch.setenv("TORCHCONF_INDEXES", str(tmp_path / "site.toml"))
    flag = f"--index-base pytorch={mirror}" if by == "flag" else ""
    result = demo(f"catalog refresh --format json {flag}")
    assert result.status == 0, result.err
    catalog = json.loads((tmp_path / "cache" / "torchconf" / "catalog.json").read_text())
    assert "mirrors" not in catalog
    assert catalog["as_of_indexes"]["pytorch"] > "2026-11-28"
