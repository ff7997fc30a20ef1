"""From a request and a project to a plan: what the file shall say, and the steps to get there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from torchconf.backends import PYPI, Backend
from torchconf.catalog import Answer, Triton
from torchconf.configuration import read_configuration
from torchconf.drafting import Draft
from torchconf.errors import ProjectError, RequestError
from torchconf.layouts import (
    Layout,
    Scope,
    choose_layout,
    environment_cells,
    make_scopes,
    ordered,
    widened,
)
from torchconf.markers import holds, overlap, platform_marker, same_platforms
from torchconf.plan import Plan
from torchconf.releases import Choice, Needs, choose_release, last_line, leaves_platform
from torchconf.requirements import (
    next_minor,
    python_specifier,
    torch_specifier,
    with_specifier,
    with_upper_bound,
)
from torchconf.targets import PLATFORMS, Platform, Target, Wish

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from torchconf.catalog import Catalog
    from torchconf.configuration import Configuration
    from torchconf.plan import Path, Value
    from torchconf.project import Project


class Request(NamedTuple):
    """What a user asks for: one field a flag of `init`."""

    wishes: tuple[Wish, ...] = ()
    """Empty: the targets that the project has."""
    torch: str | None = None
    """A specifier, or a bare version, which means that release."""
    packages: tuple[str, ...] = ()
    """Companions to add, as typed."""
    layout: str = "auto"
    default: str | None = None
    """A backend, or `none`."""
    names: tuple[tuple[str, str], ...] = ()
    """Backend to the name of its extra or group."""
    python: str | None = None
    index_base: str | None = None
    pin: bool = False
    required_environments: bool = False
    force: bool = False


class Facts(NamedTuple):
    """What the planner must know beside the file: it reads no disk itself."""

    folder: str
    """Name of the project's folder, for a project that has no name."""
    locked: Version | None = None
    """The torch release in uv.lock."""
    needed: frozenset[str] = frozenset()
    """Family packages that some other dependency needs, as uv.lock or the catalog says."""


class Outcome(NamedTuple):
    """A plan, and the configuration that it leads to."""

    plan: Plan
    layout: Layout
    scopes: tuple[Scope, ...]
    targets: tuple[Target, ...]
    default: Backend | None
    """Whose group is a default group."""
    choice: Choice


def plan_targets(
    request: Request, project: Project, catalog: Catalog, facts: Facts
) -> Outcome:
    """Plan what `init` shall write.

    Args:
        request: Wishes may be empty if the project has targets.
        project: As read; an empty file reads as a project without `[project]`.
        catalog: What can be had.
        facts: What is known from outside the file.

    Raises:
        RequestError: It can not be had, or is ambiguous.
        ProjectError: The file holds something that is not understood, or not to be edited.
    """
    return _Planner(request, project, catalog, facts).plan()


