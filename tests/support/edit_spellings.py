"""Documents as other people write them: one meaning in any of TOML's spellings, and steps on it."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from torchconf.edits.plan import Insert, Put, Remove, Rename, Replace, Step, meaning
from torchconf.model.toml_path import Path

Draw = st.DrawFn

_packages = st.sampled_from(["torch", "numpy", "torchvision", "odd.name", "flask", "it's", "a b"])
_texts = st.sampled_from(
    [
        "torch>=2.4",
        "numpy",
        "x ; sys_platform == 'linux'",
        'say "hi"',
        "",
        "back\\slash",
        "# no",
        "é",
    ]
)
_platforms = st.sampled_from(["sys_platform == 'linux'", "sys_platform != 'linux'"])
_strings = st.lists(_texts, max_size=4)
_indexes = st.fixed_dictionaries(
    {"name": st.sampled_from(["pytorch-cpu", "pytorch-cu130", "own"])},
    optional={"url": st.just("https://x.invalid/whl"), "explicit": st.booleans()},
)
_sources = st.fixed_dictionaries(
    {"index": st.sampled_from(["pytorch-cpu", "pytorch-cu130"])},
    optional={"marker": _platforms, "extra": st.sampled_from(["cpu", "cu130"])},
)
_source = _sources | st.lists(_sources, max_size=3)
_conflicts = st.lists(
    st.lists(st.fixed_dictionaries({"extra": st.sampled_from(["a", "b", "c"])}), max_size=3),
    max_size=2,
)
_project = st.fixed_dictionaries(
    {"name": st.just("demo")},
    optional={
        "version": st.just("1"),
        "dependencies": _strings,
        "optional-dependencies": st.dictionaries(_packages, _strings, max_size=3),
        "urls": st.dictionaries(_packages, _texts, max_size=2),
    },
)
_uv = st.fixed_dictionaries(
    {},
    optional={
        "sources": st.dictionaries(_packages, _source, max_size=3),
        "index": st.lists(_indexes, max_size=3),
        "conflicts": _conflicts,
        "environments": st.lists(_platforms, max_size=2),
        "default-groups": st.lists(_packages, max_size=3),
        "package": st.booleans(),
        "workspace": st.just({"members": ["a", "b"]}),
    },
)
_other = st.fixed_dictionaries(
    {},
    optional={
        "line-length": st.booleans(),
        "lint": st.just({"select": ["A", "B"], "x": {"y": "z"}}),
    },
)
_data = st.fixed_dictionaries(
    {},
    optional={
        "project": _project,
        "build-system": st.just({"requires": ["hatchling"], "build-backend": "hatchling.build"}),
        "dependency-groups": st.dictionaries(_packages, _strings, max_size=3),
        "tool": st.fixed_dictionaries({}, optional={"uv": _uv, "ruff": _other, "black": _other}),
    },
)
_comments = st.sampled_from(["", "", "", "# why", "# a [table]", '# "quoted', "#", "# é 'x"])


class _Writer:
    """Writes data in a spelling that is drawn anew at every turn."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw
        self.newline = draw(st.sampled_from(["\n", "\n", "\r\n"]))
        self.unit = draw(st.sampled_from(["    ", "  ", "\t"]))
        self.quote = draw(st.sampled_from("\"'"))
        self.pad = draw(st.sampled_from(["", " "]))
        self.equals = draw(st.sampled_from([" = ", "=", "   = "]))
        self.blocks: list[str] = []

    def any_of(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def comment(self, space: str) -> str:
        comment = self.draw(_comments)
        return space + comment if comment else ""

    def string(self, text: str) -> str:
        if "\n" not in text and self.any_of(*[False] * 9, True):
            if self.any_of(True, False):
                return '"""' + text.replace("\\", "\\\\").replace('"', '\\"') + '"""'
            return f"'''{self.newline}{text}'''" if not text.endswith("'") else f'"{text}"'
        if self.quote == "'" and "'" not in text:
            return f"'{text}'"
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    def key(self, *parts: str) -> str:
        dot = str(self.any_of(".", ".", ".", " . "))
        return dot.join(
            part
            if part.replace("-", "").isalnum() and self.any_of(True, True, True, False)
            else '"' + part + '"'
            for part in parts
        )

    def value(self, value: Any, indent: str) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, str):
            return self.string(value)
        return self.inline(value, indent) if isinstance(value, dict) else self.array(value, indent)

    def inline(self, table: dict[str, Any], indent: str) -> str:
        pairs = []
        for key, item in table.items():
            if isinstance(item, dict) and item and self.any_of(True, False):
                pairs += [
                    f"{self.key(key, each)}{self.equals}{self.value(below, indent)}"
                    for each, below in item.items()
                ]
            else:
                pairs.append(f"{self.key(key)}{self.equals}{self.value(item, indent)}")
        return "{" + self.pad + ", ".join(pairs) + self.pad + "}" if pairs else "{}"

    def array(self, value: list[Any], indent: str) -> str:
        entries = [self.value(item, indent + self.unit) for item in value]
        match self.any_of("line", "lines", "lines", "odd"):
            case "line":
                return "[" + ", ".join(entries) + "]"
            case "lines":
                text = "[" + self.comment("  ")
                for number, entry in enumerate(entries):
                    if comment := self.comment(""):
                        text += self.newline + indent + self.unit + comment
                    last = number == len(entries) - 1
                    text += self.newline + indent + self.unit + entry
                    text += "" if last and self.any_of(True, False) else ","
                    text += self.comment("  ")
                if comment := self.comment(""):
                    text += self.newline + indent + self.unit + comment
                return text + self.newline + indent + "]"
            case _:
                text = "[" + self.space()
                for number, entry in enumerate(entries):
                    last = number == len(entries) - 1
                    text += entry + ("" if last and self.any_of(True, False) else self.comma())
                    text += self.space()
                return text + "]"

    def space(self) -> str:
        return str(self.any_of("", " ", self.newline, self.newline * 2 + " "))

    def comma(self) -> str:
        line = self.newline
        return str(self.any_of(",", " ,", f" # c{line},", f", # d{line}"))

    def lines(self, table: dict[str, Any], path: tuple[str, ...], prefix: tuple[str, ...]) -> str:
        """Write what stands under one header; sub-tables may become blocks of their own."""
        text = ""
        indent = self.any_of("", "", "", "  ")
        for key, value in table.items():
            keys = (*prefix, key)
            if (
                isinstance(value, dict)
                and (how := self.any_of("header", "header", "dotted", "inline")) != "inline"
            ):
                if how == "dotted" and value:
                    text += self.lines(value, path, keys)
                    continue
                if how == "header" and not prefix:
                    self.table(value, (*path, key))
                    continue
            tables = isinstance(value, list) and value and isinstance(value[0], dict)
            if tables and not prefix and self.any_of(True, True, False):
                self.tables(value, (*path, key))
                continue
            if comment := self.comment(indent):
                text += comment + self.newline
            text += f"{indent}{self.key(*keys)}{self.equals}{self.value(value, indent)}"
            text += self.comment("  ") + self.newline
            text += self.newline * self.any_of(0, 0, 0, 1)
        return text

    def tables(self, tables: list[dict[str, Any]], path: tuple[str, ...]) -> None:
        blocks, self.blocks = self.blocks, []
        text = ""
        for table in tables:
            body = self.lines(table, path, ())
            text += self.header(f"[[{self.key(*path)}]]") + body + "".join(self.blocks)
            self.blocks = []
            text += self.newline * self.any_of(0, 1, 1, 2)
        self.blocks = [*blocks, text]

    def header(self, text: str) -> str:
        above = self.draw(_comments)
        gap = self.newline * self.any_of(0, 1) if above else ""
        return (above and above + self.newline) + gap + text + self.comment(" ") + self.newline

    def table(self, table: dict[str, Any], path: tuple[str, ...]) -> None:
        body = self.lines(table, path, ())
        alone = bool(table) and not body and self.any_of(True, True, False)
        if not alone:
            blank = self.newline * self.any_of(0, 1, 1, 2)
            self.blocks.append(self.header(f"[{self.key(*path)}]") + body + blank)


