import { addEntry } from "@redis-batch/test-support";
import { describe, expect, test } from "vitest";
import type { EntryId } from "../../src/names/entry-id.ts";
import { groupKey } from "../../src/names/keys.ts";
import { RELEASED } from "../../src/names/reserved-consumers.ts";
import { RECENT_MS, type Scene } from "./setting.ts";

/** Giving a dead letter's message back to its group. */
export function describeRedriving(scene: () => Scene): void {
  const deadKey = () => groupKey("dead", scene().stream, scene().group);
  const deadLetters = () => scene().client.xrange({ stream: deadKey(), from: "-", to: "+", count: 100 });
  const redrive = (id: EntryId, ifTrimmed: "add" | "skip" = "skip") =>
    scene().client.redrive({ ...scene().address, id, ifTrimmed });

  async function deadLetter(id: EntryId, consumer = "c1"): Promise<EntryId> {
    const deadLettering = await scene().client.moveToDeadLetters({
      ...scene().address,
      consumer,
      id,
      reason: "invalid",
      error: "boom",
    });
    if (deadLettering.kind !== "dead-lettered") throw new Error("not dead-lettered");
    return deadLettering.deadId;
  }

  /** Adds a message, has it delivered and dead-letters it. */
  async function letter(): Promise<{ readonly id: EntryId; readonly deadId: EntryId }> {
    const [id = ""] = await scene().deliver("c1", 1);
    return { id, deadId: await deadLetter(id) };
  }

  describe("redrive", () => {
    test("releases the entry, as one that nobody has worked on", async () => {
      const { id, deadId } = await letter();
      expect(await redrive(deadId)).toEqual({ kind: "redriven", entryId: id });
      const [pending, ...more] = await scene().pending();
      expect(more).toEqual([]);
      expect(pending).toMatchObject({ id, consumer: RELEASED, deliveries: 0 });
      expect(pending?.idleMs).toBeLessThan(RECENT_MS);
      expect(await deadLetters()).toEqual([]);
      expect(await scene().ids()).toEqual([id]);
    });

    test("lets any consumer take it", async () => {
      const { client, address } = scene();
      const { id, deadId } = await letter();
      await redrive(deadId);
      const bounds = { after: null, scan: 10, count: 10, maxBytes: 1_000, suspectFrom: 2, suspects: 0, notWanted: [] };
      const { entries } = await client.take({ ...address, consumer: "c2", ...bounds });
      expect(entries).toMatchObject([{ id, deliveries: 1 }]);
    });

    test("shows nothing new to any group", async () => {
      const { client, stream } = scene();
      await scene().createGroup("audit");
      const { id, deadId } = await letter();
      await scene().read("a1", 100, "audit");
      await client.xack({ stream, group: "audit", ids: [id] });
      await redrive(deadId);
      expect(await scene().read("a1", 100, "audit")).toEqual([]);
      expect(await scene().pendingIds("audit")).toEqual([]);
      expect(await scene().read("c1")).toEqual([]);
    });

    test("of two at once one redrives, and the other finds the letter missing", async () => {
      const { deadId } = await letter();
      const ends = await Promise.all([redrive(deadId), redrive(deadId)]);
      expect(ends.map(({ kind }) => kind).toSorted()).toEqual(["missing", "redriven"]);
      expect(await scene().pendingIds()).toHaveLength(1);
    });

    test("without dead letters, stream and group finds the letter missing", async () => {
      expect(await redrive("1-1")).toEqual({ kind: "missing" });
      expect(await redrive("1-1", "add")).toEqual({ kind: "missing" });
    });

    test("leaves a letter whose entry was deleted", async () => {
      const { client, stream } = scene();
      const { id, deadId } = await letter();
      await client.xdel({ stream, ids: [id] });
      expect(await redrive(deadId)).toEqual({ kind: "skipped", why: "entry-trimmed" });
      expect(await deadLetters()).toHaveLength(1);
      expect(await scene().pending()).toEqual([]);
    });

    test("adds the fields again when asked to, byte for byte and without the history", async () => {
      const { client, stream } = scene();
      await scene().createGroup();
      const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
      // Looks like a dead-lettered letter itself: only the last six pairs go.
      const own = ["dead.id", "1-1", "dead.consumer", "x", "dead.deliveries", "1", "dead.reason", "", "dead.error", ""];
      const fields = [everyByte, everyByte, "a", "1", "a", "", ...own, "dead.at", "1"].map((field) =>
        Buffer.from(field),
      );
      const id = await addEntry(client, { stream, fields });
      await scene().read("c1");
      const deadId = await deadLetter(id);
      await client.xdel({ stream, ids: [id] });
      const end = await redrive(deadId, "add");
      const [entry, ...more] = await client.xrange({ stream, from: "-", to: "+", count: 10 });
      expect(more).toEqual([]);
      expect(entry?.fields).toEqual(fields);
      expect(end).toEqual({ kind: "added", entryId: entry?.id });
      expect(await deadLetters()).toEqual([]);
      expect((await scene().read("c1")).map((read) => read.id)).toEqual([entry?.id]);
    });

    test("puts back the entry while it is there, also when asked to add what is gone", async () => {
      const { id, deadId } = await letter();
      expect(await redrive(deadId, "add")).toEqual({ kind: "redriven", entryId: id });
      expect(await scene().ids()).toEqual([id]);
    });

    test("does not take another message that has come to the same id for the letter's own", async () => {
      const { sideDoor } = scene().setting;
      const { id, deadId } = await letter();
      await sideDoor.deleteKey(scene().stream);
      await sideDoor.addAt(scene().stream, id, ["n", "another"]);
      await scene().createGroup();
      await scene().read("c1");
      await scene().client.xack({ ...scene().address, ids: [id] });
      expect(await redrive(deadId)).toEqual({ kind: "skipped", why: "entry-trimmed" });
      expect(await scene().pending()).toEqual([]);
      expect(await redrive(deadId, "add")).toMatchObject({ kind: "added" });
    });

    test("leaves alone what the group has pending: a lease may be running", async () => {
      const { client, address, stream, group } = scene();
      const { id, deadId } = await letter();
      await scene().setting.sideDoor.destroyGroup(stream, group);
      await scene().createGroup();
      await scene().read("c2");
      const before = await scene().pending();
      expect(await redrive(deadId)).toEqual({ kind: "skipped", why: "pending" });
      expect(await scene().pending()).toMatchObject([{ id, consumer: "c2", deliveries: 1 }]);
      expect((await scene().pending())[0]?.idleMs).toBeGreaterThanOrEqual(before[0]?.idleMs ?? Infinity);
      await client.xack({ ...address, ids: [id] });
      expect(await redrive(deadId)).toEqual({ kind: "redriven", entryId: id });
    });

    test("leaves alone what the group has yet to read, which would be delivered twice", async () => {
      const { stream, group } = scene();
      const { id, deadId } = await letter();
      await scene().setting.sideDoor.destroyGroup(stream, group);
      await scene().createGroup();
      expect(await redrive(deadId)).toEqual({ kind: "skipped", why: "not-read" });
      expect(await scene().pending()).toEqual([]);
      expect((await scene().read("c1")).map((entry) => entry.id)).toEqual([id]);
      expect(await deadLetters()).toHaveLength(1);
    });

    test("compares ids as numbers: one just delivered counts as read, one digit more does not", async () => {
      const { client, stream } = scene();
      const { sideDoor } = scene().setting;
      await scene().createGroup();
      await sideDoor.addAt(stream, "9-9", ["n", "1"]);
      await sideDoor.addAt(stream, "9-10", ["n", "2"]);
      await scene().read("c1");
      const deadIds = [await deadLetter("9-9"), await deadLetter("9-10")];
      await sideDoor.destroyGroup(stream, scene().group);
      await client.xgroupCreate({ ...scene().address, position: "9-9" });
      expect(await redrive(deadIds[1] ?? "")).toEqual({ kind: "skipped", why: "not-read" });
      expect(await redrive(deadIds[0] ?? "")).toEqual({ kind: "redriven", entryId: "9-9" });
    });

    test.each([
      ["a message of its own", ["a", "1"]],
      ["a history without a message", history("1-1")],
      ["a history of no entry", ["a", "1", ...history("yesterday")]],
      ["a history under other names", ["a", "1", ...history("1-1").map((text) => text.replace("dead.", "gone."))]],
      ["a history in another order", ["a", "1", ...history("1-1").slice(2), "dead.id", "1-1"]],
    ])("leaves alone what Redis Batch did not write: %s", async (_, fields) => {
      await scene().createGroup();
      const deadId = await addEntry(scene().client, { stream: deadKey(), fields });
      expect(await redrive(deadId, "add")).toEqual({ kind: "skipped", why: "not-a-letter" });
      expect(await deadLetters()).toHaveLength(1);
    });

    test("without its group leaves the letter", async () => {
      const { stream, group } = scene();
      const { deadId } = await letter();
      await scene().setting.sideDoor.destroyGroup(stream, group);
      await expect(redrive(deadId)).rejects.toMatchObject({ code: "NO_GROUP" });
      expect(await deadLetters()).toHaveLength(1);
    });

    test.each(["skip", "add"] as const)(
      "leaves the letter when the stream is none any more (%s)",
      async (ifTrimmed) => {
        const { deadId } = await letter();
        await scene().setting.sideDoor.putText(scene().stream);
        await expect(redrive(deadId, ifTrimmed)).rejects.toMatchObject({ code: "WRONG_TYPE" });
        expect(await deadLetters()).toHaveLength(1);
      },
    );

    test("of a key that holds no dead letters is a WrongTypeError", async () => {
      const { deadId } = await letter();
      await scene().setting.sideDoor.putText(deadKey());
      await expect(redrive(deadId)).rejects.toMatchObject({ code: "WRONG_TYPE" });
      expect(await scene().pending()).toEqual([]);
    });

    test("keeps a message of a mebibyte", async () => {
      const { client, stream } = scene();
      await scene().createGroup();
      const value = Buffer.alloc(2 ** 20, 7);
      const id = await addEntry(client, { stream, fields: ["v", value] });
      await scene().read("c1");
      const deadId = await deadLetter(id);
      await client.xdel({ stream, ids: [id] });
      await redrive(deadId, "add");
      expect((await scene().read("c1"))[0]?.fields[1]?.equals(value)).toBe(true);
    });
  });
}

const history = (id: string): string[] => [
  ...["dead.id", id, "dead.consumer", "c1", "dead.deliveries", "1"],
  ...["dead.reason", "invalid", "dead.error", "", "dead.at", "1"],
];
