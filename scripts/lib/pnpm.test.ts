import { describe, expect, it } from "vitest";
import { isSameMajor, pinnedVersion } from "./pnpm.mjs";

describe("pinnedVersion", () => {
  it("reads the version that packageManager pins", () => {
    expect(pinnedVersion({ packageManager: "pnpm@12.21.0" })).toBe("12.21.0");
    expect(pinnedVersion({ packageManager: "pnpm@12.21.0+sha512.abc" })).toBe("12.21.0");
  });

  it("refuses anything else, naming it", () => {
    expect(() => pinnedVersion({ packageManager: "yarn@4.0.0" })).toThrow('"yarn@4.0.0"');
    expect(() => pinnedVersion({})).toThrow("undefined");
  });
});

describe("isSameMajor", () => {
  it("compares the first number as a whole", () => {
    expect(isSameMajor("12.3.0", "12.21.0")).toBe(true);
    expect(isSameMajor("1.2.0", "12.21.0")).toBe(false);
  });
});
