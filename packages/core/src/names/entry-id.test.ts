import { describe, expect, test } from "vitest";
import { compareEntryIds, entryIdTimeMs, isEntryId } from "./entry-id.ts";

describe("isEntryId", () => {
  test.each(["0-0", "1-0", "1526919030474-55", "18446744073709551615-18446744073709551615"])("takes %s", (text) => {
    expect(isEntryId(text)).toBe(true);
  });

  test.each([
    ...["", "-", "1", "1-", "-1", "1-1-1", "01-1", "1-01", "1-*", "*", "$", "+", ">", "(1-1"],
    ...["1 -1", " 1-1", "1-1\n", "0x1-1", "1e3-1", "1.5-1", "١-١"],
    ...["18446744073709551616-0", "0-18446744073709551616", "100000000000000000000-0"],
  ])("refuses %j", (text) => {
    expect(isEntryId(text)).toBe(false);
  });
});

describe("compareEntryIds", () => {
  test("the milliseconds count before the sequence", () => {
    expect(compareEntryIds("2-0", "1-9")).toBeGreaterThan(0);
    expect(compareEntryIds("1-10", "1-9")).toBeGreaterThan(0);
    expect(compareEntryIds("9-0", "10-0")).toBeLessThan(0);
    expect(compareEntryIds("5-5", "5-5")).toBe(0);
  });

  test("neighbours beyond 2^53 are told apart", () => {
    expect(compareEntryIds("9007199254740993-0", "9007199254740992-0")).toBeGreaterThan(0);
    expect(compareEntryIds("1-18446744073709551614", "1-18446744073709551615")).toBeLessThan(0);
  });
});

describe("entryIdTimeMs", () => {
  test("is the part before the dash", () => {
    expect(entryIdTimeMs("1526919030474-55")).toBe(1_526_919_030_474);
    expect(entryIdTimeMs("0-1")).toBe(0);
  });
});
