import { groupKey, LATER, RELEASED } from "@redis-batch/core/internal/names";
import { addEntry, EventRecorder, ManualClock } from "@redis-batch/test-support";
import { createMemoryServer } from "@redis-batch/testing/internal";
import { afterEach, describe, expect, it } from "vitest";
import { makeScope } from "../../test/make-scope.ts";
import { sendHeartbeat } from "../../test/send-heartbeat.ts";
import type { StreamEvent } from "../events.ts";
import { Peers } from "../liveness/peers.ts";
import { OrphanReleaser } from "./orphan-releaser.ts";

const stream = "orders";
const group = "billing";
const leaseMs = 6_000;
const heartbeatMs = 2_000;
const recoverEveryMs = 1_000;
const foreignIdleMs = 100_000;
const longestDelayMs = 86_400_000;

let stop = async (): Promise<void> => {};
afterEach(() => stop());

async function setUp() {
  const clock = new ManualClock();
  const redis = createMemoryServer({ clock });
  const client = redis.client();
  await client.connect(["commands", "reader"], { timeoutMs: 1_000 });
  await client.xgroupCreate({ stream, group, position: "start" });
  const events = new EventRecorder<StreamEvent>();
  const policy = { stream, group, name: "me", leaseMs, heartbeatMs, recoverEveryMs, foreignIdleMs };
  const steady = { since: clock.nowMs() as number | null, isLeaseCertain: true };
  const scope = makeScope({ policy, client, clock, random: () => 0.5, report: events.observe });
  const orphanReleaser = new OrphanReleaser(scope, {
    peers: new Peers(scope),
    connection: {
      get connectedSinceMs() {
        return steady.since;
      },
    },
    leases: { isCertain: () => steady.isLeaseCertain },
  });
  stop = async () => {
    const stopping = orphanReleaser.stop();
    await clock.advance(1);
    await stopping;
  };
  orphanReleaser.start();
  /** Reads messages under a name, as a process that is never heard of again unless it sends a heartbeat. */
  const hold = async (consumer: string, count: number): Promise<readonly string[]> => {
    for (let more = count; more > 0; more--) await addEntry(client, { stream, fields: ["n", "1"] });
    const entries = await client.xreadgroup({ stream, group, consumer, count, blockMs: undefined });
    return entries.map(({ id }) => id);
  };
  const heartbeat = (consumer: string) => sendHeartbeat(client, { stream, group, consumer, leaseMs });
  const ownedBy = async (consumer: string): Promise<readonly string[]> =>
    (await client.xpendingRange({ stream, group, consumer, from: "-", to: "+", count: 10_000 })).map(({ id }) => id);
  return { clock, redis, client, events, steady, hold, heartbeat, ownedBy };
}

