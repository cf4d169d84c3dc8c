import { addEntry } from "@redis-batch/test-support";
import { describe, expect, test } from "vitest";
import type { EntryId } from "../../src/names/entry-id.ts";
import { LATER, RELEASED } from "../../src/names/reserved-consumers.ts";
import type { ReleaseOptions, ReleaseResult } from "../../src/wire/atomic/release.ts";
import type { TakeOptions, TakeResult } from "../../src/wire/atomic/take.ts";
import { RECENT_MS, type Scene } from "./setting.ts";

/** How messages are let go, and how they are taken: release, take. */
export function describeReleasing(scene: () => Scene): void {
  const release = (options: Partial<ReleaseOptions>): Promise<ReleaseResult> =>
    scene().client.release({
      ...{ ...scene().address, from: "c1", to: RELEASED, offered: [], neverOffered: [] },
      ...options,
    });
  const take = (options: Partial<TakeOptions> = {}): Promise<TakeResult> =>
    scene().client.take({
      ...{ ...scene().address, consumer: "c2", after: null, scan: 1_000, count: 1_000, maxBytes: 1e9 },
      ...{ suspectFrom: Number.POSITIVE_INFINITY, suspects: 0, notWanted: [], ...options },
    });
  /** Adds messages that are released at once, each delivered that many times. */
  const released = async (...deliveries: readonly number[]): Promise<EntryId[]> => {
    const ids = await scene().deliver("c1", deliveries.length);
    for (const [index, count] of deliveries.entries()) await scene().recover("c1", [ids[index] ?? ""], count);
    await release({ offered: ids });
    return ids;
  };
  const takenIds = ({ entries }: TakeResult): EntryId[] => entries.map(({ id }) => id);
  const idsOf = async (consumer: string): Promise<EntryId[]> =>
    (await scene().pending()).flatMap((entry) => (entry.consumer === consumer ? [entry.id] : []));

  describe("release", () => {
    test("moves what was offered with its count, and gives its delivery back to what was not", async () => {
      const ids = await scene().deliver("c1", 4);
      await scene().recover("c1", [ids[1] ?? "", ids[3] ?? ""]);
      const given = await release({
        ...{ neverOffered: [ids[1] ?? "", ids[0] ?? ""], offered: [ids[3] ?? "", ids[2] ?? ""] },
      });
      expect(given).toEqual({ moved: 4, trimmed: [] });
      expect(await scene().deliveries()).toEqual([0, 1, 1, 2]);
      expect(await idsOf(RELEASED)).toEqual(ids);
    });

    test("sets no idle time: it starts again at the move", async () => {
      const ids = await scene().deliver("c1", 2);
      await scene().age("c1", ids);
      await release({ offered: ids.slice(0, 1), neverOffered: ids.slice(1) });
      for (const { idleMs } of await scene().pending()) expect(idleMs).toBeLessThan(RECENT_MS);
    });

    test("moves between any two names", async () => {
      const ids = await scene().deliver("c1", 1);
      await release({ to: LATER, offered: ids });
      expect(await idsOf(LATER)).toEqual(ids);
      expect(await release({ from: LATER, to: RELEASED, offered: ids })).toEqual({ moved: 1, trimmed: [] });
      expect(await idsOf(RELEASED)).toEqual(ids);
    });

    test("to the same name only takes the count back", async () => {
      const ids = await scene().deliver("c1", 3);
      expect(await release({ to: "c1", neverOffered: ids.slice(0, 2) })).toEqual({ moved: 2, trimmed: [] });
      expect(await idsOf("c1")).toEqual(ids);
      expect(await scene().deliveries()).toEqual([0, 0, 1]);
    });

    test("moves only what is still the owner's, and says what had been trimmed", async () => {
      const { client, address, stream } = scene();
      const ids = await scene().deliver("c1", 5);
      const [mine = "", taken = "", acknowledged = "", ...trimmed] = ids;
      await scene().take([taken], "c1", "c2");
      await client.xack({ ...address, ids: [acknowledged] });
      await client.xdel({ stream, ids: trimmed });
      const given = await release({ offered: ids.slice(0, -1), neverOffered: ids.slice(-1) });
      expect({ ...given, trimmed: given.trimmed.toSorted() }).toEqual({ moved: 1, trimmed });
      expect(await scene().pending()).toMatchObject([
        { id: mine, consumer: RELEASED, deliveries: 1 },
        { id: taken, consumer: "c2", deliveries: 1 },
      ]);
      expect(await release({ offered: ids })).toEqual({ moved: 0, trimmed: [] });
    });

    test("moves nothing for a name that does not own it", async () => {
      const ids = await scene().deliver("c1", 2);
      expect(await release({ from: "c2", offered: ids.slice(0, 1), neverOffered: ids.slice(1) })).toEqual({
        ...{ moved: 0, trimmed: [] },
      });
      expect(await scene().pending()).toMatchObject(ids.map((id) => ({ id, consumer: "c1", deliveries: 1 })));
    });

    test("takes any number of ids, in any order", async () => {
      const ids = await scene().deliver("c1", 2_300);
      const given = await release({ offered: ids.slice(0, 1_150).toReversed(), neverOffered: ids.slice(1_150) });
      expect(given).toEqual({ moved: 2_300, trimmed: [] });
      expect(await idsOf(RELEASED)).toEqual(ids);
      expect(await scene().deliveries()).toEqual(ids.map((_, index) => (index < 1_150 ? 1 : 0)));
    });

    test("is not stopped by a count beyond all bounds", async () => {
      const { address, setting } = scene();
      const ids = await scene().deliver("c1", 4);
      const [first = "", second = "", ...others] = ids;
      await setting.sideDoor.setDeliveries(address, "c1", first, 9_223_372_036_854_775_807n);
      await setting.sideDoor.setDeliveries(address, "c1", second, 1_000_000_000_000_000_000n);
      expect(await release({ neverOffered: [first], offered: [second, ...others] })).toEqual({
        moved: 4,
        trimmed: [],
      });
      const [one = 0, two = 0, ...rest] = await scene().deliveries();
      expect(Math.min(one, two)).toBeGreaterThan(9e15);
      expect(rest).toEqual([1, 1]);
    });

    test("leaves nothing under the name of one that leaves", async () => {
      const ids = await scene().deliver("c1", 3);
      await release({ offered: ids });
      const { client, address } = scene();
      expect(await client.removeIfEmpty({ ...address, consumer: "c1", onlyIfSilent: false })).toBe("removed");
      expect(await scene().pendingIds()).toEqual(ids);
    });

    test("a plain acknowledgement by the former owner ends a message: its work was done", async () => {
      const { client, address } = scene();
      const ids = await scene().deliver("c1", 1);
      await release({ offered: ids });
      expect(await client.xack({ ...address, ids })).toBe(1);
      expect(await take()).toEqual({ entries: [], trimmed: [], next: null });
    });
  });

  describe("take", () => {
    test("delivers what was released, with payload and count", async () => {
      const { client, stream } = scene();
      const payload = [Buffer.from("a"), Buffer.from([0, 255, 13, 10]), Buffer.from("a"), Buffer.from("")];
      await scene().createGroup();
      const id = await addEntry(client, { stream, fields: payload });
      await scene().read("c1");
      await scene().age("c1", [id]);
      await release({ offered: [id] });
      expect(await take()).toEqual({ entries: [{ id, deliveries: 2, fields: payload }], trimmed: [], next: null });
      const [pending] = await scene().pending();
      expect(pending).toMatchObject({ id, consumer: "c2", deliveries: 2 });
      expect(pending?.idleMs).toBeLessThan(RECENT_MS);
    });

    test("what was never offered counts as delivered for the first time", async () => {
      const ids = await scene().deliver("c1", 2);
      await release({ neverOffered: ids });
      expect((await take()).entries.map(({ deliveries }) => deliveries)).toEqual([1, 1]);
    });

    test("takes nothing that was not released", async () => {
      const ids = await scene().deliver("c1", 3);
      await release({ to: LATER, offered: ids.slice(0, 1) });
      expect(await take()).toEqual({ entries: [], trimmed: [], next: null });
      expect(await idsOf("c2")).toEqual([]);
    });

    test("goes through the list behind a cursor, to its end", async () => {
      const ids = await released(1, 1, 1, 1, 1);
      const first = await take({ count: 2 });
      expect([takenIds(first), first.next]).toEqual([ids.slice(0, 2), ids[1]]);
      const second = await take({ after: first.next, count: 2 });
      expect([takenIds(second), second.next]).toEqual([ids.slice(2, 4), ids[3]]);
      const last = await take({ after: second.next, count: 2 });
      expect([takenIds(last), last.next]).toEqual([ids.slice(4), null]);
    });

    test("looks at no more than it is told to, and goes on behind that", async () => {
      const ids = await released(9, 9, 1, 9, 1);
      const cautious = { suspectFrom: 5, suspects: 0, scan: 2 };
      const first = await take(cautious);
      expect(first).toEqual({ entries: [], trimmed: [], next: ids[1] });
      const second = await take({ ...cautious, after: first.next });
      expect([takenIds(second), second.next]).toEqual([[ids[2]], ids[3]]);
      const last = await take({ ...cautious, after: second.next });
      expect([takenIds(last), last.next]).toEqual([[ids[4]], null]);
    });

    test("of nothing takes nothing, and stays where it was", async () => {
      const ids = await released(1, 1);
      expect(await take({ count: 0, after: ids[0] ?? "" })).toEqual({ entries: [], trimmed: [], next: ids[0] });
      expect(await idsOf(RELEASED)).toEqual(ids);
    });

    test("passes suspects over, but for those that are wanted, and they starve nobody", async () => {
      const suspects = Array.from({ length: 20 }, () => 8);
      const ids = await released(...suspects, 1, 1, 1);
      const one = await take({ suspectFrom: 9, suspects: 1 });
      expect(takenIds(one)).toEqual([ids[0], ...ids.slice(20)]);
      expect(one.next).toBeNull();
      const none = await take({ suspectFrom: 9, suspects: 0 });
      expect(none.entries).toEqual([]);
      // The first delivery number that is a suspect is the one it has when it is taken.
      expect(takenIds(await take({ suspectFrom: 10, suspects: 0, count: 1 }))).toEqual([ids[1]]);
    });

    test("leaves what is not wanted to others", async () => {
      const ids = await released(1, 1, 1);
      expect(takenIds(await take({ notWanted: [ids[0] ?? "", ids[2] ?? ""] }))).toEqual([ids[1]]);
      expect(takenIds(await take({ consumer: "c3" }))).toEqual([ids[0], ids[2]]);
    });

    test("takes no more bytes than fit, but for the message that goes beyond", async () => {
      const { client, stream } = scene();
      await scene().createGroup();
      const ids: EntryId[] = [];
      for (let count = 0; count < 4; count++) {
        ids.push(await addEntry(client, { stream, fields: ["f", Buffer.alloc(99_999)] }));
      }
      await scene().read("c1");
      await release({ offered: ids });
      const two = await take({ maxBytes: 200_000 });
      expect([takenIds(two), two.next]).toEqual([ids.slice(0, 2), ids[1]]);
      const one = await take({ maxBytes: 1, after: two.next });
      expect(takenIds(one)).toEqual([ids[2]]);
      expect(takenIds(await take({ maxBytes: 100_001 }))).toEqual([ids[3]]);
    });

    test("says what had been trimmed, and drops it", async () => {
      const ids = await released(1, 1, 1, 1);
      const gone = [ids[0] ?? "", ids[2] ?? ""];
      await scene().client.xdel({ stream: scene().stream, ids: gone });
      const result = await take();
      expect([takenIds(result), result.trimmed]).toEqual([[ids[1], ids[3]], gone]);
      expect(await scene().pendingIds()).toEqual([ids[1], ids[3]]);
    });

    test("a trimmed suspect does not count as the one that was wanted", async () => {
      const ids = await released(8, 8);
      await scene().client.xdel({ stream: scene().stream, ids: ids.slice(0, 1) });
      expect(takenIds(await take({ suspectFrom: 9, suspects: 1 }))).toEqual([ids[1]]);
    });

    test("a count beyond all bounds is a suspect, and stays a number", async () => {
      const { setting, address } = scene();
      const ids = await scene().deliver("c1", 1);
      await setting.sideDoor.setDeliveries(address, "c1", ids[0] ?? "", 9_223_372_036_854_775_000n);
      await release({ offered: ids });
      expect((await take({ suspectFrom: 9, suspects: 0 })).entries).toEqual([]);
      const { entries } = await take({ suspectFrom: 9, suspects: 1 });
      expect(entries[0]?.deliveries).toBeGreaterThanOrEqual(Number.MAX_SAFE_INTEGER);
    });

    test("many that take at the same time never take the same message", async () => {
      const ids = await scene().deliver("c1", 10_000);
      await release({ offered: ids });
      const takers = Array.from({ length: 100 }, (_, index) => take({ consumer: `t${index}`, count: 100 }));
      const taken = (await Promise.all(takers)).map(takenIds);
      expect(taken.every((own) => own.length === 100)).toBe(true);
      expect(new Set(taken.flat()).size).toBe(10_000);
      expect(await idsOf(RELEASED)).toEqual([]);
    });

    test("without stream or group is a NoGroupError", async () => {
      await expect(take()).rejects.toMatchObject({ code: "NO_GROUP" });
    });
  });
}
