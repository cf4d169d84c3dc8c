/** Whether there is an explanation for a message that was processed twice. */

/** One delivery of one message to a handler. */
export interface Offer {
  readonly key: string;
  readonly id: string;
  /** Which process: a name may be reused by another one. */
  readonly worker: string;
  readonly atMs: number;
  readonly deliveries: number;
  /** When and how the handler finished it; `undefined`: never. */
  readonly worked: { readonly how: "done" | "rejected"; readonly atMs: number } | undefined;
  /** When the worker learned that the server has its outcome. */
  readonly settledAtMs: number | undefined;
  /** When the worker learned that its outcome came too late. */
  readonly refusedAtMs: number | undefined;
  /** When its batch ended; `undefined`: never, or the worker's earlier version does not record it. */
  readonly endedAtMs: number | undefined;
  /** When the handler failed with it on purpose; not there: it did not. */
  readonly failedAtMs?: number;
  /** When the handler deferred it, and for how long. */
  readonly deferred: { readonly atMs: number; readonly delayMs: number } | undefined;
}

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
  readonly why: string;
}

/** A worker's process. */
export interface WorkerLife {
  readonly worker: string;
  /** The last sign of life; `undefined` while it runs. */
  readonly endedAtMs: number | undefined;
  /** When it could not renew its leases: it was stopped, had no connection, or the server did not answer. */
  readonly standstills: readonly Span[];
  /** When it was asked to stop; `undefined`: never. */
  readonly closingAtMs: number | undefined;
}

/** The settings that the explanations depend on. */
export interface DuplicateRules {
  readonly leaseMs: number;
  /** How long a message may be held. */
  readonly maxHoldMs: number;
  /** How long a stopping worker waits for its handlers. */
  readonly drainMs: number;
}

/**
 * `died`: the process ended before its outcome was confirmed · `lease`: it could not renew for about a lease · `held`: it
 * held the message for too long, so that it was released · `drained`: it was asked to stop and its drain timed out · `failover`:
 * the next server had not heard of the outcome.
 */
export type Explanation = "died" | "lease" | "held" | "drained" | "failover";

// A lease is renewed after a third of its time, so it may expire two thirds after a disconnection, and timers are late.
const LEASE_RISK_RATIO = 0.6;
/** Timers are late, and a consumer's time begins a little before the handler's. */
const EARLY_MS = 100;
/** How long a message may be in memory before it reaches a handler, from when it was taken. */
const IN_MEMORY_MS = 1_000;
/** A batch may be delivered just before another handler blocks the event loop, and reach its own handler just after. */
const HAND_OVER_MS = 10;

/**
 * Why a message may have been processed twice; `undefined`: no reason. There is no explanation for a message that was
 * delivered again after its first worker knew that the server had its outcome, unless the second worker already had it in
 * memory: it claimed it while the first one was stopped, and the first one's outcome arrived after that.
 */
export function explainDuplicate(
  earlier: Offer,
  later: Offer,
  workers: ReadonlyMap<string, WorkerLife>,
  { leaseMs, maxHoldMs, drainMs }: DuplicateRules,
): Explanation | undefined {
  const first = workers.get(earlier.worker);
  const second = workers.get(later.worker);
  const wasSettled = earlier.settledAtMs !== undefined && earlier.settledAtMs < later.atMs;
  if (!wasSettled && first !== undefined) {
    if (first.endedAtMs !== undefined && first.endedAtMs < later.atMs) return "died";
    if (isLeaseAtRisk(first, earlier.atMs - HAND_OVER_MS, later.atMs, leaseMs)) return "lease";
    if (later.atMs - earlier.atMs >= maxHoldMs - EARLY_MS && holdOf(earlier) >= maxHoldMs - EARLY_MS) return "held";
    const drainedAtMs = (first.closingAtMs ?? Number.POSITIVE_INFINITY) + drainMs - EARLY_MS;
    if (drainedAtMs <= later.atMs) return "drained";
  }
  const isLateAnswer = wasSettled && later.atMs - (earlier.settledAtMs ?? 0) <= IN_MEMORY_MS;
  if (isLateAnswer && first !== undefined && earlier.worker !== later.worker) {
    if (isLeaseAtRisk(first, earlier.atMs, earlier.settledAtMs ?? 0, leaseMs)) return "lease";
  }
  // The later one may have received it first, and lost its lease while it was stopped.
  if (second === undefined || earlier.worker === later.worker) return undefined;
  return isLeaseAtRisk(second, earlier.atMs - leaseMs, later.atMs, leaseMs) ? "lease" : undefined;
}

/** How long the handler had the message before it gave an outcome. */
function holdOf({ atMs, worked }: Offer): number {
  return worked === undefined ? Number.POSITIVE_INFINITY : worked.atMs - atMs;
}

/** Whether the worker was stopped for about a lease, at least partly between these times. */
export function isLeaseAtRisk(life: WorkerLife, fromMs: number, toMs: number, leaseMs: number): boolean {
  return mergeSpans(life.standstills).some(
    (span) => span.fromMs <= toMs && span.toMs >= fromMs && span.toMs - span.fromMs >= leaseMs * LEASE_RISK_RATIO,
  );
}

function mergeSpans(spans: readonly Span[]): Span[] {
  const merged: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const last = merged.at(-1);
    if (last === undefined || span.fromMs > last.toMs) merged.push(span);
    else merged[merged.length - 1] = { ...last, toMs: Math.max(last.toMs, span.toMs) };
  }
  return merged;
}
