/** The monitor on a Redis in memory and a clock that stands still: leaders, outages and moments that cannot be had otherwise. */
import { ConnectionError, PermissionError, ServerStateError, UsageError } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal";
import { describe, expect, it } from "vitest";
import { LEASE_MS, openInMemory } from "../test/memory-bench.ts";

const away = (): ConnectionError => new ConnectionError("no connection", { outcome: "not-sent" });

/** One dead consumer with so many messages, one that lives. */
async function withDead(messages: number) {
  const made = await openInMemory();
  await made.beat("dead");
  const ids = await made.add(messages);
  await made.read("dead", messages);
  await made.clock.advance(LEASE_MS + 1);
  await made.beat("alive");
  await made.client.xgroupCreateConsumer({ stream: "orders", group: "billing", consumer: "alive" });
  return { ...made, ids };
}

describe("run", () => {
  it("looks at every interval, cleans up only if asked to, and ends with its signal", async () => {
    const { clock, monitor: open, owners } = await withDead(3);
    const { monitor, events } = open();
    const stop = new AbortController();
    const running = monitor.run({ intervalMs: 5_000, signal: stop.signal });
    await clock.advance(10_000);
    expect(events.all("inspected")).toHaveLength(3);
    expect([...(await owners()).values()]).toEqual(["dead", "dead", "dead"]);
    expect(monitor.health()).toMatchObject({ state: "open", connected: true, leading: true, lookedAgoMs: 0 });
    stop.abort();
    await running;
    expect(monitor.health()).toMatchObject({ state: "open", leading: null });
    await monitor.close();
  });

  it("of several monitors one leads; when it is closed, another does", async () => {
    const { clock, monitor: open, owners } = await withDead(3);
    const [first, second] = [open(), open()];
    const runs = [first, second].map(({ monitor }) => monitor.run({ intervalMs: 5_000, autoCleanUp: true }));
    await clock.advance(0);
    expect([first.events.all("leading").length, second.events.all("following").length]).toEqual([1, 1]);
    expect([...(await owners()).values()]).toEqual(["alive", "alive", "alive"]);
    expect(second.events.all("handedOver")).toEqual([]);
    await first.monitor.close();
    await clock.advance(5_000);
    expect(second.events.all("leading")).toHaveLength(1);
    await second.monitor.close();
    await Promise.all(runs);
  });

  it("cleans up for no longer than an interval at a time, so that it goes on looking", async () => {
    const { clock, redis, monitor: open, owners, beat } = await withDead(1_000);
    const { monitor, events } = open();
    const slow = (): void => {
      // Each page takes two seconds of a server that is busy.
      const page = redis.hold("handOverPage", { moment: "after" });
      clock.setTimer(2_000, () => {
        page.release();
        slow();
      });
    };
    slow();
    const running = monitor.run({ intervalMs: 5_000, autoCleanUp: true });
    for (let look = 0; look < 4; look++) {
      await clock.advance(5_000);
      await beat("alive");
    }
    expect(events.all("inspected").length).toBeGreaterThanOrEqual(3);
    expect(events.all("leftPending")).toEqual([]);
    const moved = [...(await owners()).values()].filter((owner) => owner === "alive").length;
    expect(moved).toBeGreaterThan(0);
    expect(moved).toBeLessThan(1_000);
    for (let look = 0; look < 10; look++) {
      await clock.advance(5_000);
      await beat("alive");
    }
    expect(new Set((await owners()).values())).toEqual(new Set(["alive"]));
    void monitor.close();
    await clock.advance(5_000);
    await running;
  });

  it("a leader that falls silent is followed after its lease", async () => {
    const { clock, redis, monitor: open } = await withDead(0);
    const first = open();
    const running = first.monitor.run({ intervalMs: 5_000 });
    await clock.advance(0);
    const stuck = redis.hold("time");
    await clock.advance(5_000);
    stuck.release();
    const second = open();
    const following = second.monitor.run({ intervalMs: 5_000 });
    await clock.advance(0);
    expect(second.events.all("following")).toHaveLength(1);
    void first.monitor.close();
    await clock.advance(20_000);
    expect(second.events.all("leading")).toHaveLength(1);
    await second.monitor.close();
    await clock.advance(1_000);
    await Promise.all([running, following]);
  });

  it("a leader that was asleep past its lease, in the middle of a page, does no harm", async () => {
    const { clock, redis, monitor: open, owners, beat, client, ids } = await withDead(1_000);
    const zombie = open();
    const running = zombie.monitor.run({ intervalMs: 5_000, autoCleanUp: true });
    const asleep = redis.hold("handOverPage");
    await clock.advance(0);
    expect(asleep.count).toBe(1);
    // Meanwhile the dead one comes back, and works on the first of its messages.
    await clock.advance(40_000);
    await beat("dead");
    await beat("alive");
    await client.xack({ stream: "orders", group: "billing", ids: ids.slice(0, 1) });
    asleep.release();
    await clock.advance(0);
    expect(new Set((await owners()).values())).toEqual(new Set(["dead"]));
    expect(zombie.events.all("leftPending")).toMatchObject([{ reason: "it is back: its heartbeat is fresh" }]);
    void zombie.monitor.close();
    await clock.advance(1_000);
    await running;
  });

  it("outlasts an outage, says so, and gives everybody a full lease to be heard of after it", async () => {
    const { clock, redis, monitor: open, owners, beat } = await withDead(3);
    const { monitor, events, tell } = open({ graceMs: LEASE_MS });
    const running = monitor.run({ intervalMs: 5_000, autoCleanUp: true });
    await clock.advance(0);
    redis.failNext("time", away(), { times: 3 });
    tell({ type: "disconnected", role: "commands", reason: "lost" });
    await clock.advance(15_000);
    expect(events.all("passFailed").map(({ error }) => error.code)).toEqual(["CONNECTION", "CONNECTION", "CONNECTION"]);
    tell({ type: "connected", role: "commands" });
    for (let beats = 0; beats < 11; beats++) {
      await clock.advance(5_000);
      await beat("alive");
    }
    expect(new Set((await owners()).values())).toEqual(new Set(["dead"]));
    await clock.advance(10_000);
    expect(new Set((await owners()).values())).toEqual(new Set(["alive"]));
    await monitor.close();
    await running;
  });

  it("takes a server that was demoted, or loads, for a new one: everybody has to be heard of again", async () => {
    const { clock, redis, monitor: open, owners, beat } = await withDead(3);
    const { monitor } = open({ graceMs: LEASE_MS });
    await monitor.inspect();
    await clock.advance(LEASE_MS);
    await beat("alive");
    redis.failNext("time", new ServerStateError("READONLY", { state: "READONLY" }));
    const running = monitor.run({ intervalMs: 5_000, autoCleanUp: true });
    await clock.advance(5_000);
    expect(new Set((await owners()).values())).toEqual(new Set(["dead"]));
    await monitor.close();
    await running;
  });

  it("ends with what no repetition can mend", async () => {
    const { redis, monitor: open } = await openInMemory();
    const error = new PermissionError("no right", { command: "time" });
    redis.failNext("time", error);
    const { monitor } = open();
    await expect(monitor.run()).rejects.toBe(error);
    await monitor.close();
  });

  it("is one at a time, and none after close()", async () => {
    const { clock, monitor: open } = await openInMemory();
    const { monitor, events } = open();
    const running = monitor.run();
    await expect(monitor.run()).rejects.toBeInstanceOf(UsageError);
    await clock.advance(0);
    await monitor.close();
    await running;
    await expect(monitor.run()).rejects.toBeInstanceOf(UsageError);
    await expect(monitor.inspect()).rejects.toBeInstanceOf(UsageError);
    expect(monitor.health().state).toBe("closed");
    expect(events.events.at(-1)).toEqual({ type: "closed" });
  });

  it("trims where that was asked for", async () => {
    const { clock, client, monitor: open, add, read } = await openInMemory();
    const ids = await add(300);
    await read("a", 300);
    await client.xack({ stream: "orders", group: "billing", ids });
    const { monitor, events } = open();
    const running = monitor.run({ autoTrim: true });
    await clock.advance(0);
    expect(events.all("trimmed")).toMatchObject([{ entries: 200, pinnedBy: "billing" }]);
    await monitor.close();
    await running;
  });
});

