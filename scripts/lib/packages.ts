import { readFileSync } from "node:fs";
import { join } from "node:path";
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

/** The doors that the registry's copy of a package has: `"."`, `"./keda"`. */
export function publishedDoors({ exports, publishConfig }: Manifest): readonly string[] {
  return Object.keys(publishConfig?.exports ?? exports ?? {}).filter((door) => door !== "./package.json");
}

/** The package.json in a folder. */
export function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
}
