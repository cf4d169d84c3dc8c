import { ManualClock } from "@redis-batch/test-support";
import { createMemoryServer } from "@redis-batch/testing/internal";
import { expect, test } from "vitest";
import { ConnectionError } from "../errors/errors.ts";
import { LeaderLease } from "./leader-lease.ts";

async function open() {
  const clock = new ManualClock();
  const redis = createMemoryServer({ clock });
  const client = redis.client();
  await client.connect(["commands"], { timeoutMs: 1 });
  const lease = (holder: string) =>
    new LeaderLease({ client, leaseKey: "lease", stateKey: "state", holder, leaseMs: 9_000, clock });
  return { clock, redis, client, a: lease("a"), b: lease("b") };
}

test("one leads, until it gives up", async () => {
  const { a, b } = await open();
  expect([await a.hold(), await b.hold()]).toEqual([true, false]);
  await b.giveUp();
  expect([await a.hold(), await b.hold()]).toEqual([true, false]);
  await a.giveUp();
  expect([await b.hold(), await a.hold()]).toEqual([true, false]);
});

test("one that goes on asking leads for ever, one that does not is followed after its lease", async () => {
  const { a, b, clock } = await open();
  for (let round = 0; round < 5; round++) {
    expect(await a.hold()).toBe(true);
    await clock.advance(5_000);
    expect(await b.hold()).toBe(false);
  }
  await clock.advance(9_000);
  expect([await b.hold(), await a.hold()]).toEqual([true, false]);
});

test("the server is asked once a third of the lease has passed", async () => {
  const { a, clock, redis } = await open();
  await a.hold();
  const asked = redis.hold("holdLease");
  await clock.advance(2_999);
  expect(await a.hold()).toBe(true);
  await clock.advance(1);
  const answer = a.hold();
  expect(asked.count).toBe(1);
  asked.release();
  expect(await answer).toBe(true);
});

test("a leader whose question got lost leads no more until it has an answer", async () => {
  const { a, clock, redis } = await open();
  await a.hold();
  await clock.advance(3_000);
  const error = new ConnectionError("gone", { outcome: "unknown" });
  redis.failNext("holdLease", error, { times: 2 });
  await expect(a.hold()).rejects.toBe(error);
  await expect(a.hold()).rejects.toBe(error);
  expect(await a.hold()).toBe(true);
});

test("each leader has a number of its own, and one that the server has forgotten is not given out again", async () => {
  const { a, b, client } = await open();
  expect(await a.renew()).toEqual({ isHeld: true, term: 1, state: "" });
  expect(await b.renew()).toMatchObject({ isHeld: false, term: 1 });
  await a.giveUp();
  expect(await b.renew()).toMatchObject({ isHeld: true, term: 2 });
  await client.unlink({ keys: ["lease", "state"] });
  expect(await b.renew()).toMatchObject({ isHeld: true, term: 3 });
});

test("a lease that was taken by a question whose answer got lost is given up as well", async () => {
  const { a, b, redis } = await open();
  redis.failNext("holdLease", new ConnectionError("gone", { outcome: "unknown" }), { moment: "after" });
  await expect(a.hold()).rejects.toThrow("gone");
  expect(await b.hold()).toBe(false);
  await a.giveUp();
  expect(await b.hold()).toBe(true);
});

test("a follower gives nothing up, and one that cannot reach the server does not fail for it", async () => {
  const { a, b, redis, clock } = await open();
  await a.hold();
  await b.hold();
  const asked = redis.hold("holdLease");
  await b.giveUp();
  expect(asked.count).toBe(0);
  asked.release();
  redis.failNext("holdLease", new ConnectionError("gone", { outcome: "not-sent" }));
  await a.giveUp();
  expect(await b.hold()).toBe(false);
  await clock.advance(9_000);
  expect(await b.hold()).toBe(true);
});
