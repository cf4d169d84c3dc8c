/**
 * `node --conditions=@redis-batch/source benchmarks/src/hand-over.ts [--messages n] [--groups n] [--backlog n]`: hands over what a dead
 * consumer left, page by page as the monitor does, and at once as monitors do that ask for everything. Prints how long it
 * took, and how long the longest single call blocked the server for all other clients. Then inspects a stream
 * with many groups, and at one with a long backlog, whose length the server knows, and does not know.
 */
import { parseArgs } from "node:util";
import { Monitor } from "@redis-batch/monitor";
import { RedisServer } from "@redis-batch/test-support";
import { Redis } from "ioredis";
import { fillBacklog, fillGroup, leaveBehind, watchDead } from "./dead-consumer.ts";
import { longestOf, timeCalls } from "./server-calls.ts";

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

const STREAM = "orders";
const GROUP = "billing";
const CONSUMERS_PER_GROUP = 5;

await using server = await RedisServer.start({ listen: "tcp" });
const redis = new Redis({ ...server.options, replyMapping: "legacy" });

console.log(`${messages} pending messages of a dead consumer:`);
for (const [name, handOver] of [
  ["the monitor, page by page", byMonitor],
  ["all at once: XPENDING, XCLAIM, XGROUP DELCONSUMER", atOnce],
] as const) {
  await leaveBehind(redis, STREAM, GROUP, messages);
  await using cleaner = new Monitor({ redis: server.url, stream: STREAM, group: GROUP, graceMs: 0 });
  await watchDead(cleaner);
  console.log(`  ${name}: ${await measure(() => handOver(cleaner))}`);
  await redis.del(STREAM);
}

for (let group = 0; group < groups; group++) await fillGroup(redis, STREAM, `group-${group}`, CONSUMERS_PER_GROUP);
const monitor = new Monitor({ redis: server.url, stream: STREAM, groups: "all" });
await monitor.inspect();
console.log(
  `a pass over ${groups} groups of ${CONSUMERS_PER_GROUP} consumers: ${await measure(() => monitor.inspect())}`,
);
await redis.del(STREAM);

for (const waiting of [1_000, backlog]) {
  await fillGroup(redis, STREAM, "late", 1);
  await fillBacklog(redis, STREAM, waiting);
  console.log(`a pass over a group with ${waiting} messages waiting: ${await measure(() => monitor.inspect())}`);
  // A hole among what waits: the server's lag is nil from now on.
  const [hole] = (await redis.xrange(STREAM, "-", "+", "COUNT", 500)).at(-1) ?? [""];
  await redis.xdel(STREAM, hole);
  console.log(`  and when the server does not know how many: ${await measure(() => monitor.inspect())}`);
  await redis.del(STREAM);
}
await monitor.close();
redis.disconnect();

async function byMonitor(cleaner: Monitor): Promise<void> {
  await cleaner.cleanUp();
}

/** What a monitor does that does not think of the other clients. */
async function atOnce(): Promise<void> {
  const pending = (await redis.xpending(STREAM, GROUP, "-", "+", messages, "dead")) as [string][];
  const ids = pending.map(([id]) => id);
  // As one list: that many arguments do not fit a function call.
  await redis.call("XCLAIM", [STREAM, GROUP, "a", 1_000, ...ids]);
  await redis.xgroup("DELCONSUMER", STREAM, GROUP, "dead");
}

/** How long it takes, and the longest that one call kept the server. */
async function measure(run: () => Promise<unknown>): Promise<string> {
  const calls = await timeCalls(redis, run);
  const { wallMs, callsMs } = calls;
  const longest = callsMs.length === 0 ? "below 0.5" : longestOf(calls).toFixed(1);
  const spread = [2, 10, 100].map((ms) => `${callsMs.filter((one) => one > ms).length} over ${ms} ms`).join(", ");
  return `${(wallMs / 1_000).toFixed(1)} s; the longest call ${longest} ms (${spread})`;
}
