import { describe, expect, test } from "vitest";
import { readFinalReports } from "../../src/groups/final-reports.ts";
import { addBatch, NO_WORK } from "../../src/groups/work-counters.ts";
import { groupKey } from "../../src/names/keys.ts";
import { LATER, REDRIVE_CONSUMER, RELEASED } from "../../src/names/reserved-consumers.ts";
import type { HandOver, HandOverOptions } from "../../src/wire/atomic/hand-over.ts";
import type { HandOverPage, HandOverPageOptions } from "../../src/wire/atomic/hand-over-page.ts";
import type { HeartbeatOptions, HeartbeatResult } from "../../src/wire/atomic/heartbeat.ts";
import type { FinalReport } from "../../src/wire/atomic/remove-if-empty.ts";
import { RECENT_MS, type Scene } from "./setting.ts";

const LONG_LEASE_MS = 600_000;
const SHORT_LEASE_MS = 20;

/** Heartbeats, and what may be done to consumers that have none: heartbeat, handOver, handOverPage, removeIfEmpty. */
export function describeRegistry(scene: () => Scene): void {
  const registry = () => groupKey("consumers", scene().stream, scene().group);
  const heartbeat = (consumer: string, options: Partial<HeartbeatOptions> = {}): Promise<HeartbeatResult> =>
    scene().client.heartbeat({
      ...{ ...scene().address, consumer, incarnation: `${consumer}-1`, leaseMs: LONG_LEASE_MS, details: {} },
      ...options,
    });
  const join = (consumer: string, options: Partial<HeartbeatOptions> = {}) =>
    heartbeat(consumer, { join: { freshMs: 15_000 }, ...options });
  const entryOf = async (consumer: string): Promise<string> =>
    (await scene().setting.sideDoor.hashField(registry(), consumer)) ?? "";

  /** A consumer whose last heartbeat was longer ago than its lease. */
  const fallSilent = async (consumer: string): Promise<void> => {
    expect((await heartbeat(consumer, { leaseMs: SHORT_LEASE_MS })).kind).toBe("ok");
    await scene().setting.elapse(SHORT_LEASE_MS + 5);
  };

  describe("registry", () => {
    test("tells who sends heartbeats, when that was, and with which lease", async () => {
      const { client, address } = scene();
      expect((await client.registry(address)).size).toBe(0);
      await join("c1");
      const beforeMs = await client.time();
      await heartbeat("c2");
      const known = await client.registry(address);
      expect([...known.keys()].toSorted()).toEqual(["c1", "c2"]);
      expect(known.get("c2")).toMatchObject({ consumer: "c2", incarnation: "c2-1", leaseMs: LONG_LEASE_MS });
      expect(known.get("c2")?.atMs).toBeGreaterThanOrEqual(beforeMs);
    });
  });

  describe("pauseGroup", () => {
    const pause = (forMs: number | null = null) =>
      scene().client.pauseGroup({ ...scene().address, pause: { by: "anna", reason: "a new version", forMs } });
    const resume = () => scene().client.pauseGroup({ ...scene().address, pause: null });

    test("is told to every heartbeat, and to who reads the registry, until the group is resumed", async () => {
      const { client, address } = scene();
      await join("c1");
      expect(await heartbeat("c1")).toMatchObject({ pause: null });
      const { before, now, atMs } = await pause();
      expect(before).toBeNull();
      expect(now).toEqual({ by: "anna", sinceMs: atMs, untilMs: null, reason: "a new version" });
      expect(await heartbeat("c1")).toMatchObject({ kind: "ok", pause: now });
      expect(await join("c2")).toMatchObject({ kind: "ok", pause: now });
      const seen = await client.registry(address);
      expect(seen.pause).toEqual(now);
      expect([...seen.keys()].toSorted()).toEqual(["c1", "c2"]);
      expect(await resume()).toMatchObject({ before: now, now: null });
      expect(await heartbeat("c1")).toMatchObject({ pause: null });
      expect((await client.registry(address)).pause).toBeNull();
    });

    test("ends by itself, by the server's clock", async () => {
      await join("c1");
      const { now, atMs } = await pause(SHORT_LEASE_MS);
      expect(now?.untilMs).toBe(atMs + SHORT_LEASE_MS);
      await scene().setting.elapse(SHORT_LEASE_MS + 5);
      expect(await heartbeat("c1")).toMatchObject({ pause: null });
      expect((await scene().client.registry(scene().address)).pause).toBeNull();
      expect(await resume()).toMatchObject({ before: null, now: null });
    });

    test("replaces an earlier pause, and outlives all consumers", async () => {
      const { now: first } = await pause(LONG_LEASE_MS);
      const { before } = await pause();
      expect(before).toEqual(first);
      await join("c1");
      await scene().client.xgroupCreate({ ...scene().address, position: "start" });
      await scene().client.removeIfEmpty({ ...scene().address, consumer: "c1", onlyIfSilent: false });
      expect(await join("c2")).toMatchObject({ pause: { by: "anna", untilMs: null } });
    });
  });

  describe("reserveRate and setRate", () => {
    const LIMIT = { messages: 100, perMs: 1_000 };
    const reserve = (messages: number, own: typeof LIMIT | null = null) =>
      scene().client.reserveRate({ ...scene().address, messages, own });
    const set = (limit: typeof LIMIT | null) => scene().client.setRate({ ...scene().address, limit });

    test("without a limit nothing waits; the first limit that somebody brings becomes the group's", async () => {
      expect(await reserve(1_000)).toEqual({ waitMs: 0, lastsMs: 0, limit: null });
      expect(await reserve(0, LIMIT)).toEqual({ waitMs: 0, lastsMs: 0, limit: LIMIT });
      expect(await reserve(0, { messages: 1, perMs: 1 })).toMatchObject({ limit: LIMIT });
      const seen = await scene().client.registry(scene().address);
      expect([seen.rateLimit, seen.size]).toEqual([LIMIT, 0]);
      expect(await join("c1")).toMatchObject({ rateLimit: LIMIT });
    });

    test("each message takes its time, one caller after the other", async () => {
      await set({ messages: 1, perMs: 60_000 });
      expect(await reserve(1)).toMatchObject({ waitMs: 0, lastsMs: 60_000 });
      const second = await reserve(3);
      expect(second.lastsMs).toBe(180_000);
      expect(second.waitMs).toBeGreaterThan(50_000);
      expect(second.waitMs).toBeLessThanOrEqual(60_000);
      expect((await reserve(1)).waitMs).toBeGreaterThan(230_000);
    });

    test("time that is returned is there for others, and no more than is paid for", async () => {
      await set({ messages: 1, perMs: 60_000 });
      await reserve(4);
      await reserve(-2);
      const { waitMs } = await reserve(1);
      expect(waitMs).toBeGreaterThan(110_000);
      expect(waitMs).toBeLessThanOrEqual(120_000);
      await reserve(-50);
      expect(await reserve(1)).toMatchObject({ waitMs: 0 });
    });

    test("time that nobody used is not saved up", async () => {
      await set({ messages: 1_000, perMs: 1_000 });
      await reserve(5);
      await scene().setting.elapse(50);
      expect(await reserve(1_000_000)).toMatchObject({ waitMs: 0 });
      expect((await reserve(1)).waitMs).toBeGreaterThan(900_000);
    });

    test("another limit begins again, and none lets everything through", async () => {
      await set(LIMIT);
      await reserve(1_000_000);
      expect(await set({ messages: 7, perMs: 1_000 })).toEqual(LIMIT);
      expect(await reserve(1)).toMatchObject({ waitMs: 0, limit: { messages: 7, perMs: 1_000 } });
      expect(await set(null)).toMatchObject({ messages: 7 });
      expect(await reserve(1, LIMIT)).toEqual({ waitMs: 0, lastsMs: 0, limit: null });
      expect(await set(null)).toBeNull();
    });
  });

  describe("registry, whatever is in it", () => {
    test("leaves out what it cannot read", async () => {
      const { sideDoor } = scene().setting;
      await sideDoor.putHashField(registry(), "c1", "not JSON");
      await sideDoor.putHashField(registry(), "c2", '{"v":2}');
      await join("c3");
      expect([...(await scene().client.registry(scene().address)).keys()]).toEqual(["c3"]);
    });

    test("takes any name for a consumer's", async () => {
      for (const name of ["__proto__", "constructor", "a:b%", "日本"]) await join(name);
      const known = await scene().client.registry(scene().address);
      expect([...known.keys()].toSorted()).toEqual(["__proto__", "a:b%", "constructor", "日本"]);
    });
  });

  describe("setIfFree", () => {
    test("lets one have a key until it expires", async () => {
      const { client, address } = scene();
      const key = groupKey("lease:recovery", address.stream, address.group);
      const other = groupKey("lease:monitor", address.stream, address.group);
      expect(await client.setIfFree({ key, value: "a", expireMs: LONG_LEASE_MS })).toBe(true);
      expect(await client.setIfFree({ key, value: "b", expireMs: LONG_LEASE_MS })).toBe(false);
      // Not the key above: on a busy machine a short time is over before anybody is refused.
      expect(await client.setIfFree({ key: other, value: "a", expireMs: SHORT_LEASE_MS })).toBe(true);
      await scene().setting.elapse(SHORT_LEASE_MS + 5);
      expect(await client.setIfFree({ key: other, value: "b", expireMs: LONG_LEASE_MS })).toBe(true);
    });
  });

  describe("holdLease, without numbers", () => {
    const hold = async (holder: string, leaseMs: number): Promise<boolean> => {
      const leaseKey = groupKey("lease:monitor", scene().stream, scene().group);
      const { isHeld, ...left } = await scene().client.holdLease({
        ...{ leaseKey, stateKey: null, holder, leaseMs, heardOf: 7 },
      });
      expect(left).toEqual({ term: 0, state: "" });
      return isHeld;
    };

    test("one holds it until it runs out, and may prolong it", async () => {
      expect(await hold("a", SHORT_LEASE_MS)).toBe(true);
      expect(await hold("a", LONG_LEASE_MS)).toBe(true);
      await scene().setting.elapse(SHORT_LEASE_MS + 5);
      expect(await hold("b", LONG_LEASE_MS)).toBe(false);
      expect(await hold("a", SHORT_LEASE_MS)).toBe(true);
      await scene().setting.elapse(SHORT_LEASE_MS + 5);
      expect(await hold("b", LONG_LEASE_MS)).toBe(true);
      expect(await hold("a", LONG_LEASE_MS)).toBe(false);
    });

    test("its holder, and nobody else, gives it up", async () => {
      expect(await hold("a", 0)).toBe(false);
      await hold("a", LONG_LEASE_MS);
      expect(await hold("b", 0)).toBe(false);
      expect(await hold("b", LONG_LEASE_MS)).toBe(false);
      expect(await hold("a", 0)).toBe(false);
      expect(await hold("b", LONG_LEASE_MS)).toBe(true);
    });
  });

  describe("a lease that lasts ten times as long as what is asked for, as after the server's clock was set back", () => {
    test("is free, and one that lasts less is not", async () => {
      const { client, stream, group } = scene();
      const key = groupKey("lease:monitor", stream, group);
      await client.setIfFree({ key, value: "gone", expireMs: 9 * LONG_LEASE_MS });
      const lease = { leaseKey: key, stateKey: null, holder: "a", heardOf: 0 };
      expect(await client.holdLease({ ...lease, leaseMs: LONG_LEASE_MS })).toMatchObject({ isHeld: false });
      expect(await client.holdLease({ ...lease, leaseMs: LONG_LEASE_MS / 2 })).toMatchObject({ isHeld: true });
      const [leaseKey, stateKey] = [groupKey("lease:scaler", stream, group), groupKey("scaler", stream, group)];
      const term = { leaseKey, stateKey, holder: "a", heardOf: 0 };
      await client.setIfFree({ key: leaseKey, value: "gone", expireMs: 9 * LONG_LEASE_MS });
      expect(await client.holdLease({ ...term, leaseMs: LONG_LEASE_MS })).toMatchObject({ isHeld: false });
      expect(await client.holdLease({ ...term, leaseMs: LONG_LEASE_MS / 2 })).toMatchObject({ isHeld: true, term: 1 });
    });
  });

  describe("holdLease, writeInTerm", () => {
    const keys = () => {
      const { stream, group } = scene();
      const [leaseKey, stateKey] = [groupKey("lease:scaler", stream, group), groupKey("scaler", stream, group)];
      return { leaseKey, stateKey, logKey: groupKey("audit", stream, group) };
    };
    const hold = (holder: string, leaseMs = LONG_LEASE_MS, heardOf = 0) =>
      scene().client.holdLease({ ...keys(), holder, leaseMs, heardOf });
    const write = (holder: string, term: number, state: string, entry: Record<string, string> | null = null) =>
      scene().client.writeInTerm({ ...keys(), holder, term, state, entry, logLength: 10 });
    const logged = async () => {
      const entries = await scene().client.xrange({ stream: keys().logKey, from: "-", to: "+", count: 100 });
      return entries.map(({ fields }) => fields.map(String));
    };

    test("each holder has a higher term than those before, and keeps it while it holds", async () => {
      expect(await hold("a", SHORT_LEASE_MS)).toEqual({ isHeld: true, term: 1, state: "" });
      expect(await hold("a", LONG_LEASE_MS)).toEqual({ isHeld: true, term: 1, state: "" });
      expect(await hold("b")).toEqual({ isHeld: false, term: 1, state: "" });
      expect(await hold("a", SHORT_LEASE_MS)).toMatchObject({ isHeld: true, term: 1 });
      await scene().setting.elapse(SHORT_LEASE_MS + 5);
      expect(await hold("b")).toMatchObject({ isHeld: true, term: 2 });
      expect(await hold("a")).toMatchObject({ isHeld: false, term: 2 });
    });

    test("its holder, and nobody else, gives it up", async () => {
      await hold("a");
      expect((await hold("b", 0)).isHeld).toBe(false);
      expect((await hold("b")).isHeld).toBe(false);
      expect((await hold("a", 0)).isHeld).toBe(false);
      expect(await hold("b")).toMatchObject({ isHeld: true, term: 2 });
    });

    test("a term that the server has forgotten is not given out again", async () => {
      await hold("a", LONG_LEASE_MS, 7);
      expect(await hold("a", LONG_LEASE_MS, 8)).toMatchObject({ isHeld: true, term: 8 });
      const { leaseKey, stateKey } = keys();
      await scene().setting.sideDoor.deleteKey(leaseKey);
      await scene().setting.sideDoor.deleteKey(stateKey);
      expect(await hold("a", LONG_LEASE_MS, 8)).toMatchObject({ isHeld: true, term: 9 });
    });

    test("the state outlives the lease, for the next holder", async () => {
      await hold("a");
      expect(await write("a", 1, "what a knew")).toBe(true);
      await hold("a", 0);
      expect(await hold("b")).toEqual({ isHeld: true, term: 2, state: "what a knew" });
    });

    test("refuses what an earlier holder writes, and logs none of it", async () => {
      await hold("a");
      expect(await write("a", 1, "1", { what: "order" })).toBe(true);
      await hold("a", 0);
      expect(await write("a", 1, "2", { what: "late" })).toBe(false);
      await hold("b");
      expect(await write("a", 1, "3", { what: "later" })).toBe(false);
      expect(await write("b", 1, "4", { what: "of another term" })).toBe(false);
      expect(await write("b", 2, "5")).toBe(true);
      expect((await hold("b")).state).toBe("5");
      expect(await logged()).toEqual([["what", "order"]]);
    });

    test("the log does not grow for ever", async () => {
      await hold("a");
      for (let index = 0; index < 250; index++) await write("a", 1, "", { n: String(index) });
      const { length, [length - 1]: last } = await logged();
      expect(last).toEqual(["n", "249"]);
      // A server trims whole nodes, of 100 entries by default.
      expect(length).toBeLessThanOrEqual(110);
    });
  });

  describe("heartbeat", () => {
    test("writes what the consumer says, stamped with the server's time", async () => {
      const beforeMs = await scene().client.time();
      const answer = await join("c1", { details: { host: "h", pid: 7, draining: false, note: null } });
      const afterMs = await scene().client.time();
      const entry = JSON.parse(await entryOf("c1")) as { readonly at: number };
      expect(entry).toEqual({
        ...{ at: entry.at, v: 1, incarnation: "c1-1", leaseMs: LONG_LEASE_MS },
        ...{ host: "h", pid: 7, draining: false, note: null },
      });
      expect(entry.at).toBeGreaterThanOrEqual(beforeMs);
      expect(entry.at).toBeLessThanOrEqual(afterMs);
      expect(answer).toEqual({ kind: "ok", serverTimeMs: entry.at, pause: null, rateLimit: null });
    });

    test("replaces the previous heartbeat", async () => {
      await join("c1", { details: { acknowledged: 1 } });
      await heartbeat("c1", { details: { acknowledged: 2 } });
      expect(JSON.parse(await entryOf("c1"))).toMatchObject({ acknowledged: 2 });
    });

    test("does not round large counters", async () => {
      await join("c1", { details: { acknowledged: Number.MAX_SAFE_INTEGER, bytes: 123_456_789_012_345 } });
      expect(await entryOf("c1")).toContain('"acknowledged":9007199254740991,"bytes":123456789012345');
    });

    test("keeps text beyond ASCII and quotes as they are", async () => {
      await join("c1", { details: { host: 'häßlich "日本" \\ \n' } });
      expect(JSON.parse(await entryOf("c1"))).toMatchObject({ host: 'häßlich "日本" \\ \n' });
    });

    test("a join is refused while another incarnation's heartbeat is fresh", async () => {
      await join("c1");
      const before = await entryOf("c1");
      const { at } = JSON.parse(before) as { at: number };
      expect(await join("c1", { incarnation: "c1-2" })).toEqual({ kind: "in-use", atMs: at });
      expect(await entryOf("c1")).toBe(before);
    });

    test("a join takes over a name whose last heartbeat is not fresh", async () => {
      await join("c1");
      await scene().setting.elapse(30);
      const answer = await join("c1", { incarnation: "c1-2", join: { freshMs: 20 } });
      expect(answer.kind).toBe("ok");
      expect(JSON.parse(await entryOf("c1"))).toMatchObject({ incarnation: "c1-2" });
    });

    test("a heartbeat that was seen to stop is not fresh, whatever its date, until it moves", async () => {
      const { sideDoor } = scene().setting;
      const futureMs = (await scene().client.time()) + LONG_LEASE_MS;
      const fromTheFuture = `{"v":1,"at":${futureMs},"leaseMs":1000,"incarnation":"c1-0"}`;
      await sideDoor.putHashField(registry(), "c1", fromTheFuture);
      expect(await join("c1")).toEqual({ kind: "in-use", atMs: futureMs });
      const another = { freshMs: 15_000, seenAtMs: futureMs - 1 };
      expect(await join("c1", { join: another })).toEqual({ kind: "in-use", atMs: futureMs });
      expect((await join("c1", { join: { freshMs: 15_000, seenAtMs: futureMs } })).kind).toBe("ok");
    });

    test("a join of the same incarnation is welcome again", async () => {
      await join("c1");
      expect((await join("c1")).kind).toBe("ok");
    });

    describe("of a consumer that must be alone", () => {
      const joinAlone = (consumer: string, options: Partial<HeartbeatOptions> = {}) =>
        join(consumer, { beside: "nobody", ...options });
      const namesOf = (answer: HeartbeatResult): readonly string[] =>
        answer.kind === "occupied" ? answer.by.map(({ consumer }) => consumer).toSorted() : [];
      const seen = async (...names: readonly string[]) => {
        const known = await scene().client.registry(scene().address);
        return new Map(names.map((name) => [name, known.get(name)?.atMs ?? 0]));
      };

      test("is refused while others are alive, says who they are, and writes nothing", async () => {
        await join("c1");
        await join("c2");
        const { at } = JSON.parse(await entryOf("c1")) as { at: number };
        const answer = await joinAlone("c3");
        expect(namesOf(answer)).toEqual(["c1", "c2"]);
        const by = { consumer: "c1", atMs: at, leaseMs: LONG_LEASE_MS };
        expect(answer).toMatchObject({ by: expect.arrayContaining([by]) as unknown });
        expect(await entryOf("c3")).toBe("");
        expect((await join("c4")).kind).toBe("ok");
      });

      test("refuses others as long as it is alive, and goes on", async () => {
        expect((await joinAlone("c1")).kind).toBe("ok");
        expect(namesOf(await join("c2"))).toEqual(["c1"]);
        expect(namesOf(await joinAlone("c3"))).toEqual(["c1"]);
        expect((await heartbeat("c1", { beside: "nobody" })).kind).toBe("ok");
        expect([...(await scene().client.registry(scene().address)).keys()]).toEqual(["c1"]);
      });

      test("refuses nobody when its lease is over, or when it has left", async () => {
        await scene().createGroup();
        await joinAlone("c1", { leaseMs: SHORT_LEASE_MS });
        await scene().setting.elapse(SHORT_LEASE_MS + 5);
        expect((await joinAlone("c2")).kind).toBe("ok");
        const { client, address } = scene();
        await client.xgroupCreateConsumer({ ...address, consumer: "c2" });
        expect(await client.removeIfEmpty({ ...address, consumer: "c2", onlyIfSilent: false })).toBe("removed");
        expect((await join("c3")).kind).toBe("ok");
      });

      test.each(["joins alone", "joins"])(
        "one whose heartbeat was seen to stop is shut out by the next that %s",
        async (how) => {
          const beside = how === "joins alone" ? "nobody" : undefined;
          await joinAlone("c1");
          const wrong = { freshMs: 15_000, othersSeenAtMs: new Map([["c1", 1]]) };
          expect(namesOf(await join("c2", { beside, join: wrong }))).toEqual(["c1"]);
          const right = { freshMs: 15_000, othersSeenAtMs: await seen("c1") };
          expect((await join("c2", { beside, join: right })).kind).toBe("ok");
          expect(namesOf(await heartbeat("c1", { beside: "nobody" }))).toEqual(["c2"]);
          expect((await heartbeat("c2", { beside })).kind).toBe("ok");
        },
      );

      test("shuts out one that need not be alone, whose heartbeat was seen to stop", async () => {
        await join("c1");
        await joinAlone("c2", { join: { freshMs: 15_000, othersSeenAtMs: await seen("c1") } });
        expect(namesOf(await heartbeat("c1"))).toEqual(["c2"]);
      });

      test("may join once more under its name without that wish", async () => {
        await joinAlone("c1");
        expect((await heartbeat("c1")).kind).toBe("ok");
        expect((await join("c2")).kind).toBe("ok");
      });
    });

    describe("of a consumer that others must agree with", () => {
      test.each([
        ["ordered", "unordered"],
        ["unordered", "ordered"],
      ] as const)(
        "one that is %s lets in those that are, and no other as long as one is alive",
        async (here, other) => {
          expect((await join("c1", { beside: here })).kind).toBe("ok");
          expect((await join("c2", { beside: here })).kind).toBe("ok");
          expect(await join("c3", { beside: other })).toMatchObject({ kind: "occupied", by: [{}, {}] });
          expect(await entryOf("c3")).toBe("");
          const known = await scene().client.registry(scene().address);
          const seenAt = (name: string) => [name, known.get(name)?.atMs ?? 0] as const;
          const one = { freshMs: 15_000, othersSeenAtMs: new Map([seenAt("c1")]) };
          expect(await join("c3", { beside: other, join: one })).toMatchObject({ by: [{ consumer: "c2" }] });
          const stopped = { freshMs: 15_000, othersSeenAtMs: new Map(["c1", "c2"].map(seenAt)) };
          expect((await join("c3", { beside: other, join: stopped })).kind).toBe("ok");
          expect((await heartbeat("c2", { beside: here })).kind).toBe("occupied");
        },
      );
    });

    test("a heartbeat learns that its name was taken, and leaves the other's", async () => {
      await join("c1");
      await scene().setting.elapse(30);
      await join("c1", { incarnation: "c1-2", join: { freshMs: 20 } });
      expect(await heartbeat("c1")).toEqual({ kind: "replaced" });
      expect(JSON.parse(await entryOf("c1"))).toMatchObject({ incarnation: "c1-2" });
    });

    test("a heartbeat whose entry is gone writes it again", async () => {
      await join("c1");
      await scene().setting.sideDoor.deleteKey(registry());
      expect((await heartbeat("c1")).kind).toBe("ok");
      expect(JSON.parse(await entryOf("c1"))).toMatchObject({ incarnation: "c1-1" });
    });

    test("each consumer of a group may have a lease of its own", async () => {
      expect((await join("c1", { leaseMs: 61_000 })).kind).toBe("ok");
      expect((await join("c2", { leaseMs: 60_000 })).kind).toBe("ok");
      const known = await scene().client.registry(scene().address);
      expect([known.get("c1")?.leaseMs, known.get("c2")?.leaseMs]).toEqual([61_000, 60_000]);
    });

    test("what it cannot read in the registry belongs to no consumer", async () => {
      const { sideDoor } = scene().setting;
      await sideDoor.putHashField(registry(), "c1", "not JSON");
      await sideDoor.putHashField(registry(), "c2", '{"v":2}');
      await sideDoor.putHashField(registry(), "c3", '{"at":"soon","leaseMs":null,"incarnation":"i"}');
      for (const name of ["c1", "c2", "c3"]) expect((await join(name)).kind).toBe("ok");
    });
  });

  describe("handOver", () => {
    const handOver = (ids: readonly string[], options: Partial<HandOverOptions> = {}): Promise<HandOver> =>
      scene().client.handOver({
        ...{ ...scene().address, from: "dead", to: "alive", ids },
        ...{ foreignIdleMs: 0, toUnregistered: false, ...options },
      });
    const ownersOf = async () => (await scene().pending()).map(({ consumer }) => consumer);

    test("moves a silent owner's messages to a living one, and does not count as a delivery", async () => {
      const ids = await scene().deliver("dead", 3);
      await scene().recover("dead", ids.slice(0, 1));
      await fallSilent("dead");
      await heartbeat("alive");
      expect(await handOver(ids.toReversed())).toEqual({ kind: "moved", ids });
      expect(await ownersOf()).toEqual(["alive", "alive", "alive"]);
      expect(await scene().deliveries()).toEqual([2, 1, 1]);
      for (const { idleMs } of await scene().pending()) expect(idleMs).toBeLessThan(RECENT_MS);
    });

    test("moves nothing while the owner's heartbeat is fresh", async () => {
      const ids = await scene().deliver("dead", 1);
      await scene().age("dead", ids);
      await heartbeat("dead");
      await heartbeat("alive");
      expect(await handOver(ids)).toEqual({ kind: "refused", why: "owner-alive" });
      expect(await ownersOf()).toEqual(["dead"]);
    });

    test("moves nothing to a target that is not registered", async () => {
      const ids = await scene().deliver("dead", 1);
      expect(await handOver(ids)).toEqual({ kind: "refused", why: "target-unknown" });
      expect(await ownersOf()).toEqual(["dead"]);
    });

    test("moves nothing to a target that has fallen silent", async () => {
      const ids = await scene().deliver("dead", 1);
      await fallSilent("alive");
      expect(await handOver(ids)).toEqual({ kind: "refused", why: "target-silent" });
      expect(await ownersOf()).toEqual(["dead"]);
    });

    test("moves to a target that is not registered when that is wished", async () => {
      const ids = await scene().deliver("dead", 1);
      expect(await handOver(ids, { toUnregistered: true })).toEqual({ kind: "moved", ids });
      expect(await ownersOf()).toEqual(["alive"]);
    });

    test("honours the lease of a silent owner per message", async () => {
      const ids = await scene().deliver("dead", 2);
      await scene().setting.sideDoor.putHashField(registry(), "dead", `{"v":1,"at":1,"leaseMs":${LONG_LEASE_MS}}`);
      await heartbeat("alive");
      await scene().age("dead", ids.slice(1), 2 * LONG_LEASE_MS);
      expect(await handOver(ids)).toEqual({ kind: "moved", ids: ids.slice(1) });
      expect(await ownersOf()).toEqual(["dead", "alive"]);
    });

    test("goes by a heartbeat that was seen to stop, and by no date", async () => {
      const ids = await scene().deliver("dead", 2);
      await heartbeat("dead");
      await heartbeat("alive");
      const { at } = JSON.parse(await entryOf("dead")) as { at: number };
      expect(await handOver(ids, { seenAtMs: null })).toEqual({ kind: "refused", why: "owner-alive" });
      expect(await handOver(ids, { seenAtMs: at - 1 })).toEqual({ kind: "refused", why: "owner-alive" });
      // Delivered just now, as it seems to a server whose clock was set back.
      expect(await handOver(ids, { seenAtMs: at })).toEqual({ kind: "moved", ids });
    });

    test("moves nothing of an owner that has sent a heartbeat since it was seen, old as that may look", async () => {
      const ids = await scene().deliver("dead", 1);
      await fallSilent("dead");
      await heartbeat("alive");
      expect(await handOver(ids, { seenAtMs: 1 })).toEqual({ kind: "refused", why: "owner-alive" });
      expect(await ownersOf()).toEqual(["dead"]);
    });

    test("an owner that has left the registry is a foreign one, whatever was seen of it", async () => {
      const ids = await scene().deliver("dead", 2);
      await heartbeat("alive");
      await scene().age("dead", ids.slice(1), 700_000);
      const seen = { foreignIdleMs: 600_000, seenAtMs: 1 };
      expect(await handOver(ids, seen)).toEqual({ kind: "moved", ids: ids.slice(1) });
    });

    test("releases without asking for a target", async () => {
      const ids = await scene().deliver("dead", 2);
      await scene().recover("dead", ids.slice(0, 1), 5);
      expect(await handOver(ids, { to: RELEASED })).toEqual({ kind: "moved", ids });
      expect(await ownersOf()).toEqual([RELEASED, RELEASED]);
      expect(await scene().deliveries()).toEqual([5, 1]);
    });

    test("honours the idle time that an unregistered owner's messages must have", async () => {
      const ids = await scene().deliver("dead", 2);
      await heartbeat("alive");
      await scene().age("dead", ids.slice(1), 700_000);
      expect(await handOver(ids, { foreignIdleMs: 600_000 })).toEqual({ kind: "moved", ids: ids.slice(1) });
    });

    test("moves only what the owner still has", async () => {
      const { client, address, stream } = scene();
      const ids = await scene().deliver("dead", 4);
      const [owned = "", taken = "", acknowledged = "", trimmed = ""] = ids;
      await scene().take([taken], "dead", "third");
      await client.xack({ ...address, ids: [acknowledged] });
      await client.xdel({ stream, ids: [trimmed] });
      await heartbeat("alive");
      expect(await handOver(ids)).toEqual({ kind: "moved", ids: [owned] });
      expect(await ownersOf()).toEqual(["alive", "third"]);
    });

    test("of nothing moves nothing", async () => {
      await scene().createGroup();
      await heartbeat("alive");
      expect(await handOver([])).toEqual({ kind: "moved", ids: [] });
    });

    test("without stream or group is a NoGroupError", async () => {
      await heartbeat("alive");
      await expect(handOver(["1-1"])).rejects.toMatchObject({ code: "NO_GROUP" });
    });
  });

  describe("handOverPage", () => {
    const handOver = (options: Partial<HandOverPageOptions> = {}): Promise<HandOverPage> =>
      scene().client.handOverPage({
        ...{ ...scene().address, from: "dead", to: "alive", after: null, count: 10 },
        ...{ foreignIdleMs: 0, toUnregistered: false, ...options },
      });
    const owners = async () => (await scene().pending()).map(({ id, consumer }) => [id, consumer]);
    const moved = (messages: number) => ({ kind: "moved", moved: messages, recent: 0, trimmed: 0, lastId: null });

    test("moves a silent owner's messages to a living one, and does not count as a delivery", async () => {
      const ids = await scene().deliver("dead", 3);
      await scene().recover("dead", ids.slice(0, 1));
      await fallSilent("dead");
      await heartbeat("alive");
      expect(await handOver()).toEqual(moved(3));
      expect(await owners()).toEqual(ids.map((id) => [id, "alive"]));
      expect(await scene().deliveries()).toEqual([2, 1, 1]);
      for (const { idleMs } of await scene().pending()) expect(idleMs).toBeLessThan(RECENT_MS);
    });

    test("goes through the list page by page, and says which is the last", async () => {
      const ids = await scene().deliver("dead", 7);
      await heartbeat("alive");
      expect(await handOver({ count: 3 })).toEqual({ ...moved(3), lastId: ids[2] });
      expect(await owners()).toEqual(ids.map((id, at) => [id, at < 3 ? "alive" : "dead"]));
      expect(await handOver({ count: 3, after: ids[2] ?? "" })).toEqual({ ...moved(3), lastId: ids[5] });
      expect(await handOver({ count: 3, after: ids[5] ?? "" })).toEqual(moved(1));
      expect(await handOver({ count: 3 })).toEqual(moved(0));
    });

    test("leaves what comes before the page", async () => {
      const ids = await scene().deliver("dead", 3);
      await heartbeat("alive");
      expect(await handOver({ after: ids[1] ?? "" })).toEqual(moved(1));
      expect(await owners()).toEqual(ids.map((id, at) => [id, at < 2 ? "dead" : "alive"]));
    });

    test("moves nothing while the owner's heartbeat is fresh", async () => {
      const ids = await scene().deliver("dead", 1);
      await scene().age("dead", ids);
      await heartbeat("dead");
      await heartbeat("alive");
      expect(await handOver()).toEqual({ kind: "refused", why: "owner-alive" });
      expect(await owners()).toEqual([[ids[0], "dead"]]);
    });

    test("moves nothing to a target that is not registered, unless that is wished", async () => {
      const ids = await scene().deliver("dead", 1);
      expect(await handOver()).toEqual({ kind: "refused", why: "target-unknown" });
      expect(await owners()).toEqual([[ids[0], "dead"]]);
      expect(await handOver({ toUnregistered: true })).toEqual(moved(1));
      expect(await owners()).toEqual([[ids[0], "alive"]]);
    });

    test("moves nothing to a target that has fallen silent", async () => {
      const ids = await scene().deliver("dead", 1);
      await fallSilent("alive");
      expect(await handOver()).toEqual({ kind: "refused", why: "target-silent" });
      expect(await owners()).toEqual([[ids[0], "dead"]]);
    });

    test("honours the lease of a silent owner per message", async () => {
      const ids = await scene().deliver("dead", 2);
      await scene().setting.sideDoor.putHashField(registry(), "dead", `{"v":1,"at":1,"leaseMs":${LONG_LEASE_MS}}`);
      await heartbeat("alive");
      await scene().age("dead", ids.slice(1), 2 * LONG_LEASE_MS);
      expect(await handOver()).toEqual({ ...moved(1), recent: 1 });
      expect(await owners()).toEqual([
        [ids[0], "dead"],
        [ids[1], "alive"],
      ]);
    });

    test("goes by a heartbeat that was seen to stop, and by no date", async () => {
      const ids = await scene().deliver("dead", 2);
      await heartbeat("dead");
      await heartbeat("alive");
      const { at } = JSON.parse(await entryOf("dead")) as { at: number };
      expect(await handOver({ seenAtMs: null })).toEqual({ kind: "refused", why: "owner-alive" });
      expect(await handOver({ seenAtMs: at + 1 })).toEqual({ kind: "refused", why: "owner-alive" });
      expect(await owners()).toEqual(ids.map((id) => [id, "dead"]));
      expect(await handOver({ seenAtMs: at })).toEqual(moved(2));
      expect(await owners()).toEqual(ids.map((id) => [id, "alive"]));
    });

    test("releases without asking for a target, and sets no idle time", async () => {
      const ids = await scene().deliver("dead", 2);
      await scene().age("dead", ids, 700_000);
      expect(await handOver({ to: RELEASED, foreignIdleMs: 600_000 })).toEqual(moved(2));
      expect(await owners()).toEqual(ids.map((id) => [id, RELEASED]));
      for (const { idleMs } of await scene().pending()) expect(idleMs).toBeLessThan(RECENT_MS);
    });

    test("releases of an unregistered owner only what was idle for long enough", async () => {
      const ids = await scene().deliver("dead", 2);
      await scene().age("dead", ids.slice(1), 700_000);
      const release = { to: RELEASED, foreignIdleMs: 600_000, seenAtMs: 1 };
      expect(await handOver(release)).toEqual({ ...moved(1), recent: 1 });
      expect(await owners()).toEqual([
        [ids[0], "dead"],
        [ids[1], RELEASED],
      ]);
    });

    test("honours the idle time that an unregistered owner's messages must have", async () => {
      const ids = await scene().deliver("dead", 2);
      await heartbeat("alive");
      expect(await handOver({ foreignIdleMs: 600_000 })).toEqual({ ...moved(0), recent: 2 });
      await scene().age("dead", ids.slice(1), 700_000);
      expect(await handOver({ foreignIdleMs: 600_000 })).toEqual({ ...moved(1), recent: 1 });
    });

    test("moves only what the owner still has, and clears what was deleted", async () => {
      const { client, address, stream } = scene();
      const ids = await scene().deliver("dead", 6);
      const [owned = "", taken = "", acknowledged = "", ...trimmed] = ids;
      await scene().take([taken], "dead", "third");
      await client.xack({ ...address, ids: [acknowledged] });
      await client.xdel({ stream, ids: trimmed });
      await heartbeat("alive");
      expect(await handOver({ count: 4 })).toEqual({ ...moved(1), trimmed: 3, lastId: trimmed[2] });
      expect(await owners()).toEqual([
        [owned, "alive"],
        [taken, "third"],
      ]);
    });

    test("leaves what was deleted while the owner's lease runs for it", async () => {
      const ids = await scene().deliver("dead", 2);
      await scene().client.xdel({ stream: scene().stream, ids });
      await heartbeat("alive");
      expect(await handOver({ foreignIdleMs: 600_000 })).toEqual({ ...moved(0), recent: 2 });
      expect(await owners()).toEqual(ids.map((id) => [id, "dead"]));
    });

    test("without stream or group is a NoGroupError", async () => {
      await heartbeat("alive");
      await expect(handOver()).rejects.toMatchObject({ code: "NO_GROUP" });
    });
  });

  describe("removeIfEmpty", () => {
    const remove = (consumer: string, onlyIfSilent: boolean, finalReport?: FinalReport, seenAtMs?: number | null) =>
      scene().client.removeIfEmpty({ ...scene().address, consumer, onlyIfSilent, finalReport, seenAtMs });
    const names = async () => (await scene().client.xinfoConsumers(scene().address)).map(({ name }) => name);

    test("removes a consumer without pending messages from group and registry", async () => {
      const ids = await scene().deliver("c1", 1);
      await scene().client.xack({ ...scene().address, ids });
      await heartbeat("c1");
      expect(await remove("c1", false)).toBe("removed");
      expect(await names()).toEqual([]);
      expect(await entryOf("c1")).toBe("");
    });

    test("never removes one that still has pending messages", async () => {
      const { client, stream } = scene();
      const ids = await scene().deliver("c1", 1);
      expect(await remove("c1", false)).toBe("pending");
      // Not even when the message itself is gone.
      await client.xdel({ stream, ids });
      expect(await remove("c1", false)).toBe("pending");
      expect(await scene().pendingIds()).toEqual(ids);
    });

    test("takes one that removes itself off the registry, even while messages stay pending for it", async () => {
      await scene().deliver("c1", 1);
      await heartbeat("c1");
      expect(await remove("c1", false)).toBe("pending");
      expect(await names()).toEqual(["c1"]);
      expect(await entryOf("c1")).toBe("");
    });

    test("keeps the final report of one that removes itself, for those that count the group's work", async () => {
      const { client, address } = scene();
      await scene().deliver("c1", 1);
      await scene().createGroup();
      const sinceMs = await client.time();
      expect(await readFinalReports(client, { ...address, sinceMs })).toEqual([]);
      const work = { ...addBatch(NO_WORK, 7, Number.MAX_SAFE_INTEGER), delivered: 9 };
      const last = (incarnation: string) => ({ incarnation, leaseMs: 5_000, details: { state: "draining", work } });
      expect(await remove("c1", false, last("1"))).toBe("pending");
      expect(await remove("c2", false, last("1"))).toBe("removed");
      expect(await remove("c2", false, last("2"))).toBe("removed");
      const told = await readFinalReports(client, { ...address, sinceMs });
      expect(told.map(({ consumer, incarnation }) => [consumer, incarnation])).toEqual([
        ["c1", "1"],
        ["c2", "1"],
        ["c2", "2"],
      ]);
      for (const { details } of told) expect(details).toMatchObject({ state: "draining", work });
      await scene().setting.elapse(SHORT_LEASE_MS);
      expect(await readFinalReports(client, { ...address, sinceMs: await client.time() })).toEqual([]);
    });

    test("leaves a silent one in the registry while messages stay pending for it", async () => {
      await scene().deliver("c1", 1);
      await fallSilent("c1");
      expect(await remove("c1", true)).toBe("pending");
      expect(await entryOf("c1")).not.toBe("");
    });

    test("keeps one whose heartbeat is fresh, if told to look", async () => {
      await scene().createGroup();
      await scene().client.xgroupCreateConsumer({ ...scene().address, consumer: "c1" });
      await heartbeat("c1");
      expect(await remove("c1", true)).toBe("alive");
      expect(await names()).toEqual(["c1"]);
      expect(await entryOf("c1")).not.toBe("");
    });

    test("goes by a heartbeat that was seen to stop, and by no date", async () => {
      await scene().createGroup();
      await scene().client.xgroupCreateConsumer({ ...scene().address, consumer: "c1" });
      await heartbeat("c1");
      const { at } = JSON.parse(await entryOf("c1")) as { at: number };
      expect(await remove("c1", true, undefined, at - 1)).toBe("alive");
      expect(await remove("c1", true, undefined, null)).toBe("alive");
      expect(await remove("c1", true, undefined, at)).toBe("removed");
      expect(await names()).toEqual([]);
      expect(await entryOf("c1")).toBe("");
    });

    test("keeps one that has sent a heartbeat since it was seen, old as that may look", async () => {
      await scene().createGroup();
      await fallSilent("c1");
      expect(await remove("c1", true, undefined, 1)).toBe("alive");
    });

    test.each([RELEASED, LATER])("never removes %s", async (name) => {
      await scene().createGroup();
      await scene().client.xgroupCreateConsumer({ ...scene().address, consumer: name });
      expect(await remove(name, true)).toBe("reserved");
      expect(await remove(name, false)).toBe("reserved");
      expect(await names()).toEqual([name]);
    });

    test("removes the name that redriven messages once had", async () => {
      await scene().createGroup();
      await scene().client.xgroupCreateConsumer({ ...scene().address, consumer: REDRIVE_CONSUMER });
      expect(await remove(REDRIVE_CONSUMER, true)).toBe("removed");
    });

    test("removes one that has fallen silent", async () => {
      await scene().createGroup();
      await scene().client.xgroupCreateConsumer({ ...scene().address, consumer: "c1" });
      await fallSilent("c1");
      expect(await remove("c1", true)).toBe("removed");
      expect(await names()).toEqual([]);
    });

    test("clears the registry of one that the group does not know", async () => {
      await scene().createGroup();
      await heartbeat("c1");
      expect(await remove("c1", false)).toBe("removed");
      expect(await entryOf("c1")).toBe("");
    });

    test("touches only the named group", async () => {
      const { client, stream } = scene();
      await scene().createGroup();
      await scene().createGroup("other");
      for (const group of ["billing", "other"]) {
        await client.xgroupCreateConsumer({ stream, group, consumer: "c1" });
      }
      await remove("c1", false);
      expect((await client.xinfoConsumers({ stream, group: "other" })).map(({ name }) => name)).toEqual(["c1"]);
    });

    test("without stream or group is a NoGroupError", async () => {
      await expect(remove("c1", false)).rejects.toMatchObject({ code: "NO_GROUP" });
    });
  });
}
