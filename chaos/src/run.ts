/**
 * One round: servers, producers and workers of its own, a load with faults, the way back to rest, and the verdict. All
 * of it is gone afterwards.
 */

import { cpSync } from "node:fs";
import { join } from "node:path";
import { partitionStreams } from "@redis-batch/consumer";
import {
  createScratchFolder,
  eventually,
  removeScratchFolder,
  runWorker,
  seededRandom,
} from "@redis-batch/test-support";
import { describeOverdue, describeOwnerless, judgeRound, summariseOverdue } from "./account.ts";
import { Blackboard } from "./blackboard.ts";
import type { Scene } from "./faults/fault.ts";
import { countInFlight, readFinalState, readMessagesLeft, readUnrest } from "./final-state.ts";
import type { IntentShares } from "./intent.ts";
import { journalNowMs, type ProducerLine, readJournal, type WorkerLine } from "./journal.ts";
import type { Problem, Verdict } from "./ledger.ts";
import type { LivenessPolicy } from "./liveness/bounds.ts";
import { readCanary } from "./liveness/canary.ts";
import type { LivenessVerdict } from "./liveness/liveness.ts";
import { serverStalls } from "./liveness/server-stalls.ts";
import { type MemorySample, measureMemory, type RoundMemory } from "./memory.ts";
import { Monitors } from "./monitors.ts";
import { CANARY_PACE, Onlookers } from "./onlookers.ts";
import { Place } from "./place.ts";
import { type FaultKind, planFaults } from "./plan.ts";
import { linesAbout } from "./reconstruct.ts";
import { decideRestLimitMs } from "./rest-limit.ts";
import { strikeAll } from "./strike.ts";
import { DRAIN_MS, type ProducerTask, type Pull, RETRY } from "./tasks.ts";
import type { TopologyKind } from "./topology/find-master.ts";
import { REPLICAS, Topology } from "./topology/topology.ts";
import { describeUnrest, type WorkerAtUnrest } from "./unrest.ts";

export interface RoundOptions {
  readonly topology: TopologyKind;
  readonly seed: number;
  readonly messages: number;
  readonly producers: number;
  readonly workers: number;
  /** How many streams each worker reads. */
  readonly streams: number;
  /** How many partitions the stream has; 0: it has none. */
  readonly partitions: number;
  /** Whether the workers keep the messages of an order key in order: for the whole group, so there is one worker. */
  readonly isOrdered: boolean;
  /** How many worker processes survive the round. */
  readonly lasting: number;
  /** Whether the producers wait until all replicas have what they confirm. */
  readonly waitForReplicas: boolean;
  /** How long the load takes. */
  readonly loadMs: number;
  readonly kinds: readonly FaultKind[];
  /** The mean time between faults. */
  readonly everyMs: number;
  readonly leaseMs: number;
  readonly maxDeliveries: number;
  readonly shares: IntentShares;
  /** The folder of an earlier version's scripts, some of which are run beside ours. */
  readonly oldSource?: URL | undefined;
  /** A folder for the journals; by default they are gone with the round. */
  readonly keep?: string | undefined;
  /** Called with progress messages for people. */
  readonly progress: (text: string) => void;
}

