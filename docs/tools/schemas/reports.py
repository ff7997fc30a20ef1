"""The schemas of what commands report."""

from __future__ import annotations

from docs.tools.schemas.shapes import (
    BACKEND,
    COMMAND,
    DAY,
    FAILURE,
    PATH,
    PLATFORM,
    PYTHON,
    TARGET,
    VERSION,
    Schema,
    array,
    described,
    flag,
    named,
    number,
    one_of,
    or_null,
    table,
    text,
    texts,
)

_ROW: dict[str, Schema] = {
    "package": text("The package's name, canonical.", examples=["torch", "torchvision"]),
    "platform": PLATFORM,
    "extras": texts("The extras that the command chooses."),
    "groups": texts("The dependency groups that it enables, default groups included."),
    "index": or_null(text("The name of the index; null: PyPI, or nothing is installed.")),
    "backend": or_null(described(BACKEND, "The build; null: not installed, or not known.")),
    "available": one_of("Whether there is a wheel.", "yes", "no", "unknown"),
    "command": described(COMMAND, "The command that installs this choice."),
}

SHOW = table(
    "The build that each platform gets with each choice, from pyproject.toml alone.",
    {
        "routes": array(
            "A row for each package, platform and choice of extras and groups.",
            table(
                "One package on one platform with one choice.",
                {
                    **_ROW,
                    "provisional": {
                        "description": "Whether something that was not read could change this.",
                        "const": True,
                    },
                    "reason": text("Why nothing, or nothing certain, can be said."),
                },
                optional=("provisional", "reason"),
            ),
        )
    },
)

MATRIX = table(
    "What `fromJSON` makes the matrix of a GitHub workflow of: a job for each target.",
    {
        "include": array(
            "The jobs.",
            table(
                "One job.",
                {
                    "target": TARGET,
                    "os": text("GitHub's own runner of the platform."),
                    "flags": text("What `uv sync` takes to install the target."),
                    "gpu": flag("Whether the build is for a GPU."),
                    "test": flag("Whether tests run here without a GPU: one job for a platform."),
                    "test_flags": text("What `uv sync` takes to install what is tested."),
                },
            ),
        )
    },
)

VERIFY = table(
    "The build that each platform gets with each choice, as uv locks it.",
    {
        "routes": array(
            "A row for each package, platform, choice of extras and groups, and Python.",
            table(
                "One package on one platform with one choice and one Python.",
                {
                    **_ROW,
                    "python": PYTHON,
                    "version": or_null(described(VERSION, "What uv locks; null: not installed.")),
                    "wheel": or_null(text("The file that uv installs; null: none.")),
                    "problem": or_null(text("What is wrong; null: nothing.")),
                },
            ),
        )
    },
)

_CODE = text("The rule's code.", pattern="^TC[0-9]{3}$", examples=["TC101"])
_NAME = text("The rule's name.", examples=["index-not-explicit"])
_SEVERITY = one_of("How bad it is.", "error", "warning", "info")
_FIX = or_null(one_of("Which fix there is; null: none.", "safe", "unsafe"))

CHECK = table(
    "What is wrong with the files.",
    {
        "findings": array(
            "In the order of the files and their lines.",
            table(
                "One way to be wrong, at one place.",
                {
                    "code": _CODE,
                    "name": _NAME,
                    "severity": _SEVERITY,
                    "message": text("What is wrong."),
                    "path": PATH,
                    "at": text("The place as a TOML path.", examples=["tool.uv.index[0]"]),
                    "line": number("The line, from 1.", start=1),
                    "column": number("The column, from 1, in characters.", start=1),
                    "end_line": number("The line where it ends.", start=1),
                    "end_column": number("The column behind its end.", start=1),
                    "help": or_null(text("What to do; null: the message says it.")),
                    "fix": _FIX,
                    "not_taken": or_null(
                        text("With --fix: why the fix was not made; null: it was, or none is.")
                    ),
                },
            ),
        ),
        "statistics": array(
            "With --statistics: how often each rule was broken.",
            table(
                "One rule.",
                {
                    "count": number("How many findings.", start=1),
                    "code": _CODE,
                    "name": _NAME,
                    "severity": _SEVERITY,
                },
            ),
        ),
        "error": described(FAILURE, "The first file that could not be read, if any."),
        "errors": array("All files that could not be read, if any.", FAILURE),
    },
    optional=("statistics", "error", "errors"),
)

