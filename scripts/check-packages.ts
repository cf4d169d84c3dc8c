// What goes to the registry can be imported as it says: publint and are-the-types-wrong look at the packed tarballs. And it
// can be read there: no link of a README leads to a file that is not in the registry.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deadLinks } from "./lib/npm-readme.ts";
import { build, pack, readmeIn } from "./lib/pack.ts";
import { publishedDoors, publishedPackages, type WorkspacePackage } from "./lib/packages.ts";
import { report } from "./lib/report.ts";
import { ROOT } from "./lib/root.mjs";

build();
const folder = mkdtempSync(join(tmpdir(), "rb-pack-"));
try {
  const packages = publishedPackages(ROOT);
  report(
    packages.map(({ manifest }) => manifest.name).join(", "),
    packages.flatMap((published) => {
      const tarball = pack(published, folder);
      return [
        ...deadLinks(readmeIn(tarball)).map((link) => `${published.manifest.name}: README.md: ${link} leads nowhere`),
        ...problems(published.manifest.name, "publint", ["--strict", tarball]),
        ...problems(published.manifest.name, "attw", ["--profile", "strict", tarball, ...entrypoints(published)]),
      ];
    }),
  );
} finally {
  rmSync(folder, { recursive: true });
}

/** It does not look behind a "*" by itself. */
function entrypoints(published: WorkspacePackage): string[] {
  const doors = publishedDoors(published);
  return doors.length === 0 ? [] : ["--entrypoints", ...doors];
}

function problems(name: string, tool: string, args: readonly string[]): string[] {
  const { status, stdout, stderr, error } = spawnSync(tool, args, { cwd: ROOT, encoding: "utf8" });
  return status === 0 ? [] : [`${name}: ${tool} found:\n${error?.message ?? ""}${stdout}${stderr}`];
}
