/** A stream whose partitions are on several masters of a Cluster: order holds through moved slots and changes of master. */
import { partitionStreams } from "@redis-batch/core";
import {
  beginSlotMove,
  eventually,
  type RedisServer,
  startCluster,
  uniqueName,
  useServers,
} from "@redis-batch/test-support";
import { Cluster } from "ioredis";
import { afterEach, describe, expect, it } from "vitest";
import { Consumer, type ConsumerOptions, type EntryId, Producer } from "../src/index.ts";

const cluster = useServers((source) => startCluster({ source, primaries: 3, replicasEach: 1 }));
const closing: AsyncDisposable[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((one) => one[Symbol.asyncDispose]()));
});

const KEYS = 30;
const PARTITIONS = 6;

describe("order by key over the masters of a Cluster holds", () => {
  function open() {
    const redis = new Cluster(cluster.servers.startupNodes, { lazyConnect: true });
    const stream = uniqueName("orders");
    const where = { redis, stream, partitions: PARTITIONS };
    const producer = new Producer({ ...where, queueTimeoutMs: 60_000 });
    closing.push(producer);
    const done: (readonly [key: string, n: number])[] = [];
    const consume = (options: Partial<ConsumerOptions> = {}) => {
      const consumer = new Consumer({
        ...{
          ...where,
          group: "billing",
          orderBy: "key",
          leaseMs: 3_000,
          maxWaitMs: 20,
          blockMs: 300,
          rebalanceGraceMs: 0,
        },
        ...{ retry: { baseMs: 50, capMs: 200 }, drainMs: 1_000, observer: () => {}, ...options },
      });
      closing.push(consumer);
      const running = consumer.run((batch) => {
        for (const message of batch) done.push([message.key ?? "", Number(message.fields["n"])]);
        batch.ack();
      });
      running.catch(() => {});
      return consumer;
    };
    /** Adds messages without waiting for one another, until told to stop → how many of each key. */
    const load = () => {
      const over = new AbortController();
      const run = async (): Promise<number> => {
        const adds: Promise<EntryId>[] = [];
        let n = 0;
        while (!over.signal.aborted) {
          n++;
          for (let key = 0; key < KEYS; key++) adds.push(producer.add({ n }, { key: `k${key}` }));
          // At most 20 adds of each key are under way at the same time.
          await adds.at(-20 * KEYS);
        }
        await Promise.all(adds);
        return n;
      };
      const running = run();
      return {
        stop: () => {
          over.abort();
          return running;
        },
      };
    };
    return { ...where, streams: partitionStreams(stream, PARTITIONS), done, consume, load };
  }

  const masterOf = async (key: string): Promise<RedisServer> => {
    const { primaries, replicas } = cluster.servers;
    for (const node of [...primaries, ...replicas]) {
      const owns = await node.command("EXISTS", key).then(
        () => true,
        () => false,
      );
      if (owns) return node;
    }
    throw new Error("nobody has the key");
  };

  /** The numbers of each key as they are in the streams. */
  const numbersIn = async (streams: readonly string[]): Promise<Map<string, number[]>> => {
    const found = new Map<string, number[]>();
    for (const stream of streams) {
      const entries = (await (await masterOf(stream)).command("XRANGE", stream, "-", "+")) as [string, string[]][];
      for (const [, [, n, , key = ""]] of entries) found.set(key, [...(found.get(key) ?? []), Number(n)]);
    }
    return found;
  };

  it("while slots move and masters change places", async () => {
    const { streams, done, consume, load } = open();
    consume();
    consume();
    const loading = load();
    await eventually("work is done", () => done.length > KEYS * 20);
    const [moving = ""] = streams;
    const from = await masterOf(moving);
    const to = cluster.servers.primaries.find((node) => node !== from) as RedisServer;
    {
      await using move = await beginSlotMove(moving, from, to);
      const keys = (await from.command(
        "CLUSTER",
        "GETKEYSINSLOT",
        (await from.command("CLUSTER", "KEYSLOT", moving)) as number,
        100,
      )) as string[];
      for (const key of keys) await move.moveKey(key);
      await move.finish();
    }
    const before = done.length;
    await eventually("work goes on", () => done.length > before + KEYS * 20);
    const changing = await masterOf(streams.at(-1) ?? "");
    const replica = cluster.servers.replicas[cluster.servers.primaries.indexOf(changing)] as RedisServer;
    await replica.command("CLUSTER", "FAILOVER");
    await eventually("the replica is a master", async () => (await masterOf(streams.at(-1) ?? "")) === replica);
    const after = done.length;
    await eventually("work goes on", () => done.length > after + KEYS * 20, { timeoutMs: 20_000 });
    const added = await loading.stop();
    await eventually("everything is done", () => new Set(done.map(String)).size === added * KEYS, {
      timeoutMs: 20_000,
    });
    const expected = Array.from({ length: added }, (_, n) => n + 1);
    for (const [key, numbers] of await numbersIn(streams)) expect([key, numbers]).toEqual([key, expected]);
    const last = new Map<string, number>();
    for (const [key, n] of done) {
      expect(n).toBeLessThanOrEqual((last.get(key) ?? 0) + 1);
      last.set(key, Math.max(last.get(key) ?? 0, n));
    }
    await changing.command("CLUSTER", "FAILOVER");
    await eventually("it is a master again", async () => (await masterOf(streams.at(-1) ?? "")) === changing);
  });
});