EXPLAIN = table(
    "With the name of a rule, or none: `rules`. Else, why a build is what it is.",
    {
        "rules": array(
            "The rules.",
            table(
                "One rule.",
                {
                    "code": _CODE,
                    "name": _NAME,
                    "severity": _SEVERITY,
                    "fix": _FIX,
                    "optional": flag("Whether it is off unless it is selected."),
                    "summary": text("What is wrong, in a sentence."),
                    "reference": text("Where to read on.", format="uri"),
                    "page": text("The whole page, if one rule was asked for."),
                },
                optional=("page",),
            ),
        ),
        "explanations": array(
            "One for each package, platform and choice.",
            table(
                "Why one choice gives a platform one build of one package.",
                {
                    "package": _ROW["package"],
                    "platform": PLATFORM,
                    "command": COMMAND,
                    "backend": _ROW["backend"],
                    "steps": texts("Sentences in the order in which uv decides; the last: what."),
                },
            ),
        ),
        "tools": texts("How a tool gets the build that was asked for."),
        "variants": table(
            "With `variants`: what uv's preview of wheel variants chooses on this machine.",
            {
                "build": or_null(text("Null: the one for no GPU.", examples=["CUDA 13"])),
                "reason": text("Why."),
                "page": text("What there is to say."),
            },
        ),
        "cuda": array(
            "With `cuda`: what brings or needs CUDA, and torch without it.",
            table(
                "One package on one platform by one choice.",
                {
                    "platform": PLATFORM,
                    "command": COMMAND,
                    "extras": texts("The extras of the choice."),
                    "groups": texts("The dependency groups of the choice."),
                    "package": text("The package.", examples=["torch", "jax"]),
                    "from": text("Where it comes from, in words, or its requirement."),
                    "cuda": or_null(
                        texts("The versions, that of the newest release first; null: not known.")
                    ),
                },
            ),
        ),
    },
    optional=("rules", "explanations", "tools", "cuda", "variants"),
)
EXPLAIN["oneOf"] = [
    {"required": ["rules"]},
    {"required": ["explanations", "tools"]},
    {"required": ["variants"]},
]

_HARDWARE = table(
    "The GPUs of one maker.",
    {
        "maker": text("Who made them.", examples=["nvidia", "amd", "intel"]),
        "driver": or_null(text("Its version, or its name; null: not known.")),
        "gpus": array(
            "Empty where only the driver is known.",
            table(
                "One GPU.",
                {
                    "name": text("What its driver calls it; may be empty."),
                    "level": or_null(text("What builds are made for.", examples=["9.0", "gfx942"])),
                    "pci": or_null(text("Its PCI id, where it was found by that.")),
                },
            ),
        ),
        "source": text("Who said so."),
        "problem": or_null(text("Why no build can use them; null: nothing is in the way.")),
        "doubt": or_null(text("What could not be found out; null: nothing.")),
    },
)

_SEES = table(
    "What the installed torch says of itself.",
    {
        "cuda": or_null(text("The CUDA that it was built with; null: none.")),
        "hip": or_null(text("The ROCm that it was built with; null: none.")),
        "available": texts("What it can use: `cuda`, which is ROCm's name, too, `xpu`, `mps`."),
        "devices": texts("The names of the devices."),
        "problem": or_null(text("Why it said nothing; null: it did.")),
    },
)

DOCTOR = table(
    "This machine, which targets fit it, and which build is installed.",
    {
        "machine": table(
            "What is known of the machine.",
            {
                "platform": or_null(described(PLATFORM, "Null: PyTorch publishes nothing for it.")),
                "description": text("For a person."),
                "libc": or_null(text("On Linux.", examples=["glibc 2.39", "musl"])),
                "macos": or_null(text("The version of macOS; null elsewhere.")),
                "wsl": flag("Whether it is Linux in Windows."),
                "jetson": flag("Whether it is a Jetson."),
                "container": flag("Whether this runs in a container."),
                "rosetta": flag("Whether this Python is for x86_64 though the Mac is not."),
                "hardware": array("By maker.", _HARDWARE),
            },
        ),
        "fits": array(
            "The targets of this platform, the best first.",
            table(
                "One target.",
                {
                    "target": TARGET,
                    "fits": or_null(flag("Whether it runs here; null: not known.")),
                    "reason": text("Why."),
                },
            ),
        ),
        "environment": or_null(
            table(
                "The project's virtual environment; null: there is none.",
                {
                    "path": PATH,
                    "python": or_null(text("The version of its Python; null: not known.")),
                    "packages": named("PyTorch's packages in it, with versions.", VERSION),
                    "sees": or_null(_SEES),
                    "backend": or_null(described(BACKEND, "What is installed; null: not known.")),
                    "wanted": array(
                        "What the project offers on this platform.",
                        table("One choice.", {"command": COMMAND, "backend": BACKEND}),
                    ),
                    "locked": array("The versions of torch that uv.lock has for it.", VERSION),
                    "matches": or_null(flag("Whether it is as the project says; null: unknown.")),
                    "reason": or_null(text("Why, or what would be better; null: nothing to say.")),
                    "command": or_null(described(COMMAND, "What puts it right; null: nothing.")),
                },
            )
        ),
        "sync": or_null(
            table(
                "What `torchconf sync` takes here; null: there is no project.",
                {
                    "target": or_null(described(TARGET, "Null: it refuses.")),
                    "reason": text("Why."),
                    "command": or_null(
                        described(COMMAND, "What it runs; if it refuses, what adds a target.")
                    ),
                },
            )
        ),
        "preinstalled": or_null(
            table(
                "The torch that a container came with, where uv would install another; else null.",
                {"version": VERSION, "folder": PATH},
            )
        ),
        "variants": table(
            "What uv's preview of wheel variants takes here, in `uv pip` only.",
            {
                "build": or_null(text("Null: the one for no GPU.", examples=["CUDA 13"])),
                "reason": text("Why."),
            },
        ),
    },
)

