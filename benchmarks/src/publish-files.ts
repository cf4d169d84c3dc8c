/** Keeps the published run under docs/. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { decodePublication, encodePublication, type Publication, renderPublication } from "./publication.ts";
import { SCENARIOS } from "./scenarios/index.ts";

const DOCS = fileURLToPath(new URL("../../docs/", import.meta.url));
const RESULTS = join(DOCS, "benchmarks/results.ndjson");

/** Replaces what is published by this run. */
export function publish(publication: Publication): void {
  mkdirSync(dirname(RESULTS), { recursive: true });
  writeFileSync(RESULTS, encodePublication(publication));
  for (const [name, content] of outOfDate()) writeDocument(name, content);
}

/** Writes a file under docs/. */
export function writeDocument(name: string, content: string): void {
  writeFileSync(join(DOCS, name), content);
}

/** The files that are not what the published results make of them, with what they should be. */
export function outOfDate(): readonly (readonly [name: string, content: string])[] {
  const publication = decodePublication(readFileSync(RESULTS, "utf8"));
  return [...renderPublication(publication, SCENARIOS)].filter(([name, content]) => {
    const path = join(DOCS, name);
    return !existsSync(path) || readFileSync(path, "utf8") !== content;
  });
}
