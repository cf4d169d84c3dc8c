/** Messages that come one by one: in few reads, and none later than it may be. */
import { describe, expect, it } from "vitest";
import { openInMemory } from "../test/memory-bench.ts";
import type { ConsumerOptions } from "./options.ts";

/** Runs a consumer, and adds this many messages, one each `everyMs` → when each batch was handed over, and its size. */
async function trickle(
  everyMs: number,
  count: number,
  options: Partial<ConsumerOptions<Readonly<Record<string, string>>>>,
) {
  const { clock, events, consumer, add, close } = await openInMemory(options);
  const startMs = clock.nowMs();
  const batches: { readonly atMs: number; readonly messages: readonly string[] }[] = [];
  const running = consumer.run((batch) => {
    batches.push({ atMs: clock.nowMs() - startMs, messages: batch.messages.map(({ fields }) => fields["n"] ?? "") });
    batch.ack();
  });
  await clock.settle();
  for (let n = 0; n < count; n++) {
    await add(n);
    await clock.advance(everyMs);
  }
  await clock.advance(10_000);
  const reads = events.all("read").length;
  await close();
  await running;
  return { batches, reads };
}

describe("messages that trickle in", () => {
  it("fill a batch in a few reads, and in little more than their time", async () => {
    const { batches, reads } = await trickle(1, 100, { batchSize: 100, maxWaitMs: 5_000 });
    expect(batches.map(({ messages }) => messages.length)).toEqual([100]);
    expect(batches[0]?.atMs).toBeLessThanOrEqual(110);
    expect(reads).toBeLessThanOrEqual(12);
  });

  it("go out when the time of the first is over, with all that has come by then", async () => {
    const { batches, reads } = await trickle(10, 60, { batchSize: 100, maxWaitMs: 400 });
    expect(batches[0]?.atMs).toBe(400);
    expect(batches[0]?.messages.at(-1)).toBe("39");
    expect(batches.flatMap(({ messages }) => messages)).toHaveLength(60);
    expect(reads).toBeLessThanOrEqual(40);
  });

  it("each go out at once where no batch is waited for", async () => {
    const { batches } = await trickle(10, 5, { batchSize: 100, maxWaitMs: 0 });
    expect(batches.map(({ atMs }) => atMs)).toEqual([0, 10, 20, 30, 40]);
  });

  it("are read at once when they fill what somebody waits for", async () => {
    const { batches } = await trickle(0, 30, { batchSize: 10, maxWaitMs: 5_000 });
    expect(batches.map(({ atMs, messages }) => [atMs, messages.length])).toEqual([
      [0, 10],
      [0, 10],
      [0, 10],
    ]);
  });

  it("that stop coming leave nobody waiting for longer than the rest of the time", async () => {
    const { batches } = await trickle(1, 50, { batchSize: 100, maxWaitMs: 500 });
    expect(batches.map(({ atMs, messages }) => [atMs, messages.length])).toEqual([[500, 50]]);
  });
});
