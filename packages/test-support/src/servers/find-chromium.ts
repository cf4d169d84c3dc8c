import { fileURLToPath } from "node:url";
import { whyNoDebian } from "./debian-cache.ts";
import { findExecutable, isExecutable } from "./executable.ts";
import { runFetchScript } from "./fetch-script.ts";

const LOCK = fileURLToPath(new URL("../../../../.cache/chromium.lock", import.meta.url));
const NAMES = ["chromium", "chromium-browser", "google-chrome"] as const;

/** A browser, or why there is none: tests that need it are skipped with that reason. */
export type FoundChromium = { readonly path: string } | { readonly skipReason: string };

/**
 * Finds a browser: `REDIS_BATCH_CHROMIUM` (its path), the PATH, and last Debian's package, which root can install (about a
 * minute, some 300 MB).
 *
 * @throws {Error} when `REDIS_BATCH_CHROMIUM` names no program.
 */
export async function findChromium(env: NodeJS.ProcessEnv = process.env): Promise<FoundChromium> {
  const named = env["REDIS_BATCH_CHROMIUM"];
  if (named) {
    if (!isExecutable(named)) throw new Error(`REDIS_BATCH_CHROMIUM names ${named}, which is not an executable file`);
    return { path: named };
  }
  const there = onPath(env);
  if (there !== undefined) return { path: there };
  const noDebian = process.getuid?.() === 0 ? whyNoDebian(env["PATH"]) : "only root can install it";
  if (noDebian !== undefined) return { skipReason: `no chromium on the PATH, and Debian's cannot be had: ${noDebian}` };
  try {
    await runFetchScript("chromium", "install-chromium.sh", [LOCK], env);
  } catch (error) {
    return { skipReason: String(error) };
  }
  const installed = onPath(env);
  return installed === undefined
    ? { skipReason: "chromium was installed, and is not on the PATH" }
    : { path: installed };
}

function onPath(env: NodeJS.ProcessEnv): string | undefined {
  return NAMES.map((name) => findExecutable(name, env["PATH"])).find((path) => path !== undefined);
}
