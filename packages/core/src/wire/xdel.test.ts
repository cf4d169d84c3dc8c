import { expect, test } from "vitest";
import { xdel } from "./xdel.ts";

const options = { stream: "s", ids: ["1-1", "2-1"] };

test("names the stream and every id, and replies how many were there", () => {
  expect(xdel.encode(options)).toEqual(["s", "1-1", "2-1"]);
  expect(xdel.decode(2, options)).toBe(2);
});
