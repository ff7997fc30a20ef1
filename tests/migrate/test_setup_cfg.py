"""What a setup.cfg requires is named; nothing of it is run or followed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchconf.migrate.setup_cfg import requirements_of


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ()),
        ("[metadata]\nname = demo\n", ()),
        ("[options]\npackages = find:\n", ()),
        (
            "[options]\ninstall_requires =\n    torch>=2\n    # a comment\n    numpy  # another\n",
            ("torch>=2", "numpy"),
        ),
        ("[options]\ninstall_requires = torch; os_name == 'nt'\n", ("torch; os_name == 'nt'",)),
        ("[options]\ninstall_requires = file: requirements.txt\n", ()),
        ("[options]\ninstall_requires\n", ()),
        ("[options]\ninstall_requires = %(home)s\n", ("%(home)s",)),
        ("torch>=2\n", ()),
        ("[options\n", ()),
    ],
)
def test_what_is_required(text: str, found: tuple[str, ...]) -> None:
    assert requirements_of(text) == found


@given(st.text(alphabet="[]options\n =:;#%( ", max_size=40))
def test_whatever_the_file_says(text: str) -> None:
    requirements_of(f"[options]\ninstall_requires = {text}")
    requirements_of(text)
