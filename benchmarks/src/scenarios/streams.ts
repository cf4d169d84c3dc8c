/**
 * One consumer of ten streams, against ten consumers of one stream each in one process, and against one stream with all messages.
 * And of a stream with twelve partitions, against one without.
 */
import { setTimeout as pause } from "node:timers/promises";
import { partitionStreams } from "@redis-batch/core";
import { contenderScript } from "../build.ts";
import { runContender } from "../contender.ts";
import type { Figures, Metric } from "../figures.ts";
import { stampNow } from "../latencies.ts";
import type { Bench, Scenario } from "../scenario.ts";
import { fill, taskOf } from "./consuming.ts";

const TEN = Array.from({ length: 10 }, (_, index) => `bench:streams-${index}`);
const ONE = ["bench:streams-0"];
const GROUP = "bench";

/** Which streams, and whether each has a consumer of its own. */
interface Lineup {
  readonly streams: readonly string[];
  readonly variant: "together" | "apart" | "partitions";
}

const LOGICAL = "bench:partitions";

const TOGETHER: Lineup = { streams: TEN, variant: "together" };
const APART: Lineup = { streams: TEN, variant: "apart" };
const PARTITIONS: Lineup = { streams: partitionStreams(LOGICAL, 12), variant: "partitions" };
const PLAIN: Lineup = { streams: ONE, variant: "together" };

type Run = (bench: Bench, lineup: Lineup) => Promise<Figures>;

interface Kind {
  readonly name: string;
  readonly what: string;
  readonly run: Run;
  readonly metrics: readonly Metric[];
}

const PER_MESSAGE: readonly Metric[] = [
  "client CPU µs/message",
  "commands/1,000 messages",
  "connections",
  "peak RSS MB",
];

const KINDS: readonly Kind[] = [
  {
    name: "backlog",
    what: "a backlog spread over ten streams, batch 100",
    run: backlog,
    metrics: [...PER_MESSAGE, "server CPU µs/message", "messages/s"],
  },
  {
    name: "trickle",
    what: "1,000 messages a second in all, added one by one, batch 100, a batch wait of a second",
    run: (bench, lineup) => trickle(bench, lineup, { perSecond: 1_000, maxWaitMs: 1_000 }),
    metrics: PER_MESSAGE,
  },
  {
    name: "drops",
    what: "200 messages a second in all, added one by one, without a batch wait",
    run: (bench, lineup) => trickle(bench, lineup, { perSecond: 200, maxWaitMs: 0 }),
    metrics: PER_MESSAGE,
  },
  {
    name: "idle",
    what: "nothing to do; commands include those of scripts",
    run: idle,
    metrics: ["client CPU ms/s", "server CPU ms/s", "commands/s", "connections", "peak RSS MB"],
  },
];

export const STREAMS: readonly Scenario[] = [
  ...KINDS.flatMap(({ name, what, run, metrics }) => [
    against(`streams-${name}`, what, run, metrics, APART),
    against(`streams-${name}-plain`, `${what}; against all of it in one stream`, run, metrics, PLAIN),
  ]),
  ...KINDS.map(({ name, what, run, metrics }) => ({
    name: `partitions-${name}`,
    what: `${what.replace("spread over ten streams", "in twelve partitions")}; against all of it in one stream`,
    metrics,
    ...{ oursName: "12 partitions", referenceName: "one stream" },
    targets: [],
    prepare: async (bench: Bench) => ({ ours: () => run(bench, PARTITIONS), reference: () => run(bench, PLAIN) }),
  })),
  against(
    "streams-quiet",
    "one message at a time on one of nine quiet streams, without a batch wait, while the tenth has a backlog on which each batch takes 2 ms",
    quiet,
    ["latency p50 ms", "latency p99 ms"],
    APART,
  ),
];

function against(name: string, what: string, run: Run, metrics: readonly Metric[], reference: Lineup): Scenario {
  return {
    ...{ name, what, metrics },
    oursName: "one consumer of ten",
    referenceName: reference === PLAIN ? "one of one" : "ten consumers",
    targets:
      reference === PLAIN
        ? []
        : [
            { metric: "client CPU µs/message", of: "ratio", bound: "at most", value: 1 },
            { metric: "client CPU ms/s", of: "ratio", bound: "at most", value: 1 },
            { metric: "connections", of: "ours", bound: "at most", value: 2 },
          ],
    prepare: async (bench) => ({
      ours: () => run(bench, TOGETHER),
      reference: () => run(bench, reference),
    }),
  };
}

async function backlog(bench: Bench, { streams, variant }: Lineup): Promise<Figures> {
  // Full batches of each stream: a last one that is not full waits for `maxWaitMs`.
  const messages = bench.quick ? 72_000 : 300_000;
  for (const stream of streams) await fill(bench, { stream, messages: messages / streams.length });
  return contend(bench, "streams", { streams, variant }, { messages, warmUp: messages / 3, maxWaitMs: 1_000 });
}

async function trickle(
  bench: Bench,
  lineup: Lineup,
  { perSecond, maxWaitMs }: { readonly perSecond: number; readonly maxWaitMs: number },
): Promise<Figures> {
  const messages = perSecond * (bench.quick ? 3 : 9);
  const adding = taskOf(bench, {
    ...{ stream: "", streams: lineup.streams, group: "", batchSize: 1, maxWaitMs: 0, variant: String(perSecond) },
    ...{ messages, warmUp: 0 },
  });
  const feed = async (): Promise<void> =>
    void (await runContender(contenderScript("trickle-producer"), adding, bench.server));
  return contend(bench, "streams", lineup, { messages, warmUp: messages / 3, maxWaitMs }, feed);
}

function idle(bench: Bench, lineup: Lineup): Promise<Figures> {
  const seconds = bench.quick ? 5 : 15;
  return contend(bench, "streams-idle", lineup, { messages: seconds, warmUp: 2, maxWaitMs: 1_000 });
}

// Long enough for the one before to be over.
const GAP_MS = 4;

async function quiet(bench: Bench, lineup: Lineup): Promise<Figures> {
  const { redis, quick } = bench;
  const [busy = "", ...others] = lineup.streams;
  const messages = quick ? 500 : 1_000;
  // More than can be worked off in the time.
  await fill(bench, { stream: busy, messages: messages * GAP_MS * 150 });
  const feed = async (signal: AbortSignal): Promise<void> => {
    for (let index = 0; index < messages && !signal.aborted; index++) {
      await redis.xadd(others[index % others.length] as string, "*", "at", stampNow());
      await pause(GAP_MS);
    }
  };
  return contend(bench, "streams-quiet", lineup, { messages, warmUp: 0, maxWaitMs: 0 }, feed);
}

async function contend(
  bench: Bench,
  contender: string,
  { streams, variant }: Lineup,
  load: { readonly messages: number; readonly warmUp: number; readonly maxWaitMs: number },
  feed?: (signal: AbortSignal) => Promise<void>,
): Promise<Figures> {
  const { redis, server } = bench;
  for (const stream of streams) await redis.xgroup("CREATE", stream, GROUP, "0", "MKSTREAM");
  const task = taskOf(bench, { stream: LOGICAL, streams, group: GROUP, batchSize: 100, variant, ...load });
  const figures = await runContender(contenderScript(contender), task, server, feed === undefined ? {} : { feed });
  await redis.unlink(...streams);
  return figures;
}