@st.composite
def documents(draw: Draw) -> str:
    """Make a document up."""
    writer = _Writer(draw)
    text = writer.draw(_comments)
    text += writer.newline if text else ""
    text += writer.lines(draw(_data), (), ())
    text += "".join(draw(st.permutations(writer.blocks)))
    if text and draw(st.sampled_from([False, False, True])):
        text = text.removesuffix("\n").removesuffix("\r")
    return text


def _places(data: Any, path: Path = ()) -> list[tuple[Path, Any]]:
    """Return every place in the data, with what is there."""
    found = [(path, data)]
    if isinstance(data, dict):
        for key, value in data.items():
            found += _places(value, (*path, key))
    elif isinstance(data, list):
        for number, value in enumerate(data):
            found += _places(value, (*path, number))
    return found


_typical = st.one_of(
    st.tuples(st.just(("project", "dependencies")), _strings),
    st.tuples(_packages.map(lambda key: ("project", "optional-dependencies", key)), _strings),
    st.tuples(_packages.map(lambda key: ("dependency-groups", key)), _strings),
    st.tuples(_packages.map(lambda key: ("tool", "uv", "sources", key)), _source),
    st.tuples(st.just(("tool", "uv", "conflicts")), _conflicts),
    st.tuples(st.just(("tool", "uv", "environments")), st.lists(_platforms, max_size=2)),
    st.tuples(st.just(("tool", "uv", "default-groups")), st.lists(_packages, max_size=3)),
    st.tuples(st.just(("tool", "uv", "index")), st.lists(_indexes, max_size=3)),
    st.tuples(st.just(("tool", "uv")), _uv),
    st.tuples(st.just(("project",)), _project),
)


