import { describe, expect, it } from "vitest";
import { makeChunk } from "../../test/make-messages.ts";
import { openParts } from "../../test/parts.ts";
import { SurplusReleaser } from "./surplus-releaser.ts";

async function setUp() {
  const parts = await openParts();
  const { scope, held, clock, releaser, peers, secondOpinions, deliver } = parts;
  const load = { isDraining: false, isPaused: false, isBackingOff: false, handlersHung: 0, places: 1, freePlaces: 0 };
  const releasedUnoffered = { times: 0 };
  const surplus = new SurplusReleaser(scope, {
    ...{ releaser, peers, secondOpinions },
    claimer: { releasedUnoffered: () => void releasedUnoffered.times++ },
    intake: {
      load: () => {
        const sinceMs = held.oldestOfferableSinceMs;
        return { ...load, oldestOfferableMs: sinceMs === null ? null : clock.nowMs() - sinceMs };
      },
    },
  });
  /** New messages in memory. */
  const readAhead = async (count: number): Promise<readonly string[]> => {
    const ids = await deliver("me", count);
    const chunk = makeChunk(ids, { atMs: clock.nowMs() });
    held.admitRead(chunk);
    held.lineUpRead(chunk);
    return ids;
  };
  const defer = async (dueInMs: number, hasFailedHere = true): Promise<string> => {
    const [id = ""] = await deliver("me", 1);
    const dueAtMs = clock.nowMs() + dueInMs;
    held.adopt({ id, deliveries: 1, dueAtMs, ripeAtMs: dueAtMs, isSuspect: false, hasFailedHere });
    return id;
  };
  return { ...parts, load, surplus, releasedUnoffered, readAhead, defer };
}

describe("SurplusReleaser", () => {
  it("gives what waited too long to any consumer with a free place, uncounted, and keeps what came later", async () => {
    const { clock, surplus, readAhead, heartbeat, where, releasedUnoffered, held } = await setUp();
    surplus.start();
    const old = await readAhead(2);
    await clock.advance(1_500);
    const [young = ""] = await readAhead(1);
    await heartbeat("other", 1);
    await clock.advance(500);
    expect(await where()).toMatchObject({ me: { [young]: 1 }, released: { [old[0] ?? ""]: 0, [old[1] ?? ""]: 0 } });
    expect(releasedUnoffered.times).toBe(1);
    expect(held.fresh.messages).toBe(1);
    surplus.stop();
  });

  it("keeps it while nobody has a place free: its order stays what it is", async () => {
    const { clock, surplus, readAhead, heartbeat, where } = await setUp();
    await readAhead(2);
    await heartbeat("other", 0);
    surplus.start();
    await clock.advance(30_000);
    expect(Object.keys((await where()).me)).toHaveLength(2);
    surplus.stop();
  });

  it("gives everything to another one while everything fails, and its next attempt has to wait", async () => {
    const { clock, load, surplus, readAhead, defer, heartbeat, where, secondOpinions, peers } = await setUp();
    const failed = await defer(0);
    const later = await defer(3_000);
    const fresh = await readAhead(2);
    load.isBackingOff = true;
    await surplus.look();
    expect(Object.keys((await where()).me)).toHaveLength(4);
    await clock.advance(1_000);
    await heartbeat("other", 0);
    await surplus.look();
    await clock.settle();
    const { me, released, later: away } = await where();
    expect(me).toEqual({});
    expect(released).toEqual({ [failed]: 1, [fresh[0] ?? ""]: 0, [fresh[1] ?? ""]: 0 });
    expect(away).toEqual({ [later]: 1 });
    await peers.look();
    // Those have failed here: another one tries them first.
    expect(secondOpinions.notWanted().toSorted()).toEqual([failed, later].toSorted());
  });

  it("releases everything when all handlers hang, even without another consumer, and when it drains", async () => {
    const { clock, load, surplus, readAhead, where, held } = await setUp();
    await readAhead(2);
    load.handlersHung = 1;
    await surplus.look();
    await clock.settle();
    expect(Object.keys((await where()).released)).toHaveLength(2);
    load.handlersHung = 0;
    await readAhead(1);
    load.isDraining = true;
    surplus.drain();
    await clock.settle();
    expect(Object.keys((await where()).released)).toHaveLength(3);
    expect(held.size).toBe(0);
  });

  it("keeps it after all when a place became free while it looked for others", async () => {
    const { clock, load, redis, surplus, readAhead, heartbeat, where } = await setUp();
    await readAhead(1);
    await heartbeat("other", 1);
    await clock.advance(2_000);
    const registry = redis.hold("registry");
    const looking = surplus.look();
    load.freePlaces = 1;
    registry.release();
    await looking;
    await clock.settle();
    expect(Object.keys((await where()).me)).toHaveLength(1);
  });
});
