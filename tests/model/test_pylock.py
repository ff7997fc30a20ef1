"""What one machine gets of a pylock.toml: markers, wheel tags, hashes; no uv is asked."""

from __future__ import annotations

import pytest
from packaging.pylock import PylockSelectError

from tests.support.projects import WHL
from tests.support.pylocks import (
    ARM,
    INTEL_MAC,
    LINUX,
    MAC,
    TAGS,
    WINDOWS,
    WINDOWS_ARM,
    Entry,
    cp,
    digest,
    export,
)
from torchconf.errors import UvError
from torchconf.model.pylock import Export, environment, tags
from torchconf.model.targets import PLATFORMS, Platform


@pytest.mark.parametrize(
    ("wheel", "platform", "python", "fits"),
    [
        ("cp312-cp312-manylinux_2_28_x86_64", LINUX, "3.12", True),
        ("cp312-cp312-manylinux_2_28_x86_64", LINUX, "3.13", False),
        ("cp312-cp312-manylinux_2_28_x86_64", LINUX, "3.11", False),
        ("cp312-cp312-manylinux_2_28_x86_64", ARM, "3.12", False),
        ("cp312-cp312-manylinux_2_39_x86_64", LINUX, "3.12", True),
        ("cp312-cp312-manylinux_2_40_x86_64", LINUX, "3.12", False),
        ("cp312-cp312-manylinux2014_x86_64", LINUX, "3.12", True),
        ("cp312-cp312-manylinux2010_x86_64", LINUX, "3.12", True),
        ("cp312-cp312-manylinux1_x86_64", LINUX, "3.12", True),
        ("cp312-cp312-manylinux_2_5_x86_64", LINUX, "3.12", True),
        ("cp312-cp312-manylinux_2_4_x86_64", LINUX, "3.12", False),
        ("cp312-cp312-linux_x86_64", LINUX, "3.12", True),
        ("cp312-cp312-musllinux_1_2_x86_64", LINUX, "3.12", False),
        ("cp312-cp312-win_amd64", WINDOWS, "3.12", True),
        ("cp312-cp312-win_arm64", WINDOWS, "3.12", False),
        ("cp312-cp312-win_arm64", WINDOWS_ARM, "3.12", True),
        ("cp312-cp312-macosx_14_0_arm64", MAC, "3.12", True),
        ("cp312-cp312-macosx_11_0_arm64", MAC, "3.12", True),
        ("cp312-cp312-macosx_15_0_arm64", MAC, "3.12", False),
        ("cp312-cp312-macosx_11_0_x86_64", MAC, "3.12", False),
        ("cp312-cp312-macosx_11_0_x86_64", INTEL_MAC, "3.12", True),
        # The stable ABI: from its own Python on, and no free-threaded build takes it.
        ("cp311-abi3-win_amd64", WINDOWS, "3.10", False),
        ("cp311-abi3-win_amd64", WINDOWS, "3.11", True),
        ("cp311-abi3-win_amd64", WINDOWS, "3.12", True),
        ("cp312-cp312t-win_amd64", WINDOWS, "3.12", False),
        ("py3-none-any", WINDOWS, "3.12", True),
        ("py2-none-any", WINDOWS, "3.12", False),
        ("py313-none-any", WINDOWS, "3.12", False),
    ],
)
def test_a_wheel_fits_a_machine(wheel: str, platform: Platform, python: str, *, fits: bool) -> None:
    build = export(Entry("2.9.1", (wheel,))).build("torch", platform, python)
    assert build is not None
    assert build.is_missing is not fits
    assert build.wheel == (f"torch-2.9.1-{wheel}.whl" if fits else None)


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda platform: platform.key)
def test_the_environment_is_that_of_the_platform(platform: Platform) -> None:
    found = environment(platform, "3.12")
    assert found["sys_platform"] == platform.sys_platform
    assert found["platform_machine"] == platform.platform_machine
    assert found["os_name"] == ("nt" if platform.os == "windows" else "posix")
    assert found["python_version"] == "3.12"
    assert found["python_full_version"].startswith("3.12.")


def test_the_best_wheel_of_several_is_taken() -> None:
    both = ("py3-none-any", "cp311-abi3-win_amd64", "cp312-cp312-win_amd64")
    build = export(Entry("2.9.1", both)).build("torch", WINDOWS, "3.12")
    assert build is not None
    assert build.wheel == "torch-2.9.1-cp312-cp312-win_amd64.whl"
    own = [str(tag) for tag in tags(WINDOWS, "3.12")]
    assert own[0] == "cp312-cp312-win_amd64"


def test_hashes_are_those_of_the_files_that_the_machine_could_take() -> None:
    wheels = (cp(12, "win_amd64"), cp(13, "win_amd64"), cp(12, TAGS[LINUX]), "py3-none-any")
    build = export(Entry("2.9.1", wheels)).build("torch", WINDOWS, "3.12")
    assert build is not None
    assert set(build.hashes) == {f"sha256:{digest(wheels[0])}", f"sha256:{digest(wheels[3])}"}


def test_the_source_distribution_counts_with_its_hash() -> None:
    sdist = (
        'sdist = { url = "https://files.example.org/torch-2.9.1.tar.gz", '
        f'hashes = {{ sha256 = "{"a" * 64}" }} }}'
    )
    build = export(Entry("2.9.1", (), more=sdist)).build("torch", WINDOWS, "3.12")
    assert build is not None
    assert build.wheel == "torch-2.9.1.tar.gz"
    assert build.hashes == (f"sha256:{'a' * 64}",)


