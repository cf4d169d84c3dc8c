import { expect, test } from "vitest";
import { isOwnName, uniqueName } from "./unique-name.ts";

test("never gives a name twice, and recognises its own inside a key", () => {
  const names = Array.from({ length: 100 }, () => uniqueName("orders"));
  expect(new Set(names).size).toBe(100);
  for (const name of names) expect(isOwnName(`rb:{${name}}:dead`)).toBe(true);
  expect(isOwnName("orders")).toBe(false);
});

test("says what it is for and which test it belongs to, in plain characters", () => {
  expect(uniqueName("Dead: letters")).toMatch(
    /^dead-letters-[a-z0-9]+-[a-z0-9]+-[a-z0-9_-]*belongs-to-in-plain-characters$/,
  );
});
