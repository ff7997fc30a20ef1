// The table of `torchconf show`.
import { el, prose } from "./dom.js";

/** Return the class that colours a build: one per kind of hardware, and the text says it, too. */
function kindOf(build) {
  const kind = /^(cpu|cu|rocm|xpu|pypi)/.exec(build ?? "")?.[1];
  return kind ? `build-${kind}` : build ? "build-other" : "";
}

/**
 * Return the table.
 *
 * @param table As docs/engine gives it.
 * @param onCell Is called with {platform, package, command} for a cell; without it, cells are text.
 */
export function buildsTable(table, onCell) {
  if (!table.rows.length) return el("p", {}, "This file has no PyTorch packages.");
  let before = null;
  const body = table.rows.map(([command, name, cells]) => {
    const isFirst = command !== before;
    before = command;
    const span = table.rows.filter((row) => row[0] === command).length;
    return el(
      "tr",
      isFirst ? { class: "first" } : {},
      isFirst ? el("th", { scope: "rowgroup", rowspan: span }, el("code", {}, command)) : null,
      el("td", {}, name),
      cells.map(([text, build, state], number) => {
        const shown = el("span", { class: `cell ${kindOf(build)} ${state}` }, text === "-" ? "none" : text);
        const where = { platform: table.platforms[number], package: name, command };
        return el(
          "td",
          {},
          onCell
            ? el("button", { type: "button", class: "plain", "aria-label": `${text === "-" ? "none" : text}: explain ${name} on ${where.platform} with ${command}`, onclick: () => onCell(where) }, shown)
            : shown,
        );
      }),
    );
  });
  return el(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": "What each platform gets" },
    el(
      "table",
      { class: "builds" },
      el("thead", {}, el("tr", {}, table.head.map((title) => el("th", { scope: "col" }, title)))),
      el("tbody", {}, body),
    ),
    table.notes.map((note) => el("p", { class: "about" }, prose(note))),
  );
}
