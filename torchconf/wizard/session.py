"""What the questions are about: a project, the catalog, this machine; and the judge of answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from torchconf.configuration import Configuration, read_configuration
from torchconf.errors import ProjectError, RequestError, TorchconfError
from torchconf.planner import Facts, Outcome, Request, plan_targets
from torchconf.wishes import Wish, parse_wish

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torchconf.catalog import Catalog
    from torchconf.project import Project
    from torchconf.targets import Platform


class Machine(NamedTuple):
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
    machine: Machine
    before: Configuration
    given: Request
    """What the command line has said already, such as the URL of a mirror."""

    def wish(self, text: str) -> Wish:
        """Read a target as the flag `-t` does."""
        return parse_wish(text, self.catalog.vocabulary)

    def wishes(self, texts: Iterable[str]) -> tuple[Wish, ...]:
        """Read targets as the flag `-t` does."""
        return tuple(map(self.wish, texts))

    def plan(self, request: Request) -> Outcome:
        """Plan a request as the command does that the wizard ends with.

        Raises:
            TorchconfError: It can not be had.
        """
        return plan_targets(request, self.project, self.catalog, self.facts)

    def complaint(self, request: Request) -> TorchconfError | None:
        """Return what the planner has against a request."""
        try:
            self.plan(request)
        except TorchconfError as error:
            return error
        return None


def open_session(
    project: Project, catalog: Catalog, facts: Facts, machine: Machine, given: Request
) -> Session:
    """Start asking about a project.

    Raises:
        ProjectError: No answer would help: the file holds what is not understood.
    """
    session = Session(project, catalog, facts, machine, read_configuration(project, catalog), given)
    probe = given._replace(wishes=session.wishes([f"linux-{catalog.fallback.name}"]))
    error = session.complaint(probe)
    if isinstance(error, ProjectError) and not isinstance(error, RequestError):
        raise error
    return session
