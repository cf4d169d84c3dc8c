/**
 * Whatever consumers and two monitors do, in whatever order: no message is lost, none is taken from a live lease, and no
 * consumer goes with messages pending. What may move a message is written down here once more, in a few lines, and
 * compared with what happened.
 */
import { compareEntryIds } from "@redis-batch/core";
import { RELEASED } from "@redis-batch/core/internal/names";
import { addEntry } from "@redis-batch/test-support";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { address, LEASE_MS, type MemoryBench, openInMemory } from "../test/memory-bench.ts";

const OURS = ["a", "b", "c"];
const FOREIGN = ["x", "y"];
const CONSUMERS = [...OURS, ...FOREIGN];
const FOREIGN_IDLE_MS = 600_000;

type Step =
  | { readonly do: "add"; readonly count: number }
  | { readonly do: "read"; readonly who: string; readonly count: number }
  /** It takes what was released, as ours do. */
  | { readonly do: "take"; readonly who: string; readonly count: number }
  | { readonly do: "ack"; readonly who: string; readonly count: number }
  | { readonly do: "renew"; readonly who: string }
  /** It falls silent, or is heard of again. */
  | { readonly do: "die" | "return"; readonly who: string }
  | { readonly do: "pass"; readonly ms: number }
  | { readonly do: "trim"; readonly keep: number }
  | { readonly do: "delete"; readonly which: number }
  | { readonly do: "cleanUp"; readonly monitors: 1 | 2; readonly dryRun: boolean }
  | { readonly do: "trimSafely" };

const who = fc.constantFrom(...CONSUMERS);
const few = fc.integer({ min: 1, max: 12 });
const many = fc.oneof(few, fc.constant(100));
const step: fc.Arbitrary<Step> = fc.oneof(
  // A trim that is safe drops whole nodes of a hundred.
  { weight: 3, arbitrary: fc.record({ do: fc.constant("add" as const), count: fc.oneof(few, fc.constant(130)) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("read" as const), who, count: many }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("take" as const), who: fc.constantFrom(...OURS), count: many }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("ack" as const), who, count: many }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("renew" as const), who }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("die" as const, "return" as const), who }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(1_000, 61_000, 700_000) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("trim" as const), keep: fc.integer({ min: 0, max: 20 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("delete" as const), which: fc.nat(30) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("cleanUp" as const),
      monitors: fc.constantFrom(1 as const, 2 as const),
      dryRun: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("trimSafely" as const) }) },
);

/** Nobody is left, and one whose name was removed reads again: to the monitor it is a foreign consumer. */
const ONE_OF_OURS_RETURNS_WITHOUT_A_HEARTBEAT: Step[] = [
  ...OURS.map((name) => ({ do: "die" as const, who: name })),
  { do: "add", count: 1 },
  { do: "read", who: "b", count: 100 },
  { do: "pass", ms: 700_000 },
  { do: "cleanUp", monitors: 1, dryRun: false },
  { do: "read", who: "a", count: 1 },
  { do: "cleanUp", monitors: 1, dryRun: false },
];

/** What a message's life must be, beside what Redis says of it. */
class World {
  readonly added: string[] = [];
  readonly acknowledged = new Set<string>();
  /** Removed by hand, or by a MAXLEN elsewhere: nobody can be blamed for their loss. */
  readonly deleted = new Set<string>();
  /** Those of ours that send heartbeats. */
  readonly beating = new Set<string>(OURS);
  readonly heartbeatAtMs = new Map<string, number>();
  readonly touchedAtMs = new Map<string, number>();
}

it("loses nothing, takes nothing from a live lease, removes nobody with messages pending", async () => {
  const property = fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 80, size: "max" }),
      fc.constantFrom("any" as const, "registered" as const),
      play,
    ),
    { numRuns: 80, examples: [[ONE_OF_OURS_RETURNS_WITHOUT_A_HEARTBEAT, "any"]] },
  );
  await expect(property).resolves.toBeUndefined();
});

async function play(steps: readonly Step[], handOverTo: "any" | "registered"): Promise<void> {
  const bench = await openInMemory();
  const world = new World();
  const monitors = [0, 1].map(() => bench.monitor({ handOverTo, foreignIdleMs: FOREIGN_IDLE_MS }).monitor);
  for (const name of CONSUMERS) await bench.client.xgroupCreateConsumer({ ...address, consumer: name });
  for (const next of steps) {
    await heartbeatAll(bench, world);
    await take(next, bench, world, monitors);
    await nothingIsLost(bench, world);
  }
  await Promise.all(monitors.map((monitor) => monitor.close()));
}

async function heartbeatAll(bench: MemoryBench, world: World): Promise<void> {
  for (const name of world.beating) {
    await bench.heartbeat(name);
    world.heartbeatAtMs.set(name, bench.clock.nowMs());
  }
}

