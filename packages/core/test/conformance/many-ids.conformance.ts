import { expect, test } from "vitest";
import { LATER, RELEASED } from "../../src/names/reserved-consumers.ts";
import type { Scene } from "./setting.ts";

/** More than a script can unpack, which is 7,999 with all that goes before them. */
const MANY = 9_000;

/** Every operation that takes ids. */
export function describeManyIds(scene: () => Scene): void {
  test("ids go out in as many parts as they need, with every command", async () => {
    const { client, address, stream } = scene();
    const ids = await scene().deliver("c1", MANY);
    const everyId = <End>(end: End): ReadonlyMap<string, End> => new Map(ids.map((id) => [id, end]));
    const move = async (from: string, to: string): Promise<void> => {
      const { moved } = await client.release({ ...address, from, to, offered: ids, neverOffered: [] });
      expect(moved).toBe(MANY);
    };

    expect(await client.renewOwned(scene().own("c1", ids))).toEqual(everyId("kept"));
    expect((await client.release({ ...address, from: "c1", to: "c1", offered: [], neverOffered: ids })).moved).toBe(
      MANY,
    );
    const recovered = await scene().recover("c1", ids);
    expect(recovered.entries.map(({ id, deliveries }) => ({ id, deliveries }))).toEqual(
      ids.map((id) => ({ id, deliveries: 2 })),
    );
    await scene().take(ids, "c1", "c2");
    await move("c2", LATER);
    await client.scheduleLater({ ...address, delays: ids.map((id) => ({ id, delayMs: 60_000 })) });
    const times = await client.dueTimes({ ...address, ids });
    const due = ids.map((id) => ({ id, atMs: times.get(id) ?? 0 }));
    expect(await client.forgetDue({ ...address, due })).toBe(MANY);
    expect(await client.hungAmong({ ...address, ids })).toEqual(new Set());
    await move(LATER, RELEASED);
    await move(RELEASED, "c1");

    const third = MANY / 3;
    const owned = await client.ackOwned(scene().own("c1", ids));
    expect(owned).toEqual({ acknowledged: ids, notOwned: [] });
    expect(await client.ackOwned(scene().own("c1", ids))).toEqual({ acknowledged: [], notOwned: ids });
    expect(await client.xack({ ...address, ids })).toBe(0);
    expect(await client.deleteIfAllGroupsDone(scene().own("c1", ids))).toEqual(everyId("not-owned"));
    expect(await client.xdel({ stream, ids: ids.slice(third) })).toBe(2 * third);
    expect(await client.xlen({ stream })).toBe(third);
  });

  test("many that every group has finished are deleted together", async () => {
    const { client, stream } = scene();
    const ids = await scene().deliver("c1", MANY);
    const ends = await client.deleteIfAllGroupsDone(scene().own("c1", ids));
    expect(ends).toEqual(new Map(ids.map((id) => [id, "deleted"])));
    expect(await client.xlen({ stream })).toBe(0);
  });

  test("entries are acknowledged as their ids are, in as many parts as they need", async () => {
    const { client, address, stream } = scene();
    await client.xgroupCreate({ ...address, position: "start" });
    const fields = Array.from({ length: 2_500 }, (_, n) => ["n", `${n}`, "v", "x".repeat(n % 200)]);
    await client.xaddMany(fields.map((one) => ({ stream, fields: one })));
    const entries = await client.xreadgroup({ ...address, consumer: "c1", count: 2_500 });
    expect(entries).toHaveLength(2_500);
    // Some are not pending any more, and some are given as text.
    expect(await client.xack({ ...address, ids: entries.slice(0, 10) })).toBe(10);
    const ids = entries.map((entry, n) => (n % 1_000 === 999 ? entry.id : entry));
    expect(await client.xack({ ...address, ids: ids.slice(0, 1_500) })).toBe(1_490);
    expect(await client.xack({ ...address, ids: entries.slice(0, -1) })).toBe(999);
    expect(await client.xpendingSummary(address)).toMatchObject({ count: 1, firstId: entries.at(-1)?.id });
  });

  test("no ids at all are no command", async () => {
    const { client, address, stream } = scene();
    await scene().deliver("c1", 1);
    expect(await client.xack({ ...address, ids: [] })).toBe(0);
    expect(await client.xdel({ stream, ids: [] })).toBe(0);
    expect(await client.hungAmong({ ...address, ids: [] })).toEqual(new Set());
    expect(await client.dueTimes({ ...address, ids: [] })).toEqual(new Map());
    expect(await scene().pendingIds()).toHaveLength(1);
  });
}
