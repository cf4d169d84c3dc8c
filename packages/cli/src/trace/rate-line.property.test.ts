import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseRateLine, type RateLine } from "./rate-line.ts";

const rate = (at: number, perSecond: number): RateLine => ({ kind: "rate", at, perSecond });
const finite = fc.double({ noNaN: true, noDefaultInfinity: true });

describe("a line of a trace", () => {
  it("is NDJSON or CSV, and reads back as it was written", () => {
    fc.assert(
      fc.property(finite, finite.map(Math.abs), (time, perSecond) => {
        // JSON knows no negative zero, and neither does a clock.
        const at = time + 0;
        expect(parseRateLine(JSON.stringify({ time: at, rate: perSecond }))).toEqual(rate(at, perSecond));
        expect(parseRateLine(` ${at} , ${perSecond} `)).toEqual(rate(at, perSecond));
      }),
    );
  });

  it.each([
    ["1970-01-01T00:01:00Z,5", rate(60, 5)],
    ['{"time":"1970-01-01T02:00:00.5+01:00","rate":0,"queue":"orders"}', rate(3_600.5, 0)],
    ['"1970-01-01 00:01Z","2.5"', rate(60, 2.5)],
    ["Time, Rate", { kind: "heading" }],
  ])("takes %s", (line, expected) => {
    expect(parseRateLine(line)).toEqual(expected);
  });

  it.each([
    ["0", "comma between"],
    ["0,1,2", "comma between"],
    ["0,", "its rate must be"],
    ["0,-1", "its rate must be"],
    ["0,many", "its rate must be"],
    ["0,0x10", "its rate must be"],
    [",1", "its time must be"],
    ["2026-01-31T12:00:00,1", "with a time zone"],
    ["2026-13-31T12:00:00Z,1", "its time must be"],
    ["{", "it is not JSON"],
    ["{}", "it must have time and rate"],
    ['{"time":0,"rate":"5"}', "its rate must be"],
    ['{"time":null,"rate":5}', "its time must be"],
    ['{"time":1e999,"rate":5}', "its time must be"],
  ])("refuses %s", (line, why) => {
    expect(parseRateLine(line)).toEqual({ kind: "malformed", why: expect.stringContaining(why) as string });
  });

  it("never throws, whatever it is", () => {
    fc.assert(
      fc.property(fc.constantFrom("", "{", '{"time":', "0,"), fc.string({ unit: "binary-ascii" }), (start, rest) => {
        expect(["rate", "heading", "malformed"]).toContain(parseRateLine(start + rest).kind);
      }),
    );
  });
});
