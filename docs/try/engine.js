// Asks the worker, and gives it up if it does not answer.

const START = 60_000;
const ANSWER = 20_000;

let policy = { createScriptURL: (url) => url };
if (globalThis.trustedTypes) policy = globalThis.trustedTypes.createPolicy("page", policy);

/** What the page says where no Python can run. */
export const REFUSED =
  "Python cannot run in this browser: it does not allow WebAssembly, or the files could not be loaded. " +
  "The answers that are shown are right; for others, run `uvx torchconf init`.";

export class Engine {
  #worker;
  #waiting = new Map();
  #next = 0;
  #onChange;
  #settle;

  /** @param onChange Is told {progress, of}, {ready} or {failed}. */
  constructor(onChange) {
    this.#onChange = onChange;
    this.isReady = false;
    this.hasFailed = false;
    /** Is kept once Python is loaded, or cannot be. */
    this.settled = new Promise((resolve) => { this.#settle = resolve; });
  }

  /** Load Python; nothing happens if it is loaded or being loaded. */
  start() {
    if (this.#worker) return;
    this.isReady = false;
    this.#worker = new Worker(policy.createScriptURL(new URL("./worker.js", import.meta.url).href), { type: "module" });
    this.#worker.addEventListener("message", ({ data }) => this.#take(data));
    this.#worker.addEventListener("error", (event) => this.#fail(event.message || "the worker could not be loaded"));
    // Where WebAssembly is refused, some browsers say nothing at all.
    this.limit = setTimeout(() => this.#fail("it took too long"), START);
  }

  #take(data) {
    if ("id" in data) {
      const waiting = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if (waiting) {
        clearTimeout(waiting.limit);
        waiting.resolve(JSON.parse(data.text));
      }
      return;
    }
    if (data.failed) {
      this.#fail(data.failed);
      return;
    }
    if (data.ready) {
      clearTimeout(this.limit);
      this.isReady = true;
      this.#settle();
      for (const waiting of this.#waiting.values()) this.#limit(waiting);
    }
    this.#onChange(data);
  }

  #fail(reason) {
    clearTimeout(this.limit);
    this.hasFailed = true;
    this.#settle();
    this.#stop({ message: REFUSED, help: null });
    this.#onChange({ failed: reason });
  }

  #stop(error) {
    this.#worker?.terminate();
    this.#worker = null;
    this.isReady = false;
    for (const { resolve, limit } of this.#waiting.values()) {
      clearTimeout(limit);
      resolve({ error });
    }
    this.#waiting.clear();
  }

  /**
   * Ask one question of docs/engine. It is answered once Python is loaded.
   *
   * @returns What the method returns, or {error: {message, at, help}}. It never rejects.
   */
  ask(method, args) {
    if (this.hasFailed) return Promise.resolve({ error: { message: REFUSED, help: null } });
    this.start();
    const id = this.#next++;
    return new Promise((resolve) => {
      const waiting = { resolve };
      this.#waiting.set(id, waiting);
      if (this.isReady) this.#limit(waiting);
      this.#worker.postMessage({ id, method, args });
    });
  }

  #limit(waiting) {
    waiting.limit = setTimeout(() => {
      this.#stop({ message: "no answer in 20 seconds", help: "the file may be too large for this page; use `torchconf` on the command line" });
      this.start();
    }, ANSWER);
  }
}
