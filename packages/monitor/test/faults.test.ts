/** Monitors that are killed, servers that go away, consumers that come back: in the middle of a clean-up, on real servers. */
import { ConnectionError, PermissionError } from "@redis-batch/core";
import { RELEASED } from "@redis-batch/core/internal/names";
import { eventually, type RedisServer, runWorker, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { LONG_MS, useBench } from "./harness.ts";

const bench = useBench(useServer({ own: true, persistence: "aof" }));

/** A dead consumer with that many messages, and two that live. */
async function withDead(messages: number) {
  const made = bench();
  await made.createGroup();
  await made.add(messages);
  const ids = await made.read("dead", messages);
  await made.age("dead", ids);
  await made.heartbeat("dead", { agoMs: LONG_MS });
  for (const name of ["a", "b"]) {
    await made.server.command("XGROUP", "CREATECONSUMER", made.stream, made.group, name);
    await made.heartbeat(name);
  }
  return { ...made, ids };
}

const typeOf = (line: string): string => (JSON.parse(line) as { readonly type: string }).type;

describe("in the middle of a clean-up", () => {
  it("a monitor is killed, another one leads and finishes, and nothing is lost or moved twice", async () => {
    const { server, stream, group, ids, pending, names } = await withDead(5_000);
    const start = () => runWorker(new URL("monitor.worker.ts", import.meta.url), { args: [server.url, stream, group] });
    await using first = await start();
    await first.waitForLine((line) => typeOf(line) === "handedOver");
    first.kill("SIGKILL");
    await first.exited;
    // The lease of a leader that was killed has to run out, which nobody need wait for here.
    await server.command("DEL", `rb:{${stream}}:lease:monitor:${stream}:${group}`);
    await using second = await start();
    await second.waitForLine((line) => typeOf(line) === "leading", { timeoutMs: 20_000 });
    await eventually("the dead one is gone", async () => !(await names()).includes("dead"), { timeoutMs: 20_000 });
    second.kill("SIGKILL");
    expect((await pending()).map(({ id, deliveries }) => [id, deliveries])).toEqual(ids.map((id) => [id, 1]));
    expect(await names()).toEqual(["a", "b", RELEASED]);
  });

  it("the server is killed and comes back: the call says so, and the next one finishes", async () => {
    const { server, monitor: open, ids, pending, names, heartbeat } = await withDead(3_000);
    let down: Promise<void> | undefined;
    const { monitor } = open({
      observer: (event) => {
        if (event.type === "handedOver") down ??= server.kill();
      },
    });
    await expect(monitor.cleanUp()).rejects.toBeInstanceOf(ConnectionError);
    await down;
    await restart(server);
    for (const name of ["a", "b"]) await heartbeat(name);
    await monitor.cleanUp();
    expect((await pending()).map(({ id }) => id)).toEqual(ids);
    expect(await names()).toEqual(["a", "b", RELEASED]);
  });

  it("the dead one comes back: it keeps what it still has, and its name", async () => {
    const { monitor: open, ids, pending, names, heartbeat, loads } = await withDead(3_000);
    let back: Promise<void> | undefined;
    const { monitor } = open({
      observer: (event) => {
        if (event.type === "handedOver") back ??= heartbeat("dead");
      },
    });
    const { groups } = await monitor.cleanUp();
    await back;
    expect(groups[0]?.left).toMatchObject([{ consumer: "dead", reason: "it is back: its heartbeat is fresh" }]);
    expect((await pending()).map(({ id }) => id)).toEqual(ids);
    expect((await loads())["dead"]).toBe(groups[0]?.left[0]?.messages);
    expect(await names()).toContain("dead");
  });

  it("the consumers die that should take the messages over: all of them wait for the next consumer", async () => {
    const { server, stream, group: address, monitor: open, ids, pending, heartbeat, loads } = await withDead(3_000);
    let died: Promise<unknown> | undefined;
    const { monitor } = open({
      observer: (event) => {
        if (event.type === "handedOver")
          died ??= Promise.all(["a", "b"].map((name) => heartbeat(name, { agoMs: LONG_MS })));
      },
    });
    const { groups } = await monitor.cleanUp();
    await died;
    expect(groups[0]).toMatchObject({ left: [], removed: ["dead"], taken: { waiting: 3_000, by: [] } });
    expect((await pending()).map(({ id }) => id)).toEqual(ids);
    expect(await loads()).toEqual({ [RELEASED]: 3_000 });
    await heartbeat("next");
    await server.command("XGROUP", "CREATECONSUMER", stream, address, "next");
    await monitor.cleanUp();
    const [group] = (await monitor.inspect()).groups;
    expect(group).toMatchObject({ released: { messages: 3_000 } });
    expect(group?.consumers.map(({ consumer }) => consumer)).toEqual(["next"]);
  });

  it("the group is deleted: nothing is left to clean up, and that is no error", async () => {
    const { server, stream, group, monitor: open } = await withDead(3_000);
    let destroyed: Promise<unknown> | undefined;
    const { monitor } = open({
      observer: (event) => {
        if (event.type === "handedOver") destroyed ??= server.command("XGROUP", "DESTROY", stream, group);
      },
    });
    const { groups } = await monitor.cleanUp();
    await destroyed;
    expect(groups[0]?.reason).toBe("the group no longer exists");
    expect(await monitor.inspect()).toMatchObject({ groups: [] });
  });
});

describe("consumers that follow the original's protocol", () => {
  it("find what was handed to them where they look for it: in their own pending list", async () => {
    const { server, stream, group, createGroup, add, read, keepReading, age, idleMs, monitor: open } = bench();
    await createGroup();
    const ids = await add(6);
    await age("gone", await read("gone", 4));
    await eventually("it is idle", async () => (await idleMs("gone")) > 1_000);
    // It reads new messages first, and then everything that it has not acknowledged.
    await read("original", 2);
    keepReading("original");
    await open({ handOverTo: "any", idleThresholdMs: 1_000, foreignIdleMs: 1_000 }).monitor.cleanUp();
    const history = ["XREADGROUP", "GROUP", group, "original", "COUNT", 10, "STREAMS", stream, 0] as const;
    const [[, entries]] = (await server.command(...history)) as [[string, [string, string[]][]]];
    expect(entries.map(([id]) => id)).toEqual(ids);
  });
});

it("a password that is wrong is an error that says so, before anything else", async () => {
  const { server, monitor: open } = bench();
  const { monitor } = open({ redis: { ...server.options, username: "nobody", password: "wrong" } });
  await expect(monitor.inspect()).rejects.toBeInstanceOf(PermissionError);
});

async function restart(server: RedisServer): Promise<void> {
  await server.restart();
  await eventually("it answers", async () => (await server.command("PING")) === "PONG");
}
