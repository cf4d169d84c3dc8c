import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ConfigError } from "../errors/errors.ts";
import { aclRules, RIGHTS, type Role } from "./rights.ts";

const readme = (name: string): string => readFileSync(new URL(`../../../${name}/README.md`, import.meta.url), "utf8");
const plainBlocks = (text: string): string[] =>
  [...text.matchAll(/^```text\n([~+][a-z].*)\n```$/gm)].map((match) => match[1] ?? "");

/** The parts of a role as the READMEs write them: patterns where they come in, then commands. */
function partsOf(role: Role): string[] {
  const all = aclRules(role, "orders", { least: false });
  return RIGHTS[role].map((part, index) => {
    const keys = index === 0 ? all.filter((rule) => rule.startsWith("~")) : [];
    return [...keys, ...part.rules].join(" ");
  });
}

test("the consumer's README names the consumer's rights", () => {
  expect(plainBlocks(readme("consumer"))).toEqual(partsOf("consumer"));
});

test("the monitor's README names the monitor's rights", () => {
  expect(plainBlocks(readme("monitor"))).toEqual(partsOf("monitor"));
});

test("the scaler's README names the scaler's rights", () => {
  expect(plainBlocks(readme("scaler"))).toEqual(partsOf("scaler"));
});

test("core's README names the rights of producer and dead letters", () => {
  const text = readme("core").replaceAll(/\s+/g, " ");
  const [adding, keys] = RIGHTS.producer;
  expect(text).toContain(`needs the right \`${adding?.rules.join(" ")}\` on the stream`);
  expect(text).toContain(`With idempotency keys it also needs \`${keys?.rules.join(" ")}\``);
  const letters = RIGHTS.deadLetters.map(({ rules }) => rules.join(" "));
  expect(text).toContain(
    `looking ~rb:{orders}:dead:* ${letters[0]} discarding ${letters[1]} redriving ~orders ${letters[2]} adding ${letters[3]}`,
  );
});

describe("aclRules", () => {
  test("names each rule once, patterns first where they come in", () => {
    expect(aclRules("producer", "orders", { least: true })).toEqual(["~orders", "+xadd"]);
    expect(aclRules("producer", "orders", { least: false }).slice(0, 3)).toEqual([
      "~orders",
      "~rb:{orders}:idem:*",
      "+xadd",
    ]);
    for (const role of Object.keys(RIGHTS) as Role[]) {
      const rules = aclRules(role, "orders", { least: false });
      expect(new Set(rules).size).toBe(rules.length);
    }
  });

  test("keeps to the stream's own hash tag, and lets no name become a pattern", () => {
    expect(aclRules("monitor", "{eu}:orders", { least: true })).toContain("~rb:{eu}:*");
    expect(aclRules("producer", "a*[b]?\\", { least: true })[0]).toBe("~a\\*\\[b\\]\\?\\\\");
  });

  test("refuses a stream that nothing can stand beside", () => {
    expect(() => aclRules("consumer", "a}b", { least: false })).toThrow(ConfigError);
  });
});
