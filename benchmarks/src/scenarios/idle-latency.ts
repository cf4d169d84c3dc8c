import { setTimeout as pause } from "node:timers/promises";
import { contenderScript } from "../build.ts";
import { runContender } from "../contender.ts";
import type { Figures } from "../figures.ts";
import { stampNow } from "../latencies.ts";
import type { Bench, Scenario } from "../scenario.ts";
import { taskOf } from "./consuming.ts";

const STREAM = "bench:idle";
// Long enough for the one before to be over.
const GAP_MS = 4;

export const IDLE_LATENCY: Scenario = {
  name: "idle-latency",
  what: "one message at a time on an idle stream, from just before its XADD to the handler, without a batch wait",
  oursName: "Consumer.run",
  referenceName: "raw ioredis loop",
  targets: [
    { metric: "latency p50 ms", of: "ratio", bound: "at most", value: 0.8 },
    { metric: "latency p99 ms", of: "ratio", bound: "at most", value: 1 },
  ],
  prepare: async (bench) => ({
    ours: () => waitForMessages(bench, "latency-consumer-run"),
    reference: () => waitForMessages(bench, "latency-raw-ioredis"),
  }),
};

async function waitForMessages(bench: Bench, contender: string): Promise<Figures> {
  const { redis, server, quick } = bench;
  const group = "idle";
  await redis.xgroup("CREATE", STREAM, group, "0", "MKSTREAM");
  const messages = quick ? 250 : 1_000;
  const task = taskOf(bench, {
    ...{ stream: STREAM, group, batchSize: 1, maxWaitMs: 0, variant: "" },
    ...{ messages, warmUp: messages / 5 },
  });
  const feed = async (signal: AbortSignal): Promise<void> => {
    for (let index = 0; index < messages && !signal.aborted; index++) {
      await redis.xadd(STREAM, "*", "at", stampNow());
      await pause(GAP_MS);
    }
  };
  const figures = await runContender(contenderScript(contender), task, server, { feed });
  await redis.unlink(STREAM);
  return { "latency p50 ms": figures["latency p50 ms"] ?? 0, "latency p99 ms": figures["latency p99 ms"] ?? 0 };
}
