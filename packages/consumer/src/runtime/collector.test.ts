import { compareEntryIds, fieldsCodec } from "@redis-batch/core";
import { ManualClock } from "@redis-batch/test-support";
import { describe, expect, it, vi } from "vitest";
import { Message, type MessageKeeper } from "../message.ts";
import { type Collected, Collector, type CollectorPolicy } from "./collector.ts";

type Value = Readonly<Record<string, string>>;

const keeper: MessageKeeper<Value> = {
  codec: fieldsCodec,
  ack: () => {},
  retry: () => {},
  deadLetter: () => {},
};
const policy: CollectorPolicy = {
  batchSize: 4,
  maxBytes: 100,
  maxWaitMs: 500,
  retryShare: 0.5,
  largestBatch: () => 4,
  mayOffer: () => 4,
};

function setUp(changes: Partial<CollectorPolicy> = {}) {
  const clock = new ManualClock();
  const onDemand = vi.fn<() => void>();
  const mayOffer = (): number => changes.batchSize ?? policy.batchSize;
  const collector = new Collector<Value>({ ...policy, mayOffer, ...changes }, clock, onDemand);
  let sequence = 0;
  const messages = (
    count: number,
    options: { readonly bytes?: number; readonly ripeInMs?: number } = {},
  ): Message<Value>[] =>
    Array.from({ length: count }, () => {
      const { bytes = 2, ripeInMs = 0 } = options;
      const entry = { id: `${++sequence}-0`, fields: [Buffer.alloc(1), Buffer.alloc(bytes - 1)] };
      const nowMs = clock.nowMs();
      const times = { arrivedAtMs: nowMs, heldSinceMs: nowMs, ripeAtMs: nowMs + ripeInMs };
      return new Message(entry, { deliveries: 1, ...times, epoch: 1 }, keeper);
    });
  /** Takes a batch and tells what came of it so far. */
  const take = (calledAtMs: number | null = null) => {
    const result: { collected?: readonly string[]; reason?: Collected<Value>["reason"]; error?: unknown } = {};
    const note = async (): Promise<void> => {
      try {
        const { messages: taken, reason } = await collector.take({ calledAtMs });
        result.collected = taken.map(({ id }) => id);
        result.reason = reason;
      } catch (error) {
        result.error = error;
      }
    };
    void note();
    return result;
  };
  return { clock, collector, messages, take, onDemand };
}

