import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decodePublication, encodePublication, seedsOf } from "./publication.ts";

describe("what is published", () => {
  const text = readFileSync(new URL("results.ndjson", import.meta.url), "utf8");

  it("was made with the seeds of its commit, every policy on every trace", () => {
    const { commit, rows } = decodePublication(text);
    expect(commit).toMatch(/^[0-9a-f]{40}$/);
    const names = (what: "scenario" | "policy") => new Set(rows.map((row) => row[what])).size;
    expect(rows).toHaveLength(names("scenario") * names("policy") * seedsOf(commit).length);
    expect([...new Set(rows.map(({ seed }) => seed))]).toEqual(seedsOf(commit));
  });

  it("is read as it was written", () => {
    expect(encodePublication(decodePublication(text))).toBe(text);
  });
});

describe("seedsOf", () => {
  it("takes them from the digits of the hash, one after the other", () => {
    expect(seedsOf("00000100000affffff000000000000000000ffff")).toEqual([1, 10, 16_777_215]);
  });
});
