"""What a plan starts from, and what it comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.model.named_tuple import NamedTuple
from torchconf.planner.workspace_needs import WorkspaceNeeds

if TYPE_CHECKING:
    from packaging.version import Version

    from torchconf.edits.plan import Plan
    from torchconf.layout.layouts import Kind, Layout, Scope
    from torchconf.model.backends import Backend
    from torchconf.model.mirrors import MirrorSetting
    from torchconf.model.project import Project
    from torchconf.model.target_spec import TargetSpec
    from torchconf.model.targets import Target
    from torchconf.planner.assess import ReleaseChoice


NOBODY = WorkspaceNeeds()


class Request(NamedTuple):
    """What a user asks for: one field a flag of `init`."""

    specs: tuple[TargetSpec, ...] = ()
    """All targets; empty: those that the project has, changed as follows."""
    add: tuple[TargetSpec, ...] = ()
    remove: tuple[TargetSpec, ...] = ()
    torch: str | None = None
    """A specifier, or a bare version, which means that release."""
    packages: tuple[str, ...] = ()
    """Companions to add, as typed."""
    layout: str = "auto"
    default: str | None = None
    """A backend, `machine`, or `none`."""
    names: tuple[tuple[str, str], ...] = ()
    """Backend to the name of its extra or group."""
    python: str | None = None
    index_base: str | None = None
    mirrors: tuple[MirrorSetting, ...] = ()
    """Mirrors of other families of indexes, to be kept in the file."""
    pin: bool = False
    required_environments: bool = False
    force: bool = False
    listed: bool = False
    """`specs` are those that the file lists: the tables are to follow, also where one is gone."""
    record: bool = False
    """List the targets in a file that has no list yet."""
    gpus: tuple[str, ...] = ()
    """The only GPUs for which packages of single GPUs are installed, as typed."""
    renew: bool = False
    """Torch is of another kind from now on: what its companions require is, too."""

    within: str = ""
    """The line of torch for which there are wheels of what is built against it: `==2.12.*`."""
    tied: bool = False
    """Torch stays in its line: something is built against it."""

    @property
    def takes(self) -> bool:
        """Whether targets that are there give way to those that are named."""
        return self.force or self.listed or self.renew


class Facts(NamedTuple):
    """What the planner must know beside the file: it reads no disk itself."""

    folder: str
    """Name of the project's folder, for a project that has no name."""
    locked: Version | None = None
    """The torch release in uv.lock."""
    needed: frozenset[str] = frozenset()
    """Family packages that some other dependency needs, as uv.lock or the catalog says."""
    fresh: frozenset[str] = frozenset()
    """Packages whose requirement is as new as the plan: nobody has chosen its marker yet."""
    elsewhere: frozenset[str] = frozenset()
    """Family packages that the members of this workspace declare themselves."""
    members: tuple[str, ...] = ()
    """Those members that declare torch, by the names that `--package` takes."""
    around: tuple[Project, ...] = ()
    """The other members of the workspace of the project."""
    needing: WorkspaceNeeds = NOBODY
    """Of a workspace root: who needs torch."""
    has_setup: bool = False
    """Whether setup.py stands beside a file without `[project]`."""


class Outcome(NamedTuple):
    """A plan, and the configuration that it leads to."""

    plan: Plan
    layout: Layout
    scopes: tuple[Scope, ...]
    targets: tuple[Target, ...]
    default: Backend | None
    """Whose group is a default group for what the commands install."""
    by_machine: bool
    """Each machine leaves out the default groups of the other builds."""
    choice: ReleaseChoice
    planned: Project
    """The project as it will be."""
    around: tuple[Project, ...] = ()
    """The other members of its workspace, likewise."""
    member: str | None = None
    """Name of the project where it is a member of a workspace: what `--package` takes."""
    carrier: tuple[Kind, str] = ("", "")
    """The extra or group that brings torch, where neither base dependencies nor a scope do."""
