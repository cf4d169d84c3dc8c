/**
 * A sink that is down, or one broken process, holds nothing up for longer than it lasts: an open breaker goes on
 * probing whatever older batches do, and where a healthy consumer is alive the broken one releases what it holds.
 */
import { deferred, eventually, runWorker, useServer, type WorkerProcess } from "@redis-batch/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ConsumerHealth } from "../../src/index.ts";
import { acknowledge, type Group, hang, useGroup } from "./group.ts";
import type { WorkerTask } from "./group.worker.ts";

const group = useGroup(useServer());

const quick = {
  batchSize: 2,
  maxWaitMs: 50,
  leaseMs: 1_500,
  maxHoldMs: 2_000,
  recoverEveryMs: 300,
  retry: { baseMs: 50, capMs: 200 },
} as const;

const down = (): never => {
  throw new Error("the sink is down");
};

describe("an open breaker", () => {
  it.each([2, 4])(
    "is not held open by a handler that hangs: when the sink is back everything flows (concurrency %i)",
    async (concurrency) => {
      const made = group();
      await made.fill(200);
      let isUp = false;
      let hasHung = false;
      const { consumer, events } = made.start(
        (batch) => {
          if (!hasHung) {
            hasHung = true;
            return hang();
          }
          return isUp ? batch.ack() : down();
        },
        { ...quick, concurrency },
      );
      await events.waitFor("backingOff", { timeoutMs: 10_000 });
      isUp = true;
      await made.finish(20_000);
      expect(made.offered()).toBe(200);
      expect(events.all("resumed").length).toBeGreaterThanOrEqual(1);
      expect(events.all("heldTooLong")).toHaveLength(1);
      expect(consumer.health()).toMatchObject({ live: true, ready: true, handlersHung: 1, intake: "open" });
      expect(await made.deadLetters()).toEqual([]);
    },
  );

  it("says what holds intake up while it lasts", async () => {
    const made = group();
    await made.fill(50);
    let isUp = false;
    const { consumer, events } = made.start((batch) => (isUp ? batch.ack() : down()), {
      ...quick,
      retry: { baseMs: 500, capMs: 500 },
    });
    await events.waitFor("backingOff", { timeoutMs: 10_000 });
    expect(["backing-off", "probing"]).toContain(consumer.health().intake);
    const held = events.all("intakeHeld").map(({ by }) => by);
    expect(held.length).toBeGreaterThanOrEqual(1);
    expect(["backing-off", "probing"]).toContain(held[0]);
    isUp = true;
    await events.waitFor("resumed", { timeoutMs: 10_000 });
    await made.finish(15_000);
    await events.waitFor("intakeOpened");
    expect(consumer.health().intake).toBe("open");
  });

  it("of a for await loop closes when the sink is back, though another consumer's loop body hangs", async () => {
    const made = group();
    await made.fill(100);
    const hung = made.consumer(quick);
    void (async () => {
      for await (const batch of hung.consumer) await hang().then(() => batch.ack());
    })().catch(() => {});
    await hung.events.waitFor("batch");
    let isUp = false;
    const failing = made.consumer(quick);
    void (async () => {
      for await (const batch of failing.consumer) {
        made.record("failing", batch);
        for (const message of batch) {
          if (isUp) message.ack();
          else message.retry();
        }
      }
    })().catch(() => {});
    await failing.events.waitFor("backingOff", { timeoutMs: 10_000 });
    isUp = true;
    await made.finish(20_000);
    expect(made.offered("failing")).toBe(100);
  });

  it("does not probe with the same message for ever: one that is poison is not what decides", async () => {
    const made = group();
    const poison = Array.from({ length: 5 }, (_, index) => `poison ${index}`);
    await made.add(...poison);
    await made.fill(40);
    let isUp = false;
    const { events } = made.start(
      (batch) => {
        if (!isUp) return down();
        for (const message of batch) {
          if (message.fields["n"]?.startsWith("poison")) message.retry();
          else message.ack();
        }
        return undefined;
      },
      { ...quick, maxDeliveries: 16 },
    );
    await events.waitFor("backingOff", { timeoutMs: 10_000 });
    isUp = true;
    await eventually(
      "all but the poison are done",
      async () => made.offered() === 45 && (await made.pending()).length <= 5,
      {
        timeoutMs: 20_000,
      },
    );
    expect(await made.deadLetters()).toEqual([]);
  });

  it("lets an orphan, a new message and one of a successor's pass to a healthy consumer meanwhile", async () => {
    const made = group();
    await made.fill(60);
    const broken = made.start(down, { ...quick, batchSize: 10 });
    await broken.events.waitFor("backingOff", { timeoutMs: 10_000 });
    const healthy = made.start(acknowledge, { ...quick, batchSize: 10 });
    await made.fill(20);
    await made.finish(20_000);
    expect(made.offered(healthy.consumer.name)).toBe(80);
    expect(await made.deadLetters()).toEqual([]);
  });
});

