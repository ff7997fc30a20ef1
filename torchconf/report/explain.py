"""Rules and routes put into sentences: why a build is what it is, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from torchconf.catalog import Answer
from torchconf.errors.shown import shown
from torchconf.layout.selection import Selection
from torchconf.model.markers import holds
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.project import Item
from torchconf.resolve.choices import Around, choice_of, selections_in
from torchconf.resolve.forks import spoken
from torchconf.resolve.table import packages_of, refused
from torchconf.resolve.wheels import Wheels
from torchconf.rules.page import load_page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torchconf.catalog import Catalog
    from torchconf.model.backends import Backend
    from torchconf.model.project import Project, Source
    from torchconf.model.targets import Platform
    from torchconf.resolve.routes import Route, Routes
    from torchconf.resolve.wheels import Judged
    from torchconf.rules import Rule

__all__ = ["Explanation", "explain_routes", "markdown_page", "page"]

_SEVERITIES = {"error": "an error", "warning": "a warning", "info": "information"}
_FIXES = {
    "safe": "run `torchconf check --fix`",
    "unsafe": "run `torchconf check --fix --unsafe-fixes`; not every case has a fix",
    "no": "none; edit the file by hand",
}


def page(rule: Rule) -> str:
    """Return the page of a rule: what is wrong, why it hurts, bad and good TOML, the source."""
    text = load_page(rule).text()
    optional = "; off by default" if rule.is_optional else ""
    head = f"{rule.code} {rule.name}: {_SEVERITIES[rule.severity.value]}{optional}"
    return f"{head}\n\n{text}\n\nFix:  {_FIXES[rule.fixes]}\nRead: {rule.reference}\n"


def markdown_page(rule: Rule) -> str:
    """Return the page of a rule as Markdown, for an editor."""
    found = load_page(rule)
    parts = [f"**{rule.code} {rule.name}**: {found.summary}", found.reason]
    for word, examples in (("Bad", found.bad), ("Good", found.good)):
        parts += [f"{word}:\n\n```toml\n{example}```" for example in examples]
    parts += [f"Fix: {_FIXES[rule.fixes]}", f"Read: <{rule.reference}>"]
    return "\n\n".join(part for part in parts if part)


class Explanation(NamedTuple):
    """Why one choice gives a platform one build of one package."""

    package: str
    platform: str
    command: str
    backend: str | None
    """None: not installed, or not known."""
    steps: tuple[str, ...]
    """Sentences, in the order in which uv decides; the last one is the outcome."""

    def data(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return self._asdict() | {"steps": list(self.steps)}

    def text(self) -> str:
        """Return it for people."""
        head = f"{self.package} on {self.platform}, {self.command}"
        *steps, outcome = self.steps
        lines = [f"  {number}. {step}" for number, step in enumerate(steps, start=1)]
        return "".join(f"{shown(line)}\n" for line in (head, *lines, f"  => {outcome}"))


def explain_routes(
    project: Project,
    routes: Routes,
    catalog: Catalog,
    *,
    platforms: Iterable[Platform],
    packages: Iterable[str] = (),
    backends: Iterable[Backend] = (),
    around: Around | None = None,
    linked: Iterable[str] = (),
) -> Iterator[Explanation]:
    """Explain what a project gets, for each choice.

    Args:
        project: Whose extras and groups are chosen from.
        routes: Of the project or its workspace.
        catalog: For what indexes serve and have.
        platforms: The machines.
        packages: Names; without any, torch, or what the project has instead.
        backends: Keep only choices that give one of these; without any, all.
        around: The projects that its requirements may lead to.
        linked: The names of the files in the folders of `find-links`.
    """
    around = around or Around()
    names = (
        [*packages]
        or packages_of([project], catalog.dependents, catalog)[:1]
        or [catalog.main_package]
    )
    wanted = {backend.name for backend in backends}
    wheels = Wheels(project, catalog, linked)
    chosen = selections_in(project, around.members, catalog, around)
    own = [selection for owner, selection in chosen if owner is project]
    by_machine = any(selection.left_out for selection in own)
    for package in names:
        for selection in own:
            for platform in platforms:
                found = _explain(
                    project, routes, wheels, package, selection, platform, by_machine=by_machine
                )
                if not wanted or found.backend in wanted:
                    yield found


def _explain(
    project: Project,
    routes: Routes,
    wheels: Wheels,
    package: str,
    selection: Selection,
    platform: Platform,
    *,
    by_machine: bool,
) -> Explanation:
    route = routes.row(package, platform.environment(), choice_of(selection))
    judged = wheels.judge(package, platform, route)
    is_meant = by_machine and selection == Selection(package=selection.package)
    steps = [
        *_asked(project, route, package),
        *_sources(project, route, package, platform, selection),
        *_conflicts(route),
        _outcome(route, judged, wheels.catalog, is_meant=is_meant) + _provisional(route),
    ]
    return Explanation(
        package=package,
        platform=platform.label,
        command=selection.command(),
        backend=judged.backend.name if judged.backend else None,
        steps=tuple(steps),
    )


def _asked(project: Project, route: Route, package: str) -> Iterator[str]:
    """Say what brings the package."""
    if route.requirement is not None:
        yield f"required by `{route.requirement.raw}`, at {project.spoken(route.requirement.at)}"
    elif route.needed_by:
        names = ", ".join(f"`{name}`" for name in sorted(route.needed_by))
        yield f"no direct requirement; {names} needs it"
    elif route.kind == "index":
        yield "no direct requirement; uv.lock says that something here needs it"
    elif route.kind == "absent":
        yield f"nothing that this command installs requires `{package}`"


def _sources(
    project: Project, route: Route, package: str, platform: Platform, selection: Selection
) -> Iterator[str]:
    """Say of each source entry whether it counts here, and why not."""
    entries = project.sources_for(canonicalize_name(package))
    if route.pin is not None and route.pin.source not in entries:
        yield f"the source at {route.pin.at} selects its index, in every project that depends on it"
    elif not entries and route.kind != "error":
        yield f"`{package}` has no source"
    for source in entries:
        names = f"index `{source.value}`" if source.kind == "index" else f"a {source.kind}"
        where = f"source {source.at} ({names})"
        scope = _scope(project, source)
        counts = route.pin is not None and route.pin.source == source
        if scope is not None and route.fork is not None and route.fork.excludes(scope):
            yield f"{where} does not apply: it is for {spoken(scope)}, which is not selected"
        elif source.marker is not None and not holds(source.marker, platform):
            void = _VOID if counts else ""
            yield f"{where}: its marker `{source.raw_marker}` does not hold here{void}"
        elif route.kind == "absent" and route.pin is None:
            yield f"{where} does not apply: no requirement selected here names `{package}`"
        elif scope is not None and not _is_chosen(scope, project, selection):
            free = _FREE if counts else ""
            yield f"{where} is for {spoken(scope)}, which is not selected{free}"
        else:
            kept = (
                f"is for {spoken(scope)}"
                if scope is not None
                else "applies with any extra or group"
            )
            held = (
                f", and its marker `{source.raw_marker}` holds" if source.marker is not None else ""
            )
            yield f"{where} {kept}{held}"


_VOID = (
    ", but the source still applies: uv uses one index for this part of the "
    "lockfile, which also covers platforms where the marker holds"
)
_FREE = ", but it still applies: no conflict separates it from this choice"


def _is_chosen(scope: Item, project: Project, selection: Selection) -> bool:
    names = {canonicalize_name(name) for name in (*selection.extras, *selection.groups)}
    kept = {canonicalize_name(name) for name in (*selection.no_groups, *selection.left_out)}
    return scope.name in names | (set(project.installed_groups()) - kept)


def _scope(project: Project, source: Source) -> Item | None:
    if project.name is None:
        return None
    if source.extra is not None:
        return Item(project.name, "extra", source.extra)
    return Item(project.name, "group", source.group) if source.group is not None else None


def _conflicts(route: Route) -> Iterator[str]:
    """Say what conflicts keep out of this part of the lock."""
    if route.fork is None or not route.fork.excluded:
        return
    several = len({item.package for item in (*route.fork.excluded, *route.fork.included)}) > 1

    def named(item: Item) -> str:
        return f"{spoken(item)} of `{item.package}`" if several and item.name else spoken(item)

    out = ", ".join(sorted(map(named, route.fork.excluded)))
    inside = " and ".join(sorted(map(named, route.fork.included)))
    if inside:
        has = "has" if len(route.fork.included) == 1 else "have"
        yield (
            f"because of `tool.uv.conflicts`, {inside} {has} a separate part of the "
            f"lockfile without {out}"
        )
    else:
        yield f"because of `tool.uv.conflicts`, this part of the lockfile excludes {out}"


_WHEELS = {
    Answer.YES: "",
    Answer.NO: "; it has no wheel for this platform, so the installation fails",
    Answer.UNKNOWN: "; it is not known whether it has a wheel for this platform",
}


def _provisional(route: Route) -> str:
    return f"; this is provisional: {route.doubt}" if route.doubt else ""


def _outcome(route: Route, judged: Judged, catalog: Catalog, *, is_meant: bool) -> str:
    """Say what comes of it; an error may be meant, where each machine says which build it is."""
    backend, answer = judged.backend, judged.available
    if route.kind == "error":
        meant = refused(judged.reason, is_meant=True) if is_meant else None
        return meant or f"uv fails: {judged.reason}"
    if route.kind == "absent":
        return "not installed"
    if backend is None:
        return f"unknown: {judged.reason}"
    if judged.is_linked:
        return f"{backend.title}, from a folder of `find-links`"
    if route.index is None:
        why = "as the name of the wheel says"
        why = f", {why}" if route.kind == "direct" else ": no index is configured for it"
        return f"{backend.title}{why}{_WHEELS[answer]}"
    name = f"index `{route.index.name}`" if route.index.name else "the index"
    family = catalog.family_of(route.index.url)
    kind = f", one of {family.title}" if family is not None else ""
    return f"{backend.title}, from {name} ({route.index.url}){kind}{_WHEELS[answer]}"
