// The playground: findings beside their lines, fixes, targets, explanations.
import { byId, copyButton, download, el, errorBox, fill, prose, say } from "./dom.js";
import { shownDiff } from "./diff.js";
import { hasOldTables, kindOf, PROJECT, SCRIPT } from "./kinds.js";
import { buildsTable } from "./table.js";
import { highlighted, lineOf, lines } from "./toml.js";

const LARGEST = 1_000_000;
const MOST_LINES = 2_000;
const MOST_FINDINGS = 300;
const WAIT = 150;
const MARK = "\ufeff";
const EXAMPLE = `[project]
name = "trainer"
version = "1.0.0"
requires-python = ">=3.11"
dependencies = ["torch>=2.8", "torchvision", "numpy"]

[tool.uv.sources]
torch = [
    { index = "pytorch-cu128", marker = "platform_system == 'linux'" },
]

[[tool.uv.index]]
name = "pytorch-cu128"
url = "https://download.pytorch.org/whl/cu128"
`;

export class Playground {
  #engine;
  #turn = 0;
  #timer = null;
  #undo = [];
  #change = null;
  #isWarm = false;
  #name = "";
  #ends = false;
  #mark = "";

  constructor(engine) {
    this.#engine = engine;
    const text = byId("text");
    text.addEventListener("input", () => {
      this.#change = null;
      byId("kind").value = kindOf(text.value, this.#name);
      this.#later();
    });
    text.addEventListener("paste", () => {
      this.#name = "";
      this.#mark = "";
      this.#ends = false;
    });
    byId("kind").addEventListener("change", () => { this.#name = ""; this.#look(); });
    byId("open").addEventListener("change", ({ target }) => this.#read(target.files[0]));
    byId("example").addEventListener("click", () => this.open(EXAMPLE));
    byId("clear").addEventListener("click", () => { this.open(""); byId("text").focus(); });
    const view = byId("view-check");
    view.addEventListener("dragover", (event) => { event.preventDefault(); view.classList.add("dropping"); });
    view.addEventListener("dragleave", () => view.classList.remove("dropping"));
    view.addEventListener("drop", (event) => {
      event.preventDefault();
      view.classList.remove("dropping");
      if (event.dataTransfer.files.length) this.#read(event.dataTransfer.files[0]);
      else this.open(event.dataTransfer.getData("text/plain"));
    });
    this.#look();
  }

  /** Load the rules before there is something to check. */
  warm() {
    if (this.#isWarm) return;
    this.#isWarm = true;
    this.#engine.ask("inspect", { text: '[project]\nname = "a"\nversion = "1"\ndependencies = ["torch"]\n' });
  }

  /** Show a text. */
  open(text, name = "") {
    this.#name = name;
    this.#undo = [];
    this.#change = null;
    this.#mark = text.startsWith(MARK) ? MARK : "";
    text = text.slice(this.#mark.length);
    this.#ends = text.includes("\r\n");
    byId("text").value = text;
    byId("kind").value = kindOf(text, name);
    this.#look();
  }

  async #read(file) {
    if (!file) return;
    if (file.size > LARGEST) {
      fill(byId("found"), errorBox({ message: "this file is larger than 1 MB", help: "check it on the command line: `uvx torchconf check`" }));
      return;
    }
    // Not `file.text()`, which drops the mark.
    this.open(new TextDecoder("utf-8", { ignoreBOM: true }).decode(await file.arrayBuffer()), file.name);
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), WAIT);
  }

  get #text() {
    return byId("text").value;
  }

  /** What a question about the file says of it. */
  get #file() {
    return { text: this.#text, script: byId("kind").value === SCRIPT };
  }

  /** Return a text with the line ends and the mark that the file had: a text area drops both. */
  #whole(text) {
    return this.#mark + (this.#ends ? text.replaceAll("\n", "\r\n") : text);
  }

  async #ask(method, args) {
    const turn = ++this.#turn;
    if (!this.#engine.isReady && !this.#engine.hasFailed) {
      fill(byId("found"), el("p", { class: "busy" }, "Python is still loading; the findings appear after that."));
    }
    const found = await this.#engine.ask(method, args);
    return turn === this.#turn ? found : null;
  }

