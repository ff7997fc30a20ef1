"""Default groups: what a plain `uv sync` installs on top of the base dependencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.model.ranges import overlaps, uv_range
from torchconf.model.toml_path import DEFAULT_GROUPS, UV
from torchconf.model.uv_variables import NO_GROUP
from torchconf.model.uv_versions import NO_GROUP_SINCE
from torchconf.rules.context import Place
from torchconf.rules.fixes import draft_of
from torchconf.rules.rule import Finding, Fix, Premise, Rule, Severity
from torchconf.rules.wording import list_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchconf.edits.plan import Value
    from torchconf.model.project import Item
    from torchconf.rules.context import Context

__all__ = ["RULES"]


class DefaultGroupClash(Rule):
    """A default group conflicts with another extra or group."""

    code = "TC307"
    name = "default-group-clash"
    severity = Severity.INFO
    reference = "https://docs.astral.sh/uv/concepts/projects/dependencies/#default-groups"
    fixes = "unsafe"
    requires = (Premise.SETTING,)

    def check(self, context: Context) -> Iterator[Finding]:
        """Compare the conflict sets with the default groups."""
        project = context.project
        defaults = context.project.installed_groups()
        written = "default-groups" in project.uv
        says_it = NO_GROUP in (context.text or "")
        for conflict in project.conflicts:
            own = [i for i in conflict.items if i.package == project.name and i.name]
            chosen = [i for i in own if i.kind == "group" and i.name in defaults]
            others = [i for i in own if i not in chosen]
            at = DEFAULT_GROUPS if written else conflict.path
            names = list_names(str(item.name) for item in chosen)
            is_machine = len(chosen) > 1 and self._are_builds(context, own)
            if is_machine and not others:
                yield from self._machine(context, chosen)
            elif is_machine and says_it:
                yield self._incomplete(context, names, others)
            elif len(chosen) > 1:
                yield self.finding(
                    at,
                    f"plain `uv sync` fails: {names} are default groups but conflict",
                    severity=Severity.ERROR,
                    fix=self._fix(context) if project.default_groups == "all" else None,
                )
            elif chosen and says_it:
                yield from self._old_uv(context)
            elif chosen and any(self._is_build(context, item) for item in others):
                example = others[0]
                yield self.finding(
                    at,
                    f"{names} is a default group: to install another build, use `--no-group "
                    f"{chosen[0].name} --{example.kind} {example.name}`",
                )

    def _are_builds(self, context: Context, own: list[Item]) -> bool:
        """Tell whether a set is about builds alone, so that each machine can name the others."""
        return isinstance(context.project.default_groups, tuple) and all(
            item.kind == "group" and self._is_build(context, item) for item in own
        )

    @staticmethod
    def _is_build(context: Context, item: Item) -> bool:
        family = set(context.catalog.family)
        return any(line.name in family for line in context.flat(Place(item.kind, item.name)))

    def _incomplete(self, context: Context, names: str, missing: list[Item]) -> Finding:
        """Report builds that no machine gets, as their groups are no default groups."""
        others, one = list_names(str(item.name) for item in missing), len(missing) == 1
        draft = draft_of(context)
        for item in missing:
            written = context.project.groups[item.name].written if item.name else ""
            draft.insert(DEFAULT_GROUPS, written, "every build is a default group")
        return self.finding(
            DEFAULT_GROUPS,
            f"{names} are default groups, but {others} {'is' if one else 'are'} not: a machine "
            f"that leaves them out with `{NO_GROUP}` gets no build",
            severity=Severity.ERROR,
            fix=Fix(
                f"add {'it' if one else 'them'} to `default-groups`", tuple(draft.steps), safe=False
            ),
        )

    def _machine(self, context: Context, chosen: list[Item]) -> Iterator[Finding]:
        """Report what helps people whose machine does not say yet which build it wants."""
        others = " ".join(str(item.name) for item in chosen[1:])
        if context.text and NO_GROUP not in context.text:
            yield self.finding(
                DEFAULT_GROUPS,
                "every build is a default group: to choose one, each machine must exclude the "
                f'others with `UV_NO_GROUP`, such as `UV_NO_GROUP="{others}"`',
                help="document this in a comment next to `default-groups`",
            )
        yield from self._old_uv(context)

    def _old_uv(self, context: Context) -> Iterator[Finding]:
        """Report a uv that would ignore the variable, and install another build."""
        text = context.project.workspace.uv.get("required-version")
        if not isinstance(text, str) or _allows_older(text):
            yield self.finding(
                (*UV, "required-version") if isinstance(text, str) else DEFAULT_GROUPS,
                f"uv before {NO_GROUP_SINCE} ignores `UV_NO_GROUP`, which chooses the build here",
                help=f'add `required-version = ">={NO_GROUP_SINCE}"`',
            )

    def _fix(self, context: Context) -> Fix:
        project = context.project
        conflicting = {
            item.name
            for conflict in project.conflicts
            for item in conflict.items
            if item.kind == "group"
        }
        kept: list[Value] = [
            s.written for name, s in project.groups.items() if name not in conflicting
        ]
        draft = draft_of(context)
        draft.put(DEFAULT_GROUPS, kept, "all groups but those that conflict")
        title = "list the groups that do not conflict"
        return Fix(title, tuple(draft.steps), safe=False)


def _allows_older(text: str) -> bool:
    """Tell whether a `required-version` allows a uv that does not read the variable."""
    specifier = uv_range(text)
    return specifier is not None and overlaps(specifier, f"<{NO_GROUP_SINCE}")


class DefaultGroupUndefined(Rule):
    """`default-groups` names a group that does not exist."""

    code = "TC311"
    name = "default-group-undefined"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/concepts/projects/dependencies/#default-groups"
    fixes = "safe"
    stops_lock = True
    requires = (Premise.SETTING,)

    def check(self, context: Context) -> Iterator[Finding]:
        """Report names that are not there."""
        project = context.project
        written = project.uv.get("default-groups")
        for number, name in enumerate(written if isinstance(written, list) else ()):
            if not isinstance(name, str) or canonicalize_name(name) in project.groups:
                continue
            yield self.finding(
                (*DEFAULT_GROUPS, number),
                f"default group `{name}` is not defined",
                help="define it in `[dependency-groups]`, or remove it",
                fix=self._fix(context, number, name),
            )

    def _fix(self, context: Context, number: int, name: str) -> Fix:
        # Imported here: few files need it.
        from difflib import get_close_matches

        draft = draft_of(context)
        path = (*DEFAULT_GROUPS, number)
        written = {str(key): one.written for key, one in context.project.groups.items()}
        near = get_close_matches(canonicalize_name(name), written, n=1, cutoff=0.75)
        if name == "dev":
            # So that what `uv add --dev` adds later is installed by default.
            draft.put(("dependency-groups", "dev"), [], "a default group must be defined")
            return Fix("define it as an empty group", tuple(draft.steps), safe=True)
        if near:
            draft.replace(path, written[near[0]], "this is its defined name")
            return Fix(f"use `{written[near[0]]}`", tuple(draft.steps), safe=False)
        draft.remove(path, "it is not defined")
        return Fix("remove it", tuple(draft.steps), safe=True)


RULES: tuple[type[Rule], ...] = (
    DefaultGroupClash,
    DefaultGroupUndefined,
)
"""The rules of this family, by code."""
