/** A signal takes effect at once, whatever the consumer waits for. */
import { eventually, FaultProxy, fairNowMs, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { acknowledge, useGroup, valuesOf } from "./group.ts";

/** How a promise ended, and after how many milliseconds. */
async function endOf(promise: Promise<unknown>): Promise<{ readonly error: unknown; readonly tookMs: number }> {
  const startedMs = fairNowMs();
  const error: unknown = await promise.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  return { error, tookMs: fairNowMs() - startedMs };
}

const STOP = new Error("enough");
/** Aborts after a moment: not at once, so that the call is under way. */
function soon(): AbortSignal {
  const aborter = new AbortController();
  setTimeout(() => aborter.abort(STOP), 100);
  return aborter.signal;
}
/** Far below the time that the consumer would wait otherwise. */
const AT_ONCE_MS = 1_500;

describe("fetch({ signal })", () => {
  const group = useGroup(useServer({ own: true }));

  it.each(["refuse", "blackhole"] as const)(
    "gives up while the first connection is being made (%s), and the next call connects",
    async (fault) => {
      const made = group();
      await made.add(1);
      await using proxy = await FaultProxy.start(made.server, { faults: { [fault]: true } });
      const { consumer } = made.consumer({ redis: proxy.options, maxWaitMs: 500, connectTimeoutMs: 20_000 });
      const { error, tookMs } = await endOf(consumer.fetch({ signal: soon() }));
      expect(error).toBe(STOP);
      expect(tookMs).toBeLessThan(AT_ONCE_MS);
      proxy.heal();
      await eventually("the message comes", async () => (await consumer.fetch()).size === 1, { timeoutMs: 20_000 });
    },
  );

  it("gives up while what is due is read again from a silent server", async () => {
    const made = group();
    await made.add(1, 2);
    const { consumer } = made.consumer({ maxWaitMs: 8_000, batchSize: 2, retry: { baseMs: 100, capMs: 100 } });
    expect((await consumer.fetch()).size).toBe(2);
    await made.server.freeze();
    try {
      const { error, tookMs } = await endOf(consumer.fetch({ signal: soon() }));
      expect(error).toBe(STOP);
      expect(tookMs).toBeLessThan(AT_ONCE_MS);
    } finally {
      await made.server.thaw();
    }
    const batch = await consumer.fetch();
    expect(valuesOf(batch)).toEqual(["1", "2"]);
    batch.ack();
  });

  it("that has aborted before rejects at once, and takes no message", async () => {
    const made = group();
    await made.add(1);
    const { consumer } = made.consumer({ maxWaitMs: 1_000, batchSize: 5 });
    const { error, tookMs } = await endOf(consumer.fetch({ signal: AbortSignal.abort(STOP) }));
    expect(error).toBe(STOP);
    expect(tookMs).toBeLessThan(AT_ONCE_MS);
    const batch = await consumer.fetch();
    expect([...batch].map(({ deliveries }) => deliveries)).toEqual([1]);
  });

  it.each(["refuse", "blackhole"] as const)(
    "that has aborted before rejects at once where no server answers (%s)",
    async (fault) => {
      const made = group();
      await using proxy = await FaultProxy.start(made.server, { faults: { [fault]: true } });
      const { consumer } = made.consumer({ redis: proxy.options, connectTimeoutMs: 20_000 });
      const { error, tookMs } = await endOf(consumer.fetch({ signal: AbortSignal.abort(STOP) }));
      expect(error).toBe(STOP);
      expect(tookMs).toBeLessThan(AT_ONCE_MS);
    },
  );

  it("that has aborted before rejects at once while the server is silent", async () => {
    const made = group();
    await made.add(1);
    const { consumer } = made.consumer({ maxWaitMs: 8_000, batchSize: 1, retry: { baseMs: 100, capMs: 100 } });
    expect((await consumer.fetch()).size).toBe(1);
    await made.server.freeze();
    try {
      const { error, tookMs } = await endOf(consumer.fetch({ signal: AbortSignal.abort(STOP) }));
      expect(error).toBe(STOP);
      expect(tookMs).toBeLessThan(AT_ONCE_MS);
    } finally {
      await made.server.thaw();
    }
  });
});

describe("run and for await", () => {
  const group = useGroup(useServer());

  it.each(["refuse", "blackhole"] as const)(
    "run({ signal }) resolves at once while the first connection is being made (%s)",
    async (fault) => {
      const made = group();
      await using proxy = await FaultProxy.start(made.server, { faults: { [fault]: true } });
      const { consumer } = made.consumer({ redis: proxy.options, connectTimeoutMs: 20_000 });
      const { error, tookMs } = await endOf(consumer.run(acknowledge, { signal: soon() }));
      expect(error).toBeUndefined();
      expect(tookMs).toBeLessThan(AT_ONCE_MS);
      expect(consumer.state).toBe("closed");
    },
  );

  it("run({ signal }) that has aborted before resolves at once, and takes no message", async () => {
    const made = group();
    await made.add(1);
    const { consumer } = made.consumer({ maxWaitMs: 5_000 });
    let calls = 0;
    const { error, tookMs } = await endOf(
      consumer.run(
        (batch) => {
          calls++;
          batch.ack();
        },
        { signal: AbortSignal.abort(STOP) },
      ),
    );
    expect([error, calls]).toEqual([undefined, 0]);
    expect(tookMs).toBeLessThan(AT_ONCE_MS);
    const { consumer: next } = made.consumer({ maxWaitMs: 2_000, batchSize: 1 });
    expect([...(await next.fetch())].map(({ deliveries }) => deliveries)).toEqual([1]);
  });

  it("for await ends at once with an option signal that has aborted before, where no server answers", async () => {
    const made = group();
    await using proxy = await FaultProxy.start(made.server, { faults: { blackhole: true } });
    const { consumer } = made.consumer({
      redis: proxy.options,
      connectTimeoutMs: 20_000,
      signal: AbortSignal.abort(STOP),
    });
    let batches = 0;
    const iterate = async (): Promise<void> => {
      for await (const batch of consumer) batches += batch.size;
    };
    const { tookMs } = await endOf(iterate());
    expect(batches).toBe(0);
    expect(tookMs).toBeLessThan(AT_ONCE_MS);
  });

  it("for await ends at once when the option signal aborts while the first connection is being made", async () => {
    const made = group();
    await using proxy = await FaultProxy.start(made.server, { faults: { blackhole: true } });
    const { consumer } = made.consumer({ redis: proxy.options, connectTimeoutMs: 20_000, signal: soon() });
    let batches = 0;
    const iterate = async (): Promise<void> => {
      for await (const batch of consumer) batches += batch.size;
    };
    const { error, tookMs } = await endOf(iterate());
    expect([batches, error]).toEqual([0, undefined]);
    expect(tookMs).toBeLessThan(AT_ONCE_MS);
  });
});
