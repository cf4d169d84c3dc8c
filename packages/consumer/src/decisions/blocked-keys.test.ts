import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideRoomInLines, mayGiveUp } from "./blocked-keys.ts";

const blocked = { behindOthers: 10, keys: 3 };
const first = { isBlocking: true, provenFailures: 3, isKeyBad: false };

describe("decideRoomInLines", () => {
  it.each([
    [{ behindOthers: 9, keys: 9 }, "open"],
    [{ behindOthers: 10, keys: 1 }, "few"],
    [{ behindOthers: 19, keys: 1 }, "few"],
    [{ behindOthers: 20, keys: 1 }, "full"],
    [{ behindOthers: 0, keys: 99_999 }, "open"],
    [{ behindOthers: 0, keys: 100_000 }, "full"],
  ])("is limited by what waits behind others, and by the keys that wait: %j is %s", (lines, room) => {
    expect(decideRoomInLines(lines, 10)).toBe(room);
  });
});

describe("mayGiveUp", () => {
  it("takes three failures that others did not share, and one where the key is known to be bad", () => {
    expect(mayGiveUp(first, blocked, 10)).toBe(true);
    expect(mayGiveUp({ ...first, provenFailures: 2 }, blocked, 10)).toBe(false);
    expect(mayGiveUp({ ...first, provenFailures: 1, isKeyBad: true }, blocked, 10)).toBe(true);
    expect(mayGiveUp({ ...first, provenFailures: 0, isKeyBad: true }, blocked, 10)).toBe(false);
  });

  it("never gives up a message that keeps nobody waiting, or while there is room", () => {
    const anyFirst = fc.record({ provenFailures: fc.nat(), isKeyBad: fc.boolean() });
    fc.assert(
      fc.property(anyFirst, fc.nat({ max: 40 }), fc.nat({ max: 40 }), (some, behindOthers, keys) => {
        const lines = { behindOthers, keys };
        expect(mayGiveUp({ ...some, isBlocking: false }, lines, 10)).toBe(false);
        const hasRoom = { ...lines, behindOthers: Math.min(behindOthers, 9) };
        expect(mayGiveUp({ ...some, isBlocking: true }, hasRoom, 10)).toBe(false);
      }),
    );
  });
});
