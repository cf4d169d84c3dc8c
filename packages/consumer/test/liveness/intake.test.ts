/** What holds intake up on purpose has a name, and holds up nobody else. */
import { eventually, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { acknowledge, useGroup, valuesOf } from "./group.ts";

const group = useGroup(useServer());
const quick = { batchSize: 5, maxWaitMs: 100, leaseMs: 2_000, recoverEveryMs: 300 } as const;

describe("a paused consumer", () => {
  it("gives what it has read ahead to another one, as new messages, and says that it is paused", async () => {
    const made = group();
    await made.fill(10);
    const { consumer, events } = made.consumer(quick);
    const first = await consumer.fetch();
    made.record(consumer.name, first);
    await eventually("it has read a batch ahead", async () => (await made.pendingByName())[consumer.name] === 10);
    consumer.pause();
    const other = made.start(acknowledge, quick);
    await eventually("the other one has got it", () => made.offered(other.consumer.name) === 5);
    expect(made.offersOf(5)).toMatchObject([{ consumer: other.consumer.name, deliveries: 1 }]);
    // What it has at work is still its own.
    expect(valuesOf(first)).toEqual(["0", "1", "2", "3", "4"]);
    first.ack();
    expect((await first.settled()).acknowledged).toHaveLength(5);
    expect(consumer.health()).toMatchObject({ live: true, intake: "paused" });
    expect(events.all("intakeHeld")).toMatchObject([{ type: "intakeHeld", by: "paused" }]);
  });

  it("goes on after resume()", async () => {
    const made = group();
    const { consumer, events } = made.start(acknowledge, quick);
    await events.waitFor("started");
    consumer.pause();
    const ids = await made.fill(20);
    expect(ids).toHaveLength(20);
    consumer.resume();
    await made.finish(10_000);
    expect(made.offers).toHaveLength(20);
    expect(consumer.health()).toMatchObject({ intake: "open" });
    expect(events.all("intakeOpened")).toHaveLength(1);
  });
});

describe("a group that is ahead of its stream", () => {
  it("is said in health(): nothing would ever be delivered", async () => {
    const made = group();
    await made.fill(5);
    await made.server.command("XGROUP", "CREATE", made.stream, made.group, "99999999999999-0");
    const { consumer, events } = made.start(acknowledge, quick);
    await events.waitFor("started");
    await eventually("it says so", () => consumer.health().intake === "ahead-of-stream");
    expect(consumer.health()).toMatchObject({ live: true, ready: false });
    await made.server.command("XGROUP", "SETID", made.stream, made.group, 0);
    await made.finish(10_000);
    await eventually("it is well", () => consumer.health().ready);
  });
});

describe("a consumer that drains", () => {
  it("says so until its last batch has ended, while another one gets what it has read ahead", async () => {
    const made = group();
    await made.fill(10);
    let finish = (): void => {};
    const atWork = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const leaving = made.start(
      async (batch) => {
        await atWork;
        batch.ack();
      },
      { ...quick, drainMs: 20_000 },
    );
    await eventually(
      "it has read a batch ahead",
      async () => (await made.pendingByName())[leaving.consumer.name] === 10,
    );
    const other = made.start(acknowledge, quick);
    await other.events.waitFor("started");
    const closing = leaving.consumer.close();
    await eventually("the other one has got it", () => made.offered(other.consumer.name) === 5);
    expect(made.offersOf(5)).toMatchObject([{ deliveries: 1 }]);
    expect(leaving.consumer.health()).toMatchObject({ state: "draining", ready: false, intake: "draining" });
    finish();
    expect(await closing).toMatchObject({ abandoned: 0, nameRemoved: true });
    await made.finish(5_000);
    expect(made.offers).toHaveLength(10);
  });
});
