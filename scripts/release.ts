// What is to be published, from a clean checkout whose versions `changeset version` has set:
//
//   npm run release               builds and packs every package, tries `npm publish --dry-run`, and writes the SBOM
//   npm run release -- --publish  publishes them; a version that the registry has already is left out
//
// Writes into dist/release: the tarballs, sbom.cdx.json, and sha256sums.txt.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { machineProblems } from "./lib/file-rules.ts";
import { machineTexts } from "./lib/machine-texts.ts";
import { build, pack } from "./lib/pack.ts";
import { publishedPackages } from "./lib/packages.ts";
import { findPnpm } from "./lib/pnpm.mjs";
import { publishTarball } from "./lib/publish-tarball.ts";
import { publicSbom, publishOrder } from "./lib/release-plan.ts";
import { ROOT } from "./lib/root.mjs";

const isReal = process.argv.includes("--publish");
const folder = join(ROOT, "dist/release");
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

build();
for (const published of publishOrder(publishedPackages(ROOT))) {
  const { name, version } = published.manifest;
  if (isReal && version === "0.0.0") throw new Error(`${name} has no version yet: run \`npx changeset version\``);
  const outcome = publishTarball(pack(published, folder), { isReal });
  console.log(
    `${outcome === "there" ? "is there already" : isReal ? "published" : "can be published"}: ${name} ${version}`,
  );
}

// Of what is published, and not of what tests and examples need.
const ours = publishedPackages(ROOT).map(({ manifest }) => `--filter=${manifest.name}`);
const pnpm = findPnpm();
const sbom = spawnSync(pnpm.command, [...pnpm.args, ...ours, "sbom", "--sbom-format", "cyclonedx", "--prod"], {
  cwd: ROOT,
  encoding: "utf8",
  maxBuffer: 64 * 1024 * 1024,
});
if (sbom.status !== 0) throw new Error(`the SBOM cannot be made:\n${sbom.stdout}${sbom.stderr}`);
const bill = publicSbom(sbom.stdout);
const named = machineProblems("sbom.cdx.json", bill, machineTexts());
if (named.length > 0) throw new Error(`the SBOM names this machine:\n${named.slice(0, 5).join("\n")}`);
writeFileSync(join(folder, "sbom.cdx.json"), bill);

const sums = readdirSync(folder)
  .toSorted()
  .map(
    (file) =>
      `${createHash("sha256")
        .update(readFileSync(join(folder, file)))
        .digest("hex")}  ${file}\n`,
  );
writeFileSync(join(folder, "sha256sums.txt"), sums.join(""));
console.log(`${sums.length} files in dist/release, with their sums in sha256sums.txt.`);
