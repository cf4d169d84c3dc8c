import { deferred, ManualClock } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { Loop, type LoopOptions, type NextPassInMs } from "./loop.ts";

/** A loop of which each pass says the same, until the test says otherwise; and when its passes were. */
function open(onError: LoopOptions["onError"] = () => "end") {
  const clock = new ManualClock();
  const passes: number[] = [];
  const next: { inMs: NextPassInMs; error: Error | undefined } = { inMs: 100, error: undefined };
  const beganAtMs = clock.nowMs();
  const loop = new Loop(clock, {
    pass: async () => {
      passes.push(clock.nowMs() - beganAtMs);
      if (next.error !== undefined) throw next.error;
      return next.inMs;
    },
    onError,
  });
  return { clock, loop, passes, next };
}

describe("Loop", () => {
  it("makes a pass each time its wait is over, the first one when it is told to", async () => {
    const { clock, loop, passes } = open();
    loop.start(30);
    loop.start(0);
    await clock.advance(250);
    expect(passes).toEqual([30, 130, 230]);
    await loop.stop();
    expect(clock.pending).toBe(0);
  });

  it("makes the next pass at once when it is notified, and waits for nothing else where there is no time", async () => {
    const { clock, loop, passes, next } = open();
    next.inMs = null;
    loop.start();
    await clock.advance(1_000);
    loop.notify();
    await clock.advance(1_000);
    expect(passes).toEqual([0, 1_000]);
    await loop.stop();
  });

  it("keeps a notification that comes during a pass", async () => {
    const { clock, loop, passes, next } = open();
    next.inMs = null;
    loop.start();
    loop.notify();
    await clock.settle();
    expect(passes).toEqual([0, 0]);
    await loop.stop();
  });

  it("tries again after an error when it is told to, however often it is notified until then", async () => {
    const errors: unknown[] = [];
    const onError = (error: unknown): number => errors.push(error) * 200;
    const { clock, loop, passes, next } = open(onError);
    next.error = new Error("away");
    loop.start();
    await clock.advance(50);
    loop.notify();
    await clock.advance(200);
    next.error = undefined;
    await clock.advance(400);
    // The notification is kept: what it was about may have come after the last pass had looked.
    expect(passes).toEqual([0, 200, 600, 600]);
    expect(errors).toHaveLength(2);
    await loop.stop();
  });

  it("ends with an error that no repetition can help, and when it is stopped, in the middle of a wait or not", async () => {
    const failed = open();
    failed.next.error = new Error("no rights");
    failed.loop.start();
    await failed.clock.advance(1_000);
    expect(failed.passes).toEqual([0]);
    await failed.loop.stop();

    const waiting = open(() => 60_000);
    waiting.next.error = new Error("away");
    waiting.loop.start();
    await waiting.clock.settle();
    await waiting.loop.stop();
    waiting.loop.notify();
    await waiting.clock.advance(100_000);
    expect(waiting.passes).toEqual([0]);
    expect(waiting.loop.isRunning).toBe(false);
    expect(waiting.clock.pending).toBe(0);
  });

  it("has ended when its last pass has, and says by which error", async () => {
    const pass = deferred<null>();
    const clock = new ManualClock();
    const working = new Loop(clock, { pass: () => pass.promise });
    working.start();
    let isOver = false;
    const ended = working.ended.then(() => (isOver = true));
    void working.stop();
    await clock.advance(10_000);
    expect(isOver).toBe(false);
    pass.resolve(null);
    await ended;

    const error = new Error("never");
    const failed = new Loop(clock, {
      pass: () => {
        throw error;
      },
      onError(thrown) {
        throw thrown;
      },
    });
    failed.start();
    await expect(failed.ended).rejects.toBe(error);
    await expect(failed.stop()).rejects.toBe(error);
  });

  it("takes no error for one that comes of being stopped", async () => {
    const pass = deferred<null>();
    const told: unknown[] = [];
    const loop = new Loop(new ManualClock(), {
      pass: () => pass.promise,
      onError: (error) => {
        told.push(error);
        return "end";
      },
    });
    loop.start();
    const stopped = loop.stop();
    pass.reject(new Error("cut off"));
    await stopped;
    expect(told).toEqual([]);
  });

  it("makes no pass when it was stopped before it was started", async () => {
    const { clock, loop, passes } = open();
    await loop.stop();
    loop.start();
    await loop.ended;
    await clock.advance(1_000);
    expect(passes).toEqual([]);
  });
});
