"""A document with every table that is read, its places, and values that belong in none of them."""

from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import strategies as st

WHOLE = tomllib.loads("""
[project]
name = "demo"
version = "1"
requires-python = ">=3.11"
dependencies = ["torch ; sys_platform == 'linux'"]
dynamic = ["readme"]
optional-dependencies = { cpu = ["torch"], cuda = ["demo[cpu]"] }
[build-system]
requires = ["hatchling"]
[dependency-groups]
dev = ["pytest", { include-group = "lint" }]
lint = ["ruff"]
[tool.uv]
package = false
conflicts = [[{ extra = "cpu" }, { package = "demo", extra = "cuda" }]]
environments = ["sys_platform == 'linux'"]
required-environments = ["sys_platform == 'linux'"]
default-groups = ["dev"]
constraint-dependencies = ["torch<3"]
override-dependencies = ["numpy>1"]
exclude-dependencies = ["triton"]
dev-dependencies = ["tox"]
index-url = "https://h"
extra-index-url = ["https://h"]
workspace = { members = ["a"], exclude = ["b"] }
sources.torch = [{ index = "a", marker = "os_name == 'nt'", extra = "cpu" }]
sources.b = { path = "b" }
index = [{ name = "a", url = "https://h", explicit = true, default = false }]
""")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
).filter(lambda value: value is not None)


def places(value: object, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List the paths to everything in a document."""
    children = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [at, *(place for key, child in children for place in places(child, (*at, key)))]
