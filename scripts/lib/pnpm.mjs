import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./root.mjs";

/**
 * How to call pnpm here: the one on PATH when its major version is the pinned one (inside a pnpm script that is the
 * running pnpm itself), else the pinned version through npx. `--yes`, because npm may be configured not to ask.
 *
 * @returns {{ command: string, args: string[], version: string }}
 */
export function findPnpm() {
  const manifest = /** @type {{ packageManager?: string }} */ (
    JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"))
  );
  const pinned = pinnedVersion(manifest);
  const onPath = spawnSync("pnpm", ["--version"], { encoding: "utf8", cwd: ROOT });
  const found = onPath.status === 0 ? onPath.stdout.trim() : undefined;
  if (found !== undefined && isSameMajor(found, pinned)) return { command: "pnpm", args: [], version: found };
  return { command: "npx", args: ["--yes", `pnpm@${pinned}`], version: pinned };
}

/**
 * @param {{ packageManager?: string }} manifest the root package.json
 * @returns {string}
 */
export function pinnedVersion(manifest) {
  const version = /^pnpm@(\d+\.\d+\.\d+)/.exec(manifest.packageManager ?? "")?.[1];
  if (version === undefined) {
    throw new Error(
      `package.json: packageManager is ${JSON.stringify(manifest.packageManager)}, expected pnpm@<version>`,
    );
  }
  return version;
}

/**
 * @param {string} a
 * @param {string} b
 */
export function isSameMajor(a, b) {
  return a.split(".")[0] === b.split(".")[0];
}
