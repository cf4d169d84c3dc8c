import { expect, test } from "vitest";
import { xrevrange } from "./xrevrange.ts";

test("names the newer end first", () => {
  expect(xrevrange.encode({ stream: "s", from: "-", to: "(5-0", count: 3 })).toEqual(["s", "(5-0", "-", "COUNT", 3]);
});
