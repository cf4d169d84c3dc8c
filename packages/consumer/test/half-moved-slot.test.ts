/**
 * A Cluster moves the stream's slot in the classic way, and stays half moved: consumers go on, whatever has been moved.
 */
import {
  beginSlotMove,
  EventRecorder,
  eventually,
  fairNowMs,
  type RedisServer,
  startCluster,
  uniqueName,
  useServers,
} from "@redis-batch/test-support";
import { Cluster } from "ioredis";
import { describe, expect, it, onTestFinished } from "vitest";
import { Consumer, type ConsumerEvent, Producer } from "../src/index.ts";
import { numbers, range } from "./harness.ts";

const cluster = useServers((source) => startCluster({ source, primaries: 2 }));

/** A name that belongs to the first node. */
function nameOn(server: RedisServer): Promise<string> {
  return eventually("a name falls to this server", async () => {
    const name = uniqueName("stream");
    await server.command("XLEN", name);
    return name;
  });
}

describe.each([
  ["before the stream is moved", false],
  ["after the stream was moved", true],
] as const)("%s", (_, isStreamMoved) => {
  it("acknowledges, retries, defers and dead-letters, recovers what the dead left, and closes in time", async () => {
    const [from, to] = cluster.servers.primaries;
    if (from === undefined || to === undefined) throw new Error("two primaries were asked for");
    const stream = await nameOn(from);
    const redis = new Cluster(cluster.servers.startupNodes, { lazyConnect: true });
    await using producer = new Producer({ redis, stream, retryForMs: 500 });
    await producer.addMany(range(10).map((n) => ({ n })));
    // Of a consumer of ours that has died with a short lease.
    await from.command("XGROUP", "CREATE", stream, "g", "0");
    await from.command("XREADGROUP", "GROUP", "g", "dead", "COUNT", 2, "STREAMS", stream, ">");
    const registered = JSON.stringify({ v: 1, at: 1, leaseMs: 1_000, incarnation: "dead" });
    await from.command("HSET", `rb:{${stream}}:consumers:${stream}:g`, "dead", registered);
    await using move = await beginSlotMove(stream, from, to);
    if (isStreamMoved) await move.moveKey(stream);
    const events = new EventRecorder<ConsumerEvent>();
    const done = new Set<number>();
    const consumer = new Consumer({
      ...{ redis, stream, group: "g", batchSize: 5, maxWaitMs: 20, blockMs: 200, observer: events.observe },
      ...{ leaseMs: 1_000, recoverEveryMs: 200, retry: { baseMs: 5, capMs: 50 }, drainMs: 2_000 },
    });
    onTestFinished(() => consumer.close().then(() => undefined));
    const running = consumer.run((batch) => {
      for (const message of batch) {
        const [n = 0] = numbers([message]);
        if (n === 5) message.deadLetter("unlucky");
        else if (n === 6 && message.deliveries === 1) message.retry();
        // Longer than its lease: deferred in Redis.
        else if (n === 7 && message.deliveries === 1) message.retry({ delayMs: 1_500 });
        else {
          message.ack();
          done.add(n);
        }
      }
    });
    await producer.addMany(range(5).map((n) => ({ n: n + 10 })));
    await eventually("everything is done", () => done.size === 14, { timeoutMs: 20_000 });
    expect(await events.waitFor("deadLettered")).toMatchObject({ why: "rejected" });
    await events.waitFor("orphansReleased");
    const client = new Cluster(cluster.servers.startupNodes);
    onTestFinished(() => client.disconnect());
    await eventually("nothing is pending", async () => (await client.xpending(stream, "g"))[0] === 0);
    const closedAtMs = fairNowMs();
    const report = await consumer.close();
    expect(fairNowMs() - closedAtMs).toBeLessThan(2_000);
    expect(report).toEqual({ released: 0, unconfirmedAcks: 0, abandoned: 0, nameRemoved: true });
    await running;
    expect(events.all("deadLetterFailed")).toEqual([]);
    expect(events.all("recoveryFailed")).toEqual([]);
  });
});
