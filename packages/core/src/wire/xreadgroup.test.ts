import { expect, test } from "vitest";
import { xreadgroup } from "./xreadgroup.ts";

const options = { stream: "s", group: "g", consumer: "c", count: 10 };
const fields = [Buffer.from("f"), Buffer.from("v")];
const entries = [[Buffer.from("2-1"), fields]];

test("waits only when it is told how long", () => {
  expect(xreadgroup.encode(options)).toEqual(["GROUP", "g", "c", "COUNT", 10, "STREAMS", "s", ">"]);
  expect(xreadgroup.encode({ ...options, blockMs: 250 })).toEqual([
    ...["GROUP", "g", "c", "COUNT", 10, "BLOCK", 250, "STREAMS", "s", ">"],
  ]);
});

test("reads the entries of its stream, from RESP2's list and RESP3's map", () => {
  expect(xreadgroup.decode([[Buffer.from("s"), entries]], options)).toEqual([{ id: "2-1", fields }]);
  expect(xreadgroup.decode(new Map([[Buffer.from("s"), entries]]), options)).toEqual([{ id: "2-1", fields }]);
});

test("nil is no entry", () => {
  expect(xreadgroup.decode(null, options)).toEqual([]);
});
