"""`torchconf explain variants`: what wheel variants are, and what uv's preview takes here."""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # `typing` is not needed to print help
if TYPE_CHECKING:
    from torchconf.cli.options import Format

__all__ = ["explain_variants", "names_variants"]


def names_variants(what: tuple[str, ...]) -> bool:
    """Tell whether wheel variants are asked about, which need no project."""
    return len(what) == 1 and what[0].lower() in {"variants", "wheel-variants"}


def explain_variants(format_: Format) -> None:
    """Look at the machine and print what there is to say."""
    from torchconf.catalog import load_catalog
    from torchconf.machine import fits, this_machine
    from torchconf.machine.variants import FEATURE, SINCE, variant_choice
    from torchconf.report.variants import variants_page

    catalog = load_catalog()
    machine = this_machine()
    choice = variant_choice(machine, fits(machine, catalog), catalog)
    text = variants_page(FEATURE, SINCE, choice.words)
    if format_ == "json":
        from torchconf.report.json_data import print_json

        print_json({"variants": choice.data() | {"page": text}})
    else:
        sys.stdout.write(text)
