import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide, emptyMemory, type ScalerMemory } from "./decisions/decide.ts";
import { NO_STARTS } from "./decisions/starts.ts";
import { forgetful } from "./decisions/throughput.ts";
import type { Observation } from "./observation.ts";
import { resolveScalingOptions } from "./options.ts";
import { encodeState, readDecision, recall } from "./state.ts";

const SEEN: Observation = {
  ...{ added: 100, read: 90, waiting: 10, isWaitingAtLeast: false, oldestWaitingMs: 5, released: 0 },
  ...{ pending: 3, reclaimable: 0 },
  ...{ current: 2, ready: 2, startingMs: [], lost: 0, startUpsMs: [3_000], consumers: [] },
  ...{ elsewhere: 0, isAlone: false, partitions: null },
};
const AT_MS = 1_700_000_000_000;

function left(strategy: "ratio" | "throughput") {
  const { decision, memory } = decide(SEEN, emptyMemory(strategy), resolveScalingOptions({ strategy }), AT_MS);
  return { decision, memory, text: encodeState({ memory, starts: NO_STARTS, decision, atMs: AT_MS }) };
}

describe("recall", () => {
  it.each(["ratio", "throughput"] as const)("goes on where the last leader was: %s", (strategy) => {
    const { memory, decision, text } = left(strategy);
    expect(recall(text, strategy, AT_MS + 60_000)).toEqual({ memory, starts: NO_STARTS });
    expect(readDecision(text)).toEqual(decision);
  });

  it("keeps of an older time what consumers achieve and how long they start, and nothing of the load", () => {
    const { decision, text } = left("throughput");
    const throughput = forgetful({ perSecond: 12, leadMs: 4_000 });
    const memory: ScalerMemory = { strategy: "throughput", throughput, isAlone: true };
    const older = encodeState({ memory, starts: NO_STARTS, decision, atMs: AT_MS });
    expect(recall(older, "throughput", AT_MS + 60_001)).toEqual({ memory, starts: NO_STARTS });
    expect(recall(text, "throughput", AT_MS + 60_001)?.memory).toMatchObject({
      throughput: { sinceMs: null, last: null },
    });
  });

  it("does not take over what another strategy knew", () => {
    expect(recall(left("ratio").text, "throughput", AT_MS)).toBeNull();
  });

  it.each(["", "{}", "null", '{"v":2}', '{"v":1,"atMs":1,"memory":{"strategy":"throughput"}}'])(
    "starts from nothing with what it does not understand: %s",
    (text) => {
      expect(recall(text, "throughput", AT_MS)).toBeNull();
      expect(readDecision(text)).toBeNull();
    },
  );

  it("never stumbles over a part of another kind where one is always there", () => {
    const { text } = left("throughput");
    const paths = pathsOf();
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.constantFrom(undefined, null, 7, "x", [], {}), (path, value) => {
        const broken = JSON.parse(text) as object;
        const parent = path.slice(0, -1).reduce((at, name) => Reflect.get(at, name) as object, broken);
        Reflect.set(parent, path.at(-1) ?? "", value);
        const known = recall(JSON.stringify(broken), "throughput", AT_MS);
        if (known === null) return;
        expect(() => decide(SEEN, known.memory, resolveScalingOptions({}), AT_MS)).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });
});

/** The way to each part of the memory's first level that is always there. */
function pathsOf(): string[][] {
  const always = Object.entries(forgetful()).filter(([, value]) => value !== null);
  return [
    ["v"],
    ["atMs"],
    ["memory"],
    ["starts"],
    ["decision"],
    ...always.map(([name]) => ["memory", "throughput", name]),
  ];
}
