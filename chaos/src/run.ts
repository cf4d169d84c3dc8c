/**
 * One round: a server, producers and workers of its own, a load with faults, the way back to rest, and the verdict. All
 * of it is gone afterwards.
 */

import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import {
  createScratchFolder,
  eventually,
  RedisServer,
  removeScratchFolder,
  runWorker,
  seededRandom,
} from "@redis-batch/test-support";
import type { Span } from "./duplicate.ts";
import type { Scene, Target } from "./faults/fault.ts";
import { FAULTS } from "./faults/index.ts";
import { countInFlight, readFinalState, readIntentsLeft, readUnrest } from "./final-state.ts";
import type { IntentShares } from "./intent.ts";
import { journalNowMs, type ProducerLine, readJournal, type WorkerLine } from "./journal.ts";
import { judge, type Problem, type Verdict } from "./ledger.ts";
import { type MemorySample, measureMemory, type RoundMemory } from "./memory.ts";
import { Monitors } from "./monitors.ts";
import { Place } from "./place.ts";
import { type FaultKind, type PlannedFault, planFaults } from "./plan.ts";
import { linesAbout, reconstruct } from "./reconstruct.ts";
import { decideRestLimitMs } from "./rest-limit.ts";
import { type ProducerTask, RETRY } from "./tasks.ts";
import { describeUnrest, type WorkerAtUnrest } from "./unrest.ts";

export interface RoundOptions {
  readonly seed: number;
  readonly messages: number;
  readonly producers: number;
  readonly workers: number;
  /** How many of the workers' processes live through the round. */
  readonly lasting: number;
  /** How long the load takes. */
  readonly loadMs: number;
  readonly kinds: readonly FaultKind[];
  /** The mean time from one fault to the next. */
  readonly everyMs: number;
  readonly leaseMs: number;
  readonly maxDeliveries: number;
  readonly shares: IntentShares;
  /** Called with what is worth telling a person. */
  readonly progress: (text: string) => void;
}

export interface Round {
  readonly seed: number;
  readonly verdict: Verdict;
  /** The first problems, with their histories. */
  readonly findings: readonly Finding[];
  /** What else went wrong: a worker that crashed, a drain that did not end. */
  readonly failures: readonly string[];
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  readonly processes: number;
  /** How often a monitor handed messages over or removed a name. */
  readonly monitorMoves: number;
  readonly memory: RoundMemory;
  readonly elapsedMs: number;
}

export interface Finding extends Problem {
  readonly history: readonly string[];
}

const GROUP = "workers";
// Written anew when it has got this long, the file is read in seconds also after hours, however busy the machine.
const SERVER_CONFIG = ["auto-aof-rewrite-min-size 8mb", "auto-aof-rewrite-percentage 50"];
/** How many problems are told with their histories. */
const SHOWN_PROBLEMS = 10;
const LOOK_EVERY_MS = 500;
/** Longer than any fault of the sink, and short enough for a round: poison may be all that a worker has left. */
const MAX_OUTAGE_MS = 10_000;
const PRODUCERS_LIMIT_MS = 30_000;

