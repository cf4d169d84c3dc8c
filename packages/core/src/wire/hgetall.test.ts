import { expect, test } from "vitest";
import { hgetall } from "./hgetall.ts";

test("asks for the whole hash", () => {
  expect(hgetall.encode({ key: "k" })).toEqual(["k"]);
});

test("reads flat replies and maps, and a hash that does not exist as an empty one", () => {
  const options = { key: "k" };
  expect([...hgetall.decode([Buffer.from("a"), Buffer.from("1")], options)]).toEqual([["a", "1"]]);
  expect([...hgetall.decode(new Map([["a", Buffer.from("1")]]), options)]).toEqual([["a", "1"]]);
  expect([...hgetall.decode([], options)]).toEqual([]);
});
