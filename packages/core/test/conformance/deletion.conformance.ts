import { addEntry } from "@redis-batch/test-support";
import { describe, expect, test } from "vitest";
import type { Scene } from "./setting.ts";

/** Deleting what every group has finished. */
export function describeDeletion(scene: () => Scene): void {
  const deleteDone = async (ids: readonly string[], consumer = "c1") =>
    Object.fromEntries(await scene().client.deleteIfAllGroupsDone(scene().own(consumer, ids)));

  describe("deleteIfAllGroupsDone", () => {
    test("acknowledges and deletes where there is one group", async () => {
      const ids = await scene().deliver("c1", 3);
      expect(await deleteDone(ids.slice(0, 2).toReversed())).toEqual({
        [ids[0] ?? ""]: "deleted",
        [ids[1] ?? ""]: "deleted",
      });
      expect(await scene().ids()).toEqual(ids.slice(2));
      expect(await scene().pendingIds()).toEqual(ids.slice(2));
    });

    test("keeps what another group has not read, or has not acknowledged", async () => {
      const { client, stream } = scene();
      await scene().createGroup("other");
      const ids = await scene().deliver("c1", 3);
      const [done = "", pending = "", unread = ""] = ids;
      await scene().read("o1", 2, "other");
      await client.xack({ stream, group: "other", ids: [done] });
      expect(await deleteDone(ids)).toEqual({ [done]: "deleted", [pending]: "kept", [unread]: "kept" });
      expect(await scene().ids()).toEqual([pending, unread]);
      expect(await scene().pending()).toEqual([]);
    });

    test("the last group to be done deletes", async () => {
      const { client, stream } = scene();
      await scene().createGroup("other");
      const ids = await scene().deliver("c1", 1);
      await scene().read("c1", 1, "other");
      await deleteDone(ids);
      expect(await scene().ids()).toEqual(ids);
      const last = await client.deleteIfAllGroupsDone({ stream, group: "other", consumer: "c1", ids });
      expect([...last.values()]).toEqual(["deleted"]);
      expect(await scene().ids()).toEqual([]);
    });

    test("neither acknowledges nor deletes what belongs to another consumer", async () => {
      const ids = await scene().deliver("c2", 1);
      expect(await deleteDone(ids)).toEqual({ [ids[0] ?? ""]: "not-owned" });
      expect(await scene().ids()).toEqual(ids);
      expect(await scene().pendingIds()).toEqual(ids);
    });

    test("acknowledges what was deleted before", async () => {
      const { client, stream } = scene();
      const ids = await scene().deliver("c1", 1);
      await client.xdel({ stream, ids });
      expect(await deleteDone(ids)).toEqual({ [ids[0] ?? ""]: "deleted" });
      expect(await scene().pending()).toEqual([]);
    });

    test("finds its ids among many others that are pending in between", async () => {
      const ids = await scene().deliver("c1", 100);
      const wanted = [ids[0] ?? "", ids[99] ?? ""];
      expect(Object.values(await deleteDone(wanted))).toEqual(["deleted", "deleted"]);
      expect(await scene().ids()).toEqual(ids.slice(1, -1));
    });

    // The last two of each are one number to a double.
    test.each([
      ["milliseconds", ["9007199254740991-0", "9007199254740992-0", "9007199254740993-0"]],
      ["sequence", ["1-9007199254740991", "1-9007199254740992", "1-9007199254740993"]],
      [
        "both",
        [
          "9007199254740993-9",
          "18446744073709551615-18446744073709551613",
          "18446744073709551615-18446744073709551614",
        ],
      ],
      ["lengths", ["999-1", "1000-9", "1000-10"]],
    ])("tells ids apart whose 64-bit %s no double can hold", async (_, ids) => {
      const { setting, stream } = scene();
      await scene().createGroup();
      await scene().createGroup("other");
      for (const id of ids) await setting.sideDoor.addAt(stream, id, ["n", id]);
      await scene().read("c1");
      // The other group has read the first two and finished the first.
      await scene().read("o1", 2, "other");
      await scene().client.xack({ stream, group: "other", ids: ids.slice(0, 1) });
      expect(Object.entries(await deleteDone(ids.toReversed()))).toEqual([
        [ids[0], "deleted"],
        [ids[1], "kept"],
        [ids[2], "kept"],
      ]);
      expect(await scene().ids()).toEqual(ids.slice(1));
    });

    test("without stream or group is a NoGroupError", async () => {
      const { client, stream } = scene();
      await expect(deleteDone(["1-1"])).rejects.toMatchObject({ code: "NO_GROUP" });
      await addEntry(client, { stream, fields: ["n", 1] });
      await expect(deleteDone(["1-1"])).rejects.toMatchObject({ code: "NO_GROUP" });
    });
  });

  describe("trimToSafePoint", () => {
    const trim = (dryRun = false) => scene().client.trimToSafePoint({ stream: scene().stream, dryRun });

    test("drops what every group has finished, and names the group that needs the rest", async () => {
      const { client, stream, address } = scene();
      await scene().createGroup("slow");
      const ids = await scene().deliver("c1", 500);
      await client.xack({ ...address, ids });
      await scene().read("s1", 400, "slow");
      await client.xack({ stream, group: "slow", ids: ids.slice(0, 300) });
      const looked = await trim(true);
      expect(looked).toEqual({ safeId: ids[300], pinnedBy: "slow", dropped: 0 });
      expect(await scene().ids()).toEqual(ids);
      const trimmed = await trim();
      expect(trimmed).toMatchObject({ safeId: ids[300], pinnedBy: "slow" });
      expect(trimmed?.dropped).toBeGreaterThan(0);
      expect(trimmed?.dropped).toBeLessThanOrEqual(300);
      expect(await scene().ids()).toEqual(ids.slice(trimmed?.dropped));
    });

    test("keeps what a group has yet to read", async () => {
      const { client, address } = scene();
      const ids = await scene().deliver("c1", 250);
      await client.xack({ ...address, ids });
      const unread = await scene().add(250);
      expect(await trim()).toMatchObject({ safeId: ids.at(-1), pinnedBy: "billing" });
      const left = await scene().ids();
      expect(left.slice(-250)).toEqual(unread);
      await scene().createGroup("new");
      expect(await trim()).toEqual({ safeId: "0-0", pinnedBy: "new", dropped: 0 });
      expect(await scene().ids()).toEqual(left);
    });

    test("without a group nothing is known to be done with, and without a stream there is a NoGroupError", async () => {
      await expect(trim()).rejects.toMatchObject({ code: "NO_GROUP" });
      const ids = await scene().add(300);
      expect(await trim()).toBeNull();
      expect(await scene().ids()).toEqual(ids);
    });
  });

  describe("xackdel, where the server has it", () => {
    test("says the same as the script", async ({ skip }) => {
      const { client, stream, group } = scene();
      const [hasIt = false] = (await client.knowsCommands(["xackdel"])) ?? [];
      skip(!hasIt, "this server does not know XACKDEL");
      await scene().createGroup("other");
      const [done = "", pending = ""] = await scene().deliver("c1", 2);
      await scene().read("o1", 2, "other");
      await client.xack({ stream, group: "other", ids: [done] });
      const deletions = await client.xackdel({ stream, group, ids: [done, pending, "1-1"] });
      expect(Object.fromEntries(deletions)).toEqual({ [done]: "deleted", [pending]: "kept", "1-1": "not-owned" });
      expect(await scene().ids()).toEqual([pending]);
      expect(await scene().pending()).toEqual([]);
    });
  });
}
