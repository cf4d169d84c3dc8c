import { describe, expect, test } from "vitest";
import type { AddOnceOptions } from "../../src/wire/atomic/add-once.ts";
import type { Scene } from "./setting.ts";

/** Adding under an idempotency key. */
export function describeAddingOnce(scene: () => Scene): void {
  const addOnce = (idempotencyKey: string, options: Partial<AddOnceOptions> = {}) =>
    scene().client.addOnce({
      stream: scene().stream,
      fields: ["n", 1],
      idempotencyKey,
      rememberMs: 60_000,
      ...options,
    });

  describe("addOnce", () => {
    test("adds one entry per key and says under which id it is known", async () => {
      const first = await addOnce("order:17");
      const second = await addOnce("order:17", { fields: ["n", 2] });
      expect(first.added).toBe(true);
      expect(second).toEqual({ id: first.id, added: false });
      const other = await addOnce("order:18");
      expect(other.added).toBe(true);
      expect(await scene().ids()).toEqual([first.id, other.id]);
    });

    test("two at the same time add one entry", async () => {
      const ends = await Promise.all([addOnce("k"), addOnce("k"), addOnce("k")]);
      expect(ends.filter(({ added }) => added)).toHaveLength(1);
      expect(new Set(ends.map(({ id }) => id)).size).toBe(1);
      expect(await scene().client.xlen({ stream: scene().stream })).toBe(1);
    });

    test("keeps fields byte for byte", async () => {
      const fields = [Buffer.from([0, 255, 13, 10]), Buffer.from(""), Buffer.from("a"), Buffer.alloc(100_000, 9)];
      const { id } = await addOnce("k", { fields });
      expect(await scene().client.xrange({ stream: scene().stream, from: "-", to: "+", count: 1 })).toEqual([
        { id, fields },
      ]);
    });

    test("trims where it is told to", async () => {
      await scene().add(5);
      const { id } = await addOnce("k", { trim: { strategy: "maxLen", threshold: 1, approximate: false } });
      expect(await scene().ids()).toEqual([id]);
    });

    test("forgets the key after its time", async () => {
      const first = await addOnce("k", { rememberMs: 30 });
      await scene().setting.elapse(60);
      const second = await addOnce("k");
      expect(second.added).toBe(true);
      expect(await scene().ids()).toEqual([first.id, second.id]);
    });

    test("remembers no key whose add was refused", async () => {
      const { stream, setting } = scene();
      await expect(addOnce("k", { fields: [] })).rejects.toMatchObject({ code: "COMMAND" });
      expect((await addOnce("k")).added).toBe(true);
      await setting.sideDoor.putText(stream);
      await expect(addOnce("other")).rejects.toMatchObject({ code: "WRONG_TYPE" });
      await setting.sideDoor.deleteKey(stream);
      expect((await addOnce("other")).added).toBe(true);
    });

    test("the keys of two streams have nothing to do with each other", async () => {
      const first = await addOnce("k");
      const second = await addOnce("k", { stream: `${scene().stream}:2` });
      expect([first.added, second.added]).toEqual([true, true]);
    });

    test("can be awaited at replicas, as can other adds", async () => {
      const { client, stream } = scene();
      await client.assertMayWait();
      const waitForReplicas = client.followAdds();
      await client.xaddMany([{ stream, fields: ["n", 1] }]);
      await addOnce("k");
      await addOnce("k");
      expect(await waitForReplicas({ count: 0, timeoutMs: 1_000 })).toBeGreaterThanOrEqual(0);
    });

    test("wakes up a reader", async () => {
      const { client, address, setting } = scene();
      await scene().createGroup();
      const read = client.xreadgroup({ ...address, consumer: "c1", count: 1, blockMs: 20_000 });
      await setting.untilReaderWaits();
      const { id } = await addOnce("k");
      expect((await read).map((entry) => entry.id)).toEqual([id]);
    });
  });
}