describe("one broken process among healthy ones", () => {
  const options = {
    batchSize: 20,
    maxWaitMs: 100,
    leaseMs: 2_000,
    recoverEveryMs: 500,
    maxDeliveries: 4,
    retry: { baseMs: 200, capMs: 2_000 },
    drainMs: 1_000,
  } as const;

  async function start(made: Group, how: WorkerTask["how"], more: WorkerTask["options"] = {}): Promise<WorkerProcess> {
    const { server, stream, group: name } = made;
    const task = { url: server.url, stream, group: name, how, options: { ...options, ...more } } satisfies WorkerTask;
    const worker = await runWorker(new URL("group.worker.ts", import.meta.url), { args: [JSON.stringify(task)] });
    onTestFinished(() => worker[Symbol.asyncDispose]());
    await worker.waitForLine(/^event \{"type":"started"/);
    return worker;
  }
  /** The number of different messages that any of them was offered. */
  const offeredTo = (workers: readonly WorkerProcess[]): number =>
    new Set(
      workers.flatMap(({ lines }) =>
        lines.filter((line) => line.startsWith("offered ")).map((line) => line.split(" ")[1]),
      ),
    ).size;
  async function healthOf(worker: WorkerProcess): Promise<ConsumerHealth> {
    const after = worker.lines.length;
    worker.send("health");
    const line = await worker.waitForLine(/^health /, { after });
    return JSON.parse(line.slice("health ".length)) as ConsumerHealth;
  }

  it("keeps nothing back: all is done by the others, nothing is dead-lettered, and it says that it is unfit", async () => {
    const made = group();
    const broken = await start(made, "throw");
    const fine = [await start(made, "work"), await start(made, "work")];
    await made.fill(600);
    await eventually(
      "all is done",
      async () => {
        const byName = await made.pendingByName();
        if ((await made.pending()).length === 0 && offeredTo(fine) === 600) return true;
        throw new Error(`pending ${JSON.stringify(byName)}`);
      },
      { timeoutMs: 40_000 },
    );
    expect(await made.deadLetters()).toEqual([]);
    await broken.waitForLine(/^event \{"type":"unfit"/, { timeoutMs: 15_000 });
    const health = await healthOf(broken);
    expect(health).toMatchObject({ live: true, ready: false });
    expect(["unfit", "probing"]).toContain(health.intake);
    for (const worker of fine)
      expect(await healthOf(worker)).toMatchObject({ live: true, ready: true, intake: "open" });
    // And it stays so: what comes later is processed, by whichever consumer reads it first.
    await made.fill(100);
    await eventually(
      "the later ones are done, too",
      async () => {
        const left = await made.pending();
        const byName = await made.pendingByName();
        if (left.length === 0 && offeredTo(fine) === 700) return true;
        throw new Error(`pending ${JSON.stringify(byName)}`);
      },
      { timeoutMs: 30_000 },
    );
    expect(await made.deadLetters()).toEqual([]);
  });

  it.each([1, 6])("dead-letters none of only %i messages", async (count) => {
    const made = group();
    // Long enough for the others to start: alone a consumer is its own second opinion.
    const broken = await start(made, "throw", { retry: { baseMs: 1_000, capMs: 2_000 } });
    await made.fill(count);
    await broken.waitForLine(/^offered /);
    const fine = await Promise.all([start(made, "work"), start(made, "work")]);
    await made.finish(30_000);
    expect(await made.deadLetters()).toEqual([]);
    expect(offeredTo(fine)).toBe(count);
  });

  it("asks for a second opinion before it dead-letters by count, and dead-letters what fails everywhere after one more offer", async () => {
    const made = group();
    const secondIsThere = deferred<void>();
    const fails = async (batch: Parameters<typeof acknowledge>[0]): Promise<void> => {
      for (const message of batch) {
        if (message.fields["n"] !== "poison") message.ack();
        else await secondIsThere.promise.then(() => message.retry());
      }
    };
    await made.add("poison");
    const first = made.start(fails, { ...options, name: "first" });
    await first.events.waitFor("batch");
    const second = made.start(fails, { ...options, name: "second" });
    await second.events.waitFor("started");
    // Alone it would be its own second opinion.
    secondIsThere.resolve();
    await made.fill(40);
    const deadLettered = await eventually(
      "it is dead-lettered",
      () => [...first.events.all("deadLettered"), ...second.events.all("deadLettered")][0],
      { timeoutMs: 30_000 },
    );
    expect(deadLettered).toMatchObject({ why: "maxDeliveries" });
    const offers = made.offersOf("poison");
    expect(offers).toHaveLength(options.maxDeliveries + 1);
    expect(offers.at(-1)?.consumer).not.toBe(offers.at(-2)?.consumer);
    await made.finish(5_000);
  });

  it("where all are broken nothing is lost and nothing is dead-lettered while the sink is down; then everything flows", async () => {
    const made = group();
    await made.fill(60);
    let isUp = false;
    const handler = (batch: Parameters<typeof acknowledge>[0]): void => (isUp ? batch.ack() : down());
    const workers = [1, 2, 3].map(() => made.start(handler, options));
    for (const { events } of workers.slice(0, 1)) await events.waitFor("backingOff", { timeoutMs: 15_000 });
    await eventually(
      "more failures than maxDeliveries have been seen",
      () => {
        return workers.reduce((sum, { events }) => sum + events.all("handlerFailed").length, 0) >= 20;
      },
      { timeoutMs: 20_000 },
    );
    expect(await made.deadLetters()).toEqual([]);
    isUp = true;
    await made.finish(20_000);
    expect(made.offered()).toBe(60);
    // Who has nothing left to try is not known to be broken for longer than a lease.
    await eventually("all are well", () => workers.every(({ consumer }) => consumer.health().ready));
    for (const { consumer } of workers) expect(consumer.health()).toMatchObject({ live: true });
  });

  it("is fit again as soon as its own work succeeds", async () => {
    const made = group();
    let isBroken = true;
    const sick = made.start((batch) => (isBroken ? down() : batch.ack()), options);
    made.start(acknowledge, options);
    // While it has to wait the other one does all: only as messages go on coming does it get some to try.
    const goOnUntil = (what: string, isSo: () => boolean): Promise<boolean> =>
      eventually(what, async () => (await made.fill(5), isSo()), { timeoutMs: 20_000 });
    await made.fill(200);
    await goOnUntil("it is unfit", () => sick.events.all("unfit").length > 0);
    isBroken = false;
    await goOnUntil("it reads as before", () => sick.consumer.health().intake === "open");
    expect(sick.events.all("fit")).not.toEqual([]);
    await made.finish(15_000);
    expect(sick.consumer.health()).toMatchObject({ live: true, ready: true, intake: "open" });
  });
});
