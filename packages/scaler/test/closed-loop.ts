/** The loop, closed: real worker processes, real load, and a scaler that starts and drains them. */
import { fileURLToPath } from "node:url";
import { Producer } from "@redis-batch/consumer";
import { groupKey } from "@redis-batch/core/internal/names";
import type { RedisServer } from "@redis-batch/test-support";
import { eventually, uniqueName } from "@redis-batch/test-support";
import { ProcessPool, type ProcessPoolEvent, Scaler, type ScalerEvent, type ScalingOptions } from "../src/index.ts";

export interface Phase {
  readonly perSecond: number;
  /** How long it takes at least. */
  readonly seconds: number;
  /** It goes on until this holds, for a minute at most: on a busy machine all takes longer. */
  readonly until?: (moves: LoopResult["moves"]) => boolean;
  /** The scaler's options from this phase on. It is started again then, and remembers. */
  readonly scaling?: ScalingOptions;
}

export interface LoopResult {
  readonly added: number;
  /** Messages that were worked on more than once, or never. */
  readonly repeated: number;
  readonly missing: number;
  /** Messages left pending, and waiting. */
  readonly pending: number;
  readonly waiting: number;
  /** How long messages took from their arrival until they were done, in milliseconds, sorted, by phase of their arrival. */
  readonly tookMs: readonly (readonly number[])[];
  /** Consumers that were ordered, each with the phase. */
  readonly moves: readonly {
    readonly phase: number;
    readonly from: number;
    readonly to: number;
    readonly atMs: number;
  }[];
  readonly workers: readonly ProcessPoolEvent[];
  readonly reasons: readonly string[];
}

const COST_MS = 20;
const BATCH_SIZE = 10;
const TICK_MS = 50;
const LONGEST_EXTENSION_SECONDS = 60;
const WORKER = fileURLToPath(new URL("closed-loop.worker.ts", import.meta.url));

/** Messages a worker does in a second, at most. */
export const WORKER_PER_SECOND = 1_000 / COST_MS;

/** Runs all phases, then waits until everything is done and the workers are gone. */
export async function runLoop(server: RedisServer, phases: readonly Phase[]): Promise<LoopResult> {
  const [stream, group] = [uniqueName("stream"), "group"];
  await server.command("XGROUP", "CREATE", stream, group, 0, "MKSTREAM");
  const workers: ProcessPoolEvent[] = [];
  await using pool = new ProcessPool({
    command: process.execPath,
    args: ["--conditions=@redis-batch/source", "--disable-warning=ExperimentalWarning", WORKER],
    env: {
      ...{ REDIS_URL: server.url, STREAM: stream, GROUP: group, NODE_OPTIONS: undefined },
      ...{ COST_MS: String(COST_MS), BATCH_SIZE: String(BATCH_SIZE) },
    },
    observer: (event) => workers.push(event),
  });
  await using producer = new Producer({ redis: server.options, stream });
  const beganAtMs = performance.now();
  const moves: LoopResult["moves"][number][] = [];
  const reasons: string[] = [];
  const phaseOf = new Map<string, number>();
  let phase = 0;
  const observer = (event: ScalerEvent): void => {
    if (event.type === "decided")
      reasons.push(`${event.decision.current} → ${event.decision.desired}: ${event.decision.reason}`);
    if (event.type === "scaled") {
      moves.push({ phase, from: event.from, to: event.to, atMs: Math.round(performance.now() - beganAtMs) });
    }
  };
  let scaler: Scaler | undefined;
  let run: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await scaler?.close();
    await run;
  };
  try {
    for (const { perSecond, seconds, until = () => true, scaling } of phases) {
      if (scaling !== undefined) {
        await stop();
        scaler = new Scaler({ redis: server.options, stream, group, observer, ...scaling });
        run = scaler.run({ intervalMs: 1_000, executor: pool });
        run.catch(() => {});
      }
      const startedAtMs = performance.now();
      for (let added = 0, isOver = false; !isOver; ) {
        const elapsed = (performance.now() - startedAtMs) / 1_000;
        isOver = elapsed >= seconds && (until(moves) || elapsed >= seconds + LONGEST_EXTENSION_SECONDS);
        const due = Math.floor(elapsed * perSecond);
        const ids = await Promise.all(
          Array.from({ length: due - added }, (_, at) => producer.add({ n: String(added + at) })),
        );
        for (const id of ids) phaseOf.set(id, phase);
        added = due;
        await new Promise((resolve) => setTimeout(resolve, TICK_MS));
      }
      phase++;
    }
    const summary = async () => Number(((await server.command("XPENDING", stream, group)) as unknown[])[0]);
    await eventually(
      "all is done",
      async () => (await server.command("HLEN", `${stream}:times`)) === phaseOf.size && (await summary()) === 0,
      { timeoutMs: 60_000 },
    );
    await stop();
    await pool.close();
    const times = await hash(server, `${stream}:times`);
    const took = await hash(server, `${stream}:took`);
    const groups = (await server.command("XINFO", "GROUPS", stream)) as unknown[][];
    const lag = groups[0]?.[groups[0].indexOf("lag") + 1];
    return {
      added: phaseOf.size,
      repeated: [...times.values()].filter((count) => count !== 1).length,
      missing: [...phaseOf.keys()].filter((id) => !times.has(id)).length,
      pending: await summary(),
      waiting: Number(lag),
      tookMs: phases.map((_, at) =>
        [...phaseOf].flatMap(([id, of]) => (of === at ? [took.get(id) ?? Number.NaN] : [])).toSorted((a, b) => a - b),
      ),
      ...{ moves, workers, reasons },
    };
  } finally {
    await stop();
    await server.command("DEL", stream, `${stream}:times`, `${stream}:took`, groupKey("audit", stream, group));
  }
}

async function hash(server: RedisServer, key: string): Promise<Map<string, number>> {
  const flat = (await server.command("HGETALL", key)) as string[];
  return new Map(flat.flatMap((name, at) => (at % 2 === 0 ? [[name, Number(flat[at + 1])] as const] : [])));
}

/** Moves that took back the one before. */
export function reversals(moves: LoopResult["moves"]): number {
  const signs = moves.map(({ from, to }) => Math.sign(to - from));
  return signs.filter((sign, at) => at > 0 && sign !== signs[at - 1]).length;
}

/** The value that this share of all do not exceed; `sorted` is. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
