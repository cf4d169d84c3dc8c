import { ConnectionError } from "@redis-batch/core";
import { ManualClock } from "@redis-batch/test-support";
import { createMemoryServer } from "@redis-batch/testing/internal";
import { describe, expect, it } from "vitest";
import { makeScope } from "../../test/make-scope.ts";
import { sendHeartbeat } from "../../test/send-heartbeat.ts";
import { Peers } from "./peers.ts";

const stream = "orders";
const group = "billing";
const leaseMs = 10_000;
const NOBODY = { isAnyAlive: false, isAnyFree: false };

async function setUp() {
  const clock = new ManualClock();
  const redis = createMemoryServer({ clock });
  const client = redis.client();
  await client.connect(["commands"], { timeoutMs: 1_000 });
  const heartbeat = (
    consumer: string,
    more: { readonly state?: string; readonly freePlaces?: number; readonly isUnfit?: boolean } = {},
  ) => sendHeartbeat(client, { stream, group, consumer, leaseMs }, more);
  const peers = new Peers(makeScope({ policy: { stream, group, name: "me" }, client, clock }));
  return { clock, redis, heartbeat, peers };
}

describe("Peers", () => {
  it("are the others that are alive and stay; free is who has a place and is fit", async () => {
    const { clock, heartbeat, peers } = await setUp();
    await heartbeat("me", { freePlaces: 1 });
    await heartbeat("leaving", { state: "draining", freePlaces: 1 });
    expect(await peers.look()).toEqual(NOBODY);
    await clock.advance(1_000);
    await heartbeat("busy", { freePlaces: 0 });
    await heartbeat("broken", { freePlaces: 1, isUnfit: true });
    expect(await peers.look()).toEqual({ isAnyAlive: true, isAnyFree: false });
    await clock.advance(1_000);
    await heartbeat("free", { freePlaces: 1 });
    expect(await peers.look()).toEqual({ isAnyAlive: true, isAnyFree: true });
    await clock.advance(leaseMs + 1);
    expect(await peers.look()).toEqual(NOBODY);
  });

  it("are asked for once a second at most, and once for all who ask together", async () => {
    const { clock, redis, heartbeat, peers } = await setUp();
    const held = redis.hold("registry");
    const answers = Promise.all([peers.look(), peers.look()]);
    await clock.settle();
    expect(held.count).toBe(1);
    held.release();
    expect(await answers).toEqual([NOBODY, NOBODY]);
    await heartbeat("other", { freePlaces: 1 });
    await clock.advance(999);
    expect(await peers.look()).toEqual(NOBODY);
    await clock.advance(1);
    expect(await peers.look()).toMatchObject({ isAnyFree: true });
    expect(peers.lastSeen).toMatchObject({ isAnyFree: true });
  });

  it("are not there where the server cannot be asked", async () => {
    const { redis, heartbeat, peers } = await setUp();
    await heartbeat("other", { freePlaces: 1 });
    redis.failNext("registry", new ConnectionError("away", { outcome: "not-sent" }));
    expect(await peers.look()).toEqual(NOBODY);
    expect(await peers.look()).toMatchObject({ isAnyFree: true });
  });
});
