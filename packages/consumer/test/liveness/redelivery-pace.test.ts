/** A batch never waits for messages that cannot come: what is redelivered slows down neither what is new nor itself. */
import { fairNowMs, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { CONSUMER_DEFAULTS, type Handler } from "../../src/index.ts";
import { acknowledge, type Fields, useGroup } from "./group.ts";

const group = useGroup(useServer());

/** How long a consumer with default options takes for messages that are pending under its own name and new ones. */
async function timeFor(
  pending: number,
  fresh: number,
  options: { readonly retryShare?: number; readonly concurrency?: number; readonly prefetch?: number } = {},
): Promise<{ readonly tookMs: number; readonly batches: number; readonly offers: number }> {
  const made = group();
  await made.fill(pending);
  await made.readAs("worker", Math.max(pending, 1));
  await made.fill(fresh);
  const startedMs = fairNowMs();
  const { events } = made.start(acknowledge, { ...options, name: "worker" });
  await made.finish(14_000);
  const tookMs = fairNowMs() - startedMs;
  return { tookMs, batches: events.all("batch").length, offers: made.offers.length };
}

describe("messages pending under the own name beside new ones", () => {
  it.each([
    { pending: 3_000, fresh: 1_000 },
    { pending: 900, fresh: 1_000 },
    { pending: 3_000, fresh: 200 },
    { pending: 200, fresh: 3_000 },
    { pending: 3_000, fresh: 1_000, retryShare: 0.1 },
    { pending: 3_000, fresh: 1_000, retryShare: 0 },
    { pending: 3_000, fresh: 1_000, concurrency: 4 },
    { pending: 3_000, fresh: 1_000, prefetch: 0 },
  ])("are done at a third of the speed of either alone at least (%j)", async ({ pending, fresh, ...options }) => {
    const alone = (await timeFor(pending, 0, options)).tookMs + (await timeFor(0, fresh, options)).tookMs;
    const both = await timeFor(pending, fresh, options);
    expect(both.offers).toBe(pending + fresh);
    // One that is not full may wait for its time at the end, which is no speed.
    expect(both.tookMs).toBeLessThan(3 * alone + CONSUMER_DEFAULTS.maxWaitMs + 1_000);
    expect(both.batches).toBeLessThanOrEqual(3 * Math.ceil((pending + fresh) / 100));
  });
});

describe("a handler that names nothing for a while", () => {
  const silentFor = (batches: number, how: "silent" | "retry" | "throw"): Handler<Fields> => {
    let seen = 0;
    return (batch) => {
      if (seen++ >= batches) return batch.ack();
      // One that succeeds keeps the breaker out of it.
      if (how !== "silent") batch.messages[0]?.ack();
      if (how === "throw") throw new Error("no");
      if (how === "retry") for (const message of batch) message.retry();
      return undefined;
    };
  };

  it.each([
    { concurrency: 1, maxWaitMs: 500 },
    { concurrency: 1, maxWaitMs: 2_000 },
    { concurrency: 3, maxWaitMs: 500 },
  ])("gets them again as fast as one that says retry() (%j)", async (options) => {
    const tookMs = async (how: "silent" | "retry" | "throw"): Promise<number> => {
      const made = group();
      await made.fill(600);
      const started = fairNowMs();
      made.start(silentFor(6, how), { ...options, retry: { baseMs: 200, capMs: 400 } });
      await made.finish(20_000);
      return fairNowMs() - started;
    };
    const retried = await tookMs("retry");
    expect(await tookMs("throw")).toBeLessThan(2 * retried + 2 * options.maxWaitMs);
    expect(await tookMs("silent")).toBeLessThan(2 * retried + 2 * options.maxWaitMs);
  });
});
