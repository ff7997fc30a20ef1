"""Files: finding, reading and replacing them, and every way in which that can fail."""

from __future__ import annotations

import ast
import errno
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import textwrap
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.projects import Demo
from torchconf import files
from torchconf.errors import ProjectError, WriteRefused
from torchconf.files import (
    find_project,
    litter,
    project_file,
    read_file,
    replace,
    replace_all,
    replacing,
    sweep,
    unified_diff,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

posix = pytest.mark.skipif(os.name == "nt", reason="made of what Windows does not have")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "pyproject.toml"
    path.write_bytes(b"old = 1\n")
    return path


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


# Nothing changes.


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"a = 1",
        b"a = 1\n",
        b"a = 1\r\nb = 2\n\r\n",
        b"\xef\xbb\xbfa = 1\r\n",
        b"\xef\xbb\xbf",
        "# \u2028 \x85 \x0c é\n".encode(),
    ],
)
def test_a_text_that_is_put_back_gives_the_same_bytes(raw: bytes, path: Path) -> None:
    path.write_bytes(raw)
    file = read_file(path)
    before = path.stat()

    assert file.encode(file.text) == raw
    assert not file.text.startswith("\ufeff")
    assert replace(file, file.text).raw == raw
    assert path.stat() == before, "what is the same is not written"
    replace(file, file.text + "z = 1\n")
    assert path.read_bytes() == raw + b"z = 1\n"
    assert names(path.parent) == [path.name]


def test_half_a_character_is_refused(path: Path) -> None:
    with pytest.raises(WriteRefused, match=r"not valid Unicode: '\\udce9'"):
        replace(read_file(path), "a = 'caf\udce9'\n")
    assert path.read_bytes() == b"old = 1\n"


# Finding.


def test_the_nearest_project_is_found(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "pyproject.toml").touch()
    assert find_project(inner) == str(tmp_path / "pyproject.toml")
    (tmp_path / "a" / "pyproject.toml").touch()
    assert find_project(inner) == str(tmp_path / "a" / "pyproject.toml")
    (inner / "pyproject.toml").symlink_to("nowhere")
    with pytest.raises(ProjectError, match="broken symlink"):
        read_file(find_project(inner))


def test_no_project_is_an_error_that_names_the_next_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os.path, "lexists", lambda _: False)
    with pytest.raises(ProjectError, match=r"no `pyproject\.toml`") as caught:
        find_project(tmp_path)
    assert caught.value.at == str(tmp_path)
    assert "torchconf init" in str(caught.value.help)


def test_a_folder_that_was_named_is_taken(tmp_path: Path) -> None:
    assert project_file(tmp_path) == str(tmp_path / "pyproject.toml")
    assert project_file(tmp_path / "pyproject.toml") == str(tmp_path / "pyproject.toml")
    with pytest.raises(ProjectError, match="no such folder"):
        project_file(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(ProjectError, match="not a folder"):
        project_file(tmp_path / "file")


# Reading.


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="no such file"):
        read_file(tmp_path / "pyproject.toml")
    file = read_file(tmp_path / "pyproject.toml", may_be_missing=True)
    assert (file.text, file.raw) == ("", None)


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="a folder, not a file"):
        read_file(tmp_path)
    with pytest.raises(ProjectError, match="a folder, not a file"):
        read_file(tmp_path, may_be_missing=True)


@posix
def test_a_pipe_or_a_device_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pyproject.toml")
    for path in (tmp_path / "pyproject.toml", "/dev/null"):
        with pytest.raises(ProjectError, match="not a regular file"):
            read_file(path)


@posix
def test_links_that_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    with pytest.raises(ProjectError, match="broken symlink"):
        read_file(tmp_path / "a", may_be_missing=True)
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(ProjectError, match="symlink loop"):
        read_file(tmp_path / "a")


@pytest.mark.parametrize(
    ("raw", "message", "at"),
    [
        (b"a = 1\nb = 'caf\xe9'\n", "byte 0xe9", "line 2"),
        (b"\xef\xbb\xbfa = 1\n\n\xff", "byte 0xff", "line 3"),
        ("a = 1\n".encode("utf-16"), "it is UTF-16", "pyproject.toml"),
        (b"a = 1\nb = '\0'", "NUL byte", "line 2"),
        (b"a = '\xed\xa0\x80'", "byte 0xed", "line 1"),
    ],
)
def test_what_is_no_text_is_named_with_its_line(
    raw: bytes, message: str, at: str, path: Path
) -> None:
    path.write_bytes(raw)
    with pytest.raises(ProjectError, match=message) as caught:
        read_file(path)
    assert str(caught.value.at).endswith(at)
    assert path.read_bytes() == raw


