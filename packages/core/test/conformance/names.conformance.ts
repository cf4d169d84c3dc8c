import { addEntry } from "@redis-batch/test-support";
import { describe, expect, test } from "vitest";
import { nameOfBytes } from "../../src/names/names.ts";
import { LATER, RELEASED } from "../../src/names/reserved-consumers.ts";
import type { Scene } from "./setting.ts";

// In UTF-8 all of them would be the same replacement character.
const name = (...bytes: number[]): string => nameOfBytes(Buffer.from([0x6e, ...bytes]));

/** Names of streams, groups and consumers are bytes, and no two of them are the same. */
export function describeNames(scene: () => Scene): void {
  describe("names that are not UTF-8", () => {
    test("of streams, groups and consumers are told apart, and come back as they went", async () => {
      const { client, stream: tag } = scene();
      const streams = [`{${tag}}${name(0xff)}`, `{${tag}}${name(0xfe)}`];
      const groups = [name(0xff), name(0xfe), name(0xc3), "n\ufffd"];
      for (const stream of streams) {
        for (const group of groups) {
          expect(await client.xgroupCreate({ stream, group, position: "start" })).toBe(true);
        }
        const added = await client.xaddMany([{ stream, fields: ["n", 1] }]);
        expect(added).toHaveLength(1);
        expect((await client.xinfoGroups({ stream })).map((group) => group.name).toSorted()).toEqual(groups.toSorted());
      }
      const address = { stream: streams[0] ?? "", group: groups[0] ?? "" };
      const [one, other] = [name(0x80), name(0x81)];
      const id = await addEntry(client, { stream: address.stream, fields: ["n", 2] });
      expect(await client.xreadgroup({ ...address, consumer: one, count: 1 })).toHaveLength(1);
      expect(await client.xreadgroup({ ...address, consumer: other, count: 9 })).toHaveLength(1);
      await client.touchConsumer({ ...address, consumer: RELEASED });
      expect((await client.xpendingSummary(address)).consumers).toEqual(
        new Map([
          [one, 1],
          [other, 1],
        ]),
      );
      expect((await client.xinfoConsumers(address)).map((info) => info.name).toSorted()).toEqual(
        [one, other, RELEASED].toSorted(),
      );
      expect(await client.xpendingRange({ ...address, consumer: other, from: "-", to: "+", count: 9 })).toMatchObject([
        { id, consumer: other },
      ]);
      const names = new Set<string>();
      for (let cursor: string | null = "0:0"; cursor !== null; ) {
        const page = await client.scanStreams({ count: 1_000, cursor });
        for (const found of page.names) names.add(found);
        cursor = page.cursor;
      }
      for (const stream of streams) expect([...names]).toContain(stream);
    });

    test("are the same where entries are acknowledged", async () => {
      const { client, stream: tag } = scene();
      const address = { stream: `{${tag}}${name(0xfd)}`, group: name(0xfc) };
      await client.xgroupCreate({ ...address, position: "start" });
      for (const n of [1, 2]) await addEntry(client, { stream: address.stream, fields: ["n", n] });
      const read = await client.xreadgroup({ ...address, consumer: name(0x80), count: 9 });
      expect(await client.xack({ ...address, ids: read })).toBe(2);
    });

    test("are the same in scripts: heartbeats, hand-over, removal, delays, dead letters", async () => {
      const { client, stream: tag } = scene();
      const address = { stream: `{${tag}}${name(0xff)}`, group: name(0xfe) };
      const [dead, alive] = [name(0x80), name(0x81)];
      await client.xgroupCreate({ ...address, position: "start" });
      for (const n of [1, 2, 3]) await addEntry(client, { stream: address.stream, fields: ["n", n] });
      const read = await client.xreadgroup({ ...address, consumer: dead, count: 9 });
      const [first = "", second = "", third = ""] = read.map(({ id }) => id);
      for (const consumer of [dead, alive]) {
        await client.heartbeat({ ...address, consumer, incarnation: "i", leaseMs: 60_000, details: {} });
      }
      const registry = await client.registry(address);
      expect([...registry.keys()].toSorted()).toEqual([dead, alive].toSorted());
      const seenAtMs = registry.get(dead)?.atMs ?? 0;
      const page = { from: dead, to: alive, foreignIdleMs: 0, toUnregistered: false, seenAtMs, after: null, count: 9 };
      expect(await client.handOverPage({ ...address, ...page })).toMatchObject({ kind: "moved", moved: 3 });
      expect(await client.removeIfEmpty({ ...address, consumer: dead, onlyIfSilent: true, seenAtMs })).toBe("removed");
      expect([...(await client.registry(address)).keys()]).toEqual([alive]);
      await client.scheduleLater({ ...address, delays: [{ id: second, delayMs: 60_000 }] });
      await client.release({ ...address, from: alive, to: LATER, offered: [second], neverOffered: [] });
      expect([...(await client.dueTimes({ ...address, ids: [second] })).values()]).toEqual([expect.any(Number)]);
      expect(
        await client.moveToDeadLetters({ ...address, consumer: alive, id: third, reason: "r", error: "" }),
      ).toMatchObject({
        kind: "dead-lettered",
      });
      expect(await client.ackOwned({ ...address, consumer: alive, ids: [first] })).toMatchObject({
        acknowledged: [first],
      });
      expect((await client.xpendingSummary(address)).consumers).toEqual(new Map([[LATER, 1]]));
    });
  });
}
