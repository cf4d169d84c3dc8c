import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { codeWords, tableBelow } from "./markdown.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), "utf8");

const contributing = read("CONTRIBUTING.md");

interface Map {
  readonly name: string;
  readonly section: string;
  readonly sources: string;
  readonly events: ReadonlySet<string | undefined>;
  /** Fewer would mean that the code is written in a way that this test does not see. */
  readonly least: number;
}

const MAPS: readonly Map[] = [
  mapOf("consumer", ["Consumer", "Consumer: events of one stream"], 30),
  mapOf("monitor", ["Monitor"], 8),
];

function mapOf(name: string, eventTables: readonly string[], least: number): Map {
  const section = contributing.split(/^## /m).find((part) => part.startsWith(`Inside the ${name}\n`)) ?? "";
  const rows = eventTables.flatMap((title) => tableBelow(read("docs/events.md"), title));
  const events = rows.map(([event = ""]) => codeWords(event)[0]);
  return { name, section, sources: `packages/${name}/src`, events: new Set(events), least };
}

function sourcesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .toSorted();
}

function rowsOf(section: string): { file: string; about: string; sends: string; reports: string }[] {
  return [...section.matchAll(/^\| `([\w/.-]+\.ts)` \|(.*)\|(.*)\|(.*)\|$/gm)].map(
    ([, file = "", about = "", sends = "", reports = ""]) => ({ file, about, sends, reports }),
  );
}

// They send nothing of their own.
const NOT_SENT = ["connect", "close", "readerEpoch", "readTogether"];

/** The methods of the port that a file calls. */
function commandsIn(source: string): string[] {
  const calls = [...source.matchAll(/\bclient\s*\.(\w+)\(/g)].map(([, name = ""]) => name);
  return [...new Set(calls)].filter((name) => !NOT_SENT.includes(name)).toSorted();
}

/** The events that a file reports. */
function eventsIn(file: string, source: string, events: Map["events"]): string[] {
  // Here they are only declared.
  if (file === "events.ts") return [];
  const types = [...source.matchAll(/\btype: "(\w+)"/g)].map(([, name = ""]) => name);
  return [...new Set(types)].filter((name) => events.has(name)).toSorted();
}

describe.each(MAPS)("the map of the $name in CONTRIBUTING.md", ({ section, sources, events, least }) => {
  const files = sourcesIn(sources);
  const rows = rowsOf(section);

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
      .map(({ file }) => ({ file, source: read(join(sources, file)) }))
      .map(({ file, source }) => ({ file, sends: commandsIn(source), reports: eventsIn(file, source, events) }));
    expect(written).toEqual(found);
    // It would find nothing if the code were written in another way.
    expect(found.flatMap(({ reports }) => reports).length).toBeGreaterThan(least);
    expect(found.flatMap(({ sends }) => sends).length).toBeGreaterThan(least);
  });
});

describe("CONTRIBUTING.md", () => {
  it("names only files that are there", () => {
    const paths = [
      ...MAPS.flatMap(({ section, sources }) =>
        [...section.matchAll(/(?<!core: )\b(?:receiving|scheduling|settling|liveness|decisions)\/[\w-]+/g)].map(
          ([file]) => `${sources}/${file}.ts`,
        ),
      ),
      ...[...contributing.matchAll(/core: (\w+\/[\w-]+)/g)].map(([, file = ""]) => `packages/core/src/${file}.ts`),
      ...[...contributing.matchAll(/`((?:redis|wire)\/[\w/-]+\.ts)`/g)].map(
        ([, file = ""]) => `packages/core/src/${file}`,
      ),
      ...codeWords(contributing.replaceAll(/```[^]*?```/g, "")).filter((word) =>
        /^(?:apps|benchmarks|chaos|docs|packages|scripts)\/[\w./-]+$/.test(word),
      ),
    ];
    expect(paths.length).toBeGreaterThan(50);
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});