describe("Collector", () => {
  it("cuts maxWaitMs after the first message arrived, not after the call", async () => {
    const { clock, collector, messages, take } = setUp();
    const taken = take();
    await clock.advance(10_000);
    collector.addFresh(messages(1), false);
    await clock.advance(499);
    expect(taken).toEqual({});
    await clock.advance(1);
    expect(taken).toEqual({ collected: ["1-0"], reason: "wait" });
  });

  it("counts the wait of a message that was read ahead from its own arrival", async () => {
    const { clock, collector, messages, take } = setUp();
    collector.addFresh(messages(1), false);
    await clock.advance(400);
    const taken = take();
    await clock.advance(99);
    expect(taken).toEqual({});
    await clock.advance(1);
    expect(taken.collected).toEqual(["1-0"]);
  });

  it("counts the wait from the call where the caller wants that, and ends it empty", async () => {
    const { clock, collector, take } = setUp();
    collector.watching(true);
    const taken = take(clock.nowMs());
    await clock.advance(499);
    expect(taken).toEqual({});
    await clock.advance(1);
    expect(taken).toEqual({ collected: [], reason: "wait" });
  });

  it("does not say that there is nothing before the stream was looked at", async () => {
    const { clock, collector, messages, take } = setUp();
    const taken = take(clock.nowMs());
    expect(collector.mustLook).toBe(true);
    await clock.advance(999);
    expect(taken).toEqual({});
    collector.addFresh(messages(1), false);
    await clock.settle();
    expect(taken).toEqual({ collected: ["1-0"], reason: "wait" });
  });

  it("does not keep a caller waiting for a look that failed", async () => {
    const { clock, collector, take } = setUp();
    const taken = take(clock.nowMs());
    await clock.advance(600);
    collector.lookFailed();
    await clock.settle();
    expect(taken).toEqual({ collected: [], reason: "wait" });
  });

  it("waits a second for a look that does not come, and for no longer than its own time where that is more", async () => {
    const { clock, take } = setUp();
    const taken = take(clock.nowMs());
    await clock.advance(999);
    expect(taken).toEqual({});
    await clock.advance(1);
    expect(taken).toEqual({ collected: [], reason: "wait" });
    const patient = setUp({ maxWaitMs: 5_000 });
    const late = patient.take(patient.clock.nowMs());
    await patient.clock.advance(5_000);
    expect(late).toEqual({ collected: [], reason: "wait" });
  });

  it("hands out what came again after that second, where it is the new ones' turn and nobody can look", async () => {
    const { clock, collector, messages, take } = setUp();
    collector.addRedelivered(messages(4));
    collector.addFresh([], false);
    const first = take();
    collector.lookFailed();
    await clock.settle();
    expect(first.collected).toHaveLength(4);
    collector.addRedelivered(messages(4));
    const second = take();
    await clock.advance(999);
    expect(second).toEqual({});
    await clock.advance(1);
    expect(second.collected).toHaveLength(4);
  });

  it("cuts at the size and keeps the rest", async () => {
    const { clock, collector, messages, take } = setUp();
    const taken = take();
    collector.addFresh(messages(6), false);
    await clock.settle();
    expect(taken).toEqual({ collected: ["1-0", "2-0", "3-0", "4-0"], reason: "entries" });
    expect(collector.fresh.messages).toBe(2);
  });

  it("cuts at the bytes, and lets a message through that is larger than them", async () => {
    const { clock, collector, messages, take } = setUp({ batchSize: 100 });
    const first = take();
    collector.addFresh(messages(5, { bytes: 40 }), true);
    await clock.settle();
    expect(first).toEqual({ collected: ["1-0", "2-0"], reason: "bytes" });
    const second = take();
    await clock.settle();
    expect(second).toEqual({ collected: ["3-0", "4-0"], reason: "bytes" });
    collector.addFresh(messages(1, { bytes: 500 }), true);
    const third = take();
    await clock.settle();
    expect(third).toEqual({ collected: ["5-0"], reason: "bytes" });
    const fourth = take();
    await clock.settle();
    expect(fourth).toEqual({ collected: ["6-0"], reason: "bytes" });
    expect(collector.fresh).toEqual({ messages: 0, bytes: 0 });
  });

  it.each([0, 60_000])(
    "lets redelivered messages that fill the bytes and new ones take turns (ripe in %i ms)",
    async (ripeInMs) => {
      const { clock, collector, messages, take } = setUp();
      collector.addFresh(messages(3, { bytes: 50 }), true);
      const fresh: string[] = [];
      for (let batch = 0; batch < 6; batch++) {
        collector.addRedelivered(messages(1, { bytes: 90, ripeInMs }));
        const taken = take();
        await clock.settle();
        fresh.push(...(taken.collected ?? []).filter((id) => ["1-0", "2-0", "3-0"].includes(id)));
      }
      expect(fresh).toEqual(["1-0", "2-0", "3-0"]);
    },
  );

  it("makes no batch of nothing but what was just returned, though it fills the bytes", async () => {
    const { clock, collector, messages, take } = setUp();
    collector.addRedelivered(messages(1, { bytes: 90, ripeInMs: 60_000 }));
    collector.addFresh(messages(1, { bytes: 50 }), true);
    const taken = take();
    await clock.settle();
    expect(taken).toEqual({ collected: ["2-0"], reason: "bytes" });
  });

  it("serves several callers in the order they came", async () => {
    const { clock, collector, messages, take } = setUp();
    const [first, second] = [take(), take()];
    expect(collector.wanted).toBe(2);
    collector.addFresh(messages(8), false);
    await clock.settle();
    expect(first.collected).toEqual(["1-0", "2-0", "3-0", "4-0"]);
    expect(second.collected).toEqual(["5-0", "6-0", "7-0", "8-0"]);
  });

  it("puts redelivered messages between the new ones by id, at most their share while more is waiting", async () => {
    const { clock, collector, messages, take } = setUp();
    const again = messages(3);
    const fresh = messages(4);
    collector.addRedelivered(again.toReversed());
    collector.addFresh(fresh, true);
    const taken = take();
    await clock.settle();
    expect(taken.collected).toHaveLength(4);
    expect(taken.collected?.toSorted(compareEntryIds)).toEqual(taken.collected);
    expect(collector.redelivered).toEqual({ messages: 1, bytes: 2 });
  });

  it("holds back what was just returned until it is ripe, without a new message to accompany", async () => {
    const { clock, collector, messages, take } = setUp({ maxWaitMs: 10 });
    collector.watching(true);
    collector.addFresh([], false);
    collector.watching(true);
    collector.addRedelivered(messages(1, { ripeInMs: 1_000 }));
    const early = take(clock.nowMs());
    await clock.advance(10);
    expect(early).toEqual({ collected: [], reason: "wait" });
    const late = take();
    await clock.advance(989);
    expect(late).toEqual({});
    await clock.advance(1);
    expect(late.collected).toEqual(["1-0"]);
  });

  it("lets what stayed behind go next, once new messages went out in between", async () => {
    const { clock, collector, messages, take } = setUp();
    collector.addRedelivered(messages(4, { ripeInMs: 60_000 }));
    collector.addFresh(messages(4), true);
    const first = take();
    await clock.settle();
    expect(first.collected).toHaveLength(4);
    collector.addFresh([], false);
    const second = take();
    await clock.advance(500);
    expect(second.collected).toHaveLength(4);
  });

  it("hands every caller an empty batch when it drains, and keeps what it has for giving back", async () => {
    const { clock, collector, messages, take } = setUp();
    collector.addFresh(messages(2), false);
    const waiting = take();
    collector.drain();
    const afterwards = take();
    await clock.settle();
    expect(waiting).toEqual({ collected: [], reason: "draining" });
    expect(afterwards).toEqual({ collected: [], reason: "draining" });
    expect(collector.fresh.messages).toBe(2);
    expect(clock.pending).toBe(0);
  });

  it("rejects every caller when the consumer has failed", async () => {
    const { clock, collector, take } = setUp();
    const waiting = take();
    const failure = new Error("no rights");
    collector.fail(failure);
    await clock.settle();
    expect(waiting.error).toBe(failure);
  });

  it("asks for more when a caller comes, and when a batch goes", async () => {
    const { clock, collector, messages, take, onDemand } = setUp();
    take();
    expect(onDemand).toHaveBeenCalledTimes(1);
    collector.addFresh(messages(4), false);
    await clock.settle();
    expect(onDemand).toHaveBeenCalledTimes(2);
  });

  it("forgets a caller who gave up, and keeps no timer for him", async () => {
    const { clock, collector, messages } = setUp();
    const aborter = new AbortController();
    const taking = collector.take({ calledAtMs: null, signal: aborter.signal });
    collector.addFresh(messages(1), false);
    aborter.abort(new Error("enough"));
    await expect(taking).rejects.toThrow("enough");
    expect(collector.wanted).toBe(0);
    expect(clock.pending).toBe(0);
    expect(collector.fresh.messages).toBe(1);
  });
});
