"""`torchconf explain`: what a rule is about, and why a platform gets the build it gets."""

from __future__ import annotations

import sys

from torchconf.cli.parser import add_format, add_script
from torchconf.errors import ProjectError, RequestError, TargetUnavailable
from torchconf.model.record import Record

TYPE_CHECKING = False  # `typing` is not needed to print help
if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchconf.catalog import Catalog
    from torchconf.cli.options import CommonOptions, Format
    from torchconf.cli.parser import Parser
    from torchconf.model.backends import Backend
    from torchconf.model.project import Project
    from torchconf.model.targets import Platform
    from torchconf.report.explain import Explanation
    from torchconf.resolve.cuda import Bringer
    from torchconf.rules import Rule

EPILOG = """\
WHAT is a rule (`TC405`, `cuda-on-macos`), a platform (`linux`), a build (`cuda`), a target
(`windows-cuda`), a package (`torchvision`), or a platform and a package. Without WHAT, all rules
are listed. `cuda` also shows which package brings which CUDA, and where two differ; `variants`
says what uv's preview of wheel variants chooses on this machine.

examples:
  torchconf explain TC405
  torchconf explain macos
  torchconf explain windows-cuda
  torchconf explain cuda
  torchconf explain linux torchvision
  torchconf explain variants
"""


class ExplainOptions(Record):
    """What `explain` is told."""

    what: tuple[str, ...]
    script: str | None
    format: Format
    common: CommonOptions


def add_arguments(parser: Parser) -> None:
    """Add the options of this command."""
    parser.epilog = EPILOG
    parser.add_argument("what", nargs="*", metavar="WHAT", help="what to explain")
    add_script(parser)
    add_format(parser)


def run(options: ExplainOptions) -> int:
    """Print a rule's page, or the steps that lead to a build."""
    # Imported here: `--help` needs none of these.
    from torchconf.cli.explain_variants import explain_variants, names_variants

    if names_variants(options.what):
        explain_variants(options.format)
        return 0
    from torchconf.report.messages import print_notes
    from torchconf.rules import RULES
    from torchconf.rules.rule_selection import is_named, notes_on_old_names

    if not options.what:
        _list(RULES, options)
        return 0
    named = [rule for word in options.what for rule in RULES if is_named(rule, word)]
    if named:
        if len(named) < len(options.what):
            raise RequestError(
                "cannot explain rules together with platforms or packages",
                help="run `torchconf explain` once for the rules, and once for the rest",
            )
        print_notes(notes_on_old_names(word.lower() for word in options.what))
        _pages(named, options)
        return 0
    asked, found, cuda, catalog = _explanations(options)
    _report(found, _tools(asked, found, catalog), cuda, options)
    if asked.packages and options.format == "text":
        # Imported here: few packages are built against torch.
        from torchconf.report.built_wheels import built_text

        sys.stdout.writelines(f"\n{text}" for text in built_text(asked.packages, catalog))
    return 0


def _list(rules: Sequence[Rule], options: ExplainOptions) -> None:
    from torchconf.report.columns import plain_table
    from torchconf.report.findings import summary_of_rules

    rows = summary_of_rules(rules)
    head = ["code", "name", "severity", "fix", "what is wrong"]
    if options.format == "json":
        from torchconf.report.json_data import print_json

        print_json({"rules": [_rule_data(rule) for rule in rules]})
    else:
        sys.stdout.write(plain_table(head, rows))


def _pages(rules: Sequence[Rule], options: ExplainOptions) -> None:
    from torchconf.report.explain import page

    if options.format == "json":
        from torchconf.report.json_data import print_json

        print_json({"rules": [_rule_data(rule) | {"page": page(rule)} for rule in rules]})
    else:
        sys.stdout.write("\n".join(page(rule) for rule in rules))


def _rule_data(rule: Rule) -> dict[str, object]:
    from torchconf.report.findings import headline

    return {
        "code": rule.code,
        "name": rule.name,
        "severity": rule.severity.value,
        "fix": None if rule.fixes == "no" else rule.fixes,
        "optional": rule.is_optional,
        "summary": headline(rule),
        "reference": rule.reference,
    }


def _tools(asked: _Asked, found: Sequence[Explanation], catalog: Catalog) -> list[str]:
    """Return how a tool gets the builds that were asked about, as lines."""
    from torchconf.model.targets import Target, platform_labelled
    from torchconf.report.tools import tool_lines

    named = {backend.name for backend in asked.backends}
    targets = dict.fromkeys(
        Target(platform_labelled(one.platform)._replace(release=""), catalog.backend(one.backend))
        for one in found
        if one.backend in named and one.backend is not None
    )
    return [*tool_lines(targets, catalog)]


