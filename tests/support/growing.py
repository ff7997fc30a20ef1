"""Projects that grow: one function a shape, each takes how many there are of something.

What grows is what uv sets no bound to. `tests/growth.py` measures what each shape costs.
"""

from __future__ import annotations

from collections.abc import Callable

Files = dict[str, str]
"""The texts of a project by path."""

URL = "https://download.pytorch.org/whl"
HEAD = """\
[project]
name = "demo"
version = "1"
requires-python = ">=3.12,<3.14"
"""
SOURCE = """
[tool.uv.sources]
torch = { index = "pytorch-cu130", marker = "sys_platform == 'linux'" }
"""
INDEX = f"""
[[tool.uv.index]]
name = "pytorch-cu130"
url = "{URL}/cu130"
explicit = true
"""
ROUTED = SOURCE + INDEX
TORCH = 'dependencies = ["torch>=2.9"]\n'
BASE = f"{HEAD}{TORCH}"


def _project(text: str) -> Files:
    return {"pyproject.toml": text}


def _extras(count: int, line: str = "torch>=2.9") -> str:
    lines = (f'e{number} = ["{line}"]' for number in range(count))
    return "\n".join(("dependencies = []", "[project.optional-dependencies]", *lines, ""))


def _conflicts(sets: list[list[int]]) -> str:
    lines = (
        "    [" + ", ".join(f'{{ extra = "e{one}" }}' for one in each) + "],\n" for each in sets
    )
    return "\n[tool.uv]\nconflicts = [\n" + "".join(lines) + "]\n"


def extras(count: int) -> Files:
    """Each extra has a torch."""
    return _project(HEAD + _extras(count) + ROUTED)


def plain_extras(count: int) -> Files:
    """No extra has a torch."""
    text = HEAD + _extras(count, "numpy").replace("dependencies = []", 'dependencies = ["torch"]')
    return _project(text + ROUTED)


def scoped_sources(count: int) -> Files:
    """Each extra has a source of its own, and all are in one conflict set."""
    sources = "".join(
        f'    {{ index = "pytorch-cu130", extra = "e{number}" }},\n' for number in range(count)
    )
    text = f"\n[tool.uv.sources]\ntorch = [\n{sources}]\n{INDEX}"
    return _project(HEAD + _extras(count) + _conflicts([[*range(count)]]) + text)


def marked_scopes(count: int) -> Files:
    """Each extra has a source of its own for one system, and all are in one conflict set."""
    sources = "".join(
        f'    {{ index = "pytorch-cu130", extra = "e{number}", marker = "sys_platform == '
        "'linux'\" },\n"
        for number in range(count)
    )
    text = f"\n[tool.uv.sources]\ntorch = [\n{sources}]\n{INDEX}"
    return _project(HEAD + _extras(count) + _conflicts([[*range(count)]]) + text)


def strangers(count: int) -> Files:
    """One extra has a torch; many others, which have none, conflict with each other."""
    text = _extras(count, "numpy") + 'cu126 = ["torch>=2.9"]\n' + _conflicts([[*range(count)]])
    source = '\n[tool.uv.sources]\ntorch = [{ index = "pytorch-cu126", extra = "cu126" }]\n'
    return _project(HEAD + text + source + INDEX.replace("cu130", "cu126"))


def one_conflict_set(count: int) -> Files:
    """All extras are in one conflict set."""
    return _project(HEAD + _extras(count) + _conflicts([[*range(count)]]) + ROUTED)


def conflict_pairs(count: int) -> Files:
    """Each extra conflicts with the first."""
    sets = [[0, number] for number in range(1, max(count, 2))]
    return _project(HEAD + _extras(count) + _conflicts(sets) + ROUTED)


def group_chain(count: int) -> Files:
    """Each group includes the next."""
    lines = (f'g{n} = [{{ include-group = "g{n + 1}" }}]\n' for n in range(count))
    return _project(f'{BASE}\n[dependency-groups]\n{"".join(lines)}g{count} = ["torch"]\n{ROUTED}')


def groups_twice(count: int) -> Files:
    """Each group includes the next twice: there are two to the power of `count` ways down."""
    one = '{{ include-group = "g{0}" }}'
    lines = (f"g{n} = [{one.format(n + 1)}, {one.format(n + 1)}]\n" for n in range(count))
    return _project(f'{BASE}\n[dependency-groups]\n{"".join(lines)}g{count} = ["torch"]\n{ROUTED}')


def group_cycle(count: int) -> Files:
    """Each group includes the next, and the last the first, which uv refuses."""
    lines = (f'g{n} = [{{ include-group = "g{(n + 1) % count}" }}]\n' for n in range(count))
    return _project(f"{BASE}\n[dependency-groups]\n{''.join(lines)}{ROUTED}")


def wide_group(count: int) -> Files:
    """One group includes all others."""
    lines = "".join(f'g{n} = ["torch"]\n' for n in range(count))
    every = ", ".join(f'{{ include-group = "g{n}" }}' for n in range(count))
    return _project(f"{BASE}\n[dependency-groups]\n{lines}every = [{every}]\n{ROUTED}")


