"""Draft packages that need CUDA libraries of one major: the right one beside each build of torch.

Where a choice has no CUDA on a platform, or the package no such build there, the plain package is
required, if there is one.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from torchconf.errors import ProjectError, RequestError
from torchconf.layout.layouts import KINDS
from torchconf.model.markers import areas, render_areas, render_rest, same_platforms
from torchconf.model.ranges import overlaps
from torchconf.model.requirements import parse_requirement
from torchconf.model.targets import PLATFORMS, SHOWN_PLATFORMS
from torchconf.model.toml_path import DEPENDENCIES, EXTRAS, GROUPS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from packaging.requirements import Requirement as Parsed

    from torchconf.catalog import Catalog, CudaMajor
    from torchconf.edits.draft import Draft
    from torchconf.layout.layouts import Scope
    from torchconf.model.project import Project, Section
    from torchconf.model.targets import Platform
    from torchconf.model.toml_path import Path
    from torchconf.planner.decide import Decision

__all__ = ["bound_names", "bring_along", "draft_cuda", "refuse_cuda_name"]


def refuse_cuda_name(text: str, catalog: Catalog) -> None:
    """Refuse the name of a package for one CUDA only: the build of torch says which is right.

    Raises:
        RequestError: It is one.
    """
    name = canonicalize_name(text.partition("[")[0].strip())
    word = next((row.word for row in catalog.cuda_majors if row.word and row.name == name), None)
    if word is not None:
        raise RequestError(
            f"`--with {text}` names the package for one CUDA",
            help=f"pass `--with {word}`: each build of torch gets the right one",
        )


def draft_cuda(
    draft: Draft,
    words: Iterable[str],
    project: Project,
    catalog: Catalog,
    decision: Decision,
    python: str | None = None,
) -> tuple[str, ...]:
    """Draft the requirements of such packages; return what to say of them.

    Args:
        draft: Of the project's file, with the extras or groups of the plan.
        words: What the packages are called, whichever the CUDA is.
        project: As it is.
        catalog: Which package is for which CUDA.
        decision: What the file is to hold.
        python: The Python that is asked for.

    Raises:
        RequestError: A target has a CUDA that there is no package for, or a Python.
        ProjectError: Another one is required already.
    """
    said: list[str] = []
    for word in dict.fromkeys(words):
        if decision.together or _is_left_to_base(decision):
            raise RequestError(
                f"`--with {word}` cannot be added here: all machines share the requirements",
                help="use `--layout extras` or `--layout groups`, or add it by hand",
            )
        packages = _Packages(draft, word, project, catalog, decision)
        if added := [*packages.draft()]:
            is_free = project.requires_python is None and python is None
            said += [*added, *packages.raise_python(is_free=is_free)]
    return tuple(said)


def bring_along(
    draft: Draft, named: Collection[str], project: Project, catalog: Catalog, decision: Decision
) -> tuple[str, ...]:
    """Give new extras or groups what the others have; return what to say of it.

    Args:
        draft: Of the project's file, with the extras or groups of the plan.
        named: Words that were asked for, and are there already.
        project: As it is.
        catalog: Which package is for which CUDA.
        decision: What the file is to hold.
    """
    there = decision.before.scopes
    new = [scope for scope in decision.scopes if canonicalize_name(scope.name) not in there]
    if not there or not new or decision.together or decision.layout != decision.before.layout:
        return ()
    sections = project.extras if new[0].kind == KINDS["extras"] else project.groups
    lines = [one for name in there & sections.keys() for one in sections[name].requirements]
    words = dict.fromkeys(
        row.word
        for row in catalog.cuda_majors
        for one in lines
        if row.word and row.name == one.name and (not row.extra or row.extra in one.extras)
    )
    own = decision._replace(scopes=tuple(new))
    said: list[str] = []
    for word in words:
        if word not in named:
            said += _Packages(draft, word, project, catalog, own, is_asked=False).draft()
    return tuple(said)


def bound_names(sections: Iterable[Section], catalog: Catalog) -> tuple[str, ...]:
    """Return the packages for one CUDA in some lists, and the plain ones beside them."""
    found: dict[str, None] = {}
    for section in sections:
        lines = section.requirements
        for row in catalog.cuda_majors:
            if any(
                row.name == one.name and (not row.extra or row.extra in one.extras) for one in lines
            ):
                plain = catalog.without_cuda.get(row.word)
                found |= dict.fromkeys(one.name for one in lines if one.name in {row.name, plain})
    return tuple(found)


def _is_left_to_base(decision: Decision) -> bool:
    """Tell whether PyPI's build is what the base brings where the group of the CPU is left out."""
    return decision.by_machine and decision.default is not None


