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

/** The bill of materials without the address of the registry that this machine uses: the public one has the same files. */
export function publicSbom(sbom: string): string {
  return sbom.replaceAll(
    /"https?:\/\/[^"\s]*?\/((?:@[^"/]+\/)?[^"/]+\/-\/[^"/]+\.tgz)"/g,
    '"https://registry.npmjs.org/$1"',
  );
}
