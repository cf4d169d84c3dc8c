/** What a release consists of, and in which order. Pure. */
import type { WorkspacePackage } from "./packages.ts";

/** What others depend on first, so that no version on the registry ever needs one that is not there yet. */
export function publishOrder(packages: readonly WorkspacePackage[]): readonly WorkspacePackage[] {
  const ordered: WorkspacePackage[] = [];
  const add = (wanted: WorkspacePackage): void => {
    if (ordered.includes(wanted)) return;
    const needed = Object.keys({ ...wanted.manifest.dependencies, ...wanted.manifest.peerDependencies });
    for (const each of packages) {
      if (each !== wanted && needed.includes(each.manifest.name)) add(each);
    }
    ordered.push(wanted);
  };
  for (const each of packages) add(each);
  return ordered;
}

/** The bill of materials without the addresses that this machine got the packages from: which they are, `purl` says for any registry. */
export function publicSbom(sbom: string): string {
  const bill: unknown = JSON.parse(sbom, (key, value: unknown) =>
    key === "externalReferences" && Array.isArray(value) ? value.filter(isNoDownload) : value,
  );
  return `${JSON.stringify(bill, null, 2)}\n`;
}

const isNoDownload = (reference: { readonly type?: unknown }): boolean => reference.type !== "distribution";
