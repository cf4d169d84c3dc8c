import { expect, test } from "vitest";
import { ReplyShapeError } from "../errors/errors.ts";
import { zmscore } from "./zmscore.ts";

const options = { key: "k", members: ["a", "b", "c"] };

test("asks for several members of one key", () => {
  expect(zmscore.encode(options)).toEqual(["k", "a", "b", "c"]);
});

test("reads scores as text or as numbers, and nil where there is none", () => {
  expect(zmscore.decode([Buffer.from("1700000000123"), null, 2.5], options)).toEqual([1_700_000_000_123, null, 2.5]);
});

test.each([[["1", "2"]], [["1", "2", "x"]], [["1", "2", ""]], [7]])("%o is a surprise", (reply) => {
  expect(() => zmscore.decode(reply, options)).toThrow(ReplyShapeError);
});