  async #look() {
    const text = this.#text;
    if (!text.trim()) {
      this.#turn++;
      fill(byId("targets"));
      fill(byId("found"), el("p", { class: "about" }, "Nothing to check yet."));
      return;
    }
    if (text.length > LARGEST) {
      fill(byId("found"), errorBox({ message: "this text is longer than a million characters", help: "check it on the command line: `uvx torchconf check`" }));
      return;
    }
    const kind = byId("kind").value;
    if (kind === PROJECT || kind === SCRIPT) {
      const found = await this.#ask("inspect", this.#file);
      if (found) this.#showProject(text, found);
    } else {
      await this.#migrate(this.#name && kindOf("", this.#name) === kind ? this.#name : kind, text);
    }
  }

  // A project.

  #showProject(text, found) {
    if (found.error) {
      fill(byId("targets"));
      fill(byId("found"), this.#changed(), errorBox(found.error), this.#oldTables(text));
      say(`Error: ${found.error.message}`);
      return;
    }
    const findings = found.findings.slice(0, MOST_FINDINGS);
    const more = found.findings.length - findings.length;
    const safe = findings.filter(({ fix }) => fix === "safe").length;
    const count = findings.length === 1 ? "1 finding" : `${found.findings.length} findings`;
    const explained = el("div", { id: "explained", "aria-live": "polite" });
    fill(
      byId("found"),
      this.#changed(),
      el(
        "div",
        { class: "bar" },
        el("h2", {}, findings.length ? count : "No findings"),
        safe ? el("button", { type: "button", onclick: () => this.#fix(null) }, safe === 1 ? "Apply the safe fix" : `Apply ${safe} safe fixes`) : null,
        copyButton("Copy", () => this.#whole(this.#text), "Copy the file"),
        el("button", { type: "button", onclick: () => download(this.#whole(this.#text), this.#name || byId("kind").value) }, "Download"),
      ),
      this.#oldTables(text),
      this.#listing(text, findings),
      more ? el("p", { class: "about" }, `${more} more findings are not shown.`) : null,
      found.table
        ? el("section", {}, el("h2", {}, "What each platform gets"), el("p", { class: "about" }, "Select a cell to see why."), buildsTable(found.table, (cell) => this.#explain(cell, explained)), explained)
        : el("p", { class: "about" }, `There is no table: ${found.no_table}`),
      el("p", { class: "about" }, "This page checks the file alone; the command line also reads its workspace and uv.lock."),
    );
    this.#showTargets(found.targets);
    say(findings.length ? count : "No findings");
  }

  #oldTables(text) {
    return hasOldTables(text)
      ? el("p", {}, "This file has tables of another tool. ", el("button", { type: "button", onclick: () => this.#migrate(PROJECT, text) }, "Migrate it to uv"))
      : null;
  }

  /** Return the file line by line, each finding below its line. */
  #listing(text, findings) {
    const all = lines(text);
    const below = Map.groupBy(findings, ({ line }) => line);
    const near = new Set();
    for (const { line, end_line: last } of findings) {
      for (let number = line - 3; number <= Math.min(last, line + 20) + 3; number++) near.add(number);
    }
    const shown = all.map((words, index) => [index + 1, words]).filter(([number]) => all.length <= MOST_LINES || near.has(number));
    const marked = new Map();
    for (const { line, end_line: last, severity } of findings) {
      for (let number = line; number <= Math.min(last, line + 200); number++) if (!marked.has(number)) marked.set(number, severity);
    }
    return el(
      "ol",
      { class: "listing", "data-testid": "listing" },
      shown.map(([number, words]) =>
        el(
          "li",
          { class: marked.get(number) ?? "" },
          el("div", { class: "row" }, el("span", { class: "number", "aria-hidden": "true" }, number), el("code", {}, lineOf(words))),
          (below.get(number) ?? []).map((finding) => this.#finding(finding)),
        ),
      ),
    );
  }

  #finding(finding) {
    const page = el("div", { class: "page" });
    const label = finding.fix === "unsafe" ? "Fix (review the change)" : "Fix";
    return el(
      "div",
      { class: `finding ${finding.severity}` },
      el("p", {}, el("strong", {}, `${finding.severity}: `), prose(finding.message)),
      finding.help ? el("p", { class: "about" }, "help: ", prose(finding.help)) : null,
      el(
        "p",
        { class: "actions" },
        finding.fix ? el("button", { type: "button", "aria-label": `${label}: ${finding.title}, line ${finding.line}`, title: finding.title, onclick: () => this.#fix(finding.place) }, label) : null,
        el("button", { type: "button", class: "quiet", "aria-expanded": "false", "aria-label": `About ${finding.code}, ${finding.name}`, onclick: ({ currentTarget }) => this.#rule(finding.code, page, currentTarget) }, `${finding.code} ${finding.name}`),
        el("button", { type: "button", class: "quiet", "aria-label": `Go to line ${finding.line}`, onclick: () => this.#goTo(finding.line) }, `line ${finding.line}`),
      ),
      page,
    );
  }

  #goTo(line) {
    const area = byId("text");
    const all = area.value.split("\n");
    const start = all.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
    area.focus();
    area.setSelectionRange(start, start + (all[line - 1]?.length ?? 0));
    area.scrollTop = ((line - 4) / all.length) * area.scrollHeight;
  }

  async #rule(code, where, button) {
    const isOpen = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!isOpen));
    if (isOpen) {
      fill(where);
      return;
    }
    const found = await this.#engine.ask("rule", { code });
    fill(where, found.error ? errorBox(found.error) : el("pre", { tabindex: "0", "aria-label": `About ${code}` }, found.page));
  }

  // Changes.

  async #fix(place) {
    await this.#take(await this.#ask("fix", { ...this.#file, place }));
  }

  async #take(found) {
    if (!found) return;
    if (found.error) {
      this.#change = { error: found.error };
    } else if (found.diff) {
      this.#undo.push(this.#text);
      byId("text").value = found.text;
      this.#change = found;
    } else {
      this.#change = { error: { message: "there is nothing to change", help: null } };
    }
    await this.#look();
    byId("changed")?.focus();
  }

  /** Return what the last change was, and what takes it back. */
  #changed() {
    if (!this.#change) return null;
    const change = this.#change;
    if (change.error) return el("div", { id: "changed", tabindex: "-1" }, errorBox(change.error));
    return el(
      "section",
      { id: "changed", tabindex: "-1", class: "changed", "data-testid": "changed" },
      el(
        "div",
        { class: "bar" },
        el("h2", {}, "Changed"),
        el("button", { type: "button", onclick: () => this.#takeBack() }, "Undo"),
        el("button", { type: "button", class: "quiet", onclick: () => { this.#change = null; byId("changed").remove(); } }, "Close"),
      ),
      shownDiff(change.diff),
      (change.targets ?? []).length
        ? el("ul", { class: "commands" }, change.targets.map(({ target, command }) => el("li", {}, el("span", {}, target), el("code", {}, command))))
        : null,
      [...(change.warnings ?? []), ...(change.notes ?? [])].map((text) => el("p", { class: "about" }, prose(text))),
    );
  }

  #takeBack() {
    byId("text").value = this.#undo.pop() ?? this.#text;
    this.#change = null;
    byId("kind").value = kindOf(this.#text, this.#name);
    this.#look();
    byId("text").focus();
    say("Undone");
  }

  #showTargets({ present, possible, doubt }) {
    fill(
      byId("targets"),
      el("h2", {}, "Targets"),
      doubt ? el("p", { class: "about" }, prose(doubt)) : null,
      el(
        "div",
        { class: "toggles" },
        present.map((target) => el("button", { type: "button", class: "toggle", "aria-pressed": "true", "aria-label": `Remove ${target}`, title: `Remove ${target}`, onclick: () => this.#target({ remove: [target] }) }, target)),
        possible.map((target) => el("button", { type: "button", class: "toggle add", "aria-label": `Add ${target}`, title: `Add ${target}`, onclick: () => this.#target({ add: [target] }) }, target)),
      ),
    );
  }

  async #target({ add = [], remove = [] }) {
    const found = await this.#ask("change", { ...this.#file, add, remove });
    if (found?.error && add.length) {
      // What stands in the way is most often how a build is chosen: another layout has room.
      const roomy = await this.#ask("change", { ...this.#file, add, remove, layout: "extras" });
      if (roomy && !roomy.error) {
        this.#change = { error: found.error };
        await this.#look();
        byId("changed")?.append(el("p", {}, el("button", { type: "button", onclick: () => this.#take(roomy) }, "Add it, with an extra for each build")));
        byId("changed")?.focus();
        return;
      }
    }
    await this.#take(found);
  }

  async #explain(cell, where) {
    const found = await this.#engine.ask("explain", { ...this.#file, ...cell });
    fill(
      where,
      found.error
        ? errorBox(found.error)
        : found.explanations.map(({ package: name, platform, command, steps }) =>
            el("section", { class: "explanation" }, el("h3", {}, `${name} on ${platform}, `, el("code", {}, command)), el("ol", {}, steps.map((step, number) => el("li", { class: number === steps.length - 1 ? "outcome" : "" }, prose(step))))),
          ),
    );
    where.scrollIntoView({ block: "nearest" });
  }

  // Files of other tools.

  async #migrate(name, text) {
    fill(byId("targets"));
    const found = await this.#ask("migrate", { name, text });
    if (!found) return;
    if (found.error) {
      fill(byId("found"), errorBox(found.error));
      return;
    }
    const unclear = found.lines.filter(({ outcome }) => outcome === "unclear").length;
    fill(
      byId("found"),
      el(
        "div",
        { class: "bar" },
        el("h2", {}, "As a uv project"),
        copyButton("Copy", () => found.text, "Copy the file"),
        el("button", { type: "button", onclick: () => download(found.text, PROJECT) }, "Download"),
        el("button", { type: "button", onclick: () => this.open(found.text) }, "Check the result"),
      ),
      el("pre", { class: "file", tabindex: "0", "aria-label": "pyproject.toml", "data-testid": "migrated" }, highlighted(found.text)),
      el("h2", {}, "What became of each line"),
      unclear ? el("p", { class: "warning" }, `${unclear} of them ${unclear === 1 ? "is" : "are"} not understood and left out.`) : null,
      el(
        "div",
        { class: "scroll", tabindex: "0", role: "region", "aria-label": "What became of each line" },
        el(
          "table",
          { class: "lines" },
          el("thead", {}, el("tr", {}, ["line", "text", "outcome", "into"].map((title) => el("th", { scope: "col" }, title)))),
          el("tbody", {}, found.lines.map(({ line, text: old, outcome, into, why }) => el("tr", { class: outcome === "unclear" ? "unclear" : "" }, el("td", {}, line), el("td", {}, el("code", {}, old)), el("td", {}, outcome), el("td", {}, into ? el("code", {}, into) : null, why ? el("p", { class: "about" }, prose(why)) : null)))),
        ),
      ),
      [...found.warnings, ...found.notes].map((note) => el("p", { class: "about" }, prose(note))),
    );
    say("Migrated");
  }
}
