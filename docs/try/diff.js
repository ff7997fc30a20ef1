// A unified diff in colours; the signs at the beginning of a line say the same.
import { el } from "./dom.js";

const KINDS = { "+": "added", "-": "removed", "@": "place" };

/** Return the lines of a diff, without the names of the files. */
export function shownDiff(diff) {
  const lines = diff.split("\n").slice(2).filter(Boolean);
  return el(
    "pre",
    { class: "diff", tabindex: "0", "aria-label": "What changed" },
    lines.map((line) => el("span", { class: `line ${KINDS[line[0]] ?? ""}` }, `${line}\n`)),
  );
}
