/** What was acknowledged by its id is done: it is never offered afterwards, and ends as any other does. */
import { deferred, type EventRecorder, eventually, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import type { ConsumerEvent, ConsumerOptions } from "../../src/index.ts";
import { acknowledge, type Fields, type Group, useGroup, valuesOf } from "./group.ts";

const group = useGroup(useServer());

/** A consumer whose handler waits in its first batch of ten while ten more are read ahead. */
async function atWork(made: Group, options: Partial<ConsumerOptions<Fields>> = {}) {
  const ids = await made.fill(20);
  const finish = deferred<void>();
  const worker = made.start(
    async (batch) => {
      await finish.promise;
      batch.ack();
    },
    { batchSize: 10, maxWaitMs: 100, ...options },
  );
  await worker.events.waitFor("batch");
  await eventually("ten are read ahead", async () => (await made.pendingByName())[worker.consumer.name] === 20);
  return { ...worker, ids, finish: finish.resolve };
}

/** How many messages the consumer has reported as acknowledged. The server's answer may still be on its way: waits for `least`. */
async function countAcknowledged(events: EventRecorder<ConsumerEvent>, least: number): Promise<number> {
  const count = (): number => events.all("acknowledged").reduce((sum, { messages }) => sum + messages, 0);
  await eventually("the consumer has its answers", () => count() >= least);
  return count();
}

describe("consumer.ack(id)", () => {
  it.each(["keep", "delete"] as const)(
    "of messages that are read ahead: the handler never gets them (onAck %s)",
    async (onAck) => {
      const made = group();
      const { consumer, events, ids, finish } = await atWork(made, { onAck });
      const ahead = ids.slice(10);
      expect(await consumer.ack(...ahead)).toEqual({ acknowledged: ahead, notOwned: [] });
      finish();
      await made.add("last");
      await eventually("a later message is done", () => made.offersOf("last").length === 1);
      await made.finish(5_000);
      expect(made.offers.map(({ n }) => n)).toEqual([...Array.from({ length: 10 }, (_, n) => String(n)), "last"]);
      expect(events.all("outcomeTooLate")).toEqual([]);
      expect(await countAcknowledged(events, 21)).toBe(21);
      await eventually("what is done stays, or is gone, as onAck says", async () => {
        return Number(await made.server.command("XLEN", made.stream)) === (onAck === "delete" ? 0 : 21);
      });
    },
  );

  it.each(["keep", "delete"] as const)(
    "of some that are read ahead: only the others come (onAck %s)",
    async (onAck) => {
      const made = group();
      const { consumer, ids, finish } = await atWork(made, { onAck });
      const odd = ids.filter((_, index) => index >= 10 && index % 2 === 1);
      expect(await consumer.ack(...odd)).toEqual({ acknowledged: odd, notOwned: [] });
      finish();
      await made.finish(10_000);
      expect(made.offers.slice(10).map(({ n }) => n)).toEqual(["10", "12", "14", "16", "18"]);
    },
  );

  it.each(["keep", "delete"] as const)("of messages at work (onAck %s)", async (onAck) => {
    const made = group();
    const { consumer, events, ids, finish } = await atWork(made, { onAck });
    const open = ids.slice(0, 10);
    expect(await consumer.ack(...open)).toEqual({ acknowledged: open, notOwned: [] });
    finish();
    await made.finish(10_000);
    expect(made.offers).toHaveLength(20);
    expect(await countAcknowledged(events, 20)).toBe(20);
    await eventually("what is done stays, or is gone, as onAck says", async () => {
      return Number(await made.server.command("XLEN", made.stream)) === (onAck === "delete" ? 0 : 20);
    });
  });

  it.each(["keep", "delete"] as const)(
    "of messages that are deferred: they are not redelivered (onAck %s)",
    async (onAck) => {
      const made = group();
      const ids = await made.fill(5);
      await made.add("last");
      const { consumer, events } = made.start(
        (batch) => {
          for (const message of batch) {
            if (message.deliveries === 2) message.ack();
            else message.retry({ delayMs: message.fields["n"] === "last" ? 2_500 : 2_000 });
          }
        },
        { batchSize: 6, maxWaitMs: 50, onAck },
      );
      await eventually("all are deferred", () => made.offers.length === 6);
      expect(await consumer.ack(...ids)).toEqual({ acknowledged: ids, notOwned: [] });
      await eventually("the one that comes after them has come", () => made.offersOf("last").length === 2);
      await made.finish(5_000);
      expect(made.offers).toHaveLength(7);
      expect(await countAcknowledged(events, 6)).toBe(6);
      await eventually("what is done stays, or is gone, as onAck says", async () => {
        return Number(await made.server.command("XLEN", made.stream)) === (onAck === "delete" ? 0 : 6);
      });
    },
  );

  it("under fetch() of messages that are read ahead: no batch has them", async () => {
    const made = group();
    const ids = await made.fill(15);
    const { consumer } = made.consumer({ batchSize: 10, maxWaitMs: 200 });
    const first = await consumer.fetch();
    first.ack();
    await first.settled();
    await eventually("the rest is read ahead", async () => (await made.pendingByName())[consumer.name] === 5);
    expect((await consumer.ack(...ids.slice(10))).acknowledged).toEqual(ids.slice(10));
    expect(valuesOf(await consumer.fetch())).toEqual([]);
  });

  it("of what was not delivered yet is refused, and the next batch has it", async () => {
    const made = group();
    const ids = await made.fill(15);
    const { consumer } = made.consumer({ batchSize: 10, maxWaitMs: 200, prefetch: 0 });
    (await consumer.fetch()).ack();
    expect(await consumer.ack(...ids.slice(10))).toEqual({ acknowledged: [], notOwned: ids.slice(10) });
    expect(valuesOf(await consumer.fetch())).toEqual(["10", "11", "12", "13", "14"]);
  });

  it("of what another consumer has read is refused, and stays with that one", async () => {
    const made = group();
    const ids = await made.fill(5);
    await made.readAs("other", 5);
    const { consumer, events } = made.start(acknowledge, { batchSize: 5, maxWaitMs: 50 });
    await events.waitFor("started");
    expect(await consumer.ack(...ids)).toEqual({ acknowledged: [], notOwned: ids });
    expect(await made.pendingByName()).toEqual({ other: 5 });
  });
});
