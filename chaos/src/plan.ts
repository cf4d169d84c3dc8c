/** The schedule of the faults, decided by the seed alone. */
import { seededRandom } from "@redis-batch/test-support";
import type { TopologyKind } from "./topology/find-master.ts";

// In the order in which the seed deals them.
const PROCESSES = [
  "workerKill",
  "workerZombie",
  "workerClockJump",
  "closeAndReplace",
  "handlerHang",
  "brokenProcess",
  "monitorKill",
  "monitorZombie",
] as const;
const CONNECTIONS = [
  "connectionReset",
  "replyCut",
  "requestCut",
  "connectionStall",
  "halfOpen",
  "refused",
  "clientKill",
] as const;
const SINKS = ["sinkReadOnly", "sinkFull", "sinkAway"] as const;
/** Where another server may take over. */
const FAILOVERS = ["plannedFailover", "masterKill", "masterFreeze", "replicaPromoted", "masterCutOff"] as const;
const COMMON = [...PROCESSES, ...CONNECTIONS, "scriptFlush", ...SINKS] as const;

/** The faults of each topology. */
export const FAULT_KINDS = {
  standalone: [
    ...PROCESSES,
    ...CONNECTIONS,
    ...(["clientPause", "serverKill", "serverFreeze", "serverClockBack", "scriptFlush"] as const),
    ...SINKS,
    ...(["trim", "flushAll"] as const),
  ],
  sentinel: [...COMMON, ...FAILOVERS, "sentinelAway"],
  cluster: [...COMMON, ...FAILOVERS, "slotMove", "slotMigration"],
} as const satisfies Readonly<Record<TopologyKind, readonly string[]>>;

export type FaultKind = (typeof FAULT_KINDS)[TopologyKind][number];

export interface PlannedFault {
  readonly kind: FaultKind;
  /** From the start of the load. */
  readonly atMs: number;
  /** Which worker's place it hits, or which monitor, where it hits one. */
  readonly worker: number;
  /** How long it lasts, where it lasts. */
  readonly forMs: number;
  /** How many bytes pass before a cut. */
  readonly afterBytes: number;
  /** How far a clock jumps. */
  readonly jumpMs: number;
  /** Whether a killed worker comes back under its old name. */
  readonly keepsName: boolean;
}

export interface PlanOptions {
  readonly seed: number;
  readonly durationMs: number;
  readonly workers: number;
  readonly kinds: readonly FaultKind[];
  readonly leaseMs: number;
  /** The mean time from one fault to the next. */
  readonly everyMs: number;
}

// If a fault that empties the stream were repeated, there would be nothing left to judge.
const ONCE: ReadonlySet<FaultKind> = new Set(["flushAll"]);
const CLOCK_JUMP_MS = 3_600_000;

/** Deals the kinds like cards: all of them before any is repeated, in an order and at times decided by the seed. */
export function planFaults({
  seed,
  durationMs,
  workers,
  kinds,
  leaseMs,
  everyMs,
}: PlanOptions): readonly PlannedFault[] {
  const random = seededRandom(seed);
  const plan: PlannedFault[] = [];
  let deck: FaultKind[] = [];
  let atMs = everyMs;
  for (let round = 0; atMs < durationMs && kinds.length > 0; ) {
    if (deck.length === 0) {
      deck = random.shuffle(kinds).filter((kind) => round === 0 || !ONCE.has(kind));
      round++;
      if (deck.length === 0) break;
    }
    plan.push({
      kind: deck.pop() as FaultKind,
      atMs: Math.round(atMs),
      worker: random.integer(workers),
      // From a fraction of the lease to well beyond it.
      forMs: Math.round(leaseMs * (0.1 + random.next() * 1.6)),
      afterBytes: random.integer(4_000),
      jumpMs: Math.round((random.next() * 2 - 1) * CLOCK_JUMP_MS),
      keepsName: random.next() < 0.5,
    });
    atMs += everyMs * (0.5 + random.next());
  }
  return plan;
}
