/** What a look tells, on a real server: about consumers of ours, and about plain clients that know nothing of us. */
import { WrongTypeError } from "@redis-batch/core";
import { RELEASED } from "@redis-batch/core/internal/names";
import { eventually, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import type { GroupReport, Monitor } from "../src/index.ts";
import { renderTable } from "../src/index.ts";
import { LONG_MS, useBench } from "./harness.ts";

const bench = useBench(useServer());

async function groupOf(monitor: Monitor): Promise<GroupReport> {
  const [group] = (await monitor.inspect()).groups;
  if (group === undefined) throw new Error("the report has no group");
  return group;
}

const statuses = (group: GroupReport): Record<string, string> =>
  Object.fromEntries(group.consumers.map(({ consumer, status }) => [consumer, status]));

describe("the original's scenarios", () => {
  it("too many pending items: more than a batch", async () => {
    const { monitor: open, createGroup, add, read } = bench();
    await createGroup();
    await add(14);
    await read("a", 11);
    await read("b", 3);
    const { monitor } = open({ batchSize: 10 });
    const group = await groupOf(monitor);
    expect(statuses(group)).toEqual({ a: "WARNING - too many pending items", b: "OK" });
    expect(group.consumers.map(({ pending, foreign }) => [pending, foreign])).toEqual([
      [11, true],
      [3, true],
    ]);
    const table = renderTable(await monitor.inspect()).split("\n");
    expect(table[1]).toMatch(/^\| +Consumer id \| +Idle time \| +Pending items \| Status +\|$/);
    expect(table[3]).toMatch(/^\| +a \| +\d+ \| +11 \| WARNING - too many pending items \|$/);
  });

  it("idle for long time, and only who is", async () => {
    const { monitor: open, idleMs, createGroup, add, read } = bench();
    await createGroup();
    await add(2);
    await read("late", 1);
    await eventually("it is idle", async () => (await idleMs("late")) > 1_000);
    await read("fresh", 1);
    const group = await groupOf(open({ idleThresholdMs: 1_000 }).monitor);
    expect(statuses(group)).toEqual({ fresh: "OK", late: "WARNING - idle for long time" });
  });
});

describe("a group", () => {
  it("is told with what waits, what is pending, ages, dead letters and rates", async () => {
    const { monitor: open, server, stream, group: name, createGroup, add, read } = bench();
    await createGroup();
    await add(10);
    const [first = ""] = await read("a", 4);
    await server.command("XADD", `rb:{${stream}}:dead:${stream}:${name}`, "*", "n", 1);
    const { monitor } = open();
    const before = await groupOf(monitor);
    expect(before).toMatchObject({
      ...{ pending: 4, deadLetters: 1, inPerSecond: null, outPerSecond: null },
      backlog: { messages: 6, source: "server" },
      retention: { neededFromId: first, pins: true, unreadLost: 0, pendingLost: false },
    });
    expect(before.oldestPendingAgeMs).toBeGreaterThanOrEqual(before.oldestWaitingAgeMs ?? Number.NaN);
    await server.command("XACK", stream, name, first);
    await add(5);
    const after = await groupOf(monitor);
    expect(after.inPerSecond).toBeGreaterThan(0);
    expect(after.outPerSecond).toBeGreaterThan(0);
    expect(after.backlog.messages).toBe(11);
  });

  it("whose lag the server does not know is counted, and above the limit the count is a lower bound", async () => {
    const { monitor: open, server, stream, createGroup, add, read } = bench();
    await createGroup();
    const ids = await add(700);
    await read("a", 10);
    await server.command("XDEL", stream, ids[500] ?? "");
    expect((await groupOf(open().monitor)).backlog).toEqual({ messages: 689, source: "counted" });
    expect((await groupOf(open({ countLimit: 100 }).monitor)).backlog).toEqual({ messages: 100, source: "at least" });
    const unknown = await groupOf(open({ countLimit: 0 }).monitor);
    expect(unknown).toMatchObject({ backlog: { messages: null, source: "unknown" }, health: "UNKNOWN" });
  });

  it("has nothing waiting once all was read, even where unread entries were trimmed", async () => {
    const { monitor: open, server, stream, createGroup, add, read } = bench();
    await createGroup();
    await add(20);
    await read("a", 5);
    await server.command("XTRIM", stream, "MAXLEN", 10);
    const { monitor, events } = open();
    const cut = await monitor.inspect();
    expect(cut.groups[0]).toMatchObject({ backlog: { messages: 10 }, retention: { unreadLost: 5, pendingLost: true } });
    expect(cut.retention.warnings).toHaveLength(2);
    expect(events.all("messagesLost")).toEqual([{ type: "messagesLost", group: "group", unread: 5, pending: true }]);
    await read("a", 10);
    expect((await groupOf(monitor)).backlog.messages).toBe(0);
  });

  it("that was created after a trim has lost nothing", async () => {
    const { monitor: open, server, stream, createGroup, add, read } = bench();
    await add(20);
    await server.command("XTRIM", stream, "MAXLEN", 10);
    await createGroup();
    const { monitor } = open();
    const lost = async () => (await groupOf(monitor)).retention.unreadLost ?? 0;
    expect(await lost()).toBe(0);
    await read("a", 3);
    expect(await lost()).toBe(0);
  });

  it("that is quiet is well, whatever its consumers' idle times are", async () => {
    const { monitor: open, stream, group, heartbeat, server, createGroup, add, read } = bench();
    await createGroup();
    await server.command("XACK", stream, group, ...(await add(1), await read("ours", 1)));
    await heartbeat("ours");
    const { monitor, events } = open({ idleThresholdMs: 60_000, historyLength: 5 });
    for (let look = 0; look < 6; look++) expect((await groupOf(monitor)).health).toBe("OK");
    expect(events.all("groupChanged")).toHaveLength(1);
    expect(events.all("consumerChanged")).toHaveLength(1);
  });

  it("has stopped when messages wait and its only consumer is dead", async () => {
    const { monitor: open, heartbeat, createGroup, add, read } = bench();
    await createGroup();
    await add(5);
    await read("dead", 1);
    await heartbeat("dead", { agoMs: LONG_MS });
    const group = await groupOf(open().monitor);
    expect(group).toMatchObject({ health: "STOPPED" });
    expect(group.reason).toBe("4 messages are waiting, 1 message is pending, but there are no active consumers");
  });

  it("has not stopped while its only consumer finishes what it has and nothing waits", async () => {
    const { monitor: open, heartbeat, createGroup, add, read } = bench();
    await createGroup();
    await add(2);
    await read("a", 2);
    await heartbeat("a", { details: { state: "draining" } });
    const { monitor } = open();
    expect((await groupOf(monitor)).health).toBe("OK");
    await add(1);
    await monitor.inspect();
    expect((await groupOf(monitor)).health).toBe("STOPPED");
  });

  it("falls behind when more waits at each look, however little of it is worked off", async () => {
    const { monitor: open, createGroup, heartbeat, add, read } = bench();
    await createGroup();
    const { monitor } = open();
    const seen: string[] = [];
    for (let look = 0; look < 12; look++) {
      await add(50);
      await read("a", 10);
      await heartbeat("a");
      seen.push((await groupOf(monitor)).health);
    }
    expect(seen[0]).toBe("UNKNOWN");
    expect(seen.slice(-3)).toEqual(["FALLING BEHIND", "FALLING BEHIND", "FALLING BEHIND"]);
    const { reason, backlog } = await groupOf(monitor);
    expect(reason).toContain(`${backlog.messages} messages are waiting`);
  });

  it("that was set back is rewound", async () => {
    const { monitor: open, server, stream, group: name, createGroup, add, read, heartbeat } = bench();
    await createGroup();
    await add(5);
    await read("a", 5);
    await heartbeat("a");
    const { monitor } = open();
    expect((await groupOf(monitor)).health).toBe("OK");
    await server.command("XGROUP", "SETID", stream, name, 0);
    await monitor.inspect();
    expect(await groupOf(monitor)).toMatchObject({ health: "REWOUND" });
  });
});

describe("a registered consumer", () => {
  it("is judged by its heartbeat, and reports itself", async () => {
    const { monitor: open, heartbeat, createGroup, add, read } = bench();
    await createGroup();
    await add(4);
    await read("busy", 3);
    await read("dead", 1);
    await heartbeat("dead", { agoMs: LONG_MS });
    const details = { host: "box", pid: 7, capacity: 200, inFlight: 3, concurrency: 1, busyMs: 0, state: "running" };
    await heartbeat("busy", { details });
    const { monitor } = open({ batchSize: 1 });
    const [busy, dead] = (await groupOf(monitor)).consumers;
    expect(busy).toMatchObject({
      ...{ consumer: "busy", status: "OK", foreign: false, capacity: 200, inFlight: 3, busyShare: null },
      ...{ host: "box", pid: 7, leaseMs: 60_000, pending: 3 },
    });
    expect(dead).toMatchObject({ consumer: "dead", status: "DEAD", foreign: false, host: null, pending: 1 });
    expect(dead?.idleMs).toBeGreaterThanOrEqual(LONG_MS);
    await heartbeat("busy", { details: { ...details, busyMs: 600_000, state: "draining" } });
    expect((await groupOf(monitor)).consumers[0]).toMatchObject({ status: "DRAINING", busyShare: 1 });
  });

  it("that has been processing one batch for half of what it may hold it is stalled at the first look", async () => {
    const { monitor: open, heartbeat, createGroup, add, read } = bench();
    await createGroup();
    await add(10);
    await read("hung", 3);
    await read("slow", 5);
    const working = { inFlight: 3, holdLimitMs: 600_000, acked: 0 };
    await heartbeat("hung", { details: { ...working, oldestInFlightMs: 300_000 } });
    await heartbeat("slow", { details: { ...working, oldestInFlightMs: 180_000 } });
    const group = await groupOf(open().monitor);
    expect(statuses(group)).toEqual({ hung: "STALLED", slow: "OK" });
    expect(group.consumers[0]).toMatchObject({ oldestInFlightMs: 300_000 });
  });
});

describe("a consumer that has left", () => {
  it("and could not let go of what it held is not OK, and cleaned up without waiting for foreignIdleMs", async () => {
    const { monitor: open, stream, group, client, heartbeat, createGroup, add, read, age, loads, names } = bench();
    await createGroup();
    await add(5);
    await age("leaves", await read("leaves", 5), 2_000);
    await heartbeat("leaves");
    await heartbeat("stays");
    await read("stays", 1);
    const port = await client();
    const finalReport = { incarnation: "leaves", leaseMs: 1_000, details: {} };
    await port.xgroupCreateConsumer({ stream, group, consumer: "stays" });
    expect(await port.removeIfEmpty({ stream, group, consumer: "leaves", onlyIfSilent: false, finalReport })).toBe(
      "pending",
    );
    const { monitor } = open();
    const seen = await groupOf(monitor);
    expect(statuses(seen)).toEqual({ leaves: "LEFT", stays: "OK" });
    expect(seen.consumers[0]?.reason).toMatch(/^it was closed \d+ ms ago, and left 5 messages$/);
    const { groups } = await monitor.cleanUp();
    expect(groups[0]).toMatchObject({ moves: [{ from: "leaves", to: RELEASED, messages: 5 }], removed: ["leaves"] });
    expect(await loads()).toEqual({ [RELEASED]: 5 });
    expect(await names()).toEqual([RELEASED, "stays"]);
  });
});

describe("a clock that was set back", () => {
  it("keeps no heartbeat alive that stands still, whatever its date", async () => {
    const { monitor: open, stream, group, client, heartbeat, createGroup, add, read, loads } = bench();
    await createGroup();
    await add(3);
    await read("dead", 3);
    await heartbeat("dead", { agoMs: -LONG_MS, leaseMs: 600 });
    await heartbeat("alive");
    await (await client()).xgroupCreateConsumer({ stream, group, consumer: "alive" });
    const { monitor } = open();
    expect(statuses(await groupOf(monitor))).toEqual({ alive: "OK", dead: "OK" });
    await eventually("it is seen to stand still", async () => statuses(await groupOf(monitor))["dead"] === "DEAD");
    await monitor.cleanUp();
    expect(await loads()).toEqual({ [RELEASED]: 3 });
  });
});

describe("a stream", () => {
  it("with several groups is told group by group, in the order of their names", async () => {
    const { monitor: open, createGroup, add, read } = bench();
    for (const name of ["b", "a", "c"]) await createGroup(name);
    await add(3);
    await read("x", 2, "b");
    const report = await open({ groups: "all" }).monitor.inspect();
    expect(report.groups.map(({ group, pending, backlog }) => [group, pending, backlog.messages])).toEqual([
      ["a", 0, 3],
      ["b", 2, 1],
      ["c", 0, 3],
    ]);
    expect(report.retention).toEqual({ safeId: "0-0", pinnedBy: "a", warnings: [] });
  });

  it("that is not there, or has not the group, is told so and is no error", async () => {
    const { monitor: open, add } = bench();
    const { monitor } = open();
    expect(await monitor.inspect()).toMatchObject({ length: null, groups: [] });
    await add(1);
    expect(await monitor.inspect()).toMatchObject({ length: 1, groups: [] });
    expect(await monitor.cleanUp()).toMatchObject({ groups: [] });
    expect(await monitor.trim()).toMatchObject({ dropped: 0, safeId: null });
  });

  it("whose key holds something else is an error that says so", async () => {
    const { monitor: open, server, stream } = bench();
    await server.command("SET", stream, "x");
    await expect(open().monitor.inspect()).rejects.toBeInstanceOf(WrongTypeError);
  });
});

describe("trim", () => {
  it("drops what every group is done with, watched or not, and says which one pins the rest", async () => {
    const { monitor: open, server, stream, group, createGroup, add, read } = bench();
    await createGroup();
    await createGroup("slow");
    const ids = await add(1_000);
    await server.command("XACK", stream, group, ...(await read("a", 1_000)));
    const slow = await read("s", 500, "slow");
    await server.command("XACK", stream, "slow", ...slow.slice(0, 400));
    const { monitor, events } = open();
    const planned = await monitor.trim({ dryRun: true });
    expect(planned).toEqual({ stream, dryRun: true, dropped: 0, safeId: ids[400], pinnedBy: "slow" });
    expect(await server.command("XLEN", stream)).toBe(1_000);
    const trimmed = await monitor.trim();
    expect(trimmed).toMatchObject({ safeId: ids[400], pinnedBy: "slow" });
    expect(trimmed.dropped).toBeGreaterThan(250);
    expect(trimmed.dropped).toBeLessThanOrEqual(400);
    expect(await server.command("XLEN", stream)).toBe(1_000 - trimmed.dropped);
    expect(events.all("trimmed")).toMatchObject([{ entries: trimmed.dropped, pinnedBy: "slow" }]);
    expect((await read("s", 1_000, "slow")).at(-1)).toBe(ids[999]);
  });
});