class _Packages:
    """What one word stands for in the places of a plan."""

    def __init__(
        self,
        draft: Draft,
        word: str,
        project: Project,
        catalog: Catalog,
        decision: Decision,
        *,
        is_asked: bool = True,
    ) -> None:
        self.is_asked = is_asked
        self.edited = draft
        self.word = word
        self.project = project
        self.catalog = catalog
        self.decision = decision
        self.rows = [row for row in catalog.cuda_majors if row.word == word]
        self.plain = catalog.without_cuda.get(word)
        targeted = {target.platform for target in decision.choice.targets}
        self.platforms = [p for p in PLATFORMS if p in targeted.union(SHOWN_PLATFORMS)]

    def draft(self) -> Iterator[str]:
        """Draft it in each place, and yield what to say."""
        served = [self._texts(scope) for scope in self.decision.scopes]
        if (
            self.is_asked
            and not self.plain
            and not any(row for texts in served for row in texts.values())
        ):
            raise RequestError(
                f"`{self.word}` needs CUDA, and no target has a build with it",
                help="add a target with CUDA, or omit it",
            )
        for scope, texts in zip(self.decision.scopes, served, strict=True):
            path = self._path(scope)
            there = self._there(path)
            if self.is_asked:
                self._refuse_others(texts, there)
            lines = [*self._lines(texts, there)]
            if lines and path == DEPENDENCIES and path[1] in self.project.dynamic:
                raise ProjectError(
                    "`dependencies` is dynamic: the build backend computes it, so it cannot be "
                    "edited here",
                    at=self.project.place("project.dynamic"),
                    help=f"omit `--with {self.word}`, and add it where they are computed",
                )
            for line in lines:
                self.edited.insert(path, line, f"{self.word} for the CUDA of this torch")
            if lines:
                yield f"{self._spoken(scope, texts)}: {', '.join(f'`{line}`' for line in lines)}"

    def raise_python(self, *, is_free: bool) -> Iterator[str]:
        """Leave out Pythons for which no release is left; refuse to if somebody asked for them."""
        path = ("project", "requires-python")
        used = [row for scope in self.decision.scopes for row in self._texts(scope).values()]
        for row in {row for row in used if row and row.python}:
            admitted = SpecifierSet(self.edited.get(path) or "")
            low = [p for p in self.catalog.pythons if Version(p) < Version(row.python)]
            if not any(admitted.contains(python) for python in low):
                continue
            if not is_free:
                raise RequestError(
                    f"`{row.text}` requires Python {row.python} or newer, and the project allows "
                    "older ones",
                    help=f"pass `--python {row.python}`, or omit `--with {self.word}`",
                )
            self.edited.put(path, f">={row.python}", f"the lowest Python for {row.text}")
            yield f"Python {row.python} or newer: `{row.text}` requires it"

    def _path(self, scope: Scope) -> Path:
        if not scope.kind:
            return DEPENDENCIES
        table = EXTRAS if scope.kind == KINDS["extras"] else GROUPS
        return (*table, self.edited.key(table, scope.name, canonicalize_name))

    def _there(self, path: Path) -> list[str]:
        """Return what the base dependencies and one list require."""
        listed = [*(self.edited.get(DEPENDENCIES) or ())]
        listed += (self.edited.get(path) or ()) if path != DEPENDENCIES else ()
        return [line for line in listed if isinstance(line, str)]

    def _texts(self, scope: Scope) -> dict[Platform, CudaMajor | None]:
        """Return what each platform gets; None for the plain package."""
        found: dict[Platform, CudaMajor | None] = {}
        targets = {(t.platform, t.backend) for t in self.decision.choice.targets}
        for platform in self.platforms:
            backend = scope.at(platform)
            major = self._major(scope, platform)
            here = [row for row in self.rows if platform.key in row.platforms]
            found[platform] = next((row for row in here if row.major == major), None)
            is_missing = major and here and found[platform] is None
            if self.is_asked and is_missing and (platform, backend) in targets:
                self._refuse_major(major or 0, f"{platform.short}-{backend.name}", here)
        return found

    def _major(self, scope: Scope, platform: Platform) -> int | None:
        """Return the CUDA of the torch that a platform gets; None where it has none."""
        release = self.decision.choice.release
        return next(iter(self.catalog.cuda_of(scope.at(platform), release, platform)), None)

    def _refuse_major(self, major: int, target: str, here: Sequence[CudaMajor]) -> None:
        there = sorted({row.major for row in here}, reverse=True)
        plain = f", or add `{self.plain}` by hand, without its CUDA" if self.plain else ""
        raise RequestError(
            f"`{self.word}` has no build for CUDA {major}, which target `{target}` has",
            help=f"choose a build of torch for CUDA {' or '.join(map(str, there))}{plain}",
        )

    def _refuse_others(
        self, texts: Mapping[Platform, CudaMajor | None], there: Iterable[str]
    ) -> None:
        """Refuse to add a package where another one of them is required."""
        for line in there:
            parsed = parse_requirement(line)
            held = same_platforms(str(parsed.marker) if parsed.marker else None)
            row = next(
                (r for p, r in texts.items() if r and p in held and self._bars(parsed, r)), None
            )
            if row is None:
                continue
            at = next((one.at for one in self.project.requirements() if one.raw == line), "project")
            raise ProjectError(
                f"`{line}` is required already, where `{row.text}` is for the CUDA of torch",
                at=self.project.place(at),
                help=f"remove it, and run the command again: `--with {self.word}` adds what fits",
            )

    def _bars(self, line: Parsed, wanted: CudaMajor) -> bool:
        """Tell whether a requirement stands in the way of the package that is wanted there."""
        name = canonicalize_name(line.name)
        if name != wanted.name:
            return name == self.plain or any(row.name == name for row in self.rows)
        extras = set(map(canonicalize_name, line.extras)) - {wanted.extra}
        if wanted.extra and any(row.extra in extras for row in self.rows):
            return True
        return bool(wanted.versions) and not overlaps(line.specifier, wanted.versions or "")

    def _lines(
        self, texts: Mapping[Platform, CudaMajor | None], there: Sequence[str]
    ) -> Iterator[str]:
        """Yield the requirements that are missing."""
        every = frozenset(texts)
        for row in dict.fromkeys(texts.values()):
            own = frozenset(platform for platform in texts if texts[platform] == row)
            if row is not None:
                if not own <= self._held(there, partial(self._is, row)):
                    yield _gated(row.text, own, every)
            elif self.plain and not own <= self._held(there, self._is_plain):
                # What is one package needs no marker: the other line adds its extra.
                same = any(one and one.name == self.plain for one in texts.values())
                others = areas(every - own, apart=own)
                gate = f" ; {render_rest(others)}" if others and not same else ""
                yield f"{self.plain}{gate}"

    def _is(self, row: CudaMajor, line: Parsed) -> bool:
        """Tell whether a requirement is for the CUDA of a row, whichever release it leads to."""
        if canonicalize_name(line.name) != row.name:
            return False
        if row.extra:
            return canonicalize_name(row.extra) in map(canonicalize_name, line.extras)
        fitting = [
            one
            for one in self.rows
            if one.name == row.name and overlaps(line.specifier, one.versions or "")
        ]
        # A bare name gets the newest release, which the first row is about.
        return [one.major for one in (fitting if line.specifier else fitting[:1])] == [row.major]

    def _is_plain(self, line: Parsed) -> bool:
        return canonicalize_name(line.name) == self.plain

    def _held(self, there: Iterable[str], fits: Callable[[Parsed], bool]) -> frozenset[Platform]:
        """Return where what is there requires a package that fits."""
        lines = filter(fits, map(parse_requirement, there))
        held = (same_platforms(str(line.marker) if line.marker else None) for line in lines)
        return frozenset().union(*held)

    def _spoken(self, scope: Scope, texts: Mapping[Platform, CudaMajor | None]) -> str:
        majors = sorted({row.major for row in texts.values() if row}, reverse=True)
        beside = f"beside CUDA {' and '.join(map(str, majors))}" if majors else "without CUDA"
        return f"{self.word} {beside}" + (f", {scope.kind} `{scope.name}`" if scope.kind else "")


def _gated(text: str, own: Iterable[Platform], every: frozenset[Platform]) -> str:
    """Return a requirement with the marker of the platforms that it is for."""
    apart = every.difference(own)
    return f"{text} ; {render_areas(areas(own, apart=apart))}" if apart else text
