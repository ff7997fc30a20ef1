"""How a target is spelled, and which one it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchconf.catalog import Catalog, load_catalog
from torchconf.errors import RequestError
from torchconf.model.backends import PYPI, Accelerator, parse_backend
from torchconf.model.target_spec import TargetSpec, parse_target_spec
from torchconf.model.targets import PLATFORMS, SHOWN_PLATFORMS, Platform, Target

CATALOG = load_catalog()


def wish(text: str, catalog: Catalog = CATALOG) -> TargetSpec:
    return parse_target_spec(text, catalog.vocabulary)


def spoken(text: str) -> str:
    """Return the platform's full name and the backend, or the accelerator to be resolved."""
    found = wish(text)
    assert found.text == text
    return (
        f"{found.platform.key} {found.backend.name if found.backend else found.accelerator + '?'}"
    )


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        # A bare system is its usual machine.
        ("linux-cpu", "linux-x86_64 cpu"),
        ("windows-cpu", "windows-x86_64 cpu"),
        ("macos-cpu", "macos-arm64 cpu"),
        # A machine can be named.
        ("linux-x86_64-cpu", "linux-x86_64 cpu"),
        ("linux-aarch64-cpu", "linux-aarch64 cpu"),
        ("windows-x86_64-cpu", "windows-x86_64 cpu"),
        ("windows-arm64-cpu", "windows-arm64 cpu"),
        ("macos-arm64-cpu", "macos-arm64 cpu"),
        ("macos-x86_64-cpu", "macos-x86_64 cpu"),
        # Usual spellings of systems and machines.
        ("win-cpu", "windows-x86_64 cpu"),
        ("win32-cpu", "windows-x86_64 cpu"),
        ("win64-cpu", "windows-x86_64 cpu"),
        ("darwin-cpu", "macos-arm64 cpu"),
        ("osx-cpu", "macos-arm64 cpu"),
        ("mac-cpu", "macos-arm64 cpu"),
        ("macosx-cpu", "macos-arm64 cpu"),
        ("manylinux-cpu", "linux-x86_64 cpu"),
        ("linux-amd64-cpu", "linux-x86_64 cpu"),
        ("linux-x64-cpu", "linux-x86_64 cpu"),
        ("linux-x86-64-cpu", "linux-x86_64 cpu"),
        ("linux-arm64-cpu", "linux-aarch64 cpu"),
        ("win-amd64-cu130", "windows-x86_64 cu130"),
        ("win_amd64-cu130", "windows-x86_64 cu130"),
        ("windows-aarch64-cpu", "windows-arm64 cpu"),
        ("darwin-aarch64-cpu", "macos-arm64 cpu"),
        ("osx-x64-cpu", "macos-x86_64 cpu"),
        # Any case, any kind of dash, blanks around.
        ("LINUX-CUDA", "linux-x86_64 cuda?"),
        ("Linux_x86_64_cu130", "linux-x86_64 cu130"),
        ("  linux-cpu ", "linux-x86_64 cpu"),
        # Backends.
        ("linux-cuda", "linux-x86_64 cuda?"),
        ("linux-cu130", "linux-x86_64 cu130"),
        ("linux-cuda13.0", "linux-x86_64 cu130"),
        ("linux-cuda-13.0", "linux-x86_64 cu130"),
        ("linux-cuda12.6", "linux-x86_64 cu126"),
        ("linux-aarch64-cuda13.0", "linux-aarch64 cu130"),
        ("windows-cu118", "windows-x86_64 cu118"),
        ("linux-rocm", "linux-x86_64 rocm?"),
        ("linux-rocm7.2", "linux-x86_64 rocm7.2"),
        ("linux-rocm6.2.4", "linux-x86_64 rocm6.2.4"),
        ("linux-xpu", "linux-x86_64 xpu"),
        ("windows-xpu", "windows-x86_64 xpu"),
        ("linux-pypi", "linux-x86_64 pypi"),
        ("macos-x86_64-pypi", "macos-x86_64 pypi"),
        ("macos-mps", "macos-arm64 cpu"),
    ],
)
def test_spelling_means_one_target(text: str, meant: str) -> None:
    assert spoken(text) == meant


