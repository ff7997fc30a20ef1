"""What `sync` and `run` share: the choice for this machine, and handing over to uv with it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from torchconf.cli.this_target import choose_target, open_member
from torchconf.errors import RequestError, UvError
from torchconf.layout.machine_flags import flags_here
from torchconf.machine.preinstalled import find_preinstalled
from torchconf.model.uv_variables import NO_GROUP
from torchconf.report.messages import print_notes
from torchconf.report.streams import write_document
from torchconf.resolve.become_uv import become, quoted, this_uv
from torchconf.workspace.opened import open_project

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchconf.cli.sync import SyncOptions
    from torchconf.workspace.opened import OpenProject

__all__ = ["chosen_words", "hand_over"]


def chosen_words(options: SyncOptions, verb: str) -> list[str]:
    """Choose the target of this machine, say which and why, and return the flags for it.

    Raises:
        TorchconfError: There is none, or the container has a torch of its own.
    """
    context = open_project(options.common.project)
    if options.package is not None:
        context = open_member(context, options.package)
    found = choose_target(context, options.target, os.environ, f"torchconf {verb}")
    if not options.force:
        _refuse_preinstalled(context, verb)
    if not options.common.quiet:
        print_notes([found.said()])
    selection = found.selection
    if options.package is not None:
        selection = selection._replace(package=context.project.written_name)
    return flags_here(selection, found.groups, found.builds, os.environ.get(NO_GROUP, ""))


def hand_over(options: SyncOptions, verb: str, chosen: Sequence[str], rest: Sequence[str]) -> int:
    """Print the command, or become it.

    Args:
        options: Of the command.
        verb: `sync` or `run`.
        chosen: The flags of the choice.
        rest: What follows them, as the user typed it.
    """
    folder = options.common.project
    project = ["--project", folder] if folder is not None else []
    locked = [f"--{name}" for name in ("frozen", "locked") if getattr(options, name)]
    words = [verb, *project, *chosen, *locked, *rest]
    if options.dry_run:
        write_document(f"{quoted(_any_uv(), words)}\n")
        return 0
    program = this_uv(os.environ)
    if options.common.verbose:
        print_notes([f"running {quoted(program, words)}"])
    return become(program, words, os.environ)


def _any_uv() -> str:
    """Return the path of uv; its name where there is none, since nothing is run."""
    try:
        return this_uv(os.environ)
    except UvError:
        return "uv"


def _refuse_preinstalled(context: OpenProject, verb: str) -> None:
    """Leave the torch of a container alone.

    Raises:
        RequestError: There is one, and no environment of uv's yet.
    """
    main = context.catalog.main_package
    found = find_preinstalled(main, context.lock_folder, os.environ)
    if found is not None:
        raise RequestError(
            f"this container comes with {main} {found.version}, which uv did not install; "
            f"`uv {verb}` would install another build and not use this one",
            at=found.folder,
            help=f"to install the build of this project: `torchconf {verb} --force`",
        )
