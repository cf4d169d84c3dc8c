import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ConfigError } from "../errors/errors.ts";
import { aclRules, extrasOf, RIGHTS, type Role, rulesFor, rulesOf } from "./rights.ts";

const ROLES = Object.keys(RIGHTS) as Role[];
const readme = (name: string): string => readFileSync(new URL(`../../../${name}/README.md`, import.meta.url), "utf8");
const ruleBlocks = (text: string): string[] =>
  [...text.matchAll(/^```text\n((?:\+[a-z]|\(~)[^`]*)\n```$/gm)].map((match) => match[1] ?? "");

/** The parts of a role as the READMEs write them: a line for what needs no key, and one for each selector. */
function partsOf(role: Role): string[] {
  return RIGHTS[role].map(({ grants }) => {
    const rules = rulesOf(grants, "orders");
    const bare = rules.filter((rule) => !rule.startsWith("(")).join(" ");
    return [...(bare === "" ? [] : [bare]), ...rules.filter((rule) => rule.startsWith("("))].join("\n");
  });
}

test.each([
  ["consumer", ["consumer"]],
  ["monitor", ["monitor"]],
  ["scaler", ["scaler"]],
  ["dashboard", ["dashboard"]],
  ["core", ["deadLetters", "producer"]],
] as const)("the README of %s quotes the rights of %s", (name, roles) => {
  expect(ruleBlocks(readme(name))).toEqual(roles.flatMap(partsOf));
});

describe("aclRules", () => {
  test("gives what is needed, what is optional unless the least is asked for, and the rest only on request", () => {
    expect(aclRules("producer", "orders", { least: true })).toEqual([
      ...["+info", "+client|setname", "(~orders +xadd)", "(~rb:{orders}:partitions +get)"],
    ]);
    expect(aclRules("producer", "orders")).toContain("(~rb:{orders}:idem:orders:* +get +set)");
    expect(aclRules("monitor", "orders").join()).not.toContain("+xtrim");
    expect(aclRules("monitor", "orders", { extras: ["trim"] }).join()).toContain("+xtrim");
    expect(aclRules("scaler", "orders", { cluster: true })).toContain("+cluster|slots");
    expect(extrasOf("consumer")).toEqual(["delete", "xackdel"]);
  });

  test("has one selector for the same keys, and names each rule once in it", () => {
    for (const role of ROLES) {
      const rules = aclRules(role, "orders", { extras: extrasOf(role), cluster: true });
      const keys = rules.map((rule) => rule.split(" +")[0] ?? "");
      expect(new Set(keys).size).toBe(keys.length);
      for (const rule of rules) expect(new Set(rule.split(" ")).size).toBe(rule.split(" ").length);
    }
  });

  test("of several streams are those of each, and one more with which a consumer reads them together", () => {
    const each = ["orders", "refunds"].flatMap((stream) => aclRules("consumer", stream));
    const both = aclRules("consumer", ["orders", "refunds"]);
    expect(both).toEqual([...new Set(each), "(~orders ~refunds +xreadgroup)"]);
    expect(aclRules("consumer", ["orders"])).toEqual(aclRules("consumer", "orders"));
    expect(aclRules("producer", ["orders", "refunds"])).toContain("(~refunds +xadd)");
  });

  test("keeps to the stream: others with the same hash tag have other keys", () => {
    expect(aclRules("monitor", "{eu}:orders", { least: true }).join()).toContain("~rb:{eu}:due:{eu}%3Aorders:* ");
    expect(aclRules("scaler", "{eu}:orders", { least: true }).join()).toContain("~rb:{eu}:*:{eu}%3Aorders:* ");
  });

  test.each([
    ["a*[b]?\\", "~a\\*\\[b\\]\\?\\\\"],
    ["a b\0c\n", "~a[^!-~]b[^!-~]c[^!-~]"],
    ["a)(b", "~a[)][(]b"],
    [`it's "x"`, "~it[&-(]s[^!-~][!-#]x[!-#]"],
    ["caf\udce9", "~caf[^!-~]"],
    ["größe%", "~größe%"],
  ])("lets no name become a pattern, and none be split: %j", (stream, pattern) => {
    expect(aclRules("producer", stream, { least: true })[2]).toBe(`(${pattern} +xadd)`);
  });

  test("refuses a stream that nothing can stand beside", () => {
    expect(() => aclRules("consumer", "a}b", { least: false })).toThrow(ConfigError);
  });
});

test("rulesFor finds the rules that a role needs for a command", () => {
  expect(rulesFor("consumer", "orders", "xadd")).toEqual([
    "(~rb:{orders}:dead:orders:* +xadd)",
    "(~rb:{orders}:final-reports:orders:* +xadd)",
  ]);
  expect(rulesFor("groups", "orders", "xgroup")).toEqual(["(~orders +xgroup|create +xgroup|setid +xgroup|destroy)"]);
  expect(rulesFor("scaler", "orders", "time")).toEqual(["+time"]);
  expect(rulesFor("producer", "orders", "flushall")).toEqual([]);
});
