/** close() at a server that is frozen: connections stay open, and nothing answers. */
import {
  EventRecorder,
  eventually,
  fairNowMs,
  startCluster,
  uniqueName,
  useServer,
  useServers,
} from "@redis-batch/test-support";
import { Cluster } from "ioredis";
import { describe, expect, it, onTestFinished } from "vitest";
import { Consumer, type ConsumerEvent, type ConsumerOptions } from "../../src/index.ts";

const single = useServer({ own: true });
const cluster = useServers((source) => startCluster({ source, primaries: 2 }));

/** Far below `drainMs`, which is for what is at work. */
const SOON_MS = 7_000;

describe.each([
  ["one server", () => single.server, () => single.server.options],
  ["a Cluster", () => cluster.servers.nodes[0], () => new Cluster(cluster.servers.startupNodes, { lazyConnect: true })],
] as const)("at %s that is frozen", (_, nodeOf, source) => {
  /** A consumer of a stream on the node, and the server, which is frozen until the test has finished. */
  async function setUp(options: Partial<ConsumerOptions> = {}) {
    const server = nodeOf();
    if (server === undefined) throw new Error("no server");
    const stream = await eventually("a name falls to this server", async () => {
      const name = uniqueName("stream");
      await server.command("XADD", name, "*", "n", 1);
      return name;
    });
    const events = new EventRecorder<ConsumerEvent>();
    const redis = source();
    const consumer = new Consumer({
      redis,
      stream,
      group: "g",
      maxWaitMs: 50,
      blockMs: 200,
      observer: events.observe,
      ...options,
    });
    const freeze = async (): Promise<void> => {
      await server.freeze();
      onTestFinished(() => server.thaw());
    };
    return { consumer, events, freeze };
  }

  async function close(consumer: Consumer) {
    const sinceMs = fairNowMs();
    const report = await consumer.close();
    return { report, tookMs: fairNowMs() - sinceMs };
  }

  it("close() ends soon when nothing is at work", async () => {
    const { consumer, events, freeze } = await setUp();
    void consumer.run((batch) => batch.ack());
    await events.waitFor("acknowledged");
    await freeze();
    const { report, tookMs } = await close(consumer);
    expect(report).toEqual({ released: 0, unconfirmedAcks: 0, abandoned: 0, nameRemoved: false });
    expect(tookMs).toBeLessThan(SOON_MS);
  });

  it("close() gives what is at work `drainMs`, and says what the server has not confirmed", async () => {
    const { consumer, freeze } = await setUp({ drainMs: 500 });
    let finish = (): void => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const offered = new Promise<void>((resolve) => {
      void consumer.run(async (batch) => {
        resolve();
        await finished;
        batch.ack();
      });
    });
    await offered;
    await freeze();
    finish();
    const { report, tookMs } = await close(consumer);
    expect(report).toEqual({ released: 0, unconfirmedAcks: 1, abandoned: 0, nameRemoved: false });
    expect(tookMs).toBeLessThan(SOON_MS);
  });
});
