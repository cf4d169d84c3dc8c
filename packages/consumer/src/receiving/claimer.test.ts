import { ConnectionError } from "@redis-batch/core";
import { describe, expect, it } from "vitest";
import { makeMessage } from "../../test/make-messages.ts";
import { openParts } from "../../test/parts.ts";
import { Claimer } from "./claimer.ts";

const SUSPECT_FROM = 3;
const MAX_DELIVERIES = 4;

async function setUp() {
  const parts = await openParts();
  const { scope, held, clock, deadLetterWriter, secondOpinions, peers } = parts;
  const room = { places: 10, share: 0, isAtWork: true };
  const claimer = new Claimer(scope, {
    ...{ deadLetterWriter, secondOpinions, peers, ownPending: { isKnown: true } },
    intake: { placesForReleased: () => room.places, shareOfReleased: () => room.share },
    open: {
      get isAny() {
        return room.isAtWork;
      },
    },
    builder: {
      readmit: ({ id, deliveries }, { ripeAtMs, isSuspect }) => {
        const message = makeMessage(id, { deliveries, ripeAtMs, isSuspect, atMs: clock.nowMs() });
        held.admit(message);
        return message;
      },
    },
  });
  claimer.start();
  const idsDue = () => held.waitingSince(clock.nowMs()).due.map(({ id }) => id);
  const idsFresh = () => held.waitingSince(clock.nowMs()).fresh.map(({ id }) => id);
  return { ...parts, claimer, room, idsDue, idsFresh };
}

