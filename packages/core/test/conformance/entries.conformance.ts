import { addEntry } from "@redis-batch/test-support";
import { describe, expect, test } from "vitest";
import type { Argument } from "../../src/wire/command.ts";
import type { Scene } from "./setting.ts";

const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

/** Adding, reading, deleting and trimming entries, without groups. */
export function describeEntries(scene: () => Scene): void {
  describe("xrevrange", () => {
    test("gives the newest first, between two ids", async () => {
      const { client, stream } = scene();
      const ids = await scene().add(4);
      const read = async (from: string, to: string, count: number) =>
        (await client.xrevrange({ stream, from, to, count })).map(({ id }) => id);
      expect(await read("-", "+", 2)).toEqual([ids[3], ids[2]]);
      expect(await read(ids[0] ?? "", `(${ids[2] ?? ""}`, 10)).toEqual([ids[1], ids[0]]);
    });

    test("finds nothing in a stream that is not there", async () => {
      const { client, stream } = scene();
      expect(await client.xrevrange({ stream, from: "-", to: "+", count: 1 })).toEqual([]);
    });
  });

  describe("unlink", () => {
    test("removes what is there, and says how much that was", async () => {
      const { client, stream } = scene();
      await scene().add(2);
      expect(await client.unlink({ keys: [stream, `{${stream}}:nothing`] })).toBe(1);
      expect(await client.xlen({ stream })).toBe(0);
    });
  });

  describe("scanStreams", () => {
    test("finds streams by a glob, page by page, and nothing of another type", async () => {
      const { client, stream, setting } = scene();
      await scene().add(1);
      // In a Cluster, on the same server.
      const other = `{${stream}}:text`;
      await setting.sideDoor.putText(other);
      const found = new Set<string>();
      let cursor: string | null | undefined;
      do {
        const page = await client.scanStreams({ match: `*${stream}*`, count: 2, cursor: cursor ?? undefined });
        for (const name of page.names) found.add(name);
        cursor = page.cursor;
      } while (cursor !== null);
      expect([...found]).toEqual([stream]);
      await setting.sideDoor.deleteKey(other);
    });
  });

  describe("one add", () => {
    test.each<[string, readonly Argument[]]>([
      ["all 256 bytes, in names and values", [everyByte, everyByte]],
      ["empty names and values", ["", "", "a", Buffer.alloc(0)]],
      ["several fields", ["a", "1", "b", "2", "c", "3"]],
      ["several fields of one name", ["a", "2", "a", "1", "b", "", "a", "2"]],
      ["numbers", ["n", 0, "m", -1.5]],
      ["text beyond ASCII", ["grüße", "日本語 🎉"]],
      ["what looks like protocol", ["\r\n$3\r\n", "*1\r\n", "*", "MAXLEN"]],
      ["a thousand fields", Array.from({ length: 2_000 }, (_, index) => `x${index}`)],
    ])("keeps %s byte for byte and in order", async (_, fields) => {
      const { client, stream } = scene();
      const id = await addEntry(client, { stream, fields });
      const [entry] = await client.xrange({ stream, from: "-", to: "+", count: 10 });
      expect(entry).toEqual({
        id,
        fields: fields.map((field) => Buffer.from(Buffer.isBuffer(field) ? field : `${field}`)),
      });
    });

    test("keeps a value of a mebibyte byte for byte", async () => {
      const { client, stream } = scene();
      const value = Buffer.alloc(2 ** 20, everyByte);
      await addEntry(client, { stream, fields: ["v", value] });
      const [entry] = await client.xrange({ stream, from: "-", to: "+", count: 1 });
      expect(entry?.fields[1]?.equals(value)).toBe(true);
    });

    test("gives ids in the order of the adds, stamped with the server's time", async () => {
      const { client, stream } = scene();
      const beforeMs = await client.time();
      const first = await addEntry(client, { stream, fields: ["n", 1] });
      const second = await addEntry(client, { stream, fields: ["n", 2] });
      const afterMs = await client.time();
      expect(await scene().ids()).toEqual([first, second]);
      for (const id of [first, second]) {
        const ms = Number(id.split("-")[0]);
        expect(ms).toBeGreaterThanOrEqual(beforeMs);
        expect(ms).toBeLessThanOrEqual(afterMs);
      }
    });

    test("trims exactly where it is told to: to a length, or to an id", async () => {
      const { client, stream } = scene();
      const ids = await scene().add(5);
      const length = { strategy: "maxLen", threshold: 3, approximate: false } as const;
      const sixth = await addEntry(client, { stream, fields: ["n", 6], trim: length });
      expect(await scene().ids()).toEqual([ids[3], ids[4], sixth]);
      const id = { strategy: "minId", threshold: ids[4] ?? "", approximate: false } as const;
      const last = await addEntry(client, { stream, fields: ["n", 7], trim: id });
      expect(await scene().ids()).toEqual([ids[4], sixth, last]);
    });

    test.each(["maxLen", "minId"] as const)(
      "trims approximately (%s) nothing that was to be kept",
      async (strategy) => {
        const { client, stream } = scene();
        const ids = await scene().add(350);
        const threshold = strategy === "maxLen" ? 51 : (ids[300] ?? "");
        const trim = { strategy, threshold, approximate: true };
        ids.push(await addEntry(client, { stream, fields: ["n", 351], trim }));
        const left = await scene().ids();
        expect(left.length).toBeGreaterThanOrEqual(51);
        expect(left.length).toBeLessThan(351);
        expect(left).toEqual(ids.slice(-left.length));
      },
    );

    test("refuses an entry without a whole pair", async () => {
      const { client, stream } = scene();
      await expect(addEntry(client, { stream, fields: [] })).rejects.toMatchObject({ code: "COMMAND" });
      await expect(addEntry(client, { stream, fields: ["a", "1", "b"] })).rejects.toMatchObject({ code: "COMMAND" });
    });

    test("refuses a key of another type", async () => {
      const { client, stream, setting } = scene();
      await setting.sideDoor.putText(stream);
      await expect(addEntry(client, { stream, fields: ["n", 1] })).rejects.toMatchObject({ code: "WRONG_TYPE" });
    });
  });

  describe("xaddMany", () => {
    test("adds in the order given", async () => {
      const { client, stream } = scene();
      const items = [1, 2, 3].map((n) => ({ stream, fields: ["n", n] }));
      const outcomes = await client.xaddMany(items);
      const entries = await client.xrange({ stream, from: "-", to: "+", count: 10 });
      expect(entries.map(({ id }) => id)).toEqual(outcomes);
      expect(entries.map(({ fields }) => String(fields[1]))).toEqual(["1", "2", "3"]);
    });

    test("tells each add's own end", async () => {
      const { client, stream, setting } = scene();
      const other = `{${stream}}:other`;
      await setting.sideDoor.putText(other);
      const outcomes = await client.xaddMany([
        { stream, fields: ["n", 1] },
        { stream: other, fields: ["n", 2] },
        { stream, fields: [] },
        { stream, fields: ["n", 4] },
      ]);
      const [first, wrongType, noFields, last] = outcomes;
      expect(wrongType).toMatchObject({ code: "WRONG_TYPE" });
      expect(noFields).toMatchObject({ code: "COMMAND" });
      expect(await scene().ids()).toEqual([first, last]);
    });

    test("of nothing does nothing", async () => {
      expect(await scene().client.xaddMany([])).toEqual([]);
    });
  });

  describe("xlen", () => {
    test("counts entries; a missing stream has none", async () => {
      const { client, stream } = scene();
      expect(await client.xlen({ stream })).toBe(0);
      await scene().add(3);
      expect(await client.xlen({ stream })).toBe(3);
    });
  });

  describe("xrange", () => {
    test("a missing stream is an empty one", async () => {
      const { client, stream } = scene();
      expect(await client.xrange({ stream, from: "-", to: "+", count: 10 })).toEqual([]);
    });

    test("pages with exclusive ids until nothing is left", async () => {
      const { client, stream } = scene();
      const ids = await scene().add(5);
      const pages: string[][] = [];
      let from = "-";
      for (;;) {
        const page = await client.xrange({ stream, from, to: "+", count: 2 });
        const last = page.at(-1);
        if (last === undefined) break;
        pages.push(page.map(({ id }) => id));
        from = `(${last.id}`;
      }
      expect(pages).toEqual([ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)]);
    });

    test("both ends are inclusive unless marked", async () => {
      const { client, stream } = scene();
      const [first = "", second = "", third = ""] = await scene().add(3);
      const idsFrom = async (from: string, to: string): Promise<string[]> =>
        (await client.xrange({ stream, from, to, count: 10 })).map(({ id }) => id);
      expect(await idsFrom(first, second)).toEqual([first, second]);
      expect(await idsFrom(`(${first}`, `(${third}`)).toEqual([second]);
      expect(await idsFrom(third, first)).toEqual([]);
    });

    test("refuses a key of another type", async () => {
      const { client, stream, setting } = scene();
      await setting.sideDoor.putText(stream);
      await expect(client.xrange({ stream, from: "-", to: "+", count: 1 })).rejects.toMatchObject({
        code: "WRONG_TYPE",
      });
    });
  });

  describe("xdel", () => {
    test("deletes what is there, says how many that were, and keeps the stream", async () => {
      const { client, stream } = scene();
      const [first = "", second = ""] = await scene().add(2);
      expect(await client.xdel({ stream, ids: [first, "1-1", second] })).toBe(2);
      expect(await client.xlen({ stream })).toBe(0);
      expect((await client.xinfoStream({ stream })).lastGeneratedId).toBe(second);
    });

    test("leaves pending lists alone", async () => {
      const { client, stream } = scene();
      const ids = await scene().deliver("c1", 1);
      expect(await client.xdel({ stream, ids })).toBe(1);
      expect(await scene().pendingIds()).toEqual(ids);
    });
  });

  describe("xinfoStream", () => {
    test("counts what was ever added beside what is there", async () => {
      const { client, stream } = scene();
      const ids = await scene().add(3);
      await client.xdel({ stream, ids: ids.slice(0, 1) });
      await scene().createGroup();
      expect(await client.xinfoStream({ stream })).toEqual({
        ...{
          length: 2,
          lastGeneratedId: ids[2],
          entriesAdded: 3,
          firstEntryId: ids[1],
          lastEntryId: ids[2],
          groups: 1,
        },
      });
    });

    test("knows the oldest entry after a trim, and that an emptied stream has none", async () => {
      const { client, stream } = scene();
      const ids = await scene().add(5);
      const trim = { strategy: "maxLen", threshold: 3, approximate: false } as const;
      ids.push(await addEntry(client, { stream, fields: ["n", 6], trim }));
      expect((await client.xinfoStream({ stream })).firstEntryId).toBe(ids[3]);
      await client.xdel({ stream, ids: ids.slice(3) });
      expect(await client.xinfoStream({ stream })).toMatchObject({ length: 0, firstEntryId: null, lastEntryId: null });
    });

    test("of a missing stream is a NoGroupError", async () => {
      const { client, stream } = scene();
      await expect(client.xinfoStream({ stream })).rejects.toMatchObject({ code: "NO_GROUP" });
    });
  });
}