export async function runRound(options: RoundOptions): Promise<Round> {
  const { seed, loadMs, progress, leaseMs } = options;
  const startedAtMs = performance.now();
  const folder = createScratchFolder();
  try {
    await using server = await RedisServer.start({ persistence: "aof", listen: "tcp", config: SERVER_CONFIG });
    const stream = `chaos-${seed}`;
    await using crew = new AsyncDisposableStack();
    const places: Place[] = [];
    for (let index = 0; index < options.workers; index++) {
      places.push(crew.use(await Place.open(placeOptions(options, server, stream, folder, index))));
    }
    const monitors = crew.use(new Monitors(server, { stream, leaseMs }));
    const blackboard = createBlackboard();
    const over = new AbortController();
    const scene: Scene = {
      server,
      stream,
      deadLetters: `rb:{${stream}}:dead:${stream}:${GROUP}`,
      places,
      monitors,
      sinkFault: sinkFaultPath(folder),
      over: over.signal,
      ...blackboard,
    };
    const producers = startProducers(options, server, stream, folder);
    const faults = strikeAll(planFaults({ ...options, durationMs: loadMs }), scene, progress);
    const failures = [...(await producers)];
    over.abort();
    const struck = await faults;
    const limitMs = decideRestLimitMs({
      ...options,
      maxOutageMs: MAX_OUTAGE_MS,
      retryCapMs: RETRY.capMs,
      left: await readIntentsLeft(server, stream),
    });
    progress(`the load and the faults are over; waiting for rest, ${Math.round(limitMs / 1_000)} s at most`);
    const unrest = await rest(scene, limitMs);
    failures.push(...unrest);
    progress(`${unrest.length === 0 ? "nothing" : "something"} is in flight; draining the workers`);
    failures.push(...(await Promise.all(places.map((place) => place.drain()))).flat());
    await monitors.end();
    failures.push(...places.flatMap(({ crashes }) => crashes), ...monitors.crashes);
    const final = await readFinalState(server, stream, scene.deadLetters);

    const journals = places.flatMap((place) =>
      place.incarnations.map(({ worker, journal }) => ({ place, worker, lines: readJournal<WorkerLine>(journal) })),
    );
    const known = Array.from({ length: options.producers }, (_, index) =>
      readJournal<ProducerLine>(join(folder, `p${index}.ndjson`)),
    ).flat();
    const confirmed = known.filter((line) => line.e === "confirmed");
    const histories = journals.map(({ place, worker, lines }) =>
      reconstruct(worker, lines, true, blackboard.spansOf(place)),
    );
    const verdict = judge({
      leaseMs,
      confirmed,
      unknown: known.filter((line) => line.e === "unknown"),
      offers: histories.flatMap(({ offers }) => offers),
      workers: histories.map(({ life }) => life),
      destroyed: blackboard.destroyedIds,
      destroyedDeadLetters: blackboard.destroyedDeadIds,
      final,
    });
    // The histories of all would take hours to find when half a million messages go wrong.
    const findings = verdict.problems.slice(0, SHOWN_PROBLEMS).map((problem) => ({
      ...problem,
      history: journals.flatMap(({ worker, lines }) =>
        linesAbout(lines, problem.key, problem.id).map((line) => `${worker} ${JSON.stringify(line)}`),
      ),
    }));
    return {
      seed,
      verdict,
      findings,
      failures,
      faults: struck,
      processes: journals.length,
      monitorMoves: monitors.moves,
      memory: measureMemory(journals.map(({ lines }) => memoryOf(lines))),
      elapsedMs: performance.now() - startedAtMs,
    };
  } finally {
    removeScratchFolder(folder);
  }
}

function placeOptions(
  { seed, leaseMs, maxDeliveries, lasting }: RoundOptions,
  server: RedisServer,
  stream: string,
  folder: string,
  index: number,
): Parameters<typeof Place.open>[0] {
  return {
    server,
    index,
    seed,
    folder,
    hangMs: leaseMs,
    task: {
      stream,
      group: GROUP,
      workMs: 10,
      blockMs: leaseMs * 1.5,
      sinkFault: sinkFaultPath(folder),
      // Both ways of reading are in every round with two workers.
      isLent: index % 2 === 1,
      mustLast: index < lasting,
      options: {
        batchSize: 50,
        concurrency: 2,
        maxDeliveries,
        maxOutageMs: MAX_OUTAGE_MS,
        leaseMs,
        recoverEveryMs: leaseMs / 4,
      },
    },
  };
}

const sinkFaultPath = (folder: string): string => join(folder, "sink-fault");

function memoryOf(lines: readonly WorkerLine[]): readonly MemorySample[] {
  return lines.flatMap((line) =>
    line.e === "memory" ? [{ atMs: line.t, rssMiB: line.rssMiB, heapMiB: line.heapMiB }] : [],
  );
}

/** Where the faults write down what the ledger must know. */
function createBlackboard(): Pick<Scene, "away" | "destroyed" | "destroyedDeadLetters"> & {
  readonly destroyedIds: ReadonlySet<string>;
  readonly destroyedDeadIds: ReadonlySet<string>;
  readonly spansOf: (place: Place) => readonly Span[];
} {
  const destroyedIds = new Set<string>();
  const destroyedDeadIds = new Set<string>();
  const spans: { readonly span: Span; readonly place: Place | undefined }[] = [];
  return {
    destroyedIds,
    destroyedDeadIds,
    destroyed: (ids) => ids.forEach((id) => void destroyedIds.add(id)),
    destroyedDeadLetters: (ids) => ids.forEach((id) => void destroyedDeadIds.add(id)),
    away: (fromMs, toMs, why, place) => void spans.push({ span: { fromMs, toMs, why }, place }),
    spansOf: (place) =>
      spans.filter((noted) => noted.place === undefined || noted.place === place).map(({ span }) => span),
  };
}

