/** The rules of the README's "Rights" are enough, each for its purpose, and no more than that. */
import { PermissionError, Producer, partitionStreams } from "@redis-batch/core";
import { aclRules, RIGHTS, rulesOf } from "@redis-batch/core/internal/connection";
import { RELEASED } from "@redis-batch/core/internal/names";
import { uniqueName, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { Monitor } from "../src/index.ts";
import { LONG_MS, useBench } from "./harness.ts";

/** A user with the first part of the rights, and others of them. */
const user = (name: string, ...purposes: readonly string[]) => {
  const parts = RIGHTS.monitor.filter(({ need, purpose }) => need === "least" || purposes.includes(purpose));
  const rules = rulesOf(
    parts.flatMap(({ grants }) => grants),
    "orders",
  );
  return { name, password: name, rules: rules.join(" ").replaceAll("orders", "stream-*") };
};
const reading = RIGHTS.monitor.map(({ purpose }) => purpose).find((purpose) => purpose.includes("reads entries")) ?? "";

const bench = useBench(
  useServer({
    users: [
      { name: "default", password: "all", rules: "~* &* +@all" },
      user("looking"),
      ...[user("counting", reading), user("running", "electing a leader")],
      ...[
        user("cleaning", "cleaning up"),
        user("trimming", "trimming"),
        user("pausing", "pausing and resuming groups"),
      ],
    ],
    speakAs: "default",
  }),
);

/** A group with a dead consumer and a living one, and a monitor with these rights. */
async function openAs(name: string) {
  const made = bench();
  await made.createGroup();
  await made.add(200);
  const ids = await made.read("dead", 200);
  await made.server.command("XACK", made.stream, made.group, ...ids.slice(0, 150));
  await made.age("dead", ids.slice(150));
  await made.heartbeat("dead", { agoMs: LONG_MS });
  await made.server.command("XGROUP", "CREATECONSUMER", made.stream, made.group, "alive");
  await made.heartbeat("alive");
  return { ...made, ...made.monitor({ redis: { ...made.server.options, username: name, password: name } }) };
}

describe("the rights", () => {
  it.each(["monitor", "dashboard"] as const)(
    "of a %s with `pause` are enough where the stream has partitions",
    async (role) => {
      const { server } = bench();
      const stream = uniqueName("parted");
      await using producer = new Producer({ redis: server.options, stream, partitions: 2 });
      await producer.add({ n: 1 }, { key: "a" });
      for (const part of partitionStreams(stream, 2))
        await server.command("XGROUP", "CREATE", part, "g", "0", "MKSTREAM");
      const rules = aclRules(role, stream, { extras: ["pause"], partitions: true });
      await server.command("ACL", "SETUSER", role, "reset", "resetchannels", "on", `>${role}`, ...rules);
      await server.command("ACL", "LOG", "RESET");
      await using monitor = new Monitor({
        ...{ redis: { ...server.options, username: role, password: role }, stream, group: "g", observer: () => {} },
      });
      expect(await monitor.pause({ by: "ada" })).toMatchObject({ by: "ada", notObeyedBy: [] });
      expect(await monitor.resume()).toMatchObject({ by: "ada" });
      expect(await server.command("ACL", "LOG")).toEqual([]);
    },
  );

  it("to look are enough for a look and for the plans", async () => {
    const { monitor, add, server, stream } = await openAs("looking");
    await add(3);
    const [group] = (await monitor.inspect()).groups;
    expect(group).toMatchObject({ pending: 50, backlog: { messages: 3, source: "server" }, oldestWaitingAgeMs: null });
    const plan = await monitor.cleanUp({ dryRun: true });
    expect(plan.groups[0]).toMatchObject({ moves: [{ from: "dead", to: RELEASED, messages: 50 }], removed: ["dead"] });
    expect(await server.command("ACL", "LOG")).toEqual([]);
    expect(await server.command("XLEN", stream)).toBe(203);
  });

  it.each([
    ["looking", { messages: null, source: "unknown" }],
    ["counting", { messages: 2, source: "counted" }],
  ])("to read entries are needed to count what the server does not know: %s", async (name, backlog) => {
    const { monitor, add, server, stream } = await openAs(name);
    const ids = await add(3);
    await server.command("XDEL", stream, ids[1] ?? "");
    expect((await monitor.inspect()).groups[0]).toMatchObject({ backlog });
    expect(await server.command("ACL", "LOG")).toEqual([]);
  });

  it("to look are not enough to change anything, and the error names what is missing", async () => {
    const { monitor, loads } = await openAs("looking");
    for (const act of [
      () => monitor.cleanUp(),
      () => monitor.trim(),
      () => monitor.run(),
      () => monitor.pause({ by: "anna" }),
    ]) {
      const error: unknown = await act().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(PermissionError);
    }
    expect(await loads()).toEqual({ dead: 50 });
  });

  it("to run let it lead", async () => {
    const { monitor, events } = await openAs("running");
    const running = monitor.run();
    await events.waitFor("leading");
    expect(monitor.health().leading).toBe(true);
    await monitor.close();
    await running;
  });

  it("to clean up let it hand over and remove", async () => {
    const { monitor, loads, names, registered } = await openAs("cleaning");
    await monitor.cleanUp();
    expect([await loads(), await names(), await registered()]).toEqual([
      { [RELEASED]: 50 },
      ["alive", RELEASED],
      ["alive"],
    ]);
  });

  it("to pause let it pause and resume", async () => {
    const { monitor } = await openAs("pausing");
    expect(await monitor.pause({ by: "anna" })).toMatchObject({ by: "anna", notObeyedBy: ["alive"] });
    expect(await monitor.resume()).toMatchObject({ by: "anna" });
  });

  it("to trim let it trim", async () => {
    const { monitor } = await openAs("trimming");
    expect((await monitor.trim()).dropped).toBeGreaterThan(0);
  });
});
