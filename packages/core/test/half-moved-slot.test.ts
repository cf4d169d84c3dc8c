/**
 * A Cluster moves the stream's slot in the classic way, key by key. While only some of its keys have been moved, both
 * nodes refuse commands and scripts with several keys, and that may last for hours.
 */
import {
  addEntry,
  beginSlotMove,
  EventRecorder,
  eventually,
  fairNowMs,
  type RedisServer,
  startCluster,
  useServers,
} from "@redis-batch/test-support";
import { Cluster } from "ioredis";
import { Cluster as ClusterV5 } from "ioredis-v5";
import { describe, expect, onTestFinished, test } from "vitest";
import { ConnectionError } from "../src/errors/errors.ts";
import { groupKey } from "../src/names/keys.ts";
import { RELEASED } from "../src/names/reserved-consumers.ts";
import type { ProducerEvent } from "../src/producer/events.ts";
import type { ProducerOptions } from "../src/producer/options.ts";
import { Producer } from "../src/producer/producer.ts";
import { moveToDeadLettersInSteps } from "../src/redis/single-key-steps.ts";
import type { StreamClient } from "../src/stream-client.ts";
import { nameOn } from "./conformance/server-setting.ts";
import { connected, useClients } from "./use-clients.ts";

const cluster = useServers((source) => startCluster({ source, primaries: 2 }));

function primaries(): readonly [RedisServer, RedisServer] {
  const [from, to] = cluster.servers.primaries;
  if (from === undefined || to === undefined) throw new Error("two primaries were asked for");
  return [from, to];
}

/** Begins to move the slot of a stream; when the test has finished, it stays where it was, and its keys are deleted. */
async function beginMove(stream: string) {
  const [from, to] = primaries();
  const move = await beginSlotMove(stream, from, to);
  onTestFinished(() => move[Symbol.asyncDispose]());
  return move;
}

const DEAD_AFTER_MS = 1;

/** A group with three messages of a consumer, and one of a consumer that has died; the slot of all that is half moved. */
async function setUp(client: StreamClient, isStreamMoved: boolean) {
  const [from] = primaries();
  const stream = await nameOn(from);
  const [group, consumer] = ["g", "c"];
  await client.xgroupCreate({ stream, group, position: "start" });
  const add = (n: number) => addEntry(client, { stream, fields: ["n", n, Buffer.from([255, 0]), Buffer.from([254])] });
  const ids = [await add(1), await add(2), await add(3), await add(4)] as const;
  await client.xreadgroup({ stream, group, consumer, count: 3 });
  await client.xreadgroup({ stream, group, consumer: "dead", count: 1 });
  const move = await beginMove(stream);
  if (isStreamMoved) await move.moveKey(stream);
  return { stream, group, consumer, ids, own: { stream, group, consumer }, move };
}

const beat = (options: { stream: string; group: string; consumer: string }, leaseMs: number) => ({
  ...options,
  ...{ incarnation: options.consumer, leaseMs, details: {} },
});

