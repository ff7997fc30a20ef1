"""Every text that a user can see, in one list: `tests/texts.txt`.

The list is for reading from beginning to end. It is taken from the source, not from runs, so that
no text is forgotten: from the package each string that holds words, and the page of each rule;
from the templates their prose and comments. Fields of f-strings are `{}`.

`python -m tests.support.texts` writes it.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from tests.support.paths import PACKAGE, ROOT, TESTS

LIST = TESTS / "texts.txt"
TEMPLATES = ROOT / "templates"

WORDS = re.compile(
    r"(?<![\w.$\\-])[a-zA-Z][a-z']+[,;:.]? (?:[`'\"({]|[a-zA-Z]+\b(?! ?[=<>!]))|[}`] [a-z]{2,}"
)
"""Two words, or a word and what it is about: `unknown {}`, `{} found`. Not a marker."""
COMMENT = re.compile(r"^\s*# (.*)$", re.MULTILINE)
JINJA = re.compile(r"\{\{.*?\}\}")
JINJA_LINE = re.compile(r"^\s*\{%.*%\}\n", re.MULTILINE)
INTERNAL = {"catalog/compile.py", "catalog/encoding.py", "catalog/read_pypi.py"}
"""Files of the package that run before a release, or whose strings are a file format."""
DESCRIPTION = re.compile(r"^\s*(?:name|description): (.*)$", re.MULTILINE)


class Text(NamedTuple):
    """One text and its file, relative to the repository."""

    file: str
    text: str


class Strings(ast.NodeVisitor):
    """The strings of a module that hold words, in the order of the source."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and WORDS.search(node.value):
            self.found.append(inspect.cleandoc(node.value))

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        fields = [value for value in node.values if isinstance(value, ast.FormattedValue)]
        parts = [
            str(value.value) if isinstance(value, ast.Constant) else "{}" for value in node.values
        ]
        text = "".join(parts)
        if WORDS.search(text):
            self.found.append(inspect.cleandoc(text))
        for field in fields:
            self.visit(field.value)

    def visit_keyword(self, node: ast.keyword) -> None:
        """A help text may be one word."""
        value = node.value
        if node.arg == "help" and isinstance(value, ast.Constant) and isinstance(value.value, str):
            self.found.append(inspect.cleandoc(value.value))
        else:
            self.visit(value)

    def visit_Expr(self, node: ast.Expr) -> None:
        """A string that is a statement documents code; nobody sees it but its readers."""
        if not isinstance(node.value, ast.Constant):
            self.visit(node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """An annotation is not a text."""
        if node.value is not None and ast.unparse(node.annotation) != "TypeAlias":
            self.visit(node.value)

    def visit_Call(self, node: ast.Call) -> None:
        """A type and a pattern are not texts, either."""
        if ast.unparse(node.func) not in {"cast", "re.compile", "re.search", "re.match"}:
            self.generic_visit(node)


def package_texts() -> Iterator[Text]:
    """Yield the texts of the package."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.relative_to(PACKAGE).as_posix() in INTERNAL:
            continue
        strings = Strings()
        strings.visit(ast.parse(path.read_text(encoding="utf-8")))
        yield from (Text(path.relative_to(ROOT).as_posix(), text) for text in strings.found)
    for path in sorted(PACKAGE.rglob("*.md")):
        page = path.read_text(encoding="utf-8").partition("\n\nBad:")[0]
        yield Text(path.relative_to(ROOT).as_posix(), page)


def template_texts() -> Iterator[Text]:
    """Yield the texts of the templates: READMEs, comments, docstrings, help."""
    for path in sorted(path for path in TEMPLATES.rglob("*") if path.is_file()):
        name, text = path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
        found: Iterable[str]
        if path.suffix == ".md":
            found = [text.strip()]
        elif path.suffix in {".json", ".ipynb"}:
            found = _values(json.loads(JINJA.sub("name", text)))
        elif path.suffix == ".py":
            found = [*COMMENT.findall(text), *_python_texts(text)]
        else:
            found = COMMENT.findall(text)
        yield from (Text(name, one) for one in found)


def _values(value: object) -> Iterator[str]:
    """Yield the strings of a JSON document that hold words."""
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _values(item)
    elif isinstance(value, str) and WORDS.search(value):
        yield value.strip()


def _python_texts(template: str) -> Iterator[str]:
    """Yield the docstrings and other strings of a module that is a template of jinja2."""
    for node in ast.walk(ast.parse(JINJA.sub("name", JINJA_LINE.sub("", template)))):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and WORDS.search(text):
            yield inspect.cleandoc(text)


def other_texts() -> Iterator[Text]:
    """Yield what others show of torchconf: its action and its hooks."""
    for name in (".pre-commit-hooks.yaml", "action.yml"):
        text = (ROOT / name).read_text(encoding="utf-8")
        yield from (Text(name, found) for found in DESCRIPTION.findall(text))


@cache
def texts() -> tuple[Text, ...]:
    """Return all texts, by file; in a file in the order of the source, each once."""
    found = dict.fromkeys((*other_texts(), *package_texts(), *template_texts()))
    return tuple(sorted(found, key=lambda text: text.file))


def rendered() -> str:
    """Return the list as it is kept."""
    lines: list[str] = []
    file = ""
    for text in texts():
        if text.file != file:
            file = text.file
            lines += ["", f"== {file}"]
        lines.append("- " + text.text.replace("\n", "\n  "))
    return "\n".join(line.rstrip() for line in lines).lstrip() + "\n"


if __name__ == "__main__":
    LIST.write_text(rendered(), encoding="utf-8")
