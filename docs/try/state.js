// What is selected, and the part of the address that says so.

const NAMES = { torch: "torch", python: "python", layout: "layout", default: "default", name: "name" };
const WORD = /^[a-z0-9][a-z0-9._-]{0,60}$/i;

/** Return a state in which nothing is selected. */
export function empty() {
  return { targets: [], with: [], torch: "", python: "", layout: "auto", default: "", pin: false, required: false, name: "" };
}

/** Read a state from the part of an address after `#`; null if it says nothing. */
export function read(hash) {
  const found = new URLSearchParams(hash.replace(/^#/, ""));
  if (!found.has("t")) return null;
  const state = empty();
  const words = (key) => [...new Set((found.get(key) ?? "").split(",").filter((word) => WORD.test(word)))].slice(0, 40);
  state.targets = words("t");
  state.with = words("with");
  for (const [key, name] of Object.entries(NAMES)) {
    const value = found.get(name);
    if (value !== null) state[key] = value.slice(0, 100);
  }
  if (!["auto", "markers", "extras", "groups"].includes(state.layout)) state.layout = "auto";
  state.pin = found.get("pin") === "1";
  state.required = found.get("required") === "1";
  return state;
}

/** Write a state as the part of an address after `#`. */
export function write(state) {
  const start = empty();
  const parts = [`t=${state.targets.join(",")}`];
  if (state.with.length) parts.push(`with=${state.with.join(",")}`);
  for (const [key, name] of Object.entries(NAMES)) {
    if (state[key] !== start[key]) parts.push(`${name}=${encodeURIComponent(state[key])}`);
  }
  for (const key of ["pin", "required"]) if (state[key]) parts.push(`${key}=1`);
  return `#${parts.join("&")}`;
}

/** Return the key of a state among the answers that the build has rendered; null if it has options. */
export function commonKey(state) {
  const plain = { ...empty(), targets: state.targets, with: state.with };
  return write(plain) === write(state) ? `${state.targets.join(",")}|${state.with.join(",")}` : null;
}

/** Return the short name of the platform that this page runs on; null if it is none of them. */
export function thisPlatform() {
  const said = `${navigator.userAgentData?.platform ?? ""} ${navigator.platform ?? ""} ${navigator.userAgent}`;
  if (/android|iphone|ipad/i.test(said)) return null;
  if (/win/i.test(said) && !/darwin/i.test(said)) return "windows";
  if (/mac/i.test(said)) return "macos";
  if (/linux/i.test(said)) return /aarch64|arm64/i.test(said) ? "linux-aarch64" : "linux";
  return null;
}

/** Return what is selected at first: this machine with the build that most have. */
export function first(platform = thisPlatform()) {
  const own = platform?.startsWith("macos") ? `${platform}-cpu` : platform ? `${platform}-cuda` : "linux-cuda";
  return { ...empty(), targets: [own] };
}
