"""`torchconf upgrade`: choices with a release of their own, markers, exclusions."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.version import Version

from tests.support.few import few
from tests.support.projects import EXAMPLES, WHL, Demo
from tests.support.replica import Replica
from tests.support.upgrading import inside
from torchconf.planner.respecify import respecify

SCOPED = """\
[project]
name = "demo"
version = "0.1.0"
requires-python = ">=3.12,<3.14"
dependencies = []

{tables}

[tool.uv]
conflicts = [[{{ {kind} = "old" }}, {{ {kind} = "new" }}]]

[tool.uv.sources]
torch = [
    {{ index = "pytorch-cu118", {kind} = "old" }},
    {{ index = "pytorch-cu130", {kind} = "new" }},
]

[[tool.uv.index]]
name = "pytorch-cu118"
url = "https://download.pytorch.org/whl/cu118"
explicit = true

[[tool.uv.index]]
name = "pytorch-cu130"
url = "https://download.pytorch.org/whl/cu130"
explicit = true
"""
TABLES = {"extra": "[project.optional-dependencies]", "group": "[dependency-groups]"}


def scoped(folder: Path, old: str, new: str, kind: str = "extra") -> Demo:
    tables = f'{TABLES[kind]}\nold = ["{old}"]\nnew = ["{new}"]'
    return Demo(folder, SCOPED.format(tables=tables, kind=kind))


def plain(folder: Path, *lines: str, python: str = ">=3.12,<3.14") -> Demo:
    listed = ", ".join(f'"{line}"' for line in lines)
    return Demo(
        folder,
        f'[project]\nname = "demo"\nversion = "0.1.0"\nrequires-python = "{python}"\n'
        f"dependencies = [{listed}]\n",
    )


@inside
@pytest.mark.parametrize("kind", few(["extra", "group"], {"extra"}.__contains__))
@pytest.mark.parametrize(
    ("old", "new", "after"),
    [
        ("torch>=2.5,<2.8", "torch>=2.9.1", "torch>=2.7,<2.8"),
        ("torch==2.7.1", "torch==2.9.1", "torch==2.7.1"),
        ("torch>=2.5", "torch>=2.9.1", "torch>=2.7"),
        ("torch==2.7.*", "torch>=2.9", "torch==2.7.*"),
    ],
)
def test_each_choice_moves_within_its_own_range(
    old: str, new: str, after: str, kind: str, inside_replica: Replica, tmp_path: Path
) -> None:
    demo = scoped(tmp_path, old, new, kind)
    done = demo("upgrade")
    assert done.status == 0, done.err
    assert f"{kind} `old`" in done.err
    assert f'old = ["{after}"]' in demo.text
    assert f'new = ["{new}"]' not in demo.text
    once = demo.text
    assert (demo("upgrade").status, demo.text) == (0, once)
    run = inside_replica.uv("lock", cwd=demo.folder)
    assert run.returncode == 0, run.stderr


def test_a_choice_that_cannot_follow_is_named(tmp_path: Path) -> None:
    demo = scoped(tmp_path, "torch==2.7.1", "torch==2.9.1")
    done = demo("upgrade --torch 2.10.0")
    assert done.status == 0, done.err
    assert "extra `old` stays as it is" in done.err
    assert 'old = ["torch==2.7.1"]' in demo.text
    assert 'new = ["torch==2.10.0"]' in demo.text


def test_choices_without_a_conflict_are_one(tmp_path: Path) -> None:
    demo = scoped(tmp_path, "torch>=2.5", "torch>=2.9.1")
    demo.path.write_text(
        demo.text.replace('conflicts = [[{ extra = "old" }, { extra = "new" }]]', "")
    )
    assert demo("upgrade").status == 2


@pytest.mark.parametrize(
    ("words", "before", "after"),
    [
        ("upgrade", "torch>=2.5,!=2.8.0", "torch>=2.7,!=2.8.0"),
        ("upgrade --torch '>=2.6'", "torch>=2.5,!=2.8.0", "torch>=2.6,!=2.8.0"),
        ("upgrade --torch 2.7", "torch>=2.5, !=2.7.1", "torch>=2.7, !=2.7.1, <2.8"),
    ],
)  # fmt: skip
def test_an_excluded_release_is_never_taken(
    words: str, before: str, after: str, tmp_path: Path
) -> None:
    demo = plain(tmp_path, before, python=">=3.9")
    done = demo(words)
    assert done.status == 0, done.err
    assert demo.project["dependencies"] == [after]


def test_the_place_of_an_exclusion_is_named(tmp_path: Path) -> None:
    demo = plain(tmp_path, "torch>=2.5,!=2.8.0")
    done = demo("upgrade --torch 2.8")
    assert done.status == 2
    assert "project.dependencies[0]" in done.err


def test_a_lower_bound_means_the_release_that_is_said() -> None:
    assert respecify("torch>=2.5,!=2.9.0", Version("2.9.1"), None) == "torch>=2.9.1,!=2.9.0"


def test_text_that_is_no_version_is_left_to_its_author(tmp_path: Path) -> None:
    demo = plain(tmp_path, "torch===local-build")
    before = demo.text
    done = demo("upgrade")
    assert (done.status, demo.text) == (2, before)
    assert "names a build of your own" in done.err


def test_a_companion_is_asked_of_its_own_platforms(tmp_path: Path) -> None:
    demo = plain(tmp_path, "torch==2.9.1", "xformers==0.0.33.post2; sys_platform == 'linux'")
    done = demo("upgrade --torch 2.10")
    assert done.status == 0, done.err
    assert "torch==2.10.0" in demo.text
    assert "xformers==0.0.35; sys_platform == 'linux'" in demo.text


def test_one_backend_cannot_become_two(tmp_path: Path) -> None:
    demo = scoped(tmp_path, "torch>=2.5", "torch>=2.9.1")
    done = demo("upgrade --backend cu118=cu126 --backend cu118=cu128")
    assert done.status == 2
    assert "given twice for cu118: cu126 and cu128" in done.err


LOCK = '[[package]]\nname = "torch"\nversion = "2.14.0"\nsource = {{ registry = "{}" }}\n'


@pytest.mark.parametrize(
    ("registry", "after"),
    [
        ("https://download.pytorch.org/whl/cpu", "torch>=2.14,<2.15"),
        ("https://mirror.example.org/simple", "torch>=2.13,<2.15"),
        ("https://download.pytorch.org/whl/cu126", "torch>=2.13,<2.15"),
    ],
)
def test_a_lock_counts_if_its_torch_came_from_where_the_sources_say(
    registry: str, after: str, tmp_path: Path
) -> None:
    example = (EXAMPLES / "extras.toml").read_text(encoding="utf-8")
    demo = Demo(tmp_path, example.replace(">=2.13.0", ">=2.12,<2.15"))
    (demo.folder / "uv.lock").write_text(LOCK.format(registry))
    assert demo("upgrade").status == 0
    assert demo.project["optional-dependencies"]["cpu"] == [after]


JETSON = """
[[tool.uv.index]]
name = "jetson"
url = "https://pypi.jetson-ai-lab.dev/jp6/cu126/+simple"
explicit = true
"""


def test_a_choice_from_an_unknown_index_stays_and_the_rest_moves(tmp_path: Path) -> None:
    demo = scoped(tmp_path, "torch==2.8.0", "torch>=2.9.1")
    demo.path.write_text(demo.text.replace('index = "pytorch-cu118"', 'index = "jetson"') + JETSON)
    done = demo("upgrade")
    assert done.status == 0, done.err
    assert "extra `old` stays as it is: no known backend in the URL" in done.err
    assert "tool.uv.sources.torch[0]" in done.err
    assert 'old = ["torch==2.8.0"]' in demo.text
    assert 'new = ["torch>=2.9.1"]' not in demo.text
    assert "jp6/cu126" in demo.text


def test_torch_from_an_unknown_index_is_refused_with_the_reason(tmp_path: Path) -> None:
    demo = plain(tmp_path, "torch>=2.5")
    demo.path.write_text(
        f'{demo.text}\n[tool.uv.sources]\ntorch = {{ index = "jetson" }}\n{JETSON}'
    )
    before = demo.text
    done = demo("upgrade --all")
    assert (done.status, demo.text) == (2, before)
    assert "the releases of torch are not known" in done.err


def test_a_companion_that_fits_every_torch_may_come_from_anywhere(tmp_path: Path) -> None:
    demo = plain(tmp_path, "torch>=2.9", "torchao")
    demo.path.write_text(
        f'{demo.text}\n[tool.uv.sources]\ntorchao = {{ url = "https://example.org/torchao.whl" }}\n'
    )
    done = demo("upgrade")
    assert done.status == 0, done.err
    assert "torchao stays as it is: a `url` source is not an index" in done.err
    assert "torch>=2.9" not in demo.text


@inside
@pytest.mark.parametrize(
    ("pin", "after"),
    [
        ("triton==3.2.0; sys_platform == 'linux'", "triton==3.7.1; sys_platform == 'linux'"),
        ("triton>=3.2,<3.3; os_name == 'posix'", "triton>=3.7,<3.8; os_name == 'posix'"),
        ("triton~=3.2.0; sys_platform == 'linux'", "triton~=3.7.1; sys_platform == 'linux'"),
        ("triton>=3.1; sys_platform == 'linux'", "triton>=3.1; sys_platform == 'linux'"),
        ("triton==3.2.0; sys_platform == 'win32'", "triton==3.2.0; sys_platform == 'win32'"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", few(["requirement", "constraint"], {"requirement"}.__contains__))
def test_triton_goes_along(
    pin: str, after: str, place: str, inside_replica: Replica, tmp_path: Path
) -> None:
    lines = ["torch==2.6.0", pin] if place == "requirement" else ["torch==2.6.0"]
    demo = plain(tmp_path, *lines)
    if place == "constraint":
        demo.path.write_text(f'{demo.text}\n[tool.uv]\nconstraint-dependencies = ["{pin}"]\n')
    done = demo("upgrade --torch 2.13.0")
    assert done.status == 0, done.err
    assert f'"{after}"' in demo.text
    if "win32" not in pin:
        run = inside_replica.uv("lock", cwd=demo.folder)
        assert run.returncode == 0, run.stderr
    once = demo.text
    assert (demo("upgrade --torch 2.13.0").status, demo.text) == (0, once)


def test_an_override_of_triton_is_left_alone(tmp_path: Path) -> None:
    demo = plain(tmp_path, "torch==2.6.0")
    demo.path.write_text(f'{demo.text}\n[tool.uv]\noverride-dependencies = ["triton==3.2.0"]\n')
    assert demo("upgrade").status == 0
    assert "triton==3.2.0" in demo.text


def test_a_line_that_ended_does_not_hold_back_what_was_never_held_with_it(tmp_path: Path) -> None:
    demo = scoped(tmp_path, "torch>=2.5", "torch>=2.5")
    done = demo("upgrade")
    assert done.status == 0, done.err
    assert 'old = ["torch>=2.7"]' in demo.text
    assert 'new = ["torch>=2.13"]' in demo.text
    assert "linux-aarch64 gets CPU" not in done.err


THREE = """\
[project]
name = "demo"
version = "0.1.0"
requires-python = ">=3.12,<3.14"
dependencies = []

