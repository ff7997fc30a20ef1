"""This machine: what is read from recorded outputs, what is gathered, and which builds fit.

Each file of `machines/` holds what was found on one machine, as `torchconf.machine.ProbeResults`
has it, and what must be concluded from it.
"""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.recorded_machines import MACHINES, program, record
from torchconf.catalog import Catalog, load_catalog, validated
from torchconf.machine import (
    Gpu,
    Machine,
    ProbeResults,
    fits,
    machine_notes,
    needs,
    probe_machine,
    read_machine,
    this_machine,
)
from torchconf.machine.hardware import kfd_name, nvidia_version, parse_nvidia_smi, parse_rocminfo
from torchconf.machine.probe import LIMIT, Pci, ProcessOutput, ask
from torchconf.model.targets import PLATFORMS, Platform

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="programs are shell scripts")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="gathers what Linux has")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


# What is read.


@pytest.mark.parametrize("name", [path.stem for path in MACHINES])
def test_recorded_machine_is_understood(name: str, catalog: Catalog) -> None:
    clues, expected = record(name)
    machine = read_machine(clues)
    found = fits(machine, catalog)
    reasons = {str(fit.target): fit.reason for fit in found}
    assert (machine.platform.key if machine.platform else None) == expected.get("platform")
    assert machine.words == expected.get("words", machine.words)
    good = [str(fit.target) for fit in found if fit.fits]
    assert good == expected.get("fits", good)
    assert good[:1] == [expected["first"]] if "first" in expected else True
    assert {key: reasons[key] for key in expected.get("reasons", {})} == expected.get("reasons", {})
    assert list(machine_notes(machine, catalog)) == expected.get("remarks", [])
    levels = [gpu.level for hardware in machine.hardware for gpu in hardware.gpus]
    assert levels == expected.get("levels", levels)
    names = [gpu.name for hardware in machine.hardware for gpu in hardware.gpus]
    assert names == expected.get("names", names)


def test_every_kind_of_machine_is_recorded() -> None:
    assert len(MACHINES) > 50


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("550.144.03\n", "550.144.03"),
        ("580\n", "580"),
        (
            "NVRM version: NVIDIA UNIX Open Kernel Module  550.144.03  Mon Dec 30\nGCC  1.2  x\n",
            "550.144.03",
        ),
        ("NVRM version: NVIDIA UNIX x86_64 Kernel Module  470.1  Wed\n", "470.1"),
        ("", None),
        ("NVRM version: broken\n", None),
    ],
)
def test_driver_version_of_the_kernel_module(text: str, version: str | None) -> None:
    assert nvidia_version(text) == version


@pytest.mark.parametrize(
    ("text", "driver", "gpus"),
    [
        ("", None, []),
        ("No devices were found\n", None, []),
        ("driver_version, compute_cap, name\n560.1, 8.0, A\n", "560.1", [("A", "8.0")]),
        ("560.1, [N/A], NVIDIA A100, of sorts\n", "560.1", [("NVIDIA A100, of sorts", None)]),
        ("560.1, [Unknown Error], A\r\n\r\n", "560.1", [("A", None)]),
        ("560.1\n", "560.1", []),
        ("560.1,\n", "560.1", [("", None)]),
    ],
)
def test_lines_of_nvidia_smi(
    text: str, driver: str | None, gpus: list[tuple[str, str | None]]
) -> None:
    assert parse_nvidia_smi(text) == (driver, tuple(Gpu(*gpu) for gpu in gpus))


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (90000, "gfx900"), (90006, "gfx906"), (90010, "gfx90a"), (90402, "gfx942"),
        (90500, "gfx950"), (100300, "gfx1030"), (110001, "gfx1101"), (110501, "gfx1151"),
        (120001, "gfx1201"), (0, None),
    ],
)  # fmt: skip
def test_number_of_an_amd_gpu_is_its_name(number: int, name: str | None) -> None:
    assert kfd_name(f"simd_count 64\ngfx_target_version {number}\nlocation_id 768\n") == name


