import { execFile } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { parseServerIdentity, type ServerIdentity } from "./server-versions.ts";

const run = promisify(execFile);

/** Finds a program on a search path; `undefined` if it is missing. */
export function findExecutable(name: string, searchPath: string | undefined): string | undefined {
  for (const folder of (searchPath ?? "").split(delimiter)) {
    if (folder === "") continue;
    const path = join(folder, name);
    if (isExecutable(path)) return path;
  }
  return undefined;
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

const identified = new Map<string, Promise<ServerIdentity>>();

/**
 * Asks a server binary what it is, once per process and path.
 *
 * @throws {Error} when the program cannot run or is no Redis or Valkey server.
 */
export function identifyServer(path: string): Promise<ServerIdentity> {
  let identity = identified.get(path);
  if (identity === undefined) {
    identity = askVersion(path);
    identified.set(path, identity);
  }
  return identity;
}

async function askVersion(path: string): Promise<ServerIdentity> {
  const { stdout } = await run(path, ["--version"]);
  const identity = parseServerIdentity(stdout);
  if (identity === undefined) throw new Error(`${path} is not a Redis or Valkey server: ${stdout.trim()}`);
  return identity;
}