[project.optional-dependencies]
cpu = ["{cpu}"]
odd = ["{odd}"]
new = ["{new}"]

[tool.uv]
conflicts = [[{{ extra = "cpu" }}, {{ extra = "odd" }}, {{ extra = "new" }}]]

[tool.uv.sources]
torch = [
    {{ index = "pytorch-cpu", extra = "cpu" }},
    {{ index = "pytorch-cu126", extra = "odd"{marker} }},
    {{ index = "{index}", extra = "new" }},
]

[[tool.uv.index]]
name = "pytorch-cpu"
url = "https://download.pytorch.org/whl/cpu"
explicit = true

[[tool.uv.index]]
name = "pytorch-cu126"
url = "https://download.pytorch.org/whl/cu126"
explicit = true

[[tool.uv.index]]
name = "pytorch-cu130"
url = "https://download.pytorch.org/whl/cu130"
explicit = true

[[tool.uv.index]]
name = "nightly"
url = "https://download.pytorch.org/whl/nightly/cu130"
explicit = true
"""
NOWHERE = ", marker = \"sys_platform == 'Linux'\""


def three(folder: Path, cpu: str, odd: str, new: str, index: str, marker: str = "") -> Demo:
    text = THREE.format(cpu=cpu, odd=odd, new=new, index=index, marker=marker)
    return Demo(folder, text)


@pytest.mark.parametrize("command", ["upgrade", "upgrade --all", "upgrade --torch 2.12"])
@pytest.mark.parametrize(
    ("cpu", "odd", "new", "marker"),
    [
        ("torch==2.9.1", "torch>=2.10", "torch>=2.12.0.dev0", NOWHERE),
        ("torch==2.9.1", "torch", "torch", NOWHERE),
        ("torch", "torch==2.9.1", "torch", NOWHERE),
        ("torch>=2.9", "torch==2.9.1", "torch==2.12.0.dev20260301", ""),
        ("torch", "torch", "torch", ""),
    ],
)
def test_a_nightly_build_stays_whatever_stands_beside_it(
    cpu: str, odd: str, new: str, marker: str, command: str, tmp_path: Path
) -> None:
    demo = three(tmp_path, cpu, odd, new, "nightly", marker)
    done = demo(command)
    assert done.status == 0, done.err
    assert "extra `new` stays as it is: nightly builds are checked but not edited" in done.err
    assert demo.project["optional-dependencies"]["new"] == [new]
    assert demo.uv["sources"]["torch"][2] == {"index": "nightly", "extra": "new"}
    assert "whl/nightly/cu130" in demo.text
    once = demo.text
    assert (demo(command).status, demo.text) == (0, once)


def test_a_nightly_index_is_not_the_stable_one_of_the_same_build(tmp_path: Path) -> None:
    demo = three(tmp_path, "torch", "torch", "torch>=2.12.0.dev0", "nightly")
    demo.path.write_text(demo.text.replace("pytorch-cu126", "pytorch-cu130", 1))
    done = demo("upgrade --all")
    assert done.status == 0, done.err
    assert "cu130 becomes cu132" in done.err
    assert [entry["index"] for entry in demo.uv["sources"]["torch"]] == [
        "pytorch-cpu",
        "pytorch-cu132",
        "nightly",
    ]
    assert "whl/nightly/cu130" in demo.text


def test_nothing_moves_where_one_choice_is_unknown_and_the_other_holds_nowhere(
    tmp_path: Path,
) -> None:
    demo = scoped(tmp_path, "torch==2.7.1", "torch>=2.12.0.dev0")
    demo.path.write_text(
        demo.text.replace('extra = "old" },\n', f'extra = "old"{NOWHERE} }},\n').replace(
            "whl/cu130", "whl/nightly/cu130"
        )
    )
    before = demo.text
    done = demo("upgrade")
    assert (done.status, demo.text) == (2, before)
    assert "nightly" in done.err


@inside
@pytest.mark.parametrize(
    ("command", "extras"),
    [
        ("upgrade", {"cpu": ["torch"], "odd": ["torch"], "new": ["torch"]}),
        ("upgrade --all", {"cpu": ["torch"], "odd": ["torch"], "new": ["torch"]}),
        (
            "upgrade --torch 2.12",
            {key: ["torch>=2.12,<2.13"] for key in ("cpu", "odd", "new")},
        ),
    ],
)
def test_choices_that_state_no_version_move_together(
    command: str,
    extras: dict[str, list[str]],
    inside_replica: Replica,
    tmp_path: Path,
) -> None:
    demo = three(tmp_path, "torch", "torch", "torch", "pytorch-cu130")
    done = demo(command)
    assert done.status == 0, done.err
    assert demo.project["optional-dependencies"] == extras
    run = inside_replica.uv("lock", cwd=demo.folder)
    assert run.returncode == 0, run.stderr
    once = demo.text
    assert (demo(command).status, demo.text) == (0, once)


def test_a_release_that_is_asked_for_is_one_for_pins_and_bare_choices(tmp_path: Path) -> None:
    demo = three(tmp_path, "torch==2.9.1", "torch==2.10.0", "torch", "pytorch-cu130")
    assert demo("upgrade --torch 2.12.0").status == 0
    assert demo.project["optional-dependencies"] == {
        "cpu": ["torch==2.12.0"],
        "odd": ["torch==2.12.0"],
        "new": ["torch>=2.12.0,<2.13"],
    }
    once = demo.text
    assert (demo("upgrade --torch 2.12.0").status, demo.text) == (0, once)


@pytest.mark.parametrize("command", ["add-target windows-cu130", "remove-target linux-cpu"])
def test_a_choice_whose_markers_hold_nowhere_is_left_alone(command: str, tmp_path: Path) -> None:
    demo = three(tmp_path, "torch", "torch==2.9.1", "torch", "pytorch-cu130", NOWHERE)
    demo.path.write_text(
        demo.text.replace(
            'index = "pytorch-cu130", extra = "new"',
            'index = "pytorch-cu130", extra = "new", marker = "sys_platform == \'linux\'"',
        )
    )
    done = demo(command)
    assert done.status == 0, done.err
    assert demo.project["optional-dependencies"]["odd"] == ["torch==2.9.1"]
    assert {"extra": "odd"} in demo.uv["conflicts"][0]
    assert f'extra = "odd"{NOWHERE}' in demo.text


@inside
@pytest.mark.parametrize(
    ("more", "old"),
    [
        ("", "torch~=2.7"),
        ('full = ["demo[old]"]', "torch~=2.5"),
        ('full = ["demo[old]"]\nmore = ["demo[full]"]', "torch~=2.5"),
    ],
)
def test_an_extra_that_another_one_asks_for_does_not_go_its_own_way(
    more: str, old: str, inside_replica: Replica, tmp_path: Path
) -> None:
    """uv puts its requirements beside those of the extra that conflicts with it."""
    demo = scoped(tmp_path, "torch~=2.5", "torch~=2.5")
    demo.path.write_text(demo.text.replace('new = ["', f'{more}\nnew = ["'))
    assert inside_replica.uv("lock", cwd=demo.folder).returncode == 0
    done = demo("upgrade")
    assert done.status == (2 if more else 0), done.err
    run = inside_replica.uv("lock", cwd=demo.folder)
    assert run.returncode == 0, run.stderr
    assert demo.project["optional-dependencies"]["old"] == [old]


def test_what_a_nightly_choice_requires_is_no_limit_of_others(tmp_path: Path) -> None:
    demo = three(tmp_path, "torch==2.12.1", "torch==2.12.1", "torch==2.11.0", "nightly")
    done = demo("init -y --layout extras")
    assert done.status == 0, done.err
    assert "2.12.1" in done.err


@inside
def test_pypi_on_one_system_takes_no_release_that_the_index_of_others_lacks(
    inside_replica: Replica, tmp_path: Path
) -> None:
    """PyPI's listing is newer than what is known of the indexes."""
    demo = three(tmp_path, "torch>=2.9", "torch>=2.9", "torch>=2.9", "pytorch-cu130")
    linux = 'index = "pytorch-cpu", extra = "cpu", marker = "sys_platform == \'linux\'"'
    demo.path.write_text(
        demo.text.replace('index = "pytorch-cpu", extra = "cpu"', linux).replace("cu126", "cu128")
    )
    assert demo("upgrade").status == 0
    run = inside_replica.uv("lock", cwd=demo.folder)
    assert run.returncode == 0, run.stderr


