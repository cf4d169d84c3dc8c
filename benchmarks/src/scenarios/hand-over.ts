import { Monitor } from "@redis-batch/monitor";
import type { Redis } from "ioredis";
import { leaveBehind, watchDead } from "../dead-consumer.ts";
import type { Figures } from "../figures.ts";
import type { Bench, Scenario } from "../scenario.ts";
import { longestOf, timeCalls } from "../server-calls.ts";

const STREAM = "bench-hand-over";
const GROUP = "billing";
const PAGE = 100;

export const HAND_OVER: Scenario = {
  name: "hand-over",
  what: "handing over all messages of a dead consumer",
  oursName: "Monitor.cleanUp",
  referenceName: "XPENDING and XCLAIM JUSTID in pages of 100",
  targets: [
    { metric: "wall ms", of: "ratio", bound: "at most", value: 1 },
    { metric: "longest call ms", of: "ours", bound: "at most", value: 7 },
  ],
  mostRounds: 3,
  prepare: async (bench) => ({
    ours: () => byMonitor(bench),
    reference: () => handOver(bench, () => byHand(bench.redis)),
  }),
};

async function handOver(
  { redis, quick }: Bench,
  run: () => Promise<unknown>,
  before: () => Promise<void> = async () => {},
): Promise<Figures> {
  const messages = quick ? 20_000 : 1_000_000;
  await leaveBehind(redis, STREAM, GROUP, messages);
  await before();
  const calls = await timeCalls(redis, run);
  const [left] = await redis.xpending(STREAM, GROUP, "-", "+", 1, "dead");
  await redis.unlink(STREAM, `rb:{${STREAM}}:consumers:${STREAM}:${GROUP}`);
  if (left !== undefined) throw new Error("the dead consumer was left with messages");
  return { "wall ms": calls.wallMs, "longest call ms": longestOf(calls) };
}

async function byMonitor(bench: Bench): Promise<Figures> {
  await using cleaner = new Monitor({ redis: bench.server.url, stream: STREAM, group: GROUP, graceMs: 0 });
  return await handOver(
    bench,
    () => cleaner.cleanUp(),
    () => watchDead(cleaner),
  );
}

async function byHand(redis: Redis): Promise<void> {
  for (;;) {
    const pending = (await redis.xpending(STREAM, GROUP, "-", "+", PAGE, "dead")) as [string][];
    if (pending.length === 0) break;
    await redis.call("XCLAIM", STREAM, GROUP, "a", 1_000, ...pending.map(([id]) => id), "JUSTID");
  }
  await redis.xgroup("DELCONSUMER", STREAM, GROUP, "dead");
}
