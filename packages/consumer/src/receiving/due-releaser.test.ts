import { ConnectionError } from "@redis-batch/core";
import { groupKey, LATER, RELEASED } from "@redis-batch/core/internal/names";
import { addEntry, EventRecorder, ManualClock } from "@redis-batch/test-support";
import { createMemoryServer } from "@redis-batch/testing/internal";
import { describe, expect, it } from "vitest";
import { makeScope } from "../../test/make-scope.ts";
import type { StreamEvent } from "../events.ts";
import { DueReleaser } from "./due-releaser.ts";

const stream = "orders";
const group = "billing";
const lost = (): ConnectionError => new ConnectionError("the reply was lost", { outcome: "unknown" });

async function setUp() {
  const clock = new ManualClock();
  const redis = createMemoryServer({ clock });
  const client = redis.client();
  await client.connect(["commands", "reader"], { timeoutMs: 1_000 });
  await client.xgroupCreate({ stream, group, position: "start" });
  const can = { defer: true };
  const open = () => {
    const events = new EventRecorder<StreamEvent>();
    const keeper = {
      get canDefer() {
        return can.defer;
      },
      keepDelaysHere: () => {},
    };
    const scope = makeScope({ policy: { stream, group }, client, clock, report: events.observe });
    const releaser = new DueReleaser(scope, { releaser: keeper });
    return { events, releaser };
  };
  const defer = async (count: number, delayMs: number): Promise<readonly string[]> => {
    for (let more = count; more > 0; more--) await addEntry(client, { stream, fields: ["n", "1"] });
    const entries = await client.xreadgroup({ stream, group, consumer: "me", count, blockMs: undefined });
    const ids = entries.map(({ id }) => id);
    await client.scheduleLater({ stream, group, delays: ids.map((id) => ({ id, delayMs })) });
    await client.release({ stream, group, from: "me", to: LATER, offered: ids, neverOffered: [] });
    return ids;
  };
  const ownedBy = async (consumer: string): Promise<readonly string[]> =>
    (await client.xpendingRange({ stream, group, consumer, from: "-", to: "+", count: 10_000 })).map(({ id }) => id);
  const due = () => redis.keys.sortedSet(groupKey("due", stream, group)).size;
  return { clock, redis, client, can, open, defer, ownedBy, due };
}

describe("DueReleaser", () => {
  it("releases what was deferred within a second of its time, and not before", async () => {
    const { clock, open, defer, ownedBy, due } = await setUp();
    const ids = await defer(3, 10_000);
    const { releaser, events } = open();
    releaser.start();
    await clock.advance(9_999);
    expect(await ownedBy(LATER)).toEqual(ids);
    await clock.advance(1_001);
    expect(await ownedBy(RELEASED)).toEqual(ids);
    expect(due()).toBe(0);
    expect(events.all("released")).toEqual([{ type: "released", messages: 3, why: "due" }]);
    void releaser.stop();
  });

  it("waits for a message that is due before the consumer that defers it has moved it", async () => {
    const { clock, client, open, ownedBy, due } = await setUp();
    await addEntry(client, { stream, fields: ["n", "1"] });
    const entries = await client.xreadgroup({ stream, group, consumer: "me", count: 1, blockMs: undefined });
    const ids = entries.map(({ id }) => id);
    await client.scheduleLater({ stream, group, delays: ids.map((id) => ({ id, delayMs: 20 })) });
    const { releaser } = open();
    releaser.start();
    await clock.advance(1_500);
    await client.release({ stream, group, from: "me", to: LATER, offered: ids, neverOffered: [] });
    await clock.advance(1_000);
    expect(await ownedBy(RELEASED)).toEqual(ids);
    // Nor does the time of one that somebody else has acknowledged stay for ever.
    await clock.advance(5_000);
    expect(due()).toBe(0);
    void releaser.stop();
  });

  it("goes on at once after a full page", async () => {
    const { clock, open, defer, ownedBy } = await setUp();
    await defer(2_500, 0);
    const { releaser } = open();
    releaser.start();
    await clock.advance(1_000);
    expect(await ownedBy(RELEASED)).toHaveLength(2_500);
    void releaser.stop();
  });

  it.each(["release", "forgetDue"] as const)(
    "moves before it forgets: one that ends at %s leaves it to the next",
    async (method) => {
      const { clock, redis, open, defer, ownedBy, due } = await setUp();
      const ids = await defer(3, 0);
      redis.failNext(method, lost());
      const { releaser: first } = open();
      first.start();
      await clock.advance(1_000);
      void first.stop();
      expect(due()).toBe(3);
      const { releaser: second } = open();
      second.start();
      await clock.advance(1_000);
      expect(await ownedBy(RELEASED)).toEqual(ids);
      await clock.advance(3_000);
      expect(due()).toBe(0);
      void second.stop();
    },
  );

  it("forgets what has no message any more, and leaves alone what was deferred again meanwhile", async () => {
    const { clock, redis, client, open, defer, ownedBy, due } = await setUp();
    const [acknowledged = "", again = ""] = await defer(2, 0);
    await client.xack({ stream, group, ids: [acknowledged] });
    const held = redis.hold("release", { moment: "after" });
    const { releaser } = open();
    releaser.start();
    await clock.advance(1_000);
    // Somebody takes it, fails, and puts it off for longer, before the first look has come to its end.
    await client.scheduleLater({ stream, group, delays: [{ id: again, delayMs: 60_000 }] });
    held.release();
    await client.release({ stream, group, from: RELEASED, to: LATER, offered: [again], neverOffered: [] });
    await clock.advance(5_000);
    expect(await ownedBy(LATER)).toEqual([again]);
    expect(due()).toBe(1);
    void releaser.stop();
  });

  it("does nothing where delays cannot be kept in Redis, and begins when they can", async () => {
    const { clock, can, open, defer, ownedBy } = await setUp();
    const ids = await defer(1, 0);
    can.defer = false;
    const { releaser } = open();
    releaser.start();
    await clock.advance(5_000);
    expect(await ownedBy(LATER)).toEqual(ids);
    can.defer = true;
    await clock.advance(1_000);
    expect(await ownedBy(RELEASED)).toEqual(ids);
    void releaser.stop();
  });
});

it("rests when delays cannot be kept in Redis any more, however much was due", async () => {
  const clock = new ManualClock();
  const due = Array.from({ length: 1_000 }, (_, index) => ({ id: `1-${index}` as const, atMs: 0 }));
  const keeper = { canDefer: true, keepDelaysHere: () => {} };
  let released = 0;
  const client = createMemoryServer({ clock }).client();
  client.readDue = async () => ({ due, nextInMs: null });
  client.release = async ({ offered }) => {
    released += offered.length;
    keeper.canDefer = false;
    return { moved: offered.length, trimmed: [] };
  };
  client.forgetDue = async () => due.length;
  client.time = async () => 0;
  const releaser = new DueReleaser(makeScope({ client, clock }), { releaser: keeper });
  releaser.start();
  await clock.advance(10_000);
  expect(released).toBe(1_000);
  await releaser.stop();
});
