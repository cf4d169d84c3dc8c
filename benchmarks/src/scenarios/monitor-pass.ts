import { Monitor } from "@redis-batch/monitor";
import { fillBacklog, fillGroup } from "../dead-consumer.ts";
import type { Figures } from "../figures.ts";
import type { Bench, Scenario } from "../scenario.ts";
import { longestOf, timeCalls } from "../server-calls.ts";

const CONSUMERS = 1_000;
const GROUP = "billing";
const SHORT = "bench-monitor-short";
const LONG = "bench-monitor-long";

export const MONITOR_PASS: Scenario = {
  name: "monitor-pass",
  what: "one monitor pass over a group of 1,000 consumers with a long backlog; it costs the same as without a backlog",
  oursName: "long backlog",
  referenceName: "1,000 waiting",
  // What one call more or less makes, and no more.
  targets: [{ metric: "wall ms", of: "ratio", bound: "at most", value: 1.2 }],
  prepare: async (bench) => {
    const { redis, quick, server } = bench;
    for (const [stream, waiting] of [
      [SHORT, 1_000],
      [LONG, quick ? 200_000 : 3_000_000],
    ] as const) {
      await fillGroup(redis, stream, GROUP, CONSUMERS);
      await fillBacklog(redis, stream, waiting);
    }
    const monitors = [LONG, SHORT].map((stream) => new Monitor({ redis: server.url, stream, group: GROUP }));
    const [long, short] = monitors as [Monitor, Monitor];
    for (const monitor of monitors) await monitor.inspect();
    return {
      ours: () => look(bench, long),
      reference: () => look(bench, short),
      close: async () => {
        for (const monitor of monitors) await monitor.close();
        await redis.unlink(SHORT, LONG);
      },
    };
  },
};

// One look is so short that a single interruption would be all there is to see.
const LOOKS = 10;

async function look({ redis }: Bench, monitor: Monitor): Promise<Figures> {
  const calls = await timeCalls(redis, async () => {
    for (let index = 0; index < LOOKS; index++) await monitor.inspect();
  });
  return { "wall ms": calls.wallMs / LOOKS, "longest call ms": longestOf(calls) };
}
