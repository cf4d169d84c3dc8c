/** What is said of a message that was made ends as what is said of one that a consumer holds. */
import { Consumer, type Handler, type Settlement } from "@redis-batch/consumer";
import { compareEntryIds } from "@redis-batch/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ManualClock, makeBatch, makeMessage, memoryRedis, runHandler } from "./index.ts";

const MOST = 4;
const name = fc.integer({ min: 0, max: MOST - 1 });
const call = fc.record({ of: name, say: fc.constantFrom("ack", "retry", "deadLetter", "all") });
const returned = fc.constantFrom(undefined, { ack: "rest" } as const, { retry: "rest" } as const);

test("the same words lead to the same ends", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(call, { maxLength: 8 }), returned, async (calls, outcome) => {
      const ends: Settlement[] = [];
      let noteEnd = (): void => {};
      const noted = new Promise<void>((resolve) => {
        noteEnd = resolve;
      });
      const handler: Handler = (batch) => {
        for (const { of, say } of calls) {
          const message = batch.messages[of];
          if (say === "all") batch.ack();
          else if (say === "retry") message?.retry({ delayMs: 60_000 });
          else if (say === "ack") message?.ack();
          else message?.deadLetter("no");
        }
        void Promise.resolve()
          .then(() => batch.settled())
          .then((end) => {
            // A consumer ends the batch when the handler returns: what has no outcome then comes again.
            ends.push({ ...end, retried: [...end.retried, ...end.open].toSorted(compareEntryIds), open: [] });
            noteEnd();
          });
        return outcome;
      };

      const clock = new ManualClock();
      const redis = memoryRedis({ clock });
      const ids = Array.from({ length: MOST }, (_, n) => redis.add("orders", { n }));
      const consumer = new Consumer({ redis, stream: "orders", group: "billing", batchSize: MOST, observer: () => {} });
      const running = consumer.run(handler);
      await clock.advanceUntil(noted);
      await clock.advanceUntil(consumer.close());
      await running;

      await runHandler(handler, makeBatch(ids.map((id, n) => makeMessage({ n: String(n) }, { id }))));
      await clock.settle();
      expect(ends).toHaveLength(2);
      expect(ends[1]).toEqual(ends[0]);
    }),
    { numRuns: 100 },
  );
});
