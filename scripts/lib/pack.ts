import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { WorkspacePackage } from "./packages.ts";
import { findPnpm } from "./pnpm.mjs";
import { ROOT } from "./root.mjs";

/** Builds every package, as `pnpm build` does. What has not changed since the last build comes from turbo's cache. */
export function build(): void {
  pnpm(ROOT, "exec", "turbo", "run", "build", "--output-logs=errors-only");
}

/**
 * Packs a built package as it would go to the registry, and returns the tarball's path. By pnpm, because that is what
 * replaces `workspace:` and `catalog:` versions and swaps in `publishConfig`.
 */
export function pack({ folder, manifest }: WorkspacePackage, into: string): string {
  mkdirSync(into, { recursive: true });
  const tarball = join(into, `${manifest.name.replace("@", "").replace("/", "-")}-${manifest.version}.tgz`);
  pnpm(folder, "pack", "--out", tarball);
  return tarball;
}

function pnpm(cwd: string, ...args: string[]): void {
  const found = findPnpm();
  const { status, stdout, stderr } = spawnSync(found.command, [...found.args, ...args], { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`pnpm ${args.join(" ")} failed in ${cwd}:\n${stdout}${stderr}`);
}
