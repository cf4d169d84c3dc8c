import { expect, test } from "vitest";
import { COMMANDS } from "../table/index.ts";
import { completionScript } from "./completion.ts";
import { commandHelp, overviewHelp, usageLine } from "./help.ts";
import { optionsOf } from "./parse.ts";
import { referencePage } from "./reference.ts";

const SPECS = COMMANDS.map(({ spec }) => spec);

test("the help of a command names all it takes, within the width where words allow it", () => {
  for (const spec of SPECS) {
    const text = commandHelp(spec, 80);
    for (const name of Object.keys(optionsOf(spec))) expect(text).toContain(`--${name}`);
    for (const { name } of spec.args) expect(text).toContain(`<${name}>`);
    const prose = text.slice(0, text.indexOf("Examples:")).split("\n");
    expect(prose.filter((line) => line.length > 80 && !line.startsWith("Usage:"))).toEqual([]);
  }
});

test("overview, reference and completion know every command", () => {
  const texts = [overviewHelp(SPECS, 80), referencePage(SPECS), completionScript("bash", SPECS)];
  for (const { path } of SPECS) {
    for (const text of texts) expect(text).toContain(path.join(" "));
    for (const shell of ["zsh", "fish"] as const) expect(completionScript(shell, SPECS)).toContain(path.at(-1));
  }
});

test("the overview lists every command once, with what may be left out in brackets", () => {
  const text = overviewHelp(SPECS, 100);
  const listed = text.slice(text.indexOf("Produce and consume"), text.indexOf("Options for every command")).split("\n");
  for (const spec of SPECS) {
    const usage = usageLine(spec).replace("redis-batch", " ").replace(" [options]", "");
    expect([usage, listed.some((line) => line === usage || line.startsWith(`${usage} `))]).toEqual([usage, true]);
  }
  const rows = listed.filter((line) => /^ {2}\S/.test(line)).map((line) => line.trim());
  expect(rows).toHaveLength(SPECS.length);
});
