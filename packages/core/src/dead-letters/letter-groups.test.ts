import { describe, expect, it } from "vitest";
import { groupLetters, keyOfLetter, normaliseError } from "./letter-groups.ts";

describe("normaliseError", () => {
  it.each([
    ["order 17 was not found", "order … was not found"],
    ["connect ECONNREFUSED 10.0.0.7:5432", "connect ECONNREFUSED …"],
    ["user 6f1c2c9e-1f0a-4f7e-9d53-2a6b8d7f0c11 is gone", "user … is gone"],
    ["timeout after 1,250.5 ms at 2026-11-29T12:00:00.123Z", "timeout after … ms at …"],
    ["no mailbox ada+x@example.com", "no mailbox …"],
    ["object deadbeef01 is locked\n    at work (app.js:3:1)", "object … is locked"],
    ["facade is a word", "facade is a word"],
    ["", ""],
  ])("%j is %j", (error, expected) => {
    expect(normaliseError(error)).toBe(expected);
  });

  it("is short, however long the error is, and quick", () => {
    expect(normaliseError("a@".repeat(1_000_000)).length).toBeLessThanOrEqual(300);
    expect(normaliseError("1.".repeat(1_000_000)).length).toBeLessThanOrEqual(300);
  });
});

describe("groupLetters", () => {
  const letter = (id: string, error: string, atMs: number, reason = "rejected") => ({ id, error, atMs, reason });

  it("puts errors together that differ only in numbers, the largest group first", () => {
    const groups = groupLetters([
      letter("1-1", "no order 1", 30),
      letter("2-1", "closed", 10),
      letter("3-1", "no order 2", 20),
      letter("4-1", "no order 3", 40, "maxDeliveries"),
    ]);
    expect(groups.map(({ error, reason, letters }) => [error, reason, letters])).toEqual([
      ["no order …", "rejected", 2],
      ["no order …", "maxDeliveries", 1],
      ["closed", "rejected", 1],
    ]);
    expect(groups[0]).toMatchObject({ firstAtMs: 20, lastAtMs: 30, sampleId: "1-1" });
  });

  it("names a group as each of its dead letters does", () => {
    const [group] = groupLetters([letter("1-1", "no order 1", 1)]);
    expect(group?.key).toBe(keyOfLetter({ reason: "rejected", error: "no order 99" }));
  });
});
