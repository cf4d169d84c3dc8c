/**
 * `node --conditions=@redis-batch/source benchmarks/src/hand-over.ts [--messages n] [--groups n] [--backlog n]`: hands over what a dead
 * consumer left, page by page as the monitor does, and at once as monitors do that ask for everything. Prints how long it
 * took, and how long the server was kept by the longest single call: so long everybody else waits. Then looks at a stream
 * with many groups, and at one with a long backlog, whose length the server knows, and does not know.
 */
import { parseArgs } from "node:util";
import { Monitor } from "@redis-batch/monitor";
import { RedisServer } from "@redis-batch/test-support";
import { Redis } from "ioredis";

const { values: options } = parseArgs({
  options: {
    messages: { type: "string", default: "1000000" },
    groups: { type: "string", default: "1000" },
    backlog: { type: "string", default: "10000000" },
  },
});
const messages = Number(options.messages);
const groups = Number(options.groups);
const backlog = Number(options.backlog);
if (![messages, groups, backlog].every((count) => Number.isInteger(count) && count >= 1)) {
  console.error("usage: hand-over.ts [--messages n] [--groups n] [--backlog n]");
  process.exit(2);
}

const LEASE_MS = 600_000;
const LONG_MS = 3_600_000;
const STEP = 2_000;
const STREAM = "orders";
const CONSUMERS_PER_GROUP = 5;

await using server = await RedisServer.start({ listen: "tcp" });
const redis = new Redis({ ...server.options, replyMapping: "legacy" });

console.log(`${messages} pending messages of a dead consumer:`);
for (const [name, handOver] of [
  ["the monitor, page by page", byMonitor],
  ["all at once: XPENDING, XCLAIM, XGROUP DELCONSUMER", atOnce],
] as const) {
  await leaveBehind("billing");
  console.log(`  ${name}: ${await measure(() => handOver("billing"))}`);
  await redis.del(STREAM);
}

for (let group = 0; group < groups; group++) await fillGroup(`group-${group}`);
const monitor = new Monitor({ redis: server.url, stream: STREAM, groups: "all" });
await monitor.inspect();
console.log(
  `a look at ${groups} groups of ${CONSUMERS_PER_GROUP} consumers: ${await measure(() => monitor.inspect())}`,
);
await redis.del(STREAM);

for (const waiting of [1_000, backlog]) {
  await fillBacklog(waiting);
  console.log(`a look at a group with ${waiting} messages waiting: ${await measure(() => monitor.inspect())}`);
  // A hole among what waits: the server's lag is nil from now on.
  const [hole] = (await redis.xrange(STREAM, "-", "+", "COUNT", 500)).at(-1) ?? [""];
  await redis.xdel(STREAM, hole);
  console.log(`  and when the server does not know how many: ${await measure(() => monitor.inspect())}`);
  await redis.del(STREAM);
}
await monitor.close();
redis.disconnect();

/** A stream whose messages are all pending for a consumer that has been silent for long, and two that live. */
async function leaveBehind(group: string): Promise<void> {
  await redis.xgroup("CREATE", STREAM, group, "0", "MKSTREAM");
  for (let left = messages; left > 0; left -= STEP) {
    const adds = redis.pipeline();
    for (let index = 0; index < Math.min(STEP, left); index++) adds.xadd(STREAM, "*", "order", "x".repeat(100));
    await adds.exec();
    const read = (await redis.xreadgroup("GROUP", group, "dead", "COUNT", STEP, "STREAMS", STREAM, ">")) as [
      string,
      [string, string[]][],
    ][];
    const ids = (read[0]?.[1] ?? []).map(([id]) => id);
    await redis.call("XCLAIM", STREAM, group, "dead", 0, ...ids, "IDLE", LONG_MS, "JUSTID");
  }
  await beat(group, "dead", LONG_MS);
  for (const name of ["a", "b"]) {
    await redis.xgroup("CREATECONSUMER", STREAM, group, name);
    await beat(group, name, 0);
  }
}

/** A stream of which a group has read little. */
async function fillBacklog(waiting: number): Promise<void> {
  const add = "for _ = 1, ARGV[1] do redis.call('XADD', KEYS[1], '*', 'order', ARGV[2]) end";
  for (let left = waiting; left > 0; left -= 10_000) {
    await redis.eval(add, 1, STREAM, Math.min(left, 10_000), "x".repeat(100));
  }
  await redis.xgroup("CREATE", STREAM, "late", "0");
  await redis.xreadgroup("GROUP", "late", "c", "COUNT", 100, "STREAMS", STREAM, ">");
  await beat("late", "c", 0);
}

async function fillGroup(group: string): Promise<void> {
  await redis.xgroup("CREATE", STREAM, group, "0", "MKSTREAM");
  for (let consumer = 0; consumer < CONSUMERS_PER_GROUP; consumer++) {
    await redis.xadd(STREAM, "*", "order", "x".repeat(100));
    await redis.xreadgroup("GROUP", group, `c${consumer}`, "COUNT", 1, "STREAMS", STREAM, ">");
    await beat(group, `c${consumer}`, 0);
  }
}

/** Writes a heartbeat as consumers do, so long ago. */
async function beat(group: string, consumer: string, agoMs: number): Promise<void> {
  const [seconds] = await redis.time();
  const field = JSON.stringify({ v: 1, at: Number(seconds) * 1_000 - agoMs, leaseMs: LEASE_MS, incarnation: consumer });
  await redis.hset(`rb:{${STREAM}}:consumers:${STREAM}:${group}`, consumer, field);
}

async function byMonitor(group: string): Promise<void> {
  await using cleaner = new Monitor({ redis: server.url, stream: STREAM, group, graceMs: 0 });
  await cleaner.cleanUp();
}

/** What a monitor does that does not think of the other clients. */
async function atOnce(group: string): Promise<void> {
  const pending = (await redis.xpending(STREAM, group, "-", "+", messages, "dead")) as [string][];
  const ids = pending.map(([id]) => id);
  // As one list: so many arguments do not fit a function call.
  await redis.call("XCLAIM", [STREAM, group, "a", 1_000, ...ids]);
  await redis.xgroup("DELCONSUMER", STREAM, group, "dead");
}

/** How long it takes, and the longest that one call kept the server. */
async function measure(run: () => Promise<unknown>): Promise<string> {
  await redis.config("SET", "slowlog-log-slower-than", "500");
  await redis.config("SET", "slowlog-max-len", "100000");
  await redis.slowlog("RESET");
  const beganAtMs = performance.now();
  await run();
  const seconds = ((performance.now() - beganAtMs) / 1_000).toFixed(1);
  await redis.config("SET", "slowlog-log-slower-than", "-1");
  const calls = ((await redis.slowlog("GET", -1)) as [number, number, number][]).map(([, , micros]) => micros / 1_000);
  const longest = calls.reduce((most, ms) => Math.max(most, ms), 0);
  const spread = [2, 10, 100].map((ms) => `${calls.filter((one) => one > ms).length} over ${ms} ms`).join(", ");
  return `${seconds} s; the longest call ${longest === 0 ? "below 0.5" : longest.toFixed(1)} ms (${spread})`;
}