export interface Round {
  readonly seed: number;
  readonly verdict: Verdict;
  readonly longestWaitMs: LivenessVerdict["longestWaitMs"];
  /** How many messages waited for too long. */
  readonly overdue: number;
  /** Why the waits are not judged; `undefined`: they are. */
  readonly void: string | undefined;
  /** How long the machine stalled. */
  readonly stalledMs: number;
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
/** How many batches a worker has at the same time: with an order more, as each may be held up by its keys. */
const CONCURRENCY = 2;
const ORDERED_CONCURRENCY = 4;
/** The fastest of several answers says most exactly what time it is at the server. */
const CLOCK_LOOKS = 10;
/** How many problems are reported with their histories. */
const SHOWN_PROBLEMS = 10;
const LOOK_EVERY_MS = 500;
/** Longer than any fault of the sink, and short enough for a round: poison may be all that a worker has left. */
const MAX_OUTAGE_MS = 10_000;
const PRODUCERS_LIMIT_MS = 30_000;
const MAX_WAIT_MS = 250;
/** Much longer than what is deferred stays in memory. */
const PUT_OFF_MS = 8_000;
/** How the workers get their batches, in turn. */
const PULLS: readonly Pull[] = ["run", "iterate", "run", "fetch"];
/** With an earlier version every third worker is of that one. */
const OLD_EVERY = 3;

export async function runRound(options: RoundOptions): Promise<Round> {
  const { seed, loadMs, progress, leaseMs } = options;
  const startedAtMs = performance.now();
  const policy = policyOf(options);
  const folder = createScratchFolder();
  try {
    const streams = namesOf(options);
    const stream = streams[0] as string;
    await using topology = await Topology.start(options.topology, stream);
    await using crew = new AsyncDisposableStack();
    // After all others have gone.
    crew.defer(() => topology.writeLogs(folder));
    const serverAheadMs = await measureClock(topology);
    const onlookers = crew.use(await Onlookers.start(topology, { streams, group: GROUP, folder }));
    const places: Place[] = [];
    for (let index = 0; index < options.workers; index++) {
      places.push(crew.use(await Place.open(placeOptions(options, topology, streams, folder, index))));
    }
    const monitors = crew.use(new Monitors(topology, { streams, leaseMs, oldSource: options.oldSource }));
    const blackboard = new Blackboard();
    const over = new AbortController();
    const scene: Omit<Scene, "server"> = {
      topology,
      stream,
      streams,
      group: GROUP,
      places,
      monitors,
      sinkFault: sinkFaultPath(folder),
      over: over.signal,
      ...blackboard.pens,
    };
    const loadFromMs = journalNowMs();
    const producers = startProducers(options, topology, streams, folder);
    const faults = strikeAll(planFaults({ ...options, durationMs: loadMs }), scene, progress);
    // It ends the round below, when the producers have ended.
    faults.catch(() => undefined);
    const failures = [...(await producers)];
    over.abort();
    const { struck, unobserved } = await faults;
    failures.push(...unobserved);
    const limitMs = decideRestLimitMs({
      ...options,
      ...policy,
      maxOutageMs: MAX_OUTAGE_MS,
      deferMs: PUT_OFF_MS,
      left: await readMessagesLeft(topology, streams),
    });
    progress(`load and faults are over; waiting up to ${Math.round(limitMs / 1_000)} s until nothing is in flight`);
    const unrest = await rest(scene, limitMs);
    failures.push(...unrest);
    progress(`${unrest.length === 0 ? "nothing is" : "messages are still"} in flight; draining the workers`);
    const horizonMs = journalNowMs();
    failures.push(...(await onlookers.end()));
    failures.push(...(await Promise.all(places.map((place) => place.drain()))).flat());
    await monitors.end();
    failures.push(...places.flatMap(({ crashes }) => crashes), ...monitors.crashes);

    const canary = readCanary(onlookers.readTicks(), { fromMs: loadFromMs, toMs: horizonMs }, CANARY_PACE);
    const journals = places.flatMap((place) =>
      place.incarnations.map(({ worker, name, journal }) => ({
        ...{ place, worker, name, lines: readJournal<WorkerLine>(journal) },
      })),
    );
    const known = Array.from({ length: options.producers }, (_, index) =>
      readJournal<ProducerLine>(join(folder, `p${index}.ndjson`)),
    ).flat();
    const seen = onlookers.readOwners();
    const stalls = [...canary.stalls, ...serverStalls(seen)];
    const { verdict, liveness, ownerless } = judgeRound({
      ...{ policy, drainMs: DRAIN_MS, journals, known, blackboard, stalls, isReplicated: options.waitForReplicas },
      ...{ streams, isOrdered: options.isOrdered, isPartitioned: options.partitions > 0 },
      ...{ owners: seen, startedAtMs: loadFromMs, horizonMs, serverAheadMs },
      final: await readFinalState(topology, streams, GROUP, serverAheadMs),
    });
    // On a machine that stalled often, it is unknown which workers could have worked; that nothing waited is still true.
    const isLate = liveness.overdue.length > 0 || ownerless.length > 0;
    const isVoid = canary.void ?? (isLate ? canary.doubt : undefined);
    const overdue = isVoid === undefined ? liveness.overdue : [];
    if (isVoid !== undefined) summariseOverdue(liveness.overdue, loadFromMs).forEach(progress);
    failures.push(...summariseOverdue(overdue, loadFromMs));
    if (isVoid === undefined) failures.push(...ownerless.map((one) => describeOwnerless(one, loadFromMs)));
    const problems = [...verdict.problems, ...overdue.map((message) => describeOverdue(message, loadFromMs))];
    // Finding all histories would take hours if half a million messages go wrong.
    const findings = firstOfEachKind(problems).map((problem) => ({
      ...problem,
      history: [problem.related, problem].flatMap((message) =>
        message === undefined ? [] : historyOf(journals, message.key, message.id),
      ),
    }));
    return {
      seed,
      verdict: { ...verdict, problems },
      longestWaitMs: liveness.longestWaitMs,
      overdue: overdue.length,
      void: isVoid,
      stalledMs: canary.stalledMs,
      findings,
      failures,
      faults: struck,
      processes: journals.length,
      monitorMoves: monitors.moves,
      memory: measureMemory(journals.map(({ lines }) => memoryOf(lines))),
      elapsedMs: performance.now() - startedAtMs,
    };
  } finally {
    if (options.keep !== undefined) cpSync(folder, join(options.keep, `seed-${seed}`), { recursive: true });
    removeScratchFolder(folder);
  }
}

function historyOf(
  journals: readonly { readonly worker: string; readonly lines: readonly WorkerLine[] }[],
  key: string,
  id: string,
): readonly string[] {
  return journals.flatMap(({ worker, lines }) =>
    linesAbout(lines, key, id).map((line) => `${worker} ${JSON.stringify(line)}`),
  );
}

/** Some of every kind: what there is most of must not hide the rest. */
function firstOfEachKind(problems: readonly Problem[]): readonly Problem[] {
  const kinds = [...Map.groupBy(problems, ({ kind }) => kind).values()];
  return kinds.flatMap((all) => all.slice(0, Math.ceil(SHOWN_PROBLEMS / kinds.length)));
}

function policyOf({ leaseMs, maxDeliveries }: RoundOptions): LivenessPolicy {
  return {
    ...{ leaseMs, maxDeliveries, maxWaitMs: MAX_WAIT_MS, retryCapMs: RETRY.capMs },
    heartbeatMs: Math.floor(leaseMs / 3),
    recoverEveryMs: leaseMs / 4,
    maxHoldMs: leaseMs * 2,
  };
}

/** How much the server's clock is ahead of the journals', in milliseconds. */
async function measureClock(topology: Topology): Promise<number> {
  const server = await topology.master();
  const looks: { readonly tookMs: number; readonly aheadMs: number }[] = [];
  for (let look = 0; look < CLOCK_LOOKS; look++) {
    const beforeMs = journalNowMs();
    const [seconds, micros] = (await server.command("TIME")) as [string, string];
    const afterMs = journalNowMs();
    const aheadMs = Number(seconds) * 1_000 + Number(micros) / 1_000 - (beforeMs + afterMs) / 2;
    looks.push({ tookMs: afterMs - beforeMs, aheadMs });
  }
  return looks.reduce((best, look) => (look.tookMs < best.tookMs ? look : best)).aheadMs;
}

/** With a hash tag, which puts several streams of a Cluster into one slot: then its master is the one of all of them. */
function namesOf({ seed, streams, partitions }: RoundOptions): readonly string[] {
  if (partitions > 0) return partitionStreams(logicalName(seed), partitions);
  return streams === 1 ? [`chaos-${seed}`] : Array.from({ length: streams }, (_, index) => `{chaos-${seed}}-${index}`);
}

function placeOptions(
  options: RoundOptions,
  topology: Topology,
  streams: readonly string[],
  folder: string,
  index: number,
): Parameters<typeof Place.open>[0] {
  const { seed, leaseMs, lasting, oldSource, isOrdered, partitions } = options;
  const { maxWaitMs, maxHoldMs, recoverEveryMs, maxDeliveries } = policyOf(options);
  const isOld = oldSource !== undefined && index % OLD_EVERY === OLD_EVERY - 1;
  return {
    topology,
    index,
    seed,
    folder,
    isOld,
    source: isOld ? oldSource : new URL(import.meta.url),
    hangMs: leaseMs,
    task: {
      stream: partitions > 0 ? logicalName(seed) : (streams[0] as string),
      streams,
      partitions,
      group: GROUP,
      workMs: 10,
      blockMs: leaseMs * 1.5,
      holdMs: maxHoldMs * 1.25,
      deferMs: PUT_OFF_MS,
      pull: PULLS[index % PULLS.length] as Pull,
      isOrdered,
      sinkFault: sinkFaultPath(folder),
      // Both ways of reading are in every round with two workers, and in every other round with one.
      isLent: (isOrdered && partitions === 0 ? seed : index) % 2 === 1,
      mustLast: index < lasting,
      options: {
        batchSize: 50,
        concurrency: isOrdered ? ORDERED_CONCURRENCY : CONCURRENCY,
        maxDeliveries,
        maxOutageMs: MAX_OUTAGE_MS,
        maxWaitMs,
        maxHoldMs,
        leaseMs,
        recoverEveryMs,
      },
    },
  };
}

const logicalName = (seed: number): string => `chaos-${seed}`;

const sinkFaultPath = (folder: string): string => join(folder, "sink-fault");

function memoryOf(lines: readonly WorkerLine[]): readonly MemorySample[] {
  return lines.flatMap((line) =>
    line.e === "memory" ? [{ atMs: line.t, rssMiB: line.rssMiB, heapMiB: line.heapMiB }] : [],
  );
}

/** Resolves when every producer has ended, with what went wrong. */
async function startProducers(
  options: RoundOptions,
  topology: Topology,
  streams: readonly string[],
  folder: string,
): Promise<readonly string[]> {
  const { producers, messages, loadMs, seed, shares } = options;
  const random = seededRandom(seed);
  const tasks = Array.from({ length: producers }, (_, index): ProducerTask => {
    const own = Math.floor(messages / producers);
    return {
      url: topology.url,
      ...{ streams, logical: options.partitions > 0 ? logicalName(seed) : undefined },
      journal: join(folder, `p${index}.ndjson`),
      name: `p${index}`,
      seed: random.integer(2 ** 31),
      messages: own,
      perSecond: own / (loadMs / 1_000),
      shares,
      keyed: index % 2 === 0,
      replicas: options.waitForReplicas ? REPLICAS[options.topology] : 0,
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

/** Waits until nothing is in flight → what is, when that takes too long. */
async function rest(scene: Omit<Scene, "server">, timeoutMs: number): Promise<readonly string[]> {
  const { topology, streams } = scene;
  const isAtRest = async (): Promise<boolean> => (await countInFlight(topology, streams)) === 0;
  try {
    await eventually("nothing is in flight", isAtRest, { timeoutMs, pauseMs: LOOK_EVERY_MS });
    return [];
  } catch (error) {
    return [[String(error), ...(await explainUnrest(scene))].join("\n    ")];
  }
}

async function explainUnrest({
  topology,
  streams,
  places,
  monitors,
}: Omit<Scene, "server">): Promise<readonly string[]> {
  try {
    const left = await readUnrest(topology, streams);
    const workers = places.flatMap(({ incarnations, isRunning }) =>
      incarnations.map(({ worker, name, journal }, index): WorkerAtUnrest => {
        const isLast = index === incarnations.length - 1;
        const state = isLast ? (isRunning ? "running" : "ended") : "replaced";
        return { worker, name, state, lines: readJournal<WorkerLine>(journal) };
      }),
    );
    return describeUnrest({ ...left, workers, monitors: monitors.lastWords }, journalNowMs());
  } catch (error) {
    return [`the messages in flight could not be read: ${String(error)}`];
  }
}
