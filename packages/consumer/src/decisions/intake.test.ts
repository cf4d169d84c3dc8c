import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decideIntake,
  decidePlacesForReleased,
  decideReading,
  decideShareOfReleased,
  type IntakeFacts,
  type ReadingFacts,
  type TakingFacts,
} from "./intake.ts";

const open: IntakeFacts = {
  ...{ isDraining: false, isPaused: false, isServerAway: false, isAheadOfStream: false, handlersHung: 0, places: 2 },
  ...{ isBackingOff: false, isUnfit: false, isProbing: false, isDeferredFull: false, isKeyBlocked: false },
  isGroupPaused: false,
  isRateLimited: false,
};

describe("decideIntake", () => {
  it.each([
    [{ isDraining: true }, "draining"],
    [{ isPaused: true, isGroupPaused: true }, "paused"],
    [{ isGroupPaused: true, handlersHung: 2 }, "group-paused"],
    [{ handlersHung: 2 }, "held-too-long"],
    [{ isServerAway: true }, "server-away"],
    [{ isBackingOff: true, isUnfit: true }, "unfit"],
    [{ isBackingOff: true }, "backing-off"],
    [{ isBackingOff: true, isProbing: true }, "probing"],
    [{ isDeferredFull: true }, "deferred"],
    [{ isDeferredFull: true, isKeyBlocked: true }, "key-blocked"],
    [{ isAheadOfStream: true, isRateLimited: true }, "ahead-of-stream"],
    [{ isRateLimited: true }, "rate-limited"],
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
        isGroupPaused: fc.boolean(),
        isRateLimited: fc.boolean(),
        isServerAway: fc.boolean(),
        isAheadOfStream: fc.boolean(),
      },
      ...{
        isBackingOff: fc.boolean(),
        isUnfit: fc.boolean(),
        isProbing: fc.constant(false),
        isDeferredFull: fc.boolean(),
        isKeyBlocked: fc.boolean(),
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

const reading: ReadingFacts = {
  ...{ isPaused: false, handlersHung: 0, places: 2, isBackingOff: false, mayProbe: false, isDeferredFull: false },
  ...{ wanted: 1, fresh: 0, batchTakesMs: 100, patienceMs: 1_000, maxDeliveries: 16 },
  ...{ batchSize: 10, roomInLines: "open", areKeysWaiting: false, isProofWanted: false },
};

describe("decideReading", () => {
  it.each([
    ["paused", { isPaused: true }],
    ["all handlers hang", { handlersHung: 2 }],
    [
      "no more keys can be kept in order, also while one message is tried",
      { roomInLines: "full", isBackingOff: true, mayProbe: true },
    ],
    ["many messages wait behind others, and none has failed since the last success", { roomInLines: "few" }],
    ["many messages wait behind others, and a new one is here", { roomInLines: "few", isProofWanted: true, fresh: 1 }],
    ["no more may be deferred", { isDeferredFull: true }],
    ["everything fails and the next attempt has to wait", { isBackingOff: true }],
    ["the message for the next attempt is here", { isBackingOff: true, mayProbe: true, fresh: 1 }],
    ["no caller waits for the next attempt", { isBackingOff: true, mayProbe: true, wanted: 0 }],
  ] satisfies [string, Partial<ReadingFacts>][])("reads nothing while it is so: %s", (_, facts) => {
    expect(decideReading({ ...reading, ...facts })).toEqual({ kind: "held" });
  });

  it("reads one message for the next attempt while everything fails", () => {
    const failing = { ...reading, isBackingOff: true, mayProbe: true };
    expect(decideReading(failing)).toEqual({ kind: "probing", messages: 1 });
    // The next ones may be of keys that wait.
    expect(decideReading({ ...failing, areKeysWaiting: true })).toEqual({ kind: "probing", messages: 10 });
    expect(decideReading({ ...failing, areKeysWaiting: true, roomInLines: "few" })).toEqual({
      ...{ kind: "probing", messages: 10 },
    });
  });

  it("reads one batch to see whether the sink is there, while many messages wait behind others that fail", () => {
    const few = { ...reading, areKeysWaiting: true, roomInLines: "few", isProofWanted: true } as const;
    expect(decideReading(few)).toEqual({ kind: "probing", messages: 10 });
    expect(decideReading({ ...few, wanted: 0 })).toEqual({ kind: "held" });
  });

  it("reads ahead while batches are quick, and a message is offered more than once", () => {
    const ahead = (facts: Partial<ReadingFacts>) => decideReading({ ...reading, ...facts });
    expect(ahead({ batchTakesMs: 1_000 })).toEqual({ kind: "open", mayReadAhead: true });
    expect(ahead({ batchTakesMs: 1_001 })).toEqual({ kind: "open", mayReadAhead: false });
    expect(ahead({ maxDeliveries: 1 })).toEqual({ kind: "open", mayReadAhead: false });
  });
});

const taking: TakingFacts = {
  ...{ isBackingOff: false, mayProbe: false, batchSize: 10, retryShare: 0.5 },
  ...{ wanted: 2, fresh: 3, due: 5, dueAmongOthers: 4 },
};

describe("what is claimed of the released messages", () => {
  it("is as many as there are places for beside those in memory, and never fewer than none", () => {
    expect(decidePlacesForReleased(taking)).toBe(13);
    expect(decidePlacesForReleased({ ...taking, fresh: 30 })).toBe(0);
  });

  it("is at least the share of a batch that redelivered messages have, and one", () => {
    expect(decideShareOfReleased(taking)).toBe(5);
    expect(decideShareOfReleased({ ...taking, retryShare: 0 })).toBe(1);
  });

  it("is one for the next attempt while everything fails, and only if none is here", () => {
    const failing = { ...taking, isBackingOff: true, mayProbe: true };
    expect(decidePlacesForReleased(failing)).toBe(0);
    expect(decidePlacesForReleased({ ...failing, fresh: 0, due: 0 })).toBe(1);
    expect(decidePlacesForReleased({ ...failing, fresh: 0, due: 0, mayProbe: false })).toBe(0);
    expect(decideShareOfReleased(failing)).toBe(0);
  });
});
