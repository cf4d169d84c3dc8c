/** Messages that always fail and are all that is left: how long it takes until they are in the dead letters. */
import { groupKey } from "@redis-batch/core/internal/names";
import { describe, expect, it } from "vitest";
import { openInMemory } from "../test/memory-bench.ts";

const retry = { baseMs: 20, capMs: 500 };
const options = { retry, maxDeliveries: 8, maxOutageMs: 10_000, batchSize: 50, maxWaitMs: 50, leaseMs: 2_000 };
const poison = (): never => {
  throw new Error("poison");
};

/** What nothing tells from an outage takes its time, and then one try after the other, each at the longest delay. */
const longestMs = (count: number): number => options.maxOutageMs + count * options.maxDeliveries * retry.capMs;

async function openWithPoison(count: number) {
  const bench = await openInMemory(options);
  const { add, other, stream, group } = bench;
  for (let n = 0; n < count; n++) await add(n);
  const deadLettered = async (): Promise<number> => other.xlen({ stream: groupKey("dead", stream, group) });
  return { ...bench, deadLettered };
}

describe("poison that is all that is left", () => {
  it.each([1, 2, 3, 8, 20, 60])(
    "is in the dead letters within an outage and a delay for each delivery (%i)",
    async (count) => {
      const { clock, consumer, deadLettered, pending, close } = await openWithPoison(count);
      const running = consumer.run(poison);
      await clock.advance(longestMs(count));
      expect(await pending()).toEqual([]);
      expect(await deadLettered()).toBe(count);
      await close();
      await running;
    },
  );

  it.each([3, 8, 20])(
    "is there no later when each process is replaced long before it knows: a new one counts again (%i)",
    async (count) => {
      const { clock, open, deadLettered, pending } = await openWithPoison(count);
      const untilMs = clock.nowMs() + longestMs(count);
      while (clock.nowMs() < untilMs && (await deadLettered()) < count) {
        const { consumer } = open();
        const running = consumer.run(poison);
        await clock.advance(options.maxOutageMs / 3);
        const closing = consumer.close();
        await clock.advance(100);
        await closing;
        await running;
      }
      expect(await deadLettered()).toBe(count);
      expect(await pending()).toEqual([]);
    },
  );
});