GARBAGE = st.text() | st.sampled_from(
    [
        "580.65, 9.0, NVIDIA H100\n", ", , ,", "9" * 5000, "\u0665.\u0661, x", "1\n1.2, 3.4,",
        "gfx_target_version 999999", "gfx_target_version 90010\x00", "Agent 1\n Name: gfx90a\n",
        "0x8086", "0x10DE", "PCI\\VEN_8086&DEV_56A0", "\ud800", "Linux", "Darwin", "Windows",
        "x86_64", "ARM64", "microsoft",
    ]
)  # fmt: skip
ANSWERS = st.none() | st.builds(ProcessOutput, st.none() | st.integers(-64, 255), GARBAGE, GARBAGE)
MANY = st.lists(GARBAGE, max_size=3).map(tuple)


@given(
    clues=st.builds(
        ProbeResults, GARBAGE, GARBAGE, GARBAGE, GARBAGE, GARBAGE, st.booleans(), GARBAGE, ANSWERS,
        st.dictionaries(
            st.sampled_from(
                [
                    "UV_CUDA_DRIVER_VERSION", "UV_AMD_GPU_ARCHITECTURE",
                    "HSA_OVERRIDE_GFX_VERSION",
                ]
            ),
            GARBAGE,
        ),
        ANSWERS, GARBAGE, GARBAGE, MANY, MANY, ANSWERS,
        st.lists(st.builds(Pci, GARBAGE, GARBAGE, GARBAGE), max_size=3).map(tuple), MANY,
        GARBAGE, GARBAGE, st.dictionaries(GARBAGE, GARBAGE), st.booleans(), MANY,
    )
)  # fmt: skip
def test_no_output_is_too_strange(clues: ProbeResults) -> None:
    catalog = load_catalog()
    machine = read_machine(clues)
    found = fits(machine, catalog)
    assert all(fit.reason for fit in found)
    assert all(isinstance(text, str) for text in machine_notes(machine, catalog))
    machine.data()


@given(text=GARBAGE)
def test_no_answer_is_too_strange(text: str) -> None:
    parse_nvidia_smi(text)
    list(parse_rocminfo(text))
    kfd_name(text)
    nvidia_version(text)


# What fits.


def with_nvidia(line: str, machine: str = "x86_64") -> Machine:
    return read_machine(
        ProbeResults(
            "Linux", machine, libc="glibc 2.39", nvidia_smi=ProcessOutput(0, f"{line}\n", "")
        )
    )


@pytest.mark.parametrize("key", [platform.key for platform in PLATFORMS])
def test_every_platform_has_a_build_without_a_gpu(key: str, catalog: Catalog) -> None:
    platform = next(known for known in PLATFORMS if known.key == key)
    machine = read_machine(ProbeResults())._replace(platform=platform)
    good = [fit for fit in fits(machine, catalog) if fit.fits]
    assert [fit.backend for fit in good] == [catalog.fallback]


def test_builds_that_fit_come_first_and_the_newest_of_them_before_the_others(
    catalog: Catalog,
) -> None:
    found = fits(with_nvidia("999.1, 9.0, NVIDIA H100"), catalog)
    assert [fit.fits for fit in found] == sorted((bool(fit.fits) for fit in found), reverse=True)
    lines = [fit.backend.version for fit in found if fit.fits and fit.current]
    assert lines[:-1] == sorted(lines[:-1], reverse=True)
    assert [fit.backend for fit in found if fit.fits][-1] == catalog.fallback


@given(older=st.integers(300, 700), newer=st.integers(300, 700))
def test_newer_driver_fits_whatever_an_older_one_does(older: int, newer: int) -> None:
    older, newer = sorted((older, newer))
    catalog = load_catalog()

    def good(driver: int) -> set[str]:
        found = fits(with_nvidia(f"{driver}.10, 8.6, NVIDIA A10"), catalog)
        return {fit.backend.name for fit in found if fit.fits}

    assert good(older) <= good(newer)