@inside
@pytest.mark.parametrize(
    ("old", "new", "routed"),
    [("cu132", "cu130", True), ("cu126", "cu130", False), ("cu130", "cu132", False)],
)
def test_a_companion_that_only_the_new_build_has_gets_its_index(
    old: str, new: str, routed: bool, inside_replica: Replica, tmp_path: Path
) -> None:
    """The index of cu132 has no torchaudio. Where that of cu126 has, its author left it to PyPI."""
    marker = "marker = \"sys_platform == 'linux'\""
    demo = plain(tmp_path, "torch>=2.9", "torchaudio", python=">=3.11,<3.14")
    demo.path.write_text(
        f'{demo.text}\n[tool.uv.sources]\ntorch = {{ index = "pytorch-{old}", {marker} }}\n\n'
        f'[[tool.uv.index]]\nname = "pytorch-{old}"\n'
        f'url = "https://download.pytorch.org/whl/{old}"\nexplicit = true\n'
    )
    done = demo(f"upgrade --backend {old}={new}")
    assert done.status == 0, done.err
    assert ("torchaudio" in demo.uv["sources"]) == routed
    assert ("torchaudio gets the same index as torch" in done.err) == routed
    run = inside_replica.uv("lock", cwd=demo.folder)
    assert run.returncode == 0, run.stderr
    once = demo.text
    assert (demo("upgrade").status, demo.text) == (0, once)


