"""From findings to fixed texts: fixes are tried, and taken if they help and break nothing.

A fix is tried by checking what it leads to, which takes as long as the first check. Many fixes are
therefore tried at once: twice as many each time, as long as they do not get in each other's way.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeAlias

from torchconf.edits import edit_text
from torchconf.errors import ProjectError, WriteRefused
from torchconf.model.named_tuple import NamedTuple
from torchconf.rules import Severity
from torchconf.rules.engine import Fixed
from torchconf.rules.fix_bundles import Fixable, apart, joined

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from torchconf.edits.plan import Step
    from torchconf.model.toml_path import Path
    from torchconf.rules import Finding
    from torchconf.rules.engine import Answers, CheckedFile, Placed, Unit

    Place: TypeAlias = tuple[str, Path, str]

__all__ = ["fix", "fix_one"]

_MOST_UNCOVERED = 8
"""How many fixes are taken at once, where one uncovers the next."""


class _Trial(NamedTuple):
    """Texts, and what is found in them."""

    texts: dict[str, str]
    answers: Answers
    taken: tuple[Fixable, ...] = ()
    """The fixes that led there."""


def fix(unit: Unit, *, unsafe: bool) -> tuple[Fixed, ...]:
    """Do what `Unit.fix` says."""
    taken: dict[str, list[Finding]] = {}
    refused: dict[Place, str] = {}
    now = _Trial({}, unit.found)
    most, has_changed = 1, False
    while (bundle := apart(_fixable(now, refused, unsafe=unsafe), most)) or has_changed:
        if not bundle:
            # What stood in the way may be gone.
            refused.clear()
            most, has_changed = 1, False
            continue
        after = _take(unit, now, bundle, unsafe=unsafe)
        if isinstance(after, str):
            if len(bundle) == 1:
                refused[bundle[0].place] = after
            most = 1
            continue
        most = 1 if _took_along(now, after) else most * 2
        now = after
        for one in after.taken:
            has_changed = has_changed or one.finding.severity is not Severity.INFO
            taken.setdefault(one.file, []).append(one.finding)
    before = {document.name: document for document in unit.documents}
    return tuple(
        Fixed(
            document=before[outcome.document.name],
            text=now.texts.get(outcome.document.name, outcome.document.text),
            taken=tuple(taken.get(outcome.document.name, ())),
            outcome=outcome.with_reasons(refused),
        )
        for outcome, _ in now.answers
    )


def fix_one(unit: Unit, one: Placed) -> str | None:
    """Do what `Unit.fix_one` says. What a safe fix uncovers, only safe fixes may mend."""
    fix = one.finding.fix
    if fix is None:
        return None
    bundle = [Fixable(one.file, one.finding)]
    after = _take(unit, _Trial({}, unit.found), bundle, unsafe=not fix.safe)
    return None if isinstance(after, str) else after.texts[one.file]


def _fixable(now: _Trial, refused: Container[Place] = (), *, unsafe: bool) -> list[Fixable]:
    """Return what has a fix that may be taken, in the order of the texts."""
    return [
        Fixable(placed.file, placed.finding)
        for outcome, _ in now.answers
        for placed in outcome.findings
        if placed.finding.fix is not None
        and (placed.finding.fix.safe or unsafe)
        and placed.place not in refused
    ]


def _take(unit: Unit, now: _Trial, bundle: Sequence[Fixable], *, unsafe: bool) -> _Trial | str:
    """Take fixes at once, with those of what they uncover; or say why they are not taken."""
    after = now._replace(taken=())
    brought: list[str] = []
    step = bundle
    while step and len(after.taken) < _MOST_UNCOVERED * len(bundle):
        trial = _try(unit, after, step)
        if trial is None:
            break
        after = trial
        if _is_better(now, after, bundle):
            return after
        codes = _brought(now, after)
        brought = brought or codes
        uncovered = [one for one in _fixable(after, unsafe=unsafe) if one.finding.code in codes]
        step = apart(uncovered, len(bundle))
    if brought:
        return f"it would cause {' and '.join(brought)}"
    return "it would not solve the problem" if after.taken else "the file cannot be edited there"


def _try(unit: Unit, now: _Trial, bundle: Sequence[Fixable]) -> _Trial | None:
    """Return what some fixes lead to; None if one of them fails."""
    documents = {document.name: document for document in unit.documents}
    texts = dict(now.texts)
    try:
        for name, steps in joined(bundle).items():
            texts[name] = _edited(documents[name], texts.get(name, documents[name].text), steps)
        return _Trial(texts, unit.check_with(texts), (*now.taken, *bundle))
    except (WriteRefused, ProjectError):
        return None


def _edited(document: CheckedFile, text: str, steps: tuple[Step, ...]) -> str:
    if not document.is_script:
        return edit_text(text, steps, document.name)
    # Imported here: most documents are no scripts.
    from torchconf.edits.script import edit_script

    return edit_script(text, steps, document.name)


def _took_along(before: _Trial, after: _Trial) -> bool:
    """Tell whether a problem with a fix is gone without it, so that others may go so, too."""
    old, new = (Counter(o.finding.code for o in _fixable(t, unsafe=True)) for t in (before, after))
    return bool(old - new - Counter(one.finding.code for one in after.taken))


def _brought(before: _Trial, after: _Trial) -> list[str]:
    """Return the codes of errors and warnings that there were fewer of."""
    old, new = _tally(before), _tally(after)
    return sorted(
        {key[0] for key, n in new.items() if key[1] is not Severity.INFO and n > old[key]}
    )


def _is_better(before: _Trial, after: _Trial, bundle: Iterable[Fixable]) -> bool:
    """Tell whether findings are gone, and nothing has become wrong that was not."""
    old, new = _tally(before), _tally(after)
    solved = Counter((one.finding.code, one.finding.severity) for one in bundle)
    return all(new[key] <= old[key] - count for key, count in solved.items()) and all(
        count <= old[key] for key, count in new.items() if key[1] is not Severity.INFO
    )


def _tally(trial: _Trial) -> Counter[tuple[str, Severity]]:
    """Count what is found in all documents."""
    total: Counter[tuple[str, Severity]] = Counter()
    for _, tally in trial.answers:
        total.update(tally)
    return total
