"""The newest torch on PyPI, which is ahead of PyTorch's indexes, with its companions; uv judges."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.version import Version

from tests.support.checking import CATALOG
from tests.support.projects import Demo
from tests.support.replica import Build, Replica
from torchconf.catalog import Answer
from torchconf.model.backends import PYPI

COMPANIONS = ("torchvision", "torchaudio", "torchao")


@pytest.mark.uv
def test_the_newest_torch_on_pypi_gets_companions_that_fit(
    tmp_path: Path, inside_replica: Replica
) -> None:
    newest = CATALOG.last_seen("torch", PYPI)
    assert newest is not None
    demo = Demo(tmp_path, '[project]\nname = "demo"\nversion = "0"\n')
    wanted = " ".join(f"--with {name}" for name in COMPANIONS)
    done = demo(f"init -t linux-pypi -t windows-pypi --torch =={newest} {wanted}")
    assert done.status == 0, done.err
    assert "no information" not in done.err
    assert demo("check").status == 0
    inside_replica.lock(demo.folder)
    for python in CATALOG.release_pythons(newest):
        builds = inside_replica.export(demo.folder).select("linux-x86_64", python)
        for name in ("torch", *COMPANIONS):
            build = builds[name]
            assert isinstance(build, Build), f"{name} on Python {python}"
            version = Version(str(build.version))
            assert name != "torch" or version == newest
            assert name == "torch" or CATALOG.fits(name, version, newest) is Answer.YES
