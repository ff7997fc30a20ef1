"""What the files of a new project say of its targets: CI, containers, README."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torchconf.layout.selection import hints, selection_of
from torchconf.report.outcome import install_choices

if TYPE_CHECKING:
    from torchconf.model.backends import Backend
    from torchconf.planner import Outcome

RUNNERS = {
    "linux-x86_64": "ubuntu-latest",
    "linux-aarch64": "ubuntu-24.04-arm",
    "windows-x86_64": "windows-latest",
    "windows-arm64": "windows-11-arm",
    "macos-arm64": "macos-latest",
    "macos-x86_64": "macos-15-intel",
}


def target_values(outcome: Outcome, fallback: Backend) -> dict[str, Any]:
    """Return what the shared templates name.

    Args:
        outcome: The plan of the torch tables.
        fallback: The build that runs on every machine.
    """
    return {
        "commands": [
            {"target": str(target), "command": chosen.command()}
            for target, chosen in install_choices(outcome)
        ],
        "hints": list(hints(outcome.scopes, outcome.default, by_machine=outcome.by_machine)),
        "dockers": _dockers(outcome, fallback),
        "ci": _jobs(outcome, fallback),
    }


def _dockers(outcome: Outcome, fallback: Backend) -> list[dict[str, str]]:
    """Return a container for each accelerator on Linux; whoever builds it picks the machine."""
    found: dict[str, dict[str, str]] = {}
    for target, chosen in install_choices(outcome):
        if target.platform.os != "linux" or target.backend == fallback:
            continue
        flags = " ".join(chosen.flags())
        docker = {
            "target": str(target),
            "title": target.backend.title,
            "backend": target.backend.name,
            "file": f"Dockerfile.{target.backend.name}",
            "flags": f" {flags}" if flags else "",
        }
        found.setdefault(docker["file"], docker)
    return list(found.values())


def _jobs(outcome: Outcome, fallback: Backend) -> list[dict[str, Any]]:
    """Return the jobs of the workflow: for each platform one that tests, and its other builds.

    Tests take the CPU's build wherever something can choose it. The other builds are resolved and
    not downloaded: that tells whether the lockfile has wheels for them.
    """
    cpu = next((s for s in outcome.scopes if s.kind and s.backend == fallback), None)
    pairs = install_choices(outcome)
    jobs: list[dict[str, Any]] = []
    for platform in dict.fromkeys(target.platform for target, _ in pairs):
        own = [(target, chosen) for target, chosen in pairs if target.platform == platform]
        found = [(str(target), chosen) for target, chosen in own]
        if cpu is not None:
            everywhere = selection_of(
                cpu, outcome.scopes, outcome.default, by_machine=outcome.by_machine
            )
            found = [
                (f"{platform.short}-{fallback.name}", everywhere),
                *((str(t), chosen) for t, chosen in own if t.backend != fallback),
            ]
        jobs += [
            {
                "runner": RUNNERS[platform.key],
                "target": name,
                "flags": " ".join(chosen.flags()),
                "tests": number == 0,
            }
            for number, (name, chosen) in enumerate(found)
        ]
    return jobs
