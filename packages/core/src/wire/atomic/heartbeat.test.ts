import { expect, test } from "vitest";
import { ReplyShapeError } from "../../errors/errors.ts";
import { heartbeat } from "./heartbeat.ts";

const options = {
  ...{ stream: "s", group: "g", consumer: "c", incarnation: "i", leaseMs: 60_000 },
  details: { host: "h", acknowledged: 9_007_199_254_740_991 },
};
const json = '{"host":"h","acknowledged":9007199254740991,"v":1,"incarnation":"i","leaseMs":60000}';

test("touches the group's registry", () => {
  expect(heartbeat.keys(options)).toEqual(["rb:{s}:consumers:s:g"]);
});

test("tells the first heartbeat from the next ones", () => {
  expect(heartbeat.encode({ ...options, join: { freshMs: 15_000 } })).toEqual(["c", "i", "join", 15_000, "", json, ""]);
  expect(heartbeat.encode(options)).toEqual(["c", "i", "", 0, "", json, ""]);
  expect(heartbeat.encode({ ...options, join: { freshMs: 15_000, seenAtMs: 7 } })).toEqual([
    "c",
    "i",
    "join",
    15_000,
    7,
    json,
    "",
  ]);
});

test("says that it must be alone, and which others have stopped", () => {
  const join = { freshMs: 15_000, othersSeenAtMs: new Map([["d", 3]]) };
  expect(heartbeat.encode({ ...options, join, beside: "nobody" }).slice(-3)).toEqual(["nobody", "d", 3]);
});

test("details cannot overrule what the registry itself needs", () => {
  const details = { v: 2, incarnation: "other", leaseMs: 1, at: 1 };
  const written: unknown = JSON.parse(String(heartbeat.encode({ ...options, details }).at(-2)));
  expect(written).toEqual({ v: 1, incarnation: "i", leaseMs: 60_000 });
});

test("reads every answer", () => {
  expect(heartbeat.decode([Buffer.from("ok"), 1_700_000_000_123, Buffer.from(""), Buffer.from("")], options)).toEqual({
    ...{ kind: "ok", serverTimeMs: 1_700_000_000_123, pause: null, rateLimit: null },
  });
  const pause = '{"at":5,"until":9,"v":1,"by":"anna","reason":null}';
  const paused = [Buffer.from("ok"), 1, Buffer.from(pause), Buffer.from('{"messages":5,"perMs":9}')];
  expect(heartbeat.decode(paused, options)).toMatchObject({
    pause: { by: "anna", sinceMs: 5, untilMs: 9, reason: null },
    rateLimit: { messages: 5, perMs: 9 },
  });
  expect(heartbeat.decode([Buffer.from("in-use"), 1, Buffer.from("7")], options)).toEqual({ kind: "in-use", atMs: 7 });
  expect(heartbeat.decode([Buffer.from("replaced"), 1, Buffer.from("")], options)).toEqual({ kind: "replaced" });
  const occupied = [Buffer.from("occupied"), 1, ["a", "7", "500", "b", "9", "600"].map((word) => Buffer.from(word))];
  expect(heartbeat.decode(occupied, options)).toEqual({
    kind: "occupied",
    by: [
      { consumer: "a", atMs: 7, leaseMs: 500 },
      { consumer: "b", atMs: 9, leaseMs: 600 },
    ],
  });
  expect(() => heartbeat.decode(["gone", 1, ""], options)).toThrow(ReplyShapeError);
});
