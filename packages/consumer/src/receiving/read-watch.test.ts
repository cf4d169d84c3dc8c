import { EventRecorder, ManualClock } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { makeScope } from "../../test/make-scope.ts";
import type { StreamEvent } from "../events.ts";
import { ReadWatch } from "./read-watch.ts";

const refusal = { code: "SERVER_STATE", message: "xreadgroup: LOADING" } as const;

/** A watch over reads that wait for two seconds at most: silence is a stall after twelve. */
function open() {
  const manual = new ManualClock();
  const events = new EventRecorder<StreamEvent>();
  let blockedMs = 0;
  const clock = {
    nowMs: () => manual.nowMs() + blockedMs,
    setTimer: (delayMs: number, callback: () => void) => manual.setTimer(delayMs, callback),
  };
  const watch = new ReadWatch(makeScope({ policy: { blockMs: 2_000 }, clock, report: events.observe }));
  /** Time passes in which no timer of this process goes off. */
  const block = (ms: number): void => {
    blockedMs += ms;
  };
  return { manual, events, watch, block };
}

describe("ReadWatch", () => {
  it("tells once of a stall, with the last refusal, and once of its end", async () => {
    const { manual, events, watch } = open();
    watch.begin();
    watch.failed(refusal);
    await manual.advance(11_999);
    expect(events.events).toEqual([]);
    expect(watch.isStalled).toBe(false);
    await manual.advance(1);
    expect(events.events).toEqual([{ type: "readStalled", silentMs: 12_000, error: refusal }]);
    expect(watch.isStalled).toBe(true);
    watch.failed(refusal);
    await manual.advance(100_000);
    expect(events.all("readStalled")).toHaveLength(1);
    watch.answered();
    watch.answered();
    expect(events.all("readStallEnded")).toEqual([{ type: "readStallEnded", stalledMs: 112_000 }]);
    expect(watch.isStalled).toBe(false);
  });

  it("reports the next stall as well", async () => {
    const { manual, events, watch } = open();
    watch.begin();
    await manual.advance(12_000);
    watch.answered();
    await manual.advance(11_999);
    expect(events.all("readStalled")).toHaveLength(1);
    await manual.advance(1);
    expect(events.all("readStalled")).toEqual([
      { type: "readStalled", silentMs: 12_000, error: null },
      { type: "readStalled", silentMs: 12_000, error: null },
    ]);
  });

  it("forgets a refusal after which there was an answer", async () => {
    const { manual, events, watch } = open();
    watch.begin();
    watch.failed(refusal);
    await manual.advance(5_000);
    watch.answered();
    await manual.advance(12_000);
    expect(events.events).toEqual([{ type: "readStalled", silentMs: 12_000, error: null }]);
  });

  it("says nothing while answers come, however many attempts fail between them", async () => {
    const { manual, events, watch } = open();
    watch.begin();
    for (let round = 0; round < 20; round++) {
      await manual.advance(6_000);
      watch.failed(refusal);
      await manual.advance(5_000);
      watch.answered();
      watch.begin();
    }
    expect(events.events).toEqual([]);
  });

  it("takes no rest for a stall, and counts from the end of the rest", async () => {
    const { manual, events, watch } = open();
    watch.begin();
    await manual.advance(11_000);
    watch.rest();
    expect(manual.pending).toBe(0);
    await manual.advance(1_000_000);
    watch.begin();
    await manual.advance(11_999);
    expect(events.events).toEqual([]);
    await manual.advance(1);
    expect(events.all("readStalled")).toHaveLength(1);
  });

  it("reports one stall, not two, when there was a rest in its middle", async () => {
    const { manual, events, watch } = open();
    watch.begin();
    await manual.advance(12_000);
    watch.rest();
    await manual.advance(60_000);
    watch.begin();
    await manual.advance(60_000);
    watch.answered();
    expect(events.events.map(({ type }) => type)).toEqual(["readStalled", "readStallEnded"]);
  });

  it("does not blame the server when this process was blocked: its answer may be there, unread", async () => {
    const { manual, events, watch, block } = open();
    watch.begin();
    block(60_000);
    await manual.advance(12_000);
    expect(events.events).toEqual([]);
    watch.answered();
    await manual.advance(11_999);
    expect(events.events).toEqual([]);
  });

  it("reports a stall all the same when no answer was there after the process had been blocked", async () => {
    const { manual, events, watch, block } = open();
    watch.begin();
    block(60_000);
    await manual.advance(12_500);
    expect(events.all("readStalled")).toHaveLength(1);
  });
});
