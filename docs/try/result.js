// The answer of the selector: the file, the commands, the table.
import { copyButton, download, el, errorBox, fill, prose } from "./dom.js";
import { buildsTable } from "./table.js";
import { highlighted } from "./toml.js";

/** Join words as the shells of a system take them. */
export function quoted(words, windows) {
  const plain = /^[\w@%+=:,./-]+$/;
  // cmd and PowerShell both take double quotes; POSIX shells take everything between single ones.
  const quote = windows ? (word) => `"${word}"` : (word) => `'${word.replaceAll("'", `'"'"'`)}'`;
  return words.map((word) => (plain.test(word) ? word : quote(word))).join(" ");
}

/**
 * Show an answer.
 *
 * @param where The element to fill.
 * @param answer As docs/engine gives it.
 * @param actions {windows, onCheck}: whether the commands are for Windows, and what opens the file
 *   in the playground.
 */
export function showAnswer(where, answer, { windows, onCheck }) {
  if (answer.error) {
    fill(where, errorBox(answer.error));
    return;
  }
  const command = `uvx torchconf ${quoted(answer.words, windows)}`;
  fill(
    where,
    el(
      "section",
      {},
      el(
        "div",
        { class: "bar" },
        el("h2", {}, "pyproject.toml"),
        copyButton("Copy", () => answer.text, "Copy the file"),
        el("button", { type: "button", onclick: () => download(answer.text, "pyproject.toml") }, "Download"),
        el("button", { type: "button", onclick: () => onCheck(answer.text) }, "Open in the checker"),
      ),
      el("pre", { class: "file", tabindex: "0", "aria-label": "pyproject.toml", "data-testid": "file" }, highlighted(answer.text)),
    ),
    el(
      "section",
      {},
      el("h2", {}, "The same on the command line"),
      el("div", { class: "command" }, el("code", { "data-testid": "command" }, command), copyButton("Copy", () => command, "Copy the command")),
      el("p", { class: "about" }, "In a project that has a pyproject.toml, it changes the PyTorch parts only."),
    ),
    el(
      "section",
      {},
      el("h2", {}, "Then install on each machine"),
      el(
        "ul",
        { class: "commands" },
        answer.targets.map(({ target, command: install }) =>
          el("li", {}, el("span", {}, target), el("code", {}, install), copyButton("Copy", () => install, `Copy the command for ${target}`)),
        ),
      ),
      answer.hints.map((hint) => el("p", { class: "about" }, prose(hint))),
    ),
    el("section", {}, el("h2", {}, "What each platform gets"), buildsTable(answer.table)),
    answer.warnings.length || answer.notes.length
      ? el(
          "section",
          {},
          el("h2", {}, "Good to know"),
          el(
            "ul",
            { class: "notes" },
            answer.warnings.map((text) => el("li", { class: "warning" }, el("strong", {}, "warning: "), prose(text))),
            answer.notes.map((text) => el("li", {}, prose(text))),
          ),
        )
      : null,
  );
}
