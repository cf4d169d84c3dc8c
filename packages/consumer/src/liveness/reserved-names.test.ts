import { PermissionError } from "@redis-batch/core";
import { groupKey, LATER, RELEASED } from "@redis-batch/core/internal/names";
import { addEntry, EventRecorder, ManualClock } from "@redis-batch/test-support";
import { createMemoryServer } from "@redis-batch/testing/internal";
import { describe, expect, it } from "vitest";
import { makeScope } from "../../test/make-scope.ts";
import type { StreamEvent } from "../events.ts";
import { ReservedNames } from "./reserved-names.ts";

const stream = "orders";
const group = "billing";
const longestDelayMs = 86_400_000;

async function setUp() {
  const clock = new ManualClock();
  const redis = createMemoryServer({ clock });
  const client = redis.client();
  await client.connect(["commands", "reader"], { timeoutMs: 1_000 });
  await client.xgroupCreate({ stream, group, position: "start" });
  const open = () => {
    const events = new EventRecorder<StreamEvent>();
    const policy = { stream, group };
    const names = new ReservedNames(makeScope({ policy, client, report: events.observe }));
    const heartbeat = async () => names.keep((await client.xpendingSummary(policy)).consumers);
    return { events, names, heartbeat };
  };
  /** Puts messages off for so long each. */
  const defer = async (...delaysMs: readonly number[]): Promise<readonly string[]> => {
    const ids: string[] = [];
    for (const delayMs of delaysMs) {
      await addEntry(client, { stream, fields: ["n", "1"] });
      const [entry] = await client.xreadgroup({ stream, group, consumer: "me", count: 1, blockMs: undefined });
      const id = entry?.id ?? "";
      await client.scheduleLater({ stream, group, delays: [{ id, delayMs }] });
      await client.release({ stream, group, from: "me", to: LATER, offered: [id], neverOffered: [] });
      ids.push(id);
    }
    return ids;
  };
  /** As XGROUP DELCONSUMER does: what is pending under the name goes with it. */
  const removeLater = async (): Promise<void> => {
    const found = redis.keys.group({ stream, group });
    found.acknowledge(found.pending(redis.keys.nowMs(), LATER).map(({ id }) => id));
    found.removeConsumer(LATER);
  };
  const due = () => [...redis.keys.sortedSet(groupKey("due", stream, group)).keys()];
  return { clock, redis, client, open, defer, removeLater, due };
}

describe("ReservedNames", () => {
  it("touches both names, so that scripts which delete what is idle leave them alone", async () => {
    const { clock, client, open, defer } = await setUp();
    const [id = ""] = await defer(60_000, 60_000);
    await client.release({ stream, group, from: LATER, to: RELEASED, offered: [id], neverOffered: [] });
    const { heartbeat } = open();
    await clock.advance(30_000);
    await heartbeat();
    const idle = (await client.xinfoConsumers({ stream, group })).filter(({ name }) => name !== "me");
    expect(Object.fromEntries(idle.map(({ name, idleMs }) => [name, idleMs]))).toEqual({ [LATER]: 0, [RELEASED]: 0 });
  });

  it("reports once what was lost with rb:later, however many consumers look, and however far off its time is", async () => {
    const { open, defer, removeLater, due } = await setUp();
    const ids = await defer(1_000, longestDelayMs);
    const [first, second] = [open(), open()];
    await first.heartbeat();
    await second.heartbeat();
    await removeLater();
    for (const { heartbeat } of [first, second, first]) await heartbeat();
    expect(first.events.all("laterLost")).toEqual([{ type: "laterLost", ids }]);
    expect(second.events.all("laterLost")).toEqual([]);
    expect(due()).toEqual([]);
  });

  it("does not call lost what was released in time, nor what was deferred since", async () => {
    const { client, open, defer, removeLater, due } = await setUp();
    const [released = "", lost = ""] = await defer(1_000, 2_000);
    const { heartbeat, events } = open();
    await heartbeat();
    await client.release({ stream, group, from: LATER, to: RELEASED, offered: [released], neverOffered: [] });
    await removeLater();
    await heartbeat();
    const [later = ""] = await defer(3_000);
    await heartbeat();
    expect(events.all("laterLost")).toEqual([{ type: "laterLost", ids: [lost] }]);
    expect(due()).toEqual([released, later]);
  });

  it("says nothing when the name was never there, was emptied, or went with the whole group", async () => {
    const { client, redis, open, defer, removeLater } = await setUp();
    const { heartbeat, names, events } = open();
    await heartbeat();
    const [id = ""] = await defer(1_000);
    await heartbeat();
    await client.release({ stream, group, from: LATER, to: RELEASED, offered: [id], neverOffered: [] });
    await heartbeat();
    await removeLater();
    await heartbeat();
    await defer(1_000);
    await heartbeat();
    redis.keys.delete(stream);
    await client.xgroupCreate({ stream, group, position: "start" });
    names.forget();
    await heartbeat();
    expect(events.all("laterLost")).toEqual([]);
  });

  it("does without where it may not create a name, and goes on touching", async () => {
    const { redis, client, open, defer } = await setUp();
    await defer(1_000);
    const { heartbeat, events } = open();
    redis.failNext("xgroupCreateConsumer", new PermissionError("NOPERM", { command: "xgroup" }));
    for (let heartbeats = 0; heartbeats < 3; heartbeats++) await heartbeat();
    expect(events.all("laterLost")).toEqual([]);
    expect((await client.xinfoConsumers({ stream, group })).map(({ name }) => name)).toContain(LATER);
  });
});