@pytest.mark.parametrize(
    "text",
    [
        "", "-", "linux", "cuda", "cu130", "linux-", "-cuda", "linux--cuda", "linux-cu",
        "linux-cu13x", "linuxcuda", "linux cuda", "linux-gpu", "linux-nvidia", "linux-amd",
        "linux-cuda13.0.1", "linux-cpu1", "linux-xpu2", "linux-riscv64-cpu", "bsd-cpu",
        "linux-x86_64", "linux-mps", "windows-mps", "macos-cuda", "macos-rocm", "macos-xpu",
        "windows-rocm7.2", "linux-aarch64-rocm", "linux-aarch64-xpu", "windows-arm64-cu130",
        "windows-arm64-xpu", "linux-cu999", "linux-rocm99", "linux-cu130-cpu", "linux-cu130,cpu",
        "linux-x86_64-aarch64-cpu", "linux-cpu\nlinux-cpu",
        "\uff4cinux-cpu", "linux-cu\uff11\uff13\uff10",
    ],
)  # fmt: skip
def test_what_is_no_target_is_refused_with_a_way_on(text: str) -> None:
    with pytest.raises(RequestError) as caught:
        wish(text)
    assert caught.value.help
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("linus-cuda", "linux-cuda"),
        ("linxu-cpu", "linux-cpu"),
        ("widnows-cu130", "windows-cu130"),
        ("macso-cpu", "macos-cpu"),
        ("linux-cdua", "linux-cuda"),
        ("linux-aarch46-cpu", "linux-aarch64-cpu"),
        ("Linux-Romc", "linux-rocm"),
    ],
)
def test_typo_gets_a_guess(text: str, meant: str) -> None:
    with pytest.raises(RequestError) as caught:
        wish(text)
    assert caught.value.help == f"did you mean `{meant}`?"


def test_guess_can_be_had() -> None:
    for typo in ("macos-cudaa", "windows-rocmm", "linux-aarch64-rcom"):
        with pytest.raises(RequestError) as caught:
            wish(typo)
        guess = str(caught.value.help).split("`")[1]
        assert wish(guess), typo


@pytest.mark.parametrize("word", ["gpu", "nvidia", "amd", "intel"])
def test_word_of_two_meanings_lists_the_choices(word: str) -> None:
    with pytest.raises(RequestError, match="could mean more than one build") as caught:
        wish(f"windows-{word}")
    assert caught.value.help == (
        "say which: `windows-cpu`, `windows-cuda`, `windows-xpu` or `windows-rocm`"
    )


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("windows-rocm", "rocm-amd"),
        ("windows-rocm-amd", "rocm-amd"),
        ("linux-rocm-amd", "rocm-amd"),
        ("linux-rocm-gfx1151", "rocm-gfx1151"),
        ("win-gfx1151", "rocm-gfx1151"),
        ("windows-arm64-cu134", "cu134-nvidia"),
        ("linux-aarch64-jetson-cu126", "jetson-cu126"),
        ("linux-aarch64-jetson-cu130", "jetson-cu130"),
        ("linux-aarch64-jetson13.0", "jetson-cu130"),
        ("windows-arm64-cuda13.4", "cu134-nvidia"),
    ],
)
def test_what_pytorch_does_not_publish_is_the_build_of_others(text: str, meant: str) -> None:
    backend = wish(text).backend
    assert backend is not None
    assert backend.name == meant


@pytest.mark.parametrize(
    ("text", "accelerator"),
    [
        ("linux-rocm", "rocm"),  # PyTorch has it there.
        ("windows-cuda", "cuda"),
        ("windows-arm64-cuda", "cuda-nvidia"),
        ("linux-aarch64-jetson", "jetson"),
    ],
)
def test_a_word_for_several_builds_leaves_open_which(text: str, accelerator: str) -> None:
    assert (wish(text).accelerator, wish(text).backend) == (accelerator, None)


