import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { OptionSpec, OptionSpecs } from "@redis-batch/core/internal/options";
import { describe, expect, it } from "vitest";
import { fillOptionTables } from "./lib/option-tables.ts";
import { ROOT } from "./lib/root.mjs";
import { SPECS } from "./lib/specs.ts";

const specs = Object.entries(SPECS).flatMap(([name, all]) =>
  Object.entries(all).map(([spec, options]) => ({ name, spec, options })),
);

describe.each(Object.keys(SPECS))("the README of %s", (name) => {
  const page = readFileSync(join(ROOT, "packages", name, "README.md"), "utf8");

  it("has the options as they are", () => {
    expect(page).toContain("<!-- options:");
    expect(fillOptionTables(page, SPECS)).toBe(page);
  });
});

describe.each(specs)("$spec of $name", ({ options }) => {
  const entries = Object.entries(options).flatMap(([name, spec]): [string, OptionSpec, OptionSpecs][] =>
    spec.kind === "options"
      ? Object.entries(spec.options).map(([inner, entry]) => [inner, entry, spec.options])
      : [[name, spec, options]],
  );

  it.each(entries)("%s makes sense", (name, spec, siblings) => {
    expect(oddities(name, spec, siblings)).toEqual([]);
  });
});

/** What is wrong with an entry by itself, and beside the entries before it. */
function oddities(name: string, spec: OptionSpec, siblings: OptionSpecs): readonly string[] {
  if (spec.kind === "redis") return [];
  const names = Object.keys(siblings);
  const earlier = names.slice(0, names.indexOf(name));
  const found = [/^\S.*[^.\s]$/.test(spec.about) ? "" : "about is not a phrase without a full stop"];
  if (spec.kind === "choice" && spec.default !== undefined && !spec.choices.includes(spec.default)) {
    found.push("the default is none of the choices");
  }
  if ("min" in spec) {
    const { min, max, notBelow, default: value } = spec;
    if (min >= max) found.push("min is not below max");
    if (typeof value === "number" && (value < min || value > max)) found.push("the default is out of range");
    if (typeof value === "object" && !earlier.includes(value.of)) found.push(`${value.of} does not come earlier`);
    if (notBelow !== undefined && !earlier.includes(notBelow)) found.push(`${notBelow} does not come earlier`);
  }
  return found.filter((problem) => problem !== "");
}
