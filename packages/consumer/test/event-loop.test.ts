import { useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { numbers, range, useBench } from "./harness.ts";

describe("a handler that blocks the event loop", () => {
  const bench = useBench(useServer());

  it("is reported, and costs no message its lease while it is shorter than that", async () => {
    const made = bench();
    const leaseMs = 1_200;
    const { consumer, events } = made.consumer({ batchSize: 5, maxWaitMs: 10, leaseMs });
    const done: number[] = [];
    const running = consumer.run((batch) => {
      const untilMs = performance.now() + leaseMs / 3;
      while (performance.now() < untilMs);
      done.push(...numbers(batch));
      batch.ack();
      if (done.length === 15) void consumer.close();
    });
    await made.add(...range(15));
    const { delayMs } = await events.waitFor("eventLoopDelayed");
    expect(delayMs).toBeGreaterThan(leaseMs / 6);
    expect(await running).toMatchObject({ released: 0, unconfirmedAcks: 0, nameRemoved: true });
    expect(done).toEqual(range(15));
    expect(events.all("outcomeTooLate")).toEqual([]);
  });

  it("is not reported when it pauses between the messages", async () => {
    const made = bench();
    const { consumer, events } = made.consumer({ batchSize: 5, maxWaitMs: 10, leaseMs: 60_000 });
    await made.add(...range(5));
    await consumer.run(async (batch) => {
      for (const message of batch) {
        const untilMs = performance.now() + 50;
        while (performance.now() < untilMs);
        message.ack();
        await new Promise(setImmediate);
      }
      void consumer.close();
    });
    expect(events.all("eventLoopDelayed")).toEqual([]);
  });
});