def test_choices_of_one_build_go_to_one_that_has_what_each_of_them_needs(tmp_path: Path) -> None:
    """The index of cu132 has no torchaudio, which one of two extras of the same build requires."""
    demo = three(tmp_path, "torch", "torch>=2.9", "torch>=2.12.0.dev0", "nightly")
    text = demo.text.replace("pytorch-cpu", "pytorch-cu126", 1).replace(
        'cpu = ["torch"]', 'cpu = ["torch", "torchaudio"]'
    )
    demo.path.write_text(text)
    done = demo("upgrade --all")
    assert done.status == 0, done.err
    assert "cu126 becomes cu130" in done.err
    once = demo.text
    assert (demo("upgrade --all").status, demo.text) == (0, once)


def test_what_holds_nowhere_does_not_move(tmp_path: Path) -> None:
    demo = three(tmp_path, "torch==2.9.1", "torch>=2.9", "torch!=2.12.0", "pytorch-cu130", NOWHERE)
    done = demo("upgrade")
    assert done.status == 0, done.err
    assert demo.project["optional-dependencies"]["odd"] == ["torch>=2.9"]
    once = demo.text
    assert (demo("upgrade").status, demo.text) == (0, once)


def test_a_machine_that_nothing_serves_holds_no_extra_back(tmp_path: Path) -> None:
    """A marker with `platform_machine` tells Intel Macs apart, for which no wheel is left."""
    x86_64 = "platform_machine == 'x86_64'"
    indexes = "".join(
        f'\n[[tool.uv.index]]\nname = "pytorch-{build}"\nurl = "{WHL}/{build}"\nexplicit = true\n'
        for build in ("cpu", "cu126")
    )
    demo = Demo(
        tmp_path,
        '[project]\nname = "demo"\nversion = "0.1.0"\nrequires-python = ">=3.10"\n'
        'dependencies = []\n\n[project.optional-dependencies]\ncpu = ["torch==2.8.0"]\n'
        f'gpu = ["torch==2.8.0 ; {x86_64}"]\n\n[tool.uv]\n'
        'conflicts = [[{ extra = "cpu" }, { extra = "gpu" }]]\n\n[tool.uv.sources]\ntorch = [\n'
        '  { index = "pytorch-cpu", extra = "cpu" },\n'
        f'  {{ index = "pytorch-cu126", extra = "gpu", marker = "{x86_64}" }},\n]\n{indexes}',
    )
    result = demo("upgrade --torch 2.9.1")
    assert result.status == 0, result.err
    extras = demo.project["optional-dependencies"]
    assert extras == {"cpu": ["torch==2.9.1"], "gpu": [f"torch==2.9.1 ; {x86_64}"]}


