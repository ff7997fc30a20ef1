"""Which builds a request is about: the stable ones, or those of a channel, such as `nightly`.

Both have a torch of their own, so one choice cannot mix them, and only `upgrade` leads a project
from one to the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from torchconf.catalog.channels import STABLE
from torchconf.errors import RequestError
from torchconf.layout.configuration import channels_of, read_configuration
from torchconf.layout.machine_choice import MACHINE
from torchconf.model.backends import PYPI
from torchconf.model.intent import read_intent
from torchconf.model.requirements import python_specifier
from torchconf.model.target_spec import TargetSpec, spec_of

if TYPE_CHECKING:
    from torchconf.catalog import Catalog
    from torchconf.model.project import Project
    from torchconf.planner.request import Request


def in_channel(request: Request, project: Project, catalog: Catalog) -> tuple[Request, Catalog]:
    """Return a request with the catalog of the builds that it is about.

    Entries of a channel that stand beside stable builds are kept as they are.

    Raises:
        RequestError: It asks for builds of both.
    """
    asked = {catalog.channel_of(spec.accelerator) for spec in (*request.specs, *request.add)}
    there = channels_of(project, catalog)
    if len(asked) > 1:
        raise RequestError(
            f"{_spoken(asked)} builds have different releases of torch, so one project cannot "
            "have both",
            help="ask for targets of one kind",
        )
    channel = next(iter(asked), next(iter(there)) if len(there) == 1 else "")
    if request.renew:
        return _renewed(request, project, catalog, channel)
    if not channel:
        return request, catalog.view("") if any(there) else catalog
    if other := there - {channel}:
        raise RequestError(
            f"the project has {_spoken(other)} builds, whose torch is another one",
            at=project.place("tool.uv.sources"),
            help=f"run `torchconf upgrade --channel {channel}` to change all of its builds",
        )
    if not there and request.torch is None:
        request = request._replace(torch=f">={catalog.channels[channel]['torch']}", renew=True)
    return request, catalog.view(channel)


def targets_in(
    channel: str, project: Project, catalog: Catalog
) -> tuple[tuple[TargetSpec, ...], str | None]:
    """Return the targets of a project as they are called in another channel, and the default.

    A build is the one of the same name there, if there is one, else the newest of its accelerator.

    Raises:
        RequestError: There is no such channel, the project is there, or has a target that it lacks.
    """
    if channel not in {STABLE, *catalog.channels}:
        known = " and ".join(f"`{name}`" for name in (*catalog.channels, STABLE))
        raise RequestError(f"unknown channel `{channel}`", help=f"there are {known}")
    there = channels_of(project, catalog)
    wanted = "" if channel == STABLE else channel
    if there == {wanted}:
        raise RequestError(
            f"the project has {channel} builds already",
            help="run `torchconf upgrade` without `--channel` to move to a newer torch",
        )
    both = catalog.view(STABLE)
    before = read_configuration(project, both)
    specs = read_intent(project, catalog.vocabulary) or tuple(map(spec_of, before.targets))
    if not specs:
        raise RequestError(
            "the project has no targets", help="add some with `torchconf init` or `add-target`"
        )
    default = before.default
    if default not in {None, MACHINE}:
        own = next(spec for spec in map(spec_of, before.targets) if _name(spec) == default)
        default = _name(_moved(own, wanted, catalog))
    return tuple(dict.fromkeys(_moved(spec, wanted, catalog) for spec in specs)), default


def _name(spec: TargetSpec) -> str:
    return spec.backend.name if spec.backend else spec.accelerator


def _moved(spec: TargetSpec, channel: str, catalog: Catalog) -> TargetSpec:
    now = catalog.channel_of(spec.accelerator)
    plain = spec.accelerator.removesuffix(f"-{now}") if now else spec.accelerator
    if spec.backend and channel and catalog.publisher_of(spec.backend):
        raise RequestError(
            f"target `{spec.text}` is another publisher's build, of which there are no {channel} "
            "builds",
            help="remove that target first, or give its platform another build",
        )
    if not plain and channel:
        raise RequestError(
            f"target `{spec.text}` is PyPI's build, and PyPI has no {channel} builds",
            help="remove that target first, or give its platform another build",
        )
    build = catalog.plain(spec.backend).name if spec.backend else ""
    name = f"{build}-{channel}" if channel else build
    backend = catalog.vocabulary.backends.get(name) if build != PYPI.name else PYPI
    if backend is not None and not channel and catalog.ended(backend):
        backend = None
    end = f"-{channel}" if channel else ""
    text = f"{spec.platform.short}-{backend.name if backend else plain + end}"
    return TargetSpec(spec.platform, f"{plain}{end}" if plain else "", backend, text)


def _renewed(
    request: Request, project: Project, catalog: Catalog, channel: str
) -> tuple[Request, Catalog]:
    """Let torch and its companions be required as the other builds need it."""
    if channel:
        floor = catalog.channels[channel]["torch"]
        return request._replace(torch=request.torch or f">={floor}"), catalog.view(channel)
    # Imported here: few requests lead back to stable builds.
    from torchconf.planner.assess import Needs
    from torchconf.planner.releases import choose_release

    python = SpecifierSet(python_specifier(request.python)) if request.python else None
    needs = Needs(SpecifierSet(), {}, python or project.requires_python)
    torch = request.torch or f">={choose_release(request.specs, needs, catalog).release}"
    return request._replace(torch=torch), catalog.view(STABLE)


def _spoken(channels: set[str]) -> str:
    return " and ".join(sorted(channel or STABLE for channel in channels))
