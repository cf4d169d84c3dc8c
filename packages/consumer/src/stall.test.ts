/** What a consumer that gets nowhere says of itself, and what it does not say of one that has nothing to do. */
import { ServerStateError } from "@redis-batch/core";
import { describe, expect, it } from "vitest";
import { openInMemory } from "../test/memory-bench.ts";

const misconf = (): ServerStateError => new ServerStateError("xreadgroup: MISCONF", { state: "MISCONF" });

describe("a consumer whose reads are refused for long", () => {
  it("reports one stall and its end, is not ready meanwhile, but live: a restart would not help", async () => {
    const { clock, redis, events, consumer, add, close, pending } = await openInMemory();
    const running = consumer.run((batch) => batch.ack());
    await clock.advance(1_000);
    redis.failNext("xreadgroup", misconf(), { times: 20 });
    await clock.advance(11_000);
    expect(events.all("readStalled")).toEqual([]);
    expect(consumer.health()).toMatchObject({ live: true, ready: true });
    await clock.advance(39_000);
    expect(events.all("readStalled")).toMatchObject([{ error: { code: "SERVER_STATE" } }]);
    expect(consumer.health()).toMatchObject({ live: true, ready: false });
    await add(1);
    await clock.advance(60_000);
    expect(events.all("readStalled")).toHaveLength(1);
    expect(events.all("readStallEnded")).toHaveLength(1);
    expect(consumer.health()).toMatchObject({ live: true, ready: true });
    expect(await pending()).toEqual([]);
    await close();
    await running;
  });
});

describe("a consumer whose read is never answered", () => {
  it("reports a stall, and is not live in the end", async () => {
    const { clock, redis, events, consumer, close } = await openInMemory();
    const running = consumer.run((batch) => batch.ack());
    const held = redis.hold("xreadgroup");
    await clock.advance(31_000);
    expect(events.all("readStalled")).toMatchObject([{ error: null }]);
    expect(consumer.health()).toMatchObject({ live: true, ready: false });
    await clock.advance(2_000);
    expect(consumer.health()).toMatchObject({ live: false, ready: false });
    held.release();
    await clock.advance(1_000);
    expect(events.all("readStallEnded")).toHaveLength(1);
    expect(consumer.health()).toMatchObject({ live: true, ready: true });
    await close();
    await running;
  });
});

describe("a consumer that has not read for long because it has enough", () => {
  it("is live at once when it reads again", async () => {
    const { clock, redis, events, consumer, add, close } = await openInMemory();
    let goOn = (): void => {};
    const running = consumer.run(async (batch) => {
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
      batch.ack();
    });
    await Promise.all([1, 2, 3].map(add));
    await clock.advance(500_000);
    expect(consumer.health()).toMatchObject({ live: true, ready: true, inFlight: 3 });
    const held = redis.hold("xreadgroup");
    goOn();
    await clock.advance(1_000);
    expect(held.count).toBe(1);
    expect(consumer.health()).toMatchObject({ live: true, ready: true });
    expect(events.all("readStalled")).toEqual([]);
    held.release();
    await close();
    await running;
  });

  it("is live at once after a pause", async () => {
    const { clock, consumer, close } = await openInMemory();
    const running = consumer.run((batch) => batch.ack());
    await clock.advance(1_000);
    consumer.pause();
    await clock.advance(600_000);
    consumer.resume();
    expect(consumer.health()).toMatchObject({ live: true, ready: true });
    await close();
    await running;
  });
});

describe("a consumer whose only batch hangs, as one at a time is all that its use has", () => {
  const longest = { concurrency: 4, maxHoldMs: 10_000 };

  it("is not live under for await, and says how many it works on at a time", async () => {
    const { clock, consumer, other, add, close, stream, group } = await openInMemory(longest);
    await add(1);
    const looping = (async (): Promise<void> => {
      for await (const batch of consumer) {
        expect(batch.size).toBe(1);
        await new Promise(() => {});
      }
    })();
    looping.catch(() => {});
    await clock.advance(9_000);
    expect(consumer.health()).toMatchObject({ live: true, handlersHung: 0 });
    await clock.advance(8_000);
    expect(consumer.health()).toMatchObject({ live: false, handlersHung: 1, intake: "held-too-long" });
    expect((await other.registry({ stream, group })).get("me")?.details).toMatchObject({
      concurrency: 1,
      freePlaces: 0,
    });
    await close();
  });

  it("is not live under fetch(), until the next call", async () => {
    const { clock, consumer, add, fetch, close } = await openInMemory(longest);
    await add(1);
    expect((await fetch()).size).toBe(1);
    await clock.advance(12_000);
    expect(consumer.health()).toMatchObject({ live: false, handlersHung: 1, intake: "held-too-long" });
    await fetch();
    expect(consumer.health()).toMatchObject({ live: true, handlersHung: 0, intake: "open" });
    await close();
  });

  it("is not live under fetch() either when the messages are gone meanwhile", async () => {
    const { clock, consumer, other, events, add, fetch, close, stream } = await openInMemory({
      ...longest,
      leaseMs: 3_000,
    });
    const id = await add(1);
    expect((await fetch()).size).toBe(1);
    await other.xdel({ stream, ids: [id] });
    await clock.advance(5_000);
    expect(events.all("pendingTrimmed")).toMatchObject([{ type: "pendingTrimmed", ids: [id] }]);
    expect(consumer.health()).toMatchObject({ live: true });
    await clock.advance(7_000);
    expect(consumer.health()).toMatchObject({ live: false, handlersHung: 1 });
    await close();
  });

  it("is live under run() while another place is left", async () => {
    const { clock, consumer, add, close } = await openInMemory(longest);
    await add(1);
    const running = consumer.run(() => new Promise(() => {}));
    await clock.advance(12_000);
    expect(consumer.health()).toMatchObject({ live: true, handlersHung: 1 });
    await close();
    await running;
  });
});
