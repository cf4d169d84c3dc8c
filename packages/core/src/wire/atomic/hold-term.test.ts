import { expect, test } from "vitest";
import { ReplyShapeError } from "../../errors/errors.ts";
import { holdTerm } from "./hold-term.ts";
import { writeInTerm } from "./write-in-term.ts";

const where = { leaseKey: "l", stateKey: "s" };
const hold = { ...where, holder: "me", leaseMs: 500, heardOf: 2 };
const write = { ...where, logKey: "a", holder: "me", term: 3, state: "{}", entry: null, logLength: 10 };

test("a term: names the keys, the holder and how long", () => {
  expect(holdTerm.keys(hold)).toEqual(["l", "s"]);
  expect(holdTerm.encode(hold)).toEqual(["me", 500, 2]);
});

test("a term: says who leads, by which number, and what was left for it", () => {
  const reply = [1, Buffer.from("7"), Buffer.from("x")];
  expect(holdTerm.decode(reply, hold)).toEqual({ isHeld: true, term: 7, state: "x" });
  expect(holdTerm.decode([0, "7", ""], hold)).toEqual({ isHeld: false, term: 7, state: "" });
  expect(() => holdTerm.decode([1, "x", ""], hold)).toThrow(ReplyShapeError);
});

test("a write in a term: the entry's fields come last, and only where there is one", () => {
  expect(writeInTerm.keys(write)).toEqual(["l", "s", "a"]);
  expect(writeInTerm.encode(write)).toEqual(["me", 3, "{}", 10]);
  expect(writeInTerm.encode({ ...write, entry: { what: "order" } }).slice(4)).toEqual(["what", "order"]);
});

test("a write in a term: says whether it was written", () => {
  expect(writeInTerm.decode(1, write)).toBe(true);
  expect(writeInTerm.decode(0, write)).toBe(false);
  expect(() => writeInTerm.decode(null, write)).toThrow(ReplyShapeError);
});
