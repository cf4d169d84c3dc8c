import { addEntry } from "@redis-batch/test-support";
import { describe, expect, test } from "vitest";
import type { Scene } from "./setting.ts";

/** Connecting, closing, and what needs no stream. */
export function describeConnecting(scene: () => Scene): void {
  describe("connect", () => {
    test("again, with everything open, changes nothing", async () => {
      const { client, stream } = scene();
      const epoch = client.readerEpoch(stream);
      await client.connect(["commands", "reader"], { timeoutMs: 1_000 });
      expect(client.readerEpoch(stream)).toBe(epoch);
    });

    test("counts the reader's connections", async () => {
      const { stream } = scene();
      const another = scene().setting.anotherClient();
      expect(another.readerEpoch(stream)).toBe(0);
      await another.connect(["commands"], { timeoutMs: 10_000 });
      expect(another.readerEpoch(stream)).toBe(0);
      await another.connect(["reader"], { timeoutMs: 10_000 });
      expect(another.readerEpoch(stream)).toBe(1);
    });

    test("with a signal that has aborted rejects with its reason", async () => {
      const reason = new Error("stop");
      const another = scene().setting.anotherClient();
      const connecting = another.connect(["commands"], { timeoutMs: 10_000, signal: AbortSignal.abort(reason) });
      await expect(connecting).rejects.toBe(reason);
    });
  });

  describe("what the server tells", () => {
    test("of itself, of our user, and of what a user may do", async () => {
      const { client, stream } = scene();
      const told = await client.info();
      expect(told?.get("redis_version")).toMatch(/^\d+\./);
      expect(told?.get("role")).toBe("master");
      const user = await client.whoAmI();
      expect(user).toBe("default");
      expect(await client.mayRun({ user: "default", command: ["xlen", stream] })).toBe(true);
    });
  });

  describe("without a connection", () => {
    test("a command of the role that is not open is not sent", async () => {
      const another = scene().setting.anotherClient();
      await expect(another.time()).rejects.toMatchObject({ code: "CONNECTION", outcome: "not-sent" });
      await another.connect(["commands"], { timeoutMs: 10_000 });
      const read = another.xreadgroup({ ...scene().address, consumer: "c1", count: 1 });
      await expect(read).rejects.toMatchObject({ code: "CONNECTION", outcome: "not-sent" });
    });

    test("each of many adds is told that it was not sent", async () => {
      const another = scene().setting.anotherClient();
      const item = { stream: scene().stream, fields: ["n", 1] };
      const outcomes = await another.xaddMany([item, item]);
      expect(outcomes).toHaveLength(2);
      for (const outcome of outcomes) expect(outcome).toMatchObject({ code: "CONNECTION", outcome: "not-sent" });
    });
  });

  describe("close", () => {
    test("makes every later command fail at once, as not sent", async () => {
      const { client, stream, address } = scene();
      const closed = client.close();
      const item = { stream, fields: ["n", 1] };
      const notSent = { code: "CONNECTION", outcome: "not-sent" };
      await expect(addEntry(client, item)).rejects.toMatchObject(notSent);
      await closed;
      await expect(addEntry(client, item)).rejects.toMatchObject(notSent);
      await expect(client.xreadgroup({ ...address, consumer: "c1", count: 1 })).rejects.toMatchObject(notSent);
      await expect(
        client.xreadgroup({ ...address, consumer: "c1", count: 1, blockMs: 10 }, new AbortController().signal),
      ).rejects.toMatchObject(notSent);
      await expect(
        client.heartbeat({ ...address, consumer: "c1", incarnation: "i", leaseMs: 1, details: {} }),
      ).rejects.toMatchObject(notSent);
      expect(await client.xaddMany([item])).toMatchObject([notSent]);
    });

    test("is for good", async () => {
      const { client } = scene();
      await client.close();
      await expect(client.connect(["commands"], { timeoutMs: 10_000 })).rejects.toMatchObject({ code: "CONNECTION" });
      await expect(client.connect(["reader"], { timeoutMs: 10_000 })).rejects.toMatchObject({ code: "CONNECTION" });
    });

    test("may be called twice, and before anything was opened", async () => {
      const { client, setting } = scene();
      await Promise.all([client.close(), client.close()]);
      await client.close();
      const another = setting.anotherClient();
      await another.close();
      await expect(another.connect(["commands"], { timeoutMs: 10_000 })).rejects.toMatchObject({ code: "CONNECTION" });
    });

    test("of one client leaves another alone", async () => {
      const { client, stream, setting } = scene();
      const another = setting.anotherClient();
      await another.connect(["commands"], { timeoutMs: 10_000 });
      await client.close();
      expect(await another.xlen({ stream })).toBe(0);
    });
  });

  describe("time", () => {
    test("is whole milliseconds since 1970 and does not go back", async () => {
      const { client } = scene();
      const firstMs = await client.time();
      const secondMs = await client.time();
      expect(Number.isInteger(firstMs)).toBe(true);
      expect(firstMs).toBeGreaterThan(Date.UTC(2020));
      expect(secondMs).toBeGreaterThanOrEqual(firstMs);
    });
  });

  describe("mayCall", () => {
    test("says of each command whether it may be run, in the order given, and runs none", async () => {
      const { client, stream } = scene();
      const commands = [["XADD", stream, "*", "n", 1], ["NO-SUCH-COMMAND"], ["XLEN", stream]];
      expect(await client.mayCall({ commands })).toEqual([true, false, true]);
      expect(await client.xlen({ stream })).toBe(0);
    });
  });

  describe("knowsCommands", () => {
    test("says of each name whether the server knows it, in the order given", async () => {
      const names = ["xadd", "no-such-command", "xautoclaim", "xreadgroup"];
      expect(await scene().client.knowsCommands(names)).toEqual([true, false, true, true]);
    });
  });
}
