"""What `[tool.torchconf]` lists, and the tables do not have."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from torchconf.catalog import Answer
from torchconf.model.intent import init_command, listed_targets, lists_targets
from torchconf.model.markers import told
from torchconf.model.target_spec import means
from torchconf.model.targets import Target
from torchconf.resolve.choices import choice_of, selections_in
from torchconf.resolve.wheels import Wheels
from torchconf.rules.rule import Finding, Fix, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchconf.model.intent import ListedTarget
    from torchconf.model.target_spec import TargetSpec
    from torchconf.rules.context import Context

__all__ = ["RULES"]


class TargetNotServed(Rule):
    """A target in `[tool.torchconf] targets` is one that the tables do not serve."""

    code = "TC410"
    name = "target-not-served"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/guides/integration/pytorch/"
    fixes = "safe"

    def check(self, context: Context) -> Iterator[Finding]:
        """Ask for each target whether some choice installs its build.

        Only the list itself is fixed. New tables are what `init` is for: it chooses a release,
        takes away what the list does not name, and may edit the root of the workspace as well.
        """
        if not lists_targets(context.project):
            return
        for each in listed_targets(context.project, context.catalog.vocabulary) or ():
            if each.error is not None:
                fix = _without(each) if each.is_repeated else None
                yield self.finding(each.path, each.error.message, help=each.error.help, fix=fix)
            elif each.spec is not None and (there := _missed(each.spec, context)) is not None:
                yield self.finding(
                    each.path,
                    f"no command installs target `{each.spec.text}`: "
                    f"{each.spec.platform.key} gets {there}",
                    help=f"run `{init_command(context.project)} -y` to bring the tables in line "
                    "with the list",
                )


def _without(entry: ListedTarget) -> Fix:
    """Remove an entry that says nothing new."""
    # Imported here, as all that only a finding needs.
    from torchconf.edits.plan import Remove

    step = Remove(entry.path, "a target needs one entry")
    return Fix("remove the entry", (step,), safe=True)


def _missed(spec: TargetSpec, context: Context) -> str | None:
    """Return what a platform gets instead; None where it gets its target, or nobody knows."""
    routes, project, catalog = context.routes, context.project, context.catalog
    if routes.error is not None or routes.doubt is not None:
        return None
    wheels = Wheels(project, catalog)
    there: dict[str, None] = {}
    wheres = {one.where for one in catalog.accelerators if one.name == spec.accelerator}
    machines = [spec.platform, *(told(spec.platform, where) for where in wheres if where)]
    for platform, (_, selection) in product(
        machines, selections_in(project, context.workspace.members, catalog)
    ):
        machine = platform.environment()
        route = routes.row(catalog.main_package, machine, choice_of(selection))
        if route.doubt is not None:
            return None
        judged = wheels.judge(catalog.main_package, spec.platform, route)
        if judged.backend is None:
            if judged.reason is not None and route.kind != "error":
                return None
            continue
        has_wheel = judged.available is not Answer.NO
        if means(spec, Target(spec.platform, judged.backend)) and has_wheel:
            return None
        there[judged.backend.title] = None
    return " or ".join(there) or f"no {catalog.main_package}"


RULES: tuple[type[Rule], ...] = (TargetNotServed,)
"""The rules of this family, by code."""
