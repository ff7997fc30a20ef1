// The selector: what can be chosen, what is chosen, and the answer to it.
import { byId, el, fill, prose, say } from "./dom.js";
import { showAnswer } from "./result.js";
import { commonKey, empty, first, read, thisPlatform, write } from "./state.js";

const FIELDS = ["torch", "python", "layout", "default", "name"];
const LAYOUTS = { markers: "the platform alone", extras: "an extra", groups: "a dependency group" };

export class Selector {
  #engine;
  #known;
  #state = empty();
  #rows = new Map();
  #turn = 0;
  #pending = null;
  #onCheck;

  /**
   * @param engine Answers what the build has not answered.
   * @param known What the build has rendered: platforms, packages, pythons, answers.
   * @param onCheck Opens a text in the playground.
   */
  constructor(engine, known, onCheck) {
    this.#engine = engine;
    this.#known = known;
    this.#onCheck = onCheck;
    this.#build();
    this.load(location.hash);
  }

  /** Take the state of an address, or start with this machine. */
  load(hash) {
    const state = read(hash);
    this.#state = state ?? first();
    // The address of another view stays.
    this.#refresh({ keepAddress: state === null });
  }

  /** Return the address of the answer. */
  get hash() {
    return write(this.#state);
  }

  // What is on the page once and for all.

  #build() {
    const own = thisPlatform();
    const rows = this.#known.platforms.map((one) => this.#platform(one, one.platform === own));
    const isUsual = (_, number) => !this.#known.platforms[number].platform.includes("-");
    const others = el("details", { id: "others" }, el("summary", {}, "Other machines: ARM servers, Windows on ARM, Intel Macs"), rows.filter((...one) => !isUsual(...one)));
    fill(byId("platforms"), rows.filter(isUsual), others);
    fill(byId("packages"), this.#known.packages.map((name) => this.#package(name)));
    byId("python").append(...this.#known.pythons.map((one) => el("option", { value: one }, one)));
    for (const key of FIELDS) {
      byId(key).addEventListener("change", ({ target }) => this.#set(key, target.value.trim()));
    }
    byId("name").addEventListener("input", ({ target }) => this.#set("name", target.value.trim()));
    byId("torch-range").addEventListener("change", ({ target }) => this.#set("torch", target.value.trim()));
    for (const key of ["pin", "required"]) {
      byId(key).addEventListener("change", ({ target }) => this.#set(key, target.checked));
    }
    byId("reset").addEventListener("click", () => { this.#state = first(); this.#refresh(); });
    byId("jump").addEventListener("click", () => {
      byId("result").scrollIntoView();
      byId("result").focus({ preventScroll: true });
    });
    byId("link").addEventListener("click", async () => {
      const address = `${location.origin}${location.pathname}${this.hash}`;
      try {
        await navigator.clipboard.writeText(address);
        say("Link copied");
        byId("link").textContent = "Copied";
      } catch {
        byId("link").textContent = "The address of this page is the link";
      }
      setTimeout(() => { byId("link").textContent = "Copy a link to this answer"; }, 2000);
    });
  }

  #platform({ platform, title, about, builds, exact: hasExact }, isOwn) {
    const why = el("p", { class: "why", id: `why-${platform}` });
    const toggles = el("div", { class: "toggles" });
    const exact = el("div", { class: "toggles" });
    const details = el("details", {}, el("summary", {}, `Exact builds for ${title}`), exact);
    details.addEventListener("toggle", () => this.#askExact(platform));
    const row = { platform, why, toggles, exact, details, builds, exactBuilds: null };
    this.#rows.set(platform, row);
    return el(
      "fieldset",
      { class: "platform", id: `platform-${platform}` },
      el("legend", {}, title, isOwn ? el("span", { class: "badge" }, "this machine") : null),
      el("p", { class: "about" }, about),
      toggles,
      why,
      hasExact ? details : null,
    );
  }

  #toggle(id, title, onclick) {
    const made = el("button", { type: "button", class: "toggle", id, "aria-pressed": "false", onclick }, title);
    for (const event of ["focus", "mouseenter"]) made.addEventListener(event, () => this.#say(made));
    return made;
  }

  /** Show below a row what a toggle of it is, or why it cannot be chosen. */
  #say(toggle) {
    const why = toggle.closest(".platform, .packages")?.querySelector(".why");
    if (why && toggle.title) fill(why, prose(`${toggle.firstChild.textContent}: ${toggle.title}`));
  }

  /** Show below a row what cannot be chosen, until somebody asks why. */
  #explain({ why, builds }) {
    const off = builds.filter(([, , , reason]) => reason).map(([, title]) => title);
    why.textContent = off.length ? `Not available: ${off.join(", ")}` : "";
  }

  #package(name) {
    const toggle = this.#toggle(`with-${name}`, name, () => {
      if (toggle.getAttribute("aria-disabled") === "true") say(toggle.title);
      else this.#flip("with", name);
    });
    return toggle;
  }

  // What is chosen.

  #set(key, value) {
    if (key === "torch" && value === "other") {
      byId("torch-range").hidden = false;
      byId("torch-range").focus();
      return;
    }
    if (this.#state[key] === value) return;
    this.#state = { ...this.#state, [key]: value };
    if (key === "layout" && value !== "groups") this.#state.default = "";
    this.#refresh();
  }

  #flip(key, word) {
    const words = this.#state[key];
    const next = words.includes(word) ? words.filter((one) => one !== word) : [...words, word];
    this.#state = { ...this.#state, [key]: key === "targets" ? this.#ordered(next) : this.#known.packages.filter((one) => next.includes(one)) };
    // Without a second build for a platform there is nothing to select by.
    if (key === "targets" && !this.#hasSeveral()) this.#state = { ...this.#state, layout: "auto", default: "" };
    this.#refresh();
  }

  /** Return targets in the order in which the page shows them. */
  #ordered(targets) {
    const place = (target) => {
      const row = this.#known.platforms.findIndex(({ platform }) => platform === this.#platformOf(target));
      const number = (this.#known.platforms[row]?.builds ?? []).findIndex(([name]) => target.endsWith(`-${name}`));
      return row * 100 + (number < 0 ? 99 : number);
    };
    return targets.toSorted((one, other) => place(one) - place(other));
  }

  #platformOf(target) {
    // `linux-aarch64-cpu` is not of `linux`: the longest name that fits is meant.
    return this.#known.platforms
      .map(({ platform }) => platform)
      .filter((platform) => target.startsWith(`${platform}-`))
      .sort((one, other) => other.length - one.length)[0];
  }

  #hasSeveral() {
    const platforms = this.#state.targets.map((target) => this.#platformOf(target));
    return new Set(platforms).size < platforms.length;
  }

  // What follows from it.

  #refresh({ keepAddress = false } = {}) {
    if (!keepAddress) history.replaceState(null, "", this.hash);
    const turn = ++this.#turn;
    this.#showFields();
    this.#showBuilds();
    const key = commonKey(this.#state);
    const common = key === null ? undefined : this.#known.answers[key];
    if (common) this.#show(common);
    this.#follow(turn, common);
  }

  async #follow(turn, common) {
    const state = this.#state;
    if (!common) {
      if (!this.#engine.isReady && !this.#engine.hasFailed) {
        fill(byId("result"), el("p", { class: "busy" }, "The answer appears when Python is loaded."));
      }
      this.#show(await this.#ask(turn, "answer", { state }));
    }
    // What is left is not needed to answer. It is asked in small pieces, so that a click on the page
    // waits for one of them at most.
    if (turn !== this.#turn || this.#engine.hasFailed) return;
    const questions = await this.#ask(turn, "rest", { state });
    if (questions?.questions) this.#showQuestions(questions.questions);
    for (const row of this.#rows.values()) {
      const found = await this.#ask(turn, "choices", { state, platform: row.platform });
      if (found?.builds) {
        row.builds = found.builds;
        this.#showRow(row);
      }
    }
    for (const row of this.#rows.values()) if (row.details.open) await this.#askExact(row.platform, turn);
  }

  /** Ask, unless the state has changed; null if it has changed meanwhile. */
  async #ask(turn, method, args) {
    if (turn !== this.#turn) return null;
    // Before Python is there, only the last state is asked about.
    await this.#engine.settled;
    if (turn !== this.#turn) return null;
    const found = await this.#engine.ask(method, args);
    return turn === this.#turn ? found : null;
  }

  async #askExact(platform, turn = this.#turn) {
    const row = this.#rows.get(platform);
    if (!row.details.open) return;
    const builds = [];
    let more = true;
    while (more) {
      const found = await this.#ask(turn, "exact", { state: this.#state, platform, start: builds.length });
      if (!found?.builds) return;
      builds.push(...found.builds);
      more = found.more;
      // Those of the last answer stay until their place is taken.
      row.exactBuilds = [...builds, ...(row.exactBuilds ?? []).slice(builds.length)];
      this.#showRow(row);
    }
  }

  #show(answer) {
    if (!answer) return;
    this.resolved = answer.resolved ?? {};
    showAnswer(byId("result"), answer, { windows: thisPlatform() === "windows", onCheck: this.#onCheck });
    say(answer.error ? `Not possible: ${answer.error.message}` : `pyproject.toml for ${answer.targets.map(({ target }) => target).join(", ")}; torch ${answer.torch ?? "of any version"}`);
    this.#showBuilds();
    byId("result").dataset.answers = this.hash;
  }

  #showBuilds() {
    for (const row of this.#rows.values()) this.#showRow(row);
    for (const name of this.#known.packages) byId(`with-${name}`).setAttribute("aria-pressed", this.#state.with.includes(name));
  }

  #showRow(row) {
    const own = this.#state.targets.filter((target) => this.#platformOf(target) === row.platform);
    const kinds = row.builds.map(([name]) => `${row.platform}-${name}`);
    const others = own.filter((target) => !kinds.includes(target)).map((target) => target.slice(row.platform.length + 1));
    const named = new Map((row.exactBuilds ?? []).map((one) => [one[0], one]));
    const chosen = others.map((name) => named.get(name) ?? [name, name, "", ""]);
    this.#fillToggles(row, row.toggles, [...row.builds, ...chosen], own);
    this.#fillToggles(row, row.exact, (row.exactBuilds ?? []).filter(([name]) => !others.includes(name)), own);
    const box = byId(`platform-${row.platform}`);
    box.classList.toggle("chosen", own.length > 0);
    if (own.length && box.closest("#others")) byId("others").open = true;
    if (!box.matches(":hover, :focus-within")) this.#explain(row);
  }

  /** Show toggles in place, so that the one that has the focus keeps it. */
  #fillToggles(row, where, builds, own) {
    const wanted = builds.map(([name]) => `b-${row.platform}-${name}`);
    for (const child of [...where.children]) if (!wanted.includes(child.id)) child.remove();
    builds.forEach(([name, title, about, reason], number) => {
      const target = `${row.platform}-${name}`;
      const id = `b-${target}`;
      let toggle = where.children[number];
      if (toggle?.id !== id) {
        toggle = [...where.children].find((child) => child.id === id)
          ?? this.#toggle(id, "", () => this.#press(toggle, target));
        where.insertBefore(toggle, where.children[number] ?? null);
      }
      const resolved = this.resolved?.[target]?.slice(row.platform.length + 1);
      const small = own.includes(target) && resolved && resolved !== name ? resolved : "";
      fill(toggle, title, small ? el("small", {}, small) : null, reason ? el("span", { class: "hidden" }, `, not available: ${reason}`) : null);
      toggle.setAttribute("aria-pressed", own.includes(target));
      toggle.title = reason || about;
      if (reason) toggle.setAttribute("aria-disabled", "true");
      else toggle.removeAttribute("aria-disabled");
    });
  }

  #press(toggle, target) {
    if (toggle.getAttribute("aria-disabled") === "true" && !this.#state.targets.includes(target)) {
      this.#say(toggle);
      say(toggle.title);
      return;
    }
    this.#flip("targets", target);
  }

  #showFields() {
    const state = this.#state;
    const several = this.#hasSeveral();
    byId("layout-field").hidden = !several && state.layout === "auto";
    byId("default-field").hidden = state.layout !== "groups";
    const offered = several ? ["extras", "groups"] : ["markers", "extras", "groups"];
    this.#options("layout", [["auto", "what fits best"], ...offered.map((one) => [one, LAYOUTS[one]])], state.layout);
    const backends = [...new Set(state.targets.map((target) => (this.resolved?.[target] ?? target).slice(this.#platformOf(target)?.length + 1)))];
    this.#options("default", [["", "what fits best"], ...backends.map((one) => [one, one]), ["machine", "what each machine says"], ["none", "no torch"]], state.default);
    this.#options("torch", [...byId("torch").options].map(({ value, textContent }) => [value, textContent]), state.torch);
    const isListed = [...byId("torch").options].some(({ value }) => value === state.torch && value !== "other");
    byId("torch-range").hidden = isListed;
    byId("torch-range").value = isListed ? "" : state.torch;
    if (!isListed) byId("torch").value = "other";
    byId("python").value = state.python;
    if (byId("name").value.trim() !== state.name) byId("name").value = state.name;
    byId("pin").checked = state.pin;
    byId("required").checked = state.required;
  }

  #options(id, pairs, value) {
    const select = byId(id);
    const wanted = id === "torch" && !pairs.some(([one]) => one === "other") ? [...pairs, ["other", "another version or range"]] : pairs;
    const same = select.options.length === wanted.length && wanted.every(([one, text], n) => select.options[n].value === one && select.options[n].textContent === text);
    if (!same) fill(select, wanted.map(([one, text, , reason]) => el("option", { value: one, disabled: Boolean(reason), title: reason || undefined }, text)));
    select.value = value;
  }

  /** Show what the wizard would ask next: packages, versions, layout, default. */
  #showQuestions({ packages, torch, layout, default: standard }) {
    const state = this.#state;
    if (packages) {
      for (const [name, , about, reason] of packages.choices) {
        const toggle = byId(`with-${name}`);
        if (!toggle) continue;
        const isOff = reason && !state.with.includes(name);
        toggle.title = reason || about;
        fill(toggle, name, isOff ? el("span", { class: "hidden" }, `, not available: ${reason}`) : null);
        if (isOff) toggle.setAttribute("aria-disabled", "true");
        else toggle.removeAttribute("aria-disabled");
      }
    }
    if (torch) {
      this.#options("torch", torch.choices.map(([value, title, about]) => [value, value === "other" ? title : `${title} (${about})`.replace(/, below [\d.]+/, "")]), state.torch);
      this.#showTorchRange();
    }
    const about = (question, key) => question?.choices.find(([value]) => value === (state[key] && state[key] !== "auto" ? state[key] : question.default));
    const shown = (found) => (found ? `${found[1]}: ${found[2] || found[3]}`.replaceAll("`", "") : "");
    byId("layout-about").textContent = shown(about(layout, "layout"));
    byId("default-about").textContent = shown(about(standard, "default"));
    if (standard) this.#options("default", [["", "what fits best"], ...standard.choices.map(([value, title, , reason]) => [value, title, "", reason])], state.default);
  }

  #showTorchRange() {
    const listed = [...byId("torch").options].some(({ value }) => value === this.#state.torch && value !== "other");
    byId("torch-range").hidden = listed;
    if (!listed) {
      byId("torch").value = "other";
      byId("torch-range").value = this.#state.torch;
    }
  }
}
