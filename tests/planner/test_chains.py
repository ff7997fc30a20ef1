"""Random chains of commands on projects as people write them, with the real uv as judge.

A refusal may touch no file. Whatever is written must lock if it locked before, be what `show` says,
have no finding that it did not have, keep comments and everything that is not PyTorch's, and be
the same after a second run.
"""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.chains import BESIDE, WIDE, Chain, make_chain
from tests.support.changes import TORCH_TABLES, comments, lines_outside
from tests.support.few import few
from tests.support.projects import Result, run_in
from tests.support.replica import Replica

FAMILY = ("torch", "triton", "pytorch-triton", "xformers")
SEEDS = (*range(3), *range(WIDE, WIDE + 3))
MORE = (*range(3, 12), *range(WIDE + 3, WIDE + 12))
GIT = ("-c", "user.name=demo", "-c", "user.email=demo@example.org", "-c", "commit.gpgsign=false")

UNLOCKED = "uv cannot lock"
DRIFT = "elsewhere; keep them equal"
"""PyPI's torch is newer than that of an index on this replica, and nobody asked for a bound."""
MISFIT = "does not fit torch"
ADVICE = (DRIFT, "it comes from PyPI, but torch comes from", MISFIT, "`environments` excludes")


@pytest.mark.parametrize("seeds", few([SEEDS, MORE], [SEEDS].__contains__), ids=["a few", "more"])
def test_chains_do_what_they_say(
    seeds: tuple[int, ...], replica: Replica, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge_all(seeds, replica, tmp_path, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("start", [*range(1000, 1300, 30), *range(11_000, 11_300, 30)])
def test_hundreds_of_chains_do_what_they_say(
    start: int, replica: Replica, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge_all(range(start, start + 30), replica, tmp_path, monkeypatch)


def judge_all(
    seeds: Sequence[int], replica: Replica, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Judge each chain, print the shares, and fail with all that is wrong."""
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for seed in seeds:
        judge = Judge(make_chain(seed), tmp_path / str(seed), replica)
        with monkeypatch.context() as patch:
            for name, value in replica.environment(judge.folder).items():
                patch.setenv(name, value)
            judge.judge()
        counts += judge.counts
        if judge.wrong:
            found = "\n".join(f"  {problem}" for problem in judge.wrong)
            wrong.append(f"== chain {seed}\n{judge.chain}{found}")
    print(", ".join(f"{count} {what}" for what, count in sorted(counts.items())))
    assert not wrong, "\n\n".join(wrong)
    assert counts["changed"], "a run that changes nothing shows nothing"


class Judge:
    """Takes one chain, command by command, and has uv judge what is there at its end."""

    def __init__(self, chain: Chain, parent: Path, replica: Replica) -> None:
        self.chain = chain
        self.folder = parent / "demo"
        self.replica = replica
        for name, text in chain.files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.replace(BESIDE, str(parent)).encode())
        for name in chain.repositories:
            make_repository(parent / name)
        self.wrong: list[str] = []
        self.counts: Counter[str] = Counter(chains=1)
        self.locked = False
        self.scripts: set[str] = set()
        """Those that lock as they are."""
        self.said: set[str] = set()
        """Codes of findings that are there before, or that a command leaves behind on purpose."""
        self.heard: set[str | None] = {DRIFT}
        """What `verify` advises before."""
        self.is_known = True
        """Whether the catalog knew what was written; this replica may lack a wheel otherwise."""

    def judge(self) -> None:
        """Do all of it; what is wrong stands in `wrong`."""
        start = texts(self.folder)
        self.look_before()
        for at, command in self.chain.commands:
            self.take(at, command)
        if texts(self.folder) != start:
            self.look_after()
        if self.wrong:
            self.counts["wrong"] += 1
            self.wrong += [
                f"--- {at} now\n{is_.decode()}" for at, is_ in texts(self.folder).items()
            ]

    def look_before(self) -> None:
        self.said = codes(self.folder)
        self.scripts = self.locked_scripts()
        self.locked = self.replica.uv("lock", cwd=self.folder).returncode == 0
        if self.locked:
            self.counts["locked"] += 1
            for problem in of_verify(self.folder, "--frozen"):
                self.heard.add(advice(problem))
                if advice(problem) is None:
                    self.wrong.append(f"as it was, {problem}")
            (self.folder / "uv.lock").unlink()
        self.heard.discard(None)
        if 'override-dependencies = ["torch' in self.chain.files["pyproject.toml"]:
            # An override sets aside what a companion says of torch.
            self.heard.add(MISFIT)
        if 'exclude-dependencies = ["nvidia' in self.chain.files["pyproject.toml"]:
            # A build of that CUDA needs what the project excludes.
            self.said.add("TC510")

    def take(self, at: str, command: str) -> None:
        before = texts(self.folder)
        result = run_in(self.folder / at, command)
        after = texts(self.folder)
        # A fix that is called unsafe may change any setting of uv's.
        was = after if "--unsafe-fixes" in command else before
        problems = list(of_command(result, was, after))
        if result.status == 2 and after != before:
            problems.append("refused, and a file was touched")
        if after == before:
            self.counts["refused" if result.status == 2 else "same"] += 1
        else:
            self.counts["changed"] += 1
            self.said |= left_behind(command)
            self.is_known &= "has no information on" not in result.err
            # This replica has no nightly wheels, and a source may have had no effect.
            self.is_known &= not any(b"/nightly/" in text for text in after.values())
        run_in(self.folder / at, command)
        if texts(self.folder) != after:
            problems.append("a second run changes something")
        self.wrong += [f"`{command}`: {problem}" for problem in problems]

    def locked_scripts(self) -> set[str]:
        """Return the scripts that uv locks."""
        names = [path.name for path in self.folder.glob("*.py")]
        locked = set()
        for name in names:
            if self.replica.uv("lock", "--script", name, cwd=self.folder).returncode == 0:
                locked.add(name)
                (self.folder / f"{name}.lock").unlink()
        return locked

    def look_after(self) -> None:
        # A fix may have set a bound that leaves out the interpreter of before.
        os.environ |= self.replica.environment(self.folder)
        if not self.is_known:
            self.said |= {"TC110", "TC314"}
        if new := codes(self.folder) - self.said:
            self.wrong.append(f"check reports what it did not before: {', '.join(sorted(new))}")
        if self.scripts - self.locked_scripts():
            self.wrong.append("a script does not lock any more")
        if not self.locked:
            return
        rows = run_in(self.folder, "show --format json").json.get("routes", [])
        self.counts["rows"] += len(rows)
        self.counts["rows provisional"] += sum(bool(row.get("provisional")) for row in rows)
        self.counts["rows unknown"] += sum("reason" in row for row in rows)
        found = [each for each in of_verify(self.folder) if advice(each) not in self.heard]
        if not self.is_known and any(UNLOCKED in each for each in found):
            self.counts["not known to the catalog"] += 1
        else:
            self.wrong += found


def of_command(result: Result, before: dict[str, bytes], after: dict[str, bytes]) -> Iterator[str]:
    """Yield what a command did that none may do."""
    if "this is a bug" in result.err:
        yield result.err
    for name, text in before.items():
        if name.endswith(".py"):
            continue
        old, new = text.decode(), after[name].decode()
        if lost := Counter(comments(old)) - Counter(comments(new)):
            yield f"{name}: lost the comments {sorted(lost.elements())}"
        is_inline = "\nuv = {" in old
        if outside(old, as_data=is_inline) != outside(new, as_data=is_inline):
            yield f"{name}: other tables changed"
        if (own := others(old)) != (now := others(new)):
            lists = {key for key in own.keys() | now.keys() if own.get(key) != now.get(key)}
            yield f"{name}: other packages changed in {', '.join(sorted(lists))}"


def outside(text: str, *, as_data: bool) -> list[Any]:
    """Return what is none of PyTorch's: as it is written, or the data where all is in one line."""
    if not as_data:
        return list(lines_outside(text))
    data = tomllib.loads(text)
    for *above, key in (*TORCH_TABLES, ("tool", "torchconf")):
        table = data
        for part in above:
            table = table.get(part, {})
        table.pop(key, None)
    tool = data.get("tool", {})
    if not tool.get("uv", True):
        del tool["uv"]
    return [{key: table for key, table in data.items() if table}]


def left_behind(command: str) -> set[str]:
    """Return the codes of findings that a command leaves behind on purpose."""
    if command.startswith("add-target") and command.endswith("-pypi"):
        return {"TC106"}  # Adding deletes no index.
    # An extra keeps its name, unless `--rename` is given.
    return {"TC107"} if command.startswith("upgrade") and "--rename" not in command else set()


def of_verify(folder: Path, how: str = "") -> Iterator[str]:
    """Yield each way in which uv locks something else than `show` says.

    Where `show` does not know, or says that there is no wheel, it says nothing wrong.
    """
    verified = run_in(folder, f"verify --format json {how}").json
    if "error" in verified:
        yield f"verify: {verified['error']['message']}"
    found: dict[str, list[str]] = {}
    for row in verified.get("routes", []):
        problem = row["problem"]
        foreseen = row["available"] != "yes" and "no wheel" in (problem or "")
        if problem and not foreseen and not row.get("provisional"):
            where = f"{row['package']} on {row['platform']}, {row['python']}: `{row['command']}`"
            found.setdefault(problem, []).append(where)
    for problem, places in found.items():
        yield f"verify: {problem}\n    {places[0]} and {len(places) - 1} more"


def advice(problem: str) -> str | None:
    """Return what `verify` says of the file, rather than of what `show` says of it."""
    return next((each for each in ADVICE if each in problem), None)


def others(text: str) -> dict[str, list[Any]]:
    """Return each list of requirements without the family of torch; an empty one is none."""
    data = tomllib.loads(text)
    project = data["project"]
    lists = {"dependencies": project.get("dependencies", [])}
    for kind, table in (
        ("extra", project.get("optional-dependencies", {})),
        ("group", data.get("dependency-groups", {})),
    ):
        lists |= {f"{kind} {name}": lines for name, lines in table.items()}
    kept = {
        key: [line for line in lines if not str(line).startswith(FAMILY) and not asks(key, line)]
        for key, lines in lists.items()
    }
    return {key: lines for key, lines in kept.items() if lines}


def asks(key: str, line: object) -> bool:
    """Tell whether an extra asks for the same one of a member: `a[cu130]`."""
    return re.fullmatch(rf"[a-z]\[{re.escape(key.removeprefix('extra '))}\]", str(line)) is not None


def codes(folder: Path) -> set[str]:
    """Return the codes of errors and warnings, in the project and the scripts beside it."""
    findings = run_in(folder, "check --strict --format json .").json.get("findings", [])
    return {finding["code"] for finding in findings if finding["severity"] != "info"}


def texts(folder: Path) -> dict[str, bytes]:
    """Return each pyproject.toml of a project, and the scripts beside it."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in (*sorted(folder.rglob("pyproject.toml")), *sorted(folder.glob("*.py")))
    }


def make_repository(folder: Path) -> None:
    """Make a folder a git repository with one commit."""
    for line in ("init -q", "add .", "commit -q -m one"):
        subprocess.run(["git", *GIT, *line.split()], cwd=folder, check=True)