def test_every_build_for_nvidia_that_goes_on_has_its_needs_in_the_catalog(catalog: Catalog) -> None:
    ours = (b for b in catalog.vocabulary.current if not catalog.publisher_of(b))
    for backend in ours:
        maker = catalog.maker(backend.accelerator)
        for platform in PLATFORMS:
            if maker == "nvidia" and platform.key in catalog.accelerator(backend).platforms:
                assert catalog.drivers(backend)[platform.os]
                assert catalog.capability(backend, platform)
        # For which GPUs the torch of ROCm 7.14 is built, nobody has said.
        if maker == "amd" and not catalog.closure(backend):
            assert catalog.architectures(backend)


def test_line_without_known_needs_is_neither_refused_nor_recommended(catalog: Catalog) -> None:
    data = dict(catalog._data)
    data["backends"] = {**data["backends"], "cu130": {}, "rocm7.2": {}}
    changed = Catalog(validated(data, "there.json"))
    found = {fit.backend.name: fit for fit in fits(with_nvidia("999.1, 9.0, H100"), changed)}
    assert (found["cu130"].fits, found["cu130"].reason) == (
        None,
        "required driver unknown",
    )
    told = ProbeResults("Linux", "x86_64", variables={"UV_AMD_GPU_ARCHITECTURE": "gfx942"})
    amd = {fit.backend.name: fit.fits for fit in fits(read_machine(told), changed)}
    assert amd["rocm7.2"] is None


@pytest.mark.parametrize(
    ("backend", "platform", "words"),
    [
        ("cu130", "linux-x86_64", "driver 580 or newer, Turing and later"),
        ("cu130", "linux-aarch64", "driver 580 or newer, Ampere and later"),
        ("cu126", "linux-x86_64", "driver 525.60.13 or newer, Maxwell to Hopper"),
        ("cu126", "windows-x86_64", "driver 528.33 or newer, Maxwell to Hopper"),
        ("rocm7.2", "linux-x86_64", "AMD gfx900 to gfx1201"),
        ("xpu", "windows-x86_64", "Intel GPUs"),
        ("cpu", "linux-x86_64", "any machine"),
        ("cpu", "macos-arm64", "any Apple silicon, MPS included"),
    ],
)
def test_needs_of_a_build_in_a_few_words(
    backend: str, platform: str, words: str, catalog: Catalog
) -> None:
    os_name, machine = platform.split("-")
    assert needs(catalog.backends[backend], Platform(os_name, machine), catalog) == words


# What is gathered.


