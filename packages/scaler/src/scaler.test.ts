/** The scaler on a Redis in memory and a clock that only the test moves: leases that are nearly over. */

import { textOf } from "@redis-batch/core/internal/messages";
import { groupKey } from "@redis-batch/core/internal/names";
import { pause } from "@redis-batch/core/internal/service";
import { addEntry, EventRecorder, ManualClock } from "@redis-batch/test-support";
import { createMemoryServer } from "@redis-batch/testing/internal";
import { describe, expect, it } from "vitest";
import type { StartsMemory } from "./decisions/starts.ts";
import type { ScalerEvent } from "./events.ts";
import type { Executor } from "./executor.ts";
import { Scaler } from "./scaler.ts";

const STREAM = "orders";
const GROUP = "billing";
const LEASE_MS = 3_000;

/** A group with one message that waits, for which there are to be two consumers. */
async function open() {
  const clock = new ManualClock();
  const redis = createMemoryServer({ clock });
  const client = redis.client();
  await client.connect(["commands"], { timeoutMs: 1_000 });
  await client.xgroupCreate({ stream: STREAM, group: GROUP, position: "start" });
  await addEntry(client, { stream: STREAM, fields: ["n", 1] });
  const events = new EventRecorder<ScalerEvent>();
  const scaler = new Scaler(
    {
      ...{ redis: "redis://nowhere", stream: STREAM, group: GROUP, observer: events.observe },
      ...{ strategy: "ratio", scaleOutRate: 60, scaleInRate: 20, scaleOutCooldownMs: 600_000 },
    },
    { clock, random: () => 0.5, createClient: ({ report }) => redis.client(report === undefined ? {} : { report }) },
  );
  const audited = async () => {
    const entries = await client.xrange({ stream: groupKey("audit", STREAM, GROUP), from: "-", to: "+", count: 10 });
    return entries.map((entry) => textOf(entry)["what"]);
  };
  const saved = async () => {
    const lease = { leaseKey: groupKey("lease:scaler", STREAM, GROUP), stateKey: groupKey("scaler", STREAM, GROUP) };
    const { state } = await client.holdLease({ ...lease, holder: "somebody else", leaseMs: 1_000, heardOf: 0 });
    return JSON.parse(state) as { readonly atMs: number; readonly starts: StartsMemory };
  };
  return { clock, events, scaler, audited, saved };
}

/** Takes so long to say that there is one consumer, and so long for each order; notes the ends of its orders. */
function slowExecutor(clock: ManualClock, surveyMs: number, scaleMs: number) {
  const ends: string[] = [];
  const executor: Executor = {
    name: "slow",
    async status(signal) {
      await pause(clock, surveyMs, signal);
      return { desired: 1, ready: 1, startingMs: [], startUpsMs: [] };
    },
    async scale(_, signal) {
      await pause(clock, scaleMs, signal);
      ends.push(signal.aborted ? String(signal.reason) : "done");
      signal.throwIfAborted();
    },
  };
  return { executor, ends };
}

describe("an order", () => {
  it("has a whole lease, however long the look before it took", async () => {
    const { clock, events, scaler, audited } = await open();
    const { executor, ends } = slowExecutor(clock, LEASE_MS - 1, LEASE_MS - 1);
    const run = scaler.run({ intervalMs: LEASE_MS / 2, leaseMs: LEASE_MS, executor });
    await clock.advance(LEASE_MS - 1);
    expect(ends).toEqual([]);
    await clock.advance(LEASE_MS - 1);
    expect(ends).toEqual(["done"]);
    expect(events.all("scaled")).toMatchObject([{ from: 1, to: 2 }]);
    expect(await audited()).toEqual(["order", "done"]);
    await scaler.close();
    await run;
  });

  it("begins the time that its consumers take to start", async () => {
    const { clock, events, scaler, saved } = await open();
    let desired = 1;
    const executor: Executor = {
      name: "counts",
      status: async () => ({ desired, ready: null, startingMs: [], startUpsMs: [] }),
      async scale(decision) {
        desired = decision.desired;
      },
    };
    const run = scaler.run({ intervalMs: 1_000, leaseMs: LEASE_MS, executor });
    await clock.advance(0);
    expect(events.all("scaled")).toMatchObject([{ from: 1, to: 2 }]);
    const { atMs, starts } = await saved();
    // Neither the one that should be there works, nor the one that was ordered now.
    expect(starts).toMatchObject({ desired: 2, orderedAtMs: [atMs, atMs] });
    await scaler.close();
    await run;
  });

  it("is cut off when its lease is over", async () => {
    const { clock, events, scaler } = await open();
    const { executor, ends } = slowExecutor(clock, 0, 2 * LEASE_MS);
    const run = scaler.run({ intervalMs: LEASE_MS / 2, leaseMs: LEASE_MS, executor });
    await clock.advance(LEASE_MS - 1);
    expect(ends).toEqual([]);
    await clock.advance(1);
    expect(ends).toEqual(["UsageError: another scaler may lead by now"]);
    expect(events.all("scaleFailed")).toMatchObject([{ from: 1, to: 2 }]);
    await scaler.close();
    await run;
  });
});
