/**
 * Makes JavaScript of what runs in processes of its own, as users' bundles and our packages are: TypeScript sources would
 * cost start-up time and memory that nobody else has.
 */
import { existsSync, globSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "tsup";

const FOLDER = new URL("../", import.meta.url);
const CLI = "../packages/cli/src/bin.ts";

/** Where a contender is once it is built. */
export function contenderScript(name: string): URL {
  return new URL(`dist/contenders/${name}.js`, FOLDER);
}

/** Where the command line is once it is built. */
export const CLI_SCRIPT: string = fileURLToPath(new URL("dist/cli/bin.js", FOLDER));

/** Where the contender in Python is. */
export const ORIGINAL_SCRIPT: string = fileURLToPath(new URL("src/contenders/original.py", FOLDER));

/** Builds all contenders, and the command line if the checkout has it. */
export async function buildContenders(): Promise<void> {
  const contenders = globSync("src/contenders/*.ts", { cwd: FOLDER });
  await bundle(Object.fromEntries(contenders.map((file) => [basename(file, ".ts"), file])), "dist/contenders");
  if (existsSync(new URL(CLI, FOLDER))) await bundle({ bin: CLI }, "dist/cli");
}

async function bundle(entry: Readonly<Record<string, string>>, outDir: string): Promise<void> {
  // Paths as they are from anywhere.
  const absolute = (path: string): string => fileURLToPath(new URL(path, FOLDER));
  await build({
    config: false,
    entry: Object.fromEntries(Object.entries(entry).map(([name, path]) => [name, absolute(path)])),
    outDir: absolute(outDir),
    format: "esm",
    target: "node20.19",
    splitting: true,
    silent: true,
    noExternal: [/^@redis-batch\//],
    // What is not ours stays where it is installed.
    skipNodeModulesBundle: true,
    esbuildOptions: (options) => {
      options.conditions = ["@redis-batch/source"];
    },
  });
}
