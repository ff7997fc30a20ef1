"""Which torch serves all targets, with which backends, companions and Python: tables of choices."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from torchconf.catalog import Answer, load_catalog
from torchconf.errors import RequestError
from torchconf.model.target_spec import parse_target_spec
from torchconf.model.targets import PLATFORMS
from torchconf.planner.assess import COVERED, SEEN, SURE, UNKNOWN, Needs, ReleaseChoice, assess
from torchconf.planner.releases import choose_release

CATALOG = load_catalog()


def choose(
    targets: str,
    torch: str = "",
    companions: str = "",
    python: str | None = None,
    locked: str | None = None,
) -> ReleaseChoice:
    """Choose for targets and companions as one would type them: `torchvision<0.27 torchaudio`."""
    packages = {}
    for text in companions.split():
        name = text.rstrip("<>=!.0123456789")
        packages[name] = SpecifierSet(text.removeprefix(name))
    return choose_release(
        [parse_target_spec(text, CATALOG.vocabulary) for text in targets.split()],
        Needs(SpecifierSet(torch), packages, None if python is None else SpecifierSet(python)),
        CATALOG,
        None if locked is None else Version(locked),
    )


def spoken(choice: ReleaseChoice) -> str:
    """Return the release and the resolved targets."""
    return " ".join([str(choice.release), *map(str, choice.targets)])


@pytest.mark.parametrize(
    ("targets", "torch", "chosen"),
    [
        # The newest of which every wheel is known: of 2.14 and 2.15 the indexes were not read.
        ("linux-cpu", "", "2.13.0 linux-cpu"),
        ("linux-cu130", "", "2.13.0 linux-cu130"),
        ("macos-cpu", "", "2.13.0 macos-cpu"),
        # PyPI's listing is complete.
        ("linux-pypi macos-pypi", "", "2.15.0 linux-pypi macos-pypi"),
        ("linux-cu130 macos-pypi", "", "2.13.0 linux-cu130 macos-pypi"),
        # A line, or a platform, that has ended.
        ("linux-cu128 macos-cpu", "", "2.11.0 linux-cu128 macos-cpu"),
        ("linux-cu118", "", "2.7.1 linux-cu118"),
        ("macos-x86_64-cpu linux-cpu", "", "2.2.2 macos-x86_64-cpu linux-cpu"),
        # What is asked for.
        ("linux-cu130", "<2.13", "2.12.1 linux-cu130"),
        ("linux-cu130", ">=2.10,<2.12", "2.11.0 linux-cu130"),
        ("linux-cu126", "==2.9.*", "2.9.1 linux-cu126"),
        # A bare accelerator: the newest backend that all such targets share, for that torch.
        ("linux-cuda", "", "2.13.0 linux-cu132"),
        ("linux-cuda windows-cuda", "", "2.13.0 linux-cu132 windows-cu132"),
        ("linux-cuda linux-aarch64-cuda", "", "2.13.0 linux-cu132 linux-aarch64-cu132"),
        ("linux-cuda", ">=2.11,<2.12", "2.11.0 linux-cu130"),
        ("linux-cuda", "<2.5", "2.4.1 linux-cu124"),
        ("linux-rocm", "", "2.13.0 linux-rocm7.2"),
        ("linux-rocm", "<2.10", "2.9.1 linux-rocm6.4"),
        ("linux-rocm linux-cuda linux-cpu", "", "2.13.0 linux-rocm7.2 linux-cu132 linux-cpu"),
        # Two words for one target are one target.
        ("linux-cu130 linux-cuda13.0", "", "2.13.0 linux-cu130"),
    ],
)
def test_newest_release_that_serves_every_target(targets: str, torch: str, chosen: str) -> None:
    choice = choose(targets, torch)
    assert spoken(choice) == chosen
    assert (choice.certainty, choice.doubts) == (SURE, ())


@pytest.mark.parametrize(
    ("targets", "release"),
    [
        ("linux-cu130 windows-rocm-gfx1151", "2.11.0"),
        # Nobody has all of it: other publishers have few releases, so one that is named for them
        # comes before a newer one, and before one that only PyTorch is known to have.
        ("windows-arm64-cpu windows-rocm-gfx1151", "2.11.0"),
        ("linux-cu126 linux-aarch64-cu132 linux-rocm7.14", "2.14.1"),
    ],
)
def test_where_no_release_is_known_for_all_the_least_strange_is_taken(
    targets: str, release: str
) -> None:
    assert str(choose(targets).release) == release


@pytest.mark.parametrize(
    ("targets", "python", "release", "lowest"),
    [
        ("linux-cu130", None, "2.13.0", "3.10"),
        ("linux-cu118", None, "2.7.1", "3.9"),
        ("linux-pypi", None, "2.15.0", "3.11"),
        ("linux-cu130", ">=3.12", "2.13.0", "3.12"),
        ("linux-cu130", ">=3.14", "2.13.0", "3.14"),
        ("linux-cpu", ">=3.9", "2.8.0", "3.9"),
        ("linux-cpu", ">=3.8", "2.4.1", "3.8"),
        ("linux-cu118", ">=3.13", "2.7.1", "3.13"),
    ],
)
def test_release_serves_every_python_of_the_project(
    targets: str, python: str | None, release: str, lowest: str
) -> None:
    choice = choose(targets, python=python)
    assert (str(choice.release), choice.python) == (release, lowest)


@pytest.mark.parametrize(
    ("torch", "companions", "python", "chosen"),
    [
        # Of torchvision for cu132 the Pythons 3.10 and 3.11 were not seen, and are not missing.
        ("", "torchvision", None, "2.13.0 linux-cu132"),
        ("", "torchvision", ">=3.10", "2.13.0 linux-cu132"),
        # PyTorch builds 2.9.1 for every Python of its matrix, on every index.
        ("==2.9.1", "", ">=3.10", "2.9.1 linux-cu130"),
    ],
)
def test_a_python_that_nobody_saw_makes_no_backend_older(
    torch: str, companions: str, python: str | None, chosen: str
) -> None:
    choice = choose("linux-cuda", torch, companions, python)
    assert spoken(choice) == chosen
    assert choice.held_back == ()


def test_what_holds_an_accelerator_back_is_said() -> None:
    choice = choose("linux-cuda", companions="torchaudio")
    assert choice.held_back == (
        "`cuda` means cu130: the catalog has no torchaudio 2.11.0 for linux-cu132",
    )


def test_more_pythons_never_give_a_newer_torch() -> None:
    for target in ("linux-cpu", "linux-cu126", "windows-cpu", "macos-cpu"):
        releases = [choose(target, python=f">=3.{minor}").release for minor in (10, 11, 12, 13)]
        assert releases == sorted(filter(None, releases)), f"{target}: {releases}"


@pytest.mark.parametrize(
    ("targets", "companions", "chosen", "versions"),
    [
        ("linux-cu130", "torchvision", "2.13.0 linux-cu130", {"torchvision": "0.28.0"}),
        ("linux-cu130", "torchvision<0.27", "2.11.0 linux-cu130", {"torchvision": "0.26.0"}),
        # Not every torch has a torchaudio of its number.
        ("linux-cu130", "torchaudio", "2.13.0 linux-cu130", {"torchaudio": "2.11.0"}),
        ("macos-cpu", "torchaudio<2.11", "2.10.0 macos-cpu", {"torchaudio": "2.10.0"}),
        # A backend of which nothing is in doubt is better than a newer one.
        ("linux-cuda", "torchaudio", "2.13.0 linux-cu130", {"torchaudio": "2.11.0"}),
        (
            "linux-cu130 macos-cpu",
            "torchvision torchaudio",
            "2.13.0 linux-cu130 macos-cpu",
            {"torchvision": "0.28.0", "torchaudio": "2.11.0"},
        ),
    ],
)
def test_companions_match_the_torch(
    targets: str, companions: str, chosen: str, versions: dict[str, str]
) -> None:
    choice = choose(targets, companions=companions)
    assert spoken(choice) == chosen
    assert {name: str(version) for name, version in choice.companions.items()} == versions
    assert choice.doubts == ()


@pytest.mark.parametrize(
    ("locked", "torch", "release"),
    [
        ("2.12.0", "", "2.12.0"),
        ("2.9.1", "", "2.9.1"),
        ("2.12.0", ">=2.13", "2.13.0"),
        ("2.5.0", "", "2.13.0"),
        ("2.14.0", "", "2.13.0"),
        ("2.99.0", "", "2.13.0"),
    ],
    ids=[
        "it serves",
        "an old one serves as well",
        "the project wants another",
        "it has no cu130",
        "nobody knows whether it serves",
        "it is newer than the catalog",
    ],
)
def test_locked_release_is_kept_if_it_serves(locked: str, torch: str, release: str) -> None:
    assert str(choose("linux-cu130", torch, locked=locked).release) == release


@pytest.mark.parametrize(
    ("targets", "torch", "companions", "chosen", "certainty", "doubts"),
    [
        (
            "linux-cu130",
            ">=2.14",
            "",
            "2.14.0 linux-cu130",
            SEEN,
            ("torch on Python 3.10, 3.11, 3.14 for linux-cu130",),
        ),
        ("linux-cu130", ">=2.15", "", "2.15.0 linux-cu130", UNKNOWN, ("torch for linux-cu130",)),
        ("linux-cu130", ">=2.16", "", "None linux-cu130", UNKNOWN, ("any torch >=2.16",)),
        ("linux-cpu", ">=2.16.0.dev0", "", "None linux-cpu", UNKNOWN, ("any torch >=2.16.0.dev0",)),
        ("linux-cuda", ">=99", "", "None linux-cu132", UNKNOWN, ("any torch >=99",)),
        (
            "linux-cu132 macos-cpu",
            "",
            "torchaudio",
            "2.13.0 linux-cu132 macos-cpu",
            SURE,
            ("torchaudio 2.11.0 for linux-cu132",),
        ),
        (
            "linux-rocm7.2 linux-cu130",
            "",
            "torchao",
            "2.13.0 linux-rocm7.2 linux-cu130",
            SURE,
            ("torchao 0.18.0 for linux-rocm7.2, linux-cu130",),
        ),
        (
            "linux-rocm7.2 linux-cu130",
            "",
            "torchtext",
            "2.13.0 linux-rocm7.2 linux-cu130",
            SURE,
            ("torchtext for linux-rocm7.2, linux-cu130",),
        ),
    ],
)
def test_what_is_not_known_is_no_reason_to_refuse(
    targets: str, torch: str, companions: str, chosen: str, certainty: int, doubts: tuple[str, ...]
) -> None:
    choice = choose(targets, torch, companions)
    assert (spoken(choice), choice.certainty) == (chosen, certainty)
    assert tuple(doubt.text for doubt in choice.doubts) == doubts


@pytest.mark.parametrize(
    ("targets", "torch", "companions", "python"),
    [
        ("linux-cu130", "<2.9", "", None),
        ("linux-cu118", ">=2.8", "", None),
        ("linux-cu118", ">=2.16", "", None),
        ("linux-cu130 windows-cu118", "", "", None),
        ("macos-x86_64-cpu", ">=2.3", "", None),
        ("linux-cu130", "", "", ">=3.9"),
        ("linux-cu118", "", "", ">=3.14"),
        ("linux-cu130", "", "torchvision==0.99", None),
        ("linux-cu130", "", "torchvision<0.20", None),
        ("linux-cpu", "<1", "", None),
    ],
)
def test_what_is_known_to_be_missing_is_refused(
    targets: str, torch: str, companions: str, python: str | None
) -> None:
    with pytest.raises(RequestError) as caught:
        choose(targets, torch, companions, python)
    assert caught.value.help


@pytest.mark.parametrize(
    ("torch", "chosen"),
    [
        ("===2.13.0", "2.13.0 linux-cpu"),
        (">99", "None linux-cpu"),
        ("===99.0", "None linux-cpu"),
        (">=2.13,<99.5", "2.13.0 linux-cpu"),
        (">2.99,<99.5", "None linux-cpu"),
    ],
)
def test_a_release_that_is_newer_than_the_catalog_is_unknown(torch: str, chosen: str) -> None:
    choice = choose("linux-cpu", torch)
    assert spoken(choice) == chosen
    doubts = [doubt.text for doubt in choice.doubts]
    assert (choice.release is None) == (doubts == [f"any torch {SpecifierSet(torch)}"])


@pytest.mark.parametrize(
    ("targets", "torch", "chosen", "doubts"),
    [
        ("linux-cu113 windows-cu113", "==1.12.1", "1.12.1 linux-cu113 windows-cu113", ()),
        ("linux-cuda", "<1.10", "1.9.1 linux-cu111", ()),
        ("linux-rocm", "==1.9.1", "1.9.1 linux-rocm4.2", ()),
        ("linux-pypi", "==1.12.1", "1.12.1 linux-pypi", ()),
        ("linux-cu111 macos-x86_64-cpu", "==1.9.1", "1.9.1 linux-cu111 macos-x86_64-cpu", ()),
    ],
)
def test_an_old_release_is_for_who_asks_for_it(
    targets: str, torch: str, chosen: str, doubts: tuple[str, ...]
) -> None:
    choice = choose(targets, torch, python=">=3.8,<3.10")
    assert (spoken(choice), tuple(doubt.text for doubt in choice.doubts)) == (chosen, doubts)


@pytest.mark.parametrize("torch", ["==1.9.0", "==1.4.*"])
def test_an_old_release_that_a_backend_never_had_is_refused(torch: str) -> None:
    with pytest.raises(RequestError, match="linux-cu113") as caught:
        choose("linux-cu113", torch)
    assert caught.value.help


@pytest.mark.parametrize("torch", ["===nightly", "===2.13.0+cu999", ">=99,<2", "<0.1", "==0.1.*"])
def test_a_range_that_admits_nothing_is_refused(torch: str) -> None:
    with pytest.raises(RequestError, match="no torch release matches"):
        choose("linux-cpu", torch)


@settings(max_examples=50)
@given(
    st.lists(
        st.sampled_from(
            [
                "linux-cpu",
                "linux-cu126",
                "linux-cu130",
                "linux-aarch64-cu130",
                "windows-cu126",
                "windows-cpu",
                "macos-cpu",
                "linux-rocm7.2",
                "linux-rocm6.4",
                "linux-xpu",
                "linux-cu118",
                "macos-x86_64-cpu",
                "linux-cuda",
            ]
        ),
        min_size=1,
        max_size=4,
        unique=True,
    ),
    st.sampled_from(["", ">=2.9", "<2.12", "<2.8"]),
    st.sampled_from([None, ">=3.10", ">=3.12,<3.14"]),
)
def test_choice_has_what_it_says(targets: list[str], torch: str, python: str | None) -> None:
    try:
        choice = choose(" ".join(targets), torch, python=python)
    except RequestError:
        # Then every release misses something.
        specs = [parse_target_spec(text, CATALOG.vocabulary) for text in targets]
        needs = Needs(SpecifierSet(torch), {}, None if python is None else SpecifierSet(python))
        for release in CATALOG.releases:
            if release in needs.torch:
                assert assess(release, specs, needs, CATALOG).missing
        return
    assert choice.release is not None
    assert choice.release in SpecifierSet(torch)
    asked = None if python is None else SpecifierSet(python)
    pythons = CATALOG.supported_pythons(choice.release, asked)
    assert choice.python in pythons
    answers = {
        CATALOG.available("torch", choice.release, target.backend, target.platform, version)
        for target in choice.targets
        for version in pythons[pythons.index(choice.python or "") :]
    }
    assert Answer.NO not in answers
    assert (choice.certainty <= COVERED) or Answer.UNKNOWN in answers
    assert {target.platform for target in choice.targets} <= set(PLATFORMS)
