import { execFile } from "node:child_process";
import { delimiter } from "node:path";
import { promisify } from "node:util";
import { findExecutable } from "../servers/executable.ts";

const run = promisify(execFile);

/**
 * A Node program of one major version: our own when it is that, else one on the PATH.
 *
 * @throws {Error} when there is none.
 */
export async function findNode(major: number): Promise<string> {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath;
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = findExecutable("node", folder);
    if (path === undefined) continue;
    const { stdout } = await run(path, ["--version"]);
    if (stdout.startsWith(`v${major}.`)) return path;
  }
  throw new Error(`there is no Node ${major} on the PATH`);
}
