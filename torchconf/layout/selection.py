"""The uv commands that install a build: what a choice of extras and groups is called by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.model.named_tuple import NamedTuple
from torchconf.model.uv_variables import NO_GROUP

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torchconf.layout.layouts import Scope
    from torchconf.model.backends import Backend


def assignments(variables: Mapping[str, str]) -> list[str]:
    """Return variables as a POSIX shell takes them before a command."""
    return [f'{name}="{value}"' for name, value in variables.items()]


class Selection(NamedTuple):
    """A choice of extras and groups, as `uv sync` takes it; a script has none."""

    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    no_groups: tuple[str, ...] = ()
    package: str | None = None
    """The member of a workspace."""
    left_out: tuple[str, ...] = ()
    """The groups that `UV_NO_GROUP` names on the machine of this choice.

    A `--no-group` replaces the variable, so no choice has both.
    """
    script: str | None = None
    """The path of a script: running it installs its one build."""

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the command needs."""
        # Some versions of uv refuse a comma, a second space, and an empty value.
        return {NO_GROUP: " ".join(self.left_out)} if self.left_out else {}

    def command(self, verb: str = "sync") -> str:
        """Return the command: `uv sync --no-group cpu --group cu130`."""
        if self.script is not None:
            # Imported here: most projects are no scripts.
            from shlex import quote

            return f"uv run --script {quote(self.script)}"
        return " ".join([*assignments(self.environment), "uv", verb, *self.words()])

    def words(self) -> list[str]:
        """Return what stands after the verb, beside the variables of `environment`."""
        return self._words(self.no_groups)

    def flags(self) -> list[str]:
        """Return what stands after the verb where no variable is set."""
        return self._words((*self.no_groups, *self.left_out))

    def _words(self, no_groups: tuple[str, ...]) -> list[str]:
        words = ["--package", self.package] if self.package is not None else []
        for flag, names in (
            ("--extra", self.extras),
            ("--no-group", no_groups),
            ("--group", self.groups),
        ):
            words += [word for name in names for word in (flag, name)]
        return words


def selection_of(
    scope: Scope,
    scopes: Sequence[Scope],
    default: Backend | None,
    package: str | None = None,
    *,
    by_machine: bool = False,
) -> Selection:
    """Return the choice that installs one scope's builds.

    A default group that conflicts with the one chosen has to be named as well: `--group` alone
    fails, and `--no-default-groups` would take the development tools away.

    Args:
        scope: The one.
        scopes: All of them.
        default: The backend of the only default group.
        package: The member of a workspace.
        by_machine: Each machine leaves the default groups of the others out: without `default`,
            every group is one.
    """
    if scope.kind == "extra":
        return Selection(extras=(scope.name,), package=package)
    if scope.kind == "group" and scope.backend != default:
        named = default is not None or by_machine
        others = tuple(
            other.name
            for other in scopes
            if named and other.name != scope.name and default in {None, other.backend}
        )
        if by_machine:
            return Selection(left_out=others, package=package)
        return Selection(groups=(scope.name,), no_groups=others, package=package)
    return Selection(package=package)


def hints(
    scopes: Sequence[Scope],
    default: Backend | None,
    package: str | None = None,
    *,
    by_machine: bool = False,
) -> tuple[str, ...]:
    """Return what else one should know to install and to stay with a build."""
    kind = scopes[0].kind
    if by_machine:
        return _machine_hints(scopes, default)
    if kind == "extra":
        sync = Selection(package=package).command()
        others = " ".join(f"--no-extra {scope.name}" for scope in scopes[:-1])
        found = [
            "`uv run` and `uv add` keep the extra that is installed; plain `uv sync` removes it"
        ]
        if others:
            found.append(f"to install all extras with one build: `{sync} --all-extras {others}`")
        return tuple(found)
    if kind == "group":
        chosen = next((scope for scope in scopes if scope.backend != default), None)
        if chosen is None:
            return ()
        if default is None:
            return ("`uv run` and `uv add` keep the group; plain `uv sync` removes it",)
        run = selection_of(chosen, scopes, default, package).command("run")
        own = next(scope.name for scope in scopes if scope.backend == default)
        return (
            f"plain `uv run`, `uv add` and `uv remove` reinstall the group `{own}`",
            f"to keep your choice: set `UV_NO_SYNC=1`, or run `{run} ...`",
        )
    return ()


def _machine_hints(scopes: Sequence[Scope], default: Backend | None) -> tuple[str, ...]:
    """Return what has to be set where, and what for."""
    where = (
        "set it for this project's directory (direnv, mise, CI `env:`, Dockerfile `ENV`), not in a "
        "shell profile: other uv projects fail with it"
    )
    add = "`uv add`, `uv remove` and `uv version --bump` do not follow it: pass `--no-sync`"
    if default is not None:
        own = next(scope.name for scope in scopes if scope.backend == default)
        return (
            f"machines that need PyPI's build set `{NO_GROUP}={own}`; all others set nothing",
            where,
            f"with it, {add}",
        )
    once = (
        f"every machine sets `{NO_GROUP}` once; plain `uv sync`, `uv run` and `uv export` then "
        "follow it, and without it they stop with an error"
    )
    return once, where, add
