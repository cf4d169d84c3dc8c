import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { whyNoDebian } from "./debian-cache.ts";
import { findExecutable, isExecutable } from "./executable.ts";
import { runFetchScript } from "./fetch-script.ts";

const CACHE_FOLDER = fileURLToPath(new URL("../../../../.cache/promtool/", import.meta.url));

/** Prometheus' own checker, or why there is none: tests that need it are skipped with that reason. */
export type FoundPromtool = { readonly path: string } | { readonly skipReason: string };

/**
 * Finds promtool: `REDIS_BATCH_PROMTOOL` (its path), the PATH, the checkout's cache, and last Debian's package, fetched
 * into that cache (some seconds, some 20 MB).
 *
 * @throws {Error} when `REDIS_BATCH_PROMTOOL` names no program.
 */
export async function findPromtool(env: NodeJS.ProcessEnv = process.env): Promise<FoundPromtool> {
  const named = env["REDIS_BATCH_PROMTOOL"];
  if (named) {
    if (!isExecutable(named)) throw new Error(`REDIS_BATCH_PROMTOOL names ${named}, which is not an executable file`);
    return { path: named };
  }
  const cached = join(CACHE_FOLDER, "promtool");
  const there = findExecutable("promtool", env["PATH"]) ?? (isExecutable(cached) ? cached : undefined);
  if (there !== undefined) return { path: there };
  const noDebian = whyNoDebian(env["PATH"]);
  if (noDebian !== undefined) return { skipReason: `no promtool on the PATH, and Debian's cannot be had: ${noDebian}` };
  try {
    await runFetchScript("promtool", "fetch-promtool.sh", [CACHE_FOLDER.replace(/\/$/, "")], env);
    return { path: cached };
  } catch (error) {
    return { skipReason: String(error) };
  }
}
