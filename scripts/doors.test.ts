// The doors of core for its sibling packages are narrow: each name is behind one of them, and somebody uses it.
import { globSync, readdirSync, readFileSync } from "node:fs";
import { join, parse } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "./lib/root.mjs";

const CORE = join(ROOT, "packages/core/src");
const DOORS = readdirSync(join(CORE, "internal")).map((file) => parse(file).name);

/** The names that a file exports from others, as it calls them. */
function exportedBy(path: string): string[] {
  const lists = readFileSync(path, "utf8").matchAll(/export (?:type )?\{([^}]*)\} from/g);
  return [...lists].flatMap(([, list = ""]) => namesIn(list)).map((name) => name.replace(/^.* as /, ""));
}

/** The names that the siblings, or their tests, import through a door. */
function importedThrough(door: string): ReadonlySet<string> {
  const at = `"@redis-batch/core/internal/${door}"`;
  const files = globSync("packages/*/{src,test}/**/*.ts", { cwd: ROOT });
  const lists = files
    .map((file) => readFileSync(join(ROOT, file), "utf8"))
    .flatMap((text) => [
      ...text.matchAll(new RegExp(`(?:import|export) (?:type )?\\{([^}]*)\\} from ${at}`, "g")),
      ...text.matchAll(new RegExp(`\\{([^}]*)\\} = await import\\(${at}\\)`, "g")),
    ]);
  return new Set(lists.flatMap(([, list = ""]) => namesIn(list)).map((name) => name.replace(/ as .*$/, "")));
}

function namesIn(list: string): string[] {
  const names = list.split(",").map((name) => name.trim().replace(/^type /, ""));
  return names.filter((name) => name !== "");
}

describe.each(DOORS)("the door internal/%s", (door) => {
  const names = exportedBy(join(CORE, "internal", `${door}.ts`));

  it("has nothing that no sibling uses", () => {
    expect(names).not.toEqual([]);
    const used = importedThrough(door);
    expect(names.filter((name) => !used.has(name))).toEqual([]);
  });

  it("has nothing that another door has, or the public one", () => {
    const others = DOORS.filter((other) => other !== door).map((other) => join(CORE, "internal", `${other}.ts`));
    const elsewhere = new Set([...others, join(CORE, "index.ts"), join(CORE, "web.ts")].flatMap(exportedBy));
    expect(names.filter((name) => elsewhere.has(name))).toEqual([]);
  });
});
