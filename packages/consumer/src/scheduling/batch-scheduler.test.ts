import { ConnectionError } from "@redis-batch/core";
import { ManualClock } from "@redis-batch/test-support";
import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { makeChunk, makeMessage } from "../../test/make-messages.ts";
import { makeScope } from "../../test/make-scope.ts";
import { takeFrom } from "../../test/take-from.ts";
import type { BatchPolicy } from "../decisions/next-batch.ts";
import { BatchScheduler } from "./batch-scheduler.ts";
import { type Collected, WaitingCalls } from "./waiting-calls.ts";

type Value = Readonly<Record<string, string>>;

const policy: BatchPolicy = { batchSize: 4, maxBytes: 100, maxWaitMs: 500, retryShare: 0.5 };
const LOOK_MS = 3_000;

/** A scheduler whose server answers when the test says so. */
function setUp(
  changes: Partial<BatchPolicy> = {},
  released = { isWanted: () => false, take: () => Promise.resolve() },
) {
  const clock = new ManualClock();
  const onDemand = vi.fn<() => void>();
  const reader = { sent: 0, looks: 0, look: () => void reader.looks++ };
  const scope = makeScope({
    policy: { ...policy, maxDeliveries: Number.POSITIVE_INFINITY, blockMs: LOOK_MS - 1_000, ...changes },
    clock,
  });
  const { held } = scope;
  scope.signals.roomChanged.listen(onDemand);
  const waiting = new WaitingCalls(scope);
  const scheduler = new BatchScheduler(scope, {
    waiting,
    intake: { gate: () => ({ isPaused: false, limit: 10_000 }), offered: () => {}, prefersNew: false, stop: () => {} },
    sources: {
      released: { ...released, expire: () => {} },
      deferred: {
        ...{ areComing: () => false, areWanted: () => false },
        ...{ readDue: () => Promise.resolve(), readSuspect: () => Promise.resolve() },
      },
      reader,
    },
  });
  let sequence = 0;
  const make = (count: number, { bytes = 2, deliveries = 1, ripeInMs = 0 } = {}) =>
    Array.from({ length: count }, () => {
      const atMs = clock.nowMs();
      return makeMessage(`${++sequence}-0`, { bytes, deliveries, atMs, ripeAtMs: atMs + ripeInMs });
    });
  /** What one read brings; `more`: the stream may have more. */
  const read = (count: number, more = false, bytes = 2): void => {
    const ids = Array.from({ length: count }, () => `${++sequence}-0`);
    const chunk = makeChunk(ids, { bytes, atMs: clock.nowMs() });
    held.admitRead(chunk);
    held.lineUpRead(chunk);
    waiting.readEnded(++reader.sent, more);
  };
  const comeAgain = (
    count: number,
    options: { readonly bytes?: number; readonly ripeInMs?: number } = {},
  ): string[] => {
    const messages = make(count, { deliveries: 2, ...options });
    for (const message of messages) held.admit(message);
    held.lineUpDue(messages);
    scheduler.decide();
    return messages.map(({ id }) => id);
  };
  /** Takes a batch and tells what has come of it so far. */
  const take = (calledAtMs: number | null = null, signal?: AbortSignal) => {
    const result: { ids?: readonly string[]; reason?: Collected<Value>["reason"]; error?: unknown } = {};
    const mode = calledAtMs === null ? "loop" : "fetch";
    const note = async (): Promise<void> => {
      try {
        const { messages, reason } = await takeFrom(scheduler, { mode, calledAtMs, signal });
        result.ids = messages.map(({ id }) => id);
        result.reason = reason;
      } catch (error) {
        result.error = error;
      }
    };
    void note();
    return result;
  };
  return { clock, held, waiting, scheduler, reader, onDemand, read, comeAgain, take };
}