def file(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@LINUX
def test_files_and_programs_of_linux_are_found(tmp_path: Path) -> None:
    root = tmp_path / "root"
    file(root / "proc/sys/kernel/osrelease", "6.8.0-60-generic\n")
    file(root / "proc/driver/nvidia/version", "NVRM version: x  550.54.14  y\n")
    file(root / "proc/driver/nvidia/gpus/0000:01:00.0/information", "Model: \t NVIDIA A\n")
    file(root / "sys/module/nvidia/version", "550.54.14\n")
    for number, version in ((0, 0), (1, 110000), (10, 100306), (2, 90010)):
        node = root / f"sys/class/kfd/kfd/topology/nodes/{number}/properties"
        file(node, f"simd_count 1\ngfx_target_version {version}\n")
    display = root / "sys/bus/pci/devices/0000:03:00.0"
    file(display / "class", "0x030000\n")
    file(display / "vendor", "0x8086\n")
    file(display / "device", "0x56a0\n")
    file(root / "sys/bus/pci/drivers/xe/bind", "")
    (display / "driver").symlink_to("../../drivers/xe")
    other = root / "sys/bus/pci/devices/0000:04:00.0"
    file(other / "class", "0x020000\n")
    file(other / "vendor", "0x8086\n")
    file(root / "lib/ld-musl-x86_64.so.1", "")
    program(tmp_path / "bin/nvidia-smi", 'echo "550.54.14, 8.6, $1"')
    clues = probe_machine(str(root), {"PATH": str(tmp_path / "bin")})
    assert clues.kernel == "6.8.0-60-generic\n"
    assert clues.musl
    assert clues.pci == (Pci("0x8086", "0x56a0", "xe"),)
    assert clues.nvidia_smi == ProcessOutput(
        0, "550.54.14, 8.6, --query-gpu=driver_version,compute_cap,name\n", ""
    )
    machine = read_machine(clues)
    assert [hardware.maker for hardware in machine.hardware] == ["nvidia", "amd", "intel"]
    amd = machine.of("amd")
    assert amd is not None
    assert [gpu.level for gpu in amd.gpus] == ["gfx1100", "gfx90a", "gfx1036"]


@LINUX
def test_old_nvidia_smi_is_asked_again(tmp_path: Path) -> None:
    script = (
        'case "$1" in *compute_cap*)\n'
        "  echo 'Field \"compute_cap\" is not a valid field to query.'; exit 2;;\n"
        "esac\necho '470.182.03, Tesla K80'"
    )
    program(tmp_path / "bin/nvidia-smi", script)
    clues = probe_machine(str(tmp_path), {"PATH": str(tmp_path / "bin")})
    assert clues.nvidia_smi == ProcessOutput(0, "470.182.03, Tesla K80\n", "")


@LINUX
def test_tools_beside_path_are_found(tmp_path: Path) -> None:
    program(tmp_path / "usr/lib/wsl/lib/nvidia-smi", "echo 560.94, 8.9, NVIDIA A")
    program(tmp_path / "opt/rocm/bin/rocminfo", "printf 'Agent 1\\n  Name: gfx1100\\n'")
    clues = probe_machine(str(tmp_path), {"PATH": str(tmp_path / "none")})
    assert clues.nvidia_smi is not None
    assert clues.rocminfo is not None
    makers = [(hardware.maker, hardware.driver) for hardware in read_machine(clues).hardware]
    assert makers == [("nvidia", "560.94"), ("amd", None)]


@LINUX
def test_program_of_the_current_folder_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    program(tmp_path / "bin/nvidia-smi", "echo 560.94, 8.9, NVIDIA A")
    assert probe_machine(str(tmp_path), {"PATH": "bin"}).nvidia_smi is None


@LINUX
@pytest.mark.parametrize("name", ["UV_CUDA_DRIVER_VERSION", "UV_AMD_GPU_ARCHITECTURE"])
def test_what_uv_is_told_is_not_asked_for(name: str, tmp_path: Path) -> None:
    program(tmp_path / "bin/nvidia-smi", f"touch {tmp_path}/asked")
    clues = probe_machine(str(tmp_path), {"PATH": str(tmp_path / "bin"), name: "580"})
    assert clues.variables == {name: "580"}
    assert not (tmp_path / "asked").exists()


@LINUX
def test_names_of_devices_are_those_of_the_lists_that_the_system_has(tmp_path: Path) -> None:
    for number, (vendor, device, revision) in enumerate(
        [("1002", "1586", "d1"), ("1002", "744c", "ff"), ("8086", "e20b", "00")]
    ):
        display = tmp_path / f"sys/bus/pci/devices/0000:0{number}:00.0"
        file(display / "class", "0x038000\n")
        file(display / "vendor", f"0x{vendor}\n")
        file(display / "device", f"0x{device}\n")
        file(display / "revision", f"0x{revision}\n")
    assert probe_machine(str(tmp_path), {}).names == {}
    file(
        tmp_path / "usr/share/libdrm/amdgpu.ids",
        "# List\n1.0.0\n1586,\tC1,\tAMD Radeon 8050S Graphics\n"
        "1586,\tD1,\tAMD Radeon 8060S Graphics\n744C,\tC8,\tAMD Radeon RX 7900 XTX\n",
    )
    file(
        tmp_path / "usr/share/misc/pci.ids",
        "# List\n1002  Advanced Micro Devices, Inc. [AMD/ATI]\n"
        "\t1586  Strix Halo [Radeon Graphics]\n"
        "\t744c  Navi 31 [Radeon RX 7900 XT/7900 XTX]\n\t\t1002 0e3b  RX 7900 GRE\n"
        "8086  Intel Corporation\n\te20b  Battlemage G21 [Arc B580]\n\te20c  Other\n",
    )
    assert probe_machine(str(tmp_path), {}).names == {
        "1002:1586": "AMD Radeon 8060S Graphics",
        "1002:744c": "Radeon RX 7900 XT/7900 XTX",
        "8086:e20b": "Arc B580",
    }


@LINUX
@pytest.mark.parametrize(
    ("name", "text", "variables", "found"),
    [
        ("etc/hostname", "x", {}, False),
        ("proc/1/cgroup", "0::/init.scope\n", {}, False),
        ("proc/1/cgroup", "12:devices:/docker/0123456789ab\n", {}, True),
        ("proc/1/cgroup", "0::/kubepods.slice/x\n", {}, True),
        (".dockerenv", "", {}, True),
        ("run/.containerenv", "", {}, True),
        ("etc/hostname", "x", {"container": "podman"}, True),
        ("etc/hostname", "x", {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, True),
    ],
)
def test_container_is_told_by_its_marks(
    name: str, text: str, variables: dict[str, str], found: bool, tmp_path: Path
) -> None:
    file(tmp_path / name, text)
    assert probe_machine(str(tmp_path), variables).container is found


@LINUX
def test_device_nodes_of_gpus_are_found(tmp_path: Path) -> None:
    assert probe_machine(str(tmp_path), {}).nodes == ()
    for name in ("nvidiactl", "kfd", "dri/card0"):
        file(tmp_path / "dev" / name, "")
    assert probe_machine(str(tmp_path), {}).nodes == ("nvidiactl", "kfd")
    file(tmp_path / "dev/dri/renderD128", "")
    assert probe_machine(str(tmp_path), {}).nodes == ("nvidiactl", "kfd", "dri")


@LINUX
def test_empty_root_gives_no_clue(tmp_path: Path) -> None:
    clues = probe_machine(str(tmp_path / "none"), {})
    assert clues == ProbeResults("Linux", os.uname().machine, libc=clues.libc)


@POSIX
@pytest.mark.parametrize(
    "script",
    [
        "sleep 60",
        "sleep 60 & sleep 60",
        "trap '' TERM; sleep 60",
        "yes | head -c 3000000; sleep 60",
    ],
)
def test_process_that_does_not_answer_is_left(script: str, tmp_path: Path) -> None:
    program(tmp_path / "nvidia-smi", script)
    started = time.monotonic()
    said = ask([str(tmp_path / "nvidia-smi")], 0.2)
    assert time.monotonic() - started < 30
    assert said == ProcessOutput(None, "", "did not answer within 0.2 s")


@LINUX
def test_slow_tools_take_their_limit_and_no_more(tmp_path: Path) -> None:
    program(tmp_path / "nvidia-smi", "sleep 60")
    program(tmp_path / "rocminfo", "sleep 60")
    started = time.monotonic()
    clues = probe_machine(str(tmp_path), {"PATH": f"{tmp_path}:/usr/bin:/bin"}, limit=0.2)
    assert time.monotonic() - started < 30
    assert (
        clues.nvidia_smi == clues.rocminfo == ProcessOutput(None, "", "did not answer within 0.2 s")
    )
    assert LIMIT <= 2


@POSIX
@pytest.mark.parametrize("content", [b"", b"\x7fELF\x02\x01garbage", b"#!/no/such/program\n"])
def test_program_that_can_not_be_started_is_no_failure(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "nvidia-smi"
    path.write_bytes(content)
    path.chmod(0o755)
    said = ask([str(path)], LIMIT)
    assert said.status is None
    assert re.match("cannot be started: ", said.err)
    assert ask([str(tmp_path / "none")], LIMIT).status is None
    assert ask(["a\0b"], LIMIT).status is None


@POSIX
def test_output_that_is_no_text_is_read(tmp_path: Path) -> None:
    program(tmp_path / "tool", "printf '\\377\\376580'; printf '\\200' >&2; exit 3")
    assert ask([str(tmp_path / "tool")], LIMIT) == ProcessOutput(3, "\ufffd\ufffd580", "\ufffd")


def test_the_machine_of_the_tests_is_understood(catalog: Catalog) -> None:
    machine = this_machine()
    assert machine.platform in PLATFORMS
    assert fits(machine, catalog)
