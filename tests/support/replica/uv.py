"""The replica as tests use it: a world on loopback, and the real uv inside it."""

from __future__ import annotations

import os
import shlex
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from tests.support.replica.content import PACKAGES, Content
from tests.support.replica.export import Export, Selection
from tests.support.replica.interpreters import interpreter_for
from tests.support.replica.server import Server
from tests.support.replica.site import Fault, Site

LOCKING = frozenset({"lock", "export", "tree"})
"""Commands of uv that need an interpreter in name only."""


class Run(NamedTuple):
    """A finished process."""

    command: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str
    seconds: float


class UvError(Exception):
    """uv failed where a test needs it to succeed."""

    def __init__(self, run: Run) -> None:
        super().__init__(f"`{' '.join(run.command)}` gave {run.returncode}\n{run.stderr}")
        self.run = run


class Replica:
    """A running replica; a context manager.

    Args:
        content: The world; by default the catalog's.
        closed: Nothing outside is reached: `packages.example.org` stands for PyPI. Otherwise
            ordinary packages come from the real PyPI.
        cache: Where uv's caches are kept, one for each content; by default in the user's temporary
            folder, so that the next run finds them warm.
    """

    def __init__(
        self, content: Content | None = None, *, closed: bool = True, cache: Path | None = None
    ) -> None:
        content = content or Content.from_facts()
        self.site = Site(content)
        self.closed = closed
        self._cache = cache or _shared_cache()
        self._digest = content.digest()
        self.executable = find_uv()
        self._server = Server(self.site, closed=closed)
        self._folder = tempfile.TemporaryDirectory(prefix="replica-")

    def __enter__(self) -> Self:
        folder = Path(self._folder.name)
        (folder / "config").mkdir()
        with (folder / "ca.pem").open("wb") as bundle:
            bundle.write(self._server.authority.cert_pem.bytes())
            if not self.closed:
                bundle.write(_authorities())
        self._server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()
        self._folder.cleanup()

    @property
    def faults(self) -> dict[str, Fault]:
        """Patterns of host and path, to what goes wrong there.

        uv asks again for nothing that it has cached: give such a replica a `cache` of its own.
        """
        return self.site.faults

    @property
    def requests(self) -> list[str]:
        """What was asked for so far: host and path."""
        return self.site.requests

    @property
    def outside(self) -> list[str]:
        """Other hosts that were asked for so far, reached or not."""
        return self._server.outside

    def environment(self, project: Path | None = None) -> dict[str, str]:
        """Return the environment variables of a process that is to live in this world.

        Args:
            project: Make `UV_PYTHON` an interpreter that `uv lock` accepts for this project.
        """
        folder = Path(self._folder.name)
        kept = {name: value for name, value in os.environ.items() if not _foreign(name)}
        python = Path(sys.executable)
        if project is not None:
            python = interpreter_for(project, self._cache / "interpreters")
        world = {
            "HTTP_PROXY": self._server.url,
            "HTTPS_PROXY": self._server.url,
            "SSL_CERT_FILE": str(folder / "ca.pem"),
            "REQUESTS_CA_BUNDLE": str(folder / "ca.pem"),
            "UV_CACHE_DIR": str(self._cache / self._digest),
            "UV_LINK_MODE": "copy",
            "UV_NO_PROGRESS": "1",
            "UV_PYTHON": str(python),
            "UV_PYTHON_DOWNLOADS": "never",
            # uv assumes macOS 13; torch from 2.12 on needs 14.
            "MACOSX_DEPLOYMENT_TARGET": "14.0",
            # Where a user's uv.toml would be. UV_NO_CONFIG would ignore [tool.uv] as well.
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_CONFIG_DIRS": str(folder / "config"),
            "APPDATA": str(folder / "config"),
        }
        if self.closed:
            world |= {"UV_DEFAULT_INDEX": f"https://{PACKAGES}", "UV_HTTP_RETRIES": "0"}
        return kept | world

    def run(self, *command: str, cwd: Path, env: dict[str, str] | None = None) -> Run:
        """Run any command in this world; it may fail."""
        started = time.perf_counter()
        done = subprocess.run(
            command,
            cwd=cwd,
            env=env or self.environment(),
            capture_output=True,
            check=False,
            encoding="utf-8",
        )
        seconds = time.perf_counter() - started
        return Run(command, done.returncode, done.stdout, done.stderr, seconds)

    def uv(self, *arguments: str, cwd: Path, variables: Mapping[str, str] | None = None) -> Run:
        """Run uv; it may fail."""
        locking = bool(LOCKING.intersection(arguments[:1]))
        env = self.environment(cwd if locking else None) | {**(variables or {})}
        return self.run(str(self.executable), *arguments, cwd=cwd, env=env)

    def lock(self, project: Path, *arguments: str) -> Run:
        """Run `uv lock`, which must succeed."""
        return _succeed(self.uv("lock", *arguments, cwd=project))

    def export(
        self, project: Path, *selection: str, variables: Mapping[str, str] | None = None
    ) -> Export:
        """Export a lock.

        Args:
            project: A project with a uv.lock, or the folder of a script with a lock.
            selection: What uv takes: `--extra cu130`, `--no-group cpu`, `--package member`,
                `--script train.py`.
            variables: What the machine of this choice sets.
        """
        options = ["--frozen", "--format", "pylock.toml"]
        options += [] if "--script" in selection else ["--no-emit-workspace"]
        run = self.uv("export", *options, *selection, cwd=project, variables=variables)
        return Export.parse(_succeed(run).stdout)

    def selected(self, project: Path, platform: str, python: str, *selection: str) -> Selection:
        """Return what a machine installs from a project's lock; `Export.select` says more."""
        return self.export(project, *selection).select(platform, python)

    def chosen(self, project: Path, command: str) -> Export:
        """Export what a printed command installs: `UV_NO_GROUP="cpu" uv sync`."""
        words = shlex.split(command)
        start = words.index("uv")
        variables = dict(word.split("=", 1) for word in words[:start])
        return self.export(project, *words[start + 2 :], variables=variables)

    def sync(self, project: Path, *arguments: str) -> Run:
        """Install a lock on this machine into the project's .venv, without the project itself."""
        return _succeed(self.uv("sync", "--no-install-workspace", *arguments, cwd=project))

    def python(self, project: Path, code: str) -> str:
        """Run code in the project's .venv, and return what it prints."""
        python = Path(".venv", "Scripts/python.exe" if os.name == "nt" else "bin/python")
        return _succeed(self.run(str(project.absolute() / python), "-c", code, cwd=project)).stdout