describe.each([
  ["ioredis 6", Cluster],
  ["ioredis 5", ClusterV5],
] as const)("over a Cluster of %s", (_version, ClusterClass) => {
  const makeClient = useClients();
  const lend = () => new ClusterClass(cluster.servers.startupNodes, { lazyConnect: true });
  const open = async () => (await connected(makeClient({ redis: lend() }))).client;

  describe.each([
    ["is still where it was", false],
    ["has been moved", true],
  ] as const)("while the stream %s", (_where, isStreamMoved) => {
    test("everything on one key goes on", async () => {
      const client = await open();
      const { own, ids, stream, group, consumer } = await setUp(client, isStreamMoved);
      const fifth = await addEntry(client, { stream, fields: ["n", 5] });
      expect(await client.heartbeat(beat(own, 60_000))).toMatchObject({ kind: "ok" });
      expect(await client.renewOwned({ ...own, ids: ids.slice(0, 3) })).toEqual(
        new Map(ids.slice(0, 3).map((id) => [id, "kept"])),
      );
      expect(await client.xack({ stream, group, ids: [ids[0]] })).toBe(1);
      await client.scheduleLater({ stream, group, delays: [{ id: ids[1], delayMs: 60_000 }] });
      expect(await client.dueTimes({ stream, group, ids: [ids[1]] })).toHaveProperty("size", 1);
      const none = { neverOffered: [], offered: [] };
      const released = { stream, group, from: consumer, to: RELEASED, ...none, offered: [ids[1]] };
      expect(await client.release(released)).toMatchObject({ moved: 1 });
      const limits = { after: null, scan: 10, count: 10, maxBytes: 1_000, suspectFrom: 9, suspects: 0, notWanted: [] };
      const { entries } = await client.take({ ...own, ...limits });
      expect(entries.map(({ id }) => id)).toEqual([ids[1]]);
      expect(await client.ackOwned({ ...own, ids: [ids[1], ids[3]] })).toEqual({
        acknowledged: [ids[1]],
        notOwned: [ids[3]],
      });
      expect((await client.xreadgroup({ ...own, count: 10 })).map(({ id }) => id)).toEqual([fifth]);
    });

    test("a message gets into the dead letters, byte for byte, and can be redriven after the move", async () => {
      const client = await open();
      const { own, ids, stream, group, move } = await setUp(client, isStreamMoved);
      const why = { reason: "poison", error: "it failed" };
      const moved = await client.moveToDeadLetters({ ...own, id: ids[0], ...why });
      expect(moved).toEqual({ kind: "dead-lettered", deadId: expect.any(String) as string });
      expect(await client.moveToDeadLetters({ ...own, id: ids[0], ...why })).toEqual({ kind: "not-owned" });
      expect(await client.moveToDeadLetters({ ...own, id: ids[3], ...why })).toEqual({ kind: "not-owned" });
      await client.xdel({ stream, ids: [ids[1]] });
      expect(await client.moveToDeadLetters({ ...own, id: ids[1], ...why })).toEqual({ kind: "trimmed" });
      const pending = await client.xpendingRange({ stream, group, from: "-", to: "+", count: 10 });
      expect(pending.map(({ id }) => id)).toEqual([ids[2], ids[3]]);
      const dead = groupKey("dead", stream, group);
      const [letter] = await client.xrange({ stream: dead, from: "-", to: "+", count: 10 });
      const [entry] = await client.xrange({ stream, from: ids[0], to: ids[0], count: 1 });
      expect(letter?.fields.slice(0, 4)).toEqual(entry?.fields);
      if (!isStreamMoved) await move.moveKey(stream);
      await move.moveKey(dead);
      await move.moveKey(groupKey("consumers", stream, group));
      await move.finish();
      onTestFinished(async () => {
        const [from, to] = primaries();
        await to.command("DEL", stream, dead, groupKey("consumers", stream, group));
        await (await beginSlotMove(stream, to, from)).finish();
      });
      const redriven = eventually("the dead letter is redriven", () =>
        client.redrive({ stream, group, id: letter?.id ?? "", ifTrimmed: "skip" }),
      );
      expect(await redriven).toMatchObject({ kind: "redriven", entryId: ids[0] });
    });

    test("a crash between the two steps leaves the message twice, and never loses it", async () => {
      const client = await open();
      const { own, ids, stream, group } = await setUp(client, isStreamMoved);
      const lost = new ConnectionError("cut", { outcome: "unknown" });
      const dying = {
        time: () => client.time(),
        xaddMany: (items: Parameters<StreamClient["xaddMany"]>[0]) => client.xaddMany(items),
        xpendingRange: (range: Parameters<StreamClient["xpendingRange"]>[0]) => client.xpendingRange(range),
        xrange: (range: Parameters<StreamClient["xrange"]>[0]) => client.xrange(range),
        ackOwned: () => Promise.reject(lost),
      };
      const options = { ...own, id: ids[0], reason: "poison", error: "" };
      await expect(moveToDeadLettersInSteps(dying, options)).rejects.toBe(lost);
      expect(await client.xlen({ stream: groupKey("dead", stream, group) })).toBe(1);
      const [pending] = await client.xpendingRange({ stream, group, from: ids[0], to: ids[0], count: 1 });
      expect(pending).toMatchObject({ id: ids[0], consumer: own.consumer });
    });

    test("what a dead consumer left is released, and what a live one has is not", async () => {
      const client = await open();
      const { own, ids, stream, group } = await setUp(client, isStreamMoved);
      const handOver = { stream, group, to: RELEASED, foreignIdleMs: 0, toUnregistered: true, after: null, count: 10 };
      await client.heartbeat(beat(own, 60_000));
      await client.heartbeat(beat({ stream, group, consumer: "dead" }, DEAD_AFTER_MS));
      expect(await client.handOverPage({ ...handOver, from: own.consumer })).toEqual({
        kind: "refused",
        why: "owner-alive",
      });
      expect(await client.removeIfEmpty({ ...own, consumer: "dead", onlyIfSilent: false })).toBe("pending");
      const released = await eventually("its lease is over", async () => {
        const page = await client.handOverPage({ ...handOver, from: "dead" });
        return page.kind === "moved" && page.moved > 0 ? page : undefined;
      });
      expect(released).toEqual({ kind: "moved", moved: 1, recent: 0, trimmed: 0, lastId: null });
      const [pending] = await client.xpendingRange({ stream, group, from: ids[3], to: ids[3], count: 1 });
      expect(pending).toMatchObject({ consumer: RELEASED, deliveries: 1 });
    });

    test("a name without messages is removed, and one with messages or a fresh heartbeat is not", async () => {
      const client = await open();
      const { own, ids, stream, group } = await setUp(client, isStreamMoved);
      await client.heartbeat(beat(own, 60_000));
      expect(await client.removeIfEmpty({ ...own, onlyIfSilent: true })).toBe("alive");
      await client.xack({ stream, group, ids: ids.slice(0, 3) });
      const finalReport = { incarnation: own.consumer, leaseMs: 60_000, details: { acked: 3 } };
      expect(await client.removeIfEmpty({ ...own, onlyIfSilent: false, finalReport })).toBe("removed");
      expect(await client.removeIfEmpty({ ...own, consumer: RELEASED, onlyIfSilent: false })).toBe("reserved");
      expect((await client.xinfoConsumers({ stream, group })).map(({ name }) => name)).toEqual(["dead"]);
      expect((await client.registry({ stream, group })).size).toBe(0);
      expect(await client.xlen({ stream: groupKey("final-reports", stream, group) })).toBe(1);
    });

    test("keys of which some have been moved are deleted one by one", async () => {
      const client = await open();
      const { own, stream, group } = await setUp(client, isStreamMoved);
      await client.heartbeat(beat(own, 60_000));
      expect(await client.unlink({ keys: [stream, groupKey("consumers", stream, group)] })).toBe(2);
    });
  });

  describe("a producer", () => {
    const begin = async (options: Partial<ProducerOptions>) => {
      const [from] = primaries();
      const events = new EventRecorder<ProducerEvent>();
      const stream = await nameOn(from);
      const producer = new Producer({ redis: lend(), stream, observer: events.observe, ...options });
      onTestFinished(() => producer.close());
      await producer.add({ n: 0 }, { idempotencyKey: "known" });
      return { producer, events, stream, move: await beginMove(stream) };
    };
    const notSent = { code: "CONNECTION", outcome: "not-sent", retryable: true };

    test("adds what has no key, or a known one, and for a new key waits as long as it may", async () => {
      const { producer, events } = await begin({ retryForMs: 300 });
      const first = await producer.add({ n: 0 }, { idempotencyKey: "known" });
      const error: unknown = await producer.add({ n: 1 }, { idempotencyKey: "new" }).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ ...notSent, cause: { code: "SERVER_STATE", state: "TRYAGAIN" } });
      expect(events.all("retrying")[0]).toMatchObject({ attempt: 1, code: "SERVER_STATE" });
      expect((await producer.add({ n: 2 })) > first).toBe(true);
    });

    test("adds what waited when the move has ended", async () => {
      const { producer, events, move } = await begin({});
      const adding = Array.from({ length: 20 }, (_, n) => producer.add({ n }, { idempotencyKey: `new-${n}` }));
      await events.waitFor("retrying", { count: 20 });
      await move[Symbol.asyncDispose]();
      expect(new Set(await Promise.all(adding)).size).toBe(20);
    });

    test("that is closed ends every add in time: not sent", async () => {
      const { producer, events } = await begin({ closeTimeoutMs: 300 });
      const adding = Array.from({ length: 20 }, (_, n) => producer.add({ n }, { idempotencyKey: `new-${n}` }));
      const ended = Promise.allSettled(adding);
      await events.waitFor("retrying", { count: 20 });
      const closedAtMs = fairNowMs();
      await producer.close();
      expect(fairNowMs() - closedAtMs).toBeLessThan(1_000);
      for (const end of await ended) expect(end).toMatchObject({ status: "rejected", reason: notSent });
    });
  });
});
