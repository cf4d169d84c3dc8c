import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { installTool } from "./tool.ts";

/** What runs JavaScript. */
export interface Runtime {
  /** `"Node 22"` */
  readonly name: string;
  /** The command line before the program. */
  readonly command: readonly [string, ...string[]];
}

/** @param version `"20.19"`, or `"22"` for the newest of its line */
export async function node(version: string): Promise<Runtime> {
  return { name: `Node ${version}`, command: [join(await installTool("node", version), "bin/node")] };
}

/** @throws {Error} when npm has none for this machine */
export async function bun(): Promise<Runtime> {
  return { name: "Bun", command: [await binaryOf("bun", "1", "@oven", "bin/bun")] };
}

/** @throws {Error} when npm has none for this machine */
export async function deno(): Promise<Runtime> {
  const binary = await binaryOf("deno", "2", "@deno", "deno");
  // What npm has installed, and nothing that Deno would fetch or write by itself.
  const settings = ["--node-modules-dir=manual", "--no-lock", "--no-remote", "--quiet", "--allow-all"];
  return { name: "Deno", command: [binary, "run", ...settings] };
}

/**
 * The binary of a runtime's package. It comes with a package for each platform, of which npm has chosen the right one. An
 * install script, which npm may have been told not to run, puts it into the place of what only says that it is missing.
 */
async function binaryOf(name: string, version: string, platforms: string, end: string): Promise<string> {
  const modules = dirname(await installTool(name, version));
  const places = [
    ...readdirSync(join(modules, platforms)).map((one) => join(platforms, one, end)),
    join(name, `${end}.exe`),
  ];
  const found = places.map((place) => join(modules, place)).find((file) => existsSync(file));
  if (found === undefined) throw new Error(`npm has no ${name} for ${process.platform} on ${process.arch}`);
  return found;
}
