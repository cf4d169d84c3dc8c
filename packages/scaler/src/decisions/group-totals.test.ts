import { describe, expect, it } from "vitest";
import type { ObservedConsumer, WorkCounters } from "../observation.ts";
import { countOn, NO_TOTALS, type TotalsMemory } from "./group-totals.ts";

function consumer(name: string, processed: number, incarnation = "1"): ObservedConsumer {
  const counters: WorkCounters = {
    ...{ delivered: processed, batches: processed, processed, busyMs: processed },
    ...{ sizeSquared: processed, sizeTimesBusyMs: processed, busyMsSquared: processed },
  };
  return { name, incarnation, batchSize: 10, concurrency: 1, counters };
}

/** Looks every minute; what is processed in all after each look. */
function watch(...looks: readonly (readonly ObservedConsumer[])[]): number[] {
  let memory: TotalsMemory = NO_TOTALS;
  return looks.map((consumers, look) => {
    memory = countOn(memory, consumers, look === 0, look * 60_000);
    return memory.totals.processed;
  });
}

describe("countOn", () => {
  it("begins at 0, however much was done before the first look", () => {
    expect(watch([consumer("a", 1_000)], [consumer("a", 1_010)])).toEqual([0, 10]);
  });

  it("does not jump when a consumer leaves", () => {
    expect(watch([consumer("a", 100), consumer("b", 50)], [consumer("a", 110)], [consumer("a", 120)])).toEqual([
      0, 10, 20,
    ]);
  });

  it("counts a new consumer from its beginning", () => {
    expect(watch([consumer("a", 100)], [consumer("a", 100), consumer("b", 7)])).toEqual([0, 7]);
  });

  it("goes on where a process was replaced under the same name", () => {
    expect(watch([consumer("a", 100)], [consumer("a", 5, "2")], [consumer("a", 6, "2")])).toEqual([0, 5, 6]);
  });

  it("goes on where a consumer was silent for a while", () => {
    expect(watch([consumer("a", 100)], [], [], [consumer("a", 130)])).toEqual([0, 0, 0, 30]);
  });

  it("leaves out those that do not tell", () => {
    expect(watch([{ ...consumer("a", 100), counters: null }], [consumer("b", 3)])).toEqual([0, 3]);
  });
});
