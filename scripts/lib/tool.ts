import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./root.mjs";
import { runIn } from "./run-in.ts";

/** A package from npm in a version of its own, kept in the checkout's cache → its folder. */
export async function installTool(name: string, version: string): Promise<string> {
  const home = join(ROOT, ".cache", `${name}-versions`, version);
  const installed = join(home, "node_modules", name);
  if (existsSync(join(installed, "package.json"))) return installed;
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, "package.json"), '{ "private": true }');
  const args = ["install", "--no-audit", "--no-fund", "--prefix", home, `${name}@${version}`];
  const { code, stdout, stderr } = await runIn(home, "npm", args);
  if (code !== 0) throw new Error(`npm ${args.join(" ")} failed:\n${stdout}${stderr}`);
  return installed;
}
