// Packs what the page's worker loads: Python's standard library as far as torchconf needs it, and
// torchconf, both compiled. It runs Pyodide itself, since only the same Python writes .pyc files
// that it can read.
//
//   node pack_engine.mjs NODE_MODULES REPOSITORY SITE_PACKAGES OUTPUT
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, repository, sitePackages, output] = process.argv.slice(2);
const from = join(modules, "pyodide");
const { loadPyodide } = await import(pathToFileURL(join(from, "pyodide.mjs")).href);
await mkdir(output, { recursive: true });

const python = await loadPyodide({ indexURL: `${from}/` });
for (const [path, root] of [["/repository", repository], ["/packages", sitePackages], ["/output", output]]) {
  python.FS.mkdirTree(path);
  python.FS.mount(python.FS.filesystems.NODEFS, { root }, path);
}
python.runPython(await readFile(join(repository, "docs/tools/pack_engine.py"), "utf-8"), {
  filename: "pack_engine.py",
});

for (const name of ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm"]) {
  await copyFile(join(from, name), join(output, name));
}
// No package of Pyodide's is ever loaded: its list of packages is empty here.
const lock = JSON.parse(await readFile(join(from, "pyodide-lock.json"), "utf-8"));
await writeFile(join(output, "pyodide-lock.json"), JSON.stringify({ info: lock.info, packages: {} }));

// What was left out is missed here, and not by a visitor.
const files = await Promise.all(["torchconf.zip", "catalog.json"].map((name) => readFile(join(output, name))));
const trimmed = await loadPyodide({
  indexURL: `${output}/`,
  stdLibURL: join(output, "stdlib.zip"),
  env: { HOME: "/home", PYTHONPATH: "/torchconf.zip", TORCHCONF_CATALOG: "/catalog.json" },
  fsInit: async (disk) => {
    disk.writeFile("/torchconf.zip", files[0]);
    disk.writeFile("/catalog.json", files[1]);
  },
});
const engine = trimmed.pyimport("docs.engine");
const samples = JSON.parse(await readFile(join(repository, "docs/tools/engine_samples.json"), "utf-8"));
for (const [method, args] of samples) {
  const said = engine.call(method, JSON.stringify(args));
  if (said.includes("torchconf failed")) throw new Error(`${method} ${JSON.stringify(args)}: ${said}`);
}
