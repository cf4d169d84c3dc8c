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
    if (spec.kind === "redis") return;
    expect(spec.about).toMatch(/^\S.*[^.\s]$/);
    if (spec.kind === "choice" && spec.default !== undefined) expect(spec.choices).toContain(spec.default);
    if (!("min" in spec)) return;
    const names = Object.keys(siblings);
    const earlier = names.slice(0, names.indexOf(name));
    const { min, max, notBelow, default: value } = spec;
    expect(min).toBeLessThan(max);
    if (typeof value === "number") expect(Math.min(Math.max(value, min), max)).toBe(value);
    if (typeof value === "object") expect(earlier).toContain(value.of);
    if (notBelow !== undefined) expect(earlier).toContain(notBelow);
  });
});