describe("BatchScheduler", () => {
  it("cuts maxWaitMs after the first message arrived, not after the call, also when it was read ahead", async () => {
    const { clock, read, take } = setUp();
    const first = take();
    await clock.advance(10_000);
    read(1);
    await clock.advance(499);
    expect(first).toEqual({});
    await clock.advance(1);
    expect(first).toEqual({ ids: ["1-0"], reason: "wait" });
    read(1);
    await clock.advance(400);
    const second = take();
    await clock.advance(99);
    expect(second).toEqual({});
    await clock.advance(1);
    expect(second.ids).toEqual(["2-0"]);
  });

  it("says that there is nothing only after a read that was sent after the call", async () => {
    const { clock, waiting, reader, read, take } = setUp();
    reader.sent = 1;
    const taken = take(clock.nowMs());
    // The answer to a read that was on its way says nothing of what has come since.
    waiting.readEnded(1, false);
    await clock.advance(500);
    expect([taken, reader.looks, waiting.mustLook]).toEqual([{}, 1, true]);
    reader.sent = 1;
    read(0);
    await clock.settle();
    expect(taken).toEqual({ ids: [], reason: "wait" });
    expect(waiting.mustLook).toBe(false);
  });

  it("refuses a call when the look failed, with the reason, and when nobody answered it in time", async () => {
    const { clock, waiting, reader, take } = setUp();
    const failed = take(clock.nowMs());
    await clock.advance(500);
    waiting.readFailed(++reader.sent, new Error("the server is away"));
    await clock.settle();
    expect(ConnectionError.is(failed.error)).toBe(true);
    expect(String(failed.error)).toContain("the server is away");
    const silent = take(clock.nowMs());
    await clock.advance(500 + LOOK_MS - 1);
    expect(silent).toEqual({});
    await clock.advance(1);
    expect(ConnectionError.is(silent.error)).toBe(true);
  });

  it("waits for a silent server once, also where it has waited for other answers first", async () => {
    const { clock, take } = setUp({}, { isWanted: () => true, take: () => new Promise(() => {}) });
    const silent = take(clock.nowMs());
    await clock.advance(500 + LOOK_MS);
    expect(ConnectionError.is(silent.error)).toBe(true);
  });

  it("cuts at the size and at the bytes, keeps the rest, and lets a message through that is larger than them", async () => {
    const { clock, held, read, take } = setUp();
    const full = take();
    read(6);
    await clock.settle();
    expect(full).toEqual({ ids: ["1-0", "2-0", "3-0", "4-0"], reason: "entries" });
    const large = [take(), take(), take(), take()];
    read(3, true, 99);
    await clock.settle();
    expect(large.map(({ ids, reason }) => [ids, reason])).toEqual([
      [["5-0", "6-0"], "bytes"],
      [["7-0"], "bytes"],
      [["8-0"], "bytes"],
      // It alone does not fill them, and the stream may have more.
      [undefined, undefined],
    ]);
    const larger = take();
    read(1, true, 500);
    await clock.settle();
    expect([large[3]?.ids, larger]).toEqual([["9-0"], { ids: ["10-0"], reason: "bytes" }]);
    expect(held.fresh).toEqual({ messages: 0, bytes: 0 });
  });

  it.each([0, 60_000])(
    "lets redelivered messages that fill the bytes and new ones take turns (ripe in %i ms)",
    async (ripeInMs) => {
      const { clock, read, comeAgain, take } = setUp();
      read(3, true, 50);
      const fresh: string[] = [];
      for (let batch = 0; batch < 6; batch++) {
        comeAgain(1, { bytes: 90, ripeInMs });
        const taken = take();
        await clock.settle();
        fresh.push(...(taken.ids ?? []).filter((id) => ["1-0", "2-0", "3-0"].includes(id)));
      }
      expect(fresh).toEqual(["1-0", "2-0", "3-0"]);
    },
  );

  it("holds back what was just returned until it is ripe, and lets what stayed behind go once new ones went out", async () => {
    const { clock, read, comeAgain, take } = setUp();
    read(0);
    comeAgain(1, { ripeInMs: 1_000 });
    const alone = take();
    await clock.advance(999);
    expect(alone).toEqual({});
    await clock.advance(1);
    expect(alone.ids).toEqual(["1-0"]);
    comeAgain(4, { ripeInMs: 60_000 });
    read(4, true);
    const mixed = take();
    await clock.settle();
    expect(mixed.ids).toHaveLength(4);
    read(0);
    const rest = take();
    await clock.advance(500);
    expect(rest.ids).toHaveLength(4);
  });

  it("serves several callers in the order they came, and asks for more at each call and each batch", async () => {
    const { clock, waiting, read, take, onDemand } = setUp();
    const [first, second] = [take(), take()];
    expect(waiting.wanted).toBe(2);
    expect(onDemand).toHaveBeenCalledTimes(2);
    read(8);
    await clock.settle();
    expect([first.ids?.[0], second.ids?.[0]]).toEqual(["1-0", "5-0"]);
    expect(onDemand).toHaveBeenCalledTimes(4);
  });

  it("hands every caller an empty batch when it drains, and keeps what it has for releasing", async () => {
    const { clock, held, scheduler, read, take } = setUp();
    read(2);
    const waiting = take();
    scheduler.drain();
    const afterwards = take();
    await clock.settle();
    expect(waiting).toEqual({ ids: [], reason: "draining" });
    expect(afterwards).toEqual({ ids: [], reason: "draining" });
    expect(held.fresh.messages).toBe(2);
    expect(clock.pending).toBe(0);
  });

  it("rejects every caller when the consumer has failed", async () => {
    const { clock, scheduler, take } = setUp();
    const waiting = take();
    const failure = new Error("no rights");
    scheduler.fail(failure);
    await clock.settle();
    expect(waiting.error).toBe(failure);
  });

  it("forgets a caller who gave up, keeps no timer for him, and serves the next", async () => {
    const { clock, held, waiting, read, take } = setUp();
    const aborter = new AbortController();
    const first = take(null, aborter.signal);
    read(1);
    aborter.abort(new Error("enough"));
    await clock.settle();
    expect(String(first.error)).toContain("enough");
    expect([waiting.wanted, clock.pending, held.fresh.messages]).toEqual([0, 0, 1]);
    const second = take();
    await clock.advance(500);
    expect(second.ids).toEqual(["1-0"]);
  });

  it("hands new messages out in stream order across batches, however many are redelivered between them", async () => {
    const anyStep = fc.record({
      isNew: fc.boolean(),
      count: fc.integer({ min: 0, max: 7 }),
      bytes: fc.integer({ min: 2, max: 60 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 25 }), async (steps) => {
        const { clock, held, read, comeAgain, take } = setUp();
        const again = new Set<string>();
        const offered: string[] = [];
        let taken: ReturnType<typeof take> = { ids: [] };
        const step = async (ms: number): Promise<void> => {
          if (taken.ids !== undefined) {
            offered.push(...taken.ids);
            taken = take();
          }
          await clock.advance(ms);
        };
        for (const { isNew, count, bytes } of steps) {
          if (isNew) read(count, false, bytes);
          else for (const id of comeAgain(count, { bytes })) again.add(id);
          await step(100);
        }
        while (held.fresh.messages + held.due.messages > 0) await step(500);
        await step(500);
        const fresh = offered.filter((id) => !again.has(id)).map((id) => Number(id.split("-")[0]));
        expect(fresh).toEqual(fresh.toSorted((left, right) => left - right));
        expect(new Set(offered).size).toBe(offered.length);
      }),
    );
  });
});
