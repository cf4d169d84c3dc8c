import { expect, test } from "vitest";
import { release } from "./release.ts";

const options = {
  ...{ stream: "s", group: "g", consumer: "c", idleMs: 90_000 },
  ...{ neverOffered: ["10-0", "9-0"], offered: ["8-0", "7-0", "6-0"] },
};

test("sends two lists, each in stream order, and where the second begins", () => {
  expect(release.keys(options)).toEqual(["s"]);
  expect(release.encode(options)).toEqual(["g", "c", 90_000, 2, "9-0", "10-0", "6-0", "7-0", "8-0"]);
});

test("replies how many were given back", () => {
  expect(release.decode(5, options)).toBe(5);
});