NEVER = "sys_platform == 'never'"


@pytest.mark.parametrize(
    ("base", "extras", "sources", "words"),
    [
        pytest.param(
            "torch>=2.4 ; sys_platform == 'linux'",
            {"xpu": "torch==2.9.*", "rocm": "torch==2.7.1"},
            {"xpu": ("xpu", NEVER), "rocm": ("rocm6.4", "sys_platform == 'linux'")},
            "",
            id="the other extra holds nowhere",
        ),
        pytest.param(
            "torch",
            {"old": "torch==2.9.*", "new": "torch>=2.5,<2.8"},
            {"old": ("cu126", NEVER), "new": ("cu126", "")},
            "--all",
            id="it shares the build of the other",
        ),
        pytest.param(
            "torch>=2.4",
            {"old": "torch>=2.6 ; python_version < '3.5'", "new": "torch"},
            {"old": ("cu118", ""), "new": ("cu121", "sys_platform == 'linux'")},
            "--all",
            id="one that is for no Python",
        ),
        pytest.param(
            "",
            {"cpu": "torch>=2.9,<3", "cuda": "torch>=2.9,<3", "xpu": "torch>=2.9,<2.14"},
            {"cpu": ("cpu", "os_name == 'posix'"), "cuda": ("cu129", ""),
             "xpu": ("xpu", "sys_platform == 'win32'")},
            "",
            id="nobody has seen what one would go to",
        ),
    ],
)  # fmt: skip
def test_a_second_upgrade_finds_nothing(
    base: str,
    extras: dict[str, str],
    sources: dict[str, tuple[str, str]],
    words: str,
    tmp_path: Path,
) -> None:
    lines = "".join(f"{name} = [{line!r}]\n" for name, line in extras.items())
    entries = "".join(
        f'  {{ index = "pytorch-{build}", extra = "{name}"'
        + (f', marker = "{marker}" }},\n' if marker else " },\n")
        for name, (build, marker) in sources.items()
    )
    indexes = "".join(
        f'\n[[tool.uv.index]]\nname = "pytorch-{build}"\nurl = "{WHL}/{build}"\nexplicit = true\n'
        for build in dict.fromkeys(build for build, _ in sources.values())
    )
    apart = ", ".join(f'{{ extra = "{name}" }}' for name in extras)
    demo = Demo(
        tmp_path,
        '[project]\nname = "demo"\nversion = "0.1.0"\nrequires-python = ">=3.10"\n'
        f"dependencies = {[base] if base else []!r}\n\n[project.optional-dependencies]\n{lines}"
        f"\n[tool.uv]\nconflicts = [[{apart}]]\n\n[tool.uv.sources]\n"
        f"torch = [\n{entries}]\n{indexes}",
    )
    start = demo.text
    assert demo(f"upgrade {words}").status == 0
    once = demo.text
    assert once != start
    assert demo(f"upgrade {words}").status == 0
    assert demo.text == once