def test_every_platform_and_backend_of_the_catalog_has_one_spelling() -> None:
    checked = 0
    for platform in PLATFORMS:
        for backend in (*CATALOG.backends.values(), PYPI):
            if backend != PYPI and platform.key not in CATALOG.accelerator(backend).platforms:
                continue
            target = Target(platform, backend)
            found = wish(str(target))
            assert (found.platform, found.backend) == target
            assert wish(f"{platform.key}-{backend.name}")[:3] == found[:3]
            checked += 1
    assert checked > 80


@pytest.mark.parametrize(
    ("platform", "backend", "text"),
    [
        (Platform("linux", "x86_64"), "cu130", "linux-cu130"),
        (Platform("linux", "aarch64"), "cu130", "linux-aarch64-cu130"),
        (Platform("windows", "arm64"), "cpu", "windows-arm64-cpu"),
        (Platform("macos", "arm64"), "cpu", "macos-cpu"),
        (Platform("macos", "x86_64"), "cpu", "macos-x86_64-cpu"),
        (Platform("linux", "x86_64"), "rocm7.2", "linux-rocm7.2"),
    ],
)
def test_target_is_shown_short(platform: Platform, backend: str, text: str) -> None:
    assert str(Target(platform, CATALOG.backends[backend])) == text


@given(st.text(max_size=30) | st.from_regex(r"(linux|win|mac)[-_a-z0-9.]{0,20}", fullmatch=True))
def test_any_text_is_a_target_or_refused(text: str) -> None:
    try:
        found = wish(text)
    except RequestError:
        return  # `test_what_is_no_target_is_refused_with_a_way_on` looks at these
    assert found.platform in PLATFORMS
    if found.backend not in {None, PYPI}:
        assert found.platform.key in CATALOG.accelerator(found.backend or PYPI).platforms


# Platforms.


def test_markers_of_platforms_are_what_python_says_there() -> None:
    assert {platform.key: platform.environment() for platform in SHOWN_PLATFORMS} == {
        "linux-x86_64": environment("linux", "x86_64", "Linux", "posix"),
        "linux-aarch64": environment("linux", "aarch64", "Linux", "posix"),
        "windows-x86_64": environment("win32", "AMD64", "Windows", "nt"),
        "macos-arm64": environment("darwin", "arm64", "Darwin", "posix"),
    }
    assert Platform("windows", "arm64").platform_machine == "ARM64"


def environment(system: str, machine: str, name: str, os_name: str) -> dict[str, str]:
    return {
        "sys_platform": system,
        "platform_machine": machine,
        "platform_system": name,
        "os_name": os_name,
        "extra": "",
    }


# Backends.


@pytest.mark.parametrize(
    ("segment", "version", "title", "extra"),
    [
        ("cpu", (), "CPU", "cpu"),
        ("cu92", (9, 2), "CUDA 9.2", "cu92"),
        ("cu118", (11, 8), "CUDA 11.8", "cu118"),
        ("cu130", (13, 0), "CUDA 13.0", "cu130"),
        ("rocm7.2", (7, 2), "ROCm 7.2", "rocm7-2"),
        ("rocm6.2.4", (6, 2, 4), "ROCm 6.2.4", "rocm6-2-4"),
        ("rocm7.14", (7, 14), "ROCm 7.14", "rocm7-14"),
        ("xpu", (), "Intel XPU", "xpu"),
    ],
)
def test_backend_is_read_from_its_folder(
    segment: str, version: tuple[int, ...], title: str, extra: str
) -> None:
    backend = parse_backend(segment, CATALOG.accelerators)
    assert backend is not None
    assert (backend.name, backend.version, backend.title) == (segment, version, title)
    assert backend.extra == extra


@pytest.mark.parametrize(
    "segment", ["", "cu", "cu1", "rocm", "rocm7.", "cpux", "gpu", "whl", "cuda"]
)
def test_other_folders_are_no_backends(segment: str) -> None:
    assert parse_backend(segment, CATALOG.accelerators) is None


def test_accelerator_that_only_the_data_know_is_read() -> None:
    npu = Accelerator("npu", "NPU", "npu([0-9]+)", ("linux-x86_64",))
    backend = parse_backend("npu3", [npu])
    assert backend is not None
    assert (backend.accelerator, backend.version, backend.title) == ("npu", (3,), "NPU 3")
