/** The monitor on a Redis in memory and a clock that stands still: leaders, outages and moments that cannot be had otherwise. */
import { ConnectionError, PermissionError, ServerStateError, UsageError } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import { heartbeatMsOf } from "@redis-batch/core/internal/groups";
import { RELEASED } from "@redis-batch/core/internal/names";
import { describe, expect, it } from "vitest";
import { address, LEASE_MS, openInMemory } from "../test/memory-bench.ts";

const away = (): ConnectionError => new ConnectionError("no connection", { outcome: "not-sent" });

/** As long as a heartbeat that is late is watched before it counts as dead. */
const WATCH_MS = 3 * heartbeatMsOf(LEASE_MS);

/** One dead consumer with that many messages, one that lives. */
async function withDead(messages: number) {
  const made = await openInMemory();
  await made.heartbeat("dead");
  const ids = await made.add(messages);
  await made.read("dead", messages);
  await made.clock.advance(LEASE_MS + 1);
  await made.keepHeartbeat("alive");
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
    expect(monitor.health()).toMatchObject({ state: "open", connected: true, leading: true, inspectedAgoMs: 0 });
    stop.abort();
    await running;
    expect(monitor.health()).toMatchObject({ state: "open", leading: null });
    await monitor.close();
  });

  it("of several monitors one leads; when it is closed, another does", async () => {
    const { clock, monitor: open, owners } = await withDead(3);
    const [first, second] = [open(), open()];
    const runs = [first, second].map(({ monitor }) => monitor.run({ intervalMs: 5_000, autoCleanUp: true }));
    await clock.advance(WATCH_MS);
    expect([first.events.all("leading").length, second.events.all("following").length]).toEqual([1, 1]);
    expect([...(await owners()).values()]).toEqual([RELEASED, RELEASED, RELEASED]);
    expect(second.events.all("handedOver")).toEqual([]);
    await first.monitor.close();
    await clock.advance(5_000);
    expect(second.events.all("leading")).toHaveLength(1);
    await second.monitor.close();
    await Promise.all(runs);
  });

  it("cleans up for no longer than an interval at a time, so that it goes on looking", async () => {
    const { clock, redis, monitor: open, owners } = await withDead(1_000);
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
    await clock.advance(WATCH_MS);
    for (let look = 0; look < 2; look++) await clock.advance(5_000);
    expect(events.all("inspected").length).toBeGreaterThanOrEqual(5);
    expect(events.all("leftPending")).toEqual([]);
    const moved = [...(await owners()).values()].filter((owner) => owner === RELEASED).length;
    expect(moved).toBeGreaterThan(0);
    expect(moved).toBeLessThan(1_000);
    for (let look = 0; look < 10; look++) await clock.advance(5_000);
    expect(new Set((await owners()).values())).toEqual(new Set([RELEASED]));
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
    const { clock, redis, monitor: open, owners, heartbeat, client, ids } = await withDead(1_000);
    const zombie = open();
    const running = zombie.monitor.run({ intervalMs: 5_000, autoCleanUp: true });
    const asleep = redis.hold("handOverPage");
    await clock.advance(WATCH_MS);
    expect(asleep.count).toBe(1);
    // Meanwhile the dead one comes back, and works on the first of its messages.
    await clock.advance(40_000);
    await heartbeat("dead");
    await heartbeat("alive");
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
    const { clock, redis, monitor: open, owners, heartbeat } = await withDead(3);
    const { monitor, events, tell } = open({ graceMs: LEASE_MS });
    const running = monitor.run({ intervalMs: 5_000, autoCleanUp: true });
    await clock.advance(0);
    redis.failNext("time", away(), { times: 3 });
    tell({ type: "disconnected", role: "commands", reason: "lost" });
    await clock.advance(15_000);
    expect(events.all("passFailed").map(({ error }) => error.code)).toEqual(["CONNECTION", "CONNECTION", "CONNECTION"]);
    tell({ type: "connected", role: "commands" });
    for (let heartbeats = 0; heartbeats < 11; heartbeats++) {
      await clock.advance(5_000);
      await heartbeat("alive");
    }
    expect(new Set((await owners()).values())).toEqual(new Set(["dead"]));
    await clock.advance(10_000);
    expect(new Set((await owners()).values())).toEqual(new Set([RELEASED]));
    await monitor.close();
    await running;
  });

  it("takes a server that was demoted, or loads, for a new one: everybody has to be heard of again", async () => {
    const { clock, redis, monitor: open, owners, heartbeat } = await withDead(3);
    const { monitor } = open({ graceMs: LEASE_MS });
    await monitor.inspect();
    await clock.advance(LEASE_MS);
    await heartbeat("alive");
    redis.failNext("time", new ServerStateError("READONLY", { state: "READONLY" }));
    const running = monitor.run({ intervalMs: 5_000, autoCleanUp: true });
    await clock.advance(5_000);
    expect(new Set((await owners()).values())).toEqual(new Set(["dead"]));
    await monitor.close();
    await running;
  });

  it("ends with what no repetition can fix", async () => {
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

describe("cleanUp", () => {
  it("looks again for three heartbeats where a heartbeat is late, and then releases what its owner left", async () => {
    const { clock, monitor: open, owners, passing } = await withDead(3);
    const { monitor, events } = open();
    const beganAtMs = clock.nowMs();
    const { groups } = await passing(monitor.cleanUp());
    expect(clock.nowMs() - beganAtMs).toBeGreaterThanOrEqual(WATCH_MS);
    expect(clock.nowMs() - beganAtMs).toBeLessThan(WATCH_MS + 2_000);
    expect(groups[0]).toMatchObject({
      ...{ reason: "3 messages released for any consumer; 1 name removed", left: [], removed: ["dead"] },
      moves: [{ from: "dead", to: RELEASED, messages: 3 }],
    });
    expect([...(await owners()).values()]).toEqual([RELEASED, RELEASED, RELEASED]);
    expect(events.all("handedOver")).toMatchObject([{ from: "dead", to: RELEASED, messages: 3 }]);
    await monitor.close();
  });

  it("leaves alone whose heartbeat comes while it is watched", async () => {
    const { clock, monitor: open, owners, heartbeat } = await withDead(3);
    const { monitor } = open();
    const cleaning = monitor.cleanUp();
    await clock.advance(WATCH_MS - 1_000);
    await heartbeat("dead");
    await clock.advance(60_000);
    const { groups } = await cleaning;
    expect(groups[0]).toMatchObject({
      moves: [],
      removed: [],
      reason: expect.stringContaining("no consumer is dead") as string,
    });
    expect([...(await owners()).values()]).toEqual(["dead", "dead", "dead"]);
    await monitor.close();
  });

  it("does not count a look that was made before the connection was lost", async () => {
    const { clock, monitor: open, owners } = await withDead(3);
    const { monitor, tell } = open();
    await monitor.inspect();
    await clock.advance(WATCH_MS);
    tell({ type: "disconnected", role: "commands", reason: "lost" });
    tell({ type: "connected", role: "commands" });
    const running = monitor.run({ intervalMs: 5_000, autoCleanUp: true });
    await clock.advance(WATCH_MS - 5_000);
    expect(new Set((await owners()).values())).toEqual(new Set(["dead"]));
    await clock.advance(5_000);
    expect(new Set((await owners()).values())).toEqual(new Set([RELEASED]));
    await monitor.close();
    await running;
  });

  it("says who took what was released, and how much still waits", async () => {
    const { clock, redis, client, monitor: open } = await withDead(30);
    const told = { ...address, incarnation: "alive", leaseMs: LEASE_MS };
    await client.heartbeat({ ...told, consumer: "alive", details: { freePlaces: 1, acked: 0 } });
    const { monitor } = open();
    await monitor.inspect();
    await clock.advance(WATCH_MS);
    await client.heartbeat({ ...told, consumer: "alive", details: { freePlaces: 1, acked: 0 } });
    const seen = redis.hold("removeIfEmpty");
    const cleaning = monitor.cleanUp();
    await clock.advance(0);
    const some = { after: null, scan: 100, count: 20, maxBytes: 1_000_000, suspectFrom: 9, suspects: 1, notWanted: [] };
    const { entries } = await client.take({ ...address, ...some, consumer: "alive" });
    await client.xack({ ...address, ids: entries.slice(0, 5).map(({ id }) => id) });
    await client.heartbeat({ ...told, consumer: "alive", details: { freePlaces: 0, acked: 5 } });
    seen.release();
    await clock.advance(5_000);
    expect((await cleaning).groups[0]).toMatchObject({
      ...{ moves: [{ messages: 30 }], taken: { waiting: 10, by: [{ consumer: "alive", messages: 20 }] } },
    });
    await monitor.close();
  });

  it("a heartbeat of a clock that was set back since is dead once it has not moved for a lease", async () => {
    const { clock, client, monitor: open, add, read, heartbeat, owners } = await openInMemory();
    await add(3);
    await read("dead", 3);
    await heartbeat("dead");
    const field = (await client.registry(address)).get("dead");
    const { monitor, events } = open({}, (one) => withServerClock(one, () => clock.nowMs() - 3_600_000));
    const running = monitor.run({ intervalMs: 5_000, autoCleanUp: true });
    await client.xgroupCreateConsumer({ ...address, consumer: "alive" });
    for (let passedMs = 0; passedMs < LEASE_MS; passedMs += 5_000) {
      expect(new Set((await owners()).values())).toEqual(new Set(["dead"]));
      await heartbeat("alive");
      await clock.advance(5_000);
    }
    expect(field?.atMs).toBeGreaterThan(clock.nowMs() - 3_600_000);
    expect(new Set((await owners()).values())).toEqual(new Set([RELEASED]));
    expect(events.all("consumerRemoved")).toMatchObject([{ consumer: "dead" }]);
    await monitor.close();
    await running;
  });
});

describe("a monitor", () => {
  it("does nothing before its first use, and may be closed without one", async () => {
    const { monitor: open } = await openInMemory();
    const { monitor, events } = open();
    expect(monitor.health()).toEqual({ state: "idle", connected: false, leading: null, inspectedAgoMs: null });
    expect(monitor.lastReport).toBeNull();
    await monitor.close();
    await monitor.close();
    expect(events.events).toEqual([{ type: "closed" }]);
  });

  it("remembers its last report, and how long ago that was", async () => {
    const { clock, monitor: open } = await openInMemory();
    const { monitor } = open();
    const report = await monitor.inspect();
    expect(monitor.lastReport).toBe(report);
    await clock.advance(700);
    expect(monitor.health().inspectedAgoMs).toBe(700);
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
    const { clock, monitor: open } = await withDead(1_000);
    const calls: string[] = [];
    const { monitor } = open({}, (client) => measured(client, (name) => calls.push(name)));
    await monitor.inspect();
    const looked = calls.splice(0);
    await clock.advance(WATCH_MS);
    await monitor.cleanUp();
    const cleaning = calls.slice(looked.length);
    // The tenth page is full, so that only the eleventh can say that it is the last.
    const pages = Array.from({ length: 11 }, () => "handOverPage");
    // At last it sees who took them.
    expect(cleaning).toEqual([...pages, "removeIfEmpty", "xinfoConsumers", "registry"]);
    await monitor.close();
  });
});

/** The same client, to which the server's clock says something else. */
function withServerClock(client: StreamClient, nowMs: () => number): StreamClient {
  return new Proxy(client, {
    get: (target, name) => {
      if (name === "time") return async () => nowMs();
      const member: unknown = Reflect.get(target, name);
      return typeof member === "function"
        ? (...args: unknown[]): unknown => Reflect.apply(member, target, args)
        : member;
    },
  });
}

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
