import { expect, test } from "vitest";
import { xack } from "./xack.ts";

const options = { stream: "s", group: "g", ids: ["1-1", "2-1"] };

test("names stream, group and every id", () => {
  expect(xack.encode(options)).toEqual(["s", "g", "1-1", "2-1"]);
});

test("replies how many were pending", () => {
  expect(xack.decode(1, options)).toBe(1);
});
