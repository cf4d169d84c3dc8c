/** Whether something explains that a message was worked on twice. */

/** One hand-over of one message to a handler. */
export interface Offer {
  readonly key: string;
  readonly id: string;
  /** Which process: a name that comes back is another one. */
  readonly worker: string;
  readonly atMs: number;
  readonly deliveries: number;
  /** When the handler was done with it, and how; `undefined`: it never was. */
  readonly worked: { readonly how: "done" | "rejected"; readonly atMs: number } | undefined;
  /** When the worker learned that the server has its outcome. */
  readonly settledAtMs: number | undefined;
  /** When the worker learned that its outcome came too late. */
  readonly refusedAtMs: number | undefined;
  /** When its batch ended; `undefined`: it never did, or the worker is one of an earlier version, which does not say so. */
  readonly endedAtMs: number | undefined;
  /** When the handler put it off, and for how long it asked for. */
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
  /** When it could not renew its leases: it stood still, or had no connection, or the server did not answer. */
  readonly standstills: readonly Span[];
  /** When it was told to end; `undefined`: it never was. */
  readonly closingAtMs: number | undefined;
}

/** What the explanations follow from. */
export interface DuplicateRules {
  readonly leaseMs: number;
  /** How long a message may be held. */
  readonly maxHoldMs: number;
  /** How long one that was told to end waits for its handlers. */
  readonly drainMs: number;
}

/**
 * `died`: the process ended before its outcome was confirmed · `lease`: it could not renew for about a lease · `held`: it
 * held the message for too long, so that it was released · `drained`: it was told to end and did not wait any longer.
 */
export type Explanation = "died" | "lease" | "held" | "drained";

// A lease is renewed at a third of its time, so one that was cut off may run out after two thirds, and timers are late.
const LEASE_RISK_RATIO = 0.6;
/** Timers are late, and a consumer's time begins a little before the handler's. */
const EARLY_MS = 100;
/** How long a message may be in memory before it reaches a handler, from when it was taken. */
const IN_MEMORY_MS = 1_000;
/** A batch may be handed over just before another handler holds up the event loop, and reach its own just after. */
const HAND_OVER_MS = 10;

/**
 * Why a message may have been worked on twice; `undefined`: no reason. Nothing explains what was handed out again
 * after its first worker knew that the server had its outcome, unless the second one had it in memory from before: it took it
 * while the first one stood still, and the first one's outcome came after that, as an acknowledgement may.
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
  // The later one may have been sent it first, and lost its lease in its sleep.
  if (second === undefined || earlier.worker === later.worker) return undefined;
  return isLeaseAtRisk(second, earlier.atMs - leaseMs, later.atMs, leaseMs) ? "lease" : undefined;
}

/** How long the handler had the message before it said what becomes of it. */
function holdOf({ atMs, worked }: Offer): number {
  return worked === undefined ? Number.POSITIVE_INFINITY : worked.atMs - atMs;
}

/** Whether the worker stood still for about a lease, at least partly between these times. */
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