describe("a monitor", () => {
  it("does nothing before its first use, and may be closed without one", async () => {
    const { monitor: open } = await openInMemory();
    const { monitor, events } = open();
    expect(monitor.health()).toEqual({ state: "idle", connected: false, leading: null, lookedAgoMs: null });
    expect(monitor.lastReport).toBeNull();
    await monitor.close();
    await monitor.close();
    expect(events.events).toEqual([{ type: "closed" }]);
  });

  it("remembers its last report, whoever asked for it", async () => {
    const { clock, monitor: open } = await openInMemory();
    const { monitor } = open();
    const report = await monitor.inspect();
    expect(monitor.lastReport).toBe(report);
    await clock.advance(700);
    expect(monitor.health().lookedAgoMs).toBe(700);
    await monitor.close();
  });

  it("compares looks that were asked for at the same time one after the other", async () => {
    const { monitor: open, add } = await openInMemory();
    await add(1);
    const { monitor, events } = open();
    await Promise.all([monitor.inspect(), monitor.inspect(), monitor.inspect()]);
    expect(events.all("inspected")).toHaveLength(3);
    expect(events.all("groupChanged")).toHaveLength(1);
    await monitor.close();
  });

  it("asks nothing that grows with the backlog", async () => {
    const { monitor: open, add, read } = await openInMemory();
    await add(3_000);
    await read("a", 2_000);
    const sizes: number[] = [];
    const { monitor } = open({}, (client) =>
      measured(client, (_, reply) => {
        if (Array.isArray(reply)) sizes.push(reply.length);
      }),
    );
    await monitor.inspect();
    await monitor.inspect();
    expect(sizes.length).toBeGreaterThan(0);
    expect(Math.max(...sizes)).toBe(1);
    await monitor.close();
  });

  it("hands over with one call for each page, and reads no page itself", async () => {
    const { monitor: open } = await withDead(1_000);
    const calls: string[] = [];
    const { monitor } = open({}, (client) => measured(client, (name) => calls.push(name)));
    await monitor.inspect();
    const looked = calls.splice(0);
    await monitor.cleanUp();
    const cleaning = calls.slice(looked.length);
    // The tenth page is full, so that only the eleventh can say that it is the last.
    expect(cleaning).toEqual([...Array.from({ length: 11 }, () => "handOverPage"), "removeIfEmpty"]);
    await monitor.close();
  });
});

/** The same client; every reply is looked at on its way. */
function measured(client: StreamClient, look: (name: string, reply: unknown) => void): StreamClient {
  return new Proxy(client, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return async (...args: unknown[]) => {
        const reply: unknown = await Reflect.apply(member, target, args);
        look(String(name), reply);
        return reply;
      };
    },
  });
}
