// Python in a thread of its own: the page never waits for it.
//
// Every message is a question {id, method, args}, and has one answer {id, text}, the JSON that
// docs/engine returns. While it starts, the worker says how far it is: {progress, of}.
import { loadPyodide } from "./engine/pyodide.mjs";

const here = new URL("./engine/", import.meta.url).href;
const archive = "/torchconf.zip";
const catalog = "/catalog.json";

async function bytes(name) {
  const answer = await fetch(here + name);
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}

async function start() {
  // Where WebAssembly is refused, Pyodide waits for ever.
  new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));
  const step = (progress) => postMessage({ progress, of: 4 });
  step(0);
  // All files are asked for at once; the largest is fetched while the others are read.
  const files = Promise.all([bytes("torchconf.zip"), bytes("catalog.json")]);
  files.then(() => step(1), () => {});
  const python = await loadPyodide({
    indexURL: here,
    stdLibURL: `${here}stdlib.zip`,
    env: { HOME: "/home", PYTHONPATH: archive, TORCHCONF_CATALOG: catalog, PYTHONDONTWRITEBYTECODE: "1" },
    // Before Python starts, so that it finds the archive on its path.
    fsInit: async (disk) => {
      const [modules, facts] = await files;
      disk.writeFile(archive, modules);
      disk.writeFile(catalog, facts);
    },
  });
  step(2);
  const engine = python.pyimport("docs.engine");
  step(3);
  // The first question loads the planner; better now than at the first click.
  engine.call("answer", '{"state":{"targets":["linux-cuda","macos-cpu"]}}');
  step(4);
  return engine;
}

const started = start();
started.then(
  () => postMessage({ ready: true }),
  (error) => postMessage({ failed: String(error?.message ?? error) }),
);

addEventListener("message", async ({ data: { id, method, args } }) => {
  const engine = await started;
  postMessage({ id, text: engine.call(method, JSON.stringify(args)) });
});
