import { compareEntryIds, fieldsCodec } from "@redis-batch/core";
import { ManualClock } from "@redis-batch/test-support";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Message, type MessageKeeper } from "../message.ts";
import { type Collected, Collector } from "./collector.ts";

type Value = Readonly<Record<string, string>>;

const keeper: MessageKeeper<Value> = { codec: fieldsCodec, ack: () => {}, retry: () => {}, deadLetter: () => {} };
const batchSize = 6;
const maxBytes = 100;
const maxWaitMs = 500;

const sizes = fc.array(fc.integer({ min: 2, max: 120 }), { maxLength: 12 });
const anyStep = fc.oneof(
  fc.record({ kind: fc.constant("fresh" as const), sizes, more: fc.boolean() }),
  fc.record({ kind: fc.constant("again" as const), sizes, ripeInMs: fc.integer({ min: 0, max: 2_000 }) }),
  fc.record({ kind: fc.constant("take" as const) }),
  fc.record({ kind: fc.constant("pass" as const), ms: fc.integer({ min: 0, max: 700 }) }),
);

/** Carries the steps out, then takes until nothing is left → what went in, and the batches that came out. */
async function play(steps: readonly (typeof anyStep extends fc.Arbitrary<infer Step> ? Step : never)[]) {
  const clock = new ManualClock();
  const largestBatch = (deliveries: number): number => Math.max(1, Math.floor(batchSize / 2 ** (deliveries - 1)));
  const policy = { batchSize, maxBytes, maxWaitMs, retryShare: 0.5, largestBatch, mayOffer: () => batchSize };
  const collector = new Collector<Value>(policy, clock, () => {});
  const added: Message<Value>[] = [];
  const batches: Collected<Value>[] = [];
  let sequence = 0;
  let waiting = 0;
  const messages = (given: readonly number[], deliveries: number, ripeInMs: number): Message<Value>[] =>
    given.map((bytes) => {
      const entry = { id: `1-${++sequence}`, fields: [Buffer.alloc(1), Buffer.alloc(bytes - 1)] };
      const nowMs = clock.nowMs();
      const times = { arrivedAtMs: nowMs, heldSinceMs: nowMs, ripeAtMs: nowMs + ripeInMs };
      const arrival = { deliveries, ...times, epoch: 1 };
      return new Message(entry, arrival, keeper);
    });
  const take = async (): Promise<void> => {
    waiting++;
    batches.push(await collector.take({ calledAtMs: null }));
    waiting--;
  };
  for (const step of steps) {
    if (step.kind === "take") {
      void take();
    } else if (step.kind === "pass") {
      await clock.advance(step.ms);
    } else {
      const isFresh = step.kind === "fresh";
      const taken = messages(step.sizes, isFresh ? 1 : 2 + (sequence % 3), isFresh ? 0 : step.ripeInMs);
      added.push(...taken);
      if (isFresh) collector.addFresh(taken, step.more);
      else collector.addRedelivered(taken);
    }
  }
  collector.addFresh([], false);
  while (batches.reduce((count, batch) => count + batch.messages.length, 0) < added.length) {
    if (waiting === 0) void take();
    await clock.advance(maxWaitMs);
  }
  return { added, batches };
}

describe("Collector", () => {
  it("hands out every message once, by id within a batch, and never above size or bytes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 25 }), async (steps) => {
        const { added, batches } = await play(steps);
        const handed = batches.flatMap(({ messages }) => messages.map(({ id }) => id));
        expect(handed.toSorted(compareEntryIds)).toEqual(added.map(({ id }) => id));
        for (const { messages } of batches) {
          const ids = messages.map(({ id }) => id);
          expect(ids).toEqual(ids.toSorted(compareEntryIds));
          expect(messages.length).toBeGreaterThan(0);
          expect(messages.length).toBeLessThanOrEqual(batchSize);
          const bytes = messages.reduce((sum, message) => sum + message.bytes, 0);
          // A message larger than the limit must come through all the same: alone.
          expect(bytes <= maxBytes || messages.length === 1).toBe(true);
        }
      }),
    );
  });

  it("hands new messages out in stream order across batches, however many come again between them", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 25 }), async (steps) => {
        const { batches } = await play(steps);
        const fresh = batches.flatMap(({ messages }) => messages.filter(({ deliveries }) => deliveries === 1));
        expect(fresh.map(({ id }) => id)).toEqual(fresh.map(({ id }) => id).toSorted(compareEntryIds));
      }),
    );
  });
});
