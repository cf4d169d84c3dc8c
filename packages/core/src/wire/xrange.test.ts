import { expect, test } from "vitest";
import { xrange } from "./xrange.ts";

const options = { stream: "s", from: "(1-1", to: "+", count: 100 };

test("always asks for a page", () => {
  expect(xrange.encode(options)).toEqual(["s", "(1-1", "+", "COUNT", 100]);
});

test("reads the entries in their order", () => {
  const fields = [Buffer.from("f"), Buffer.from("v")];
  expect(
    xrange.decode(
      [
        [Buffer.from("2-1"), fields],
        [Buffer.from("3-1"), fields],
      ],
      options,
    ),
  ).toEqual([
    { id: "2-1", fields },
    { id: "3-1", fields },
  ]);
  expect(xrange.decode([], options)).toEqual([]);
});
