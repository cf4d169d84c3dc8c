// Every package of ours is GPL-3.0-only and says so, and what its users install with it may be combined with that.
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { readManifest, type WorkspacePackage, workspacePackages } from "./lib/packages.ts";
import { report } from "./lib/report.ts";
import { ROOT } from "./lib/root.mjs";
import { isSatisfiedBy } from "./lib/spdx.ts";

const OURS = "GPL-3.0-only";

// What the FSF lists as compatible with version 3 of the GPL.
const COMPATIBLE = new Set([
  ...["0BSD", "Apache-2.0", "BlueOak-1.0.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0"],
  ...["MPL-2.0", "PSF-2.0", "Python-2.0", "Unlicense", "Zlib"],
  ...["GPL-3.0-only", "GPL-3.0-or-later", "LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later"],
]);

// All but the root, the benchmarks and what only our own tests install.
const SHIPPED = /^(packages\/(?!test-support$)|apps\/)/;

// What is built into a package, and so is no dependency of it any more.
const BUILT_IN: Readonly<Record<string, readonly string[]>> = {
  "@redis-batch/dashboard": ["@preact/signals", "preact", "uplot"],
};

const packages = workspacePackages(ROOT);
const shipped = packages.filter(({ folder }) => SHIPPED.test(relative(ROOT, folder)));
const foreign = runtimeClosure(shipped);

report(`${packages.length} packages of ours and ${foreign.size} that come with them`, [
  ...packages.flatMap(problemsOfOurs),
  ...[...foreign].flatMap(([folder, wantedBy]) => problemsOfForeign(folder, wantedBy)),
]);

function problemsOfOurs({ folder, manifest }: WorkspacePackage): string[] {
  const problems: string[] = [];
  if (manifest.license !== OURS)
    problems.push(`${manifest.name}: license in package.json is ${manifest.license}, not ${OURS}`);
  const file = join(folder, "LICENSE");
  if (!existsSync(file)) problems.push(`${manifest.name}: has no LICENSE file`);
  else if (readFileSync(file, "utf8") !== readFileSync(join(ROOT, "LICENSE"), "utf8")) {
    problems.push(`${manifest.name}: its LICENSE file differs from the root's`);
  }
  return problems;
}

function problemsOfForeign(folder: string, wantedBy: string): string[] {
  const { name, version, license } = readManifest(folder);
  if (isSatisfiedBy(license ?? "", COMPATIBLE)) return [];
  return [
    `${name}@${version} (through ${wantedBy}): ${license ?? "no license"} is not on the list in ${relative(ROOT, import.meta.filename)}`,
  ];
}

/** The folders of everything that is installed with the packages, peers among it, and through which package. */
function runtimeClosure(roots: readonly WorkspacePackage[]): ReadonlyMap<string, string> {
  const closure = new Map<string, string>();
  const own = new Set(packages.map(({ folder }) => folder));
  const open = roots.map(({ folder }) => folder);
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    const { name, dependencies, optionalDependencies, peerDependencies } = readManifest(folder);
    const installed = { ...dependencies, ...optionalDependencies, ...peerDependencies };
    for (const wanted of [...Object.keys(installed), ...(BUILT_IN[name] ?? [])]) {
      const found = findInstalled(wanted, folder);
      // Optional ones are missing on other platforms; pnpm has already complained about required ones.
      if (found === undefined || own.has(found) || closure.has(found)) continue;
      closure.set(found, name);
      open.push(found);
    }
  }
  return closure;
}

function findInstalled(name: string, from: string): string | undefined {
  for (let folder = from; folder !== dirname(folder); folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", name);
    if (existsSync(candidate)) return realpathSync(candidate);
  }
  return undefined;
}
