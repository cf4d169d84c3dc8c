// Builds the documentation site into docs/dist, and looks at what was built:
//
//   npm run docs             builds and checks it
//   npm run docs -- --open   and serves it on this machine until Ctrl-C
import { rmSync } from "node:fs";
import { join } from "node:path";
import { build, serve } from "vitepress";
import { machineTexts } from "../../scripts/lib/machine-texts.ts";
import { report } from "../../scripts/lib/report.ts";
import { ROOT } from "../../scripts/lib/root.mjs";
import { readSite, siteProblems } from "./inspect.ts";
import { writePages } from "./write-pages.ts";
import { writeReference } from "./write-reference.ts";

const site = join(ROOT, "docs/site");
const pages = join(ROOT, "docs/.cache/site");
const built = join(ROOT, "docs/dist");

rmSync(pages, { recursive: true, force: true });
writePages(ROOT, pages);
await writeReference(ROOT, pages);
await build(site);
const files = readSite(built);
report(`${files.size} files of the site`, siteProblems(files, machineTexts(), process.env["REDIS_BATCH_DOCS_BASE"]));

if (process.argv.includes("--open") && process.exitCode === undefined) await serve({ root: site, port: 4173 });
