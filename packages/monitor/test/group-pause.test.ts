import { ConfigError, NoGroupError } from "@redis-batch/core";
import { useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { toPrometheus } from "../src/index.ts";
import { useBench } from "./harness.ts";

const bench = useBench(useServer());

/** A group in which one consumer knows of pauses, one does not, and one is not of Redis Batch. */
async function open() {
  const made = bench();
  await made.createGroup();
  await made.add(3);
  for (const name of ["new", "old", "foreign"]) {
    await made.server.command("XGROUP", "CREATECONSUMER", made.stream, made.group, name);
  }
  await made.heartbeat("new", { details: { state: "running", intake: "group-paused", obeysPause: true } });
  await made.heartbeat("old", { details: { state: "running", intake: "open" } });
  return { ...made, ...made.monitor() };
}

describe("a group that is paused", () => {
  it("says who did it, why and until when, who goes on, and in every form of the report", async () => {
    const { monitor, events } = await open();
    const { replaced, ...pause } = await monitor.pause({ by: "anna", reason: "the database moves", forMs: 600_000 });
    expect(replaced).toBeNull();
    expect(pause).toMatchObject({ by: "anna", reason: "the database moves", notObeyedBy: ["foreign", "old"] });
    expect(pause.untilMs).toBe(pause.sinceMs + 600_000);
    const report = await monitor.inspect();
    const [group] = report.groups;
    expect(group).toMatchObject({ health: "PAUSED", pause });
    expect(group?.reason).toMatch(
      /^paused by anna \(the database moves\) \d+ ms ago, for another 9 min, but "foreign", "old" go on: .*; 3 messages are waiting/,
    );
    expect(group?.consumers.find(({ consumer }) => consumer === "new")).toMatchObject({ status: "PAUSED" });
    expect(events.all("groupChanged").at(-1)).toMatchObject({
      to: "PAUSED",
      reason: expect.stringContaining("anna") as string,
    });
    const metrics = toPrometheus(report);
    expect(metrics).toMatch(/^redis_batch_group_paused\{.*\} 1$/m);
    expect(metrics).toMatch(/^redis_batch_group_pause_not_obeyed_consumers\{.*\} 2$/m);
    expect(metrics).toMatch(/^redis_batch_group_health\{.*health="paused"\} 1$/m);
    expect(await monitor.resume()).toMatchObject({ by: "anna" });
    expect(await monitor.resume()).toBeNull();
    expect((await monitor.inspect()).groups[0]).toMatchObject({ pause: null });
  });

  it("takes no more words than every consumer can be sent with every heartbeat", async () => {
    const { monitor } = await open();
    const most = { by: "a".repeat(200), reason: "r".repeat(1_000) };
    expect(await monitor.pause(most)).toMatchObject(most);
    const more = monitor.pause({ by: "a".repeat(201), reason: "r".repeat(1_001) });
    await expect(more).rejects.toThrow(
      /by must have at most 200 characters.*reason must have at most 1000 characters/s,
    );
    await expect(more).rejects.toThrow(ConfigError);
    expect((await monitor.inspect()).groups[0]?.pause).toMatchObject(most);
  });

  it("gets another pause from somebody else, who is told whose it replaced", async () => {
    const { monitor } = await open();
    expect(await monitor.pause({ by: "anna", reason: "the database moves" })).toMatchObject({ replaced: null });
    const { replaced } = await monitor.pause({ by: "bob", forMs: 1_000 });
    expect(replaced).toMatchObject({ by: "anna", reason: "the database moves", untilMs: null });
  });

  it("is not paused any more when its time is over, by the server's clock", async () => {
    const { monitor, server, stream, group } = await open();
    const { sinceMs } = await monitor.pause({ by: "anna", forMs: 60_000 });
    const key = `rb:{${stream}}:consumers:${stream}:${group}`;
    await server.command("HSET", key, "rb:pause", JSON.stringify({ at: sinceMs - 9, until: sinceMs, by: "anna" }));
    expect((await monitor.inspect()).groups[0]).toMatchObject({ pause: null });
  });

  it("has to exist, and has to be named where several are watched", async () => {
    const { monitor, stream, monitor: one } = await open();
    await expect(one.pause({ by: "anna", group: "other" })).rejects.toThrow(NoGroupError);
    const all = bench().monitor({ stream, group: undefined, groups: "all" });
    await expect(all.monitor.pause({ by: "anna" })).rejects.toThrow(ConfigError);
    await expect(all.monitor.resume()).rejects.toThrow("group is missing");
    await expect(monitor.pause({} as never)).rejects.toThrow(/by/);
  });
});
