import { describe, expect, it } from "vitest";
import { isSatisfiedBy } from "./spdx.ts";

const allowed = new Set(["MIT", "Apache-2.0", "GPL-3.0-only"]);

describe("isSatisfiedBy", () => {
  it.each([
    "MIT",
    "(MIT)",
    "MIT OR GPL-2.0-only",
    "(GPL-2.0-only OR Apache-2.0)",
    "MIT AND Apache-2.0",
    "MIT AND (BUSL-1.1 OR Apache-2.0)",
    "Apache-2.0 WITH LLVM-exception",
  ])("allows %s", (expression) => {
    expect(isSatisfiedBy(expression, allowed)).toBe(true);
  });

  it.each([
    "",
    "UNLICENSED",
    "GPL-2.0-only",
    "MIT AND BUSL-1.1",
    "(MIT OR Apache-2.0) AND SSPL-1.0",
    "MIT AND (BUSL-1.1 OR SSPL-1.0)",
    "SEE LICENSE IN LICENSE.txt",
    "MIT License",
    "(MIT",
    "MIT)",
  ])("refuses %j", (expression) => {
    expect(isSatisfiedBy(expression, allowed)).toBe(false);
  });
});
