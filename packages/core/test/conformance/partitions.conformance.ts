import { describe, expect, test } from "vitest";
import { groupKey } from "../../src/names/keys.ts";
import { LATER, RELEASED } from "../../src/names/reserved-consumers.ts";
import type { HoldPartitionOptions, Ownership } from "../../src/wire/atomic/hold-partition.ts";
import type { Scene } from "./setting.ts";

const LONG_MS = 600_000;
const SHORT_MS = 20;

/** Who owns a partition, and what only its owner may do: holdPartition, readOwned, adoptPending; and setOnce, xread. */
export function describePartitions(scene: () => Scene): void {
  const hold = (member: string, options: Partial<HoldPartitionOptions> = {}): Promise<Ownership> =>
    scene().client.holdPartition({
      ...scene().address,
      member,
      leaseMs: LONG_MS,
      token: null,
      heardOf: 0,
      ...options,
    });
  const tokenOf = async (member: string, leaseMs = LONG_MS): Promise<number> => {
    const { isHeld, token } = await hold(member, { leaseMs });
    expect(isHeld).toBe(true);
    return token;
  };
  const read = (member: string, token: number, count = 100) =>
    scene().client.readOwned({ ...scene().address, member, token, count });
  const adopt = (member: string, token: number, after: string | null = null, count = 1_000) =>
    scene().client.adoptPending({ ...scene().address, member, token, after, count });

  describe("holdPartition", () => {
    test("one member owns a partition until it gives it up", async () => {
      const first = await tokenOf("a");
      expect(await hold("b")).toMatchObject({ isHeld: false, owner: "a", token: first });
      expect(await hold("a", { token: first, leaseMs: 0 })).toMatchObject({ isHeld: false, owner: null, leftMs: 0 });
      expect(await tokenOf("b")).toBeGreaterThan(first);
    });

    test("or until it does not renew it", async () => {
      const first = await tokenOf("a", SHORT_MS);
      await scene().setting.elapse(SHORT_MS + 5);
      const second = await tokenOf("b");
      expect(second).toBeGreaterThan(first);
      expect(await hold("a", { token: first })).toMatchObject({ isHeld: false, owner: "b", token: second });
    });

    test("goes on with its token, also a little late, if nobody has taken it", async () => {
      const token = await tokenOf("a", SHORT_MS);
      await scene().setting.elapse(SHORT_MS + 5);
      expect(await hold("a", { token })).toMatchObject({ isHeld: true, token, owner: "a" });
    });

    test("a process with the name of the owner has to wait as anybody else", async () => {
      await tokenOf("a");
      expect((await hold("a")).isHeld).toBe(false);
    });

    test("a token is higher than all before, also than those that the server has lost", async () => {
      const { client, stream, group, setting } = scene();
      const first = await tokenOf("a");
      expect(first).toBeGreaterThanOrEqual((await client.time()) - 60_000);
      await setting.sideDoor.deleteKey(groupKey("owner", stream, group));
      const heardOf = first + 1_000_000;
      expect((await hold("b", { heardOf })).token).toBe(heardOf + 1);
    });

    test("an ownership that would last for ever, after a clock was set back, is none", async () => {
      const { stream, group, setting, client } = scene();
      const token = await tokenOf("a");
      const untilMs = (await client.time()) + 11 * LONG_MS;
      await setting.sideDoor.putHashField(groupKey("owner", stream, group), "until", String(untilMs));
      expect(await tokenOf("b")).toBeGreaterThan(token);
    });

    test("only with its token it is given up", async () => {
      const token = await tokenOf("a");
      await hold("a", { token: token - 1, leaseMs: 0 });
      await hold("b", { token, leaseMs: 0 });
      expect(await hold("b")).toMatchObject({ isHeld: false, owner: "a" });
    });
  });

  describe("readOwned", () => {
    test("delivers new messages to the owner, and says where the next will be", async () => {
      await scene().createGroup();
      const ids = await scene().add(3);
      const token = await tokenOf("a");
      const some = await read("a", token, 2);
      expect(some?.entries.map(({ id }) => id)).toEqual(ids.slice(0, 2));
      expect(some?.position).toBeNull();
      expect((await read("a", token))?.entries[0]?.fields.map(String)).toEqual(["n", "3"]);
      expect(await read("a", token)).toEqual({ entries: [], position: ids[2] });
      expect((await scene().pending()).map(({ consumer }) => consumer)).toEqual(["a", "a", "a"]);
    });

    test("delivers nothing to who does not own the partition any more", async () => {
      await scene().createGroup();
      await scene().add(1);
      const first = await tokenOf("a", SHORT_MS);
      await scene().setting.elapse(SHORT_MS + 5);
      expect(await read("a", first)).toBeNull();
      const second = await tokenOf("b");
      expect(await read("a", first)).toBeNull();
      expect(await read("a", second)).toBeNull();
      expect(await read("b", first)).toBeNull();
      expect(await scene().pending()).toEqual([]);
    });

    test("needs a group, also where nothing waits", async () => {
      const token = await tokenOf("a");
      await expect(read("a", token)).rejects.toMatchObject({ code: "NO_GROUP" });
    });

    test("says where a group begins that has read nothing", async () => {
      await scene().createGroup();
      expect((await read("a", await tokenOf("a")))?.position).toBe("0-0");
    });
  });

  describe("adoptPending", () => {
    test("takes over everything but what is deferred, page by page, with its counts", async () => {
      const { client, address } = scene();
      const ids = await scene().deliver("a", 6);
      await scene().recover("a", [ids[0] ?? ""], 3);
      const moves = { ...address, from: "a", neverOffered: [] };
      await client.release({ ...moves, to: LATER, offered: [ids[1] ?? ""] });
      await client.release({ ...moves, to: RELEASED, offered: [ids[2] ?? ""] });
      const token = await tokenOf("b");
      const page = await adopt("b", token, null, 4);
      expect(page).toEqual({ adopted: 3, next: ids[3] });
      expect(await adopt("b", token, page?.next, 4)).toEqual({ adopted: 2, next: null });
      expect((await scene().pending()).map(({ consumer }) => consumer)).toEqual(["b", LATER, "b", "b", "b", "b"]);
      expect(await scene().deliveries()).toEqual([3, 1, 1, 1, 1, 1]);
    });

    test("takes nothing over for who does not own the partition", async () => {
      await scene().deliver("a", 1);
      const token = await tokenOf("b");
      expect(await adopt("c", token)).toBeNull();
      expect(await adopt("b", token + 1)).toBeNull();
      expect((await scene().pending()).map(({ consumer }) => consumer)).toEqual(["a"]);
    });
  });

  describe("setOnce", () => {
    test("sets a key for good, and tells what it has", async () => {
      const { client, address } = scene();
      const key = groupKey("scaler", address.stream, address.group);
      expect(await client.textOf({ key })).toBeNull();
      expect(await client.setOnce({ key, value: "first" })).toBeNull();
      expect(await client.setOnce({ key, value: "second" })).toBe("first");
      expect(await client.textOf({ key })).toBe("first");
    });
  });

  describe("xread", () => {
    test("tells which streams have entries behind a position, and delivers none", async () => {
      const { client, stream } = scene();
      await scene().createGroup();
      const [first = ""] = await scene().add(2);
      const positions = (id: string) => ({ positions: new Map([[stream, id]]) });
      expect(await client.xread(positions(first))).toEqual([stream]);
      const last = (await scene().ids()).at(-1) ?? "";
      expect(await client.xread(positions(last))).toEqual([]);
      expect(await scene().pending()).toEqual([]);
    });

    test("waits for one", async () => {
      const { client, stream, setting } = scene();
      await scene().createGroup();
      const waiting = client.xread(
        { positions: new Map([[stream, "0-0"]]), blockMs: 60_000 },
        new AbortController().signal,
      );
      await setting.untilReaderWaits();
      await scene().add(1);
      expect(await waiting).toEqual([stream]);
    });

    test("waits until it is told to end", async () => {
      const { client, stream, setting } = scene();
      await scene().createGroup();
      const end = new AbortController();
      const waiting = client.xread({ positions: new Map([[stream, "0-0"]]), blockMs: 60_000 }, end.signal);
      await setting.untilReaderWaits();
      end.abort();
      expect(await waiting).toEqual([]);
    });
  });
}
