import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { SCRIPTS } from "../lua/scripts.generated.ts";
import { RIGHTS } from "../redis/rights.ts";
import { probeCommand, SENT_COMMANDS } from "./probe-command.ts";

test("every command that is sent, by itself or by a script, or that a role has a right to, can be called harmlessly", () => {
  const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith(".ts") && !file.includes(".test."));
  const sent = files.flatMap((file) =>
    [...readFileSync(`${import.meta.dirname}/${file}`, "utf8").matchAll(/^ {2}name: "([a-z]+)",$/gim)].map(
      ([, name]) => name,
    ),
  );
  const called = Object.values(SCRIPTS).flatMap((lua) =>
    [...lua.matchAll(/redis\.p?call\('([A-Z]+)'/g)].map(([, name]) => name),
  );
  const granted = Object.values(RIGHTS)
    .flat()
    .flatMap(({ grants }) => grants.flatMap(({ rules }) => rules.map((rule) => rule.slice(1).split("|")[0])));
  expect(sent.length).toBeGreaterThan(20);
  const known: readonly string[] = SENT_COMMANDS;
  const names = [...sent, ...called, ...granted].map((name) => name?.toLowerCase() ?? "");
  expect([...new Set(names)].filter((name) => !known.includes(name))).toEqual([]);
});

test("a command is called with nothing that it could do", () => {
  expect(probeCommand("xadd").encode({})).toEqual([]);
  expect(probeCommand("command").encode({})).toEqual(["COUNT"]);
});