describe("OrphanReleaser", () => {
  it("releases what a dead consumer left, and removes its name, a lease and three heartbeats after its last heartbeat", async () => {
    const { clock, events, hold, heartbeat, ownedBy } = await setUp();
    await heartbeat("dead");
    const ids = await hold("dead", 250);
    await clock.advance(leaseMs - 1);
    expect(await ownedBy("dead")).toEqual(ids);
    await clock.advance(3 * heartbeatMs + 2 * recoverEveryMs);
    expect(await ownedBy(RELEASED)).toEqual(ids);
    expect(events.all("orphansReleased")).toEqual([{ type: "orphansReleased", from: "dead", messages: 250 }]);
    expect(events.all("nameRemoved")).toEqual([{ type: "nameRemoved", consumer: "dead" }]);
  });

  it("takes nothing from a consumer whose heartbeat moves, however old its date: the server's clock may have jumped", async () => {
    const { clock, redis, events, hold, heartbeat, ownedBy } = await setUp();
    const ids = await hold("alive", 3);
    for (let heartbeats = 0; heartbeats < 20; heartbeats++) {
      await heartbeat("alive");
      redis.jumpClock(3 * leaseMs);
      await clock.advance(heartbeatMs);
    }
    expect(await ownedBy("alive")).toEqual(ids);
    expect(events.all("orphansReleased")).toEqual([]);
  });

  it("takes from one whose heartbeat is from the future and does not change for a lease", async () => {
    const { clock, redis, hold, heartbeat, ownedBy } = await setUp();
    await heartbeat("dead");
    const ids = await hold("dead", 3);
    redis.jumpClock(-3_600_000);
    await clock.advance(leaseMs + heartbeatMs + 2 * recoverEveryMs);
    expect(await ownedBy(RELEASED)).toEqual(ids);
  });

  it("does its work although somebody's turn lasts for hours, because the server's clock was set back", async () => {
    const { clock, redis, hold, heartbeat, ownedBy } = await setUp();
    await heartbeat("dead");
    const ids = await hold("dead", 3);
    const hoursMs = 3_600_000;
    redis.keys.setText(groupKey("lease:recovery", stream, group), "somebody", redis.keys.nowMs() + hoursMs);
    await clock.advance(leaseMs + 3 * heartbeatMs + 6 * recoverEveryMs);
    expect(await ownedBy(RELEASED)).toEqual(ids);
  });

  it("leaves it for a while to the consumer whose turn it is", async () => {
    const { clock, redis, hold, heartbeat, ownedBy } = await setUp();
    await heartbeat("dead");
    const ids = await hold("dead", 3);
    redis.keys.setText(groupKey("lease:recovery", stream, group), "somebody", redis.keys.nowMs() + 10 * leaseMs);
    await clock.advance(leaseMs + 2 * recoverEveryMs);
    expect(await ownedBy("dead")).toEqual(ids);
  });

  it("takes nothing while its own connection or leases are not steady", async () => {
    const { clock, steady, hold, heartbeat, ownedBy } = await setUp();
    await heartbeat("dead");
    const ids = await hold("dead", 3);
    steady.since = null;
    await clock.advance(10 * leaseMs);
    expect(await ownedBy("dead")).toEqual(ids);
    steady.since = clock.nowMs();
    steady.isLeaseCertain = false;
    await clock.advance(10 * leaseMs);
    expect(await ownedBy("dead")).toEqual(ids);
    steady.isLeaseCertain = true;
    await clock.advance(2 * recoverEveryMs);
    expect(await ownedBy(RELEASED)).toEqual(ids);
  });

  // The Redis in memory takes its time for that many.
  it("takes from a stranger only what has been idle for foreignIdleMs, a part of it at a time", async () => {
    const { clock, hold, ownedBy } = await setUp();
    const ids = await hold("stranger", 2_500);
    await clock.advance(foreignIdleMs - recoverEveryMs);
    expect(await ownedBy("stranger")).toHaveLength(2_500);
    await clock.advance(recoverEveryMs);
    expect(await ownedBy(RELEASED)).toEqual(ids.slice(0, 2_000));
    await clock.advance(recoverEveryMs);
    expect(await ownedBy(RELEASED)).toEqual(ids);
  });

  it("releases what is deferred without a time, or with one further off than any that can be asked for, and nothing else", async () => {
    const { clock, client, hold, ownedBy } = await setUp();
    const [noTime, tooFar, inTime] = await hold("me", 3);
    const ids = [noTime, tooFar, inTime].map(String);
    const delays = [
      { id: ids[1] ?? "", delayMs: longestDelayMs + 60_000 },
      { id: ids[2] ?? "", delayMs: longestDelayMs },
    ];
    await client.scheduleLater({ stream, group, delays });
    await client.release({ stream, group, from: "me", to: LATER, offered: ids, neverOffered: [] });
    await clock.advance(leaseMs + 2 * recoverEveryMs);
    expect(await ownedBy(RELEASED)).toEqual([noTime, tooFar]);
    expect(await ownedBy(LATER)).toEqual([inTime]);
  });
});
