"""Questions and answers of the routing rule, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from torchconf.model.record import Record

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

    from torchconf.errors import ProjectError
    from torchconf.model.project import Index, Requirement, Source
    from torchconf.resolve.forks import Fork
    from torchconf.resolve.sourced import Pin

__all__ = ["Route", "RouteKind", "SyncOptions"]

RouteKind = Literal["absent", "index", "direct", "varies", "error", "unknown"]


class SyncOptions(Record):
    """What is installed: `uv sync --extra ... --group ... --no-group ... --package ...`.

    Without `packages`, the project itself is installed, or every member where the workspace root is
    no project. `default_groups` is false for `--no-default-groups`.
    """

    extras: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    no_groups: frozenset[str] = frozenset()
    default_groups: bool = True
    packages: frozenset[str] = frozenset()


class Route(Record):
    """The answer for one package, one machine and one choice.

    Attributes:
        kind: `index`: it comes from `index`. `absent`: nothing known here brings it, and if
            something did, it would come from `index`. `direct`: it comes from a path, a git
            repository or a URL; see `source` or `requirement`. `varies`: supported Pythons differ;
            see `by_python`. `error`: uv refuses; see `error`. `unknown`: see `reason`.
        index: The index; None stands for PyPI.
        pin: The pin that set the index, if one did.
        source: The source entry behind it.
        requirement: The declared requirement that brings the package, if one does.
        lines: All requirements and constraints that bring or bound the package: for each stretch
            of Pythons that has others.
        needed_by: The packages known to need it that bring it.
        fork: The fork that the row was read from.
        reason: One sentence, for `unknown`, and for an `absent` package of which nobody can say
            where it would come from.
        doubt: One sentence, where the answer is provisional: something that was not read could
            change it.
        error: What uv would say, for `error`.
        by_python: Pairs of a Python specifier and its route, for `varies`.
    """

    kind: RouteKind
    index: Index | None = None
    pin: Pin | None = None
    source: Source | None = None
    requirement: Requirement | None = None
    lines: tuple[tuple[Requirement, ...], ...] = ()
    needed_by: frozenset[NormalizedName] = frozenset()
    fork: Fork | None = None
    reason: str | None = None
    doubt: str | None = None
    error: ProjectError | None = None
    by_python: tuple[tuple[str, Route], ...] = ()