_DAYS: dict[str, Schema] = {
    "as_of": described(DAY, "The day of the oldest part of the catalog."),
    "as_of_indexes": named("The day on which each index was read.", DAY),
}
_WHEELS = table(
    "One package of one release in one build.",
    {
        "package": _ROW["package"],
        "version": VERSION,
        "backend": BACKEND,
        "pythons": {
            **named(
                "For each platform, the Pythons that have a wheel; null: not known.",
                {"type": ["array", "null"], "items": PYTHON},
            ),
            "propertyNames": {"pattern": PLATFORM["pattern"]},
        },
        "torch": or_null(text("The torch that it fits, as a specifier; null: not known.")),
    },
)

CATALOG_LIST = table(
    "The catalog: which builds there are, and which other indexes are known.",
    {
        **_DAYS,
        "source": one_of("Where it comes from.", "packaged", "cache", "file"),
        "path": PATH,
        "releases": array("The releases of torch, newest first.", VERSION),
        "packages": texts("The packages that PyTorch's indexes carry."),
        "backends": array(
            "The builds.",
            table(
                "One build.",
                {
                    "backend": BACKEND,
                    "title": text("For a person.", examples=["CUDA 13.0"]),
                    "first": or_null(described(VERSION, "The first torch; null: none was seen.")),
                    "last": or_null(described(VERSION, "The last torch; null: none was seen.")),
                    "ended": or_null(
                        described(VERSION, "The last torch that there will be; null: it goes on.")
                    ),
                    "platforms": array("Where it exists.", PLATFORM),
                    "driver": named(
                        "The lowest driver that runs it, for each system.", {"type": "string"}
                    ),
                },
            ),
        ),
        "families": array(
            "Indexes beside PyTorch's stable one. Without a key, nothing is known of it. "
            "Other keys than these are notes of torchconf's own, and may change.",
            table(
                "One family of indexes.",
                {
                    "name": text("Its name here."),
                    "title": text("For a person."),
                    "by": text("Who publishes it."),
                    "packages": texts("What it has."),
                    "sure": text("How sure this is."),
                    "at": texts("Beginnings or hosts of its URLs."),
                    "url": text("How an index of it is spelled."),
                    "builds": texts("The builds, as the URL spells them."),
                    "platforms": array("Where it has wheels.", PLATFORM),
                },
                optional=("at", "url", "builds", "platforms"),
            ),
        ),
    },
)

CATALOG_SHOW = table(
    "The wheels of a release, a build or a package.",
    {**_DAYS, "wheels": array("By package, release and build.", _WHEELS)},
)

CATALOG_REFRESH = table(
    "What a new reading of the indexes brought.",
    {
        **_DAYS,
        "path": described(PATH, "The file that was written."),
        "new_releases": array("Releases of torch that were not known.", VERSION),
        "new_backends": array("Builds that were not known.", BACKEND),
        "missing": array(
            "What was known before, planned or seen, and is on no index.",
            table(
                "One release on one platform.",
                {
                    "package": _ROW["package"],
                    "version": VERSION,
                    "backend": BACKEND,
                    "platform": PLATFORM,
                    "pythons": array("The Pythons without a wheel.", PYTHON),
                },
            ),
        ),
    },
)

USE = table(
    "What makes plain uv commands right on this machine.",
    {
        "target": TARGET,
        "reason": text("Why this one."),
        "shell": text("Whose lines these are.", examples=["bash", "fish", "powershell", "github"]),
        "variables": or_null(
            named("What to set; null: no variable chooses the build.", {"type": "string"})
        ),
        "lines": texts("What to write."),
    },
)
