// Elements from values. Text is only ever text: nothing in this page makes HTML of a string, and the
// page's Content-Security-Policy (Trusted Types) would refuse it.

/**
 * Make an element.
 *
 * Properties that begin with `on` are listeners, others are attributes; `true` is an attribute
 * without value, and `false` or `undefined` none. Children are elements or texts.
 */
export function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== undefined && value !== null) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

export const byId = (id) => document.getElementById(id);

/** Replace what an element holds. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
}

/** Say something to a screen reader. */
export function say(text) {
  byId("said").textContent = text;
}

/** Split a text at its backticks: what stands between two is code. */
export function prose(text) {
  return text.split("`").map((part, number) => (number % 2 ? el("code", {}, part) : part));
}

/** Return a button that copies what a function returns. */
export function copyButton(label, text, name = label) {
  const button = el("button", { type: "button", "aria-label": name }, label);
  button.addEventListener("click", async () => {
    const done = await copied(text());
    button.textContent = done ? "Copied" : "Press Ctrl+C";
    say(done ? `${name}: copied` : "The browser does not let this page copy");
    setTimeout(() => { button.textContent = label; }, 1500);
  });
  return button;
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** Offer a text as a file. */
export function download(text, name) {
  const url = URL.createObjectURL(new Blob([text], { type: "application/octet-stream" }));
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Show an error of torchconf: what, where, and what to do next. */
export function errorBox({ message, at, help }) {
  return el(
    "div",
    { class: "error" },
    el("p", {}, el("strong", {}, "error: "), prose(message)),
    at ? el("p", {}, "at: ", el("code", {}, at)) : null,
    help ? el("p", {}, "help: ", prose(help)) : null,
  );
}
