/** What is said of a message that was made ends as what is said of one that a consumer holds. */
import { type Batch, Consumer, type ConsumerEvent, type Handler, type Settlement } from "@redis-batch/consumer";
import { compareEntryIds } from "@redis-batch/core";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { EventRecorder, ManualClock, makeBatch, makeMessage, memoryRedis, runHandler } from "./index.ts";

const MOST = 4;
const name = fc.integer({ min: 0, max: MOST - 1 });
const call = fc.record({ of: name, say: fc.constantFrom("ack", "retry", "deadLetter", "all") });
/** Up to 5 s it is deferred in memory, beyond that in Redis. */
const delay = fc.constantFrom(undefined, 0, 1_000, 60_000);
const returned = fc.constantFrom(undefined, { ack: "rest" } as const, { retry: "rest" } as const);

/** A consumer ends the batch when the handler returns: what has no outcome then is redelivered. */
const ended = async (batch: Batch): Promise<Settlement> => {
  const end = await batch.settled();
  return { ...end, retried: [...end.retried, ...end.open].toSorted(compareEntryIds), open: [] };
};

test("the same words lead to the same ends", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(call, { maxLength: 8 }), delay, returned, async (calls, delayMs, outcome) => {
      const batches: Batch[] = [];
      const handler: Handler = (batch) => {
        batches.push(batch);
        for (const { of, say } of calls) {
          const message = batch.messages[of];
          if (say === "all") batch.ack();
          else if (say === "retry") message?.retry({ delayMs });
          else if (say === "ack") message?.ack();
          else message?.deadLetter("no");
        }
        return outcome;
      };

      const clock = new ManualClock();
      const redis = memoryRedis({ clock });
      const events = new EventRecorder<ConsumerEvent>();
      const ids = Array.from({ length: MOST }, (_, n) => redis.add("orders", { n }));
      const target = { redis, stream: "orders", group: "billing" };
      const consumer = new Consumer({ ...target, batchSize: MOST, observer: events.observe });
      const running = consumer.run(handler);
      await clock.advanceUntil(events.waitFor("batchEnded"));
      await clock.advanceUntil(consumer.close());
      await running;
      const made = makeBatch(ids.map((id, n) => makeMessage({ n: String(n) }, { id })));
      await runHandler(handler, made);

      const [held] = batches;
      if (held === undefined) throw new Error("the consumer has called no handler");
      expect(await ended(made)).toEqual(await ended(held));
    }),
    { numRuns: 100 },
  );
});
