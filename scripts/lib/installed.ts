import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** The part that is used here of what npm notes of an installation. */
export interface InstallationLock {
  /** By their folders: `node_modules/ioredis`. */
  readonly packages: Readonly<
    Record<string, { readonly dev?: boolean; readonly dependencies?: Readonly<Record<string, string>> }>
  >;
}

export interface Installation {
  /** What there is for production but what ioredis stands on, in order. */
  readonly names: readonly string[];
  /** All there is for production. */
  readonly packages: number;
  readonly megabytes: number;
}

/** What npm has put into a folder. */
export function readInstallation(folder: string): Installation {
  const home = join(folder, "node_modules");
  const lock = JSON.parse(readFileSync(join(home, ".package-lock.json"), "utf8")) as InstallationLock;
  const folders = Object.entries(lock.packages).flatMap(([path, { dev }]) => (dev === true ? [] : [path]));
  const bytes = folders.map((path) => bytesIn(join(folder, path))).reduce((sum, some) => sum + some, 0);
  return { names: namesBeside(lock, "ioredis"), packages: folders.length, megabytes: bytes / 1_000_000 };
}

/** The names of what is installed for production, without what only `known` stands on; itself is among them. */
export function namesBeside({ packages }: InstallationLock, known: string): readonly string[] {
  const below = new Set<string>();
  const open = [known];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const wanted = Object.keys(packages[`node_modules/${name}`]?.dependencies ?? {}).filter((one) => !below.has(one));
    for (const one of wanted) below.add(one);
    open.push(...wanted);
  }
  return Object.entries(packages)
    .flatMap(([path, { dev }]) => (dev === true ? [] : [path.replace(/^.*node_modules\//, "")]))
    .filter((name) => !below.has(name))
    .toSorted();
}

function bytesIn(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.slice(folder.length).includes("node_modules"))
    .map((entry) => statSync(join(entry.parentPath, entry.name)).size)
    .reduce((sum, size) => sum + size, 0);
}