def failing(number: int) -> Any:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def test_no_permission_to_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.open", failing(errno.EACCES))
    with pytest.raises(ProjectError, match="permission denied"):
        read_file(path)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users may enter: pytest's own are closed to them."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)
        Path(name).chmod(0o755)


@contextmanager
def unprivileged() -> Iterator[None]:
    """Be nobody for a while, where the tests run as root, who may do everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@posix
def test_no_permission_to_read_for_real(open_folder: Path) -> None:
    path = open_folder / "pyproject.toml"
    path.touch()
    path.chmod(0)
    with unprivileged(), pytest.raises(ProjectError, match="permission denied"):
        read_file(path)


# Replacing.


@posix
@pytest.mark.parametrize("mode", [0o644, 0o600, 0o755, 0o664, 0o200])
def test_the_mode_stays(mode: int, path: Path) -> None:
    file = read_file(path)
    path.chmod(mode)
    os.access(path, os.R_OK) or pytest.skip("only root reads what it wrote here")
    replace(file, "new = 1\n")
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert path.read_bytes() == b"new = 1\n"


@posix
def test_a_new_file_has_the_usual_mode(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        replace(read_file(tmp_path / "pyproject.toml", may_be_missing=True), "a = 1\n")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "pyproject.toml").stat().st_mode) == 0o640


@posix
def test_the_owner_stays(path: Path) -> None:
    if os.geteuid() == 0:
        os.chown(path, 12345, 54321)
    before = path.stat()
    replace(read_file(path), "new = 1\n")
    assert (path.stat().st_uid, path.stat().st_gid) == (before.st_uid, before.st_gid)


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="only Linux has them in `os`")
def test_extended_attributes_stay(path: Path) -> None:
    try:
        os.setxattr(path, "user.note", b"mine")
    except OSError:
        pytest.skip("this file system has none")
    replace(read_file(path), "new = 1\n")
    assert os.getxattr(path, "user.note") == b"mine"


def test_an_owner_that_cannot_be_kept_is_no_reason_to_fail(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "chown", failing(errno.EPERM), raising=False)
    monkeypatch.setattr(os, "listxattr", failing(errno.ENOTSUP), raising=False)
    replace(read_file(path), "new = 1\n")
    assert path.read_bytes() == b"new = 1\n"


@posix
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "file").write_text("old = 1\n")
    (tmp_path / "middle").symlink_to("real/file")
    link = tmp_path / "pyproject.toml"
    link.symlink_to("middle")

    replace(read_file(link), "new = 1\n")
    assert os.readlink(link) == "middle"
    assert (tmp_path / "real" / "file").read_text() == "new = 1\n"
    assert names(tmp_path / "real") == ["file"]


@posix
def test_a_link_that_leads_elsewhere_now(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_text("old = 1\n")
    link = tmp_path / "pyproject.toml"
    link.symlink_to("a")
    file = read_file(link)
    link.unlink()
    link.symlink_to("b")
    with pytest.raises(WriteRefused, match="symlink target has changed"):
        replace(file, "new = 1\n")


@posix
def test_a_file_with_two_names_is_refused_and_keeps_them(path: Path) -> None:
    other = path.with_name("other")
    os.link(path, other)
    with pytest.raises(WriteRefused, match="2 hard links") as caught:
        replace(read_file(path), "new = 1\n")
    assert caught.value.help
    assert os.path.samefile(path, other)
    assert path.read_bytes() == b"old = 1\n"


def test_a_read_only_file_is_refused(path: Path) -> None:
    path.chmod(0o444)
    with pytest.raises(WriteRefused, match="read-only") as caught:
        replace(read_file(path), "new = 1\n")
    assert caught.value.at == str(path)
    assert caught.value.help
    assert path.read_bytes() == b"old = 1\n"
    path.chmod(0o644)


@posix
def test_a_read_only_folder_is_refused(open_folder: Path) -> None:
    path = open_folder / "pyproject.toml"
    path.write_bytes(b"old = 1\n")
    path.chmod(0o666)
    open_folder.chmod(0o555)
    with unprivileged():
        with pytest.raises(WriteRefused, match="permission denied") as caught:
            replace(read_file(path), "new = 1\n")
        assert str(open_folder) in str(caught.value.help)
        with pytest.raises(WriteRefused, match="permission denied"):
            replace(read_file(path.with_name("new"), may_be_missing=True), "new = 1\n")
    assert path.read_bytes() == b"old = 1\n"


@posix
def test_the_file_of_another_user_is_refused(open_folder: Path) -> None:
    # The folder would allow to replace it; the file says no.
    path = open_folder / "pyproject.toml"
    path.write_bytes(b"old = 1\n")
    open_folder.chmod(0o777)
    if os.geteuid() != 0:
        pytest.skip("only root can make a file of another user")
    script = (
        # What is imported late must be there before: the other user may not read this Python.
        "import fcntl, os, signal, sys, threading; sys.path.insert(0, sys.argv[1]);"
        "from torchconf.files import *; os.setuid(65534);"
        "file = read_file(sys.argv[2]); replace(file, 'new = 1')"
    )
    root = str(Path(files.__file__).parents[2])
    command = [sys.executable, "-c", script, root, str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "the file is read-only" in run.stderr
    assert path.read_bytes() == b"old = 1\n"


@posix
@pytest.mark.skipif(not shutil.which("unshare"), reason="needs a mount of its own")
def test_a_read_only_file_system_is_refused_for_real(path: Path) -> None:
    # Also for root: a tmpfs that is remounted read-only, in a mount namespace that ends with it.
    done = run_in_mount(path.parent, "remount,ro", "-n 1")
    assert "read-only" in done
    assert path.read_bytes() == b"old = 1\n"


@posix
@pytest.mark.skipif(not shutil.which("unshare"), reason="needs a mount of its own")
def test_a_full_disk_is_refused_for_real(path: Path) -> None:
    done = run_in_mount(path.parent, "remount,size=64k", "-n 1000000")
    assert "no space left" in done
    assert "['pyproject.toml']" in done, "no litter"
    assert "old = 1" in done, "and the old file"


def run_in_mount(folder: Path, options: str, more: str) -> str:
    """Replace a file on a small disk of its own, and return what was printed."""
    script = textwrap.dedent(
        f"""
        import os, sys
        from torchconf.errors import WriteRefused
        from torchconf.files import *
        file = read_file("pyproject.toml")
        os.system("mount -o {options} tmpfs .")
        try:
            replace(file, "x" * int("{more}".split()[1]))
        except WriteRefused as error:
            print(repr(error), os.listdir(), open("pyproject.toml").read())
        """
    )
    shell = (
        'mount -t tmpfs tmpfs "$0" && cd "$0" && echo "old = 1" > pyproject.toml && "$1" -c "$2"'
    )
    command = ["unshare", "-rm", "sh", "-c", shell, str(folder), sys.executable, script]
    environment = {**os.environ, "PYTHONPATH": str(Path(files.__file__).parents[2])}
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if "mount:" in run.stderr or "unshare" in run.stderr:
        pytest.skip(f"no mounts here: {run.stderr.strip()}")
    assert not run.stderr
    return run.stdout


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: path.write_bytes(b"theirs = 1\n"), "has changed"),
        (lambda path: path.write_bytes(b"old = 1"), "has changed"),
        (lambda path: path.unlink(), "has been deleted"),
        (lambda path: shutil.rmtree(path.parent), "has been deleted"),
        (lambda path: (path.unlink(), path.mkdir()), "has changed"),
    ],
    ids=["other text", "one byte less", "no file", "no folder", "a folder"],
)
def test_a_file_that_changed_meanwhile_is_left_alone(change: Any, message: str, path: Path) -> None:
    file = read_file(path)
    change(path)
    after = path.read_bytes() if path.is_file() else None
    with pytest.raises(WriteRefused, match=message) as caught:
        replace(file, "new = 1\n")
    assert caught.value.help
    assert (path.read_bytes() if path.is_file() else None) == after


def test_a_change_while_we_write_is_noticed_too(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = read_file(path)
    real = os.fsync

    def fsync(number: int) -> None:
        path.write_bytes(b"theirs = 1\n")
        real(number)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(WriteRefused, match="has changed"):
        replace(file, "new = 1\n")
    assert path.read_bytes() == b"theirs = 1\n"
    assert names(path.parent) == [path.name]


def test_the_same_bytes_written_again_are_no_change(path: Path) -> None:
    file = read_file(path)
    path.write_bytes(b"old = 1\n")
    replace(file, "new = 1\n")
    assert path.read_bytes() == b"new = 1\n"


@pytest.mark.parametrize("call", ["open", "write", "fsync", "chmod", "replace"])
@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.EACCES, "permission denied"),
        (errno.EPERM, "permission denied"),
        (errno.ENOSPC, "no space left"),
        (errno.EROFS, "the file system is read-only"),
        (errno.EIO, "input/output error"),
        (errno.ENOENT, "no such file or folder"),
    ],
)
def test_any_failure_leaves_the_old_file_and_no_litter(
    call: str, number: int, message: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = read_file(path)
    with monkeypatch.context() as patch:
        if call == "write":
            patch.setattr(replacing, "open", full_disk(number), raising=False)
        else:
            patch.setattr(os, call, failing(number))
        with pytest.raises(WriteRefused, match=message) as caught:
            replace(file, "new = 1\n")
    assert caught.value.at == str(path)
    assert caught.value.help
    assert path.read_bytes() == b"old = 1\n"
    assert names(path.parent) == [path.name]


def full_disk(number: int) -> Any:
    def fail(file: Any, mode: str) -> Any:
        if mode == "wb":
            os.close(file)
            raise OSError(number, os.strerror(number))
        return open(file, mode)

    return fail


def test_what_another_program_has_open_on_windows(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sharing_violation(*_: object) -> None:
        error = PermissionError(errno.EACCES, "the process cannot access the file")
        error.winerror = 32  # type: ignore[attr-defined,unused-ignore]  # only Windows has it
        raise error

    monkeypatch.setattr(os, "replace", sharing_violation)
    with pytest.raises(WriteRefused, match="another program has it open"):
        replace(read_file(path), "new = 1\n")
    assert names(path.parent) == [path.name]


@pytest.mark.parametrize("call", ["fsync", "replace", "chmod"])
def test_an_interrupt_leaves_the_old_file_and_no_litter(
    call: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, call, interrupt)
    with pytest.raises(KeyboardInterrupt):
        replace(read_file(path), "new = 1\n")
    assert path.read_bytes() == b"old = 1\n"
    assert names(path.parent) == [path.name]


# The moment between the last look and the rename.


@posix
def test_an_edit_after_the_last_look_gets_its_place_back(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.replace

    def replace_late(*args: Any) -> None:
        if "-new" in args[0]:
            path.write_bytes(b"theirs = 1\n")
        real(*args)

    monkeypatch.setattr(os, "replace", replace_late)
    with pytest.raises(WriteRefused, match="the file has changed since it was read"):
        replace(read_file(path), "new = 1\n")
    assert path.read_bytes() == b"theirs = 1\n"
    assert names(path.parent) == [path.name]


@pytest.mark.parametrize("error", [OSError(errno.EPERM, "no links"), NotImplementedError()])
def test_without_hard_links_a_copy_keeps_the_old_file(
    error: Exception, two: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise error

    monkeypatch.setattr(os, "link", no_links)
    replace_all((read_file(path), "new = 1\n") for path in two)
    assert [path.read_bytes() for path in two] == [b"new = 1\n"] * 2
    real = os.replace

    def second_fails(*args: Any) -> None:
        if args[1] == str(two[1]) and "-new" in args[0]:
            raise OSError(errno.EIO, "broken")
        real(*args)

    monkeypatch.setattr(os, "replace", second_fails)
    with pytest.raises(WriteRefused):
        replace_all((read_file(path), "newer = 1\n") for path in two)
    assert [path.read_bytes() for path in two] == [b"new = 1\n"] * 2
    assert names(two[0].parent) == sorted({each.name for each in two[0].parent.iterdir()})
    assert not [name for name in names(two[0].parent) if "torchconf" in name]


@posix
def test_two_runs_never_write_to_one_folder_at_once(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = read_file(path)
    litter_of_theirs = path.with_name(".pyproject.toml.1-0-old.torchconf")
    litter_of_theirs.write_text("theirs")
    os.utime(litter_of_theirs, (0, 0))
    with litter.locked([str(path.parent)]):
        sweep(str(path.parent))
        assert litter_of_theirs.exists(), "another run is using it"
        monkeypatch.setattr(litter, "_PATIENCE", 0.05)
        with pytest.raises(WriteRefused, match="another run of torchconf is writing"):
            replace(file, "new = 1\n")
    assert path.read_bytes() == b"old = 1\n"
    replace(file, "new = 1\n")
    assert path.read_bytes() == b"new = 1\n"


@posix
def test_of_many_runs_at_once_none_is_lost(path: Path) -> None:
    script = textwrap.dedent(
        """
        import sys
        from torchconf.errors import WriteRefused
        from torchconf.files import *
        for number in range(20):
            while True:
                try:
                    file = read_file("pyproject.toml")
                    replace(file, file.text + f"{sys.argv[1]}-{number} = 1\\n")
                    break
                except WriteRefused:
                    pass
        """
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(files.__file__).parents[2])}
    started = [
        subprocess.Popen([sys.executable, "-c", script, name], cwd=path.parent, env=environment)
        for name in "abc"
    ]
    assert [each.wait() for each in started] == [0, 0, 0]
    lines = path.read_text().splitlines()
    assert sorted(lines[1:]) == sorted(f"{name}-{n} = 1" for name in "abc" for n in range(20))
    assert names(path.parent) == [path.name]


# New files.


def test_a_new_file_is_made(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    file = replace(read_file(path, may_be_missing=True), "a = 1\n")
    assert path.read_bytes() == b"a = 1\n"
    assert path.stat().st_nlink == 1
    assert names(tmp_path) == [path.name]
    replace(file, "b = 1\n")
    assert path.read_bytes() == b"b = 1\n"


def test_an_empty_file_is_made_too(tmp_path: Path) -> None:
    replace(read_file(tmp_path / "pyproject.toml", may_be_missing=True), "")
    assert names(tmp_path) == ["pyproject.toml"]


def test_a_file_that_appeared_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    file = read_file(path, may_be_missing=True)
    path.write_bytes(b"theirs = 1\n")
    with pytest.raises(WriteRefused, match="has been created"):
        replace(file, "a = 1\n")
    assert path.read_bytes() == b"theirs = 1\n"
    assert names(tmp_path) == [path.name]


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_appears_at_the_last_moment_is_not_overwritten(
    links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pyproject.toml"
    file = read_file(path, may_be_missing=True)
    real = os.link

    def link(*args: Any) -> None:
        path.write_bytes(b"theirs = 1\n")
        if not links:
            raise OSError(errno.EPERM, "no hard links here")
        real(*args)

    monkeypatch.setattr(os, "link", link)
    with pytest.raises(WriteRefused, match="has been created"):
        replace(file, "a = 1\n")
    assert path.read_bytes() == b"theirs = 1\n"
    assert names(tmp_path) == [path.name]


def test_a_new_file_where_there_are_no_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", failing(errno.EPERM))
    replace(read_file(tmp_path / "pyproject.toml", may_be_missing=True), "a = 1\n")
    assert names(tmp_path) == ["pyproject.toml"]


def test_a_new_file_in_a_folder_that_is_gone(tmp_path: Path) -> None:
    file = read_file(tmp_path / "a" / "pyproject.toml", may_be_missing=True)
    with pytest.raises(WriteRefused, match="no such file or folder"):
        replace(file, "a = 1\n")


# Two files.


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    paths = tmp_path / "pyproject.toml", tmp_path / "member" / "pyproject.toml"
    paths[1].parent.mkdir()
    for path in paths:
        path.write_bytes(b"old = 1\n")
    return paths


def everything(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_two_files_are_replaced(two: tuple[Path, Path], tmp_path: Path) -> None:
    done = replace_all((read_file(path), f"new = {n}\n") for n, path in enumerate(two))
    assert [path.read_bytes() for path in two] == [b"new = 0\n", b"new = 1\n"]
    assert [file.text for file in done] == ["new = 0\n", "new = 1\n"]
    assert len(everything(tmp_path)) == 2


@pytest.mark.parametrize("second_is_new", [False, True])
def test_if_the_second_cannot_be_replaced_the_first_is_put_back(
    second_is_new: bool, two: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if second_is_new:
        two[0].unlink()
    before = everything(tmp_path)
    changes = [(read_file(path, may_be_missing=True), "new = 1\n") for path in two]
    real = os.replace
    left = [*range(0 if second_is_new else 1)]

    def replace_once(*args: Any) -> None:
        if not left and "-new" in str(args[0]):
            raise OSError(errno.ENOSPC, "full")
        if "-new" in str(args[0]):
            left.pop()
        real(*args)

    monkeypatch.setattr(os, "replace", replace_once)
    with pytest.raises(WriteRefused, match="no space left") as caught:
        replace_all(changes)
    assert caught.value.at == str(two[1])
    assert everything(tmp_path) == before


@pytest.mark.parametrize("number", [0, 1])
def test_if_one_cannot_even_be_prepared_none_is_touched(
    number: int, two: tuple[Path, Path], tmp_path: Path
) -> None:
    changes = [(read_file(path), "new = 1\n") for path in two]
    two[number].write_bytes(b"theirs = 1\n")
    before = everything(tmp_path)
    with pytest.raises(WriteRefused, match="has changed"):
        replace_all(changes)
    assert everything(tmp_path) == before


def test_an_interrupt_between_two_puts_the_first_back(
    two: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(tmp_path)
    changes = [(read_file(path), "new = 1\n") for path in two]
    real = os.replace
    calls = []

    def interrupted(*args: Any) -> None:
        real(*args)
        calls.append(args)
        if len(calls) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        replace_all(changes)
    assert everything(tmp_path) == before


def test_if_it_cannot_be_put_back_its_old_content_is_kept_and_named(
    two: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = [(read_file(path), "new = 1\n") for path in two]
    real = os.replace
    calls = []

    def fail_later(*args: Any) -> None:
        calls.append(args)
        if len(calls) > 1:
            raise OSError(errno.EIO, "broken")
        real(*args)

    monkeypatch.setattr(os, "replace", fail_later)
    with pytest.raises(WriteRefused, match="not be restored") as caught:
        replace_all(changes)
    kept = str(caught.value.help).split("`")[1]
    sweep(str(Path(kept).parent))
    assert Path(kept).read_bytes() == b"old = 1\n"


# Litter.


def test_what_a_killed_run_left_is_swept_up(path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    litter = path.with_name(f".pyproject.toml.{ended.pid}-0-new.torchconf")
    own = path.with_name(f".pyproject.toml.{os.getpid()}-0-new.torchconf")
    running = path.with_name(f".pyproject.toml.{os.getppid()}-0-new.torchconf")
    old = path.with_name(f".pyproject.toml.{os.getppid()}-1-new.torchconf")
    odd = path.with_name(".pyproject.toml.notes.torchconf")
    for each in (litter, own, running, old, odd):
        each.write_text("half")
    os.utime(old, (0, 0))
    replace(read_file(path), "new = 1\n")
    assert not litter.exists()
    assert not own.exists()
    assert not old.exists()
    assert running.exists(), "another run may be writing now"
    assert odd.exists()


@posix
@pytest.mark.parametrize("command", ["show", "check", "check pyproject.toml", "add-target macos"])
def test_every_command_sweeps(command: str, tmp_path: Path) -> None:
    demo = Demo.of(tmp_path, "app")
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = demo.folder / f".pyproject.toml.{ended.pid}-0-new.torchconf"
    left.write_text("half")
    demo(command)
    assert demo.names() == ["pyproject.toml"]


@posix
def test_what_only_looks_like_litter_stays(tmp_path: Path) -> None:
    (tmp_path / ".x.1-0-new.torchconf").mkdir()
    (tmp_path / ".torchconf-new-link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir()
    for name in ("x.1-0-new.torchconf", ".x.one-0-new.torchconf", ".x.1-new.torchconf"):
        (tmp_path / name).write_text("mine")
    before = names(tmp_path)
    sweep(str(tmp_path))
    assert names(tmp_path) == before


@posix
@pytest.mark.parametrize("name", [".torchconf-new-abc", "torchconf-copy-abc"])
def test_a_folder_that_a_run_made_is_swept_unless_it_is_in_use(name: str, tmp_path: Path) -> None:
    made = tmp_path / name
    (made / "inside").mkdir(parents=True)
    sweep(str(tmp_path))
    assert made.is_dir(), "it is so new that it may not be locked yet"
    os.utime(made, (0, 0))
    with litter.locked([str(made)]):
        sweep(str(tmp_path))
        assert made.is_dir()
    sweep(str(tmp_path))
    assert not made.exists()


@posix
def test_a_kill_after_a_new_file_got_its_name_does_not_stand_in_the_way(path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    os.link(path, path.with_name(f".pyproject.toml.{ended.pid}-0-new.torchconf"))
    replace(read_file(path), "new = 1\n")
    assert names(path.parent) == [path.name]


# Differences.


def test_no_difference_prints_nothing() -> None:
    assert unified_diff("a\n", "a\n") == ""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a\nb\nc\n", "a\nx\nc\n"),
        ("a\nb", "a\nb\n"),
        ("a\nb\n", "a\nb"),
        ("", "a\n"),
        ("a\r\nb\r\n", "a\r\nc\r\nb\r\n"),
        ("a\x0cb\n", "a\x0cc\n"),
        ("a\n" * 30 + "b\n" + "c\n" * 30, "x\n" + "a\n" * 30 + "c\n" * 30),
    ],
)
def test_a_difference_can_be_applied(old: str, new: str, path: Path) -> None:
    diff = unified_diff(old, new)
    assert diff.startswith("--- pyproject.toml\n+++ pyproject.toml\n@@ ")
    if shutil.which("patch"):
        path.write_bytes(old.encode())
        command = ["patch", "--binary", "-s", str(path)]
        subprocess.run(command, input=diff.encode(), check=True)
        assert path.read_bytes() == new.encode()


def test_a_difference_begins_with_the_byte_order_mark_of_its_file(tmp_path: Path) -> None:
    """Otherwise the line that has it is not found when the difference is applied."""
    start = '\ufeff[project]\nname = "demo"\nversion = "1"\ndependencies = ["torch"]\n'
    wrong = '\n[[tool.uv.index]]\nname = "cpu"\nurl = "https://download.pytorch.org/whl/cpu"\n'
    for command, text in {
        "init -t linux-cpu --dry-run": start,
        "check --diff --unsafe-fixes --select TC101": start + wrong,
        "check --diff --unsafe-fixes --select TC101 .": start + wrong,
    }.items():
        (tmp_path / str(len(command))).mkdir()
        demo = Demo(tmp_path / str(len(command)), text)
        diff = demo(command).out
        assert ("\n \ufeff[project]\n" in diff) == ("@@ -1," in diff)
        if shutil.which("patch"):
            patch = ["patch", "--binary", "-s", str(demo.path)]
            subprocess.run(patch, input=diff.encode(), check=True)
            assert demo.text.startswith("\ufeff[project]\n")
            assert demo(command).out == ""


# Elsewhere.


def test_it_works_where_posix_modules_do_not_exist(path: Path) -> None:
    script = textwrap.dedent(
        """
        import os, sys
        for name in ("fcntl", "termios", "pwd", "grp", "resource", "tty", "readline"):
            sys.modules[name] = None
        for name in ("chown", "listxattr", "geteuid", "getuid", "mkfifo", "fork", "O_DIRECTORY"):
            vars(os).pop(name, None)
        os.name = "nt"
        from torchconf.files import *
        from torchconf.edits import edit_text
        from torchconf.edits.plan import Put
        file = read_file("pyproject.toml")
        replace(file, edit_text(file.text, [Put(("new",), "x", "")]))
        replace(read_file("other.toml", may_be_missing=True), "y = 1\\n")
        """
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(files.__file__).parents[2])}
    command = [sys.executable, "-c", script]
    subprocess.run(command, cwd=path.parent, env=environment, check=True)
    assert path.read_bytes() == b'old = 1\nnew = "x"\n'
    assert names(path.parent) == ["other.toml", "pyproject.toml"]


def test_it_imports_little() -> None:
    top: set[str] = set()
    for path in Path(files.__file__).parent.glob("*.py"):
        if path.name in {"ignore_patterns.py", "old_names.py"}:
            continue  # only a walk that meets a `.gitignore` loads it, or a project without targets
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Import):
                top.update(alias.name for alias in node.names)
    assert top == {"errno", "os", "stat", "sys", "time"}