def extra_chain(count: int) -> Files:
    """Each extra asks for the next."""
    lines = "".join(f'e{n} = ["demo[e{n + 1}]"]\n' for n in range(count))
    return _project(
        f'{BASE}\n[project.optional-dependencies]\n{lines}e{count} = ["torch"]\n{ROUTED}'
    )


def sources(count: int) -> Files:
    """Each source has a marker of its own."""
    lines = "".join(
        f'    {{ index = "pytorch-cu130", marker = "sys_platform == \'linux\' and'
        f" python_full_version == '3.12.{number}'\" }},\n"
        for number in range(count)
    )
    return _project(f"{BASE}\n[tool.uv.sources]\ntorch = [\n{lines}]\n{INDEX}")


def many_sources(count: int) -> Files:
    """Each package has a source with a marker."""
    names = [f"package-{number}" for number in range(count)]
    asked = "".join(f'    "{name}",\n' for name in names)
    lines = "".join(
        f'{name} = {{ index = "pytorch-cu130", marker = "sys_platform == \'linux\'" }}\n'
        for name in names
    )
    return _project(f'{HEAD}dependencies = [\n    "torch",\n{asked}]\n{SOURCE}{lines}{INDEX}')


def indexes(count: int) -> Files:
    """All indexes have one URL."""
    more = "".join(INDEX.replace("pytorch-cu130", f"i{number}") for number in range(count))
    return _project(f"{BASE}{ROUTED}{more}")


def requirements(count: int) -> Files:
    """Each requirement asks for torch, less one release that there never was."""
    lines = "".join(f'    "torch>=2.9,!=2.9.{number + 100}",\n' for number in range(count))
    return _project(f"{HEAD}dependencies = [\n{lines}]\n{ROUTED}")


def dependencies(count: int) -> Files:
    """Each requirement asks for something else, with a marker."""
    lines = "".join(
        f"    \"package-{number}>=1; python_version < '3.13'\",\n" for number in range(count)
    )
    return _project(f'{HEAD}dependencies = [\n    "torch",\n{lines}]\n{ROUTED}')


def _terms(count: int, joint: str, operator: str) -> Files:
    terms = f" {joint} ".join(f"platform_machine {operator} 'm{number}'" for number in range(count))
    source = SOURCE.replace("sys_platform == 'linux'", f"sys_platform == 'linux' and ({terms})")
    return _project(f"{BASE}{source}{INDEX}")


def or_terms(count: int) -> Files:
    """One marker has many terms, of which one must hold."""
    return _terms(count, "or", "==")


def and_terms(count: int) -> Files:
    """One marker has many terms, which all must hold."""
    return _terms(count, "and", "!=")


def environments(count: int) -> Files:
    """`environments` has many entries."""
    lines = "".join(
        f"    \"sys_platform == 'linux' and python_full_version == '3.12.{number}'\",\n"
        for number in range(count)
    )
    return _project(f"{BASE}\n[tool.uv]\nenvironments = [\n{lines}]\n{ROUTED}")


def members(count: int) -> Files:
    """The workspace has many members, each with a torch."""
    member = '[project]\nname = "m{0}"\nversion = "1"\nrequires-python = ">=3.12"\n' + TORCH
    files = {f"packages/m{n}/pyproject.toml": member.format(n) for n in range(count)}
    root = f'{BASE}\n[tool.uv.workspace]\nmembers = ["packages/*"]\n{ROUTED}'
    return {"pyproject.toml": root, **files}


def keywords(count: int) -> Files:
    """The project has many keywords and classifiers."""
    words = ", ".join(f'"word-{number}"' for number in range(count))
    classes = "".join(f'    "Topic :: {number}",\n' for number in range(count))
    return _project(f"{BASE}keywords = [{words}]\nclassifiers = [\n{classes}]\n{ROUTED}")


def tables(count: int) -> Files:
    """There are many tables of other tools: a thousand are 150 kB."""
    table = '\n[tool.other-{0}]\nline-length = 100  # columns\nselect = ["ALL"]\n'
    table += 'targets = [\n    { name = "a", marker = "sys_platform == \'linux\'" },\n]\n'
    return _project(BASE + ROUTED + "".join(table.replace("{0}", str(n)) for n in range(count)))


def _open_indexes(count: int, comment: str = "") -> Files:
    names = [f"pytorch-{number}" for number in range(count)]
    more = "".join(
        f'\n[[tool.uv.index]]\nname = "{name}"\nurl = "https://mirror-{name}.example/whl/cu130"'
        f"{comment}\n"
        for name in names
    )
    return _project(f"{BASE}{ROUTED}{more}")


def findings(count: int) -> Files:
    """There is much to be found."""
    return _open_indexes(count)


def ignored(count: int) -> Files:
    """There is much to be found, and a comment hides each."""
    return _open_indexes(count, "  # torchconf: ignore[TC101]")


