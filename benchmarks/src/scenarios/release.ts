import { Consumer } from "@redis-batch/consumer";
import type { Redis } from "ioredis";
import { fillBacklog } from "../dead-consumer.ts";
import type { Figures } from "../figures.ts";
import type { Bench, Scenario } from "../scenario.ts";

const STREAM = "bench-release";
const GROUP = "billing";
const HELD = 3_000;
const PAGE = 1_000;

export const RELEASE: Scenario = {
  name: "release",
  what: "releasing 3,000 messages to a group in which 100,000 more are pending",
  oursName: "Consumer.close",
  referenceName: "XCLAIM JUSTID to another name, 1,000 at a time",
  targets: [{ metric: "server ms/100 messages", of: "ours", bound: "at most", value: 1 }],
  prepare: async (bench) => ({
    ours: () => byConsumer(bench),
    reference: () => byHand(bench),
  }),
};

async function fill({ redis, quick }: Bench): Promise<void> {
  const others = quick ? 10_000 : 100_000;
  await redis.unlink(STREAM);
  await redis.xgroup("CREATE", STREAM, GROUP, "0", "MKSTREAM");
  await fillBacklog(redis, STREAM, others);
  await redis.call("XREADGROUP", "GROUP", GROUP, "others", "COUNT", others, "STREAMS", STREAM, ">");
  await fillBacklog(redis, STREAM, HELD);
}

async function byConsumer(bench: Bench): Promise<Figures> {
  await fill(bench);
  const consumer = new Consumer({
    redis: bench.server.url,
    stream: STREAM,
    group: GROUP,
    batchSize: HELD,
    prefetch: 0,
    observer() {},
  });
  const batch = await consumer.fetch();
  if (batch.size !== HELD) throw new Error(`${batch.size} messages instead of ${HELD}`);
  const before = await busyMs(bench.redis);
  const { released } = await consumer.close();
  if (released !== HELD) throw new Error(`${released} messages released instead of ${HELD}`);
  return figures(before, await busyMs(bench.redis));
}

async function byHand(bench: Bench): Promise<Figures> {
  await fill(bench);
  const { redis } = bench;
  await redis.call("XREADGROUP", "GROUP", GROUP, "me", "COUNT", HELD, "STREAMS", STREAM, ">");
  const before = await busyMs(redis);
  for (;;) {
    const pending = (await redis.xpending(STREAM, GROUP, "-", "+", PAGE, "me")) as [string][];
    if (pending.length === 0) break;
    await redis.call("XCLAIM", STREAM, GROUP, "somebody", 0, ...pending.map(([id]) => id), "JUSTID");
  }
  return figures(before, await busyMs(redis));
}

const figures = (beforeMs: number, afterMs: number): Figures => ({
  "server ms/100 messages": (afterMs - beforeMs) / (HELD / 100),
});

/** How long the server has been at work on scripts and claims so far, in milliseconds. */
async function busyMs(redis: Redis): Promise<number> {
  const stats = await redis.info("commandstats");
  const usec = [...stats.matchAll(/^cmdstat_(?:eval|evalsha|xclaim|xpending):calls=\d+,usec=(\d+)/gm)];
  return usec.reduce((sum, [, text]) => sum + Number(text) / 1_000, 0);
}
