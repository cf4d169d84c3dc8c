import { addEntry, fairNowMs } from "@redis-batch/test-support";
import { describe, expect, test } from "vitest";
import { NoGroupError, ServerStateError } from "../../src/errors/errors.ts";
import type { StreamEntry } from "../../src/wire/entry.ts";
import type { Scene } from "./setting.ts";

/** Longer than a test may last: a read that returns sooner has been woken. */
const LONG_MS = 20_000;

/** Reads that wait. */
export function describeBlocking(scene: () => Scene): void {
  const readBlocked = (blockMs: number, signal?: AbortSignal): Promise<readonly StreamEntry[]> => {
    const { client, address } = scene();
    return client.xreadgroup({ ...address, consumer: "c1", count: 10, blockMs }, signal);
  };

  describe("xreadgroup that waits", () => {
    test("returns at once what is there", async () => {
      await scene().createGroup();
      const ids = await scene().add(2);
      expect((await readBlocked(LONG_MS)).map(({ id }) => id)).toEqual(ids);
    });

    test("wakes up for a new entry", async () => {
      const { client, stream, setting } = scene();
      await scene().createGroup();
      const read = readBlocked(LONG_MS);
      await setting.untilReaderWaits();
      const id = await addEntry(client, { stream, fields: ["n", 1] });
      expect((await read).map((entry) => entry.id)).toEqual([id]);
    });

    test("for several streams wakes up for a new entry in any of them", async () => {
      const { client, stream, group, setting } = scene();
      const other = `{${stream}}:other`;
      await scene().createGroup();
      await client.xgroupCreate({ stream: other, group, position: "start" });
      const read = client.xreadgroupMany({
        ...{ streams: [stream, other], group, consumer: "c1", count: 9, blockMs: LONG_MS },
      });
      await setting.untilReaderWaits();
      const id = await addEntry(client, { stream: other, fields: ["n", 1] });
      expect((await read).map((one) => [one.stream, one.entries.map((entry) => entry.id)])).toEqual([[other, [id]]]);
    });

    test("returns nothing when its time is over", async () => {
      await scene().createGroup();
      const read = readBlocked(50);
      await scene().setting.elapse(150);
      expect(await read).toEqual([]);
    });

    test("does not hold up the other commands", async () => {
      const { client, stream, setting } = scene();
      await scene().createGroup();
      const read = readBlocked(LONG_MS);
      await setting.untilReaderWaits();
      expect(await client.xlen({ stream })).toBe(0);
      await addEntry(client, { stream, fields: ["n", 1] });
      expect(await read).toHaveLength(1);
    });

    test("fails when its group is destroyed", async () => {
      const { stream, group, setting } = scene();
      await scene().createGroup();
      const read = readBlocked(LONG_MS);
      read.catch(() => {});
      await setting.untilReaderWaits();
      await setting.sideDoor.destroyGroup(stream, group);
      await expect(read).rejects.toMatchObject({ code: "NO_GROUP" });
    });

    test("fails when its stream is deleted, and the next read says that the group is gone", async () => {
      const { stream, setting } = scene();
      await scene().createGroup();
      const read = readBlocked(LONG_MS);
      read.catch(() => {});
      await setting.untilReaderWaits();
      await setting.sideDoor.deleteKey(stream);
      // Redis 7.0 says UNBLOCKED and leaves the reason to the next read.
      await expect(read).rejects.toSatisfy((error) => NoGroupError.is(error) || ServerStateError.is(error));
      await expect(readBlocked(LONG_MS)).rejects.toMatchObject({ code: "NO_GROUP" });
    });

    test("fails when its client is closed", async () => {
      const { client, setting } = scene();
      await scene().createGroup();
      const read = readBlocked(LONG_MS);
      read.catch(() => {});
      await setting.untilReaderWaits();
      await client.close();
      await expect(read).rejects.toMatchObject({ code: "CONNECTION" });
    });
  });

  describe("a signal", () => {
    test("that has aborted before means that nothing is read", async () => {
      await scene().createGroup();
      const ids = await scene().add(1);
      expect(await readBlocked(LONG_MS, AbortSignal.abort())).toEqual([]);
      expect((await scene().read("c1")).map(({ id }) => id)).toEqual(ids);
    });

    test("that aborts loses nothing of what the read still brings", async () => {
      await scene().createGroup();
      const controller = new AbortController();
      const read = readBlocked(500, controller.signal);
      // It does not wait where its wait might never end.
      await Promise.race([read, scene().setting.untilReaderWaits()]);
      controller.abort();
      const [id] = await scene().add(1);
      await scene().setting.elapse(500);
      const delivered = (await read).map((entry) => entry.id);
      expect([...delivered, ...(await scene().read("c1")).map((entry) => entry.id)]).toEqual([id]);
    });
  });

  describe("a signal, as long as the read waits", () => {
    test("that aborts while the server waits ends the read with nothing", async () => {
      await scene().createGroup();
      const controller = new AbortController();
      const read = readBlocked(LONG_MS, controller.signal);
      await scene().setting.untilReaderWaits();
      const sinceMs = fairNowMs();
      controller.abort();
      expect(await read).toEqual([]);
      expect(fairNowMs() - sinceMs).toBeLessThan(LONG_MS / 2);
    });

    test("that aborts before the read reached the server ends it as well", async () => {
      await scene().createGroup();
      // The first read with a signal finds out how to end one; the second is on its way when the signal aborts.
      const sinceMs = fairNowMs();
      for (let round = 1; round <= 2; round++) {
        const controller = new AbortController();
        const read = readBlocked(LONG_MS, controller.signal);
        controller.abort();
        expect(await read).toEqual([]);
      }
      expect(fairNowMs() - sinceMs).toBeLessThan(LONG_MS / 2);
    });

    test("that aborts never loses an entry that came first", async () => {
      const { client, stream, setting } = scene();
      await scene().createGroup();
      const controller = new AbortController();
      const read = readBlocked(LONG_MS, controller.signal);
      await setting.untilReaderWaits();
      const added = addEntry(client, { stream, fields: ["n", 1] });
      controller.abort();
      const id = await added;
      const delivered = (await read).map((entry) => entry.id);
      // Either this read has it, or nobody: then it still waits for the next one.
      expect([...delivered, ...(await scene().read("c1")).map((entry) => entry.id)]).toEqual([id]);
    });

    test("that aborts after the read has no effect on the next one", async () => {
      const { client, stream, setting } = scene();
      await scene().createGroup();
      await scene().add(1);
      const controller = new AbortController();
      expect(await readBlocked(LONG_MS, controller.signal)).toHaveLength(1);
      controller.abort();
      const next = readBlocked(LONG_MS, new AbortController().signal);
      await setting.untilReaderWaits();
      const id = await addEntry(client, { stream, fields: ["n", 2] });
      expect((await next).map((entry) => entry.id)).toEqual([id]);
    });
  });
}