@st.composite
def plans(draw: Draw, data: dict[str, Any]) -> list[Step]:
    """Make steps up that can be taken on these data."""
    steps: list[Step] = []
    for _ in range(draw(st.integers(1, 5))):
        step = _step(draw, data)
        if step is None:
            continue
        try:
            data = meaning(data, [step])
        except (LookupError, TypeError):
            continue
        steps.append(step)
    return steps


def _step(draw: Draw, data: dict[str, Any]) -> Step | None:
    path, value = draw(_typical)
    kind = draw(st.sampled_from(["put", "fill", "insert", "replace", "remove", "remove", "rename"]))
    if kind == "put":
        return Put(path, value, "", draw(st.sampled_from([None, None, "a note"])))
    places = _places(data)
    arrays = [place for place in places if isinstance(place[1], list)]
    if kind == "fill" and isinstance(value, list) and value:
        there = next((len(each) for place, each in places if place == path), 0)
        return Insert(path, draw(st.integers(0, there)), value[0], "")
    if kind == "insert" and arrays:
        path, array = draw(st.sampled_from(arrays))
        like = array[0] if array else draw(_texts)
        return Insert(path, draw(st.integers(0, len(array))), like, "")
    if kind == "replace":
        entries = [(place, each) for place, each in places if place and isinstance(place[-1], int)]
        if entries:
            path, like = draw(st.sampled_from(entries))
            return Replace(path, draw(_like(like)), "")
    if kind in {"remove", "rename"} and places[1:]:
        path, _ = draw(st.sampled_from(places[1:]))
        name = draw(st.sampled_from(["new", "cu13.2"]))
        return Remove(path, "") if kind == "remove" else Rename(path, name, "")
    return None


def _like(value: Any) -> st.SearchStrategy[Any]:
    if isinstance(value, str):
        return _texts
    if isinstance(value, dict):
        return _indexes if "name" in value else _sources
    return st.just(value)
