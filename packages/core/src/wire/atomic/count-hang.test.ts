import { expect, test } from "vitest";
import { countHang } from "./count-hang.ts";

const options = { stream: "s", group: "g", id: "1-1", rememberMs: 86_400_000 };

test("touches what the group's handlers hung on, and tells how long to remember it", () => {
  expect(countHang.keys(options)).toEqual(["rb:{s}:hung:s:g"]);
  expect(countHang.encode(options)).toEqual(["1-1", 86_400_000]);
  expect(countHang.decode(2, options)).toBe(2);
});
