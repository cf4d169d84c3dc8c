import { expect, test } from "vitest";
import { xreadgroup } from "./xreadgroup.ts";

const options = { streams: ["s"], group: "g", consumer: "c", count: 10 };
const fields = [Buffer.from("f"), Buffer.from("v")];
const entries = [[Buffer.from("2-1"), fields]];
const read = { stream: "s", entries: [{ id: "2-1", fields }] };

test("waits only when it is told how long", () => {
  expect(xreadgroup.encode(options)).toEqual(["GROUP", "g", "c", "COUNT", 10, "STREAMS", "s", ">"]);
  expect(xreadgroup.encode({ ...options, blockMs: 250 })).toEqual([
    ...["GROUP", "g", "c", "COUNT", 10, "BLOCK", 250, "STREAMS", "s", ">"],
  ]);
});

test("names every stream before the first position", () => {
  expect(xreadgroup.encode({ ...options, streams: ["s", "t"] })).toEqual([
    ...["GROUP", "g", "c", "COUNT", 10, "STREAMS", "s", "t", ">", ">"],
  ]);
});

test("reads the entries of each stream, from RESP2's list and RESP3's map", () => {
  expect(xreadgroup.decode([[Buffer.from("s"), entries]], options)).toEqual([read]);
  expect(xreadgroup.decode(new Map([[Buffer.from("s"), entries]]), options)).toEqual([read]);
  const both = [
    [Buffer.from("t"), entries],
    [Buffer.from("s"), entries],
  ];
  expect(xreadgroup.decode(both, options)).toEqual([{ ...read, stream: "t" }, read]);
});

test("nil is no entry", () => {
  expect(xreadgroup.decode(null, options)).toEqual([]);
});
