import { expect, test } from "vitest";
import { ReplyShapeError } from "../../errors.ts";
import { beat } from "./beat.ts";

const options = {
  ...{ stream: "s", group: "g", consumer: "c", incarnation: "i", leaseMs: 60_000 },
  details: { host: "h", acknowledged: 9_007_199_254_740_991 },
};
const json = '{"host":"h","acknowledged":9007199254740991,"v":1,"incarnation":"i","leaseMs":60000}';

test("touches the group's registry", () => {
  expect(beat.keys(options)).toEqual(["rb:{s}:consumers:s:g"]);
});

test("tells the first beat from the next ones", () => {
  expect(beat.encode({ ...options, join: { freshMs: 15_000 } })).toEqual(["c", "i", "join", 15_000, "", json]);
  expect(beat.encode(options)).toEqual(["c", "i", "", 0, "", json]);
  expect(beat.encode({ ...options, join: { freshMs: 15_000, seenAtMs: 7 } })).toEqual([
    "c",
    "i",
    "join",
    15_000,
    7,
    json,
  ]);
});

test("details cannot overrule what the registry itself needs", () => {
  const details = { v: 2, incarnation: "other", leaseMs: 1, at: 1 };
  const written: unknown = JSON.parse(String(beat.encode({ ...options, details }).at(-1)));
  expect(written).toEqual({ v: 1, incarnation: "i", leaseMs: 60_000 });
});

test("reads every answer", () => {
  expect(beat.decode([Buffer.from("ok"), 1_700_000_000_123, Buffer.from("")], options)).toEqual({
    ...{ kind: "ok", serverTimeMs: 1_700_000_000_123 },
  });
  expect(beat.decode([Buffer.from("in-use"), 1, Buffer.from("7")], options)).toEqual({ kind: "in-use", atMs: 7 });
  expect(beat.decode([Buffer.from("replaced"), 1, Buffer.from("")], options)).toEqual({ kind: "replaced" });
  expect(() => beat.decode(["gone", 1, ""], options)).toThrow(ReplyShapeError);
});
