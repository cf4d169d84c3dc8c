import { eventually, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import type { ConsumerOptions, RateLimit } from "../src/index.ts";
import { numbers, range, useBench, useClient } from "./harness.ts";

const redis = useServer();
const makeBench = useBench(redis);
const client = useClient(redis);

const QUICK: Partial<ConsumerOptions> = { leaseMs: 1_000, batchSize: 5, maxWaitMs: 10 };

/** A stream, and what its consumers were offered, and when. */
function bench() {
  const made = makeBench();
  const { stream, group } = made;
  const offers: { readonly atMs: number; readonly by: string; readonly n: number }[] = [];
  return {
    ...made,
    offers,
    setRate: (limit: RateLimit | null) => client().setRate({ stream, group, limit }),
    registry: () => client().registry({ stream, group }),
    worker: (options: Partial<ConsumerOptions> = {}, fails: (n: number) => boolean = () => false) => {
      const { consumer, events } = made.consumer({ ...QUICK, ...options });
      const running = consumer.run((batch) => {
        const atMs = performance.now();
        for (const message of batch) {
          const [n = -1] = numbers([message]);
          offers.push({ atMs, by: consumer.name, n });
          if (fails(n)) message.retry({ delayMs: 0 });
          else message.ack();
        }
      });
      return { consumer, events, running };
    },
  };
}

describe("the rate of a group", () => {
  it("is shared by its consumers: never more offers than its time allows and a batch of each, and both get their share", async () => {
    const { add, offers, worker } = bench();
    const rateLimit = { messages: 20, perMs: 200 };
    const workers = [worker({ rateLimit }), worker({ rateLimit })];
    await Promise.all(workers.map(({ events }) => events.waitFor("started")));
    const begunMs = performance.now();
    await add(...range(120));
    await eventually("all are done", () => offers.length === 120, { timeoutMs: 20_000 });
    // All but the first batch of each have waited for their time.
    const [first = 0, last = 0] = [offers[0]?.atMs, offers.at(-1)?.atMs];
    expect(last - first).toBeGreaterThan(((120 - 2 * 5) * 200) / 20 - 20);
    // However late a handler is called: never more than the time since the beginning allows, and a batch of each consumer.
    for (const [at, { atMs }] of offers.entries()) {
      // Two clocks are rounded to milliseconds, and a timer may be one early.
      expect(at + 1).toBeLessThanOrEqual(((atMs - begunMs + 3) * 20) / 200 + 2 * 5);
    }
    const shares = workers.map(({ consumer }) => offers.filter(({ by }) => by === consumer.name).length);
    expect(Math.min(...shares)).toBeGreaterThan(30);
    for (const { consumer, events, running } of workers) {
      expect(events.all("heldTooLong")).toEqual([]);
      await consumer.close();
      await running;
    }
  });

  it("counts redelivered messages as well", async () => {
    const { add, offers, worker } = bench();
    const failed = new Set<number>();
    const failsOnce = (n: number): boolean => !failed.has(n) && failed.add(n).size > 0;
    const { consumer, running } = worker({ rateLimit: { messages: 20, perMs: 400 }, retry: { baseMs: 1 } }, failsOnce);
    await add(...range(10));
    await eventually("each was offered twice", () => offers.length === 20, { timeoutMs: 20_000 });
    expect((offers.at(-1)?.atMs ?? 0) - (offers[0]?.atMs ?? 0)).toBeGreaterThan(((20 - 5) * 400) / 20 - 40);
    await consumer.close();
    await running;
  });

  it("is kept in Redis: a different value in the options is reported, and the value in Redis counts for all consumers", async () => {
    const { add, offers, worker, setRate, registry } = bench();
    const slow = { messages: 1, perMs: 600_000 };
    const first = worker({ rateLimit: slow });
    await add(1);
    await eventually("the first is offered at once", () => offers.length === 1);
    expect((await registry()).rateLimit).toEqual(slow);
    const second = worker({ rateLimit: { messages: 5, perMs: 1_000 } });
    expect(await second.events.waitFor("rateLimitDiffers")).toMatchObject({
      own: { messages: 5, perMs: 1_000 },
      group: slow,
    });
    await first.consumer.close();
    const third = worker();
    await add(2, 3);
    await eventually("they wait", async () => {
      const told = [...(await registry()).values()].map(({ details }) => details);
      return told.some(({ intake }) => intake === "rate-limited") && told.some(({ otherRate }) => otherRate !== null);
    });
    const waiting = [second, third].filter(({ consumer }) => consumer.health().intake === "rate-limited");
    expect(waiting.length).toBeGreaterThan(0);
    for (const { consumer } of waiting)
      expect(consumer.health()).toMatchObject({ live: true, ready: true, handlersHung: 0 });
    expect(offers).toHaveLength(1);
    await setRate(null);
    await eventually("nothing waits any more", () => offers.length === 3);
    await Promise.all([second.consumer.close(), third.consumer.close()]);
    await Promise.all([first.running, second.running, third.running]);
  });

  it("loses no time when consumers come and go: what they reserved and did not use is returned", async () => {
    const { add, offers, worker, stream, group } = bench();
    const rateLimit = { messages: 5, perMs: 5_000 };
    await add(...range(50));
    for (let deploys = 0; deploys < 3; deploys++) {
      const { consumer, running } = worker({ rateLimit });
      await eventually("it waits for its time", () => consumer.health().intake === "rate-limited", {
        timeoutMs: 20_000,
      });
      await consumer.close();
      await running;
    }
    const offered = offers.length;
    const { waitMs } = await client().reserveRate({ stream, group, messages: 0, own: null });
    expect(waitMs).toBe(0);
    // No later than what was offered has to be paid for.
    const next = await client().reserveRate({ stream, group, messages: 1, own: null });
    expect(next.waitMs).toBeLessThanOrEqual(offered * 1_000);
  });

  it("keeps nobody from closing: what waits is released uncounted", async () => {
    const { add, offers, worker, pending } = bench();
    const { consumer, running } = worker({ rateLimit: { messages: 1, perMs: 3_600_000 } });
    await add(...range(6));
    await eventually("the first batch is done", async () => offers.length > 0 && consumer.health().inFlight === 0);
    await eventually("the rest waits", () => consumer.health().intake === "rate-limited");
    await consumer.close();
    await running;
    expect(
      (await pending()).every(({ consumer: owner, deliveries }) => owner === "rb:released" && deliveries === 0),
    ).toBe(true);
    expect((await pending()).length + offers.length).toBe(6);
  });
});
