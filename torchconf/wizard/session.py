"""What the questions are about: a project, the catalog, this machine; and the judge of answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.errors import ProjectError, TorchconfError
from torchconf.layout.intent import served
from torchconf.layout.shared_builds import read_shared_configuration
from torchconf.model.intent import read_intent
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.target_spec import TargetSpec, parse_target_spec
from torchconf.model.targets import Target
from torchconf.planner import Facts, Outcome, Request, plan_targets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torchconf.catalog import Catalog
    from torchconf.layout.configuration import Configuration
    from torchconf.model.project import Project
    from torchconf.model.targets import Platform


class MachineFacts(NamedTuple):
    """What is known of the machine that the wizard runs on; plain values, nothing is looked up."""

    platform: Platform | None = None
    words: str = ""
    """Describes it to a person."""
    fits: Mapping[str, str] = {}
    """Backends that run here, the best first, each with the reason in a few words."""
    unfit: Mapping[str, str] = {}
    """Backends that would be for its GPUs and do not run here, with the reason."""


class Session(NamedTuple):
    """A project to be configured."""

    project: Project
    catalog: Catalog
    facts: Facts
    machine: MachineFacts
    before: Configuration
    given: Request
    """What the command line has said already, such as the URL of a mirror."""
    judged: dict[Request, TorchconfError | None]
    """What the planner said before."""
    listed: tuple[TargetSpec, ...] | None = None
    """The targets that the file lists; None without a list."""

    @property
    def present(self) -> tuple[Target, ...]:
        """The targets that the project has: those that it lists, else those of its tables."""
        if self.listed is None:
            return self.before.targets if self.before.layout is not None else ()
        found = []
        for spec in self.listed:
            target = served(spec, self.before)
            if target is None and spec.backend is not None:
                target = Target(spec.platform, spec.backend)
            found += [target] if target is not None else []
        return tuple(found)

    def wish(self, text: str) -> TargetSpec:
        """Read a target as the flag `-t` does."""
        return parse_target_spec(text, self.catalog.vocabulary)

    def wishes(self, texts: Iterable[str]) -> tuple[TargetSpec, ...]:
        """Read targets as the flag `-t` does."""
        return tuple(map(self.wish, texts))

    def plan(self, request: Request) -> Outcome:
        """Plan a request as the command does that the wizard ends with.

        Raises:
            TorchconfError: The request cannot be met.
        """
        return plan_targets(request, self.project, self.catalog, self.facts)

    def complaint(self, request: Request) -> TorchconfError | None:
        """Return why the planner refuses a request, or None."""
        if request not in self.judged:
            try:
                self.plan(request)
            except TorchconfError as error:
                self.judged[request] = error
            else:
                self.judged[request] = None
        return self.judged[request]

    def spread(self, request: Request) -> Request:
        """Return a request whose layout has room for its wishes, and that may replace tables.

        For questions that come before the layout is asked about.
        """
        wishes = request.specs or request.add
        roomy = request._replace(force=True)
        if request.layout != "auto":
            return roomy
        alone = len({wish.platform for wish in wishes}) == len(wishes)
        if alone or self.project.is_script:
            return roomy._replace(layout="markers")
        extras = roomy._replace(layout="extras")
        # The project may have extras that cannot be edited, which is no matter of builds.
        if isinstance(self.complaint(extras), ProjectError):
            return roomy._replace(layout="groups", default="none")
        return extras


def open_session(
    project: Project, catalog: Catalog, facts: Facts, machine: MachineFacts, given: Request
) -> Session:
    """Start asking about a project.

    Raises:
        ProjectError: No answer would help: the file holds what is not understood.
    """
    before = read_shared_configuration(project, facts.around, catalog)
    listed = read_intent(project, catalog.vocabulary)
    session = Session(project, catalog, facts, machine, before, given, {}, listed)
    probe = given._replace(specs=session.wishes([f"linux-{catalog.fallback.name}"]))
    error = session.complaint(probe)
    if isinstance(error, ProjectError):
        raise error
    return session
