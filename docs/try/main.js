// Starts the page: what the build has answered is shown at once, and Python is loaded behind it.
import { byId, el, fill } from "./dom.js";
import { Engine, REFUSED } from "./engine.js";
import { Playground } from "./playground.js";
import { Selector } from "./selector.js";

const STEPS = ["Loading Python", "Starting Python", "Loading torchconf", "Almost ready", "Ready"];
const CHECK = "#check";

const engine = new Engine(({ progress, ready, failed }) => {
  if (failed) {
    byId("engine").classList.add("failed");
    fill(byId("engine"), el("p", {}, REFUSED.replaceAll("`", "")));
    byId("engine").dataset.reason = failed;
  } else if (ready) {
    byId("engine").hidden = true;
    document.documentElement.dataset.engine = "ready";
  } else if (progress !== undefined) {
    byId("engine-progress").value = progress;
    byId("engine-text").textContent = STEPS[progress];
  }
});

const known = await (await fetch("answers.json")).json();
byId("version").textContent = known.version;
byId("as-of").textContent = known.as_of;

const tabs = ["select", "check"].map((name) => ({ tab: byId(`tab-${name}`), view: byId(`view-${name}`) }));
const playground = new Playground(engine);
const selector = new Selector(engine, known, (text) => {
  playground.open(text);
  show(1);
  byId("tab-check").focus();
});

function show(number) {
  tabs.forEach(({ tab, view }, index) => {
    tab.setAttribute("aria-selected", String(index === number));
    tab.tabIndex = index === number ? 0 : -1;
    view.hidden = index !== number;
  });
  if (number) playground.warm();
  const hash = number ? CHECK : selector.hash;
  if (location.hash !== hash) history.replaceState(null, "", hash);
}

tabs.forEach(({ tab }, number) => {
  tab.addEventListener("click", () => show(number));
  tab.addEventListener("keydown", ({ key }) => {
    if (key === "ArrowLeft" || key === "ArrowRight") {
      show(1 - number);
      tabs[1 - number].tab.focus();
    }
  });
});
addEventListener("hashchange", () => {
  if (location.hash === CHECK) show(1);
  else {
    selector.load(location.hash);
    show(0);
  }
});
if (location.hash === CHECK) show(1);
document.documentElement.dataset.page = "ready";
// After the first picture: to read a megabyte of JavaScript can wait so long.
requestAnimationFrame(() => setTimeout(() => engine.start()));
