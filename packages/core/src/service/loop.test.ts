import { deferred, ManualClock } from "@redis-batch/test-support";
import { describe, expect, test } from "vitest";
import { Loop, type LoopOptions } from "./loop.ts";

/** Rounds that are counted by when they began. */
function create(round: (n: number) => Promise<number | null>, options: Partial<LoopOptions> = {}) {
  const clock = new ManualClock();
  const startedAtMs = clock.nowMs();
  const beganAtMs: number[] = [];
  const loop = new Loop({
    clock,
    onFailure: () => 1_000,
    ...options,
    round() {
      beganAtMs.push(clock.nowMs() - startedAtMs);
      return round(beganAtMs.length);
    },
  });
  return { clock, loop, beganAtMs };
}

describe("a loop", () => {
  test("begins at once, and each further round as long after the last one's end as that said", async () => {
    const { clock, loop, beganAtMs } = create(async (n) => n * 100);
    const end = loop.start();
    expect(beganAtMs).toEqual([0]);
    await clock.advance(600);
    expect(beganAtMs).toEqual([0, 100, 300, 600]);
    await loop.stop();
    await end;
  });

  test("begins later when it is told to", async () => {
    const { clock, loop, beganAtMs } = create(async () => null, { firstInMs: 500 });
    void loop.start();
    await clock.advance(499);
    expect(beganAtMs).toEqual([]);
    await clock.advance(1);
    expect(beganAtMs).toEqual([500]);
    await loop.stop();
  });

  test("takes what woke it before its first round as asking for that round", async () => {
    const { clock, loop, beganAtMs } = create(async () => null);
    loop.wake();
    void loop.start();
    await clock.advance(0);
    expect(beganAtMs).toEqual([0]);
    await loop.stop();
  });

  test("is started once", async () => {
    const { loop, beganAtMs } = create(async () => null);
    expect(loop.start()).toBe(loop.start());
    await loop.stop();
    expect(beganAtMs).toEqual([0]);
  });

  test("begins a round when it is woken, however long there was to wait", async () => {
    const { clock, loop, beganAtMs } = create(async (n) => (n === 1 ? null : 1_000));
    void loop.start();
    await clock.advance(10_000);
    expect(beganAtMs).toEqual([0]);
    loop.wake();
    await clock.advance(400);
    loop.wake();
    await clock.advance(0);
    expect(beganAtMs).toEqual([0, 10_000, 10_400]);
    // The wait that was cut short does not end another time.
    await clock.advance(999);
    expect(beganAtMs).toHaveLength(3);
    await loop.stop();
  });

  test("keeps what woke it during a round for the next one, once", async () => {
    const rounds = [deferred<null>(), deferred<null>()];
    const { clock, loop, beganAtMs } = create((n) => rounds[n - 1]?.promise ?? Promise.resolve(null));
    void loop.start();
    loop.wake();
    loop.wake();
    rounds[0]?.resolve(null);
    await clock.advance(0);
    expect(beganAtMs).toHaveLength(2);
    rounds[1]?.resolve(null);
    await clock.advance(0);
    expect(beganAtMs).toHaveLength(2);
    await loop.stop();
  });

  test("goes on after a failure when it is told to, and counts those in a row", async () => {
    const told: (readonly [string, number])[] = [];
    const { clock, loop, beganAtMs } = create(
      async (n) => {
        if (n !== 3) throw new Error(`round ${n}`);
        return 50;
      },
      {
        onFailure(error, failures) {
          told.push([(error as Error).message, failures]);
          return failures * 1_000;
        },
      },
    );
    void loop.start();
    await clock.advance(3_050);
    expect(beganAtMs).toEqual([0, 1_000, 3_000, 3_050]);
    expect(told).toEqual([
      ["round 1", 1],
      ["round 2", 2],
      ["round 4", 1],
    ]);
    await loop.stop();
  });

  test("ends with what no repetition can fix", async () => {
    const error = new Error("never");
    const { clock, loop, beganAtMs } = create(
      async () => {
        throw error;
      },
      {
        onFailure(thrown) {
          throw thrown;
        },
      },
    );
    await expect(loop.start()).rejects.toBe(error);
    await expect(loop.stop()).rejects.toBe(error);
    await clock.advance(10_000);
    expect(beganAtMs).toEqual([0]);
  });

  test("stops while it waits, and after the round that is under way", async () => {
    const waiting = create(async () => null);
    void waiting.loop.start();
    await waiting.loop.stop();
    const round = deferred<null>();
    const working = create(() => round.promise);
    void working.loop.start();
    let isOver = false;
    const end = working.loop.stop().then(() => (isOver = true));
    await working.clock.advance(10_000);
    expect([isOver, working.loop.isStopped]).toEqual([false, true]);
    round.resolve(null);
    await end;
    expect(working.beganAtMs).toEqual([0]);
  });

  test("a failure that comes of being stopped is none", async () => {
    const round = deferred<null>();
    const told: unknown[] = [];
    const { loop } = create(() => round.promise, {
      onFailure(error) {
        told.push(error);
        return 0;
      },
    });
    void loop.start();
    const end = loop.stop();
    round.reject(new Error("cut off"));
    await end;
    expect(told).toEqual([]);
  });

  test("that was stopped before it was started makes no round", async () => {
    const { loop, beganAtMs } = create(async () => 0);
    await loop.stop();
    await loop.start();
    expect(beganAtMs).toEqual([]);
  });
});
