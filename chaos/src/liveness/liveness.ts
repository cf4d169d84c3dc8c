/** The judge of waiting: for every message, how long it could have been worked on by somebody healthy, and was not. */
import { streamOf } from "../entry.ts";
import { boundOf, handOverMs, type LivenessPolicy, noWaits, WAIT_CLASSES, type WaitClass } from "./bounds.ts";
import { behindUntil, withoutTurnWait } from "./order.ts";
import { coveredMs, firstEndingAfter, mergeSpans, type Span, subtractSpans } from "./spans.ts";
import { indexWorkers, type MessageHistory, type Wait, waitsOf } from "./waits.ts";
import { type Windows, type WorkerView, windowsOf } from "./worker-view.ts";

export interface LivenessAccount {
  readonly policy: LivenessPolicy;
  readonly messages: readonly MessageHistory[];
  readonly workers: readonly WorkerView[];
  /** When the machine itself was frozen. */
  readonly stalls: readonly Span[];
  /** Until when there are workers; what is waiting then has waited until then. */
  readonly horizonMs: number;
}

export interface OverdueMessage {
  readonly key: string;
  readonly id: string;
  readonly class: WaitClass;
  /** Who could have worked on it. */
  readonly worker: string;
  readonly fromMs: number;
  /** How long that one could have, in milliseconds, and how long it may take. */
  readonly waitedMs: number;
  readonly allowedMs: number;
  /** Whose it was meanwhile; empty: held by no consumer. */
  readonly holders: readonly string[];
}

export interface LivenessVerdict {
  /** The longest time for which one worker could have worked on a message that waited in this state. */
  readonly longestWaitMs: Readonly<Record<WaitClass, number>>;
  /** The worst wait of each message that waited for too long. */
  readonly overdue: readonly OverdueMessage[];
}

/** Timers that are a little late, a round trip or two, a proxy between. */
const SLACK_MS = 500;
/**
 * Where many wait, each waits for those before it: they must be processed at least as fast as this, by any consumer with a
 * place free. Redelivered messages share it with new ones.
 */
const LEAST_PER_SECOND = 200;

/** Judges all waits. Pure: the same account gives the same verdict. */
export function judgeLiveness({ policy, messages, workers, stalls, horizonMs }: LivenessAccount): LivenessVerdict {
  // Who held what, and until when, is the same for all streams.
  const index = indexWorkers(workers.filter(({ stream }) => stream === workers[0]?.stream));
  const behind = behindUntil(messages, index, policy);
  const waits = messages.flatMap((history) =>
    waitsOf(history, index, policy, horizonMs).flatMap((wait) => withoutTurnWait(wait, behind.get(history.id))),
  );
  const ahead = countOpen(waits);
  const machineStalls = mergeSpans(stalls);
  const takers = workers
    .filter(({ isOld }) => !isOld)
    .map((view) => ({ view, windows: restrictToSteps(windowsOf(view, horizonMs), ofStream(view.stream)) }));
  const longestWaitMs = noWaits();
  const worst = new Map<string, OverdueMessage>();
  for (const wait of waits) {
    // Most are too short to matter.
    const mostMs = wait.toMs - wait.fromMs;
    if (mostMs <= longestWaitMs[wait.class] && mostMs <= boundOf(wait.class, policy) + SLACK_MS) continue;
    for (const { view, windows } of takers) if (view.stream === streamOf(wait.id)) judgeWait(wait, view, windows);
  }
  return { longestWaitMs, overdue: [...worst.values()] };

  function ofStream(stream: string): readonly WorkerView[] {
    return workers.filter((view) => view.stream === stream);
  }

  function judgeWait(wait: Wait, { worker, name }: WorkerView, windows: Windows): void {
    const spans = windowsFor(wait, windows);
    for (let at = firstEndingAfter(spans, wait.fromMs); at < spans.length; at++) {
      const span = spans[at] as Span;
      if (span.fromMs >= wait.toMs) break;
      const shared = { fromMs: Math.max(span.fromMs, wait.fromMs), toMs: Math.min(span.toMs, wait.toMs) };
      const busyMs = wait.class === "new" ? 0 : coveredMs(shared, windows.busy);
      const waitedMs = shared.toMs - shared.fromMs - busyMs - coveredMs(shared, machineStalls);
      longestWaitMs[wait.class] = Math.max(longestWaitMs[wait.class], waitedMs);
      const allowedMs = allowedFor(wait, name) + (ahead(shared.fromMs) / LEAST_PER_SECOND) * 1_000;
      if (waitedMs <= allowedMs || waitedMs <= (worst.get(wait.id)?.waitedMs ?? 0)) continue;
      const { key, id, holders } = wait;
      worst.set(id, { key, id, class: wait.class, worker, fromMs: shared.fromMs, waitedMs, allowedMs, holders });
    }
  }

  function allowedFor(wait: Wait, name: string): number {
    const isElsewhere = wait.class !== "orphaned" && wait.holders.some((holder) => holder !== name);
    // The consumer that had it last is its own second opinion only after a lease.
    const secondOpinionMs = wait.isLast ? policy.leaseMs : 0;
    return boundOf(wait.class, policy) + (isElsewhere ? handOverMs(policy) : 0) + secondOpinionMs + SLACK_MS;
  }
}

/** How many messages wait at a moment. */
function countOpen(waits: readonly Wait[]): (atMs: number) => number {
  const begins = Float64Array.from(waits, ({ fromMs }) => fromMs).toSorted();
  const ends = Float64Array.from(waits, ({ toMs }) => toMs).toSorted();
  return (atMs) => countUpTo(begins, atMs) - countUpTo(ends, atMs);
}

function countUpTo(sorted: Float64Array, atMs: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) <= atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

function windowsFor({ class: waitClass, isSuspect }: Wait, windows: Windows): readonly Span[] {
  if (isSuspect) return windows.withoutSuspect;
  return waitClass === "new" ? windows.free : windows.nearlyFree;
}

/** A message that is kept apart waits for its like, one after the other: each time one begins, its bound begins. */
function restrictToSteps(windows: Windows, workers: readonly WorkerView[]): Windows {
  const steps = mergeSpans(
    workers
      .flatMap(({ calls }) => calls)
      .filter((call) => call.isSuspect)
      .map(({ fromMs }) => ({ fromMs, toMs: fromMs + 1 })),
  );
  return { ...windows, withoutSuspect: windows.withoutSuspect.flatMap((span) => subtractSpans(span, steps)) };
}

/** Verdicts of several rounds as one. */
export function mergeLongest(all: readonly LivenessVerdict["longestWaitMs"][]): Record<WaitClass, number> {
  const longest = noWaits();
  for (const waits of all) for (const name of WAIT_CLASSES) longest[name] = Math.max(longest[name], waits[name]);
  return longest;
}
