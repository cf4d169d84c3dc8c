import { addEntry } from "@redis-batch/test-support";
import { describe, expect, test } from "vitest";
import { RECENT_MS, type Scene } from "./setting.ts";

/** Consumer groups: creating, reading without waiting, acknowledging, pending lists, reports. */
export function describeGroups(scene: () => Scene): void {
  describe("xgroupCreate", () => {
    test("makes the stream where it is missing", async () => {
      const { client, stream, group } = scene();
      expect(await client.xgroupCreate({ stream, group, position: "start" })).toBe(true);
      expect(await client.xlen({ stream })).toBe(0);
    });

    test("says false when the group exists, and leaves it as it is", async () => {
      const { client, stream, group } = scene();
      const ids = await scene().deliver("c1", 2);
      expect(await client.xgroupCreate({ stream, group, position: "end" })).toBe(false);
      expect(await scene().pendingIds()).toEqual(ids);
    });

    test('"start" reads what the stream still holds', async () => {
      const ids = await scene().add(2);
      await scene().createGroup();
      expect((await scene().read("c1")).map(({ id }) => id)).toEqual(ids);
    });

    test('"end" reads only what is added from now on', async () => {
      const { client, stream, group } = scene();
      await scene().add(2);
      await client.xgroupCreate({ stream, group, position: "end" });
      const later = await scene().add(1);
      expect((await scene().read("c1")).map(({ id }) => id)).toEqual(later);
    });

    test("an id reads what comes after it", async () => {
      const { client, stream, group } = scene();
      const ids = await scene().add(3);
      await client.xgroupCreate({ stream, group, position: ids[0] ?? "" });
      expect((await scene().read("c1")).map(({ id }) => id)).toEqual(ids.slice(1));
    });

    test("refuses what is no id", async () => {
      const { client, stream, group } = scene();
      await expect(client.xgroupCreate({ stream, group, position: "soon" })).rejects.toMatchObject({ code: "COMMAND" });
    });

    test("refuses a key of another type", async () => {
      const { client, stream, group, setting } = scene();
      await setting.sideDoor.putText(stream);
      await expect(client.xgroupCreate({ stream, group, position: "start" })).rejects.toMatchObject({
        code: "WRONG_TYPE",
      });
    });
  });

  describe("xgroupSetId", () => {
    test("sets the position back and forth, and leaves what is pending", async () => {
      const { client, stream, group } = scene();
      const ids = await scene().deliver("c1", 3);
      await client.xgroupSetId({ stream, group, position: ids[1] ?? "" });
      expect((await scene().read("c2")).map(({ id }) => id)).toEqual(ids.slice(2));
      await client.xgroupSetId({ stream, group, position: "start" });
      await client.xgroupSetId({ stream, group, position: "end" });
      expect(await scene().read("c2")).toEqual([]);
      expect(await scene().pendingIds()).toEqual(ids);
    });

    test("needs the stream and the group", async () => {
      const { client, stream, address } = scene();
      await expect(client.xgroupSetId({ ...address, position: "end" })).rejects.toMatchObject({ code: "NO_GROUP" });
      await addEntry(client, { stream, fields: ["n", 1] });
      await expect(client.xgroupSetId({ ...address, position: "end" })).rejects.toMatchObject({ code: "NO_GROUP" });
    });
  });

  describe("xgroupDestroy", () => {
    test("removes a group with its pending list, and says whether there was one", async () => {
      const { client, stream, address } = scene();
      await scene().deliver("c1", 2);
      expect(await client.xgroupDestroy(address)).toBe(true);
      expect(await client.xinfoGroups({ stream })).toEqual([]);
      expect(await client.xgroupDestroy(address)).toBe(false);
    });

    test("needs the stream", async () => {
      await expect(scene().client.xgroupDestroy(scene().address)).rejects.toMatchObject({ code: "NO_GROUP" });
    });
  });

  describe("xgroupCreateConsumer", () => {
    test("says whether the consumer is new", async () => {
      const { client, address } = scene();
      await scene().createGroup();
      expect(await client.xgroupCreateConsumer({ ...address, consumer: "c1" })).toBe(true);
      expect(await client.xgroupCreateConsumer({ ...address, consumer: "c1" })).toBe(false);
      expect((await client.xinfoConsumers(address)).map(({ name }) => name)).toEqual(["c1"]);
    });

    test("needs the stream and the group", async () => {
      const { client, stream, address } = scene();
      await expect(client.xgroupCreateConsumer({ ...address, consumer: "c1" })).rejects.toMatchObject({
        code: "NO_GROUP",
      });
      await addEntry(client, { stream, fields: ["n", 1] });
      await expect(client.xgroupCreateConsumer({ ...address, consumer: "c1" })).rejects.toMatchObject({
        code: "NO_GROUP",
      });
    });
  });

  describe("touchConsumer", () => {
    const touch = (consumer: string) => scene().client.touchConsumer({ ...scene().address, consumer });
    const idleOf = async (name: string): Promise<number | undefined> =>
      (await scene().client.xinfoConsumers(scene().address)).find((info) => info.name === name)?.idleMs;

    test("creates a name that is not there", async () => {
      await scene().createGroup();
      await touch("c1");
      expect(await idleOf("c1")).toBeLessThan(RECENT_MS);
    });

    test("lets the name's idle time start again, and delivers nothing", async () => {
      await scene().deliver("c1", 2);
      await scene().add(1);
      await scene().setting.elapse(200);
      const before = await scene().pending();
      const beforeMs = (await idleOf("c1")) ?? 0;
      expect(beforeMs).toBeGreaterThanOrEqual(200);
      await touch("c1");
      expect(await idleOf("c1")).toBeLessThan(beforeMs);
      const after = await scene().pending();
      expect(after.map(({ id, deliveries }) => [id, deliveries])).toEqual(
        before.map(({ id, deliveries }) => [id, deliveries]),
      );
      for (const { idleMs } of after) expect(idleMs).toBeGreaterThanOrEqual(200);
    });

    test("without stream or group is a NoGroupError", async () => {
      await expect(touch("c1")).rejects.toMatchObject({ code: "NO_GROUP" });
      await scene().add(1);
      await expect(touch("c1")).rejects.toMatchObject({ code: "NO_GROUP" });
    });
  });

  describe("xreadgroup without waiting", () => {
    test("hands out new entries in order, at most as many as asked for, to one consumer each", async () => {
      await scene().createGroup();
      const ids = await scene().add(5);
      expect((await scene().read("c1", 2)).map(({ id }) => id)).toEqual(ids.slice(0, 2));
      expect((await scene().read("c2", 2)).map(({ id }) => id)).toEqual(ids.slice(2, 4));
      expect((await scene().read("c1", 2)).map(({ id }) => id)).toEqual(ids.slice(4));
      expect(await scene().read("c1", 2)).toEqual([]);
    });

    test("hands every entry to every group", async () => {
      await scene().createGroup("a");
      await scene().createGroup("b");
      const ids = await scene().add(2);
      for (const group of ["a", "b"]) {
        expect((await scene().read("c1", 10, group)).map(({ id }) => id)).toEqual(ids);
      }
    });

    test("hands over fields byte for byte, duplicates included", async () => {
      const { client, stream } = scene();
      await scene().createGroup();
      const fields = [
        Buffer.from([0, 13, 10, 255]),
        Buffer.from(""),
        Buffer.from("a"),
        Buffer.from("1"),
        Buffer.from("a"),
        Buffer.from("2"),
      ];
      await addEntry(client, { stream, fields });
      expect((await scene().read("c1"))[0]?.fields).toEqual(fields);
    });

    test("of several streams hands out as many of each as are asked for, and none if one is missing", async () => {
      const { client, stream, group } = scene();
      const other = `{${stream}}:other`;
      await scene().createGroup();
      const ids = await scene().add(3);
      const read = () => client.xreadgroupMany({ streams: [other, stream], group, consumer: "c1", count: 2 });
      await expect(read()).rejects.toMatchObject({ code: "NO_GROUP" });
      expect(await scene().pendingIds()).toEqual([]);
      await client.xgroupCreate({ stream: other, group, position: "start" });
      const otherId = await addEntry(client, { stream: other, fields: ["n", 1] });
      const idsIn = async () =>
        Object.fromEntries((await read()).map((one) => [one.stream, one.entries.map(({ id }) => id)]));
      expect(await idsIn()).toEqual({ [stream]: ids.slice(0, 2), [other]: [otherId] });
      expect(await idsIn()).toEqual({ [stream]: ids.slice(2) });
      expect(await idsIn()).toEqual({});
    });

    test("does not hand out what was deleted before", async () => {
      const { client, stream } = scene();
      await scene().createGroup();
      const ids = await scene().add(3);
      await client.xdel({ stream, ids: ids.slice(1, 2) });
      expect((await scene().read("c1")).map(({ id }) => id)).toEqual([ids[0], ids[2]]);
    });

    test("makes each entry pending for its consumer, delivered once", async () => {
      const ids = await scene().deliver("c1", 2);
      const pending = await scene().pending();
      expect(pending).toMatchObject(ids.map((id) => ({ id, consumer: "c1", deliveries: 1 })));
      for (const { idleMs } of pending) expect(idleMs).toBeLessThan(RECENT_MS);
    });

    test("without stream or group is a NoGroupError", async () => {
      const { client, stream } = scene();
      await expect(scene().read("c1")).rejects.toMatchObject({ code: "NO_GROUP" });
      await addEntry(client, { stream, fields: ["n", 1] });
      await expect(scene().read("c1")).rejects.toMatchObject({ code: "NO_GROUP" });
    });

    test("refuses a key of another type", async () => {
      const { stream, setting } = scene();
      await setting.sideDoor.putText(stream);
      await expect(scene().read("c1")).rejects.toMatchObject({ code: "WRONG_TYPE" });
    });
  });

  describe("xack", () => {
    test("counts what was pending, for any owner", async () => {
      const { client, address } = scene();
      const ids = await scene().deliver("c1", 3);
      expect(await client.xack({ ...address, ids: [...ids.slice(0, 2), "1-1"] })).toBe(2);
      expect(await client.xack({ ...address, ids })).toBe(1);
      expect(await scene().pending()).toEqual([]);
    });

    test("of one group leaves the others alone", async () => {
      const { client, stream } = scene();
      await scene().createGroup("a");
      await scene().createGroup("b");
      const ids = await scene().add(1);
      await scene().read("c1", 1, "a");
      await scene().read("c1", 1, "b");
      expect(await client.xack({ stream, group: "a", ids })).toBe(1);
      expect(await scene().pendingIds("b")).toEqual(ids);
    });

    test("without stream or group counts 0", async () => {
      const { client, stream, address } = scene();
      expect(await client.xack({ ...address, ids: ["1-1"] })).toBe(0);
      await addEntry(client, { stream, fields: ["n", 1] });
      expect(await client.xack({ ...address, ids: ["1-1"] })).toBe(0);
    });
  });

  describe("xpendingSummary", () => {
    test("counts per consumer, between the first and the last id", async () => {
      const { client, address } = scene();
      await scene().createGroup();
      const ids = await scene().add(3);
      await scene().read("c1", 2);
      await scene().read("c2", 1);
      expect(await client.xpendingSummary(address)).toEqual({
        ...{ count: 3, firstId: ids[0], lastId: ids[2] },
        consumers: new Map([
          ["c1", 2],
          ["c2", 1],
        ]),
      });
    });

    test("of nothing has neither ids nor consumers", async () => {
      const { client, address } = scene();
      const ids = await scene().deliver("c1", 1);
      await client.xack({ ...address, ids });
      expect(await client.xpendingSummary(address)).toEqual({
        ...{ count: 0, firstId: null, lastId: null, consumers: new Map() },
      });
    });

    test("without stream or group is a NoGroupError", async () => {
      const { client, stream, address } = scene();
      await expect(client.xpendingSummary(address)).rejects.toMatchObject({ code: "NO_GROUP" });
      await addEntry(client, { stream, fields: ["n", 1] });
      await expect(client.xpendingSummary(address)).rejects.toMatchObject({ code: "NO_GROUP" });
    });
  });

  describe("xpendingRange", () => {
    test("pages with exclusive ids until nothing is left", async () => {
      const { client, address } = scene();
      const ids = await scene().deliver("c1", 5);
      const pages: string[][] = [];
      let from = "-";
      for (;;) {
        const page = await client.xpendingRange({ ...address, from, to: "+", count: 2 });
        const last = page.at(-1);
        if (last === undefined) break;
        pages.push(page.map(({ id }) => id));
        from = `(${last.id}`;
      }
      expect(pages).toEqual([ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)]);
    });

    test("of one consumer leaves out the others", async () => {
      const { client, address } = scene();
      await scene().createGroup();
      const ids = await scene().add(3);
      await scene().read("c1", 1);
      await scene().read("c2", 1);
      await scene().read("c1", 1);
      const page = await client.xpendingRange({ ...address, consumer: "c1", from: "-", to: "+", count: 10 });
      expect(page.map(({ id, consumer }) => [id, consumer])).toEqual([
        [ids[0], "c1"],
        [ids[2], "c1"],
      ]);
      expect(await client.xpendingRange({ ...address, consumer: "c3", from: "-", to: "+", count: 10 })).toEqual([]);
    });

    test("has no side effects", async () => {
      await scene().deliver("c1", 1);
      await scene().age("c1", await scene().pendingIds());
      await scene().pending();
      const [pending] = await scene().pending();
      expect(pending?.deliveries).toBe(1);
      expect(pending?.idleMs).toBeGreaterThanOrEqual(3_600_000);
    });

    test("keeps entries that were deleted from the stream", async () => {
      const { client, stream } = scene();
      const ids = await scene().deliver("c1", 2);
      await client.xdel({ stream, ids });
      expect(await scene().pendingIds()).toEqual(ids);
    });

    test("without stream or group is a NoGroupError", async () => {
      await expect(scene().pending()).rejects.toMatchObject({ code: "NO_GROUP" });
    });
  });

  describe("xinfoGroups", () => {
    test("counts consumers, pending, read and waiting of every group", async () => {
      const { client, stream, address } = scene();
      await scene().createGroup();
      const ids = await scene().add(5);
      await scene().read("c1", 2);
      await scene().read("c2", 1);
      await client.xack({ ...address, ids: ids.slice(0, 1) });
      await scene().createGroup("other");
      const groups = await client.xinfoGroups({ stream });
      expect(groups.toSorted((left, right) => left.name.localeCompare(right.name))).toMatchObject([
        { name: "billing", consumers: 2, pending: 2, lastDeliveredId: ids[2], entriesRead: 3, lag: 2 },
        { name: "other", consumers: 0, pending: 0, lastDeliveredId: "0-0", lag: 5 },
      ]);
    });

    test("a lag that is not known is null, until the group has read the last entry", async () => {
      const { client, stream, group } = scene();
      const ids = await scene().add(3);
      await client.xgroupCreate({ stream, group, position: ids[1] ?? "" });
      expect(await client.xinfoGroups({ stream })).toMatchObject([{ entriesRead: null, lag: null }]);
      await scene().read("c1");
      expect(await client.xinfoGroups({ stream })).toMatchObject([{ entriesRead: 3, lag: 0 }]);
    });

    test("an entry deleted before it was read makes the lag unknown, until the group has read the last entry", async () => {
      const { client, stream } = scene();
      await scene().createGroup();
      const ids = await scene().add(3);
      await client.xdel({ stream, ids: ids.slice(1, 2) });
      expect(await client.xinfoGroups({ stream })).toMatchObject([{ lag: null }]);
      await scene().read("c1");
      expect(await client.xinfoGroups({ stream })).toMatchObject([{ lag: 0 }]);
    });

    test("of a stream without groups is empty, of a missing stream a NoGroupError", async () => {
      const { client, stream } = scene();
      await expect(client.xinfoGroups({ stream })).rejects.toMatchObject({ code: "NO_GROUP" });
      await addEntry(client, { stream, fields: ["n", 1] });
      expect(await client.xinfoGroups({ stream })).toEqual([]);
    });
  });

  describe("xinfoConsumers", () => {
    test("counts what is pending for each consumer", async () => {
      const { client, address } = scene();
      await scene().createGroup();
      await scene().add(3);
      await scene().read("c1", 2);
      await scene().read("c2", 1);
      const consumers = await client.xinfoConsumers(address);
      expect(consumers.toSorted((left, right) => left.name.localeCompare(right.name))).toMatchObject([
        { name: "c1", pending: 2 },
        { name: "c2", pending: 1 },
      ]);
    });

    test("a read that returned something was just now", async () => {
      const { client, address } = scene();
      await scene().deliver("c1", 1);
      const [consumer] = await client.xinfoConsumers(address);
      expect(consumer?.idleMs).toBeGreaterThanOrEqual(0);
      expect(consumer?.idleMs).toBeLessThan(RECENT_MS);
      // Null on Redis 7.0, which does not tell.
      expect(consumer?.inactiveMs ?? 0).toBeLessThan(RECENT_MS);
    });

    test("a consumer that never got anything has no inactive time", async () => {
      const { client, address } = scene();
      await scene().createGroup();
      await client.xgroupCreateConsumer({ ...address, consumer: "c1" });
      expect(await client.xinfoConsumers(address)).toMatchObject([{ name: "c1", pending: 0, inactiveMs: null }]);
    });

    test("says what the idle time counts from: a server that tells inactive times counts attempts", async () => {
      const { client, address } = scene();
      await scene().deliver("c1", 1);
      const [consumer] = await client.xinfoConsumers(address);
      expect(consumer?.idleSince).toBe(consumer?.inactiveMs === null ? "success" : "attempt");
    });

    test("without stream or group is a NoGroupError", async () => {
      const { client, stream, address } = scene();
      await expect(client.xinfoConsumers(address)).rejects.toMatchObject({ code: "NO_GROUP" });
      await addEntry(client, { stream, fields: ["n", 1] });
      await expect(client.xinfoConsumers(address)).rejects.toMatchObject({ code: "NO_GROUP" });
    });
  });
}