def find_uv() -> Path:
    """Return the uv beside the running Python, or else the one on PATH.

    Raises:
        FileNotFoundError: There is none.
    """
    places = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    found = shutil.which("uv", path=os.pathsep.join(places))
    if found is None:
        msg = "uv was not found; install the `test` extra of torchconf"
        raise FileNotFoundError(msg)
    return Path(found)


def _shared_cache() -> Path:
    # Windows has a temporary folder for each user, and no such number.
    user = os.getuid() if hasattr(os, "getuid") else "user"
    return Path(tempfile.gettempdir(), f"torchconf-replica-{user}")


def _succeed(run: Run) -> Run:
    if run.returncode:
        raise UvError(run)
    return run


def _foreign(name: str) -> bool:
    """Tell whether a variable would lead a process out of the replica's world."""
    name = name.upper()
    return (
        name.startswith("UV_")
        or name.endswith("_PROXY")
        or name in {"CONDA_PREFIX", "SSL_CERT_DIR", "VIRTUAL_ENV"}
    )


def _authorities() -> bytes:
    """Return the certificates that this machine trusts."""
    if file := os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile:
        return Path(file).read_bytes()
    context = ssl.create_default_context()
    return "".join(map(ssl.DER_cert_to_PEM_cert, context.get_ca_certs(binary_form=True))).encode()
