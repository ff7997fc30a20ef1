"""The cells of `environments`: the platforms for which uv locks base dependencies apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.model.toml_path import ENVIRONMENTS
from torchconf.rules.fixes import draft_of
from torchconf.rules.installed_builds import closed_environments
from torchconf.rules.rule import MARKERS_MAKE_SENSE, Finding, Fix, Premise, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchconf.rules.context import Context

__all__ = ["RULES"]


class OpenCell(Rule):
    """An entry of `environments` also holds on systems that it does not name."""

    code = "TC412"
    name = "open-cell"
    severity = Severity.WARNING
    reference = "https://docs.astral.sh/uv/reference/settings/#environments"
    fixes = "safe"
    requires = (*MARKERS_MAKE_SENSE, Premise.SETTING)

    def check(self, context: Context) -> Iterator[Finding]:
        """Look at the entries where uv needs them: where torch stands beside scoped sources."""
        entries = context.project.environments
        if not entries or context.project.root is not None or not _needs_cells(context):
            return
        # Imported here: few projects have such entries.
        from torchconf.model.markers import names_platforms, same_platforms

        for one in entries:
            if not names_platforms(one.raw):
                continue
            if not any(platform.os == "other" for platform in same_platforms(one.raw)):
                continue
            wanted = closed_environments(context)
            draft = draft_of(context)
            if wanted is not None:
                draft.put(ENVIRONMENTS, list(wanted), "each entry names its system")
            yield self.finding(
                one.path,
                "this entry does not name a system: with a dependency that has markers of its own, "
                "such as pandas, uv 0.12 and later refuse to lock",
                help="use one entry for each system, split by the machines that sources name",
                fix=Fix("use one entry for each system", tuple(draft.steps), safe=True),
            )
            return


def _needs_cells(context: Context) -> bool:
    """Tell whether what has sources for an extra or a group is required beside these, too.

    That is in the base dependencies, or in an extra that chooses no build.
    """
    family = set(context.catalog.family)
    for project in context.readers:
        scoped = {
            source.extra
            for name, sources in project.sources.items()
            if name in family
            for source in sources
        }
        lists = [section.requirements for n, section in project.extras.items() if n not in scoped]
        for one in (*project.dependencies, *(each for lines in lists for each in lines)):
            if one.name in family and any(
                s.extra or s.group for s in project.sources_for(one.name)
            ):
                return True
    return False


RULES: tuple[type[Rule], ...] = (OpenCell,)
"""The rules of this family, by code."""
