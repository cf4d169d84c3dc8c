/** Reading follows the size of the messages: what is asked for next is small after a large reply, and after a cut one. */
import { eventually, FaultProxy, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { acknowledge, useGroup } from "./group.ts";

const group = useGroup(useServer({ own: true }));
const MIB = 1_048_576;

describe("maxBytes", () => {
  it.each([
    { batchSize: 100, prefetch: 1 },
    { batchSize: 200, prefetch: 1 },
    { batchSize: 100, prefetch: 5 },
  ])("holds after 20,000 small messages for large ones, after one read ($batchSize × $prefetch)", async (shape) => {
    const made = group();
    await made.fill(20_000, 20);
    for (let round = 0; round < 10; round++) await made.fill(60, 102_400);
    const { events } = made.start(acknowledge, { ...shape, maxBytes: MIB, maxWaitMs: 200 });
    await made.finish(30_000);
    const sizes = events.all("read").map(({ bytes }) => bytes);
    const large = sizes.filter((bytes) => bytes > 2 * MIB);
    expect(large.length, `reads of ${large.join(", ")} bytes`).toBeLessThanOrEqual(1);
    expect(made.offers).toHaveLength(20_600);
    await made.server.command("DEL", made.stream);
  });
});

describe("a line that breaks in the middle of every large reply", () => {
  it("gets everything through in smaller parts, and nothing that did not arrive has a delivery counted", async () => {
    const made = group();
    await made.fill(100, 100_000);
    await using proxy = await FaultProxy.start(made.server);
    const over = new AbortController();
    const breaking = (async () => {
      while (!over.signal.aborted) await proxy.cut("reply", 400_000);
    })();
    made.start(acknowledge, { redis: proxy.options, batchSize: 100, maxWaitMs: 200, leaseMs: 10_000 });
    try {
      await made.finish(40_000);
    } finally {
      over.abort();
      proxy.heal();
    }
    expect(made.offers).toHaveLength(100);
    expect(new Set(made.offers.map(({ deliveries }) => deliveries))).toEqual(new Set([1]));
    void breaking;
  });
});

describe("replies that the server cuts because they are too large", () => {
  const limited = async (made: ReturnType<typeof group>): Promise<void> => {
    await made.server.command("CONFIG", "SET", "client-output-buffer-limit", `normal ${MIB} ${MIB} 1`);
  };
  const unlimited = async (made: ReturnType<typeof group>): Promise<void> => {
    await made.server.command("CONFIG", "SET", "client-output-buffer-limit", "normal 0 0 0");
  };
  const options = {
    batchSize: 100,
    maxWaitMs: 200,
    leaseMs: 10_000,
    retry: { baseMs: 100, capMs: 200 },
    maxDeliveries: 16,
  } as const;

  it("are asked for in smaller parts: everything is offered, and what never arrived has no delivery counted", async () => {
    const made = group();
    await made.fill(300, 100_000);
    await limited(made);
    try {
      const { events } = made.start(acknowledge, options);
      await made.finish(30_000);
      expect(made.offered()).toBe(300);
      expect(new Set(made.offers.map(({ deliveries }) => deliveries))).toEqual(new Set([1]));
      expect(events.all("deadLettered")).toEqual([]);
    } finally {
      await unlimited(made);
    }
  });

  it("are asked for down to one message", async () => {
    const made = group();
    await made.fill(20, 700_000);
    await limited(made);
    try {
      made.start(acknowledge, options);
      await made.finish(30_000);
      expect(made.offers).toHaveLength(20);
      expect(new Set(made.offers.map(({ deliveries }) => deliveries))).toEqual(new Set([1]));
    } finally {
      await unlimited(made);
    }
  });

  it("are no offers either when messages are redelivered: none is dead-lettered that the handler has not failed on", async () => {
    const made = group();
    await made.fill(60, 100_000);
    let hasFailed = 0;
    const { events } = made.start(
      (batch) => {
        for (const message of batch) {
          if (message.deliveries === 1) {
            hasFailed++;
            message.retry({ delayMs: 1_000 });
          } else message.ack();
        }
      },
      { ...options, batchSize: 60, maxBytes: 64 * MIB },
    );
    await eventually("all have failed once", () => hasFailed === 60);
    await limited(made);
    try {
      await made.finish(30_000);
      expect(events.all("deadLettered")).toEqual([]);
      expect(made.offers.filter(({ deliveries }) => deliveries === 2)).toHaveLength(60);
      expect(made.offers).toHaveLength(120);
    } finally {
      await unlimited(made);
    }
  });

  it("do not hold up a take-over from a dead consumer", async () => {
    const made = group();
    await made.fill(60, 100_000);
    await made.leaveBehind({ name: "dead", count: 60, leaseMs: 1_000 });
    await limited(made);
    try {
      const { events } = made.start(acknowledge, { ...options, leaseMs: 1_000, recoverEveryMs: 300 });
      await made.finish(30_000);
      expect(made.offers.map(({ deliveries }) => deliveries)).toEqual(Array.from({ length: 60 }, () => 2));
      expect(events.all("deadLettered")).toEqual([]);
    } finally {
      await unlimited(made);
    }
  });

  it("that are too large even for one message do not end the consumer, and what fits goes on", async () => {
    const made = group();
    await made.fill(20, 1_000);
    await made.fill(1, 3 * MIB);
    await limited(made);
    try {
      const { consumer, events } = made.start(acknowledge, options);
      await eventually("what is before it is done", () => made.offered() === 20, { timeoutMs: 15_000 });
      await events.waitFor("readFailed", { timeoutMs: 15_000 });
      expect(consumer.health().live).toBe(true);
    } finally {
      await unlimited(made);
    }
    await made.finish(20_000);
    expect(made.offers).toHaveLength(21);
    expect(made.offers.at(-1)).toMatchObject({ deliveries: 1 });
  });
});
