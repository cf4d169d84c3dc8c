import { addEntry } from "@redis-batch/test-support";
import { describe, expect, test } from "vitest";
import { groupKey } from "../../src/names/keys.ts";
import type { Scene } from "./setting.ts";

/** Moving a message into the dead letters. */
export function describeDeadLetters(scene: () => Scene): void {
  const deadLetter = (id: string, consumer = "c1") =>
    scene().client.moveToDeadLetters({ ...scene().address, consumer, id, reason: "invalid", error: "boom: 日本" });
  const deadKey = () => groupKey("dead", scene().stream, scene().group);
  const deadLetters = () => scene().client.xrange({ stream: deadKey(), from: "-", to: "+", count: 100 });

  describe("moveToDeadLetters", () => {
    test("keeps the message byte for byte and puts its history last", async () => {
      const { client, stream } = scene();
      await scene().createGroup();
      const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
      // A message may look like a dead letter; only the last six pairs are ours.
      const fields = [everyByte, everyByte, "a", "1", "a", "", "dead.id", "mine", "dead.reason", "mine"].map((field) =>
        Buffer.from(field),
      );
      const id = await addEntry(client, { stream, fields });
      await scene().read("c1");
      await scene().recover("c1", [id]);
      const beforeMs = await client.time();
      const deadLettering = await deadLetter(id);
      const afterMs = await client.time();
      const [letter, ...more] = await deadLetters();
      expect(more).toEqual([]);
      expect(deadLettering).toEqual({ kind: "dead-lettered", deadId: letter?.id });
      expect(letter?.fields.slice(0, fields.length)).toEqual(fields);
      const history = letter?.fields.slice(fields.length).map(String) ?? [];
      expect(history.slice(0, -1)).toEqual([
        ...["dead.id", id, "dead.consumer", "c1", "dead.deliveries", "2"],
        ...["dead.reason", "invalid", "dead.error", "boom: 日本", "dead.at"],
      ]);
      expect(Number(history.at(-1))).toBeGreaterThanOrEqual(beforeMs);
      expect(Number(history.at(-1))).toBeLessThanOrEqual(afterMs);
    });

    test("acknowledges the message and leaves it in the stream for other groups", async () => {
      const [id = ""] = await scene().deliver("c1", 1);
      await deadLetter(id);
      expect(await scene().pending()).toEqual([]);
      expect(await scene().ids()).toEqual([id]);
    });

    test("dead-letters exactly once", async () => {
      const [id = ""] = await scene().deliver("c1", 1);
      const ends = await Promise.all([deadLetter(id), deadLetter(id)]);
      expect(ends.map(({ kind }) => kind).toSorted()).toEqual(["dead-lettered", "not-owned"]);
      expect(await deadLetters()).toHaveLength(1);
    });

    test("does not touch what belongs to another consumer", async () => {
      const [id = ""] = await scene().deliver("c2", 1);
      expect(await deadLetter(id)).toEqual({ kind: "not-owned" });
      expect(await scene().pending()).toMatchObject([{ id, consumer: "c2" }]);
      expect(await deadLetters()).toEqual([]);
    });

    test("acknowledges what has trimmed, without a letter", async () => {
      const { client, stream } = scene();
      const ids = await scene().deliver("c1", 1);
      await client.xdel({ stream, ids });
      expect(await deadLetter(ids[0] ?? "")).toEqual({ kind: "trimmed" });
      expect(await scene().pending()).toEqual([]);
      expect(await deadLetters()).toEqual([]);
    });

    test("leaves the message pending when the dead letter cannot be written", async () => {
      const [id = ""] = await scene().deliver("c1", 1);
      await scene().setting.sideDoor.putText(deadKey());
      await expect(deadLetter(id)).rejects.toMatchObject({ code: "WRONG_TYPE" });
      expect(await scene().pending()).toMatchObject([{ id, consumer: "c1", deliveries: 1 }]);
    });

    test("keeps a message of a mebibyte", async () => {
      const { client, stream } = scene();
      await scene().createGroup();
      const value = Buffer.alloc(2 ** 20, 7);
      const id = await addEntry(client, { stream, fields: ["v", value] });
      await scene().read("c1");
      await deadLetter(id);
      expect((await deadLetters())[0]?.fields[1]?.equals(value)).toBe(true);
    });

    test("without stream or group is a NoGroupError", async () => {
      await expect(deadLetter("1-1")).rejects.toMatchObject({ code: "NO_GROUP" });
    });
  });
}
