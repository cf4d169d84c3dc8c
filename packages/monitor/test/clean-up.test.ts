/** What a clean-up does on a real server, and what it leaves alone. */
import { LATER, REDRIVE_CONSUMER, RELEASED } from "@redis-batch/core/internal/names";
import { eventually, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import type { MonitorEvent } from "../src/index.ts";
import { LONG_MS, useBench } from "./harness.ts";

const bench = useBench(useServer());

/** A dead consumer with that many messages, and living ones. */
async function withDead(messages: number, ...living: readonly string[]) {
  const made = bench();
  await made.createGroup();
  await made.add(messages);
  const ids = await made.read("dead", messages);
  if (ids.length > 0) await made.age("dead", ids);
  await made.heartbeat("dead", { agoMs: LONG_MS });
  for (const name of living) {
    await made.server.command("XGROUP", "CREATECONSUMER", made.stream, made.group, name);
    await made.heartbeat(name);
  }
  return { ...made, ids };
}

describe("cleanUp", () => {
  it("releases a dead consumer's messages for the living, keeps their counts, and removes the name", async () => {
    const { monitor: open, pending, names, registered, ids } = await withDead(7, "a");
    const { monitor, events } = open();
    const { groups } = await monitor.cleanUp();
    expect(groups).toEqual([
      {
        ...{ group: "group", reason: "7 messages released for any consumer; 1 name removed", left: [], trimmed: [] },
        ...{ moves: [{ from: "dead", to: RELEASED, messages: 7 }], removed: ["dead"] },
        taken: { waiting: 7, by: [] },
      },
    ]);
    expect(await pending()).toEqual(ids.map((id) => ({ id, consumer: RELEASED, deliveries: 1 })));
    expect([await names(), await registered()]).toEqual([["a", RELEASED], ["a"]]);
    const handed = events.all("handedOver");
    expect(handed.reduce((sum, { messages }) => sum + messages, 0)).toBe(7);
    expect(handed[0]).toMatchObject({ group: "group", from: "dead", to: RELEASED });
    expect(events.all("consumerRemoved")).toEqual([{ type: "consumerRemoved", group: "group", consumer: "dead" }]);
  });

  it("plans on a dry run exactly what it then does", async () => {
    const { monitor: open, pending, names } = await withDead(1_234, "a", "b");
    const { monitor, events } = open();
    const before = await pending();
    const plan = await monitor.cleanUp({ dryRun: true });
    expect(plan.dryRun).toBe(true);
    expect(await pending()).toEqual(before);
    expect(await names()).toEqual(["a", "b", "dead"]);
    expect(events.all("handedOver")).toEqual([]);
    const done = await monitor.cleanUp();
    expect(done.groups).toMatchObject(plan.groups.map((group) => ({ ...group, taken: { waiting: 1_234 } })));
    expect(plan.groups[0]?.taken).toBeNull();
    expect(await names()).toEqual(["a", "b", RELEASED]);
  });

  it("moves nothing where nobody healthy is there, says so, and keeps the name", async () => {
    const { monitor: open, pending, names, ids } = await withDead(3);
    const { monitor, events } = open();
    const { groups } = await monitor.cleanUp();
    expect(groups[0]?.reason).toMatch(/^nothing moves: .*there is no healthy consumer/);
    expect(groups[0]?.left).toMatchObject([{ consumer: "dead", messages: 3 }]);
    expect((await pending()).map(({ id, consumer }) => [id, consumer])).toEqual(ids.map((id) => [id, "dead"]));
    expect(await names()).toEqual(["dead"]);
    expect(events.all("leftPending")).toHaveLength(1);
  });

  it("takes nothing from a live lease, however long the messages are idle", async () => {
    const { monitor: open, heartbeat, loads } = await withDead(3, "a");
    await heartbeat("dead");
    expect((await open().monitor.cleanUp()).groups[0]?.reason).toContain("no consumer is dead");
    expect(await loads()).toEqual({ dead: 3 });
  });

  it("takes nothing from a heartbeat that is late, but has not stood still for three heartbeats", async () => {
    const { monitor: open, heartbeat, loads, names } = await withDead(3, "a");
    const beating = setInterval(() => void heartbeat("dead", { agoMs: LONG_MS, leaseMs: 3_000 }), 100);
    try {
      const { groups } = await open().monitor.cleanUp();
      expect(groups[0]).toMatchObject({ moves: [], removed: [] });
    } finally {
      clearInterval(beating);
    }
    expect(await loads()).toEqual({ dead: 3 });
    expect(await names()).toContain("dead");
  });

  it("takes what stood still with its owner at once, however lately it was delivered", async () => {
    const { monitor: open, ids, age, loads } = await withDead(3, "a");
    await age("dead", ids, 0);
    const { groups } = await open().monitor.cleanUp();
    expect(groups[0]).toMatchObject({ moves: [{ to: RELEASED, messages: 3 }], left: [] });
    expect(await loads()).toEqual({ [RELEASED]: 3 });
  });

  it("never removes the names that are no consumers, and never calls them consumers", async () => {
    const { monitor: open, server, stream, group, names } = await withDead(0, "a");
    for (const name of [RELEASED, LATER]) await server.command("XGROUP", "CREATECONSUMER", stream, group, name);
    const { monitor } = open({ foreignIdleMs: 1_000, idleThresholdMs: 1_000 });
    await monitor.cleanUp();
    expect((await monitor.inspect()).groups[0]?.consumers.map(({ consumer }) => consumer)).toEqual(["a"]);
    expect(await names()).toEqual(["a", LATER, RELEASED].toSorted());
  });

  it("waits for as long as it is told to, connected", async () => {
    const { monitor: open, loads } = await withDead(3, "a");
    const { monitor } = open({ graceMs: 600_000 });
    expect((await monitor.cleanUp()).groups[0]?.reason).toContain("gets another 9 min to show that it is alive");
    expect(await loads()).toEqual({ dead: 3 });
  });

  it("clears what was trimmed away underneath, hands over the rest", async () => {
    const { monitor: open, server, stream, loads, names } = await withDead(20, "a");
    await server.command("XTRIM", stream, "MAXLEN", 5);
    const { monitor, events } = open();
    const { groups } = await monitor.cleanUp();
    expect(groups[0]).toMatchObject({ trimmed: [{ consumer: "dead", messages: 15 }], removed: ["dead"] });
    expect(groups[0]?.moves).toEqual([{ from: "dead", to: RELEASED, messages: 5 }]);
    expect(await loads()).toEqual({ [RELEASED]: 5 });
    expect(await names()).toEqual(["a", RELEASED]);
    expect(events.all("pendingTrimmed").reduce((sum, { messages }) => sum + messages, 0)).toBe(15);
  });

  it("clears what was trimmed away underneath although nobody is there to take the rest", async () => {
    const { monitor: open, server, stream, loads, names } = await withDead(20);
    await server.command("XTRIM", stream, "MAXLEN", 5);
    const { groups } = await open().monitor.cleanUp();
    expect(groups[0]).toMatchObject({ trimmed: [{ consumer: "dead", messages: 15 }], moves: [], removed: [] });
    expect(groups[0]?.left).toMatchObject([{ consumer: "dead", messages: 5 }]);
    expect(await loads()).toEqual({ dead: 5 });
    await server.command("XTRIM", stream, "MAXLEN", 0);
    const { groups: after } = await open().monitor.cleanUp();
    expect(after[0]).toMatchObject({ trimmed: [{ consumer: "dead", messages: 5 }], left: [], removed: ["dead"] });
    expect(await names()).toEqual([]);
  });

  it("clears what was deleted in between", async () => {
    const { monitor: open, server, stream, loads, ids } = await withDead(6, "a");
    await server.command("XDEL", stream, ids[2] ?? "", ids[4] ?? "");
    const { groups } = await open().monitor.cleanUp();
    expect(groups[0]).toMatchObject({ trimmed: [{ consumer: "dead", messages: 2 }], removed: ["dead"] });
    expect(await loads()).toEqual({ [RELEASED]: 4 });
  });

  it("clears what was trimmed away from under a living foreign consumer, and leaves it the rest", async () => {
    const { monitor: open, server, stream, createGroup, add, read, age, loads, names } = bench();
    await createGroup();
    await add(20);
    const ids = await read("x", 15);
    await age("x", ids.slice(0, 14));
    await server.command("XTRIM", stream, "MAXLEN", 5);
    const { monitor } = open();
    expect((await monitor.inspect()).groups[0]?.retention).toMatchObject({ neededFromId: ids[0], pendingLost: true });
    const plan = await monitor.cleanUp({ dryRun: true });
    const { groups } = await monitor.cleanUp();
    expect(groups).toEqual(plan.groups);
    // The fifteenth was delivered just now: that is the consumer's own affair.
    expect(groups[0]).toMatchObject({ trimmed: [{ consumer: "x", messages: 14 }], moves: [], left: [], removed: [] });
    expect(await loads()).toEqual({ x: 1 });
    expect(await names()).toEqual(["x"]);
  });

  it("removes registry fields that no consumer belongs to", async () => {
    const { monitor: open, heartbeat, registered } = await withDead(0, "a");
    await heartbeat("ghost", { agoMs: LONG_MS });
    const { groups } = await open().monitor.cleanUp();
    expect(groups[0]?.removed.toSorted()).toEqual(["dead", "ghost"]);
    expect(await registered()).toEqual(["a"]);
  });

  it("touches the named group alone", async () => {
    const { monitor: open, createGroup, read, pending } = await withDead(4, "a");
    await createGroup("other");
    await read("dead", 4, "other");
    await open().monitor.cleanUp();
    expect((await pending("other")).map(({ consumer }) => consumer)).toEqual(["dead", "dead", "dead", "dead"]);
  });

  it("two monitors at once move each message once, and lose none", async () => {
    const { monitor: open, pending, names, ids } = await withDead(2_000, "a", "b");
    const reports = await Promise.all([open().monitor.cleanUp(), open().monitor.cleanUp()]);
    const moved = reports.flatMap(({ groups }) => groups).flatMap(({ moves }) => moves);
    expect(moved.reduce((sum, { messages }) => sum + messages, 0)).toBe(2_000);
    expect((await pending()).map(({ id, deliveries }) => [id, deliveries])).toEqual(ids.map((id) => [id, 1]));
    expect(await names()).toEqual(["a", "b", RELEASED]);
  });

  it("ends after the page it is at when it is told to, and loses nothing", async () => {
    const { monitor: open, pending, ids } = await withDead(2_000, "a", "b");
    const stop = new AbortController();
    const { monitor } = open({ observer: (event) => event.type === "handedOver" && stop.abort() });
    const { groups } = await monitor.cleanUp({ signal: stop.signal });
    expect(groups[0]).toMatchObject({ moves: [{ messages: 100 }], left: [{ messages: 1_900 }], removed: [] });
    expect((await pending()).map(({ id }) => id)).toEqual(ids);
  });

  it("leaves nothing when it is told to end behind the last page", async () => {
    const { monitor: open, loads } = await withDead(100, "a");
    const stop = new AbortController();
    let moved = 0;
    const observer: (event: MonitorEvent) => void = (event) => {
      if (event.type !== "handedOver") return;
      moved += event.messages;
      if (moved === 100) stop.abort();
    };
    const { groups } = await open({ observer }).monitor.cleanUp({ signal: stop.signal });
    expect(groups[0]).toMatchObject({ moves: [{ messages: 100 }], left: [], removed: [] });
    expect(await loads()).toEqual({ [RELEASED]: 100 });
  });
});

it("releases at once what earlier versions redrove, although nobody ever lived under its name", async () => {
  const { monitor: open, server, stream, group: name, createGroup, add, read, heartbeat, loads, names } = bench();
  await createGroup();
  await add(1);
  await server.command("XGROUP", "CREATECONSUMER", stream, name, "a");
  await read(REDRIVE_CONSUMER, 1);
  await heartbeat("a");
  const { monitor } = open();
  const [group] = (await monitor.inspect()).groups;
  expect(group).toMatchObject({ released: { messages: 1 }, consumers: [{ consumer: "a" }] });
  const { groups } = await monitor.cleanUp();
  expect(groups[0]?.moves).toMatchObject([{ from: REDRIVE_CONSUMER, to: RELEASED, messages: 1 }]);
  expect(await loads()).toEqual({ [RELEASED]: 1 });
  expect(await names()).toEqual(["a", RELEASED]);
});

it("leaves redriven dead letters to any consumer", async () => {
  const { monitor: open, client, stream, group, createGroup, add, read, heartbeat, loads, names, server } = bench();
  await createGroup();
  const [id = ""] = await add(1);
  await read("a", 1);
  await heartbeat("a");
  const port = await client();
  await port.moveToDeadLetters({ stream, group, consumer: "a", id, reason: "rejected", error: "" });
  const [letter] = await port.xrange({
    stream: `rb:{${stream}}:dead:${stream}:${group}`,
    from: "-",
    to: "+",
    count: 1,
  });
  await port.redrive({ stream, group, id: letter?.id ?? "", ifTrimmed: "skip" });
  expect(await loads()).not.toHaveProperty("a");
  const { groups } = await open().monitor.cleanUp();
  expect(groups[0]?.moves).toEqual([]);
  expect(await loads()).toEqual({ [RELEASED]: 1 });
  expect(await names()).toEqual(["a", RELEASED]);
  expect(await server.command("XLEN", stream)).toBe(1);
});

describe("foreign consumers", () => {
  /** Two clients that know nothing of us, one of which has not been heard of for long. */
  async function foreigners() {
    const made = bench();
    await made.createGroup();
    await made.add(6);
    const ids = await made.read("gone", 5);
    await made.age("gone", ids);
    // The server lets nobody set a consumer's own idle time.
    await eventually("it is idle", async () => (await made.idleMs("gone")) > 1_000);
    await made.read("fresh", 1);
    made.keepReading("fresh");
    return made;
  }
  const short = { idleThresholdMs: 1_000, foreignIdleMs: 1_000 } as const;

  it("get nothing unless that is asked for", async () => {
    const { monitor: open, loads } = await foreigners();
    const { groups } = await open(short).monitor.cleanUp();
    expect(groups[0]?.reason).toContain('only if handOverTo is "any"');
    expect(await loads()).toEqual({ fresh: 1, gone: 5 });
  });

  it("are judged by idle alone, and their messages handed to each other if that is asked for", async () => {
    const { monitor: open, loads, names } = await foreigners();
    const { monitor } = open({ ...short, handOverTo: "any" });
    const report = await monitor.inspect();
    expect(report.groups[0]?.consumers.map(({ consumer, status, foreign }) => [consumer, status, foreign])).toEqual([
      ["fresh", "OK", true],
      ["gone", "WARNING - idle for long time", true],
    ]);
    await monitor.cleanUp();
    expect(await loads()).toEqual({ fresh: 6 });
    expect(await names()).toEqual(["fresh"]);
  });

  it("that are idle for less than foreignIdleMs keep what they have", async () => {
    const { monitor: open, loads } = await foreigners();
    await open({ idleThresholdMs: 1_000, handOverTo: "any" }).monitor.cleanUp();
    expect(await loads()).toEqual({ fresh: 1, gone: 5 });
  });
});
