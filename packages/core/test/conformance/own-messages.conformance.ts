import { addEntry } from "@redis-batch/test-support";
import { describe, expect, test } from "vitest";
import { RELEASED } from "../../src/names/reserved-consumers.ts";
import { RECENT_MS, type Scene } from "./setting.ts";

/** The atomic operations on what a consumer holds: ackOwned, renewOwned, redeliverOwn. */
export function describeOwnMessages(scene: () => Scene): void {
  const operations = [
    ["ackOwned", (ids: readonly string[]) => scene().client.ackOwned(scene().own("c1", ids))],
    ["renewOwned", (ids: readonly string[]) => scene().client.renewOwned(scene().own("c1", ids))],
    ["redeliverOwn", (ids: readonly string[]) => scene().recover("c1", ids)],
    [
      "release",
      (ids: readonly string[]) =>
        scene().client.release({ ...scene().address, from: "c1", to: RELEASED, neverOffered: ids, offered: [] }),
    ],
  ] as const;

  describe.each(operations)("%s", (_, run) => {
    test("without stream or group is a NoGroupError", async () => {
      const { client, stream } = scene();
      await expect(run(["1-1"])).rejects.toMatchObject({ code: "NO_GROUP" });
      await addEntry(client, { stream, fields: ["n", 1] });
      await expect(run(["1-1"])).rejects.toMatchObject({ code: "NO_GROUP" });
    });

    test("of nothing changes nothing", async () => {
      await scene().deliver("c1", 1);
      const before = await scene().pendingIds();
      await run([]);
      expect(await scene().pendingIds()).toEqual(before);
    });

    test("never touches what belongs to another consumer", async () => {
      const ids = await scene().deliver("c2", 3);
      await scene().age("c2", ids);
      await run(ids);
      const pending = await scene().pending();
      expect(pending).toMatchObject(ids.map((id) => ({ id, consumer: "c2", deliveries: 1 })));
      for (const { idleMs } of pending) expect(idleMs).toBeGreaterThan(RECENT_MS);
    });
  });

  describe("ackOwned", () => {
    test("acknowledges only what the consumer still owns, and says what that was", async () => {
      const { client, address } = scene();
      const ids = await scene().deliver("c1", 4);
      const [kept = "", taken = "", acknowledged = "", alsoKept = ""] = ids;
      await scene().take([taken], "c1", "c2");
      await client.xack({ ...address, ids: [acknowledged] });
      expect(await client.ackOwned(scene().own("c1", [...ids, "99999999999999-1"]))).toEqual({
        ...{ acknowledged: [kept, alsoKept], notOwned: [taken, acknowledged, "99999999999999-1"] },
      });
      expect(await scene().pending()).toMatchObject([{ id: taken, consumer: "c2" }]);
    });

    test("takes the ids in any order", async () => {
      const ids = await scene().deliver("c1", 12);
      const shuffled = [...ids.slice(7), ...ids.slice(0, 7)].toReversed();
      const result = await scene().client.ackOwned(scene().own("c1", shuffled));
      expect(result).toEqual({ acknowledged: ids, notOwned: [] });
      expect(await scene().pending()).toEqual([]);
    });

    test("finds its ids among many others that are pending in between", async () => {
      const { client } = scene();
      const ids = await scene().deliver("c1", 200);
      const wanted = [ids[0] ?? "", ids[100] ?? "", ids[199] ?? ""];
      await scene().take([ids[100] ?? ""], "c1", "c2");
      expect(await client.ackOwned(scene().own("c1", wanted))).toEqual({
        ...{ acknowledged: [wanted[0], wanted[2]], notOwned: [wanted[1]] },
      });
      expect(await scene().pendingIds()).toEqual(ids.slice(1, -1));
    });

    test("is not misled by what others hold in between", async () => {
      await scene().createGroup();
      const ids = await scene().add(102);
      await scene().read("c1", 1);
      await scene().read("c2", 100);
      await scene().read("c1", 1);
      const result = await scene().client.ackOwned(scene().own("c1", ids));
      expect(result.acknowledged).toEqual([ids[0], ids[101]]);
      expect(await scene().pendingIds()).toEqual(ids.slice(1, -1));
    });

    test("acknowledges what was deleted from the stream", async () => {
      const { client, stream } = scene();
      const ids = await scene().deliver("c1", 2);
      await client.xdel({ stream, ids });
      expect((await client.ackOwned(scene().own("c1", ids))).acknowledged).toEqual(ids);
      expect(await scene().pending()).toEqual([]);
    });
  });

  describe("renewOwned", () => {
    test("says of each id whether it was kept, taken or has trimmed", async () => {
      const { client, stream, address } = scene();
      const ids = await scene().deliver("c1", 4);
      const [kept = "", taken = "", acknowledged = "", trimmed = ""] = ids;
      await scene().take([taken], "c1", "c2");
      await client.xack({ ...address, ids: [acknowledged] });
      await client.xdel({ stream, ids: [trimmed] });
      expect(await client.renewOwned(scene().own("c1", ids.toReversed()))).toEqual(
        new Map([
          [kept, "kept"],
          [taken, "taken"],
          [acknowledged, "taken"],
          [trimmed, "trimmed"],
        ]),
      );
    });

    test("drops what has trimmed from the pending list", async () => {
      const { client, stream } = scene();
      const ids = await scene().deliver("c1", 2);
      await client.xdel({ stream, ids: ids.slice(0, 1) });
      await client.renewOwned(scene().own("c1", ids));
      expect(await scene().pendingIds()).toEqual(ids.slice(1));
    });

    test("restarts the idle time and does not count as a delivery", async () => {
      const ids = await scene().deliver("c1", 2);
      await scene().age("c1", ids);
      await scene().client.renewOwned(scene().own("c1", ids.slice(0, 1)));
      const [renewed, other] = await scene().pending();
      expect(renewed?.idleMs).toBeLessThan(RECENT_MS);
      expect(other?.idleMs).toBeGreaterThan(RECENT_MS);
      expect(await scene().deliveries()).toEqual([1, 1]);
    });

    test("finds its ids among many others that are pending in between", async () => {
      const ids = await scene().deliver("c1", 200);
      await scene().age("c1", ids);
      const wanted = [ids[0] ?? "", ids[199] ?? ""];
      const renewals = await scene().client.renewOwned(scene().own("c1", wanted));
      expect([...renewals.values()]).toEqual(["kept", "kept"]);
      const recent = (await scene().pending()).filter(({ idleMs }) => idleMs < RECENT_MS);
      expect(recent.map(({ id }) => id)).toEqual(wanted);
    });
  });

  describe("redeliverOwn", () => {
    test("delivers again, with payload and count, what the consumer still owns", async () => {
      const { client, stream } = scene();
      const payload = [Buffer.from("a"), Buffer.from([0, 255, 13, 10]), Buffer.from("a"), Buffer.from("")];
      await scene().createGroup();
      const id = await addEntry(client, { stream, fields: payload });
      await scene().read("c1");
      await scene().age("c1", [id]);
      expect(await scene().recover("c1", [id])).toEqual({
        entries: [{ id, deliveries: 2, fields: payload }],
        trimmed: [],
      });
      const [pending] = await scene().pending();
      expect(pending).toMatchObject({ id, consumer: "c1", deliveries: 2 });
      expect(pending?.idleMs).toBeLessThan(RECENT_MS);
    });

    test("sets each count to the one given, so that one whose reply was lost may be repeated", async () => {
      const ids = await scene().deliver("c1", 4);
      const messages = ids.map((id, index) => ({ id, deliveries: [2, 7, 2, 1][index] ?? 0 })).toReversed();
      for (let times = 0; times < 2; times++) {
        const { entries } = await scene().client.redeliverOwn({ ...scene().address, consumer: "c1", messages });
        expect(entries.map(({ id, deliveries }) => [id, deliveries])).toEqual([
          [ids[0], 2],
          [ids[1], 7],
          [ids[2], 2],
          [ids[3], 1],
        ]);
        expect(await scene().deliveries()).toEqual([2, 7, 2, 1]);
      }
    });

    test("lists what has trimmed, drops it, and leaves out what is not the consumer's", async () => {
      const { client, stream, address } = scene();
      const ids = await scene().deliver("c1", 4);
      const [kept = "", taken = "", acknowledged = "", trimmed = ""] = ids;
      await scene().take([taken], "c1", "c2");
      await client.xack({ ...address, ids: [acknowledged] });
      await client.xdel({ stream, ids: [trimmed] });
      const result = await scene().recover("c1", ids.toReversed());
      expect(result.entries.map(({ id }) => id)).toEqual([kept]);
      expect(result.trimmed).toEqual([trimmed]);
      expect(await scene().pending()).toMatchObject([
        { id: kept, deliveries: 2 },
        { id: taken, deliveries: 1 },
      ]);
    });

    test("hands the entries over in stream order, from among many others too", async () => {
      const ids = await scene().deliver("c1", 200);
      const wanted = [ids[199] ?? "", ids[3] ?? "", ids[50] ?? ""];
      const { entries } = await scene().recover("c1", wanted);
      expect(entries.map(({ id }) => id)).toEqual([ids[3], ids[50], ids[199]]);
      expect((await scene().deliveries()).filter((count) => count === 2)).toHaveLength(3);
    });

    test("a count beyond all bounds is set to the greatest number there is", async () => {
      const [id = ""] = await scene().deliver("c1", 1);
      const { entries } = await scene().recover("c1", [id], 9_223_372_036_854_775_000);
      expect(entries[0]?.deliveries).toBeGreaterThanOrEqual(Number.MAX_SAFE_INTEGER);
      expect((await scene().deliveries())[0]).toBeGreaterThanOrEqual(Number.MAX_SAFE_INTEGER);
    });
  });
}