class _Planner:
    def __init__(
        self, request: Request, project: Project, catalog: Catalog, facts: Facts
    ) -> None:
        self.request = request
        self.project = project
        self.catalog = catalog
        self.facts = facts
        self.draft = Draft(project.data)
        self.notes: list[str] = []
        self.warnings: list[str] = []
        self.before: Configuration = read_configuration(project, catalog)
        self.main = catalog.main_package

    def plan(self) -> Outcome:
        self._refuse_puzzles()
        wishes = self._wishes()
        self.packages = self._packages()
        self.torch = self._torch_range()
        self.python = self._python_range()
        self.choice = choose_release(
            wishes,
            Needs(self.torch, self._companion_ranges(), self.python),
            self.catalog,
            self.facts.locked,
        )
        self.targets = self._with_present(self.choice.targets)
        self.layout, why = choose_layout(
            self._asked_layout(),
            self.targets,
            default=self.request.default,
            keep_base=self._keeps_base(),
        )
        if self.request.layout == "auto" and self.layout == self.before.layout:
            why = "the project has it"
        self._refuse_change_of_layout()
        self.scopes = make_scopes(
            self.layout, self.targets, self.catalog, self._names(), self._lacks
        )
        if self._cuts_environments():
            self.scopes = widened(self.scopes)
        self.default = self._default()
        self.torch_bound = self._find_torch_bound()
        self.ceiling = self._find_ceiling()
        self.bounds = self._find_bounds()
        self._tell(why)
        self._project_table()
        self._dev_group()
        self._requirements()
        self._conflicts_and_groups()
        self._environments()
        self._pins()
        self._sources()
        self._indexes()
        plan = Plan(tuple(self.draft.steps), tuple(self.notes), tuple(self.warnings))
        return Outcome(plan, self.layout, self.scopes, self.targets, self.default, self.choice)

    # What is asked.

    def _refuse_puzzles(self) -> None:
        if self.before.puzzles and not self.request.force:
            puzzle = self.before.puzzles[0]
            raise ProjectError(
                f"the PyTorch configuration is not understood: {puzzle.why}",
                at=puzzle.at,
                help="mend it, or let `--force` replace it",
            )

    def _wishes(self) -> tuple[Wish, ...]:
        if self.request.wishes:
            return tuple(self._present_or_asked(wish) for wish in self.request.wishes)
        if not self.before.targets:
            raise RequestError(
                "no target is given and the project has none",
                help="name them: `-t linux-cuda -t macos-cpu`",
            )
        return tuple(_as_wish(target) for target in self.before.targets)

    def _present_or_asked(self, wish: Wish) -> Wish:
        """Let a bare accelerator mean the backend that the project has there already."""
        if wish.backend is not None:
            return wish
        named = {other.backend for other in self.request.wishes}
        present = [
            target.backend
            for target in self.before.targets
            if target.platform == wish.platform and target.backend.accelerator == wish.accelerator
        ]
        present.sort(key=lambda backend: (backend not in named, backend.version), reverse=True)
        return wish._replace(backend=present[0]) if present else wish

    def _with_present(self, targets: tuple[Target, ...]) -> tuple[Target, ...]:
        """Refuse to drop what the project has, unless told to."""
        gone = [
            target
            for target in self.before.targets
            if target not in targets
            and target.backend not in {self.catalog.fallback, PYPI}
            and not any(
                target.backend == other.backend and target.platform.os == other.platform.os
                for other in targets
            )
        ]
        if gone and self.request.wishes and not self.request.force:
            raise RequestError(
                f"the project has a target that is not asked for: {_names_of(gone)}",
                at=self.project.place("tool.uv.sources"),
                help=f"add `-t {gone[0]}`, or let `--force` take it away",
            )
        return targets

    def _packages(self) -> tuple[str, ...]:
        """Return torch and the companions that shall be routed, in the catalog's order."""
        found = {self.main, *self.facts.needed, *self.before.packages}
        for text in self.request.packages:
            name = canonicalize_name(text)
            if name not in self.catalog.family or name in self.catalog.triton_packages:
                raise RequestError(
                    f"`{text}` is not a package that the PyTorch indexes carry for torch",
                    help=f"they carry {', '.join(self._companions())}; "
                    "for any other package use `uv add`",
                )
            found.add(name)
        return tuple(
            name
            for name in self.catalog.family
            if name in found and name not in self.catalog.triton_packages
        )

    def _companions(self) -> list[str]:
        return [
            name
            for name in self.catalog.family
            if name != self.main and name not in self.catalog.triton_packages
        ]

    def _torch_range(self) -> SpecifierSet:
        """Join what is asked for, what the project requires, and what it pins."""
        return SpecifierSet(torch_specifier(self.request.torch)) & self._declared_range(self.main)

    def _declared_range(self, package: str) -> SpecifierSet:
        if package == self.main and self.request.torch is not None:
            return SpecifierSet()
        joined = SpecifierSet()
        workspace = self.project.workspace
        for requirement in (*self.project.requirements(), *workspace.constraint_dependencies):
            if requirement.name == package:
                joined &= requirement.specifier
        return joined

    def _companion_ranges(self) -> dict[str, SpecifierSet]:
        return {
            name: self._declared_range(name) for name in self.packages if name != self.main
        }

    def _python_range(self) -> SpecifierSet | None:
        if self.request.python is None:
            return self.project.requires_python
        return SpecifierSet(python_specifier(self.request.python))

    # How it is laid out.

    def _asked_layout(self) -> str:
        if self.request.layout != "auto" or self.before.layout is None:
            return self.request.layout
        several = len({t.platform for t in self.targets}) < len(set(self.targets))
        stays = self.before.layout != "markers" or not several
        return self.before.layout if stays else "auto"

    def _refuse_change_of_layout(self) -> None:
        before = self.before.layout
        if before in {None, self.layout} or self.request.layout != "auto" or self.request.force:
            return
        raise RequestError(
            f"the layout would change from `{before}` to `{self.layout}`, and with it how people "
            "install",
            at=self.project.place("tool.uv.sources"),
            help=f"if that is meant, say `--layout {self.layout}`",
        )

    def _keeps_base(self) -> bool:
        published = self.project.has_build_system and any(
            requirement.name in self.packages for requirement in self.project.dependencies
        )
        return published or bool(self.facts.needed)

    def _names(self) -> dict[str, str]:
        names = dict(self.before.names)
        for backend, name in self.request.names:
            if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", name):
                raise RequestError(
                    f"`--name {backend}={name}`: `{name}` is not a valid name",
                    help="letters, digits, `-`, `_` and `.`, the first and last no punctuation",
                )
            used = {target.backend.name for target in self.targets}
            if backend not in used:
                raise RequestError(
                    f"`--name {backend}={name}` names a backend that no target has",
                    help=f"the targets have {', '.join(sorted(used))}",
                )
            names[backend] = name
        return names

    def _lacks(self, backend: Backend, platform: Platform) -> bool:
        """Tell whether an index is known to have no torch for a platform."""
        if backend != PYPI and platform.key not in self.catalog.accelerator(backend).platforms:
            return True
        release = self.choice.release
        if release is None:
            return False
        pythons = self.catalog.supported_pythons(release, self.python)
        return bool(pythons) and all(
            self.catalog.available(self.main, release, backend, platform, python) is Answer.NO
            for python in pythons
        )

    def _default(self) -> Backend | None:
        """Return the backend that plain `uv sync` shall install, for the layout `groups`."""
        if self.layout != "groups" or self.request.default == "none":
            return None
        backends = ordered({target.backend for target in self.targets}, self.catalog)
        asked = self.request.default or self.before.default
        if asked is None:
            if self.before.layout == "groups":
                return None
            return next((b for b in backends if b == self.catalog.fallback), backends[0])
        chosen = next((backend for backend in backends if backend.name == asked), None)
        if chosen is None:
            raise RequestError(
                f"`--default {asked}` is the backend of no target",
                help=f"the targets have {', '.join(backend.name for backend in backends)}",
            )
        return chosen

    # What is said.

    def _tell(self, layout_reason: str) -> None:
        release = self.choice.release
        self.notes.append(f"layout {self.layout}: {layout_reason}")
        if release is not None:
            why = (
                "it is the locked one, and serves all targets"
                if release == self.facts.locked
                else "the newest that the catalog has for every target and Python"
                if not self.choice.doubts
                else "the newest of which nothing is known to be missing"
            )
            self.notes.append(f"torch {release}: {why}")
        for doubt in self.choice.doubts:
            self.warnings.append(f"the catalog of {self.catalog.as_of} does not know {doubt}")
        if self.choice.doubts:
            self.warnings.append("`torchconf catalog refresh` reads the live indexes")

    # What is written.

    def _project_table(self) -> None:
        if not self.project.has_project:
            reason = "a project needs a name"
            self.draft.put(("project", "name"), _project_name(self.facts.folder), reason)
            self.draft.put(("project", "version"), "0.1.0", reason)
        if self.request.python is not None:
            self.draft.put(("project", "requires-python"), python_specifier(self.request.python), "asked for")
        elif self.python is None and "requires-python" not in self.project.dynamic:
            floor = self.choice.python or self.catalog.pythons[0]
            self.draft.put(
                ("project", "requires-python"),
                f">={floor}",
                "the lowest Python that this torch has for all targets",
            )
        if not self.project.has_project:
            self.draft.put(("project", "dependencies"), [], "filled below")

    def _requirements(self) -> None:
        base: Path = ("project", "dependencies")
        if self.layout == "markers":
            wanted = {name: self._text(name, bare=False) for name in self.packages}
            declared = {r.name for r in self.project.requirements()}
            for name, text in wanted.items():
                if name in declared:
                    self._bound_declared(name)
                else:
                    self._add(base, text, "dependencies")
            for name, text in self._tritons(self.scopes[0]).items():
                if name not in declared:
                    self._add(base, text, "dependencies")
            return
        moved: dict[str, list[str]] = {}
        if self.layout == "extras":
            moved = self._move_out_of_base()
        for scope in self.scopes:
            table, section = self._section(scope)
            there = {r.name for r in section.requirements} if section else set()
            lines: list[str] = []
            for name in self.packages:
                if name in there:
                    self._bound_in(scope, name)
                else:
                    lines += moved.get(name) or [self._text(name, bare=self._in_base(name))]
            lines += [text for name, text in self._tritons(scope).items() if name not in there]
            if section is None:
                self.draft.put(table, list(lines), f"chooses {scope.backend.title}")
            else:
                for line in lines:
                    self.draft.insert(table, line, f"chooses {scope.backend.title}")

    def _section(self, scope: Scope) -> tuple[Path, Any]:
        """Return the path of a scope's list of requirements, and the section if it is there."""
        extras = scope.kind == "extra"
        sections = self.project.extras if extras else self.project.groups
        section = sections.get(canonicalize_name(scope.name))
        name = section.written if section else scope.name
        if extras:
            if "optional-dependencies" in self.project.dynamic:
                self._refuse_dynamic("optional-dependencies")
            return ("project", "optional-dependencies", name), section
        return ("dependency-groups", name), section

    def _refuse_dynamic(self, key: str) -> None:
        raise ProjectError(
            f"`{key}` is dynamic: the build backend computes it, so it can not be edited here",
            at=self.project.place("project.dynamic"),
            help="take `--layout groups`, which leaves it alone",
        )

    def _add(self, path: Path, text: str, key: str) -> None:
        if key in self.project.dynamic:
            self._refuse_dynamic(key)
        self.draft.insert(path, text, "needed as a direct requirement, so that its source counts")

    def _in_base(self, name: str) -> bool:
        return any(requirement.name == name for requirement in self.project.dependencies)

    def _move_out_of_base(self) -> dict[str, list[str]]:
        """Take the family out of the base dependencies; return its requirements, bounds added."""
        moved: dict[str, list[str]] = {}
        keep: list[int] = []
        for number, requirement in enumerate(self.project.dependencies):
            if requirement.name in self.packages:
                text = self._kept(requirement)
                moved.setdefault(requirement.name, []).append(text)
                keep.append(number)
        for number in reversed(keep):
            self.draft.remove(
                ("project", "dependencies", number), "each extra brings its own build"
            )
        return moved

    def _bound_declared(self, name: str) -> None:
        for requirement in self.project.requirements():
            if requirement.name == name:
                self._bound_at(requirement)

    def _bound_in(self, scope: Scope, name: str) -> None:
        _, section = self._section(scope)
        for requirement in section.requirements:
            if requirement.name == name:
                self._bound_at(requirement)

    def _bound_at(self, requirement: Any) -> None:  # noqa: ANN401 - project.Requirement
        self.draft.replace(
            _path(requirement.at), self._kept(requirement), "keeps all targets together"
        )

    def _kept(self, requirement: Any) -> str:  # noqa: ANN401 - project.Requirement
        """Return a requirement that is there already, with what is asked for and bounded."""
        text = requirement.raw
        if requirement.name == self.main and self.request.torch is not None:
            text = with_specifier(text, torch_specifier(self.request.torch))
        return self._bounded(text, requirement.name)

    def _text(self, name: str, *, bare: bool) -> str:
        """Return a new requirement: a lower bound, and an upper one where a line has ended."""
        if name == self.main and self.request.torch is not None:
            return self._bounded(name + torch_specifier(self.request.torch), name)
        if bare or (name in self.facts.needed and name not in self.request.packages):
            # Where an upper bound is needed, a lower one keeps a resolver from going far below.
            bounded = name == self.main and self.torch_bound is not None
            return self._bounded(f"{name}>={self.choice.release}" if bounded else name, name)
        if name == self.main:
            lower = self.choice.release
        else:
            lower = self._lowest_companion(name)
        return self._bounded(f"{name}>={lower}" if lower else name, name)

    def _lowest_companion(self, name: str) -> Version | None:
        """Return the companion of the lowest torch that the project admits."""
        chosen = self.choice.companions.get(name)
        declared = self.torch
        if not str(declared):
            is_bare = any(r.name == self.main for r in self.project.requirements())
            return None if is_bare and not self.before.pinned else chosen
        admitted = [r for r in self.catalog.releases if r in declared]
        fitting = self.catalog.companions(name, min(admitted)) if admitted else None
        return max(fitting) if fitting else None

    def _bounded(self, text: str, name: str) -> str:
        """Add the upper bound that keeps all targets at one release, if one is needed."""
        bound = self.bounds.get(name)
        return text if bound is None else with_upper_bound(text, bound)

    def _find_torch_bound(self) -> str | None:
        """Return the release that torch must stay below, if targets would part otherwise."""
        release = self.choice.release
        if release is None:
            return None
        parts = {last_line(target, self.catalog) for target in self.targets}
        leaves = any(leaves_platform(t, release, self.torch, self.catalog) for t in self.targets)
        needed = len(parts) > 1 or leaves or self._triton_changes()
        return next_minor(release) if needed else None

    def _triton_changes(self) -> bool:
        """Tell whether some Python is held back to releases whose triton has another name."""
        python = self.choice.python
        for backend in {target.backend for target in self.targets}:
            reached = self._reached(backend, self.torch)
            served = [r for r in reached if python in self.catalog.release_pythons(r)]
            names = {self.catalog.triton(backend, r) for r in (*reached[:1], *served[:1])}
            if len({triton.name for triton in names if triton}) > 1:
                return True
        return False

    def _reached(self, backend: Backend, within: SpecifierSet) -> list[Version]:
        """Return the releases in a range that a backend may have, newest first."""
        last = self.catalog.ended(backend)
        return [
            release
            for release in self.catalog.releases
            if release in within and (last is None or release <= Version(last))
        ]

    def _find_ceiling(self) -> SpecifierSet:
        """Return the range of torch that uv will choose from; it takes the newest in it."""
        ceiling = self.torch
        if self.torch_bound is not None:
            ceiling &= SpecifierSet(f"<{self.torch_bound}")
        if self.request.pin and self.choice.release is not None:
            ceiling &= SpecifierSet(f"=={self.choice.release}")
        return ceiling

    def _find_bounds(self) -> dict[str, str]:
        """Return the upper bounds that are needed, `2.12` for `torch<2.12`, by package."""
        bounds = {} if self.torch_bound is None else {self.main: self.torch_bound}
        if self.request.pin or self.before.pinned or self.ceiling.contains("999"):
            return bounds
        for name, companion in self.choice.companions.items():
            fitting = [
                version
                for release in self.catalog.releases
                if release in self.ceiling
                for version in self.catalog.companions(name, release) or ()
            ]
            highest = max(fitting, default=companion)
            if self.catalog.leaves_torch_open(name, highest):
                bounds[name] = next_minor(highest)
        return bounds

    def _tritons(self, scope: Scope) -> dict[str, str]:
        """Return the triton requirements of a scope, each with the marker of its source."""
        found: dict[str, str] = {}
        for backend in scope.backends():
            triton = self._triton(backend)
            if triton is not None:
                bounds = [f">={triton.bound}"] if triton.bound else []
                if triton.pin and not self.ceiling.contains("999"):
                    # A newer triton could pull in an older torch, one that needs none.
                    bounds.append(f"<={triton.pin}")
                text = f"{triton.name}{','.join(bounds)}"
                found[triton.name] = f"{text} ; {scope.marker(backend)}"
        return found

    def _triton(self, backend: Backend) -> Triton | None:
        """Return the triton package of the torch that will be installed: the newest in range."""
        reached = self._reached(backend, self.ceiling) or self.catalog.releases
        newest = self.catalog.triton(backend, reached[0])
        lowest = self.catalog.triton(backend, self.choice.release or reached[0])
        # Some Python may be held back to the release that was chosen.
        if newest and lowest and newest.name == lowest.name:
            return newest._replace(bound=lowest.bound)
        return newest

    def _conflicts_and_groups(self) -> None:
        if self.layout == "markers":
            return
        kind = self.scopes[0].kind
        names = [scope.name for scope in self.scopes]
        if self.layout == "groups":
            self._default_groups(names)
        if len(names) > 1:
            self._one_set(kind, names)

    def _one_set(self, kind: str, names: Sequence[str]) -> None:
        """Make one conflict set hold all names: pairs would let one of them win."""
        reason = "each of these brings another build of the same packages"
        path: Path = ("tool", "uv", "conflicts")
        sets = self.draft.get(path) or []
        for number, members in enumerate(sets):
            own = [canonicalize_name(m[kind]) for m in members if kind in m]
            if len([name for name in names if canonicalize_name(name) in own]) >= 2:
                for name in names:
                    if canonicalize_name(name) not in own:
                        self.draft.insert((*path, number), {kind: name}, reason)
                return
        self.draft.insert(path, [{kind: name} for name in names], reason)

    def _default_groups(self, names: Sequence[str]) -> None:
        path: Path = ("tool", "uv", "default-groups")
        current = self.draft.get(path)
        default = next((s.name for s in self.scopes if s.backend == self.default), None)
        ours = {canonicalize_name(name) for name in names}
        if current == "all":
            groups = list(self.draft.get(("dependency-groups",)) or {})
            kept = [name for name in groups if canonicalize_name(name) not in ours]
        elif current is None:
            kept = ["dev"]
        else:
            kept = [name for name in current if canonicalize_name(name) not in ours]
        if default is None and current is None:
            return
        wanted = [*kept, default] if default else kept
        if current == "all" or current is None:
            self.draft.put(path, list(wanted), "what plain `uv sync` installs")
        elif set(map(canonicalize_name, wanted)) != set(map(canonicalize_name, current)):
            self.draft.arrange(
                path,
                list(wanted),
                "what plain `uv sync` installs",
                same=lambda name: canonicalize_name(str(name)),
                kin=lambda name: canonicalize_name(str(name)) in ours,
            )

    def _dev_group(self) -> None:
        """Define `dev` if `default-groups` will name it, ahead of the groups of this plan."""
        untouched = self.project.default_groups is None and self.default is not None
        if untouched and "dev" not in self.project.groups:
            self.draft.put(
                ("dependency-groups", "dev"),
                [],
                "`default-groups` replaces uv's own default, `dev`, which must then be defined",
            )

    def _environments(self) -> None:
        uv: Path = ("tool", "uv")
        if self._cuts_environments():
            wanted = environment_cells(self.scopes)
            if wanted:
                self._cut_environments((*uv, "environments"), wanted)
        if self.request.required_environments:
            self._require_environments((*uv, "required-environments"))

    def _cuts_environments(self) -> bool:
        """Tell whether base dependencies hold a package that scoped sources route."""
        return self.layout == "groups" and any(self._in_base(name) for name in self.packages)

    def _cut_environments(self, path: Path, wanted: Sequence[str]) -> None:
        reason = "uv ignores the markers of scoped sources next to base dependencies without this"
        current = self.draft.get(path)
        if current is None:
            self.draft.put(path, list(wanted), reason)
            return
        entries = [current] if isinstance(current, str) else list(current)
        split: list[Value] = []
        for entry in entries:
            parts = [cell for cell in wanted if overlap(entry, cell)]
            if len(parts) <= 1:
                split.append(entry)
            else:
                split += [f"({entry}) and ({cell})" if " or " in cell else f"({entry}) and {cell}" for cell in parts]
        if split != entries:
            self.draft.put(path, split, reason)

    def _require_environments(self, path: Path) -> None:
        reason = "uv then refuses at lock time what would fail to install"
        current = self.draft.get(path) or []
        for platform in PLATFORMS:
            marker = platform_marker(platform)
            if any(target.platform == platform for target in self.targets) and not any(
                holds(entry, platform) for entry in current
            ):
                self.draft.insert(path, marker, reason)

    def _pins(self) -> None:
        release = self.choice.release
        if not self.request.pin or release is None:
            return
        path: Path = ("tool", "uv", "constraint-dependencies")
        pins = {self.main: release, **self.choice.companions}
        for scope in self.scopes:
            for backend in scope.backends():
                triton = self._triton(backend)
                if triton is not None and triton.pin is not None:
                    pins[triton.name] = Version(triton.pin)
        wanted = [f"{name}=={version}" for name, version in pins.items()]
        current = self.draft.get(path)
        reason = "one version everywhere"
        if current is None:
            self.draft.put(
                path, list(wanted), reason, "`torchconf upgrade` moves these pins together"
            )
            return
        there = {canonicalize_name(Requirement(str(line)).name) for line in current}
        for line in wanted:
            if Requirement(line).name not in there:
                self.draft.insert(path, line, reason)

    def _sources(self) -> None:
        path: Path = ("tool", "uv", "sources")
        wanted: dict[str, list[Value]] = {
            name: [entry for scope in self.scopes for entry in self._entries(scope)]
            for name in self.packages
        }
        for scope in self.scopes:
            for backend in scope.backends():
                triton = self._triton(backend)
                if triton is not None:
                    wanted.setdefault(triton.name, []).append(self._entry(scope, backend))
        for name, entries in wanted.items():
            if not entries:
                continue
            self.draft.arrange(
                (*path, self.draft.key(path, name, canonicalize_name)),
                entries,
                "each platform gets its build from one index",
                same=_same_source,
                kin=_scope_and_index,
            )

    def _entries(self, scope: Scope) -> list[Value]:
        return [self._entry(scope, backend) for backend in scope.backends()]

    def _entry(self, scope: Scope, backend: Backend) -> Value:
        entry: dict[str, Value] = {"index": self._index_name(backend)}
        if scope.kind:
            entry[scope.kind] = scope.name
        marker = scope.marker(backend)
        if marker is not None:
            entry["marker"] = marker
        return entry

    def _index_name(self, backend: Backend) -> str:
        known = self.before.indexes.get(backend.name)
        return known.name if known is not None and known.name else f"pytorch-{backend.name}"

    def _indexes(self) -> None:
        backends = {backend for scope in self.scopes for backend in scope.backends()}
        for backend in ordered(backends, self.catalog):
            known = self.before.indexes.get(backend.name)
            if known is not None:
                continue
            name = self._index_name(backend)
            taken = self.project.index_named(name)
            if taken is not None:
                raise ProjectError(
                    f"index name `{name}` is taken by {taken.url}",
                    at=self.project.place(taken.at),
                    help="rename that index, or correct its URL",
                )
            entry: Value = {"name": name, "url": self._url(backend), "explicit": True}
            self.draft.insert(("tool", "uv", "index"), entry, f"serves {backend.title}")

    def _url(self, backend: Backend) -> str:
        base = self.request.index_base or self._base_in_use() or self.catalog.base_url
        if "{backend}" in base:
            return base.replace("{backend}", backend.name)
        return f"{base.rstrip('/')}/{backend.name}"

    def _base_in_use(self) -> str | None:
        """Return the pattern of the mirror that the project's other indexes are on."""
        for name, index in self.before.indexes.items():
            if not index.url.startswith(self.catalog.base_url):
                head, found, tail = index.url.rpartition(name)
                if found:
                    return f"{head}{{backend}}{tail}"
        return None


def _as_wish(target: Target) -> Wish:
    return Wish(target.platform, target.backend.accelerator, target.backend, str(target))


def _names_of(targets: Iterable[Target]) -> str:
    return ", ".join(f"`{target}`" for target in targets)


def _project_name(folder: str) -> str:
    """Make a valid project name of a folder's name."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", folder).strip("-").lower()
    return name or "project"


def _path(at: str) -> Path:
    """Read a TOML path as `project` writes it: `dependency-groups."cu13.0"[0]`."""
    parts = re.findall(r'"([^"]*)"|\[(\d+)\]|([^.\[\]"]+)', at)
    return tuple(int(number) if number else quoted or bare for quoted, number, bare in parts)


def _same_source(entry: Any) -> tuple[object, ...]:  # noqa: ANN401 - a parsed TOML value
    scope = entry.get("extra") or entry.get("group") or ""
    kind = "extra" if "extra" in entry else "group" if "group" in entry else ""
    return entry.get("index"), kind, canonicalize_name(scope), same_platforms(entry.get("marker"))


def _scope_and_index(entry: Any) -> tuple[object, ...]:  # noqa: ANN401 - a parsed TOML value
    return _same_source(entry)[:3]
