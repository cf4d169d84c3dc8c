// Writes the files that are made from others; with --check only says whether they are up to date.

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { includeFiles } from "./lib/included-files.ts";
import { encodeLuaModule } from "./lib/lua-module.ts";
import { ROOT } from "./lib/root.mjs";
import { decodeServers, fillServerTable, SERVER_GUIDE, SERVER_RESULTS } from "./lib/server-publication.ts";
import { fillSupportTable, SUPPORT_GUIDE } from "./lib/supported.ts";

const { values: options } = parseArgs({ options: { check: { type: "boolean", default: false } } });

const luaFolder = join(ROOT, "packages/core/src/lua");
const target = join(luaFolder, "scripts.generated.ts");

if (existsSync(luaFolder)) {
  const sources = readdirSync(luaFolder)
    .filter((file) => file.endsWith(".lua"))
    .map((file) => ({ file, text: readFileSync(join(luaFolder, file), "utf8") }));
  bringUpToDate(target, format(target, encodeLuaModule(sources)));
}

// The version, as text: who bundles the packages has no package.json beside them.
const core = join(ROOT, "packages/core");
const { version } = JSON.parse(readFileSync(join(core, "package.json"), "utf8")) as { readonly version: string };
bringUpToDate(
  join(core, "src/version.generated.ts"),
  `// The version that all packages share. Written by \`pnpm generate\` from package.json.\nexport const VERSION = "${version}";\n`,
);

// The scaler's published results, made again only when their sources have changed.
const publish = join(ROOT, "docs/scaling/publish.ts");
const published = spawnSync(
  process.execPath,
  ["--conditions=@redis-batch/source", publish, ...(options.check ? ["--check"] : [])],
  { cwd: ROOT, stdio: "inherit" },
);
if (published.status !== 0) process.exitCode = 1;

// The reports of the public API, which have a check of their own.
if (!options.check) {
  const api = spawnSync(process.execPath, [join(ROOT, "scripts/api.ts")], { cwd: ROOT, stdio: "inherit" });
  if (api.status !== 0) process.exitCode = 1;
}

// The page of the published benchmarks, made of their results; runs none of them.
const page = spawnSync(
  process.execPath,
  ["--conditions=@redis-batch/source", join(ROOT, "benchmarks/src/publish.ts"), ...(options.check ? ["--check"] : [])],
  { cwd: ROOT, stdio: "inherit" },
);
if (page.status !== 0) process.exitCode = 1;

// The reference of the command line, which it prints itself.
const reference = spawnSync(
  process.execPath,
  ["--conditions=@redis-batch/source", "--disable-warning=ExperimentalWarning", "packages/cli/src/bin.ts", "reference"],
  { cwd: ROOT, encoding: "utf8" },
);
if (reference.status !== 0) throw new Error(`the reference of the command line: ${reference.stderr}`);
bringUpToDate(join(ROOT, "docs/cli.md"), reference.stdout);

// The tables of the options, made from their specs.
const tables = spawnSync(
  process.execPath,
  ["--conditions=@redis-batch/source", join(ROOT, "scripts/option-tables.ts")],
  {
    cwd: ROOT,
    encoding: "utf8",
  },
);
if (tables.status !== 0) throw new Error(`the tables of options: ${tables.stderr}`);
for (const [path, content] of Object.entries(JSON.parse(tables.stdout) as Record<string, string>)) {
  bringUpToDate(join(ROOT, path), content);
}

// The servers that the tests were run on, made of the published results; runs none of them.
const serverGuide = join(ROOT, SERVER_GUIDE);
bringUpToDate(
  serverGuide,
  fillServerTable(readFileSync(serverGuide, "utf8"), decodeServers(readFileSync(join(ROOT, SERVER_RESULTS), "utf8"))),
);

// The versions on which the packed packages are tried.
const supportGuide = join(ROOT, SUPPORT_GUIDE);
bringUpToDate(supportGuide, fillSupportTable(readFileSync(supportGuide, "utf8")));

// Guides that show files as they are.
const guide = join(ROOT, "docs/kubernetes.md");
bringUpToDate(
  guide,
  includeFiles(readFileSync(guide, "utf8"), (path) => readFileSync(join(ROOT, path), "utf8")),
);

function bringUpToDate(path: string, content: string): void {
  const name = relative(ROOT, path);
  if (existsSync(path) && readFileSync(path, "utf8") === content) {
    console.log(`${name} is up to date`);
  } else if (options.check) {
    console.error(`${name} is out of date: run \`pnpm generate\``);
    process.exitCode = 1;
  } else {
    writeFileSync(path, content);
    console.log(`${name} written`);
  }
}

function format(path: string, content: string): string {
  const biome = spawnSync("biome", ["format", `--stdin-file-path=${path}`], {
    cwd: ROOT,
    input: content,
    encoding: "utf8",
  });
  if (biome.status !== 0) throw new Error(`biome could not format ${path}: ${biome.error?.message ?? biome.stderr}`);
  return biome.stdout;
}
