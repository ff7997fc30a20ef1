// What a pasted or dropped file is, told by its name, else by its text.

export const PROJECT = "pyproject.toml";
export const SCRIPT = "script.py";

const NAMES = [
  [/^pyproject.*\.toml$/i, PROJECT],
  [/^pixi\.toml$/i, "pixi.toml"],
  [/^pipfile$/i, "Pipfile"],
  [/\.ya?ml$/i, "environment.yml"],
  [/\.(txt|in)$/i, "requirements.txt"],
  [/\.py$/i, SCRIPT],
];
// In their order: of two that fit, the first is meant. No part looks beyond a line, so that a text of
// a million empty lines is read once.
const TEXTS = [
  [/^# \/\/\/ script[ \t\r]*$/m, SCRIPT],
  [/^[ \t]*\[\[?(project|tool\.(?!pixi)|build-system|dependency-groups)/m, PROJECT],
  [/^[ \t]*\[(dev-)?packages\]/m, "Pipfile"],
  [/^[ \t]*\[(workspace|tool\.pixi)/m, "pixi.toml"],
  [/^(channels|dependencies|name):/m, "environment.yml"],
  [/^[ \t]*\[/m, PROJECT],
  [/^[ \t]*(-r|-c|-e|-f|--[a-z-]+|[a-z][\w.-]*[ \t]*(\[[\w, -]*\][ \t]*)?([=<>!~@;#].*)?[\r]?$)/im, "requirements.txt"],
];
const BEGINNING = 100_000;

/** Return one of the kinds that the page offers. */
export function kindOf(text, name = "") {
  const named = NAMES.find(([pattern]) => pattern.test(name));
  const begin = text.slice(0, BEGINNING);
  return (named ?? TEXTS.find(([pattern]) => pattern.test(begin)))?.[1] ?? PROJECT;
}

/** Return whether a pyproject.toml has tables of a tool that `migrate` reads. */
export const hasOldTables = (text) => /^[ \t]*\[tool\.(poetry|pdm|pixi)[.\]]/m.test(text);
