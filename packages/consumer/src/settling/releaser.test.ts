import { ConnectionError, NoGroupError, PermissionError } from "@redis-batch/core";
import { describe, expect, it } from "vitest";
import { openParts } from "../../test/parts.ts";

const lost = (): ConnectionError => new ConnectionError("the reply was lost", { outcome: "unknown" });

describe("Releaser", () => {
  it("gives messages to anybody, with their count or without the last delivery, and holds them no longer", async () => {
    const { clock, releaser, held, offer, where, events } = await openParts();
    const [counted, uncounted] = await offer(2);
    if (counted === undefined || uncounted === undefined) throw new Error("nothing was offered");
    releaser.release(counted, "draining", { isUncounted: false });
    releaser.release(uncounted, "read-ahead", { isUncounted: true });
    expect(held.size).toBe(2);
    await clock.settle();
    expect(await where()).toMatchObject({ me: {}, released: { [counted.id]: 1, [uncounted.id]: 0 } });
    expect(held.size).toBe(0);
    expect(
      events
        .all("released")
        .map(({ why }) => why)
        .toSorted(),
    ).toEqual(["draining", "read-ahead"]);
  });

  it("writes a delay down before it moves the message to rb:later", async () => {
    const { clock, client, address, redis, releaser, offer, where } = await openParts();
    const [message] = await offer(1);
    if (message === undefined) throw new Error("nothing was offered");
    redis.failNext("release", lost());
    releaser.defer(message, 60_000, { isUncounted: false });
    await clock.settle();
    const times = await client.dueTimes({ ...address, ids: [message.id] });
    expect(times.get(message.id)).toBe((await client.time()) + 60_000);
    expect((await where()).me).toEqual({ [message.id]: 1 });
    await clock.advance(1_000);
    expect((await where()).later).toEqual({ [message.id]: 1 });
  });

  it("keeps delays in memory without the right to the times, says so once, and asks no more", async () => {
    const { clock, redis, releaser, held, offer, where, events } = await openParts();
    const [first, second] = await offer(2);
    if (first === undefined || second === undefined) throw new Error("nothing was offered");
    redis.failNext("scheduleLater", new PermissionError("NOPERM", { command: "scheduleLater" }), { times: 10 });
    releaser.defer(first, 7_000, { isUncounted: false });
    await clock.settle();
    releaser.defer(second, 8_000, { isUncounted: true });
    await clock.settle();
    expect(releaser.canDefer).toBe(false);
    expect(events.all("delaysInMemory")).toHaveLength(1);
    const nowMs = clock.nowMs();
    const allDeferred = held.allDeferred().toSorted((left, right) => left.dueAtMs - right.dueAtMs);
    expect(allDeferred.map(({ id, dueAtMs, deliveries }) => [id, dueAtMs - nowMs, deliveries])).toEqual([
      [first.id, 7_000, 1],
      [second.id, 8_000, 0],
    ]);
    expect(Object.keys((await where()).me)).toHaveLength(2);
  });

  it("tries again after a reply that was lost, and releases only once", async () => {
    const { clock, redis, releaser, held, offer, where, events } = await openParts();
    const [message] = await offer(1);
    if (message === undefined) throw new Error("nothing was offered");
    redis.failNext("release", lost(), { moment: "after" });
    releaser.release(message, "paused", { isUncounted: true });
    await clock.advance(1_000);
    expect((await where()).released).toEqual({ [message.id]: 0 });
    expect(held.size).toBe(0);
    expect(events.all("releaseFailed")).toHaveLength(1);
  });

  it("keeps the time of what is not due yet, and gives what is due to anybody", async () => {
    const { clock, releaser, held, deliver, where } = await openParts();
    const [soon = "", now = ""] = await deliver("me", 2);
    const times = { ripeAtMs: 0, isSuspect: false, hasFailedHere: true, deliveries: 1 };
    for (const [id, dueAtMs] of [
      [soon, clock.nowMs() + 2_000],
      [now, clock.nowMs()],
    ] as const)
      held.adopt({ id, dueAtMs, ...times });
    for (const deferred of held.allDeferred()) releaser.releaseDeferred(deferred, "draining");
    await clock.settle();
    expect(await where()).toEqual({ me: {}, later: { [soon]: 1 }, released: { [now]: 1 } });
  });

  it("lets go of everything when the group is gone, and fails on what no repetition can help", async () => {
    const { clock, redis, releaser, held, compared, failures, offer } = await openParts();
    const [first, second] = await offer(2);
    if (first === undefined || second === undefined) throw new Error("nothing was offered");
    redis.failNext("release", new NoGroupError("NOGROUP"));
    releaser.release(first, "paused", { isUncounted: true });
    await clock.settle();
    expect([held.size, failures.length]).toEqual([1, 0]);
    redis.failNext("release", new PermissionError("NOPERM", { command: "release" }));
    releaser.release(second, "paused", { isUncounted: true });
    await clock.settle();
    expect([held.size, failures.length, compared.times]).toEqual([0, 1, 1]);
  });
});
