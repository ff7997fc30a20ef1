"""What wheel variants are, and why a project does without: `explain variants`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.errors import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["variants_page"]


def variants_page(feature: str, since: str, here: str) -> str:
    """Return what there is to say, step by step, as `explain` does.

    Args:
        feature: What uv calls the preview.
        since: The first uv that has it.
        here: What it takes on this machine.
    """
    *steps, outcome = _steps(feature, since, here)
    lines = [f"  {number}. {step}" for number, step in enumerate(steps, start=1)]
    return "".join(f"{shown(line)}\n" for line in ("wheel variants", *lines, f"  => {outcome}"))


def _steps(feature: str, since: str, here: str) -> Iterator[str]:
    yield (
        "a package may have several wheels of one release, each made for other hardware; the "
        "standard is not final"
    )
    yield (
        f"uv {since} and later choose between them as a preview, for one machine: "
        f"`uv pip install --preview-features {feature}`"
    )
    yield (
        "uv knows providers for NVIDIA GPUs, TPUs and the levels of x86_64 and aarch64; for AMD "
        "and Intel GPUs it has none"
    )
    yield f"on this machine it chooses, of a package that has them: {here}"
    yield (
        "uv.lock is for every machine and cannot hold wheel variants: `uv lock` and `uv sync` take "
        "the ordinary wheel, and fail where there is none, whatever `preview-features` says"
    )
    yield "choose the builds of a project with indexes and sources, as `torchconf init` does"
