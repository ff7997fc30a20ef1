// What a pasted or dropped file is, told by its name, else by its text.

export const PROJECT = "pyproject.toml";
export const SCRIPT = "script.py";

/** Return one of the kinds that the page offers. */
export function kindOf(text, name = "") {
  if (/^pyproject.*\.toml$/i.test(name)) return PROJECT;
  if (/^pixi\.toml$/i.test(name)) return "pixi.toml";
  if (/^pipfile$/i.test(name)) return "Pipfile";
  if (/\.ya?ml$/i.test(name)) return "environment.yml";
  if (/\.(txt|in)$/i.test(name)) return "requirements.txt";
  if (/\.py$/i.test(name) || /^# \/\/\/ script\s*$/m.test(text)) return SCRIPT;
  if (/^\s*\[\[?(project|tool\.(?!pixi)|build-system|dependency-groups)/m.test(text)) return PROJECT;
  if (/^\s*\[(dev-)?packages\]/m.test(text)) return "Pipfile";
  if (/^\s*\[(workspace|tool\.pixi)/m.test(text)) return "pixi.toml";
  if (/^(channels|dependencies|name):/m.test(text)) return "environment.yml";
  if (/^\s*\[/m.test(text)) return PROJECT;
  return /^\s*(-r|-c|-e|-f|--[a-z-]+|[a-z][\w.-]*\s*(\[[\w, -]*\]\s*)?([=<>!~@;#].*)?$)/im.test(text) ? "requirements.txt" : PROJECT;
}

/** Return whether a pyproject.toml has tables of a tool that `migrate` reads. */
export const hasOldTables = (text) => /^\s*\[tool\.(poetry|pdm|pixi)[.\]]/m.test(text);