describe("Claimer", () => {
  it("takes as many as there are places for, what was never offered as good as new", async () => {
    const { claimer, room, release, idsDue, idsFresh, ownedBy } = await setUp();
    const never = await release(2, 0);
    const failed = await release(3, 1);
    room.places = 4;
    await claimer.take();
    expect([idsFresh(), idsDue()]).toEqual([never, failed.slice(0, 2)]);
    expect(await ownedBy("me")).toEqual(
      Object.fromEntries([...never.map((id) => [id, 1]), ...failed.slice(0, 2).map((id) => [id, 2])]),
    );
  });

  it("is wanted at once while there is more and a place, and each second where there is only a share", async () => {
    const { clock, claimer, room, release } = await setUp();
    await release(3, 0);
    room.places = 2;
    expect(claimer.isWanted()).toBe(true);
    await claimer.take();
    expect(claimer.isWanted()).toBe(true);
    room.places = 0;
    expect(claimer.isWanted()).toBe(false);
    room.share = 1;
    expect(claimer.isWanted()).toBe(false);
    await clock.advance(1_000);
    expect(claimer.isWanted()).toBe(true);
    await claimer.take();
    room.places = 2;
    await claimer.take();
    expect(claimer.isWanted()).toBe(false);
    claimer.expire();
    expect(claimer.isWanted()).toBe(true);
  });

  it("takes one suspect at a time, and the others of those pass it", async () => {
    const { claimer, held, release, idsDue, ownedBy } = await setUp();
    const suspects = await release(3, SUSPECT_FROM - 1);
    const healthy = await release(2, 1);
    await claimer.take();
    expect(idsDue().toSorted()).toEqual([suspects[0], ...healthy]);
    await claimer.take();
    expect(Object.keys(await ownedBy("me"))).toHaveLength(3);
    expect(held.isSuspectBuffered).toBe(true);
  });

  it("keeps those on which a handler hung by their ids, all but the one that can be offered", async () => {
    const { claimer, client, address, held, release } = await setUp();
    const ids = await release(3, 1);
    for (const id of ids) await client.countHang({ ...address, id, rememberMs: 60_000 });
    await claimer.take();
    expect(held.due.messages).toBe(1);
    expect(held.deferredCount).toBe(2);
    // While that one waits or is at work, none of the next ones is read into memory.
    const [more = ""] = await release(1, 1);
    await client.countHang({ ...address, id: more, rememberMs: 60_000 });
    await claimer.take();
    expect(held.due.messages).toBe(1);
    expect(held.holds(more)).toBe(true);
  });

  it("looks behind those it leaves alone, and begins again at the end", async () => {
    const { claimer, room, held, release, idsDue } = await setUp();
    await release(1_500, SUSPECT_FROM - 1);
    const [healthy = ""] = await release(1, 1);
    room.places = 2;
    await claimer.take();
    // Its one suspect; a page has been looked through, and there is more.
    expect(idsDue()).toHaveLength(1);
    expect(claimer.isWanted()).toBe(true);
    await claimer.take();
    expect(held.holds(healthy)).toBe(true);
    // From the end to the beginning: another suspect, when the first is done.
    const [suspect] = held.waitingSince(Number.POSITIVE_INFINITY).due;
    held.dismiss(suspect?.id ?? "");
    await claimer.take();
    expect(held.due.messages).toBe(2);
  });

  it("leaves to others what it wants a second opinion on, as long as somebody else is there", async () => {
    const { clock, claimer, secondOpinions, peers, heartbeat, release, idsDue } = await setUp();
    const [id = ""] = await release(1, 1);
    await heartbeat("other");
    await peers.look();
    secondOpinions.remember([id], "opinion");
    await claimer.take();
    expect(idsDue()).toEqual([]);
    await clock.advance(10_000);
    await claimer.take();
    expect(idsDue()).toEqual([id]);
  });

  it("offers once more what another one had for the last time, and gives up what comes after that", async () => {
    const { clock, claimer, peers, heartbeat, release, idsDue, events, ownedBy } = await setUp();
    await heartbeat("other");
    await peers.look();
    const [once = ""] = await release(1, MAX_DELIVERIES);
    await claimer.take();
    expect(idsDue()).toEqual([once]);
    const [over = ""] = await release(1, MAX_DELIVERIES + 1);
    await claimer.take();
    await clock.settle();
    // One suspect is here already; it is not looked at before that is done.
    expect(Object.keys(await ownedBy("me"))).not.toContain(over);
    expect(events.all("deadLettered")).toEqual([]);
  });

  it("asks who is there before it gives up: the others may have come since it looked last", async () => {
    const { clock, claimer, peers, heartbeat, release, idsDue, events } = await setUp();
    await peers.look();
    await clock.advance(1_000);
    await heartbeat("other");
    const [id = ""] = await release(1, MAX_DELIVERIES);
    await claimer.take();
    await clock.settle();
    expect(events.all("deadLettered")).toEqual([]);
    expect(idsDue()).toEqual([id]);
  });

  it("gives up nothing while it cannot ask who is there", async () => {
    const { redis, clock, claimer, heartbeat, release, events, idsDue } = await setUp();
    await heartbeat("other");
    const [id = ""] = await release(1, MAX_DELIVERIES);
    redis.failNext("registry", new ConnectionError("cut", { outcome: "unknown" }));
    await claimer.take();
    await clock.settle();
    expect(events.all("deadLettered")).toEqual([]);
    expect(idsDue()).toEqual([id]);
  });

  it("gives up at maxDeliveries where nobody else is there", async () => {
    const { clock, claimer, release, events } = await setUp();
    const [id] = await release(1, MAX_DELIVERIES);
    await claimer.take();
    await clock.settle();
    expect(events.all("deadLettered")).toEqual([{ type: "deadLettered", id, why: "maxDeliveries", error: "" }]);
  });

  it("waits for the end of a batch after it released what it could not offer, if there is one", async () => {
    const { claimer, room, release } = await setUp();
    await release(1);
    claimer.releasedUnoffered();
    expect(claimer.isWanted()).toBe(false);
    claimer.batchEnded();
    expect(claimer.isWanted()).toBe(true);
    room.isAtWork = false;
    claimer.releasedUnoffered();
    expect(claimer.isWanted()).toBe(true);
  });

  it("compares what is pending after a reply that was lost, and asks for fewer the next time", async () => {
    const { redis, claimer, room, compared, release, held, events, replySize } = await setUp();
    await release(8);
    room.places = 8;
    redis.failNext("take", new ConnectionError("the reply was lost", { outcome: "unknown" }), { moment: "after" });
    await claimer.take();
    expect(compared.times).toBe(1);
    expect(replySize.limit).toBe(4);
    expect(held.size).toBe(0);
    expect(events.all("recoveryFailed")).toHaveLength(1);
  });

  it("takes nothing after its stop", async () => {
    const { clock, claimer, release } = await setUp();
    await release(1);
    const stopping = claimer.stop();
    await clock.settle();
    await stopping;
    expect(claimer.isWanted()).toBe(false);
  });
});