def locked(count: int) -> Files:
    """The lockfile has many packages, each needed by the one before it."""
    head = 'version = 1\nrevision = 3\nrequires-python = ">=3.12, <3.14"\n'
    package = """
[[package]]
name = "package-{0}"
version = "1.0"
source = {{ registry = "https://pypi.example/simple" }}
dependencies = [
    {{ name = "package-{1}" }},
]
wheels = [
    {{ url = "https://files.example/package_{0}-1.0-py3-none-any.whl", hash = "sha256:{0:064}" }},
]
"""
    own = """
[[package]]
name = "demo"
version = "1"
source = { virtual = "." }
dependencies = [
    { name = "package-0" },
]

[package.metadata]
requires-dist = [{ name = "package-0" }]
"""
    last = package.format(count, 0).replace(
        'dependencies = [\n    { name = "package-0" },\n]\n', ""
    )
    text = head + own + "".join(package.format(n, n + 1) for n in range(count)) + last
    return {
        "pyproject.toml": f'{HEAD}dependencies = ["torch", "package-0"]\n{ROUTED}',
        "uv.lock": text,
    }


def url_wheels(count: int) -> Files:
    """A library's extras name wheels by URL, one a Python, and other extras ask for these."""
    lines = []
    for number in range(count // 2):
        wheel = f"speedups-0.{number}-cp{{0}}-cp{{0}}-manylinux2014_x86_64.whl"
        lines.append(f"cu{number}only = [")
        lines += [
            f'    "speedups @ {URL}/cu{118 + number}/{wheel.format(f"3{minor}")} ;'
            f" python_version=='3.{minor}' and ('linux' in sys_platform)\","
            for minor in (9, 10, 11, 12)
        ]
        lines += [
            "]",
            f"cu{number} = [",
            '    "demo[huggingface]",',
            '    "bitsandbytes>=0.45.5,!=0.46.0,!=0.48.0",',
            f'    "demo[cu{number}only]",',
            "]",
        ]
    text = "\n".join(lines)
    return _project(f"""\
[project]
name = "demo"
version = "1"
requires-python = ">=3.9,<3.14"
dependencies = []

[project.optional-dependencies]
triton = [
    "triton>=3.0.0 ; ('linux' in sys_platform)",
    "triton-windows ; (sys_platform == 'win32') and (platform_machine == 'AMD64')",
]
huggingface = [
    "torchvision",
    "accelerate>=0.34.1",
    "peft>=0.7.1,!=0.11.0",
    "transformers>=4.51.3,!=4.52.0,!=4.52.1,<=4.56.2",
    "demo[triton]",
]
{text}
""")


def wrong_markers(count: int) -> Files:
    """Each requirement has a marker that never holds."""
    lines = "".join(
        f"    \"package-{number} ; sys_platform == 'windows'\",\n" for number in range(count)
    )
    return _project(f'{HEAD}dependencies = [\n    "torch",\n{lines}]\n{ROUTED}')


def wrong_sources(count: int) -> Files:
    """Each source has a marker that never holds."""
    lines = "".join(
        f'package-{number} = {{ index = "pytorch-cu130", marker = "sys_platform == \'Linux\'" }}\n'
        for number in range(count)
    )
    return _project(f"{BASE}{SOURCE}{lines}{INDEX}")


def unused_indexes(count: int) -> Files:
    """No source names these indexes."""
    return _open_indexes(count, "\nexplicit = true")


def undefined_groups(count: int) -> Files:
    """The default groups are not defined."""
    names = ", ".join(f'"g{number}"' for number in range(count))
    return _project(f"{BASE}\n[tool.uv]\ndefault-groups = [{names}]\n{ROUTED}")


def undefined_extras(count: int) -> Files:
    """Each conflict set names an extra that is not defined."""
    lines = "".join(
        f'    [{{ extra = "e0" }}, {{ extra = "e1" }}, {{ extra = "x{number}" }}],\n'
        for number in range(count)
    )
    return _project(f"{HEAD}{_extras(2)}\n[tool.uv]\nconflicts = [\n{lines}]\n{ROUTED}")


def usual(_: int) -> Files:
    """A usual project, which does not grow."""
    return _project(f'{HEAD}dependencies = ["torch>=2.9", "torchvision", "accelerate"]\n{ROUTED}')


SHAPES: tuple[Callable[[int], Files], ...] = (
    extras,
    plain_extras,
    scoped_sources,
    marked_scopes,
    strangers,
    one_conflict_set,
    conflict_pairs,
    group_chain,
    groups_twice,
    group_cycle,
    wide_group,
    extra_chain,
    sources,
    many_sources,
    indexes,
    requirements,
    dependencies,
    or_terms,
    and_terms,
    environments,
    members,
    keywords,
    tables,
    findings,
    ignored,
    locked,
    url_wheels,
)

FIXABLE: tuple[Callable[[int], Files], ...] = (
    findings,
    wrong_markers,
    wrong_sources,
    unused_indexes,
    undefined_groups,
    undefined_extras,
)
"""What `check --fix --unsafe-fixes` has much to do with."""