def _explanations(
    options: ExplainOptions,
) -> tuple[_Asked, list[Explanation], list[Bringer], Catalog]:
    from torchconf.catalog import load_catalog
    from torchconf.model.targets import SHOWN_PLATFORMS
    from torchconf.report.explain import explain_routes
    from torchconf.resolve.choices import Around
    from torchconf.resolve.needs import needs_of
    from torchconf.resolve.routes import routes
    from torchconf.resolve.table import told_machines
    from torchconf.workspace.opened import open_project

    try:
        context = open_project(options.common.project, script=options.script)
    except ProjectError:
        # A word that means nothing in any project is the first thing to say.
        _read_words(options.what, load_catalog(), None)
        raise
    catalog = context.catalog
    asked = _read_words(options.what, catalog, context.project)
    around = context.workspace()
    found = routes(
        context.project,
        members=around.members,
        libraries=around.libraries,
        lockfile=context.lockfile,
        needs=needs_of(
            (context.project, *around.members, *filter(None, around.libraries.values())), catalog
        ),
        carries=lambda index, package: catalog.serves(index.url, package),
    )
    platforms = [
        each
        for platform in asked.platforms or SHOWN_PLATFORMS
        for each in (platform, *told_machines(platform, context.project, catalog))
    ]
    whole = Around(around.members, around.libraries)
    explained = explain_routes(
        context.project,
        found,
        catalog,
        platforms=platforms,
        packages=asked.packages,
        backends=asked.backends,
        around=whole,
        linked=around.linked,
    )
    cuda: list[Bringer] = []
    if asked.cuda:
        # Imported here: few questions are about all of CUDA.
        from torchconf.resolve.cuda import bringers

        cuda += bringers(context.project, found, catalog, platforms, whole, around.linked)
    has_any = any(one.cuda or not one.is_known for one in cuda)
    return asked, [*explained], cuda if has_any else [], catalog


class _Asked(Record):
    """What is to be explained; an empty part stands for everything."""

    platforms: Sequence[Platform]
    backends: Sequence[Backend]
    packages: Sequence[str]
    cuda: bool
    """Whether CUDA is asked about, whichever its version is."""


def _read_words(words: Sequence[str], catalog: Catalog, project: Project | None) -> _Asked:
    """Read each word as a package, a build, a platform or a target.

    Raises:
        RequestError: It is none of them.
    """
    from torchconf.model.target_spec import parse_platform

    platforms: list[Platform] = []
    backends: list[Backend] = []
    packages: list[str] = []
    cuda = False
    for word in words:
        if name := _package(word, catalog, project):
            packages.append(name)
            continue
        if platform := parse_platform(word):
            platforms.append(platform)
            continue
        accelerator, backend = _build(word, platforms, catalog, project)
        cuda = cuda or (backend is None and accelerator == "cuda")
        backends += [backend] if backend else catalog.newest_first(accelerator)
    return _Asked(platforms=platforms, backends=backends, packages=packages, cuda=cuda)


def _build(
    word: str, platforms: list[Platform], catalog: Catalog, project: Project | None
) -> tuple[str, Backend | None]:
    """Read a build, or a target: its platform joins the others."""
    from torchconf.model.target_spec import parse_build, parse_target_spec

    if build := parse_build(word, catalog.vocabulary):
        return build
    try:
        wish = parse_target_spec(word, catalog.vocabulary)
    except TargetUnavailable:
        raise
    except RequestError as error:
        raise _not_known(word, error, catalog, project) from error
    platforms.append(wish.platform)
    return wish.accelerator, wish.backend


def _package(word: str, catalog: Catalog, project: Project | None) -> str | None:
    """Return the name of a package that PyTorch's indexes carry, or that the project names."""
    from packaging.utils import canonicalize_name

    name = canonicalize_name(word)
    known: set[str] = {*catalog.family, *catalog.built_names}
    if project is not None:
        known.update(project.sources, (required.name for required in project.requirements()))
    return name if name in known else None


def _not_known(
    word: str, error: RequestError, catalog: Catalog, project: Project | None
) -> RequestError:
    # Imported here: only a typo needs them.
    import re
    from difflib import get_close_matches

    from torchconf.model.targets import PLATFORMS
    from torchconf.rules import RULES

    if re.fullmatch(r"tc[0-9]+", word, re.IGNORECASE):
        # A rule with a number like it is about something else.
        return RequestError(
            f"unknown rule `{word}`", help="run `torchconf explain` to list the rules"
        )
    names = [text for rule in RULES for text in (rule.code, rule.name)]
    targets = [f"{p.short}-{kind.name}" for p in PLATFORMS for kind in catalog.accelerators]
    known = [*names, *catalog.family, *targets]
    close = get_close_matches(word, known, n=1) or get_close_matches(word.upper(), known, n=1)
    hint = f"did you mean `{close[0]}`?" if close else error.help
    package = "package of this project" if project is not None else "PyTorch package"
    return RequestError(f"`{word}` is not a rule, platform, build, target or {package}", help=hint)


def _report(
    found: Sequence[Explanation],
    tools: Sequence[str],
    cuda: Sequence[Bringer],
    options: ExplainOptions,
) -> None:
    if options.format == "json":
        from torchconf.report.json_data import print_json

        data = {"explanations": [one.data() for one in found], "tools": [*tools]}
        print_json(data | ({"cuda": [one.data() for one in cuda]} if cuda else {}))
        return
    parts = [*(one.text() for one in found), *(f"{line}\n" for line in tools)]
    if cuda:
        from torchconf.report.cuda import cuda_text

        parts.insert(0, cuda_text(cuda))
    sys.stdout.write("\n".join(parts))
    if not found:
        sys.stderr.write("this project does not install it; run `torchconf add-target` to add it\n")
