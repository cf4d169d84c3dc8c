import { readdirSync, readFileSync } from "node:fs";
import { join, parse } from "node:path";
import { packageFolders } from "./package-folders.mjs";

/** What our scripts read of a package.json. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly license?: string;
  readonly exports?: Readonly<Record<string, unknown>>;
  /** What the registry's copy has in the place of ours. */
  readonly publishConfig?: { readonly exports?: Readonly<Record<string, unknown>> };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export interface WorkspacePackage {
  /** Absolute. */
  readonly folder: string;
  readonly manifest: Manifest;
}

/** Every package of the workspace, the root first. */
export function workspacePackages(root: string): readonly WorkspacePackage[] {
  return packageFolders(root).map((name) => {
    const folder = join(root, name);
    return { folder, manifest: readManifest(folder) };
  });
}

/** Those that go to the registry. */
export function publishedPackages(root: string): readonly WorkspacePackage[] {
  return workspacePackages(root).filter(({ manifest }) => manifest.private !== true);
}

/** The doors that the registry's copy of a package has: ".", "./keda", and one for each file where it has a "*". */
export function publishedDoors({ folder, manifest: { exports, publishConfig } }: WorkspacePackage): readonly string[] {
  const doors = Object.keys(publishConfig?.exports ?? exports ?? {}).filter((door) => door !== "./package.json");
  return doors.flatMap((door) => {
    if (!door.endsWith("/*")) return [door];
    const files = readdirSync(join(folder, "src", door.slice(0, -1)));
    return files.map((file) => door.replace("*", parse(file).name));
  });
}

/** The package.json in a folder. */
export function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
}
