/** A delay holds: across processes, for every consumer of the group; and what failed together does not come together. */
import { eventually, runWorker, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import type { Handler } from "../../src/index.ts";
import { acknowledge, type Fields, type Group, hang, useGroup, valuesOf } from "./group.ts";
import type { WorkerTask } from "./group.worker.ts";

const group = useGroup(useServer());

const quick = { batchSize: 5, maxWaitMs: 50, leaseMs: 1_000, recoverEveryMs: 200, maxHoldMs: 60_000 } as const;
/** Longer than any delay that may live in memory. */
const delayMs = 4_000;
/** `maxWaitMs` + 2 s are promised. */
const lateMs = 3 * 2_050;
const hourMs = 3_600_000;

/** Puts `later` off the first time it comes, and acknowledges everything else. */
const defer =
  (byMs: number): Handler<Fields> =>
  (batch) => {
    for (const message of batch) {
      if (message.fields["n"] === "later" && message.deliveries === 1) message.retry({ delayMs: byMs });
      else message.ack();
    }
  };

/** The last offer of the message came its delay after the first one, and not long after. */
function expectInTime(made: Group): void {
  const offers = made.offersOf("later");
  const [first, last] = [offers[0], offers.at(-1)];
  if (first === undefined || last === undefined) throw new Error("it was never offered");
  expect(last.atMs - first.atMs).toBeGreaterThanOrEqual(delayMs - 50);
  expect(last.fairAtMs - first.fairAtMs).toBeLessThan(delayMs + lateMs);
}

/** The time of the message in the group's list of those that are deferred, or `null`. */
const dueAt = async (made: Group, id: string): Promise<number | null> => {
  const score = await made.server.command("ZSCORE", made.key("due"), id);
  return score === null ? null : Number(score);
};

describe("a message that is deferred", () => {
  it("is reported as lost when somebody removes rb:later with it: nothing disappears silently", async () => {
    const made = group();
    const [id = ""] = await made.add("later");
    const { events } = made.start(defer(hourMs), quick);
    await eventually("it is deferred", async () => (await made.pendingByName())["rb:later"] === 1);
    const { stream, group: name } = made;
    // The heartbeat has to have seen it there.
    const idleMs = async (): Promise<number> => {
      const consumers = (await made.server.command(
        "XINFO",
        "CONSUMERS",
        stream,
        name,
      )) as readonly (readonly unknown[])[];
      const later = consumers.find((fields) => fields.includes("rb:later")) ?? [];
      return Number(later[later.indexOf("idle") + 1]);
    };
    let before = await idleMs();
    await eventually("it is touched", async () => {
      const now = await idleMs();
      const isTouched = now < before;
      before = now;
      return isTouched;
    });
    expect(await made.server.command("XGROUP", "DELCONSUMER", stream, name, "rb:later")).toBe(1);
    await eventually("it is reported", () => events.all("laterLost").length > 0);
    expect(events.all("laterLost")).toMatchObject([{ type: "laterLost", ids: [id] }]);
    expect(await dueAt(made, id)).toBeNull();
  });

  it("keeps its delay when its consumer closes: the next one is offered it when its time has come", async () => {
    const made = group();
    const [id = ""] = await made.add("later");
    const first = made.start(defer(delayMs), quick);
    await eventually("it is deferred", () => made.offersOf("later").length === 1);
    await first.consumer.close();
    expect(await made.pendingByName()).toEqual({ "rb:later": 1 });
    expect(await dueAt(made, id)).toBeGreaterThan(0);
    const next = made.start(acknowledge, quick);
    await made.add("new");
    await eventually("a new message is done", () => made.offersOf("new").length === 1);
    await eventually("it is redelivered", () => made.offersOf("later").length === 2, { timeoutMs: delayMs + lateMs });
    expect(made.offersOf("later")[1]).toMatchObject({ consumer: next.consumer.name, deliveries: 2 });
    expectInTime(made);
    await made.finish(5_000);
    await eventually("nothing is left of it", async () => (await dueAt(made, id)) === null);
  });

  it("under fetch() keeps its delay when its consumer closes, too", async () => {
    const made = group();
    await made.add("later");
    const first = made.consumer({ ...quick, maxWaitMs: 1_000 });
    const batch = await first.consumer.fetch();
    made.record("first", batch);
    for (const message of batch) message.retry({ delayMs });
    await first.consumer.close();
    made.start(acknowledge, quick);
    await eventually("it is redelivered", () => made.offersOf("later").length === 2, { timeoutMs: delayMs + lateMs });
    expect(made.offersOf("later").map(({ deliveries }) => deliveries)).toEqual([1, 2]);
    expectInTime(made);
  });

  it("for an hour is not offered by a deploy, and stays deferred through a second one", async () => {
    const made = group();
    const [id = ""] = await made.add("later");
    const first = made.start(defer(hourMs), quick);
    await eventually("it is deferred", () => made.offersOf("later").length === 1);
    await first.consumer.close();
    for (const deploy of ["first", "second"]) {
      await made.add(deploy);
      const next = made.start((batch) => {
        for (const message of batch) {
          if (message.fields["n"] === deploy && message.deliveries === 1) message.retry({ delayMs: 3_000 });
          else message.ack();
        }
      }, quick);
      // What was deferred for a shorter time after it has been redelivered.
      await eventually("the other one is redelivered", () => made.offersOf(deploy).length === 2, {
        timeoutMs: 3_000 + lateMs,
      });
      await next.consumer.close();
      expect(made.offersOf("later")).toHaveLength(1);
    }
    expect(await made.pendingByName()).toEqual({ "rb:later": 1 });
    const [seconds] = (await made.server.command("TIME")) as [string, string];
    const leftMs = ((await dueAt(made, id)) ?? 0) - Number(seconds) * 1_000;
    expect(leftMs).toBeGreaterThan(hourMs - 120_000);
    expect(leftMs).toBeLessThanOrEqual(hourMs);
  });

  it("keeps its delay when its process is killed, though what else it held comes soon", async () => {
    const made = group();
    await made.add("later", "stuck");
    const task = {
      ...{ url: made.server.url, stream: made.stream, group: made.group, how: "deferred", delayMs: 8_000 },
      options: { ...quick, batchSize: 1 },
    } as const satisfies WorkerTask;
    await using worker = await runWorker(new URL("group.worker.ts", import.meta.url), { args: [JSON.stringify(task)] });
    await worker.waitForLine(/^offered later/);
    const deferredAtMs = performance.now();
    await worker.waitForLine(/^event \{"type":"deferred"/);
    await worker.waitForLine(/^offered stuck/);
    worker.kill();
    await worker.exited;
    const next = made.start(acknowledge, quick);
    await eventually("what was at work comes to the next one", () => made.offersOf("stuck").length === 1);
    expect(made.offersOf("later")).toEqual([]);
    await eventually("it is redelivered", () => made.offersOf("later").length === 1, { timeoutMs: 8_000 + lateMs });
    expect(made.offersOf("later")[0]).toMatchObject({ consumer: next.consumer.name, deliveries: 2 });
    expect((made.offersOf("later")[0]?.atMs ?? 0) - deferredAtMs).toBeGreaterThanOrEqual(7_900);
    await made.finish(5_000);
  });

  it("comes to any consumer with a place when its time has come, not only to the one that deferred it", async () => {
    const made = group();
    await made.add("later");
    await made.add("stuck");
    made.start((batch, context) => (valuesOf(batch)[0] === "later" ? defer(delayMs)(batch, context) : hang()), {
      ...quick,
      batchSize: 1,
      name: "first",
    });
    await eventually("the first consumer is stuck", () => made.offersOf("stuck").length === 1);
    made.start(acknowledge, { ...quick, name: "second" });
    await eventually("it is redelivered", () => made.offersOf("later").length === 2, { timeoutMs: delayMs + lateMs });
    expect(made.offersOf("later").map(({ consumer }) => consumer)).toEqual(["first", "second"]);
    expectInTime(made);
  });

  it("that a plain client acknowledges leaves nothing behind and is not offered again", async () => {
    const made = group();
    const [id = ""] = await made.add("later");
    const { events } = made.start(defer(delayMs), quick);
    expect(await events.waitFor("deferred")).toMatchObject({ messages: 1 });
    expect(await dueAt(made, id)).toBeGreaterThan(0);
    expect(await made.server.command("XACK", made.stream, made.group, id)).toBe(1);
    await eventually("its entry is gone", async () => (await dueAt(made, id)) === null, {
      timeoutMs: delayMs + lateMs,
    });
    await made.add("new");
    await eventually("a later message is done", () => made.offersOf("new").length === 1);
    expect(made.offersOf("later")).toHaveLength(1);
    expect(await made.isFinished()).toBe(true);
  });

  it("is reported with its number when it is put where every consumer sees it", async () => {
    const made = group();
    await made.add(...Array.from({ length: 5 }, (_, index) => `later ${index}`));
    const { consumer, events } = made.start((batch) => {
      for (const message of batch) message.retry({ delayMs: hourMs });
    }, quick);
    await eventually(
      "all are reported",
      () => events.all("deferred").reduce((sum, { messages }) => sum + messages, 0) === 5,
    );
    expect(await made.pendingByName()).toEqual({ "rb:later": 5 });
    expect(consumer.health()).toMatchObject({ deferred: 0, live: true, ready: true });
  });
});

describe("the first redelivery of messages that failed together", () => {
  it("is spread between retry.baseMs and twice that", async () => {
    const made = group();
    const baseMs = 1_000;
    const count = 100;
    await made.fill(count + 1);
    const { events } = made.start(
      (batch) => {
        for (const message of batch) {
          if (message.deliveries === 1 && message.fields["n"] !== "0") message.retry();
          else message.ack();
        }
      },
      { ...quick, leaseMs: 10_000, batchSize: count + 1, maxWaitMs: 0, retry: { baseMs, capMs: 60_000 } },
    );
    await made.finish(20_000);
    const again = made.offers.filter(({ deliveries }) => deliveries === 2);
    expect(again).toHaveLength(count);
    const delays = again.map(({ n, atMs }) => atMs - (made.offersOf(n)[0]?.atMs ?? 0));
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(baseMs - 20);
    const fairDelays = again.map(({ n, fairAtMs }) => fairAtMs - (made.offersOf(n)[0]?.fairAtMs ?? 0));
    expect(Math.max(...fairDelays)).toBeLessThan(2 * baseMs + 2_000);
    expect(Math.max(...delays) - Math.min(...delays)).toBeGreaterThan(baseMs / 2);
    // Not all in one batch, as they failed.
    expect(new Set(again.map(({ atMs }) => atMs)).size).toBeGreaterThan(5);
    expect(events.all("backingOff")).toEqual([]);
  });
});
