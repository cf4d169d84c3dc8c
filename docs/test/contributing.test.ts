import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { codeWords, tableBelow } from "./markdown.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), "utf8");

const SOURCES = "packages/consumer/src";
const files = readdirSync(join(root, SOURCES), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
  .toSorted();

const contributing = read("CONTRIBUTING.md");
const section = contributing.split(/^## /m).find((part) => part.startsWith("Inside the consumer\n")) ?? "";
const rows = [...section.matchAll(/^\| `([\w/.-]+\.ts)` \|(.*)\|(.*)\|(.*)\|$/gm)].map(
  ([, file = "", about = "", sends = "", reports = ""]) => ({ file, about, sends, reports }),
);

const EVENTS = new Set(tableBelow(read("docs/events.md"), "Consumer").map(([event = ""]) => codeWords(event)[0]));

/** The methods of the port that a file calls. */
function commandsIn(source: string): string[] {
  const calls = [...source.matchAll(/\bclient\s*\.(\w+)\(/g)].map(([, name = ""]) => name);
  return [...new Set(calls)].filter((name) => name !== "connect" && name !== "close").toSorted();
}

/** The events that a file reports. */
function eventsIn(file: string, source: string): string[] {
  // Here they are only declared.
  if (file === "events.ts") return [];
  const types = [...source.matchAll(/\btype: "(\w+)"/g)].map(([, name = ""]) => name);
  return [...new Set(types)].filter((name) => EVENTS.has(name)).toSorted();
}

describe("the map of the consumer in CONTRIBUTING.md", () => {
  it("has one line for each file, and no other", () => {
    expect(rows.map(({ file }) => file).toSorted()).toEqual(files);
    expect(rows.filter(({ about }) => about.trim() === "")).toEqual([]);
  });

  it("says what each file sends and reports", () => {
    const written = rows.map(({ file, sends, reports }) => ({
      file,
      sends: codeWords(sends).toSorted(),
      reports: codeWords(reports).toSorted(),
    }));
    const found = rows
      .filter(({ file }) => files.includes(file))
      .map(({ file }) => ({ file, source: read(join(SOURCES, file)) }))
      .map(({ file, source }) => ({ file, sends: commandsIn(source), reports: eventsIn(file, source) }));
    expect(written).toEqual(found);
    // It would find nothing if the code were written in another way.
    expect(found.flatMap(({ reports }) => reports).length).toBeGreaterThan(30);
    expect(found.flatMap(({ sends }) => sends).length).toBeGreaterThan(30);
  });
});

describe("CONTRIBUTING.md", () => {
  it("names only files that are there", () => {
    const paths = [
      ...[...section.matchAll(/\b(?:receiving|scheduling|settling|liveness)\/[\w-]+/g)].map(
        ([file]) => `${SOURCES}/${file}.ts`,
      ),
      ...[...section.matchAll(/`((?:redis|wire)\/[\w/-]+\.ts)`/g)].map(([, file = ""]) => `packages/core/src/${file}`),
      ...codeWords(contributing.replaceAll(/```[^]*?```/g, "")).filter((word) =>
        /^(?:apps|benchmarks|chaos|docs|packages|scripts)\/[\w./-]+$/.test(word),
      ),
    ];
    expect(paths.length).toBeGreaterThan(50);
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});