def test_the_entry_is_that_whose_marker_holds() -> None:
    found = export(
        Entry("2.9.1+cu130", (cp(12, TAGS[LINUX]),), marker="sys_platform == 'linux'"),
        Entry(
            "2.9.1+cpu",
            (cp(12, TAGS[WINDOWS]),),
            registry=f"{WHL}/cpu",
            marker="sys_platform == 'win32'",
        ),
    )
    linux, windows = (found.build("torch", one, "3.12") for one in (LINUX, WINDOWS))
    assert linux is not None
    assert windows is not None
    assert (linux.version, linux.registry) == ("2.9.1+cu130", f"{WHL}/cu130")
    assert (windows.version, windows.registry) == ("2.9.1+cpu", f"{WHL}/cpu")
    assert found.build("torch", MAC, "3.12") is None
    assert found.build("numpy", LINUX, "3.12") is None


def test_two_entries_for_one_machine_are_an_error() -> None:
    found = export(Entry("2.9.1", ("py3-none-any",)), Entry("2.8.0", ("py3-none-any",)))
    with pytest.raises(PylockSelectError, match="two entries of torch"):
        found.build("torch", LINUX, "3.12")


def test_an_entry_without_files_is_missing_where_its_marker_holds() -> None:
    found = export(Entry("2.9.1+cu130", (), marker="sys_platform == 'darwin'"))
    assert found.names() == ("torch",)
    mac = found.build("torch", MAC, "3.12")
    assert mac is not None
    assert (mac.version, mac.is_missing, mac.wheel) == ("2.9.1+cu130", True, None)
    assert found.build("torch", LINUX, "3.12") is None


def test_an_entry_without_files_is_that_of_its_own_name() -> None:
    build = export(Entry("1", (), name="a"), Entry("2.9.1", ())).build("torch", LINUX, "3.12")
    assert build is not None
    assert build.version == "2.9.1"


def test_names_are_those_with_files_and_those_without() -> None:
    found = export(Entry("1", (), name="b"), Entry("1", ("py3-none-any",), name="a"))
    assert found.names() == ("a", "b")


@pytest.mark.parametrize(
    ("head", "platform", "python", "word"),
    [
        ('requires-python = ">=3.11"', LINUX, "3.11", None),
        ('requires-python = ">=3.11"', LINUX, "3.10", "3.10"),
        ("environments = [\"sys_platform == 'linux'\"]", LINUX, "3.12", None),
        ("environments = [\"sys_platform == 'linux'\"]", WINDOWS, "3.12", "environment"),
    ],
)
def test_a_lock_can_leave_a_machine_out(
    head: str, platform: Platform, python: str, word: str | None
) -> None:
    refusal = export(Entry("2.9.1", ("py3-none-any",)), head=head).refusal(platform, python)
    assert (refusal is None) is (word is None)
    assert word is None or word in str(refusal)


@pytest.mark.parametrize(
    ("more", "direct"),
    [
        (
            'vcs = { type = "git", url = "https://h/r", commit-id = "abc" }',
            "git+https://h/r@abc",
        ),
        (
            'vcs = { type = "git", url = "https://h/r", commit-id = "abc", subdirectory = "s" }',
            "git+https://h/r@abc#subdirectory=s",
        ),
        (
            f'archive = {{ url = "https://h/t.zip", hashes = {{ sha256 = "{"b" * 64}" }} }}',
            "https://h/t.zip",
        ),
        ('directory = { path = "../t" }', "../t"),
        ('vcs = { type = "git", path = "../r", commit-id = "abc" }', "git+../r@abc"),
    ],
)
def test_what_comes_from_no_index_says_from_where(more: str, direct: str) -> None:
    build = export(Entry("2.9.1", (), registry=None, more=more)).build("torch", LINUX, "3.12")
    assert build is not None
    assert (build.direct, build.registry, build.is_missing) == (direct, None, False)


@pytest.mark.parametrize(
    "text", ["", "[", 'lock-version = "1.0"', 'packages = [{ version = "1" }]']
)
def test_what_is_no_pylock_is_uvs_fault(text: str) -> None:
    with pytest.raises(UvError):
        Export(text, "uv export")


@pytest.mark.parametrize(
    ("requires", "python", "refused"),
    [
        (">=3.11", "3.10", True),
        (">=3.11", "3.11", False),
        (">=3.11,<3.14.1", "3.14", False),
        (">=3.11,<3.14", "3.14", True),
        (">=3.11.12", "3.11", False),
        (">=3.11,!=3.12.*", "3.12", True),
        (">=3.11,!=3.12.9", "3.12", False),
        ("==3.12.4", "3.12", False),
    ],
)
def test_some_patch_of_a_python_is_what_the_lock_must_be_for(
    requires: str, python: str, *, refused: bool
) -> None:
    found = export(Entry("2.9.1", ("py3-none-any",)), head=f'requires-python = "{requires}"')
    refusal = found.refusal(LINUX, python)
    assert (refusal is not None) is refused
    assert refusal is None or refusal.startswith("the lockfile requires Python ")
    build = found.build("torch", LINUX, python)
    assert build is not None
    assert not build.is_missing or refused


def test_a_platform_outside_of_the_environments_is_refused_in_plain_words() -> None:
    head = "environments = [\"sys_platform == 'linux'\"]"
    found = export(Entry("2.9.1", ("py3-none-any",)), head=head)
    assert found.refusal(LINUX, "3.12") is None
    assert found.refusal(WINDOWS, "3.12") == (
        "`environments` excludes windows-x86_64 on Python 3.12"
    )
