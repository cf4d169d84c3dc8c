import { EventRecorder, ManualClock } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import type { ConsumerEvent } from "../events.ts";
import { LoopWatch } from "./loop-watch.ts";

const leaseMs = 60_000;

function open() {
  const manual = new ManualClock();
  const events = new EventRecorder<ConsumerEvent>();
  let blockedMs = 0;
  const clock = {
    nowMs: () => manual.nowMs() + blockedMs,
    setTimer: (delayMs: number, callback: () => void) => manual.setTimer(delayMs, callback),
  };
  const watch = new LoopWatch({ policy: { leaseMs }, clock, report: events.observe });
  watch.start();
  /** The event loop is blocked for this long, and then runs for two seconds. */
  const block = async (ms: number): Promise<void> => {
    blockedMs += ms;
    await manual.advance(2_000);
  };
  return { manual, events, watch, block };
}

describe("LoopWatch", () => {
  it("says nothing about delays of up to a sixth of the lease", async () => {
    const { events, block } = open();
    for (let round = 0; round < 10; round++) await block(leaseMs / 6);
    expect(events.events).toEqual([]);
  });

  it("reports how long the event loop was blocked when it was longer", async () => {
    const { events, block } = open();
    await block(leaseMs / 6 + 1);
    expect(events.events).toEqual([{ type: "eventLoopDelayed", delayMs: leaseMs / 6 + 1 }]);
  });

  it("tells once per lease, of the worst delay since", async () => {
    const { manual, events, block } = open();
    await block(11_000);
    await block(15_000);
    await block(12_000);
    expect(events.all("eventLoopDelayed")).toEqual([{ type: "eventLoopDelayed", delayMs: 11_000 }]);
    await manual.advance(leaseMs);
    expect(events.all("eventLoopDelayed").map(({ delayMs }) => delayMs)).toEqual([11_000, 15_000]);
    await manual.advance(10 * leaseMs);
    expect(events.all("eventLoopDelayed")).toHaveLength(2);
  });

  it("leaves no timer behind", () => {
    const { manual, watch } = open();
    watch.stop();
    expect(manual.pending).toBe(0);
  });
});
