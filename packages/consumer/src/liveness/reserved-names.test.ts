import { groupKey, LATER, PermissionError, RELEASED } from "@redis-batch/core/internal";
import { createMemoryRedis } from "@redis-batch/core/testing";
import { EventRecorder, ManualClock } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import type { ConsumerEvent } from "../events.ts";
import { ReservedNames } from "./reserved-names.ts";

const stream = "orders";
const group = "billing";
const longestDelayMs = 86_400_000;

async function setUp() {
  const clock = new ManualClock();
  const redis = createMemoryRedis({ clock });
  const client = redis.client();
  await client.connect(["commands", "reader"], { timeoutMs: 1_000 });
  await client.xgroupCreate({ stream, group, position: "start" });
  const open = () => {
    const events = new EventRecorder<ConsumerEvent>();
    const policy = { stream, group };
    const names = new ReservedNames({ policy, client, report: events.observe, longestDelayMs });
    const beat = async () => names.keep((await client.xpendingSummary(policy)).consumers);
    return { events, names, beat };
  };
  /** Puts messages off for so long each. */
  const putOff = async (...delaysMs: readonly number[]): Promise<readonly string[]> => {
    const ids: string[] = [];
    for (const delayMs of delaysMs) {
      await client.xadd({ stream, fields: ["n", "1"] });
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
  return { clock, redis, client, open, putOff, removeLater, due };
}

describe("ReservedNames", () => {
  it("touches both names, so that scripts which delete what is idle leave them alone", async () => {
    const { clock, client, open, putOff } = await setUp();
    const [id = ""] = await putOff(60_000, 60_000);
    await client.release({ stream, group, from: LATER, to: RELEASED, offered: [id], neverOffered: [] });
    const { beat } = open();
    await clock.advance(30_000);
    await beat();
    const idle = (await client.xinfoConsumers({ stream, group })).filter(({ name }) => name !== "me");
    expect(Object.fromEntries(idle.map(({ name, idleMs }) => [name, idleMs]))).toEqual({ [LATER]: 0, [RELEASED]: 0 });
  });

  it("tells once, whoever looks, what was lost with rb:later, however far off its time is", async () => {
    const { open, putOff, removeLater, due } = await setUp();
    const ids = await putOff(1_000, longestDelayMs);
    const [first, second] = [open(), open()];
    await first.beat();
    await second.beat();
    await removeLater();
    for (const { beat } of [first, second, first]) await beat();
    expect(first.events.all("laterLost")).toEqual([{ type: "laterLost", ids }]);
    expect(second.events.all("laterLost")).toEqual([]);
    expect(due()).toEqual([]);
  });

  it("does not call lost what was released in time, nor what was put off since", async () => {
    const { client, open, putOff, removeLater, due } = await setUp();
    const [released = "", lost = ""] = await putOff(1_000, 2_000);
    const { beat, events } = open();
    await beat();
    await client.release({ stream, group, from: LATER, to: RELEASED, offered: [released], neverOffered: [] });
    await removeLater();
    await beat();
    const [later = ""] = await putOff(3_000);
    await beat();
    expect(events.all("laterLost")).toEqual([{ type: "laterLost", ids: [lost] }]);
    expect(due()).toEqual([released, later]);
  });

  it("says nothing when the name was never there, was emptied, or went with the whole group", async () => {
    const { client, redis, open, putOff, removeLater } = await setUp();
    const { beat, names, events } = open();
    await beat();
    const [id = ""] = await putOff(1_000);
    await beat();
    await client.release({ stream, group, from: LATER, to: RELEASED, offered: [id], neverOffered: [] });
    await beat();
    await removeLater();
    await beat();
    await putOff(1_000);
    await beat();
    redis.keys.delete(stream);
    await client.xgroupCreate({ stream, group, position: "start" });
    names.forget();
    await beat();
    expect(events.all("laterLost")).toEqual([]);
  });

  it("does without where it may not create a name, and goes on touching", async () => {
    const { redis, client, open, putOff } = await setUp();
    await putOff(1_000);
    const { beat, events } = open();
    redis.failNext("xgroupCreateConsumer", new PermissionError("NOPERM", { command: "xgroup" }));
    for (let beats = 0; beats < 3; beats++) await beat();
    expect(events.all("laterLost")).toEqual([]);
    expect((await client.xinfoConsumers({ stream, group })).map(({ name }) => name)).toContain(LATER);
  });
});
