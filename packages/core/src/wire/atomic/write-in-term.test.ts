import { expect, test } from "vitest";
import { ReplyShapeError } from "../../errors/errors.ts";
import { writeInTerm } from "./write-in-term.ts";

const keys = { leaseKey: "l", stateKey: "s", logKey: "a" };
const write = { ...keys, holder: "me", term: 3, state: "{}", entry: null, logLength: 10 };

test("the entry's fields come last, and only where there is one", () => {
  expect(writeInTerm.keys(write)).toEqual(["l", "s", "a"]);
  expect(writeInTerm.encode(write)).toEqual(["me", 3, "{}", 10]);
  expect(writeInTerm.encode({ ...write, entry: { what: "order" } }).slice(4)).toEqual(["what", "order"]);
});

test("says whether it was written", () => {
  expect(writeInTerm.decode(1, write)).toBe(true);
  expect(writeInTerm.decode(0, write)).toBe(false);
  expect(() => writeInTerm.decode(null, write)).toThrow(ReplyShapeError);
});
