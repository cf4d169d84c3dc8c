import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { npmReadme } from "./npm-readme.ts";
import type { WorkspacePackage } from "./packages.ts";
import { findPnpm } from "./pnpm.mjs";
import { addressOf, originOf } from "./repository.ts";
import { ROOT } from "./root.mjs";

/** Builds every package, as `pnpm build` does. What has not changed since the last build comes from turbo's cache. */
export function build(): void {
  pnpm(ROOT, "exec", "turbo", "run", "build", "--output-logs=errors-only");
}

/**
 * Packs a built package as it goes to the registry, and returns the tarball's path. By pnpm, because that is what
 * replaces `workspace:` and `catalog:` versions and swaps in `publishConfig`. Then the README gets links that work there,
 * and package.json says where it comes from.
 */
export function pack({ folder, manifest }: WorkspacePackage, into: string): string {
  mkdirSync(into, { recursive: true });
  const tarball = join(into, `${manifest.name.replace("@", "").replace("/", "-")}-${manifest.version}.tgz`);
  pnpm(folder, "pack", "--out", tarball);
  const unpacked = mkdtempSync(join(into, "unpacked-"));
  try {
    run(into, "tar", "-xzf", tarball, "-C", unpacked);
    prepare(join(unpacked, "package"), relative(ROOT, folder));
    // The layout of npm's own tarballs: everything in a folder of that name.
    run(into, "tar", "-czf", tarball, "-C", unpacked, "package");
  } finally {
    rmSync(unpacked, { recursive: true });
  }
  return tarball;
}

/** The README of a tarball. */
export function readmeIn(tarball: string): string {
  return run(ROOT, "tar", "-xzOf", tarball, "package/README.md");
}

function prepare(unpacked: string, directory: string): void {
  const readme = join(unpacked, "README.md");
  writeFileSync(readme, npmReadme(readFileSync(readme, "utf8"), `${directory}/README.md`, addressOf));
  const file = join(unpacked, "package.json");
  const manifest = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
  writeFileSync(file, `${JSON.stringify({ ...manifest, ...originOf(directory) }, null, 2)}\n`);
}

function pnpm(cwd: string, ...args: string[]): void {
  const found = findPnpm();
  run(cwd, found.command, ...found.args, ...args);
}

function run(cwd: string, command: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status !== 0)
    throw new Error(`${command} ${args.join(" ")} failed in ${cwd}:\n${error?.message ?? ""}${stdout}${stderr}`);
  return stdout;
}
