/** The rules of the README's "Rights" are enough, each for its purpose, and no more than that. */
import { readFileSync } from "node:fs";
import { PermissionError } from "@redis-batch/core";
import { RELEASED } from "@redis-batch/core/internal/names";
import { useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { LONG_MS, useBench } from "./harness.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const section = readme.slice(readme.indexOf("## Rights"), readme.indexOf("## What it costs"));
const [look, run, cleanUp, trim] = [...section.matchAll(/^```text\n(.*)\n```$/gm)].map((match) => match[1] as string);
const anyStream = (look as string).replace("~orders ~rb:{orders}:*", "~stream-* ~rb:{stream-*");

const bench = useBench(
  useServer({
    users: [
      { name: "default", password: "all", rules: "~* &* +@all" },
      { name: "looking", password: "looking", rules: anyStream },
      { name: "running", password: "running", rules: `${anyStream} ${run}` },
      { name: "cleaning", password: "cleaning", rules: `${anyStream} ${cleanUp}` },
      { name: "trimming", password: "trimming", rules: `${anyStream} ${trim}` },
    ],
    speakAs: "default",
  }),
);

/** A group with a dead consumer and a living one, and a monitor with these rights. */
async function openAs(user: string) {
  const made = bench();
  await made.createGroup();
  await made.add(200);
  const ids = await made.read("dead", 200);
  await made.server.command("XACK", made.stream, made.group, ...ids.slice(0, 150));
  await made.age("dead", ids.slice(150));
  await made.heartbeat("dead", { agoMs: LONG_MS });
  await made.server.command("XGROUP", "CREATECONSUMER", made.stream, made.group, "alive");
  await made.heartbeat("alive");
  return { ...made, ...made.monitor({ redis: { ...made.server.options, username: user, password: user } }) };
}

describe("the rights", () => {
  it("to look are enough for a look and for the plans", async () => {
    const { monitor, add, server, stream } = await openAs("looking");
    const ids = await add(3);
    await server.command("XDEL", stream, ids[1] ?? "");
    const [group] = (await monitor.inspect()).groups;
    expect(group).toMatchObject({ pending: 50, backlog: { messages: 2, source: "counted" } });
    const plan = await monitor.cleanUp({ dryRun: true });
    expect(plan.groups[0]).toMatchObject({ moves: [{ from: "dead", to: RELEASED, messages: 50 }], removed: ["dead"] });
  });

  it("to look are not enough to change anything, and the error names what is missing", async () => {
    const { monitor, loads } = await openAs("looking");
    for (const act of [() => monitor.cleanUp(), () => monitor.trim(), () => monitor.run()]) {
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

  it("to trim let it trim", async () => {
    const { monitor } = await openAs("trimming");
    expect((await monitor.trim()).dropped).toBeGreaterThan(0);
  });
});
