import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideIntake, type IntakeFacts } from "./intake.ts";

const open: IntakeFacts = {
  ...{ isDraining: false, isPaused: false, isServerAway: false, isAheadOfStream: false, handlersHung: 0, places: 2 },
  ...{ isBackingOff: false, isUnfit: false, isProbing: false, isDeferredFull: false },
};

describe("decideIntake", () => {
  it.each([
    [{ isDraining: true }, "draining"],
    [{ isPaused: true }, "paused"],
    [{ handlersHung: 2 }, "held-too-long"],
    [{ isServerAway: true }, "server-away"],
    [{ isBackingOff: true, isUnfit: true }, "unfit"],
    [{ isBackingOff: true }, "backing-off"],
    [{ isBackingOff: true, isProbing: true }, "probing"],
    [{ isDeferredFull: true }, "deferred"],
    [{ isAheadOfStream: true }, "ahead-of-stream"],
  ] as const)("names what holds it up: %j is %s", (facts, name) => {
    expect(decideIntake({ ...open, ...facts })).toBe(name);
  });

  it("is open while one handler does not hang, and while a single attempt is made that is no probe", () => {
    expect(decideIntake({ ...open, handlersHung: 1, isProbing: true })).toBe("open");
  });

  it("is open when nothing holds it up, and never otherwise", () => {
    const anyFacts = fc.record({
      ...{
        isDraining: fc.boolean(),
        isPaused: fc.boolean(),
        isServerAway: fc.boolean(),
        isAheadOfStream: fc.boolean(),
      },
      ...{
        isBackingOff: fc.boolean(),
        isUnfit: fc.boolean(),
        isProbing: fc.constant(false),
        isDeferredFull: fc.boolean(),
      },
      ...{ handlersHung: fc.integer({ min: 0, max: 3 }), places: fc.integer({ min: 1, max: 3 }) },
    });
    fc.assert(
      fc.property(anyFacts, ({ handlersHung, places, ...flags }) => {
        const isHeldUp = Object.values(flags).includes(true) || handlersHung >= places;
        expect(decideIntake({ handlersHung, places, ...flags }) === "open").toBe(!isHeldUp);
      }),
    );
  });
});
