/** close() at a server that is frozen: connections stay open, and nothing answers. */
import { setImmediate as turn } from "node:timers/promises";
import { fairNowMs, uniqueName, useServer } from "@redis-batch/test-support";
import { expect, onTestFinished, test } from "vitest";
import { DeadLetters } from "../src/dead-letters/dead-letters.ts";
import { Producer } from "../src/producer/producer.ts";

const redis = useServer({ own: true });

async function freeze(): Promise<void> {
  await redis.server.freeze();
  onTestFinished(() => redis.server.thaw());
}

/** How long closing takes; far below the 15 s after which a connection is taken to be dead. */
async function closingMs(service: { close(): Promise<void> }): Promise<number> {
  const sinceMs = fairNowMs();
  await service.close();
  return fairNowMs() - sinceMs;
}

test("dead letters end the call that waits for an answer", async () => {
  const letters = new DeadLetters({ redis: redis.server.options, stream: uniqueName("stream"), group: "g" });
  expect(await letters.count()).toBe(0);
  await freeze();
  const end = letters.count().then(
    () => "counted",
    () => "ended",
  );
  // It has been sent.
  await turn();
  expect(await closingMs(letters)).toBeLessThan(6_000);
  expect(await end).toBe("ended");
});

test("a producer gives what is in transit `closeTimeoutMs`, and says that nobody knows", async () => {
  const producer = new Producer({ redis: redis.server.options, stream: uniqueName("stream"), closeTimeoutMs: 300 });
  await producer.add({ n: 1 });
  await freeze();
  const end = producer.add({ n: 2 }).catch((error: unknown) => error);
  expect(await closingMs(producer)).toBeLessThan(3_000);
  expect(await end).toMatchObject({ code: "CONNECTION", outcome: "unknown" });
});
