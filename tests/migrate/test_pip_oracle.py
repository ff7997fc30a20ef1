"""Requirements files as another reader understands them, and as nobody does.

pip-requirements-parser is pip's own parser, taken out of pip 22.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.markers import Marker
from pip_requirements_parser import RequirementsFile  # type: ignore[import-untyped] # as it is

from torchconf.errors import ProjectError
from torchconf.migrate.decode import decode
from torchconf.migrate.old import Bound, Include, LeftOut, Need, OldFile, OldIndex
from torchconf.migrate.pip_file import read_pip

Read = TypeVar("Read")
QUICK = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))

NAMES = st.sampled_from(["torch", "Torch_Vision", "a", "ruamel.yaml", "x-transformers", "zope.i-x"])
EXTRAS = st.sampled_from(["", "[cuda]", "[a,b]", " [a , b-c]"])
VERSIONS = st.sampled_from(
    ["1", "2.0", "1.13.1", "2.0.0.post1", "2.4.0rc1", "1!2.0", "2.1.0.dev20230801"]
)
CLAUSES = st.one_of(
    st.tuples(st.sampled_from([">=", "<=", ">", "<", "!=", "==", "~="]), VERSIONS)
    .filter(lambda clause: clause != ("~=", "1"))
    .map("".join),
    st.sampled_from(["==1.8.*", "!=1.8.*"]),
)
LABELLED = st.tuples(VERSIONS, st.sampled_from(["+cpu", "+cu121", "+rocm6.1"])).map("".join)
SPECIFIERS = st.one_of(
    st.just(""),
    CLAUSES,
    CLAUSES.map(" {}".format),
    VERSIONS.map("==={}".format),
    LABELLED.map("=={}".format),
    st.tuples(CLAUSES, CLAUSES).map(", ".join),
    st.tuples(CLAUSES, CLAUSES).map(",".join).map("({})".format),
)
MARKERS = st.sampled_from([
    "",
    " ; sys_platform == 'win32'",
    ' ; python_version >= "3.8" and (sys_platform == "linux" or os_name != "nt")',
    " ; platform_machine not in 'arm64 aarch64'",
])  # fmt: skip
BY_NAME = st.tuples(NAMES, EXTRAS, SPECIFIERS, MARKERS).map("".join)
URLS = st.sampled_from([
    "https://download.pytorch.org/whl/cu116/torch-1.13.1%2Bcu116-cp38-cp38-win_amd64.whl",
    "https://example.org/a/demo-1.0.tar.gz#sha256=00",
    "git+https://example.org/a/demo.git@v1.0",
    "git+ssh://git@example.org/a/demo.git@main#subdirectory=sub",
    "https://${USER}:${TOKEN}@example.org/demo-1.0.zip",
])  # fmt: skip
DIRECT = st.tuples(NAMES, st.sampled_from([" @ ", "@ "]), URLS, MARKERS).map("".join)
EGGS = st.tuples(URLS, NAMES).map(
    lambda pair: f"{pair[0]}{'&' if '#' in pair[0] else '#'}egg={pair[1]}"
)
EDITABLE = st.tuples(
    st.sampled_from(["-e ", "--editable ", "--editable="]),
    st.one_of(
        st.sampled_from([".", "./demo", ".[dev]"]), EGGS.filter(lambda url: url.startswith("git"))
    ),
).map("".join)
PLACES = st.sampled_from([
    "https://download.pytorch.org/whl/cu121",
    "https://example.org/${NAME}/simple",
    "./wheels",
    "https://a:b@example.org/simple/?x=1",
])  # fmt: skip
OPTIONS = st.one_of(
    st.tuples(
        st.sampled_from(
            ["-i ", "-i", "--index-url ", "--index-url=", "--extra-index-url ", "-f ", "-f"]
        ),
        st.one_of(PLACES, PLACES.map('"{}"'.format)),
    ).map("".join),
    st.tuples(
        st.sampled_from(["-r ", "-c", "--requirement=", "--constraint "]), st.just("b.txt")
    ).map("".join),
    st.sampled_from(
        ["--pre", "--no-index", "--prefer-binary", "--no-binary=:all:", "--only-binary a,b"]
    ),
    st.just("--trusted-host example.org --extra-index-url https://example.org"),
)
HASHED = BY_NAME.map(
    lambda line: f"{line} \\\n    --hash=sha256:{'0' * 64} \\\n    --hash=sha256:{'1' * 64}"
)
NOISE = st.sampled_from(["", "# a comment", "   # via torch", "#torch==1", "    "])
LINES = st.one_of(BY_NAME, DIRECT, EGGS, EDITABLE, OPTIONS, HASHED, NOISE)
FILES = st.tuples(
    st.lists(st.tuples(LINES, st.sampled_from(["", "  # why", " #"])).map("".join), max_size=12),
    st.sampled_from(["\n", "\r\n"]),
).map(lambda pair: pair[1].join("\n".join(pair[0]).split("\n")))

KINDS = {"index": "index_url", "extra": "extra_index_urls", "links": "find_links"}


def told_by_the_other(text: str) -> tuple[list[tuple[Any, ...]], list[tuple[str, str]]]:
    """Return the needs and the options that the other parser sees."""
    # Its own `from_string` lacks an import.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "requirements.txt")
        path.write_bytes(text.encode())
        file = RequirementsFile.from_file(str(path))
    assert file.invalid_lines == []
    needs = []
    for found in file.requirements:
        url = found.link.url if found.link else ""
        needs.append(
            (
                found.line_number,
                found.name or "",
                frozenset(found.extras),
                # That of an archive comes from its name.
                None if url else str(found.specifier or ""),
                str(Marker(str(found.marker))) if found.marker else "",
                url,
                found.is_editable,
            )
        )
    options = [
        (key, url)
        for line in file.options
        for key, value in line.options.items()
        for url in (
            [value] if isinstance(value, str) else value if isinstance(value, list) else [""]
        )
    ]
    return needs, sorted(options)


def values_of(value: object) -> list[str]:
    if isinstance(value, (list, set, frozenset, tuple)):
        return [",".join(sorted(value))] if isinstance(value, (set, frozenset)) else list(value)
    return [value if isinstance(value, str) else ""]


def told_by_ours(read: OldFile) -> tuple[list[tuple[Any, ...]], list[tuple[str, str]]]:
    needs: list[tuple[Any, ...]] = []
    options = []
    for item in read.items:
        match item:
            case Need():
                needs.append(
                    (
                        item.at.line,
                        item.name,
                        frozenset(item.extras),
                        None
                        if item.url or item.path
                        else f"{item.specifier}+{item.label}".rstrip("+"),
                        str(Marker(item.marker)) if item.marker else "",
                        item.url or item.path,
                        item.editable,
                    )
                )
            case OldIndex():
                options.append((KINDS[item.kind], item.url))
            case Include():
                key = "requirements" if item.kind == "needs" else "constraints"
                options.append((key, item.file))
            case LeftOut() if not item.text.startswith("--hash"):
                assert item.text.startswith("--"), item
                name, _, value = item.text[2:].replace("=", " ").partition(" ")
                key = name.replace("-", "_").replace("trusted_host", "trusted_hosts")
                options.append((key, value))
            case _:
                pass
    return needs, sorted(options)


def comparable(told: tuple[Any, ...]) -> tuple[Any, ...]:
    """Leave out what one of the two says in another way, or with more words."""
    line, name, extras, specifier, marker, url, editable = told
    if specifier is not None:
        specifier = frozenset(str(specifier).replace("===", "==").split(","))
    url, _, fragment = url.partition("#")
    kept = [part for part in fragment.split("&") if part and not part.startswith("egg=")]
    return line, name, extras, specifier, marker, url.removeprefix("./"), kept, editable


@given(text=FILES)
@QUICK
def test_pips_own_parser_says_the_same(text: str) -> None:
    theirs, their_options = told_by_the_other(text)
    ours, our_options = told_by_ours(read_pip("requirements.txt", text))
    assert [comparable(need) for need in ours] == [comparable(need) for need in theirs]
    assert our_options == their_options


PIECES = st.one_of(
    LINES,
    st.text(max_size=30),
    st.sampled_from(
        [
            "\\\n",
            "\\",
            " -",
            "--",
            "-e",
            "'",
            '"',
            "@",
            ";",
            "[",
            "#",
            "\0",
            "\ufffd",
            "=",
            "+",
            "${A}",
        ]
    ),
)


@given(st.lists(PIECES, max_size=20).map("".join), st.booleans())
@settings(QUICK, max_examples=60)
def test_any_text_is_read_or_refused(text: str, constraints: bool) -> None:
    read = read_or_refused(lambda: read_pip("requirements.txt", text, constraints=constraints))
    if read is None:
        return
    numbers = [item.at.line for item in read.items]
    assert all(1 <= number <= text.count("\n") + text.count("\r") + 1 for number in numbers)
    if constraints:
        assert not [item for item in read.items if isinstance(item, Need) and not item.editable]
        assert all(item.name for item in read.items if isinstance(item, Bound))


@given(st.binary(max_size=300))
@settings(QUICK, max_examples=60)
def test_any_bytes_are_a_text_or_refused(content: bytes) -> None:
    text = read_or_refused(lambda: decode("requirements.txt", content))
    assert text is None or "\r" not in text


def read_or_refused(read: Callable[[], Read]) -> Read | None:
    """Return what was read; None where a `ProjectError` says where and what to do."""
    try:
        return read()
    except ProjectError as refused:
        error = refused
    assert error.at
    assert error.help
    return None


@pytest.mark.parametrize(
    "piece",
    [
        "torch==2.1\n", " ", "\\\n", "a ", "-f x ", "--hash=sha256:0 ", "'", "torch;", "#", "\t#",
        "(", "[", "@", "=", "==1,", "# via a\n", "#   a\n", "\\", "-e ", "a/", "%20", "${A}",
        "git+", "--", "+", ".whl", "torch @ https://a/", " ;", "\ufeff", "\0",
    ],
)  # fmt: skip
def test_time_grows_with_the_text(piece: str) -> None:
    def seconds(count: int) -> float:
        text = f"torch==1\ntorch{piece * count}\n# via x\n"
        started = time.thread_time()
        try:
            read_pip("requirements.txt", text)
            read_pip("requirements.txt", text.removeprefix("torch==1\ntorch"))
        except ProjectError:
            pass
        return time.thread_time() - started

    # Eight times the text: 64 times the time would be a square.
    small, large = (min(seconds(count) for _ in range(3)) for count in (250, 2000))
    assert large < 25 * small + 0.02
