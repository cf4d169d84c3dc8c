import { describe, expect, test } from "vitest";
import { groupKey } from "../../src/names/keys.ts";
import type { DueTime } from "../../src/wire/atomic/read-due.ts";
import type { Scene } from "./setting.ts";

const LONG_MS = 600_000;

/** When messages that were deferred are due, and how often handlers hung: scheduleLater to forgetDue, countHang. */
export function describePuttingOff(scene: () => Scene): void {
  const schedule = (delays: Readonly<Record<string, number>>): Promise<void> =>
    scene().client.scheduleLater({
      ...scene().address,
      delays: Object.entries(delays).map(([id, delayMs]) => ({ id, delayMs })),
    });
  const readDue = (limit = 100) => scene().client.readDue({ ...scene().address, limit });
  const forget = (due: readonly DueTime[]) => scene().client.forgetDue({ ...scene().address, due });
  const times = (...ids: readonly string[]) => scene().client.dueTimes({ ...scene().address, ids });
  const count = (untilMs: number) => scene().client.countDue({ ...scene().address, untilMs });
  const dueKey = () => groupKey("due", scene().stream, scene().group);
  const hungKey = () => groupKey("hung", scene().stream, scene().group);

  describe("scheduleLater", () => {
    test("counts the delay from the server's time, and a new one takes the place of the old", async () => {
      const { client } = scene();
      const beforeMs = await client.time();
      await schedule({ "1-1": 1_000, "2-1": 60_000.2 });
      const afterMs = await client.time();
      const scheduled = await times("1-1", "2-1", "3-1");
      for (const [id, delayMs] of [
        ["1-1", 1_000],
        ["2-1", 60_001],
      ] as const) {
        expect(scheduled.get(id)).toBeGreaterThanOrEqual(beforeMs + delayMs);
        expect(scheduled.get(id)).toBeLessThanOrEqual(afterMs + delayMs);
      }
      expect(scheduled.get("3-1")).toBeNull();
      await schedule({ "1-1": LONG_MS });
      expect((await times("1-1")).get("1-1")).toBeGreaterThanOrEqual(afterMs + LONG_MS);
    });

    test("takes any number of messages, and none", async () => {
      const ids = Array.from({ length: 2_500 }, (_, index) => `${index + 1}-0`);
      await schedule(Object.fromEntries(ids.map((id) => [id, LONG_MS])));
      await schedule({});
      const scheduled = await times(...ids);
      expect([...scheduled.keys()]).toEqual(ids);
      expect([...scheduled.values()].every((atMs) => atMs !== null)).toBe(true);
      const due = [...scheduled].map(([id, atMs]) => ({ id, atMs: atMs ?? 0 }));
      expect(await forget(due)).toBe(2_500);
    });

    test("refuses a key that holds something else", async () => {
      await scene().setting.sideDoor.putText(dueKey());
      await expect(schedule({ "1-1": 1 })).rejects.toMatchObject({ code: "WRONG_TYPE" });
    });
  });

  describe("readDue", () => {
    test("of nothing is nothing", async () => {
      expect(await readDue()).toEqual({ due: [], nextInMs: null });
      expect(await count(await scene().client.time())).toBe(0);
      expect(await times()).toEqual(new Map());
    });

    test("gives those whose time has come, the earliest first, and how long the next one takes", async () => {
      await schedule({ "3-1": 0 });
      await scene().setting.elapse(2);
      await schedule({ "1-1": 0, "4-1": LONG_MS, "2-1": 2 * LONG_MS });
      await scene().setting.elapse(2);
      const { due, nextInMs } = await readDue();
      expect(due.map(({ id }) => id)).toEqual(["3-1", "1-1"]);
      const known = await times("3-1", "1-1");
      expect(due.map(({ atMs }) => atMs)).toEqual([known.get("3-1"), known.get("1-1")]);
      expect(nextInMs).toBeGreaterThan(LONG_MS / 2);
      expect(nextInMs).toBeLessThanOrEqual(LONG_MS);
      expect(await count(await scene().client.time())).toBe(2);
      expect(await count((await scene().client.time()) + LONG_MS)).toBe(3);
    });

    test("gives no more than it is told to, and says when the next one is that is not due yet", async () => {
      await schedule({ "1-1": 0, "2-1": 0, "3-1": 0, "4-1": LONG_MS });
      await scene().setting.elapse(2);
      const { due, nextInMs } = await readDue(2);
      expect(due.map(({ id }) => id)).toEqual(["1-1", "2-1"]);
      expect(nextInMs).toBeGreaterThan(LONG_MS / 2);
    });

    test("reads by pages what is due within a while", async () => {
      await schedule({ "1-1": 0, "2-1": LONG_MS, "3-1": 3 * LONG_MS });
      await scene().setting.elapse(2);
      const page = async (skip: number) => {
        const ahead = { ...scene().address, limit: 1, skip, withinMs: 2 * LONG_MS };
        return (await scene().client.readDue(ahead)).due.map(({ id }) => id);
      };
      expect([await page(0), await page(1), await page(2)]).toEqual([["1-1"], ["2-1"], []]);
    });

    test("changes nothing", async () => {
      await schedule({ "1-1": 0 });
      await scene().setting.elapse(2);
      expect(await readDue()).toEqual(await readDue());
    });
  });

  describe("forgetDue", () => {
    test("drops those that still have the time that was seen, and only those", async () => {
      await schedule({ "1-1": 0, "2-1": 0, "3-1": 0 });
      await scene().setting.elapse(2);
      const { due } = await readDue();
      await schedule({ "2-1": LONG_MS });
      expect(await forget([...due, { id: "9-1", atMs: 1 }])).toBe(2);
      const left = await times("1-1", "2-1", "3-1");
      expect([left.get("1-1"), left.get("3-1")]).toEqual([null, null]);
      expect(left.get("2-1")).toBeGreaterThan(0);
      expect(await forget(due)).toBe(0);
      expect(await forget([])).toBe(0);
    });
  });

  describe("countHang", () => {
    const hang = (id: string, rememberMs = LONG_MS) => scene().client.countHang({ ...scene().address, id, rememberMs });

    test("tells the first time from the second, for each message of each group", async () => {
      expect(await hang("1-1")).toBe(1);
      expect(await hang("2-1")).toBe(1);
      expect(await hang("1-1")).toBe(2);
      expect(await hang("1-1")).toBe(2);
      const { client, stream } = scene();
      expect(await client.countHang({ stream, group: "other", id: "1-1", rememberMs: LONG_MS })).toBe(1);
    });

    test("forgets what was long ago", async () => {
      expect(await hang("1-1", 20)).toBe(1);
      expect(await hang("1-1", LONG_MS)).toBe(2);
      await scene().setting.elapse(30);
      expect(await hang("2-1", 20)).toBe(1);
      // Dropped while another message was counted, so no memory is kept for it.
      expect(await hang("1-1")).toBe(1);
    });

    test("of many at the same time only one is the first", async () => {
      const counts = await Promise.all(Array.from({ length: 20 }, () => hang("1-1")));
      expect(counts.filter((told) => told === 1)).toHaveLength(1);
      expect(counts.filter((told) => told === 2)).toHaveLength(19);
    });

    test("refuses a key that holds something else", async () => {
      await scene().setting.sideDoor.putText(hungKey());
      await expect(hang("1-1")).rejects.toMatchObject({ code: "WRONG_TYPE" });
    });
  });
}
