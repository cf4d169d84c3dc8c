import { expect, test } from "vitest";
import { ReplyShapeError } from "../../errors/errors.ts";
import { holdLease } from "./hold-lease.ts";

const options = { leaseKey: "l", stateKey: "s", holder: "me", leaseMs: 500, heardOf: 2 };

test("names the keys, the holder and how long", () => {
  expect(holdLease.keys(options)).toEqual(["l", "s"]);
  expect(holdLease.keys({ ...options, stateKey: null })).toEqual(["l"]);
  expect(holdLease.encode(options)).toEqual(["me", 500, 2]);
});

test("says who holds it, by which number, and what was left for the holder", () => {
  const reply = [1, Buffer.from("7"), Buffer.from("x")];
  expect(holdLease.decode(reply, options)).toEqual({ isHeld: true, term: 7, state: "x" });
  expect(holdLease.decode([0, "7", ""], options)).toEqual({ isHeld: false, term: 7, state: "" });
  expect(() => holdLease.decode([1, "x", ""], options)).toThrow(ReplyShapeError);
});