/** Resolves when every producer has ended, with what went wrong. */
async function startProducers(
  options: RoundOptions,
  server: RedisServer,
  stream: string,
  folder: string,
): Promise<readonly string[]> {
  const { producers, messages, loadMs, seed, shares } = options;
  const random = seededRandom(seed);
  const tasks = Array.from({ length: producers }, (_, index): ProducerTask => {
    const own = Math.floor(messages / producers);
    return {
      url: server.url,
      stream,
      journal: join(folder, `p${index}.ndjson`),
      name: `p${index}`,
      seed: random.integer(2 ** 31),
      messages: own,
      perSecond: own / (loadMs / 1_000),
      shares,
      keyed: index % 2 === 0,
      giveUpAfterMs: loadMs + PRODUCERS_LIMIT_MS / 2,
    };
  });
  const script = new URL("producer-process.ts", import.meta.url);
  const ends = tasks.map(async (task) => {
    await using process = await runWorker(script, { args: [JSON.stringify(task)] });
    try {
      await process.waitForLine("done", { timeoutMs: loadMs + PRODUCERS_LIMIT_MS });
      await process.exited;
      return [];
    } catch (error) {
      return [`producer ${task.name}: ${String(error)}`];
    }
  });
  return (await Promise.all(ends)).flat();
}

/** Strikes as planned, never twice at once in one place → how often each kind struck. */
async function strikeAll(
  plan: readonly PlannedFault[],
  scene: Scene,
  progress: (text: string) => void,
): Promise<Partial<Record<FaultKind, number>>> {
  const struck: Partial<Record<FaultKind, number>> = {};
  const busy = new Map<string, Promise<unknown>>();
  const startedAtMs = performance.now();
  for (const planned of plan) {
    await pause(Math.max(0, startedAtMs + planned.atMs - performance.now()), undefined, { signal: scene.over }).catch(
      () => undefined,
    );
    if (scene.over.aborted) break;
    const place = scene.places[planned.worker % scene.places.length] as Place;
    const fault = FAULTS[planned.kind];
    const target = lockOf(fault.target, place);
    const strike = async (): Promise<void> => {
      await busy.get(target);
      if (scene.over.aborted) return;
      progress(`${planned.kind} (worker ${place.index}, ${planned.forMs} ms)`);
      if (await fault.strike(scene, place, planned)) struck[planned.kind] = (struck[planned.kind] ?? 0) + 1;
    };
    const striking = strike();
    // A rejection is not lost: it ends the round below.
    striking.catch(() => undefined);
    busy.set(target, striking);
  }
  await Promise.all(busy.values());
  return struck;
}

function lockOf(target: Target, place: Place): string {
  return target === "server" || target === "sink" ? target : `${target} ${place.index}`;
}

/** Waits until nothing is in flight → what is, when that takes too long. */
async function rest(scene: Scene, timeoutMs: number): Promise<readonly string[]> {
  const { server, stream } = scene;
  const isAtRest = async (): Promise<boolean> => (await countInFlight(server, stream)) === 0;
  try {
    await eventually("nothing is in flight", isAtRest, { timeoutMs, pauseMs: LOOK_EVERY_MS });
    return [];
  } catch (error) {
    return [[String(error), ...(await explainUnrest(scene))].join("\n    ")];
  }
}

async function explainUnrest({ server, stream, places, monitors }: Scene): Promise<readonly string[]> {
  try {
    const left = await readUnrest(server, stream, `rb:{${stream}}:consumers:${stream}:${GROUP}`);
    const workers = places.flatMap(({ incarnations, isRunning }) =>
      incarnations.map(({ worker, name, journal }, index): WorkerAtUnrest => {
        const isLast = index === incarnations.length - 1;
        const state = isLast ? (isRunning ? "running" : "ended") : "replaced";
        return { worker, name, state, lines: readJournal<WorkerLine>(journal) };
      }),
    );
    return describeUnrest({ ...left, workers, monitors: monitors.lastWords }, journalNowMs());
  } catch (error) {
    return [`what is in flight cannot be told: ${String(error)}`];
  }
}
