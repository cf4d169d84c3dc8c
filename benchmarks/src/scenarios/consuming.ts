/** Two contenders that empty the same stream, each in a group of its own. */
import { contenderScript } from "../build.ts";
import { type ContenderOptions, runContender } from "../contender.ts";
import type { Task } from "../contending.ts";
import type { Figures } from "../figures.ts";
import type { Arena, Bench } from "../scenario.ts";

export interface Consuming {
  /** The contender's script, or its name among ours. */
  readonly contender: string;
  readonly variant?: string;
  readonly options?: ContenderOptions;
}

export interface Load {
  readonly stream: string;
  readonly batchSize: number;
  readonly messages: number;
  readonly warmUp: number;
  /** How long the third field is, in bytes. Default 60. */
  readonly noteBytes?: number;
  /** Default 1,000. */
  readonly maxWaitMs?: number;
  /** How many customers there are, one after the other. Default 1,000. */
  readonly keys?: number;
  /** Whether each carries the context of a trace. */
  readonly isTraced?: boolean;
}

// Half a million messages later compiling still shows: it is not what a message costs.
const LOADS = {
  quick: { messages: 75_000, warmUp: 25_000 },
  full: { messages: 2_000_000, warmUp: 1_000_000 },
} as const;

/** The usual number of messages, or a share of it for contenders that take long. */
export function loadOf({ quick }: Bench, stream: string, batchSize: number, share = 1): Load {
  const { messages, warmUp } = LOADS[quick ? "quick" : "full"];
  return { stream, batchSize, messages: messages * share, warmUp: warmUp * share };
}

// The number of messages that one script adds at a time.
const FILL_STEP = 10_000;
const FILL =
  "for i = ARGV[1], ARGV[2] do redis.call('XADD', KEYS[1], '*', 'order', 'order-' .. i, 'customer', 'customer-' .. i % ARGV[4], 'note', ARGV[3]) end";
const FILL_TRACED = FILL.replace(
  "ARGV[3])",
  "ARGV[3], 'rb:traceparent', string.format('00-%032x-%016x-01', i + 1, i + 1))",
);

/** Fills the stream → both contenders, ready to work on all of it. */
export async function consumingArena(bench: Bench, load: Load, ours: Consuming, reference: Consuming): Promise<Arena> {
  await fill(bench, load);
  return {
    ours: (round) => consume(bench, load, ours, `ours-${round}`),
    reference: (round) => consume(bench, load, reference, `reference-${round}`),
    close: async () => void (await bench.redis.unlink(load.stream)),
  };
}

/** The same for contenders that delete finished messages: each gets its own stream. */
export function deletingArena(bench: Bench, load: Load, ours: Consuming, reference: Consuming): Arena {
  const once = async (who: Consuming): Promise<Figures> => {
    await fill(bench, load);
    const figures = await consume(bench, load, who, "only");
    await bench.redis.unlink(load.stream);
    return figures;
  };
  return { ours: () => once(ours), reference: () => once(reference) };
}

/** Has one contender work on all of the stream. */
async function consume(bench: Bench, load: Load, who: Consuming, group: string): Promise<Figures> {
  await bench.redis.xgroup("CREATE", load.stream, group, "0", "MKSTREAM");
  const { maxWaitMs = 1_000 } = load;
  const task = taskOf(bench, { ...load, group, variant: who.variant ?? "batch", maxWaitMs });
  const figures = await runContender(contenderScript(who.contender), task, bench.server, who.options);
  await bench.redis.xgroup("DESTROY", load.stream, group);
  return figures;
}

/** A task on the bench's server. */
export function taskOf({ server, isCluster }: Bench, task: Omit<Task, "redis">): Task {
  const { stream, streams, group, batchSize, maxWaitMs, variant, warmUp, messages } = task;
  const { host, port } = server;
  const { tls } = server.options;
  const redis = { host, port, isCluster, ...(tls === undefined ? {} : { tls: { ca: String(tls.ca) } }) };
  return { redis, stream, streams, group, batchSize, maxWaitMs, variant, warmUp, messages };
}

export async function fill(
  { redis }: Bench,
  {
    stream,
    messages,
    noteBytes = 60,
    keys = 1_000,
    isTraced = false,
  }: Pick<Load, "stream" | "messages" | "noteBytes" | "keys" | "isTraced">,
): Promise<void> {
  for (let from = 0; from < messages; from += FILL_STEP) {
    const last = Math.min(from + FILL_STEP, messages) - 1;
    await redis.eval(isTraced ? FILL_TRACED : FILL, 1, stream, from, last, "x".repeat(noteBytes), keys);
  }
}