async function take(
  next: Step,
  bench: MemoryBench,
  world: World,
  monitors: readonly Monitors[number][],
): Promise<void> {
  const { client, clock } = bench;
  const ownOf = async (name: string, count: number): Promise<string[]> =>
    [...(await bench.owners())].flatMap(([id, owner]) => (owner === name ? [id] : [])).slice(0, count);
  switch (next.do) {
    case "add":
      world.added.push(...(await bench.add(next.count)));
      return;
    case "read":
      for (const id of await bench.read(next.who, next.count)) world.touchedAtMs.set(id, clock.nowMs());
      return;
    case "take": {
      if (!world.beating.has(next.who)) return;
      const some = { after: null, scan: 1_000, maxBytes: 1_000_000, suspectFrom: 99, suspects: 1, notWanted: [] };
      await client.take({ ...address, ...some, consumer: next.who, count: next.count });
      return;
    }
    case "ack": {
      const ids = await ownOf(next.who, next.count);
      if (ids.length > 0) await client.xack({ ...address, ids });
      for (const id of ids) world.acknowledged.add(id);
      return;
    }
    case "renew": {
      const ids = await ownOf(next.who, 1_000);
      const renewed = await client.renewOwned({ ...address, consumer: next.who, ids });
      for (const [id, renewal] of renewed) if (renewal === "kept") world.touchedAtMs.set(id, clock.nowMs());
      return;
    }
    case "die":
      world.beating.delete(next.who);
      return;
    case "return":
      if (OURS.includes(next.who)) world.beating.add(next.who);
      return;
    case "pass":
      await clock.advance(next.ms);
      return;
    case "trim": {
      const before = await idsInStream(bench);
      const trim = { strategy: "maxLen", threshold: next.keep, approximate: false } as const;
      const last = await addEntry(client, { stream: "orders", fields: ["n", "1"], trim });
      world.added.push(last);
      const left = new Set(await idsInStream(bench));
      for (const id of [...before, last]) if (!left.has(id)) world.deleted.add(id);
      return;
    }
    case "delete": {
      const id = world.added[next.which];
      if (id === undefined) return;
      await client.xdel({ stream: "orders", ids: [id] });
      world.deleted.add(id);
      return;
    }
    case "cleanUp":
      return cleanUp(next, bench, world, monitors);
    case "trimSafely": {
      const before = await idsInStream(bench);
      await monitors[0]?.trim();
      const left = new Set(await idsInStream(bench));
      const owners = await bench.owners();
      const [group] = await client.xinfoGroups({ stream: "orders" });
      for (const id of before.filter((one) => !left.has(one))) {
        expect(owners.has(id)).toBe(false);
        expect(compareEntryIds(id, group?.lastDeliveredId ?? "0-0")).toBeLessThanOrEqual(0);
        world.deleted.add(id);
      }
    }
  }
}

type Monitors = readonly ReturnType<MemoryBench["monitor"]>["monitor"][];

async function cleanUp(
  { monitors: count, dryRun }: Extract<Step, { readonly do: "cleanUp" }>,
  bench: MemoryBench,
  world: World,
  monitors: Monitors,
): Promise<void> {
  const beganAtMs = bench.clock.nowMs();
  const before = await bench.owners();
  const idle = new Map(
    (await bench.client.xpendingRange({ ...address, from: "-", to: "+", count: 10_000 })).map((entry) => [
      entry.id,
      entry,
    ]),
  );
  const reports = await bench.passing(
    Promise.all(monitors.slice(0, count).map((monitor) => monitor.cleanUp({ dryRun }))),
  );
  const nowMs = bench.clock.nowMs();
  const after = await bench.owners();
  if (dryRun) return expect(after).toEqual(before);
  const isAlive = (name: string): boolean => {
    const heartbeatAtMs = world.heartbeatAtMs.get(name);
    return heartbeatAtMs !== undefined && nowMs - heartbeatAtMs <= LEASE_MS;
  };
  for (const [id, owner] of before) {
    const now = after.get(id);
    if (now === owner) continue;
    // It moved, or was cleared because the message is gone. Neither may happen to what a live consumer of ours holds.
    expect(isAlive(owner)).toBe(false);
    // Of a foreign one neither; a registered one was watched, and has no lease any more.
    if (!world.heartbeatAtMs.has(owner)) {
      expect((idle.get(id)?.idleMs ?? 0) + nowMs - beganAtMs).toBeGreaterThanOrEqual(FOREIGN_IDLE_MS);
    }
    if (now === undefined) expect(world.deleted.has(id)).toBe(true);
    // Only one without a heartbeat gets it directly; one of ours that was removed and reads again is such a one.
    else if (now !== RELEASED) expect(world.heartbeatAtMs.has(now)).toBe(false);
    if (now !== undefined) world.touchedAtMs.set(id, nowMs);
  }
  const holders = new Set(after.values());
  for (const { groups } of reports) {
    for (const name of groups.flatMap(({ removed }) => removed)) {
      expect(isAlive(name)).toBe(false);
      expect(holders.has(name)).toBe(false);
      // Should it read again without a heartbeat, it is a foreign one.
      world.heartbeatAtMs.delete(name);
    }
  }
}

async function idsInStream({ client }: MemoryBench): Promise<string[]> {
  return (await client.xrange({ stream: "orders", from: "-", to: "+", count: 10_000 })).map(({ id }) => id);
}

/** Every message is acknowledged, deleted by hand, pending, or has yet to be read. */
async function nothingIsLost(bench: MemoryBench, world: World): Promise<void> {
  const owners = await bench.owners();
  const present = new Set(await idsInStream(bench));
  const [group] = await bench.client.xinfoGroups({ stream: "orders" });
  const lost: string[] = [];
  for (const id of world.added) {
    if (world.acknowledged.has(id) || world.deleted.has(id)) continue;
    const isUnread = present.has(id) && compareEntryIds(id, group?.lastDeliveredId ?? "0-0") > 0;
    if (!isUnread && !(present.has(id) && owners.has(id))) lost.push(id);
  }
  expect(lost).toEqual([]);
}
