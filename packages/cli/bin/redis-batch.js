#!/usr/bin/env node
// Here rather than in dist/, so that package managers find it before the first build. Tells a Node that is too old that it
// is, in words such a Node knows: what dist/ would end in is an error about syntax.
import { readFileSync } from "node:fs";

const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
const manifest = /** @type {{ readonly engines: { readonly node: string } }} */ (JSON.parse(text));
const oldest = manifest.engines.node.replace(">=", "");

if (process.versions.node.localeCompare(oldest, "en", { numeric: true }) >= 0) {
  await import("../dist/bin.js");
} else {
  process.stderr.write(`error: redis-batch needs Node ${oldest} or newer; this is ${process.version}\n`);
  process.exitCode = 1;
}
